//! Run Command: shell scripts on instances.

use std::collections::BTreeMap;

use aws_sdk_ssm::operation::get_command_invocation::GetCommandInvocationError;
use aws_sdk_ssm::types::{
    CloudWatchOutputConfig, CommandFilter, CommandFilterKey, InstanceInformationStringFilter, PingStatus,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::super::Aws;
use super::super::convert::time;
use super::super::once::UnlessUnknown;
use super::super::operation::ShowPermit;
use super::super::pages::Pages;
use crate::change::{Call, Later, Permit, Repeated, parameters};
use crate::error::{CtlError, ErrorKind, Required as _, Result, from_sdk};

/// The document that runs a shell script.
const DOCUMENT: &str = "AWS-RunShellScript";

/// Where the output of the document's commands goes unless told otherwise (AWS Systems Manager User Guide, "Configuring
/// Amazon CloudWatch Logs for Run Command").
pub(crate) const LOG_GROUP: &str = "/aws/ssm/AWS-RunShellScript";

/// How long an instance may take to begin, in seconds; an agent that is online begins within a few.
const DELIVERY: i32 = 600;

/// The log stream of a command's output; `what` is `stdout` or `stderr`.
pub(crate) fn output_stream(command: &str, instance: &str, what: &str) -> String {
    format!("{command}/{instance}/aws-runShellScript/{what}")
}

/// How far a command is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Not begun, or running.
    UnderWay,
    Succeeded,
    /// It failed, was cancelled or took too long.
    Ended,
}

/// A command on one instance.
#[derive(Clone, Debug)]
pub(crate) struct Invocation {
    pub(crate) command: String,
    pub(crate) instance: String,
    pub(crate) comment: String,
    pub(crate) progress: Progress,
    /// In the words of Systems Manager, e.g. `InProgress` or `ExecutionTimedOut`.
    pub(crate) status: String,
    /// Of the script; `None` until it has ended by itself.
    pub(crate) exit_code: Option<i32>,
    /// Empty until it has ended; 24,000 characters at most.
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) requested: Option<Timestamp>,
}

impl Invocation {
    /// One that Systems Manager does not show yet.
    pub(crate) fn just_sent(command: &str, instance: &str, comment: &str) -> Self {
        Self {
            command: command.to_owned(),
            instance: instance.to_owned(),
            comment: comment.to_owned(),
            progress: Progress::UnderWay,
            status: "Pending".to_owned(),
            exit_code: None,
            stdout: String::new(),
            stderr: String::new(),
            requested: None,
        }
    }
}

fn progress(status: &str) -> Progress {
    match status {
        "Success" => Progress::Succeeded,
        "Pending" | "InProgress" | "Delayed" | "Cancelling" => Progress::UnderWay,
        _ => Progress::Ended,
    }
}

/// Runs a shell script as root on one instance. There is no token that would recognise a second request: the caller
/// looks for the first one by its comment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SendCommand {
    pub(crate) instance: Later,
    /// Tells the command from others, at most 100 characters.
    pub(crate) comment: String,
    pub(crate) lines: Vec<String>,
    /// Seconds that the script may take.
    pub(crate) limit: u64,
    /// What is changed, for locks, e.g. `instance/i-…`.
    pub(crate) resource: String,
}

impl Call for SendCommand {
    const SERVICE: &'static str = "ssm";
    const OPERATION: &'static str = "SendCommand";
    const REPEATED: Repeated = Repeated::Twice;
    type Via = Aws;
    /// The id of the command.
    type Answer = String;

    fn parameters(&self) -> Map<String, Value> {
        parameters([
            ("DocumentName", DOCUMENT.into()),
            ("InstanceIds", json!([self.instance.parameter()])),
            ("Comment", self.comment.as_str().into()),
            ("TimeoutSeconds", DELIVERY.into()),
            (
                "Parameters",
                json!({"commands": self.lines, "executionTimeout": [self.limit.to_string()]}),
            ),
            (
                "CloudWatchOutputConfig",
                json!({"CloudWatchLogGroupName": LOG_GROUP, "CloudWatchOutputEnabled": true}),
            ),
        ])
    }

    fn resource(&self) -> String {
        self.resource.clone()
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<String> {
        let instance = self.instance.known()?;
        let output = CloudWatchOutputConfig::builder()
            .cloud_watch_log_group_name(LOG_GROUP)
            .cloud_watch_output_enabled(true)
            .build();
        let answer = aws
            .ssm_client()
            .await?
            .send_command()
            .document_name(DOCUMENT)
            .instance_ids(instance)
            .comment(&self.comment)
            .timeout_seconds(DELIVERY)
            .parameters("commands", self.lines.clone())
            .parameters("executionTimeout", vec![self.limit.to_string()])
            .cloud_watch_output_config(output)
            .customize()
            .config_override(aws_sdk_ssm::config::Builder::new().retry_classifier(UnlessUnknown))
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| from_sdk(format!("send the command to {instance}"), &error))?;
        let id = answer.command().and_then(|command| command.command_id());
        Ok(id.required(Self::OPERATION, "CommandId")?.to_owned())
    }
}

