//! Every mutating verb as the real binary, and a real signal while one of its writes is under way. Then the run after
//! it, which tells what happened and finishes.
//!
//! A write is every request that may change something, those of leases and of the shared history among them. Struck are
//! the first, the middle and the last write of an undisturbed run, and the one that changes what the verb is about
//! ([`points`]): what lies between is like one of these. At each of them comes SIGINT, SIGTERM and SIGKILL with the
//! request carried out; at the last of these SIGKILL with the request lost as well.
//!
//! After SIGINT and SIGTERM the operator types what bpctl says at its end, after SIGKILL, which leaves no word, the same
//! command or `runs resume` of the run in the journal. In the end the world is that of an undisturbed run.
#![cfg(unix)]

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use bpctl_sandbox::{Fault, FaultRule, Service, World as Account};

use crate::assemblies;
use crate::broken_network::Request;
use crate::campaign_places::lay_files;
use crate::campaign_verbs::{Undisturbed, Verb, each_verb, newest_run, verb};
use crate::campaigns::{
    assert_finished, assert_found_again, assert_nothing_else, hinted, mutating_verbs, told_the_truth,
};
use crate::site::{Site, eventually};

/// How many times as fast as the clock on the wall the account's time passes.
const SPEED: f64 = 20.0;

/// After which a process counts as hanging, and is killed.
const DEADLINE: Duration = Duration::from_secs(90);

/// How long an answer is held back: longer than a signal needs to be heard, shorter than bpctl's patience.
const HELD: Duration = Duration::from_millis(1000);

/// Cases of one verb at once: they wait most of the time.
const AT_ONCE: usize = 5;

/// What happens to the process while its request is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signal {
    /// SIGKILL; the request is never carried out.
    KillBefore,
    /// SIGKILL; the request is carried out.
    KillAfter,
    /// Ctrl-C.
    Interrupt,
    /// What a CI runner sends that cancels a job.
    Terminate,
}

impl Signal {
    fn is_kill(self) -> bool {
        matches!(self, Self::KillBefore | Self::KillAfter)
    }
}

/// A process that has ended.
struct Ended {
    /// `None`: a signal ended it.
    status: Option<i32>,
    stderr: String,
}

/// The real binary with stderr in a file: a pipe that is not read could stop it.
fn start(site: &Site, home: &Path, words: &[String]) -> Child {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let file = File::create(home.join("stderr")).expect("a file");
    let mut command = site.bpctl(home, &words);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file);
    command.spawn().expect("bpctl starts")
}

fn wait(mut child: Child, home: &Path) -> Ended {
    let ended = eventually(DEADLINE, || child.try_wait().expect("a child").is_some());
    if !ended {
        // By its id: no other process is meant.
        child.kill().expect("SIGKILL");
    }
    let status = child.wait().expect("a child");
    let stderr = fs::read_to_string(home.join("stderr")).expect("text");
    assert!(ended, "it hangs\n{stderr}");
    Ended {
        status: status.code(),
        stderr,
    }
}

fn to_its_end(site: &Site, home: &Path, words: &[String]) -> Ended {
    wait(start(site, home, words), home)
}

