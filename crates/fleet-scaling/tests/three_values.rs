//! Yes, no and unknown: for every kind of part that is not modelled, each conclusion that it could change is unknown, and
//! no other one is.

use std::time::Duration;

use fleet_scaling::config::{FleetConfig, FleetSpec};
use fleet_scaling::lint::Severity;
use fleet_scaling::metrics::Metrics;
use fleet_scaling::replay::{History, Kind, Minute};
use fleet_scaling::simulate::Arrivals;
use fleet_scaling::state::{FleetState, Suspended};
use fleet_scaling::tune::{Objective, Space};
use fleet_scaling::unknown::{Direction, Effect, NotModelled, Part};
use fleet_scaling::{Moment, decide, explain, lint, replay, simulate, tune};

const DAY: Duration = Duration::from_secs(86_400);

fn two_steps() -> FleetSpec {
    toml::from_str(include_str!("../examples/two-steps.toml")).unwrap()
}

fn with(mut spec: FleetSpec, part: Part) -> FleetConfig {
    spec.not_modelled.push(NotModelled {
        part,
        what: "something that the group has".to_owned(),
        direction: Direction::Both,
        bounds: None,
    });
    FleetConfig::new(spec).unwrap()
}

/// Of instances that have weights nobody knows how much of the capacity warms up.
fn decides_while_warming(part: Part) -> bool {
    part.effect() == Effect::Capacity || part == Part::Weights
}

#[test]
fn decide_and_explain_draw_no_conclusion_on_the_capacity_where_a_part_may_change_it() {
    let metrics = Metrics::new()
        .with("QueueDepth", [Some(12.0); 20])
        .with("BacklogPerInstance", [Some(6.0); 20]);
    // One of the two warms up, so that a policy's own warm-up counts.
    let state = FleetState {
        warming: 1,
        ..FleetState::settled(2)
    };
    let known = explain(
        &FleetConfig::new(two_steps()).unwrap(),
        &state,
        &metrics,
        Moment(0),
    );
    assert!(
        known
            .last()
            .unwrap()
            .starts_with("the desired capacity goes from 2 to ")
    );
    for part in Part::ALL {
        let config = with(two_steps(), part);
        let decision = decide(&config, &state, &metrics, Moment(0));
        let said = explain(&config, &state, &metrics, Moment(0));
        let last = said.last().unwrap();
        if decides_while_warming(part) {
            assert!(
                !decision.is_known() && decision.most == 10,
                "{part:?} {decision:?}"
            );
            assert!(last.contains("is not known"), "{part:?} {last}");
            let named = said
                .iter()
                .any(|sentence| sentence.starts_with("something that the group has: not modelled"));
            assert!(named, "{part:?} {said:?}");
        } else {
            assert!(decision.is_known(), "{part:?}");
            assert_eq!(&said, &known, "{part:?}");
        }
    }
}

#[test]
fn lint_has_no_errors_where_a_part_may_be_the_answer() {
    let mut stuck = two_steps();
    stuck.policies.clear();
    let without = FleetConfig::new(stuck.clone()).unwrap();
    let errors = |config: &FleetConfig| {
        let findings = lint(config);
        let error = findings.iter().any(|finding| finding.severity == Severity::Error);
        let unknown = findings.iter().any(|finding| finding.unknown.is_some());
        (error, unknown)
    };
    assert_eq!(errors(&without), (true, false));
    for part in Part::ALL {
        let course = part.effect() == Effect::Course;
        assert_eq!(errors(&with(stuck.clone(), part)), (course, !course), "{part:?}");
    }
}

#[test]
fn reports_of_simulate_and_tune_name_what_they_leave_out() {
    let jobs: Arrivals = "constant:6/h".parse().unwrap();
    for part in Part::ALL {
        let config = with(two_steps(), part);
        let said = config.unknown();
        assert_eq!(said.len(), 1, "{part:?}");
        assert!(said[0].starts_with("something that the group has: "), "{said:?}");
        assert!(said[0].ends_with("not known"), "{said:?}");
        assert_eq!(simulate(&config, &jobs, 1, DAY).unwrap().unknown, said);
        let space = Space {
            scale_to_zero_minutes: vec![15],
            warmup_seconds: vec![300.0],
            type_mixes: vec![vec![0]],
            ..Space::around(config.spec())
        };
        let goal = Objective::wait_p95(Duration::from_secs(600));
        assert_eq!(
            tune(&config, &jobs, DAY, &[1], &goal, &space).unwrap().unknown,
            said
        );
    }
}

#[test]
fn replay_blames_nobody_for_a_change_that_a_part_may_have_asked_for() {
    // Nothing in the queue, one of two instances warms up, and the group goes to four.
    let desired = [2, 2, 2, 4, 4, 4];
    let history = History {
        start: Moment(0),
        minutes: desired.map(|desired| Minute { desired, warming: 1 }).to_vec(),
        metrics: Metrics::new()
            .with("QueueDepth", [Some(1.0); 6])
            .with("BacklogPerInstance", [Some(1.9); 6]),
        suspended: Suspended::default(),
        tolerance: 2,
        lead_in: 0,
    };
    let kinds = |config: &FleetConfig| {
        let diff = replay(config, &history).unwrap();
        let kinds = diff.disagreements.iter().map(|disagreement| disagreement.kind);
        kinds.collect::<Vec<_>>()
    };
    let known = kinds(&FleetConfig::new(two_steps()).unwrap());
    assert!(known.contains(&Kind::Unasked), "{known:?}");
    for part in Part::ALL {
        let found = kinds(&with(two_steps(), part));
        if decides_while_warming(part) {
            assert!(
                found.iter().all(|kind| *kind == Kind::Unknown),
                "{part:?} {found:?}"
            );
        } else {
            assert_eq!(found, known, "{part:?}");
        }
    }
}
