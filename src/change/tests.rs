//! The engine with a verb of its own, in a world that is a list of words.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::clock::Clock;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;
use crate::output::{Render, View};
use crate::process::{Captured, Process};
use crate::ui::{ColorChoice, Ui, Verbosity};

/// What has been sent, and how the world answers.
#[derive(Default)]
struct World {
    sent: RefCell<Vec<String>>,
    refuses: Vec<&'static str>,
    under_way: Cell<usize>,
    most_under_way: Cell<usize>,
}

/// A call that changes one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Touch {
    what: String,
    token: String,
}

impl Touch {
    fn new(what: &str) -> Self {
        Self {
            what: what.to_owned(),
            token: "t".to_owned(),
        }
    }
}

impl Call for Touch {
    const SERVICE: &'static str = "world";
    const OPERATION: &'static str = "Touch";
    const REPEATED: Repeated = Repeated::Recognised;
    const VOLATILE: &'static [&'static str] = &["token"];
    type Via = World;
    type Answer = ();

    fn parameters(&self) -> Map<String, Value> {
        parameters([
            ("what", self.what.as_str().into()),
            ("token", self.token.as_str().into()),
        ])
    }

    fn resource(&self) -> String {
        format!("world/{}", self.what.trim_start_matches("un"))
    }

    async fn send(&self, world: &World, permit: &Permit) -> Result<()> {
        assert_eq!((permit.service(), permit.operation()), ("world", "Touch"));
        world.under_way.set(world.under_way.get() + 1);
        world
            .most_under_way
            .set(world.most_under_way.get().max(world.under_way.get()));
        tokio::task::yield_now().await;
        world.under_way.set(world.under_way.get() - 1);
        if world.refuses.contains(&self.what.as_str()) {
            return Err(CtlError::new(
                ErrorKind::Rejected,
                format!("touch {}: refused", self.what),
            ));
        }
        world
            .sent
            .borrow_mut()
            .push(format!("{} {}", self.what, self.token));
        Ok(())
    }
}

/// A verb that touches things.
struct Toucher {
    world: World,
    plan: RefCell<Option<Plan<Touch>>>,
    /// Steps that `act` adds to the one of this name.
    more: Option<(&'static str, Step<Touch>)>,
    /// What `act` really sends in the place of what the plan shows.
    instead: Option<Touch>,
    no_way_back: bool,
}

impl Toucher {
    fn new(plan: Plan<Touch>, world: World) -> Self {
        Self {
            world,
            plan: RefCell::new(Some(plan)),
            more: None,
            instead: None,
            no_way_back: false,
        }
    }

    fn sent(&self) -> Vec<String> {
        let sent = self.world.sent.borrow();
        sent.iter()
            .map(|sent| sent.split(' ').next().unwrap_or_default().to_owned())
            .collect()
    }
}

#[derive(Debug, Serialize)]
struct Touched(Vec<(String, String)>);

impl Render for Touched {
    fn schema(&self) -> &'static str {
        "bpctl.touched/1"
    }

