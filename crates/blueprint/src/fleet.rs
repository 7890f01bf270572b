//! The stack of one GPU fleet.

mod alarms;
mod launch;
mod scaling;

use serde_json::{Value, json};

use crate::alarm::{Metric, dimension};
use crate::build::{Resource, Template, attribute, own_arn, reference, sub};
use crate::exports::{self, Tier};
use crate::iam;
use crate::names::{self, Names};
use crate::settings::{Fleet, FleetTemplate, Settings};

/// Where the backend publishes the metrics of fleets, once a minute.
pub(crate) const NAMESPACE: &str = "ComfyUI/Workers";

/// A fleet, its template, and all that its parts are made from.
struct Parts<'a> {
    settings: &'a Settings,
    fleet: &'a Fleet,
    kind: &'a FleetTemplate,
}

impl Parts<'_> {
    fn names(&self) -> Names<'_> {
        Names::of(self.settings)
    }

    fn logical(&self, path: &[&str]) -> String {
        names::logical(self.fleet, path)
    }

    /// The Auto Scaling group's logical id.
    fn group(&self) -> String {
        self.logical(&["AsgSpot", "ASG"])
    }

    fn dimensions(&self) -> Value {
        json!([
            dimension("FleetSlug", json!(self.fleet.slug)),
            dimension("Stage", json!(self.fleet.stage.as_str())),
        ])
    }

    fn metric(&self, name: &'static str, statistic: &'static str, period: u32) -> Metric {
        Metric {
            namespace: NAMESPACE,
            name,
            dimensions: self.dimensions(),
            statistic,
            period,
        }
    }
}

/// The template of a fleet whose template `kind` is.
pub(crate) fn template(settings: &Settings, fleet: &Fleet, kind: &FleetTemplate) -> Value {
    let parts = Parts {
        settings,
        fleet,
        kind,
    };
    let mut template = Template::new(&format!("GPU fleet {} ({})", fleet.slug, fleet.stage.as_str()));
    role(&mut template, &parts);
    launch::add(&mut template, &parts);
    template.add(&parts.group(), group(&parts));
    scaling::add(&mut template, &parts);
    alarms::add(&mut template, &parts);
    if settings.log_group_owner(&fleet.slug) == Some(fleet) {
        log_group(&mut template, &parts);
    }
    template.output("AsgName", reference(&parts.group()));
    template.finish()
}

/// What an instance may do: read its secret, its bundle and the assets, protect itself while it works, write its log,
/// and be reached by Systems Manager.
fn role(template: &mut Template, parts: &Parts<'_>) {
    let (names, fleet) = (parts.names(), parts.fleet);
    let parameter = |name: &str| own_arn("ssm", &format!("parameter{name}"));
    let models = |rest: &str| {
        sub(&format!(
            "arn:${{AWS::Partition}}:s3:::{}{rest}",
            names.bucket("models")
        ))
    };
    let group = names::group(fleet);
    let statements = [
        iam::allow(
            &["ssm:GetParameter"],
            json!([
                parameter(&names.fleet_secret(fleet.stage)),
                parameter(&names.active_bundle(fleet)),
            ]),
        ),
        iam::allow(
            &["s3:GetObject"],
            json!([models("/assets/*"), models("/bundles/*")]),
        ),
        iam::allow(
            &["autoscaling:SetInstanceProtection"],
            own_arn(
                "autoscaling",
                &format!("autoScalingGroup:*:autoScalingGroupName/{group}"),
            ),
        ),
        iam::allow(
            &["logs:CreateLogStream", "logs:PutLogEvents"],
            own_arn("logs", &format!("log-group:{}:*", names::fleet_logs(&fleet.slug))),
        ),
    ];
    template.add(
        &parts.logical(&["Role"]),
        iam::role(
            "ec2.amazonaws.com",
            &["AmazonSSMManagedInstanceCore"],
            &statements,
        ),
    );
    template.add(
        &parts.logical(&["Profile"]),
        Resource::new(
            "AWS::IAM::InstanceProfile",
            json!({ "Roles": [reference(&parts.logical(&["Role"]))] }),
        ),
    );
}

/// All Spot, of one instance type, in the private subnets.
fn group(parts: &Parts<'_>) -> Resource {
    let launch = parts.logical(&["LtSpot"]);
    let mut properties = json!({
        "AutoScalingGroupName": names::group(parts.fleet),
        "CapacityRebalance": true,
        "DefaultInstanceWarmup": parts.kind.warmup_seconds,
        "MaxSize": parts.kind.max_size.to_string(),
        "MinSize": "0",
        "MixedInstancesPolicy": {
            "InstancesDistribution": {
                "OnDemandBaseCapacity": 0,
                "OnDemandPercentageAboveBaseCapacity": 0,
                "SpotAllocationStrategy": "capacity-optimized-prioritized",
            },
            "LaunchTemplate": {
                "LaunchTemplateSpecification": {
                    "LaunchTemplateId": reference(&launch),
                    "Version": attribute(&launch, "LatestVersionNumber"),
                },
                "Overrides": [{ "InstanceType": parts.fleet.instance_type }],
            },
        },
        "NewInstancesProtectedFromScaleIn": false,
        "Tags": tags(parts),
        "VPCZoneIdentifier": exports::import_all(&exports::subnets(parts.names(), Tier::Private)),
    });
    // What a template does not state a deployment cannot set.
    if parts.settings.upstream_compatible {
        properties["DesiredCapacity"] = json!("0");
    }
    Resource::new("AWS::AutoScaling::AutoScalingGroup", properties).with(
        "UpdatePolicy",
        // A deployment that changes none of the sizes leaves those that operators have set.
        json!({ "AutoScalingScheduledAction": { "IgnoreUnmodifiedGroupSizeProperties": true } }),
    )
}

/// No tag says the stage: the group's name does.
fn tags(parts: &Parts<'_>) -> Value {
    [
        ("FleetSlug", parts.fleet.slug.as_str()),
        ("CapacityType", "spot"),
        ("Project", parts.names().system()),
        ("DeploymentModel", crate::DEPLOYMENT_MODEL),
        ("Service", "gpu-fleet"),
    ]
    .iter()
    .map(|(key, value)| json!({ "Key": key, "Value": value, "PropagateAtLaunch": true }))
    .collect()
}

fn log_group(template: &mut Template, parts: &Parts<'_>) {
    let fleet = parts.fleet;
    template.add(
        &parts.logical(&["GpuWorkerLogGroup"]),
        Resource::new(
            "AWS::Logs::LogGroup",
            json!({
                "LogGroupName": names::fleet_logs(&fleet.slug),
                "RetentionInDays": fleet.stage.log_days(),
            }),
        )
        .retained(),
    );
}
