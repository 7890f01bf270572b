//! The probes: everything that triage reads, side by side, each with its own answer.
//!
//! Up to 30 fleets at most four round trips follow one another; 200 fleets have six pages of policies, and
//! no more than 66 calls are made for them.

mod addresses;
mod backend_logs;
mod deadline;
mod fleets;
pub(crate) mod glance;
mod metrics;
mod platform;
mod services;
mod tasks;

use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{LocalBoxFuture, Shared, join, join3};

use super::snapshot::{Checked, Probe, Snapshot};
use crate::aws::Aws;
use crate::aws::cloudformation::StackSummary;
use crate::layout::{FleetId, Layout};
use deadline::{Deadline, needed};

/// What to look at, and for how long.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    /// Only these fleets; all of them when empty.
    pub(crate) fleets: Vec<FleetId>,
    /// What is not answered by then could not be checked.
    pub(crate) timeout: Duration,
}

/// An answer that several probes wait for.
type Awaited<'a, T> = Shared<LocalBoxFuture<'a, Checked<T>>>;

fn awaited<'a, T: Clone>(look: impl Future<Output = Checked<T>> + 'a) -> Awaited<'a, T> {
    look.boxed_local().shared()
}

/// Looks at everything. Never fails as a whole: what could not be seen says so in its place.
pub(crate) async fn look(aws: &Aws, layout: &Layout, scope: &Scope) -> Snapshot {
    let deadline = &Deadline::begin(aws.clock(), scope.timeout);
    let fleets = fleets(aws, layout, scope, deadline).boxed_local();
    core(aws, layout, deadline, fleets).boxed_local().await
}

/// The core system, beside the `fleets`, whose part of the snapshot is filled already.
#[expect(clippy::too_many_lines, reason = "one row a probe, all of them at once")]
async fn core(
    aws: &Aws,
    layout: &Layout,
    deadline: &Deadline<'_>,
    fleets: impl Future<Output = Snapshot>,
) -> Snapshot {
    let services = awaited(deadline.check(services::services(aws, layout)));
    let tasks = awaited(deadline.check(tasks::tasks(aws, layout)));
    let alarms = awaited(deadline.check(platform::alarms(aws, layout)));
    let outputs = awaited(deadline.check(platform::outputs(aws, layout)));
    let targets = awaited(async {
        let services = services.clone().await;
        deadline
            .check(services::targets(aws, needed(&services, Probe::Services)?))
            .await
    });
    let database = awaited(async {
        let instances = deadline.check(aws.db_instances());
        let (instances, outputs, alarms) = join3(instances, outputs.clone(), alarms.clone()).await;
        // Without the stack's word or the alarms' the only instance is taken; with them, theirs.
        let (outputs, alarms) = (outputs.unwrap_or_default(), alarms.unwrap_or_default());
        Ok(platform::database(&instances?, &outputs, &alarms))
    });
    let metrics = awaited(async {
        let (alarms, outputs, database, services) = futures::join!(
            alarms.clone(),
            outputs.clone(),
            database.clone(),
            services.clone()
        );
        let outputs = needed(&outputs, Probe::Stacks)?;
        let services = services.unwrap_or_default();
        let database = database.unwrap_or_default();
        let alarms = match &alarms {
            Ok(alarms) => alarms.as_slice(),
            // The services lead to the load balancer too.
            Err(_) if !services.is_empty() && database.is_some() => &[],
            Err(_) => needed(&alarms, Probe::Alarms)?,
        };
        let sources = metrics::Sources::new(alarms, outputs, database.as_ref(), &services);
        deadline
            .check(metrics::platform(aws, deadline, layout, sources, &services))
            .await
    });
    let task_logs = async {
        let tasks = tasks.clone().await;
        let tasks = needed(&tasks, Probe::Tasks)?;
        deadline.check(tasks::logs(aws, layout, tasks)).await
    };
    let backend_logs = deadline.check(backend_logs::search(aws, deadline, layout));
    let all_stacks = awaited(deadline.check(platform::all_stacks(aws)));
    let stacks = async {
        let unsettled = async {
            let all = all_stacks.clone().await;
            let all = needed(&all, Probe::StackNames)?.clone();
            deadline.check(platform::stacks(aws, layout, all)).await
        };
        let (unsettled, outputs) = join(unsettled, outputs.clone()).await;
        outputs.and(unsettled)
    };
    let alert_topics = async {
        let alarms = alarms.clone().await;
        let alarms = needed(&alarms, Probe::Alarms)?;
        deadline.check(platform::alert_topics(aws, alarms)).await
    };
    let rollouts = deadline.check(services::rollouts(aws, layout));
    let images = deadline.check(platform::images(aws, layout));
    let secrets = deadline.check(platform::secrets(aws, layout));
    // Answers that several probes need are polled with the others: a shared future starts at its first poll.
    let shared = async {
        futures::join!(
            services.clone(),
            tasks.clone(),
            targets.clone(),
            alarms.clone(),
            metrics.clone(),
            database.clone()
        )
    };
    let (shared, task_logs, backend_logs, stacks, rollouts, images, secrets, alert_topics, fleets) = futures::join!(
        shared,
        task_logs,
        backend_logs,
        stacks,
        rollouts,
        images,
        secrets,
        alert_topics,
        fleets
    );
    let (services, tasks, targets, alarms, metrics, database) = shared;
    let names = |all: Vec<StackSummary>| all.into_iter().map(|stack| stack.name).collect();
    Snapshot {
        stack_names: all_stacks.clone().await.map(names),
        services,
        rollouts,
        tasks,
        task_logs,
        backend_logs,
        targets,
        alarms,
        metrics,
        images,
        secrets,
        database,
        stacks,
        alert_topics,
        ..fleets
    }
}

