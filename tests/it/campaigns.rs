//! Every mutating verb, broken at its requests: killed, interrupted, cut off, refused, answered with garbage or
//! not at all. Afterwards nothing has happened twice, nothing is lost, and what bpctl said was true.
//!
//! The verbs are the table in `campaign_verbs.rs`. Not every request is broken in every way (a run of minutes
//! would say what a run of seconds says): what is sampled is said at [`sample`].

use std::collections::BTreeSet;
use std::time::Duration;

use bpctl_sandbox::Service;

use crate::broken_network::{Break, Request};
pub(crate) use crate::campaign_verbs::broken;
use crate::campaign_verbs::{Stage, Undisturbed, VERBS, Verb, broken_from, each_verb, verb};
use crate::campaign_worlds::World;
use crate::hints::quoted;
use crate::support::{Account, Run};

/// Why a request is in the sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sample {
    /// The first read of its operation, or one right before or after a change.
    Edge,
    /// A write of a lease or of the shared history.
    Bookkeeping,
    /// It changes what the verb is about.
    Change,
}

/// Every write, the reads right before and after a change, the first read of every operation, and the last
/// request. The others are like one of these: a task or a fleet that is looked at once more.
fn sample(verb: &Verb, requests: &[Request]) -> Vec<(usize, Sample)> {
    let changes = |at: usize| {
        let own = |request: &Request| verb.change.0 == Service::S3 || !request.is_bookkeeping();
        requests
            .get(at)
            .is_some_and(|request| request.writes && own(request))
    };
    let mut known = BTreeSet::new();
    let mut sample = Vec::new();
    for (at, request) in requests.iter().enumerate() {
        let first = known.insert(&request.operation);
        if changes(at) {
            sample.push((at, Sample::Change));
        } else if request.writes {
            sample.push((at, Sample::Bookkeeping));
        } else if first || changes(at + 1) || at > 0 && changes(at - 1) || at + 1 == requests.len() {
            sample.push((at, Sample::Edge));
        }
    }
    sample
}

/// One case of a campaign, for messages.
fn label(
    verb: &Verb,
    what: Break,
    lasting: bool,
    at: usize,
    requests: &[Request],
    run: Option<&Run>,
) -> String {
    let operation = requests.get(at).map_or("?", |request| request.operation.as_str());
    let lasting = if lasting { " from there on" } else { "" };
    format!(
        "bpctl {}: {what:?} at request {at} ({operation}){lasting}\n{}",
        verb.name,
        run.map(Run::text).unwrap_or_default()
    )
}

/// A run that made fewer requests than the undisturbed one: it looked less often, and met no fault.
fn is_done(run: Option<&Run>) -> bool {
    run.is_some_and(|run| run.status.code() == 0)
}

/// How many things are no longer as before.
fn changed(before: &World, now: &World) -> usize {
    let same = |name: &String| before.things.get(name) == now.things.get(name);
    now.things.keys().filter(|name| !same(name)).count()
}

/// Every thing is as it was before, or as an undisturbed run leaves it.
pub(crate) fn assert_nothing_else(known: &Undisturbed, now: &World, label: &str) {
    for (name, value) in &now.things {
        let allowed = [known.before.things.get(name), known.after.things.get(name)];
        assert!(
            allowed.contains(&Some(value)),
            "{name} is {value}, and should be one of {allowed:?}\n{label}"
        );
    }
}

/// Every thing is as an undisturbed run leaves it.
pub(crate) fn assert_finished(verb: &Verb, known: &Undisturbed, now: &World, label: &str) {
    for (name, value) in &now.things {
        let wanted = &known.after.things[name];
        let once_more =
            verb.again.contains(&name.as_str()) && value.as_u64() == wanted.as_u64().map(|count| count + 1);
        assert!(
            value == wanted || once_more,
            "{name} is {value}, and should be {wanted}\n{label}"
        );
    }
}

/// What was started is named, or the way to find it is.
pub(crate) fn assert_found_again(now: &World, stderr: &str, label: &str) {
    for names in &now.started {
        let told = names.iter().any(|name| stderr.contains(name));
        assert!(told, "none of {names:?} is told\n{label}");
    }
}

/// The commands of bpctl in hints. All of them can be pasted.
pub(crate) fn hinted(stderr: &str, label: &str) -> Vec<Vec<String>> {
    let mut commands = quoted(stderr);
    commands.retain(|words| words[0] == "bpctl");
    for words in &commands {
        let parsed = bpctl::command_tree().try_get_matches_from(words);
        assert!(
            parsed.is_ok(),
            "`{}` cannot be pasted: {}\n{label}",
            words.join(" "),
            parsed.unwrap_err()
        );
    }
    commands
}

/// A run that did not do it all says what to do next.
fn assert_hint(run: &Run, label: &str) {
    assert!(run.stderr.contains("hint: "), "no way on\n{label}");
    hinted(&run.stderr, label);
}

