//! How far a deployment is, from its own record and from the service's list of deployments. Pure.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::aws::ecs::{RolloutRecord, Service};

/// Where one deployment stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Standing {
    InProgress,
    /// ECS goes back to the deployment before; why.
    RollingBack(String),
    Completed,
    /// It ended and nothing took its place; why.
    Failed(String),
    /// The deployment before is in place again; why.
    RolledBack(String),
    /// Going back did not work either; why.
    RollbackFailed(String),
    /// A newer deployment took its place: its id.
    Superseded(String),
}

impl Standing {
    /// Whether nothing more will come.
    pub(crate) fn is_over(&self) -> bool {
        !matches!(self, Self::InProgress | Self::RollingBack(_))
    }

    /// For documents and tables.
    pub(crate) fn as_str(&self) -> &'static str {
        match self {
            Self::InProgress => "in-progress",
            Self::RollingBack(_) => "rolling-back",
            Self::Completed => "completed",
            Self::Failed(_) => "failed",
            Self::RolledBack(_) => "rolled-back",
            Self::RollbackFailed(_) => "rollback-failed",
            Self::Superseded(_) => "superseded",
        }
    }

    /// Why, in AWS' words, or the deployment that took the place.
    pub(crate) fn reason(&self) -> Option<&str> {
        match self {
            Self::InProgress | Self::Completed => None,
            Self::RollingBack(why)
            | Self::Failed(why)
            | Self::RolledBack(why)
            | Self::RollbackFailed(why)
            | Self::Superseded(why) => Some(why),
        }
    }
}

/// Where the deployment `id`, created at `created`, stands. The record of the service deployment decides; without one
/// (an account that may not read it, an emulator) the service's deployments do.
pub(crate) fn standing(
    service: &Service,
    id: &str,
    created: Option<Timestamp>,
    record: Option<&RolloutRecord>,
) -> Standing {
    let newer = service
        .primary()
        .filter(|primary| primary.id != id && primary.created > created);
    // Of two that were created at the same moment, the one that was stopped is the one whose place was taken.
    let beside = service
        .primary()
        .filter(|primary| primary.id != id && primary.created.is_some() && primary.created == created);
    let Some(record) = record else {
        return from_list(service, id, newer.map(|newer| newer.id.clone()));
    };
    let reason = || {
        let said = record.rollback_reason.as_ref().or(record.reason.as_ref());
        said.cloned().unwrap_or_else(|| "AWS gives no reason".to_owned())
    };
    match (record.status.as_str(), newer) {
        ("SUCCESSFUL", _) => Standing::Completed,
        ("ROLLBACK_SUCCESSFUL", _) => Standing::RolledBack(reason()),
        ("ROLLBACK_FAILED", _) => Standing::RollbackFailed(reason()),
        (_, Some(newer)) => Standing::Superseded(newer.id.clone()),
        ("ROLLBACK_REQUESTED" | "ROLLBACK_IN_PROGRESS", None) => Standing::RollingBack(reason()),
        ("STOPPED", None) => match beside {
            Some(other) => Standing::Superseded(other.id.clone()),
            // The list is older than the record: the next look tells what took the place.
            None if rolls_on(service, id) => Standing::InProgress,
            None => Standing::Failed(reason()),
        },
        // PENDING, IN_PROGRESS, STOP_REQUESTED, and what AWS may add: it goes on as long as it does not say otherwise.
        (_, None) => Standing::InProgress,
    }
}

/// Whether the list of deployments still has this one as the primary one that is being rolled out.
fn rolls_on(service: &Service, id: &str) -> bool {
    service
        .primary()
        .is_some_and(|primary| primary.id == id && primary.rollout_state.as_deref() == Some("IN_PROGRESS"))
}

