//! Simple Notification Service: topics, their subscriptions, and the function that listens to one.

use std::collections::BTreeMap;

use fleet_templates::scale_to_zero::{QueueEmptyAlarm, Reaction, react};
use serde_json::{Value, json};

use super::autoscaling;
use super::cloudwatch::AlarmMessage;
use super::logs;
use super::paging::page;
use crate::error::{ApiError, OpResult};
use crate::service::Service;
use crate::service::table::operations;
use crate::world::World;

/// Topics and subscriptions on one page.
const A_PAGE: usize = 100;

/// Topics by ARN.
#[derive(Debug, Default)]
pub(crate) struct State {
    topics: BTreeMap<String, Topic>,
}

#[derive(Debug)]
struct Topic {
    display_name: String,
    subscriptions: Vec<Subscription>,
    /// Subscriptions that were taken away, as `GetTopicAttributes` counts them.
    deleted: usize,
}

#[derive(Debug)]
struct Subscription {
    arn: String,
    protocol: String,
    endpoint: String,
    confirmed: bool,
}

operations! {
    Read GetTopicAttributes => get_topic_attributes,
    Read ListSubscriptionsByTopic => list_subscriptions_by_topic,
    Read ListTopics => list_topics,
    Write Subscribe => subscribe,
    Write Unsubscribe => unsubscribe,
}

/// The ARN that a topic of this name has or would have.
pub(crate) fn topic_arn(world: &World, name: &str) -> String {
    format!(
        "arn:aws:sns:{}:{}:{name}",
        world.options.region, world.options.account_id
    )
}

/// Creates the topic; an existing one stays as it is.
pub(crate) fn create_topic(world: &mut World, name: &str) -> String {
    let arn = topic_arn(world, name);
    world
        .services
        .sns
        .topics
        .entry(arn.clone())
        .or_insert_with(|| Topic {
            display_name: String::new(),
            subscriptions: Vec::new(),
            deleted: 0,
        });
    arn
}

/// Whether there is a topic with this ARN.
pub(crate) fn has_topic(world: &World, arn: &str) -> bool {
    world.services.sns.topics.contains_key(arn)
}

/// Takes a topic away with its subscriptions.
pub(crate) fn delete_topic(world: &mut World, arn: &str) {
    world.services.sns.topics.remove(arn);
}

/// Subscribes an endpoint that has confirmed already.
pub(crate) fn add_subscription(world: &mut World, topic_arn: &str, protocol: &str, endpoint: &str) {
    let arn = format!("{topic_arn}:{}", world.ids.uuid());
    if let Some(topic) = world.services.sns.topics.get_mut(topic_arn)
        && !topic.has(protocol, endpoint)
    {
        topic.subscriptions.push(Subscription {
            arn,
            protocol: protocol.to_owned(),
            endpoint: endpoint.to_owned(),
            confirmed: true,
        });
    }
}

/// Takes away every subscription of a protocol.
pub(crate) fn drop_subscriptions(world: &mut World, topic_arn: &str, protocol: &str) {
    if let Some(topic) = world.services.sns.topics.get_mut(topic_arn) {
        let before = topic.subscriptions.len();
        topic.subscriptions.retain(|s| s.protocol != protocol);
        topic.deleted += before - topic.subscriptions.len();
    }
}

/// Delivers an alarm's message to the topic's subscribers. Mail leaves the account; a function runs.
pub(crate) fn publish(world: &mut World, topic_arn: &str, message: &AlarmMessage) {
    let functions: Vec<String> = world
        .services
        .sns
        .topics
        .get(topic_arn)
        .into_iter()
        .flat_map(|topic| &topic.subscriptions)
        .filter(|s| s.protocol == "lambda" && s.confirmed)
        .filter_map(|s| s.endpoint.split_once(":function:"))
        .map(|(_, function)| function.to_owned())
        .filter(|function| *function == world.services.facts.zero_function)
        .collect();
    for function in functions {
        let line = scale_to_zero(world, message);
        let day = world.now.iso8601()[..10].replace('-', "/");
        let stream = format!("{day}/[$LATEST]{function}");
        logs::append(world, &format!("/aws/lambda/{function}"), &stream, &line);
    }
}

