//! The AWS SDK for Rust through both doors: every protocol, every fault as the SDK's retries and callers see it.

#![expect(
    clippy::disallowed_methods,
    reason = "these clients are what is under test, not bpctl's"
)]

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, MetricDatum, StateValue, Statistic};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use bpctl_sandbox::door::{ServeOptions, Server, serve};
use bpctl_sandbox::{Access, Fault, FaultRule, Options, Sandbox, Scenario, Service};

/// A configuration for the client crate `$sdk` that leads through `$http` to `$endpoint`.
macro_rules! client {
    ($sdk:ident, $http:expr, $endpoint:expr) => {{
        let credentials = Credentials::builder()
            .access_key_id("AKIAEXAMPLE")
            .secret_access_key("secret")
            .provider_name("test")
            .build();
        let mut config = $sdk::Config::builder()
            .behavior_version($sdk::config::BehaviorVersion::latest())
            .region($sdk::config::Region::new("us-east-1"))
            .credentials_provider(credentials)
            .http_client($http);
        config.set_endpoint_url($endpoint);
        $sdk::Client::from_conf(config.build())
    }};
}

fn sandbox() -> Sandbox {
    Sandbox::stepped(Options::default())
}

fn with_scenario(scenario: Scenario) -> Sandbox {
    Sandbox::stepped(Options {
        scenarios: [scenario].into(),
        ..Options::default()
    })
}

/// The SDK's own HTTP client, without TLS: the sandbox is at a plain address.
fn real_http() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().build_http()
}

async fn listening(sandbox: &Sandbox) -> String {
    let server: Server = serve(sandbox.clone(), ServeOptions::default()).await.unwrap();
    let url = server.url();
    tokio::spawn(server.run());
    url
}

#[tokio::test]
async fn query_json_and_cbor_go_through_the_door_in_process() {
    let sandbox = sandbox();
    let identity = client!(aws_sdk_sts, sandbox.clone(), None)
        .get_caller_identity()
        .send()
        .await
        .unwrap();
    assert_eq!(identity.account(), Some("123456789012"));
    let ecs = client!(aws_sdk_ecs, sandbox.clone(), None);
    let clusters = ecs.describe_clusters().clusters("bp").send().await.unwrap();
    assert_eq!(clusters.clusters()[0].cluster_name(), Some("bp"));
    let cloudwatch = client!(aws_sdk_cloudwatch, sandbox.clone(), None);
    let alarms = cloudwatch
        .describe_alarms()
        .alarm_names("p1-alb-5xx-critical")
        .send()
        .await
        .unwrap();
    let alarm = &alarms.metric_alarms()[0];
    assert_eq!(alarm.state_value(), Some(&StateValue::Ok));
    assert_eq!(alarm.threshold(), Some(50.0));
    assert!(alarm.state_updated_timestamp().is_some());
}

#[tokio::test]
async fn query_json_and_cbor_go_through_the_listener() {
    let sandbox = sandbox();
    let url = Some(listening(&sandbox).await);
    let ssm = client!(aws_sdk_ssm, real_http(), url.clone());
    let parameter = ssm
        .get_parameter()
        .name("/bp/ami/fleets/production/gpu-default")
        .send()
        .await
        .unwrap();
    assert_eq!(parameter.parameter().unwrap().data_type(), Some("aws:ec2:image"));
    let autoscaling = client!(aws_sdk_autoscaling, real_http(), url.clone());
    let groups = autoscaling
        .describe_auto_scaling_groups()
        .auto_scaling_group_names("asg-production-gpu-default")
        .send()
        .await
        .unwrap();
    let group = &groups.auto_scaling_groups()[0];
    assert_eq!(group.max_size(), Some(10));
    assert!(group.created_time().is_some());
    let cloudwatch = client!(aws_sdk_cloudwatch, real_http(), url);
    assert!(
        !cloudwatch
            .list_metrics()
            .send()
            .await
            .unwrap()
            .metrics()
            .is_empty()
    );
}

