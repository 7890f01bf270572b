//! `runs undo` of every mutating verb: it brings the world of before back, or it ends with status 2 before anything is
//! asked of AWS, and says what is done by hand. Where that is a command that brings the world back, it is followed.
//!
//! The world is more than what the verb is about: sizes, bounds, suspended processes, pointers, images, objects and
//! secrets of the whole account.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use bpctl_sandbox::Sandbox;
use serde_json::Value;

use crate::broken_network::Break;
use crate::campaign_stores::{objects, secrets};
use crate::campaign_verbs::{Stage, VERBS, Verb, broken, each_verb, newest_run, verb};
use crate::campaign_watch::watched;
use crate::campaign_worlds::{
    asleep, configurations, holds, image_pointers, images, machine_images, pointers, protections,
};
use crate::campaigns::hinted;
use crate::support::Run;

/// How a run is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// `runs undo` does it.
    Back,
    /// The command that the refusal names does it.
    Named,
    /// The refusal says what is to be done, and no command brings the world of before back.
    Told,
}

/// Every verb of the table in `campaign_verbs.rs` has one line here.
const WAYS: &[(&str, Way)] = &[
    ("migrate", Way::Told),
    ("migrate --snapshot", Way::Told),
    ("fleet scale", Way::Back),
    ("fleet scale-to-zero", Way::Back),
    ("fleet scale-to-zero --hold", Way::Back),
    ("fleet config set", Way::Back),
    ("fleet config edit", Way::Back),
    ("fleet protect", Way::Back),
    ("fleet dev launch", Way::Told),
    ("fleet dev stop", Way::Told),
    ("fleet dev terminate", Way::Told),
    ("fleet drain", Way::Told),
    ("fleet refresh", Way::Told),
    ("fleet refresh cancel", Way::Told),
    ("fleet hold", Way::Named),
    ("fleet release", Way::Named),
    ("bundle activate", Way::Back),
    ("bundle rollback", Way::Back),
    ("ami promote", Way::Back),
    ("ami rollback", Way::Back),
    ("ami bake", Way::Told),
    ("ami gc", Way::Told),
    ("shutdown", Way::Named),
    ("resume", Way::Named),
    ("shutdown --rds", Way::Named),
    ("resume --no-up", Way::Named),
    ("image gc", Way::Told),
    ("lock release", Way::Told),
    ("runs resume", Way::Back),
    ("run", Way::Told),
    ("seed", Way::Told),
    ("task stop", Way::Told),
    ("deploy", Way::Told),
    ("deploy --tag", Way::Told),
    ("rollout undo", Way::Told),
    ("rollout abort", Way::Told),
    ("bundle apply", Way::Told),
    ("bundle upload", Way::Told),
    ("bundle create", Way::Told),
    ("secrets set", Way::Back),
    ("secrets sync", Way::Back),
    ("secrets rotate", Way::Back),
    ("secrets undo", Way::Back),
    ("stack delete", Way::Told),
    ("stack continue-rollback", Way::Told),
    ("stack import", Way::Told),
    ("backup", Way::Told),
    ("backup --to", Way::Told),
    ("restore", Way::Back),
    ("teardown", Way::Told),
    ("reset", Way::Told),
    ("stack deploy", Way::Told),
    ("fleet provision", Way::Told),
    ("fleet apply-config", Way::Told),
    ("domain request", Way::Told),
    ("monitoring apply", Way::Back),
    ("monitoring subscribe", Way::Told),
    ("runs undo", Way::Told),
];

fn way(verb: &Verb) -> Way {
    let line = WAYS.iter().find(|(name, _)| *name == verb.name);
    line.unwrap_or_else(|| panic!("`{}` has no line in WAYS", verb.name))
        .1
}

/// What a verb may have changed for good. Not the records of shutdowns and holds: that something was done and taken
/// back stays on record.
fn world(sandbox: &Sandbox) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for (kind, world) in [
        ("size", asleep(sandbox)),
        ("hold", holds(sandbox)),
        ("bundle", pointers(sandbox)),
        ("image pointer", image_pointers(sandbox)),
        ("configuration", configurations(sandbox)),
        ("protection", protections(sandbox)),
        ("images", images(sandbox)),
        ("machine image", machine_images(sandbox)),
        ("watch", watched(sandbox)),
        ("store", objects(sandbox)),
        ("secret", secrets(sandbox)),
    ] {
        for (name, value) in world.things {
            all.insert(format!("{kind} {name}"), value);
        }
    }
    all.retain(|name, _| name != "size record" && !name.ends_with("/hold"));
    all
}

fn assert_same(before: &BTreeMap<String, Value>, now: &BTreeMap<String, Value>, label: &str) {
    let names = before.keys().chain(now.keys());
    for name in names {
        assert_eq!(before.get(name), now.get(name), "{name}\n{label}");
    }
}

