//! Which operations every verb calls, recorded over its scenarios into one committed file, and that every verb declares
//! exactly the actions that IAM is asked then. `BPCTL_BLESS=1 cargo test --test it api_calls` writes the file anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::Duration;

use bpctl_sandbox::{Access, Options};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::api_cases::{COMMANDS, SCENARIOS, account, further_words, is_endless};
use crate::support::Account;

#[derive(Default)]
struct Calls {
    reads: BTreeSet<String>,
    writes: BTreeSet<String>,
    /// What IAM was asked: action and resource.
    asked: BTreeSet<(String, String)>,
}

/// Runs every command in every scenario.
async fn recorded() -> BTreeMap<&'static str, Calls> {
    let mut verbs: BTreeMap<&str, Calls> = BTreeMap::new();
    for (scenarios, race) in SCENARIOS {
        for (verb, args) in COMMANDS {
            let options = Options {
                scenarios: scenarios.iter().copied().collect(),
                ..Options::default()
            };
            let account = account(verb, options, *race);
            let further = further_words(verb, &account);
            let args: Vec<&str> = args
                .iter()
                .copied()
                .chain(further.iter().map(String::as_str))
                .collect();
            let before = account.sandbox.with_world(|world| world.calls().len());
            // Some of them go on until somebody ends them.
            let (clock, cancel) = (account.clock(), CancellationToken::new());
            let ends = cancel.clone();
            let endless = is_endless(&args);
            if endless {
                tokio::spawn(async move {
                    clock.sleep(Duration::from_secs(60)).await;
                    cancel.cancel();
                });
            }
            account
                .run_with(&args, |process| {
                    if endless {
                        process.cancel = ends;
                    }
                })
                .await;
            account.sandbox.with_world(|world| {
                for call in world.calls().iter().skip(before) {
                    let name = format!("{}:{}", call.service.iam_prefix(), call.operation);
                    let calls = verbs.entry(verb).or_default();
                    match call.access {
                        Some(Access::Write) => calls.writes.insert(name),
                        Some(Access::Read) => calls.reads.insert(name),
                        None => panic!("{verb}: the sandbox does not know {name}"),
                    };
                    calls.asked.extend(call.asked.iter().cloned());
                }
            });
        }
    }
    verbs
}

#[tokio::test(start_paused = true)]
async fn what_every_verb_calls_is_on_record() {
    let verbs = recorded().await;
    declared_is_asked(&verbs).await;
    let record: BTreeMap<&str, serde_json::Value> = verbs
        .iter()
        .map(|(verb, calls)| (*verb, json!({"reads": calls.reads, "writes": calls.writes})))
        .collect();
    let text = serde_json::to_string_pretty(&record).expect("JSON") + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/api-calls.json");
    #[expect(clippy::disallowed_methods, reason = "a test may read its own environment")]
    let bless = std::env::var_os("BPCTL_BLESS").is_some();
    if bless {
        fs::write(&path, &text).expect("written");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        committed, text,
        "run `BPCTL_BLESS=1 cargo test --test it api_calls` and look at the difference"
    );
}

/// The actions of the policy that `bpctl iam policy` writes for a verb; none for one that needs no permission.
async fn declared(account: &Account, verb: &str) -> BTreeSet<String> {
    let run = account.run(&["iam", "policy", "--for", verb, "-o", "json"]).await;
    if run.status.code() == 2 && run.stderr.contains("nothing of it needs a permission") {
        return BTreeSet::new();
    }
    assert_eq!(run.status.code(), 0, "{}", run.text());
    let document = run.json();
    let statements = document["permissions"]["Statement"]
        .as_array()
        .expect("statements");
    statements
        .iter()
        .flat_map(|statement| statement["Action"].as_array().expect("actions"))
        .filter_map(|action| action.as_str().map(str::to_owned))
        .collect()
}

/// A verb asks IAM for nothing that it does not declare, and declares nothing that it never asks for.
async fn declared_is_asked(verbs: &BTreeMap<&'static str, Calls>) {
    let account = Account::with(&[]);
    let mut wrong = Vec::new();
    for (verb, calls) in verbs {
        let asked: BTreeSet<String> = calls.asked.iter().map(|(action, _)| action.clone()).collect();
        let (base, flag) = match verb.split_once(" --") {
            Some((base, flag)) => (base, Some(flag)),
            None => (*verb, None),
        };
        let always = declared(&account, base).await;
        // `bundle verify --deep` reads more of the same.
        let all = match flag {
            Some(flag) if flag != "deep" => declared(&account, verb).await,
            _ => always.clone(),
        };
        let undeclared: Vec<_> = asked.difference(&all).collect();
        let expected: BTreeSet<String> = match flag {
            None => all.clone(),
            Some(_) => all.difference(&always).cloned().collect(),
        };
        let unused: Vec<_> = expected.difference(&asked).collect();
        if !undeclared.is_empty() || !unused.is_empty() {
            wrong.push(format!(
                "{verb}: not declared {undeclared:?}, never asked for {unused:?}"
            ));
        }
    }
    assert_eq!(wrong, [""; 0], "{wrong:#?}");
}

/// A verb that is not on record must be one that works without AWS, or that runs another one.
#[test]
fn every_verb_is_on_record_or_needs_no_permission() {
    const WITHOUT: &[&str] = &[
        "completion",
        "config",
        "exit-codes",
        "explain",
        "help",
        "iam",
        "man",
        "options",
        "runs",
        "sandbox",
        "schema",
        "version",
    ];
    // They need docker: `image_push.rs` runs them with a stand-in.
    const DOCKER: &[&str] = &["image build", "image push"];
    fn leaves(command: &clap::Command, path: &str, found: &mut Vec<String>) {
        for below in command.get_subcommands() {
            let name = format!("{path} {}", below.get_name()).trim().to_owned();
            if below.has_subcommands() {
                leaves(below, &name, found);
            } else {
                found.push(name);
            }
        }
    }
    let mut found = Vec::new();
    leaves(&bpctl::command_tree(), "", &mut found);
    let missing: Vec<&String> = found
        .iter()
        .filter(|name| !DOCKER.contains(&name.as_str()))
        .filter(|name| !WITHOUT.contains(&name.split(' ').next().unwrap_or_default()))
        .filter(|name| !COMMANDS.iter().any(|(verb, _)| verb == name))
        .collect();
    assert!(
        missing.is_empty(),
        "no record of {missing:?}: add them to api_cases.rs"
    );
}
