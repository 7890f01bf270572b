//! `bpctl fleet protect`: instances that scale-in leaves alone, or no longer.

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aws::autoscaling::{Group, PROTECTED_AT_ONCE, Phase, SetInstanceProtection};
use crate::change::journal::Record;
use crate::change::{
    Basis, Blocker, Call as _, Change, ChangeArgs, Done, End, Outcome, Plan, RunId, Step, StepRun, Target,
    Verification, Words, carry_out,
};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};
use crate::exit::ExitStatus;
use crate::fleet::{Verdict, Work, look_at_work, named_one};
use crate::iam::{CHANGE, On, Use, Uses};
use crate::layout::{FleetId, FleetName, InstanceId, InvalidName, Layout};
use crate::output::{Render, Table, View, counted};

/// Protect instances of a fleet from scale-in, or take the protection away
///
/// Workers set and clear the protection of their own instance around each job, where their environment lets them: what is
/// set here, the next job may overwrite. Protection keeps an instance from being chosen when the fleet shrinks; it does
/// not keep Spot from taking it back, nor `fleet drain` or a refresh that ignores it.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("which").required(true).args(["instances", "all"])))]
#[command(after_help = "Examples:
  bpctl fleet protect production/gpu-default --instance i-0123456789abcdef0
  bpctl fleet protect production/gpu-default --all          every instance that is there now
  bpctl fleet protect production/gpu-default --all --off    they may go again")]
pub(crate) struct ProtectArgs {
    /// The fleet, e.g. production/gpu-default
    #[arg(value_name = "FLEET", add = crate::completion::fleets())]
    fleet: FleetName,

    /// An instance; may be given several times
    #[arg(long = "instance", value_name = "ID", value_parser = instance)]
    instances: Vec<InstanceId>,

    /// Every instance that the fleet has now
    #[arg(long)]
    all: bool,

    /// Take the protection away
    #[arg(long)]
    off: bool,

    #[command(flatten)]
    change: ChangeArgs,
}

/// For clap.
pub(super) fn instance(text: &str) -> Result<InstanceId, String> {
    text.parse().map_err(|error: InvalidName| error.to_string())
}

impl Verb for ProtectArgs {
    fn uses() -> Uses {
        Uses::of(&[
            CHANGE,
            &[
                Use::of("autoscaling:DescribeAutoScalingGroups", On::Anything),
                Use::of("autoscaling:SetInstanceProtection", On::Groups),
                Use::of("cloudwatch:GetMetricData", On::Anything),
            ],
        ])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        let fleet = ctx
            .unless_interrupted(named_one(&ctx.aws, &layout, &self.fleet))
            .await?;
        let change = Protect {
            ctx,
            layout,
            fleet,
            instances: self.instances.iter().map(ToString::to_string).collect(),
            protected: !self.off,
        };
        carry_out(ctx, &change, &self.change).await
    }
}

struct Protect<'a> {
    ctx: &'a Ctx,
    layout: Layout,
    fleet: FleetId,
    /// Empty: all of them.
    instances: Vec<String>,
    protected: bool,
}

/// The result document.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ProtectResult {
    run: RunId,
    fleet: FleetId,
    instances: Vec<Row>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    id: String,
    lifecycle_state: String,
    protected_from_scale_in: bool,
}

/// One batch.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Set(SetInstanceProtection);

impl Protect<'_> {
    fn word(&self) -> &'static str {
        if self.protected {
            "protected"
        } else {
            "unprotected"
        }
    }

    fn is_asked(&self, id: &str) -> bool {
        self.instances.is_empty() || self.instances.iter().any(|one| one == id)
    }

    /// Names of the steps: the first is called after the fleet.
    fn step_id(&self, number: usize) -> String {
        match number {
            0 => self.fleet.to_string(),
            _ => format!("{} ({})", self.fleet, number + 1),
        }
    }
}

