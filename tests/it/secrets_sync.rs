//! `bpctl secrets sync`: all values or none, whatever breaks in between.

use bpctl_sandbox::{Fault, FaultRule, Service};
use serde_json::{Value, json};

use crate::broken_network::{Break, Network};
use crate::secrets::stored;
use crate::support::{Account, Run};

const PATHS: [&str; 4] = [
    "/bp/laravel/app-key",
    "/bp/oauth/secrets",
    "/bp/fleets/staging/fleet-secret",
    "/bp/fleets/production/fleet-secret",
];

const P8: &str = "-----BEGIN PRIVATE KEY-----\nY2FuYXJ5cDg=\n-----END PRIVATE KEY-----\n";

fn env_file() -> String {
    format!(
        "\u{feff}# of the platform\r\nexport APP_KEY=\"base64:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\"\r\n\
         GOOGLE_CLIENT_ID=canary-google-id\r\nGOOGLE_CLIENT_SECRET='canary google secret'\r\n\
         TIKTOK_CLIENT_ID=canary-tiktok-id # a comment\r\nTIKTOK_CLIENT_SECRET=canary-tiktok-secret\r\n\
         APPLE_CLIENT_ID=canary.apple.id\r\nAPPLE_KEY_ID=CANARYKEY\r\nAPPLE_TEAM_ID=CANARYTEAM\r\n\
         COMFYUI_FLEET_SECRET_STAGING={}\r\nCOMFYUI_FLEET_SECRET_PRODUCTION={}\r\n",
        "ca".repeat(32),
        "fe".repeat(48),
    )
}

/// An account and the files in its operator's folder.
fn prepared() -> Account {
    let account = Account::with(&[]);
    lay_files(&account);
    account
}

fn lay_files(account: &Account) {
    std::fs::write(account.home().join(".env"), env_file()).expect("written");
    std::fs::write(account.home().join("key.p8"), P8).expect("written");
}

const SYNC: [&str; 7] = [
    "secrets",
    "sync",
    "--env-file",
    ".env",
    "--apple-p8",
    "key.p8",
    "--yes",
];

fn all(account: &Account) -> Vec<String> {
    PATHS.iter().map(|path| stored(account, path)).collect()
}

fn is_new(account: &Account) -> bool {
    let now = all(account);
    let oauth: Value = serde_json::from_str(&now[1]).unwrap_or_default();
    now[0] == "base64:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
        && oauth["google_client_secret"] == "canary google secret"
        && now[2] == "ca".repeat(32)
        && now[3] == "fe".repeat(48)
}

