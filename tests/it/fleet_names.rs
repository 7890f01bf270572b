//! A fleet is named as shortly as it is clear.

use bpctl_sandbox::{FleetSeed, Options};

use crate::support::Account;

fn account() -> Account {
    Account::from_options(Options {
        fleets: vec![
            FleetSeed::new("staging", "gpu-default", 1, 1.0),
            FleetSeed::new("production", "gpu-default", 1, 1.0),
            FleetSeed::new("production", "upscale", 1, 1.0),
        ],
        ..Options::default()
    })
}

#[tokio::test(start_paused = true)]
async fn a_slug_is_enough_with_a_stage_or_where_only_one_stage_has_it() {
    let account = account();
    for (args, fleet) in [
        (
            &["fleet", "status", "gpu-default", "--stage", "staging"][..],
            "staging/gpu-default",
        ),
        (&["fleet", "status", "upscale"], "production/upscale"),
        (&["fleet", "explain", "upscale"], "production/upscale"),
        (
            &["fleet", "lint", "gpu-default", "--stage", "production"],
            "production/gpu-default",
        ),
        (
            &["fleet", "replay", "upscale", "--since", "30m"],
            "production/upscale",
        ),
        (
            &[
                "fleet",
                "simulate",
                "upscale",
                "--arrivals",
                "none",
                "--days",
                "1",
            ],
            "production/upscale",
        ),
        (
            &["fleet", "scale-to-zero", "upscale", "--dry-run", "--force"],
            "production/upscale",
        ),
        (
            &["triage", "--fleet", "upscale", "--fail-on", "never"],
            "production/upscale",
        ),
    ] {
        let run = account.run(args).await;
        assert_ne!(run.status.code(), 2, "{args:?} {}", run.text());
        let said = format!("{}{}", run.stdout, run.stderr);
        assert!(
            args[0] == "triage" || said.contains(fleet),
            "{args:?} {}",
            run.text()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_slug_of_two_stages_or_of_none_is_refused() {
    let account = account();
    let both = account.run(&["fleet", "status", "gpu-default"]).await;
    assert_eq!(both.status.code(), 2, "{}", both.text());
    assert!(
        both.stderr
            .contains("`staging/gpu-default` and `production/gpu-default` are both called `gpu-default`"),
        "{}",
        both.text()
    );
    let none = account.run(&["fleet", "explain", "upscael"]).await;
    assert_eq!(none.status.code(), 1, "{}", none.text());
    assert!(none.stderr.contains("did you mean `upscale`?"), "{}", none.text());
    // What cannot be a fleet is told before anything is asked.
    let wrong = account.run(&["fleet", "status", "GPU"]).await;
    assert_eq!((wrong.status.code(), wrong.calls), (2, 0), "{}", wrong.text());
}
