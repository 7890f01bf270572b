use std::io::Write as _;

use crate::service::Access;

use super::*;

const STS: &str = "Action=GetCallerIdentity&Version=2011-06-15";

pub(super) fn world() -> World {
    World::new(Options::default())
}

pub(super) fn ask(world: &mut World, headers: &[(&str, &str)], body: impl Into<Bytes>) -> (u16, String) {
    let mut request = Request::post("/");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = world.handle(&request.body(body.into()).unwrap());
    (
        response.status().as_u16(),
        String::from_utf8_lossy(response.body()).into_owned(),
    )
}

fn ecs(world: &mut World, operation: &str, body: &'static str) -> (u16, String) {
    let target = format!("AmazonEC2ContainerServiceV20141113.{operation}");
    ask(
        world,
        &[
            ("x-amz-target", &target),
            ("content-type", "application/x-amz-json-1.1"),
        ],
        body,
    )
}

#[test]
fn a_request_that_cannot_be_read_never_reaches_its_operation() {
    let mut world = world();
    for body in ["{", "[]", r#"{"count": "two"}"#, r#"{"overrides": "none"}"#] {
        let (status, answer) = ecs(&mut world, "RunTask", body);
        assert_eq!(status, 400, "{body}");
        assert!(
            answer.starts_with(r#"{"__type":"SerializationException","message":""#),
            "{answer}"
        );
    }
    assert!(
        world
            .calls()
            .iter()
            .all(|call| call.access == Some(Access::Write) && !call.changed())
    );
}

#[test]
fn a_missing_member_is_refused_before_the_operation() {
    let (status, answer) = ecs(&mut world(), "RunTask", "{}");
    assert_eq!(status, 400);
    assert_eq!(
        answer,
        r#"{"__type":"InvalidParameterException","message":"TaskDefinition cannot be empty."}"#
    );
}

#[test]
fn an_operation_that_is_not_simulated_is_unknown() {
    let mut world = world();
    let (status, answer) = ecs(&mut world, "DeleteCluster", "{}");
    assert_eq!(status, 400);
    assert!(answer.contains("UnknownOperationException"), "{answer}");
    assert_eq!(world.calls()[0].access, None);
    let (status, answer) = ask(&mut world, &[], "Action=CancelUpdateStack&Version=2010-05-15");
    assert_eq!(status, 400);
    assert!(answer.contains("<Code>InvalidAction</Code>"), "{answer}");
}

#[test]
fn compressed_bodies_are_read() {
    let mut compressed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    compressed.write_all(STS.as_bytes()).unwrap();
    let body = compressed.finish().unwrap();
    assert_eq!(ask(&mut world(), &[("content-encoding", "gzip")], body).0, 200);
    assert_eq!(ask(&mut world(), &[("content-encoding", "br")], STS).0, 415);
    assert_eq!(ask(&mut world(), &[("content-encoding", "gzip")], STS).0, 415);
}

#[test]
fn what_no_service_understands_is_not_a_call() {
    let mut world = world();
    assert_eq!(ask(&mut world, &[], "").0, 404);
    assert_eq!(
        ask(
            &mut world,
            &[("x-amz-target", "DynamoDB_20120810.ListTables")],
            "{}"
        )
        .0,
        400
    );
    assert_eq!(world.call_count(), 0);
}

#[test]
fn the_callers_clock_is_read_from_its_signature() {
    assert_eq!(amz_date("20260115T090000Z"), Some(SimTime(1_768_467_600_000)));
    assert_eq!(amz_date("yesterday"), None);
}

#[test]
fn looking_does_not_change_what_is_drawn_next() {
    let (mut asked, mut alone) = (world(), world());
    for _ in 0..5 {
        ask(&mut asked, &[], STS);
    }
    assert_eq!(asked.ids.hex(32), alone.ids.hex(32));
}

#[test]
fn the_tables_and_the_api_shapes_name_the_same_operations() {
    for service in Service::ALL {
        let listed: Vec<_> = service
            .operations()
            .iter()
            .map(|operation| operation.name)
            .collect();
        let shaped: Vec<_> = Api::of(*service).operations.keys().collect();
        assert_eq!(listed, shaped, "{service:?}");
    }
}
