//! The launch templates of the fleets, as their stacks have them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::describe::{Kind, describe, selected};
use super::resources;
use crate::error::{ApiError, OpResult};
use crate::service::autoscaling;
use crate::service::cloudformation::Resource;
use crate::service::member::{flag, present, text, texts};
use crate::service::ssm;
use crate::world::World;

const TEMPLATES: Kind = Kind {
    output: "LaunchTemplates",
    ids: &[
        ("LaunchTemplateIds", "LaunchTemplateId"),
        ("LaunchTemplateNames", "LaunchTemplateName"),
    ],
    missing: ("InvalidLaunchTemplateId.NotFound", "launch template"),
    filters: &[("launch-template-name", "LaunchTemplateName")],
};

fn created(world: &World, resource: &Resource) -> f64 {
    let group = autoscaling::groups(world).find(|group| group.launch_template_id() == resource.physical);
    group
        .map_or(world.options.start, |group| group.spec().created)
        .epoch_seconds()
}

/// What both operations say of a template.
fn head(world: &World, resource: &Resource) -> Value {
    json!({
        "LaunchTemplateId": resource.physical,
        "LaunchTemplateName": text(&resource.properties, "LaunchTemplateName"),
        "CreateTime": created(world, resource),
        "CreatedBy": format!("arn:aws:sts::{}:assumed-role/cdk-hnb659fds-cfn-exec-role/AWSCloudFormation", world.options.account_id),
    })
}

pub(super) fn templates(world: &World, input: &Value) -> OpResult {
    let templates = resources(world, "AWS::EC2::LaunchTemplate")
        .map(|(_, resource)| {
            let mut shown = head(world, resource);
            shown["DefaultVersionNumber"] = json!(1);
            shown["LatestVersionNumber"] = json!(1);
            shown
        })
        .collect();
    describe(&TEMPLATES, templates, input)
}

pub(super) fn versions(world: &World, input: &Value) -> OpResult {
    let wanted = [
        ("LaunchTemplateIds", "LaunchTemplateId"),
        ("LaunchTemplateNames", "LaunchTemplateName"),
    ];
    let mut request = json!({ "DryRun": flag(input, "DryRun") });
    for (list, one) in wanted {
        if let Some(id) = text(input, one) {
            request[list] = json!([id]);
        }
    }
    let versions = texts(input, "Versions");
    if text(input, "LaunchTemplateId").is_none()
        && text(input, "LaunchTemplateName").is_none()
        && !versions.iter().any(|version| version.starts_with('$'))
    {
        return Err(ApiError::client(
            "MissingParameter",
            "Either a launch template ID or a launch template name must be specified in the request.",
        ));
    }
    // Every template has one version: an update of the stack makes the next one.
    if let Some(missing) = versions
        .iter()
        .find(|version| !matches!(version.as_str(), "1" | "$Latest" | "$Default"))
    {
        return Err(ApiError::client(
            "InvalidLaunchTemplateId.VersionNotFound",
            format!("Could not find launch template version {missing}"),
        ));
    }
    let resolves = flag(input, "ResolveAlias") == Some(true);
    let shown = resources(world, "AWS::EC2::LaunchTemplate")
        .map(|(_, resource)| {
            let mut shown = head(world, resource);
            shown["VersionNumber"] = json!(1);
            shown["DefaultVersion"] = json!(true);
            shown["LaunchTemplateData"] = data(world, &resource.properties["LaunchTemplateData"], resolves);
            shown
        })
        .collect();
    let shown = selected(&TEMPLATES, shown, &request)?;
    Ok(present(json!({ "LaunchTemplateVersions": shown })))
}

/// The data as the API shows them: the script as one text in base64, the image looked up where that is asked for.
fn data(world: &World, deployed: &Value, resolves: bool) -> Value {
    let mut data = deployed.clone();
    let parts = deployed["UserData"]["Fn::Base64"]["Fn::Join"][1].as_array();
    let script: String = parts.into_iter().flatten().filter_map(Value::as_str).collect();
    if let Some(data) = data.as_object_mut() {
        data.insert("UserData".to_owned(), STANDARD.encode(script).into());
    }
    let parameter = text(deployed, "ImageId").and_then(|image| image.strip_prefix("resolve:ssm:"));
    let image = parameter
        .filter(|_| resolves)
        .and_then(|name| ssm::value(world, name));
    if let Some(image) = image {
        data["ImageId"] = json!(image.newest().value);
    }
    data
}
