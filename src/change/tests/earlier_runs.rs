//! Runs that were cut off, runs elsewhere, runs that are taken back.

use std::time::Duration;

use super::*;

/// Cuts the journal of a run off in the middle of its only step, as a kill does.
fn cut_off(here: &Here) -> journal::Record {
    cut_off_behind(here, 2)
}

/// Leaves so many lines of the journal: a step has one for its beginning and one for its end, behind that of the plan.
fn cut_off_behind(here: &Here, lines: usize) -> journal::Record {
    let [record] = here.journal().try_into().expect("one run");
    let path = here.state.path().join(format!("journal/{}.jsonl", record.run));
    let text = std::fs::read_to_string(&path).expect("a journal");
    let kept: Vec<&str> = text.lines().take(lines).collect();
    std::fs::write(&path, kept.join("\n") + "\n").expect("written");
    record
}

fn with_fresh_token() -> Plan<Touch> {
    let mut plan = plan(&["a"]);
    plan.steps[0].action.token = "fresh".to_owned();
    plan
}

#[tokio::test(start_paused = true)]
async fn a_request_that_was_cut_off_is_sent_again_with_its_token() {
    let here = Here::new();
    let verb = Toucher::new(with_fresh_token(), World::default());
    run(&here, &verb).await.unwrap();
    let record = cut_off(&here);
    run(&here, &verb).await.unwrap();
    let sent = verb.world.sent.borrow().clone();
    assert_eq!(sent[0], sent[1], "the same token");
    let stderr = here.captured.stderr();
    assert!(
        stderr.contains("an earlier run, started 2026-01-15T09:00:00Z, was interrupted"),
        "{stderr}"
    );
    assert!(
        stderr.contains(&format!("the request of run {} is sent again", record.run)),
        "{stderr}"
    );
    // It is taken care of: a third run draws a token of its own.
    assert!(here.journal().iter().all(|record| !record.is_cut_off()));
    run(&here, &verb).await.unwrap();
    let sent = verb.world.sent.borrow();
    assert_ne!(sent[1], sent[2]);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_sent_again_waits_for_no_step_that_the_earlier_run_has_done() {
    let here = Here::new();
    let mut first = plan(&["b", "a"]);
    first.steps[1].needs = vec!["b".to_owned()];
    let verb = Toucher::new(first, World::default());
    run(&here, &verb).await.unwrap();
    cut_off_behind(&here, 4);
    let verb = Toucher::new(with_fresh_token(), World::default());
    run(&here, &verb).await.unwrap();
    assert_eq!(verb.world.sent.borrow().len(), 1, "{}", here.captured.stderr());
}

#[tokio::test(start_paused = true)]
async fn another_request_for_the_same_thing_waits_until_the_first_one_must_have_arrived() {
    let here = Here::new();
    let verb = Toucher::new(with_fresh_token(), World::default());
    run(&here, &verb).await.unwrap();
    cut_off(&here);
    // The same thing, another request: it cannot be recognised.
    let mut other = plan(&["a"]);
    other.steps[0].action.what = "una".to_owned();
    other.steps[0].calls = vec![other.steps[0].action.described()];
    let verb = Toucher::new(other, World::default());
    let before = here.clock.now();
    run(&here, &verb).await.unwrap();
    let waited = here.clock.now().duration_since(before);
    assert!((55..=61).contains(&waited.as_secs()), "{waited}");
    assert!(
        here.captured
            .stderr()
            .contains("was cut off while it sent world:Touch")
    );
}

/// A verb that finds nothing left to do.
fn finding_nothing() -> Toucher {
    Toucher {
        about: vec!["a"],
        ..Toucher::new(plan(&[]), World::default())
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_finds_the_work_of_one_cut_off_done_takes_care_of_it() {
    let here = Here::new();
    let verb = Toucher::new(plan(&["a"]), World::default());
    run(&here, &verb).await.unwrap();
    cut_off(&here);
    let verb = Toucher::new(plan(&[]), World::default());
    run(&here, &verb).await.unwrap();
    assert!(here.journal()[0].is_cut_off(), "it is about something else");
    assert!(
        here.captured
            .stderr()
            .contains("go on with it with `bpctl runs resume ")
    );
    run(&here, &finding_nothing()).await.unwrap();
    assert!(!here.journal()[0].is_cut_off());
}

#[tokio::test(start_paused = true)]
async fn what_a_run_that_was_cut_off_has_removed_is_missed_by_no_later_run() {
    let removing = || {
        let absent = Blocker {
            kind: ErrorKind::NotFound,
            reason: "remove a: there is none".to_owned(),
            hint: crate::error::Hint::new("look again"),
        };
        let verb = finding_nothing();
        verb.plan.borrow_mut().as_mut().expect("a plan").absent = Some(absent);
        verb
    };
    let here = Here::new();
    let verb = Toucher::new(plan(&["a"]), World::default());
    run(&here, &verb).await.unwrap();
    let error = run(&here, &removing()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let record = cut_off(&here);
    run(&here, &removing()).await.unwrap();
    let told = format!("Run {} has done it before it was cut off", record.run);
    assert!(
        here.captured.stderr().contains(&told),
        "{}",
        here.captured.stderr()
    );
    assert_eq!(
        run(&here, &removing()).await.unwrap_err().kind(),
        ErrorKind::NotFound
    );
}

#[tokio::test(start_paused = true)]
async fn two_machines_never_hold_the_same_lease() {
    let store = memory::MemoryStore::default();
    let machines: Vec<Here> = (0..2)
        .map(|_| Here::beside(Rc::new(tempfile::tempdir().unwrap()), store.clone()))
        .collect();
    let verbs: Vec<Toucher> = (0..2)
        .map(|_| Toucher::new(plan(&["a"]), World::default()))
        .collect();
    let (one, other) = tokio::join!(run(&machines[0], &verbs[0]), run(&machines[1], &verbs[1]));
    let refused = [one, other]
        .into_iter()
        .filter_map(Result::err)
        .collect::<Vec<_>>();
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert!(
        refused[0].message().contains("another run has the lease"),
        "{}",
        refused[0]
    );
    assert_eq!(verbs[0].sent().len() + verbs[1].sent().len(), 1);
    // Given up at the end, and both ends are in the history.
    let keys = store.keys();
    assert!(keys.iter().all(|key| key.starts_with("history/")), "{keys:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_not_renewed_is_taken_over() {
    let store = memory::MemoryStore::default();
    let here = Here::beside(Rc::new(tempfile::tempdir().unwrap()), store.clone());
    let names = RunNames::fixed();
    let target = here.target().await.unwrap();
    let holder = lease::Holder {
        run: &names.run,
        verb: "touch",
        reason: Some("rehearsal"),
        target: &target,
    };
    let resources = ["world/a".to_owned()];
    let held = lease::take(&here, &holder, &resources, Duration::ZERO)
        .await
        .unwrap();
    let elsewhere = Here::beside(Rc::new(tempfile::tempdir().unwrap()), store.clone());
    let verb = Toucher::new(plan(&["a"]), World::default());
    let refused = run(&elsewhere, &verb).await.unwrap_err();
    assert!(refused.message().contains("rehearsal"), "{refused}");
    // Its holder is gone without a word.
    drop(held);
    store.pass(Duration::from_secs(121));
    run(&elsewhere, &verb).await.unwrap();
    assert!(
        elsewhere
            .captured
            .stderr()
            .contains("took over the lease on world/a")
    );
}

#[tokio::test(start_paused = true)]
async fn without_the_store_a_change_is_warned_of_or_refused() {
    let mut here = Here::new();
    here.store.close();
    let verb = Toucher::new(plan(&["a"]), World::default());
    run(&here, &verb).await.unwrap();
    let stderr = here.captured.stderr();
    assert!(
        stderr.contains("runs on other machines are not kept out"),
        "{stderr}"
    );
    assert!(stderr.contains("missing in the shared history"), "{stderr}");
    here.required = true;
    let verb = Toucher::new(plan(&["a"]), World::default());
    let refused = run(&here, &verb).await.unwrap_err();
    assert_eq!(refused.exit_status().code(), 4, "{refused}");
    assert_eq!(verb.sent(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_was_lost_stops_the_run_before_its_next_step() {
    let here = Here::new();
    let names = RunNames::fixed();
    let target = here.target().await.unwrap();
    let holder = lease::Holder {
        run: &names.run,
        verb: "touch",
        reason: None,
        target: &target,
    };
    let resources = ["world/a".to_owned()];
    let leases = lease::take(&here, &holder, &resources, Duration::ZERO)
        .await
        .unwrap();
    here.store.replace_all("{}");
    let work = async {
        here.cancel.cancelled().await;
        Err::<(), _>(CtlError::new(ErrorKind::Interrupted, "stopped"))
    };
    let error = leases.kept_during(work).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Changed, "{error}");
    assert!(
        error.message().contains("another run has taken it over"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_finished_run_can_be_taken_back_and_only_once() {
    let mut here = Here::new();
    let verb = Toucher::new(plan(&["a", "b"]), World::default());
    run(&here, &verb).await.unwrap();
    let run_id = here.journal()[0].run.clone();
    here.mode = Mode::Of(
        Direction::Undo,
        Box::new(Earlier {
            run: run_id.clone(),
            by_hand: "rub it out".into(),
            args: yes(),
        }),
    );
    // The ids of runs tell their order by the second.
    here.clock.sleep(Duration::from_secs(1)).await;
    run(&here, &verb).await.unwrap();
    assert_eq!(verb.sent(), ["a", "b", "unb", "una"]);
    run(&here, &verb).await.unwrap();
    assert!(here.captured.stderr().contains("Nothing to undo"));
    assert_eq!(verb.sent().len(), 4, "a second undo sends nothing");
    let entries = history::read(&here.store, Timestamp::UNIX_EPOCH).await.unwrap();
    let verbs: Vec<&str> = entries.iter().map(|entry| entry.verb.as_str()).collect();
    assert_eq!(verbs, ["touch", "runs undo"]);
    let journal = here.state.path().join("journal");
    std::fs::remove_file(journal.join(format!("{}.jsonl", entries[1].run))).unwrap();
    let verb = Toucher {
        no_way_back: true,
        ..Toucher::new(plan(&["a", "b"]), World::default())
    };
    let error = run(&here, &verb).await.unwrap_err();
    assert!(error.message().contains("there is no way back"), "{error}");
    assert_eq!(error.exit_status().code(), 2);
    assert!(error.hints()[0].contains("rub it out"), "{error:?}");
}
