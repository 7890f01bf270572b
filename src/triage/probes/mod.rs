//! The probes: everything that triage reads, side by side, each with its own answer.
//!
//! Up to 30 fleets at most four round trips follow one another; 200 fleets have six pages of policies, and
//! no more than 55 calls are made for them.

mod backend_logs;
mod fleets;
mod metrics;
mod platform;
mod services;
mod tasks;
mod watch;

use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{LocalBoxFuture, Shared, join, join3};

use super::snapshot::{Checked, Probe, Snapshot};
use crate::aws::Aws;
use crate::aws::cloudformation::StackSummary;
use crate::layout::{FleetId, Layout};
use watch::{Watch, needed};

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
    let watch = &Watch::begin(aws.clock(), scope.timeout);
    let core = core(aws, layout, watch).boxed_local();
    let fleets = fleets(aws, layout, scope, watch).boxed_local();
    let (core, fleets) = join(core, fleets).await;
    Snapshot {
        layout: layout.clone(),
        services: core.services,
        rollouts: core.rollouts,
        tasks: core.tasks,
        task_logs: core.task_logs,
        backend_logs: core.backend_logs,
        targets: core.targets,
        alarms: core.alarms,
        metrics: core.metrics,
        images: core.images,
        secrets: core.secrets,
        database: core.database,
        stacks: core.stacks,
        stack_names: core.stack_names,
        alert_topics: core.alert_topics,
        ..fleets
    }
}

/// The core system: its part of the snapshot, the fleets' part empty.
#[expect(clippy::too_many_lines, reason = "one row a probe, all of them at once")]
async fn core(aws: &Aws, layout: &Layout, watch: &Watch<'_>) -> Snapshot {
    let services = awaited(watch.check(services::services(aws, layout)));
    let tasks = awaited(watch.check(tasks::tasks(aws, layout)));
    let alarms = awaited(watch.check(platform::alarms(aws, layout)));
    let outputs = awaited(watch.check(platform::outputs(aws, layout)));
    let targets = awaited(async {
        let services = services.clone().await;
        watch
            .check(services::targets(aws, needed(&services, Probe::Services)?))
            .await
    });
    let database = awaited(async {
        let instances = watch.check(aws.db_instances());
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
        let sources = metrics::Sources::new(alarms, outputs, database.as_ref());
        watch
            .check(metrics::platform(aws, watch, sources, &services))
            .await
    });
    let task_logs = async {
        let tasks = tasks.clone().await;
        let tasks = needed(&tasks, Probe::Tasks)?;
        watch.check(tasks::logs(aws, layout, tasks)).await
    };
    let backend_logs = watch.check(backend_logs::search(aws, watch, layout));
    let all_stacks = awaited(watch.check(platform::all_stacks(aws)));
    let stacks = async {
        let unsettled = async {
            let all = all_stacks.clone().await;
            let all = needed(&all, Probe::StackNames)?.clone();
            watch.check(platform::stacks(aws, layout, all)).await
        };
        let (unsettled, outputs) = join(unsettled, outputs.clone()).await;
        outputs.and(unsettled)
    };
    let alert_topics = async {
        let alarms = alarms.clone().await;
        let alarms = needed(&alarms, Probe::Alarms)?;
        watch.check(platform::alert_topics(aws, alarms)).await
    };
    let rollouts = watch.check(services::rollouts(aws, layout));
    let images = watch.check(platform::images(aws, layout));
    let secrets = watch.check(platform::secrets(aws, layout));
    // What several probes wait for is asked for as early as what nobody waits for.
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
    let (shared, task_logs, backend_logs, stacks, rollouts, images, secrets, alert_topics) = futures::join!(
        shared,
        task_logs,
        backend_logs,
        stacks,
        rollouts,
        images,
        secrets,
        alert_topics
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
        ..Snapshot::empty(layout.clone())
    }
}

/// The fleets: their part of the snapshot, the core system's part empty.
async fn fleets(aws: &Aws, layout: &Layout, scope: &Scope, watch: &Watch<'_>) -> Snapshot {
    let groups = awaited(watch.check(fleets::groups(aws, layout, &scope.fleets)));
    // Fleets that were asked for are known without their groups.
    let known = awaited(async {
        if !scope.fleets.is_empty() {
            return Ok(scope.fleets.iter().cloned().collect());
        }
        let groups = groups.clone().await;
        needed(&groups, Probe::Groups).map(|groups| fleets::ids(groups))
    });
    let policies = awaited(watch.check(fleets::policies(aws, layout, &scope.fleets)));
    let alarms = awaited(async {
        let (known, policies) = join(known.clone(), policies.clone()).await;
        // Without the policies at least the alarms that the layout names.
        let policies = policies.unwrap_or_default();
        watch.check(fleets::alarms(aws, layout, &known?, &policies)).await
    });
    let metrics = async {
        let known = known.clone().await?;
        watch.check(metrics::fleets(aws, watch, layout, &known)).await
    };
    let amis = async {
        let known = known.clone().await?;
        watch.check(fleets::amis(aws, layout, &known)).await
    };
    let secrets = async {
        let secrets = watch.check(fleets::secrets(aws, layout));
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
        watch.check(fleets::topics(aws, layout, &known?, alarms)).await
    };
    let activities = watch.check(fleets::activities(aws, watch, layout));
    let (fleet_metrics, amis, fleet_secrets, topics, activities) =
        futures::join!(metrics, amis, secrets, topics, activities);
    Snapshot {
        groups: groups.clone().await,
        fleet_alarms: alarms.clone().await,
        policies: policies.clone().await,
        fleet_metrics,
        activities,
        amis,
        fleet_secrets,
        topics,
        ..Snapshot::empty(layout.clone())
    }
}
