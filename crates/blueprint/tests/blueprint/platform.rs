//! The templates beside the platform as it is deployed.

use blueprint::{Settings, StackKind, Stage, template};
use serde_json::{Value, json};

use super::{fleet, full, made, of_type, plain, resource, stack};

#[test]
fn the_stacks_come_in_the_order_of_the_runbook() {
    let names: Vec<String> = made(&full()).into_iter().map(|stack| stack.name).collect();
    assert_eq!(
        names,
        [
            "bp-cicd",
            "bp-network",
            "bp-data",
            "bp-compute",
            "bp-monitoring",
            "bp-gpu-shared",
            // It makes the log group that the staging fleet of the same name writes to.
            "bp-gpu-fleet-production-gpu-default",
            "bp-gpu-fleet-production-upscale",
            "bp-gpu-fleet-staging-gpu-default",
        ]
    );
}

#[test]
fn two_fleets_of_one_slug_have_one_log_group() {
    let settings = full();
    let groups = |name: &str| of_type(&stack(&settings, name), "AWS::Logs::LogGroup").len();
    assert_eq!(groups("bp-gpu-fleet-production-gpu-default"), 1);
    assert_eq!(groups("bp-gpu-fleet-staging-gpu-default"), 0);
    let staging = stack(&settings, "bp-gpu-fleet-staging-gpu-default");
    assert!(
        staging
            .needs
            .contains(&"bp-gpu-fleet-production-gpu-default".to_owned())
    );
    let mut settings = plain();
    let production = stack(&settings, "bp-gpu-fleet-production-gpu-default");
    let (logical, group) = of_type(&production, "AWS::Logs::LogGroup")[0];
    assert_eq!(
        (&group["LogGroupName"], &group["RetentionInDays"]),
        (&json!("/gpu-workers/gpu-default"), &json!(30))
    );
    assert_eq!(resource(&production, logical)["DeletionPolicy"], "Retain");
    settings.existing_log_groups = vec!["/gpu-workers/gpu-default".to_owned()];
    let production = stack(&settings, "bp-gpu-fleet-production-gpu-default");
    assert_eq!(of_type(&production, "AWS::Logs::LogGroup"), []);
}

#[test]
fn exports_have_the_names_that_fleets_import() {
    for (name, export) in [
        (
            "bp-network",
            "ExportsOutputFnGetAttSgGpuWorkers14EEF19DGroupIdA069C93E",
        ),
        ("bp-compute", "ExportsOutputFnGetAttAlb95C4BF07DNSName18E7FED1"),
        ("bp-monitoring", "ExportsOutputRefAlertTopic18D3C35FEC4887A8"),
    ] {
        let stack = stack(&plain(), name);
        let output = &stack.template["Outputs"][export];
        assert_eq!(output["Export"]["Name"], format!("{name}:{export}"));
    }
    let shared = stack(&plain(), "bp-gpu-shared");
    assert_eq!(
        shared.template["Outputs"]["ScaleToZeroTopicArn"]["Export"]["Name"],
        "bp-scale-to-zero-topic-arn"
    );
}

#[test]
fn outputs_are_those_that_people_read() {
    for (name, keys) in [
        ("bp-cicd", &["BackendRepoUri", "FrontendRepoUri"][..]),
        ("bp-network", &["VpcId", "PrivateSubnets", "NatGatewayIds"]),
        (
            "bp-data",
            &[
                "RdsEndpoint",
                "RedisEndpoint",
                "MediaBucketName",
                "ModelsBucketName",
                "LogsBucketName",
                "CloudFrontDomain",
            ],
        ),
        ("bp-compute", &["AlbDns", "ApiBaseUrl", "ClusterName"]),
        ("bp-monitoring", &[]),
        ("bp-gpu-shared", &["ScaleToZeroTopicArn"]),
        ("bp-gpu-fleet-production-gpu-default", &["AsgName"]),
    ] {
        let stack = stack(&plain(), name);
        let outputs = stack.template["Outputs"].as_object().unwrap();
        let own: Vec<&str> = outputs
            .keys()
            .map(String::as_str)
            .filter(|key| !key.starts_with("ExportsOutput"))
            .collect();
        assert_eq!(own, keys, "{name}");
    }
}

