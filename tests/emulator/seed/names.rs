//! What the platform's resources are called, written out by hand: bpctl's own names must agree with these.

use crate::platform::{Layout, Platform, REGION};

/// The names of one account's system.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    pub(crate) cluster: &'static str,
    /// Service and task family.
    pub(crate) backend: &'static str,
    pub(crate) logs: &'static str,
    /// What secrets begin with.
    pub(crate) secrets: &'static str,
    pub(crate) data_stack: &'static str,
    pub(crate) repository: String,
}

impl Names {
    pub(crate) fn of(platform: &Platform) -> Self {
        let registry = format!("{}.dkr.ecr.{REGION}.amazonaws.com", platform.account);
        match platform.layout {
            Layout::Single => Self {
                cluster: "bp",
                backend: "bp-backend",
                logs: "/ecs/bp-backend",
                secrets: "/bp",
                data_stack: "bp-data",
                repository: format!("{registry}/bp-backend"),
            },
            Layout::Staged => Self {
                cluster: "bp-staging",
                backend: "bp-staging-backend",
                logs: "/ecs/bp-backend-staging",
                secrets: "/bp/staging",
                data_stack: "bp-staging-data",
                repository: format!("{registry}/bp-backend-staging"),
            },
        }
    }
}
