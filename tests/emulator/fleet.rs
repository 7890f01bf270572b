//! `bpctl fleet` against groups, parameters and metrics that another implementation keeps.

use aws_sdk_cloudwatch::types::StateValue;
use serde_json::{Value, json};

use crate::platform::{Layout, Platform, client};
use crate::seed::{AMI, BUNDLE, Fleet};

const BUSY: Fleet = Fleet {
    slug: "gpu-default",
    desired: 2,
    queue: Some(5.0),
};
const IDLE: Fleet = Fleet {
    slug: "portrait",
    desired: 1,
    queue: Some(0.0),
};
const SILENT: Fleet = Fleet {
    slug: "silent",
    desired: 1,
    queue: None,
};

async fn platform(layout: Layout, fleets: &[Fleet]) -> Platform {
    let platform = Platform::empty(layout);
    crate::seed::fleets(&platform, fleets).await;
    platform
}

/// What Auto Scaling says, asked without bpctl.
async fn desired(platform: &Platform, fleet: Fleet) -> i32 {
    let answer = client!(aws_sdk_autoscaling, platform)
        .describe_auto_scaling_groups()
        .auto_scaling_group_names(fleet.group(platform))
        .send()
        .await
        .expect("groups");
    answer.auto_scaling_groups()[0]
        .desired_capacity()
        .expect("a desired capacity")
}

/// What `bpctl fleet status` says about one fleet.
async fn status(platform: &Platform, fleet: Fleet) -> Value {
    let run = platform
        .bpctl(&["fleet", "status", &fleet.name(platform), "-o", "json"])
        .await;
    assert_eq!(run.status, 0, "{}", run.text());
    let document = run.json();
    assert_eq!(document["gaps"], json!([]), "{}", run.text());
    document["fleets"][0].clone()
}

#[tokio::test]
async fn list_shows_every_fleet_with_its_sizes() {
    for layout in [Layout::Single, Layout::Staged] {
        let platform = platform(layout, &[BUSY, IDLE]).await;
        let run = platform.bpctl(&["fleet", "list", "-o", "json"]).await;
        assert_eq!(run.status, 0, "{}", run.text());
        let document = run.json();
        let fleets = document["fleets"].as_array().expect("fleets");
        let sizes: Vec<_> = fleets
            .iter()
            .map(|fleet| {
                (
                    fleet["slug"].as_str(),
                    fleet["desired"].as_i64(),
                    fleet["in_service"].as_i64(),
                )
            })
            .collect();
        assert_eq!(
            sizes,
            [
                (Some("gpu-default"), Some(2), Some(2)),
                (Some("portrait"), Some(1), Some(1))
            ],
            "{}",
            run.text()
        );
        // Group, stack and parameters were all found by the names that were written out by hand.
        assert!(
            fleets.iter().all(|fleet| fleet["missing"] == json!([])),
            "{}",
            run.text()
        );
        assert_eq!(document["gaps"], json!([]), "{}", run.text());
    }
}

#[tokio::test]
async fn status_reads_the_pointers_of_each_layout() {
    for layout in [Layout::Single, Layout::Staged] {
        let platform = platform(layout, &[BUSY]).await;
        let fleet = status(&platform, BUSY).await;
        let pointers = &fleet["pointers"];
        assert_eq!(pointers["ami"]["value"], AMI, "{fleet}");
        assert_eq!(pointers["ami"]["data_type"], "aws:ec2:image", "{fleet}");
        assert_eq!(pointers["bundle"]["bundle_id"], BUNDLE, "{fleet}");
        if layout == Layout::Single {
            assert_eq!(
                pointers["desired_config"]["instance_type"], "g5.xlarge",
                "{fleet}"
            );
        }
    }
}

#[tokio::test]
async fn status_follows_a_pointer_that_moves() {
    let platform = platform(Layout::Single, &[BUSY]).await;
    client!(aws_sdk_ssm, &platform)
        .put_parameter()
        .name("/bp/ami/fleets/production/gpu-default")
        .value("ami-0fedcba9876543210")
        .overwrite(true)
        .send()
        .await
        .expect("a second version");
    let ami = &status(&platform, BUSY).await["pointers"]["ami"];
    assert_eq!(
        (&ami["value"], &ami["version"]),
        (&"ami-0fedcba9876543210".into(), &2.into())
    );
}

#[tokio::test]
async fn status_tells_zero_from_silence() {
    let platform = platform(Layout::Single, &[IDLE, SILENT]).await;
    let (idle, silent) = (status(&platform, IDLE).await, status(&platform, SILENT).await);
    let queue = |fleet: &Value| fleet["metrics"]["queue_depth"].clone();
    assert_eq!(
        (&queue(&idle)["state"], &queue(&idle)["value"]),
        (&"fresh".into(), &0.0.into())
    );
    assert_eq!(
        (&queue(&silent)["state"], &queue(&silent)["value"]),
        (&"silent".into(), &Value::Null)
    );
}

