//! Moving the pointer that says which image a fleet's new instances start from, forward and back, and replacing the
//! instances that run afterwards.

mod observe;
mod plan;
#[cfg(test)]
mod plan_tests;
pub(crate) mod view;

use std::time::Duration;

use futures::FutureExt as _;
use serde::{Deserialize, Serialize};

use super::history_command;
use crate::aws::ssm::pointer::PointToImage;
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
use crate::iam::{CHANGE, On, Use, Uses};
use crate::layout::{FleetId, ImageId, Layout};
use crate::wait::{Look, Waited, Waiter};
use observe::Seen;
use view::{ImagePointer, PromoteResult};

/// How long Parameter Store may take to look an image up before it shows the new version.
const READ_BACK: Duration = Duration::from_secs(60);

/// Where the pointer is to go.
#[derive(Clone, Debug)]
pub(super) enum Wanted {
    Image(ImageId),
    /// To what the pointer of another fleet names.
    ImageOf(FleetId),
    /// To what it named before, or in this version.
    Before(Option<i64>),
}

/// `ami promote`, and with `BACK` `ami rollback`.
pub(super) struct Move<'a, const BACK: bool> {
    pub(super) ctx: &'a Ctx,
    pub(super) layout: Layout,
    pub(super) fleet: FleetId,
    pub(super) wanted: Wanted,
    /// The instances are replaced afterwards.
    pub(super) refresh: Option<RefreshOptions>,
    /// An image that fails a check is promoted all the same.
    pub(super) force: bool,
}

/// One step.
pub(super) type ImageAction = MoveOrRefresh<MoveAction>;

/// The value to write, and what the plan was made for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct MoveAction {
    call: PointToImage,
    /// `None` when there was no parameter.
    before: Option<String>,
    /// The version that the pointer has before; `None` without a parameter, and for a step that takes another one back.
    version: Option<i64>,
}

/// How something ended.
#[derive(Clone, Debug)]
pub(super) enum Ended {
    Pointer(Box<ImagePointer>),
    Refresh(Box<RefreshResult>),
}

/// What moving a pointer asks for.
pub(super) const MOVES: &[Use] = &[
    Use::of("autoscaling:DescribeAutoScalingGroups", On::Anything),
    Use::of("ec2:DescribeImages", On::Anything),
    Use::of("ec2:DescribeInstanceTypes", On::Anything),
    Use::of("ec2:DescribeInstances", On::Anything),
    Use::of("ec2:DescribeLaunchTemplateVersions", On::Anything),
    Use::of("ssm:GetParameters", On::FleetParameters),
    Use::of("ssm:PutParameter", On::ImagePointers),
];

/// What moving a pointer asks for beside `further`, and what `--refresh` adds.
pub(super) fn uses(further: &[Use]) -> Uses {
    let refreshing = refresh::uses_within();
    if further.is_empty() {
        Uses::of(&[CHANGE, MOVES]).with("--refresh", &refreshing)
    } else {
        Uses::of(&[CHANGE, MOVES, further, &refreshing])
    }
}

impl<'a, const BACK: bool> Move<'a, BACK> {
    /// A fleet goes to an image.
    pub(super) fn to(
        ctx: &'a Ctx,
        layout: Layout,
        fleet: FleetId,
        image: ImageId,
        refresh: Option<RefreshOptions>,
    ) -> Self {
        Self {
            ctx,
            layout,
            fleet,
            wanted: Wanted::Image(image),
            refresh,
            force: false,
        }
    }

    /// What the pointer holds now, and in which version.
    async fn pointer(&self, name: &str) -> Result<Option<(String, i64)>> {
        let mut now = self.ctx.aws.parameters(&[name.to_owned()]).await?;
        let parameter = now.found.remove(name);
        Ok(parameter.map(|parameter| (parameter.value.expose().to_owned(), parameter.version)))
    }

