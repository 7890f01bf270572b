//! Taking resources that are there already into a stack (API reference, CreateChangeSet and ResourceToImport).

use std::collections::HashMap;

use aws_sdk_cloudformation::types::{Capability, ChangeSetType, ResourceToImport, Tag};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::super::Aws;
use super::super::operation::ShowPermit;
use super::change_sets::CAPABILITIES;
use crate::change::{Call, Permit, Repeated, parameters};
use crate::error::{Required as _, Result, from_sdk};

/// A resource that is there, and its name in the template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Import {
    pub(crate) logical: String,
    /// E.g. `AWS::Logs::LogGroup`.
    pub(crate) kind: String,
    /// The property that identifies it.
    pub(crate) property: String,
    pub(crate) identifier: String,
}

/// Asks CloudFormation to take resources into a stack, which it makes if there is none. Changes no resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CreateImportSet {
    pub(crate) stack: String,
    pub(crate) name: String,
    pub(crate) template: String,
    pub(crate) imports: Vec<Import>,
    /// Of a new stack.
    pub(crate) tags: Vec<(String, String)>,
    /// The role that CloudFormation works with; `None`: the one of the stack, or the caller's.
    pub(crate) role: Option<String>,
    pub(crate) token: String,
}

impl Call for CreateImportSet {
    const SERVICE: &'static str = "cloudformation";
    const OPERATION: &'static str = "CreateChangeSet";
    const REPEATED: Repeated = Repeated::Recognised;
    const VOLATILE: &'static [&'static str] = &["ChangeSetName", "ClientToken"];
    type Via = Aws;
    /// The ARN of the change set.
    type Answer = String;

    fn parameters(&self) -> Map<String, Value> {
        let imports = self.imports.iter().map(|import| {
            json!({
                "ResourceType": import.kind,
                "LogicalResourceId": import.logical,
                "ResourceIdentifier": { import.property.as_str(): import.identifier },
            })
        });
        let capabilities = CAPABILITIES.iter().map(Capability::as_str);
        let mut members = parameters([
            ("StackName", self.stack.as_str().into()),
            ("ChangeSetName", self.name.as_str().into()),
            ("ChangeSetType", ChangeSetType::Import.as_str().into()),
            ("TemplateBody", self.template.as_str().into()),
            ("ResourcesToImport", imports.collect()),
            ("Capabilities", capabilities.collect::<Vec<_>>().into()),
        ]);
        if !self.tags.is_empty() {
            let tags = self.tags.iter();
            let tags = tags.map(|(key, value)| json!({ "Key": key, "Value": value }));
            members.insert("Tags".to_owned(), tags.collect());
        }
        if let Some(role) = &self.role {
            members.insert("RoleARN".to_owned(), role.as_str().into());
        }
        members.insert("ClientToken".to_owned(), self.token.as_str().into());
        members
    }

    fn resource(&self) -> String {
        format!("stack/{}", self.stack)
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<String> {
        let imports = self.imports.iter().map(|import| {
            let identifier = HashMap::from([(import.property.clone(), import.identifier.clone())]);
            ResourceToImport::builder()
                .resource_type(&import.kind)
                .logical_resource_id(&import.logical)
                .set_resource_identifier(Some(identifier))
                .build()
        });
        let tags = self.tags.iter();
        let tags = tags.map(|(key, value)| Tag::builder().key(key).value(value).build());
        let tags: Vec<Tag> = tags.collect();
        let answer = aws
            .cloudformation_client()
            .await?
            .create_change_set()
            .stack_name(&self.stack)
            .change_set_name(&self.name)
            .change_set_type(ChangeSetType::Import)
            .template_body(&self.template)
            .set_resources_to_import(Some(imports.collect()))
            .set_capabilities(Some(CAPABILITIES.to_vec()))
            .set_tags((!tags.is_empty()).then_some(tags))
            .set_role_arn(self.role.clone())
            .client_token(&self.token)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| from_sdk(format!("make a change set of stack `{}`", self.stack), &error))?;
        answer.id.required(Self::OPERATION, "Id")
    }
}

impl Aws {
    /// The name of the stack that has a resource of this name or id; `None` when no stack of the region has it.
    pub(crate) async fn stack_of_resource(&self, physical: &str) -> Result<Option<String>> {
        const REQUEST: &str = "DescribeStackResources";
        let answer = self
            .cloudformation_client()
            .await?
            .describe_stack_resources()
            .physical_resource_id(physical)
            .send()
            .await;
        match answer {
            Ok(answer) => {
                let resources = answer.stack_resources.required(REQUEST, "StackResources")?;
                Ok(resources
                    .first()
                    .and_then(|resource| resource.stack_name().map(str::to_owned)))
            }
            Err(error) => {
                let error = from_sdk(format!("look for the stack of `{physical}`"), &error);
                // "Stack for … does not exist" is a ValidationError, and no empty list.
                if super::is_absent(&error) {
                    Ok(None)
                } else {
                    Err(error)
                }
            }
        }
    }
}
