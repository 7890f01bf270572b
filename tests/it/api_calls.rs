//! Which operations every verb calls, recorded over its scenarios into one committed file, and that every verb declares
//! exactly the actions that IAM is asked then. `BPCTL_BLESS=1 cargo test --test it api_calls` writes the file anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::num::NonZero;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use bpctl_sandbox::{Access, Options, Scenario, World};
use serde_json::json;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::api_cases::{COMMANDS, SCENARIOS, account, further_words, is_endless, needs_empty};
use crate::support::{Account, at_a_terminal};

#[derive(Default)]
struct Calls {
    reads: BTreeSet<String>,
    writes: BTreeSet<String>,
    /// What IAM was asked: action and resource.
    asked: BTreeSet<(String, String)>,
}

/// Commands that run one after the other in one account, under its scenarios.
struct Session {
    scenarios: &'static [Scenario],
    race: bool,
    commands: Vec<&'static (&'static str, &'static [&'static str])>,
}

/// Whether a command changes the account under a lease: what runs after it there would see that. `run` does so without
/// being asked to say yes.
fn changes(args: &[&str]) -> bool {
    args.contains(&"--yes") || args.contains(&"--confirm") || args.starts_with(&["run"])
}

/// Those that only read and want an account that is made for them: a role of their own, a refresh under way.
const APART: [&str; 2] = ["auth can-i", "fleet refresh status"];

/// Everything that runs. Those that only read run under every scenario and share its account. Those that change
/// something have an account of their own and run under [`SCENARIOS`]; with `BPCTL_ALL_SCENARIOS=1` under all of them,
/// which takes several minutes and must find the same.
fn sessions() -> Vec<Session> {
    #[expect(clippy::disallowed_methods, reason = "a test may read its own environment")]
    let everywhere = std::env::var_os("BPCTL_ALL_SCENARIOS").is_some();
    let (changing, reading): (Vec<_>, Vec<_>) = COMMANDS
        .iter()
        .partition(|(verb, args)| changes(args) || APART.contains(verb) || needs_empty(args));
    let mut sessions = Vec::new();
    for scenario in Scenario::ALL.chunks(1) {
        sessions.push(Session {
            scenarios: scenario,
            race: false,
            commands: reading.clone(),
        });
        let listed = SCENARIOS
            .iter()
            .any(|(listed, race)| !race && *listed == scenario);
        if everywhere && !listed {
            sessions.extend(changing.iter().map(|command| Session {
                scenarios: scenario,
                race: false,
                commands: vec![command],
            }));
        }
    }
    for (scenarios, race) in SCENARIOS {
        // Three seconds each, and no scenario changes what an upload does.
        let is_costly = |verb: &str| verb == "bundle upload" && !(scenarios.is_empty() || *race);
        let commands = changing.iter().filter(|(verb, _)| !is_costly(verb));
        sessions.extend(commands.map(|command| Session {
            scenarios,
            race: *race,
            commands: vec![command],
        }));
    }
    sessions
}

/// What each command of a session calls.
async fn calls_of(session: &Session) -> Vec<(&'static str, Calls)> {
    let options = Options {
        scenarios: session.scenarios.iter().copied().collect(),
        ..Options::default()
    };
    let (first, args): (&str, &[&str]) = match session.commands.as_slice() {
        [(verb, args)] => (verb, args),
        // Those that read find a lease to list.
        _ => ("lock list", &[]),
    };
    let account = account(first, args, options, session.race);
    let mut found = Vec::new();
    for (verb, args) in &session.commands {
        let further = further_words(verb, &account);
        let args: Vec<&str> = args
            .iter()
            .copied()
            .chain(further.iter().map(String::as_str))
            .collect();
        account.sandbox.with_world(World::forget_calls);
        // Some of them go on until they are ended.
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
                if args.contains(&"top") {
                    at_a_terminal(process);
                }
            })
            .await;
        let mut calls = Calls::default();
        account.sandbox.with_world(|world| {
            for call in world.calls() {
                let name = format!("{}:{}", call.service.iam_prefix(), call.operation);
                match call.access {
                    Some(Access::Write) => calls.writes.insert(name),
                    Some(Access::Read) => calls.reads.insert(name),
                    None => panic!("{verb}: the sandbox does not know {name}"),
                };
                calls.asked.extend(call.asked.iter().cloned());
            }
        });
        found.push((*verb, calls));
    }
    found
}

