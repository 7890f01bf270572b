//! The AWS SDK for Rust through both transports: every protocol, every fault as the SDK's retries and callers see it.

#![expect(
    clippy::disallowed_methods,
    reason = "these clients are what is under test, not bpctl's"
)]

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, MetricDatum, StateValue, Statistic};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use bpctl_sandbox::transport::{ServeOptions, Server, serve};
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

#[path = "sdk/s3.rs"]
mod s3;

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
async fn query_json_and_cbor_in_process() {
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
