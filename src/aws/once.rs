//! Requests that must not be sent a second time unless AWS has refused the first.

use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};

/// For operations without a token that recognises a repetition: after a lost or unreadable answer, or a failure of
/// AWS itself, bpctl cannot know whether the request was carried out, and the SDK must not send it again. The caller
/// looks first. What AWS has refused, e.g. because there were too many requests, is repeated as always.
#[derive(Debug)]
pub(super) struct UnlessUnknown;

impl ClassifyRetry for UnlessUnknown {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let refused = || {
            let status = context.response().map(|response| response.status().as_u16());
            status.is_some_and(|status| status < 500)
        };
        match context.output_or_error() {
            Some(Err(error)) if error.is_operation_error() && refused() => RetryAction::NoActionIndicated,
            Some(Err(_)) => RetryAction::RetryForbidden,
            Some(Ok(_)) | None => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "UnlessUnknown"
    }
}
