//! The two ECS services: whether they exist, want tasks and have them.

use jiff::Timestamp;

use super::task_faults;
use crate::aws::ecs::Event;
use crate::error::CommandLine;
use crate::layout::{App, Layout};
use crate::triage::catalog::Code;
use crate::triage::commands;
use crate::triage::finding::{Finding, Node, Severity};
use crate::triage::snapshot::{Service, Snapshot, TaskFault};
use crate::triage::wording::{ago, at, minutes_since};

/// Tasks that were started so many minutes ago may still be on their way (image pull, 300 s grace period).
const ON_THEIR_WAY: i64 = 8;

/// Whether a service has what it wants and no deployment under way.
pub(super) fn is_whole(service: &Service) -> bool {
    let settled = service
        .primary()
        .and_then(|primary| primary.rollout_state.as_deref())
        .is_none_or(|state| state == "COMPLETED");
    settled && service.running >= service.desired
}

/// What goes wrong outside when an app has too few or bad tasks.
pub(super) fn outside(app: App) -> Vec<Node> {
    let mut nodes = vec![Node::Targets(app), Node::Responses];
    if app == App::Backend {
        nodes.push(Node::Scheduler);
    }
    nodes
}

pub(super) fn rule(snapshot: &Snapshot, now: Timestamp) -> Vec<Finding> {
    let services = snapshot.services.iter().flatten();
    services
        .filter_map(|service| {
            missing(snapshot, service)
                .or_else(|| at_zero(snapshot, service, now))
                .or_else(|| short(snapshot, service, now))
                .or_else(|| unsteady(snapshot, service, now))
        })
        .collect()
}

fn missing(snapshot: &Snapshot, service: &Service) -> Option<Finding> {
    let status = service.status.as_str();
    if status == "ACTIVE" {
        return None;
    }
    let layout = &snapshot.layout;
    let name = layout.service(service.app);
    let mut finding = Finding::new(Code::ServiceMissing, Node::Service(service.app), &name)
        .evidence(format!("cluster `{}` has `{name}` as {status}", layout.cluster()))
        .cause("the compute stack was never deployed, or the service was deleted outside of it")
        .explains(outside(service.app));
    if let Some(stack) = layout.core_stack("compute") {
        finding = finding
            .next(commands::stack_diff(&stack))
            .next(commands::stack_deploy(&stack));
    }
    Some(finding)
}

fn at_zero(snapshot: &Snapshot, service: &Service, now: Timestamp) -> Option<Finding> {
    if service.desired > 0 {
        return None;
    }
    let layout = &snapshot.layout;
    let app = service.app;
    if service.unstarted {
        return Some(unstarted(snapshot, service));
    }
    let all = snapshot
        .services
        .iter()
        .flatten()
        .all(|service| service.desired == 0);
    let cause = if all {
        "both services are at desired count 0: the platform was shut down"
    } else {
        "somebody or a script set the desired count to 0; ECS keeps it there until it is raised"
    };
    Some(
        Finding::new(Code::ServiceAtZero, Node::Service(app), layout.service(app))
            .evidence(format!(
                "desired 0, running {}, pending {}",
                service.running, service.pending
            ))
            .facts(newest_event(service, now, |_| true))
            .cause(cause)
            .next(commands::set_desired(layout, app, 2))
            .next(commands::service_events(app))
            .explains(outside(app)),
    )
}

/// A new platform is neither broken nor at work.
fn unstarted(snapshot: &Snapshot, service: &Service) -> Finding {
    let app = service.app;
    let repositories = snapshot.images.iter().flatten();
    let missing: Vec<&str> = repositories
        .filter(|repository| repository.app == app)
        .flat_map(|repository| {
            Layout::service_tags(app)
                .iter()
                .filter(|tag| !repository.has(tag))
        })
        .copied()
        .collect();
    let images = match missing.is_empty() {
        true => "its images are there".to_owned(),
        false => format!("images that are not there yet: {}", missing.join(", ")),
    };
    Finding::new(
        Code::ServiceUnstarted,
        Node::Service(app),
        snapshot.layout.service(app),
    )
    .evidence("desired 0, as its stack has made it: a new service without images")
    .evidence(images)
    .cause("the platform was deployed and has not been started yet")
    .next(CommandLine::bpctl(["day1"]))
}