/// Runs all sessions, on as many threads as there are cores. Each account has a clock of its own, so what is called in
/// it does not depend on the others.
fn recorded() -> BTreeMap<&'static str, Calls> {
    let sessions = sessions();
    let next = AtomicUsize::new(0);
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let work = || {
        let mut found = Vec::new();
        while let Some(session) = sessions.get(next.fetch_add(1, Ordering::Relaxed)) {
            found.extend(paused().block_on(calls_of(session)));
        }
        found
    };
    let found = thread::scope(|scope| {
        let others: Vec<_> = (1..cores).map(|_| scope.spawn(work)).collect();
        let mut found = work();
        for other in others {
            found.extend(other.join().expect("no run panics"));
        }
        found
    });
    let mut verbs: BTreeMap<&str, Calls> = BTreeMap::new();
    for (verb, calls) in found {
        let all = verbs.entry(verb).or_default();
        all.reads.extend(calls.reads);
        // AWS is asked to end a session when its agent does not confirm the end in time. The agent answers through a
        // real socket, for which a clock that is moved does not wait.
        let writes = calls.writes.into_iter();
        all.writes
            .extend(writes.filter(|name| name != "ssm:TerminateSession"));
        all.asked.extend(calls.asked);
    }
    verbs
}

/// A runtime whose waits take no time.
fn paused() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime")
}

#[test]
fn what_every_verb_calls_is_on_record() {
    let verbs = recorded();
    paused().block_on(declared_is_asked(&verbs));
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

/// Actions that a verb asks for only in trouble, which no command line here makes: a session's link that breaks; a change
/// set that does more than the plan, what a failed creation has left, an export that goes, a stack that is to be
/// protected; an image that does not become available; a security group that was open for others; a copy that was cut
/// off, a file that changes while it is sent; a write that fails behind another.
const IN_TROUBLE: [&str; 13] = [
    "cloudformation:DeleteChangeSet",
    "cloudformation:DeleteStack",
    "cloudformation:ListImports",
    "cloudformation:UpdateTerminationProtection",
    "ec2:DeleteSnapshot",
    "ec2:DeregisterImage",
    "ec2:DescribeSnapshots",
    "ec2:RevokeSecurityGroupIngress",
    "s3:AbortMultipartUpload",
    "secretsmanager:UpdateSecretVersionStage",
    "ssm:DeleteParameter",
    "ssm:ResumeSession",
    "ssm:TerminateSession",
];

/// A verb asks IAM for nothing that it does not declare, and declares nothing that it never asks for.
async fn declared_is_asked(verbs: &BTreeMap<&'static str, Calls>) {
    let account = Account::with(&[]);
    let with_leases = ["teardown", "reset --everything"];
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
        let unused: Vec<_> = expected
            .difference(&asked)
            .filter(|action| !IN_TROUBLE.contains(&action.as_str()))
            // The bucket with its lease goes along: only one that ends early gives the lease back.
            .filter(|action| !(with_leases.contains(verb) && *action == "s3:DeleteObject"))
            // Only a database that its template lets go is protected: `teardown.rs` has one.
            .filter(|action| !(*verb == "teardown" && *action == "rds:ModifyDBInstance"))
            // Only a new fleet has an image pointer that is looked for: `empty_stage.rs` deploys some.
            .filter(|action| !(*verb == "stack deploy" && *action == "ssm:GetParameters"))
            // Only a network that another stack imports from is asked why it stays: `reset.rs` has one.
            .filter(|action| {
                !(*verb == "reset --everything" && *action == "cloudformation:DescribeStackEvents")
            })
            // Only of a database a last snapshot is looked for: `empty_stage.rs` deletes one.
            .filter(|action| {
                let of_databases = ["cloudformation:ListStackResources", "rds:DescribeDBSnapshots"];
                !(*verb == "stack delete" && of_databases.contains(&action.as_str()))
            })
            .collect();
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
        "mcp",
        "options",
        "runs",
        "sandbox",
        "schema",
        "version",
    ];
    // They need docker, packer or npx: `image_push.rs`, `ami_build.rs` and `stack_bootstrap.rs` run them with a stand-in.
    const PROGRAMS: &[&str] = &["ami build", "image build", "image push", "stack bootstrap"];
    // They ask AWS nothing.
    const OFFLINE: &[&str] = &["stack template", "workflow diff", "workflow init"];
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
        .filter(|name| ![PROGRAMS, OFFLINE].concat().contains(&name.as_str()))
        .filter(|name| !WITHOUT.contains(&name.split(' ').next().unwrap_or_default()))
        .filter(|name| !COMMANDS.iter().any(|(verb, _)| verb == name))
        .collect();
    assert!(
        missing.is_empty(),
        "no record of {missing:?}: add them to api_cases.rs"
    );
}
