//! Services of a stack whose images are not there: a new one of them has nothing to run.

use serde_json::Value;

use crate::context::Ctx;
use crate::error::Result;
use crate::layout::{App, Layout};
use crate::stacks::{StackArtifact, is_asleep, is_built_in, put_to_sleep, service_named};

/// A service without images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::commands::stack) struct WithoutImages {
    pub(super) app: App,
    pub(super) service: String,
    pub(super) repository: String,
    /// The tags that are missing of those that its tasks pull.
    pub(super) missing: Vec<&'static str>,
    /// Whether its template makes it without tasks.
    pub(super) asleep: bool,
    /// Whether it is there already, without tasks.
    pub(super) is_there: bool,
}

/// The services of `artifact` that begin with this deployment, or that sleep since an earlier one, and that have no
/// images; the templates that bpctl makes itself let them sleep. `old` is the deployed template, null where none is.
///
/// # Errors
/// The registry could not be read.
pub(super) async fn without_images(
    ctx: &Ctx,
    layout: &Layout,
    artifact: &mut StackArtifact,
    old: &Value,
) -> Result<Vec<WithoutImages>> {
    let mut found = Vec::new();
    for app in [App::Backend, App::Frontend] {
        let service = layout.service(app);
        let Some(logical) = service_named(&artifact.template, &service).map(str::to_owned) else {
            continue;
        };
        let is_there = old["Resources"].get(&logical).is_some();
        if is_there && !is_asleep(old, &logical) {
            continue;
        }
        let repository = layout.repository(app);
        let tags = Layout::service_tags(app);
        let asked: Vec<String> = tags.iter().map(|tag| (*tag).to_owned()).collect();
        let there = ctx.aws.manifests(&repository, &asked).await?.unwrap_or_default();
        let is_missing = |tag: &&&str| !there.iter().any(|(known, _)| known == **tag);
        let missing: Vec<&'static str> = tags.iter().filter(is_missing).copied().collect();
        if missing.is_empty() {
            continue;
        }
        let asleep = is_built_in(&artifact.template);
        if asleep {
            put_to_sleep(&mut artifact.template, &logical);
        }
        found.push(WithoutImages {
            app,
            service,
            repository,
            missing,
            asleep,
            is_there,
        });
    }
    Ok(found)
}

impl WithoutImages {
    /// What becomes of it.
    pub(super) fn told(&self) -> String {
        let (service, repository) = (&self.service, &self.repository);
        let missing = self.missing.join(", ");
        let becomes = if self.is_there { "stays" } else { "is made" };
        match self.asleep {
            true => format!(
                "{service} {becomes} without tasks: {repository} has no image {missing}; once it has, deploy the stack again"
            ),
            false => format!(
                "{service} has no image {missing} in {repository}: it would not become steady, and its stack would be \
                 rolled back: push them first"
            ),
        }
    }
}
