//! GPU fleets: groups, pointers, metrics, alarms and stacks.

use aws_sdk_autoscaling::types::{
    CustomizedMetricSpecification, LaunchTemplateSpecification, MetricDimension, MetricStatistic,
    Tag as GroupTag, TargetTrackingConfiguration,
};
use aws_sdk_cloudwatch::types::{ComparisonOperator, Dimension, MetricDatum, Statistic};
use aws_sdk_ssm::types::ParameterType;
use serde_json::json;

use crate::platform::{Layout, Platform, client};

/// One fleet of the production stage (in the staged layout: of the staging system).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fleet {
    pub(crate) slug: &'static str,
    pub(crate) desired: i32,
    /// Absent: it is not published.
    pub(crate) queue: Option<f64>,
}

/// What the pointers of every fleet say.
pub(crate) const AMI: &str = "ami-0123456789abcdef0";
pub(crate) const BUNDLE: &str = "2026-11-20-base";

impl Fleet {
    fn stage(platform: &Platform) -> &'static str {
        match platform.layout {
            Layout::Single => "production",
            Layout::Staged => "staging",
        }
    }

    /// As bpctl writes it.
    pub(crate) fn name(self, platform: &Platform) -> String {
        format!("{}/{}", Self::stage(platform), self.slug)
    }

    pub(crate) fn group(self, platform: &Platform) -> String {
        format!("asg-{}-{}", Self::stage(platform), self.slug)
    }

    fn alarm(self, platform: &Platform) -> String {
        format!("{}-{}-queue-empty", Self::stage(platform), self.slug)
    }

    /// Name, value and data type of its parameters.
    fn parameters(self, platform: &Platform) -> Vec<(String, String, &'static str)> {
        let (stage, slug) = (Self::stage(platform), self.slug);
        match platform.layout {
            Layout::Single => vec![
                (
                    format!("/bp/ami/fleets/{stage}/{slug}"),
                    AMI.to_owned(),
                    "aws:ec2:image",
                ),
                (
                    format!("/bp/fleets/{stage}/{slug}/active_bundle"),
                    format!("bundles/{BUNDLE}"),
                    "text",
                ),
                (
                    format!("/bp/fleets/{stage}/{slug}/desired_config"),
                    json!({"template_slug": "gpu-default", "instance_type": "g5.xlarge"}).to_string(),
                    "text",
                ),
            ],
            Layout::Staged => vec![
                (format!("/bp/ami/{slug}"), AMI.to_owned(), "aws:ec2:image"),
                (
                    format!("/bp/{stage}/assets/{slug}/active_bundle"),
                    BUNDLE.to_owned(),
                    "text",
                ),
            ],
        }
    }

    fn dimensions(self, platform: &Platform) -> Vec<Dimension> {
        let dimension = |name: &str, value: &str| Dimension::builder().name(name).value(value).build();
        match platform.layout {
            Layout::Single => vec![
                dimension("FleetSlug", self.slug),
                dimension("Stage", Self::stage(platform)),
            ],
            Layout::Staged => vec![dimension("WorkflowSlug", self.slug)],
        }
    }
}

/// Puts `fleets` in place, each with everything that belongs to it.
pub(crate) async fn fleets(platform: &Platform, fleets: &[Fleet]) {
    for fleet in fleets {
        group(platform, *fleet).await;
        pointers(platform, *fleet).await;
        work(platform, *fleet).await;
        stack(platform, *fleet).await;
    }
}

async fn group(platform: &Platform, fleet: Fleet) {
    // ministack loses a mixed instances policy: a plain launch template is what it can give back.
    let template = LaunchTemplateSpecification::builder()
        .launch_template_name(format!("lt-{}-{}", Fleet::stage(platform), fleet.slug))
        .version("$Latest");
    let tag = GroupTag::builder()
        .key("FleetSlug")
        .value(fleet.slug)
        .propagate_at_launch(true);
    client!(aws_sdk_autoscaling, platform)
        .create_auto_scaling_group()
        .auto_scaling_group_name(fleet.group(platform))
        .min_size(0)
        .max_size(10)
        .desired_capacity(fleet.desired)
        .launch_template(template.build())
        .tags(tag.build())
        .availability_zones("us-east-1a")
        .send()
        .await
        .expect("an Auto Scaling group");
}

