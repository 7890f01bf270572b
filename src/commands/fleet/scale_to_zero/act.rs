//! One fleet: wait for its jobs where that was asked for, check that the plan still holds, write, read back.

use crate::aws::Aws;
use crate::aws::autoscaling::Group;
use crate::change::{Done, Readiness, Step, StepRun};
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::fleet::{Verdict, Work, read_signals};
use crate::layout::{FleetId, Layout};

use super::ScaleToZero;
use super::observe::again;
use super::plan::{Action, Shrink, at_work};
use super::request::Request;

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
            let (group, work) = again(aws, &change.layout, &planned.fleet, &planned.call.group).await?;
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
    .hint((
        "see what sets it with",
        CommandLine::bpctl(["fleet".to_owned(), "status".to_owned(), fleet.to_string()]),
    )))
}

/// Which fleets have no job left, in two batched reads.
pub(super) async fn ready(aws: &Aws, layout: &Layout, steps: &[&Step<Action>]) -> Result<Vec<Readiness>> {
    let planned: Vec<Option<&Shrink>> = steps.iter().map(|step| step.action.shrink()).collect();
    let ids: Vec<FleetId> = planned
        .iter()
        .flatten()
        .map(|shrink| shrink.fleet.clone())
        .collect();
    let names: Vec<String> = planned
        .iter()
        .flatten()
        .map(|shrink| shrink.call.group.clone())
        .collect();
    let (groups, (signals, _)) = futures::join!(aws.groups_named(&names), read_signals(aws, layout, &ids));
    let groups = groups?;
    let readiness = |shrink: &Shrink| {
        // A group that is gone fails its own step, not the wait of the others.
        let Some(group) = groups.iter().find(|found| found.name == shrink.call.group) else {
            return Readiness::Now;
        };
        // Another actor was faster: the step finds that out, nothing is left to wait for.
        if group.desired == 0 {
            return Readiness::Now;
        }
        let verdict = match signals.get(&shrink.fleet) {
            Some(signals) => Work::of(group, signals).verdict(),
            None => Verdict::Unknown {
                why: "no answer".to_owned(),
            },
        };
        match verdict {
            Verdict::Idle => Readiness::Now,
            Verdict::Busy { .. } | Verdict::Unknown { .. } => Readiness::NotYet(at_work(&verdict)),
        }
    };
    Ok(planned
        .into_iter()
        .map(|shrink| shrink.map_or(Readiness::Now, readiness))
        .collect())
}

/// Whether the fleet is still what the operator agreed to.
fn still_holds(request: Request, planned: &Shrink, group: &Group, work: &Work) -> Result<()> {
    let changed = |what: String| {
        Err(CtlError::new(
            ErrorKind::Changed,
            format!("take {} to zero: {what} since the plan was made", planned.fleet),
        )
        .hint("run the command again to see the new plan"))
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
    use std::time::Duration;

    use jiff::Timestamp;

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
        let fresh = |value| Reading::Fresh {
            value,
            at: Timestamp::UNIX_EPOCH,
            age: Duration::ZERO,
        };
        Work {
            queue: fresh(queue),
            workers: fresh(2.0),
            capacity: fresh(2.0),
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
    };
    const DRAIN: Request = Request {
        drain: true,
        force: false,
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
