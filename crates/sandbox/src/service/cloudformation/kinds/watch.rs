//! Alarms, logs and topics.

use fleet_scaling::alarm::{AlarmRule, Comparison, MissingData};
use serde_json::{Value, json};

use super::read::{count, name, number, pairs, required, text};
use super::{Kind, Made, PLAIN, Refusal, Request};
use crate::service::Service;
use crate::service::autoscaling;
use crate::service::cloudwatch::{self, AlarmSpec, Statistic};
use crate::service::{logs, sns};
use crate::world::World;

pub(super) const KINDS: &[Kind] = &[
    Kind {
        name: "AWS::CloudWatch::Alarm",
        fixed: &["AlarmName"],
        named: Some("AlarmName"),
        attributes: &["Arn"],
        create: create_alarm,
        update: |world, physical, _, request| put_alarm(world, physical.to_owned(), request.properties),
        delete: |world, resource| {
            autoscaling::disconnect(world, &resource.physical);
            cloudwatch::delete_alarm(world, &resource.physical);
            Ok(true)
        },
        attribute: |world, resource, _| Some(json!(alarm_arn(world, &resource.physical))),
        ..PLAIN
    },
    Kind {
        name: "AWS::CloudWatch::Dashboard",
        fixed: &["DashboardName"],
        named: Some("DashboardName"),
        tagged: false,
        create: |world, request| {
            let name = name(world, request, "DashboardName");
            put_dashboard(world, &name, request.properties)?;
            Ok(name)
        },
        update: |world, physical, _, request| put_dashboard(world, physical, request.properties),
        delete: |world, resource| {
            cloudwatch::delete_dashboard(world, &resource.physical);
            Ok(true)
        },
        ..PLAIN
    },
    Kind {
        name: "AWS::Logs::LogGroup",
        fixed: &["LogGroupName"],
        named: Some("LogGroupName"),
        attributes: &["Arn"],
        seconds: 2,
        create: |world, request| {
            let name = name(world, request, "LogGroupName");
            let days = count(request.properties, "RetentionInDays").unwrap_or(0);
            match logs::has_group(world, &name) {
                true => Err(Refusal::exists("AWS::Logs::LogGroup", "LogGroupName", &name)),
                false => {
                    logs::create_group(world, &name, days);
                    Ok(name)
                }
            }
        },
        update: |world, physical, _, request| {
            let days = count(request.properties, "RetentionInDays").unwrap_or(0);
            match logs::retain(world, physical, days) {
                true => Ok(()),
                false => Err(Refusal::new(
                    "NotFound",
                    "The specified log group does not exist.",
                )),
            }
        },
        delete: |world, resource| {
            logs::delete_group(world, &resource.physical);
            Ok(true)
        },
        attribute: |world, resource, _| {
            let options = &world.options;
            Some(json!(format!(
                "arn:aws:logs:{}:{}:log-group:{}:*",
                options.region, options.account_id, resource.physical
            )))
        },
        ..PLAIN
    },
    Kind {
        name: "AWS::Logs::MetricFilter",
        fixed: &["FilterName", "LogGroupName"],
        tagged: false,
        ..PLAIN
    },
    Kind {
        name: "AWS::SNS::Topic",
        fixed: &["ContentBasedDeduplication", "FifoTopic", "TopicName"],
        named: Some("TopicName"),
        attributes: &["TopicArn", "TopicName"],
        seconds: 11,
        create: |world, request| {
            let name = name(world, request, "TopicName");
            let arn = sns::topic_arn(world, &name);
            if sns::has_topic(world, &arn) {
                return Err(Refusal::exists("AWS::SNS::Topic", "TopicArn", &arn));
            }
            sns::create_topic(world, &name);
            for one in request.properties["Subscription"]
                .as_array()
                .into_iter()
                .flatten()
            {
                subscribe(world, &arn, one)?;
            }
            Ok(arn)
        },
        delete: |world, resource| {
            sns::delete_topic(world, &resource.physical);
            Ok(true)
        },
        attribute: |_, resource, attribute| {
            let arn = resource.physical.as_str();
            Some(json!(match attribute {
                "TopicName" => arn.rsplit(':').next().unwrap_or(arn),
                _ => arn,
            }))
        },
        ..PLAIN
    },
    Kind {
        name: "AWS::SNS::Subscription",
        fixed: &["Endpoint", "Protocol", "TopicArn"],
        attributes: &["Arn"],
        tagged: false,
        create: |world, request| {
            let topic = required(request.properties, "TopicArn")?;
            subscribe(world, &topic, request.properties)
        },
        delete: |world, resource| {
            let input = json!({ "SubscriptionArn": resource.physical });
            match world.call(Service::Sns, "Unsubscribe", &input) {
                Ok(_) => Ok(true),
                Err(error) => Err(Refusal::of(world, "Sns", &error)),
            }
        },
        attribute: |_, resource, _| Some(json!(resource.physical)),
        ..PLAIN
    },
    Kind {
        name: "AWS::SNS::TopicPolicy",
        tagged: false,
        ..PLAIN
    },
];