/// What the operator does after a run that was cut off: the same again, and what that run says to do. A `third`
/// run has nothing left to do and nothing to tell.
async fn to_the_end(verb: &Verb, known: &Undisturbed, stage: &Stage, third: bool, label: &str) {
    let again = stage.account.run(&stage.argv()).await;
    let mut label = format!("{label}===== and again\n{}", again.text());
    if again.status.code() != 0 {
        assert_hint(&again, &label);
        let commands = hinted(&again.stderr, &label);
        let words: Vec<&str> = match commands.last() {
            Some(command) => command.iter().skip(1).map(String::as_str).collect(),
            // It says to wait, e.g. for the end of a snapshot.
            None => {
                stage.account.clock().sleep(Duration::from_secs(15 * 60)).await;
                stage.argv()
            }
        };
        let next = stage.account.run(&words).await;
        label = format!("{label}===== {words:?}\n{}", next.text());
        assert_eq!(next.status.code(), 0, "{label}");
    }
    let now = (verb.world)(&stage.account.sandbox);
    assert_finished(verb, known, &now, &label);
    if verb.again.is_empty() && third {
        let third = stage.account.run(&stage.argv()).await;
        assert!(
            third.changes.is_empty() && !third.stderr.contains("an earlier run"),
            "{label}\n===== a third time\n{}",
            third.text()
        );
    }
}

/// SIGKILL, as the account sees it: the process is gone before the request leaves, before the answer comes,
/// or while the request is still on its way. Of a read only the first makes a difference.
async fn killed(verb: Verb) {
    let known = verb.undisturbed().await;
    for (at, kind) in sample(&verb, &known.requests) {
        let is_over = known.requests[..=at]
            .iter()
            .any(|request| request.operation == "PUT history");
        if verb.takes_back() && is_over {
            continue;
        }
        let breaks: &[Break] = match kind {
            Sample::Change => &[Break::KilledBefore, Break::KilledAfter, Break::KilledInFlight],
            Sample::Bookkeeping => &[Break::KilledAfter],
            Sample::Edge => &[Break::KilledBefore],
        };
        for what in breaks {
            let stage = verb.stage().await;
            let (network, run) = broken(&stage.account, &stage.argv(), at, *what).await;
            let label = label(&verb, *what, false, at, &known.requests, run.as_ref());
            if !network.was_hit() {
                assert!(is_done(run.as_ref()), "{label}");
                continue;
            }
            assert!(run.is_none(), "{label}");
            to_the_end(&verb, &known, &stage, kind == Sample::Change, &label).await;
        }
    }
}

/// Ctrl-C while a request is under way.
async fn interrupted(verb: Verb) {
    let known = verb.undisturbed().await;
    for (at, _) in sample(&verb, &known.requests) {
        let stage = verb.stage().await;
        let (network, run) = broken(&stage.account, &stage.argv(), at, Break::Interrupt).await;
        let run = run.expect("an interrupt is no kill");
        let label = label(&verb, Break::Interrupt, false, at, &known.requests, Some(&run));
        if !network.was_hit() {
            assert!(is_done(Some(&run)), "{label}");
            continue;
        }
        let now = (verb.world)(&stage.account.sandbox);
        assert_nothing_else(&known, &now, &label);
        match run.status.code() {
            0 => assert_finished(&verb, &known, &now, &label),
            130 => assert_found_again(&now, &run.stderr, &label),
            other => panic!("status {other}\n{label}"),
        }
        told_the_truth(&stage.before, &now, &run.stderr, &label);
        if !verb.takes_back() || run.status.code() != 0 {
            to_the_end(&verb, &known, &stage, false, &label).await;
        }
    }
}

/// What a run says about how far it came.
pub(crate) fn told_the_truth(before: &World, now: &World, stderr: &str, label: &str) {
    if stderr.contains("nothing was changed") {
        assert_eq!(before.things, now.things, "{label}");
    }
    let after = stderr.split_once("interrupted after ");
    let count = after.and_then(|(_, rest)| rest.split(' ').next()?.parse::<usize>().ok());
    if let Some(count) = count.filter(|_| now.started.is_empty() && !stderr.contains("an earlier run")) {
        assert_eq!(count, changed(before, now), "{label}");
    }
}

/// What broken proxies, load balancers and endpoints do, once (false) or for good (true).
const FAULTS: &[(Break, bool)] = &[
    (Break::ResetBefore, false),
    (Break::ResetAfter, false),
    (Break::Throttle, false),
    (Break::HangAfter, false),
    (Break::Answer(200, ""), false),
    (Break::Answer(200, "{}"), false),
    (Break::Answer(200, "\u{fffd}garbage\0"), false),
    (
        Break::Answer(200, "<html><body>Welcome to the hotel</body></html>"),
        false,
    ),
    (
        Break::Answer(503, "<html><body>Service Unavailable</body></html>"),
        false,
    ),
    (Break::ResetAfter, true),
    (Break::HangBefore, true),
    (Break::HangAfter, true),
    (Break::Throttle, true),
    (Break::Skew, true),
    (Break::SkewUndated, true),
];

