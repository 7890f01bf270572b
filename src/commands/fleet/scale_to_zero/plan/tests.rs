use super::*;
use crate::aws::autoscaling::{Phase, sample};
use crate::change::{PlanView, Risk, RunNames, Target};
use crate::fleet::Reading;
use crate::layout::LayoutKind;

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
const FORCE: Request = Request {
    drain: false,
    force: true,
    hold: None,
};

fn fresh(value: f64) -> Reading {
    Reading::sample(value)
}

/// A fleet of `instances` with `queue` jobs and `busy` of its workers at work.
fn fleet(name: &str, instances: usize, queue: Reading, busy: usize) -> Candidate {
    let id: FleetId = name.parse().unwrap();
    let group = sample::group(
        &format!("asg-{}-{}", id.stage, id.slug),
        u32::try_from(instances).unwrap(),
        &vec![Phase::InService; instances],
    );
    let work = Work {
        queue,
        workers: fresh(instances as f64),
        capacity: fresh((instances - busy) as f64),
        running: instances,
        protected: 0,
    };
    Candidate {
        id,
        seen: Some((group, work)),
        last: None,
    }
}

fn group_of(candidate: &mut Candidate) -> &mut Group {
    &mut candidate.seen.as_mut().unwrap().0
}

fn work_of(candidate: &mut Candidate) -> &mut Work {
    &mut candidate.seen.as_mut().unwrap().1
}

fn planned(request: Request, fleets: Vec<Candidate>) -> Plan<Action> {
    plan(&layout(), request, None, &fleets).unwrap()
}

fn layout() -> Layout {
    Layout::new(LayoutKind::Single, "bp", None).unwrap()
}

fn shrink(step: &Step<Action>) -> &Shrink {
    step.action.shrink().expect("a fleet is taken to zero")
}

fn idle(name: &str) -> Candidate {
    fleet(name, 2, fresh(0.0), 0)
}

fn busy(name: &str) -> Candidate {
    fleet(name, 2, fresh(3.0), 2)
}

#[test]
fn an_idle_fleet_is_one_reversible_step() {
    let plan = planned(PLAIN, vec![idle("production/a")]);
    assert_eq!(plan.risk(), Risk::Reversible);
    assert!(plan.blockers.is_empty() && plan.warnings.is_empty());
    let [step] = plan.steps.as_slice() else {
        panic!("one step")
    };
    assert_eq!(step.id, "production/a");
    assert_eq!(step.calls[0].operation, "SetDesiredCapacity");
    assert_eq!(
        step.before.as_deref(),
        Some("desired 2, 2 instances in us-east-1a, no jobs")
    );
    assert!(!shrink(step).at_stake && !shrink(step).jobs_wait);
}

#[test]
fn a_fleet_at_zero_is_no_step() {
    let plan = planned(PLAIN, vec![fleet("production/a", 0, fresh(0.0), 0)]);
    assert!(plan.steps.is_empty() && plan.blockers.is_empty());
}

#[test]
fn a_fleet_that_wants_nothing_but_still_shrinks_is_no_step_either() {
    let mut shrinking = idle("production/a");
    group_of(&mut shrinking).desired = 0;
    assert!(planned(PLAIN, vec![shrinking]).steps.is_empty());
}

#[test]
fn work_blocks_and_both_ways_out_are_named() {
    let plan = planned(PLAIN, vec![busy("production/a")]);
    let [blocker] = plan.blockers.as_slice() else {
        panic!("one blocker")
    };
    assert_eq!(
        blocker.reason,
        "take production/a to zero: 3 jobs in the queue, 2 workers at work"
    );
    assert!(blocker.hint.contains("--drain") && blocker.hint.contains("--force"));
}

#[test]
fn a_worker_with_a_job_blocks_even_when_the_queue_is_empty() {
    let plan = planned(PLAIN, vec![fleet("production/a", 2, fresh(0.0), 1)]);
    assert!(plan.blockers[0].reason.ends_with("1 worker at work"));
}

