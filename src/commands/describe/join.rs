//! What belongs to a thing: lists that are read once for all things that are asked for, and what only one has.

use std::collections::{BTreeMap, BTreeSet};

use futures::FutureExt as _;
use futures::future::try_join_all;
use schemars::JsonSchema;
use serde::Serialize;

use super::parts::{EventPart, ScalingPart, SkewPart, StepPart, TargetPart};
use crate::aws::autoscaling::Activity;
use crate::change::journal::{self, Record};
use crate::commands::get::mixed::Item;
use crate::commands::get::mixed::rows::{
    AlarmRow, DeploymentRow, FleetRow, ImageRow, InstanceRow, RunRow, ServiceRow, StackRow, TaskRow,
};
use crate::commands::get::row::Row;
use crate::context::Ctx;
use crate::error::{CommandLine, Result};
use crate::fleet::{Gap, look_at_nodes};
use crate::kinds::Kind;
use crate::layout::FleetId;
use crate::redact::redact;

/// Events, activities, deployments and runs that are told: the newest.
const MOST: usize = 10;

/// Lists of kinds, read at most once for one command line.
#[derive(Debug, Default)]
pub(super) struct Around {
    services: Vec<ServiceRow>,
    tasks: Vec<TaskRow>,
    deployments: Vec<DeploymentRow>,
    images: Vec<ImageRow>,
    alarms: Vec<AlarmRow>,
    fleets: Vec<FleetRow>,
    instances: Vec<InstanceRow>,
    stacks: Vec<StackRow>,
    records: Vec<Record>,
    unread: BTreeSet<Kind>,
    pub(super) gaps: Vec<Gap>,
}

/// The kinds whose lists are joined to a thing of this kind.
fn beside(kind: Kind) -> &'static [Kind] {
    match kind {
        Kind::Service => &[Kind::Task, Kind::Deployment, Kind::Image, Kind::Run],
        Kind::Task => &[Kind::Service],
        Kind::Deployment => &[Kind::Task, Kind::Run],
        Kind::Image => &[Kind::Task, Kind::Deployment],
        Kind::Alarm | Kind::Parameter => &[Kind::Fleet],
        Kind::Fleet => &[Kind::Instance, Kind::Alarm, Kind::Stack, Kind::Run],
        Kind::Instance => &[Kind::Fleet],
        Kind::Stack => &[Kind::Fleet],
        Kind::Secret | Kind::Run | Kind::Lease => &[Kind::Run],
    }
}

impl Around {
    /// Reads what the kinds need; a list that cannot be read leaves a gap.
    pub(super) async fn read(ctx: &Ctx, kinds: &BTreeSet<Kind>) -> Result<Self> {
        let needed: BTreeSet<Kind> = kinds.iter().flat_map(|kind| beside(*kind)).copied().collect();
        let mut around = Self::default();
        macro_rules! lists {
            ($($kind:ident => $list:ident, $row:ident, $what:literal;)+) => {{
                $(let $list = async {
                    match needed.contains(&Kind::$kind) {
                        true => Some($row::read(ctx, &[]).boxed_local().await),
                        false => None,
                    }
                };)+
                let ($($list,)+) = futures::join!($($list,)+);
                $(match $list {
                    None => {}
                    Some(Ok(found)) => {
                        around.$list = found.rows;
                        around.gaps.extend(found.gaps);
                    }
                    Some(Err(error)) => {
                        around.unread.insert(Kind::$kind);
                        around.gaps.push(Gap::new($what, &error));
                    }
                })+
            }};
        }
        lists! {
            Service => services, ServiceRow, "services";
            Task => tasks, TaskRow, "tasks";
            Deployment => deployments, DeploymentRow, "deployments";
            Image => images, ImageRow, "images";
            Alarm => alarms, AlarmRow, "alarms";
            Fleet => fleets, FleetRow, "fleets";
            Instance => instances, InstanceRow, "instances";
            Stack => stacks, StackRow, "stacks";
        }
        if needed.contains(&Kind::Run) {
            let (records, _) = ctx.state_dir.as_deref().map(journal::list).unwrap_or_default();
            around.records = records;
        }
        for gap in &around.gaps {
            ctx.ui.warn_with(
                &format!("the {} could not be read: {}", gap.what, gap.why),
                &gap.hints,
            );
        }
        Ok(around)
    }