/// Every fault at the change that the verb's line names (of several, the first); of the other requests each
/// gets two of the faults, in turn.
async fn faulty(verb: Verb) {
    let known = verb.undisturbed().await;
    let mut turn = verb.name.len();
    let mut met = false;
    for (at, kind) in sample(&verb, &known.requests) {
        let faults: Vec<(Break, bool)> = match kind {
            Sample::Change if !met && known.requests[at].is_of(verb.change.1) => {
                met = true;
                FAULTS.to_vec()
            }
            Sample::Change | Sample::Bookkeeping | Sample::Edge => {
                turn += 2;
                vec![FAULTS[turn % FAULTS.len()], FAULTS[(turn + 1) % FAULTS.len()]]
            }
        };
        for (what, lasting) in faults {
            let stage = verb.stage().await;
            let (network, run) = broken_from(&stage.account, &stage.argv(), at, what, lasting).await;
            let run = run.expect("a fault is no kill");
            let label = label(&verb, what, lasting, at, &known.requests, Some(&run));
            if !network.was_hit() {
                assert!(is_done(Some(&run)), "{label}");
                continue;
            }
            assert_true_after_a_fault(&verb, &known, &stage.account, &run, &label);
            // The refusal of a HEAD has no body that could say why.
            let says_why = !known.requests[at].operation.starts_with("HEAD");
            if what == Break::SkewUndated && run.status.code() != 0 && says_why {
                assert!(run.stderr.contains("set the machine's clock"), "{label}");
            }
        }
    }
}

fn assert_true_after_a_fault(verb: &Verb, known: &Undisturbed, account: &Account, run: &Run, label: &str) {
    let now = (verb.world)(&account.sandbox);
    assert_nothing_else(known, &now, label);
    told_the_truth(&known.before, &now, &run.stderr, label);
    if run.status.code() == 0 {
        assert_finished(verb, known, &now, label);
    } else {
        assert_hint(run, label);
        assert_found_again(&now, &run.stderr, label);
    }
}

macro_rules! campaigns {
    ($($test:ident: $name:literal, $argv:expr, $change:expr, Verb { $($rest:tt)* };)+) => {
        $(mod $test {
            #[tokio::test(start_paused = true)]
            async fn killed() {
                super::killed(super::verb($name)).await;
            }

            #[tokio::test(start_paused = true)]
            async fn interrupted() {
                super::interrupted(super::verb($name)).await;
            }

            #[tokio::test(start_paused = true)]
            async fn behind_a_broken_network() {
                super::faulty(super::verb($name)).await;
            }
        })+
    };
}
each_verb!(campaigns);

/// Another migration, right after one was killed while it was being started.
#[tokio::test(start_paused = true)]
async fn another_migration_right_after_a_kill_does_not_overlap_with_one_in_flight() {
    let verb = verb("migrate");
    let known = verb.undisturbed().await;
    let start = known
        .requests
        .iter()
        .position(|request| request.operation == "RunTask")
        .expect("a start");
    for at in start - 2..start + 2 {
        let stage = verb.stage().await;
        let central = ["migrate", "--central", "--yes"];
        broken(&stage.account, &central, at, Break::KilledInFlight).await;
        let label = label(&verb, Break::KilledInFlight, false, at, &known.requests, None);
        to_the_end(&verb, &known, &stage, false, &label).await;
    }
}

/// Verbs that run a program or talk to the application, broken in files of their own: `ami_build.rs`, `image_push.rs`,
/// `smoke.rs`, `stack_bootstrap.rs`.
const ELSEWHERE: &[&str] = &["ami build", "image push", "smoke", "stack bootstrap"];

/// Verbs that open a session, and leave nothing behind that another run could find.
const SESSIONS: &[&str] = &["db tunnel", "exec", "port-forward", "tinker"];

/// The commands that have `--print-aws` are those that change something in AWS.
pub(crate) fn mutating_verbs() -> BTreeSet<String> {
    fn mutating(command: &clap::Command, path: &str, found: &mut BTreeSet<String>) {
        if command
            .get_arguments()
            .any(|argument| argument.get_id() == "print_aws")
        {
            found.insert(path.trim().to_owned());
        }
        for part in command.get_subcommands() {
            mutating(part, &format!("{path} {}", part.get_name()), found);
        }
    }
    let mut found = BTreeSet::new();
    mutating(&bpctl::command_tree(), "", &mut found);
    found
}

#[test]
fn every_mutating_verb_has_a_line_in_the_table() {
    let found = mutating_verbs();
    let missing: Vec<&String> = found
        .iter()
        .filter(|name| ![ELSEWHERE, SESSIONS].concat().contains(&name.as_str()))
        .filter(|name| !VERBS.iter().any(|verb| verb.name == name.as_str()))
        .collect();
    assert!(
        missing.is_empty() && !found.is_empty(),
        "give them a line in tests/it/campaign_verbs.rs: {missing:?}"
    );
}
