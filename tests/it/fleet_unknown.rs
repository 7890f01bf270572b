//! `bpctl fleet lint`, `simulate` and `tune`: for every kind of part that is not modelled, no verdict that depends on it.

use serde_json::Value;

use crate::support::{Account, Run};

/// Those that change when instances come and go, and not how many are wanted; of all that the library knows.
const COURSE: [&str; 3] = ["lifecycle-hook", "warm-pool", "weights"];

const PARTS: [&str; 19] = [
    "metric-math",
    "percentile",
    "anomaly-band",
    "sample-count",
    "unit",
    "high-resolution",
    "other-metric",
    "unpublished-metric",
    "predefined-metric",
    "tracking-period",
    "other-state",
    "predictive-scaling",
    "other-policy",
    "scheduled-action",
    "scale-to-zero",
    "policy-warm-up",
    "warm-pool",
    "lifecycle-hook",
    "weights",
];

const WHAT: &str = "something that the group has";

/// Runs a command on a file that is `config` with one such part.
async fn with_part(account: &Account, part: &str, config: &str, args: &[&str]) -> Run {
    let config = format!("{config}\n[[not_modelled]]\npart = \"{part}\"\nwhat = \"{WHAT}\"\n");
    std::fs::write(account.home().join("fleet.toml"), config).expect("written");
    let args: Vec<&str> = args.iter().chain(&["--config", "fleet.toml"]).copied().collect();
    let run = account.run(&args).await;
    assert_eq!(run.calls, 0, "{}", run.text());
    run
}

fn says(list: &Value) -> bool {
    let mut said = list.as_array().expect("a list").iter();
    said.any(|text| text.as_str().is_some_and(|text| text.starts_with(WHAT)))
}

#[tokio::test(start_paused = true)]
async fn lint_has_no_error_where_a_part_may_be_the_answer() {
    // Nothing takes it away from zero.
    const STUCK: &str = "max = 4\n[[instance_types]]\nname = \"g5.xlarge\"\n";
    let account = Account::with(&[]);
    for part in PARTS {
        let run = with_part(&account, part, STUCK, &["fleet", "lint", "-o", "json"]).await;
        let status = if COURSE.contains(&part) { 1 } else { 0 };
        assert_eq!(run.status.code(), status, "{part}: {}", run.text());
        let findings = run.json()["fleets"][0]["findings"].clone();
        let finding = findings
            .as_array()
            .expect("findings")
            .iter()
            .find(|finding| finding["rule"] == "nothing-leaves-zero");
        let finding = finding.unwrap_or_else(|| panic!("{part}: {}", run.text()));
        let is_unknown = finding["unknown"]
            .as_str()
            .is_some_and(|text| text.contains(WHAT));
        assert_eq!(is_unknown, status == 0, "{part}: {finding}");
        let human = with_part(&account, part, STUCK, &["fleet", "lint"]).await.stdout;
        assert_eq!(human.contains("not known: "), status == 0, "{part}: {human}");
    }
}

#[tokio::test(start_paused = true)]
async fn figures_come_with_what_they_leave_out() {
    let two_steps = include_str!("../../crates/fleet-scaling/examples/two-steps.toml");
    let account = Account::with(&[]);
    let simulate = ["fleet", "simulate", "--arrivals", "constant:6/h", "--days", "1"];
    let tune = [
        "fleet",
        "tune",
        "--arrivals",
        "constant:6/h",
        "--days",
        "1",
        "--seeds",
        "1",
        "--p95-wait",
        "10m",
        "--max",
        "4",
        "--zero-minutes",
        "15",
        "--warmup",
        "300",
    ];
    for part in PARTS {
        for (args, path) in [(&simulate[..], "/report/unknown"), (&tune[..], "/unknown")] {
            let json: Vec<&str> = args.iter().chain(&["-o", "json"]).copied().collect();
            let run = with_part(&account, part, two_steps, &json).await;
            assert_eq!(run.status.code(), 0, "{part}: {}", run.text());
            let unknown = run.json().pointer(path).cloned().unwrap_or_default();
            assert!(says(&unknown), "{part} {args:?}: {unknown}");
            let human = with_part(&account, part, two_steps, args).await.stdout;
            let human = human.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(
                human.to_lowercase().contains(&format!("not known: {WHAT}")),
                "{part}: {human}"
            );
        }
    }
}
