//! Follows a refresh to its end: what happens to each instance, why it does not advance, and what the end means.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::observe::Seen;
use super::view::{NodeView, RefreshResult};
use super::{Refresh, RefreshAction, cancel_command, status_command};
use crate::aws::autoscaling::{Group, InstanceRefresh, Phase, REFRESH_PROCESS};
use crate::change::{Change, End, Step, Verification};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};
use crate::fleet::{FailedLaunches, Nodes, group_failures, look_at_nodes, read_signals_of};
use crate::layout::{FleetId, Layout};
use crate::output::one_line;
use crate::wait::{Look, Waiter};

/// Instances take minutes: looking more often than this learns nothing.
const PACE: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(15));

/// Instances and failures that an error names.
const NAMED: usize = 5;

/// One refresh that is followed.
pub(super) struct Follower<'a> {
    pub(super) ctx: &'a Ctx,
    pub(super) layout: &'a Layout,
    pub(super) fleet: &'a FleetId,
    group: String,
    pub(super) refresh: InstanceRefresh,
    /// The image that instances are to run; `None`: whatever the pointer names at the end.
    image: Option<String>,
    /// State of each instance at the last look.
    states: BTreeMap<String, String>,
    failures: Vec<FailedLaunches>,
    /// What it waits for.
    waits_for: Vec<String>,
}

impl<'a> Follower<'a> {
    pub(super) fn new(
        ctx: &'a Ctx,
        layout: &'a Layout,
        fleet: &'a FleetId,
        id: &str,
        image: Option<String>,
        before: &Group,
    ) -> Self {
        let states = before.instances.iter();
        Self {
            ctx,
            layout,
            fleet,
            group: layout.auto_scaling_group(fleet),
            refresh: InstanceRefresh {
                id: id.to_owned(),
                status: "Pending".to_owned(),
                ..InstanceRefresh::default()
            },
            image,
            states: states.map(|one| (one.id.clone(), one.state.clone())).collect(),
            failures: Vec::new(),
            waits_for: Vec::new(),
        }
    }

    /// One look; tells what is new.
    pub(super) async fn look(&mut self) -> Result<()> {
        let aws = &self.ctx.aws;
        let since = self.refresh.started.unwrap_or_else(|| self.ctx.clock.now());
        let (refresh, group, activities) = futures::try_join!(
            aws.instance_refresh(&self.group, &self.refresh.id),
            aws.group(&self.group),
            aws.activities_since(&self.group, since),
        )?;
        self.tell_instances(&group);
        self.failures = group_failures(&activities, &group.instance_types);
        self.waits_for = waits_for(&refresh, &group, &self.failures);
        self.refresh = refresh;
        Ok(())
    }

    /// How far it is, in a line.
    pub(super) fn text(&self) -> String {
        let mut text = format!("{}: {} %", self.fleet, self.refresh.percent.unwrap_or(0));
        if let Some(left) = self.refresh.to_update.filter(|left| *left > 0) {
            text.push_str(&format!(", {left} to replace"));
        }
        if let Some(why) = self.waits_for.first() {
            text.push_str(&format!("; {why}"));
        }
        text
    }

    fn tell_instances(&mut self, group: &Group) {
        let mut now = BTreeMap::new();
        for instance in &group.instances {
            let known = self.states.get(&instance.id);
            if known != Some(&instance.state) {
                let place = instance.zone.as_deref().unwrap_or("?");
                let kind = instance.instance_type.as_deref().unwrap_or("?");
                self.ctx.ui.status(&format!(
                    "{}: {} {} ({kind} in {place})",
                    self.fleet,
                    instance.id,
                    match instance.phase {
                        Phase::Pending => "starts",
                        Phase::InService => "is in service",
                        Phase::Standby => "is on standby",
                        Phase::Terminating => "is taken out of service",
                    }
                ));
            }
            now.insert(instance.id.clone(), instance.state.clone());
        }
        self.states = now;
    }