#[tokio::test]
async fn what_is_put_over_cbor_comes_back() {
    let sandbox = sandbox();
    let cloudwatch = client!(aws_sdk_cloudwatch, sandbox.clone(), None);
    let dimension = Dimension::builder().name("Case").value("round-trip").build();
    let data = (0..300).map(|_| {
        MetricDatum::builder()
            .metric_name("Odd")
            .value(0.1)
            .dimensions(dimension.clone())
            .build()
    });
    // So much that the SDK compresses it.
    cloudwatch
        .put_metric_data()
        .namespace("Test")
        .set_metric_data(Some(data.collect()))
        .send()
        .await
        .unwrap();
    let start = sandbox.now();
    sandbox.advance(Duration::from_secs(120));
    let statistics = cloudwatch
        .get_metric_statistics()
        .namespace("Test")
        .metric_name("Odd")
        .dimensions(dimension)
        .start_time(DateTime::from_millis(start.floor_minute().0))
        .end_time(DateTime::from_millis(sandbox.now().0))
        .period(60)
        .statistics(Statistic::SampleCount)
        .statistics(Statistic::Average)
        .send()
        .await
        .unwrap();
    let datapoint = &statistics.datapoints()[0];
    assert_eq!(datapoint.sample_count(), Some(300.0));
    assert!((datapoint.average().unwrap() - 0.1).abs() < 1e-9);
    assert_eq!(
        datapoint.timestamp().unwrap().to_millis().unwrap(),
        start.floor_minute().0
    );
}

#[tokio::test]
async fn modelled_errors_arrive_typed() {
    let sandbox = sandbox();
    let ssm = client!(aws_sdk_ssm, sandbox.clone(), None);
    let error = ssm
        .get_parameter()
        .name("/bp/none")
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert!(error.is_parameter_not_found(), "{error:?}");
    let ecs = client!(aws_sdk_ecs, sandbox.clone(), None);
    let error = ecs
        .list_tasks()
        .cluster("nope")
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert!(error.is_cluster_not_found_exception(), "{error:?}");
    let cloudwatch = client!(aws_sdk_cloudwatch, sandbox.clone(), None);
    let error = cloudwatch
        .set_alarm_state()
        .alarm_name("none")
        .state_value(StateValue::Ok)
        .state_reason("test")
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert!(error.is_resource_not_found(), "{error:?}");
}

#[tokio::test]
async fn throttled_calls_succeed_on_the_sdks_second_try() {
    let sandbox = with_scenario(Scenario::Throttled);
    let sts = client!(aws_sdk_sts, sandbox.clone(), None);
    for _ in 0..3 {
        sts.get_caller_identity().send().await.unwrap();
    }
    let errors: Vec<_> =
        sandbox.with_world(|world| world.calls().iter().map(|call| call.error.clone()).collect());
    assert_eq!(errors, [None, None, Some("Throttling".to_owned()), None]);
}

#[tokio::test]
async fn throttling_is_retried_in_json_and_cbor_too() {
    let sandbox = sandbox();
    sandbox.with_world(|world| {
        world.inject(FaultRule::on(Service::Ecs, "DescribeClusters", Fault::Throttle).times(1));
        world.inject(FaultRule::on(Service::CloudWatch, "ListMetrics", Fault::Throttle).times(1));
    });
    client!(aws_sdk_ecs, sandbox.clone(), None)
        .describe_clusters()
        .send()
        .await
        .unwrap();
    client!(aws_sdk_cloudwatch, sandbox.clone(), None)
        .list_metrics()
        .send()
        .await
        .unwrap();
    assert_eq!(sandbox.with_world(|world| world.call_count()), 4);
}

