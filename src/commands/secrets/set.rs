//! `bpctl secrets set`: a new value for one secret.

use std::path::PathBuf;

use clap::Args;

use super::WRITING;
use super::input::{p8_of_file, value_from_operator, value_of_file};
use super::observe::{Seen, State, named};
use super::write::{Occasion, To, Wanted, Writing};
use super::written::hint_at_redeployment;
use crate::change::{ChangeArgs, carry_out};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, Result};
use crate::exit::ExitStatus;
use crate::iam::{CHANGE, On, Use, Uses};
use crate::layout::{SecretEntry, SecretRole};
use crate::redact::Secret;
use crate::secrets::{OAUTH_KEYS, OAuth, Shape};

/// Set a secret from a hidden question, stdin, a file, or a random value
///
/// The value is checked before anything is sent: an application key is `base64:` and 32 bytes, a fleet secret
/// hexadecimal, the OAuth secret a JSON object with nine keys. It is never taken from the command line. Running tasks
/// keep the value that they started with until they are replaced.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("source").args(["file", "apple_p8", "generate"])))]
#[command(after_help = "Examples:
  bpctl secrets set app-key                                  asks for it twice, without showing it
  bpctl secrets set app-key --generate                       instead of `php artisan key:generate`
  bpctl secrets set fleet-secret/production --file secret    from a file; without it from stdin
  bpctl secrets set oauth --key google_client_id             one of the nine keys, the others stay
  bpctl secrets set oauth --apple-p8 AuthKey.p8              Apple's private key, in base64")]
pub(crate) struct SetArgs {
    /// The secret, as `secrets list` names it
    #[arg(value_name = "NAME", add = crate::completion::secrets())]
    name: String,

    /// Of the OAuth secret: change this key alone
    #[arg(long, value_name = "KEY", value_parser = clap::builder::PossibleValuesParser::new(OAUTH_KEYS),
          hide_possible_values = true)]
    key: Option<String>,

    /// Read the value from a file
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    file: Option<PathBuf>,

    /// Of the OAuth secret: Apple's private key, a `.p8` file
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath, conflicts_with = "key")]
    apple_p8: Option<PathBuf>,

    /// Draw a random value
    #[arg(long, conflicts_with = "key")]
    generate: bool,

    #[command(flatten)]
    change: ChangeArgs,
}

impl Verb for SetArgs {
    fn uses() -> Uses {
        Uses::of(&[
            CHANGE,
            WRITING,
            &[Use::of("secretsmanager:PutSecretValue", On::Secrets)],
        ])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        let entry = named(&layout, &self.name)?;
        may_be_set(&entry)?;
        let key = match (&self.key, &self.apple_p8) {
            (_, Some(_)) => Some("apple_private_key_p8_b64".to_owned()),
            (key, None) => key.clone(),
        };
        if key.is_some() && entry.role != SecretRole::OAuth {
            return Err(CtlError::usage(format!("set `{}`: it has no keys", entry.name))
                .hint("`--key` and `--apple-p8` are for `oauth`"));
        }
        // A run that is taken back reads what it needs from the store.
        let value = if is_undo(ctx) {
            Secret::from("")
        } else {
            self.value(ctx, &entry, key.as_deref()).await?
        };
        let set = Set { entry, key, value };
        let writing = Writing::new(ctx, layout, set)?;
        let status = carry_out(ctx, &writing, &self.change).await?;
        writing.after(&self.change);
        Ok(status)
    }
}

/// Whether an earlier run is taken back: no new value is needed.
pub(super) fn is_undo(ctx: &Ctx) -> bool {
    matches!(
        &ctx.mode,
        crate::change::Mode::Of(crate::change::Direction::Undo, _)
    )
}

impl SetArgs {
    async fn value(&self, ctx: &Ctx, entry: &SecretEntry, key: Option<&str>) -> Result<Secret> {
        let shape = Shape::of(&entry.role);
        if self.generate {
            return shape.generate().unwrap_or_else(|| {
                Err(CtlError::usage(format!(
                    "generate `{}`: it is {}, which others hand out",
                    entry.name,
                    shape.described()
                )))
            });
        }
        if let Some(path) = &self.apple_p8 {
            return p8_of_file(ctx, path);
        }
        let value = match (&self.file, key) {
            (Some(path), _) => value_of_file(ctx, path)?,
            (None, Some(key)) => value_from_operator(ctx, &format!("value of {key}")).await?,
            (None, None) => {
                value_from_operator(ctx, &format!("{} ({})", entry.name, shape.described())).await?
            }
        };
        let checked = match key {
            // The other keys are only known after a look.
            Some(key) => OAuth::check(key, &value),
            None => shape.check(value.expose()),
        };
        checked.map_err(|why| {
            CtlError::usage(format!("set `{}`: {why}", entry.name))
                .hint(format!("it must be {}", shape.described()))
        })?;
        Ok(value)
    }
}

