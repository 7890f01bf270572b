//! The engine with a verb of its own, in a world that is a list of words.

mod earlier_runs;
mod leases;
mod order;

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
    /// Steps that the request can have beside those of the plan.
    about: Vec<&'static str>,
}

impl Toucher {
    fn new(plan: Plan<Touch>, world: World) -> Self {
        Self {
            world,
            plan: RefCell::new(Some(plan)),
            more: None,
            instead: None,
            no_way_back: false,
            about: Vec::new(),
        }
    }

    fn sent(&self) -> Vec<String> {
        let sent = self.world.sent.borrow();
        sent.iter()
            .map(|sent| sent.split(' ').next().unwrap_or_default().to_owned())
            .collect()
    }
}

#[derive(Debug, Serialize, schemars::JsonSchema)]
struct Touched(Vec<(String, String)>);

impl crate::output::Document for Touched {
    const SCHEMA: &'static str = "bpctl.touched/1";
}

impl Render for Touched {
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

    fn covers(&self, _seen: &(), _plan: &Plan<Touch>) -> Vec<String> {
        self.about.iter().map(|&id| id.to_owned()).collect()
    }

    async fn act(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        let call = self.instead.as_ref().unwrap_or(step.action());
        if call.what == "joined" {
            // What the steps before it have found out.
            assert_eq!(step.output("a").as_deref(), Some("a"));
            assert_eq!(step.output("joined"), None);
        }
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
            endpoint: None,
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