    async fn point(&self, action: &MoveAction, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        let MoveAction {
            call,
            before,
            version,
        } = action;
        let now = self.pointer(&call.name).await?;
        let (value, found) = now.clone().unzip();
        // On the way back: the step that is taken back never got through.
        if let (None, Some(found), Some(true)) =
            (version, found, value.as_ref().map(|value| *value == call.image))
        {
            return Ok(Done::new("found there already: nothing was written").with(Found::Version(found)));
        }
        if value != *before || version.is_some_and(|version| Some(version) != found) {
            return Err(CtlError::changed(format!(
                "move `{}`: it is {} by now, and the plan was made for {}",
                call.name,
                told(now.as_ref()),
                before.as_deref().unwrap_or("no parameter")
            )));
        }
        let written = step.send(&self.ctx.aws, call).await?;
        if found.is_some_and(|found| written != found + 1) {
            return Err(CtlError::new(
                ErrorKind::Changed,
                format!(
                    "move `{}`: somebody else wrote a version between the look and the write, and it is overwritten by version {written}",
                    call.name
                ),
            )
            .hint(("see what it was with", history_command(&self.fleet))));
        }
        self.read_back(call, written).await?;
        let did = format!("points to {} (version {written})", call.image);
        Ok(Done::new(did).with(Found::Version(written)))
    }

    /// Waits until Parameter Store shows the version that was written.
    async fn read_back(&self, call: &PointToImage, written: i64) -> Result<()> {
        let waiter = Waiter::new(&self.ctx.clock, READ_BACK, &self.ctx.cancel);
        let mut last = None;
        let waited = waiter
            .until(
                async || {
                    last = self.pointer(&call.name).await?;
                    Ok(match &last {
                        Some((_, version)) if *version >= written => Look::Ready(()),
                        _ => Look::Pending(format!("waiting for version {written} of `{}`", call.name)),
                    })
                },
                |_| {},
            )
            .await?;
        let holds = last.as_ref().is_some_and(|(value, _)| *value == call.image);
        match waited {
            Waited::Ready(()) if holds => Ok(()),
            Waited::Ready(()) => Err(CtlError::new(
                ErrorKind::Changed,
                format!("move `{}`: right after the write it is {}", call.name, told(last.as_ref())),
            )),
            Waited::TimedOut | Waited::Cancelled => Err(CtlError::new(
                ErrorKind::Failed,
                format!(
                    "move `{}`: version {written} does not appear, it is {}",
                    call.name,
                    told(last.as_ref())
                ),
            )
            .cause("Parameter Store looks an image up after it has answered, and keeps no version that names none")
            .hint((
                "see whether the image is there with",
                CommandLine::bpctl(["ami", "show"]).args([call.image.clone()]),
            ))),
        }
    }

    /// What the pointer and the launch template say now.
    async fn look_again(&self, seen: &Seen, written: Option<i64>) -> Result<(End, ImagePointer)> {
        let template = async {
            match seen.template_name() {
                Some((name, version)) => self.ctx.aws.template_image(name, version, true).await,
                None => Ok(None),
            }
        };
        let (now, resolved) = futures::try_join!(self.pointer(&seen.parameter), template)?;
        let pointer = ImagePointer::of(
            &self.fleet,
            seen,
            now.as_ref(),
            resolved.clone(),
            written.is_some(),
        );
        let value = now.as_ref().map(|(value, _)| value);
        let end = if value != Some(&seen.target) {
            End::Overturned(format!("{} points to {} again", self.fleet, told(now.as_ref())))
        } else if seen.template_name().is_some() && resolved.as_ref() != Some(&seen.target) {
            End::Failed(
                CtlError::new(
                    ErrorKind::Failed,
                    format!(
                        "promote {} to {}: its launch template resolves to {}: new instances do not start from it",
                        seen.target,
                        self.fleet,
                        resolved.as_deref().unwrap_or("no image")
                    ),
                )
                .hint((
                    "see what its instances run with",
                    CommandLine::bpctl(["fleet", "instances"]).args([self.fleet.to_string()]),
                )),
            )
        } else {
            End::Settled
        };
        Ok((end, pointer))
    }
}

/// `ami-… (version 3)`.
fn told(pointer: Option<&(String, i64)>) -> String {
    pointer.map_or_else(
        || "not there".to_owned(),
        |(value, version)| format!("`{value}` (version {version})"),
    )
}

