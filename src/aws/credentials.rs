//! Where credentials come from: the profile that was named, or else the chain of the SDKs; then the context's role.
//! The provider that signs is remembered, and what goes wrong is said in the operator's words, with the way to sign in.

use std::error::Error as StdError;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::web_identity_token::WebIdentityTokenCredentialsProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider, future};
use jiff::Timestamp;
use serde::Serialize;

use super::role::{AssumedRole, refusal};
use crate::clock::Clock;
use crate::error::{CtlError, ErrorKind, SignIn};
use crate::settings::{Means, Settings};

/// The SDK asks again for credentials that end within seconds; until then one answer serves the whole run.
const SPARE: Duration = Duration::from_secs(60);

/// Who signs the requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Signer {
    /// In words, e.g. ``profile `ops` (IAM Identity Center)``.
    pub(crate) provider: String,
    /// When the credentials end; `None` for those that do not.
    pub(crate) expires: Option<Timestamp>,
}

/// The signers of a run, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Signers(Arc<Mutex<Option<Signer>>>);

impl Signers {
    pub(super) fn last(&self) -> Option<Signer> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, signer: Signer) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(signer);
    }
}

/// One way to credentials and what to call it.
#[derive(Debug)]
struct Link {
    name: String,
    provider: SharedCredentialsProvider,
}

impl Link {
    fn new(name: impl Into<String>, provider: impl ProvideCredentials + 'static) -> Self {
        Self {
            name: name.into(),
            provider: SharedCredentialsProvider::new(provider),
        }
    }
}

/// All ways that are tried, one after the other; the first answer is kept until it ends.
#[derive(Debug)]
pub(super) struct Chain {
    links: Vec<Link>,
    role: Option<AssumedRole>,
    /// The profile whose sign-in would help.
    sign_in: SignIn,
    clock: Clock,
    signers: Signers,
    kept: tokio::sync::Mutex<Option<Credentials>>,
}

impl Chain {
    /// `role` is the context's, assumed with what the chain gives.
    pub(super) fn new(
        settings: &Settings,
        config: &ProviderConfig,
        role: Option<AssumedRole>,
        clock: Clock,
        signers: Signers,
    ) -> Self {
        let named = settings.profile.as_ref().map(|profile| profile.value.as_str());
        let mut of_profile = ProfileFileCredentialsProvider::builder().configure(config);
        if let Some(name) = named {
            of_profile = of_profile.profile_name(name);
        }
        let profile = Link::new(profile_in_words(settings), of_profile.build());
        let container = Link::new(
            "the container's role (AWS_CONTAINER_CREDENTIALS_*)",
            EcsCredentialsProvider::builder().configure(config).build(),
        );
        let instance = Link::new(
            "the role of this EC2 instance",
            ImdsCredentialsProvider::builder().configure(config).build(),
        );
        // The aws tool leaves out keys and web identity of the environment when a profile is named, and asks
        // containers and instances for what the profile does not give.
        let links = if named.is_some() {
            vec![profile, container, instance]
        } else {
            vec![
                Link::new(
                    "keys in the environment (AWS_ACCESS_KEY_ID)",
                    EnvironmentVariableCredentialsProvider::new(),
                ),
                profile,
                Link::new(
                    "web identity in the environment (AWS_WEB_IDENTITY_TOKEN_FILE)",
                    WebIdentityTokenCredentialsProvider::builder()
                        .configure(config)
                        .build(),
                ),
                container,
                instance,
            ]
        };
        Self {
            links,
            role,
            sign_in: sign_in(settings),
            clock,
            signers,
            kept: tokio::sync::Mutex::default(),
        }
    }

    async fn provide(&self) -> provider::Result {
        let mut kept = self.kept.lock().await;
        if let Some(credentials) = kept.as_ref().filter(|credentials| self.lasts(credentials)) {
            return Ok(credentials.clone());
        }
        let credentials = self.ask().await?;
        *kept = Some(credentials.clone());
        Ok(credentials)
    }

    fn lasts(&self, credentials: &Credentials) -> bool {
        let Some(end) = credentials.expiry().and_then(|end| Timestamp::try_from(end).ok()) else {
            return true;
        };
        self.clock.now().checked_add(SPARE).is_ok_and(|then| then < end)
    }