    /// Follows until the end, the deadline or an interrupt.
    pub(super) async fn follow(
        &mut self,
        deadline: Timestamp,
        mut after: impl AsyncFnMut(&Self) -> Result<()>,
    ) -> Result<()> {
        let progress = self
            .ctx
            .ui
            .progress(&format!("{}: following refresh {}", self.fleet, self.refresh.id));
        let (ctx, live) = (self.ctx, self.ctx.ui.is_live());
        let waiter = Waiter::until_deadline(&ctx.clock, deadline, &ctx.cancel).pace(PACE.0, PACE.1);
        let waited = waiter
            .until(
                async || {
                    self.look().await?;
                    if self.refresh.is_over() {
                        return Ok(Look::Ready(()));
                    }
                    after(self).await?;
                    Ok(Look::Pending(self.text()))
                },
                |text| {
                    if live {
                        progress.say(text);
                    } else {
                        ctx.ui.status(text);
                    }
                },
            )
            .await;
        waited.map(|_| ())
    }

    /// What the refresh came to, and what really runs.
    pub(super) async fn conclude(&self, waited: bool) -> Result<(End, RefreshResult)> {
        let nodes = look_at_nodes(&self.ctx.aws, self.layout, self.fleet).await?;
        let end = self.end(&nodes, waited);
        let mut result = result(self.fleet, &nodes);
        result.refresh = Some(self.refresh.id.clone());
        result.status = self.refresh.status.clone();
        result.reason.clone_from(&self.refresh.reason);
        result.percent_complete = self.refresh.percent;
        result.started = self.refresh.started;
        result.ended = self.refresh.ended;
        result.failed_launches.clone_from(&self.failures);
        if !self.refresh.is_over() {
            result.waits_for.clone_from(&self.waits_for);
        }
        Ok((end, result))
    }

    fn end(&self, nodes: &Nodes, waited: bool) -> End {
        let id = &self.refresh.id;
        match self.refresh.status.as_str() {
            "Successful" => self.really_done(nodes),
            "Failed" => End::Failed(self.failure(ErrorKind::Failed, format!("refresh {id} failed"))),
            "Cancelled" => End::Superseded(
                CtlError::new(
                    ErrorKind::Changed,
                    format!(
                        "refresh {}: refresh {id} was cancelled: {}",
                        self.fleet,
                        told(nodes)
                    ),
                )
                .hint(("see what instances run with", instances_command(self.fleet))),
            ),
            "RollbackSuccessful" => {
                End::RolledBack(self.failure(ErrorKind::Failed, format!("refresh {id} was rolled back")))
            }
            "RollbackFailed" => {
                let what = format!("refresh {id} failed, and so did its rollback");
                End::Failed(self.failure(ErrorKind::Failed, what))
            }
            _ if !waited => End::Settled,
            _ => End::Running {
                what: self.text(),
                hint: Hint::new("it goes on in AWS: follow it again with")
                    .command(status_command(self.fleet).args(["--follow"]))
                    .and("; end it with")
                    .command(cancel_command(self.fleet)),
            },
        }
    }

    /// A refresh that AWS calls successful has replaced what it was told to: whether all run the image is another
    /// question. Instances that were left alone because they are protected still run what they ran.
    fn really_done(&self, nodes: &Nodes) -> End {
        let now = nodes.pointers.ami.as_ref().map(|pointer| &pointer.value);
        if let Some(wanted) = &self.image
            && now != Some(wanted)
        {
            return End::Superseded(
                CtlError::new(
                    ErrorKind::Changed,
                    format!(
                        "refresh {}: the pointer was moved from {wanted} to {} meanwhile: {}",
                        self.fleet,
                        now.map_or("nothing", String::as_str),
                        told(nodes)
                    ),
                )
                .hint((
                    "replace the instances once more with",
                    CommandLine::bpctl(["fleet", "refresh"]).args([self.fleet.to_string()]),
                )),
            );
        }
        let others = nodes.on_other_images();
        if others.is_empty() {
            return End::Settled;
        }
        let mut error = CtlError::new(
            ErrorKind::Failed,
            format!(
                "refresh {}: refresh {} has ended and {}",
                self.fleet,
                self.refresh.id,
                told(nodes)
            ),
        );
        for node in others.iter().take(NAMED) {
            let why = if node.protected {
                " (protected from scale-in)"
            } else {
                ""
            };
            error = error.cause(format!(
                "{} runs {}{why}",
                node.id,
                node.image.as_deref().unwrap_or("an image that EC2 does not tell")
            ));
        }
        End::Failed(error.hint(("see what instances run with", instances_command(self.fleet))))
    }

