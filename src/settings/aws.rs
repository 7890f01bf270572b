//! What must be known before AWS is asked: a profile that exists, a region, one partition, and no machine on the way that can read
//! along.

use super::endpoint::is_plain_http;
use super::keys::nearest;
use super::profiles::{Means, Profiles};
use super::region::partition;
use super::{Settings, Source, Sourced};
use crate::error::{CommandLine, CtlError, Hint, Result};

impl Settings {
    /// What keeps these settings from reaching AWS, before any call.
    ///
    /// # Errors
    /// All of them are mistakes of the configuration: exit status 2.
    pub(crate) fn check_before_calls(&self, profiles: &Profiles) -> Result<()> {
        self.profile_exists(profiles)?;
        self.signs_in_by_known_means()?;
        let Some(region) = &self.region else {
            return Err(CtlError::config("talk to AWS: no AWS region is set")
                .hint("give `--region`, set AWS_REGION, or write `region` into the context or the profile"));
        };
        self.is_one_partition(region)?;
        self.is_private()
    }

    fn profile_exists(&self, profiles: &Profiles) -> Result<()> {
        let Some(profile) = self
            .profile
            .as_ref()
            .filter(|profile| !profiles.contains(&profile.value))
        else {
            return Ok(());
        };
        let mut error = CtlError::config(format!(
            "use profile `{}` (from {}): there is none of that name",
            profile.value, profile.source
        ))
        .cause(format!("looked in {}", profiles.files()));
        if matches!(profile.source, Source::Flag(_)) {
            error = error.wrong_flag("profile");
        }
        if self.has_env_keys {
            error = error.cause("the keys in the environment are not used when a profile is named");
        }
        let known: Vec<&str> = profiles.names().collect();
        let error = match nearest(&profile.value, profiles.names()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None if known.is_empty() => error.hint(
                Hint::new("there is no profile at all: make one with")
                    .command(CommandLine::other("aws", ["configure", "sso"])),
            ),
            None => error.hint(format!(
                "there are {}",
                known
                    .iter()
                    .map(|name| format!("`{name}`"))
                    .collect::<Vec<_>>()
                    .join(", ")
            )),
        };
        Err(if self.has_env_keys {
            error.hint("to use the keys in the environment, say that no profile is meant: `--profile=`")
        } else {
            error
        })
    }

    /// The SDK reads no sessions of `aws login`; another tool hands them over.
    fn signs_in_by_known_means(&self) -> Result<()> {
        let Some(chain) = self.chain.as_ref().filter(|chain| chain.means == Means::Login) else {
            return Ok(());
        };
        if self.profile.is_none() && self.has_env_keys {
            return Ok(());
        }
        Err(CtlError::config(format!(
            "use profile `{}`: bpctl cannot read a session of the console (login_session)",
            chain.base
        ))
        .hint(format!(
            "let the aws tool hand it over, by a profile with `credential_process = aws configure export-credentials --profile {} --format process`",
            chain.base
        )))
    }

    /// Credentials of one partition are not known in another.
    fn is_one_partition(&self, region: &Sourced<String>) -> Result<()> {
        let Some(of_region) = partition(&region.value) else {
            return Ok(());
        };
        let roles = self
            .role_arn
            .iter()
            .map(|role| (role.value.as_str(), role.source.to_string()));
        let named = self.profile.is_some() || !self.has_env_keys;
        let in_profile = self.chain.iter().filter(|_| named).flat_map(|chain| {
            chain
                .roles
                .iter()
                .map(|role| (role.as_str(), format!("profile {}", chain.base)))
        });
        for (role, source) in roles.chain(in_profile) {
            let of_role = role.split(':').nth(1).unwrap_or_default();
            if of_role != of_region {
                return Err(CtlError::config(format!(
                    "use region `{}` ({}) with the role `{role}` ({source})",
                    region.value, region.source
                ))
                .cause(format!(
                    "the region is in partition `{of_region}`, the role in `{of_role}`: no credentials are known in both"
                ))
                .hint("choose a region and a role of one partition"));
            }
        }
        Ok(())
    }

    /// Without encryption every machine on the way can read secrets and change answers.
    fn is_private(&self) -> Result<()> {
        if self.allow_plain_http {
            return Ok(());
        }
        let endpoints = self.endpoint_url.iter().chain(self.service_endpoints.values());
        for endpoint in endpoints {
            if !is_plain_http(&endpoint.value) {
                continue;
            }
            let error = CtlError::config(format!(
                "use the endpoint `{}` (from {}): it is another machine and not encrypted",
                endpoint.value, endpoint.source
            ))
            .hint("use `https://`; where the network can be trusted, `allow_plain_http = true` in the context says so");
            return Err(match endpoint.source {
                Source::Flag(_) => error.wrong_flag("endpoint-url"),
                _ => error,
            });
        }
        Ok(())
    }

    /// What the operator should know about credentials that were passed over.
    pub(crate) fn passed_over_keys(&self) -> Option<String> {
        let profile = self.profile.as_ref().filter(|_| self.has_env_keys)?;
        (!matches!(profile.source, Source::Flag(_))).then(|| {
            format!(
                "the credentials are those of profile `{}` ({}), not the keys in the environment",
                profile.value, profile.source
            )
        })
    }
}

#[cfg(test)]
#[path = "aws_tests.rs"]
mod tests;
