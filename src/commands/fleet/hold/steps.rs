//! The steps that put a hold in force and take it back, for every verb that holds fleets.

use serde::{Deserialize, Serialize};

use crate::aws::autoscaling::{Group, ResumeProcesses, SuspendProcesses};
use crate::aws::ssm::record::WriteRecord;
use crate::change::{Call as _, Change, Done, Step, StepRun};
use crate::context::Ctx;
use crate::error::{CtlError, ErrorKind, Result};
use crate::fleet::hold::{Hold, Wish, last, suspended_of};
use crate::layout::{FleetId, Layout};

/// One step of a hold, or of the way back from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::commands::fleet) enum Action {
    Record {
        call: WriteRecord,
        /// The record that the plan was made for.
        before: Option<Hold>,
    },
    Suspend(SuspendProcesses),
    /// Takes a `Suspend` back.
    Resume(ResumeProcesses),
    /// Takes a `Record` back.
    Unrecord {
        call: WriteRecord,
        /// What the step that is taken back has written.
        written: Box<Hold>,
        /// The record before it.
        before: Option<Hold>,
    },
}

/// What the steps of a hold are made from.
pub(in crate::commands::fleet) struct Parts<'a> {
    pub(in crate::commands::fleet) layout: &'a Layout,
    pub(in crate::commands::fleet) fleet: &'a FleetId,
    pub(in crate::commands::fleet) group: &'a Group,
    pub(in crate::commands::fleet) last: Option<&'a Hold>,
    pub(in crate::commands::fleet) wish: &'a Wish,
}

impl Parts<'_> {
    /// The steps that put `record` and its processes in force, as far as they are not. `ids` name them.
    ///
    /// # Errors
    /// When the record cannot be written as JSON.
    pub(in crate::commands::fleet) fn steps<A>(
        &self,
        record: &Hold,
        ids: [String; 2],
        action: impl Fn(Action) -> A,
    ) -> Result<Vec<Step<A>>> {
        let Self {
            group, last, wish, ..
        } = *self;
        let [record_id, suspend_id] = ids;
        let mut steps = Vec::new();
        if last != Some(record) {
            let call = WriteRecord {
                name: self.layout.hold_parameter(self.fleet),
                value: record.text()?,
                may_be_advanced: false,
            };
            let calls = vec![call.described()];
            let before = last.filter(|hold| !hold.is_released());
            let before = before.map_or_else(|| "not held".to_owned(), |hold| hold.clause(wish.now));
            let writes = action(Action::Record {
                call,
                before: last.cloned(),
            });
            steps.push(
                Step::new(record_id, "put the hold on record", calls, writes)
                    .changing(before, record.clause(wish.now)),
            );
        }
        let missing = wish.missing(group);
        if !missing.is_empty() {
            let call = SuspendProcesses {
                group: group.name.clone(),
                processes: missing,
                resource: format!("asg/{}", self.fleet),
            };
            let calls = vec![call.described()];
            let suspends = action(Action::Suspend(call));
            let mut step = Step::new(suspend_id, "suspend what would change the fleet", calls, suspends)
                .changing(told(&suspended_of(group, &wish.processes)), told(&wish.processes));
            // A release resumes what is on record: first the record.
            step.needs = steps.iter().map(|step| step.id.clone()).collect();
            steps.push(step);
        }
        Ok(steps)
    }
}

/// The action that takes `action` back, with what it does; `None` for one that is a way back itself.
pub(in crate::commands::fleet) fn undo(action: &Action) -> Option<(&'static str, Action)> {
    match action {
        Action::Suspend(call) => {
            let back = ResumeProcesses {
                group: call.group.clone(),
                processes: call.processes.clone(),
                resource: call.resource.clone(),
            };
            Some(("resume what the hold has suspended", Action::Resume(back)))
        }
        Action::Record { call, before } => {
            let written = Hold::read(&call.name, &call.value).ok()?;
            // A parameter has no way back to not being there: a hold that began and ended at once says the same.
            let earlier = before.clone().unwrap_or_else(|| Hold {
                released: Some(written.since),
                released_by: Some(written.by.clone()),
                ..written.clone()
            });
            let back = WriteRecord {
                name: call.name.clone(),
                value: earlier.text().ok()?,
                may_be_advanced: false,
            };
            let action = Action::Unrecord {
                call: back,
                written: Box::new(written),
                before: before.clone(),
            };
            Some(("put the record back to what it was", action))
        }
        Action::Resume(_) | Action::Unrecord { .. } => None,
    }
}

/// The calls of an action.
pub(in crate::commands::fleet) fn described(action: &Action) -> crate::change::ApiCall {
    match action {
        Action::Record { call, .. } | Action::Unrecord { call, .. } => call.described(),
        Action::Suspend(call) => call.described(),
        Action::Resume(call) => call.described(),
    }
}

