//! The policies of `bpctl iam policy` proved the hard way: each verb runs as a role that has exactly its policy, and is
//! refused nothing; without any one of the statements it is refused, and names the action that is missing.

use std::collections::BTreeSet;
use std::time::Duration;

use bpctl_sandbox::{Options, Scenario};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::api_cases::{COMMANDS, SCENARIOS, account, further_words, is_endless, is_staged};
use crate::support::{Account, Run, at_a_terminal};

const ROLE: &str = "proved";

/// Codes of refusals by IAM in the services' own words.
const REFUSED: [&str; 4] = [
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "UnauthorizedOperation",
];

/// A run of a command line as a role with this policy; what IAM was asked, and which calls it refused.
struct Proved {
    run: Run,
    asked: BTreeSet<(String, String)>,
    refused: Vec<String>,
}

async fn proved(verb: &str, args: &[&str], scenarios: &[Scenario], race: bool, policy: &Value) -> Proved {
    let options = Options {
        scenarios: scenarios.iter().copied().collect(),
        role: ROLE.to_owned(),
        roles: [(ROLE.to_owned(), policy.to_string())].into(),
        ..Options::default()
    };
    let account = account(verb, args, options, race);
    let further = further_words(verb, &account);
    let args: Vec<&str> = args
        .iter()
        .copied()
        .chain(further.iter().map(String::as_str))
        .collect();
    let before = account.sandbox.with_world(|world| world.calls().len());
    let (clock, cancel) = (account.clock(), CancellationToken::new());
    let ends = cancel.clone();
    let endless = is_endless(&args);
    if endless {
        tokio::spawn(async move {
            clock.sleep(Duration::from_secs(60)).await;
            cancel.cancel();
        });
    }
    let run = account
        .run_with(&args, |process| {
            if endless {
                process.cancel = ends;
            }
            if args.contains(&"top") {
                at_a_terminal(process);
            }
        })
        .await;
    let (mut asked, mut refused) = (BTreeSet::new(), Vec::new());
    account.sandbox.with_world(|world| {
        // A rival for the leases asks as somebody else.
        let own = world.calls().iter().skip(before);
        for call in own.filter(|call| call.by.contains(ROLE)) {
            asked.extend(call.asked.iter().cloned());
            if call.error.as_deref().is_some_and(|code| REFUSED.contains(&code)) {
                refused.push(format!("{:?}:{}", call.service, call.operation));
            }
        }
    });
    Proved { run, asked, refused }
}

/// Whether a verb is proved in an account: as it is deployed, with a failing deployment, with a rival for its leases.
/// The other scenarios ask IAM for nothing more.
fn counts(verb: &str, scenarios: &[Scenario], race: bool) -> bool {
    match scenarios {
        [] | [Scenario::BreakerRollback] => true,
        [Scenario::ScaleToZeroUnsubscribed] => verb.starts_with("fleet"),
        _ => race,
    }
}