#[tokio::test]
async fn expired_credentials_are_not_retried() {
    let sandbox = with_scenario(Scenario::ExpiredCredentials);
    let sts = client!(aws_sdk_sts, sandbox.clone(), None)
        .get_caller_identity()
        .send()
        .await
        .unwrap_err();
    assert_eq!(sts.into_service_error().meta().code(), Some("ExpiredToken"));
    let ecs = client!(aws_sdk_ecs, sandbox.clone(), None)
        .describe_clusters()
        .send()
        .await
        .unwrap_err();
    assert_eq!(
        ecs.into_service_error().meta().code(),
        Some("ExpiredTokenException")
    );
    let cloudwatch = client!(aws_sdk_cloudwatch, sandbox.clone(), None)
        .list_metrics()
        .send()
        .await
        .unwrap_err();
    // CloudWatch comes from the query protocol, whose error codes its SDKs keep.
    assert_eq!(
        cloudwatch.into_service_error().meta().code(),
        Some("ExpiredToken")
    );
    assert_eq!(sandbox.with_world(|world| world.call_count()), 3);
}

#[tokio::test]
async fn a_denied_action_changes_nothing_and_says_who_may_not_do_what() {
    let sandbox = sandbox();
    sandbox.with_world(|world| world.inject(FaultRule::on(Service::Ssm, "PutParameter", Fault::Deny)));
    let ssm = client!(aws_sdk_ssm, sandbox.clone(), None);
    let error = ssm
        .put_parameter()
        .name("/bp/x")
        .value("1")
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert_eq!(error.meta().code(), Some("AccessDeniedException"));
    assert_eq!(
        error.meta().message(),
        Some(
            "User: arn:aws:sts::123456789012:assumed-role/bp-operator/operator is not authorized to perform: ssm:PutParameter on resource: arn:aws:ssm:us-east-1:123456789012:parameter/bp/x because no identity-based policy allows the ssm:PutParameter action"
        )
    );
    sandbox.with_world(|world| {
        let call = &world.calls()[0];
        assert_eq!(call.access, Some(Access::Write));
        assert!(!call.changed());
    });
}

#[tokio::test]
async fn broken_connections_and_server_errors_are_retried() {
    let sandbox = sandbox();
    let url = Some(listening(&sandbox).await);
    let in_process = client!(aws_sdk_sts, sandbox.clone(), None);
    let over_socket = client!(aws_sdk_sts, real_http(), url);
    for fault in [Fault::Disconnect, Fault::LoseAnswer, Fault::Fail] {
        for sts in [&in_process, &over_socket] {
            sandbox.with_world(|world| {
                world.clear_faults();
                world.forget_calls();
                world.inject(FaultRule::everywhere(fault).times(1));
            });
            sts.get_caller_identity().send().await.unwrap();
            assert_eq!(sandbox.with_world(|world| world.call_count()), 2, "{fault:?}");
        }
    }
}

#[tokio::test]
async fn a_session_is_its_role_to_the_account() {
    let sandbox = sandbox();
    let sts = client!(aws_sdk_sts, sandbox.clone(), None);
    let session = sts
        .assume_role()
        .role_arn("arn:aws:iam::123456789012:role/bp-deploy")
        .role_session_name("ci")
        .send()
        .await
        .unwrap();
    let credentials = session.credentials().unwrap();
    assert!(credentials.expiration().secs() > sandbox.now().0 / 1000);
    let credentials = Credentials::builder()
        .access_key_id(credentials.access_key_id())
        .secret_access_key(credentials.secret_access_key())
        .session_token(credentials.session_token())
        .provider_name("test")
        .build();
    let role = aws_sdk_sts::Client::from_conf(
        sts.config()
            .to_builder()
            .credentials_provider(credentials)
            .build(),
    );
    let identity = role.get_caller_identity().send().await.unwrap();
    assert_eq!(
        identity.arn(),
        Some("arn:aws:sts::123456789012:assumed-role/bp-deploy/ci")
    );
}