/// Name, metric, statistic, period, comparison, threshold, periods and missing data of an alarm.
fn line(alarm: &Value) -> String {
    let text = |name: &str| alarm[name].as_str().unwrap_or_default().to_owned();
    let name = alarm["AlarmName"].as_str().unwrap_or("-");
    let comparison = text("ComparisonOperator").replace("Threshold", "");
    format!(
        "{name} {} {} {} {comparison} {} {}x {}",
        text("MetricName"),
        text("Statistic"),
        alarm["Period"],
        alarm["Threshold"],
        alarm["EvaluationPeriods"],
        text("TreatMissingData")
    )
}

#[test]
fn the_alarms_of_the_platform_are_those_of_the_table() {
    let monitoring = stack(&plain(), "bp-monitoring");
    let alarms: Vec<String> = of_type(&monitoring, "AWS::CloudWatch::Alarm")
        .iter()
        .map(|(_, alarm)| line(alarm))
        .collect();
    assert_eq!(
        alarms,
        [
            "p1-alb-5xx-critical HTTPCode_ELB_5XX_Count Sum 300 GreaterThanOrEqualTo 50.0 1x notBreaching",
            "p1-backend-unhealthy-hosts UnHealthyHostCount Maximum 60 GreaterThanOrEqualTo 1.0 1x notBreaching",
            "p1-rds-cpu-critical CPUUtilization Average 600 GreaterThanOrEqualTo 95.0 1x missing",
            "p1-rds-storage-low FreeStorageSpace Minimum 300 LessThan 2147483648.0 1x missing",
            "p2-alb-5xx-warning HTTPCode_ELB_5XX_Count Sum 300 GreaterThanOrEqualTo 10.0 1x notBreaching",
            "p2-rds-cpu-warning CPUUtilization Average 300 GreaterThanOrEqualTo 80.0 1x missing",
        ]
    );
    for (logical, alarm) in of_type(&monitoring, "AWS::CloudWatch::Alarm") {
        assert_eq!(
            alarm["AlarmActions"],
            json!([{ "Ref": "AlertTopic" }]),
            "{logical}"
        );
    }
}

#[test]
fn the_alarms_of_a_fleet_are_those_of_the_table() {
    let settings = super::upstream(&plain());
    let fleet = stack(&settings, "bp-gpu-fleet-production-gpu-default");
    let alarms = of_type(&fleet, "AWS::CloudWatch::Alarm");
    let lines: Vec<String> = alarms.iter().map(|(_, alarm)| line(alarm)).collect();
    assert_eq!(
        lines,
        [
            "- QueueDepth Maximum 60 LessThanOrEqualTo 0.0 1x missing",
            "- QueueDepth Maximum 60 GreaterThanOrEqualTo 1.0 1x missing",
            "production-gpu-default-queue-has-jobs QueueDepth Maximum 60 GreaterThan 0.0 1x notBreaching",
            "production-gpu-default-queue-empty QueueDepth Maximum 60 LessThanOrEqualTo 0.0 15x breaching",
            "production-p3-gpu-default-queue-deep QueueDepth Maximum 1800 GreaterThanOrEqualTo 10.0 1x notBreaching",
            "production-p2-gpu-default-error-rate ErrorRate Average 300 GreaterThanOrEqualTo 20.0 1x notBreaching",
        ]
    );
    assert!(
        alarms[1]
            .0
            .starts_with("FleetgpudefaultAsgSpotQueueDepthStepScaleOutUpperAlarm")
    );
    assert_eq!(alarms[2].1["AlarmActions"], Value::Null);
    assert_eq!(
        alarms[3].1["AlarmActions"],
        json!([{ "Fn::ImportValue": "bp-scale-to-zero-topic-arn" }])
    );
    for (logical, alarm) in alarms {
        assert_eq!(
            alarm["Dimensions"],
            json!([{ "Name": "FleetSlug", "Value": "gpu-default" }, { "Name": "Stage", "Value": "production" }]),
            "{logical}"
        );
    }
}

