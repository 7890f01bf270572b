//! Change sets: what CloudFormation would do to a stack, and doing it (CloudFormation User Guide, "Update stacks using
//! change sets").

use aws_sdk_cloudformation::types::{Capability, ChangeSetType, Tag};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::super::Aws;
use super::super::operation::ShowPermit;
use super::super::pages::Pages;
use super::is_absent;
use crate::change::{Call, Loss, Permit, Repeated, parameters};
use crate::error::{Required as _, Result, from_sdk};

/// Bytes of a template that a request can carry; a longer one is read from S3 (CloudFormation User Guide, "Understand
/// CloudFormation quotas").
pub(crate) const INLINE_TEMPLATE: usize = 51_200;

/// Where CloudFormation gets a template from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum TemplateSource {
    /// At most [`INLINE_TEMPLATE`] bytes.
    Body(String),
    /// `https://…` of an object in S3.
    Url(String),
}

/// Asks CloudFormation what a template would change. Changes no resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CreateChangeSet {
    pub(crate) stack: String,
    pub(crate) name: String,
    /// Whether the stack is new.
    pub(crate) creates: bool,
    pub(crate) template: TemplateSource,
    pub(crate) tags: Vec<(String, String)>,
    /// The role that CloudFormation works with; `None`: the one of the stack, or the caller's.
    pub(crate) role: Option<String>,
    pub(crate) token: String,
}

/// What every stack of the platform needs: its templates make IAM roles, some with names.
pub(super) const CAPABILITIES: [Capability; 3] = [
    Capability::CapabilityIam,
    Capability::CapabilityNamedIam,
    Capability::CapabilityAutoExpand,
];

impl CreateChangeSet {
    fn kind(&self) -> ChangeSetType {
        if self.creates {
            ChangeSetType::Create
        } else {
            ChangeSetType::Update
        }
    }
}

impl Call for CreateChangeSet {
    const SERVICE: &'static str = "cloudformation";
    const OPERATION: &'static str = "CreateChangeSet";
    const REPEATED: Repeated = Repeated::Recognised;
    const VOLATILE: &'static [&'static str] = &["ChangeSetName", "ClientToken"];
    type Via = Aws;
    /// The ARN of the change set.
    type Answer = String;

    fn parameters(&self) -> Map<String, Value> {
        let mut members = parameters([
            ("StackName", self.stack.as_str().into()),
            ("ChangeSetName", self.name.as_str().into()),
            ("ChangeSetType", self.kind().as_str().into()),
        ]);
        let (name, value) = match &self.template {
            TemplateSource::Body(body) => ("TemplateBody", body),
            TemplateSource::Url(url) => ("TemplateURL", url),
        };
        members.insert(name.to_owned(), value.as_str().into());
        let capabilities = CAPABILITIES.iter().map(Capability::as_str);
        members.insert("Capabilities".to_owned(), capabilities.collect::<Vec<_>>().into());
        if !self.tags.is_empty() {
            let tags = self.tags.iter();
            let tags = tags.map(|(key, value)| serde_json::json!({ "Key": key, "Value": value }));
            members.insert("Tags".to_owned(), tags.collect());
        }
        if let Some(role) = &self.role {
            members.insert("RoleARN".to_owned(), role.as_str().into());
        }
        members.insert("ClientToken".to_owned(), self.token.as_str().into());
        members
    }

    fn resource(&self) -> String {
        resource(&self.stack)
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<String> {
        let request = aws
            .cloudformation_client()
            .await?
            .create_change_set()
            .stack_name(&self.stack)
            .change_set_name(&self.name)
            .change_set_type(self.kind())
            .set_capabilities(Some(CAPABILITIES.to_vec()))
            .set_role_arn(self.role.clone())
            .client_token(&self.token);
        let request = match &self.template {
            TemplateSource::Body(body) => request.template_body(body),
            TemplateSource::Url(url) => request.template_url(url),
        };
        let tags = self
            .tags
            .iter()
            .map(|(key, value)| Tag::builder().key(key).value(value).build());
        let tags: Vec<Tag> = tags.collect();
        let answer = request
            .set_tags((!tags.is_empty()).then_some(tags))
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| from_sdk(format!("make a change set of stack `{}`", self.stack), &error))?;
        answer.id.required(Self::OPERATION, "Id")
    }
}