#[tokio::test]
async fn another_region_of_the_account_is_empty() {
    let sandbox = sandbox();
    let here = client!(aws_sdk_ecs, sandbox.clone(), None);
    let region = aws_sdk_ecs::config::Region::new("eu-west-1");
    let there = aws_sdk_ecs::Client::from_conf(here.config().to_builder().region(region).build());
    assert!(here.list_tasks().cluster("bp").send().await.is_ok());
    // An hour later as well: time passes there too, with nothing in it.
    for _ in 0..2 {
        let error = there
            .list_tasks()
            .cluster("bp")
            .send()
            .await
            .unwrap_err()
            .into_service_error();
        assert!(error.is_cluster_not_found_exception(), "{error:?}");
        sandbox.advance(Duration::from_secs(3600));
    }
}

fn s3(sandbox: &Sandbox) -> aws_sdk_s3::Client {
    // In process there is no endpoint but AWS': the bucket stands in the host's name.
    client!(aws_sdk_s3, sandbox.clone(), None)
}

const LOGS: &str = "bp-logs-123456789012";

fn bytes(text: &'static str) -> aws_sdk_s3::primitives::ByteStream {
    aws_sdk_s3::primitives::ByteStream::from_static(text.as_bytes())
}

#[tokio::test]
async fn of_two_who_create_an_object_one_wins_and_only_the_holder_replaces_it() {
    let sandbox = sandbox();
    let s3 = s3(&sandbox);
    let create = |holder| {
        let request = s3.put_object().bucket(LOGS).key("leases/ecs/bp backend+1");
        request.if_none_match("*").body(bytes(holder)).send()
    };
    let (first, second) = tokio::join!(create("first"), create("second"));
    let lost = second.unwrap_err().into_service_error();
    assert_eq!(lost.meta().code(), Some("PreconditionFailed"));
    let etag = first.unwrap().e_tag().unwrap().to_owned();
    let renew = |etag: &str| {
        let request = s3.put_object().bucket(LOGS).key("leases/ecs/bp backend+1");
        request.if_match(etag).body(bytes("renewed")).send()
    };
    let renewed = renew(&etag).await.unwrap();
    let stale = renew(&etag).await.unwrap_err();
    assert_eq!(
        stale.raw_response().map(|response| response.status().as_u16()),
        Some(412)
    );
    let delete = |etag: &str| {
        s3.delete_object()
            .bucket(LOGS)
            .key("leases/ecs/bp backend+1")
            .if_match(etag)
            .send()
    };
    assert!(delete(&etag).await.is_err());
    delete(renewed.e_tag().unwrap()).await.unwrap();
    let gone = renew(&etag).await.unwrap_err().into_service_error();
    assert_eq!(gone.meta().code(), Some("NoSuchKey"));
}

#[tokio::test]
async fn an_object_comes_back_as_it_went_through_both_doors() {
    use aws_sdk_s3::types::ChecksumAlgorithm;
    let sandbox = sandbox();
    let url = listening(&sandbox).await;
    for s3 in [s3(&sandbox), client!(aws_sdk_s3, real_http(), Some(url))] {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), vec![b'x'; 3_000_000]).unwrap();
        // A body from a file travels in chunks with its checksum behind it.
        let body = aws_sdk_s3::primitives::ByteStream::from_path(file.path())
            .await
            .unwrap();
        let put = s3
            .put_object()
            .bucket(LOGS)
            .key("big/ä b.log")
            .checksum_algorithm(ChecksumAlgorithm::Sha256)
            .content_type("text/plain")
            .metadata("run", "42")
            .body(body)
            .send()
            .await
            .unwrap();
        assert!(put.checksum_sha256().is_some());
        let got = s3
            .get_object()
            .bucket(LOGS)
            .key("big/ä b.log")
            .send()
            .await
            .unwrap();
        assert_eq!(got.e_tag(), put.e_tag());
        assert_eq!(got.content_type(), Some("text/plain"));
        assert_eq!(got.metadata().unwrap()["run"], "42");
        assert_eq!(got.body.collect().await.unwrap().into_bytes().len(), 3_000_000);
        let part = s3
            .get_object()
            .bucket(LOGS)
            .key("big/ä b.log")
            .range("bytes=-5")
            .send()
            .await
            .unwrap();
        assert_eq!(part.content_range(), Some("bytes 2999995-2999999/3000000"));
        let head = s3
            .head_object()
            .bucket(LOGS)
            .key("big/ä b.log")
            .send()
            .await
            .unwrap();
        assert_eq!(head.content_length(), Some(3_000_000));
        let missing = s3
            .head_object()
            .bucket(LOGS)
            .key("none")
            .send()
            .await
            .unwrap_err();
        assert!(missing.into_service_error().is_not_found());
        let unchanged = s3
            .get_object()
            .bucket(LOGS)
            .key("big/ä b.log")
            .if_none_match(put.e_tag().unwrap())
            .send()
            .await;
        let unchanged = unchanged
            .unwrap_err()
            .raw_response()
            .map(|response| response.status().as_u16());
        assert_eq!(unchanged, Some(304));
    }
}

