//! The tables of services and operations: one line declares each.

use serde_json::Value;

use crate::error::OpResult;
use crate::world::World;

/// What an operation does to the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It only looks.
    Read,
    /// It changes something, or may.
    Write,
}

/// One operation that the sandbox simulates. Its shape is in `api/`, under the same name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    pub(crate) access: Access,
    pub(crate) answer: fn(&mut World, &Value) -> OpResult,
}

/// The operations of a service, a line each: what it does, its name, who answers it.
macro_rules! operations {
    ($($access:ident $name:ident => $handler:path,)+) => {
        /// The operations of this service.
        pub(crate) const OPERATIONS: &[$crate::service::table::Operation] = &[
            $($crate::service::table::Operation {
                name: stringify!($name),
                access: $crate::service::table::Access::$access,
                answer: |world, input| $handler(world, input),
            },)+
        ];
    };
}
pub(crate) use operations;

/// The services, a line each: the prefix of its actions in IAM policies, its module and the file of its shapes.
macro_rules! services {
    ($(#[doc = $doc:literal] $variant:ident = $prefix:literal, $module:ident, $api:literal;)+) => {
        /// An AWS service that the sandbox simulates.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Service { $(#[doc = $doc] $variant,)+ }

        impl Service {
            /// Every service, in the order of the variants.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The prefix of the service's actions in IAM policies: `ecs`, `elasticloadbalancing`.
            #[must_use]
            pub const fn iam_prefix(self) -> &'static str {
                match self { $(Self::$variant => $prefix,)+ }
            }

            /// What the sandbox simulates of it.
            pub(crate) const fn operations(self) -> &'static [$crate::service::table::Operation] {
                match self { $(Self::$variant => $module::OPERATIONS,)+ }
            }

            /// The committed text of its shapes.
            pub(crate) const fn shapes(self) -> &'static str {
                match self { $(Self::$variant => include_str!(concat!("../../api/", $api, ".json")),)+ }
            }
        }
    };
}
pub(crate) use services;
