//! CloudFormation stacks: state, parameters, outputs, events, resources and drift.

mod change_sets;
mod drift;
mod imports;
mod last;
mod resources;
mod rollback;

use std::collections::BTreeMap;

use aws_sdk_cloudformation::types::{Stack as SdkStack, StackEvent as SdkEvent, StackStatus};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Aws;
use super::convert::time;
use super::pages::Pages;
use crate::error::{CtlError, Required as _, Result, from_sdk};

pub(crate) use change_sets::{
    ChangeSet, CreateChangeSet, DeleteChangeSet, DeleteStack, ExecuteChangeSet, INLINE_TEMPLATE, SetChange,
    SetTerminationProtection, TemplateSource,
};
pub(crate) use drift::{Detection, Drifted};
pub(crate) use imports::{CreateImportSet, Import};
pub(crate) use last::{failures_of_last_operation, last_operation};
pub(crate) use resources::StackResource;
pub(crate) use rollback::ContinueUpdateRollback;

/// Every state of a stack that is there ("Stack status codes", CloudFormation User Guide): all but
/// `DELETE_COMPLETE`, in which ListStacks tells of it for 90 days more.
const PRESENT: &[StackStatus] = &[
    StackStatus::CreateInProgress,
    StackStatus::CreateFailed,
    StackStatus::CreateComplete,
    StackStatus::RollbackInProgress,
    StackStatus::RollbackFailed,
    StackStatus::RollbackComplete,
    StackStatus::DeleteInProgress,
    StackStatus::DeleteFailed,
    StackStatus::UpdateInProgress,
    StackStatus::UpdateCompleteCleanupInProgress,
    StackStatus::UpdateComplete,
    StackStatus::UpdateFailed,
    StackStatus::UpdateRollbackInProgress,
    StackStatus::UpdateRollbackFailed,
    StackStatus::UpdateRollbackCompleteCleanupInProgress,
    StackStatus::UpdateRollbackComplete,
    StackStatus::ReviewInProgress,
    StackStatus::ImportInProgress,
    StackStatus::ImportComplete,
    StackStatus::ImportRollbackInProgress,
    StackStatus::ImportRollbackFailed,
    StackStatus::ImportRollbackComplete,
];

/// A stack as DescribeStacks tells it. Deleted stacks are not among them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Stack {
    pub(crate) name: String,
    /// Its ARN: the only name that a deleted stack is known by.
    #[serde(skip)]
    pub(crate) id: String,
    /// E.g. `UPDATE_COMPLETE` or `UPDATE_ROLLBACK_COMPLETE`.
    pub(crate) status: String,
    pub(crate) status_reason: Option<String>,
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) outputs: BTreeMap<String, String>,
    /// Values by the names under which other stacks import them.
    #[serde(skip)]
    pub(crate) exports: BTreeMap<String, String>,
    /// The names under which other stacks import outputs, by the keys of the outputs.
    #[serde(skip)]
    pub(crate) exported_as: BTreeMap<String, String>,
    #[serde(skip)]
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) created: Option<Timestamp>,
    pub(crate) updated: Option<Timestamp>,
    /// `IN_SYNC`, `DRIFTED`, `NOT_CHECKED` or `UNKNOWN`, as the last detection found.
    #[serde(skip)]
    pub(crate) drift: Option<String>,
    #[serde(skip)]
    pub(crate) drift_checked: Option<Timestamp>,
    /// Whether it cannot be deleted before that is turned off.
    #[serde(skip)]
    pub(crate) termination_protection: Option<bool>,
}

/// A stack as ListStacks tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StackSummary {
    pub(crate) name: String,
    pub(crate) status: String,
    pub(crate) status_reason: Option<String>,
    pub(crate) updated: Option<Timestamp>,
}

impl StackSummary {
    /// Whether the last operation succeeded and has ended.
    pub(crate) fn is_settled(&self) -> bool {
        matches!(
            self.status.as_str(),
            "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "IMPORT_COMPLETE"
        )
    }
}

