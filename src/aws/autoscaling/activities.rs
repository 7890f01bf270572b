//! DescribeScalingActivities.

use std::collections::BTreeMap;

use aws_sdk_autoscaling::types::{Activity as SdkActivity, Filter};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::Aws;
use super::super::convert::time;
use super::super::pages::Pages;
use crate::error::{Required as _, Result, from_sdk};

/// DescribeScalingActivities: at most 100 records per page (Auto Scaling API Reference).
const PAGE: i32 = 100;

/// One line in the diary of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
pub(crate) struct Activity {
    pub(crate) id: String,
    pub(crate) group: String,
    /// E.g. `Successful`, `Failed`, `InProgress`.
    pub(crate) status: String,
    /// E.g. "Launching a new EC2 instance: i-0…".
    pub(crate) description: String,
    pub(crate) cause: String,
    /// Why it failed.
    pub(crate) message: Option<String>,
    pub(crate) started: Option<Timestamp>,
    pub(crate) ended: Option<Timestamp>,
    /// In percent.
    pub(crate) progress: Option<i32>,
    /// Availability zone, where the activity is about one.
    pub(crate) zone: Option<String>,
}

impl Activity {
    /// Whether it adds an instance.
    pub(crate) fn is_launch(&self) -> bool {
        self.description.starts_with("Launching a new EC2 instance")
    }
}

impl Aws {
    /// The activities of one group that began after `since`, the newest first.
    pub(crate) async fn activities_since(&self, group: &str, since: Timestamp) -> Result<Vec<Activity>> {
        let stream = self
            .autoscaling_client()
            .await?
            .describe_scaling_activities()
            .auto_scaling_group_name(group)
            .filters(began_after(since))
            .max_records(PAGE)
            .into_paginator()
            .send();
        let found = Pages::new(format!("read the scaling activities of `{group}`"), stream)
            .all()
            .await?;
        found.iter().map(convert).collect()
    }

    /// The newest activities of one group, the newest first.
    pub(crate) async fn activities(&self, group: &str, most: i32) -> Result<Vec<Activity>> {
        let answer = self
            .autoscaling_client()
            .await?
            .describe_scaling_activities()
            .auto_scaling_group_name(group)
            .max_records(most.clamp(1, PAGE))
            .send()
            .await
            .map_err(|error| from_sdk(format!("read the scaling activities of `{group}`"), &error))?;
        let found = answer
            .activities
            .required("DescribeScalingActivities", "Activities")?;
        found.iter().map(convert).collect()
    }

    /// The newest 100 activities of the whole region, the newest first: one call for any number of groups.
    pub(crate) async fn recent_activities(&self) -> Result<Vec<Activity>> {
        let answer = self
            .autoscaling_client()
            .await?
            .describe_scaling_activities()
            .max_records(PAGE)
            .send()
            .await
            .map_err(|error| from_sdk("read the scaling activities", &error))?;
        let found = answer
            .activities
            .required("DescribeScalingActivities", "Activities")?;
        found.iter().map(convert).collect()
    }

    /// The newest activity since `since` of each of `groups`, from the newest ones of the whole region.
    ///
    /// Reads at most `pages` pages: a group whose last activity is older than the region's newest
    /// `100 * pages` is not among the answers. The bound keeps the call quick: "omitting this property
    /// performs an account-wide operation, which can result in slower or timed-out requests"
    /// (Auto Scaling API Reference, AutoScalingGroupName).
    pub(crate) async fn latest_activities(
        &self,
        groups: &[String],
        since: Timestamp,
        pages: usize,
    ) -> Result<BTreeMap<String, Activity>> {
        let stream = self
            .autoscaling_client()
            .await?
            .describe_scaling_activities()
            .filters(began_after(since))
            .max_records(PAGE)
            .into_paginator()
            .send();
        let mut read = Pages::new("read the scaling activities", stream);
        let mut latest = BTreeMap::new();
        for _ in 0..pages {
            let Some(page) = read.next().await? else { break };
            for activity in &page {
                let activity = convert(activity)?;
                if groups.contains(&activity.group) {
                    latest.entry(activity.group.clone()).or_insert(activity);
                }
            }
            if latest.len() == groups.len() {
                break;
            }
        }
        Ok(latest)
    }
}

fn began_after(since: Timestamp) -> Filter {
    Filter::builder()
        .name("StartTimeLowerBound")
        .values(since.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
        .build()
}

fn convert(activity: &SdkActivity) -> Result<Activity> {
    const REQUEST: &str = "DescribeScalingActivities";
    Ok(Activity {
        id: activity.activity_id().required(REQUEST, "ActivityId")?.to_owned(),
        group: activity
            .auto_scaling_group_name()
            .required(REQUEST, "AutoScalingGroupName")?
            .to_owned(),
        status: activity
            .status_code()
            .required(REQUEST, "StatusCode")?
            .as_str()
            .to_owned(),
        description: activity.description().unwrap_or_default().to_owned(),
        cause: activity.cause().unwrap_or_default().to_owned(),
        message: activity.status_message().map(str::to_owned),
        started: time(activity.start_time()),
        ended: time(activity.end_time()),
        progress: activity.progress(),
        zone: activity.details().and_then(zone_of),
    })
}

/// `{"Subnet ID":"subnet-…","Availability Zone":"us-east-1a"}`.
fn zone_of(details: &str) -> Option<String> {
    let details: serde_json::Value = serde_json::from_str(details).ok()?;
    details["Availability Zone"].as_str().map(str::to_owned)
}
