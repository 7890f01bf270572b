//! SNS: who listens to a topic.

use super::Aws;
use crate::error::{ErrorKind, Required as _, Result, from_sdk};

/// A subscription of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Subscription {
    /// `lambda`, `email`, …
    pub(crate) protocol: String,
    pub(crate) endpoint: String,
    /// Nothing is delivered before it is confirmed.
    pub(crate) confirmed: bool,
}

impl Aws {
    /// Every subscription of a topic; `None` when there is no such topic.
    pub(crate) async fn subscriptions(&self, topic: &str) -> Result<Option<Vec<Subscription>>> {
        const REQUEST: &str = "ListSubscriptionsByTopic";
        let mut pages = self
            .sns_client()
            .await?
            .list_subscriptions_by_topic()
            .topic_arn(topic)
            .into_paginator()
            .send();
        let mut subscriptions = Vec::new();
        while let Some(page) = pages.next().await {
            let page = match page {
                Ok(page) => page,
                Err(error) => {
                    let error = from_sdk(format!("list the subscriptions of `{topic}`"), &error);
                    return match error.kind() {
                        ErrorKind::NotFound => Ok(None),
                        _ => Err(error),
                    };
                }
            };
            for subscription in page.subscriptions() {
                subscriptions.push(Subscription {
                    protocol: subscription.protocol().required(REQUEST, "Protocol")?.to_owned(),
                    endpoint: subscription.endpoint().unwrap_or_default().to_owned(),
                    // `PendingConfirmation` or `Deleted` otherwise (SNS API Reference).
                    confirmed: subscription
                        .subscription_arn()
                        .is_some_and(|arn| arn.starts_with("arn:")),
                });
            }
        }
        Ok(Some(subscriptions))
    }
}
