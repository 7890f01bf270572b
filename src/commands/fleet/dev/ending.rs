//! `bpctl fleet dev stop` and `bpctl fleet dev terminate`.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args;
use serde::{Deserialize, Serialize};

use super::super::protect::instance;
use super::view::{DevInstance, EndingResult};
use super::{MAKERS, MANAGED_BY, SLUG, STAGE, state};
use crate::aws::ec2::{DeleteSecurityGroup, Machine, StopInstances, TerminateInstances};
use crate::change::journal::Record;
use crate::change::{
    Basis, Blocker, Call as _, Change, ChangeArgs, Done, End, Later, Loss, Outcome, Plan, Readiness, Step,
    StepRun, Target, Verification, Words, carry_out,
};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, ErrorKind, Hint, Result};
use crate::exit::ExitStatus;
use crate::iam::{CHANGE, On, Use, Uses};
use crate::layout::InstanceId;
use crate::wait::{Look, Waited, Waiter};

/// Stop development instances; their disks stay, and are paid for
///
/// One that is started again (by the console or the aws tool) keeps its disk, gets another address, and has no timer
/// that stops it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl fleet dev stop i-0123456789abcdef0")]
pub(crate) struct StopArgs {
    /// The instances, as `fleet dev list` has them
    #[arg(value_name = "ID", required = true, value_parser = instance)]
    instances: Vec<InstanceId>,

    #[command(flatten)]
    change: ChangeArgs,
}

/// Terminate development instances, with their disks
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl fleet dev terminate i-0123456789abcdef0
  bpctl fleet dev terminate i-0123456789abcdef0 --cleanup    its security group as well, if nothing else uses it")]
pub(crate) struct TerminateArgs {
    /// The instances, as `fleet dev list` has them
    #[arg(value_name = "ID", required = true, value_parser = instance)]
    instances: Vec<InstanceId>,

    /// Delete their security groups as well, where nothing else uses them
    #[arg(long)]
    cleanup: bool,

    #[command(flatten)]
    change: ChangeArgs,
}

fn names(ids: &[InstanceId]) -> Vec<String> {
    let mut names: Vec<String> = ids.iter().map(ToString::to_string).collect();
    names.sort();
    names.dedup();
    names
}

impl Verb for StopArgs {
    fn uses() -> Uses {
        Uses::of(&[
            CHANGE,
            &[
                Use::of("ec2:DescribeInstances", On::Anything),
                Use::of("ec2:StopInstances", On::DevInstances),
            ],
        ])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let ending: Ending<'_, false> = Ending {
            ctx,
            ids: names(&self.instances),
            cleanup: false,
        };
        carry_out(ctx, &ending, &self.change).await
    }
}

impl Verb for TerminateArgs {
    fn uses() -> Uses {
        Uses::of(&[
            CHANGE,
            &[
                Use::of("ec2:DescribeInstances", On::Anything),
                Use::of("ec2:TerminateInstances", On::DevInstances),
            ],
        ])
        .with(
            "--cleanup",
            &[
                Use::of("ec2:DeleteSecurityGroup", On::DevSecurityGroups),
                Use::of("ec2:DescribeNetworkInterfaces", On::Anything),
                Use::of("ec2:DescribeSecurityGroups", On::Anything),
            ],
        )
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let ending: Ending<'_, true> = Ending {
            ctx,
            ids: names(&self.instances),
            cleanup: self.cleanup,
        };
        carry_out(ctx, &ending, &self.change).await
    }
}

/// `fleet dev stop`, and with `FOR_GOOD` `fleet dev terminate`.
struct Ending<'a, const FOR_GOOD: bool> {
    ctx: &'a Ctx,
    ids: Vec<String>,
    cleanup: bool,
}

/// What is so before.
#[derive(Debug)]
struct Seen {
    machines: Vec<Machine>,
    /// Of each security group that may be deleted, how many interfaces of other instances it is on.
    groups: BTreeMap<String, usize>,
    /// Security groups that a run that was cut off was about to delete: they may be gone by now.
    begun: Vec<String>,
}

/// One step.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Action {
    Stop(StopInstances),
    Terminate(TerminateInstances),
    /// Once these instances are gone.
    Group(DeleteSecurityGroup, Vec<String>),
}

/// What an instance ends as.
const fn last(for_good: bool) -> &'static str {
    if for_good { "terminated" } else { "stopped" }
}

