//! Parameters that are made where there was none, and taken away again.

use super::write::{Occasion, Writing, Written, changed, left_alone, written};
use crate::aws::ssm::{CreateParameter, DeleteParameter};
use crate::change::{Done, StepRun};
use crate::error::{CtlError, ErrorKind, Result};
use crate::redact::Sealed;
use crate::secrets::Shape;

impl<O: Occasion> Writing<'_, O> {
    /// The fingerprint and version of a parameter, if it is there.
    async fn print_of(&self, path: &str) -> Result<Option<(String, i64)>> {
        let names = [path.to_owned()];
        let mut found = self.ctx.aws.parameters_decrypted(&names).await?;
        let parameter = found.found.remove(path);
        Ok(parameter.map(|found| (self.prints.of_secret(&found.value), found.version)))
    }

    pub(super) async fn create(
        &self,
        step: &StepRun<'_, Self>,
        call: &CreateParameter,
        shape: Shape,
    ) -> Result<Done<Self>> {
        match self.print_of(&call.name).await? {
            // An earlier request has arrived.
            Some((print, version)) if print == call.value.fingerprint => {
                return Ok(written(&version.to_string()));
            }
            Some(_) => return Err(changed(&call.name)),
            None => {}
        }
        let call = CreateParameter {
            value: self.filled(&call.value, &call.name, None).await?,
            ..call.clone()
        };
        let version = step.send(&self.ctx.aws, &call).await?;
        self.read_back(&call.name, None, &call.value, shape).await?;
        Ok(written(&version.to_string()))
    }

    pub(super) async fn delete(
        &self,
        step: &StepRun<'_, Self>,
        call: &DeleteParameter,
        value: &Sealed,
    ) -> Result<Done<Self>> {
        let gone = |did: &str| {
            Done::new(did).with(Written {
                version: String::new(),
            })
        };
        match self.print_of(&call.name).await? {
            None => return Ok(gone("left as it was: it is not there")),
            Some((print, _)) if print != value.fingerprint => return left_alone(&call.name, true),
            Some(_) => {}
        }
        step.send(&self.ctx.aws, call).await?;
        match self.print_of(&call.name).await? {
            None => Ok(gone("taken away again")),
            Some(_) => Err(CtlError::new(
                ErrorKind::Failed,
                format!("read `{}` back: it is still there", call.name),
            )),
        }
    }
}
