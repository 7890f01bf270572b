//! How the aws tool signs as the role that a context assumes. It has no flag for a role: a profile has to name it.

use super::{DEFAULT_PROFILE, Profiles, Settings};
use crate::error::{CommandLine, Hint};

/// The profile by which the aws tool assumes the role of the context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RoleProfile {
    pub(crate) name: String,
    /// The profile whose credentials assume the role; `None`: those in the environment.
    pub(crate) base: Option<String>,
    /// How the profile is made, where there is none yet. Until then a command that names it fails, instead of
    /// being signed by another identity.
    pub(crate) made_by: Option<Hint>,
}

impl RoleProfile {
    /// `None` where the context assumes no role.
    pub(crate) fn of(settings: &Settings, profiles: &Profiles) -> Option<Self> {
        let role = settings.role_arn.as_ref().filter(|_| !settings.is_sandbox())?;
        let role = role.value.as_str();
        let base = match &settings.profile {
            Some(profile) => Some(profile.value.clone()),
            None if settings.has_env_keys => None,
            None => Some(DEFAULT_PROFILE.to_owned()),
        };
        if let Some(name) = profiles.assuming(role, base.as_deref()) {
            return Some(Self {
                name: name.to_owned(),
                base,
                made_by: None,
            });
        }
        let context = format!("bpctl-{}", settings.context.value);
        let name = if profiles.contains(&context) {
            let last = role.rsplit('/').next().unwrap_or_default();
            format!("{context}-{last}")
        } else {
            context
        };
        let set = |key: &str, value: &str| {
            CommandLine::aws("configure", "set")
                .args([key, value])
                .option("--profile", &name)
                .without_place()
        };
        let second = match &base {
            Some(base) => set("source_profile", base),
            None => set("credential_source", "Environment"),
        };
        let made_by = Hint::new(format!(
            "the `aws` commands sign as the role of this context by profile `{name}`: make it once with"
        ))
        .command(set("role_arn", role))
        .and("and")
        .command(second);
        Some(Self {
            name,
            base,
            made_by: Some(made_by),
        })
    }
}
