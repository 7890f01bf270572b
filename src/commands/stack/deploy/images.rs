//! Services and fleets of a stack whose images are not there: a new one of them has nothing to run.

use serde_json::Value;

use crate::context::Ctx;
use crate::error::Result;
use crate::layout::{App, FleetId, Layout};
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

/// The pointer to the image of a new fleet, which is not there: its group could not be made, and its stack would be rolled
/// back (Amazon EC2 Auto Scaling API Reference, `CreateAutoScalingGroup`: the launch template has to resolve).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::commands::stack) struct NoPointer {
    pub(super) parameter: String,
    pub(super) fleet: Option<FleetId>,
}

/// What a launch template says before the name of the parameter that its image is in.
const RESOLVED: &str = "resolve:ssm:";

/// The pointers of the fleets that `template` adds to the deployed one, `old`, and that are not there.
///
/// # Errors
/// The parameters could not be read.
pub(super) async fn without_pointers(
    ctx: &Ctx,
    layout: &Layout,
    template: &Value,
    old: &Value,
) -> Result<Vec<NoPointer>> {
    let names = new_pointers(template, old);
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let missing = ctx.aws.parameters(&names).await?.missing;
    let pointers = missing.into_iter().map(|parameter| NoPointer {
        fleet: layout.fleet_of_image_pointer(&parameter),
        parameter,
    });
    Ok(pointers.collect())
}

/// The parameters that launch templates, which `old` does not have, take their images from.
fn new_pointers(template: &Value, old: &Value) -> Vec<String> {
    let resources = template["Resources"].as_object().into_iter().flatten();
    let new = resources.filter(|(logical, shape)| {
        shape["Type"] == "AWS::EC2::LaunchTemplate" && old["Resources"].get(logical.as_str()).is_none()
    });
    let names = new.filter_map(|(_, shape)| {
        let image = shape["Properties"]["LaunchTemplateData"]["ImageId"].as_str()?;
        // A version may follow the name.
        let name = image.strip_prefix(RESOLVED)?.split(':').next()?;
        Some(name.to_owned())
    });
    names.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pointers_of_new_launch_templates_are_found() {
        let launch = |image: Value| {
            let data = json!({ "LaunchTemplateData": { "ImageId": image } });
            json!({ "Type": "AWS::EC2::LaunchTemplate", "Properties": data })
        };
        let template = json!({ "Resources": {
            "Old": launch(json!("resolve:ssm:/bp/ami/old")),
            "New": launch(json!("resolve:ssm:/bp/ami/new")),
            "Pinned": launch(json!("resolve:ssm:/bp/ami/pinned:3")),
            "Fixed": launch(json!("ami-1")),
            "Made": launch(json!({ "Ref": "Image" })),
            "Group": { "Type": "AWS::AutoScaling::AutoScalingGroup" },
        } });
        let old = json!({ "Resources": { "Old": {} } });
        let mut found = new_pointers(&template, &old);
        found.sort();
        assert_eq!(found, ["/bp/ami/new", "/bp/ami/pinned"]);
        assert_eq!(new_pointers(&template, &template), [""; 0]);
    }
}
