//! `bpctl secrets get`: one secret, by its fingerprint or revealed.

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use super::observe::{named, observe};
use super::view::{SecretView, age, or_dash};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;
use crate::iam::{On, Use, Uses};
use crate::output::{Render, View};
use crate::redact::Secret;
use crate::secrets::Fingerprints;

/// Show one secret: its state, length and fingerprint, or its value
///
/// The fingerprint tells whether two values are the same, on this machine: between contexts, and over time. `--reveal`
/// writes the value itself, to a terminal; with `--yes` also into a pipe or a file.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl secrets get app-key                      state, length and fingerprint
  bpctl secrets get asset-ops --reveal           the value, on the terminal
  bpctl secrets get asset-ops --reveal --yes     the value, also into a pipe")]
pub(crate) struct GetArgs {
    /// The secret, as `secrets list` names it
    #[arg(value_name = "NAME", add = crate::completion::secrets())]
    name: String,

    /// Write the value itself
    #[arg(long)]
    reveal: bool,

    /// With --reveal: also where the output is no terminal
    #[arg(short = 'y', long, requires = "reveal")]
    yes: bool,
}

impl Verb for GetArgs {
    fn uses() -> Uses {
        Uses::of(&[&[
            Use::of("ecs:DescribeServices", On::Services),
            Use::of("ecs:DescribeTaskDefinition", On::Anything),
            Use::of("ecs:DescribeTasks", On::Tasks),
            Use::of("ecs:ListTasks", On::AnythingInCluster),
            Use::of("secretsmanager:BatchGetSecretValue", On::Anything),
            Use::of("secretsmanager:GetSecretValue", On::Secrets),
            Use::of("secretsmanager:ListSecrets", On::Anything),
        ]])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        let entry = named(&layout, &self.name)?;
        if self.reveal {
            may_reveal(ctx, self.yes)?;
        }
        let prints = Fingerprints::open(ctx.state_dir.as_deref())?;
        let seen = ctx
            .unless_interrupted(observe(&ctx.aws, &layout, vec![entry], &[]))
            .await?;
        let Some(observed) = seen.secrets.first() else {
            return Err(CtlError::new(
                ErrorKind::Unexpected,
                "look at the secret: no answer",
            ));
        };
        let value = observed.value();
        if self.reveal && value.is_none() {
            let (_, why) = observed.state();
            let why = why.unwrap_or_default();
            return Err(CtlError::new(
                ErrorKind::NotFound,
                format!("reveal `{}`: {why}", observed.entry.name),
            ));
        }
        let shown = Shown {
            secret: SecretView::of(observed),
            length: value.map(|value| value.expose().chars().count()),
            fingerprint: value.map(|value| prints.of_secret(value)),
            value: value.filter(|_| self.reveal).map(Revealed::of),
            age: age(observed.changed, ctx.clock.now()),
        };
        if self.reveal {
            // The result goes to stdout alone: `emit` also leaves results with GitHub's runner.
            ctx.ui.result(&ctx.render(&shown)?)?;
        } else {
            ctx.emit(&shown)?;
        }
        Ok(ExitStatus::Done)
    }
}

/// # Errors
/// An output that other people may read later.
fn may_reveal(ctx: &Ctx, yes: bool) -> Result<()> {
    let refused = |why: &str| CtlError::new(ErrorKind::Declined, format!("reveal the secret: {why}"));
    if ctx.ui.is_github() {
        return Err(refused("the log of a workflow is kept and read by others")
            .hint("read the value where it is needed, e.g. with GetSecretValue in the step itself"));
    }
    if yes || ctx.ui.shows_results() {
        return Ok(());
    }
    Err(refused("the output is no terminal").hint("to write it there all the same, give `--yes`"))
}

/// A value on its way to stdout, because `--reveal` asks for it.
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
struct Revealed(String);

impl Revealed {
    fn of(secret: &Secret) -> Self {
        Self(secret.expose().to_owned())
    }
}

impl std::fmt::Debug for Revealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(crate::redact::REDACTED)
    }
}

impl Drop for Revealed {
    fn drop(&mut self) {
        secrecy::zeroize::Zeroize::zeroize(&mut self.0);
    }
}

/// The result.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::commands) struct Shown {
    #[serde(flatten)]
    secret: SecretView,
    /// In characters.
    length: Option<usize>,
    /// The same for the same value on this machine, and meaningless on any other.
    fingerprint: Option<String>,
    /// Only with `--reveal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Revealed>,
    #[serde(skip)]
    age: String,
}

impl Render for Shown {
    fn human(&self, _view: &View) -> String {
        if let Some(value) = &self.value {
            return format!("{}\n", value.0);
        }
        let secret = &self.secret;
        let state = match &secret.reason {
            Some(why) => format!("{}: {why}", secret.state.as_str()),
            None => secret.state.as_str().to_owned(),
        };
        let length = self
            .length
            .map_or("-".to_owned(), |length| format!("{length} characters"));
        let lines = [
            ("name", secret.name.clone()),
            ("path", secret.path.clone()),
            ("state", state),
            ("length", length),
            (
                "fingerprint",
                or_dash(self.fingerprint.clone().unwrap_or_default()),
            ),
            ("version", or_dash(secret.version.clone().unwrap_or_default())),
            ("age", self.age.clone()),
            (
                "last writer",
                or_dash(secret.last_writer.clone().unwrap_or_default()),
            ),
            ("used by", secret.used_by()),
        ];
        lines
            .iter()
            .map(|(name, value)| format!("{name:<13}{}\n", crate::output::one_line(value)))
            .collect()
    }

    fn names(&self) -> Vec<String> {
        vec![self.secret.name.clone()]
    }
}
