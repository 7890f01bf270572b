//! Why a task did not start, from ECS' own words: one cause for each kind of message, and none where the
//! message names none.
//!
//! Sources: Amazon ECS Developer Guide, "Stopped tasks error messages", "CannotPullContainer task errors",
//! "ResourceInitializationError errors" and "Amazon ECS API failure reasons".

mod exit_code;
mod recognize;
mod remedy;

pub(crate) use exit_code::of_exit_code;
pub(crate) use recognize::recognize;
pub(crate) use remedy::remedy;

/// What the start of a task failed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Stage {
    Image,
    Secrets,
    Logger,
    Network,
    Capacity,
    /// A container that was created and did not run.
    Container,
    /// Something else that is made before the first container.
    Resources,
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident, $stage:ident: $what:literal;)+) => {
        /// A cause that a message of ECS names.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) enum StopReason { $($(#[$doc])* $variant,)+ }

        impl StopReason {
            /// A clause: "the image is not in the registry".
            pub(crate) fn what(self) -> &'static str {
                match self { $(Self::$variant => $what,)+ }
            }

            pub(crate) fn stage(self) -> Stage {
                match self { $(Self::$variant => Stage::$stage,)+ }
            }
        }
    };
}

reasons! {
    ImageMissing, Image: "the image is not in the registry";
    /// Registries other than ECR do not tell the two apart.
    ImageMissingOrDenied, Image: "the image does not exist or may not be pulled";
    ImageDenied, Image: "the execution role may not pull the image";
    RegistryLogin, Image: "the execution role may not log in to the registry";
    RegistryName, Image: "the name of the registry cannot be resolved";
    RegistryUnreachable, Image: "the registry cannot be reached";
    PullBrokenOff, Image: "the image pull broke off";
    OtherProcessor, Image: "the image is for another processor";
    MixedCompression, Image: "the image's layers do not fit its list of layers (mixed compression)";
    RateLimit, Image: "the registry refuses more pulls for now";
    DiskFull, Image: "the image does not fit on the task's disk";
    PullFailed, Image: "the image cannot be pulled";

    SecretMissing, Secrets: "a secret does not exist";
    SecretDenied, Secrets: "the execution role may not read a secret";
    SecretDeleted, Secrets: "a secret is scheduled for deletion";
    SecretEmpty, Secrets: "a secret has no value";
    /// Secrets that were never filled in hold a placeholder, which is no JSON.
    SecretNoJson, Secrets: "a secret of which a key is wanted holds no JSON";
    SecretKeyMissing, Secrets: "a secret lacks a key";
    ParameterMissing, Secrets: "an SSM parameter is missing";
    SecretsName, Secrets: "the name of Secrets Manager or of the registry cannot be resolved";
    SecretsUnreachable, Secrets: "secrets or registry cannot be reached from the task's subnets";

    LogGroupMissing, Logger: "its log group does not exist";
    LoggerDenied, Logger: "the execution role may not write to its log";
    LoggerName, Logger: "the name of CloudWatch Logs cannot be resolved";
    LoggerUnreachable, Logger: "CloudWatch Logs cannot be reached from the task's subnets";
    LoggerRegion, Logger: "its log driver is set to another region";
    LoggerFailed, Logger: "its log driver could not be set up";

    SubnetFull, Network: "its subnet has no free addresses";
    NetworkInterface, Network: "it got no network interface";

    NoCapacity, Capacity: "Fargate has no capacity at this time";
    Quota, Capacity: "a quota of the account is used up";

    ContainerNotStarted, Container: "the container could not be started";
    OutOfMemory, Container: "it ran out of memory";

    RoleDenied, Resources: "the execution role lacks a permission that the start needs";
    VolumeFailed, Resources: "its volume could not be mounted";
    ResourcesFailed, Resources: "what it needs before its first container could not be prepared";
    Internal, Resources: "ECS failed itself";
}

#[cfg(test)]
mod tests;
