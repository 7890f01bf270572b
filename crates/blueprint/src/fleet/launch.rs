//! What an instance of a fleet starts with.

use serde_json::{Value, json};

use super::Parts;
use crate::build::{Resource, Template, attribute};
use crate::exports;
use crate::names::{self, Names};
use crate::settings::{Fleet, Layout, Settings};

/// The script, with `@NAME@` where a value of the fleet belongs.
const BOOT: &str = include_str!("boot.sh");

/// The same of the staged layout, without its beginning: that says of which fleet the instance is, and all fleets of a
/// stack share the rest.
const STAGED_BOOT: &str = include_str!("staged_boot.sh");

/// What the shared script calls the slug of its fleet.
const SLUG: &str = "$SLUG";

/// Where the shared script stands in its template: the map, and the two keys.
const SHARED: [&str; 3] = ["Boot", "Worker", "Script"];

/// The address, which is another stack's where there is no domain.
const ADDRESS: &str = "@API_BASE_URL@";

pub(super) fn add(template: &mut Template, parts: &Parts<'_>) {
    let names = parts.names();
    template.add(
        &parts.launch(),
        Resource::new(
            "AWS::EC2::LaunchTemplate",
            json!({
                "LaunchTemplateName": names::launch_template(parts.fleet),
                "LaunchTemplateData": {
                    "BlockDeviceMappings": [{
                        "DeviceName": "/dev/sda1",
                        "Ebs": { "Encrypted": true, "VolumeSize": 100, "VolumeType": "gp3" },
                    }],
                    "IamInstanceProfile": { "Arn": attribute(&parts.logical(&["Profile"]), "Arn") },
                    // Read with every launch: a new image needs no deployment.
                    "ImageId": format!("resolve:ssm:{}", names.image(parts.fleet)),
                    "MetadataOptions": { "HttpPutResponseHopLimit": 1, "HttpTokens": "required" },
                    "SecurityGroupIds": [exports::security_group(names, "SgGpuWorkers").import()],
                    "UserData": { "Fn::Base64": { "Fn::Join": ["", user_data(parts)] } },
                },
            }),
        ),
    );
}

/// The script in parts: before the address, the address, after it.
fn user_data(parts: &Parts<'_>) -> Value {
    let (script, shared) = match parts.settings.layout {
        Layout::Single => (filled(BOOT, parts.settings, parts.fleet), None),
        Layout::Staged => {
            let slug = &parts.fleet.slug;
            let head = format!("#!/bin/bash\nSLUG=\"{slug}\"\nAPI_BASE_URL=\"{ADDRESS}\"\n");
            (head, Some(json!({ "Fn::FindInMap": SHARED })))
        }
    };
    let (head, tail) = script.split_once(ADDRESS).unwrap_or((&script, ""));
    let mut pieces = match &parts.settings.domain {
        Some(domain) => vec![
            json!(head),
            json!(format!("https://{}", domain.name)),
            json!(tail),
        ],
        None => {
            let host = exports::balancer_address(parts.names()).import();
            vec![json!(format!("{head}http://")), host, json!(tail)]
        }
    };
    pieces.extend(shared);
    Value::Array(pieces)
}

/// Puts the script into the template that the fleets of the staged layout share.
pub(super) fn share(template: &mut Template, settings: &Settings) {
    let any = Fleet {
        stage: settings.environment,
        slug: SLUG.to_owned(),
        template_slug: String::new(),
        instance_type: String::new(),
    };
    let [map, key, name] = SHARED;
    template.map(map, json!({ key: { name: filled(STAGED_BOOT, settings, &any) } }));
}

fn filled(script: &str, settings: &Settings, fleet: &Fleet) -> String {
    let names = Names::of(settings);
    // The worker protects its instance from scale-in while it holds a job. Without a region its SDK asks nobody, and
    // the call fails without a word: that is what the platform's own script leaves out.
    let region = if settings.upstream_compatible {
        String::new()
    } else {
        format!("AWS_DEFAULT_REGION=\"{}\"\n", settings.region)
    };
    [
        ("@REGION@", settings.region.as_str()),
        ("@FLEET_SECRET@", &names.fleet_secret(fleet.stage)),
        ("@ACTIVE_BUNDLE@", &names.active_bundle(fleet)),
        ("@MODELS_BUCKET@", &names.bucket("models")),
        ("@SLUG@", &fleet.slug),
        ("@STAGE@", fleet.stage.as_str()),
        ("@GROUP@", &names::group(fleet)),
        ("@WORKER_REGION@\n", &region),
    ]
    .into_iter()
    .fold(script.to_owned(), |script, (name, value)| {
        script.replace(name, value)
    })
}
