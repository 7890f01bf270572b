//! Moving the pointers that say which bundle is active on a fleet, forward and back, and replacing the instances that run
//! afterwards.

mod observe;
mod plan;
pub(crate) mod view;

use futures::FutureExt as _;
use serde::{Deserialize, Serialize};

use super::library::Library;
use super::name::BundleName;
use super::verify::Depth;
use crate::aws::ssm::pointer::MovePointer;
use crate::change::journal::Record;
use crate::change::{
    Basis, Call as _, Change, Done, End, Outcome, Plan, Step, StepRun, Target, Verification, Words,
};
use crate::commands::fleet::refresh::follow::Followed;
use crate::commands::fleet::refresh::view::RefreshResult;
use crate::commands::fleet::refresh::within::{Found, MoveOrRefresh, follow_within, step_within};
use crate::commands::fleet::refresh::{self, RefreshOptions};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::layout::FleetId;
use observe::{FleetSeen, Seen};
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
    /// The instances are replaced afterwards.
    pub(super) refresh: Option<RefreshOptions>,
    /// A bundle that fails its verification is activated all the same.
    pub(super) force: bool,
}

/// One step.
type BundleAction = MoveOrRefresh<MoveAction>;

/// The value to write, and what the plan was made for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct MoveAction {
    fleet: FleetId,
    call: MovePointer,
    before: String,
    /// The version that the pointer has before; `None` for a step that takes another one back.
    version: Option<i64>,
}

/// How something ended.
#[derive(Clone, Debug)]
pub(super) enum Ended {
    Pointer(Box<Moved>),
    Refresh(Box<RefreshResult>),
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

    async fn point(&self, action: &MoveAction, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        let MoveAction {
            fleet,
            call,
            before,
            version,
        } = action;
        let (value, found) = self.pointer(&call.name).await?;
        // On the way back: the step that is taken back never got through.
        if version.is_none() && value == call.value {
            return Ok(Done::new("found there already: nothing was written").with(Found::Version(found)));
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
        Ok(Done::new(format!("points to `{value}` (version {written})")).with(Found::Version(written)))
    }

    /// How the refresh of a fleet went, if one was started.
    async fn follow(&self, fleet: &FleetSeen, run: &mut Verification<'_, Self>) -> Result<()> {
        let Some(before) = &fleet.refresh else {
            return Ok(());
        };
        let followed = Followed {
            ctx: self.ctx,
            layout: &self.library.layout,
            fleet: &fleet.fleet,
            pause_on_backlog: None,
            before: &before.nodes.group,
        };
        let Some((step, end, result)) = follow_within(&followed, run).await? else {
            return Ok(());
        };
        let others = result.with_another_bundle();
        let end = if end == End::Settled && run.waits() && !others.is_empty() {
            End::Failed(
                CtlError::new(
                    ErrorKind::Failed,
                    format!(
                        "refresh {}: the refresh has ended, and these instances booted with another bundle: {}",
                        fleet.fleet,
                        others.join(", ")
                    ),
                )
                .hint((
                    "see what instances run with",
                    CommandLine::bpctl(["fleet", "instances"]).args([fleet.fleet.to_string()]),
                )),
            )
        } else {
            end
        };
        run.end(&step, end);
        run.ending(&step, Ended::Refresh(Box::new(result)));
        Ok(())
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
    type Action = BundleAction;
    type Output = Found;
    type Ending = Ended;
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
            settle: if self.refresh.is_some() {
                "see the pointers at their new values and every instance replaced".to_owned()
            } else {
                "see the pointers at their new values".to_owned()
            },
            following: String::new(),
        }
    }

    async fn observe(&self, _target: &Target, recent: &[Record]) -> Result<Seen> {
        observe::observe(self, recent).boxed_local().await
    }

    fn plan(&self, seen: &Seen, _basis: &Basis<'_>) -> Result<Plan<BundleAction>> {
        let asked = plan::Asked {
            layout: &self.library.layout,
            refresh: self.refresh.as_ref(),
            force: self.force,
            back: BACK,
        };
        Ok(plan::plan(seen, &asked))
    }

    fn covers(&self, seen: &Seen, _plan: &Plan<BundleAction>) -> Vec<String> {
        let fleets = seen.fleets.iter().map(|fleet| &fleet.fleet);
        fleets
            .flat_map(|fleet| [fleet.to_string(), step_within(fleet)])
            .collect()
    }

    async fn act(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        match step.action() {
            MoveOrRefresh::Move(action) => self.point(action, step).boxed_local().await,
            MoveOrRefresh::Refresh(action) => {
                let layout = &self.library.layout;
                let mut fleets = self.fleets.iter();
                let fleet = fleets
                    .find(|fleet| step_within(fleet) == step.id())
                    .ok_or_else(|| {
                        CtlError::new(
                            ErrorKind::Unexpected,
                            format!("carry out `{}`: no such fleet is asked for", step.id()),
                        )
                    })?;
                let started = refresh::start(self.ctx, layout, fleet, action, step);
                let (id, did) = started.boxed_local().await?;
                Ok(Done::new(did).with(Found::Refresh(id)))
            }
        }
    }

    fn undo(&self, step: &Step<BundleAction>) -> Option<Step<BundleAction>> {
        let MoveOrRefresh::Move(MoveAction {
            fleet, call, before, ..
        }) = &step.action
        else {
            return None;
        };
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
        let calls = vec![back.described()];
        let step = Step::new(
            &step.id,
            "move the pointer back",
            calls,
            MoveOrRefresh::Move(action),
        );
        Some(step.changing(&call.value, before))
    }

    async fn verify(&self, seen: &Seen, run: &mut Verification<'_, Self>) -> Result<()> {
        let done: Vec<(String, i64)> = run
            .done()
            .into_iter()
            .filter_map(|(step, found)| match found {
                Some(Found::Version(version)) => Some((step.id.clone(), version)),
                Some(Found::Refresh(_)) | None => None,
            })
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
                let moved = Moved::of(fleet, value, parameter.version, written.is_some());
                run.ending(&name, Ended::Pointer(Box::new(moved)));
            }
            self.follow(fleet, run).boxed_local().await?;
            if written.is_some() && self.refresh.is_none() {
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
        let mut fleets: Vec<&str> = left
            .iter()
            .map(|step| step.strip_prefix("refresh ").unwrap_or(step))
            .collect();
        fleets.dedup();
        for fleet in fleets {
            command = command.option("--fleet", fleet);
        }
        if self.refresh.is_some() {
            command = command.args(["--refresh"]);
        }
        command
    }
}
