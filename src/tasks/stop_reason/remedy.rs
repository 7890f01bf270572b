//! What to do about the cause that a message names.

use super::StopReason;
use crate::error::{CommandLine, Hint};

const MEMORY: &str = "raise the memory of the task definition, or let the command work in smaller portions";

/// What to do next about a task that did not start; `again` is the command that started it.
#[expect(clippy::too_many_lines, reason = "one arm a cause, and no arm for the rest")]
pub(crate) fn remedy(reason: StopReason, text: &str, again: &CommandLine) -> Hint {
    let and_again = |doing: &str| Hint::from((format!("{doing}, then run"), again.clone(), "again"));
    let later = |doing: &str| Hint::from((format!("{doing} and run"), again.clone(), "again"));
    match reason {
        StopReason::ImageMissing => match image(text) {
            Some((repository, tag)) => Hint::new("look for the tag with")
                .command(
                    CommandLine::aws("ecr", "describe-images")
                        .option("--repository-name", repository)
                        .option("--image-ids", format!("imageTag={tag}")),
                )
                .and(", push the image (workflow `deploy`), then run")
                .command(again.clone())
                .and("again"),
            None => and_again("push the image (workflow `deploy`)"),
        },
        StopReason::ImageMissingOrDenied => {
            and_again("check the image's name, and whether its registry wants a login")
        }
        StopReason::ImageDenied => allow(
            text,
            "`ecr:BatchGetImage`, `ecr:GetDownloadUrlForLayer` and `ecr:GetAuthorizationToken`",
        ),
        StopReason::RegistryLogin => allow(text, "`ecr:GetAuthorizationToken`"),
        StopReason::RegistryName | StopReason::SecretsName => names(again),
        StopReason::RegistryUnreachable | StopReason::SecretsUnreachable | StopReason::LoggerUnreachable => {
            network(again)
        }
        StopReason::PullBrokenOff => and_again(
            "the connection to the registry or the start itself was broken off: look at the other tasks of this time",
        ),
        StopReason::OtherProcessor => {
            Hint::new("build the image for the task definition's platform (linux/arm64) and push it again")
        }
        StopReason::MixedCompression => Hint::new(
            "build the image again with one compression for all layers (no mix of gzip and zstd) and push it",
        ),
        StopReason::RateLimit | StopReason::Internal => later("wait some minutes"),
        StopReason::DiskFull => {
            Hint::new("make the image smaller or raise ephemeralStorage in the task definition")
        }
        StopReason::SecretMissing => with_secret(
            text,
            "look for it with",
            "describe-secret",
            "create the secret",
            again,
        ),
        StopReason::SecretDeleted => with_secret(
            text,
            "see since when with",
            "describe-secret",
            "restore the secret",
            again,
        ),
        StopReason::SecretEmpty => with_secret(
            text,
            "see its versions with",
            "list-secret-version-ids",
            "put a value into the secret",
            again,
        ),
        StopReason::SecretDenied => allow(
            text,
            "`secretsmanager:GetSecretValue`, `ssm:GetParameters` and `kms:Decrypt` on what the task definition names",
        ),
        StopReason::SecretNoJson => and_again(
            "put the JSON that the task definition wants a key of into the secret, which may still hold its placeholder",
        ),
        StopReason::SecretKeyMissing => and_again("complete the JSON in the secret"),
        StopReason::ParameterMissing => and_again("put the parameter"),
        StopReason::LogGroupMissing => and_again(
            "deploy the compute stack, which makes the log group (or correct `awslogs-group` and `awslogs-region`)",
        ),
        StopReason::LoggerDenied => allow(text, "`logs:CreateLogStream` and `logs:PutLogEvents`"),
        StopReason::LoggerName => Hint::from((
            "check `awslogs-region` in the task definition and that the VPC resolves names;",
            dry_run(again),
            "shows the subnets",
        )),
        StopReason::LoggerRegion => and_again("correct `awslogs-region` in the task definition"),
        StopReason::SubnetFull => {
            Hint::new("choose other subnets with `--subnets`, or stop what is not needed")
        }
        StopReason::NetworkInterface => Hint::from((
            "check subnets and security groups with",
            dry_run(again),
            ", then run it again",
        )),
        StopReason::NoCapacity => Hint::from((
            "wait some minutes and run",
            again.clone(),
            "again, or choose subnets in other zones with `--subnets`",
        )),
        StopReason::Quota => Hint::from((
            "waiting does not help: see the quotas with",
            CommandLine::aws("service-quotas", "list-service-quotas").option("--service-code", "fargate"),
            ", stop what is not needed or ask for more",
        )),
        StopReason::ContainerNotStarted => {
            Hint::new("check entry point, command and processor (linux/arm64) of the image")
        }
        StopReason::OutOfMemory => Hint::new(MEMORY),
        StopReason::RoleDenied => allow(text, "what the message names"),
        StopReason::VolumeFailed => Hint::new("check the volume and its network path in the task definition"),
        StopReason::PullFailed | StopReason::LoggerFailed | StopReason::ResourcesFailed => {
            Hint::from(("look for the cause with", CommandLine::bpctl(["triage"])))
        }
    }
}

