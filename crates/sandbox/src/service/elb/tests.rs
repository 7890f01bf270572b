//! The health of targets.

use serde_json::json;

use super::{Failure, Health, Target};
use crate::service::Service;
use crate::service::operator::Operator;
use crate::time::SimTime;

fn target(health: Health) -> Target {
    Target {
        ip: "10.0.10.20".to_owned(),
        zone: "us-east-1a".to_owned(),
        health,
        streak: 0,
        next_check: SimTime::default(),
        gone_at: None,
    }
}

#[test]
fn a_new_target_is_healthy_after_one_good_check_and_unhealthy_after_three_bad_ones() {
    let mut good = target(Health::Initial);
    good.checked(Ok(()));
    assert_eq!(good.health, Health::Healthy);
    let mut bad = target(Health::Initial);
    bad.checked(Err(Failure::Refused));
    bad.checked(Err(Failure::Refused));
    assert_eq!(bad.health, Health::Initial);
    bad.checked(Err(Failure::Code(502)));
    assert_eq!(bad.health, Health::Unhealthy(Failure::Code(502)));
}

#[test]
fn only_checks_in_a_row_change_the_verdict() {
    let mut wavering = target(Health::Healthy);
    for _ in 0..5 {
        wavering.checked(Err(Failure::Timeout));
        wavering.checked(Err(Failure::Timeout));
        wavering.checked(Ok(()));
    }
    assert_eq!(wavering.health, Health::Healthy);
    let mut recovering = target(Health::Unhealthy(Failure::Timeout));
    recovering.checked(Ok(()));
    recovering.checked(Err(Failure::Timeout));
    recovering.checked(Ok(()));
    assert_eq!(recovering.health, Health::Unhealthy(Failure::Timeout));
    recovering.checked(Ok(()));
    assert_eq!(recovering.health, Health::Healthy);
}

#[test]
fn what_is_not_registered_or_does_not_exist_is_said() {
    let mut operator = Operator::under(&[]);
    let groups = operator.call(
        Service::Elb,
        "DescribeTargetGroups",
        &json!({"Names": ["bp-backend"]}),
    );
    let arn = &groups["TargetGroups"][0]["TargetGroupArn"];
    let input = json!({"TargetGroupArn": arn, "Targets": [{"Id": "10.9.9.9"}]});
    let health = operator.call(Service::Elb, "DescribeTargetHealth", &input);
    let health = &health["TargetHealthDescriptions"][0]["TargetHealth"];
    assert_eq!(
        (&health["State"], &health["Reason"]),
        (&json!("unused"), &json!("Target.NotRegistered"))
    );
    let mut code = |operation: &str| {
        let input = json!({"Names": ["nobody"]});
        operator.refused(Service::Elb, operation, &input).code
    };
    assert_eq!(code("DescribeTargetGroups"), "TargetGroupNotFound");
    assert_eq!(code("DescribeLoadBalancers"), "LoadBalancerNotFound");
}
