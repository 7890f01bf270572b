//! The way back of an update that has stopped half way (CloudFormation User Guide, "Continue rolling back an update").

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::super::Aws;
use super::super::operation::ShowPermit;
use crate::change::{Call, Permit, Repeated, parameters};
use crate::error::{Result, from_sdk};

/// Goes on with the rollback of a stack that is `UPDATE_ROLLBACK_FAILED`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ContinueUpdateRollback {
    pub(crate) stack: String,
    /// Resources that stay as they are: logical ids, or `NestedStackName.LogicalId` (API reference).
    pub(crate) skip: Vec<String>,
    /// Carried by every event of the operation (API reference, StackEvent).
    pub(crate) token: String,
}

impl Call for ContinueUpdateRollback {
    const SERVICE: &'static str = "cloudformation";
    const OPERATION: &'static str = "ContinueUpdateRollback";
    const REPEATED: Repeated = Repeated::Recognised;
    const VOLATILE: &'static [&'static str] = &["ClientRequestToken"];
    type Via = Aws;
    type Answer = ();

    fn parameters(&self) -> Map<String, Value> {
        let mut members = parameters([("StackName", self.stack.as_str().into())]);
        if !self.skip.is_empty() {
            members.insert("ResourcesToSkip".to_owned(), self.skip.clone().into());
        }
        members.insert("ClientRequestToken".to_owned(), self.token.as_str().into());
        members
    }

    fn resource(&self) -> String {
        format!("stack/{}", self.stack)
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<()> {
        aws.cloudformation_client()
            .await?
            .continue_update_rollback()
            .stack_name(&self.stack)
            .set_resources_to_skip((!self.skip.is_empty()).then(|| self.skip.clone()))
            .client_request_token(&self.token)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| from_sdk(format!("continue the rollback of stack `{}`", self.stack), &error))?;
        Ok(())
    }
}