#[test]
fn the_backend_has_four_containers_that_share_28_variables_and_22_secrets() {
    let compute = stack(&plain(), "bp-compute");
    let task = &resource(&compute, "BackendTask")["Properties"];
    let containers = task["ContainerDefinitions"].as_array().unwrap();
    let facts: Vec<_> = containers
        .iter()
        .map(|container| {
            let count = |what: &str| container[what].as_array().map_or(0, Vec::len);
            let log = &container["LogConfiguration"]["Options"]["awslogs-stream-prefix"];
            (
                container["Name"].as_str().unwrap(),
                log.as_str().unwrap(),
                container["Essential"].as_bool().unwrap(),
                count("Environment"),
                count("Secrets"),
            )
        })
        .collect();
    assert_eq!(
        facts,
        [
            ("nginx", "nginx", true, 0, 0),
            ("php-fpm", "php", true, 28, 22),
            ("scheduler", "scheduler", false, 28, 22),
            ("queue-worker", "queue", false, 28, 22),
        ]
    );
    for container in &containers[1..] {
        // A shell with one text: what runs a command in such a container must send one text as well.
        assert_eq!(container["EntryPoint"], json!(["/bin/sh", "-lc"]));
        assert_eq!(container["Command"].as_array().map(Vec::len), Some(1));
    }
    assert_eq!((&task["Cpu"], &task["Memory"]), (&json!("1024"), &json!("2048")));
}

#[test]
fn both_services_roll_back_and_take_operators_in() {
    let compute = stack(&plain(), "bp-compute");
    for (logical, name, grace) in [
        ("BackendService", "bp-backend", 300),
        ("FrontendService", "bp-frontend", 120),
    ] {
        let service = &resource(&compute, logical)["Properties"];
        assert_eq!(service["ServiceName"], name);
        assert_eq!(service["EnableExecuteCommand"], true);
        assert_eq!(service["HealthCheckGracePeriodSeconds"], grace);
        assert_eq!(
            service["DeploymentConfiguration"],
            json!({
                "DeploymentCircuitBreaker": { "Enable": true, "Rollback": true },
                "MaximumPercent": 200,
                "MinimumHealthyPercent": 50,
            })
        );
    }
}

