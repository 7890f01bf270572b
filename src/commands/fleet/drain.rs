//! `bpctl fleet drain`: takes one instance out of a fleet, when it has no work.

use std::time::Duration;

use clap::Args;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::protect::{instance, known};
use crate::aws::autoscaling::{Group, Instance, Phase, TerminateInstance};
use crate::change::journal::Record;
use crate::change::{
    Basis, Blocker, Call as _, Change, ChangeArgs, Done, End, Loss, Outcome, Plan, Readiness, RunId, Step,
    StepRun, Target, Verification, Words, carry_out,
};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};
use crate::exit::ExitStatus;
use crate::fleet::hold::LAUNCH;
use crate::fleet::{Verdict, Work, look_at_work, named_one};
use crate::iam::{CHANGE, On, Use, Uses};
use crate::layout::{FleetId, FleetName, InstanceId, Layout};
use crate::output::{Render, Table, View};
use crate::wait::{Look, Waited, Waiter};

/// Take one instance out of a fleet once it has no work, and see it leave
///
/// AWS knows of an instance whether it is protected from scale-in, and the metrics know of the whole fleet whether jobs
/// wait or run: it is taken out when it is not protected and no job of the fleet is waiting or running. `--force` does
/// not wait, and loses the job that it may have. bpctl cannot keep its worker from taking the next job.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl fleet drain production/gpu-default --instance i-0123456789abcdef0              one instance fewer
  bpctl fleet drain production/gpu-default --instance i-0123456789abcdef0 --replace    another one in its place
  bpctl fleet drain production/gpu-default --instance i-0123456789abcdef0 --timeout 2h")]
pub(crate) struct DrainArgs {
    /// The fleet, e.g. production/gpu-default
    #[arg(value_name = "FLEET", add = crate::completion::fleets())]
    fleet: FleetName,

    /// The instance
    #[arg(long, value_name = "ID", value_parser = instance)]
    instance: InstanceId,

    /// Let the fleet start another one in its place
    #[arg(long)]
    replace: bool,

    /// Do not wait: a job that it has is lost
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    change: ChangeArgs,
}

impl Verb for DrainArgs {
    fn uses() -> Uses {
        Uses::of(&[
            CHANGE,
            &[
                Use::of("autoscaling:DescribeAutoScalingGroups", On::Anything),
                Use::of("autoscaling:TerminateInstanceInAutoScalingGroup", On::Groups),
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
        let change = Drain {
            ctx,
            layout,
            fleet,
            instance: self.instance.to_string(),
            replace: self.replace,
            force: self.force,
        };
        carry_out(ctx, &change, &self.change).await
    }
}

struct Drain<'a> {
    ctx: &'a Ctx,
    layout: Layout,
    fleet: FleetId,
    instance: String,
    replace: bool,
    force: bool,
}

/// The one step.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct TakeOut {
    call: TerminateInstance,
    group: String,
    force: bool,
}

/// The result document.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct DrainResult {
    run: RunId,
    fleet: FleetId,
    instance: String,
    /// `terminated`, or the lifecycle state that it was in last.
    state: String,
    /// Desired capacity of the fleet now.
    desired: u32,
    /// Whether another one is started in its place.
    replaced: bool,
}

fn find<'g>(group: &'g Group, id: &str) -> Option<&'g Instance> {
    group.instances.iter().find(|one| one.id == id)
}

/// Why an instance is not taken out yet; `None` when nothing speaks against it.
fn holds_back(instance: &Instance, work: &Work) -> Option<String> {
    if instance.protected {
        return Some("protected from scale-in".to_owned());
    }
    (work.verdict() != Verdict::Idle).then(|| format!("not protected, but of its fleet {}", known(work)))
}

impl Drain<'_> {
    fn blocked(&self, kind: ErrorKind, why: &str, hint: Hint) -> Blocker {
        Blocker {
            kind,
            reason: format!("{}: {why}", self.words().goal),
            hint,
        }
    }

    /// The step that takes the instance out, where it stands.
    fn step(&self, group: &Group, found: &Instance, work: &Work) -> Step<TakeOut> {
        let holds = holds_back(found, work);
        let call = TerminateInstance {
            instance: self.instance.clone(),
            decrement: !self.replace,
            resource: format!("asg/{}", self.fleet),
            loses: (self.force && holds.is_some())
                .then(|| Loss::Work(format!("the job that {} may have", self.instance))),
        };
        let calls = vec![call.described()];
        let action = TakeOut {
            call,
            group: group.name.clone(),
            force: self.force,
        };
        let summary = match self.replace {
            true => "terminate it; the fleet starts another one",
            false => "terminate it, and lower the desired capacity by one",
        };
        let mut step = Step::new(&self.instance, summary, calls, action);
        let after = if self.replace {
            group.desired
        } else {
            group.desired.saturating_sub(1)
        };
        step = step.changing(format!("desired {}", group.desired), format!("desired {after}"));
        step.notes.push(match &holds {
            Some(why) if self.force => format!("it is {why}: it is not waited for"),
            Some(why) => format!("waits while it is {why}"),
            None => format!("it is not protected, and of its fleet {}", known(work)),
        });
        step.waits = !self.force;
        step
    }
}