/// # Errors
/// A value that is not for people to set, with what makes it instead.
pub(super) fn may_be_set(entry: &SecretEntry) -> Result<()> {
    let why = match entry.role {
        SecretRole::AppKey | SecretRole::OAuth | SecretRole::AssetOps | SecretRole::FleetSecret(_) => {
            return Ok(());
        }
        SecretRole::Database => {
            "the database has its own copy, and another password here alone would lock the platform out"
        }
        SecretRole::Redis => "nothing reads it: the cache works without AUTH",
        SecretRole::Image(_) | SecretRole::Bundle(_) | SecretRole::FleetConfig(_) | SecretRole::Text => {
            "it is no secret: a stack, a build or a promotion writes it"
        }
    };
    Err(CtlError::usage(format!("set `{}`: {why}", entry.name))
        .hint("what can be set: app-key, oauth, asset-ops, fleet-secret/STAGE"))
}

struct Set {
    entry: SecretEntry,
    key: Option<String>,
    value: Secret,
}

impl Occasion for Set {
    const NAME: &'static str = "secrets set";

    fn goal(&self) -> String {
        match &self.key {
            Some(key) => format!("set `{key}` of {}", self.entry.name),
            None => format!("set {}", self.entry.name),
        }
    }

    fn entries(&self) -> Vec<SecretEntry> {
        vec![self.entry.clone()]
    }

    fn wanted(&self, seen: &Seen) -> Result<Vec<Wanted>> {
        let value = match &self.key {
            None => self.value.clone(),
            Some(key) => {
                let now = seen.of(&self.entry.name).and_then(|observed| observed.value());
                let now = now.map(|now| OAuth::parse(now.expose()));
                let whole = now.unwrap_or_else(|| Err("it has no value".to_owned()));
                whole
                    .and_then(|whole| whole.with(key, self.value.clone()))
                    .map_err(|why| {
                        CtlError::usage(format!("set `{key}` of {}: {why}", self.entry.name))
                            .hint("give all nine keys with `--file FILE`, a JSON object")
                    })?
                    .to_secret()
            }
        };
        Ok(vec![Wanted {
            name: self.entry.name.clone(),
            to: To::Value(value),
            loses: None,
            may_be_made: false,
            notes: Vec::new(),
        }])
    }

    fn warnings(&self, seen: &Seen) -> Vec<String> {
        let observed = seen.of(&self.entry.name);
        let is_set = observed.is_some_and(|o| matches!(o.state().0, State::Set | State::StaleInTasks));
        if is_set { breaks(&self.entry) } else { Vec::new() }
    }

    fn resume(&self) -> CommandLine {
        let command = CommandLine::bpctl(["secrets", "set", &self.entry.name]);
        match self.key.as_deref() {
            Some(key) => command.option("--key", key),
            None => command,
        }
    }
}

/// What another value breaks where one is in use.
pub(super) fn breaks(entry: &SecretEntry) -> Vec<String> {
    let text = match &entry.role {
        SecretRole::AppKey => {
            "what is encrypted with the present key (sessions, cookies, encrypted columns) cannot be read with another one"
                .to_owned()
        }
        SecretRole::FleetSecret(stage) => format!(
            "workers of {stage} that boot before the backend's tasks are replaced register with the new secret and are refused, and those that boot with the old one afterwards as well"
        ),
        SecretRole::AssetOps => {
            "the workflows' secret `ASSET_OPS_SECRET` must be set to the same value".to_owned()
        }
        _ => return Vec::new(),
    };
    vec![text]
}

impl<O: Occasion> Writing<'_, O> {
    /// What to do next, once something was written.
    pub(super) fn after(&self, args: &ChangeArgs) {
        let apps = self.apps_to_redeploy();
        if args.may_change() && !is_undo(self.ctx) {
            hint_at_redeployment(self.ctx, &apps);
        }
    }
}