impl Aws {
    /// A command on an instance; `None` while Systems Manager does not show it yet, or when there is none.
    pub(crate) async fn invocation(&self, command: &str, instance: &str) -> Result<Option<Invocation>> {
        const REQUEST: &str = "GetCommandInvocation";
        let answer = self
            .ssm_client()
            .await?
            .get_command_invocation()
            .command_id(command)
            .instance_id(instance)
            .send()
            .await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(GetCommandInvocationError::is_invocation_does_not_exist) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(from_sdk(format!("look at command {command}"), &error)),
        };
        let status = answer.status().required(REQUEST, "Status")?.as_str().to_owned();
        let details = answer.status_details().filter(|details| !details.is_empty());
        Ok(Some(Invocation {
            command: command.to_owned(),
            instance: instance.to_owned(),
            comment: answer.comment().unwrap_or_default().to_owned(),
            progress: progress(&status),
            exit_code: (answer.response_code() >= 0).then(|| answer.response_code()),
            stdout: answer.standard_output_content().unwrap_or_default().to_owned(),
            stderr: answer.standard_error_content().unwrap_or_default().to_owned(),
            requested: answer
                .execution_start_date_time()
                .and_then(|time| time.parse().ok()),
            status: details.map_or(status, str::to_owned),
        }))
    }

    /// The shell scripts on an instance that have not ended, the newest first.
    pub(crate) async fn scripts_under_way(&self, instance: &str) -> Result<Vec<Invocation>> {
        let doing = || format!("list the commands on {instance}");
        let filter = CommandFilter::builder()
            .key(CommandFilterKey::DocumentName)
            .value(DOCUMENT)
            .build()
            .map_err(|error| CtlError::new(ErrorKind::Unexpected, doing()).source(&error))?;
        let stream = self
            .ssm_client()
            .await?
            .list_command_invocations()
            .instance_id(instance)
            .filters(filter)
            .max_results(50)
            .into_paginator()
            .send();
        const REQUEST: &str = "ListCommandInvocations";
        let mut pages = Pages::new(doing(), stream);
        let mut found = Vec::new();
        // The newest are on the first page; what is older than a page of 50 has ended long ago.
        for invocation in pages.next().await?.unwrap_or_default() {
            let status = invocation
                .status()
                .required(REQUEST, "Status")?
                .as_str()
                .to_owned();
            if progress(&status) == Progress::UnderWay {
                found.push(Invocation {
                    command: invocation.command_id().required(REQUEST, "CommandId")?.to_owned(),
                    instance: instance.to_owned(),
                    comment: invocation.comment().unwrap_or_default().to_owned(),
                    progress: Progress::UnderWay,
                    status,
                    exit_code: None,
                    stdout: String::new(),
                    stderr: String::new(),
                    requested: time(invocation.requested_date_time()),
                });
            }
        }
        found.sort_by_key(|invocation| std::cmp::Reverse(invocation.requested));
        Ok(found)
    }

    /// Whether Systems Manager reaches an instance; `None` when it does not know it at all.
    pub(crate) async fn is_reached(&self, instance: &str) -> Result<Option<bool>> {
        let doing = || format!("ask Systems Manager for {instance}");
        let filter = InstanceInformationStringFilter::builder()
            .key("InstanceIds")
            .values(instance)
            .build()
            .map_err(|error| CtlError::new(ErrorKind::Unexpected, doing()).source(&error))?;
        let answer = self
            .ssm_client()
            .await?
            .describe_instance_information()
            .filters(filter)
            .send()
            .await
            .map_err(|error| from_sdk(doing(), &error))?;
        let found = answer.instance_information_list().first();
        Ok(found.map(|information| information.ping_status() == Some(&PingStatus::Online)))
    }

    /// For each of these instances that Systems Manager knows: whether it reaches it. Fifty a call.
    pub(crate) async fn reached(&self, instances: &[String]) -> Result<BTreeMap<String, bool>> {
        const REQUEST: &str = "DescribeInstanceInformation";
        const DOING: &str = "ask Systems Manager for instances";
        let client = self.ssm_client().await?;
        let mut reached = BTreeMap::new();
        // MaxResults: "Maximum value of 50" (Systems Manager API Reference); so many fit on a page.
        for batch in instances.chunks(50) {
            let filter = InstanceInformationStringFilter::builder()
                .key("InstanceIds")
                .set_values(Some(batch.to_vec()))
                .build()
                .map_err(|error| CtlError::new(ErrorKind::Unexpected, DOING).source(&error))?;
            let answer = client
                .describe_instance_information()
                .filters(filter)
                .max_results(50)
                .send()
                .await
                .map_err(|error| from_sdk(DOING, &error))?;
            for information in answer.instance_information_list() {
                let id = information
                    .instance_id()
                    .required(REQUEST, "InstanceId")?
                    .to_owned();
                reached.insert(id, information.ping_status() == Some(&PingStatus::Online));
            }
        }
        Ok(reached)
    }
}