/// Sends a signal while the `nth` write of a command (from 0) is under way. `None`: the command ends before it.
///
/// `of`: counted are the writes of that operation alone.
fn struck(
    site: &Site,
    home: &Path,
    words: &[String],
    (of, nth): (Option<(Service, &str)>, usize),
    signal: Signal,
) -> Option<Ended> {
    let counted = |changed_only: bool| {
        let is_counted = |(operation, changed): &&(String, bool)| {
            of.is_none_or(|(_, name)| name == operation) && (*changed || !changed_only)
        };
        site.writes().iter().filter(is_counted).count()
    };
    let (before, calls_before) = (counted(true), counted(false));
    let nth_only = |fault| {
        let rule = match of {
            Some((service, operation)) => FaultRule::on(service, operation, fault),
            None => FaultRule::on_writes(fault),
        };
        rule.after(nth as u32).times(1)
    };
    site.sandbox.with_world(|world| {
        world.inject(nth_only(Fault::Delay(HELD)));
        if signal == Signal::KillBefore {
            world.inject(nth_only(Fault::Disconnect));
        }
    });
    let mut child = start(site, home, words);
    let arrived = || counted(false) > calls_before + nth;
    let mut ended = false;
    eventually(DEADLINE, || {
        ended = child.try_wait().expect("a child").is_some();
        ended || arrived()
    });
    if ended || !arrived() {
        site.sandbox.with_world(Account::clear_faults);
        assert_eq!(wait(child, home).status, Some(0), "no write {nth}");
        return None;
    }
    let name = match signal {
        Signal::KillBefore | Signal::KillAfter => None,
        Signal::Interrupt => Some("-INT"),
        Signal::Terminate => Some("-TERM"),
    };
    match name {
        None => child.kill().expect("SIGKILL"),
        Some(name) => {
            let sent = Command::new("kill")
                .args([name, &child.id().to_string()])
                .status();
            assert!(sent.expect("kill is there").success());
        }
    }
    let ended = wait(child, home);
    site.sandbox.with_world(Account::clear_faults);
    let changed = counted(true) - before;
    // All but a lease that another run still has.
    let refused = counted(false) - calls_before - changed;
    let carried_out = nth + usize::from(signal != Signal::KillBefore);
    assert!(
        changed + refused >= carried_out,
        "{changed} changes\n{}",
        ended.stderr
    );
    Some(ended)
}

/// The place among all writes of the request that changes what a verb is about.
fn change_of(verb: &Verb, requests: &[Request]) -> usize {
    let mut writes = requests.iter().filter(|request| request.writes);
    let at = writes.position(|request| request.is_of(verb.change.1));
    at.expect("a change")
}

/// The writes of a run that are struck.
fn points(verb: &Verb, known: &Undisturbed) -> BTreeSet<usize> {
    let count = known.requests.iter().filter(|request| request.writes).count();
    let change = change_of(verb, &known.requests);
    [0, change, count / 2, count - 1].into()
}

/// The account, with everything that goes before, and the words of the command line.
fn stage(verb: &Verb, home: &Path) -> (Site, Vec<String>) {
    let site = Site::start(verb.place.options(), SPEED, Duration::ZERO);
    verb.place.prepare(&site.sandbox);
    lay_files(home);
    assemblies::lay_files(&site.sandbox, home);
    let mut run = String::new();
    if let Some(earlier) = &verb.earlier {
        let words: Vec<String> = earlier.argv.iter().map(|&word| word.to_owned()).collect();
        match earlier.killed {
            None => assert_eq!(to_its_end(&site, home, &words).status, Some(0)),
            Some(nth) => {
                let ended = struck(&site, home, &words, (Some(verb.change), nth), Signal::KillAfter);
                assert!(
                    ended.is_some_and(|ended| ended.status.is_none()),
                    "it was not killed"
                );
            }
        }
        run = newest_run(home);
    }
    let words = verb.command_line(&site.sandbox, &run);
    (site, words)
}

/// What an undisturbed run does, in an account whose time passes at once.
fn undisturbed(verb: &Verb) -> Undisturbed {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build();
    runtime.expect("a runtime").block_on(verb.undisturbed())
}

/// What the operator types next: the change or the following that was said last, or the same command again.
fn next(said: &Ended, words: &[String], label: &str) -> Vec<String> {
    let verbs = mutating_verbs();
    let mut commands = hinted(&said.stderr, label);
    commands.reverse();
    for command in commands {
        let mut line = command[1..].to_vec();
        let is_change = (1..=3.min(line.len())).any(|count| verbs.contains(&line[..count].join(" ")));
        let follows = line
            .iter()
            .any(|word| ["--attach", "status", "watch"].contains(&word.as_str()));
        let asks = is_change && line[0] != "run" && !follows;
        if asks && !line.iter().any(|word| word == "--yes") {
            line.push("--yes".to_owned());
        }
        if is_change || follows {
            return line;
        }
    }
    words.to_vec()
}

