//! The accounts in which campaigns break verbs: what is so before, and what a command line may name of it.

use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use bpctl_sandbox::{FleetSeed, Options, Sandbox, Scenario, Service};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::assemblies::{configure_new_fleet, deployed, keep_log_group};
use crate::backups::lay_backup;
use crate::campaign_worlds::{call, tasks_of};
use crate::support::kept_by_hand;
use crate::torn_down::{leave_behind, tear_down};

/// An account for campaigns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The platform as it is deployed.
    Platform,
    /// So many production fleets that are kept at one instance by hand, and have no work.
    IdleFleets(usize),
    /// A lease on the backend whose holder has died.
    DeadLease,
    /// The tag that the backend pulls means a newer build than the one before, and the newer one runs.
    NewBuild,
    /// The production fleet is kept at one instance by hand, and its pointer names another image than that runs.
    Promoted,
    /// Its refresh is under way, started by other means.
    Refreshing,
    /// Two alarms and a log were changed by hand.
    Detuned,
    /// A fleet is configured that is not provisioned.
    NewFleet,
    /// The log group of a fleet is there, and no stack of it.
    KeptLogGroup,
    /// An update of the production fleet's stack failed, and so did its rollback.
    HalfRolledBack,
    /// A deployment of the backend is under way whose tasks fail, and no circuit breaker ends it.
    EndlessDeployment,
    /// A public hosted zone holds the platform's name.
    Zone,
    /// No stack of the platform stands, and what those have left behind is there.
    TornDown,
}

/// Long enough for a deployment to end.
const A_WHILE: Duration = Duration::from_secs(900);

impl Place {
    pub(crate) fn options(self) -> Options {
        match self {
            Self::Platform
            | Self::DeadLease
            | Self::NewBuild
            | Self::NewFleet
            | Self::HalfRolledBack
            | Self::Detuned
            | Self::KeptLogGroup
            | Self::Zone
            | Self::EndlessDeployment => Options::default(),
            Self::TornDown => Options {
                fleets: vec![FleetSeed::new("production", "gpu-default", 1, 0.0)],
                ..Options::default()
            },
            Self::Promoted | Self::Refreshing => Options {
                scenarios: [Scenario::ScaleToZeroUnsubscribed].into(),
                ..Options::default()
            },
            Self::IdleFleets(count) => Options {
                fleets: (0..count)
                    .map(|number| FleetSeed::new("production", &format!("fleet-{number:03}"), 2, 0.0))
                    .collect(),
                scenarios: [Scenario::ScaleToZeroUnsubscribed].into(),
                ..Options::default()
            },
        }
    }

    pub(crate) fn prepare(self, sandbox: &Sandbox) {
        match self {
            Self::Platform => {}
            Self::TornDown => {
                tear_down(sandbox, true);
                leave_behind(sandbox);
            }
            Self::IdleFleets(count) => {
                let groups: Vec<String> = (0..count)
                    .map(|number| format!("asg-production-fleet-{number:03}"))
                    .collect();
                kept_by_hand(sandbox, &groups, 1);
            }
            Self::DeadLease => {
                dead_lease(sandbox);
                sandbox.advance(Duration::from_secs(600));
            }
            Self::NewBuild => {
                redeploy(sandbox, &json!({}));
                sandbox.advance(A_WHILE);
                build_again(sandbox);
                redeploy(sandbox, &json!({}));
                sandbox.advance(A_WHILE);
            }
            Self::NewFleet => configure_new_fleet(sandbox),
            Self::HalfRolledBack => half_rolled_back(sandbox),
            Self::Detuned => detune(sandbox),
            Self::KeptLogGroup => keep_log_group(sandbox),
            Self::Zone => {
                let zone = json!({"Name": "example.com", "CallerReference": "campaign"});
                call(sandbox, Service::Route53, "CreateHostedZone", &zone);
            }
            Self::Promoted => promote(sandbox),
            Self::Refreshing => {
                promote(sandbox);
                let group = json!({"AutoScalingGroupName": FLEET});
                call(sandbox, Service::AutoScaling, "StartInstanceRefresh", &group);
                sandbox.advance(Duration::from_secs(20));
            }
            Self::EndlessDeployment => {
                let breaker = json!({"deploymentCircuitBreaker": {"enable": false, "rollback": false}});
                redeploy(sandbox, &breaker);
                sandbox.advance(A_WHILE);
                sandbox.with_world(|world| world.set_scenarios([Scenario::BreakerRollback].into()));
                sandbox.advance(A_WHILE);
                redeploy(sandbox, &breaker);
                sandbox.advance(Duration::from_secs(30));
            }
        }
    }

