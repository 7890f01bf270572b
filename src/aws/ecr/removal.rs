//! How repositories go.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::aws::Aws;
use crate::aws::operation::ShowPermit;
use crate::change::{Call, Loss, Permit, Repeated, parameters};
use crate::error::{Result, from_sdk};

/// Deletes a repository with all of its images. One that is not there stays so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeleteRepository {
    pub(crate) repository: String,
}

impl Call for DeleteRepository {
    const SERVICE: &'static str = "ecr";
    const OPERATION: &'static str = "DeleteRepository";
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Aws;
    type Answer = ();

    fn parameters(&self) -> Map<String, Value> {
        parameters([
            ("repositoryName", self.repository.as_str().into()),
            ("force", true.into()),
        ])
    }

    fn resource(&self) -> String {
        format!("ecr/{}", self.repository)
    }

    fn loses(&self) -> Option<Loss> {
        Some(Loss::Data(format!("all images of {}", self.repository)))
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<()> {
        let answer = aws
            .ecr_client()
            .await?
            .delete_repository()
            .repository_name(&self.repository)
            .force(true)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await;
        match answer {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|error| error.is_repository_not_found_exception()) =>
            {
                Ok(())
            }
            Err(error) => Err(from_sdk(
                format!("delete the repository `{}`", self.repository),
                &error,
            )),
        }
    }
}