    fn failure(&self, kind: ErrorKind, what: String) -> CtlError {
        let mut error = CtlError::new(kind, format!("refresh {}: {what}", self.fleet));
        if let Some(reason) = &self.refresh.reason {
            error = error.cause(one_line(reason));
        }
        for failed in self.failures.iter().take(NAMED) {
            error = error.cause(format!(
                "failed launches: {}: {}",
                failed.text(),
                one_line(&failed.message)
            ));
        }
        error.hint((
            "what is replaced stays replaced; replace the others with",
            CommandLine::bpctl(["fleet", "refresh"]).args([self.fleet.to_string()]),
        ))
    }
}

/// `2 of 3 instances run ami-…`.
fn told(nodes: &Nodes) -> String {
    let all = nodes.staying().count();
    let image = nodes
        .pointers
        .ami
        .as_ref()
        .map_or("the pointer's image", |pointer| pointer.value.as_str());
    format!(
        "{} of {all} instances run {image}",
        all - nodes.on_other_images().len()
    )
}

fn instances_command(fleet: &FleetId) -> CommandLine {
    CommandLine::bpctl(["fleet", "instances"]).args([fleet.to_string()])
}

/// What a fleet's instances run, as the result shows it.
pub(super) fn result(fleet: &FleetId, nodes: &Nodes) -> RefreshResult {
    RefreshResult {
        fleet: fleet.clone(),
        image: nodes.pointers.ami.as_ref().map(|pointer| pointer.value.clone()),
        status: "UpToDate".to_owned(),
        instances: nodes.staying().map(|node| NodeView::of(nodes, node)).collect(),
        ..RefreshResult::empty(fleet)
    }
}

/// Why a refresh does not advance, the weightiest reason first. Empty when it does.
fn waits_for(refresh: &InstanceRefresh, group: &Group, failures: &[FailedLaunches]) -> Vec<String> {
    if refresh.is_over() {
        return Vec::new();
    }
    let mut why = Vec::new();
    for (process, reason) in &group.suspended {
        if [REFRESH_PROCESS, "Launch", "Terminate"].contains(&process.as_str()) {
            why.push(format!(
                "its process {process} is suspended ({})",
                one_line(reason)
            ));
        }
    }
    let missing = (group.desired as usize).saturating_sub(group.in_service() + group.count(Phase::Pending));
    if missing > 0 {
        why.extend(
            failures
                .iter()
                .map(|failed| format!("launches fail: {}", failed.text())),
        );
    }
    if let Some(reason) = &refresh.reason {
        let reason = one_line(reason);
        let protected: Vec<&str> = group
            .instances
            .iter()
            .filter(|instance| instance.protected && instance.phase == Phase::InService)
            .map(|instance| instance.id.as_str())
            .collect();
        if reason.contains("protected") && !protected.is_empty() {
            why.push(format!(
                "waits for instances that are protected from scale-in: {}",
                protected.join(", ")
            ));
        } else {
            why.push(reason);
        }
    }
    why
}

/// Jobs in the fleet's queue, when CloudWatch has a value.
pub(super) async fn backlog(ctx: &Ctx, layout: &Layout, fleet: &FleetId) -> Option<f64> {
    let signals = read_signals_of(&ctx.aws, layout, fleet).await;
    signals.queue_depth.value()
}

pub(super) async fn verify(
    change: &Refresh<'_>,
    seen: &Seen,
    run: &mut Verification<'_, Refresh<'_>>,
) -> Result<()> {
    let name = change.fleet.to_string();
    let done = run.done();
    let Some((step, Some(id))) = done.first().map(|(step, id)| (*step, id.clone())) else {
        // Nothing was to be replaced.
        run.ending(&name, result(&change.fleet, &seen.nodes));
        return Ok(());
    };
    let followed = Followed {
        ctx: change.ctx,
        layout: &change.layout,
        fleet: &change.fleet,
        pause_on_backlog: change.options.pause_on_backlog,
        before: &seen.nodes.group,
    };
    let (end, result) = follow_up(&followed, &id, step, &step.action, run).await?;
    run.end(&name, end);
    run.ending(&name, result);
    Ok(())
}

/// A refresh that a step has started.
pub(in crate::commands) struct Followed<'a> {
    pub(in crate::commands) ctx: &'a Ctx,
    pub(in crate::commands) layout: &'a Layout,
    pub(in crate::commands) fleet: &'a FleetId,
    pub(in crate::commands) pause_on_backlog: Option<u32>,
    /// The group before it.
    pub(in crate::commands) before: &'a Group,
}

