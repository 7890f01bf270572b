//! A healthy platform as the probes see it, for tests to break.

use std::ops::Range;

use jiff::Timestamp;

use crate::aws::autoscaling::{self, Phase, PolicyKind, Tracked};
use crate::aws::cloudwatch::AlarmState;
use crate::aws::ecs::{self, Container, Deployment, Event};
use crate::aws::logs::FoundLine;
use crate::error::ErrorKind;
use crate::layout::{App, FLEET_NAMESPACE, FleetAlarm, FleetId, Layout, LayoutKind, Stage};
use crate::triage::snapshot::{
    Activity, Alarm, Blind, Database, FleetGroup, FleetMetrics, FleetSecret, FleetSecretState, Group, Image,
    ParameterFacts, PlatformMetrics, Pointer, Policy, Repository, Secret, SecretFacts, Series, Service,
    Snapshot, Subscription, Target, TargetGroup, Task, Topic,
};

const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:bp-scale-to-zero";
const ALERTS: &str = "arn:aws:sns:us-east-1:123456789012:bp-ops-alerts";

/// 2026-01-15T09:00:00Z.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_second(1_768_467_600).unwrap()
}

pub(crate) fn before(minutes: i64) -> Timestamp {
    Timestamp::from_second(now().as_second() - minutes * 60).unwrap()
}

/// One value a minute, `minutes` being how old they are.
pub(crate) fn series(minutes: Range<i64>, value: f64) -> Series {
    Series(minutes.rev().map(|age| (before(age), value)).collect())
}

pub(crate) fn event(minutes: i64, message: &str) -> Event {
    Event {
        at: before(minutes),
        message: message.to_owned(),
    }
}

pub(crate) fn line(minutes: i64, prefix: &str, message: &str) -> FoundLine {
    FoundLine {
        at: before(minutes),
        stream: format!("{prefix}/php-fpm/0a1b2c3d"),
        message: message.to_owned(),
    }
}

pub(crate) fn blind() -> Blind {
    Blind {
        kind: ErrorKind::AccessDenied,
        reason: "not authorized".to_owned(),
        hints: Vec::new(),
        needs: None,
    }
}

pub(crate) fn target(state: &str) -> Target {
    Target {
        id: "10.0.10.7:80".to_owned(),
        zone: Some("us-east-1a".to_owned()),
        state: state.to_owned(),
        reason: None,
        description: None,
    }
}

pub(crate) fn container(name: &str, exit_code: Option<i32>) -> Container {
    Container {
        name: name.to_owned(),
        exit_code,
        ..Container::default()
    }
}

/// A stopped task of a service's present deployment.
pub(crate) fn task(id: &str, app: App) -> Task {
    let name = match app {
        App::Backend => "bp-backend",
        App::Frontend => "bp-frontend",
    };
    let ecs = ecs::Task {
        arn: format!("arn:aws:ecs:us-east-1:123456789012:task/bp/{id}"),
        definition: format!("arn:aws:ecs:us-east-1:123456789012:task-definition/{name}:7"),
        group: Some(format!("service:{name}")),
        started_by: Some("ecs-svc/0123456789".to_owned()),
        state: "STOPPED".to_owned(),
        created: Some(before(6)),
        started: Some(before(5)),
        stopped: Some(before(3)),
        ..ecs::Task::default()
    };
    Task {
        ecs,
        service: Some(app),
        essential: None,
    }
}

/// A task that stopped because one of its containers exited.
pub(crate) fn exited(id: &str, app: App, name: &str, status: i32) -> Task {
    let mut task = task(id, app);
    task.ecs.stop_code = Some("EssentialContainerExited".to_owned());
    task.ecs.stopped_reason = Some("Essential container in task exited".to_owned());
    task.ecs.containers = vec![container(name, Some(status))];
    task
}

pub(crate) fn launch(minutes: i64, status: &str, message: &str) -> Activity {
    Activity {
        group: "asg-production-gpu-default".to_owned(),
        id: format!("activity-{minutes}"),
        status: status.to_owned(),
        message: (!message.is_empty()).then(|| message.to_owned()),
        description: "Launching a new EC2 instance: i-0123456789abcdef0".to_owned(),
        cause: String::new(),
        started: Some(before(minutes)),
        ended: None,
        progress: None,
        zone: None,
    }
}

pub(crate) fn alarm(name: &str, dimensions: &[(&str, &str)]) -> Alarm {
    Alarm {
        name: name.to_owned(),
        state: AlarmState::Ok,
        since: Some(before(600)),
        reason: None,
        metric: None,
        statistic: None,
        period_seconds: None,
        comparison: None,
        threshold: None,
        evaluation_periods: None,
        datapoints_to_alarm: None,
        missing_data: None,
        details: crate::aws::cloudwatch::AlarmDetails::default(),
        actions_enabled: true,
        actions: if name.ends_with("queue-empty") {
            vec![TOPIC.to_owned()]
        } else if name.ends_with("queue-has-jobs") {
            // It is there for people to see.
            Vec::new()
        } else {
            vec![ALERTS.to_owned()]
        },
        namespace: (!dimensions.is_empty()).then(|| FLEET_NAMESPACE.to_owned()),
        dimensions: dimensions
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
    }
}

