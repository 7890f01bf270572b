//! Records of bpctl's own: small documents in Parameter Store, whose versions are their history.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::super::Aws;
use super::super::operation::ShowPermit;
use crate::change::{Call, Permit, Repeated, parameters};
use crate::error::{Result, from_sdk};

/// Writes a record: as a new parameter, or as a new version of the one that is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WriteRecord {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl Call for WriteRecord {
    const SERVICE: &'static str = "ssm";
    const OPERATION: &'static str = "PutParameter";
    const REPEATED: Repeated = Repeated::Harmless;
    // A record names the run and its times.
    const VOLATILE: &'static [&'static str] = &["Value"];
    type Via = Aws;
    /// The number of the version.
    type Answer = i64;

    fn parameters(&self) -> Map<String, Value> {
        parameters([
            ("Name", self.name.as_str().into()),
            ("Value", self.value.as_str().into()),
            ("Type", "String".into()),
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
            .r#type(aws_sdk_ssm::types::ParameterType::String)
            .overwrite(true)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| from_sdk(format!("write the record `{}`", self.name), &error))?;
        Ok(answer.version())
    }
}
