//! From ECS' words to the cause that they name.

use super::StopReason;

/// The cause that a message names; `None` when it is about no start, or in words that are not known.
pub(crate) fn recognize(text: &str) -> Option<StopReason> {
    let says = |parts: &[&str]| says(text, parts);
    if says(&[
        "CannotPullContainer",
        "CannotPullImageManifest",
        "CannotPullECRContainer",
    ]) {
        return Some(pull(text));
    }
    if says(&["ResourceInitializationError"]) {
        return Some(resources(text));
    }
    if says(&["InsufficientFreeAddressesInSubnet", "insufficient free addresses"]) {
        return Some(StopReason::SubnetFull);
    }
    if is_quota(text) {
        return Some(StopReason::Quota);
    }
    if says(&[
        "network interface",
        "Network Interface",
        "RESOURCE:ENI",
        "InvalidSubnetID",
        "InvalidGroup",
    ]) {
        return Some(StopReason::NetworkInterface);
    }
    if says(&["Capacity is unavailable", "capacity is unavailable", "RESOURCE:"]) {
        return Some(StopReason::NoCapacity);
    }
    if says(&["OutOfMemory"]) {
        return Some(StopReason::OutOfMemory);
    }
    if says(&[
        "CannotStartContainerError",
        "CannotCreateContainerError",
        "ContainerRuntimeError",
        "ContainerRuntimeTimeoutError",
    ]) {
        return Some(StopReason::ContainerNotStarted);
    }
    if says(&["CannotCreateVolumeError", "EFS utils"]) {
        return Some(StopReason::VolumeFailed);
    }
    says(&[
        "InternalError",
        "InternalServer",
        "Internal error",
        "internal error",
    ])
    .then_some(StopReason::Internal)
}

fn says(text: &str, parts: &[&str]) -> bool {
    parts.iter().any(|part| text.contains(part))
}

/// "You've reached the limit on the number of vCPUs you can run concurrently", and codes of EC2.
fn is_quota(text: &str) -> bool {
    says(
        text,
        &[
            "reached the limit on the number of",
            "LimitExceeded",
            "QuotaExceeded",
            "service quota",
        ],
    )
}

fn is_unresolved(text: &str) -> bool {
    says(
        text,
        &[
            "no such host",
            "name resolution",
            "server misbehaving",
            "getaddrinfo",
        ],
    )
}

/// Nothing answered from where the task stands.
fn is_unreachable(text: &str) -> bool {
    says(
        text,
        &[
            "i/o timeout",
            "context deadline exceeded",
            "Client.Timeout",
            "connection refused",
            "network is unreachable",
            "no route to host",
            "request canceled while waiting for connection",
            "connection issue",
        ],
    )
}

fn is_denied(text: &str) -> bool {
    says(text, &["AccessDenied", "not authorized", "403 Forbidden"])
}

fn pull(text: &str) -> StopReason {
    let says = |parts: &[&str]| says(text, parts);
    if says(&["toomanyrequests", "Too Many Requests"]) {
        StopReason::RateLimit
    } else if says(&["no space left on device"]) {
        StopReason::DiskFull
    } else if says(&["number of layers and diffIDs"]) {
        StopReason::MixedCompression
    } else if says(&[
        "descriptor matching platform",
        "does not match the specified platform",
        "no matching manifest",
        "no match for platform",
    ]) {
        StopReason::OtherProcessor
    } else if is_unresolved(text) {
        StopReason::RegistryName
    } else if is_unreachable(text) {
        StopReason::RegistryUnreachable
    } else if says(&[
        "context canceled",
        "unexpected EOF",
        "connection reset",
        "broken pipe",
    ]) {
        StopReason::PullBrokenOff
    } else if says(&["GetAuthorizationToken", "no basic auth credentials"]) {
        StopReason::RegistryLogin
    } else if says(&["may require authorization", "may require 'docker login'"]) {
        StopReason::ImageMissingOrDenied
    } else if is_denied(text) || says(&["pull access denied"]) {
        StopReason::ImageDenied
    } else if says(&[
        "not found",
        "manifest unknown",
        "does not exist",
        "name unknown",
        "NAME_UNKNOWN",
        "MANIFEST_UNKNOWN",
    ]) {
        StopReason::ImageMissing
    } else {
        StopReason::PullFailed
    }
}

fn resources(text: &str) -> StopReason {
    let says = |parts: &[&str]| says(text, parts);
    if says(&["logger", "logging driver", "log stream", "log group"]) {
        return logger(text);
    }
    if says(&["EFS", "volume"]) {
        return StopReason::VolumeFailed;
    }
    // Every message of this kind begins with "unable to pull secrets or registry auth".
    if says(&["secret", "ssm", "registry auth"]) {
        return secrets(text);
    }
    if is_denied(text) {
        return StopReason::RoleDenied;
    }
    StopReason::ResourcesFailed
}

fn logger(text: &str) -> StopReason {
    if says(text, &["scoped to a valid region", "MissingEndpoint"]) {
        StopReason::LoggerRegion
    } else if is_unresolved(text) {
        StopReason::LoggerName
    } else if is_unreachable(text) {
        StopReason::LoggerUnreachable
    } else if is_denied(text) {
        StopReason::LoggerDenied
    } else if says(text, &["log group does not exist"]) {
        StopReason::LogGroupMissing
    } else {
        StopReason::LoggerFailed
    }
}

fn secrets(text: &str) -> StopReason {
    let says = |parts: &[&str]| says(text, parts);
    if is_unresolved(text) {
        StopReason::SecretsName
    } else if is_unreachable(text) {
        StopReason::SecretsUnreachable
    } else if is_denied(text) {
        if says(&["ecr:GetAuthorizationToken"]) {
            StopReason::RegistryLogin
        } else if says(&["secretsmanager:", "ssm:", "kms:", "from asm", "from ssm"]) {
            StopReason::SecretDenied
        } else {
            StopReason::RoleDenied
        }
    } else if says(&["marked for deletion", "scheduled for deletion", "marked deleted"]) {
        StopReason::SecretDeleted
    } else if says(&["staging label"]) {
        StopReason::SecretEmpty
    } else if says(&["did not contain json key"]) {
        StopReason::SecretKeyMissing
    } else if says(&["invalid character", "cannot unmarshal"]) {
        StopReason::SecretNoJson
    } else if says(&["invalid ssm parameters"]) {
        StopReason::ParameterMissing
    } else if says(&["can't find the specified secret"]) {
        StopReason::SecretMissing
    } else {
        StopReason::ResourcesFailed
    }
}