fn from_list(service: &Service, id: &str, newer: Option<String>) -> Standing {
    if let Some(newer) = newer {
        return Standing::Superseded(newer);
    }
    let Some(primary) = service.primary() else {
        return Standing::Failed("the service has no deployment any more".to_owned());
    };
    let state = primary.rollout_state.as_deref();
    let said = |of: &crate::aws::ecs::Deployment| {
        let reason = of.rollout_reason.clone();
        reason.unwrap_or_else(|| "AWS gives no reason".to_owned())
    };
    if primary.id == id {
        return match state {
            Some("COMPLETED") => Standing::Completed,
            Some("FAILED") => Standing::Failed(said(primary)),
            _ => Standing::InProgress,
        };
    }
    // An older deployment is the primary one again.
    let ours = service.deployments.iter().find(|deployment| deployment.id == id);
    let why = ours.map_or_else(|| said(primary), said);
    match state {
        Some("COMPLETED") => Standing::RolledBack(why),
        Some("FAILED") => Standing::RollbackFailed(why),
        _ => Standing::RollingBack(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::ecs::Deployment;

    fn at(seconds: i64) -> Option<Timestamp> {
        Timestamp::from_second(1_768_467_600 + seconds).ok()
    }

    fn deployment(id: &str, status: &str, state: &str, created: i64) -> Deployment {
        Deployment {
            id: id.to_owned(),
            status: status.to_owned(),
            rollout_state: Some(state.to_owned()),
            rollout_reason: Some(format!("{id} says so")),
            task_definition: String::new(),
            desired: 1,
            running: 1,
            pending: 0,
            failed: 0,
            created: at(created),
        }
    }

    fn service(deployments: Vec<Deployment>) -> Service {
        Service {
            // Exactly what `services-stable` looks at.
            desired: 1,
            running: 1,
            deployments,
            ..Service::default()
        }
    }

    fn record(status: &str) -> RolloutRecord {
        RolloutRecord {
            status: status.to_owned(),
            reason: Some("because".to_owned()),
            ..RolloutRecord::default()
        }
    }

    #[test]
    fn a_service_that_is_stable_after_a_rollback_is_no_success() {
        let stable = service(vec![deployment("ecs-svc/1", "PRIMARY", "COMPLETED", 0)]);
        for record in [Some(record("ROLLBACK_SUCCESSFUL")), None] {
            let standing = standing(&stable, "ecs-svc/2", at(60), record.as_ref());
            assert!(matches!(standing, Standing::RolledBack(_)), "{standing:?}");
        }
        let failed = record("ROLLBACK_FAILED");
        assert_eq!(
            standing(&stable, "ecs-svc/2", at(60), Some(&failed)),
            Standing::RollbackFailed("because".to_owned())
        );
    }

    #[test]
    fn another_deployment_that_completes_is_not_ours() {
        let other = service(vec![deployment("ecs-svc/3", "PRIMARY", "COMPLETED", 90)]);
        for record in [None, Some(record("STOPPED")), Some(record("IN_PROGRESS"))] {
            assert_eq!(
                standing(&other, "ecs-svc/2", at(60), record.as_ref()),
                Standing::Superseded("ecs-svc/3".to_owned())
            );
        }
        // Ours had completed before the other one began.
        let ours = record("SUCCESSFUL");
        assert_eq!(
            standing(&other, "ecs-svc/2", at(60), Some(&ours)),
            Standing::Completed
        );
    }

    #[test]
    fn one_that_was_stopped_for_another_is_superseded_also_when_the_list_is_older_or_both_are_of_one_moment()
    {
        let before = service(vec![deployment("ecs-svc/2", "PRIMARY", "IN_PROGRESS", 60)]);
        let stopped = record("STOPPED");
        assert_eq!(
            standing(&before, "ecs-svc/2", at(60), Some(&stopped)),
            Standing::InProgress
        );
        let after = service(vec![deployment("ecs-svc/3", "PRIMARY", "IN_PROGRESS", 60)]);
        assert_eq!(
            standing(&after, "ecs-svc/2", at(60), Some(&stopped)),
            Standing::Superseded("ecs-svc/3".to_owned())
        );
    }

    #[test]
    fn what_goes_on_goes_on() {
        let both = service(vec![
            deployment("ecs-svc/2", "PRIMARY", "IN_PROGRESS", 60),
            deployment("ecs-svc/1", "ACTIVE", "COMPLETED", 0),
        ]);
        for record in [
            None,
            Some(record("PENDING")),
            Some(record("IN_PROGRESS")),
            Some(record("STOP_REQUESTED")),
        ] {
            assert_eq!(
                standing(&both, "ecs-svc/2", at(60), record.as_ref()),
                Standing::InProgress
            );
        }
        let back = service(vec![
            deployment("ecs-svc/1", "PRIMARY", "IN_PROGRESS", 0),
            deployment("ecs-svc/2", "ACTIVE", "FAILED", 60),
        ]);
        for record in [
            None,
            Some(record("ROLLBACK_IN_PROGRESS")),
            Some(record("ROLLBACK_REQUESTED")),
        ] {
            let standing = standing(&back, "ecs-svc/2", at(60), record.as_ref());
            assert!(
                matches!(standing, Standing::RollingBack(_)) && !standing.is_over(),
                "{standing:?}"
            );
        }
    }

    #[test]
    fn the_end_without_a_rollback_is_a_failure() {
        let failed = service(vec![
            deployment("ecs-svc/2", "PRIMARY", "FAILED", 60),
            deployment("ecs-svc/1", "ACTIVE", "COMPLETED", 0),
        ]);
        let stopped = record("STOPPED");
        assert_eq!(
            standing(&failed, "ecs-svc/2", at(60), Some(&stopped)),
            Standing::Failed("because".to_owned())
        );
        assert_eq!(
            standing(&failed, "ecs-svc/2", at(60), None),
            Standing::Failed("ecs-svc/2 says so".to_owned())
        );
        let gone = service(Vec::new());
        assert!(matches!(
            standing(&gone, "ecs-svc/2", at(60), None),
            Standing::Failed(_)
        ));
        let done = service(vec![deployment("ecs-svc/2", "PRIMARY", "COMPLETED", 60)]);
        assert_eq!(standing(&done, "ecs-svc/2", at(60), None), Standing::Completed);
    }
}
