//! Reasons of ECS in the operator's words, each with what to do about it.
//!
//! Sources: Amazon ECS Developer Guide, "Stopped tasks error messages", "CannotPullContainer task
//! errors" and "Resource initialization errors".

use crate::error::{CommandLine, Hint};

/// A reason that is understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Explained {
    /// A clause: "the image is not in the registry".
    pub(super) what: &'static str,
    /// The next command.
    pub(super) hint: Hint,
}

fn migrate() -> CommandLine {
    CommandLine::bpctl(["migrate"])
}

fn network_hint() -> Hint {
    Hint::from((
        "check that the task's subnets reach AWS: NAT gateway and routes, or VPC endpoints for ecr.api, ecr.dkr, s3, logs and secretsmanager;",
        migrate().args(["--dry-run"]),
        "shows the subnets and where they come from",
    ))
}

/// Why a task that never ran did not.
pub(super) fn of_start_failure(text: &str) -> Option<Explained> {
    let any = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
    if any(&["CannotPullContainer", "CannotPullImageManifest"]) {
        return Some(of_pull(text));
    }
    if any(&["ResourceInitializationError"]) {
        return Some(of_resources(text));
    }
    if any(&["InsufficientFreeAddressesInSubnet", "insufficient free addresses"]) {
        return Some(explained(
            "its subnet has no free addresses",
            "choose other subnets with `--subnets`, or stop what is not needed",
        ));
    }
    if any(&[
        "network interface",
        "Network Interface",
        "RESOURCE:ENI",
        "InvalidSubnetID",
        "InvalidGroup",
    ]) {
        return Some(explained(
            "it got no network interface",
            (
                "check subnets and security groups with",
                migrate().args(["--dry-run"]),
                ", then run it again",
            ),
        ));
    }
    if any(&["Capacity is unavailable", "capacity is unavailable", "RESOURCE:"]) {
        return Some(explained(
            "Fargate has no capacity at this time",
            (
                "wait some minutes and run",
                migrate(),
                "again, or choose subnets in other zones with `--subnets`",
            ),
        ));
    }
    if any(&[
        "CannotStartContainerError",
        "CannotCreateContainerError",
        "ContainerRuntimeError",
        "exec format error",
    ]) {
        return Some(explained(
            "the container could not be started",
            "check entry point, command and processor (linux/arm64) of the image",
        ));
    }
    any(&["OutOfMemory"]).then(|| explained("it ran out of memory", MEMORY_HINT))
}

fn explained(what: &'static str, hint: impl Into<Hint>) -> Explained {
    Explained {
        what,
        hint: hint.into(),
    }
}

/// Nothing answered from where the task stands.
fn is_unreachable(text: &str) -> bool {
    [
        "i/o timeout",
        "context deadline exceeded",
        "Client.Timeout",
        "connection refused",
        "request canceled while waiting for connection",
    ]
    .iter()
    .any(|part| text.contains(part))
}

fn is_denied(text: &str) -> bool {
    [
        "AccessDenied",
        "not authorized",
        "403 Forbidden",
        "pull access denied",
    ]
    .iter()
    .any(|part| text.contains(part))
}

fn of_pull(text: &str) -> Explained {
    let any = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
    if is_unreachable(text) {
        explained("the registry cannot be reached", network_hint())
    } else if any(&["toomanyrequests", "Too Many Requests"]) {
        explained(
            "the registry refuses more pulls for now",
            ("wait some minutes and run", migrate(), "again"),
        )
    } else if any(&["no space left on device"]) {
        explained(
            "the image does not fit on the task's disk",
            "make the image smaller or raise ephemeralStorage in the task definition",
        )
    } else if any(&["does not match the specified platform", "no matching manifest"]) {
        explained(
            "the image is for another processor",
            "build it for linux/arm64 and push it again",
        )
    } else if is_denied(text) {
        explained(
            "the execution role may not pull the image",
            "allow the task's execution role `ecr:BatchGetImage`, `ecr:GetDownloadUrlForLayer` and `ecr:GetAuthorizationToken`",
        )
    } else {
        explained(
            "the image is not in the registry",
            match image(text) {
                Some((repository, tag)) => Hint::new("look for the tag with")
                    .command(
                        CommandLine::aws("ecr", "describe-images")
                            .option("--repository-name", repository)
                            .option("--image-ids", format!("imageTag={tag}")),
                    )
                    .and(", push the image (workflow `deploy`), then run")
                    .command(migrate())
                    .and("again"),
                None => Hint::from(("push the image (workflow `deploy`), then run", migrate(), "again")),
            },
        )
    }
}