/// Carries out one step of a hold: looks whether the plan still holds, writes, and reads back.
///
/// # Errors
/// [`ErrorKind::Changed`] when the record is not the one that the plan was made for; whatever AWS refuses.
pub(in crate::commands::fleet) async fn act<V: Change>(
    ctx: &Ctx,
    layout: &Layout,
    fleet: &FleetId,
    action: &Action,
    step: &StepRun<'_, V>,
) -> Result<Done<V>> {
    let aws = &ctx.aws;
    match action {
        Action::Record { call, before } => {
            unchanged(ctx, layout, fleet, before.as_ref()).await?;
            let version = step.send(aws, call).await?;
            Ok(Done::new(format!("put on record, version {version}")))
        }
        Action::Suspend(call) => {
            let group = step.send(aws, call).await?;
            let suspended = suspended_of(&group, &call.processes);
            if suspended == call.processes {
                return Ok(Done::new(told(&suspended)));
            }
            Err(not_kept("hold", fleet, &suspended))
        }
        Action::Resume(call) => {
            let group = aws.group(&call.group).await?;
            if suspended_of(&group, &call.processes).is_empty() {
                return Ok(Done::new("found nothing suspended: nothing was written"));
            }
            resume(ctx, fleet, call, step).await
        }
        Action::Unrecord {
            call,
            written,
            before,
        } => {
            let now = last(aws, layout, fleet).await?;
            // As it was, or as an earlier attempt to take it back has left it.
            let back = Hold::read(&call.name, &call.value)?;
            if now == *before || now.as_ref() == Some(&back) {
                return Ok(Done::new(
                    "found the record as it was already: nothing was written",
                ));
            }
            unchanged(ctx, layout, fleet, Some(written.as_ref())).await?;
            let version = step.send(aws, call).await?;
            Ok(Done::new(format!("put back, version {version}")))
        }
    }
}

/// Resumes processes and looks whether they are resumed.
///
/// # Errors
/// Whatever AWS refuses; processes that are suspended all the same.
pub(super) async fn resume<V: Change>(
    ctx: &Ctx,
    fleet: &FleetId,
    call: &ResumeProcesses,
    step: &StepRun<'_, V>,
) -> Result<Done<V>> {
    let group = step.send(&ctx.aws, call).await?;
    let left = suspended_of(&group, &call.processes);
    if left.is_empty() {
        return Ok(Done::new(format!("resumed {}", call.processes.join(", "))));
    }
    Err(not_kept("release", fleet, &left))
}

fn not_kept(doing: &str, fleet: &FleetId, found: &[String]) -> CtlError {
    CtlError::new(
        ErrorKind::Failed,
        format!("{doing} {fleet}: right after the write it has {}", told(found)),
    )
}

/// Refuses to write over a record that another run has changed since the plan.
///
/// # Errors
/// When it was changed, or cannot be read.
pub(super) async fn unchanged(
    ctx: &Ctx,
    layout: &Layout,
    fleet: &FleetId,
    before: Option<&Hold>,
) -> Result<()> {
    let now = last(&ctx.aws, layout, fleet).await?;
    if now.as_ref() == before {
        return Ok(());
    }
    Err(CtlError::changed(format!(
        "write the hold of {fleet}: its record was changed since the plan was made"
    )))
}

/// The processes of a group that are suspended, in words.
pub(super) fn told(processes: &[String]) -> String {
    if processes.is_empty() {
        return "nothing suspended".to_owned();
    }
    format!("{} suspended", processes.join(", "))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::aws::autoscaling::sample;
    use crate::fleet::hold::ALARMS;
    use crate::layout::LayoutKind;

    #[test]
    fn the_way_back_of_a_record_is_the_one_before_or_a_hold_that_is_over() {
        let layout = Layout::new(LayoutKind::Single, "bp", None).unwrap();
        let fleet: FleetId = "production/a".parse().unwrap();
        let group = sample::group("asg-production-a", 1, &[]);
        let wish = Wish {
            processes: vec![ALARMS.to_owned()],
            lasting: None,
            reason: None,
            by: "operator".to_owned(),
            run: "r".to_owned(),
            now: Timestamp::UNIX_EPOCH,
        };
        let first = wish.record(&group, None).unwrap();
        let parts = |last| Parts {
            layout: &layout,
            fleet: &fleet,
            group: &group,
            last,
            wish: &wish,
        };
        let back = |last| {
            let again = Hold {
                reason: Some("again".to_owned()),
                ..first.clone()
            };
            let ids = ["record".to_owned(), "processes".to_owned()];
            let steps = parts(last).steps(&again, ids, |action| action).unwrap();
            let Some((_, Action::Unrecord { call, .. })) = undo(&steps[0].action) else {
                panic!("a way back")
            };
            Hold::read("/x", &call.value).unwrap()
        };
        assert_eq!(back(Some(&first)), first);
        assert!(back(None).is_released());
    }
}
