//! What `upstream_compatible` brings back, and that it is no more than the documentation says.

use serde_json::{Value, json};

use super::{full, made, plain, resource, stack, upstream};

/// The resources that differ between the two, by stack and logical id.
fn different(settings: &blueprint::Settings) -> Vec<String> {
    let (mended, upstream) = (made(settings), made(&upstream(settings)));
    let mut found = Vec::new();
    for (ours, theirs) in mended.iter().zip(&upstream) {
        let resources = |stack: &blueprint::Stack| stack.template["Resources"].as_object().unwrap().clone();
        let (ours_in, theirs_in) = (resources(ours), resources(theirs));
        for logical in theirs_in
            .keys()
            .chain(ours_in.keys().filter(|key| !theirs_in.contains_key(*key)))
        {
            if ours_in.get(logical) != theirs_in.get(logical) {
                found.push(format!("{} {logical}", ours.name));
            }
        }
        assert_eq!(ours.template["Outputs"], theirs.template["Outputs"]);
    }
    found
}

#[test]
fn the_two_differ_where_the_documentation_says_so() {
    let found = different(&plain());
    let fleet = "bp-gpu-fleet-production-gpu-default Fleetgpudefault";
    let short: Vec<String> = found
        .iter()
        .map(|line| line.replace(fleet, "fleet "))
        // The digits at the end tell equal ids apart.
        .map(|line| match line.strip_prefix("fleet ") {
            Some(id) => format!("fleet {}", &id[..id.len() - 8]),
            None => line,
        })
        .collect();
    assert_eq!(
        short,
        [
            "bp-data DatabaseSecret",
            "bp-data OauthSecrets",
            "bp-data DbParams",
            "bp-data DatabaseMonitoringRole",
            "bp-data DatabaseSecretAttachment",
            "bp-compute BackendService",
            "bp-compute FrontendService",
            "fleet LtSpot",
            "fleet AsgSpotASG",
            "fleet AsgSpotQueueDepthStepScaleOutLowerPolicy",
            "fleet AsgSpotQueueDepthStepScaleOutLowerAlarm",
            "fleet AsgSpotQueueDepthStepScaleOutUpperPolicy",
            "fleet QueueEmptyAlarm",
        ]
    );
}

#[test]
fn a_deployment_sets_no_size_back() {
    let stated = |settings: &blueprint::Settings| {
        let compute = stack(settings, "bp-compute");
        let fleet = stack(settings, "bp-gpu-fleet-production-gpu-default");
        let (_, group) = super::of_type(&fleet, "AWS::AutoScaling::AutoScalingGroup")[0];
        let count = |logical: &str| resource(&compute, logical)["Properties"]["DesiredCount"].clone();
        [
            count("BackendService"),
            count("FrontendService"),
            group["DesiredCapacity"].clone(),
        ]
    };
    assert_eq!(stated(&plain()), [Value::Null, Value::Null, Value::Null]);
    assert_eq!(stated(&upstream(&plain())), [json!(1), json!(1), json!("0")]);
}

#[test]
fn the_oauth_secret_is_json_with_nine_keys_from_the_start() {
    let secret = |settings: &blueprint::Settings| {
        let data = stack(settings, "bp-data");
        resource(&data, "OauthSecrets")["Properties"].clone()
    };
    let mended = secret(&plain());
    let keys: Value = serde_json::from_str(mended["SecretString"].as_str().unwrap()).unwrap();
    assert_eq!(keys.as_object().unwrap().len(), 9);
    assert!(
        keys.as_object()
            .unwrap()
            .values()
            .all(|value| value == "CHANGE_ME_AFTER_DEPLOY")
    );
    let upstream = secret(&upstream(&plain()));
    assert_eq!(upstream["GenerateSecretString"]["PasswordLength"], 32);
}

#[test]
fn the_credentials_stay_with_the_database() {
    let policy = |settings: &blueprint::Settings| {
        let data = stack(settings, "bp-data");
        ["DatabaseSecret", "DatabaseSecretAttachment", "DbParams"]
            .map(|logical| resource(&data, logical)["DeletionPolicy"].clone())
    };
    assert_eq!(policy(&plain()), ["Retain", "Retain", "Retain"]);
    assert_eq!(
        policy(&upstream(&plain())),
        [Value::Null, Value::Null, Value::Null]
    );
}

#[test]
fn the_first_task_of_the_frontend_is_not_on_spot_capacity() {
    let first = |settings: &blueprint::Settings| {
        let compute = stack(settings, "bp-compute");
        resource(&compute, "FrontendService")["Properties"]["CapacityProviderStrategy"][0].clone()
    };
    assert_eq!(
        first(&plain()),
        json!({ "CapacityProvider": "FARGATE", "Base": 1, "Weight": 1 })
    );
    assert_eq!(first(&upstream(&plain()))["CapacityProvider"], "FARGATE_SPOT");
}

#[test]
fn a_worker_knows_its_region() {
    let script = |settings: &blueprint::Settings| {
        let fleet = stack(settings, "bp-gpu-fleet-production-gpu-default");
        let data = super::of_type(&fleet, "AWS::EC2::LaunchTemplate")[0].1;
        data["LaunchTemplateData"]["UserData"].to_string()
    };
    let line = r#"\nAWS_DEFAULT_REGION=\"us-east-1\"\nCOMFYUI"#;
    assert!(script(&full()).contains(line));
    assert!(!script(&upstream(&full())).contains("AWS_DEFAULT_REGION"));
}
