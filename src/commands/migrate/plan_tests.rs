//! Plans of migrations: what is done, what is warned of, what is refused.

use super::super::request::Databases;
use super::*;
use crate::change::{Risk, RunNames, Target};
use crate::tasks::Choices;

const NOW: &str = "2026-01-15T09:00:00Z";

fn observed() -> Observed {
    Observed {
        layout: LayoutKind::Single,
        place: Place::sample(),
        migrations: Vec::new(),
        database: None,
    }
}

fn database(status: &str, doubt: Option<&str>) -> Option<PlatformDatabase> {
    Some(PlatformDatabase::Found {
        id: "bp-mariadb".to_owned(),
        status: status.to_owned(),
        doubt: doubt.map(str::to_owned),
    })
}

fn planned(request: &Request, observed: &Observed) -> Plan<Action> {
    planned_in(&Target::sample(), request, observed)
}

fn planned_in(target: &Target, request: &Request, observed: &Observed) -> Plan<Action> {
    let basis = Basis {
        target,
        names: &RunNames::fixed(),
        now: NOW.parse().unwrap(),
    };
    plan(request, observed, &basis).unwrap()
}

fn fresh() -> Request {
    wanting(|databases| databases.fresh = true)
}

fn wanting(change: fn(&mut Databases)) -> Request {
    let mut request = Request::default();
    change(&mut request.databases);
    request
}

fn choosing(task: Choices) -> Request {
    Request {
        task,
        ..Request::default()
    }
}

fn with_snapshot() -> Request {
    wanting(|databases| databases.snapshot = true)
}

fn start_of(plan: &Plan<Action>) -> &Start {
    match &plan.steps.last().unwrap().action {
        Action::Start(start) => start,
        Action::Snapshot(_) => panic!("the last step starts the task"),
    }
}

#[test]
fn a_healthy_platform_gives_one_reversible_step_without_a_word_of_warning() {
    let plan = planned(&Request::default(), &observed());
    assert_eq!(plan.risk(), Risk::Reversible);
    assert_eq!(plan.confirm_word(&Target::sample()), "prod");
    assert_eq!((plan.warnings.len(), plan.blockers.len()), (0, 0), "{plan:?}");
    let start = start_of(&plan);
    assert_eq!(start.call.command, ["php artisan tenancy:pools-migrate"]);
    assert_eq!(start.call.started_by, "bpctl/migrate/0123456789ab");
    assert_eq!(
        plan.steps[0].notes,
        ["the subnets come from service bp-backend, the security groups from service bp-backend"]
    );
    let shown = &plan.steps[0].calls[0].parameters;
    assert_eq!(shown["cluster"], "bp");
    assert_eq!(
        shown["taskDefinition"],
        "arn:aws:ecs:us-east-1:123456789012:task-definition/bp-backend:42"
    );
    assert_eq!(
        shown["overrides"]["containerOverrides"][0]["command"],
        serde_json::json!(["php artisan tenancy:pools-migrate"])
    );
    let network = &shown["networkConfiguration"]["awsvpcConfiguration"];
    assert_eq!(network["subnets"], serde_json::json!(["subnet-0a1b2c3d"]));
    assert_eq!(network["securityGroups"], serde_json::json!(["sg-0a1b2c3d"]));
    // What is sent is shown to the last parameter.
    assert_eq!(shown["platformVersion"], "LATEST");
    assert_eq!(shown["clientToken"], "00112233445566778899aabbccddeeff");
    assert_eq!(shown["enableExecuteCommand"], true);
    assert_eq!(shown["tags"].as_array().map(Vec::len), Some(3));
}

#[test]
fn every_stop_that_may_become_necessary_is_in_the_plan() {
    let reasons = |plan: &Plan<Action>| -> Vec<String> {
        let calls = plan.steps[0].if_needed.iter();
        calls
            .inspect(|call| assert_eq!(call.label(), "ecs:StopTask"))
            .map(|call| call.parameters["reason"].as_str().unwrap().to_owned())
            .collect()
    };
    let plan = planned(&Request::default(), &observed());
    assert_eq!(reasons(&plan), [GIVES_WAY]);
    let request = choosing(Choices {
        stop_on_interrupt: true,
        ..Choices::default()
    });
    let plan = planned(&request, &observed());
    assert_eq!(reasons(&plan), [GIVES_WAY, FOLLOWING.stop_reason]);
}

#[test]
fn fresh_in_production_wants_the_account_typed() {
    let production = Target {
        production: true,
        ..Target::sample()
    };
    let word = |target: &Target, request: &Request| {
        planned_in(target, request, &observed())
            .confirm_word(target)
            .to_owned()
    };
    assert_eq!(word(&Target::sample(), &fresh()), "prod");
    assert_eq!(planned(&fresh(), &observed()).risk(), Risk::Destructive);
    assert_eq!(word(&production, &fresh()), "123456789012");
    assert_eq!(word(&production, &Request::default()), "prod");
}

