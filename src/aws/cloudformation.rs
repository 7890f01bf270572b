//! CloudFormation stacks: state, parameters and outputs.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::types::Stack as SdkStack;
use jiff::Timestamp;
use serde::Serialize;

use super::Aws;
use super::convert::time;
use crate::error::{ErrorKind, Required as _, Result, from_sdk};

/// A stack as DescribeStacks tells it. Deleted stacks are not among them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Stack {
    pub(crate) name: String,
    /// E.g. `UPDATE_COMPLETE` or `UPDATE_ROLLBACK_COMPLETE`.
    pub(crate) status: String,
    pub(crate) status_reason: Option<String>,
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) outputs: BTreeMap<String, String>,
    pub(crate) created: Option<Timestamp>,
    pub(crate) updated: Option<Timestamp>,
}

impl Aws {
    /// Every stack of the region.
    pub(crate) async fn stacks(&self) -> Result<Vec<Stack>> {
        let mut pages = self
            .cloudformation_client()
            .await?
            .describe_stacks()
            .into_paginator()
            .send();
        let mut stacks = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| from_sdk("list the stacks", &error))?;
            for stack in page.stacks() {
                stacks.push(convert(stack)?);
            }
        }
        Ok(stacks)
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
            Ok(answer) => answer.stacks().first().map(convert).transpose(),
            Err(error) => {
                let error = from_sdk(format!("describe stack `{name}`"), &error);
                // CloudFormation has no code of its own for this: it is a ValidationError with this sentence.
                let absent = error.kind() == ErrorKind::Rejected
                    && error
                        .causes()
                        .iter()
                        .any(|cause| cause.contains("does not exist"));
                if absent { Ok(None) } else { Err(error) }
            }
        }
    }
}

fn convert(stack: &SdkStack) -> Result<Stack> {
    const REQUEST: &str = "DescribeStacks";
    let pair = |key: Option<&str>, value: Option<&str>| Some((key?.to_owned(), value?.to_owned()));
    Ok(Stack {
        name: stack.stack_name().required(REQUEST, "StackName")?.to_owned(),
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
        created: time(stack.creation_time()),
        updated: time(stack.last_updated_time()),
    })
}
