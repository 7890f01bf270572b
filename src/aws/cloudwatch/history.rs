//! DescribeAlarmHistory: when alarms changed their states.

use aws_sdk_cloudwatch::types::{AlarmHistoryItem, HistoryItemType, ScanBy};
use jiff::Timestamp;

use super::super::Aws;
use super::super::convert::{date_time, time};
use super::super::pages::Pages;
use crate::error::{Required as _, Result};

const REQUEST: &str = "DescribeAlarmHistory";

/// DescribeAlarmHistory: at most 100 records per page (CloudWatch API Reference).
const PAGE: i32 = 100;

/// An alarm that changed its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StateChange {
    pub(crate) alarm: String,
    pub(crate) at: Timestamp,
    /// E.g. `Alarm updated from OK to ALARM`.
    pub(crate) summary: String,
}

impl Aws {
    /// The state changes of an alarm since then, the newest first; none of one that is not there. CloudWatch keeps 30 days.
    pub(crate) async fn alarm_changes_since(
        &self,
        alarm: &str,
        since: Timestamp,
    ) -> Result<Vec<StateChange>> {
        let stream = self
            .cloudwatch_client()
            .await?
            .describe_alarm_history()
            .alarm_name(alarm)
            .history_item_type(HistoryItemType::StateUpdate)
            .start_date(date_time(since))
            .scan_by(ScanBy::TimestampDescending)
            .max_records(PAGE)
            .into_paginator()
            .send();
        let found = Pages::new(format!("read the history of alarm {alarm}"), stream)
            .all()
            .await?;
        found.iter().map(convert).collect()
    }
}

fn convert(item: &AlarmHistoryItem) -> Result<StateChange> {
    Ok(StateChange {
        alarm: item.alarm_name().required(REQUEST, "AlarmName")?.to_owned(),
        at: time(item.timestamp()).required(REQUEST, "Timestamp")?,
        summary: item.history_summary().unwrap_or_default().to_owned(),
    })
}
