//! What the application's resources are called in each layout.

use crate::options::{Layout, Options};

/// The names of one system.
#[derive(Clone, Debug)]
pub(super) struct Names {
    /// `bp`, or `bp-<stage>`; also the name of the cluster.
    pub(super) system: String,
    pub(super) backend: String,
    pub(super) frontend: String,
    pub(super) backend_repository: String,
    pub(super) frontend_repository: String,
    pub(super) backend_logs: String,
    pub(super) frontend_logs: String,
    /// What secrets and parameters begin with: `/bp` or `/bp/<stage>`.
    pub(super) secrets: String,
    pub(super) database: String,
    /// The Redis cluster of one node.
    pub(super) cache: String,
    pub(super) balancer: String,
    pub(super) account: String,
    /// What the application believes to be its environment.
    pub(super) environment: String,
    /// Environment variable and parameter of every fleet secret.
    pub(super) fleet_secrets: Vec<(String, String)>,
    /// What buckets end with.
    pub(super) bucket_suffix: String,
}

impl Names {
    pub(super) fn of(options: &Options) -> Self {
        let account = options.account_id.clone();
        match options.layout {
            Layout::Single => Self {
                system: "bp".to_owned(),
                backend: "bp-backend".to_owned(),
                frontend: "bp-frontend".to_owned(),
                backend_repository: "bp-backend".to_owned(),
                frontend_repository: "bp-frontend".to_owned(),
                backend_logs: "/ecs/bp-backend".to_owned(),
                frontend_logs: "/ecs/bp-frontend".to_owned(),
                secrets: "/bp".to_owned(),
                database: crate::seed::names::database(options),
                cache: crate::seed::names::cache(options),
                balancer: "bp-alb".to_owned(),
                environment: "production".to_owned(),
                fleet_secrets: ["staging", "production"]
                    .iter()
                    .map(|stage| {
                        (
                            format!("COMFYUI_FLEET_SECRET_{}", stage.to_uppercase()),
                            format!("/bp/fleets/{stage}/fleet-secret"),
                        )
                    })
                    .collect(),
                bucket_suffix: account.clone(),
                account,
            },
            Layout::Staged => {
                let stage = &options.stage;
                Self {
                    system: format!("bp-{stage}"),
                    backend: format!("bp-{stage}-backend"),
                    frontend: format!("bp-{stage}-frontend"),
                    backend_repository: format!("bp-backend-{stage}"),
                    frontend_repository: format!("bp-frontend-{stage}"),
                    backend_logs: format!("/ecs/bp-backend-{stage}"),
                    frontend_logs: format!("/ecs/bp-frontend-{stage}"),
                    secrets: format!("/bp/{stage}"),
                    database: crate::seed::names::database(options),
                    cache: crate::seed::names::cache(options),
                    balancer: format!("bp-{stage}-alb"),
                    environment: stage.clone(),
                    fleet_secrets: vec![(
                        "COMFYUI_FLEET_SECRET".to_owned(),
                        format!("/bp/{stage}/fleet-secret"),
                    )],
                    bucket_suffix: format!("{account}-{stage}"),
                    account,
                }
            }
        }
    }

    /// The full name of one of the application's secrets, such as `laravel/app-key`.
    pub(super) fn secret(&self, name: &str) -> String {
        format!("{}/{name}", self.secrets)
    }
}