    /// The rows of a list that hold; `None` when the list could not be read.
    fn chosen<R: Row + Clone>(&self, rows: &[R], holds: impl Fn(&R) -> bool) -> Option<Vec<R>> {
        let is_read = !self.unread.contains(&R::KIND);
        is_read.then(|| rows.iter().filter(|row| holds(row)).cloned().collect())
    }

    /// The newest runs of this machine that name a thing.
    fn runs_about(&self, words: &[&str]) -> Vec<RunRow> {
        let about = self
            .records
            .iter()
            .filter(|record| words.iter().any(|word| is_about(record, word)));
        about.take(MOST).map(RunRow::of).collect()
    }
}

/// Whether a run names a thing in its title, in a step, or as the resource of a call.
fn is_about(record: &Record, name: &str) -> bool {
    let steps = record.steps.iter();
    names(&record.title, name)
        || steps.clone().any(|step| names(&step.summary, name))
        || steps
            .flat_map(|step| &step.calls)
            .any(|call| names(&call.resource, name) || call.resource.ends_with(&format!("/{name}")))
}

/// Whether a text has a name as a whole word: `gpu-default` is not in `gpu-default-2`.
fn names(text: &str, name: &str) -> bool {
    let part_of_name = |c: char| c.is_alphanumeric() || "-_/".contains(c);
    text.split(|c: char| !part_of_name(c)).any(|word| word == name)
}

/// What belongs to a thing. A member that has no place at a kind is null, and so is what could not be read.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(in crate::commands) struct Joined {
    pub(super) services: Option<Vec<ServiceRow>>,
    pub(super) tasks: Option<Vec<TaskRow>>,
    pub(super) targets: Option<Vec<TargetPart>>,
    pub(super) scaling: Option<ScalingPart>,
    /// The newest ten.
    pub(super) deployments: Option<Vec<DeploymentRow>>,
    pub(super) images: Option<Vec<ImageRow>>,
    pub(super) fleets: Option<Vec<FleetRow>>,
    pub(super) instances: Option<Vec<InstanceRow>>,
    /// What each instance runs, beside what a new one would.
    pub(super) skew: Option<Vec<SkewPart>>,
    pub(super) alarms: Option<Vec<AlarmRow>>,
    pub(super) stacks: Option<Vec<StackRow>>,
    /// Outputs of a stack.
    pub(super) outputs: Option<BTreeMap<String, String>>,
    /// The newest ten.
    pub(super) activities: Option<Vec<Activity>>,
    /// The newest ten.
    pub(super) events: Option<Vec<EventPart>>,
    /// Steps of a run.
    pub(super) steps: Option<Vec<StepPart>>,
    /// Runs of this machine that name the thing: the newest ten.
    pub(super) runs: Option<Vec<RunRow>>,
    /// Commands that say more.
    pub(super) next: Vec<String>,
    /// What could not be looked at.
    pub(super) gaps: Vec<Gap>,
}

