//! One fleet: check that the plan still holds, write, read back.

use crate::aws::autoscaling::Group;
use crate::change::{Permit, Step};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::fleet::{Verdict, Work};
use crate::layout::Layout;

use super::observe::again;
use super::plan::{Request, Shrink, at_work};

/// Takes the fleet of a step to zero and says what was done.
///
/// # Errors
/// [`ErrorKind::Changed`] when the fleet is not as the plan was approved for; whatever AWS refuses.
pub(super) async fn shrink(
    ctx: &Ctx,
    layout: &Layout,
    request: Request,
    step: &Step<Shrink>,
    permit: Permit<'_>,
) -> Result<String> {
    let planned = &step.action;
    let (group, work) = again(&ctx.aws, layout, &planned.fleet, &planned.group).await?;
    if group.desired == 0 {
        return Ok("found the desired capacity at 0 already: nothing was written".to_owned());
    }
    still_holds(request, planned, &group, &work)?;
    let before = group.desired;
    let group = ctx.aws.set_desired_capacity(&planned.group, 0, permit).await?;
    if group.desired == 0 {
        return Ok(format!("set the desired capacity to 0 (it was {before})"));
    }
    Err(CtlError::new(
        ErrorKind::Failed,
        format!(
            "keep {} at zero: right after it was set to 0 the desired capacity is {} again",
            planned.fleet, group.desired
        ),
    )
    .hint((
        "see what sets it with",
        CommandLine::bpctl(["fleet", "status"]).args([planned.fleet.to_string()]),
    )))
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
    use std::collections::BTreeMap;
    use std::time::Duration;

    use jiff::Timestamp;

    use super::*;
    use crate::fleet::Reading;

    fn group(min: u32, desired: u32) -> Group {
        Group {
            name: "asg-production-a".to_owned(),
            min,
            max: 10,
            desired,
            instances: Vec::new(),
            instance_types: Vec::new(),
            launch_template: None,
            default_warmup_seconds: None,
            suspended: Vec::new(),
            tags: BTreeMap::new(),
            zones: Vec::new(),
            capacity_rebalance: true,
            spot: true,
            default_cooldown_seconds: None,
            deleting: false,
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
            group: group.name.clone(),
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
