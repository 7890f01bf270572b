//! Snapshots as their callers see them.

use serde_json::json;

use crate::service::Service;
use crate::service::operator::{Operator, text};

/// The instance of the account that is simulated unless told otherwise.
fn database() -> String {
    crate::seed::database_of(&crate::options::Options::default())
}

#[test]
fn a_snapshot_takes_minutes_and_keeps_the_instance_busy() {
    let mut operator = Operator::under(&[]);
    let create = json!({"DBInstanceIdentifier": database(), "DBSnapshotIdentifier": "before-fresh"});
    let made = operator.call(Service::Rds, "CreateDBSnapshot", &create);
    assert_eq!(made["DBSnapshot"]["Status"], "creating");
    let again = operator.refused(Service::Rds, "CreateDBSnapshot", &create);
    assert_eq!(again.code, "DBSnapshotAlreadyExists");
    let other = json!({"DBInstanceIdentifier": database(), "DBSnapshotIdentifier": "another"});
    let busy = operator.refused(Service::Rds, "CreateDBSnapshot", &other);
    assert_eq!(busy.code, "InvalidDBInstanceState");
    let describe = json!({"DBSnapshotIdentifier": "before-fresh"});
    let mut last = -1;
    let mut steps = 0;
    assert!(operator.wait_until(400, |operator| {
        let snapshot =
            operator.call(Service::Rds, "DescribeDBSnapshots", &describe)["DBSnapshots"][0].clone();
        let percent = snapshot["PercentProgress"].as_i64().unwrap_or(-1);
        assert!(percent >= last);
        steps += i32::from(percent > last);
        last = percent;
        assert_eq!(snapshot["Status"] == "available", percent == 100);
        percent == 100
    }));
    assert!(steps > 10, "{steps}");
    operator.wait(1);
    let instances = operator.call(Service::Rds, "DescribeDBInstances", &json!({}));
    assert_eq!(instances["DBInstances"][0]["DBInstanceStatus"], "available");
    operator.call(Service::Rds, "CreateDBSnapshot", &other);
}

#[test]
fn what_does_not_exist_is_not_found() {
    let mut operator = Operator::under(&[]);
    let mut code = |operation: &str, input: serde_json::Value| {
        let error = operator.refused(Service::Rds, operation, &input);
        (error.code, error.status)
    };
    assert_eq!(
        code("DescribeDBInstances", json!({"DBInstanceIdentifier": "no"})),
        ("DBInstanceNotFound".to_owned(), 404)
    );
    assert_eq!(
        code("DescribeDBSnapshots", json!({"DBSnapshotIdentifier": "no"})).0,
        "DBSnapshotNotFound"
    );
    assert_eq!(
        code(
            "CreateDBSnapshot",
            json!({"DBInstanceIdentifier": "no", "DBSnapshotIdentifier": "x"})
        )
        .0,
        "DBInstanceNotFound"
    );
    assert_eq!(
        code(
            "CreateDBSnapshot",
            json!({"DBInstanceIdentifier": database(), "DBSnapshotIdentifier": "1 x"})
        )
        .0,
        "InvalidParameterValue"
    );
}

#[test]
fn last_nights_snapshot_is_there() {
    let mut operator = Operator::under(&[]);
    let input = json!({"DBInstanceIdentifier": database(), "SnapshotType": "automated"});
    let found = operator.call(Service::Rds, "DescribeDBSnapshots", &input);
    let id = text(&found["DBSnapshots"][0]["DBSnapshotIdentifier"]);
    assert_eq!(id, format!("rds:{}-2026-01-15-04-07", database()));
    assert_eq!(found["DBSnapshots"][0]["Status"], "available");
}

#[test]
fn storage_grows_while_the_instance_serves_and_not_again_at_once() {
    let mut operator = Operator::under(&[]);
    let grow = |to: i64| json!({"DBInstanceIdentifier": database(), "AllocatedStorage": to, "ApplyImmediately": true});
    let modified = operator.call(Service::Rds, "ModifyDBInstance", &grow(30));
    assert_eq!(modified["DBInstance"]["DBInstanceStatus"], "modifying");
    assert_eq!(modified["DBInstance"]["AllocatedStorage"], 20);
    operator.wait(240);
    let described = operator.call(Service::Rds, "DescribeDBInstances", &json!({}));
    let instance = &described["DBInstances"][0];
    assert_eq!(instance["AllocatedStorage"], 30);
    assert_eq!(instance["DBInstanceStatus"], "storage-optimization");
    for to in [40, 10] {
        let refused = operator.refused(Service::Rds, "ModifyDBInstance", &grow(to));
        assert_eq!(refused.code, "InvalidParameterCombination");
    }
}

#[test]
fn a_stop_and_a_start_take_minutes_and_a_stop_ends_after_seven_days() {
    let mut operator = Operator::under(&[]);
    let name = json!({"DBInstanceIdentifier": database()});
    let state = |operator: &mut Operator| {
        let found = operator.call(Service::Rds, "DescribeDBInstances", &name);
        text(&found["DBInstances"][0]["DBInstanceStatus"])
    };
    let early = operator.refused(Service::Rds, "StartDBInstance", &name);
    assert_eq!(early.code, "InvalidDBInstanceState");
    let stopped = operator.call(Service::Rds, "StopDBInstance", &name);
    assert_eq!(stopped["DBInstance"]["DBInstanceStatus"], "stopping");
    for operation in ["StopDBInstance", "StartDBInstance"] {
        let busy = operator.refused(Service::Rds, operation, &name);
        assert_eq!(busy.code, "InvalidDBInstanceState", "{operation}");
    }
    operator.wait(3 * 60);
    assert_eq!(state(&mut operator), "stopped");
    let snapshot = json!({"DBInstanceIdentifier": database(), "DBSnapshotIdentifier": "of-nothing"});
    let refused = operator.refused(Service::Rds, "CreateDBSnapshot", &snapshot);
    assert_eq!(refused.code, "InvalidDBInstanceState");
    let larger = json!({"DBInstanceIdentifier": database(), "AllocatedStorage": 40});
    let refused = operator.refused(Service::Rds, "ModifyDBInstance", &larger);
    assert_eq!(refused.code, "InvalidDBInstanceState");
    let started = operator.call(Service::Rds, "StartDBInstance", &name);
    assert_eq!(started["DBInstance"]["DBInstanceStatus"], "starting");
    operator.wait(4 * 60);
    assert_eq!(state(&mut operator), "available");
    operator.call(Service::Rds, "StopDBInstance", &name);
    // Nothing of the week in between matters here.
    operator.world.now = operator.world.now + std::time::Duration::from_secs(3 * 60 + 7 * 86_400 - 60);
    assert_eq!(state(&mut operator), "stopped");
    operator.world.now = operator.world.now + std::time::Duration::from_secs(120);
    assert_eq!(state(&mut operator), "starting");
    operator.world.now = operator.world.now + std::time::Duration::from_secs(4 * 60);
    assert_eq!(state(&mut operator), "available");
}
