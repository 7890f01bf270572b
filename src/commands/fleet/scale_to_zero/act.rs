//! One fleet: wait for its jobs where that was asked for, check that the plan still holds, write, read back.

use crate::aws::Aws;
use crate::aws::autoscaling::Group;
use crate::change::{Done, Readiness, Step, StepRun};
use crate::error::{CtlError, ErrorKind, Result};
use crate::fleet::{Verdict, Work, look_at_work, status_command, work_of_fleets};
use crate::layout::{FleetId, Layout};

use super::super::hold::steps as hold;
use super::super::text::{at_work, readiness};
use super::Request;
use super::ScaleToZero;
use super::plan::{Action, Shrink};

/// Takes the fleet of a step to zero, or back to what it was.
///
/// # Errors
/// [`ErrorKind::Changed`] when the fleet is not as the plan was approved for; whatever AWS refuses.
pub(super) async fn act<'a>(
    change: &ScaleToZero<'a>,
    step: &StepRun<'_, ScaleToZero<'a>>,
) -> Result<Done<ScaleToZero<'a>>> {
    let aws = &change.ctx.aws;
    match step.action() {
        Action::Shrink(planned) => {
            let (group, work) = look_at_work(aws, &change.layout, &planned.fleet).await?;
            if group.desired == 0 {
                return Ok(Done::new(
                    "found the desired capacity at 0 already: nothing was written",
                ));
            }
            still_holds(change.request, planned, &group, &work)?;
            let before = group.desired;
            let group = step.send(aws, &planned.call).await?;
            read_back(&planned.fleet, 0, group.desired)?;
            Ok(Done::new(format!(
                "set the desired capacity to 0 (it was {before})"
            )))
        }
        Action::Restore { fleet, call } => {
            let group = aws.group(&call.group).await?;
            if group.desired == call.desired {
                return Ok(Done::new(format!(
                    "found the desired capacity back at {} already: nothing was written",
                    call.desired
                )));
            }
            if group.desired != 0 {
                return Err(CtlError::new(
                    ErrorKind::Changed,
                    format!(
                        "set {fleet} back to {}: the desired capacity is {} by now",
                        call.desired, group.desired
                    ),
                ));
            }
            let group = step.send(aws, call).await?;
            read_back(fleet, call.desired, group.desired)?;
            Ok(Done::new(format!(
                "set the desired capacity back to {}",
                call.desired
            )))
        }
        Action::Hold { fleet, hold, .. } => hold::act(change.ctx, &change.layout, fleet, hold, step).await,
    }
}

fn read_back(fleet: &FleetId, wanted: u32, found: u32) -> Result<()> {
    if wanted == found {
        return Ok(());
    }
    Err(CtlError::new(
        ErrorKind::Failed,
        format!("keep {fleet} at {wanted}: right after it was set the desired capacity is {found} again"),
    )
    .hint(("see what sets it with", status_command(fleet))))
}

/// Which fleets have no job left, in two batched reads.
pub(super) async fn ready(aws: &Aws, layout: &Layout, steps: &[&Step<Action>]) -> Result<Vec<Readiness>> {
    let mut planned: Vec<(&FleetId, &str)> = steps.iter().map(|step| step.action.group()).collect();
    planned.dedup();
    let names: Vec<String> = planned.iter().map(|(_, group)| (*group).to_owned()).collect();
    let groups = aws.groups_named(&names).await?;
    let group_of = |name: &str| groups.iter().find(|group| group.name == name);
    let found = planned
        .into_iter()
        .filter_map(|(fleet, name)| Some((fleet, group_of(name)?)));
    let (work, _) = work_of_fleets(aws, layout, found).await;
    let readiness = |(fleet, name): (&FleetId, &str)| match (group_of(name), work.get(fleet)) {
        // Another actor was faster, and nothing is left to wait for: the step finds that out. A group that is gone
        // fails its own step, not the wait of the others.
        (Some(Group { desired: 0, .. }), _) | (None, _) | (_, None) => Readiness::Now,
        (Some(_), Some(work)) => readiness(&work.verdict(), at_work),
    };
    Ok(steps.iter().map(|step| readiness(step.action.group())).collect())
}