    fn human(&self, _view: &View) -> String {
        self.0
            .iter()
            .map(|(id, state)| format!("{id} {state}\n"))
            .collect()
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

impl Change for Toucher {
    const NAME: &'static str = "touch";
    type Seen = ();
    type Action = Touch;
    type Output = String;
    type Ending = ();
    type Document = Touched;

    fn words(&self) -> Words {
        Words {
            goal: "touch everything".to_owned(),
            thing: "thing",
            settle: "see it touched".to_owned(),
            following: "waiting".to_owned(),
        }
    }

    async fn observe(&self, _target: &Target, _recent: &[journal::Record]) -> Result<()> {
        Ok(())
    }

    fn plan(&self, _seen: &(), basis: &Basis<'_>) -> Result<Plan<Touch>> {
        let mut plan = self.plan.borrow().clone().expect("a plan");
        // As a verb draws a token for each run.
        for step in &mut plan.steps {
            if step.action.token == "fresh" {
                step.action.token = basis.names.token.clone();
                step.calls = vec![step.action.described()];
            }
        }
        Ok(plan)
    }

    async fn act(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        let call = self.instead.as_ref().unwrap_or(step.action());
        step.send(&self.world, call).await?;
        let mut done = Done::new(format!("touched {}", call.what)).with(call.what.clone());
        if let Some((at, more)) = &self.more
            && step.action().what == *at
        {
            done.more.push(more.clone());
        }
        Ok(done)
    }

    fn undo(&self, step: &Step<Touch>) -> Option<Step<Touch>> {
        if self.no_way_back {
            return None;
        }
        let call = Touch::new(&format!("un{}", step.action.what));
        Some(Step::new(&step.id, "untouch", vec![call.described()], call))
    }

    async fn verify(&self, _seen: &(), _run: &mut Verification<'_, Self>) -> Result<()> {
        Ok(())
    }

    fn document(&self, _seen: &(), outcome: &Outcome<Self>) -> Option<Touched> {
        let told = outcome
            .steps
            .iter()
            .map(|step| (step.id.clone(), history::told(&step.state).0.to_owned()));
        Some(Touched(told.collect()))
    }

    fn resume(&self, left: &[&str]) -> CommandLine {
        CommandLine::bpctl(["touch"]).args(left.iter().copied())
    }
}

fn step(what: &str) -> Step<Touch> {
    let call = Touch::new(what);
    Step::new(what, "touch it", vec![call.described()], call)
}

fn plan(words: &[&str]) -> Plan<Touch> {
    Plan::new("touch", words.iter().map(|word| step(word)).collect())
}

/// Surroundings in memory, but for the state folder.
struct Here {
    ui: Ui,
    captured: Captured,
    clock: Clock,
    cancel: CancellationToken,
    state: Rc<tempfile::TempDir>,
    mode: Mode,
    store: memory::MemoryStore,
    required: bool,
}

impl Here {
    fn new() -> Self {
        Self::beside(
            Rc::new(tempfile::tempdir().expect("a folder")),
            memory::MemoryStore::default(),
        )
    }

    fn beside(state: Rc<tempfile::TempDir>, store: memory::MemoryStore) -> Self {
        let (mut process, captured) = Process::captured(&[]);
        Self {
            ui: Ui::new(&mut process, ColorChoice::Never, Verbosity::Normal),
            captured,
            clock: Clock::starting_at("2026-01-15T09:00:00Z".parse::<Timestamp>().expect("a time"), 1.0),
            cancel: CancellationToken::new(),
            state,
            mode: Mode::Fresh,
            store,
            required: false,
        }
    }

    fn journal(&self) -> Vec<journal::Record> {
        journal::list(self.state.path()).0
    }
}

impl Ground for Here {
    type Store<'a> = memory::MemoryStore;

    fn ui(&self) -> &Ui {
        &self.ui
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    fn cancel(&self) -> &CancellationToken {
        &self.cancel
    }

    fn state_dir(&self) -> Option<&Path> {
        Some(self.state.path())
    }

    fn wait_timeout(&self) -> Duration {
        Duration::from_secs(600)
    }

    fn command_line(&self) -> &[String] {
        &[]
    }

    fn mode(&self) -> &Mode {
        &self.mode
    }

    fn aws_caveat(&self) -> Option<String> {
        None
    }

    fn shared(&self) -> Shared<memory::MemoryStore> {
        Shared {
            store: Some(self.store.clone()),
            required: self.required,
        }
    }

    fn emit<R: Render>(&self, result: &R) -> Result<()> {
        self.ui.result(&result.human(&View {
            wide: false,
            width: None,
            color: false,
        }))
    }

    fn emit_outcome<R: Render>(&self, result: &R, outcome: Result<ExitStatus>) -> Result<ExitStatus> {
        self.emit(result)?;
        outcome
    }

    async fn target(&self) -> Result<Target> {
        Ok(Target {
            context: "here".to_owned(),
            account: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
            protected: false,
            production: false,
            principal: "arn:aws:iam::123456789012:user/operator".to_owned(),
        })
    }
}

fn yes() -> ChangeArgs {
    ChangeArgs {
        yes: true,
        ..ChangeArgs::default()
    }
}

async fn run(here: &Here, verb: &Toucher) -> Result<ExitStatus> {
    carry_out(here, verb, &yes()).await
}

fn refusing(what: &'static str) -> World {
    World {
        refuses: vec![what],
        ..World::default()
    }
}

#[tokio::test(start_paused = true)]
async fn steps_wait_for_what_they_need_and_run_side_by_side_up_to_the_bound() {
    let mut plan = plan(&["c", "a", "b", "d"]);
    plan.steps[0].needs = vec!["a".to_owned(), "b".to_owned()];
    plan.at_once = 2;
    let verb = Toucher::new(plan, World::default());
    let here = Here::new();
    assert_eq!(run(&here, &verb).await.unwrap(), ExitStatus::Done);
    let sent = verb.sent();
    let at = |what: &str| sent.iter().position(|sent| sent == what).unwrap();
    assert!(at("c") > at("a") && at("c") > at("b"), "{sent:?}");
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
    let running = running::Running {
        ui: &here.ui,
        clock: &here.clock,
        cancel: &here.cancel,
        journal: &journal,
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

/// Cuts the journal of a run off in the middle of its only step, as a kill does.
fn cut_off(here: &Here) -> journal::Record {
    let [record] = here.journal().try_into().expect("one run");
    let path = here.state.path().join(format!("journal/{}.jsonl", record.run));
    let text = std::fs::read_to_string(&path).expect("a journal");
    let kept: Vec<&str> = text.lines().take(2).collect();
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
    let sent = verb.world.sent.borrow();
    assert_eq!(sent[0], sent[1], "the same token");
    drop(sent);
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
            args: yes(),
        }),
    );
    run(&here, &verb).await.unwrap();
    assert_eq!(verb.sent(), ["a", "b", "unb", "una"]);
    let verb = Toucher {
        no_way_back: true,
        ..Toucher::new(plan(&["a", "b"]), World::default())
    };
    let error = run(&here, &verb).await.unwrap_err();
    assert!(error.message().contains("there is no way back"), "{error}");
}