/// Begins what a change set says. The stack's other change sets are gone with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ExecuteChangeSet {
    pub(crate) stack: String,
    pub(crate) name: String,
    /// Carried by every event of the operation (API reference, StackEvent).
    pub(crate) token: String,
    /// What the operation destroys.
    pub(crate) loses: Option<Loss>,
}

impl Call for ExecuteChangeSet {
    const SERVICE: &'static str = "cloudformation";
    const OPERATION: &'static str = "ExecuteChangeSet";
    const REPEATED: Repeated = Repeated::Recognised;
    const VOLATILE: &'static [&'static str] = &["ChangeSetName", "ClientRequestToken"];
    type Via = Aws;
    type Answer = ();

    fn parameters(&self) -> Map<String, Value> {
        parameters([
            ("StackName", self.stack.as_str().into()),
            ("ChangeSetName", self.name.as_str().into()),
            ("ClientRequestToken", self.token.as_str().into()),
        ])
    }

    fn resource(&self) -> String {
        resource(&self.stack)
    }

    fn loses(&self) -> Option<Loss> {
        self.loses.clone()
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<()> {
        aws.cloudformation_client()
            .await?
            .execute_change_set()
            .stack_name(&self.stack)
            .change_set_name(&self.name)
            .client_request_token(&self.token)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| {
                from_sdk(
                    format!("carry out the change set of stack `{}`", self.stack),
                    &error,
                )
            })?;
        Ok(())
    }
}

/// Takes back a change set that was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeleteChangeSet {
    pub(crate) stack: String,
    pub(crate) name: String,
}

impl Call for DeleteChangeSet {
    const SERVICE: &'static str = "cloudformation";
    const OPERATION: &'static str = "DeleteChangeSet";
    const REPEATED: Repeated = Repeated::Harmless;
    const VOLATILE: &'static [&'static str] = &["ChangeSetName"];
    type Via = Aws;
    type Answer = ();

    fn parameters(&self) -> Map<String, Value> {
        parameters([
            ("StackName", self.stack.as_str().into()),
            ("ChangeSetName", self.name.as_str().into()),
        ])
    }

    fn resource(&self) -> String {
        resource(&self.stack)
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<()> {
        aws.cloudformation_client()
            .await?
            .delete_change_set()
            .stack_name(&self.stack)
            .change_set_name(&self.name)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| {
                from_sdk(
                    format!("take the change set of stack `{}` back", self.stack),
                    &error,
                )
            })?;
        Ok(())
    }
}

/// Deletes a stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeleteStack {
    pub(crate) stack: String,
    /// Resources that stay in the account; only for a stack whose deletion has failed (API reference, DeleteStack).
    pub(crate) retain: Vec<String>,
    pub(crate) token: String,
    pub(crate) loses: Option<Loss>,
}

impl Call for DeleteStack {
    const SERVICE: &'static str = "cloudformation";
    const OPERATION: &'static str = "DeleteStack";
    const REPEATED: Repeated = Repeated::Recognised;
    const VOLATILE: &'static [&'static str] = &["ClientRequestToken"];
    type Via = Aws;
    type Answer = ();

    fn parameters(&self) -> Map<String, Value> {
        let mut members = parameters([("StackName", self.stack.as_str().into())]);
        if !self.retain.is_empty() {
            members.insert("RetainResources".to_owned(), self.retain.clone().into());
        }
        members.insert("ClientRequestToken".to_owned(), self.token.as_str().into());
        members
    }

    fn resource(&self) -> String {
        resource(&self.stack)
    }

    fn loses(&self) -> Option<Loss> {
        self.loses.clone()
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<()> {
        aws.cloudformation_client()
            .await?
            .delete_stack()
            .stack_name(&self.stack)
            .set_retain_resources((!self.retain.is_empty()).then(|| self.retain.clone()))
            .client_request_token(&self.token)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| from_sdk(format!("delete stack `{}`", self.stack), &error))?;
        Ok(())
    }
}