/// Whether the fleet is still what the operator agreed to.
fn still_holds(request: Request, planned: &Shrink, group: &Group, work: &Work) -> Result<()> {
    let changed = |what: String| {
        Err(CtlError::changed(format!(
            "take {} to zero: {what} since the plan was made",
            planned.fleet
        )))
    };
    if group.min > 0 {
        return changed(format!("its minimum was raised to {}", group.min));
    }
    let moved = if request.drain {
        // Scaling goes on while jobs are waited for.
        false
    } else if planned.at_stake {
        group.desired > planned.desired
    } else {
        group.desired != planned.desired
    };
    if moved {
        return changed(format!(
            "the desired capacity went from {} to {}",
            planned.desired, group.desired
        ));
    }
    match work.verdict() {
        _ if planned.at_stake => Ok(()),
        Verdict::Idle => Ok(()),
        Verdict::Busy { .. } if planned.jobs_wait && work.running == 0 => Ok(()),
        verdict @ Verdict::Busy { .. } => changed(format!("jobs came in ({})", at_work(&verdict))),
        Verdict::Unknown { why } => changed(format!("its metrics went away ({why})")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::autoscaling::{SetDesiredCapacity, sample};
    use crate::fleet::Reading;

    fn group(min: u32, desired: u32) -> Group {
        Group {
            min,
            ..sample::group("asg-production-a", desired, &[])
        }
    }

    fn work(queue: f64) -> Work {
        Work {
            queue: Reading::sample(queue),
            workers: Reading::sample(2.0),
            capacity: Reading::sample(2.0),
            running: 2,
            protected: 0,
        }
    }

    fn check(request: Request, at_stake: bool, group: &Group, work: &Work) -> Option<ErrorKind> {
        let planned = Shrink {
            fleet: "production/a".parse().unwrap(),
            call: SetDesiredCapacity {
                group: group.name.clone(),
                desired: 0,
                resource: "asg/production/a".to_owned(),
                loses: None,
            },
            desired: 2,
            at_stake,
            jobs_wait: false,
        };
        still_holds(request, &planned, group, work)
            .err()
            .map(|error| error.kind())
    }

    const PLAIN: Request = Request {
        drain: false,
        force: false,
        hold: None,
    };
    const DRAIN: Request = Request {
        drain: true,
        force: false,
        hold: None,
    };

    #[test]
    fn a_fleet_that_moved_is_not_touched() {
        for desired in [1, 3] {
            assert_eq!(
                check(PLAIN, false, &group(0, desired), &work(0.0)),
                Some(ErrorKind::Changed)
            );
        }
        assert_eq!(check(PLAIN, false, &group(0, 2), &work(0.0)), None);
    }

    #[test]
    fn who_agreed_to_losing_jobs_agreed_to_fewer_instances_but_not_to_more() {
        assert_eq!(check(PLAIN, true, &group(0, 1), &work(9.0)), None);
        assert_eq!(
            check(PLAIN, true, &group(0, 3), &work(9.0)),
            Some(ErrorKind::Changed)
        );
    }

    #[test]
    fn jobs_that_came_in_stop_a_plan_without_loss() {
        for request in [PLAIN, DRAIN] {
            assert_eq!(
                check(request, false, &group(0, 2), &work(1.0)),
                Some(ErrorKind::Changed)
            );
        }
    }

    #[test]
    fn scaling_while_draining_is_fine_but_a_new_minimum_is_not() {
        assert_eq!(check(DRAIN, false, &group(0, 5), &work(0.0)), None);
        assert_eq!(
            check(DRAIN, false, &group(1, 2), &work(0.0)),
            Some(ErrorKind::Changed)
        );
    }
}