fn shows_nothing(run: &Run) {
    for secret in ["canary", "CANARY", "MDEyMzQ1", &"ca".repeat(8), &"fe".repeat(8)] {
        assert!(!run.text().contains(secret), "{secret}\n{}", run.text());
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_is_compared_shown_masked_written_and_then_there_is_nothing_to_do() {
    let account = prepared();
    let before = all(&account);
    let mut dry = SYNC;
    dry[6] = "--dry-run";
    let plan = account.run(&dry).await;
    assert_eq!(
        (plan.status.code(), plan.changes.len()),
        (0, 0),
        "{}",
        plan.text()
    );
    shows_nothing(&plan);
    for words in [
        "app-key: write a new version",
        "51 characters, fingerprint ",
        "its running tasks hold the stored value",
        "undone by ssm:PutParameter",
    ] {
        assert!(plan.stdout.contains(words), "{words}\n{}", plan.text());
    }
    let run = account.run(&[SYNC.as_slice(), &["-o", "json"]].concat()).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    shows_nothing(&run);
    assert!(is_new(&account), "{:?}", all(&account));
    assert_eq!(run.changes.len(), 4);
    let again = account.run(&SYNC).await;
    assert_eq!(
        (again.status.code(), again.changes.len()),
        (0, 0),
        "{}",
        again.text()
    );
    assert!(
        again
            .stderr
            .contains("1 task of bp-backend started before the last change"),
        "{}",
        again.text()
    );
    let id = run.json()["run"].as_str().expect("an id").to_owned();
    let undone = account.run(&["runs", "undo", &id, "--yes"]).await;
    assert_eq!(undone.status.code(), 0, "{}", undone.text());
    shows_nothing(&undone);
    assert_eq!(all(&account), before);
}

#[tokio::test(start_paused = true)]
async fn what_the_file_leaves_out_stays_and_is_drawn_only_where_there_is_nothing() {
    let account = prepared();
    let text = env_file();
    let (short, _) = text.split_once("COMFYUI").expect("fleet secrets");
    std::fs::write(account.home().join(".env"), short).expect("written");
    account.sandbox.with_world(|world| {
        let input = json!({"Name": PATHS[3], "Value": "CHANGE_ME_AFTER_DEPLOY", "Overwrite": true});
        world.call(Service::Ssm, "PutParameter", &input).expect("written");
    });
    let before = all(&account);
    let args = ["secrets", "sync", "--env-file", ".env", "--yes"];
    let run = account.run(&args).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert!(
        run.stderr
            .contains("fleet-secret/production: the file has none, a random value is written"),
        "{}",
        run.text()
    );
    let now = all(&account);
    assert_eq!(now[2], before[2]);
    assert_eq!(now[3].len(), 64);
    let oauth = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
    let (old, new) = (oauth(&before[1]), oauth(&now[1]));
    for key in ["apple_private_key_p8_b64", "apple_client_secret"] {
        assert_eq!(old[key], new[key], "{key}");
    }
    let pruned = account
        .run(&[args.as_slice(), &["--prune", "yes"]].concat())
        .await;
    assert_eq!(pruned.status.code(), 0, "{}", pruned.text());
    assert_eq!(oauth(&stored(&account, PATHS[1]))["apple_client_secret"], "");
}

#[tokio::test(start_paused = true)]
async fn a_file_with_a_mistake_is_refused_before_any_call() {
    let account = prepared();
    for (from, to, why) in [
        (
            "GOOGLE_CLIENT_ID=",
            "APP_KEY=",
            "line 3: the name stands on line 2 already",
        ),
        (
            "'canary google secret'",
            "canary google secret",
            "line 4: something follows the value",
        ),
        (
            "canary-tiktok-id # a",
            "'canary-tiktok-id # a",
            "line 5: the quote that begins here is not closed",
        ),
        ("APPLE_TEAM_ID=", "APPLE_TEAM=", "it lacks APPLE_TEAM_ID"),
        (
            "base64:MDEy",
            "base64:canary!",
            "line 2, APP_KEY: what follows `base64:` is no base64",
        ),
    ] {
        std::fs::write(account.home().join(".env"), env_file().replacen(from, to, 1)).expect("written");
        let run = account.run(&SYNC).await;
        assert_eq!((run.status.code(), run.calls), (2, 0), "{to}\n{}", run.text());
        assert!(run.stderr.contains(why), "{to}\n{}", run.text());
        shows_nothing(&run);
    }
    lay_files(&account);
    std::fs::write(account.home().join("key.p8"), "canary").expect("written");
    let run = account.run(&SYNC).await;
    assert_eq!((run.status.code(), run.calls), (2, 0), "{}", run.text());
    shows_nothing(&run);
}

#[tokio::test(start_paused = true)]
async fn a_write_that_fails_leaves_all_old_values() {
    // The third and the fourth write are those of Parameter Store.
    for (fault, label) in [
        (Fault::Deny, "denied"),
        (Fault::Throttle, "throttled"),
        (Fault::Disconnect, "disconnected"),
        (Fault::LoseAnswer, "answers lost"),
        (Fault::Fail, "broken"),
    ] {
        for done in [0, 1] {
            let account = prepared();
            let before = all(&account);
            account.sandbox.with_world(|world| {
                let rule = FaultRule::on(Service::Ssm, "PutParameter", fault)
                    .after(done)
                    .times(12);
                world.inject(rule);
            });
            let run = account.run(&SYNC).await;
            let label = format!("{label} after {done}\n{}", run.text());
            shows_nothing(&run);
            if run.status.code() == 0 {
                assert!(is_new(&account), "{label}");
                continue;
            }
            account.sandbox.with_world(|world| world.clear_faults());
            if all(&account) != before {
                // What could not be taken back is said, and how to go on.
                assert_eq!(run.status.code(), 7, "{label}");
                let again = account.run(&SYNC).await;
                assert_eq!(again.status.code(), 0, "{label}{}", again.text());
                assert!(is_new(&account), "{label}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_third_write_that_is_denied_is_undone_before_the_command_ends() {
    let account = prepared();
    let before = all(&account);
    account.sandbox.with_world(|world| {
        world.inject(FaultRule::on(Service::Ssm, "PutParameter", Fault::Deny).times(1));
    });
    let run = account.run(&SYNC).await;
    assert_eq!(run.status.code(), 4, "{}", run.text());
    assert_eq!(all(&account), before);
    assert!(run.stderr.contains("undone"), "{}", run.text());
    let journal = account.run(&["runs", "list"]).await;
    assert!(journal.stdout.contains("failed"), "{}", journal.text());
}

/// The requests around the writes of a sync: from the look before the first one to the end.
async fn requests_of_writes() -> std::ops::Range<usize> {
    let account = prepared();
    let before = account.sandbox.with_world(|world| world.calls().len());
    let run = account.run(&SYNC).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    account.sandbox.with_world(|world| {
        let last = world.calls().len() - before;
        let first = world
            .calls()
            .iter()
            .skip(before)
            .position(|call| call.operation == "PutSecretValue")
            .expect("a write");
        first - 2..last
    })
}

/// Runs a sync over a network that breaks. `None`: the process was killed.
async fn broken(account: &Account, at: usize, what: Break) -> (Network, Option<Run>) {
    let network = Network::new(account.sandbox.clone(), account.clock(), at, what);
    let given = network.clone();
    let run = account.run_with(&SYNC, move |process| {
        process.cancel = given.interrupted.clone();
        if let Some(transport) = &mut process.transport {
            transport.client = given.client();
        }
    });
    let killed = network.killed.clone();
    let run = tokio::select! {
        run = run => Some(run),
        () = killed.notified() => None,
    };
    (network, run)
}

#[tokio::test(start_paused = true)]
async fn a_sync_that_is_killed_at_any_request_ends_all_new_or_all_old() {
    let requests = requests_of_writes().await;
    for what in [Break::KilledBefore, Break::KilledAfter, Break::KilledInFlight] {
        for at in requests.clone() {
            let account = prepared();
            let before = all(&account);
            let (network, run) = broken(&account, at, what).await;
            if !network.was_hit() {
                assert!(run.is_some_and(|run| run.status.code() == 0), "{at}");
                break;
            }
            let label = format!("{what:?} at {at}: {:?}", network.hit.lock().expect("no panic"));
            let cut_off = account.run(&["runs", "list", "-o", "json"]).await.json();
            let id = cut_off["runs"][0]["run"].as_str().map(str::to_owned);
            // Every other time back, the other times on.
            match id {
                Some(id) if at % 2 == 0 => {
                    account.sandbox.advance(std::time::Duration::from_secs(10));
                    let undone = account.run(&["runs", "undo", &id, "--yes"]).await;
                    assert_eq!(undone.status.code(), 0, "{label}\n{}", undone.text());
                    assert_eq!(all(&account), before, "{label}\n{}", undone.text());
                }
                _ => {
                    let again = account.run(&SYNC).await;
                    assert_eq!(again.status.code(), 0, "{label}\n{}", again.text());
                    assert!(is_new(&account), "{label}\n{}", again.text());
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_sync_whose_answers_break_or_that_is_interrupted_is_never_half_done() {
    let requests = requests_of_writes().await;
    for what in [
        Break::Interrupt,
        Break::ResetBefore,
        Break::ResetAfter,
        Break::Answer(200, "{}"),
        Break::Answer(500, ""),
    ] {
        for at in requests.clone() {
            let account = prepared();
            let before = all(&account);
            let (network, run) = broken(&account, at, what).await;
            let Some(run) = run else {
                panic!("nothing was killed")
            };
            if !network.was_hit() {
                break;
            }
            let label = format!(
                "{what:?} at {at}: {:?}\n{}",
                network.hit.lock().expect("no panic"),
                run.text()
            );
            shows_nothing(&run);
            let (old, new) = (all(&account) == before, is_new(&account));
            assert!(old || new, "{label}");
            assert!(new || run.status.code() != 0, "{label}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn with_redeploy_the_tasks_that_hold_earlier_values_are_replaced() {
    let account = prepared();
    let run = account
        .run(&[&SYNC[..], &["--redeploy", "yes", "--timeout", "20m"]].concat())
        .await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    shows_nothing(&run);
    let updates = run.changes.iter().filter(|change| *change == "Ecs:UpdateService");
    // The frontend reads none of them.
    assert_eq!(updates.count(), 1, "{:?}", run.changes);
    assert_eq!(run.changes.last().map(String::as_str), Some("Ecs:UpdateService"));
    let list = account.run(&["secrets", "list", "-o", "json"]).await.json();
    let states = list["secrets"].as_array().expect("secrets").iter();
    assert!(states.clone().all(|secret| secret["state"] == "set"), "{list:#}");

    let again = account.run(&[&SYNC[..], &["--redeploy", "yes"]].concat()).await;
    assert_eq!(again.status.code(), 0, "{}", again.text());
    assert!(again.changes.is_empty(), "{:?}", again.changes);
}

#[tokio::test(start_paused = true)]
async fn a_grace_lies_between_the_writing_and_the_deployment() {
    let account = prepared();
    let start = account.sandbox.now();
    let run = account
        .run(&[&SYNC[..], &["--redeploy", "yes", "--grace", "6m"]].concat())
        .await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert!(
        run.stderr.contains("afterwards 6m later the services"),
        "{}",
        run.text()
    );
    let at = |operation: &str| {
        account.sandbox.with_world(|world| {
            let call = world.calls().iter().find(|call| call.operation == operation);
            call.map(|call| call.at.since(start).as_secs()).expect("a call")
        })
    };
    let between = at("UpdateService") - at("PutSecretValue");
    assert!((360..420).contains(&between), "{between}");
    let without = account.run(&[&SYNC[..], &["--grace", "6m"]].concat()).await;
    assert_eq!(
        (without.status.code(), without.calls),
        (2, 0),
        "{}",
        without.text()
    );
}

#[tokio::test(start_paused = true)]
async fn without_a_terminal_nothing_is_deployed_that_was_not_asked_for() {
    for more in [&[][..], &["--redeploy", "no"]] {
        let account = prepared();
        let run = account.run(&[&SYNC[..], more].concat()).await;
        assert_eq!(run.status.code(), 0, "{}", run.text());
        assert!(
            !run.changes.contains(&"Ecs:UpdateService".to_owned()),
            "{:?}",
            run.changes
        );
        assert!(run.stderr.contains("`bpctl deploy backend`"), "{}", run.text());
    }
}

#[tokio::test(start_paused = true)]
async fn the_dry_run_says_that_a_deployment_follows_and_a_failed_writing_is_followed_by_none() {
    let account = prepared();
    let words: Vec<&str> = SYNC[..6]
        .iter()
        .copied()
        .chain(["--redeploy", "yes", "--dry-run"])
        .collect();
    let dry = account.run(&words).await;
    assert_eq!((dry.status.code(), dry.changes.len()), (0, 0), "{}", dry.text());
    assert!(dry.stdout.contains("afterwards the services"), "{}", dry.text());
    let deny = FaultRule::on(Service::Ssm, "PutParameter", Fault::Deny);
    account.sandbox.with_world(|world| world.inject(deny));
    let failed = account.run(&[&SYNC[..], &["--redeploy", "yes"]].concat()).await;
    assert_ne!(failed.status.code(), 0, "{}", failed.text());
    assert!(
        !failed.changes.contains(&"Ecs:UpdateService".to_owned()),
        "{:?}",
        failed.changes
    );
}
