//! What all fleets share: the topic of their queue-empty alarms, and the function that listens to it. In the single
//! layout it is a stack, in the staged one a part of the stack of all fleets.

use serde_json::{Value, json};

use crate::build::{Resource, Template, attribute, own_arn, reference};
use crate::exports;
use crate::iam;
use crate::names::{self, Names};
use crate::settings::Settings;

/// The function. Its text stands in the template, so that a deployment uploads nothing.
const CODE: &str = include_str!("gpu_shared/scale_to_zero.py");

/// The topic by its logical id.
pub(crate) const TOPIC: &str = "ScaleToZeroTopic";

pub(crate) fn template(settings: &Settings) -> Value {
    let mut template = Template::new("Scale to zero of the GPU fleets");
    add(&mut template, settings);
    template.finish()
}

/// Topic and function, with the export of the topic.
pub(crate) fn add(template: &mut Template, settings: &Settings) {
    let names = Names::of(settings);
    let function = format!("ScaleToZeroFn{}", names::digits("ScaleToZeroFn"));
    let groups = format!("autoScalingGroup:*:autoScalingGroupName/{}", names.any_group());
    let topic = json!({ "TopicName": names.core("scale-to-zero") });
    template.add(TOPIC, Resource::new("AWS::SNS::Topic", topic));
    let logs = json!({ "RetentionInDays": 30 });
    template.add("ScaleToZeroLogs", Resource::new("AWS::Logs::LogGroup", logs));
    template.add(
        "ScaleToZeroRole",
        iam::role(
            "lambda.amazonaws.com",
            &[],
            &[
                // Describing groups knows no resources (Service Authorization Reference, "Amazon EC2 Auto Scaling").
                iam::allow(&["autoscaling:DescribeAutoScalingGroups"], json!("*")),
                iam::allow(
                    &["autoscaling:SetDesiredCapacity"],
                    own_arn("autoscaling", &groups),
                ),
                iam::allow(
                    &["logs:CreateLogStream", "logs:PutLogEvents"],
                    attribute("ScaleToZeroLogs", "Arn"),
                ),
            ],
        ),
    );
    template.add(
        &function,
        Resource::new(
            "AWS::Lambda::Function",
            json!({
                "Description": "Takes a GPU fleet to zero when its queue-empty alarm says so",
                "Code": { "ZipFile": CODE },
                "Handler": "index.handler",
                "Runtime": "python3.12",
                "Timeout": 30,
                "Role": attribute("ScaleToZeroRole", "Arn"),
                "LoggingConfig": { "LogGroup": reference("ScaleToZeroLogs") },
            }),
        ),
    );
    template.add(
        "ScaleToZeroPermission",
        Resource::new(
            "AWS::Lambda::Permission",
            json!({
                "Action": "lambda:InvokeFunction",
                "FunctionName": attribute(&function, "Arn"),
                "Principal": "sns.amazonaws.com",
                "SourceArn": reference(TOPIC),
            }),
        ),
    );
    template.add(
        "ScaleToZeroSubscription",
        Resource::new(
            "AWS::SNS::Subscription",
            json!({
                "TopicArn": reference(TOPIC),
                "Protocol": "lambda",
                "Endpoint": attribute(&function, "Arn"),
            }),
        ),
    );
    exports::scale_to_zero_topic(names).put(template);
}
