//! Looks at deployments of several services again and again, with one DescribeServices for all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::standing::{Standing, standing};
use super::stopped::{ContainerPlaces, StoppedTask, classify};
use super::{brings, number};
use crate::aws::Aws;
use crate::aws::ecs::{RolloutRecord, Service};
use crate::aws::logs::LastLines;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::layout::App;
use crate::tasks::shown;
use crate::wait::{Look, Waited, Waiter};

/// Between two looks: the deployment controller itself works in steps of seconds, and DescribeServices has a budget.
const PACE: Duration = Duration::from_secs(5);

/// Last lines of a container that are shown.
const LINES: i32 = 10;

/// How long the log stream of a short-lived container may take to appear, also after its task has stopped.
const LINES_WITHIN: SignedDuration = SignedDuration::from_secs(30);

/// Of how many tasks that stopped for the same reason the lines are read.
const ALIKE: usize = 2;

/// What is followed.
#[derive(Clone, Debug)]
pub(crate) struct Following {
    pub(crate) app: App,
    pub(crate) service: String,
    /// `ecs-svc/<digits>`.
    pub(crate) deployment: String,
    pub(crate) created: Option<Timestamp>,
    pub(crate) places: ContainerPlaces,
    /// The command that does it again, for hints.
    pub(crate) again: CommandLine,
    /// ARN of the service deployment, once it is certain.
    pub(crate) record_arn: Option<String>,
    pub(crate) record: Option<RolloutRecord>,
    pub(crate) standing: Standing,
    /// The first task of each kind of end comes first.
    pub(crate) stopped: Vec<StoppedTask>,
    pub(crate) counts: Counts,
    /// Why this run has asked for its end.
    pub(crate) ended_because: Option<String>,
    seen: Seen,
}

/// Numbers of a deployment, for people: they never decide.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) desired: i32,
    pub(crate) running: i32,
    pub(crate) pending: i32,
    pub(crate) failed: i32,
    /// Running tasks of other deployments.
    pub(crate) others: i32,
    /// Targets by state.
    pub(crate) targets: BTreeMap<String, usize>,
}

/// What was seen before.
#[derive(Clone, Debug, Default)]
struct Seen {
    events: BTreeSet<(Timestamp, String)>,
    counts: Option<Counts>,
    /// Tasks that are told of.
    tasks: BTreeSet<String>,
    /// Tasks that are to stop and whose end is not certain yet.
    open: BTreeSet<String>,
    /// Tasks whose lines are awaited, and since when.
    lines: Vec<(usize, Timestamp)>,
    turned: bool,
}

/// Something to show.
#[derive(Debug)]
pub(crate) enum Event<'a> {
    /// The numbers are others than before.
    Counts(App, &'a Counts),
    /// An event of the service, without its name.
    Service(App, &'a str),
    Stopped(App, &'a StoppedTask),
    /// The last lines of a container of a task that stopped.
    Lines(&'a str, &'a [String]),
    Standing(App, &'a Standing),
    Warning(String),
}

impl Following {
    pub(crate) fn new(
        app: App,
        service: &str,
        deployment: &str,
        created: Option<Timestamp>,
        places: ContainerPlaces,
        again: CommandLine,
    ) -> Self {
        Self {
            app,
            service: service.to_owned(),
            deployment: deployment.to_owned(),
            created,
            places,
            again,
            record_arn: None,
            record: None,
            standing: Standing::InProgress,
            stopped: Vec::new(),
            counts: Counts::default(),
            ended_because: None,
            seen: Seen::default(),
        }
    }

    /// Tasks that count against the deployment.
    pub(crate) fn failures(&self) -> impl Iterator<Item = &StoppedTask> {
        self.stopped.iter().filter(|stopped| stopped.failed)
    }
}

impl Counts {
    fn of(service: &Service, deployment: &str) -> Self {
        let own = service.deployments.iter().find(|known| known.id == deployment);
        let others = service.deployments.iter().filter(|known| known.id != deployment);
        Self {
            desired: service.desired,
            running: own.map_or(0, |own| own.running),
            pending: own.map_or(0, |own| own.pending),
            failed: own.map_or(0, |own| own.failed),
            others: others.map(|other| other.running).sum(),
            targets: BTreeMap::new(),
        }
    }

    /// `1 of 2 running, 1 pending; others: 2 running; targets: 1 healthy, 1 initial`.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("{} of {} running", self.running, self.desired);
        for (count, what) in [(self.pending, "pending"), (self.failed, "failed")] {
            if count > 0 {
                text.push_str(&format!(", {count} {what}"));
            }
        }
        if self.others > 0 {
            text.push_str(&format!("; others: {} running", self.others));
        }
        let targets: Vec<String> = self
            .targets
            .iter()
            .map(|(state, count)| format!("{count} {state}"))
            .collect();
        if !targets.is_empty() {
            text.push_str(&format!("; targets: {}", targets.join(", ")));
        }
        text
    }
}

/// Follows deployments of services of one cluster.
pub(crate) struct Watcher<'a> {
    pub(crate) aws: &'a Aws,
    pub(crate) cluster: String,
    pub(crate) events: &'a dyn Fn(Event<'_>),
    pub(crate) following: Vec<Following>,
    /// Records cannot be read; said once.
    no_records: bool,
}

