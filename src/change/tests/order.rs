//! Steps: their order, their failures, what may be sent, what is written down.

use super::*;

#[tokio::test(start_paused = true)]
async fn steps_wait_for_what_they_need_and_run_side_by_side_up_to_the_bound() {
    let mut plan = plan(&["joined", "a", "b", "d"]);
    plan.steps[0].needs = vec!["a".to_owned(), "b".to_owned()];
    plan.at_once = 2;
    let verb = Toucher::new(plan, World::default());
    let here = Here::new();
    assert_eq!(run(&here, &verb).await.unwrap(), ExitStatus::Done);
    let sent = verb.sent();
    let at = |what: &str| sent.iter().position(|sent| sent == what).unwrap();
    assert!(at("joined") > at("a") && at("joined") > at("b"), "{sent:?}");
    assert_eq!((sent.len(), verb.world.most_under_way.get()), (4, 2));
}

#[tokio::test(start_paused = true)]
async fn a_step_whose_need_failed_is_not_begun() {
    let mut plan = plan(&["a", "b", "c"]);
    plan.steps[1].needs = vec!["a".to_owned()];
    let verb = Toucher::new(plan, refusing("a"));
    let here = Here::new();
    let error = run(&here, &verb).await.unwrap_err();
    assert_eq!(error.exit_status().code(), 7, "{error}");
    assert_eq!(verb.sent(), ["c"]);
    assert_eq!(here.captured.stdout(), "a failed\nb not-begun\nc done\n");
}

#[tokio::test(start_paused = true)]
async fn all_or_nothing_undoes_in_reverse_and_says_so() {
    let verb = Toucher::new(plan(&["a", "b", "c"]).all_or_nothing(), refusing("c"));
    let here = Here::new();
    let error = run(&here, &verb).await.unwrap_err();
    assert_eq!(verb.sent(), ["a", "b", "unb", "una"]);
    assert_eq!(error.exit_status().code(), 1);
    assert!(
        error.message().contains("everything that was done is undone"),
        "{error}"
    );
    assert_eq!(here.captured.stdout(), "a undone\nb undone\nc failed\n");
    // The plan has named the calls that undo it.
    assert!(here.captured.stderr().contains("undone by world:Touch what=una"));
    let records = here.journal();
    let ids: Vec<&str> = records[0].steps.iter().map(|step| step.id.as_str()).collect();
    assert_eq!(ids, ["a", "b", "c", "undo b", "undo a"]);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_undone_is_named_and_is_status_7() {
    let world = World {
        refuses: vec!["c", "una"],
        ..World::default()
    };
    let verb = Toucher::new(plan(&["a", "b", "c"]).all_or_nothing(), world);
    let here = Here::new();
    let error = run(&here, &verb).await.unwrap_err();
    assert_eq!(error.exit_status().code(), 7);
    assert!(error.message().contains("a stays changed"), "{error}");
    assert_eq!(here.captured.stdout(), "a not-undone\nb undone\nc failed\n");
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_stops_keeps_its_own_words() {
    let mut plan = plan(&["a", "b"]);
    plan.steps[0].on_failure = OnFailure::Stop;
    let verb = Toucher::new(plan, refusing("a"));
    let error = run(&Here::new(), &verb).await.unwrap_err();
    assert_eq!(error.message(), "touch a: refused");
    assert_eq!(verb.sent(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn announced_steps_follow_and_others_do_not() {
    let mut announced = plan(&["a"]);
    announced.steps[0].then = Some(super::plan::Then {
        text: "for each part: touch it".to_owned(),
        calls: vec![Touch::new("b").described()],
    });
    let mut verb = Toucher::new(announced, World::default());
    verb.more = Some(("a", step("b")));
    run(&Here::new(), &verb).await.unwrap();
    assert_eq!(verb.sent(), ["a", "b"]);

    let mut verb = Toucher::new(plan(&["a"]), World::default());
    verb.more = Some(("a", step("b")));
    let error = run(&Here::new(), &verb).await.unwrap_err();
    assert!(error.message().contains("does not announce it"), "{error}");
    assert_eq!(verb.sent(), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_the_plan_does_not_show_is_not_sent() {
    let mut verb = Toucher::new(plan(&["a"]), World::default());
    verb.instead = Some(Touch::new("b"));
    let error = run(&Here::new(), &verb).await.unwrap_err();
    assert!(
        error.message().contains("the approved plan shows no such call"),
        "{error}"
    );
    assert_eq!(verb.sent(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn an_empty_plan_is_done_and_leaves_no_journal() {
    let verb = Toucher::new(plan(&[]), World::default());
    let here = Here::new();
    assert_eq!(run(&here, &verb).await.unwrap(), ExitStatus::Done);
    assert!(here.journal().is_empty() && here.store.keys().is_empty());
}

/// Writes some events and then says that the disk is full.
struct FullAfter(usize);

impl std::io::Write for FullAfter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0 == 0 {
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        self.0 -= 1;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

async fn states(events: usize, words: &[&str]) -> Result<BTreeMap<String, State>> {
    let here = Here::new();
    let verb = Toucher::new(plan(words), World::default());
    let journal = journal::Journal::to(FullAfter(events), &here.clock);
    let leases = held::HeldLeases::none(&here.clock);
    let running = running::Running {
        ui: &here.ui,
        clock: &here.clock,
        cancel: &here.cancel,
        journal: &journal,
        leases: &leases,
        outputs: RefCell::new(BTreeMap::new()),
        deadline: Timestamp::MAX,
    };
    let steps = steps::carry_out(&verb, &running, &plan(words).steps, 1, "").await?;
    Ok(steps.states)
}

#[tokio::test(start_paused = true)]
async fn a_journal_that_fails_after_a_good_write_does_not_make_it_a_failure() {
    // The beginning is written, the end is not.
    let states = states(1, &["a", "b"]).await.unwrap();
    assert!(matches!(states["a"], State::Done { .. }), "{states:?}");
    // What cannot be recorded any more is not begun.
    assert!(matches!(states["b"], State::Failed(_)), "{states:?}");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_recorded_at_all_is_not_begun() {
    assert!(states(0, &["a"]).await.is_err());
}