#[tokio::test]
async fn listings_come_in_pages_with_common_prefixes() {
    let sandbox = sandbox();
    let s3 = s3(&sandbox);
    for number in 0..7 {
        for folder in ["a", "b"] {
            let key = format!("history/{folder}/{number}.json");
            s3.put_object()
                .bucket(LOGS)
                .key(key)
                .body(bytes("{}"))
                .send()
                .await
                .unwrap();
        }
    }
    let mut pages = s3
        .list_objects_v2()
        .bucket(LOGS)
        .prefix("history/a/")
        .max_keys(3)
        .into_paginator()
        .send();
    let mut keys = Vec::new();
    while let Some(page) = pages.next().await {
        keys.push(page.unwrap().contents().len());
    }
    assert_eq!(keys, [3, 3, 1]);
    let folders = s3
        .list_objects_v2()
        .bucket(LOGS)
        .prefix("history/")
        .delimiter("/")
        .send()
        .await
        .unwrap();
    let names: Vec<_> = folders
        .common_prefixes()
        .iter()
        .filter_map(|prefix| prefix.prefix())
        .collect();
    assert_eq!(names, ["history/a/", "history/b/"]);
    assert_eq!(folders.key_count(), Some(2));
}

#[tokio::test]
async fn a_versioned_bucket_keeps_what_is_deleted() {
    let models = "bp-models-123456789012";
    let sandbox = sandbox();
    let s3 = s3(&sandbox);
    for text in ["one", "two"] {
        s3.put_object()
            .bucket(models)
            .key("m")
            .body(bytes(text))
            .send()
            .await
            .unwrap();
    }
    let marker = s3.delete_object().bucket(models).key("m").send().await.unwrap();
    assert_eq!(marker.delete_marker(), Some(true));
    let gone = s3
        .get_object()
        .bucket(models)
        .key("m")
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert!(gone.is_no_such_key());
    let versions = s3.list_object_versions().bucket(models).send().await.unwrap();
    assert_eq!(
        (versions.versions().len(), versions.delete_markers().len()),
        (2, 1)
    );
    let oldest = versions.versions()[1].version_id().unwrap();
    let old = s3
        .get_object()
        .bucket(models)
        .key("m")
        .version_id(oldest)
        .send()
        .await
        .unwrap();
    assert_eq!(old.body.collect().await.unwrap().into_bytes(), "one");
    s3.delete_object()
        .bucket(models)
        .key("m")
        .version_id(marker.version_id().unwrap())
        .send()
        .await
        .unwrap();
    let back = s3.get_object().bucket(models).key("m").send().await.unwrap();
    assert_eq!(back.body.collect().await.unwrap().into_bytes(), "two");
}