/// Statements without which a verb goes on, with less to show. What it lacks it says in words of its own, without the
/// action.
const GOES_ON: &[(&str, &[&str])] = &[
    // An action that is needed without the flag as well is refused first.
    ("ami bake --promote", &["Anything"]),
    ("ami bake --refresh", &["Anything"]),
    ("ami promote --refresh", &["Anything"]),
    ("fleet dev terminate --cleanup", &["Anything"]),
    // The same of objects, whose parts and tags come after them.
    (
        "backup --to",
        &["BackupBuckets", "BackupObjects", "PlatformObjects"],
    ),
    // The same of `bundle activate` and `rollback`.
    ("bundle activate --refresh", &["Anything"]),
    ("bundle rollback --refresh", &["Anything"]),
    // What a model lacks is told with `-o wide`.
    ("cost --forecast", &["Anything", "Stacks", "ScaleToZeroTopic"]),
    // Which tasks read which secret makes no step, and what services do is told when nothing before them is open.
    ("day1", &["AnythingInCluster", "Services", "Tasks"]),
    ("deploy", &["ServiceLogs", "Secrets"]),
    ("fleet lint", &["Stacks", "ScaleToZeroTopic"]),
    ("fleet replay", &["ScaleToZeroTopic"]),
    ("image diff", &["Revisions"]),
    // Without Live Tail the lines are asked for every few seconds.
    ("logs --follow", &["Logs"]),
    (
        "top",
        &[
            "Anything",
            "AnythingInCluster",
            "Services",
            "Tasks",
            "Repositories",
            "BackendLogs",
            "FleetAlarms",
            "PlatformAlarms",
            "Stacks",
            "Databases",
            "Topics",
            "FleetSecrets",
            "Holds",
        ],
    ),
    ("rollout undo", &["ServiceLogs", "Secrets"]),
    ("rollout watch", &["ServiceLogs"]),
    (
        "secrets diff",
        &[
            "Anything",
            "AnythingInCluster",
            "Services",
            "Tasks",
            "Secrets",
            "FleetSecrets",
            "PlatformParameters",
        ],
    ),
    (
        "secrets get",
        &["AnythingInCluster", "Services", "Tasks", "Secrets"],
    ),
    ("secrets list", &["Secrets"]),
    ("secrets rotate", &["Secrets"]),
    ("secrets set", &["Secrets"]),
    ("secrets sync", &["Secrets"]),
    // What is deleted is described first, which the same statement allows.
    (
        "reset --everything",
        &["Anything", "Databases", "EveryBucket", "SubnetGroups"],
    ),
    // The instances are described first, which the same statement allows; so are the subnet groups.
    ("teardown --database", &["Databases", "SubnetGroups"]),
];

/// Statements whose actions none of the proof's accounts gives an occasion for: a session's link that breaks, a service
/// without a task to enter, an object of bpctl's own to read, a task that has stopped, an image that was never finished,
/// a service that its stack has made without tasks, a fleet that is new in a stack of several.
const WITHOUT_OCCASION: &[(&str, &[&str])] = &[
    ("ami bake", &["ImageSnapshots", "MachineImages"]),
    ("db tunnel", &["Services", "Sessions"]),
    ("describe", &["Bookkeeping"]),
    ("day1", &["Bookkeeping", "Stacks"]),
    ("doctor", &["Bookkeeping"]),
    ("exec", &["Services", "Sessions"]),
    ("get", &["Bookkeeping"]),
    ("history", &["Bookkeeping"]),
    ("port-forward", &["Services", "Sessions"]),
    ("rollout abort", &["ServiceLogs"]),
    ("rollout history", &["Bookkeeping"]),
    ("stack delete", &["DatabasesAndSnapshots"]),
    ("stack deploy", &["FleetParameters"]),
    ("timeline", &["Bookkeeping"]),
    ("tinker", &["Services", "Sessions"]),
];