/// The platform's scale-to-zero function; returns what it writes into its log.
fn scale_to_zero(world: &mut World, message: &AlarmMessage) -> String {
    let Some(fleet) = QueueEmptyAlarm::parse(&message.alarm) else {
        return format!("ignoring {}", message.alarm);
    };
    let group = fleet.group_name();
    let Some(desired) = autoscaling::desired_capacity(world, &group) else {
        return format!("[ERROR] no Auto Scaling group {group}");
    };
    match react(message.state, desired) {
        Reaction::NotAlarming => format!("{} is {}, nothing to do", message.alarm, message.state),
        Reaction::AlreadyZero => format!("{group} is at zero already"),
        Reaction::SetToZero => {
            let input = json!({ "AutoScalingGroupName": group, "DesiredCapacity": 0 });
            match world.call(Service::AutoScaling, "SetDesiredCapacity", &input) {
                Ok(_) => format!("{group}: {desired} -> 0, because {}", message.reason),
                Err(error) => format!("[ERROR] {group}: {}: {}", error.code, error.message),
            }
        }
    }
}

impl Topic {
    fn has(&self, protocol: &str, endpoint: &str) -> bool {
        self.subscriptions
            .iter()
            .any(|s| s.protocol == protocol && s.endpoint == endpoint)
    }
}

fn not_found() -> ApiError {
    ApiError::client("NotFound", "Topic does not exist").with_status(404)
}

fn invalid(what: &str) -> ApiError {
    ApiError::client("InvalidParameter", format!("Invalid parameter: {what}"))
}

fn topic<'a>(world: &'a mut World, input: &Value) -> Result<(String, &'a mut Topic), ApiError> {
    let arn = input["TopicArn"].as_str().unwrap_or_default();
    if arn.split(':').count() != 6 || !arn.starts_with("arn:") {
        return Err(invalid("TopicArn"));
    }
    match world.services.sns.topics.get_mut(arn) {
        Some(topic) => Ok((arn.to_owned(), topic)),
        None => Err(not_found()),
    }
}

fn paged(name: &str, items: Vec<Value>, input: &Value) -> OpResult {
    let (items, next) = page(items, input["NextToken"].as_str(), A_PAGE).map_err(|_| invalid("NextToken"))?;
    let mut output = json!({ name: items });
    if let Some(next) = next {
        output["NextToken"] = json!(next);
    }
    Ok(output)
}

fn list_topics(world: &mut World, input: &Value) -> OpResult {
    let topics = world
        .services
        .sns
        .topics
        .keys()
        .map(|arn| json!({ "TopicArn": arn }))
        .collect();
    paged("Topics", topics, input)
}

fn list_subscriptions_by_topic(world: &mut World, input: &Value) -> OpResult {
    let owner = world.options.account_id.clone();
    let (topic_arn, topic) = topic(world, input)?;
    let subscriptions = topic
        .subscriptions
        .iter()
        .map(|s| {
            json!({
                "SubscriptionArn": if s.confirmed { s.arn.as_str() } else { "PendingConfirmation" },
                "Owner": owner,
                "Protocol": s.protocol,
                "Endpoint": s.endpoint,
                "TopicArn": topic_arn,
            })
        })
        .collect();
    paged("Subscriptions", subscriptions, input)
}

fn get_topic_attributes(world: &mut World, input: &Value) -> OpResult {
    let owner = world.options.account_id.clone();
    let (arn, topic) = topic(world, input)?;
    let count = |confirmed| {
        topic
            .subscriptions
            .iter()
            .filter(|s| s.confirmed == confirmed)
            .count()
            .to_string()
    };
    Ok(json!({
        "Attributes": {
            "TopicArn": arn,
            "Owner": owner,
            "DisplayName": topic.display_name,
            "SubscriptionsConfirmed": count(true),
            "SubscriptionsPending": count(false),
            "SubscriptionsDeleted": topic.deleted.to_string(),
        }
    }))
}