fn dry_run(again: &CommandLine) -> CommandLine {
    again.clone().args(["--dry-run"])
}

fn network(again: &CommandLine) -> Hint {
    Hint::from((
        "check that the task's subnets reach AWS: NAT gateway and routes, or VPC endpoints for ecr.api, ecr.dkr, s3, logs and secretsmanager;",
        dry_run(again),
        "shows the subnets and where they come from",
    ))
}

fn names(again: &CommandLine) -> Hint {
    Hint::from((
        "check that the VPC resolves names (enableDnsSupport, its DHCP options) and the private names of its endpoints;",
        dry_run(again),
        "shows the subnets",
    ))
}

/// The permission that the message names, else the usual ones.
fn allow(text: &str, usual: &str) -> Hint {
    match action(text) {
        Some(action) => Hint::new(format!("allow the task's execution role `{action}`")),
        None => Hint::new(format!("allow the task's execution role {usual}")),
    }
}

fn with_secret(text: &str, look: &str, operation: &str, then: &str, again: &CommandLine) -> Hint {
    match secret(text) {
        Some(secret) => Hint::new(look)
            .command(CommandLine::aws("secretsmanager", operation).option("--secret-id", secret))
            .and(format!(", {then}, then run"))
            .command(again.clone())
            .and("again"),
        None => Hint::from((format!("{then}, then run"), again.clone(), "again")),
    }
}

/// The action in "is not authorized to perform: logs:CreateLogStream on resource".
fn action(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("not authorized to perform: ")?;
    let end = rest
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, ':' | '-')))
        .unwrap_or(rest.len());
    let action = rest[..end].trim_end_matches(':');
    action.contains(':').then_some(action)
}

/// Repository and tag of the ECR image that an error speaks of.
pub(super) fn image(text: &str) -> Option<(&str, &str)> {
    let (_, rest) = text.split_once(".amazonaws.com/")?;
    let end = rest
        .find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ','))
        .unwrap_or(rest.len());
    let (repository, tag) = rest[..end].trim_end_matches([':', '.']).split_once(':')?;
    let is_word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/'))
    };
    (is_word(repository) && is_word(tag)).then_some((repository, tag))
}

/// The ARN of the secret that an error speaks of, without the key, stage and version that a task
/// definition's reference may have behind it.
fn secret(text: &str) -> Option<String> {
    let start = text.find("arn:aws:secretsmanager:")?;
    let rest = &text[start..];
    let end = rest
        .find(|c: char| !(c.is_ascii_alphanumeric() || "/_+=.@:-".contains(c)))
        .unwrap_or(rest.len());
    let parts: Vec<&str> = rest[..end]
        .trim_end_matches([':', '.'])
        .split(':')
        .take(7)
        .collect();
    (parts.len() == 7).then(|| parts.join(":"))
}