/// Follows a refresh that a step of whatever verb has started, under `--no-wait` with one look.
///
/// # Errors
/// When AWS cannot be looked at any more; the refresh goes on.
pub(in crate::commands) async fn follow_up<V: Change>(
    followed: &Followed<'_>,
    id: &str,
    step: &Step<V::Action>,
    action: &RefreshAction,
    run: &Verification<'_, V>,
) -> Result<(End, RefreshResult)> {
    let name = followed.fleet.to_string();
    let mut follower = Follower::new(
        followed.ctx,
        followed.layout,
        followed.fleet,
        id,
        Some(action.image.clone()),
        followed.before,
    );
    let waits = run.waits();
    if waits {
        let mut paused = false;
        let most = followed.pause_on_backlog.map(f64::from);
        let ended = follower
            .follow(run.deadline(), async |follower| {
                let Some(most) = most else { return Ok(()) };
                let Some(jobs) = backlog(follower.ctx, follower.layout, follower.fleet).await else {
                    return Ok(());
                };
                if !paused && jobs > most {
                    run.send(step, &follower.ctx.aws, &action.pause).await?;
                    follower
                        .ctx
                        .ui
                        .status(&format!("{name}: holding on while {jobs:.0} jobs wait"));
                    paused = true;
                } else if paused && jobs <= most {
                    run.send(step, &follower.ctx.aws, &action.resume).await?;
                    follower
                        .ctx
                        .ui
                        .status(&format!("{name}: going on: {jobs:.0} jobs wait"));
                    paused = false;
                }
                Ok(())
            })
            .await;
        if paused {
            // When this run has ended, no process would let the refresh go on.
            run.send(step, &followed.ctx.aws, &action.resume).await?;
        }
        ended.map_err(|error| {
            error.hint((
                "the refresh goes on in AWS: see how far it is with",
                status_command(followed.fleet),
            ))
        })?;
    } else {
        follower.look().await?;
        followed
            .ctx
            .ui
            .hint(Hint::new("follow it with").command(status_command(followed.fleet).args(["--follow"])));
    }
    follower.conclude(waits).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::autoscaling::Instance;
    use crate::aws::autoscaling::sample::group;

    fn refresh(reason: &str) -> InstanceRefresh {
        InstanceRefresh {
            status: "InProgress".to_owned(),
            reason: (!reason.is_empty()).then(|| reason.to_owned()),
            ..InstanceRefresh::default()
        }
    }

    fn failed() -> FailedLaunches {
        FailedLaunches {
            error: "UnfulfillableCapacity".to_owned(),
            zone: Some("us-east-1a".to_owned()),
            instance_type: None,
            count: 3,
            message: String::new(),
        }
    }

    #[test]
    fn a_suspended_process_comes_before_everything_else() {
        let mut group = group("g", 1, &[Phase::InService]);
        group.suspended = vec![("InstanceRefresh".to_owned(), "User suspended".to_owned())];
        let why = waits_for(&refresh("Waiting for instances to warm up."), &group, &[]);
        assert_eq!(
            why,
            [
                "its process InstanceRefresh is suspended (User suspended)",
                "Waiting for instances to warm up."
            ]
        );
    }

    #[test]
    fn failed_launches_count_only_while_instances_are_missing() {
        let mut short = group("g", 2, &[Phase::InService; 2]);
        short.instances.clear();
        let why = waits_for(&refresh(""), &short, &[failed()]);
        assert_eq!(why, ["launches fail: 3 × UnfulfillableCapacity (us-east-1a)"]);
        let whole = group("g", 2, &[Phase::InService; 2]);
        assert!(waits_for(&refresh(""), &whole, &[failed()]).is_empty());
    }

    #[test]
    fn protected_instances_are_named() {
        let mut group = group("g", 2, &[Phase::InService; 2]);
        for instance in &mut group.instances {
            Instance::clone_from(
                instance,
                &Instance {
                    protected: true,
                    ..instance.clone()
                },
            );
        }
        let why = waits_for(
            &refresh("For example: i-1 is protected from scale in."),
            &group,
            &[],
        );
        assert!(
            why[0].starts_with("waits for instances that are protected from scale-in: i-"),
            "{why:?}"
        );
    }
}