    async fn ask(&self) -> provider::Result {
        let (name, base) = self.base().await?;
        self.refuse_ended(&name, &base)?;
        let (provider, credentials) = match &self.role {
            None => (name, base),
            Some(role) => {
                let assumed = role
                    .assume(&base)
                    .await
                    .map_err(CredentialsError::provider_error)?;
                (format!("role {} assumed with {name}", role.arn()), assumed)
            }
        };
        self.signers.note(Signer {
            provider,
            expires: credentials.expiry().and_then(|end| Timestamp::try_from(end).ok()),
        });
        Ok(credentials)
    }

    /// Nothing that is signed with credentials of yesterday is answered.
    fn refuse_ended(&self, name: &str, credentials: &Credentials) -> Result<(), CredentialsError> {
        let end = credentials.expiry().and_then(|end| Timestamp::try_from(end).ok());
        match end.filter(|end| *end <= self.clock.now()) {
            None => Ok(()),
            Some(end) => Err(CredentialsError::provider_error(
                CtlError::new(ErrorKind::Credentials, format!("use the credentials of {name}"))
                    .cause(format!("they ended at {}", end.strftime("%Y-%m-%dT%H:%M:%SZ")))
                    .needs_sign_in(self.sign_in.clone()),
            )),
        }
    }

    async fn base(&self) -> Result<(String, Credentials), CredentialsError> {
        let mut nothing = Vec::new();
        for link in &self.links {
            match link.provider.provide_credentials().await {
                Ok(credentials) => return Ok((link.name.clone(), credentials)),
                Err(CredentialsError::CredentialsNotLoaded(_)) => nothing.push(link.name.clone()),
                Err(error) => {
                    return Err(CredentialsError::provider_error(self.failed(&link.name, &error)));
                }
            }
        }
        let mut error = CtlError::new(ErrorKind::Credentials, "find credentials of AWS: there are none");
        for name in nothing {
            error = error.cause(format!("not given by {name}"));
        }
        Err(CredentialsError::provider_error(
            error.needs_sign_in(self.sign_in.clone()),
        ))
    }

    /// A way that is there and does not lead to credentials.
    fn failed(&self, name: &str, error: &CredentialsError) -> CtlError {
        if let Some(refused) = refusal(error, name) {
            return refused;
        }
        let mut failed = CtlError::new(ErrorKind::Credentials, format!("get credentials from {name}"));
        let mut next: Option<&(dyn StdError + 'static)> = error.source();
        while let Some(error) = next {
            failed = failed.cause(error.to_string());
            next = error.source();
        }
        if failed.causes().is_empty() {
            failed = failed.cause(error.to_string());
        }
        failed.needs_sign_in(self.sign_in.clone())
    }
}

impl ProvideCredentials for Chain {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.provide())
    }
}

/// The profile in force and how it comes to credentials.
fn profile_in_words(settings: &Settings) -> String {
    let Some(chain) = &settings.chain else {
        let name = settings
            .profile
            .as_ref()
            .map_or("default", |profile| profile.value.as_str());
        return format!("profile `{name}`");
    };
    let means = match &chain.means {
        Means::Sso => "IAM Identity Center",
        Means::Login => "aws login",
        Means::Keys => "keys in a file",
        Means::Process => "credential_process",
        Means::WebIdentity => "web identity",
        Means::Elsewhere(source) => source,
        Means::Nothing => "which gives no credentials",
    };
    let base = format!("profile `{}` ({means})", chain.base);
    match chain.roles.as_slice() {
        [] => base,
        roles => {
            let roles: Vec<&str> = roles.iter().rev().map(String::as_str).collect();
            format!("{base}, role {}", roles.join(", role "))
        }
    }
}

/// What signing in again means with these settings.
pub(super) fn sign_in(settings: &Settings) -> SignIn {
    // A rehearsal reads like the real thing.
    if settings.is_sandbox() {
        return SignIn::Unknown;
    }
    if settings.profile.is_none() && settings.has_env_keys {
        return SignIn::Environment;
    }
    let named = settings.profile.as_ref().map(|profile| profile.value.clone());
    match &settings.chain {
        Some(chain) => match chain.means {
            Means::Sso => SignIn::Sso(chain.base.clone()),
            Means::Keys => SignIn::Keys(chain.base.clone()),
            Means::Process => SignIn::Process(chain.base.clone()),
            Means::Login | Means::WebIdentity | Means::Elsewhere(_) | Means::Nothing => {
                SignIn::Profile(chain.base.clone())
            }
        },
        None => named.map_or(SignIn::Nothing, SignIn::Profile),
    }
}
