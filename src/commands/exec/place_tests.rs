//! Which container is entered, and what is said when none is.

use jiff::Timestamp;

use super::*;
use crate::aws::ecs::Agent;
use crate::layout::{LayoutKind, Stage};

fn container(name: &str) -> Container {
    Container {
        name: name.to_owned(),
        state: Some("RUNNING".to_owned()),
        runtime_id: Some(format!("rt-{name}")),
        agent: Some(Agent {
            state: "RUNNING".to_owned(),
            reason: None,
            started: None,
        }),
        ..Container::default()
    }
}

/// A backend task that came up `minute` minutes after the epoch.
fn backend(id: &str, minute: i64) -> Task {
    Task {
        arn: format!("arn:aws:ecs:us-east-1:123456789012:task/bp/{id}"),
        definition: "arn:aws:ecs:us-east-1:123456789012:task-definition/bp-backend:42".to_owned(),
        state: "RUNNING".to_owned(),
        started: Timestamp::from_second(minute * 60).ok(),
        execute_command: true,
        containers: ["nginx", "php-fpm", "scheduler", "queue-worker"]
            .map(container)
            .to_vec(),
        ..Task::default()
    }
}

fn single() -> Layout {
    Layout::new(LayoutKind::Single, "bp", None).unwrap()
}

/// Task, container and the number of others; or the trouble.
fn chosen(tasks: &[Task], given: Option<&str>) -> Result<(String, String, usize), Trouble> {
    match choose(tasks, given).expect("a task") {
        Ok((task, container, others)) => Ok((task.id().to_owned(), container.name.clone(), others)),
        Err((_, trouble)) => Err(trouble),
    }
}

#[test]
fn services_and_tasks_are_named_in_several_ways() {
    let id = "0123456789abcdef0123456789abcdef";
    let parse = |text: &str| Wanted::parse(&single(), text);
    assert_eq!(
        parse("backend").unwrap(),
        Wanted::Service("bp-backend".to_owned())
    );
    assert_eq!(
        parse("bp-frontend").unwrap(),
        Wanted::Service("bp-frontend".to_owned())
    );
    assert_eq!(parse(id).unwrap(), Wanted::Task(id.to_owned()));
    let arn = |cluster: &str| format!("arn:aws:ecs:us-east-1:123456789012:task/{cluster}/{id}");
    assert_eq!(parse(&arn("bp")).unwrap(), Wanted::Task(id.to_owned()));
    assert!(
        parse(&arn("other"))
            .unwrap_err()
            .to_string()
            .contains("cluster other")
    );
    let error = parse("bakend").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(error.hints()[0].contains("`backend`"), "{:?}", error.hints());
    for bad in ["", "php-fpm", "0123", "g123456789abcdef0123456789abcdef", "../x"] {
        assert_eq!(parse(bad).unwrap_err().kind(), ErrorKind::Usage, "{bad}");
    }
    let staged = Layout::new(LayoutKind::Staged, "bp", Some(Stage::Staging)).unwrap();
    let service = Wanted::Service("bp-staging-backend".to_owned());
    assert_eq!(Wanted::parse(&staged, "backend").unwrap(), service);
}

#[test]
fn the_task_that_came_up_last_is_entered_in_the_applications_container() {
    let tasks = [backend("old", 1), backend("new", 3), backend("middle", 2)];
    assert_eq!(
        chosen(&tasks, None),
        Ok(("new".to_owned(), "php-fpm".to_owned(), 2))
    );
    assert_eq!(
        chosen(&tasks, Some("nginx")),
        Ok(("new".to_owned(), "nginx".to_owned(), 2))
    );
}

