//! The GPU fleets of the account: parameters, groups, policies, alarms, work, and their scenarios.

use std::collections::BTreeSet;
use std::time::Duration;

use fleet_templates::FleetScaling;

use super::names::{Names, generated, path_digits};
use super::{alarms, dashboard, fleet_alarms, fleet_scenarios, parameters, stacks};
use crate::application::workload::{self, FleetPlace, WorkerRules};
use crate::options::{FleetSeed, Layout};
use crate::scenario::Scenario;
use crate::service::autoscaling::{self, GroupSpec, Image};
use crate::service::{cloudwatch, logs, sns};
use crate::time::SimTime;
use crate::world::World;

/// Shortest and longest job of a fleet, in seconds.
const JOB_SECONDS: (u64, u64) = (100, 140);
/// How long the platform has been deployed.
const AGE: Duration = Duration::from_secs(41 * 24 * 3600);
/// Minutes of metrics before the history that is lived through.
const EARLIER_MINUTES: u64 = 20;

/// Puts everything in place that this part of the platform consists of.
pub(super) fn place(world: &mut World) {
    let names = Names::new(&world.options);
    topics(world, &names);
    parameters::platform(world, &names);
    let fleets = world.options.effective_fleets();
    for fleet in &fleets {
        place_fleet(world, &names, fleet);
    }
    alarms::platform(world, &names);
    dashboard::place(world, &names);
    stacks::place(world, &names, &fleets);
    cloudwatch::settle(world);
    fleet_scenarios::begin(world, &names);
}

pub(super) fn scenarios_changed(world: &mut World, before: &BTreeSet<Scenario>) {
    let names = Names::new(&world.options);
    fleet_scenarios::changed(world, &names, before);
}

fn topics(world: &mut World, names: &Names) {
    let alerts = sns::create_topic(world, &names.core("ops-alerts"));
    sns::add_subscription(world, &alerts, "email", "ops@example.com");
    sns::create_topic(world, &names.core("scale-to-zero"));
    let stack = match world.options.layout {
        Layout::Single => names.core("gpu-shared"),
        Layout::Staged => names.core("gpu"),
    };
    let logical = format!("ScaleToZeroFn{}", path_digits("ScaleToZeroFn"));
    let function = generated(&mut world.ids, &stack, &logical);
    logs::create_group(world, &format!("/aws/lambda/{function}"), 30);
    world.services.facts.zero_function = function;
    subscribe_function(world, names);
}

/// The subscription of the scale-to-zero function.
pub(super) fn subscribe_function(world: &mut World, names: &Names) {
    let topic = sns::topic_arn(world, &names.core("scale-to-zero"));
    let function = zero_function_arn(world);
    sns::add_subscription(world, &topic, "lambda", &function);
}

/// The function that takes idle fleets to zero.
pub(super) fn zero_function_arn(world: &World) -> String {
    format!(
        "arn:aws:lambda:{}:{}:function:{}",
        world.options.region, world.options.account_id, world.services.facts.zero_function
    )
}