/// Whether a service was never started: that nothing of it is there says nothing.
pub(super) fn is_unstarted(snapshot: &Snapshot, app: App) -> bool {
    let services = snapshot.services.iter().flatten();
    services
        .into_iter()
        .any(|service| service.app == app && service.unstarted)
}

fn short(snapshot: &Snapshot, service: &Service, now: Timestamp) -> Option<Finding> {
    if service.running >= service.desired || on_their_way(snapshot, service, now) {
        return None;
    }
    let layout = &snapshot.layout;
    let app = service.app;
    let severity = if service.running == 0 {
        Severity::P1
    } else {
        Severity::P2
    };
    let complaint = newest_event(service, now, |message| {
        message.contains("unable to place") || message.contains("unable to consistently")
    });
    Some(
        Finding::new(Code::ServiceShort, Node::Service(app), layout.service(app))
            .severity(severity)
            .evidence(format!(
                "running {} of {} desired, pending {}",
                service.running, service.desired, service.pending
            ))
            .facts(complaint.or_else(|| newest_event(service, now, |_| true)))
            .cause("ECS cannot start or keep the tasks; its events say why")
            .next(commands::service_events(app))
            .explains(outside(app)),
    )
}

/// The missing tasks are starting and nothing speaks against them.
fn on_their_way(snapshot: &Snapshot, service: &Service, now: Timestamp) -> bool {
    let started = newest(service, |message| message.contains("has started"));
    service.running + service.pending >= service.desired
        && started.is_some_and(|event| minutes_since(now, event.at) < ON_THEIR_WAY)
        && task_faults::current(snapshot, now, service.app)
            .iter()
            .all(|(_, diagnosis)| diagnosis.fault == TaskFault::Capacity)
        && complaint(service).is_none()
}

/// Enough tasks run, but ECS has been complaining since it was last content.
fn unsteady(snapshot: &Snapshot, service: &Service, now: Timestamp) -> Option<Finding> {
    let event = complaint(service)?;
    if !is_whole(service) {
        return None;
    }
    let layout = &snapshot.layout;
    let app = service.app;
    Some(
        Finding::new(Code::ServiceUnsteady, Node::Service(app), layout.service(app))
            .evidence(format!("running {} of {}", service.running, service.desired))
            .evidence(said(event, now))
            .cause("tasks keep failing and being replaced since the service was last in a steady state")
            .next(commands::service_events(app)),
    )
}

/// The newest complaint since the service was last in a steady state.
pub(super) fn complaint(service: &Service) -> Option<&Event> {
    service
        .events
        .iter()
        .take_while(|event| {
            !event.message.contains("has reached a steady state")
                && !event.message.contains("deployment completed")
        })
        .find(|event| {
            event.message.contains("unable to place") || event.message.contains("unable to consistently")
        })
}

fn newest(service: &Service, wanted: impl Fn(&str) -> bool) -> Option<&Event> {
    service.events.iter().find(|event| wanted(&event.message))
}

fn newest_event(service: &Service, now: Timestamp, wanted: impl Fn(&str) -> bool) -> Option<String> {
    newest(service, wanted).map(|event| said(event, now))
}

