//! What the platform's resources are called, written out by hand: bpctl's own names must agree with these.

use crate::platform::{Layout, Platform, REGION};

/// The names of one account's system.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    pub(crate) cluster: &'static str,
    /// Service and task family.
    pub(crate) backend: &'static str,
    pub(crate) logs: &'static str,
    pub(crate) database: &'static str,
    /// What secrets begin with.
    pub(crate) secrets: &'static str,
    pub(crate) fleet_secret: &'static str,
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
                database: "bp-mariadb",
                secrets: "/bp",
                fleet_secret: "/bp/fleets/production/fleet-secret",
                repository: format!("{registry}/bp-backend"),
            },
            Layout::Staged => Self {
                cluster: "bp-staging",
                backend: "bp-staging-backend",
                logs: "/ecs/bp-backend-staging",
                database: "bp-staging-mariadb",
                secrets: "/bp/staging",
                fleet_secret: "/bp/staging/fleet-secret",
                repository: format!("{registry}/bp-backend-staging"),
            },
        }
    }
}
