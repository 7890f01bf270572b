//! Every mutating verb as the real binary, and a real signal while the request that changes something is under
//! way. Then the next run, which tells what happened and finishes.
#![cfg(unix)]

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bpctl_sandbox::{Fault, FaultRule};

use crate::campaign_places::lay_files;
use crate::campaign_verbs::{Undisturbed, Verb, each_verb, newest_run, verb};
use crate::campaigns::{assert_finished, assert_found_again, assert_nothing_else, hinted, told_the_truth};
use crate::site::{Site, eventually};

/// How many times as fast as the clock on the wall the account's time passes.
const SPEED: f64 = 20.0;

/// After which a process counts as hanging, and is killed.
const DEADLINE: Duration = Duration::from_secs(60);

/// How long an answer is held back: longer than a signal needs to be heard, shorter than bpctl's patience.
const HELD: Duration = Duration::from_millis(1500);

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

/// Sends a signal while the `nth` change of a command (from 0) is under way.
fn struck(site: &Site, home: &Path, verb: &Verb, words: &[String], nth: usize, signal: Signal) -> Ended {
    let (service, operation) = verb.change;
    let before = site.changes(operation);
    let nth_only = |fault| {
        FaultRule::on(service, operation, fault)
            .after(nth as u32)
            .times(1)
    };
    site.sandbox.with_world(|world| {
        world.inject(nth_only(Fault::Delay(HELD)));
        if signal == Signal::KillBefore {
            world.inject(nth_only(Fault::Disconnect));
        }
    });
    let arrived = |site: &Site| {
        site.sandbox.with_world(|world| {
            let calls = world.calls().iter();
            calls.filter(|call| call.operation == operation).count()
        })
    };
    let calls_before = arrived(site);
    let mut child = start(site, home, words);
    assert!(
        eventually(DEADLINE, || arrived(site) > calls_before + nth),
        "no {operation}\n{}",
        fs::read_to_string(home.join("stderr")).unwrap_or_default()
    );
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
    site.sandbox.with_world(bpctl_sandbox::World::clear_faults);
    let changed = site.changes(operation) - before;
    let carried_out = nth + usize::from(signal != Signal::KillBefore);
    assert!(changed >= carried_out, "{changed} changes\n{}", ended.stderr);
    ended
}

/// The account, with everything that goes before, and the words of the command line.
fn stage(verb: &Verb, home: &Path) -> (Site, Vec<String>) {
    let site = Site::start(verb.place.options(), SPEED, Duration::ZERO);
    verb.place.prepare(&site.sandbox);
    lay_files(home);
    let mut run = String::new();
    if let Some(earlier) = &verb.earlier {
        let words: Vec<String> = earlier.argv.iter().map(|&word| word.to_owned()).collect();
        match earlier.killed {
            None => assert_eq!(to_its_end(&site, home, &words).status, Some(0)),
            Some(nth) => drop(struck(&site, home, verb, &words, nth, Signal::KillAfter)),
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

fn signalled(verb: &Verb, known: &Undisturbed, signal: Signal) {
    let home = tempfile::tempdir().expect("a folder");
    let home = home.path();
    let (site, words) = stage(verb, home);
    let before = (verb.world)(&site.sandbox);
    // A lease is an object as well, and comes first.
    let nth = usize::from(verb.change.1 == "PutObject");
    let ended = struck(&site, home, verb, &words, nth, signal);
    let now = (verb.world)(&site.sandbox);
    let mut label = format!("bpctl {}: {signal:?}\n{}", verb.name, ended.stderr);
    assert_nothing_else(known, &now, &label);
    match (signal, ended.status) {
        (Signal::KillBefore | Signal::KillAfter, status) => assert_eq!(status, None, "{label}"),
        (_, Some(0)) => assert_finished(verb, known, &now, &label),
        (_, Some(130)) => assert_found_again(&now, &ended.stderr, &label),
        (_, other) => panic!("status {other:?}\n{label}"),
    }
    told_the_truth(&before, &now, &ended.stderr, &label);
    if verb.takes_back() && ended.status == Some(0) {
        return;
    }

    let mut again = to_its_end(&site, home, &words);
    label = format!("{label}===== and again\n{}", again.stderr);
    let is_kill = matches!(signal, Signal::KillBefore | Signal::KillAfter);
    let tells = [
        "an earlier run",
        "was not followed to its end",
        "go on with",
        "was cut off",
    ];
    assert!(
        !is_kill || tells.iter().any(|words| again.stderr.contains(words)),
        "the kill is not told\n{label}"
    );
    // What it says to do; where it says to wait, the same once more.
    for _ in 0..20 {
        if again.status == Some(0) {
            break;
        }
        let commands = hinted(&again.stderr, &label);
        let next = commands.last().map_or(words.as_slice(), |command| &command[1..]);
        eventually(Duration::from_secs(1), || false);
        again = to_its_end(&site, home, next);
        label = format!("{label}===== {next:?}\n{}", again.stderr);
    }
    assert_eq!(again.status, Some(0), "{label}");
    assert_finished(verb, known, &(verb.world)(&site.sandbox), &label);
}

macro_rules! signals {
    ($($test:ident: $name:literal, $argv:expr, $change:expr, Verb { $($rest:tt)* };)+) => {
        $(#[test]
        fn $test() {
            let verb = verb($name);
            let known = undisturbed(&verb);
            for signal in [Signal::KillBefore, Signal::KillAfter, Signal::Interrupt, Signal::Terminate] {
                signalled(&verb, &known, signal);
            }
        })+
    };
}
each_verb!(signals);
