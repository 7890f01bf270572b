//! The reasons of a decision, sorted by the question that they answer. Pure.

use std::time::Duration;

use fleet_scaling::config::{Action, FleetConfig};
use fleet_scaling::decide::{Decision, Reason};
use fleet_scaling::state::{FleetState, Process};
use fleet_scaling::unknown::{Direction, Part};
use jiff::Timestamp;

use super::super::text::{counted, minute};
use crate::aws::autoscaling::Activity;
use crate::fleet::scaling::{Change, LeftOut, Model};
use crate::output::age;

/// What an explanation rests on.
pub(super) struct Facts<'a> {
    pub(super) model: &'a Model,
    pub(super) state: &'a FleetState,
    pub(super) decision: &'a Decision,
    /// The newest first.
    pub(super) activities: &'a [Activity],
    pub(super) last_change: Option<&'a Change>,
    /// Nothing can be launched.
    pub(super) no_spot: bool,
    pub(super) now: Timestamp,
}

/// Sentences by question.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) this_many: Vec<String>,
    pub(super) not_more: Vec<String>,
    pub(super) not_zero: Vec<String>,
}

/// Which question a reason answers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Question {
    ThisMany,
    NotMore,
    NotZero,
}

/// Sorts the decision's reasons and adds what only AWS knows.
pub(super) fn tell(facts: &Facts<'_>) -> Told {
    let mut told = Told::default();
    if let Some(change) = facts.last_change {
        told.this_many.push(changed(change, facts.now));
    }
    let config = &facts.model.config;
    for reason in &facts.decision.reasons {
        let sentence = reason.sentence(config).to_string();
        match question(config, reason) {
            Question::ThisMany => told.this_many.push(sentence),
            Question::NotMore => told.not_more.push(sentence),
            Question::NotZero => told.not_zero.push(sentence),
        }
    }
    limits(facts, &mut told);
    launches(facts, &mut told);
    // What is not modelled is among the reasons where it may move the capacity now.
    let untold = |left_out: &&LeftOut| {
        let sentences = told.not_more.iter().chain(&told.not_zero);
        !sentences
            .into_iter()
            .any(|sentence| sentence.starts_with(&left_out.what))
    };
    let left_out: Vec<&LeftOut> = facts.model.left_out.iter().filter(untold).collect();
    for left_out in left_out {
        let sentence = left_out.what.clone();
        if sentence.starts_with("scale to zero") {
            told.not_zero.push(sentence);
        } else {
            told.not_more.push(sentence);
        }
    }
    told
}

fn changed(change: &Change, now: Timestamp) -> String {
    let ago = Duration::try_from(now.duration_since(change.at)).unwrap_or_default();
    format!(
        "the desired capacity went from {} to {} at {} ({} ago): {}",
        change.from,
        change.to,
        minute(change.at),
        age(ago),
        change.by
    )
}

fn question(config: &FleetConfig, reason: &Reason) -> Question {
    match reason {
        Reason::Alarm { alarm, .. } | Reason::Answered { alarm, .. } => of_alarm(config, *alarm),
        Reason::Clamped { wanted, to } if wanted > to => Question::NotMore,
        Reason::Suspended {
            process: Process::Launch | Process::AlarmNotification,
        } => Question::NotMore,
        Reason::Clamped { .. }
        | Reason::ScaleToZero { .. }
        | Reason::Protected { .. }
        | Reason::Suspended {
            process: Process::Terminate,
        } => Question::NotZero,
        Reason::NotModelled { part } => match config.not_modelled()[*part].direction {
            Direction::In => Question::NotZero,
            _ => Question::NotMore,
        },
        // Also what later versions of the library add.
        _ => Question::ThisMany,
    }
}

/// Alarms on much work add instances, alarms on little work take them away.
fn of_alarm(config: &FleetConfig, position: usize) -> Question {
    let alarm = &config.alarms()[position];
    match alarm.action {
        Action::ScaleOut(_) => Question::NotMore,
        Action::ScaleIn(_) | Action::ScaleToZero => Question::NotZero,
        _ if alarm.rule.comparison.looks_up() => Question::NotMore,
        _ => Question::NotZero,
    }
}

/// The bounds, unless a reason has named them.
fn limits(facts: &Facts<'_>, told: &mut Told) {
    let limits = facts.model.config.limits();
    let named = |sentences: &[String], bound: &str| sentences.iter().any(|sentence| sentence.contains(bound));
    if facts.decision.desired >= limits.max && !named(&told.not_more, "the maximum") {
        told.not_more.push(format!("the maximum is {}", limits.max));
    }
    if limits.min > 0 && !named(&told.not_zero, "the minimum") {
        told.not_zero.push(format!("the minimum is {}", limits.min));
    }
}

/// Instances that are wanted and do not come.
fn launches(facts: &Facts<'_>, told: &mut Told) {
    let (desired, running) = (facts.decision.desired, facts.state.running);
    if facts.no_spot {
        if !facts.decision.is_known() || has_weights(&facts.model.config) {
            told.not_more.push(format!(
                "Spot has no capacity: {} run, and what is wanted beyond them does not come; Auto Scaling goes on trying",
                counted(running.into(), "instance")
            ));
            return;
        }
        if desired > running {
            told.not_more.push(format!(
                "Spot has no capacity: of {} wanted {running} run; Auto Scaling goes on trying",
                counted(desired.into(), "instance")
            ));
            return;
        }
    }
    let missing = facts.state.desired.saturating_sub(running);
    let newest = facts.activities.iter().find(|activity| activity.is_launch());
    if let Some(launch) = newest.filter(|launch| launch.status == "Failed" && missing > 0) {
        let ago = launch
            .started
            .and_then(|at| Duration::try_from(facts.now.duration_since(at)).ok())
            .map_or_else(String::new, |ago| format!(" {} ago", age(ago)));
        // With weights the capacity is no number of instances.
        let wanted = if has_weights(&facts.model.config) {
            "more is wanted than there is".to_owned()
        } else {
            format!("{} wanted and not there", counted(missing.into(), "instance"))
        };
        told.not_more.push(format!(
            "{wanted}, and the last launch failed{ago}: {}",
            launch.message.as_deref().unwrap_or("AWS does not say why")
        ));
    }
}

