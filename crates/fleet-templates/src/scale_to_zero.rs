//! The function that takes a fleet to zero, as the platform deploys it.
//!
//! Source: runbook, "Scale-to-Zero Behavior": the `queue-empty` alarm of a fleet publishes to a topic, and the function
//! sets the desired capacity of that fleet's group to zero.

use fleet_scaling::alarm::AlarmState;

/// The fleet that a `queue-empty` alarm speaks of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct QueueEmptyAlarm {
    /// `staging` or `production`.
    pub stage: String,
    /// The fleet's slug.
    pub slug: String,
}

impl QueueEmptyAlarm {
    /// Reads `^(staging|production)-(.+)-queue-empty$`; `None` for any other alarm.
    #[must_use]
    pub fn parse(alarm_name: &str) -> Option<Self> {
        let (stage, rest) = ["staging", "production"]
            .into_iter()
            .find_map(|stage| Some((stage, alarm_name.strip_prefix(stage)?.strip_prefix('-')?)))?;
        let slug = rest.strip_suffix("-queue-empty")?;
        // `.` in the function's pattern matches no line break.
        (!slug.is_empty() && !slug.contains('\n')).then(|| Self {
            stage: stage.to_owned(),
            slug: slug.to_owned(),
        })
    }

    /// The Auto Scaling group of the fleet.
    #[must_use]
    pub fn group_name(&self) -> String {
        format!("asg-{}-{}", self.stage, self.slug)
    }
}

/// What the function does with one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// Set the desired capacity to zero.
    SetToZero,
    /// Nothing: the message does not say `ALARM`.
    NotAlarming,
    /// Nothing: the group is at zero already, so a repeated message changes nothing.
    AlreadyZero,
}

/// The reaction to `new_state` for a group whose desired capacity is `desired`.
#[must_use]
pub fn react(new_state: AlarmState, desired: u32) -> Reaction {
    match new_state {
        AlarmState::Alarm if desired == 0 => Reaction::AlreadyZero,
        AlarmState::Alarm => Reaction::SetToZero,
        // Every other state, also one that CloudWatch may add.
        _ => Reaction::NotAlarming,
    }
}

#[cfg(test)]
mod tests {
    use fleet_scaling::config::ScaleToZeroSpec;
    use fleet_scaling::scale_to_zero::{Facts, ZeroOutcome, react_with};

    use super::*;

    fn group(alarm: &str) -> Option<String> {
        QueueEmptyAlarm::parse(alarm).map(|fleet| fleet.group_name())
    }

    #[test]
    fn the_alarm_name_gives_stage_and_slug() {
        assert_eq!(
            group("production-gpu-default-queue-empty").as_deref(),
            Some("asg-production-gpu-default")
        );
        assert_eq!(
            group("staging-queue-empty-queue-empty").as_deref(),
            Some("asg-staging-queue-empty")
        );
    }

    #[test]
    fn other_alarms_are_not_meant() {
        for name in [
            "production-gpu-default-queue-has-jobs",
            "development-gpu-default-queue-empty",
            "production--queue-empty",
            "production-queue-empty",
            "x-staging-a-queue-empty",
            "staging-a-queue-empty-2",
            "",
        ] {
            assert_eq!(group(name), None, "{name}");
        }
    }

    #[test]
    fn without_options_the_rule_is_the_platforms() {
        let options = ScaleToZeroSpec::unguarded(15);
        for state in [AlarmState::Ok, AlarmState::Alarm, AlarmState::InsufficientData] {
            for desired in [0, 3] {
                let facts = Facts {
                    state,
                    before: AlarmState::Ok,
                    desired,
                    min: 0,
                    queued: None,
                    busy: None,
                    missing: 15,
                };
                let same = match react(state, desired) {
                    Reaction::SetToZero => ZeroOutcome::SetToZero,
                    Reaction::NotAlarming => ZeroOutcome::NotAlarming,
                    Reaction::AlreadyZero => ZeroOutcome::AlreadyZero,
                };
                assert_eq!(react_with(&options, &facts), same);
            }
        }
    }

    #[test]
    fn only_an_alarm_on_a_group_with_capacity_acts() {
        assert_eq!(react(AlarmState::Alarm, 3), Reaction::SetToZero);
        assert_eq!(react(AlarmState::Alarm, 0), Reaction::AlreadyZero);
        assert_eq!(react(AlarmState::Ok, 3), Reaction::NotAlarming);
        assert_eq!(react(AlarmState::InsufficientData, 3), Reaction::NotAlarming);
    }
}
