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
use crate::time::SimTime;
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

/// The versions of a template, the first one in front.
#[derive(Debug)]
pub(crate) struct History {
    versions: Vec<Version>,
}

#[derive(Debug)]
struct Version {
    created: SimTime,
    data: Value,
}

/// A stack has made a launch template.
pub(crate) fn made(world: &mut World, id: &str, data: &Value) {
    let first = Version {
        created: world.now,
        data: data.clone(),
    };
    let history = History {
        versions: vec![first],
    };
    world.services.ec2.templates.insert(id.to_owned(), history);
}

/// A stack has given a template other data: the next version. What it had comes first, should it be the first change.
pub(crate) fn changed(world: &mut World, id: &str, [before, after]: [&Value; 2]) {
    let (now, start) = (world.now, first_created(world, id));
    let history = world.services.ec2.templates.entry(id.to_owned());
    let history = history.or_insert_with(|| History {
        versions: vec![Version {
            created: start,
            data: before.clone(),
        }],
    });
    history.versions.push(Version {
        created: now,
        data: after.clone(),
    });
}

/// A template is gone.
pub(crate) fn gone(world: &mut World, id: &str) {
    world.services.ec2.templates.remove(id);
}

/// The number of the newest version.
pub(crate) fn latest(world: &World, id: &str) -> usize {
    let history = world.services.ec2.templates.get(id);
    history.map_or(1, |history| history.versions.len())
}

/// The data of a version; `deployed` are those of a template that was never changed.
pub(crate) fn data_of<'a>(
    world: &'a World,
    id: &str,
    number: usize,
    deployed: &'a Value,
) -> Option<&'a Value> {
    match world.services.ec2.templates.get(id) {
        Some(history) => history
            .versions
            .get(number.checked_sub(1)?)
            .map(|version| &version.data),
        None => (number == 1).then_some(deployed),
    }
}

/// When the first version was made.
fn first_created(world: &World, id: &str) -> SimTime {
    if let Some(first) = world
        .services
        .ec2
        .templates
        .get(id)
        .and_then(|history| history.versions.first())
    {
        return first.created;
    }
    let group = autoscaling::groups(world).find(|group| group.launch_template_id() == id);
    group.map_or(world.options.start, |group| group.spec().created)
}

/// What both operations say of a template.
fn head(world: &World, resource: &Resource) -> Value {
    json!({
        "LaunchTemplateId": resource.physical,
        "LaunchTemplateName": text(&resource.properties, "LaunchTemplateName").unwrap_or(&resource.physical),
        "CreateTime": first_created(world, &resource.physical).epoch_seconds(),
        "CreatedBy": format!("arn:aws:sts::{}:assumed-role/cdk-hnb659fds-cfn-exec-role/AWSCloudFormation", world.options.account_id),
    })
}

pub(super) fn templates(world: &World, input: &Value) -> OpResult {
    let templates = resources(world, "AWS::EC2::LaunchTemplate")
        .map(|(_, resource)| {
            let mut shown = head(world, resource);
            shown["DefaultVersionNumber"] = json!(1);
            shown["LatestVersionNumber"] = json!(latest(world, &resource.physical));
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
    let resolves = flag(input, "ResolveAlias") == Some(true);
    let mut shown = Vec::new();
    let mut found = false;
    for (_, resource) in resources(world, "AWS::EC2::LaunchTemplate") {
        let id = resource.physical.as_str();
        let newest = latest(world, id);
        for number in (1..=newest).rev() {
            let named = versions.is_empty()
                || versions.iter().any(|version| match version.as_str() {
                    "$Latest" => number == newest,
                    "$Default" => number == 1,
                    version => version == number.to_string(),
                });
            let Some(deployed) =
                data_of(world, id, number, &resource.properties["LaunchTemplateData"]).filter(|_| named)
            else {
                continue;
            };
            let mut version = head(world, resource);
            if let Some(made) = world
                .services
                .ec2
                .templates
                .get(id)
                .and_then(|all| all.versions.get(number - 1))
            {
                version["CreateTime"] = json!(made.created.epoch_seconds());
            }
            version["VersionNumber"] = json!(number);
            version["DefaultVersion"] = json!(number == 1);
            version["LaunchTemplateData"] = data(world, deployed, resolves);
            let wanted = texts(&request, "LaunchTemplateIds")
                .iter()
                .any(|wanted| wanted == id)
                || texts(&request, "LaunchTemplateNames")
                    .iter()
                    .any(|wanted| version["LaunchTemplateName"] == **wanted);
            found |= wanted;
            shown.push(version);
        }
    }
    let exists = |list: &str, member: &str| {
        texts(&request, list).iter().all(|wanted| {
            resources(world, "AWS::EC2::LaunchTemplate").any(|(_, one)| head(world, one)[member] == **wanted)
        })
    };
    // A template that is there, without the version that was asked for.
    if !found
        && exists("LaunchTemplateIds", "LaunchTemplateId")
        && exists("LaunchTemplateNames", "LaunchTemplateName")
        && let Some(missing) = versions.first().filter(|version| !version.starts_with('$'))
    {
        return Err(ApiError::client(
            "InvalidLaunchTemplateId.VersionNotFound",
            format!("Could not find launch template version {missing}"),
        ));
    }
    let shown = selected(&TEMPLATES, shown, &request)?;
    Ok(present(json!({ "LaunchTemplateVersions": shown })))
}

/// The data as the API shows them: the script as one text in base64, the image looked up where that is asked for.
fn data(world: &World, deployed: &Value, resolves: bool) -> Value {
    let mut data = deployed.clone();
    // A script that came with a template has been put together already.
    if deployed["UserData"].is_string() || deployed["UserData"].is_null() {
        return resolved(world, data, resolves);
    }
    let parts = deployed["UserData"]["Fn::Base64"]["Fn::Join"][1].as_array();
    let script: String = parts.into_iter().flatten().filter_map(Value::as_str).collect();
    if let Some(data) = data.as_object_mut() {
        data.insert("UserData".to_owned(), STANDARD.encode(script).into());
    }
    resolved(world, data, resolves)
}

/// The same with the image that a parameter names, where that is asked for.
fn resolved(world: &World, mut data: Value, resolves: bool) -> Value {
    let parameter = text(&data, "ImageId").and_then(|image| image.strip_prefix("resolve:ssm:"));
    let image = parameter
        .filter(|_| resolves)
        .and_then(|name| ssm::value(world, name));
    if let Some(image) = image {
        data["ImageId"] = json!(image.newest().value);
    }
    data
}