/// Whether the instances of the group count for more than one each.
pub(super) fn has_weights(config: &FleetConfig) -> bool {
    config
        .not_modelled()
        .iter()
        .any(|part| part.part == Part::Weights)
}

#[cfg(test)]
mod tests {
    use fleet_scaling::metrics::Metrics;
    use fleet_scaling::{Moment, decide};

    use super::*;

    fn model() -> Model {
        Model {
            name: "production/gpu-default".to_owned(),
            config: FleetConfig::new(
                fleet_templates::FleetScaling::template("gpu-default")
                    .unwrap()
                    .spec(),
            )
            .unwrap(),
            assumptions: Vec::new(),
            left_out: Vec::new(),
        }
    }

    fn told(model: &Model, state: &FleetState, queue: f64, activities: &[Activity], no_spot: bool) -> Told {
        let backlog = (state.desired > 0).then(|| queue / f64::from(state.desired));
        let metrics = Metrics::new()
            .with("QueueDepth", [Some(queue); 20])
            .with("BacklogPerInstance", [backlog; 20]);
        let decision = decide(&model.config, state, &metrics, Moment(0));
        tell(&Facts {
            model,
            state,
            decision: &decision,
            activities,
            last_change: None,
            no_spot,
            now: "2026-01-15T09:00:00Z".parse().unwrap(),
        })
    }

    fn has(sentences: &[String], part: &str) -> bool {
        sentences.iter().any(|sentence| sentence.contains(part))
    }

    #[test]
    fn alarms_answer_the_question_that_they_are_about() {
        let told = told(&model(), &FleetState::settled(2), 3.0, &[], false);
        assert!(has(&told.not_more, "alarm `queue-upper` is ALARM"), "{told:?}");
        assert!(has(&told.not_more, "AlarmHigh"), "{told:?}");
        assert!(has(&told.not_zero, "AlarmLow"), "{told:?}");
        assert!(
            has(&told.not_zero, "so the fleet is not taken to zero"),
            "{told:?}"
        );
    }

    #[test]
    fn the_bounds_are_named_once() {
        let mut full = FleetState::settled(10);
        let bounds = |told: &Told| {
            let all = told.not_more.iter();
            all.filter(|sentence| sentence.contains("the maximum")).count()
        };
        let clamped = told(&model(), &full, 40.0, &[], false);
        assert_eq!(bounds(&clamped), 1, "{clamped:?}");
        full.suspended.alarm_notification = true;
        let at_most = told(&model(), &full, 40.0, &[], false);
        assert!(has(&at_most.not_more, "the maximum is 10"), "{at_most:?}");
        let mut spec = fleet_templates::FleetScaling::template("gpu-default")
            .unwrap()
            .spec();
        spec.min = 1;
        let model = Model {
            config: FleetConfig::new(spec).unwrap(),
            ..model()
        };
        let at_least = told(&model, &FleetState::settled(1), 0.0, &[], false);
        let bounds = at_least
            .not_zero
            .iter()
            .filter(|sentence| sentence.contains("the minimum is"));
        assert_eq!(bounds.count(), 1, "{at_least:?}");
    }

    #[test]
    fn what_is_wanted_and_does_not_come_is_said_with_why() {
        let mut state = FleetState::settled(2);
        state.running = 0;
        let failed = Activity {
            id: "1".to_owned(),
            group: "asg".to_owned(),
            status: "Failed".to_owned(),
            description: "Launching a new EC2 instance.  Status Reason: no capacity".to_owned(),
            cause: String::new(),
            message: Some("There is no Spot capacity available that matches your request.".to_owned()),
            started: "2026-01-15T08:57:00Z".parse().ok(),
            ended: None,
            progress: None,
            zone: None,
        };
        let told_failed = told(&model(), &state, 3.0, &[failed], false);
        assert!(
            has(
                &told_failed.not_more,
                "2 instances wanted and not there, and the last launch failed 3m ago: There is no Spot capacity"
            ),
            "{told_failed:?}"
        );
        let supposed = told(&model(), &FleetState::settled(2), 40.0, &[], true);
        assert!(
            has(
                &supposed.not_more,
                "Spot has no capacity: of 10 instances wanted 2 run"
            ),
            "{supposed:?}"
        );
    }

    #[test]
    fn what_is_not_connected_is_told_where_it_matters() {
        let mut model = model();
        for what in [
            "policy `a` is disabled",
            "scale to zero: the alarm `b` has no action",
        ] {
            model.left_out.push(LeftOut::broken(what));
        }
        let told = told(&model, &FleetState::settled(1), 0.0, &[], false);
        assert!(has(&told.not_more, "policy `a` is disabled"));
        assert!(has(&told.not_zero, "the alarm `b` has no action"));
    }
}