    /// A word of a command line with the names of this account in it.
    pub(crate) fn filled(self, sandbox: &Sandbox, word: &str) -> String {
        match word {
            "{backend-task}" => running_task(sandbox, "bp-backend"),
            "{frontend-task}" => running_task(sandbox, "bp-frontend"),
            "{commit}" => commit(sandbox),
            "{node}" => node(sandbox),
            "{dev}" => dev_instance(sandbox),
            "{group}" => group_in_template(sandbox),
            other => other.to_owned(),
        }
    }
}

/// Changes two alarms and the retention of a log by hand.
pub(crate) fn detune(sandbox: &Sandbox) {
    for name in ["p1-rds-storage-low", "p2-rds-cpu-warning"] {
        let put = json!({
            "AlarmName": name, "Namespace": "AWS/RDS", "MetricName": "CPUUtilization", "Statistic": "Maximum",
            "Dimensions": [], "Period": 60, "EvaluationPeriods": 1, "Threshold": 99,
            "ComparisonOperator": "GreaterThanThreshold",
        });
        call(sandbox, Service::CloudWatch, "PutMetricAlarm", &put);
    }
    let keep = json!({"logGroupName": "/ecs/bp-frontend", "retentionInDays": 7});
    call(sandbox, Service::Logs, "PutRetentionPolicy", &keep);
}

/// Lays what the commands read into the operator's folder.
pub(crate) fn lay_files(home: &Path) {
    for (name, text) in [
        ("app-key", KEY.to_owned()),
        ("fleet-secret", "ca".repeat(32)),
        ("key.p8", P8.to_owned()),
        (".env", env_file()),
        ("new.safetensors", "weights".to_owned()),
        ("config.json", CONFIG.to_owned()),
    ] {
        std::fs::write(home.join(name), text).expect("it is written");
    }
    lay_backup(home, "kept", &backed_up_values(&"fe".repeat(48)));
}

/// Another value for each of some secrets.
pub(crate) fn backed_up_values(production: &str) -> [(&'static str, &str); 2] {
    [
        ("/bp/laravel/app-key", KEY),
        ("/bp/fleets/production/fleet-secret", production),
    ]
}

/// A configuration of the production fleet with another instance type.
pub(crate) const CONFIG: &str = r#"{
  "version": 1,
  "template_slug": "gpu-default",
  "instance_type": "g6e.2xlarge",
  "ami_ssm_parameter": "/bp/ami/fleets/production/gpu-default",
  "enabled": true
}
"#;

const KEY: &str = "base64:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
const P8: &str = "-----BEGIN PRIVATE KEY-----\nY2FuYXJ5cDg=\n-----END PRIVATE KEY-----\n";

/// Another value for each secret that `secrets sync` writes.
fn env_file() -> String {
    format!(
        "APP_KEY={KEY}\nGOOGLE_CLIENT_ID=g\nGOOGLE_CLIENT_SECRET=gs\nTIKTOK_CLIENT_ID=t\nTIKTOK_CLIENT_SECRET=ts\n\
         APPLE_CLIENT_ID=a\nAPPLE_KEY_ID=K\nAPPLE_TEAM_ID=T\nCOMFYUI_FLEET_SECRET_STAGING={}\n\
         COMFYUI_FLEET_SECRET_PRODUCTION={}\n",
        "ca".repeat(32),
        "fe".repeat(48),
    )
}

