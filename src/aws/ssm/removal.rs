//! How parameters go.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::super::Aws;
use super::super::operation::ShowPermit;
use crate::change::{Call, Loss, Permit, Repeated, parameters};
use crate::error::{Result, from_sdk};

/// DeleteParameters: "Maximum number of 10 items" (Systems Manager API Reference).
pub(crate) const MOST_NAMES: usize = 10;

/// Deletes parameters with their history. Those that are not there are told apart, and are no error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeleteParameters {
    /// At most [`MOST_NAMES`].
    pub(crate) names: Vec<String>,
    /// What is changed, for locks.
    pub(crate) resource: String,
}

impl Call for DeleteParameters {
    const SERVICE: &'static str = "ssm";
    const OPERATION: &'static str = "DeleteParameters";
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Aws;
    type Answer = ();

    fn parameters(&self) -> Map<String, Value> {
        parameters([("Names", self.names.clone().into())])
    }

    fn resource(&self) -> String {
        self.resource.clone()
    }

    fn loses(&self) -> Option<Loss> {
        let what = match self.names.as_slice() {
            [only] => format!("the parameter `{only}` with its history"),
            all => format!("{} parameters with their history", all.len()),
        };
        Some(Loss::Data(what))
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<()> {
        aws.ssm_client()
            .await?
            .delete_parameters()
            .set_names(Some(self.names.clone()))
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| {
                from_sdk(
                    format!("delete the parameters `{}`", self.names.join("`, `")),
                    &error,
                )
            })?;
        Ok(())
    }
}