impl<const FOR_GOOD: bool> Ending<'_, FOR_GOOD> {
    /// Whether nothing is left to be sent for an instance in this state.
    fn is_over(state: &str) -> bool {
        matches!(state, "terminated" | "shutting-down")
            || (!FOR_GOOD && matches!(state, "stopped" | "stopping"))
    }

    fn step(machine: &Machine) -> Step<Action> {
        let id = &machine.id;
        let (instance, resource) = (Later::Known(id.clone()), format!("instance/{id}"));
        let (summary, calls, action) = if FOR_GOOD {
            let call = TerminateInstances {
                instance,
                resource,
                loses: Some(Loss::Data(format!("the disk of {id}"))),
            };
            ("terminate it", vec![call.described()], Action::Terminate(call))
        } else {
            let call = StopInstances {
                instance,
                resource,
                loses: None,
            };
            ("stop it", vec![call.described()], Action::Stop(call))
        };
        Step::new(id, summary, calls, action).changing(state(machine), last(FOR_GOOD))
    }

    /// The groups of the instances that may be deleted with them.
    async fn groups(&self, machines: &[Machine]) -> Result<BTreeMap<String, usize>> {
        let mut groups = BTreeMap::new();
        if !self.cleanup {
            return Ok(groups);
        }
        for group in self
            .ctx
            .aws
            .security_groups(&[("tag:ManagedBy", &MAKERS[..])])
            .await?
        {
            // A terminated instance has lost its groups; their tags tell of which fleet they are.
            let of_fleet = |machine: &Machine| {
                let same = |tag: &str| {
                    let tag = (machine.tags.get(tag), group.tags.get(tag));
                    tag.0.is_some() && tag.0 == tag.1
                };
                same(STAGE) && same(SLUG)
            };
            let is_on = |machine: &&Machine| machine.security_groups.contains(&group.id);
            let own = machines.iter().filter(is_on).count();
            if own > 0 || machines.iter().any(of_fleet) {
                let all = self.ctx.aws.interfaces_with(&group.id).await?;
                groups.insert(group.id, all.saturating_sub(own));
            }
        }
        Ok(groups)
    }

    async fn look(&self) -> Result<Vec<Machine>> {
        Ok(self.ctx.aws.machines(&self.ids).await?.into_values().collect())
    }
}

