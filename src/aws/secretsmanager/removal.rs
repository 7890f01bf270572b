//! How secrets go for good.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::super::Aws;
use super::super::operation::ShowPermit;
use crate::change::{Call, Loss, Permit, Repeated, parameters};
use crate::error::{Result, from_sdk};

/// Deletes a secret without a recovery window, also one that is scheduled for deletion: its name is free at once. One that
/// is not there is no error then (API Reference, DeleteSecret, ForceDeleteWithoutRecovery).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeleteSecret {
    pub(crate) secret: String,
}

impl Call for DeleteSecret {
    const SERVICE: &'static str = "secretsmanager";
    const OPERATION: &'static str = "DeleteSecret";
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Aws;
    type Answer = ();

    fn parameters(&self) -> Map<String, Value> {
        parameters([
            ("SecretId", self.secret.as_str().into()),
            ("ForceDeleteWithoutRecovery", true.into()),
        ])
    }

    fn resource(&self) -> String {
        format!("secret{}", self.secret)
    }

    fn loses(&self) -> Option<Loss> {
        Some(Loss::Data(format!(
            "the secret `{}` with all of its versions",
            self.secret
        )))
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<()> {
        let answer = aws
            .secretsmanager_client()
            .await?
            .delete_secret()
            .secret_id(&self.secret)
            .force_delete_without_recovery(true)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await;
        match answer {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|error| error.is_resource_not_found_exception()) =>
            {
                Ok(())
            }
            Err(error) => Err(from_sdk(format!("delete the secret `{}`", self.secret), &error)),
        }
    }
}