#[tokio::test]
async fn parts_are_joined_in_their_order() {
    use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
    let sandbox = sandbox();
    let s3 = s3(&sandbox);
    let upload = s3
        .create_multipart_upload()
        .bucket(LOGS)
        .key("parts")
        .send()
        .await
        .unwrap();
    let upload = upload.upload_id().unwrap();
    let mut parts = Vec::new();
    for (number, size) in [(1, 5 * 1024 * 1024), (2, 3)] {
        let body = aws_sdk_s3::primitives::ByteStream::from(vec![b'0' + number as u8; size]);
        let part = s3
            .upload_part()
            .bucket(LOGS)
            .key("parts")
            .upload_id(upload)
            .part_number(number);
        let part = part.body(body).send().await.unwrap();
        parts.push(
            CompletedPart::builder()
                .part_number(number)
                .e_tag(part.e_tag().unwrap())
                .build(),
        );
    }
    let complete = |parts: Vec<CompletedPart>| {
        let done = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        s3.complete_multipart_upload()
            .bucket(LOGS)
            .key("parts")
            .upload_id(upload)
            .multipart_upload(done)
            .send()
    };
    let backwards: Vec<_> = parts.iter().rev().cloned().collect();
    let code = complete(backwards).await.unwrap_err().into_service_error();
    assert_eq!(code.meta().code(), Some("InvalidPartOrder"));
    let done = complete(parts).await.unwrap();
    assert!(done.e_tag().unwrap().ends_with("-2\""));
    let got = s3.get_object().bucket(LOGS).key("parts").send().await.unwrap();
    let got = got.body.collect().await.unwrap().into_bytes();
    assert_eq!(got.len(), 5 * 1024 * 1024 + 3);
    assert!(got.ends_with(b"1222"));
}

#[tokio::test]
async fn faults_and_scenarios_befall_s3_in_its_own_words() {
    let sandbox = with_scenario(Scenario::ExpiredCredentials);
    let expired = s3(&sandbox)
        .list_buckets()
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert_eq!(expired.meta().code(), Some("ExpiredToken"));
    let sandbox = self::sandbox();
    let s3 = s3(&sandbox);
    sandbox.with_world(|world| {
        world.inject(FaultRule::on(Service::S3, "ListObjectsV2", Fault::Throttle).times(1));
        world.inject(FaultRule::on(Service::S3, "GetObject", Fault::Deny));
        world.inject(FaultRule::on(Service::S3, "PutObject", Fault::Conflict).times(1));
    });
    s3.list_objects_v2().bucket(LOGS).send().await.unwrap();
    let denied = s3
        .get_object()
        .bucket(LOGS)
        .key("k")
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert_eq!(denied.meta().code(), Some("AccessDenied"));
    assert!(
        denied
            .meta()
            .message()
            .unwrap()
            .contains("s3:GetObject on resource: \"arn:aws:s3:::bp-logs-123456789012/k\"")
    );
    let put = s3
        .put_object()
        .bucket(LOGS)
        .key("k")
        .if_none_match("*")
        .body(bytes("x"))
        .send()
        .await;
    let conflict = put.unwrap_err().into_service_error();
    assert_eq!(conflict.meta().code(), Some("ConditionalRequestConflict"));
    sandbox.with_world(|world| {
        let errors: Vec<_> = world
            .calls()
            .iter()
            .map(|call| call.error.as_deref().unwrap_or("ok"))
            .collect();
        assert_eq!(
            errors,
            ["SlowDown", "ok", "AccessDenied", "ConditionalRequestConflict"]
        );
    });
}

#[tokio::test]
async fn a_bucket_is_found_from_its_own_region_only_and_there_is_no_other() {
    let sandbox = sandbox();
    let here = s3(&sandbox);
    let names = here.list_buckets().send().await.unwrap();
    let names: Vec<_> = names
        .buckets()
        .iter()
        .filter_map(|bucket| bucket.name())
        .collect();
    assert_eq!(
        names,
        [
            "bp-access-logs-123456789012",
            "bp-logs-123456789012",
            "bp-media-123456789012",
            "bp-models-123456789012"
        ]
    );
    let region = aws_sdk_s3::config::Region::new("eu-west-1");
    let there = aws_sdk_s3::Client::from_conf(here.config().to_builder().region(region).build());
    let moved = there
        .list_objects_v2()
        .bucket(LOGS)
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert_eq!(moved.meta().code(), Some("PermanentRedirect"));
    let none = here
        .list_objects_v2()
        .bucket("bp-none")
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert!(none.is_no_such_bucket());
}