impl<const BACK: bool> Change for Move<'_, BACK> {
    const NAME: &'static str = if BACK { "ami rollback" } else { "ami promote" };
    type Seen = Seen;
    type Action = ImageAction;
    type Output = Found;
    type Ending = Ended;
    type Document = PromoteResult;

    fn words(&self) -> Words {
        let verb = if BACK { "roll back" } else { "change" };
        Words {
            goal: format!("{verb} the image of {}", self.fleet),
            thing: "step",
            settle: format!("see {} at its new image", self.fleet),
            following: format!("{}: waiting to begin", self.fleet),
        }
    }

    async fn observe(&self, target: &Target, recent: &[Record]) -> Result<Seen> {
        observe::observe(self, target, recent).boxed_local().await
    }

    fn plan(&self, seen: &Seen, _basis: &Basis<'_>) -> Result<Plan<ImageAction>> {
        Ok(plan::plan(
            &self.layout,
            &self.fleet,
            seen,
            &plan::Asked {
                refresh: self.refresh.as_ref(),
                force: self.force,
                back: BACK,
            },
        ))
    }

    fn covers(&self, _seen: &Seen, _plan: &Plan<ImageAction>) -> Vec<String> {
        vec![self.fleet.to_string(), step_within(&self.fleet)]
    }

    async fn act(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        match step.action() {
            ImageAction::Move(action) => self.point(action, step).boxed_local().await,
            ImageAction::Refresh(action) => {
                let started = refresh::start(self.ctx, &self.layout, &self.fleet, action, step);
                let (id, did) = started.boxed_local().await?;
                Ok(Done::new(did).with(Found::Refresh(id)))
            }
        }
    }

    fn undo(&self, step: &Step<ImageAction>) -> Option<Step<ImageAction>> {
        let ImageAction::Move(MoveAction { call, before, .. }) = &step.action else {
            return None;
        };
        let before = before.as_ref().filter(|before| before.starts_with("ami-"))?;
        let back = PointToImage {
            image: before.clone(),
            exists: true,
            ..call.clone()
        };
        let action = MoveAction {
            before: Some(call.image.clone()),
            version: None,
            call: back.clone(),
        };
        let calls = vec![back.described()];
        let step = Step::new(
            &step.id,
            "move the pointer back",
            calls,
            ImageAction::Move(action),
        );
        Some(step.changing(&call.image, before))
    }

    async fn verify(&self, seen: &Seen, run: &mut Verification<'_, Self>) -> Result<()> {
        let name = self.fleet.to_string();
        let done = run.done();
        let written = done.iter().find_map(|(_, found)| match found {
            Some(Found::Version(version)) => Some(*version),
            Some(Found::Refresh(_)) | None => None,
        });
        let (end, pointer) = self.look_again(seen, written).await?;
        let in_force = end == End::Settled;
        if written.is_some() {
            run.end(&name, end);
        }
        if written.is_some() || in_force {
            run.ending(&name, Ended::Pointer(Box::new(pointer)));
        }
        if let Some(before) = &seen.group {
            let followed = Followed {
                ctx: self.ctx,
                layout: &self.layout,
                fleet: &self.fleet,
                pause_on_backlog: None,
                before,
            };
            if let Some((step, end, result)) = follow_within(&followed, run).await? {
                run.end(&step, end);
                run.ending(&step, Ended::Refresh(Box::new(result)));
                return Ok(());
            }
        }
        if written.is_some()
            && self.refresh.is_none()
            && let Some(hint) = seen.next(&self.fleet)
        {
            self.ctx.ui.hint(hint);
        }
        Ok(())
    }

    fn document(&self, seen: &Seen, outcome: &Outcome<Self>) -> Option<PromoteResult> {
        PromoteResult::new(&self.fleet, seen, &outcome.run, &outcome.endings)
    }

    fn resume(&self, _left: &[&str]) -> CommandLine {
        let fleet = self.fleet.to_string();
        let command = match &self.wanted {
            Wanted::Image(image) => CommandLine::bpctl(["ami", "promote"])
                .args([image.to_string()])
                .option("--fleet", fleet),
            Wanted::ImageOf(from) => CommandLine::bpctl(["ami", "promote"])
                .option("--from", from.to_string())
                .option("--to", fleet),
            Wanted::Before(None) => CommandLine::bpctl(["ami", "rollback"]).option("--fleet", fleet),
            Wanted::Before(Some(version)) => CommandLine::bpctl(["ami", "rollback"])
                .option("--fleet", fleet)
                .option("--to-version", version.to_string()),
        };
        match (BACK, &self.refresh) {
            (true, None) => command.args(["--no-refresh"]),
            (false, Some(_)) => command.args(["--refresh"]),
            (true, Some(_)) | (false, None) => command,
        }
    }
}
