//! Parameters and secrets that are made where there was none, and parameters that are taken away again.

use super::observe::{Found, Observed};
use super::view::VERSION_PREFIX;
use super::write::{Occasion, Writing, Written, changed, left_alone, missing, written};
use crate::aws::secretsmanager::CreateSecret;
use crate::aws::ssm::{CreateParameter, DeleteParameter};
use crate::change::{Basis, Blocker, Done, StepRun};
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};
use crate::redact::Sealed;
use crate::secrets::Shape;

impl<O: Occasion> Writing<'_, O> {
    /// Why what is not there, or cannot be read, is not written.
    pub(super) fn blocker(&self, observed: &Observed) -> Blocker {
        let error = missing(observed);
        let stack = self.layout.core_stack("data").unwrap_or_default();
        let hint = match &observed.found {
            Found::Missing => Hint::new(format!(
                "the stack {stack} makes it, and fails on one that was made by hand: deploy it with"
            ))
            .command(CommandLine::other("npx", ["cdk", "deploy"]).args([stack])),
            _ => Hint::new("see what may be read with").command(CommandLine::bpctl(["secrets", "list"])),
        };
        Blocker {
            kind: error.kind(),
            reason: error.message().to_owned(),
            hint,
        }
    }

    /// The call that makes a secret.
    pub(super) fn creation(path: &str, value: &Sealed, basis: &Basis<'_>) -> CreateSecret {
        CreateSecret {
            secret: path.to_owned(),
            token: format!("{VERSION_PREFIX}{}", basis.names.run),
            value: value.clone(),
            description: "Written back from a backup".to_owned(),
            tags: basis.names.tags(O::NAME),
        }
    }

    pub(super) async fn make(
        &self,
        step: &StepRun<'_, Self>,
        call: &CreateSecret,
        shape: Shape,
    ) -> Result<Done<Self>> {
        let names = [call.secret.clone()];
        let now = self
            .ctx
            .aws
            .secret_values(&names)
            .await?
            .found
            .remove(&call.secret);
        match now.and_then(|now| Some((now.version, self.prints.of_secret(&now.value?)))) {
            // An earlier request has arrived.
            Some((version, print)) if print == call.value.fingerprint => return Ok(written(&version)),
            Some(_) => return Err(changed(&call.secret)),
            None => {}
        }
        let call = CreateSecret {
            value: self.filled(&call.value, &call.secret, None).await?,
            ..call.clone()
        };
        step.send(&self.ctx.aws, &call).await?;
        self.read_back(&call.secret, Some(&call.token), &call.value, shape)
            .await?;
        Ok(written(&call.token))
    }

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
