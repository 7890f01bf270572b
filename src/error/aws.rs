//! The one place that turns an `SdkError` into a kind, a sentence and a hint.

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::error::Error as StdError;

use super::{CtlError, ErrorKind};

/// Codes that mean "the credentials themselves are no good" over all services
/// (AWS docs: "Common error types"; IAM: "Troubleshoot expired credentials").
const CREDENTIAL_CODES: &[&str] = &[
    "ExpiredToken",
    "ExpiredTokenException",
    "RequestExpired",
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "InvalidAccessKeyId",
    "InvalidToken",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "AuthFailure",
    "IncompleteSignature",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
];

const DENIED_CODES: &[&str] = &[
    "AccessDenied",
    "AccessDeniedException",
    "UnauthorizedOperation",
    "NotAuthorized",
    "AuthorizationError",
];

const THROTTLE_CODES: &[&str] = &[
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "TooManyRequestsException",
    "SlowDown",
    "LimitExceededException",
];

/// An SDK error in the operator's words.
///
/// `doing` is a lowercase fragment that fits "failed to …", e.g. `describe service bp-backend`.
pub(crate) fn from_sdk<E>(doing: impl Into<String>, error: &SdkError<E, HttpResponse>) -> CtlError
where
    E: StdError + ProvideErrorMetadata + 'static,
{
    let doing = doing.into();
    match error {
        SdkError::ServiceError(service) => {
            let inner = service.err();
            let status = service.raw().status().as_u16();
            let code = inner.meta().code().unwrap_or("Unknown");
            let message = inner.meta().message().unwrap_or("AWS gave no message");
            let request_id = inner.meta().extra("aws_request_id").map(str::to_owned);
            if status >= 500 && !THROTTLE_CODES.contains(&code) {
                return broken_error(&doing, status, code, message, request_id.as_deref());
            }
            from_code(&doing, code, message, request_id.as_deref())
        }
        SdkError::TimeoutError(_) => unreachable_error(&doing, "no answer within the timeout", error),
        SdkError::DispatchFailure(failure) => {
            if failure.is_timeout() {
                return unreachable_error(&doing, "no answer within the timeout", error);
            }
            if let Some(connector) = failure.as_connector_error() {
                if is_about_credentials(connector) {
                    return credentials_error(&doing, &full_text(connector));
                }
                return unreachable_error(&doing, "the endpoint cannot be reached", error);
            }
            unreachable_error(&doing, "the request could not be sent", error)
        }
        SdkError::ResponseError(_) => CtlError::new(ErrorKind::Unexpected, doing)
            .source(error)
            .hint("if a proxy or an emulator sits between bpctl and AWS, check what it answers"),
        SdkError::ConstructionFailure(_) => {
            let text = full_text(error);
            if text.contains("region") {
                CtlError::config(doing)
                    .cause("no AWS region is set")
                    .hint("set `region` in the context, or AWS_REGION")
            } else {
                CtlError::new(ErrorKind::Unexpected, doing).source(error)
            }
        }
        other => {
            let text = full_text(other);
            if is_about_credentials(other) {
                credentials_error(&doing, &text)
            } else {
                CtlError::new(ErrorKind::Unexpected, doing).cause(text)
            }
        }
    }
}

/// An error that AWS itself answered with.
fn from_code(doing: &str, code: &str, message: &str, request_id: Option<&str>) -> CtlError {
    let cause = match request_id {
        Some(id) => format!("{code}: {message} (request {id})"),
        None => format!("{code}: {message}"),
    };
    let base = |kind| CtlError::new(kind, doing).cause(cause.clone());
    if code == "RequestExpired"
        || message.starts_with("Signature expired")
        || message.starts_with("Signature not yet current")
    {
        return base(ErrorKind::Credentials)
            .hint("AWS and this machine disagree about the time: set the machine's clock, then run the command again");
    }
    if CREDENTIAL_CODES.contains(&code) {
        return base(ErrorKind::Credentials).hint(
            "the credentials have expired or are invalid: sign in again with `aws sso login --profile <profile>`, or refresh AWS_* in the environment",
        );
    }
    if DENIED_CODES.contains(&code) {
        let error = base(ErrorKind::AccessDenied);
        return match missing_permission(message) {
            Some((action, Some(resource))) => error.hint(format!(
                "allow `{action}` on `{resource}` for this principal (see `bpctl whoami`)"
            )),
            Some((action, None)) => error.hint(format!(
                "allow `{action}` for this principal (see `bpctl whoami`)"
            )),
            None => error.hint("see which principal is used with `bpctl whoami`"),
        };
    }
    if THROTTLE_CODES.contains(&code) {
        return base(ErrorKind::Throttled)
            .hint("AWS is throttling this account's API calls: wait a minute and run the command again");
    }
    if is_not_found(code) {
        return base(ErrorKind::NotFound);
    }
    base(ErrorKind::Rejected)
}

/// A failure on the other side. Nobody knows whether the request was carried out, as with a lost answer.
fn broken_error(doing: &str, status: u16, code: &str, message: &str, request_id: Option<&str>) -> CtlError {
    let request = request_id
        .map(|id| format!(" (request {id})"))
        .unwrap_or_default();
    CtlError::new(ErrorKind::Unreachable, doing)
        .cause(format!("HTTP status {status}: {code}: {message}{request}"))
        .hint("the failure is on the other side: run the command again in a minute; if it lasts, see https://health.aws.amazon.com")
}

