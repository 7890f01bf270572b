//! The table of secrets and parameters that the runbook calls "Secrets Reference", for both layouts.

use super::{FleetId, Layout, Stage};

/// Where a value is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Store {
    SecretsManager,
    ParameterStore,
}

impl Store {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::SecretsManager => "secrets-manager",
            Self::ParameterStore => "parameter-store",
        }
    }
}

/// What a value is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SecretRole {
    /// Laravel's `APP_KEY`.
    AppKey,
    /// Client ids and secrets of Google, TikTok and Apple in one JSON object.
    OAuth,
    /// Shared with the workflows that report what they did with assets.
    AssetOps,
    /// The database's master credentials, which the data stack makes.
    Database,
    /// The cache's token, which the data stack makes.
    Redis,
    /// With what GPU workers of a stage register.
    FleetSecret(Stage),
    /// The image that a fleet launches.
    Image(FleetId),
    /// The bundle that a fleet's instances load.
    Bundle(FleetId),
    /// What a fleet is to be.
    FleetConfig(FleetId),
    /// A name or address that the data stack writes down.
    Text,
}

/// A secret or parameter of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SecretEntry {
    /// As the operator types it, e.g. `app-key`.
    pub(crate) name: String,
    /// As AWS knows it, e.g. `/bp/laravel/app-key`.
    pub(crate) path: String,
    pub(crate) store: Store,
    pub(crate) role: SecretRole,
}

impl Layout {
    /// Every secret and parameter of the platform, the secrets first; pointers of `fleets` last.
    pub(crate) fn secret_table(&self, fleets: &[FleetId]) -> Vec<SecretEntry> {
        let entry = |name: String, path: String, store, role| SecretEntry {
            name,
            path,
            store,
            role,
        };
        let mut table: Vec<SecretEntry> = self
            .secrets()
            .into_iter()
            .map(|(name, path)| {
                let role = match name {
                    "app-key" => SecretRole::AppKey,
                    "oauth" => SecretRole::OAuth,
                    "asset-ops" => SecretRole::AssetOps,
                    "rds" => SecretRole::Database,
                    _ => SecretRole::Redis,
                };
                entry(name.to_owned(), path, Store::SecretsManager, role)
            })
            .collect();
        let parameter = |name: String, path: String, role| entry(name, path, Store::ParameterStore, role);
        for stage in self.fleet_stages() {
            table.push(parameter(
                format!("fleet-secret/{stage}"),
                self.fleet_secret_parameter(stage),
                SecretRole::FleetSecret(stage),
            ));
        }
        for (name, path) in self.parameters() {
            table.push(parameter(name.to_owned(), path, SecretRole::Text));
        }
        for fleet in fleets {
            table.push(parameter(
                format!("ami/{fleet}"),
                self.ami_parameter(fleet),
                SecretRole::Image(fleet.clone()),
            ));
            table.push(parameter(
                format!("active-bundle/{fleet}"),
                self.active_bundle_parameter(fleet),
                SecretRole::Bundle(fleet.clone()),
            ));
            if let Some(path) = self.desired_config_parameter(fleet) {
                table.push(parameter(
                    format!("desired-config/{fleet}"),
                    path,
                    SecretRole::FleetConfig(fleet.clone()),
                ));
            }
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::LayoutKind;

    fn table(kind: LayoutKind, stage: Option<Stage>) -> Vec<(String, String)> {
        let fleet = "staging/a".parse().unwrap();
        let layout = Layout::new(kind, "bp", stage).unwrap();
        let entries = layout.secret_table(&[fleet]);
        entries
            .into_iter()
            .map(|entry| (entry.name, entry.path))
            .collect()
    }

    #[test]
    fn the_table_of_the_single_layout() {
        let expected = [
            ("app-key", "/bp/laravel/app-key"),
            ("oauth", "/bp/oauth/secrets"),
            ("asset-ops", "/bp/asset-ops/secret"),
            ("rds", "/bp/rds/master-credentials"),
            ("redis", "/bp/redis/auth-token"),
            ("fleet-secret/staging", "/bp/fleets/staging/fleet-secret"),
            ("fleet-secret/production", "/bp/fleets/production/fleet-secret"),
            ("models-bucket", "/bp/models/bucket"),
            ("redis-endpoint", "/bp/redis/endpoint"),
            ("packer-instance-profile", "/bp/packer/instance_profile"),
            ("ami/staging/a", "/bp/ami/fleets/staging/a"),
            ("active-bundle/staging/a", "/bp/fleets/staging/a/active_bundle"),
            ("desired-config/staging/a", "/bp/fleets/staging/a/desired_config"),
        ];
        let expected = expected.map(|(name, path)| (name.to_owned(), path.to_owned()));
        assert_eq!(table(LayoutKind::Single, None), expected);
    }

    #[test]
    fn the_table_of_the_staged_layout_is_of_one_stage() {
        let expected = [
            ("app-key", "/bp/staging/laravel/app-key"),
            ("oauth", "/bp/staging/oauth/secrets"),
            ("asset-ops", "/bp/staging/asset-ops/secret"),
            ("rds", "/bp/staging/rds/master-credentials"),
            ("redis", "/bp/staging/redis/auth-token"),
            ("fleet-secret/staging", "/bp/staging/fleet-secret"),
            ("models-bucket", "/bp/staging/models/bucket"),
            ("redis-endpoint", "/bp/staging/redis/endpoint"),
            ("ami/staging/a", "/bp/ami/a"),
            ("active-bundle/staging/a", "/bp/staging/assets/a/active_bundle"),
        ];
        let expected = expected.map(|(name, path)| (name.to_owned(), path.to_owned()));
        assert_eq!(table(LayoutKind::Staged, Some(Stage::Staging)), expected);
    }
}
