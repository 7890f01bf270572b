//! GPU fleets: a stack for one, or all of a stage in one stack.

mod alarms;
mod launch;
mod scaling;

use serde_json::{Value, json};

use crate::alarm::Metric;
use crate::build::{Resource, Template, attribute, own_arn, reference, sub};
use crate::data::parameter;
use crate::exports::{self, Tier};
use crate::names::{self, Names};
use crate::settings::{Fleet, FleetTemplate, Layout, Settings};
use crate::{gpu_shared, iam};

/// Where the backend publishes the metrics of fleets, once a minute.
pub(crate) const NAMESPACE: &str = "ComfyUI/Workers";

/// A fleet, its template, and all that its parts are made from.
struct Parts<'a> {
    settings: &'a Settings,
    fleet: &'a Fleet,
    kind: &'a FleetTemplate,
}

impl<'a> Parts<'a> {
    /// `None` for a fleet whose template the settings do not have.
    fn of(settings: &'a Settings, fleet: &'a Fleet) -> Option<Self> {
        let kind = settings.template_of(fleet)?;
        Some(Self {
            settings,
            fleet,
            kind,
        })
    }

    fn names(&self) -> Names<'a> {
        Names::of(self.settings)
    }

    fn logical(&self, path: &[&str]) -> String {
        self.names().logical(self.fleet, path)
    }

    /// The Auto Scaling group's logical id.
    fn group(&self) -> String {
        self.logical(&[self.names().constructs().group, "ASG"])
    }

    /// The launch template's logical id.
    fn launch(&self) -> String {
        self.logical(&[self.names().constructs().launch])
    }

    fn dimensions(&self) -> Value {
        self.names().dimensions(self.fleet)
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

/// The template of a fleet that has a stack of its own; `None` where the settings do not have its template.
pub(crate) fn template(settings: &Settings, fleet: &Fleet) -> Option<Value> {
    let parts = Parts::of(settings, fleet)?;
    let names = parts.names();
    let mut template = Template::new(&format!("GPU fleet {} ({})", fleet.slug, fleet.stage.as_str()));
    machines(&mut template, &parts);
    alarms::scaling(
        &mut template,
        &parts,
        &exports::scale_to_zero_topic(names).import(),
    );
    watched(&mut template, &parts, &exports::alert_topic(names).import());
    template.output("AsgName", reference(&parts.group()));
    Some(template.finish())
}

/// The template of all fleets together, with what takes them to zero.
pub(crate) fn all(settings: &Settings) -> Value {
    let mut template = Template::new("GPU workers");
    gpu_shared::add(&mut template, settings);
    if !settings.fleets.is_empty() {
        launch::share(&mut template, settings);
    }
    let topic = reference(gpu_shared::TOPIC);
    for parts in each(settings) {
        machines(&mut template, &parts);
        parameter(
            &mut template,
            &parts.logical(&["ActiveBundleParam"]),
            &parts.names().active_bundle(parts.fleet),
            json!(NO_BUNDLE),
        );
        alarms::scaling(&mut template, &parts, &topic);
        let output = format!("Asg{}", names::letters(&parts.fleet.slug));
        template.output(&output, reference(&parts.group()));
    }
    template.finish()
}

/// What people are told of every fleet by `topic`, and the logs of their workers: in the staged layout they are with the
/// platform's own.
pub(crate) fn watch_all(template: &mut Template, settings: &Settings, topic: &Value) {
    for parts in each(settings) {
        watched(template, &parts, topic);
    }
}

fn each(settings: &Settings) -> impl Iterator<Item = Parts<'_>> {
    let fleets = settings.fleets.iter();
    fleets.filter_map(|fleet| Parts::of(settings, fleet))
}

/// What a pointer to a bundle holds as long as none is active (runbook, "Secrets Reference").
const NO_BUNDLE: &str = "none";

/// The group with what its instances are and may do, and how it grows.
fn machines(template: &mut Template, parts: &Parts<'_>) {
    role(template, parts);
    launch::add(template, parts);
    template.add(&parts.group(), group(parts));
    scaling::add(template, parts);
}

fn watched(template: &mut Template, parts: &Parts<'_>, topic: &Value) {
    alarms::judging(template, parts, topic);
    if parts.settings.log_group_owner(&parts.fleet.slug) == Some(parts.fleet) {
        log_group(template, parts);
    }
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
    let mut statements = vec![iam::allow(
        &["ssm:GetParameter"],
        json!([
            parameter(&names.fleet_secret(fleet.stage)),
            parameter(&names.active_bundle(fleet)),
        ]),
    )];
    match parts.settings.layout {
        Layout::Single => statements.push(iam::allow(
            &["s3:GetObject"],
            json!([models("/assets/*"), models("/bundles/*")]),
        )),
        // A bundle is a folder, which is listed and copied as a whole.
        Layout::Staged => statements.extend([
            iam::allow(&["s3:GetObject"], models(&format!("/bundles/{}/*", fleet.slug))),
            iam::allow(&["s3:ListBucket"], models("")),
        ]),
    }
    statements.extend([
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
    ]);
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

/// The instance types in the order in which they are preferred. In the staged layout Spot capacity may be of any type that
/// the fleet's template allows (runbook, "Workflow Configuration").
fn overrides(parts: &Parts<'_>) -> Value {
    let first = &parts.fleet.instance_type;
    let others = match parts.settings.layout {
        Layout::Single => &[][..],
        Layout::Staged => &parts.kind.allowed_instance_types[..],
    };
    std::iter::once(first)
        .chain(others.iter().filter(|other| *other != first))
        .map(|name| json!({ "InstanceType": name }))
        .collect()
}

/// All Spot, in the private subnets.
fn group(parts: &Parts<'_>) -> Resource {
    let launch = parts.launch();
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
                "Overrides": overrides(parts),
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

fn tags(parts: &Parts<'_>) -> Value {
    let tags = parts.names().fleet_tags(parts.fleet).into_iter();
    tags.map(|(key, value)| json!({ "Key": key, "Value": value, "PropagateAtLaunch": true }))
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
        .retained_if(parts.settings.keeps_data()),
    );
}