async fn pointers(platform: &Platform, fleet: Fleet) {
    let ssm = client!(aws_sdk_ssm, platform);
    for (name, value, data_type) in fleet.parameters(platform) {
        ssm.put_parameter()
            .name(name)
            .value(value)
            .data_type(data_type)
            .r#type(ParameterType::String)
            .send()
            .await
            .expect("a parameter");
    }
}

/// The queue, and the alarm that takes an idle fleet to zero.
async fn work(platform: &Platform, fleet: Fleet) {
    let client = client!(aws_sdk_cloudwatch, platform);
    let alarm = client
        .put_metric_alarm()
        .alarm_name(fleet.alarm(platform))
        .namespace("ComfyUI/Workers")
        .metric_name("QueueDepth")
        .set_dimensions(Some(fleet.dimensions(platform)))
        .statistic(Statistic::Maximum)
        .period(60)
        .evaluation_periods(15)
        .datapoints_to_alarm(15)
        .comparison_operator(ComparisonOperator::LessThanOrEqualToThreshold)
        .threshold(0.0)
        .treat_missing_data("breaching");
    alarm.send().await.expect("an alarm");
    let Some(queue) = fleet.queue else { return };
    let workers = f64::from(fleet.desired);
    for (metric, value) in [
        ("QueueDepth", queue),
        ("ActiveWorkers", workers),
        ("AvailableCapacity", if queue > 0.0 { 0.0 } else { workers }),
    ] {
        let datum = MetricDatum::builder()
            .metric_name(metric)
            .value(value)
            .set_dimensions(Some(fleet.dimensions(platform)));
        client
            .put_metric_data()
            .namespace("ComfyUI/Workers")
            .metric_data(datum.build())
            .send()
            .await
            .expect("a data point");
    }
}

/// A target tracking policy on the backlog; the emulator makes its alarms.
pub(crate) async fn backlog_tracking(platform: &Platform, fleet: Fleet) {
    let dimensions = fleet.dimensions(platform).into_iter().map(|dimension| {
        MetricDimension::builder()
            .name(dimension.name().unwrap_or_default())
            .value(dimension.value().unwrap_or_default())
            .build()
    });
    let metric = CustomizedMetricSpecification::builder()
        .namespace("ComfyUI/Workers")
        .metric_name("BacklogPerInstance")
        .set_dimensions(Some(dimensions.collect()))
        .statistic(MetricStatistic::Average)
        .build();
    let tracking = TargetTrackingConfiguration::builder()
        .customized_metric_specification(metric)
        .target_value(2.0)
        .build();
    client!(aws_sdk_autoscaling, platform)
        .put_scaling_policy()
        .auto_scaling_group_name(fleet.group(platform))
        .policy_name("backlog-tracking")
        .policy_type("TargetTrackingScaling")
        .target_tracking_configuration(tracking)
        .send()
        .await
        .expect("a scaling policy");
}

async fn stack(platform: &Platform, fleet: Fleet) {
    let name = match platform.layout {
        Layout::Single => format!("bp-gpu-fleet-{}-{}", Fleet::stage(platform), fleet.slug),
        // One stack holds all fleets of the stage; the first one brings it.
        Layout::Staged => format!("bp-{}-gpu", Fleet::stage(platform)),
    };
    let client = client!(aws_sdk_cloudformation, platform);
    if client.describe_stacks().stack_name(&name).send().await.is_err() {
        super::application::stack(platform, &name, "AsgName", &fleet.group(platform)).await;
    }
}