fn of_resources(text: &str) -> Explained {
    let has = |part: &str| text.contains(part);
    if is_unreachable(text) {
        explained(
            "secrets or registry cannot be reached from the task's subnets",
            network_hint(),
        )
    } else if is_denied(text) {
        explained(
            "the execution role may not read a secret",
            "allow the task's execution role `secretsmanager:GetSecretValue`, `ssm:GetParameters` and `kms:Decrypt` on what the task definition names",
        )
    } else if has("staging label") {
        explained(
            "a secret has no value",
            match secret(text) {
                Some(secret) => Hint::new("see its versions with")
                    .command(
                        CommandLine::aws("secretsmanager", "list-secret-version-ids")
                            .option("--secret-id", secret),
                    )
                    .and(", put a value, then run")
                    .command(migrate())
                    .and("again"),
                None => Hint::from(("put a value into the secret, then run", migrate(), "again")),
            },
        )
    } else if has("did not contain json key") {
        explained(
            "a secret lacks a key",
            ("complete the JSON in the secret, then run", migrate(), "again"),
        )
    } else if has("invalid ssm parameters") {
        explained(
            "an SSM parameter is missing",
            ("put the parameter, then run", migrate(), "again"),
        )
    } else if has("specified secret") {
        explained(
            "a secret does not exist",
            match secret(text) {
                Some(secret) => Hint::new("look for it with")
                    .command(
                        CommandLine::aws("secretsmanager", "describe-secret").option("--secret-id", secret),
                    )
                    .and(", create it, then run")
                    .command(migrate())
                    .and("again"),
                None => Hint::from(("create the secret, then run", migrate(), "again")),
            },
        )
    } else if has("logger") || has("log group does not exist") {
        explained(
            "its log group does not exist",
            (
                "deploy the compute stack, which makes the log group, then run",
                migrate(),
                "again",
            ),
        )
    } else {
        explained(
            "its secrets, registry or logs could not be prepared",
            ("look for the cause with", CommandLine::bpctl(["triage"])),
        )
    }
}

const MEMORY_HINT: &str =
    "raise the memory of the task definition, or let the migration work in smaller chunks";

/// What an exit code of a container means beyond the program's own business.
pub(super) fn of_exit_code(code: i32, reason: &str) -> Option<(&'static str, Hint)> {
    if reason.contains("OutOfMemory") {
        return Some(("the container ran out of memory", MEMORY_HINT.into()));
    }
    let told = |meaning, hint: &str| (meaning, Hint::new(hint));
    Some(match code {
        126 => told(
            "126: the command cannot be executed",
            "check the image: the program is not executable for linux/arm64",
        ),
        127 => told(
            "127: the command was not found",
            "check the image: the service runs an image without `php` or without a shell",
        ),
        134 => told("134: aborted (SIGABRT)", "read the last lines of the log above"),
        137 => told(
            "137: killed (SIGKILL), most often for lack of memory",
            MEMORY_HINT,
        ),
        139 => told(
            "139: segmentation fault (SIGSEGV)",
            "check the PHP extensions of the image",
        ),
        143 => (
            "143: terminated (SIGTERM)",
            Hint::from((
                "find out who stopped the task, then run",
                migrate(),
                "again: finished migrations are recorded",
            )),
        ),
        255 => told(
            "255: a PHP fatal error, most often while the application boots",
            "read the fatal error in the log above, mend it and deploy",
        ),
        _ => return None,
    })
}

