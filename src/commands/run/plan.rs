//! From what was asked and what was seen to what will be done.

use super::follow::following;
use super::observe::EarlierTask;
use super::request::Request;
use crate::aws::ecs::short;
use crate::change::{Basis, Blocker, Loss, Plan};
use crate::error::{CommandLine, ErrorKind, Hint, Result};
use crate::tasks::{Place, Start, shell_line};

/// The only step.
pub(super) const STEP: &str = "task";

/// What the reads showed.
#[derive(Clone, Debug)]
pub(super) struct Observed {
    pub(super) place: Place,
    /// A migration that is under way; looked for by `seed` alone.
    pub(super) migration: Option<String>,
    /// A seeder that is under way; looked for by `seed` alone.
    pub(super) seeding: Option<String>,
    /// Tasks of runs of this verb that were cut off, which have not stopped.
    pub(super) cut_off: Vec<EarlierTask>,
}

/// What will be done, and what speaks against it.
pub(super) fn plan(verb: &str, request: &Request, seen: &Observed, basis: &Basis<'_>) -> Result<Plan<Start>> {
    let mut start = start(verb, request, seen, basis)?;
    let same = |task: &&EarlierTask| {
        (&task.call.container, &task.call.command) == (&start.call.container, &start.call.command)
    };
    if let Some(task) = seen.cut_off.iter().find(same) {
        start.going_on = Some(task.arn.clone());
        return Ok(go_on(request, start, task));
    }
    let blockers = blockers(verb, seen, &start);
    let line = shell_line(&request.words)?;
    let step = start.step(STEP, &line, &reasons(request), |start| start);
    Ok(Plan {
        warnings: warnings(request, seen, basis.target.production),
        blockers,
        ..Plan::new(title(request), vec![step])
    })
}

fn title(request: &Request) -> String {
    if request.seeds {
        "seed the database".to_owned()
    } else {
        format!("run a command in {}", request.container)
    }
}

/// Follows what an earlier run has started instead of starting the same a second time.
fn go_on(request: &Request, start: Start, task: &EarlierTask) -> Plan<Start> {
    let summary = format!(
        "go on with task {}, which run {} started before it was cut off",
        short(&task.arn),
        task.run
    );
    let step = start.bare_step(STEP, summary, &reasons(request), |start| start);
    Plan::new(title(request), vec![step])
}

/// For what the task may have to be stopped.
fn reasons(request: &Request) -> Vec<&'static str> {
    let stops = request.task.stop_on_interrupt;
    stops.then_some(following("").stop_reason).into_iter().collect()
}

fn start(verb: &str, request: &Request, seen: &Observed, basis: &Basis<'_>) -> Result<Start> {
    let mut start = Start::of(verb, &request.words, &request.task, &seen.place, basis)?;
    let loses = request.seeds && basis.target.production;
    start.call.loses = loses.then(|| Loss::Data("rows of the database that the seeders replace".to_owned()));
    start.call.aside = !request.seeds;
    Ok(start)
}

fn warnings(request: &Request, seen: &Observed, production: bool) -> Vec<String> {
    let mut warnings = Vec::new();
    if production {
        warnings.push("this is production".to_owned());
    }
    let has = |word: &str| request.words.iter().any(|given| given.contains(word));
    if has("pools-migrate")
        || (has("artisan") && request.words.iter().any(|word| word.starts_with("migrate")))
    {
        warnings.push(
            "this migrates databases, and no other migration is kept out: that is what the verb migrate is for"
                .to_owned(),
        );
    }
    warnings.extend(seen.place.mute());
    warnings
}

fn blockers(verb: &str, seen: &Observed, start: &Start) -> Vec<Blocker> {
    let mut blockers = Vec::new();
    let mut block = |kind, reason: String, hint: Hint| blockers.push(Blocker { kind, reason, hint });
    if let Some(migration) = &seen.migration {
        block(
            ErrorKind::Conflict,
            format!("{verb}: a migration is under way: task {migration}"),
            Hint::from((
                "follow it with",
                CommandLine::bpctl(["migrate"]).option("--attach", migration),
            )),
        );
    }
    if let Some(seeding) = &seen.seeding {
        block(
            ErrorKind::Conflict,
            format!("{verb}: the database is being seeded already: task {seeding}"),
            Hint::from((
                "follow it with",
                CommandLine::bpctl(["run"]).option("--attach", seeding),
            )),
        );
    }
    blockers.extend(start.blockers(verb, &seen.place));
    blockers
}
