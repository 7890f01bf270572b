//! What an instance of a fleet starts with.

use serde_json::{Value, json};

use super::Parts;
use crate::build::{Resource, Template, attribute};
use crate::exports;
use crate::names;

/// The script, with `@NAME@` where a value of the fleet belongs.
const BOOT: &str = include_str!("boot.sh");

/// The address, which is another stack's where there is no domain.
const ADDRESS: &str = "@API_BASE_URL@";

pub(super) fn add(template: &mut Template, parts: &Parts<'_>) {
    let names = parts.names();
    template.add(
        &parts.logical(&["LtSpot"]),
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
    let script = script(parts);
    let (head, tail) = script.split_once(ADDRESS).unwrap_or((&script, ""));
    match &parts.settings.domain {
        Some(domain) => json!([head, format!("https://{}", domain.name), tail]),
        None => {
            let host = exports::balancer_address(parts.names()).import();
            json!([format!("{head}http://"), host, tail])
        }
    }
}

fn script(parts: &Parts<'_>) -> String {
    let (names, fleet) = (parts.names(), parts.fleet);
    // The worker protects its instance from scale-in while it holds a job. Without a region its SDK asks nobody, and
    // the call fails without a word: that is what the platform's own script leaves out.
    let region = if parts.settings.upstream_compatible {
        String::new()
    } else {
        format!("AWS_DEFAULT_REGION=\"{}\"\n", parts.settings.region)
    };
    [
        ("@REGION@", parts.settings.region.as_str()),
        ("@FLEET_SECRET@", &names.fleet_secret(fleet.stage)),
        ("@ACTIVE_BUNDLE@", &names.active_bundle(fleet)),
        ("@MODELS_BUCKET@", &names.bucket("models")),
        ("@SLUG@", &fleet.slug),
        ("@STAGE@", fleet.stage.as_str()),
        ("@GROUP@", &names::group(fleet)),
        ("@WORKER_REGION@\n", &region),
    ]
    .into_iter()
    .fold(BOOT.to_owned(), |script, (name, value)| {
        script.replace(name, value)
    })
}