#[test]
fn waiting_jobs_block_even_when_no_instance_runs() {
    let mut starting = fleet("production/a", 0, fresh(2.0), 0);
    group_of(&mut starting).desired = 1;
    let plan = planned(PLAIN, vec![starting.clone()]);
    assert_eq!(plan.blockers.len(), 1);
    // Nothing runs, so nothing is lost: the jobs stay in the queue.
    let plan = planned(FORCE, vec![starting]);
    assert_eq!(plan.risk(), Risk::Reversible);
    assert!(shrink(&plan.steps[0]).jobs_wait);
}

#[test]
fn force_makes_it_destructive_and_says_what_happens_next() {
    let plan = planned(FORCE, vec![busy("production/a")]);
    assert_eq!(plan.risk(), Risk::Destructive);
    assert_eq!(plan.confirm_word(&Target::sample()), "prod");
    assert!(plan.blockers.is_empty());
    assert!(plan.warnings[0].contains("jobs that run are lost"));
    assert!(plan.warnings[1].contains("the scaling policies are going to raise the capacity again"));
    assert!(shrink(&plan.steps[0]).at_stake && shrink(&plan.steps[0]).jobs_wait);
}

#[test]
fn force_on_an_idle_fleet_stays_reversible() {
    assert_eq!(
        planned(FORCE, vec![idle("production/a")]).risk(),
        Risk::Reversible
    );
}

#[test]
fn one_busy_fleet_makes_the_whole_plan_destructive() {
    let plan = planned(FORCE, vec![idle("production/a"), busy("production/b")]);
    assert_eq!(plan.risk(), Risk::Destructive);
    assert!(!shrink(&plan.steps[0]).at_stake && shrink(&plan.steps[1]).at_stake);
}

#[test]
fn drain_waits_and_loses_nothing() {
    let plan = planned(DRAIN, vec![busy("production/a")]);
    assert!(plan.blockers.is_empty());
    assert_eq!(plan.risk(), Risk::Reversible);
    assert!(plan.steps[0].summary.starts_with("wait until no job is left"));
    assert!(!shrink(&plan.steps[0]).at_stake);
}

#[test]
fn silence_over_running_instances_blocks_with_and_without_drain() {
    for request in [PLAIN, DRAIN] {
        let silent = fleet("production/a", 2, Reading::Silent { last: None }, 0);
        let plan = planned(request, vec![silent]);
        let reason = &plan.blockers[0].reason;
        assert!(
            reason.contains("2 instances run and nobody can say whether they work"),
            "{reason}"
        );
        assert!(reason.contains("`QueueDepth` has been silent"), "{reason}");
        assert!(plan.blockers[0].hint.contains("--force"));
    }
}

#[test]
fn a_denied_metric_blocks_like_a_silent_one() {
    let why = "AccessDenied".to_owned();
    let denied = fleet("production/a", 1, Reading::Unknown { why }, 0);
    assert!(
        planned(PLAIN, vec![denied]).blockers[0]
            .reason
            .contains("could not be read (AccessDenied)")
    );
}

#[test]
fn forcing_through_silence_is_destructive() {
    let silent = fleet("production/a", 2, Reading::Silent { last: None }, 0);
    let plan = planned(FORCE, vec![silent]);
    assert_eq!((plan.risk(), plan.blockers.len()), (Risk::Destructive, 0));
    assert!(plan.warnings[0].contains("nobody can say"));
}

#[test]
fn a_minimum_blocks_even_with_force() {
    let mut pinned = idle("production/a");
    group_of(&mut pinned).min = 1;
    let plan = planned(FORCE, vec![pinned]);
    assert!(plan.steps.is_empty());
    assert!(plan.blockers[0].reason.contains("a minimum of 1"));
    assert!(
        plan.blockers[0]
            .hint
            .contains("bpctl fleet scale production/a --min 0")
    );
}

#[test]
fn protected_instances_are_said_to_stay() {
    let mut protected = idle("production/a");
    work_of(&mut protected).protected = 1;
    let plan = planned(PLAIN, vec![protected]);
    assert!(
        plan.warnings[0].contains("1 instance is protected from scale-in and keeps running"),
        "{:?}",
        plan.warnings
    );
}