#[test]
fn fresh_offers_a_snapshot_and_with_one_is_silent() {
    let plan = planned(&fresh(), &observed());
    assert!(plan.warnings[0].contains("add `--snapshot`"), "{plan:?}");
    let mut place = observed();
    place.database = database("available", None);
    let request = wanting(|databases| (databases.fresh, databases.snapshot) = (true, true));
    let plan = planned(&request, &place);
    assert_eq!(plan.warnings, [""; 0]);
    let steps: Vec<&str> = plan.steps.iter().map(|step| step.id.as_str()).collect();
    assert_eq!(steps, ["snapshot", "migrate"]);
}

#[test]
fn the_snapshot_has_a_name_that_rds_accepts() {
    let mut place = observed();
    place.database = database("available", None);
    let plan = planned(&with_snapshot(), &place);
    let Action::Snapshot(call) = &plan.steps[0].action else {
        panic!("the first step is the snapshot");
    };
    let id = &call.snapshot;
    assert_eq!(call.instance, "bp-mariadb");
    assert_eq!(id, "bp-mariadb-before-migrate-20260115-090000-0123456789ab");
    assert!(!id.contains("--") && id.len() <= 255);
}

#[test]
fn no_snapshot_of_an_unknown_or_busy_database() {
    let mut place = observed();
    place.database = database("backing-up", None);
    let plan = planned(&with_snapshot(), &place);
    assert!(
        plan.blockers[0]
            .reason
            .contains("while database bp-mariadb is backing-up")
    );
    place.database = Some(PlatformDatabase::Unknown("two instances".to_owned()));
    let plan = planned(&with_snapshot(), &place);
    assert_eq!(plan.blockers[0].kind, ErrorKind::NotFound);
    assert!(plan.blockers[0].reason.contains("two instances"));
    place.database = None;
    assert_eq!(planned(&with_snapshot(), &place).blockers.len(), 1);
    assert_eq!(planned(&Request::default(), &place).blockers.len(), 0);
}

#[test]
fn a_guessed_database_is_named_in_a_warning() {
    let mut place = observed();
    place.database = database("available", Some("the stack has no output"));
    let plan = planned(&with_snapshot(), &place);
    assert_eq!(
        plan.warnings,
        ["the snapshot is taken of bp-mariadb: the stack has no output"]
    );
}

#[test]
fn a_second_migration_is_refused_by_name() {
    let mut place = observed();
    place.migrations = vec![Task {
        arn: "arn:aws:ecs:us-east-1:123456789012:task/bp/0af".to_owned(),
        state: "RUNNING".to_owned(),
        started_by: Some("bpctl/migrate/77".to_owned()),
        created: Some("2026-01-15T08:35:00Z".parse().unwrap()),
        ..Task::default()
    }];
    let plan = planned(&Request::default(), &place);
    let blocker = &plan.blockers[0];
    assert_eq!(blocker.kind, ErrorKind::Conflict);
    assert_eq!(
        blocker.reason,
        "migrate: a migration is under way already: task 0af is RUNNING since 2026-01-15T08:35:00Z, started by bpctl/migrate/77"
    );
    assert_eq!(blocker.hint, "follow it with `bpctl migrate --attach 0af`");
}

#[test]
fn where_no_task_can_be_started_none_is() {
    let mut seen = observed();
    seen.place.container = None;
    let blockers = planned(&Request::default(), &seen).blockers;
    assert!(blockers[0].reason.contains("no container php-fpm"));
}

#[test]
fn trouble_of_the_service_is_a_warning_not_a_refusal() {
    type Change = (&'static str, fn(&mut Observed));
    let changes: [Change; 4] = [
        ("is not healthy: 1 of 2 tasks run", |place| {
            place.place.service.running = 1
        }),
        ("is scaled to zero", |place| place.place.service.desired = 0),
        ("is in progress", |place| {
            place.place.service.deployments[0].rollout_state = Some("IN_PROGRESS".to_owned())
        }),
        ("the last deployment of bp-backend failed", |place| {
            place.place.service.deployments[0].rollout_state = Some("FAILED".to_owned());
        }),
    ];
    for (expected, change) in changes {
        let mut place = observed();
        change(&mut place);
        let plan = planned(&Request::default(), &place);
        assert_eq!(plan.blockers.len(), 0, "{expected}");
        assert_eq!(plan.warnings.len(), 1, "{plan:?}");
        assert!(plan.warnings[0].contains(expected), "{plan:?}");
    }
    let production = Target {
        production: true,
        ..Target::sample()
    };
    let plan = planned_in(&production, &Request::default(), &observed());
    assert_eq!(plan.warnings, ["this is production"]);
    assert_eq!(plan.blockers.len(), 0);
}
