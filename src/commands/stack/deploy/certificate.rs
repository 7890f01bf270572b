//! The certificate that a deployment gives to the load balancer, looked at before anything is made.

use super::synth::{Context, wrong};
use crate::aws::Aws;
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};
use crate::stacks::covers;

/// Looks whether the certificate of `-c certificateArn=` is issued and stands for `-c domainName=`: CloudFormation would
/// find out on the way, and roll back. What could not be looked at is the answer.
///
/// # Errors
/// A certificate that is not there, not issued, or stands for other names.
pub(super) async fn check(aws: &Aws, context: &Context) -> Result<Option<String>> {
    let given = |key: &str| context.get(key).filter(|value| !value.is_empty());
    let (Some(arn), Some(domain)) = (given("certificateArn"), given("domainName")) else {
        return Ok(None);
    };
    let status = || CommandLine::bpctl(["domain", "status", domain]);
    let found = match aws.certificate(arn).await {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::AccessDenied => {
            return Ok(Some(format!(
                "whether the certificate of {domain} is issued could not be looked at: {error}"
            )));
        }
        Err(error) => return Err(error),
    };
    let Some(found) = found else {
        return Err(CtlError::new(
            ErrorKind::NotFound,
            format!("deploy the stacks: there is no certificate `{arn}` in this account"),
        )
        .hint(Hint::new("see those for the name with").command(status())));
    };
    if !covers(&found.names, domain) {
        return Err(wrong(format!(
            "the certificate stands for {}, not for `{domain}`",
            found.names.join(", ")
        ))
        .hint(Hint::new("see those for the name with").command(status())));
    }
    if !found.is_issued() {
        return Err(CtlError::new(
            ErrorKind::Failed,
            format!(
                "deploy the stacks: the certificate of `{domain}` is {}, not ISSUED",
                found.status
            ),
        )
        .hint(Hint::new("see what it waits for with").command(status())));
    }
    Ok(None)
}
