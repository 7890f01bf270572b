//! Parameter Store: values, versions and dates. A SecureString stays ciphertext unless it is asked for decrypted.

mod removal;
mod write;

pub(crate) mod command;
pub(crate) mod pointer;
pub(crate) mod record;

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Deref;

use aws_sdk_ssm::types::{Parameter as SdkParameter, ParameterStringFilter};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;

pub(crate) use removal::{DeleteParameters, MOST_NAMES};
pub(crate) use write::{CreateParameter, DeleteParameter, PutSecretParameter};

use super::Aws;
use super::convert::time;
use super::pages::Pages;
use crate::error::{CtlError, ErrorKind, Required as _, Result, from_sdk};
use crate::redact::Secret;

/// GetParameters and GetParametersByPath: "Maximum number of 10" (Systems Manager API Reference).
const BATCH: usize = 10;

/// DescribeParameters: "Maximum value of 50" for MaxResults (Systems Manager API Reference).
const METADATA_PAGE: i32 = 50;

/// How many batches are under way at once; the token bucket paces them beyond its burst.
const CONCURRENT: usize = 8;

/// A parameter with its value.
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub(crate) facts: ParameterFacts,
    /// Ciphertext when the parameter is a SecureString.
    pub(crate) value: Secret,
}

impl Deref for Parameter {
    type Target = ParameterFacts;

    fn deref(&self) -> &ParameterFacts {
        &self.facts
    }
}

/// What is known about a parameter without reading it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ParameterFacts {
    pub(crate) name: String,
    pub(crate) version: i64,
    /// `text` or `aws:ec2:image`.
    pub(crate) data_type: String,
    pub(crate) modified: Option<Timestamp>,
    /// ARN of the principal that wrote it; only [`Aws::parameter_facts`] knows.
    pub(crate) by: Option<String>,
}

/// What [`Aws::parameters`] found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parameters {
    pub(crate) found: BTreeMap<String, Parameter>,
    /// Asked for but not there.
    pub(crate) missing: Vec<String>,
}

impl Aws {
    /// The parameters of these names, ten per call, the calls side by side.
    pub(crate) async fn parameters(&self, names: &[String]) -> Result<Parameters> {
        self.read_parameters(names, false).await
    }

    /// The same, a SecureString decrypted.
    pub(crate) async fn parameters_decrypted(&self, names: &[String]) -> Result<Parameters> {
        self.read_parameters(names, true).await
    }

    async fn read_parameters(&self, names: &[String], decrypted: bool) -> Result<Parameters> {
        let client = self.ssm_client().await?;
        let batches: Vec<_> = stream::iter(names.chunks(BATCH).map(<[String]>::to_vec))
            .map(|batch| {
                let mut call = client.get_parameters().set_names(Some(batch));
                if decrypted {
                    call = call.with_decryption(true);
                }
                async move {
                    call.send()
                        .await
                        .map_err(|error| from_sdk("read parameters", &error))
                }
            })
            .buffer_unordered(CONCURRENT)
            .try_collect()
            .await?;
        const REQUEST: &str = "GetParameters";
        let mut all = Parameters::default();
        for batch in batches {
            all.missing.extend_from_slice(batch.invalid_parameters());
            for parameter in batch.parameters.required(REQUEST, "Parameters")? {
                let parameter = convert(REQUEST, &parameter)?;
                all.found.insert(parameter.name.clone(), parameter);
            }
        }
        all.missing.sort();
        Ok(all)
    }

    /// Everything but the values of the parameters of these names, fifty per call, the calls side by
    /// side; those that do not exist are left out.
    pub(crate) async fn parameter_facts(&self, names: &[String]) -> Result<Vec<ParameterFacts>> {
        const REQUEST: &str = "DescribeParameters";
        let client = self.ssm_client().await?;
        let calls = names
            .chunks(METADATA_PAGE as usize)
            .map(|batch| {
                let filter = ParameterStringFilter::builder()
                    .key("Name")
                    .option("Equals")
                    .set_values(Some(batch.to_vec()))
                    .build()
                    .map_err(|error| {
                        CtlError::new(ErrorKind::Unexpected, "describe parameters").source(&error)
                    })?;
                Ok(client
                    .describe_parameters()
                    .parameter_filters(filter)
                    .max_results(METADATA_PAGE))
            })
            .collect::<Result<Vec<_>>>()?;
        let batches: Vec<Vec<ParameterFacts>> = stream::iter(calls)
            .map(|call| async move {
                let pages = Pages::new("describe parameters", call.into_paginator().send());
                let mut facts = Vec::new();
                for parameter in pages.all().await? {
                    facts.push(ParameterFacts {
                        name: parameter.name().required(REQUEST, "Name")?.to_owned(),
                        version: parameter.version(),
                        data_type: parameter.data_type().unwrap_or("text").to_owned(),
                        modified: time(parameter.last_modified_date()),
                        by: parameter.last_modified_user().map(str::to_owned),
                    });
                }
                Ok(facts)
            })
            .buffer_unordered(CONCURRENT)
            .try_collect()
            .await?;
        Ok(batches.into_iter().flatten().collect())
    }

    /// Every parameter below `path`, with or without the levels further down.
    pub(crate) async fn parameters_under(&self, path: &str, recursive: bool) -> Result<Vec<Parameter>> {
        let stream = self
            .ssm_client()
            .await?
            .get_parameters_by_path()
            .path(path)
            .recursive(recursive)
            .max_results(10)
            .into_paginator()
            .send();
        let found = Pages::new(format!("read the parameters under `{path}`"), stream)
            .all()
            .await?;
        found
            .iter()
            .map(|parameter| convert("GetParametersByPath", parameter))
            .collect()
    }

    /// The names of every parameter anywhere below one of `paths`: a fifth of the calls that values take.
    pub(crate) async fn parameter_names_under(&self, paths: &[String]) -> Result<Vec<String>> {
        const REQUEST: &str = "DescribeParameters";
        let doing = || format!("list the parameters under `{}`", paths.join("`, `"));
        let filter = ParameterStringFilter::builder()
            .key("Path")
            .option("Recursive")
            .set_values(Some(paths.to_vec()))
            .build()
            .map_err(|error| CtlError::new(ErrorKind::Unexpected, doing()).source(&error))?;
        let stream = self
            .ssm_client()
            .await?
            .describe_parameters()
            .parameter_filters(filter)
            .max_results(METADATA_PAGE)
            .into_paginator()
            .send();
        let mut names = Vec::new();
        for parameter in Pages::new(doing(), stream).all().await? {
            names.push(parameter.name().required(REQUEST, "Name")?.to_owned());
        }
        Ok(names)
    }
}

fn convert(request: &str, parameter: &SdkParameter) -> Result<Parameter> {
    Ok(Parameter {
        facts: ParameterFacts {
            name: parameter.name().required(request, "Name")?.to_owned(),
            version: parameter.version(),
            data_type: parameter.data_type().unwrap_or("text").to_owned(),
            modified: time(parameter.last_modified_date()),
            by: None,
        },
        value: parameter.value().required(request, "Value")?.into(),
    })
}