/// A GPU node that runs.
fn node(sandbox: &Sandbox) -> String {
    let groups = call(
        sandbox,
        Service::AutoScaling,
        "DescribeAutoScalingGroups",
        &json!({}),
    );
    let groups = groups["AutoScalingGroups"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let mut nodes = groups
        .iter()
        .flat_map(|group| group["Instances"].as_array().cloned().unwrap_or_default());
    let running = nodes.find(|node| node["LifecycleState"] == "InService");
    text(&running.expect("a node runs")["InstanceId"])
}

/// The development instance.
fn dev_instance(sandbox: &Sandbox) -> String {
    let filter = json!({"Filters": [{"Name": "tag:ManagedBy", "Values": ["dev-gpu-action"]}]});
    let found = call(sandbox, Service::Ec2, "DescribeInstances", &filter);
    text(&found["Reservations"][0]["Instances"][0]["InstanceId"])
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn running_task(sandbox: &Sandbox, family: &str) -> String {
    let tasks = tasks_of(sandbox, family);
    let arn = text(&tasks.first().expect("a task runs")["taskArn"]);
    arn.rsplit('/').next().expect("an id").to_owned()
}

/// The commit of a build that is not the newest.
fn commit(sandbox: &Sandbox) -> String {
    let input = json!({"repositoryName": "bp-backend"});
    let images = call(sandbox, Service::Ecr, "DescribeImages", &input);
    let images = images["imageDetails"].as_array().expect("a list").clone();
    let tags = images
        .iter()
        .flat_map(|image| image["imageTags"].as_array().cloned().unwrap_or_default());
    let mut commits = tags.filter_map(|tag| tag.as_str()?.strip_prefix("php-").map(str::to_owned));
    commits.find(|commit| commit != "latest").expect("a commit")
}

/// The group of the fleet that is refreshed.
pub(crate) const FLEET: &str = "asg-production-gpu-default";
/// Its pointer.
pub(crate) const AMI: &str = "/bp/ami/fleets/production/gpu-default";

/// Somebody points the fleet at its earlier image.
fn promote(sandbox: &Sandbox) {
    kept_by_hand(sandbox, &[FLEET.to_owned()], 1);
    let history = call(
        sandbox,
        Service::Ssm,
        "GetParameterHistory",
        &json!({"Name": AMI}),
    );
    let image = &history["Parameters"][0]["Value"];
    let input = json!({"Name": AMI, "Value": image, "Overwrite": true});
    call(sandbox, Service::Ssm, "PutParameter", &input);
}

/// The stack of the production fleet.
const FLEET_STACK: &str = "bp-gpu-fleet-production-gpu-default";

/// The name that the fleet's group has in its template.
pub(crate) fn group_in_template(sandbox: &Sandbox) -> String {
    let template = deployed(sandbox, FLEET_STACK);
    let mut resources = template["Resources"].as_object().expect("resources").iter();
    let group = resources.find(|(_, shape)| shape["Type"] == "AWS::AutoScaling::AutoScalingGroup");
    group.expect("a group").0.clone()
}

/// An update that CloudFormation may neither make nor take back: the role that it works with may not touch the group.
pub(crate) fn half_rolled_back(sandbox: &Sandbox) {
    sandbox.with_world(|world| world.set_scenarios([Scenario::StackRollbackFailed].into()));
    let mut template = deployed(sandbox, FLEET_STACK);
    let resources = template["Resources"]
        .as_object_mut()
        .expect("resources")
        .values_mut();
    let mut launch = resources.filter(|shape| shape["Type"] == "AWS::EC2::LaunchTemplate");
    launch.next().expect("a launch template")["Properties"]["LaunchTemplateData"]["UserData"] =
        json!({ "Fn::Base64": "#!/bin/sh" });
    let set = json!({
        "StackName": FLEET_STACK, "ChangeSetName": "theirs", "ChangeSetType": "UPDATE",
        "TemplateBody": template.to_string(), "Capabilities": ["CAPABILITY_NAMED_IAM"],
    });
    call(sandbox, Service::CloudFormation, "CreateChangeSet", &set);
    sandbox.advance(Duration::from_secs(60));
    let run = json!({ "StackName": FLEET_STACK, "ChangeSetName": "theirs" });
    call(sandbox, Service::CloudFormation, "ExecuteChangeSet", &run);
    sandbox.advance(A_WHILE * 2);
}

/// CI pushes a newer build under the same tag.
fn build_again(sandbox: &Sandbox) {
    sandbox.with_world(|world| world.set_scenarios([Scenario::BreakerRollback].into()));
    sandbox.advance(A_WHILE);
    sandbox.with_world(|world| world.set_scenarios([].into()));
}

/// Somebody restarts the backend by other means.
fn redeploy(sandbox: &Sandbox, rules: &Value) {
    let mut input = json!({"cluster": "bp", "service": "bp-backend", "forceNewDeployment": true});
    if rules.as_object().is_some_and(|rules| !rules.is_empty()) {
        input["deploymentConfiguration"] = rules.clone();
    }
    call(sandbox, Service::Ecs, "UpdateService", &input);
}

/// A lease whose holder renews it no more.
fn dead_lease(sandbox: &Sandbox) {
    let now = Timestamp::from_millisecond(sandbox.now().0).expect("a time");
    let body = json!({
        "resource": "ecs/bp-backend", "run": "20260115T085900Z-ffffffffffff", "verb": "migrate",
        "principal": "arn:aws:iam::123456789012:user/night-shift", "host": "elsewhere", "process": 4242,
        "reason": null, "started": now, "heartbeat": now, "lasts_seconds": 120,
    });
    let object = json!({
        "Bucket": "bp-logs-123456789012",
        "Key": "bpctl/leases/ecs%2fbp-backend.json",
        "Body": base64::engine::general_purpose::STANDARD.encode(body.to_string()),
    });
    call(sandbox, Service::S3, "PutObject", &object);
}
