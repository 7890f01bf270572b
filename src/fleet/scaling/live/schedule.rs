//! What else changes a live group, and what delays its instances: scheduled actions and lifecycle hooks.

use fleet_scaling::config::ScheduledActionSpec;
use fleet_scaling::unknown::{Direction, Part};

use super::super::LeftOut;
use super::Reader;
use crate::aws::autoscaling::ScheduledAction;

impl Reader<'_> {
    /// "A scheduled action sets the desired, minimum, and maximum sizes" (EC2 Auto Scaling User Guide, "Scheduled
    /// scaling").
    pub(super) fn schedule(&mut self) {
        for action in &self.facts.schedule {
            if let Some(modelled) = weekly(action) {
                self.schedule.push(modelled);
                continue;
            }
            let what = format!("the scheduled action `{}` {}", action.name, told(action));
            let left_out = LeftOut::not_modelled(Part::ScheduledAction, Direction::Both, what);
            let group = &self.facts.group;
            let sets = [action.min, action.max, action.desired];
            let sets = sets
                .into_iter()
                .flatten()
                .filter_map(|size| u32::try_from(size).ok());
            let (least, most) = sets.fold((group.min, group.max), |(least, most), size| {
                (least.min(size), most.max(size))
            });
            self.left_out.push(left_out.within(least, Some(most)));
        }
    }

    /// "By default, the instance remains in a wait state for one hour" (EC2 Auto Scaling User Guide, "How lifecycle
    /// hooks work"): when it goes on before, only its custom action knows.
    pub(super) fn hooks(&mut self) {
        const DEFAULT_TIMEOUT: i32 = 3600;
        for hook in &self.facts.hooks {
            let launching = hook.transition.ends_with("LAUNCHING");
            let moment = if launching {
                "before it serves"
            } else {
                "before it ends"
            };
            let timeout = hook.timeout_seconds.unwrap_or(DEFAULT_TIMEOUT);
            // "The default value is ABANDON" (API Reference, PutLifecycleHook). A terminating instance goes either way.
            let abandons = hook.default_result.as_deref() != Some("CONTINUE");
            let then = if launching && abandons {
                ", and gives it up then"
            } else {
                ""
            };
            let what = format!(
                "the lifecycle hook `{}` holds every instance {moment}, for {timeout} s at most without a heartbeat{then}",
                hook.name
            );
            self.left_out
                .push(LeftOut::not_modelled(Part::LifecycleHook, Direction::Both, what));
        }
    }
}

/// An action that recurs by hours and days of the week in UTC, as the library models it.
fn weekly(action: &ScheduledAction) -> Option<ScheduledActionSpec> {
    let utc = matches!(action.time_zone.as_deref(), None | Some("UTC" | "Etc/UTC"));
    let modelled = ScheduledActionSpec {
        name: action.name.clone(),
        recurrence: action.recurrence.clone().filter(|_| utc && !action.bounded)?,
        min: action.min.map(i64::from),
        max: action.max.map(i64::from),
        desired: action.desired.map(i64::from),
    };
    modelled.minutes().is_ok().then_some(modelled)
}

fn told(action: &ScheduledAction) -> String {
    let sizes: Vec<String> = [
        ("the minimum", action.min),
        ("the maximum", action.max),
        ("the desired capacity", action.desired),
    ]
    .into_iter()
    .filter_map(|(name, size)| Some(format!("{name} to {}", size?)))
    .collect();
    let when = match &action.recurrence {
        Some(recurrence) => {
            let zone = action.time_zone.as_deref().unwrap_or("UTC");
            let bounded = if action.bounded { ", within its dates" } else { "" };
            format!("by `{recurrence}` ({zone}{bounded})")
        }
        None => "once".to_owned(),
    };
    format!("sets {} {when}", sizes.join(" and "))
}