/// Those of the stack and those of the fleet. No tag names the fleet's stage in the single layout.
fn tags(world: &World, names: &Names, fleet: &FleetSeed) -> Vec<(String, String)> {
    let slug = (names.slug_tag(), fleet.slug.as_str());
    let tags = match world.options.layout {
        Layout::Single => vec![
            slug,
            ("CapacityType", "spot"),
            ("Project", "bp"),
            ("DeploymentModel", "single-system-fleet-stages"),
            ("Service", "gpu-fleet"),
        ],
        Layout::Staged => vec![
            slug,
            ("Project", "bp"),
            ("Stage", fleet.stage.as_str()),
            ("Service", "gpu"),
        ],
    };
    tags.into_iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

/// A stack has made the group of a fleet: its workers come to the backend, which has no jobs for them yet.
pub(crate) fn joins(world: &mut World, group: &str, tags: &[(String, String)]) {
    let names = Names::new(&world.options);
    let slug = tags
        .iter()
        .find(|(key, _)| key == names.slug_tag())
        .map(|(_, slug)| slug);
    let (Some(slug), Some(rest)) = (slug, group.strip_prefix("asg-")) else {
        return;
    };
    let Some(stage) = rest
        .strip_suffix(slug.as_str())
        .map(|stage| stage.trim_end_matches('-'))
    else {
        return;
    };
    if workload::fleet_mut(world, group).is_some() {
        return;
    }
    let place = FleetPlace {
        group: group.to_owned(),
        secret: names.fleet_secret(stage),
        log_group: format!("/gpu-workers/{slug}"),
        dimensions: names.metric_dimensions(stage, slug),
    };
    let idle = WorkerRules {
        customers: 0,
        job_seconds: JOB_SECONDS,
        extra_per_minute: 0.0,
    };
    workload::add_fleet(world, place, idle);
}

/// For how many days the workers' log is kept.
pub(super) fn retention(stage: &str) -> u32 {
    if stage == "production" { 30 } else { 7 }
}

fn place_fleet(world: &mut World, names: &Names, fleet: &FleetSeed) {
    let Some(scaling) = FleetScaling::template(&fleet.template) else {
        return;
    };
    parameters::fleet(world, names, fleet, &scaling);
    let began = world.now - AGE;
    let (zone_a, zone_b) = (
        format!("{}a", world.options.region),
        format!("{}b", world.options.region),
    );
    let group = names.group(fleet);
    let workers = if fleet_scenarios::starts_at_zero(world, fleet) {
        0
    } else {
        fleet.workers
    };
    let subnets = world.services.facts.private_subnets.clone();
    autoscaling::create_group(
        world,
        GroupSpec {
            name: group.clone(),
            min: scaling.limits.min,
            max: scaling.limits.max,
            launch_template: names.launch_template(fleet),
            image: Image::Parameter(names.ami(fleet)),
            // The type of `desired_config` alone, or all that the staged layout has compiled in.
            instance_types: match world.options.layout {
                Layout::Single => scaling.instance_types[..1.min(scaling.instance_types.len())].to_vec(),
                Layout::Staged => scaling.instance_types.clone(),
            },
            subnets: [zone_a, zone_b].into_iter().zip(subnets).collect(),
            warmup: scaling.warmup,
            tags: tags(world, names, fleet),
            created: began,
        },
        workers,
        world.now - Duration::from_secs(3 * 3600),
    );
    let log_group = format!("/gpu-workers/{}", fleet.slug);
    logs::create_group(world, &log_group, retention(&fleet.stage));
    let rules = usual_work(fleet);
    earlier_metrics(world, names, fleet, workers, rules);
    workload::add_fleet(
        world,
        FleetPlace {
            group,
            secret: names.fleet_secret(&fleet.stage),
            log_group,
            dimensions: names.metric_dimensions(&fleet.stage, &fleet.slug),
        },
        rules,
    );
    let watched = fleet_scenarios::watched_slug(world, fleet);
    fleet_alarms::fleet(world, names, fleet, &scaling, &watched);
}

/// The customers that keep a fleet as busy as its seed says.
///
/// Each customer has one job in the system, and the depth of the queue counts them all. With `2w - 1`
/// jobs, of which `w - 1` wait, `w` workers stay `w` workers under the platform's own policies: the
/// backlog per worker is below 90 % of the target, so the low alarm of the tracking policy is on, and
/// its answer, `w`, outweighs the step policy's 1. From five workers on there is no such number, and
/// after a disturbance the low alarm needs fifteen minutes to come back while the step policy needs one:
/// then a fleet goes up and down, as it does in truth.
pub(super) fn usual_work(fleet: &FleetSeed) -> WorkerRules {
    let mean = (JOB_SECONDS.0 + JOB_SECONDS.1) as f64 / 2.0;
    let needed = (fleet.jobs_per_minute * mean / 60.0).ceil().max(0.0) as usize;
    let workers = if needed == 0 {
        0
    } else {
        needed.max(fleet.workers as usize)
    };
    WorkerRules {
        customers: (2 * workers).saturating_sub(1),
        job_seconds: JOB_SECONDS,
        extra_per_minute: 0.0,
    }
}

/// Metrics from before the time that is lived through, so that alarms know the past of a fleet.
fn earlier_metrics(world: &mut World, names: &Names, fleet: &FleetSeed, workers: u32, rules: WorkerRules) {
    let dimensions = names.metric_dimensions(&fleet.stage, &fleet.slug);
    let dimensions: Vec<_> = dimensions
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let mut metric = |name| cloudwatch::metric(world, fleet_alarms::NAMESPACE, name, &dimensions);
    let (depth, active, backlog) = (
        metric("QueueDepth"),
        metric("ActiveWorkers"),
        metric("BacklogPerInstance"),
    );
    // A fleet that cannot start has had nothing to do until now.
    let queued = if workers == 0 { 0.0 } else { rules.customers as f64 };
    for minutes in (0..EARLIER_MINUTES).rev() {
        let at: SimTime = world.now - Duration::from_secs(60 * minutes);
        cloudwatch::record(world, depth, at, queued);
        cloudwatch::record(world, active, at, f64::from(workers));
        cloudwatch::record(world, backlog, at, queued / f64::from(workers.max(1)));
    }
}