impl<const FOR_GOOD: bool> Change for Ending<'_, FOR_GOOD> {
    const NAME: &'static str = if FOR_GOOD {
        "fleet dev terminate"
    } else {
        "fleet dev stop"
    };
    type Seen = Seen;
    type Action = Action;
    type Output = ();
    type Ending = Machine;
    type Document = EndingResult;

    fn words(&self) -> Words {
        let verb = if FOR_GOOD { "terminate" } else { "stop" };
        Words {
            goal: format!("{verb} {}", self.ids.join(", ")),
            thing: "instance",
            settle: format!("see them {}", last(FOR_GOOD)),
            following: "Waiting until they are gone".to_owned(),
        }
    }

    async fn observe(&self, _target: &Target, recent: &[Record]) -> Result<Seen> {
        let machines = self.look().await?;
        let groups = self.groups(&machines).await?;
        let cut_off = recent.iter().filter(|record| record.end.is_none());
        let steps = cut_off.flat_map(|record| &record.steps);
        let begun = steps.filter_map(|step| match step.step::<Action>()?.action {
            Action::Group(call, of) if of.iter().any(|id| self.ids.contains(id)) => Some(call.group),
            Action::Group(..) | Action::Stop(_) | Action::Terminate(_) => None,
        });
        Ok(Seen {
            machines,
            groups,
            begun: begun.collect(),
        })
    }

    fn plan(&self, seen: &Seen, _basis: &Basis<'_>) -> Result<Plan<Action>> {
        let mut plan = Plan::new(self.words().goal, Vec::new());
        for id in &self.ids {
            let found = seen.machines.iter().find(|machine| machine.id == *id);
            let is_dev = |machine: &&Machine| {
                let maker = machine.tags.get(MANAGED_BY);
                maker.is_some_and(|maker| MAKERS.contains(&maker.as_str()))
            };
            let Some(machine) = found.filter(is_dev) else {
                let why = match found {
                    Some(_) => format!("`{id}` is no development instance"),
                    None => format!("there is no instance `{id}`"),
                };
                plan.blockers.push(Blocker {
                    kind: ErrorKind::NotFound,
                    reason: format!("{}: {why}", self.words().goal),
                    hint: Hint::from(("see them with", CommandLine::bpctl(["fleet", "dev", "list"]))),
                });
                continue;
            };
            if !Self::is_over(state(machine)) {
                plan.steps.push(Self::step(machine));
            }
        }
        for (group, others) in &seen.groups {
            if *others > 0 {
                plan.warnings.push(format!(
                    "the security group {group} stays: something else uses it"
                ));
                continue;
            }
            let of = seen
                .machines
                .iter()
                .filter(|one| one.security_groups.contains(group));
            let of: Vec<String> = of.map(|machine| machine.id.clone()).collect();
            let call = DeleteSecurityGroup {
                group: group.clone(),
                resource: format!("security-group/{group}"),
            };
            let calls = vec![call.described()];
            let mut step = Step::new(
                group,
                "delete the security group",
                calls,
                Action::Group(call, of.clone()),
            );
            step.needs = plan
                .steps
                .iter()
                .map(|step| step.id.clone())
                .filter(|id| of.contains(id))
                .collect();
            step.waits = true;
            plan.steps.push(step);
        }
        Ok(plan)
    }

    fn covers(&self, seen: &Seen, _plan: &Plan<Action>) -> Vec<String> {
        let groups = seen.groups.keys().chain(&seen.begun);
        self.ids.iter().chain(groups).cloned().collect()
    }

    async fn ready(&self, steps: &[&Step<Action>]) -> Result<Vec<Readiness>> {
        let machines = self.ctx.aws.machines(&self.ids).await?;
        let there = |id: &String| {
            machines
                .get(id)
                .is_some_and(|machine| state(machine) != "terminated")
        };
        let one = |step: &&Step<Action>| match &step.action {
            Action::Group(_, of) => match of.iter().find(|id| there(id)) {
                Some(id) => Readiness::NotYet(format!("{id} is not gone yet")),
                None => Readiness::Now,
            },
            Action::Stop(_) | Action::Terminate(_) => Readiness::Now,
        };
        Ok(steps.iter().map(one).collect())
    }

    async fn act(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        let aws = &self.ctx.aws;
        match step.action() {
            Action::Stop(call) => {
                let now = step.send(aws, call).await?;
                Ok(Done::new(format!("told it to stop: {now}")))
            }
            Action::Terminate(call) => {
                let now = step.send(aws, call).await?;
                Ok(Done::new(format!("told it to terminate: {now}")))
            }
            Action::Group(call, _) => {
                let named = [("group-id", &[call.group.as_str()][..])];
                if aws.security_groups(&named).await?.is_empty() {
                    return Ok(Done::new("found gone already: nothing was sent"));
                }
                step.send(aws, call).await?;
                Ok(Done::new("deleted"))
            }
        }
    }

    async fn verify(&self, _seen: &Seen, run: &mut Verification<'_, Self>) -> Result<()> {
        let sent: Vec<String> = run
            .done()
            .iter()
            .filter(|(step, _)| !matches!(step.action, Action::Group(..)))
            .map(|(step, _)| step.id.clone())
            .collect();
        let waits = run.waits() && !sent.is_empty();
        let look = async || {
            let machines = self.look().await?;
            let is_left = |machine: &&Machine| sent.contains(&machine.id) && state(machine) != last(FOR_GOOD);
            let left = machines.iter().filter(is_left).count();
            Ok(match left == 0 || !waits {
                true => Look::Ready(machines),
                false => Look::Pending(format!("{left} of {} not {} yet", sent.len(), last(FOR_GOOD))),
            })
        };
        let waiter = Waiter::new(&self.ctx.clock, run.remaining(), &self.ctx.cancel)
            .pace(Duration::from_secs(2), Duration::from_secs(10));
        match waiter.until(look, |text| self.ctx.ui.status(text)).await? {
            Waited::Ready(machines) => {
                for id in &sent {
                    run.end(id, End::Settled);
                }
                for machine in machines {
                    let id = machine.id.clone();
                    run.ending(&id, machine);
                }
            }
            Waited::TimedOut | Waited::Cancelled => {
                for id in &sent {
                    let hint = Hint::from(("see it with", CommandLine::bpctl(["fleet", "dev", "list"])));
                    let what = format!("{id} is not {} yet", last(FOR_GOOD));
                    run.end(id, End::Running { what, hint });
                }
            }
        }
        Ok(())
    }

    fn document(&self, seen: &Seen, outcome: &Outcome<Self>) -> Option<EndingResult> {
        let instances: Vec<DevInstance> = outcome.endings.values().map(DevInstance::of).collect();
        let deleted = seen.groups.keys().filter(|group| {
            let step = outcome.step(group);
            step.is_some_and(|step| matches!(step.state, crate::change::State::Done { .. }))
        });
        Some(EndingResult {
            run: outcome.run.clone(),
            instances,
            deleted_security_groups: deleted.cloned().collect(),
            now: self.ctx.clock.now(),
        })
    }

    fn resume(&self, _left: &[&str]) -> CommandLine {
        let verb = if FOR_GOOD { "terminate" } else { "stop" };
        let command = CommandLine::bpctl(["fleet", "dev", verb]).args(self.ids.clone());
        match self.cleanup {
            true => command.args(["--cleanup"]),
            false => command,
        }
    }
}