fn subscribe(world: &mut World, input: &Value) -> OpResult {
    let protocol = input["Protocol"].as_str().unwrap_or_default();
    let endpoint = input["Endpoint"].as_str().unwrap_or_default();
    const PROTOCOLS: [&str; 8] = [
        "http",
        "https",
        "email",
        "email-json",
        "sms",
        "sqs",
        "application",
        "lambda",
    ];
    if !PROTOCOLS.contains(&protocol) {
        return Err(invalid("Protocol"));
    }
    let plausible = match protocol {
        "lambda" | "sqs" | "application" => endpoint.starts_with("arn:"),
        "email" | "email-json" => endpoint.contains('@'),
        "http" | "https" => endpoint.starts_with(&format!("{protocol}://")),
        _ => !endpoint.is_empty(),
    };
    if !plausible {
        return Err(invalid("Endpoint"));
    }
    let uuid = world.ids.uuid();
    let (topic_arn, topic) = topic(world, input)?;
    // Functions and queues confirm by their permission, people by answering a mail.
    let confirmed = matches!(protocol, "lambda" | "sqs" | "application" | "sms");
    if !topic.has(protocol, endpoint) {
        topic.subscriptions.push(Subscription {
            arn: format!("{topic_arn}:{uuid}"),
            protocol: protocol.to_owned(),
            endpoint: endpoint.to_owned(),
            confirmed,
        });
    }
    let shown = topic
        .subscriptions
        .iter()
        .find(|s| s.protocol == protocol && s.endpoint == endpoint)
        .map(|s| {
            if s.confirmed || input["ReturnSubscriptionArn"].as_bool() == Some(true) {
                s.arn.clone()
            } else {
                "pending confirmation".to_owned()
            }
        });
    Ok(json!({ "SubscriptionArn": shown }))
}

fn unsubscribe(world: &mut World, input: &Value) -> OpResult {
    let arn = input["SubscriptionArn"].as_str().unwrap_or_default();
    let Some((topic_arn, _)) = arn.rsplit_once(':').filter(|_| arn.split(':').count() == 7) else {
        return Err(invalid("SubscriptionArn"));
    };
    // A subscription that is gone already is no error.
    if let Some(topic) = world.services.sns.topics.get_mut(topic_arn) {
        let before = topic.subscriptions.len();
        topic.subscriptions.retain(|s| s.arn != arn);
        topic.deleted += before - topic.subscriptions.len();
    }
    Ok(json!({}))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;

    fn call(world: &mut World, operation: &str, input: Value) -> Value {
        world.call(Service::Sns, operation, &input).unwrap()
    }

    #[test]
    fn a_mail_address_waits_for_its_owner_and_a_function_does_not() {
        let mut world = World::new(Options::default());
        let topic = create_topic(&mut world, "t");
        let mail = json!({"TopicArn": topic, "Protocol": "email", "Endpoint": "ops@example.com"});
        assert_eq!(
            call(&mut world, "Subscribe", mail)["SubscriptionArn"],
            "pending confirmation"
        );
        let endpoint = "arn:aws:lambda:us-east-1:123456789012:function:f";
        let function = json!({"TopicArn": topic, "Protocol": "lambda", "Endpoint": endpoint});
        let arn = call(&mut world, "Subscribe", function.clone())["SubscriptionArn"].clone();
        assert_eq!(call(&mut world, "Subscribe", function)["SubscriptionArn"], arn);
        let attributes = call(&mut world, "GetTopicAttributes", json!({"TopicArn": topic}));
        assert_eq!(attributes["Attributes"]["SubscriptionsPending"], "1");
        assert_eq!(attributes["Attributes"]["SubscriptionsConfirmed"], "1");
        call(&mut world, "Unsubscribe", json!({"SubscriptionArn": arn}));
        let list = call(&mut world, "ListSubscriptionsByTopic", json!({"TopicArn": topic}));
        assert_eq!(list["Subscriptions"].as_array().unwrap().len(), 1);
        assert_eq!(list["Subscriptions"][0]["SubscriptionArn"], "PendingConfirmation");
    }

    #[test]
    fn a_topic_that_does_not_exist_is_not_found() {
        let mut world = World::new(Options::default());
        let input = json!({"TopicArn": "arn:aws:sns:us-east-1:123456789012:none"});
        let error = world
            .call(Service::Sns, "GetTopicAttributes", &input)
            .unwrap_err();
        assert_eq!((error.code.as_str(), error.status), ("NotFound", 404));
    }
}