/// Something that happened to a stack or to one of its resources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StackEvent {
    /// Tells an event from every other one.
    pub(crate) id: String,
    pub(crate) at: Option<Timestamp>,
    /// Logical id; that of the stack itself is its name.
    pub(crate) resource: String,
    /// E.g. `AWS::ECS::Service`.
    pub(crate) kind: String,
    /// E.g. `CREATE_FAILED`.
    pub(crate) status: String,
    pub(crate) reason: Option<String>,
    /// That of the request which began the operation.
    pub(crate) token: Option<String>,
}

impl StackEvent {
    /// Whether it happened to the stack itself, not to one of its resources.
    pub(crate) fn is_of_stack(&self, stack: &str) -> bool {
        self.kind == "AWS::CloudFormation::Stack" && self.resource == stack
    }
}

impl Aws {
    /// Name and state of every stack of the region.
    pub(crate) async fn stack_summaries(&self) -> Result<Vec<StackSummary>> {
        const REQUEST: &str = "ListStacks";
        let stream = self
            .cloudformation_client()
            .await?
            .list_stacks()
            .set_stack_status_filter(Some(PRESENT.to_vec()))
            .into_paginator()
            .send();
        let mut stacks = Vec::new();
        let mut pages = Pages::new("list the stacks", stream);
        while let Some(page) = pages.next().await? {
            for stack in &page {
                stacks.push(StackSummary {
                    name: stack.stack_name().required(REQUEST, "StackName")?.to_owned(),
                    status: stack
                        .stack_status()
                        .required(REQUEST, "StackStatus")?
                        .as_str()
                        .to_owned(),
                    status_reason: stack.stack_status_reason().map(str::to_owned),
                    updated: time(stack.last_updated_time().or(stack.creation_time())),
                });
            }
        }
        Ok(stacks)
    }

    /// When the last stack of this name was deleted; ListStacks knows it for 90 days.
    pub(crate) async fn last_deletion_of(&self, name: &str) -> Result<Option<Timestamp>> {
        let stream = self
            .cloudformation_client()
            .await?
            .list_stacks()
            .stack_status_filter(StackStatus::DeleteComplete)
            .into_paginator()
            .send();
        let mut pages = Pages::new("list the stacks that were deleted", stream);
        let mut last = None;
        while let Some(page) = pages.next().await? {
            let of_name = page.iter().filter(|stack| stack.stack_name() == Some(name));
            last = last.max(of_name.filter_map(|stack| time(stack.deletion_time())).max());
        }
        Ok(last)
    }

    /// The newest events of a stack (one page, about 100), the newest first.
    pub(crate) async fn stack_events(&self, name: &str) -> Result<Vec<StackEvent>> {
        const REQUEST: &str = "DescribeStackEvents";
        let answer = self
            .cloudformation_client()
            .await?
            .describe_stack_events()
            .stack_name(name)
            .send()
            .await
            .map_err(|error| from_sdk(format!("read the events of stack `{name}`"), &error))?;
        let events = answer.stack_events.required(REQUEST, "StackEvents")?;
        events.iter().map(event).collect()
    }

    /// The events of a stack since `since`, the newest first; one page of about a hundred after the other.
    pub(crate) async fn stack_events_since(&self, name: &str, since: Timestamp) -> Result<Vec<StackEvent>> {
        let client = self.cloudformation_client().await?;
        let stream = client
            .describe_stack_events()
            .stack_name(name)
            .into_paginator()
            .send();
        let mut events = Vec::new();
        let mut pages = Pages::new(format!("read the events of stack `{name}`"), stream);
        while let Some(page) = pages.next().await? {
            for seen in &page {
                let seen = event(seen)?;
                if seen.at.is_some_and(|at| at < since) {
                    return Ok(events);
                }
                events.push(seen);
            }
        }
        Ok(events)
    }

    /// Every stack of the region.
    pub(crate) async fn stacks(&self) -> Result<Vec<Stack>> {
        let stream = self
            .cloudformation_client()
            .await?
            .describe_stacks()
            .into_paginator()
            .send();
        let found = Pages::new("list the stacks", stream).all().await?;
        found.iter().map(convert).collect()
    }

    /// The template of a stack as it was deployed; `None` when there is no stack of this name.
    pub(crate) async fn template(&self, stack: &str) -> Result<Option<String>> {
        let answer = self
            .cloudformation_client()
            .await?
            .get_template()
            .stack_name(stack)
            .send()
            .await;
        match answer {
            Ok(answer) => Ok(answer.template_body().map(str::to_owned)),
            Err(error) => {
                let error = from_sdk(format!("read the template of stack `{stack}`"), &error);
                if is_absent(&error) { Ok(None) } else { Err(error) }
            }
        }
    }

