//! The staged layout: the whole system once per stage, all fleets of the stage in one stack.

use blueprint::{Layout, Settings, Sizes, StackKind, Stage, template};
use serde_json::{Value, json};

use super::{made, of_type, plain, resource, stack, staged_full, staging, upstream};

const FLEET: &str = "image-to-video";

#[test]
fn the_stacks_come_in_the_order_of_their_layout() {
    let names: Vec<String> = made(&staging()).into_iter().map(|stack| stack.name).collect();
    assert_eq!(
        names,
        ["cicd", "network", "data", "compute", "gpu", "monitoring"].map(|what| format!("bp-staging-{what}"))
    );
    assert_eq!(stack(&staging(), "bp-staging-monitoring").needs.len(), 4);
    let production = made(&staged_full());
    assert!(
        production
            .iter()
            .all(|stack| stack.name.starts_with("bp-production-"))
    );
}

#[test]
fn a_layout_has_no_stacks_of_the_other() {
    let (single, staged) = (plain(), staging());
    assert_eq!(template(&single, StackKind::Gpu), None);
    assert_eq!(template(&staged, StackKind::GpuShared), None);
    assert_eq!(template(&staged, StackKind::Fleet(&staged.fleets[0])), None);
}

#[test]
fn the_stage_is_in_every_name_but_those_of_images_and_workers() {
    let mut settings = staging();
    settings.alert_email = Some("ops@example.com".to_owned());
    settings.monthly_budget_usd = Some(100);
    for stack in made(&settings) {
        assert!(stack.name.starts_with("bp-staging-"), "{}", stack.name);
        let text = stack.template.to_string();
        for (from, _) in text.match_indices("bp-") {
            let name: &str = text[from..].split(['"', ':', '$', '\\', '*']).next().unwrap();
            // `https://bp-…` has none, `bp-media-<account>-staging`, `bp-backend-staging`, `bp-staging-…`.
            assert!(name.contains("staging"), "{}: {name}", stack.name);
        }
        for (from, _) in text.match_indices("/bp/") {
            let name: &str = text[from..].split(['"', ' ']).next().unwrap();
            let has_stage = name.starts_with("/bp/staging/") || name.starts_with("/bp/ami/");
            assert!(has_stage, "{}: {name}", stack.name);
        }
    }
}

#[test]
fn sizes_are_those_of_the_stage() {
    let sizes = |stage| Settings::staged("123456789012", "us-east-1", stage).sizes;
    assert_eq!(sizes(Stage::Staging), Sizes::staging());
    assert_eq!(sizes(Stage::Production), Sizes::production());
}

#[test]
fn php_containers_have_no_shell_25_variables_and_12_secrets() {
    let compute = stack(&staging(), "bp-staging-compute");
    let task = &resource(&compute, "BackendTask")["Properties"];
    assert_eq!(task["Family"], "bp-staging-backend");
    let containers = task["ContainerDefinitions"].as_array().unwrap();
    let facts: Vec<(&str, Value, usize, usize)> = containers[1..]
        .iter()
        .map(|container| {
            let count = |what: &str| container[what].as_array().map_or(0, Vec::len);
            assert_eq!(container.get("EntryPoint"), None);
            (
                container["Name"].as_str().unwrap(),
                container["Command"].clone(),
                count("Environment"),
                count("Secrets"),
            )
        })
        .collect();
    let worker = json!([
        "php",
        "artisan",
        "queue:work",
        "--sleep=3",
        "--tries=3",
        "--max-time=3600"
    ]);
    assert_eq!(
        facts,
        [
            ("php-fpm", Value::Null, 25, 12),
            ("scheduler", json!(["php", "artisan", "schedule:work"]), 25, 12),
            ("queue-worker", worker, 25, 12),
        ]
    );
    let secrets = containers[1]["Secrets"].as_array().unwrap();
    assert!(
        secrets
            .iter()
            .any(|secret| secret["Name"] == "COMFYUI_FLEET_SECRET")
    );
    let image = containers[1]["Image"]["Fn::Sub"].as_str().unwrap();
    assert!(image.ends_with("/bp-backend-staging:php-latest"), "{image}");
}

