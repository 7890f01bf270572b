//! PutParameter and the history of a parameter.

use aws_sdk_ssm::error::SdkError;
use aws_sdk_ssm::types::ParameterType;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::super::Aws;
use super::super::convert::time;
use super::super::operation::ShowPermit;
use super::super::pages::Pages;
use super::super::secretsmanager::needed;
use super::pointer::IMAGE;
use crate::change::{Call, Loss, Permit, Repeated, parameters};
use crate::error::{Required as _, Result, from_sdk};
use crate::redact::{Sealed, Secret};

/// GetParameterHistory: "Maximum value of 50" for MaxResults (Systems Manager API Reference).
const HISTORY_PAGE: i32 = 50;

/// A version of a parameter.
#[derive(Clone, Debug)]
pub(crate) struct ParameterVersion {
    pub(crate) version: i64,
    pub(crate) modified: Option<Timestamp>,
    /// ARN of the principal that wrote it.
    pub(crate) by: Option<String>,
    pub(crate) labels: Vec<String>,
    /// Decrypted.
    pub(crate) value: Secret,
}

impl Aws {
    /// Every version of a parameter that is still kept, the newest first.
    pub(crate) async fn parameter_history(&self, name: &str) -> Result<Vec<ParameterVersion>> {
        const REQUEST: &str = "GetParameterHistory";
        let stream = self
            .ssm_client()
            .await?
            .get_parameter_history()
            .name(name)
            .with_decryption(true)
            .max_results(HISTORY_PAGE)
            .into_paginator()
            .send();
        let mut versions = Vec::new();
        for found in Pages::new(format!("read the history of `{name}`"), stream)
            .all()
            .await?
        {
            versions.push(ParameterVersion {
                version: found.version(),
                modified: time(found.last_modified_date()),
                by: found.last_modified_user().map(str::to_owned),
                labels: found.labels().to_vec(),
                value: found.value().required(REQUEST, "Value")?.into(),
            });
        }
        versions.sort_by_key(|version| std::cmp::Reverse(version.version));
        Ok(versions)
    }
}

/// Gives a parameter that exists a new version; its type stays.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PutSecretParameter {
    pub(crate) name: String,
    pub(crate) value: Sealed,
    pub(crate) loses: Option<Loss>,
}

impl Call for PutSecretParameter {
    const SERVICE: &'static str = "ssm";
    const OPERATION: &'static str = "PutParameter";
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Aws;
    /// The number of the version.
    type Answer = i64;

    fn parameters(&self) -> Map<String, Value> {
        parameters([
            ("Name", self.name.as_str().into()),
            ("Value", self.value.parameter()),
            ("Overwrite", true.into()),
        ])
    }

    fn resource(&self) -> String {
        format!("parameter{}", self.name)
    }

    fn loses(&self) -> Option<Loss> {
        self.loses.clone()
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<i64> {
        let value = needed(&self.value, &self.name)?;
        let answer = aws
            .ssm_client()
            .await?
            .put_parameter()
            .name(&self.name)
            .value(value)
            .overwrite(true)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| from_sdk(format!("write the parameter `{}`", self.name), &error))?;
        Ok(answer.version())
    }
}

/// Makes a parameter that is not there yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CreateParameter {
    pub(crate) name: String,
    pub(crate) value: Sealed,
    /// Whether it names an image: launch templates resolve it by its data type then.
    pub(crate) is_image: bool,
}

impl Call for CreateParameter {
    const SERVICE: &'static str = "ssm";
    const OPERATION: &'static str = "PutParameter";
    const REPEATED: Repeated = Repeated::Recognised;
    type Via = Aws;
    /// The number of the version.
    type Answer = i64;

    fn parameters(&self) -> Map<String, Value> {
        parameters([
            ("Name", self.name.as_str().into()),
            ("Value", self.value.parameter()),
            ("Type", ParameterType::String.as_str().into()),
            ("DataType", data_type(self.is_image).into()),
            ("Overwrite", false.into()),
        ])
    }

    fn resource(&self) -> String {
        format!("parameter{}", self.name)
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<i64> {
        let value = needed(&self.value, &self.name)?;
        let answer = aws
            .ssm_client()
            .await?
            .put_parameter()
            .name(&self.name)
            .value(value)
            .r#type(ParameterType::String)
            .data_type(data_type(self.is_image))
            .overwrite(false)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| from_sdk(format!("write the parameter `{}`", self.name), &error))?;
        Ok(answer.version())
    }
}

fn data_type(is_image: bool) -> &'static str {
    if is_image { IMAGE } else { "text" }
}

/// Takes away a parameter that a run has made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeleteParameter {
    pub(crate) name: String,
}

impl Call for DeleteParameter {
    const SERVICE: &'static str = "ssm";
    const OPERATION: &'static str = "DeleteParameter";
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Aws;
    type Answer = ();

    fn parameters(&self) -> Map<String, Value> {
        parameters([("Name", self.name.as_str().into())])
    }

    fn resource(&self) -> String {
        format!("parameter{}", self.name)
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<()> {
        let answer = aws
            .ssm_client()
            .await?
            .delete_parameter()
            .name(&self.name)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await;
        match answer {
            Ok(_) => Ok(()),
            Err(SdkError::ServiceError(error)) if error.err().is_parameter_not_found() => Ok(()),
            Err(error) => Err(from_sdk(format!("delete the parameter `{}`", self.name), &error)),
        }
    }
}