impl Change for Drain<'_> {
    const NAME: &'static str = "fleet drain";
    type Seen = (Group, Work);
    type Action = TakeOut;
    type Output = String;
    type Ending = (String, u32);
    type Document = DrainResult;

    fn words(&self) -> Words {
        Words {
            goal: format!("take {} out of {}", self.instance, self.fleet),
            thing: "instance",
            settle: format!("see {} leave", self.instance),
            following: format!("{}: waiting until it has no work", self.instance),
        }
    }

    async fn observe(&self, _target: &Target, _recent: &[Record]) -> Result<(Group, Work)> {
        look_at_work(&self.ctx.aws, &self.layout, &self.fleet).await
    }

    fn plan(&self, (group, work): &(Group, Work), _basis: &Basis<'_>) -> Result<Plan<TakeOut>> {
        let mut plan = Plan::new(self.words().goal, Vec::new());
        let Some(found) = find(group, &self.instance) else {
            let list = CommandLine::bpctl(["fleet", "instances"]).args([self.fleet.to_string()]);
            let hint = Hint::from(("see its instances with", list));
            plan.absent = Some(self.blocked(ErrorKind::NotFound, "it is not in this fleet", hint));
            return Ok(plan);
        };
        if found.phase == Phase::Terminating {
            plan.warnings
                .push(format!("{} is leaving already", self.instance));
            return Ok(plan);
        }
        if !self.replace && group.desired <= group.min {
            let scale = CommandLine::bpctl(["fleet", "scale"]).args([self.fleet.to_string()]);
            let lower = scale.option("--min", group.min.saturating_sub(1).to_string());
            let why = format!("the fleet is at its minimum of {}", group.min);
            let hint = Hint::from((
                "let another one take its place with `--replace`, or first run",
                lower,
            ));
            plan.blockers.push(self.blocked(ErrorKind::Conflict, &why, hint));
        }
        if self.replace && group.is_suspended(LAUNCH) {
            plan.warnings.push(format!(
                "{}: its process `{LAUNCH}` is suspended: no instance takes the place before it is resumed",
                self.fleet
            ));
        }
        plan.steps.push(self.step(group, found, work));
        Ok(plan)
    }

    fn covers(&self, _seen: &(Group, Work), _plan: &Plan<TakeOut>) -> Vec<String> {
        vec![self.instance.clone()]
    }

    async fn ready(&self, steps: &[&Step<TakeOut>]) -> Result<Vec<Readiness>> {
        let (group, work) = look_at_work(&self.ctx.aws, &self.layout, &self.fleet).await?;
        let holds = find(&group, &self.instance).and_then(|found| holds_back(found, &work));
        let readiness = match holds {
            Some(why) => Readiness::NotYet(why),
            None => Readiness::Now,
        };
        Ok(steps.iter().map(|_| readiness.clone()).collect())
    }

    async fn act(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        let TakeOut { call, group, force } = step.action();
        let group = self.ctx.aws.group(group).await?;
        let Some(found) = find(&group, &call.instance) else {
            return Ok(Done::new("found gone already: nothing was sent"));
        };
        if found.phase == Phase::Terminating {
            return Ok(Done::new("found leaving already: nothing was sent"));
        }
        if found.protected && !force {
            return Err(CtlError::changed(format!(
                "{}: it is protected from scale-in by now",
                self.words().goal
            )));
        }
        let activity = step.send(&self.ctx.aws, call).await?;
        step.note("activity", &activity);
        Ok(Done::new(format!("told {} to leave", call.instance)).with(activity))
    }

    async fn verify(&self, (group, _): &(Group, Work), run: &mut Verification<'_, Self>) -> Result<()> {
        let is_done = !run.done().is_empty();
        let name = &group.name;
        let look = async || {
            let group = self.ctx.aws.group(name).await?;
            let state = find(&group, &self.instance).map(|one| one.state.clone());
            let over = state.is_none() || !is_done || !run.waits();
            let state = state.unwrap_or_else(|| "terminated".to_owned());
            Ok(if over {
                Look::Ready((state, group.desired))
            } else {
                Look::Pending(format!("{} is {state}", self.instance))
            })
        };
        let waiter = Waiter::new(&self.ctx.clock, run.remaining(), &self.ctx.cancel)
            .pace(Duration::from_secs(2), Duration::from_secs(10));
        let waited = waiter.until(look, |text| self.ctx.ui.status(text)).await?;
        match waited {
            Waited::Ready(ending) => {
                if is_done {
                    run.end(&self.instance, End::Settled);
                }
                run.ending(&self.instance, ending);
            }
            Waited::TimedOut | Waited::Cancelled => run.end(
                &self.instance,
                End::Running {
                    what: "it is still leaving".to_owned(),
                    hint: Hint::from((
                        "see it with",
                        CommandLine::bpctl(["fleet", "activity"]).args([self.fleet.to_string()]),
                    )),
                },
            ),
        }
        Ok(())
    }

    fn document(&self, _seen: &(Group, Work), outcome: &Outcome<Self>) -> Option<DrainResult> {
        let (state, desired) = outcome.endings.get(&self.instance)?;
        Some(DrainResult {
            run: outcome.run.clone(),
            fleet: self.fleet.clone(),
            instance: self.instance.clone(),
            state: state.clone(),
            desired: *desired,
            replaced: self.replace,
        })
    }

    fn resume(&self, _left: &[&str]) -> CommandLine {
        let command = CommandLine::bpctl(["fleet", "drain"])
            .args([self.fleet.to_string()])
            .option("--instance", &self.instance);
        let flags = [(self.replace, "--replace"), (self.force, "--force")];
        let flags = flags.into_iter().filter(|(is_set, _)| *is_set);
        command.args(flags.map(|(_, flag)| flag))
    }
}

impl Render for DrainResult {
    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["FLEET", "INSTANCE", "STATE", "DESIRED"]);
        table.row([
            self.fleet.to_string(),
            self.instance.clone(),
            self.state.clone(),
            self.desired.to_string(),
        ]);
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        vec![self.instance.clone()]
    }
}
