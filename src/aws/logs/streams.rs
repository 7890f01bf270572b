//! DescribeLogStreams.

use aws_sdk_cloudwatchlogs::error::SdkError;
use aws_sdk_cloudwatchlogs::types::OrderBy;

use crate::aws::Aws;
use crate::aws::pages::Pages;
use crate::error::{Required as _, Result, from_sdk};

impl Aws {
    /// The names of the streams of a group that begin with `prefix`.
    pub(crate) async fn log_streams(&self, group: &str, prefix: &str) -> Result<Vec<String>> {
        let pages = self
            .logs_client()
            .await?
            .describe_log_streams()
            .log_group_name(group)
            .log_stream_name_prefix(prefix)
            .into_paginator()
            .send();
        let streams = Pages::new(format!("list the log streams of {group}"), pages)
            .all()
            .await?;
        Ok(streams
            .into_iter()
            .filter_map(|stream| stream.log_stream_name)
            .collect())
    }

    /// The names of the fifty streams of a group that were written to last, newest first; none without the group.
    pub(crate) async fn newest_log_streams(&self, group: &str) -> Result<Vec<String>> {
        let answer = self
            .logs_client()
            .await?
            .describe_log_streams()
            .log_group_name(group)
            .order_by(OrderBy::LastEventTime)
            .descending(true)
            .send()
            .await;
        match answer {
            Ok(answer) => Ok(answer
                .log_streams
                .required("DescribeLogStreams", "logStreams")?
                .into_iter()
                .filter_map(|stream| stream.log_stream_name)
                .collect()),
            Err(SdkError::ServiceError(error)) if error.err().is_resource_not_found_exception() => {
                Ok(Vec::new())
            }
            Err(error) => Err(from_sdk(format!("list the log streams of {group}"), &error)),
        }
    }
}