fn signalled(verb: &Verb, known: &Undisturbed, at: usize, signal: Signal) {
    let home = tempfile::tempdir().expect("a folder");
    let home = home.path();
    let (site, words) = stage(verb, home);
    let before = (verb.world)(&site.sandbox);
    let Some(ended) = struck(&site, home, &words, (None, at), signal) else {
        return;
    };
    let hit = site.writes();
    let now = (verb.world)(&site.sandbox);
    let mut label = format!(
        "bpctl {}: {signal:?} at write {at} of {hit:?}\n{}",
        verb.name, ended.stderr
    );
    assert_nothing_else(known, &now, &label);
    match (signal.is_kill(), ended.status) {
        (true, status) => assert_eq!(status, None, "{label}"),
        (_, Some(0)) => assert_finished(verb, known, &now, &label),
        (_, Some(130)) => {
            assert_found_again(&now, &ended.stderr, &label);
            assert!(ended.stderr.contains("hint: "), "no way on\n{label}");
        }
        (_, other) => panic!("status {other:?}\n{label}"),
    }
    told_the_truth(&before, &now, &ended.stderr, &label);
    let is_over = is_over(home);
    if verb.takes_back() && (ended.status == Some(0) || is_over) {
        return;
    }
    let line = match (signal, ended.status) {
        // Of the run in the journal: there is none before the first lease is taken.
        (Signal::KillAfter, _) if !is_over => {
            let resume = ["runs", "resume", &newest_run(home), "--yes"];
            resume.map(str::to_owned).to_vec()
        }
        (Signal::KillAfter | Signal::KillBefore, _) | (_, Some(0)) => words.clone(),
        _ => next(&ended, &words, &label),
    };
    let mut again = to_its_end(&site, home, &line);
    label = format!("{label}===== {line:?}\n{}", again.stderr);
    let tells = [
        "an earlier run",
        "was not followed to its end",
        "go on with",
        "was cut off",
    ];
    assert!(
        !signal.is_kill() || is_over || tells.iter().any(|words| again.stderr.contains(words)),
        "the kill is not told\n{label}"
    );
    // What was removed is not there to be removed once more, and that is no success of the second command.
    const GONE: [(&str, &str); 3] = [
        ("lock release", "there is none"),
        ("fleet drain", "it is not in this fleet"),
        ("stack delete", ": not there"),
    ];
    let gone = |again: &Ended| {
        GONE.iter()
            .any(|(name, words)| *name == verb.name && again.stderr.contains(words))
    };
    // What it says to do; where it says to wait, the same once more.
    for _ in 0..20 {
        if again.status == Some(0) || gone(&again) {
            break;
        }
        let line = match again.status {
            Some(3) => {
                // What loses data of the whole account is confirmed by its number.
                let word = if verb.name == "reset" {
                    "123456789012"
                } else {
                    "sandbox"
                };
                [line.as_slice(), &["--confirm", word].map(str::to_owned)].concat()
            }
            _ => next(&again, &words, &label),
        };
        eventually(Duration::from_secs(1), || false);
        again = to_its_end(&site, home, &line);
        label = format!("{label}===== {line:?}\n{}", again.stderr);
    }
    assert!(again.status == Some(0) || gone(&again), "{label}");
    assert_finished(verb, known, &(verb.world)(&site.sandbox), &label);
}

/// Whether the newest run has written down how it ended.
fn is_over(home: &Path) -> bool {
    let journal = format!(".local/state/bpctl/journal/{}.jsonl", newest_run(home));
    let text = fs::read_to_string(home.join(journal)).expect("a journal");
    text.lines().any(|line| line.contains("\"event\":\"end\""))
}

/// All cases of a verb, a few at a time.
fn struck_everywhere(verb: &Verb) {
    let known = undisturbed(verb);
    let change = change_of(verb, &known.requests);
    let mut cases = vec![(change, Signal::KillBefore)];
    for at in points(verb, &known) {
        cases.extend([Signal::KillAfter, Signal::Interrupt, Signal::Terminate].map(|signal| (at, signal)));
    }
    let taken = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((at, signal)) = cases.get(taken.fetch_add(1, Ordering::Relaxed)) {
                    signalled(verb, &known, *at, *signal);
                }
            });
        }
    });
}

macro_rules! signals {
    ($($test:ident: $name:literal, $argv:expr, $change:expr, Verb { $($rest:tt)* };)+) => {
        $(#[test]
        fn $test() {
            struck_everywhere(&verb($name));
        })+
    };
}
each_verb!(signals);
