//! For how long log groups keep their events.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::super::Aws;
use super::super::operation::ShowPermit;
use super::super::pages::Pages;
use crate::change::{Call, Loss, Permit, Repeated, parameters};
use crate::error::{Result, from_sdk};

/// For how long a log group keeps its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    Days(i32),
    /// Until somebody deletes them: a group that nobody has given a number of days.
    Always,
}

impl Aws {
    /// For how long the group of exactly this name keeps its events; `None` when there is no such group.
    pub(crate) async fn log_retention(&self, name: &str) -> Result<Option<Kept>> {
        let stream = self
            .logs_client()
            .await?
            .describe_log_groups()
            .log_group_name_prefix(name)
            .into_paginator()
            .send();
        // Names that go on behind it come after it: the first page has it, if it is there.
        let first = Pages::new(format!("look for log group {name}"), stream)
            .next()
            .await?;
        let groups = first.unwrap_or_default();
        let group = groups.iter().find(|group| group.log_group_name() == Some(name));
        Ok(group.map(|group| group.retention_in_days().map_or(Kept::Always, Kept::Days)))
    }
}

/// Sets for how many days a group keeps its events. What is older goes within three days (CloudWatch Logs User Guide,
/// "Change log data retention in CloudWatch Logs").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PutRetentionPolicy {
    pub(crate) group: String,
    pub(crate) days: i32,
    /// The events that go with it, if any.
    pub(crate) loses: Option<Loss>,
}

impl Call for PutRetentionPolicy {
    const SERVICE: &'static str = "logs";
    const OPERATION: &'static str = "PutRetentionPolicy";
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Aws;
    /// For how long the group keeps its events afterwards.
    type Answer = Option<Kept>;

    fn parameters(&self) -> Map<String, Value> {
        parameters([
            ("logGroupName", self.group.as_str().into()),
            ("retentionInDays", self.days.into()),
        ])
    }

    fn resource(&self) -> String {
        format!("logs{}", self.group)
    }

    fn loses(&self) -> Option<Loss> {
        self.loses.clone()
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<Option<Kept>> {
        aws.logs_client()
            .await?
            .put_retention_policy()
            .log_group_name(&self.group)
            .retention_in_days(self.days)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| from_sdk(format!("set the retention of log group {}", self.group), &error))?;
        aws.log_retention(&self.group).await
    }
}