/// The fleets: their part of the snapshot, the core system's part empty.
async fn fleets(aws: &Aws, layout: &Layout, scope: &Scope, deadline: &Deadline<'_>) -> Snapshot {
    let groups = awaited(deadline.check(fleets::groups(aws, layout, &scope.fleets)));
    // Fleets that were asked for are known without their groups.
    let known = awaited(async {
        if !scope.fleets.is_empty() {
            return Ok(scope.fleets.iter().cloned().collect());
        }
        let groups = groups.clone().await;
        needed(&groups, Probe::Groups).map(|groups| fleets::ids(groups))
    });
    let policies = awaited(deadline.check(fleets::policies(aws, layout, &scope.fleets)));
    let alarms = awaited(async {
        let (known, policies) = join(known.clone(), policies.clone()).await;
        // Without the policies at least the alarms that the layout names.
        let policies = policies.unwrap_or_default();
        deadline
            .check(fleets::alarms(aws, layout, &known?, &policies))
            .await
    });
    let metrics = async {
        let known = known.clone().await?;
        deadline
            .check(metrics::fleets(aws, deadline, layout, &known))
            .await
    };
    let addresses = async {
        let groups = groups.clone().await;
        let groups = needed(&groups, Probe::Groups)?;
        deadline.check(addresses::read(aws, layout, groups)).await
    };
    let holds = async {
        let groups = groups.clone().await;
        let groups = needed(&groups, Probe::Groups)?;
        deadline.check(fleets::holds(aws, layout, groups)).await
    };
    let amis = async {
        let known = known.clone().await?;
        deadline.check(fleets::amis(aws, layout, &known)).await
    };
    let secrets = async {
        let secrets = deadline.check(fleets::secrets(aws, layout));
        let (secrets, known) = join(secrets, known.clone()).await;
        let mut secrets = secrets?;
        if let Ok(known) = known {
            secrets.retain(|secret| known.iter().any(|fleet| fleet.stage == secret.stage));
        }
        Ok(secrets)
    };
    let topics = async {
        let (known, alarms) = join(known.clone(), alarms.clone()).await;
        let alarms = needed(&alarms, Probe::FleetAlarms)?;
        deadline.check(fleets::topics(aws, layout, &known?, alarms)).await
    };
    let activities = deadline.check(fleets::activities(aws, deadline, layout));
    let (fleet_metrics, addresses, holds, amis, fleet_secrets, topics, activities) =
        futures::join!(metrics, addresses, holds, amis, secrets, topics, activities);
    Snapshot {
        groups: groups.clone().await,
        holds,
        fleet_alarms: alarms.clone().await,
        policies: policies.clone().await,
        fleet_metrics,
        activities,
        addresses,
        amis,
        fleet_secrets,
        topics,
        ..Snapshot::empty(layout.clone())
    }
}