/// Sets or takes off termination protection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SetTerminationProtection {
    pub(crate) stack: String,
    pub(crate) enabled: bool,
}

impl Call for SetTerminationProtection {
    const SERVICE: &'static str = "cloudformation";
    const OPERATION: &'static str = "UpdateTerminationProtection";
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Aws;
    type Answer = ();

    fn parameters(&self) -> Map<String, Value> {
        parameters([
            ("StackName", self.stack.as_str().into()),
            ("EnableTerminationProtection", self.enabled.into()),
        ])
    }

    fn resource(&self) -> String {
        resource(&self.stack)
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<()> {
        aws.cloudformation_client()
            .await?
            .update_termination_protection()
            .stack_name(&self.stack)
            .enable_termination_protection(self.enabled)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| {
                from_sdk(
                    format!("set the termination protection of stack `{}`", self.stack),
                    &error,
                )
            })?;
        Ok(())
    }
}

fn resource(stack: &str) -> String {
    format!("stack/{stack}")
}

/// A change set as DescribeChangeSet tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChangeSet {
    /// `CREATE_PENDING`, `CREATE_IN_PROGRESS`, `CREATE_COMPLETE`, `FAILED`, …
    pub(crate) status: String,
    pub(crate) reason: Option<String>,
    pub(crate) changes: Vec<SetChange>,
}

/// What a change set does to one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SetChange {
    /// Its name in the template.
    pub(crate) logical: String,
    pub(crate) kind: String,
    /// `Add`, `Modify`, `Remove`, `Import` or `Dynamic`.
    pub(crate) action: String,
    /// `True`, `False` or `Conditional`; absent unless the resource is modified.
    pub(crate) replacement: Option<String>,
}

impl ChangeSet {
    /// Whether CloudFormation has made up its mind.
    pub(crate) fn is_settled(&self) -> bool {
        matches!(self.status.as_str(), "CREATE_COMPLETE" | "FAILED")
    }

    /// Whether it failed because the template changes nothing; CloudFormation has no code for this.
    pub(crate) fn is_empty(&self) -> bool {
        let says = |words: &str| {
            self.reason
                .as_deref()
                .is_some_and(|reason| reason.contains(words))
        };
        self.status == "FAILED" && (says("didn't contain changes") || says("No updates are to be performed"))
    }
}

impl Aws {
    /// A change set; `None` when there is none of this name.
    pub(crate) async fn change_set(&self, stack: &str, name: &str) -> Result<Option<ChangeSet>> {
        const REQUEST: &str = "DescribeChangeSet";
        let what = || format!("read the change set of stack `{stack}`");
        let request = self
            .cloudformation_client()
            .await?
            .describe_change_set()
            .stack_name(stack)
            .change_set_name(name);
        let first = match request.clone().send().await {
            Ok(answer) => answer,
            Err(error) => {
                let error = from_sdk(what(), &error);
                let gone = error.reply().is_some_and(|reply| reply.is("ChangeSetNotFound"));
                return if gone || is_absent(&error) {
                    Ok(None)
                } else {
                    Err(error)
                };
            }
        };
        let status = first.status().required(REQUEST, "Status")?.as_str().to_owned();
        let reason = first.status_reason().map(str::to_owned);
        let found = match (status.as_str(), first.next_token()) {
            ("CREATE_COMPLETE", None) => first.changes.required(REQUEST, "Changes")?,
            ("CREATE_COMPLETE", Some(_)) => Pages::new(what(), request.into_paginator().send()).all().await?,
            _ => Vec::new(),
        };
        let mut changes = Vec::new();
        for change in &found {
            let Some(change) = change.resource_change() else {
                continue;
            };
            changes.push(SetChange {
                logical: change
                    .logical_resource_id()
                    .required(REQUEST, "LogicalResourceId")?
                    .to_owned(),
                kind: change.resource_type().unwrap_or_default().to_owned(),
                action: change.action().required(REQUEST, "Action")?.as_str().to_owned(),
                replacement: change
                    .replacement()
                    .map(|replacement| replacement.as_str().to_owned()),
            });
        }
        Ok(Some(ChangeSet {
            status,
            reason,
            changes,
        }))
    }
}