#[test]
fn a_suspended_terminate_is_said() {
    let mut stuck = idle("production/a");
    group_of(&mut stuck).suspended = vec![("Terminate".to_owned(), String::new())];
    assert!(planned(PLAIN, vec![stuck]).warnings[0].contains("`Terminate` is suspended"));
}

#[test]
fn a_fleet_without_a_group_or_on_its_way_out_is_only_mentioned() {
    let mut leaving = idle("production/b");
    group_of(&mut leaving).deleting = true;
    let bare = Candidate {
        id: "production/a".parse().unwrap(),
        seen: None,
        last: None,
    };
    let plan = planned(PLAIN, vec![bare, leaving]);
    assert!(plan.steps.is_empty() && plan.blockers.is_empty());
    assert_eq!(plan.warnings.len(), 2);
}

#[test]
fn every_blocked_fleet_is_named() {
    let plan = planned(
        PLAIN,
        vec![busy("production/a"), idle("production/b"), busy("production/c")],
    );
    assert_eq!(plan.blockers.len(), 2);
    let view = PlanView::new(
        "fleet scale-to-zero",
        &Target::sample(),
        &plan,
        &RunNames::fixed(),
        |_| None,
    );
    assert!(view.text().contains("blocked: take production/c to zero"));
}

#[test]
fn a_step_is_taken_back_to_the_capacity_that_the_fleet_had() {
    let plan = planned(FORCE, vec![busy("production/a")]);
    let undo = undo(&plan.steps[0]).expect("there is a way back");
    assert_eq!(undo.calls[0].parameters["DesiredCapacity"], 2);
    assert_eq!(undo.calls[0].loses, None);
    assert!(super::undo(&undo).is_none());
}

fn wish(holds: Holds) -> Wish {
    Wish {
        processes: holds.processes(),
        lasting: None,
        reason: None,
        by: "operator".to_owned(),
        run: "r".to_owned(),
        now: jiff::Timestamp::UNIX_EPOCH,
    }
}

fn held(request: Request, fleets: &[Candidate]) -> Plan<Action> {
    plan(&layout(), request, Some(&wish(Holds::Launch)), fleets).unwrap()
}

fn operations(plan: &Plan<Action>) -> Vec<&str> {
    plan.steps
        .iter()
        .map(|step| step.calls[0].operation.as_str())
        .collect()
}

#[test]
fn a_fleet_is_held_before_it_goes_to_zero() {
    let request = Request {
        hold: Some(Holds::Launch),
        ..PLAIN
    };
    let plan = held(request, &[idle("production/a")]);
    assert_eq!(
        operations(&plan),
        ["PutParameter", "SuspendProcesses", "SetDesiredCapacity"]
    );
    assert_eq!(plan.title, "take 1 fleet to zero and hold it");
    assert_eq!(
        plan.steps[2].needs,
        ["hold of production/a", "processes of production/a"]
    );
    assert_eq!(
        plan.steps[1].calls[0].parameters["ScalingProcesses"],
        serde_json::json!(["AlarmNotification", "Launch"])
    );
    assert!(plan.steps.iter().all(|step| fleet_of(&step.id) == "production/a"));
    // Each of them has a way back.
    assert!(plan.steps.iter().all(|step| undo(step).is_some()));
}

#[test]
fn a_fleet_at_zero_is_held_and_one_that_is_held_already_is_no_step() {
    let mut at_zero = fleet("production/a", 0, fresh(0.0), 0);
    assert_eq!(
        operations(&held(PLAIN, std::slice::from_ref(&at_zero))),
        ["PutParameter", "SuspendProcesses"]
    );
    let group = &at_zero.seen.as_ref().unwrap().0;
    at_zero.last = Some(wish(Holds::Launch).record(group, None).unwrap());
    let names = Holds::Launch.processes().into_iter();
    group_of(&mut at_zero).suspended = names.map(|name| (name, String::new())).collect();
    assert!(held(PLAIN, &[at_zero]).steps.is_empty());
}

#[test]
fn a_drained_fleet_may_scale_until_its_jobs_are_done() {
    let plan = held(DRAIN, &[busy("production/a")]);
    assert_eq!(plan.steps.len(), 3);
    assert!(plan.steps.iter().all(|step| step.waits));
}