impl<'a> Watcher<'a> {
    pub(crate) fn new(
        aws: &'a Aws,
        cluster: &str,
        events: &'a dyn Fn(Event<'_>),
        following: Vec<Following>,
    ) -> Self {
        Self {
            aws,
            cluster: cluster.to_owned(),
            events,
            following,
            no_records: false,
        }
    }

    /// Looks until every deployment has come to its end, the deadline passes or the operator interrupts. `after` is
    /// called after each look, e.g. to stop a deployment whose tasks fail.
    pub(crate) async fn follow(
        &mut self,
        deadline: Timestamp,
        cancel: &CancellationToken,
        mut after: impl AsyncFnMut(&mut Self) -> Result<()>,
    ) -> Result<Waited<()>> {
        let waiter = Waiter::until_deadline(self.aws.clock(), deadline, cancel).pace(PACE, PACE);
        waiter
            .until(
                async || {
                    self.look().await?;
                    after(self).await?;
                    let over = self.following.iter().all(|one| one.standing.is_over());
                    let settled = self.following.iter().all(|one| one.seen.lines.is_empty());
                    Ok(if over && settled {
                        Look::Ready(())
                    } else {
                        Look::Pending(String::new())
                    })
                },
                |_| {},
            )
            .await
    }

    /// One look at everything that has not come to its end.
    pub(crate) async fn look(&mut self) -> Result<()> {
        let names: Vec<String> = self
            .following
            .iter()
            .filter(|one| !one.standing.is_over())
            .map(|one| one.service.clone())
            .collect();
        if !names.is_empty() {
            let services = self.aws.services(&self.cluster, &names).await?;
            self.find_records(&services).await?;
            for at in 0..self.following.len() {
                let name = &self.following[at].service;
                if let Some(service) = services.iter().find(|service| service.name == *name) {
                    self.take_in(at, service).await?;
                }
            }
        }
        for at in 0..self.following.len() {
            self.read_lines(at).await;
        }
        Ok(())
    }

    /// Finds the service deployments and reads all of their records at once.
    async fn find_records(&mut self, services: &[Service]) -> Result<()> {
        if self.no_records {
            return Ok(());
        }
        match self.records(services).await {
            Err(error) if is_refusal(&error) => {
                self.no_records = true;
                (self.events)(Event::Warning(format!(
                    "the records of service deployments cannot be read: {error}; the service's list of deployments decides"
                )));
                Ok(())
            }
            other => other,
        }
    }

    async fn records(&mut self, services: &[Service]) -> Result<()> {
        let mut asked: Vec<String> = Vec::new();
        for one in self.following.iter().filter(|one| !one.standing.is_over()) {
            let service = services.iter().find(|service| service.name == one.service);
            // What is under way is this run's as long as no other deployment starts; its record says whether it is.
            let candidate = service.and_then(|service| service.service_deployment.clone());
            asked.extend(one.record_arn.clone().or(candidate));
        }
        let mut known = if asked.is_empty() {
            Vec::new()
        } else {
            self.aws.rollout_records(&asked).await?
        };
        for at in 0..self.following.len() {
            let one = &self.following[at];
            if one.standing.is_over() {
                continue;
            }
            let of_it = |record: &RolloutRecord| {
                record
                    .revision
                    .as_deref()
                    .is_some_and(|revision| brings(&one.deployment, revision))
            };
            let mut found = known.iter().find(|record| of_it(record)).cloned();
            if found.is_none() && one.record_arn.is_none() {
                let (service, number) = (one.service.clone(), number(&one.deployment).to_owned());
                let listed = self
                    .aws
                    .service_deployments(&self.cluster, &service)
                    .await?
                    .unwrap_or_default();
                let arn = listed
                    .iter()
                    .find(|brief| {
                        let revision = brief.revision.as_deref().unwrap_or_default();
                        crate::aws::ecs::short(revision) == number
                    })
                    .map(|brief| brief.arn.clone());
                if let Some(arn) = arn {
                    let more = self.aws.rollout_records(&[arn]).await?;
                    found = more.first().cloned();
                    known.extend(more);
                }
            }
            if let Some(found) = found {
                let one = &mut self.following[at];
                one.record_arn = Some(found.arn.clone());
                one.record = Some(found);
            }
        }
        Ok(())
    }

    async fn take_in(&mut self, at: usize, service: &Service) -> Result<()> {
        let one = &mut self.following[at];
        let events = self.events;
        let mut counts = Counts::of(service, &one.deployment);
        for group in &service.target_groups {
            match self.aws.target_health(group).await {
                Ok(targets) => {
                    for target in targets {
                        *counts.targets.entry(target.state).or_default() += 1;
                    }
                }
                Err(error) => tracing::warn!(%error, "the targets are not shown"),
            }
        }
        let fresh = tell_events(one, service, events);
        let changed = one.seen.counts.as_ref() != Some(&counts);
        if changed {
            events(Event::Counts(one.app, &counts));
        }
        one.counts = counts.clone();
        if changed || fresh || !one.seen.open.is_empty() {
            self.look_at_tasks(at).await?;
        }
        let one = &mut self.following[at];
        one.seen.counts = Some(counts);
        let now = standing(service, &one.deployment, one.created, one.record.as_ref());
        if now != one.standing {
            events(Event::Standing(one.app, &now));
            one.seen.turned = true;
            one.standing = now;
        }
        Ok(())
    }

    /// Tasks of the deployment that stopped since the last look.
    async fn look_at_tasks(&mut self, at: usize) -> Result<()> {
        let one = &self.following[at];
        let arns = self.aws.stopped_tasks_of(&self.cluster, &one.deployment).await?;
        let news: Vec<String> = arns
            .into_iter()
            .filter(|arn| !one.seen.tasks.contains(arn))
            .collect();
        if news.is_empty() {
            return Ok(());
        }
        let tasks = self.aws.tasks(&self.cluster, &news).await?;
        let now = self.aws.clock().now();
        let one = &mut self.following[at];
        for task in tasks {
            match classify(&task, &one.places, &one.again) {
                Some(found) => {
                    one.seen.open.remove(&task.arn);
                    one.seen.tasks.insert(task.arn);
                    (self.events)(Event::Stopped(one.app, &found));
                    let alike = one
                        .stopped
                        .iter()
                        .filter(|known| known.what == found.what)
                        .count();
                    if found.has_run() && alike < ALIKE {
                        one.seen.lines.push((one.stopped.len(), now));
                    }
                    one.stopped.push(found);
                }
                None if task.is_stopped() => {
                    one.seen.open.remove(&task.arn);
                    one.seen.tasks.insert(task.arn);
                }
                None => {
                    one.seen.open.insert(task.arn);
                }
            }
        }
        Ok(())
    }

    /// The last lines of tasks that stopped, as soon as they are there. Trouble with a log never ends the following.
    async fn read_lines(&mut self, at: usize) {
        let awaited = std::mem::take(&mut self.following[at].seen.lines);
        let now = self.aws.clock().now();
        for (position, since) in awaited {
            let one = &self.following[at];
            let stopped = &one.stopped[position];
            let mut found: Vec<(String, Vec<String>)> = Vec::new();
            for container in stopped.telling(&one.places) {
                let Some(place) = one.places.logs.get(container) else {
                    continue;
                };
                let stream = place.stream(container, &stopped.task);
                match self.aws.log_tail(&place.group, &stream, LINES).await {
                    Ok(LastLines::Read(lines)) if !lines.is_empty() => {
                        found.push((
                            container.to_owned(),
                            lines.iter().map(|line| shown(line)).collect(),
                        ));
                    }
                    Ok(LastLines::Read(_) | LastLines::Absent | LastLines::NotReached) => {}
                    Err(error) => tracing::warn!(%error, "the last lines are not shown"),
                }
            }
            let one = &mut self.following[at];
            if found.is_empty() && now.duration_since(since) < LINES_WITHIN {
                one.seen.lines.push((position, since));
                continue;
            }
            for (container, lines) in found {
                (self.events)(Event::Lines(&container, &lines));
                let told = lines.iter().map(|line| format!("{container} | {line}"));
                one.stopped[position].lines.extend(told);
            }
        }
    }
}

/// Whether AWS (or an emulator of it) will not answer, however often it is asked.
fn is_refusal(error: &CtlError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::AccessDenied | ErrorKind::Rejected | ErrorKind::NotFound | ErrorKind::Unexpected
    )
}

/// Tells events that came since the deployment began; whether there were any.
fn tell_events(one: &mut Following, service: &Service, events: &dyn Fn(Event<'_>)) -> bool {
    let mut fresh = false;
    for event in service.events.iter().rev() {
        let key = (event.at, event.message.clone());
        let ours = one.created.is_none_or(|created| event.at >= created);
        if !ours || !one.seen.events.insert(key) {
            continue;
        }
        fresh = true;
        let named = format!("(service {}) ", service.name);
        let text = event.message.strip_prefix(&named).unwrap_or(&event.message);
        events(Event::Service(one.app, text));
    }
    fresh
}
