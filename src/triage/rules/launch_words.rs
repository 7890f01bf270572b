//! Why a launch failed, by the sentences and codes that EC2 gives to Auto Scaling.
//!
//! Source: Amazon EC2 Auto Scaling User Guide, "Troubleshoot Amazon EC2 Auto Scaling", and the error codes of
//! the EC2 API Reference. A cause is claimed only where the text says it.

use crate::triage::catalog::Code;

/// Signs of a kind of failure; each is found in lower case.
struct Kind {
    signs: &'static [&'static str],
    code: Code,
    cause: &'static str,
}

/// In the order in which they are looked for: what names a quota or a price may speak of capacity, too.
const KINDS: &[Kind] = &[
    Kind {
        signs: &[
            "vcpulimitexceeded",
            "maxspotinstancecountexceeded",
            "max spot instance count exceeded",
            "spotinstancecountlimitexceeded",
            "instancelimitexceeded",
            "than your current vcpu limit",
            "than your current instance limit",
            "volumelimitexceeded",
            "quota",
        ],
        code: Code::LaunchQuota,
        cause: "a quota of the account for this kind of instance is used up",
    },
    Kind {
        signs: &["pendingverification", "is being validated", "optinrequired"],
        code: Code::LaunchQuota,
        cause: "AWS has not opened the account for this kind of launch yet",
    },
    Kind {
        signs: &[
            "spotmaxpricetoolow",
            "lower than the minimum required spot request fulfillment price",
            "is lower than the current spot price",
        ],
        code: Code::LaunchFailed,
        cause: "the highest price that the group pays for Spot is below what Spot costs now",
    },
    Kind {
        signs: &[
            "unfulfillablecapacity",
            "insufficientinstancecapacity",
            "insufficientcapacity",
            "insufficienthostcapacity",
            "no spot capacity",
            "do not have sufficient",
            "does not have sufficient",
        ],
        code: Code::SpotCapacity,
        cause: "Spot has none of the fleet's instance types in its zones now; the group tries again by itself, at growing intervals",
    },
    Kind {
        signs: &["requestlimitexceeded", "request limit exceeded", "throttling"],
        code: Code::LaunchFailed,
        cause: "EC2 throttled the calls that Auto Scaling makes for the account; the group tries again by itself",
    },
    Kind {
        signs: &["client.internalerror"],
        code: Code::LaunchFailed,
        cause: "EC2 gave up without a reason of its own; AWS names one that is usual: the volume is encrypted with a key that the role of Auto Scaling may not use",
    },
    Kind {
        signs: &[
            "server.internalerror",
            "internal error",
            "internalfailure",
            "serviceunavailable",
        ],
        code: Code::LaunchFailed,
        cause: "EC2 failed inside; the group tries again by itself",
    },
    Kind {
        signs: &[
            "unauthorizedoperation",
            "you are not authorized",
            "not authorized to",
        ],
        code: Code::LaunchFailed,
        cause: "the role of Auto Scaling may not do what the launch template asks for",
    },
    Kind {
        signs: &[
            "launch template",
            "invalidamiid",
            "image id",
            "the ami ",
            "the security group",
            "invalidgroup.notfound",
            "security group id",
            "the key pair",
            "instance profile",
            "invalidsubnetid",
            "the subnet id",
            "unsupported",
            "not supported",
            "invalid device name",
            "blockdevicemapping",
            "invalidparameter",
        ],
        code: Code::LaunchFailed,
        cause: "EC2 rejects what the launch template asks for: AMI, subnet, instance profile or security group",
    },
];

/// The code and the cause of a failed launch with this message.
pub(super) fn judge(message: &str) -> (Code, &'static str) {
    let message = message.to_lowercase();
    KINDS
        .iter()
        .find(|kind| kind.signs.iter().any(|sign| message.contains(sign)))
        .map_or(
            (
                Code::LaunchFailed,
                "the message is all that Auto Scaling tells; bpctl knows no cause for it",
            ),
            |kind| (kind.code, kind.cause),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_and_codes_of_aws_have_their_causes() {
        for (message, code, part) in [
            (
                "Could not launch Spot Instances. UnfulfillableCapacity - Unable to fulfill capacity due to your request configuration.",
                Code::SpotCapacity,
                "Spot has none",
            ),
            (
                "We currently do not have sufficient g5.xlarge capacity in the Availability Zone you requested (us-east-1a).",
                Code::SpotCapacity,
                "Spot has none",
            ),
            (
                "There is no Spot capacity available that matches your request.",
                Code::SpotCapacity,
                "Spot has none",
            ),
            (
                "Max spot instance count exceeded. Launching EC2 instance failed.",
                Code::LaunchQuota,
                "quota",
            ),
            (
                "You have requested more vCPU capacity than your current vCPU limit of 0 allows for the instance bucket that the specified instance type belongs to.",
                Code::LaunchQuota,
                "quota",
            ),
            (
                "Your quota allows for 0 more running instance(s). You requested at least 1.",
                Code::LaunchQuota,
                "quota",
            ),
            (
                "Your Spot request price of 0.1 is lower than the minimum required Spot request fulfillment price of 0.16.",
                Code::LaunchFailed,
                "highest price",
            ),
            (
                "Client.InternalError: Client error on launch. Launching EC2 instance failed.",
                Code::LaunchFailed,
                "encrypted with a key",
            ),
            (
                "Server.InternalError: Internal error on launch. Launching EC2 instance failed.",
                Code::LaunchFailed,
                "failed inside",
            ),
            (
                "You must use a valid fully-formed launch template. The image id '[ami-0]' does not exist.",
                Code::LaunchFailed,
                "launch template asks for",
            ),
            (
                "You are not authorized to perform this operation. Launching EC2 instance failed.",
                Code::LaunchFailed,
                "may not do",
            ),
            ("The moon is full.", Code::LaunchFailed, "knows no cause"),
        ] {
            let (found, cause) = judge(message);
            assert_eq!(found, code, "{message}");
            assert!(cause.contains(part), "{message}: {cause}");
        }
    }
}