#[test]
fn the_rules_are_at_the_listener_that_serves() {
    let rules = |settings: &Settings| {
        let compute = stack(settings, "bp-compute");
        of_type(&compute, "AWS::ElasticLoadBalancingV2::ListenerRule")
            .iter()
            .map(|(_, rule)| {
                let paths = &rule["Conditions"][0]["PathPatternConfig"]["Values"];
                format!("{} {} {paths}", rule["ListenerArn"]["Ref"], rule["Priority"])
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(
        rules(&plain()),
        [
            "\"Http\" 10 [\"/api/*\",\"/sanctum/*\",\"/up\"]",
            "\"Http\" 50 [\"/*\"]"
        ]
    );
    assert_eq!(rules(&full())[1], "\"Https\" 50 [\"/*\"]");
    let compute = stack(&full(), "bp-compute");
    let http = &resource(&compute, "Http")["Properties"]["DefaultActions"][0];
    assert_eq!(http["RedirectConfig"]["StatusCode"], "HTTP_301");
    let address = |settings: &Settings| {
        stack(settings, "bp-compute").template["Outputs"]["ApiBaseUrl"]["Value"].clone()
    };
    assert_eq!(address(&full()), "https://app.example.com");
    assert_eq!(address(&plain())["Fn::Join"][1][0], "http://");
}

#[test]
fn the_dashboard_shows_the_eight_pictures_and_is_json() {
    let monitoring = stack(&plain(), "bp-monitoring");
    let body = &resource(&monitoring, "Dashboard")["Properties"]["DashboardBody"]["Fn::Sub"][0];
    let body: Value = serde_json::from_str(body.as_str().unwrap()).unwrap();
    let titles: Vec<&Value> = body["widgets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|widget| &widget["properties"]["title"])
        .collect();
    assert_eq!(
        titles,
        [
            "ALB Requests & Errors",
            "ALB Latency",
            "ECS Backend CPU & Memory",
            "ECS Frontend CPU & Memory",
            "RDS CPU & Connections",
            "RDS Storage",
            "NAT Gateway Data (Bytes)",
            "NAT Gateway Port Allocation Errors",
        ]
    );
}

#[test]
fn mail_and_budget_are_there_when_they_are_asked_for() {
    let count = |settings: &Settings, kind: &str| of_type(&stack(settings, "bp-monitoring"), kind).len();
    for (kind, stands) in [("AWS::SNS::Subscription", 1), ("AWS::Budgets::Budget", 1)] {
        assert_eq!(count(&plain(), kind), 0);
        assert_eq!(count(&full(), kind), stands);
    }
    let roles = |settings: &Settings| of_type(&stack(settings, "bp-cicd"), "AWS::IAM::OIDCProvider").len();
    assert_eq!((roles(&plain()), roles(&full())), (0, 1));
}

#[test]
fn an_instance_starts_from_the_pointer_and_knows_where_the_platform_is() {
    let launch = |settings: &Settings| {
        let stack = stack(settings, "bp-gpu-fleet-production-gpu-default");
        of_type(&stack, "AWS::EC2::LaunchTemplate")[0].1["LaunchTemplateData"].clone()
    };
    let data = launch(&plain());
    assert_eq!(
        data["ImageId"],
        "resolve:ssm:/bp/ami/fleets/production/gpu-default"
    );
    assert_eq!(data["MetadataOptions"]["HttpTokens"], "required");
    assert_eq!(data["BlockDeviceMappings"][0]["Ebs"]["Encrypted"], true);
    let parts = data["UserData"]["Fn::Base64"]["Fn::Join"][1].as_array().unwrap();
    assert!(
        parts[0].as_str().unwrap().ends_with("\nAPI_BASE_URL=\"http://"),
        "{parts:?}"
    );
    assert_eq!(
        parts[1],
        json!({ "Fn::ImportValue": "bp-compute:ExportsOutputFnGetAttAlb95C4BF07DNSName18E7FED1" })
    );
    let with_domain = launch(&full());
    let parts = with_domain["UserData"]["Fn::Base64"]["Fn::Join"][1]
        .as_array()
        .unwrap();
    let script: String = parts.iter().map(|part| part.as_str().unwrap()).collect();
    for line in [
        "API_BASE_URL=\"https://app.example.com\"",
        "FLEET_SLUG=\"gpu-default\"",
        "FLEET_STAGE=\"production\"",
        "ASG_NAME=\"asg-production-gpu-default\"",
    ] {
        assert!(script.lines().any(|found| found == line), "{line}");
    }
    // Every `@NAME@` was filled in.
    assert!(!script.contains('@'), "{script}");
    assert!(script.len() < 16_384, "EC2 takes 16 KB of user data");
}

#[test]
fn what_holds_data_outlives_its_stack() {
    let settings = plain();
    let data = stack(&settings, "bp-data");
    let resources = data.template["Resources"].as_object().unwrap();
    for (logical, resource) in resources {
        let holds = matches!(
            logical.as_str(),
            "Database" | "DatabaseSubnetGroup" | "MediaBucket" | "ModelsBucket" | "AccessLogsBucket"
        );
        if holds {
            assert_eq!(resource["DeletionPolicy"], "Retain", "{logical}");
            assert_eq!(resource["UpdateReplacePolicy"], "Retain", "{logical}");
        }
    }
    assert_eq!(resources["Database"]["Properties"]["DeletionProtection"], true);
    assert_eq!(resources["LogsBucket"].get("DeletionPolicy"), None);
    let names: Vec<&Value> = of_type(&data, "AWS::S3::Bucket")
        .iter()
        .map(|(_, bucket)| &bucket["BucketName"])
        .collect();
    assert_eq!(
        names,
        [
            "bp-media-123456789012",
            "bp-access-logs-123456789012",
            "bp-models-123456789012",
            "bp-logs-123456789012"
        ]
    );
    for (logical, bucket) in of_type(&data, "AWS::S3::Bucket") {
        let versioned = logical == "ModelsBucket";
        assert_eq!(
            bucket.get("VersioningConfiguration").is_some(),
            versioned,
            "{logical}"
        );
        assert_eq!(
            bucket["PublicAccessBlockConfiguration"]["RestrictPublicBuckets"],
            true
        );
    }
}

#[test]
fn another_prefix_is_in_every_name_but_those_of_fleets() {
    let mut settings = full();
    settings.prefix = "shop".to_owned();
    for stack in made(&settings) {
        assert!(stack.name.starts_with("shop-"), "{}", stack.name);
        let text = stack.template.to_string();
        for word in ["\"bp-", "/bp/", "\"bp\"", "/bp-"] {
            // The database is called `bp` in every platform.
            let text = text.replace("\"DBName\":\"bp\"", "");
            let text = text.replace("\"CENTRAL_DB_DATABASE\",\"Value\":\"bp\"", "");
            assert!(!text.contains(word), "{}: {word}", stack.name);
        }
    }
}

#[test]
fn a_fleet_without_template_has_no_stack() {
    let settings = plain();
    let unknown = fleet(Stage::Staging, "x", "unknown", "g5.xlarge");
    assert_eq!(template(&settings, StackKind::Fleet(&unknown)), None);
}
