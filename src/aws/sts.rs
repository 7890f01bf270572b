//! Who we are.

use futures::FutureExt as _;
use serde::Serialize;

use super::Aws;
use crate::error::{CtlError, ErrorKind, Required as _, Result, from_sdk};
use crate::layout::AccountId;

/// The caller as AWS sees it (STS GetCallerIdentity).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Identity {
    pub(crate) account: AccountId,
    pub(crate) arn: String,
}

impl Aws {
    /// The caller, asked for once per run.
    pub(crate) async fn identity(&self) -> Result<&Identity> {
        self.identity.get_or_try_init(|| self.get_caller_identity()).await
    }

    async fn get_caller_identity(&self) -> Result<Identity> {
        const REQUEST: &str = "GetCallerIdentity";
        let answer = self
            .sts_client()
            .await?
            .get_caller_identity()
            .send()
            .await
            .map_err(|error| from_sdk("find out who the credentials belong to", &error))?;
        let account = answer.account().required(REQUEST, "Account")?;
        Ok(Identity {
            account: account.parse().map_err(|error| {
                CtlError::new(ErrorKind::Unexpected, "read the account id").source(&error)
            })?,
            arn: answer.arn().required(REQUEST, "Arn")?.to_owned(),
        })
    }

    /// The account guard: with `account_id` set, refuses to go on in any other account. Every client but
    /// that of STS waits for it; its answer is kept for the run.
    ///
    /// # Errors
    /// [`ErrorKind::WrongAccount`], which ends the command with status 4.
    pub(crate) async fn guard_account(&self) -> Result<()> {
        self.guard
            .get_or_init(|| self.compare_account().boxed_local())
            .await
            .clone()
    }

    async fn compare_account(&self) -> Result<()> {
        let Some(wanted) = &self.settings.account_id else {
            if self.names_account {
                // Without an answer the account stays unknown; the verb's own calls say why.
                let _ = self.identity().await;
            }
            return Ok(());
        };
        let identity = self.identity().await?;
        if identity.account == wanted.value {
            return Ok(());
        }
        Err(CtlError::new(
            ErrorKind::WrongAccount,
            format!(
                "run in account {}: the context demands {}",
                identity.account, wanted.value
            ),
        )
        .cause(format!("`account_id` comes from {}", wanted.source))
        .cause(format!("the credentials belong to {}", identity.arn))
        .hint("sign in to the right account, or choose another context with `--context`"))
    }
}