    /// Names of the stacks that import what is exported under this name.
    pub(crate) async fn importers(&self, export: &str) -> Result<Vec<String>> {
        let what = format!("list the stacks that import `{export}`");
        let client = self.cloudformation_client().await?;
        let stream = client.list_imports().export_name(export).into_paginator().send();
        match Pages::new(&what, stream).all().await {
            Ok(stacks) => Ok(stacks),
            // "Export '…' is not imported by any stack." is a ValidationError, and no list.
            Err(error)
                if error
                    .reply()
                    .is_some_and(|reply| reply.message.contains("is not imported")) =>
            {
                Ok(Vec::new())
            }
            Err(error) => Err(error),
        }
    }

    /// One stack; `None` when there is none of this name.
    pub(crate) async fn stack(&self, name: &str) -> Result<Option<Stack>> {
        let answer = self
            .cloudformation_client()
            .await?
            .describe_stacks()
            .stack_name(name)
            .send()
            .await;
        match answer {
            Ok(answer) => {
                let stacks = answer.stacks.required("DescribeStacks", "Stacks")?;
                stacks.first().map(convert).transpose()
            }
            Err(error) => {
                let error = from_sdk(format!("describe stack `{name}`"), &error);
                if is_absent(&error) { Ok(None) } else { Err(error) }
            }
        }
    }
}

/// CloudFormation has no code of its own for this: it is a ValidationError with this sentence.
fn is_absent(error: &CtlError) -> bool {
    error
        .reply()
        .is_some_and(|reply| reply.is("ValidationError") && reply.message.ends_with("does not exist"))
}

fn event(event: &SdkEvent) -> Result<StackEvent> {
    const REQUEST: &str = "DescribeStackEvents";
    Ok(StackEvent {
        id: event.event_id().required(REQUEST, "EventId")?.to_owned(),
        at: time(event.timestamp()),
        resource: event.logical_resource_id().unwrap_or_default().to_owned(),
        kind: event.resource_type().unwrap_or_default().to_owned(),
        status: event
            .resource_status()
            .required(REQUEST, "ResourceStatus")?
            .as_str()
            .to_owned(),
        reason: event.resource_status_reason().map(str::to_owned),
        token: event.client_request_token().map(str::to_owned),
    })
}

fn convert(stack: &SdkStack) -> Result<Stack> {
    const REQUEST: &str = "DescribeStacks";
    let pair = |key: Option<&str>, value: Option<&str>| Some((key?.to_owned(), value?.to_owned()));
    Ok(Stack {
        name: stack.stack_name().required(REQUEST, "StackName")?.to_owned(),
        id: stack.stack_id().required(REQUEST, "StackId")?.to_owned(),
        status: stack
            .stack_status()
            .required(REQUEST, "StackStatus")?
            .as_str()
            .to_owned(),
        status_reason: stack.stack_status_reason().map(str::to_owned),
        parameters: stack
            .parameters()
            .iter()
            .filter_map(|parameter| pair(parameter.parameter_key(), parameter.parameter_value()))
            .collect(),
        outputs: stack
            .outputs()
            .iter()
            .filter_map(|output| pair(output.output_key(), output.output_value()))
            .collect(),
        exports: stack
            .outputs()
            .iter()
            .filter_map(|output| pair(output.export_name(), output.output_value()))
            .collect(),
        tags: stack
            .tags()
            .iter()
            .filter_map(|tag| pair(tag.key(), tag.value()))
            .collect(),
        exported_as: stack
            .outputs()
            .iter()
            .filter_map(|output| pair(output.output_key(), output.export_name()))
            .collect(),
        created: time(stack.creation_time()),
        updated: time(stack.last_updated_time()),
        drift: stack
            .drift_information()
            .and_then(|drift| drift.stack_drift_status())
            .map(|status| status.as_str().to_owned()),
        drift_checked: time(
            stack
                .drift_information()
                .and_then(|drift| drift.last_check_timestamp()),
        ),
        termination_protection: stack.enable_termination_protection(),
    })
}
