//! `bpctl fleet scale-to-zero`, killed half-way and run again: the real binary over the network.

use std::process::Stdio;
use std::time::Duration;

use bpctl_sandbox::{FleetSeed, Options, Scenario, Service};
use serde_json::{Value, json};

use crate::site::{Site, eventually};
use crate::support::kept_by_hand;

const FLEETS: usize = 20;
const SET: &str = "SetDesiredCapacity";

/// Twenty fleets that run without work, thirty milliseconds away.
fn site() -> Site {
    let options = Options {
        fleets: (0..FLEETS)
            .map(|number| FleetSeed::new("production", &format!("fleet-{number:03}"), 2, 0.0))
            .collect(),
        scenarios: [Scenario::ScaleToZeroUnsubscribed].into(),
        ..Options::default()
    };
    let site = Site::start(options, 10.0, Duration::from_millis(30));
    let groups: Vec<String> = (0..FLEETS)
        .map(|number| format!("asg-production-fleet-{number:03}"))
        .collect();
    kept_by_hand(&site.sandbox, &groups, 1);
    site
}

fn groups(site: &Site) -> Vec<Value> {
    let answer = site.sandbox.with_world(|world| {
        world.call(
            Service::AutoScaling,
            "DescribeAutoScalingGroups",
            &json!({ "MaxRecords": 100 }),
        )
    });
    answer.expect("groups")["AutoScalingGroups"]
        .as_array()
        .expect("a list")
        .clone()
}

#[test]
fn a_killed_run_is_reported_and_the_next_one_does_only_the_rest() {
    let site = site();
    let home = tempfile::tempdir().unwrap();
    let args = ["fleet", "scale-to-zero", "--all", "--yes", "-o", "json"];
    let mut child = site
        .bpctl(home.path(), &args)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("bpctl starts");
    assert!(eventually(Duration::from_secs(60), || site.changes(SET) >= 7));
    child.kill().expect("SIGKILL");
    child.wait().expect("the child is gone");
    // What was on its way when the process died still arrives.
    eventually(Duration::from_millis(300), || false);
    let before = site.changes(SET);
    assert!(
        (7..FLEETS).contains(&before),
        "{before} of {FLEETS} before the kill"
    );
    let finished: Vec<Value> = groups(&site)
        .into_iter()
        .filter(|group| group["DesiredCapacity"] == 0)
        .collect();
    assert_eq!(finished.len(), before);

    let output = site.bpctl(home.path(), &args).output().expect("bpctl starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert!(stderr.contains("an earlier run, started "), "{stderr}");
    assert!(stderr.contains(&format!("of {FLEETS} fleets")), "{stderr}");
    let document: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
    assert_eq!(document["changed"], FLEETS - before, "{stderr}");
    assert_eq!(document["interrupted_before"]["planned"], FLEETS);
    let done = document["interrupted_before"]["done"].as_u64().unwrap() as usize;
    assert!(
        (before - 1..=before).contains(&done),
        "{done} of {before} in the journal"
    );
    for group in &finished {
        let fleet = group["AutoScalingGroupName"]
            .as_str()
            .unwrap()
            .replace("asg-production-", "production/");
        assert!(
            !stderr.contains(&format!("{fleet}: set the desired capacity")),
            "{fleet} again\n{stderr}"
        );
    }

    // Each fleet was written to once over both runs, and nothing keeps running.
    assert_eq!(site.changes(SET), FLEETS);
    for group in groups(&site) {
        assert_eq!(group["DesiredCapacity"], 0);
        let instances = group["Instances"].as_array().unwrap();
        assert!(
            instances
                .iter()
                .all(|instance| instance["LifecycleState"] == "Terminating"),
            "{group}"
        );
    }

    let output = site.bpctl(home.path(), &args).output().expect("bpctl starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert!(
        stderr.contains("Nothing to change") && !stderr.contains("earlier run"),
        "{stderr}"
    );
    assert_eq!(site.changes(SET), FLEETS);
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_after_the_step_and_says_how_to_go_on() {
    let site = site();
    let home = tempfile::tempdir().unwrap();
    let args = ["fleet", "scale-to-zero", "--all", "--yes", "-o", "json"];
    let child = site
        .bpctl(home.path(), &args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("bpctl starts");
    assert!(eventually(Duration::from_secs(60), || site.changes(SET) >= 3));
    let interrupt = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .expect("kill is there");
    assert!(interrupt.success());
    let output = child.wait_with_output().expect("the child ends");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    let done = site.changes(SET);
    assert!((3..FLEETS).contains(&done), "{done}");
    assert!(
        stderr.contains(&format!("interrupted after {done} of {FLEETS} fleets")),
        "{stderr}"
    );
    let next = format!("bpctl fleet scale-to-zero production/fleet-{done:03} ");
    assert!(stderr.contains(&next), "{next}\n{stderr}");
    let document: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
    let not_begun = document["fleets"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|fleet| fleet["outcome"] == "not-begun");
    assert_eq!(not_begun.count(), FLEETS - done);
}
