//! The one place that turns an `SdkError` into a kind, a sentence and a hint.

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::error::Error as StdError;

use schemars::JsonSchema;
use serde::Serialize;

use super::{CommandLine, CtlError, ErrorKind, Hint, SignIn};

/// Codes that mean "the credentials themselves are no good" over all services
/// (AWS docs: "Common error types"; IAM: "Troubleshoot expired credentials").
const CREDENTIAL_CODES: &[&str] = &[
    "ExpiredToken",
    "ExpiredTokenException",
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

/// Codes that mean "AWS and this machine disagree about the time" (EC2 API Reference, "Error codes":
/// `RequestExpired`; S3 API Reference, "Error responses": `RequestTimeTooSkewed`).
const CLOCK_CODES: &[&str] = &["RequestExpired", "RequestTimeTooSkewed"];

const THROTTLE_CODES: &[&str] = &[
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "TooManyRequestsException",
    "SlowDown",
    "BandwidthLimitExceeded",
    "PriorRequestNotComplete",
];

/// What AWS answered instead of the result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Reply {
    /// AWS' own code, e.g. `AccessDeniedException`.
    pub(crate) code: String,
    /// The code of another service, which AWS quotes in the message, e.g. `InvalidSubnetID.NotFound` of EC2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) inner_code: Option<String>,
    pub(crate) message: String,
    pub(crate) http_status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) request_id: Option<String>,
}

impl Reply {
    fn new(code: &str, message: &str, http_status: u16, request_id: Option<&str>) -> Self {
        Self {
            code: code.to_owned(),
            inner_code: inner_code(message).map(str::to_owned),
            message: message.to_owned(),
            http_status,
            request_id: request_id.map(str::to_owned),
        }
    }

    /// `code: message (request id)`.
    fn sentence(&self) -> String {
        let request = self.request_id.as_ref();
        let request = request.map(|id| format!(" (request {id})")).unwrap_or_default();
        format!("{}: {}{request}", self.code, self.message)
    }