impl Change for Protect<'_> {
    const NAME: &'static str = "fleet protect";
    type Seen = (Group, Work);
    type Action = Set;
    type Output = ();
    type Ending = Group;
    type Document = ProtectResult;

    fn words(&self) -> Words {
        let verb = if self.protected { "protect" } else { "unprotect" };
        Words {
            goal: format!("{verb} instances of {}", self.fleet),
            thing: "batch",
            settle: format!("see the protection of instances of {}", self.fleet),
            following: String::new(),
        }
    }

    async fn observe(&self, _target: &Target, _recent: &[Record]) -> Result<(Group, Work)> {
        look_at_work(&self.ctx.aws, &self.layout, &self.fleet).await
    }

    fn plan(&self, (group, work): &(Group, Work), _basis: &Basis<'_>) -> Result<Plan<Set>> {
        let goal = self.words().goal;
        let mut plan = Plan::new(goal.clone(), Vec::new());
        for id in &self.instances {
            if !group.instances.iter().any(|one| one.id == *id) {
                let list = CommandLine::bpctl(["fleet", "instances"]).args([self.fleet.to_string()]);
                plan.blockers.push(Blocker {
                    kind: ErrorKind::NotFound,
                    reason: format!("{goal}: `{id}` is none of them"),
                    hint: Hint::from(("see its instances with", list)),
                });
            }
        }
        let asked = || group.instances.iter().filter(|one| self.is_asked(&one.id));
        for leaving in asked().filter(|one| one.phase == Phase::Terminating) {
            plan.warnings
                .push(format!("{} is leaving: it is left alone", leaving.id));
        }
        let ids: Vec<String> = asked()
            .filter(|one| one.phase != Phase::Terminating && one.protected != self.protected)
            .map(|one| one.id.clone())
            .collect();
        for (number, batch) in ids.chunks(PROTECTED_AT_ONCE).enumerate() {
            let call = SetInstanceProtection {
                group: group.name.clone(),
                instances: batch.to_vec(),
                protected: self.protected,
                resource: format!("asg/{}", self.fleet),
            };
            let summary = match batch {
                [only] => format!("set {only} to {}", self.word()),
                many => format!("set {} instances to {}", many.len(), self.word()),
            };
            let calls = vec![call.described()];
            plan.steps
                .push(Step::new(self.step_id(number), summary, calls, Set(call)));
        }
        if let Some(first) = plan.steps.first_mut() {
            first.notes.push(
                "workers set the protection of their own instance around a job, where they can: theirs overwrites this"
                    .to_owned(),
            );
            if !self.protected && work.verdict() != Verdict::Idle {
                plan.warnings.push(format!(
                    "{}: {}; when it shrinks, an instance that works may be chosen",
                    self.fleet,
                    known(work)
                ));
            }
        }
        Ok(plan)
    }

    fn covers(&self, (group, _): &(Group, Work), _plan: &Plan<Set>) -> Vec<String> {
        let most = group.instances.len().div_ceil(PROTECTED_AT_ONCE).max(1);
        (0..most).map(|number| self.step_id(number)).collect()
    }

    async fn act(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        let Set(call) = step.action();
        let group = self.ctx.aws.group(&call.group).await?;
        if call.left(&group).next().is_none() {
            return Ok(Done::new(format!(
                "found {} already: nothing was written",
                self.word()
            )));
        }
        let gone = call.instances.iter().find(|id| {
            let mut instances = group.instances.iter();
            !instances.any(|one| one.id == **id)
        });
        if let Some(gone) = gone {
            return Err(CtlError::changed(format!(
                "{}: `{gone}` has left the fleet since the plan was made",
                self.words().goal
            )));
        }
        let group = step.send(&self.ctx.aws, call).await?;
        let left: Vec<&str> = call.left(&group).collect();
        if left.is_empty() {
            let count = counted(call.instances.len() as u64, "instance");
            return Ok(Done::new(format!("set {count} to {}", self.word())));
        }
        Err(CtlError::new(
            ErrorKind::Failed,
            format!(
                "{}: right after the write {} is not {}",
                self.words().goal,
                left.join(", "),
                self.word()
            ),
        )
        .hint("its worker may have set it: look again when its job is done"))
    }

    fn undo(&self, step: &Step<Set>) -> Option<Step<Set>> {
        let Set(call) = &step.action;
        let back = SetInstanceProtection {
            protected: !call.protected,
            ..call.clone()
        };
        let calls = vec![back.described()];
        Some(Step::new(&step.id, "set the protection back", calls, Set(back)))
    }

    async fn verify(&self, (group, _): &(Group, Work), run: &mut Verification<'_, Self>) -> Result<()> {
        let group = self.ctx.aws.group(&group.name).await?;
        let done: Vec<(String, Vec<String>)> = run
            .done()
            .iter()
            .map(|(step, _)| {
                let left = step.action.0.left(&group).map(str::to_owned);
                (step.id.clone(), left.collect())
            })
            .collect();
        for (id, left) in done {
            run.end(
                id,
                match left.is_empty() {
                    true => End::Settled,
                    false => End::Overturned(format!("{} changed again", left.join(", "))),
                },
            );
        }
        run.ending(self.fleet.to_string(), group);
        Ok(())
    }

    fn document(&self, _seen: &(Group, Work), outcome: &Outcome<Self>) -> Option<ProtectResult> {
        let group = outcome.endings.get(&self.fleet.to_string())?;
        let instances = group.instances.iter().filter(|one| self.is_asked(&one.id));
        Some(ProtectResult {
            run: outcome.run.clone(),
            fleet: self.fleet.clone(),
            instances: instances
                .map(|one| Row {
                    id: one.id.clone(),
                    lifecycle_state: one.state.clone(),
                    protected_from_scale_in: one.protected,
                })
                .collect(),
        })
    }

    fn resume(&self, _left: &[&str]) -> CommandLine {
        let mut command = CommandLine::bpctl(["fleet", "protect"]).args([self.fleet.to_string()]);
        for id in &self.instances {
            command = command.option("--instance", id);
        }
        if self.instances.is_empty() {
            command = command.args(["--all"]);
        }
        match self.protected {
            true => command,
            false => command.args(["--off"]),
        }
    }
}

/// What the metrics say of a fleet's work.
pub(super) fn known(work: &Work) -> String {
    match work.verdict() {
        Verdict::Idle => "no job is waiting or running".to_owned(),
        Verdict::Busy { queued, busy_workers } => format!(
            "{} not done, {} at work",
            counted(queued, "job"),
            counted(busy_workers, "worker")
        ),
        Verdict::Unknown { why } => format!("it is not known whether it works: {why}"),
    }
}

impl Render for ProtectResult {
    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["INSTANCE", "STATE", "PROTECTED"]);
        for row in &self.instances {
            let protected = if row.protected_from_scale_in { "yes" } else { "no" };
            table.row([row.id.clone(), row.lifecycle_state.clone(), protected.to_owned()]);
        }
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        self.instances.iter().map(|row| row.id.clone()).collect()
    }
}