/// An event as evidence.
pub(super) fn said(event: &Event, now: Timestamp) -> String {
    format!(
        "event {} ({}): {}",
        at(event.at),
        ago(now, event.at),
        event.message.trim()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::rules::sample;

    fn found(snapshot: &Snapshot) -> Vec<(Code, Severity)> {
        rule(snapshot, sample::now())
            .iter()
            .map(|finding| (finding.code, finding.severity))
            .collect()
    }

    #[test]
    fn a_healthy_service_is_fine() {
        assert_eq!(found(&sample::healthy()), []);
    }

    #[test]
    fn a_service_that_ecs_does_not_know() {
        let mut snapshot = sample::healthy();
        let backend = sample::service_mut(&mut snapshot, App::Backend);
        backend.status = crate::triage::snapshot::MISSING.to_owned();
        (backend.desired, backend.running) = (0, 0);
        assert_eq!(found(&snapshot), [(Code::ServiceMissing, Severity::P1)]);
    }

    #[test]
    fn a_service_at_zero_names_the_command_that_raises_it() {
        let mut snapshot = sample::healthy();
        let backend = sample::service_mut(&mut snapshot, App::Backend);
        (backend.desired, backend.running) = (0, 0);
        let findings = rule(&snapshot, sample::now());
        assert_eq!(findings[0].code, Code::ServiceAtZero);
        assert_eq!(
            findings[0].next[1],
            "aws ecs update-service --cluster bp --service bp-backend --desired-count 2"
        );
        assert!(findings[0].explains.contains(&Node::Scheduler));
        assert!(!findings[0].cause.contains("shut down"));
    }

    #[test]
    fn a_service_that_was_never_started_is_no_outage() {
        let mut snapshot = sample::healthy();
        for service in snapshot.services.as_mut().unwrap() {
            (service.ecs.desired, service.ecs.running) = (0, 0);
            service.unstarted = service.app == App::Backend;
        }
        for group in snapshot.targets.as_mut().unwrap() {
            group.targets.clear();
        }
        for repository in snapshot.images.as_mut().unwrap() {
            repository.images.clear();
        }
        let findings = crate::triage::rules::evaluate(&snapshot, sample::now());
        let of_backend: Vec<(Code, Severity)> = findings
            .iter()
            .filter(|finding| finding.subject == "bp-backend")
            .map(|finding| (finding.code, finding.severity))
            .collect();
        assert_eq!(of_backend, [(Code::ServiceUnstarted, Severity::P3)]);
        let unstarted = findings
            .iter()
            .find(|finding| finding.code == Code::ServiceUnstarted);
        assert!(unstarted.unwrap().evidence[1].contains("nginx-latest, php-latest"));
        // The other one was at work.
        assert!(findings.iter().any(|finding| finding.code == Code::ServiceAtZero));
        assert!(
            findings
                .iter()
                .any(|finding| finding.code == Code::ImageTagMissing)
        );
    }

    #[test]
    fn everything_at_zero_is_a_shutdown() {
        let mut snapshot = sample::healthy();
        for service in snapshot.services.as_mut().unwrap() {
            (service.ecs.desired, service.ecs.running) = (0, 0);
        }
        assert!(rule(&snapshot, sample::now())[0].cause.contains("shut down"));
    }

    #[test]
    fn too_few_tasks_are_worse_when_there_are_none() {
        let mut snapshot = sample::healthy();
        sample::service_mut(&mut snapshot, App::Backend).running = 1;
        assert_eq!(found(&snapshot), [(Code::ServiceShort, Severity::P2)]);
        sample::service_mut(&mut snapshot, App::Backend).running = 0;
        assert_eq!(found(&snapshot), [(Code::ServiceShort, Severity::P1)]);
    }

    #[test]
    fn tasks_that_were_just_started_may_take_their_time() {
        let mut snapshot = sample::healthy();
        let backend = sample::service_mut(&mut snapshot, App::Backend);
        (backend.running, backend.pending) = (1, 1);
        backend.events.insert(
            0,
            sample::event(2, "(service bp-backend) has started 1 tasks: (task 1)."),
        );
        assert_eq!(found(&snapshot), []);
        sample::service_mut(&mut snapshot, App::Backend).events[0].at = sample::before(9);
        assert_eq!(found(&snapshot), [(Code::ServiceShort, Severity::P2)]);
    }

    #[test]
    fn complaints_count_until_the_next_steady_state() {
        let mut snapshot = sample::healthy();
        let backend = sample::service_mut(&mut snapshot, App::Backend);
        backend.events.insert(
            0,
            sample::event(
                3,
                "(service bp-backend) is unable to consistently start tasks successfully.",
            ),
        );
        assert_eq!(found(&snapshot), [(Code::ServiceUnsteady, Severity::P2)]);
        let steady = sample::event(1, "(service bp-backend) has reached a steady state.");
        sample::service_mut(&mut snapshot, App::Backend)
            .events
            .insert(0, steady);
        assert_eq!(found(&snapshot), []);
    }
}