impl Joined {
    pub(super) async fn of(ctx: &Ctx, item: &Item, around: &Around) -> Result<Self> {
        let mut joined = Self::default();
        let mut next: Vec<Vec<&str>> = Vec::new();
        match item {
            Item::Service(service) => {
                let word = service.app.word();
                joined.tasks =
                    around.chosen(&around.tasks, |task| task.service.as_ref() == Some(&service.name));
                joined.deployments = around
                    .chosen(&around.deployments, |one| one.service == service.name)
                    .map(newest);
                joined.images = around.chosen(&around.images, |image| image.runs.contains_key(&service.name));
                joined.runs = Some(around.runs_about(&[&service.name, word]));
                joined.add_service(ctx, &service.name).await?;
                next.extend([
                    vec!["logs", word],
                    vec!["rollout", "status", word],
                    vec!["triage"],
                ]);
            }
            Item::Task(task) => {
                joined.services =
                    around.chosen(&around.services, |one| task.service.as_ref() == Some(&one.name));
                next.extend([
                    vec!["task", "describe", &task.task],
                    vec!["logs", "task", &task.task],
                ]);
            }
            Item::Deployment(deployment) => {
                let id = Some(&deployment.deployment);
                joined.tasks = around.chosen(&around.tasks, |task| task.started_by.as_ref() == id);
                joined.runs = Some(around.runs_about(&[&deployment.service, deployment.app.word()]));
                next.push(vec!["rollout", "history", deployment.app.word()]);
            }
            Item::Image(image) => {
                let has = |digest: Option<&String>| digest == Some(&image.digest);
                joined.tasks = around.chosen(&around.tasks, |task| {
                    task.containers.iter().any(|one| has(one.digest.as_ref())) && task.state == "RUNNING"
                });
                joined.deployments = around
                    .chosen(&around.deployments, |one| {
                        one.images.iter().any(|brought| has(brought.digest.as_ref()))
                    })
                    .map(newest);
                next.push(vec!["image", "diff", image.app.word()]);
            }
            Item::Alarm(alarm) => {
                joined.fleets = alarm.fleet.as_ref().and_then(|fleet| around.fleet(fleet));
                next.push(vec!["triage"]);
            }
            Item::Fleet(fleet) => joined.around_fleet(ctx, fleet, around).await?,
            Item::Instance(instance) => {
                joined.fleets = around.fleet(&instance.fleet);
                joined
                    .add_skew(ctx, &instance.fleet, Some(&instance.instance))
                    .await?;
                let group = ctx.layout()?.auto_scaling_group(&instance.fleet);
                joined.add_activities(ctx, &group, Some(&instance.instance)).await;
                joined.next = lines([&["fleet", "instances", &instance.fleet.to_string()]]);
            }
            Item::Stack(stack) => {
                joined.fleets = stack.fleet.as_ref().and_then(|fleet| around.fleet(fleet));
                joined.add_stack(ctx, &stack.name).await;
            }
            Item::Parameter(parameter) => {
                let fleet = parameter.name.split_once('/').map(|(_, fleet)| fleet);
                joined.fleets =
                    around.chosen(&around.fleets, |one| Some(one.name.to_string().as_str()) == fleet);
                next.push(vec!["secrets", "list"]);
            }
            Item::Secret(secret) => {
                joined.runs = Some(around.runs_about(&[&secret.name, &secret.path]));
                next.push(vec!["secrets", "history", &secret.name]);
            }
            Item::Run(run) => {
                let record = around.records.iter().find(|record| record.run == run.run);
                joined.steps = record.map(StepPart::all);
                next.push(vec!["runs", "show", run.run.as_str()]);
            }
            Item::Lease(lease) => {
                let record = around.records.iter().find(|record| record.run == lease.lease.run);
                joined.runs = Some(record.map(RunRow::of).into_iter().collect());
                joined.steps = record.map(StepPart::all);
                next.push(vec!["lock", "show", &lease.lease.resource]);
            }
        }
        joined.next.extend(
            next.into_iter()
                .map(|words| CommandLine::bpctl(words).to_string()),
        );
        Ok(joined)
    }

    /// Instances, alarms, stack, runs and activities of a fleet.
    async fn around_fleet(&mut self, ctx: &Ctx, fleet: &FleetRow, around: &Around) -> Result<()> {
        let id = &fleet.name;
        self.instances = around.chosen(&around.instances, |one| one.fleet == *id);
        self.alarms = around.chosen(&around.alarms, |one| one.fleet.as_ref() == Some(id));
        self.stacks = around.chosen(&around.stacks, |one| one.fleet.as_ref() == Some(id));
        let name = id.to_string();
        self.runs = Some(around.runs_about(&[&name]));
        if let Some(group) = &fleet.auto_scaling_group {
            self.add_skew(ctx, id, None).await?;
            self.add_activities(ctx, group, None).await;
        }
        self.next = lines([
            &["fleet", "explain", &name],
            &["fleet", "status", &name],
            &["logs", "fleet", &name],
        ]);
        Ok(())
    }