/// Repository and tag of the ECR image that an error speaks of.
fn image(text: &str) -> Option<(&str, &str)> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_messages_are_understood() {
        for (message, what) in [
            (
                "CannotPullContainerError: pull image manifest has been retried 7 time(s): failed to resolve ref 123456789012.dkr.ecr.us-east-1.amazonaws.com/bp-backend:php-0af12cd: 123456789012.dkr.ecr.us-east-1.amazonaws.com/bp-backend:php-0af12cd: not found",
                "the image is not in the registry",
            ),
            (
                "CannotPullContainerError: ref pull has been retried 1 time(s): failed to copy: httpReadSeeker: failed open: unexpected status code https://123456789012.dkr.ecr.us-east-1.amazonaws.com/v2/x: 403 Forbidden",
                "the execution role may not pull the image",
            ),
            (
                "CannotPullContainerError: Error response from daemon: Get https://123456789012.dkr.ecr.us-east-1.amazonaws.com/v2/: net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)",
                "the registry cannot be reached",
            ),
            (
                "CannotPullContainerError: write /var/lib/docker/tmp/x: no space left on device",
                "the image does not fit on the task's disk",
            ),
            (
                "CannotPullContainerError: inspect image has been retried 1 time(s): image Manifest does not contain descriptor matching platform 'linux/arm64': no matching manifest",
                "the image is for another processor",
            ),
            (
                "CannotPullContainerError: toomanyrequests: Rate exceeded",
                "the registry refuses more pulls for now",
            ),
            (
                "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret arn:aws:secretsmanager:us-east-1:123456789012:secret:/bp/laravel/app-key from secrets manager: ResourceNotFoundException: Secrets Manager can't find the specified secret value for staging label: AWSCURRENT, status code: 400, request id: x",
                "a secret has no value",
            ),
            (
                "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret arn:aws:secretsmanager:us-east-1:123456789012:secret:/bp/x from secrets manager: ResourceNotFoundException: Secrets Manager can't find the specified secret., status code: 400",
                "a secret does not exist",
            ),
            (
                "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secrets from ssm: service call has been retried 1 time(s): invalid ssm parameters: /bp/x",
                "an SSM parameter is missing",
            ),
            (
                "ResourceInitializationError: unable to pull secrets or registry auth: pull command failed: : signal: killed: AccessDeniedException: User: arn:aws:sts::1:assumed-role/x is not authorized to perform: secretsmanager:GetSecretValue",
                "the execution role may not read a secret",
            ),
            (
                "ResourceInitializationError: unable to pull secrets or registry auth: RequestError: send request failed caused by: Post \"https://api.ecr.us-east-1.amazonaws.com/\": dial tcp 1.2.3.4:443: i/o timeout",
                "secrets or registry cannot be reached from the task's subnets",
            ),
            (
                "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist.",
                "its log group does not exist",
            ),
            (
                "Timeout waiting for network interface provisioning to complete.",
                "it got no network interface",
            ),
            (
                "Unexpected EC2 error while attempting to Create Network Interface with public IP assignment disabled in subnet 'subnet-1': InsufficientFreeAddressesInSubnet",
                "its subnet has no free addresses",
            ),
            (
                "Capacity is unavailable at this time. Please try again later or in a different availability zone",
                "Fargate has no capacity at this time",
            ),
            (
                "CannotStartContainerError: ResourceInitializationErr: unable to create new container: exec format error",
                "the container could not be started",
            ),
        ] {
            let explained = of_start_failure(message).unwrap_or_else(|| panic!("{message}"));
            assert_eq!(explained.what, what, "{message}");
            assert!(explained.hint.to_string().len() > 20, "{message}");
        }
        assert_eq!(of_start_failure("Task failed ELB health checks"), None);
    }

    #[test]
    fn hints_name_the_thing() {
        let pull = "CannotPullContainerError: failed to resolve ref 1.dkr.ecr.us-east-1.amazonaws.com/bp-backend:php-0af: not found";
        let hint = of_start_failure(pull).unwrap().hint.to_string();
        assert!(
            hint.contains("--repository-name bp-backend --image-ids imageTag=php-0af`"),
            "{hint}"
        );
        let secret = "ResourceInitializationError: failed to fetch secret arn:aws:secretsmanager:us-east-1:123456789012:secret:/bp/laravel/app-key from secrets manager: can't find the specified secret value for staging label: AWSCURRENT";
        let hint = of_start_failure(secret).unwrap().hint.to_string();
        assert!(
            hint.contains(
                "--secret-id arn:aws:secretsmanager:us-east-1:123456789012:secret:/bp/laravel/app-key`"
            ),
            "{hint}"
        );
    }

    #[test]
    fn nothing_from_a_message_reaches_a_command_line_unchecked() {
        assert_eq!(image("x.amazonaws.com/a;rm -rf:b"), None);
        assert_eq!(image("x.amazonaws.com/bp-backend:$(id)"), None);
        assert_eq!(
            image("x.amazonaws.com/bp-backend:php-1: not found"),
            Some(("bp-backend", "php-1"))
        );
    }

    #[test]
    fn memory_beats_the_number() {
        let (meaning, _) =
            of_exit_code(137, "OutOfMemoryError: Container killed due to memory usage").unwrap();
        assert_eq!(meaning, "the container ran out of memory");
        assert!(of_exit_code(137, "").unwrap().0.starts_with("137"));
        assert_eq!(of_exit_code(3, ""), None);
    }
}