fn service(app: App) -> Service {
    let name = match app {
        App::Backend => "bp-backend",
        App::Frontend => "bp-frontend",
    };
    let definition = format!("arn:aws:ecs:us-east-1:123456789012:task-definition/{name}:7");
    let deployment = Deployment {
        id: "ecs-svc/0123456789".to_owned(),
        status: "PRIMARY".to_owned(),
        rollout_state: Some("COMPLETED".to_owned()),
        rollout_reason: None,
        task_definition: definition.clone(),
        desired: 2,
        running: 2,
        pending: 0,
        failed: 0,
        created: Some(before(1080)),
    };
    let ecs = ecs::Service {
        name: name.to_owned(),
        status: "ACTIVE".to_owned(),
        desired: 2,
        running: 2,
        task_definition: definition,
        deployments: vec![deployment],
        events: vec![event(
            300,
            &format!("(service {name}) has reached a steady state."),
        )],
        target_groups: vec![group_arn(name)],
        ..ecs::Service::default()
    };
    Service {
        app,
        ecs,
        unstarted: false,
    }
}

fn group_arn(name: &str) -> String {
    format!("arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/{name}/73e2d6bc24d8a067")
}

fn fleet_metrics(queue: f64, workers: f64) -> FleetMetrics {
    FleetMetrics {
        queue: series(0..60, queue),
        workers: series(0..60, workers),
        samples: series(0..60, 2.0),
    }
}

fn group(layout: &Layout, fleet: &FleetId, instances: u32) -> FleetGroup {
    FleetGroup {
        fleet: fleet.clone(),
        group: autoscaling::sample::group(
            &layout.auto_scaling_group(fleet),
            instances,
            &vec![Phase::InService; instances as usize],
        ),
    }
}

/// As many instances as are desired, all of them in service.
pub(crate) fn resize(group: &mut Group, instances: u32) {
    *group = Group {
        max: group.max,
        ..autoscaling::sample::group(
            &group.name,
            instances,
            &vec![Phase::InService; instances as usize],
        )
    };
}

/// The scaling policies that a fleet's stack makes: names and alarms are generated.
fn policies_of(layout: &Layout, fleet: &FleetId) -> Vec<Policy> {
    let group = layout.auto_scaling_group(fleet);
    let steps = PolicyKind::Step {
        adjustment_type: "ExactCapacity".to_owned(),
        minimum_adjustment_magnitude: None,
        steps: Vec::new(),
    };
    let step = |side: &str| {
        let name = |what: &str| {
            format!(
                "{}-QueueDepthStepScaleOut{side}{what}-Ab1",
                layout.fleet_stack(fleet)
            )
        };
        autoscaling::sample::policy(&group, &name("Policy"), &[&name("Alarm")], steps.clone())
    };
    let tracking = PolicyKind::TargetTracking {
        target: 2.0,
        disable_scale_in: false,
        metric: Tracked::Math,
    };
    let tracking = autoscaling::sample::policy(
        &group,
        &format!("{}-BacklogTargetTracking-Ab1", layout.fleet_stack(fleet)),
        &["High", "Low"].map(|side| format!("TargetTracking-{group}-Alarm{side}-0a1b")),
        tracking,
    );
    vec![step("Lower"), step("Upper"), tracking]
}

/// The alarms that invoke a policy.
fn invoking(policy: &Policy, dimensions: &[(&str, &str)]) -> Vec<Alarm> {
    let names = policy.alarms.iter();
    names
        .map(|name| Alarm {
            actions: vec![policy.arn.clone()],
            ..alarm(name, dimensions)
        })
        .collect()
}

fn repository(app: App, name: &str, tags: &[&str]) -> Repository {
    Repository {
        app,
        name: name.to_owned(),
        images: tags
            .iter()
            .map(|tag| Image {
                tags: vec![(*tag).to_owned()],
                pushed: Some(before(1100)),
                ..Image::default()
            })
            .collect(),
    }
}

/// A confirmed subscription.
pub(crate) fn subscription(protocol: &str, endpoint: &str) -> Subscription {
    Subscription {
        protocol: protocol.to_owned(),
        endpoint: endpoint.to_owned(),
        confirmed: true,
    }
}

pub(crate) fn parameter(name: &str, data_type: &str) -> ParameterFacts {
    ParameterFacts {
        name: name.to_owned(),
        version: 4,
        data_type: data_type.to_owned(),
        modified: None,
        by: None,
    }
}