#[test]
fn a_fleet_is_a_part_of_the_stack_of_all_fleets() {
    let settings = staging();
    let gpu = stack(&settings, "bp-staging-gpu");
    assert_eq!(
        gpu.tags,
        [("Project", "bp"), ("Stage", "staging"), ("Service", "gpu")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
    );
    let group = of_type(&gpu, "AWS::AutoScaling::AutoScalingGroup")[0].1;
    assert_eq!(group["AutoScalingGroupName"], format!("asg-staging-{FLEET}"));
    let types = &group["MixedInstancesPolicy"]["LaunchTemplate"]["Overrides"];
    assert_eq!(
        types,
        &json!([
            { "InstanceType": "g5.xlarge" },
            { "InstanceType": "g4dn.xlarge" },
            { "InstanceType": "g6e.2xlarge" },
        ])
    );
    let launch = of_type(&gpu, "AWS::EC2::LaunchTemplate")[0].1;
    assert_eq!(
        launch["LaunchTemplateData"]["ImageId"],
        format!("resolve:ssm:/bp/ami/{FLEET}")
    );
    let pointer = of_type(&gpu, "AWS::SSM::Parameter")[0].1;
    assert_eq!(
        (&pointer["Name"], &pointer["Value"]),
        (
            &json!(format!("/bp/staging/assets/{FLEET}/active_bundle")),
            &json!("none")
        )
    );
    let outputs = gpu.template["Outputs"].as_object().unwrap();
    assert_eq!(
        outputs.keys().collect::<Vec<_>>(),
        ["ScaleToZeroTopicArn", "Asgimagetovideo"]
    );
    assert_eq!(
        outputs["ScaleToZeroTopicArn"]["Export"]["Name"],
        "bp-staging-scale-to-zero-topic-arn"
    );
    let topic = of_type(&gpu, "AWS::SNS::Topic")[0].1;
    assert_eq!(topic["TopicName"], "bp-staging-scale-to-zero");
}

#[test]
fn a_stage_without_fleets_has_the_stack_all_the_same() {
    let mut settings = staging();
    settings.fleets.clear();
    let gpu = stack(&settings, "bp-staging-gpu");
    assert_eq!(gpu.template.get("Mappings"), None);
    assert_eq!(of_type(&gpu, "AWS::Lambda::Function").len(), 1);
}

/// The names of a stack's alarms, with the topic that they tell.
fn alarms(settings: &Settings, name: &str) -> Vec<String> {
    let stack = stack(settings, name);
    let alarms = of_type(&stack, "AWS::CloudWatch::Alarm").into_iter();
    alarms
        .filter_map(|(_, alarm)| {
            let topic = alarm["AlarmActions"][0]["Ref"].as_str().unwrap_or("-");
            Some(format!("{} {topic}", alarm["AlarmName"].as_str()?))
        })
        .collect()
}

#[test]
fn alarms_that_tell_people_are_with_the_platforms_own() {
    let settings = staging();
    assert_eq!(
        alarms(&settings, "bp-staging-gpu"),
        [
            format!("staging-{FLEET}-queue-has-jobs -"),
            format!("staging-{FLEET}-queue-empty ScaleToZeroTopic"),
        ]
    );
    let platform = [
        "p1-alb-5xx-critical",
        "p1-rds-cpu-critical",
        "p1-rds-storage-low",
        "p2-alb-5xx-warning",
        "p2-rds-cpu-warning",
    ];
    let fleet = [format!("p3-{FLEET}-queue-deep"), format!("p2-{FLEET}-error-rate")];
    let expected: Vec<String> = platform
        .into_iter()
        .map(str::to_owned)
        .chain(fleet)
        .map(|name| format!("staging-{name} AlertTopic"))
        .collect();
    assert_eq!(alarms(&settings, "bp-staging-monitoring"), expected);
    let monitoring = stack(&settings, "bp-staging-monitoring");
    let groups = of_type(&monitoring, "AWS::Logs::LogGroup");
    assert_eq!(
        (&groups[0].1["LogGroupName"], &groups[0].1["RetentionInDays"]),
        (&json!(format!("/gpu-workers/{FLEET}")), &json!(7))
    );
    for name in ["bp-staging-gpu", "bp-staging-monitoring"] {
        for (logical, alarm) in of_type(&stack(&settings, name), "AWS::CloudWatch::Alarm") {
            if alarm["Namespace"] == "ComfyUI/Workers" {
                assert_eq!(
                    alarm["Dimensions"],
                    json!([{ "Name": "WorkflowSlug", "Value": FLEET }]),
                    "{logical}"
                );
            }
        }
    }
    // Beside a group that is there already nothing is made.
    let mut beside = settings;
    beside.existing_log_groups = vec![format!("/gpu-workers/{FLEET}")];
    let monitoring = stack(&beside, "bp-staging-monitoring");
    assert_eq!(of_type(&monitoring, "AWS::Logs::LogGroup"), []);
}

#[test]
fn the_dashboard_has_a_row_for_every_fleet() {
    let monitoring = stack(&staged_full(), "bp-production-monitoring");
    let dashboard = of_type(&monitoring, "AWS::CloudWatch::Dashboard")[0].1;
    assert_eq!(dashboard["DashboardName"], "bp-production");
    let body = dashboard["DashboardBody"]["Fn::Sub"][0].as_str().unwrap();
    let body: Value = serde_json::from_str(body).unwrap();
    let widgets = body["widgets"].as_array().unwrap();
    let titles: Vec<&str> = widgets
        .iter()
        .map(|widget| widget["properties"]["title"].as_str().unwrap())
        .collect();
    assert_eq!(
        titles,
        [
            "ALB Requests & 5xx Errors",
            "ALB Latency (p50/p95/p99)",
            "RDS CPU & Connections",
            "RDS Free Storage",
            "NAT Bytes In/Out",
            "Port Allocation Errors",
            "gpu-default: Queue Depth & Workers",
            "gpu-default: Performance & Errors",
            "upscale: Queue Depth & Workers",
            "upscale: Performance & Errors",
        ]
    );
    assert_eq!(
        widgets[6]["properties"]["metrics"][0],
        json!([
            "ComfyUI/Workers",
            "QueueDepth",
            "WorkflowSlug",
            "gpu-default",
            { "stat": "Maximum", "yAxis": "left" }
        ])
    );
}

#[test]
fn production_keeps_its_data_and_staging_a_snapshot() {
    let kept = |settings: &Settings, name: &str| {
        let data = stack(settings, name);
        let policy = |logical: &str| resource(&data, logical)["DeletionPolicy"].clone();
        (
            ["Database", "DatabaseSubnetGroup", "DatabaseSecret", "MediaBucket"].map(policy),
            resource(&data, "Database")["Properties"]["DeletionProtection"].clone(),
        )
    };
    let retain = json!("Retain");
    assert_eq!(
        kept(&staged_full(), "bp-production-data"),
        ([(); 4].map(|()| retain.clone()), json!(true))
    );
    assert_eq!(
        kept(&staging(), "bp-staging-data"),
        (
            [json!("Snapshot"), Value::Null, Value::Null, Value::Null],
            json!(false)
        )
    );
    let logs = |settings: &Settings, name: &str| {
        let monitoring = stack(settings, name);
        let logical = of_type(&monitoring, "AWS::Logs::LogGroup")[0].0;
        resource(&monitoring, logical)["DeletionPolicy"].clone()
    };
    assert_eq!(logs(&staged_full(), "bp-production-monitoring"), "Retain");
    assert_eq!(logs(&staging(), "bp-staging-monitoring"), Value::Null);
    let days = |settings: &Settings, name: &str| {
        let compute = stack(settings, name);
        resource(&compute, "BackendLogs")["Properties"]["RetentionInDays"].clone()
    };
    assert_eq!(days(&staging(), "bp-staging-compute"), 7);
    assert_eq!(days(&staged_full(), "bp-production-compute"), 30);
}

#[test]
fn parameters_and_buckets_are_those_of_the_layout() {
    let data = stack(&staging(), "bp-staging-data");
    let names = |kind: &str, property: &str| -> Vec<Value> {
        of_type(&data, kind)
            .iter()
            .map(|(_, properties)| properties[property].clone())
            .collect()
    };
    assert_eq!(
        names("AWS::SSM::Parameter", "Name"),
        [
            "/bp/staging/fleet-secret",
            "/bp/staging/models/bucket",
            "/bp/staging/redis/endpoint"
        ]
    );
    assert_eq!(
        names("AWS::S3::Bucket", "BucketName"),
        ["media", "access-logs", "models", "logs"].map(|what| format!("bp-{what}-123456789012-staging"))
    );
    assert_eq!(of_type(&data, "AWS::IAM::InstanceProfile"), []);
}

#[test]
fn the_upstream_fleet_adds_instances_for_a_backlog() {
    let gpu = stack(&upstream(&staging()), "bp-staging-gpu");
    let policies: Vec<&Value> = of_type(&gpu, "AWS::AutoScaling::ScalingPolicy")
        .into_iter()
        .map(|(_, policy)| &policy["AdjustmentType"])
        .collect();
    assert_eq!(policies, ["ChangeInCapacity", "ExactCapacity"]);
    let steps: Vec<&str> = of_type(&gpu, "AWS::CloudWatch::Alarm")
        .into_iter()
        .filter(|(_, alarm)| alarm.get("AlarmName").is_none())
        .map(|(logical, _)| logical)
        .collect();
    assert!(
        steps[0].starts_with("WfimagetovideoAsgBacklogTrackingUpperAlarm")
            && steps[1].starts_with("WfimagetovideoAsgStepScaleUpperAlarm"),
        "{steps:?}"
    );
}

#[test]
fn settings_name_their_layout() {
    let written = serde_json::to_value(staging()).unwrap();
    assert_eq!(written["layout"], "staged");
    for layout in Layout::ALL {
        let read: Layout = serde_json::from_value(json!(layout.as_str())).unwrap();
        assert_eq!(read, layout);
    }
}
