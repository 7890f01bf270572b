//! Records of bpctl's own: small documents in Parameter Store, whose versions are their history.

use aws_sdk_ssm::types::ParameterTier;
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
    /// Whether Parameter Store may make it an advanced parameter, which holds 8 KB and costs 0.05 dollars a month; it
    /// does so when the value has more than 4 KB ("Managing parameter tiers", Systems Manager User Guide).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) may_be_advanced: bool,
}

const TIERING: ParameterTier = ParameterTier::IntelligentTiering;

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
        let mut members = parameters([
            ("Name", self.name.as_str().into()),
            ("Value", self.value.as_str().into()),
            ("Type", "String".into()),
            ("Overwrite", true.into()),
        ]);
        if self.may_be_advanced {
            members.insert("Tier".to_owned(), TIERING.as_str().into());
        }
        members
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
            .set_tier(self.may_be_advanced.then_some(TIERING))
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| from_sdk(format!("write the record `{}`", self.name), &error))?;
        Ok(answer.version())
    }
}