    /// Whether the code, or the one quoted in the message, is `code` or a special case of it
    /// (`InvalidGroup.NotFound` is one of `InvalidGroup`).
    pub(crate) fn is(&self, code: &str) -> bool {
        let matches = |found: &str| {
            found
                .strip_prefix(code)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        matches(&self.code) || self.inner_code.as_deref().is_some_and(matches)
    }
}

/// ECS quotes EC2's codes as `(ErrorCode: InvalidSubnetID.NotFound)`.
fn inner_code(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("(ErrorCode: ")?;
    let (code, _) = rest.split_once(')')?;
    let is_code = !code.is_empty() && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.');
    is_code.then_some(code)
}

/// Whether a code says that a quota of the account is used up. Such a code is no throttling, whatever
/// it sounds like: CloudFormation and CloudWatch Logs call theirs `LimitExceededException`, Auto Scaling
/// `LimitExceeded`, EC2 `VcpuLimitExceeded`, RDS `SnapshotQuotaExceeded`
/// (API references of these services, "Errors").
fn is_quota(code: &str) -> bool {
    !THROTTLE_CODES.contains(&code) && (code.contains("LimitExceeded") || code.contains("QuotaExceeded"))
}

/// An SDK error in the operator's words.
///
/// `doing` is a lowercase fragment that fits "failed to …", e.g. `describe service bp-backend`.
pub(crate) fn from_sdk<E>(doing: impl Into<String>, error: &SdkError<E, HttpResponse>) -> CtlError
where
    E: StdError + ProvideErrorMetadata + 'static,
{
    let doing = doing.into();
    if let Some(told) = told(error) {
        return told.clone().context(doing);
    }
    match error {
        SdkError::ServiceError(service) => {
            let inner = service.err();
            let status = service.raw().status().as_u16();
            if inner.meta().code().is_none() && status < 500 {
                return no_answer_of_aws(doing, status);
            }
            let code = inner.meta().code().unwrap_or("Unknown");
            let message = inner.meta().message().unwrap_or("AWS gave no message");
            let request_id = inner.meta().extra("aws_request_id");
            from_reply(&doing, Reply::new(code, message, status, request_id))
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
        SdkError::ResponseError(response) => {
            tracing::debug!(error = full_text(error), "the answer cannot be read");
            let body = response.raw().body().bytes();
            if body.is_none_or(is_cut_off_json) || says_cut_off(error) {
                not_whole(doing)
            } else {
                no_answer_of_aws(doing, response.raw().status().as_u16())
            }
        }
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

/// An answer ends too early.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the answer is not whole: it ends before it is complete")]
pub(crate) struct CutOff;

/// Whether a reader of the answer found the answer cut off.
fn says_cut_off(error: &(dyn StdError + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<CutOff>() {
            return true;
        }
        next = error.source();
    }
    false
}

fn is_cut_off_json(body: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(body).is_err_and(|error| error.is_eof())
}

fn not_whole(doing: String) -> CtlError {
    CtlError::new(ErrorKind::Unexpected, doing)
        .cause(CutOff.to_string())
        .hint("if a proxy or an emulator sits between bpctl and AWS, check what it answers")
}

/// A successful answer that bpctl reads itself and that is no JSON.
pub(crate) fn unreadable_json(doing: String, body: &[u8], error: &serde_json::Error) -> CtlError {
    tracing::debug!(%error, "the answer cannot be read");
    if is_cut_off_json(body) {
        not_whole(doing)
    } else {
        no_answer_of_aws(doing, 200)
    }
}

/// An error that carries no code is none of AWS': something in between has answered. Whether the request was
/// carried out is not known.
fn no_answer_of_aws(doing: String, status: u16) -> CtlError {
    CtlError::new(ErrorKind::Unexpected, doing)
        .cause(format!("the answer (HTTP status {status}) is not one of AWS"))
        .hint((
            "a proxy, a captive portal or another service may have answered: check the endpoint with",
            CommandLine::bpctl(["whoami"]),
        ))
}

/// An error that AWS itself answered with.
fn from_reply(doing: &str, reply: Reply) -> CtlError {
    let code = reply.code.as_str();
    let message = reply.message.as_str();
    let throttled = THROTTLE_CODES.contains(&code);
    if reply.http_status >= 500 && !throttled {
        // It is not known whether the request was carried out, as with a lost answer.
        return CtlError::new(ErrorKind::Unreachable, doing)
            .cause(format!("HTTP status {}: {}", reply.http_status, reply.sentence()))
            .hint("the failure is on the other side: run the command again in a minute; if it lasts, see https://health.aws.amazon.com")
            .replied(reply);
    }
    let base = |kind| CtlError::new(kind, doing).cause(reply.sentence());
    let error = if CLOCK_CODES.contains(&code)
        || message.starts_with("Signature expired")
        || message.starts_with("Signature not yet current")
    {
        base(ErrorKind::Credentials)
            .coded("clock-skew")
            .hint("AWS and this machine disagree about the time: set the machine's clock, then run the command again")
    } else if CREDENTIAL_CODES.contains(&code) {
        base(ErrorKind::Credentials).needs_sign_in(SignIn::Unknown)
    } else if DENIED_CODES.contains(&code) {
        let denied = base(ErrorKind::AccessDenied);
        let whoami = CommandLine::bpctl(["whoami"]);
        match missing_permission(message) {
            Some((action, Some(resource))) => denied.hint((
                format!("allow `{action}` on `{resource}` for this principal (see"),
                whoami,
                ")",
            )),
            Some((action, None)) => {
                denied.hint((format!("allow `{action}` for this principal (see"), whoami, ")"))
            }
            None => denied.hint(("see which principal is used with", whoami)),
        }
    } else if throttled {
        base(ErrorKind::Throttled)
            .hint("AWS is throttling this account's API calls: wait a minute and run the command again")
    } else if is_quota(code) {
        base(ErrorKind::Quota)
            .hint("a quota of this account is used up: free some of it, or ask for more in the Service Quotas console")
    } else if is_not_found(code) {
        base(ErrorKind::NotFound)
    } else {
        base(ErrorKind::Rejected)
    };
    error.replied(reply)
}

/// Whether credentials could not be had. The type tells, words do not: "No address associated with
/// hostname" has "sso" in it.
fn is_about_credentials(error: &(dyn StdError + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<CredentialsError>() {
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
    CtlError::new(ErrorKind::Credentials, doing)
        .cause(text)
        .needs_sign_in(SignIn::Unknown)
}

/// What bpctl's own provider of credentials said, wherever the SDK put it.
fn told<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a CtlError> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(told) = error.downcast_ref::<CtlError>() {
            return Some(told);
        }
        next = error.source();
    }
    None
}

fn unreachable_error(doing: &str, what: &str, error: &(dyn StdError + 'static)) -> CtlError {
    CtlError::new(ErrorKind::Unreachable, doing)
        .cause(what)
        .source(error)
        .hint(
            Hint::new("check the network, the region and the endpoint with")
                .command(CommandLine::bpctl(["config", "explain", "region"]))
                .and("and")
                .command(CommandLine::bpctl(["config", "explain", "endpoint-url"])),
        )
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

    fn from_code(code: &str, message: &str) -> CtlError {
        from_reply("x", Reply::new(code, message, 400, None))
    }

    #[test]
    fn a_used_up_quota_is_no_throttling() {
        for code in [
            "LimitExceeded",
            "LimitExceededException",
            "VcpuLimitExceeded",
            "SnapshotQuotaExceeded",
            "ServiceQuotaExceededException",
        ] {
            let error = from_code(code, "m");
            assert_eq!(error.kind(), ErrorKind::Quota, "{code}");
            assert!(!error.hints()[0].contains("wait a minute"), "{code}");
        }
        for code in ["RequestLimitExceeded", "BandwidthLimitExceeded"] {
            assert_eq!(from_code(code, "m").kind(), ErrorKind::Throttled, "{code}");
        }
    }

    #[test]
    fn clocks_that_disagree_are_told_apart_from_bad_credentials() {
        for (code, message) in [
            ("RequestExpired", "Request has expired."),
            (
                "RequestTimeTooSkewed",
                "The difference between the request time and the current time is too large.",
            ),
            (
                "SignatureDoesNotMatch",
                "Signature expired: 20260115T080000Z is now earlier than 20260115T085500Z",
            ),
        ] {
            let error = from_code(code, message);
            assert_eq!(error.kind(), ErrorKind::Credentials, "{code}");
            assert!(error.hints()[0].contains("set the machine's clock"), "{code}");
        }
        assert!(
            from_code("SignatureDoesNotMatch", "m")
                .hints()
                .iter()
                .all(|hint| !hint.contains("clock"))
        );
    }

    #[test]
    fn what_aws_answered_is_kept_in_fields() {
        let message = "Error retrieving subnet information for [subnet-1]: The subnet ID 'subnet-1' does not exist (ErrorCode: InvalidSubnetID.NotFound)";
        let reply = Reply::new("InvalidParameterException", message, 400, Some("r-1"));
        let error = from_reply("start the task", reply);
        let reply = error.reply().unwrap();
        assert_eq!(
            (reply.http_status, reply.request_id.as_deref()),
            (400, Some("r-1"))
        );
        assert!(reply.is("InvalidParameterException") && reply.is("InvalidSubnetID"));
        assert!(!reply.is("InvalidSubnet") && !reply.is("InvalidGroup"));
        assert_eq!(inner_code("no such thing (ErrorCode: a b)"), None);
    }

    #[test]
    fn denied_names_action_and_resource() {
        let message = "User: arn:aws:sts::123456789012:assumed-role/ops/jo is not authorized to perform: ecs:RunTask on resource: arn:aws:ecs:us-east-1:123456789012:task-definition/bp-backend:7 because no identity-based policy allows the ecs:RunTask action";
        let error = from_reply(
            "start the task",
            Reply::new("AccessDeniedException", message, 400, Some("r-1")),
        );
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
            assert_eq!(from_code(code, "m").kind(), ErrorKind::Credentials, "{code}");
        }
    }

    #[test]
    fn throttling_is_recognised_in_both_spellings() {
        for code in ["Throttling", "ThrottlingException", "RequestLimitExceeded"] {
            assert_eq!(from_code(code, "m").kind(), ErrorKind::Throttled, "{code}");
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
        let error = from_code("SignatureDoesNotMatch", message);
        assert!(error.hints()[0].contains("clock"), "{error:?}");
        let error = from_code("SignatureDoesNotMatch", "The request signature we calculated");
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
