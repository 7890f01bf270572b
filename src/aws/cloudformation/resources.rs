//! The resources of a stack.

use jiff::Timestamp;

use super::super::Aws;
use super::super::convert::time;
use super::super::pages::Pages;
use crate::error::{Required as _, Result};

/// A resource of a stack as ListStackResources tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StackResource {
    /// Its name in the template.
    pub(crate) logical: String,
    /// Its name or id in the account; absent before it is made.
    pub(crate) physical: Option<String>,
    /// E.g. `AWS::ECS::Service`.
    pub(crate) kind: String,
    /// E.g. `UPDATE_COMPLETE`.
    pub(crate) status: String,
    pub(crate) reason: Option<String>,
    pub(crate) updated: Option<Timestamp>,
}

impl Aws {
    /// Every resource of a stack.
    pub(crate) async fn stack_resources(&self, stack: &str) -> Result<Vec<StackResource>> {
        const REQUEST: &str = "ListStackResources";
        let stream = self
            .cloudformation_client()
            .await?
            .list_stack_resources()
            .stack_name(stack)
            .into_paginator()
            .send();
        let found = Pages::new(format!("list the resources of stack `{stack}`"), stream)
            .all()
            .await?;
        found
            .iter()
            .map(|resource| {
                Ok(StackResource {
                    logical: resource
                        .logical_resource_id()
                        .required(REQUEST, "LogicalResourceId")?
                        .to_owned(),
                    physical: resource.physical_resource_id().map(str::to_owned),
                    kind: resource.resource_type().unwrap_or_default().to_owned(),
                    status: resource
                        .resource_status()
                        .required(REQUEST, "ResourceStatus")?
                        .as_str()
                        .to_owned(),
                    reason: resource.resource_status_reason().map(str::to_owned),
                    updated: time(resource.last_updated_timestamp()),
                })
            })
            .collect()
    }
}
