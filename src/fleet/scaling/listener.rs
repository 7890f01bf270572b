//! Whether anything hears the alarm that takes a fleet to zero.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;

use crate::aws::Aws;
use crate::aws::cloudwatch::Alarm;
use crate::aws::sns::Subscription;

/// Who listens to an alarm's actions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Listener {
    /// Something that can act.
    Present,
    /// Why nothing does.
    Absent(String),
    /// Why it is not known.
    Unknown(String),
}

/// What is known of the topics.
pub(super) type Topics = BTreeMap<String, Listener>;

/// Asks who listens to the topics that `alarms` notify, each topic once.
pub(super) async fn topics(aws: &Aws, alarms: impl Iterator<Item = &Alarm>) -> Topics {
    let topics: BTreeSet<&String> = alarms
        .flat_map(|alarm| &alarm.actions)
        .filter(|action| is_topic(action))
        .collect();
    let asked = topics.into_iter().map(|topic| {
        Box::pin(async move {
            let listener = match aws.subscriptions(topic).await {
                Ok(Some(subscriptions)) => of_topic(topic, &subscriptions),
                Ok(None) => Listener::Absent(format!("there is no topic `{topic}`")),
                Err(error) => Listener::Unknown(error.to_string()),
            };
            (topic.clone(), listener)
        })
    });
    join_all(asked).await.into_iter().collect()
}

fn of_topic(topic: &str, subscriptions: &[Subscription]) -> Listener {
    let acts = |subscription: &&Subscription| {
        // Mail tells people; it sets no capacity.
        subscription.confirmed
            && !subscription.protocol.starts_with("email")
            && subscription.protocol != "sms"
    };
    if subscriptions.iter().any(|subscription| acts(&subscription)) {
        return Listener::Present;
    }
    let name = topic.rsplit(':').next().unwrap_or(topic);
    Listener::Absent(format!("no function listens to the topic `{name}`"))
}

/// Who listens to an alarm: the best of its actions.
pub(super) fn of_alarm(alarm: Option<&Alarm>, topics: &Topics) -> Listener {
    let mut absent = Listener::Present;
    for action in alarm.map(|alarm| alarm.actions.as_slice()).unwrap_or_default() {
        match topics.get(action) {
            // An action that is no topic acts itself.
            Some(Listener::Present) | None => return Listener::Present,
            Some(other) => absent = other.clone(),
        }
    }
    absent
}

/// `arn:<partition>:sns:<region>:<account>:<topic>` (Service Authorization Reference).
fn is_topic(action: &str) -> bool {
    action.split(':').nth(2) == Some("sns")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:bp-scale-to-zero";

    fn listener(subscriptions: &[(&str, bool)]) -> Listener {
        let subscriptions: Vec<Subscription> = subscriptions
            .iter()
            .map(|(protocol, confirmed)| Subscription {
                protocol: (*protocol).to_owned(),
                endpoint: String::new(),
                confirmed: *confirmed,
            })
            .collect();
        of_topic(TOPIC, &subscriptions)
    }

    #[test]
    fn only_what_can_act_listens() {
        assert_eq!(listener(&[("email", true), ("lambda", true)]), Listener::Present);
        let absent = Listener::Absent("no function listens to the topic `bp-scale-to-zero`".to_owned());
        for subscriptions in [&[][..], &[("email", true)], &[("lambda", false)]] {
            assert_eq!(listener(subscriptions), absent, "{subscriptions:?}");
        }
        assert!(is_topic(TOPIC) && !is_topic("arn:aws:lambda:us-east-1:123456789012:function:zero"));
    }
}
