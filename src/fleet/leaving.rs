//! The instances of a fleet whose capacity was set to zero: do they leave, and does it stay at zero? Pure.

use crate::aws::autoscaling::{Activity, Group, Phase};

/// How a fleet ended up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FleetEnd {
    /// Nothing runs, or what is left is on its way out.
    AtZero { terminating: usize },
    /// Only instances that scale-in leaves alone (or that nothing may terminate) are left.
    Stays {
        instances: Vec<String>,
        why: &'static str,
    },
    /// Something set the capacity again.
    Raised { desired: u32, cause: Option<String> },
    /// The deadline passed (or Ctrl-C) with so many instances left.
    Unfinished { left: usize },
    /// Nothing was waited for.
    NotFollowed,
}

/// What a look at the group says; `None` when there is more to wait for.
pub(crate) fn judge(group: Option<&Group>, may_be_lifted: bool) -> Option<FleetEnd> {
    let Some(group) = group else {
        return Some(FleetEnd::AtZero { terminating: 0 });
    };
    if group.desired > 0 {
        return Some(FleetEnd::Raised {
            desired: group.desired,
            cause: None,
        });
    }
    if may_be_lifted {
        return None;
    }
    let left: Vec<_> = group.staying().collect();
    let stays = |why| {
        Some(FleetEnd::Stays {
            instances: left.iter().map(|instance| instance.id.clone()).collect(),
            why,
        })
    };
    if left.is_empty() {
        Some(FleetEnd::AtZero {
            terminating: group.count(Phase::Terminating),
        })
    } else if group.is_suspended("Terminate") {
        stays("the process `Terminate` is suspended")
    } else if left.iter().all(|instance| instance.protected) {
        stays("protected from scale-in")
    } else {
        None
    }
}

/// What has lifted a capacity from zero, by the group's newest activities.
pub(crate) fn lifted_by(activities: &[Activity]) -> Option<String> {
    let mut causes = activities.iter().map(|activity| &activity.cause);
    let lifted = |cause: &&String| cause.contains("changing the desired capacity from 0");
    causes.find(lifted).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::autoscaling::sample;

    fn group(desired: u32, instances: &[(Phase, bool)]) -> Group {
        let phases: Vec<Phase> = instances.iter().map(|(phase, _)| *phase).collect();
        let mut group = sample::group("asg-production-a", desired, &phases);
        for (instance, (_, protected)) in group.instances.iter_mut().zip(instances) {
            instance.protected = *protected;
        }
        group
    }

    #[test]
    fn leaving_counts_as_gone() {
        assert_eq!(
            judge(Some(&group(0, &[])), false),
            Some(FleetEnd::AtZero { terminating: 0 })
        );
        let leaving = group(0, &[(Phase::Terminating, false), (Phase::Terminating, true)]);
        assert_eq!(
            judge(Some(&leaving), false),
            Some(FleetEnd::AtZero { terminating: 2 })
        );
        assert_eq!(judge(None, false), Some(FleetEnd::AtZero { terminating: 0 }));
    }

    #[test]
    fn an_instance_in_service_is_waited_for() {
        let mixed = group(0, &[(Phase::InService, false), (Phase::InService, true)]);
        assert_eq!(judge(Some(&mixed), false), None);
    }

    #[test]
    fn protected_instances_are_not_waited_for() {
        let protected = group(0, &[(Phase::InService, true), (Phase::Terminating, false)]);
        let Some(FleetEnd::Stays { instances, why }) = judge(Some(&protected), false) else {
            panic!("protected instances stay")
        };
        assert_eq!(
            (instances, why),
            (vec!["i-0".to_owned()], "protected from scale-in")
        );
    }

    #[test]
    fn nothing_leaves_while_terminate_is_suspended() {
        let mut suspended = group(0, &[(Phase::InService, false)]);
        suspended.suspended = vec![("Terminate".to_owned(), String::new())];
        assert!(matches!(
            judge(Some(&suspended), false),
            Some(FleetEnd::Stays { .. })
        ));
    }

    #[test]
    fn a_capacity_that_came_back_is_seen_at_once() {
        let raised = group(1, &[(Phase::Terminating, false)]);
        for may_be_lifted in [true, false] {
            assert!(matches!(
                judge(Some(&raised), may_be_lifted),
                Some(FleetEnd::Raised { desired: 1, .. })
            ));
        }
    }

    #[test]
    fn a_fleet_with_waiting_jobs_is_watched_for_a_while() {
        assert_eq!(judge(Some(&group(0, &[])), true), None);
    }
}