/// The single layout with its two fleets, everything in order.
#[expect(clippy::too_many_lines, reason = "a whole platform")]
pub(crate) fn healthy() -> Snapshot {
    let layout = Layout::new(LayoutKind::Single, "bp", None).unwrap();
    let fleets: Vec<FleetId> = ["staging/gpu-default", "production/gpu-default"]
        .iter()
        .map(|fleet| fleet.parse().unwrap())
        .collect();
    let mut snapshot = Snapshot::empty(layout.clone());
    snapshot.services = Ok(vec![service(App::Backend), service(App::Frontend)]);
    snapshot.targets = Ok([App::Backend, App::Frontend]
        .map(|app| TargetGroup {
            app,
            arn: group_arn(&layout.service(app)),
            targets: vec![target("healthy"), target("healthy")],
        })
        .to_vec());
    snapshot.alarms = Ok(layout
        .platform_alarms()
        .iter()
        .map(|name| alarm(name, &[]))
        .collect());
    snapshot.metrics = Ok(PlatformMetrics {
        requests: series(0..30, 120.0),
        database_cpu: series(0..30, 23.0),
        database_storage: series(0..30, 14.0e9),
        redis_cpu: series(0..30, 4.0),
        ..PlatformMetrics::default()
    });
    snapshot.images = Ok(vec![
        repository(
            App::Backend,
            "bp-backend",
            &["php-1a2b3c4", "php-latest", "nginx-1a2b3c4", "nginx-latest"],
        ),
        repository(App::Frontend, "bp-frontend", &["1a2b3c4", "latest"]),
    ]);
    snapshot.secrets = Ok(layout
        .secrets()
        .into_iter()
        .map(|(role, name)| Secret {
            role: role.to_owned(),
            facts: Some(SecretFacts {
                name: name.clone(),
                has_value: true,
                changed: None,
                tags: std::collections::BTreeMap::new(),
            }),
            name,
        })
        .collect());
    snapshot.database = Ok(Some(Database {
        id: "bp-mariadb".to_owned(),
        status: "available".to_owned(),
        security_groups: vec!["sg-0d4e5f60718293a4b".to_owned()],
        allocated: Some(20),
        ..Database::default()
    }));
    snapshot.groups = Ok(vec![group(&layout, &fleets[0], 0), group(&layout, &fleets[1], 2)]);
    snapshot.fleet_alarms = Ok(fleets
        .iter()
        .flat_map(|fleet| {
            let dimensions = layout.metric_dimensions(fleet);
            let dimensions: Vec<(&str, &str)> = dimensions
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            let own = FleetAlarm::ALL.map(|kind| alarm(&layout.fleet_alarm(kind, fleet), &dimensions));
            let invoking = policies_of(&layout, fleet)
                .into_iter()
                .flat_map(|policy| invoking(&policy, &dimensions));
            own.into_iter().chain(invoking).collect::<Vec<_>>()
        })
        .collect());
    snapshot.policies = Ok(fleets
        .iter()
        .map(|fleet| (layout.auto_scaling_group(fleet), policies_of(&layout, fleet)))
        .collect());
    snapshot.fleet_metrics = Ok([
        (fleets[0].clone(), fleet_metrics(0.0, 0.0)),
        (fleets[1].clone(), fleet_metrics(3.0, 2.0)),
    ]
    .into());
    snapshot.amis = Ok(fleets
        .iter()
        .map(|fleet| {
            let name = layout.ami_parameter(fleet);
            let pointer = Pointer {
                facts: parameter(&name, "aws:ec2:image"),
                value: None,
            };
            (name, pointer)
        })
        .collect());
    snapshot.fleet_secrets = Ok(Stage::ALL
        .map(|stage| FleetSecret {
            stage,
            name: layout.fleet_secret_parameter(stage),
            modified: None,
            state: FleetSecretState::Set,
        })
        .to_vec());
    snapshot.alert_topics = Ok(vec![Topic {
        arn: ALERTS.to_owned(),
        subscriptions: Some(vec![subscription("email", "ops@example.com")]),
    }]);
    snapshot.topics = Ok(vec![Topic {
        arn: TOPIC.to_owned(),
        subscriptions: Some(vec![subscription(
            "lambda",
            "arn:aws:lambda:us-east-1:123456789012:function:bp-gpu-shared-ScaleToZeroFn5D2A8C61-Ab1Cd2Ef3Gh4",
        )]),
    }]);
    snapshot
}

pub(crate) fn service_mut(snapshot: &mut Snapshot, app: App) -> &mut ecs::Service {
    let services = snapshot.services.as_mut().unwrap();
    let service = services.iter_mut().find(|service| service.app == app);
    &mut service.unwrap().ecs
}

pub(crate) fn group_mut<'a>(snapshot: &'a mut Snapshot, fleet: &str) -> &'a mut Group {
    let fleet: FleetId = fleet.parse().unwrap();
    let groups = snapshot.groups.as_mut().unwrap();
    let group = groups.iter_mut().find(|group| group.fleet == fleet);
    &mut group.unwrap().group
}

pub(crate) fn alarm_mut<'a>(snapshot: &'a mut Snapshot, name: &str) -> &'a mut Alarm {
    let platform = snapshot.alarms.as_mut().unwrap().iter_mut();
    let fleets = snapshot.fleet_alarms.as_mut().unwrap().iter_mut();
    platform.chain(fleets).find(|alarm| alarm.name == name).unwrap()
}
