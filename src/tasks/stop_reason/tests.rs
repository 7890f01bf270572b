//! Messages as ECS gives them, from AWS' pages and from public reports.

use super::*;
use crate::error::CommandLine;

fn again() -> CommandLine {
    CommandLine::bpctl(["migrate"])
}

fn hint(text: &str) -> String {
    remedy(recognize(text).unwrap(), text, &again()).to_string()
}

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
        let reason = recognize(message).unwrap_or_else(|| panic!("{message}"));
        assert_eq!(reason.what(), what, "{message}");
        assert!(hint(message).len() > 20, "{message}");
    }
    assert_eq!(recognize("Task failed ELB health checks"), None);
}

/// Each message names one cause; those of its neighbours are not claimed.
#[test]
#[expect(clippy::too_many_lines, reason = "one row a message")]
fn a_cause_is_claimed_only_where_the_message_says_it() {
    const LOGGER: &str = "ResourceInitializationError: failed to validate logger args: ";
    const SECRETS: &str = "ResourceInitializationError: unable to pull secrets or registry auth: ";
    const SECRETS_FETCH: &str = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm: service call has been retried 1 time(s): ";
    const PULL: &str = "CannotPullContainerError: ";
    for (beginning, end, expected) in [
        (
            LOGGER,
            "The task cannot find the Amazon CloudWatch log group defined in the task definition. There is a connection issue between the task and Amazon CloudWatch. Check your network configuration. : signal: killed",
            StopReason::LoggerUnreachable,
        ),
        (
            LOGGER,
            "create stream has been retried 1 times: failed to create Cloudwatch log stream: AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/exec/0a1b is not authorized to perform: logs:CreateLogStream on resource: x : exit status 1",
            StopReason::LoggerDenied,
        ),
        (
            LOGGER,
            "create stream has been retried 7 times: failed to create Cloudwatch log stream: RequestError: send request failed caused by: Post \"https://logs.undefined.amazonaws.com/\": dial tcp: lookup logs.undefined.amazonaws.com on 172.31.0.2:53: no such host : exit status 1",
            StopReason::LoggerName,
        ),
        (
            LOGGER,
            "create stream has been retried 1 times: failed to create Cloudwatch log stream: MissingEndpoint: 'Endpoint' configuration is required for this service : exit status 1",
            StopReason::LoggerRegion,
        ),
        (LOGGER, ": signal: killed", StopReason::LoggerFailed),
        (
            SECRETS,
            "execution resource retrieval failed: unable to retrieve ecr registry auth: service call has been retried 1 time(s): AccessDeniedException: User: x is not authorized to perform: ecr:GetAuthorizationToken on resource: *",
            StopReason::RegistryLogin,
        ),
        (
            SECRETS,
            "execution resource retrieval failed: unable to retrieve ecr registry auth: service call has been retried 3 time(s): RequestError: send request failed caused by: Post \"https://api.ecr.us-east-1.amazonaws.com/\": dial tcp: lookup api.ecr.us-east-1.amazonaws.com on 10.0.0.2:53: no such host",
            StopReason::SecretsName,
        ),
        (
            SECRETS,
            "execution resource retrieval failed: unable to retrieve secret from asm: service call has been retried 1 time(s): AccessDeniedException: User: x is not authorized to perform: secretsmanager:GetSecretValue on resource: y",
            StopReason::SecretDenied,
        ),
        (
            SECRETS_FETCH,
            "InvalidRequestException: You can't perform this operation on the secret because it was marked for deletion.",
            StopReason::SecretDeleted,
        ),
        (
            SECRETS_FETCH,
            "retrieved secret from Secrets Manager did not contain json key client_id",
            StopReason::SecretKeyMissing,
        ),
        (
            SECRETS_FETCH,
            "invalid character 'R' looking for beginning of value",
            StopReason::SecretNoJson,
        ),
        (
            SECRETS,
            "pull command failed: : signal: killed",
            StopReason::ResourcesFailed,
        ),
        (
            "ResourceInitializationError: ",
            "failed to invoke EFS utils commands to set up EFS volumes: stderr: mount.nfs4: Connection reset by peer : unsuccessful EFS utils command execution",
            StopReason::VolumeFailed,
        ),
        (
            PULL,
            "ref pull has been retried 5 time(s): failed to extract layer sha256:aa: context canceled",
            StopReason::PullBrokenOff,
        ),
        (
            PULL,
            "ref pull has been retried 1 time(s): number of layers and diffIDs don't match: 3 != 15",
            StopReason::MixedCompression,
        ),
        (
            PULL,
            "pull image manifest has been retried 1 time(s): image Manifest does not contain descriptor matching platform 'linux/arm64'.",
            StopReason::OtherProcessor,
        ),
        (
            PULL,
            "pull image manifest has been retried 5 time(s): failed to resolve ref 1.dkr.ecr.us-east-1.amazonaws.com/bp-backend:php-latest: failed to do request: Head: dial tcp: lookup 1.dkr.ecr.us-east-1.amazonaws.com on 10.0.0.2:53: no such host",
            StopReason::RegistryName,
        ),
        (
            PULL,
            "pull access denied for x, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed",
            StopReason::ImageMissingOrDenied,
        ),
        (
            PULL,
            "Error response from daemon: something that nobody has seen",
            StopReason::PullFailed,
        ),
        (
            "",
            "You've reached the limit on the number of vCPUs you can run concurrently",
            StopReason::Quota,
        ),
        (
            "",
            "Unexpected EC2 error while attempting to create network interface in subnet 'subnet-1': NetworkInterfaceLimitExceeded",
            StopReason::Quota,
        ),
        ("", "InternalError: unable to run the task", StopReason::Internal),
    ] {
        let text = format!("{beginning}{end}");
        assert_eq!(recognize(&text), Some(expected), "{text}");
    }
}