/// The verbs of one part of the list, so that the parts run beside each other: in the single layout, which the policies
/// are made for.
async fn prove(part: usize) {
    const PARTS: usize = 4;
    let plain = Account::with(&[]);
    let mut wrong = Vec::new();
    let verbs: BTreeSet<&str> = COMMANDS.iter().map(|(verb, _)| *verb).collect();
    for (_, verb) in verbs
        .into_iter()
        .enumerate()
        .filter(|(place, _)| place % PARTS == part)
    {
        // `auth can-i` runs as a role of its own; `whoami` needs nothing; `--deep` is no flag with permissions; what
        // `--redeploy` adds is proved with `deploy`.
        if matches!(verb, "auth can-i" | "whoami" | "bundle verify --deep") || verb.ends_with(" --redeploy") {
            continue;
        }
        let run = plain.run(&["iam", "policy", "--for", verb, "-o", "json"]).await;
        assert_eq!(run.status.code(), 0, "{}", run.text());
        let policy = run.json()["permissions"].clone();
        let mut asked = Vec::new();
        for (scenarios, race) in SCENARIOS
            .iter()
            .filter(|(scenarios, race)| counts(verb, scenarios, *race))
        {
            for (_, args) in COMMANDS
                .iter()
                .filter(|(of, args)| *of == verb && !is_staged(args))
            {
                let proved = proved(verb, args, scenarios, *race, &policy).await;
                if !proved.refused.is_empty() {
                    wrong.push(format!("{verb} {scenarios:?}: refused {:?}", proved.refused));
                }
                asked.push((args, *scenarios, *race, proved.asked));
            }
        }
        // The statements that a verb needs without a flag are proved without it.
        let known: BTreeSet<String> = match verb.split_once(" --") {
            Some((base, _)) => actions(
                &plain
                    .run(&["iam", "policy", "--for", base, "-o", "json"])
                    .await
                    .json(),
            ),
            None => BTreeSet::new(),
        };
        wrong.extend(each_statement_counts(verb, &policy, &asked, &known).await);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// All actions of the policy in a document.
fn actions(document: &Value) -> BTreeSet<String> {
    let statements = document["permissions"]["Statement"]
        .as_array()
        .expect("statements");
    let actions = statements
        .iter()
        .flat_map(|statement| statement["Action"].as_array().expect("actions"));
    actions
        .filter_map(|action| action.as_str().map(str::to_owned))
        .collect()
}

/// A command line, its account, and what IAM was asked then.
type Asked<'a> = (
    &'a &'static [&'static str],
    &'static [Scenario],
    bool,
    BTreeSet<(String, String)>,
);

async fn each_statement_counts(
    verb: &str,
    policy: &Value,
    asked: &[Asked<'_>],
    known: &BTreeSet<String>,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let statements = policy["Statement"].as_array().expect("statements");
    for (place, statement) in statements.iter().enumerate() {
        let actions: Vec<&str> = statement["Action"]
            .as_array()
            .expect("actions")
            .iter()
            .filter_map(Value::as_str)
            .filter(|action| !known.contains(*action))
            .collect();
        if actions.is_empty() {
            continue;
        }
        let is_in = |list: &[(&str, &[&str])]| {
            let sid = |sids: &&[&str]| sids.iter().any(|sid| statement["Sid"] == *sid);
            list.iter().any(|(of, sids)| *of == verb && sid(sids))
        };
        let goes_on = is_in(GOES_ON);
        let occurs = |asked: &Asked<'_>| {
            asked
                .3
                .iter()
                .any(|(action, _)| actions.contains(&action.as_str()))
        };
        if is_in(WITHOUT_OCCASION) && !asked.iter().any(occurs) {
            continue;
        }
        let mut without = policy.clone();
        without["Statement"]
            .as_array_mut()
            .expect("statements")
            .remove(place);
        let needing = asked.iter().filter(|asked| occurs(asked));
        let (mut named, mut told) = (false, String::new());
        for (args, scenarios, race, _) in needing {
            let proved = proved(verb, args, scenarios, *race, &without).await;
            let text = proved.run.text().to_ascii_lowercase();
            let says = actions
                .iter()
                .any(|action| text.contains(&action.to_ascii_lowercase()));
            // A refusal of one secret of many comes inside an answer, not as one.
            let is_of_many = ["Secrets", "KeptSecrets"]
                .iter()
                .any(|sid| statement["Sid"] == *sid);
            let missed = !proved.refused.is_empty() || is_of_many;
            if missed && (says || goes_on) {
                named = true;
                break;
            }
            told = format!("refused {:?}, {}", proved.refused, proved.run.stderr);
        }
        if !named {
            wrong.push(format!(
                "{verb} without {} says nothing of {actions:?}: {told}",
                statement["Sid"]
            ));
        }
    }
    wrong
}

#[tokio::test(start_paused = true)]
async fn each_verb_needs_all_of_its_policy_and_no_more_first_part() {
    prove(0).await;
}

#[tokio::test(start_paused = true)]
async fn each_verb_needs_all_of_its_policy_and_no_more_second_part() {
    prove(1).await;
}

#[tokio::test(start_paused = true)]
async fn each_verb_needs_all_of_its_policy_and_no_more_third_part() {
    prove(2).await;
}

#[tokio::test(start_paused = true)]
async fn each_verb_needs_all_of_its_policy_and_no_more_fourth_part() {
    prove(3).await;
}