fn subscribe(world: &mut World, topic: &str, properties: &Value) -> Made {
    let input = json!({
        "TopicArn": topic,
        "Protocol": text(properties, "Protocol"),
        "Endpoint": text(properties, "Endpoint"),
        "ReturnSubscriptionArn": true,
    });
    match world.call(Service::Sns, "Subscribe", &input) {
        Ok(answer) => Ok(answer["SubscriptionArn"].as_str().unwrap_or_default().to_owned()),
        Err(error) => Err(Refusal::of(world, "Sns", &error)),
    }
}

pub(super) fn alarm_arn(world: &World, name: &str) -> String {
    format!(
        "arn:aws:cloudwatch:{}:{}:alarm:{name}",
        world.options.region, world.options.account_id
    )
}

fn put_dashboard(world: &mut World, name: &str, properties: &Value) -> Result<(), Refusal> {
    let body = required(properties, "DashboardBody")?;
    cloudwatch::put_dashboard(world, name, &body);
    Ok(())
}

fn create_alarm(world: &mut World, request: &Request<'_>) -> Made {
    let name = name(world, request, "AlarmName");
    if cloudwatch::alarm(world, &name).is_some() {
        return Err(Refusal::exists("AWS::CloudWatch::Alarm", "AlarmName", &name));
    }
    put_alarm(world, name.clone(), request.properties)?;
    Ok(name)
}

fn put_alarm(world: &mut World, name: String, properties: &Value) -> Result<(), Refusal> {
    if properties.get("Metrics").is_some() {
        return Err(Refusal::invalid(
            "The sandbox evaluates alarms on one metric; metric math of an alarm is not simulated.",
        ));
    }
    let comparison: Comparison = required(properties, "ComparisonOperator")?
        .parse()
        .map_err(|_| Refusal::invalid("Value at 'comparisonOperator' failed to satisfy constraint"))?;
    let missing_data: MissingData = text(properties, "TreatMissingData")
        .unwrap_or_else(|| "missing".to_owned())
        .parse()
        .map_err(|_| Refusal::invalid("Value at 'treatMissingData' failed to satisfy constraint"))?;
    let statistic = text(properties, "Statistic").or_else(|| text(properties, "ExtendedStatistic"));
    let statistic = statistic.and_then(|name| Statistic::parse(&name));
    let periods = count(properties, "EvaluationPeriods").unwrap_or(1) as usize;
    let actions = |member: &str| -> Vec<String> {
        let actions = properties[member].as_array().into_iter().flatten();
        let actions = actions.filter_map(|action| action.as_str().map(str::to_owned));
        actions.collect()
    };
    let spec = AlarmSpec {
        description: text(properties, "AlarmDescription"),
        namespace: required(properties, "Namespace")?,
        metric: required(properties, "MetricName")?,
        dimensions: pairs(&properties["Dimensions"], "Name", "Value"),
        statistic: statistic.ok_or_else(|| {
            Refusal::invalid("Exactly one of statistic and extendedStatistic must be specified")
        })?,
        period: i64::from(count(properties, "Period").unwrap_or(60)),
        rule: AlarmRule {
            comparison,
            threshold: number(properties, "Threshold").unwrap_or_default(),
            evaluation_periods: periods,
            datapoints_to_alarm: count(properties, "DatapointsToAlarm")
                .map_or(periods, |points| points as usize),
            missing_data,
        },
        alarm_actions: actions("AlarmActions"),
        ok_actions: actions("OKActions"),
        insufficient_data_actions: actions("InsufficientDataActions"),
        actions_enabled: properties["ActionsEnabled"] != false && properties["ActionsEnabled"] != "false",
        unit: text(properties, "Unit"),
        name: name.clone(),
    };
    autoscaling::disconnect(world, &name);
    let arn = alarm_arn(world, &name);
    for policy in &spec.alarm_actions {
        autoscaling::connect(world, policy, &name, &arn);
    }
    cloudwatch::put_alarm(world, spec);
    Ok(())
}
