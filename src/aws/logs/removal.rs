//! How log groups go.

use aws_sdk_cloudwatchlogs::error::SdkError;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::super::Aws;
use super::super::operation::ShowPermit;
use crate::change::{Call, Loss, Permit, Repeated, parameters};
use crate::error::{Result, from_sdk};

/// Deletes a log group with all of its events. One that is not there stays so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeleteLogGroup {
    pub(crate) group: String,
}

impl Call for DeleteLogGroup {
    const SERVICE: &'static str = "logs";
    const OPERATION: &'static str = "DeleteLogGroup";
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Aws;
    type Answer = ();

    fn parameters(&self) -> Map<String, Value> {
        parameters([("logGroupName", self.group.as_str().into())])
    }

    fn resource(&self) -> String {
        format!("logs{}", self.group)
    }

    fn loses(&self) -> Option<Loss> {
        Some(Loss::Data(format!("all events of log group {}", self.group)))
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<()> {
        let answer = aws
            .logs_client()
            .await?
            .delete_log_group()
            .log_group_name(&self.group)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await;
        match answer {
            Ok(_) => Ok(()),
            Err(SdkError::ServiceError(error)) if error.err().is_resource_not_found_exception() => Ok(()),
            Err(error) => Err(from_sdk(format!("delete log group {}", self.group), &error)),
        }
    }
}