#[test]
fn hints_name_the_thing() {
    let pull = "CannotPullContainerError: failed to resolve ref 1.dkr.ecr.us-east-1.amazonaws.com/bp-backend:php-0af: not found";
    assert!(
        hint(pull).contains("--repository-name bp-backend --image-ids imageTag=php-0af`"),
        "{}",
        hint(pull)
    );
    let secret = "ResourceInitializationError: failed to fetch secret arn:aws:secretsmanager:us-east-1:123456789012:secret:/bp/laravel/app-key from secrets manager: can't find the specified secret value for staging label: AWSCURRENT";
    assert!(
        hint(secret).contains(
            "--secret-id arn:aws:secretsmanager:us-east-1:123456789012:secret:/bp/laravel/app-key`"
        ),
        "{}",
        hint(secret)
    );
    let denied = "ResourceInitializationError: failed to validate logger args: AccessDeniedException: User: x is not authorized to perform: logs:CreateLogStream on resource: y";
    assert_eq!(
        hint(denied),
        "allow the task's execution role `logs:CreateLogStream`"
    );
    let unreachable = "ResourceInitializationError: failed to validate logger args: There is a connection issue between the task and Amazon CloudWatch.";
    assert!(hint(unreachable).contains("`bpctl migrate --dry-run`"));
}

#[test]
fn nothing_from_a_message_reaches_a_command_line_unchecked() {
    let image = super::remedy::image;
    assert_eq!(image("x.amazonaws.com/a;rm -rf:b"), None);
    assert_eq!(image("x.amazonaws.com/bp-backend:$(id)"), None);
    assert_eq!(
        image("x.amazonaws.com/bp-backend:php-1: not found"),
        Some(("bp-backend", "php-1"))
    );
    let denied =
        "ResourceInitializationError: ssm: AccessDeniedException: not authorized to perform: $(id) on x";
    assert!(!hint(denied).contains("$(id)"));
}

#[test]
fn memory_is_named_only_with_ecs_own_word() {
    let (meaning, _) = of_exit_code(
        137,
        "OutOfMemoryError: Container killed due to memory usage",
        &again(),
    )
    .unwrap();
    assert_eq!(meaning, "the container ran out of memory");
    let (meaning, hint) = of_exit_code(137, "", &again()).unwrap();
    assert_eq!(
        meaning,
        "137: killed (SIGKILL); ECS does not say that memory ran out"
    );
    assert!(!hint.contains("raise the memory"));
    assert_eq!(of_exit_code(3, "", &again()), None);
}
