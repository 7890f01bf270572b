//! SNS: who listens to a topic.

use super::Aws;
use super::pages::Pages;
use crate::error::{ErrorKind, Required as _, Result};

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
        let stream = self
            .sns_client()
            .await?
            .list_subscriptions_by_topic()
            .topic_arn(topic)
            .into_paginator()
            .send();
        let mut pages = Pages::new(format!("list the subscriptions of `{topic}`"), stream);
        let mut subscriptions = Vec::new();
        loop {
            let page = match pages.next().await {
                Ok(Some(page)) => page,
                Ok(None) => break,
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            };
            for subscription in &page {
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
