//! SNS: who listens to a topic.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Aws;
use super::operation::ShowPermit;
use super::pages::Pages;
use crate::change::{Call, Permit, Repeated, parameters};
use crate::error::{CtlError, ErrorKind, Required as _, Result, from_sdk};
use crate::settings::partition;

/// A subscription of a topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

    /// The ARN that a topic of this name has in this account and region.
    ///
    /// # Errors
    /// Without a region, or when nobody says which account this is.
    pub(crate) async fn topic_arn(&self, name: &str) -> Result<String> {
        let region = self
            .region()
            .await?
            .ok_or_else(|| CtlError::config("name a topic: no region is set"))?;
        let account = &self.identity().await?.account;
        let partition = partition(&region).unwrap_or("aws");
        Ok(format!("arn:{partition}:sns:{region}:{account}:{name}"))
    }
}

/// Subscribes an endpoint to a topic. People and web servers have to confirm it before anything is delivered; asking
/// again for a pending one sends the request to confirm again (SNS API Reference, Subscribe).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Subscribe {
    pub(crate) topic: String,
    /// `email` or `https`.
    pub(crate) protocol: String,
    pub(crate) endpoint: String,
}

impl Call for Subscribe {
    const SERVICE: &'static str = "sns";
    const OPERATION: &'static str = "Subscribe";
    /// There is one subscription of an endpoint to a topic, however often it is asked for.
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Aws;
    /// What the topic has of it afterwards.
    type Answer = Option<Subscription>;

    fn parameters(&self) -> Map<String, Value> {
        parameters([
            ("TopicArn", self.topic.as_str().into()),
            ("Protocol", self.protocol.as_str().into()),
            ("Endpoint", self.endpoint.as_str().into()),
        ])
    }

    fn resource(&self) -> String {
        let name = self.topic.rsplit(':').next().unwrap_or(&self.topic);
        format!("sns/{name}")
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<Option<Subscription>> {
        let doing = || format!("subscribe `{}` to `{}`", self.endpoint, self.topic);
        aws.sns_client()
            .await?
            .subscribe()
            .topic_arn(&self.topic)
            .protocol(&self.protocol)
            .endpoint(&self.endpoint)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| from_sdk(doing(), &error))?;
        let found = aws.subscriptions(&self.topic).await?.unwrap_or_default();
        Ok(found.into_iter().find(|one| self.is_for(one)))
    }
}

impl Subscribe {
    /// Whether a subscription of the topic is this one.
    pub(crate) fn is_for(&self, found: &Subscription) -> bool {
        found.protocol == self.protocol && found.endpoint == self.endpoint
    }
}
