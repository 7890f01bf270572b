//! Pointers: parameters that are moved from one version to the next, and whose past is the way back.

use aws_sdk_ssm::types::ParameterType;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::super::Aws;
use super::super::convert::time;
use super::super::operation::ShowPermit;
use super::super::pages::Pages;
use crate::change::{Call, Permit, Repeated, parameters};
use crate::error::{Required as _, Result, from_sdk};

/// GetParameterHistory: "Maximum value of 50" for MaxResults (Systems Manager API Reference).
const HISTORY_PAGE: i32 = 50;

/// The data type of parameters that name an image.
pub(super) const IMAGE: &str = "aws:ec2:image";

/// A version of a pointer. What a fleet runs is no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PointerVersion {
    pub(crate) version: i64,
    pub(crate) value: String,
    pub(crate) modified: Option<Timestamp>,
    /// ARN of the principal that wrote it.
    pub(crate) by: Option<String>,
}

impl Aws {
    /// The versions of a pointer that Parameter Store still keeps, the newest first; it keeps a hundred.
    pub(crate) async fn pointer_versions(&self, name: &str) -> Result<Vec<PointerVersion>> {
        const REQUEST: &str = "GetParameterHistory";
        let stream = self
            .ssm_client()
            .await?
            .get_parameter_history()
            .name(name)
            .max_results(HISTORY_PAGE)
            .into_paginator()
            .send();
        let found = Pages::new(format!("read the history of `{name}`"), stream)
            .all()
            .await?;
        let mut versions = Vec::with_capacity(found.len());
        for version in found {
            versions.push(PointerVersion {
                version: version.version(),
                value: version.value().required(REQUEST, "Value")?.to_owned(),
                modified: time(version.last_modified_date()),
                by: version.last_modified_user().map(str::to_owned),
            });
        }
        versions.sort_by_key(|version| std::cmp::Reverse(version.version));
        Ok(versions)
    }
}

/// Gives a pointer that exists a new value; its type and data type stay. PutParameter knows no condition: the caller
/// compares the version right before, and the number of the new one afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MovePointer {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl Call for MovePointer {
    const SERVICE: &'static str = "ssm";
    const OPERATION: &'static str = "PutParameter";
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Aws;
    /// The number of the new version.
    type Answer = i64;

    fn parameters(&self) -> Map<String, Value> {
        parameters([
            ("Name", self.name.as_str().into()),
            ("Value", self.value.as_str().into()),
            ("Overwrite", true.into()),
        ])
    }

    fn resource(&self) -> String {
        format!("parameter{}", self.name)
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<i64> {
        let answer = aws
            .ssm_client()
            .await?
            .put_parameter()
            .name(&self.name)
            .value(&self.value)
            .overwrite(true)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| from_sdk(format!("write the parameter `{}`", self.name), &error))?;
        Ok(answer.version())
    }
}

/// Lets a parameter name an image, with the data type by which launch templates resolve it; creates the parameter when
/// there is none. Parameter Store looks the image up after it has answered: the caller reads back (Systems Manager User
/// Guide, "Using native parameter support in Parameter Store for Amazon Machine Image IDs").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PointToImage {
    pub(crate) name: String,
    pub(crate) image: String,
    /// The parameter is there already: its type stays, and stating one is not needed.
    pub(crate) exists: bool,
}

impl Call for PointToImage {
    const SERVICE: &'static str = "ssm";
    const OPERATION: &'static str = "PutParameter";
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Aws;
    /// The number of the new version.
    type Answer = i64;

    fn parameters(&self) -> Map<String, Value> {
        let mut all = parameters([
            ("Name", self.name.as_str().into()),
            ("Value", self.image.as_str().into()),
            ("DataType", IMAGE.into()),
            ("Overwrite", self.exists.into()),
        ]);
        if !self.exists {
            all.insert("Type".to_owned(), ParameterType::String.as_str().into());
        }
        all
    }

    fn resource(&self) -> String {
        format!("parameter{}", self.name)
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<i64> {
        let answer = aws
            .ssm_client()
            .await?
            .put_parameter()
            .name(&self.name)
            .value(&self.image)
            .data_type(IMAGE)
            .set_type((!self.exists).then_some(ParameterType::String))
            .overwrite(self.exists)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| from_sdk(format!("write the parameter `{}`", self.name), &error))?;
        Ok(answer.version())
    }
}