/// The run of the command line that has just ended.
async fn carried_out(stage: &Stage) -> String {
    // The ids of runs tell their order by the second.
    stage.account.clock().sleep(Duration::from_secs(1)).await;
    let run = stage.account.run(&stage.argv()).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    // What was read from files is not there any more when a run is taken back.
    for name in [
        "app-key",
        "fleet-secret",
        "key.p8",
        ".env",
        "new.safetensors",
        "config.json",
    ] {
        fs::remove_file(stage.account.home().join(name)).expect("it is there");
    }
    stage.account.clock().sleep(Duration::from_secs(1)).await;
    newest_run(stage.account.home())
}

async fn undo(stage: &Stage, run: &str) -> Run {
    let undone = stage.account.run(&["runs", "undo", run, "--yes"]).await;
    if undone.status.code() != 3 {
        return undone;
    }
    stage
        .account
        .run(&["runs", "undo", run, "--confirm", "sandbox"])
        .await
}

async fn taken_back(verb: Verb) {
    let stage = verb.stage().await;
    let sandbox = &stage.account.sandbox;
    let before = world(sandbox);
    let run = carried_out(&stage).await;
    let after = world(sandbox);
    let undone = undo(&stage, &run).await;
    let label = format!("bpctl {}, taken back\n{}", verb.name, undone.text());
    if way(&verb) == Way::Back {
        assert_ne!(before, after, "{label}");
        assert_eq!(undone.status.code(), 0, "{label}");
        assert_same(&before, &world(sandbox), &label);
        let again = undo(&stage, &run).await;
        assert_eq!(
            (again.status.code(), again.changes.len()),
            (0, 0),
            "{label}===== and once more\n{}",
            again.text()
        );
        assert_same(&before, &world(sandbox), &label);
        return;
    }
    assert_eq!(undone.status.code(), 2, "{label}");
    assert_eq!((undone.calls, undone.bookkeeping.len()), (0, 0), "{label}");
    assert!(undone.stderr.contains("hint: "), "{label}");
    let commands = hinted(&undone.stderr, &label);
    assert!(!commands.is_empty(), "{label}");
    if way(&verb) == Way::Named {
        let mut words: Vec<&str> = commands[0].iter().skip(1).map(String::as_str).collect();
        words.push("--yes");
        let by_hand = stage.account.run(&words).await;
        let label = format!("{label}===== {words:?}\n{}", by_hand.text());
        assert_eq!(by_hand.status.code(), 0, "{label}");
        assert_same(&before, &world(sandbox), &label);
    }
}

/// A run that was killed with its first change under way, or its last, is taken back as well, as far as it came.
async fn taken_back_after_a_kill(verb: Verb) {
    if way(&verb) != Way::Back {
        return;
    }
    let known = verb.undisturbed().await;
    let changes: Vec<usize> = (0..known.requests.len())
        .filter(|at| known.requests[*at].is_of(verb.change.1))
        .collect();
    let ends = [changes.first(), changes.last()];
    for at in ends.into_iter().flatten() {
        for what in [Break::KilledBefore, Break::KilledAfter, Break::KilledInFlight] {
            let stage = verb.stage().await;
            let sandbox = &stage.account.sandbox;
            let before = world(sandbox);
            stage.account.clock().sleep(Duration::from_secs(1)).await;
            let (network, run) = broken(&stage.account, &stage.argv(), *at, what).await;
            assert!(run.is_none() && network.was_hit());
            stage.account.clock().sleep(Duration::from_secs(1)).await;
            let undone = undo(&stage, &newest_run(stage.account.home())).await;
            let label = format!(
                "bpctl {}: {what:?} at {at}, taken back\n{}",
                verb.name,
                undone.text()
            );
            assert_eq!(undone.status.code(), 0, "{label}");
            // Whatever was still on its way has arrived by now.
            stage.account.clock().sleep(Duration::from_secs(60)).await;
            assert_same(&before, &world(sandbox), &label);
        }
    }
}

macro_rules! ways {
    ($($test:ident: $name:literal, $argv:expr, $change:expr, Verb { $($rest:tt)* };)+) => {
        $(mod $test {
            #[tokio::test(start_paused = true)]
            async fn is_taken_back_or_told() {
                super::taken_back(super::verb($name)).await;
            }

            #[tokio::test(start_paused = true)]
            async fn is_taken_back_after_a_kill() {
                super::taken_back_after_a_kill(super::verb($name)).await;
            }
        })+
    };
}
each_verb!(ways);

#[test]
fn every_verb_of_the_table_has_a_way() {
    for verb in VERBS {
        way(verb);
    }
    let known = |name: &str| VERBS.iter().any(|verb| verb.name == name);
    assert!(WAYS.iter().all(|(name, _)| known(name)));
}
