//! What keeps an image: pointers and their past, launch templates, groups and instances.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::try_join_all;

use super::super::look::image_pointers;
use crate::context::Ctx;
use crate::error::Result;
use crate::layout::Layout;

/// Why images have to stay, by image. Whatever could not be read is an error: an image whose uses were not read is not
/// unused.
#[derive(Clone, Debug, Default)]
pub(super) struct Usage {
    reasons: BTreeMap<String, BTreeSet<String>>,
    /// Groups that start from no launch template: from which image they start was not looked at.
    pub(super) unknown: Vec<String>,
}

impl Usage {
    /// Everything that may still need one of `images`; `versions` of each pointer count, the newest ones.
    pub(super) async fn of(ctx: &Ctx, layout: &Layout, images: &[String], versions: usize) -> Result<Self> {
        let aws = &ctx.aws;
        let pointers = async {
            let pointers = image_pointers(ctx, layout).await?;
            try_join_all(pointers.into_iter().map(async |(name, fleet)| {
                let versions = aws.pointer_versions(&name).await?;
                Ok::<_, crate::error::CtlError>((fleet, versions))
            }))
            .await
        };
        let (pointers, templates, groups, machines) = futures::try_join!(
            pointers,
            aws.images_of_templates(),
            aws.groups(),
            aws.machines_of(images),
        )?;
        let mut usage = Self::default();
        for (fleet, all) in pointers {
            for (position, version) in all.into_iter().take(versions.max(1)).enumerate() {
                let why = match position {
                    0 => format!("{fleet} points to it"),
                    _ => format!("{fleet} pointed to it (version {})", version.version),
                };
                usage.keep(version.value, why);
            }
        }
        for (image, template) in templates {
            usage.keep(image, format!("launch template {template} names it"));
        }
        let mut versions = BTreeSet::new();
        for group in groups {
            match group.launch_template {
                Some(template) => {
                    versions.insert(template);
                }
                None => usage.unknown.push(group.name),
            }
            // An instance may run on for long, and one that a group protects is no reason to wait for.
            for instance in group.instances {
                if let Some(image) = instance.image {
                    usage.keep(image, format!("instance {} runs from it", instance.id));
                }
            }
        }
        let named = try_join_all(versions.iter().map(async |(template, version)| {
            let image = aws.template_image(template, version, true).await?;
            Ok::<_, crate::error::CtlError>((template, version, image))
        }))
        .await?;
        for (template, version, image) in named {
            if let Some(image) = image {
                usage.keep(
                    image,
                    format!("version {version} of launch template {template} names it"),
                );
            }
        }
        for (id, machine) in machines {
            if let Some(image) = machine.image {
                let state = machine.state.unwrap_or_else(|| "there".to_owned());
                usage.keep(image, format!("instance {id} ({state}) started from it"));
            }
        }
        Ok(usage)
    }

    pub(super) fn keep(&mut self, image: String, why: String) {
        self.reasons.entry(image).or_default().insert(why);
    }

    /// Why an image has to stay, if it has to.
    pub(super) fn reason(&self, image: &str) -> Option<&str> {
        let reasons = self.reasons.get(image)?;
        reasons.first().map(String::as_str)
    }
}