#[test]
fn a_task_that_cannot_be_entered_is_passed_over() {
    let mut disabled = backend("disabled", 9);
    disabled.execute_command = false;
    let mut dead = backend("dead", 8);
    dead.containers[1].agent = Some(Agent {
        state: "STOPPED".to_owned(),
        reason: Some("CannotStartManagedAgent".to_owned()),
        started: None,
    });
    let tasks = [disabled.clone(), dead.clone(), backend("good", 1)];
    assert_eq!(
        chosen(&tasks, None),
        Ok(("good".to_owned(), "php-fpm".to_owned(), 0))
    );
    // With none at all, the newest says why.
    assert_eq!(chosen(&[dead.clone(), disabled], None), Err(Trouble::NotEnabled));
    let trouble = Trouble::AgentNotRunning {
        container: "php-fpm".to_owned(),
        state: "STOPPED".to_owned(),
        reason: Some("CannotStartManagedAgent".to_owned()),
    };
    assert_eq!(chosen(&[dead], None), Err(trouble));
    assert!(choose(&[], None).is_none());
}

#[test]
fn a_container_that_is_not_there_is_answered_with_the_nearest() {
    let task = backend("one", 1);
    let trouble = chosen(std::slice::from_ref(&task), Some("php")).unwrap_err();
    let error = refused("bp", &task, trouble, None);
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(error.hints()[0].contains("`-c php-fpm`"), "{:?}", error.hints());
    assert!(error.hints()[1].contains("nginx, php-fpm, scheduler, queue-worker"));
}

#[test]
fn an_unknown_kind_of_task_wants_the_container_named() {
    let mut task = backend("one", 1);
    task.containers = ["a", "b"].map(container).to_vec();
    let names = vec!["a".to_owned(), "b".to_owned()];
    assert_eq!(
        chosen(std::slice::from_ref(&task), None),
        Err(Trouble::WhichContainer { names })
    );
    task.containers.pop();
    assert_eq!(chosen(&[task], None).unwrap().1, "a");
}

#[test]
fn every_refusal_says_what_to_do() {
    let task = backend("one", 1);
    let text = |trouble: Trouble| {
        let error = refused("bp", &task, trouble, None);
        let hints: Vec<String> = error.hints().iter().map(Hint::line).collect();
        assert!(!hints.is_empty(), "{error}");
        format!("{error} / {}", hints.join(" / "))
    };
    let stopped = Trouble::TaskNotRunning {
        state: "STOPPED".to_owned(),
        reason: Some("Essential container in task exited".to_owned()),
    };
    assert!(text(stopped).contains("it is STOPPED: Essential container in task exited"));
    assert!(text(Trouble::NotEnabled).contains("without ECS Exec"));
    let agent = |state: &str| Trouble::AgentNotRunning {
        container: "php-fpm".to_owned(),
        state: state.to_owned(),
        reason: None,
    };
    assert!(text(agent("PENDING")).contains("try again in half a minute"));
    assert!(text(agent("STOPPED")).contains("stop the task"));
    let container = Trouble::ContainerNotRunning {
        container: "scheduler".to_owned(),
        state: "STOPPED".to_owned(),
    };
    assert!(text(container).contains("the container is STOPPED"));
}

#[test]
fn an_agent_that_is_not_reached_is_explained_by_role_and_network() {
    let place = Place {
        cluster: "bp".to_owned(),
        task: backend("one", 1),
        container: "php-fpm".to_owned(),
        others: 0,
    };
    assert_eq!(place.target().unwrap(), "ecs:bp_one_rt-php-fpm");
    let explained = |role: Option<&str>| {
        let error = CtlError::new(ErrorKind::Rejected, "execute a command");
        let error = unreachable(error, &place, role, Some("eu-west-1"));
        error
            .hints()
            .iter()
            .map(Hint::line)
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert!(explained(None).contains("bp-backend:42 has no task role"));
    let with_role = explained(Some("arn:aws:iam::123456789012:role/bp-backend-task"));
    assert!(with_role.contains(
        "simulate-principal-policy --policy-source-arn arn:aws:iam::123456789012:role/bp-backend-task"
    ));
    assert!(with_role.contains("ssmmessages.eu-west-1.amazonaws.com"));
}
