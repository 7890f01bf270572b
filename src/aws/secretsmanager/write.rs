//! CreateSecret, PutSecretValue and UpdateSecretVersionStage.

use aws_sdk_secretsmanager::types::Tag;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::super::Aws;
use super::super::operation::ShowPermit;
use super::CURRENT;
use crate::change::{Call, Loss, Permit, Repeated, parameters};
use crate::error::{CtlError, ErrorKind, Required as _, Result, from_sdk};
use crate::redact::Sealed;

/// Gives a secret a new version that counts from then on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PutSecretValue {
    pub(crate) secret: String,
    /// Becomes the version's id, by which a repetition is recognised.
    pub(crate) token: String,
    pub(crate) value: Sealed,
    pub(crate) loses: Option<Loss>,
}

impl Call for PutSecretValue {
    const SERVICE: &'static str = "secretsmanager";
    const OPERATION: &'static str = "PutSecretValue";
    const REPEATED: Repeated = Repeated::Recognised;
    const VOLATILE: &'static [&'static str] = &["ClientRequestToken"];
    type Via = Aws;
    /// The id of the version.
    type Answer = String;

    fn parameters(&self) -> Map<String, Value> {
        parameters([
            ("SecretId", self.secret.as_str().into()),
            ("ClientRequestToken", self.token.as_str().into()),
            ("SecretString", self.value.parameter()),
        ])
    }

    fn resource(&self) -> String {
        format!("secret{}", self.secret)
    }

    fn loses(&self) -> Option<Loss> {
        self.loses.clone()
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<String> {
        let value = needed(&self.value, &self.secret)?;
        let answer = aws
            .secretsmanager_client()
            .await?
            .put_secret_value()
            .secret_id(&self.secret)
            .client_request_token(&self.token)
            .secret_string(value)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| from_sdk(format!("write the secret `{}`", self.secret), &error))?;
        let id = answer.version_id().required(Self::OPERATION, "VersionId")?;
        Ok(id.to_owned())
    }
}

/// Makes a secret with a value. One that is there with this very value stays as it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CreateSecret {
    pub(crate) secret: String,
    /// Becomes the first version's id, by which a repetition is recognised.
    pub(crate) token: String,
    pub(crate) value: Sealed,
    pub(crate) description: String,
    pub(crate) tags: Vec<(String, String)>,
}

impl Call for CreateSecret {
    const SERVICE: &'static str = "secretsmanager";
    const OPERATION: &'static str = "CreateSecret";
    const REPEATED: Repeated = Repeated::Recognised;
    const VOLATILE: &'static [&'static str] = &["ClientRequestToken", "Tags"];
    type Via = Aws;
    type Answer = ();

    fn parameters(&self) -> Map<String, Value> {
        let tags = self
            .tags
            .iter()
            .map(|(key, value)| json!({"Key": key, "Value": value}));
        parameters([
            ("Name", self.secret.as_str().into()),
            ("ClientRequestToken", self.token.as_str().into()),
            ("Description", self.description.as_str().into()),
            ("SecretString", self.value.parameter()),
            ("Tags", tags.collect::<Vec<_>>().into()),
        ])
    }

    fn resource(&self) -> String {
        format!("secret{}", self.secret)
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<()> {
        let value = needed(&self.value, &self.secret)?;
        let tags = self
            .tags
            .iter()
            .map(|(key, value)| Tag::builder().key(key).value(value).build());
        let answer = aws
            .secretsmanager_client()
            .await?
            .create_secret()
            .name(&self.secret)
            .client_request_token(&self.token)
            .description(&self.description)
            .secret_string(value)
            .set_tags(Some(tags.collect()))
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await;
        let Err(refused) = answer else { return Ok(()) };
        // An earlier request of this call may have arrived without its answer.
        let is_there = refused
            .as_service_error()
            .is_some_and(|error| error.is_resource_exists_exception());
        if is_there {
            let names = [self.secret.clone()];
            let now = aws.secret_values(&names).await?.found.remove(&self.secret);
            let now = now.and_then(|now| now.value);
            if now.is_some_and(|now| now.expose() == value) {
                return Ok(());
            }
        }
        Err(from_sdk(format!("make the secret `{}`", self.secret), &refused))
    }
}

/// The value of a sealed parameter.
pub(in crate::aws) fn needed<'a>(sealed: &'a Sealed, name: &str) -> Result<&'a str> {
    let value = sealed.value().ok_or_else(|| {
        CtlError::new(
            ErrorKind::Unexpected,
            format!("write `{name}`: its value is not at hand"),
        )
    })?;
    Ok(value.expose())
}

/// Makes another version of a secret the one that counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MoveCurrent {
    pub(crate) secret: String,
    /// The version that counts afterwards.
    pub(crate) to: String,
    /// The version that counts before; Secrets Manager refuses when it is another one.
    pub(crate) from: String,
}

impl Call for MoveCurrent {
    const SERVICE: &'static str = "secretsmanager";
    const OPERATION: &'static str = "UpdateSecretVersionStage";
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Aws;
    type Answer = ();

    fn parameters(&self) -> Map<String, Value> {
        parameters([
            ("SecretId", self.secret.as_str().into()),
            ("VersionStage", CURRENT.into()),
            ("MoveToVersionId", self.to.as_str().into()),
            ("RemoveFromVersionId", self.from.as_str().into()),
        ])
    }

    fn resource(&self) -> String {
        format!("secret{}", self.secret)
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<()> {
        aws.secretsmanager_client()
            .await?
            .update_secret_version_stage()
            .secret_id(&self.secret)
            .version_stage(CURRENT)
            .move_to_version_id(&self.to)
            .remove_from_version_id(&self.from)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| {
                from_sdk(
                    format!("move the secret `{}` to another version", self.secret),
                    &error,
                )
            })?;
        Ok(())
    }
}