/// ministack evaluates alarms when a data point arrives, over all dimensions of a metric, and does not know what
/// missing data means: the state is set by hand.
#[tokio::test]
async fn status_shows_the_state_of_an_alarm_and_which_are_missing() {
    let platform = platform(Layout::Single, &[BUSY]).await;
    client!(aws_sdk_cloudwatch, &platform)
        .set_alarm_state()
        .alarm_name("production-gpu-default-queue-empty")
        .state_value(StateValue::Alarm)
        .state_reason("the test says so")
        .send()
        .await
        .expect("an alarm");
    let fleet = status(&platform, BUSY).await;
    let alarm = |role: &str| {
        let alarms = fleet["alarms"].as_array().expect("alarms");
        alarms
            .iter()
            .find(|alarm| alarm["role"] == role)
            .expect("an alarm of this role")
            .clone()
    };
    assert_eq!(alarm("queue-empty")["state"], "ALARM", "{fleet}");
    assert_eq!(alarm("queue-empty")["reason"], "the test says so", "{fleet}");
    assert_eq!(alarm("queue-deep")["attention"], "does not exist", "{fleet}");
}

#[tokio::test]
async fn scale_to_zero_takes_an_idle_fleet_to_zero() {
    let platform = platform(Layout::Single, &[IDLE, BUSY]).await;
    let name = IDLE.name(&platform);
    let tried = platform
        .bpctl(&["fleet", "scale-to-zero", &name, "--dry-run"])
        .await;
    assert_eq!(tried.status, 0, "{}", tried.text());
    assert_eq!(desired(&platform, IDLE).await, 1, "a dry run changes nothing");
    let run = platform
        .bpctl(&["fleet", "scale-to-zero", &name, "--yes", "-o", "json"])
        .await;
    assert_eq!(run.status, 0, "{}", run.text());
    let document = run.json();
    assert_eq!(document["schema"], "bpctl.fleet.scale-to-zero/1");
    assert_eq!(document["fleets"][0]["desired_after"], 0, "{}", run.text());
    assert_eq!(desired(&platform, IDLE).await, 0);
    assert_eq!(desired(&platform, BUSY).await, 2, "nobody asked for this one");
}

#[tokio::test]
async fn scale_to_zero_leaves_busy_and_silent_fleets_alone() {
    let platform = platform(Layout::Single, &[BUSY, SILENT]).await;
    for fleet in [BUSY, SILENT] {
        let run = platform
            .bpctl(&["fleet", "scale-to-zero", &fleet.name(&platform), "--yes"])
            .await;
        assert_ne!(run.status, 0, "{}", run.text());
        assert!(run.stderr.contains("--force"), "{}", run.text());
        assert_eq!(desired(&platform, fleet).await, fleet.desired);
    }
    // Jobs may be lost then: `--yes` is not enough.
    let name = SILENT.name(&platform);
    let forced = ["fleet", "scale-to-zero", &name, "--force"];
    let run = platform.bpctl(&[&forced[..], &["--yes"]].concat()).await;
    assert_eq!(run.status, 3, "{}", run.text());
    assert_eq!(desired(&platform, SILENT).await, SILENT.desired);
    let run = platform
        .bpctl(&[&forced[..], &["--confirm", "default"]].concat())
        .await;
    assert_eq!(run.status, 0, "{}", run.text());
    assert_eq!(desired(&platform, SILENT).await, 0);
}

#[tokio::test]
async fn a_fleet_without_policies_is_explained_and_linted() {
    for layout in [Layout::Single, Layout::Staged] {
        let platform = platform(layout, &[BUSY]).await;
        let name = BUSY.name(&platform);
        let run = platform.bpctl(&["fleet", "explain", &name, "-o", "json"]).await;
        assert_eq!(run.status, 0, "{}", run.text());
        let document = run.json();
        assert_eq!(
            document["metrics"][0],
            json!({"metric": "QueueDepth", "value": 5.0}),
            "{}",
            run.text()
        );
        assert_eq!(document["decision"]["desired"], 2, "{}", run.text());
        // ministack keeps the alarm; it has no action.
        assert!(
            document["why_not_zero"]
                .to_string()
                .contains("-queue-empty` has no action"),
            "{}",
            run.text()
        );
        let run = platform.bpctl(&["fleet", "lint", &name, "-o", "json"]).await;
        assert_eq!(run.status, 1, "{}", run.text());
        assert_eq!(
            run.json()["fleets"][0]["findings"][0]["rule"],
            "not-connected",
            "{}",
            run.text()
        );
        let arguments = [
            "fleet",
            "simulate",
            &name,
            "--arrivals",
            "poisson:20/h",
            "--days",
            "1",
            "-o",
            "json",
        ];
        let run = platform.bpctl(&arguments).await;
        assert_eq!(run.status, 0, "{}", run.text());
        assert_eq!(run.json()["config"]["max"], 10, "{}", run.text());
    }
}

#[tokio::test]
async fn a_tracking_policy_and_its_alarms_are_read_as_aws_keeps_them() {
    for layout in [Layout::Single, Layout::Staged] {
        let platform = platform(layout, &[BUSY]).await;
        crate::seed::backlog_tracking(&platform, BUSY).await;
        let arguments = [
            "fleet",
            "explain",
            &BUSY.name(&platform),
            "--what-if",
            "queue=12,workers=2",
            "-o",
            "json",
        ];
        let run = platform.bpctl(&arguments).await;
        assert_eq!(run.status, 0, "{}", run.text());
        let document = run.json();
        assert_eq!(document["decision"]["desired"], 6, "{}", run.text());
        let not_more = document["why_not_more"].to_string();
        assert!(
            not_more.contains("-AlarmHigh-") && not_more.contains("3 of 3 points"),
            "{}",
            run.text()
        );
        assert!(
            document["why_not_zero"].to_string().contains("-AlarmLow-"),
            "{}",
            run.text()
        );
    }
}
