//! Ends of tasks in every shape that ECS gives them.

use super::*;
use crate::aws::ecs::Container;

const CONTAINER: &str = "php-fpm";

fn judge(task: &Task, container: &str) -> Judgement {
    let judged = Judged {
        container: container.to_owned(),
        essential: None,
        again: CommandLine::bpctl(["migrate", "--fresh"]),
        go_on: CommandLine::bpctl(["migrate"]),
        kept: "migrations that were finished are recorded in the database",
    };
    super::judge(task, &judged)
}

fn stopped(code: &str, reason: &str, exits: &[(&str, Option<i32>, Option<&str>)]) -> Task {
    Task {
        state: "STOPPED".to_owned(),
        stop_code: Some(code.to_owned()),
        stopped_reason: Some(reason.to_owned()),
        started: (code != "TaskFailedToStart").then(|| "2026-01-15T09:00:00Z".parse().unwrap()),
        containers: exits
            .iter()
            .map(|(name, exit_code, reason)| Container {
                name: (*name).to_owned(),
                exit_code: *exit_code,
                reason: reason.map(str::to_owned),
                ..Container::default()
            })
            .collect(),
        ..Task::default()
    }
}

fn exited(php: Option<i32>) -> Task {
    stopped(
        "EssentialContainerExited",
        "Essential container in task exited",
        &[("nginx", Some(0), None), ("php-fpm", php, None)],
    )
}

fn of(task: &Task) -> (Verdict, u8) {
    let judgement = judge(task, CONTAINER);
    (judgement.verdict, judgement.status.code())
}

#[test]
fn only_exit_code_zero_is_success() {
    assert_eq!(of(&exited(Some(0))), (Verdict::Succeeded, 0));
    assert_eq!(of(&exited(Some(1))), (Verdict::Failed, 1));
    assert_eq!(of(&exited(Some(3))), (Verdict::Failed, 3));
    assert_eq!(of(&exited(Some(255))), (Verdict::Failed, 255));
}

#[test]
fn a_missing_exit_code_is_never_success() {
    assert_eq!(of(&exited(None)), (Verdict::Unknown, 1));
    let without_container = stopped("EssentialContainerExited", "x", &[("nginx", Some(0), None)]);
    assert_eq!(of(&without_container), (Verdict::Unknown, 1));
    let mut without_code = exited(None);
    without_code.stop_code = None;
    without_code.started = None;
    assert_eq!(of(&without_code), (Verdict::NeverStarted, 1));
}

#[test]
fn other_containers_do_not_decide() {
    let task = stopped(
        "EssentialContainerExited",
        "Essential container in task exited",
        &[
            ("nginx", Some(143), None),
            ("php-fpm", Some(0), None),
            ("queue-worker", Some(1), None),
            ("scheduler", None, None),
        ],
    );
    assert_eq!(of(&task), (Verdict::Succeeded, 0));
}

#[test]
fn codes_outside_a_byte_are_failures() {
    assert_eq!(of(&exited(Some(-1))), (Verdict::Failed, 1));
    assert_eq!(of(&exited(Some(256))), (Verdict::Failed, 1));
    assert_eq!(of(&exited(Some(i32::MIN))), (Verdict::Failed, 1));
}

#[test]
fn a_task_that_runs_has_no_verdict() {
    for state in ["PROVISIONING", "RUNNING", "STOPPING", "DEPROVISIONING"] {
        let mut task = exited(Some(0));
        task.state = state.to_owned();
        assert_eq!(of(&task).0, Verdict::Running, "{state}");
    }
}

#[test]
fn zero_under_a_stop_is_not_success() {
    let task = stopped(
        "UserInitiated",
        "Task stopped by user",
        &[("php-fpm", Some(0), None)],
    );
    let judgement = judge(&task, CONTAINER);
    assert_eq!(
        (judgement.verdict, judgement.status),
        (Verdict::Stopped, ExitStatus::Failed)
    );
    assert_eq!(
        judgement.causes,
        ["somebody stopped the task: Task stopped by user"]
    );
}

#[test]
fn a_stop_before_or_while_it_ran() {
    let killed = stopped("UserInitiated", "by hand", &[("php-fpm", Some(137), None)]);
    assert_eq!(of(&killed), (Verdict::Stopped, 137));
    let mut early = stopped("UserInitiated", "by hand", &[("php-fpm", None, None)]);
    early.started = None;
    assert_eq!(of(&early), (Verdict::Stopped, 1));
    let spot = stopped("SpotInterruption", "x", &[("php-fpm", Some(143), None)]);
    assert!(judge(&spot, CONTAINER).causes[0].starts_with("AWS took the capacity back"));
}

#[test]
fn a_task_that_never_started_says_why() {
    let pull = "CannotPullContainerError: failed to resolve ref 1.dkr.ecr.us-east-1.amazonaws.com/bp-backend:php-0af: not found";
    let task = stopped(
        "TaskFailedToStart",
        pull,
        &[("nginx", None, None), ("php-fpm", None, Some(pull))],
    );
    let judgement = judge(&task, CONTAINER);
    assert_eq!(
        (judgement.verdict, judgement.status.code()),
        (Verdict::NeverStarted, 1)
    );
    assert_eq!(
        judgement.summary,
        "the task never started: the image is not in the registry"
    );
    assert_eq!(judgement.causes, [pull], "the same reason is not told twice");
    assert!(judgement.hints[0].contains("aws ecr describe-images"));
}

#[test]
fn a_reason_on_the_container_alone_is_found() {
    let task = stopped(
        "TaskFailedToStart",
        "Task failed to start",
        &[(
            "php-fpm",
            None,
            Some("CannotStartContainerError: exec format error"),
        )],
    );
    let judgement = judge(&task, CONTAINER);
    assert_eq!(
        judgement.summary,
        "the task never started: the container could not be started"
    );
    assert_eq!(judgement.causes.len(), 2);
}

#[test]
fn unknown_reasons_lead_to_triage() {
    let judgement = judge(&stopped("TaskFailedToStart", "Something new", &[]), CONTAINER);
    assert_eq!(judgement.summary, "the task never started");
    assert_eq!(judgement.causes, ["Something new"]);
    assert!(judgement.hints[0].contains("bpctl triage"));
}

#[test]
fn out_of_memory_is_told_apart_from_a_neighbours_death() {
    let memory = stopped(
        "EssentialContainerExited",
        "Essential container in task exited",
        &[(
            "php-fpm",
            Some(137),
            Some("OutOfMemoryError: Container killed due to memory usage"),
        )],
    );
    let judgement = judge(&memory, CONTAINER);
    assert_eq!(judgement.status.code(), 137);
    assert!(
        judgement
            .causes
            .contains(&"the container ran out of memory".to_owned())
    );
    let neighbour = stopped(
        "EssentialContainerExited",
        "Essential container in task exited",
        &[("nginx", Some(1), None), ("php-fpm", Some(143), None)],
    );
    let judgement = judge(&neighbour, CONTAINER);
    assert_eq!(
        judgement.causes[0],
        "nginx exited with 1, which stopped the whole task"
    );
}
