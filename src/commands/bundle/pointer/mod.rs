//! Moving the pointers that say which bundle is active on a fleet, forward and back.

mod observe;
mod plan;
pub(crate) mod view;

use serde::{Deserialize, Serialize};

use super::library::Library;
use super::name::BundleName;
use super::verify::Depth;
use crate::aws::ssm::pointer::MovePointer;
use crate::change::journal::Record;
use crate::change::{
    Basis, Call as _, Change, Done, End, Outcome, Plan, Step, StepRun, Target, Verification, Words,
};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::layout::FleetId;
use observe::Seen;
use view::{Moved, PointerResult};

/// Objects of a bundle up to this size are read and hashed before it is activated: a few seconds on any network.
pub(super) const SMALL: u64 = 256 * 1024 * 1024;

/// Where the pointers are to go.
#[derive(Clone, Debug)]
pub(super) enum Wanted {
    Bundle(BundleName),
    /// To what each pointed to before.
    Previous,
    /// To what each pointed to in this version.
    Version(i64),
}

/// `bundle activate`, and with `BACK` `bundle rollback`.
pub(super) struct Move<'a, const BACK: bool> {
    pub(super) ctx: &'a Ctx,
    pub(super) library: Library<'a>,
    pub(super) fleets: Vec<FleetId>,
    pub(super) wanted: Wanted,
    pub(super) depth: Depth,
    /// A bundle that fails its verification is activated all the same.
    pub(super) force: bool,
}

/// One step: the value to write, and what the plan was made for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct MoveAction {
    fleet: FleetId,
    call: MovePointer,
    before: String,
    /// The version that the pointer has before; `None` for a step that takes another one back.
    version: Option<i64>,
}

impl<const BACK: bool> Move<'_, BACK> {
    /// What a pointer holds now.
    async fn pointer(&self, name: &str) -> Result<(String, i64)> {
        let found = self.ctx.aws.parameters(&[name.to_owned()]).await?;
        let parameter = found.found.get(name).ok_or_else(|| {
            CtlError::new(
                ErrorKind::Changed,
                format!("read the parameter `{name}`: it is not there any more"),
            )
        })?;
        Ok((parameter.value.expose().to_owned(), parameter.version))
    }

    fn verb() -> &'static str {
        if BACK { "rollback" } else { "activate" }
    }
}

impl<const BACK: bool> Change for Move<'_, BACK> {
    const NAME: &'static str = if BACK {
        "bundle rollback"
    } else {
        "bundle activate"
    };
    type Seen = Seen;
    type Action = MoveAction;
    /// The number of the new version.
    type Output = i64;
    type Ending = Moved;
    type Document = PointerResult;

    fn words(&self) -> Words {
        let fleets: Vec<String> = self.fleets.iter().map(ToString::to_string).collect();
        Words {
            goal: format!(
                "{} the bundle of {}",
                if BACK { "roll back" } else { "change" },
                fleets.join(", ")
            ),
            thing: "fleet",
            settle: "see the pointers at their new values".to_owned(),
            following: String::new(),
        }
    }

    async fn observe(&self, _target: &Target, _recent: &[Record]) -> Result<Seen> {
        observe::observe(self).await
    }

    fn plan(&self, seen: &Seen, _basis: &Basis<'_>) -> Result<Plan<MoveAction>> {
        Ok(plan::plan(seen, self.force, BACK))
    }

    fn covers(&self, seen: &Seen, _plan: &Plan<MoveAction>) -> Vec<String> {
        seen.fleets.iter().map(|fleet| fleet.fleet.to_string()).collect()
    }

    async fn act(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        let MoveAction {
            fleet,
            call,
            before,
            version,
        } = step.action();
        let (value, found) = self.pointer(&call.name).await?;
        // On the way back: the step that is taken back never got through.
        if version.is_none() && value == call.value {
            return Ok(Done::new("found there already: nothing was written").with(found));
        }
        if value != *before || version.is_some_and(|version| version != found) {
            return Err(CtlError::changed(format!(
                "move `{}`: it is `{value}` (version {found}) by now, and the plan was made for `{before}`{}",
                call.name,
                version
                    .map(|version| format!(" (version {version})"))
                    .unwrap_or_default()
            )));
        }
        let written = step.send(&self.ctx.aws, call).await?;
        if written != found + 1 {
            return Err(CtlError::new(
                ErrorKind::Changed,
                format!(
                    "move `{}`: somebody else wrote version {} between the look and the write, and it is overwritten",
                    call.name,
                    found + 1
                ),
            )
            .hint((
                "see what it was with",
                CommandLine::bpctl(["bundle", "history"]).option("--fleet", fleet.to_string()),
            )));
        }
        let (value, found) = self.pointer(&call.name).await?;
        if value != call.value {
            return Err(CtlError::new(
                ErrorKind::Changed,
                format!(
                    "move `{}`: right after the write it is `{value}` (version {found})",
                    call.name
                ),
            ));
        }
        Ok(Done::new(format!("points to `{value}` (version {written})")).with(written))
    }

    fn undo(&self, step: &Step<MoveAction>) -> Option<Step<MoveAction>> {
        let MoveAction {
            fleet, call, before, ..
        } = &step.action;
        let back = MovePointer {
            name: call.name.clone(),
            value: before.clone(),
        };
        let action = MoveAction {
            fleet: fleet.clone(),
            before: call.value.clone(),
            version: None,
            call: back.clone(),
        };
        let step = Step::new(&step.id, "move the pointer back", vec![back.described()], action);
        Some(step.changing(&call.value, before))
    }

    async fn verify(&self, seen: &Seen, run: &mut Verification<'_, Self>) -> Result<()> {
        let done: Vec<(String, i64)> = run
            .done()
            .into_iter()
            .filter_map(|(step, version)| Some((step.id.clone(), version?)))
            .collect();
        let names: Vec<String> = seen.fleets.iter().map(|fleet| fleet.parameter.clone()).collect();
        let now = self.ctx.aws.parameters(&names).await?;
        for fleet in &seen.fleets {
            let name = fleet.fleet.to_string();
            let Some(parameter) = now.found.get(&fleet.parameter) else {
                continue;
            };
            let written = done
                .iter()
                .find(|(id, _)| *id == name)
                .map(|(_, version)| *version);
            let value = parameter.value.expose().to_owned();
            if written.is_some() {
                let end = if value == fleet.to.value {
                    End::Settled
                } else {
                    End::Overturned(format!(
                        "{name} points to `{value}` again (version {})",
                        parameter.version
                    ))
                };
                run.end(&name, end);
            }
            if written.is_some() || value == fleet.to.value {
                run.ending(
                    &name,
                    Moved::of(fleet, value, parameter.version, written.is_some()),
                );
            }
            if written.is_some() {
                for hint in fleet.next() {
                    self.ctx.ui.hint(hint);
                }
            }
        }
        Ok(())
    }

    fn document(&self, seen: &Seen, outcome: &Outcome<Self>) -> Option<PointerResult> {
        PointerResult::new(seen, &outcome.run, &outcome.endings)
    }

    fn resume(&self, left: &[&str]) -> CommandLine {
        let mut command = CommandLine::bpctl(["bundle", Self::verb()]);
        match &self.wanted {
            Wanted::Bundle(name) => command = command.args([name.to_string()]),
            Wanted::Previous => {}
            Wanted::Version(version) => command = command.option("--to-version", version.to_string()),
        }
        for fleet in left {
            command = command.option("--fleet", *fleet);
        }
        command
    }
}
