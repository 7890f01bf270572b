//! The role that a context names: assumed with the credentials at hand. A refusal names the role, who was
//! refused, and what is missing.

use std::error::Error as StdError;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata as _;
use aws_types::SdkConfig;

use super::whole::Whole;
use crate::error::{CtlError, ErrorKind, Required as _, Result, from_sdk};

/// What the session is called in CloudTrail.
const SESSION: &str = "bpctl";

/// A role and whom to ask for it.
#[derive(Clone, Debug)]
pub(super) struct AssumedRole {
    arn: String,
    config: aws_sdk_sts::config::Config,
}

impl AssumedRole {
    pub(super) fn new(arn: &str, base: &SdkConfig, endpoint: Option<String>) -> Self {
        let mut config = aws_sdk_sts::config::Builder::from(base);
        config.set_endpoint_url(endpoint);
        Self {
            arn: arn.to_owned(),
            config: config.interceptor(Whole).build(),
        }
    }

    pub(super) fn arn(&self) -> &str {
        &self.arn
    }

    /// Credentials of the role.
    ///
    /// # Errors
    /// Who was refused and what the role lacks, or why there was no answer.
    pub(super) async fn assume(&self, base: &Credentials) -> Result<Credentials> {
        const REQUEST: &str = "AssumeRole";
        let config = self
            .config
            .to_builder()
            .credentials_provider(SharedCredentialsProvider::new(base.clone()))
            .build();
        #[expect(
            clippy::disallowed_methods,
            reason = "the client that the other clients' credentials come from"
        )]
        let client = aws_sdk_sts::Client::from_conf(config);
        let answer = client
            .assume_role()
            .role_arn(&self.arn)
            .role_session_name(SESSION)
            .send()
            .await
            .map_err(|error| {
                refused(&self.arn, &error).unwrap_or_else(|| from_sdk(doing(&self.arn), &error))
            })?;
        let given = answer.credentials().required(REQUEST, "Credentials")?;
        let end = std::time::SystemTime::try_from(*given.expiration()).map_err(|error| {
            CtlError::new(ErrorKind::Unexpected, "read the end of the role's credentials").source(&error)
        })?;
        Ok(Credentials::new(
            given.access_key_id(),
            given.secret_access_key(),
            Some(given.session_token().to_owned()),
            Some(end),
            SESSION,
        ))
    }
}

fn doing(role: &str) -> String {
    format!("assume the role `{role}`")
}

/// The refusal of a role that a profile names, if that is what went wrong.
pub(super) fn refusal(error: &CredentialsError, profile: &str) -> Option<CtlError> {
    let mut next: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<SdkError<AssumeRoleError, HttpResponse>>() {
            let message = error.as_service_error()?.message().unwrap_or_default();
            let role = after(message, "on resource: ").map_or_else(|| format!("of {profile}"), str::to_owned);
            return refused(&role, error);
        }
        next = error.source();
    }
    None
}

/// STS refuses to give out the role (IAM User Guide, "I can't assume a role").
fn refused(role: &str, error: &SdkError<AssumeRoleError, HttpResponse>) -> Option<CtlError> {
    let service = error.as_service_error()?;
    (service.code() == Some("AccessDenied"))
        .then(|| explained(role, service.message().unwrap_or("AWS gave no message")))
}

fn explained(role: &str, message: &str) -> CtlError {
    let error = CtlError::new(ErrorKind::AccessDenied, doing(role))
        .coded("role-refused")
        .cause(format!("AccessDenied: {message}"));
    let principal = after(message, "User: ");
    let error = match principal {
        Some(principal) => error
            .cause(format!("`{principal}` may not assume it"))
            .hint(format!(
                "two policies must allow it: the role's trust policy must name `{}` as principal of `sts:AssumeRole`, and that principal's own policies must allow `sts:AssumeRole` on `{role}`",
                trusted(principal)
            )),
        None => error.hint(format!(
            "two policies must allow it: the role's trust policy must name the caller as principal of `sts:AssumeRole`, and the caller's own policies must allow `sts:AssumeRole` on `{role}`"
        )),
    };
    match role.split(':').nth(4) {
        Some(account) => error.hint(format!(
            "whom the role trusts is seen in account {account}: IAM, the role, trust relationships"
        )),
        None => error,
    }
}

/// The word behind `mark`.
fn after<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    let word = text.split_once(mark)?.1.split_whitespace().next()?;
    Some(word.trim_end_matches([',', '.']))
}

/// What a trust policy names: for a session, the role behind it.
fn trusted(principal: &str) -> String {
    let session = || {
        let (account, session) = principal.strip_prefix("arn:")?.split_once(":sts::")?;
        let (partition, (account, session)) = (account, session.split_once(":assumed-role/")?);
        let (role, _) = session.split_once('/')?;
        Some(format!("arn:{partition}:iam::{account}:role/{role}"))
    };
    session().unwrap_or_else(|| principal.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_role_principal_and_trust() {
        let role = "arn:aws:iam::444455556666:role/operator";
        let message = "User: arn:aws:sts::111122223333:assumed-role/ops/jo is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::444455556666:role/operator";
        let error = explained(role, message);
        assert_eq!(error.message(), format!("assume the role `{role}`"));
        assert_eq!(error.exit_status().code(), 4);
        assert!(
            error.causes()[1].starts_with("`arn:aws:sts::111122223333:assumed-role/ops/jo`"),
            "{error}"
        );
        assert!(
            error.hints()[0].contains("must name `arn:aws:iam::111122223333:role/ops`"),
            "{error:?}"
        );
        assert!(error.hints()[1].contains("account 444455556666"), "{error:?}");
        assert_eq!(after(message, "on resource: "), Some(role));
        assert_eq!(
            trusted("arn:aws:iam::111122223333:user/jo"),
            "arn:aws:iam::111122223333:user/jo"
        );
    }
}
