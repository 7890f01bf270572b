//! DescribeLaunchTemplateVersions: which image a template names.

use super::super::Aws;
use super::super::pages::Pages;
use crate::error::{CtlError, ErrorKind, Result, from_sdk};

/// What a version of a launch template says of the image and of the volumes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Template {
    /// `resolve:ssm:<parameter>` or an id.
    pub(crate) image: Option<String>,
    /// Devices whose volumes it encrypts, whatever the image says of them.
    pub(crate) encrypts: Vec<String>,
}

impl Aws {
    /// The images that the default and the latest version of every launch template of the region start from, each with
    /// the template's name.
    pub(crate) async fn images_of_templates(&self) -> Result<Vec<(String, String)>> {
        // Without a template, the versions of all of them (EC2 API Reference, DescribeLaunchTemplateVersions).
        let stream = self
            .ec2_client()
            .await?
            .describe_launch_template_versions()
            .versions("$Latest")
            .versions("$Default")
            .resolve_alias(true)
            .max_results(200)
            .into_paginator()
            .send();
        let versions = Pages::new("read the launch templates", stream).all().await?;
        Ok(versions
            .iter()
            .filter_map(|version| {
                let image = version.launch_template_data()?.image_id()?;
                let name = version.launch_template_name().unwrap_or("a launch template");
                Some((image.to_owned(), name.to_owned()))
            })
            .collect())
    }

    /// The image that a version of a launch template names: `resolve:ssm:<parameter>` or, with `resolved`, the AMI that
    /// such a parameter points to now.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when there is no such template or version.
    pub(crate) async fn template_image(
        &self,
        template: &str,
        version: &str,
        resolved: bool,
    ) -> Result<Option<String>> {
        Ok(self.launch_template(template, version, resolved).await?.image)
    }

    /// The same with the volumes.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when there is no such template or version.
    pub(crate) async fn launch_template(
        &self,
        template: &str,
        version: &str,
        resolved: bool,
    ) -> Result<Template> {
        let doing = || format!("read the launch template `{template}`");
        let call = self
            .ec2_client()
            .await?
            .describe_launch_template_versions()
            .versions(version)
            .resolve_alias(resolved);
        // A name may begin with `lt-` as well.
        let hex = |digit: u8| digit.is_ascii_hexdigit();
        let is_id = template
            .strip_prefix("lt-")
            .is_some_and(|id| id.len() >= 8 && id.bytes().all(hex));
        let call = if is_id {
            call.launch_template_id(template)
        } else {
            call.launch_template_name(template)
        };
        let answer = call.send().await.map_err(|error| from_sdk(doing(), &error))?;
        let Some(found) = answer.launch_template_versions().first() else {
            return Err(CtlError::new(
                ErrorKind::NotFound,
                format!("{}: there is no version {version}", doing()),
            ));
        };
        let Some(data) = found.launch_template_data() else {
            return Ok(Template::default());
        };
        let encrypted = data.block_device_mappings().iter().filter(|mapping| {
            let volume = mapping.ebs();
            volume.and_then(|volume| volume.encrypted()) == Some(true)
        });
        Ok(Template {
            image: data.image_id().map(str::to_owned),
            encrypts: encrypted
                .filter_map(|mapping| mapping.device_name().map(str::to_owned))
                .collect(),
        })
    }
}