    /// Events, targets, rules and bounds of a service: two calls, and one for each target group.
    async fn add_service(&mut self, ctx: &Ctx, name: &str) -> Result<()> {
        let cluster = ctx.layout()?.cluster();
        let names = [name.to_owned()];
        let (found, bounds) = futures::join!(
            ctx.aws.services(&cluster, &names),
            ctx.aws.service_bounds(&cluster, &names)
        );
        let bounds = bounds.unwrap_or_else(|error| {
            self.gaps.push(Gap::new("auto scaling of the service", &error));
            BTreeMap::new()
        });
        let found = match found {
            Ok(found) => found,
            Err(error) => {
                self.gaps.push(Gap::new("events of the service", &error));
                return Ok(());
            }
        };
        let Some(service) = found.first() else {
            return Ok(());
        };
        self.scaling = Some(ScalingPart::of(service, bounds.get(name).copied()));
        let events = service.events.iter().take(MOST);
        self.events = Some(events.map(EventPart::of_service).collect());
        let groups = service.target_groups.iter();
        match try_join_all(groups.map(|group| ctx.aws.target_health(group))).await {
            Ok(targets) => {
                self.targets = Some(targets.into_iter().flatten().map(TargetPart::of).collect());
            }
            Err(error) => self.gaps.push(Gap::new("targets of the service", &error)),
        }
        Ok(())
    }

    /// In what the instances of a fleet, or one of them, differ from a new one.
    async fn add_skew(&mut self, ctx: &Ctx, fleet: &FleetId, only: Option<&str>) -> Result<()> {
        match look_at_nodes(&ctx.aws, &ctx.layout()?, fleet).boxed_local().await {
            Ok(nodes) => {
                let mut skew = SkewPart::all(&nodes);
                skew.retain(|part| only.is_none_or(|only| part.instance == only));
                self.skew = Some(skew);
            }
            Err(error) => self
                .gaps
                .push(Gap::new("images and bundles of the instances", &error)),
        }
        Ok(())
    }

    /// The newest activities of a group, or those about one instance.
    async fn add_activities(&mut self, ctx: &Ctx, group: &str, only: Option<&str>) {
        let page = if only.is_some() { 100 } else { 10 };
        match ctx.aws.activities(group, page).await {
            Ok(mut activities) => {
                activities.retain(|one| only.is_none_or(|only| one.description.contains(only)));
                activities.truncate(MOST);
                self.activities = Some(activities);
            }
            Err(error) => self.gaps.push(Gap::new("scaling activities", &error)),
        }
    }

    /// Events and outputs of a stack.
    async fn add_stack(&mut self, ctx: &Ctx, name: &str) {
        let (events, stack) = futures::join!(ctx.aws.stack_events(name), ctx.aws.stack(name));
        match events {
            Ok(events) => {
                let events = events.iter().take(MOST);
                self.events = Some(events.map(EventPart::of_stack).collect());
            }
            Err(error) => self.gaps.push(Gap::new("events of the stack", &error)),
        }
        match stack {
            Ok(stack) => {
                self.outputs = stack.map(|stack| {
                    let outputs = stack.outputs.into_iter();
                    outputs
                        .map(|(name, value)| (name, redact(&value).into_owned()))
                        .collect()
                });
            }
            Err(error) => self.gaps.push(Gap::new("outputs of the stack", &error)),
        }
    }
}

impl Around {
    fn fleet(&self, id: &FleetId) -> Option<Vec<FleetRow>> {
        self.chosen(&self.fleets, |fleet| fleet.name == *id)
    }
}

fn newest<R>(mut rows: Vec<R>) -> Vec<R> {
    rows.truncate(MOST);
    rows
}

fn lines<const N: usize>(commands: [&[&str]; N]) -> Vec<String> {
    commands
        .iter()
        .map(|words| CommandLine::bpctl(words.iter().copied()).to_string())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_whole_word() {
        assert!(names("roll out bp-backend: revision 42", "bp-backend"));
        assert!(names("`production/gpu-default` to 2", "production/gpu-default"));
        assert!(!names("production/gpu-default-2 to 2", "production/gpu-default"));
        assert!(!names("bp-backend", "backend"));
    }

    #[test]
    fn every_kind_is_joined_with_something() {
        for kind in Kind::ALL {
            assert!(
                !beside(*kind).is_empty() && !beside(*kind).contains(&Kind::Lease),
                "{kind}"
            );
        }
    }
}