/// Whether credentials could not be had. Words alone do not tell: "No address associated with
/// hostname" has "sso" in it.
fn is_about_credentials(error: &(dyn StdError + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<CredentialsError>() || error.to_string().contains("credentials") {
            return true;
        }
        next = error.source();
    }
    false
}

fn is_not_found(code: &str) -> bool {
    code.contains("NotFound") || code == "NoSuchEntity" || code == "NoSuchKey"
}

fn credentials_error(doing: &str, text: &str) -> CtlError {
    let is_sso = text
        .split(|c: char| !c.is_ascii_alphanumeric())
        .any(|word| word.eq_ignore_ascii_case("sso"));
    let error = CtlError::new(ErrorKind::Credentials, doing).cause(text);
    if is_sso {
        error.hint("the SSO session is missing or has expired: run `aws sso login --profile <profile>`")
    } else {
        error.hint("no usable AWS credentials: set `profile` in the context, AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
    }
}

fn unreachable_error(doing: &str, what: &str, error: &(dyn StdError + 'static)) -> CtlError {
    CtlError::new(ErrorKind::Unreachable, doing)
        .cause(what)
        .source(error)
        .hint("check the network, the region and the endpoint with `bpctl config explain region` and `bpctl config explain endpoint-url`")
}

fn full_text(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text.push_str(": ");
        text.push_str(&error.to_string());
        next = error.source();
    }
    text
}

/// Action and resource from "User: … is not authorized to perform: ACTION on resource: RESOURCE because …"
/// (IAM User Guide, "Troubleshoot access denied error messages").
fn missing_permission(message: &str) -> Option<(String, Option<String>)> {
    let rest = message.split_once("not authorized to perform: ")?.1;
    let action = rest.split([' ', ',']).next()?.trim_end_matches('.').to_owned();
    let resource = rest
        .split_once("on resource: ")
        .and_then(|(_, tail)| tail.split_whitespace().next())
        .map(|resource| resource.trim_end_matches([',', '.']).to_owned());
    (!action.is_empty()).then_some((action, resource))
}

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::client::result::ConnectorError;

    use super::*;

    #[test]
    fn denied_names_action_and_resource() {
        let message = "User: arn:aws:sts::123456789012:assumed-role/ops/jo is not authorized to perform: ecs:RunTask on resource: arn:aws:ecs:us-east-1:123456789012:task-definition/bp-backend:7 because no identity-based policy allows the ecs:RunTask action";
        let error = from_code("start the task", "AccessDeniedException", message, Some("r-1"));
        assert_eq!(error.kind(), ErrorKind::AccessDenied);
        assert_eq!(
            error.hints(),
            [
                "allow `ecs:RunTask` on `arn:aws:ecs:us-east-1:123456789012:task-definition/bp-backend:7` for this principal (see `bpctl whoami`)"
            ]
        );
    }

    #[test]
    fn every_service_spells_expired_differently() {
        for code in [
            "ExpiredToken",
            "ExpiredTokenException",
            "UnrecognizedClientException",
            "InvalidClientTokenId",
        ] {
            assert_eq!(
                from_code("x", code, "m", None).kind(),
                ErrorKind::Credentials,
                "{code}"
            );
        }
    }

    #[test]
    fn throttling_is_recognised_in_both_spellings() {
        for code in ["Throttling", "ThrottlingException", "RequestLimitExceeded"] {
            assert_eq!(
                from_code("x", code, "m", None).kind(),
                ErrorKind::Throttled,
                "{code}"
            );
        }
    }

    #[test]
    fn a_name_that_does_not_resolve_is_not_about_credentials() {
        let dns = std::io::Error::other(
            "failed to lookup address information: No address associated with hostname",
        );
        let error: SdkError<aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityError, _> =
            SdkError::dispatch_failure(ConnectorError::io(dns.into()));
        assert_eq!(from_sdk("x", &error).kind(), ErrorKind::Unreachable);
        let none = CredentialsError::not_loaded("no credentials found in chain");
        let error: SdkError<aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityError, _> =
            SdkError::dispatch_failure(ConnectorError::other(none.into(), None));
        assert_eq!(from_sdk("x", &error).kind(), ErrorKind::Credentials);
    }

    #[test]
    fn a_wrong_clock_is_not_a_wrong_password() {
        let message = "Signature expired: 20260115T090000Z is now earlier than 20260115T091000Z";
        let error = from_code("x", "SignatureDoesNotMatch", message, None);
        assert!(error.hints()[0].contains("clock"), "{error:?}");
        let error = from_code(
            "x",
            "SignatureDoesNotMatch",
            "The request signature we calculated",
            None,
        );
        assert!(!error.hints()[0].contains("clock"), "{error:?}");
    }

    #[test]
    fn permission_without_resource() {
        assert_eq!(
            missing_permission("User: x is not authorized to perform: autoscaling:SetDesiredCapacity"),
            Some(("autoscaling:SetDesiredCapacity".to_owned(), None))
        );
        assert_eq!(missing_permission("nope"), None);
    }
}
