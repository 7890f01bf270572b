//! `bpctl secrets diff`: which secrets two contexts have in common, by fingerprint.

use clap::Args;
use futures::FutureExt as _;
use schemars::JsonSchema;
use serde::Serialize;

use super::observe::{Observed, Seen, State, observe};
use super::view::or_dash;
use crate::aws::Aws;
use crate::commands::sandbox::attach;
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CtlError, Result};
use crate::exit::ExitStatus;
use crate::iam::{On, Use, Uses};
use crate::layout::Layout;
use crate::output::{Render, Table, View};
use crate::secrets::Fingerprints;
use crate::settings::{self, SANDBOX_CONTEXT};

/// Compare the secrets of two contexts by fingerprint
///
/// Two systems should share none of their secrets, and both should have all of them. Values are compared on this
/// machine and shown nowhere.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl secrets diff --against production                 this context and another one
  bpctl secrets diff --against production --exit-code     status 9 when anything differs")]
pub(crate) struct DiffArgs {
    /// The other context
    #[arg(long, value_name = "CONTEXT", add = crate::completion::contexts())]
    against: String,

    /// Exit with status 9 when anything differs
    #[arg(long)]
    exit_code: bool,
}

impl Verb for DiffArgs {
    fn uses() -> Uses {
        Uses::of(&[&[
            Use::of("ecs:DescribeServices", On::Services),
            Use::of("ecs:DescribeTaskDefinition", On::Anything),
            Use::of("ecs:DescribeTasks", On::Tasks),
            Use::of("ecs:ListTasks", On::AnythingInCluster),
            Use::of("secretsmanager:BatchGetSecretValue", On::Anything),
            Use::of("secretsmanager:GetSecretValue", On::Secrets),
            Use::of("secretsmanager:ListSecrets", On::Anything),
            Use::of("ssm:DescribeParameters", On::Anything),
            Use::of("ssm:GetParameters", On::FleetSecrets),
            Use::of("ssm:GetParameters", On::PlatformParameters),
        ]])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let prints = Fingerprints::open(ctx.state_dir.as_deref())?;
        let layout = ctx.layout()?;
        let other = other(ctx, &self.against).boxed_local().await?;
        let look = async {
            let here = observe(&ctx.aws, &layout, layout.secret_table(&[]), &[]).boxed_local();
            let there = observe(&other.aws, &other.layout, other.layout.secret_table(&[]), &[]).boxed_local();
            // On the heap: two futures of many SDK calls are too much for one stack.
            let (here, there) = futures::join!(here, there);
            Ok((
                here?,
                there.map_err(|error| error.context(format!("look at context {}", self.against)))?,
            ))
        };
        let (here, there) = ctx.unless_interrupted(look).await?;
        let diff = SecretsDiff {
            here: ctx.settings.context.value.clone(),
            against: self.against,
            secrets: compare(&here, &there, &prints),
        };
        let differs = diff
            .secrets
            .iter()
            .any(|secret| secret.outcome != Comparison::Same);
        ctx.emit(&diff)?;
        Ok(if differs && self.exit_code {
            ExitStatus::Differences
        } else {
            ExitStatus::Done
        })
    }
}

/// Another context, with a way to its account.
struct Other {
    aws: Aws,
    layout: Layout,
}

async fn other(ctx: &Ctx, name: &str) -> Result<Other> {
    let mut inputs = ctx.inputs();
    // What this command line says of the place is said of this context.
    inputs.flags.clear();
    inputs.flags.insert("context", name.to_owned());
    let mut settings = settings::resolve(&inputs)?;
    let simulated = ctx.aws.is_simulated();
    if !settings.is_sandbox() && !simulated {
        settings.check_before_calls(&ctx.profiles)?;
    }
    if name == SANDBOX_CONTEXT && !simulated {
        attach(&ctx.ui, &mut settings, &ctx.env, ctx.state_dir.as_deref())
            .boxed_local()
            .await?;
    }
    let layout = Layout::new(
        settings.layout.value,
        &settings.prefix.value,
        settings.stage.as_ref().map(|stage| stage.value),
    )
    .map_err(|error: CtlError| error.context(format!("use context {name}")))?;
    Ok(Other {
        aws: ctx.aws.of_context(settings),
        layout,
    })
}

/// How a secret of one context compares to that of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Comparison {
    Same,
    Different,
    /// The other context has none.
    OnlyHere,
    /// This context has none.
    OnlyThere,
    /// One of them could not be read.
    Unknown,
}

impl Comparison {
    fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Different => "different",
            Self::OnlyHere => "only-here",
            Self::OnlyThere => "only-there",
            Self::Unknown => "unknown",
        }
    }
}

/// The secrets of both, in the order of this context's table. Pure.
fn compare(here: &Seen, there: &Seen, prints: &Fingerprints) -> Vec<Compared> {
    let ours = here.secrets.iter().map(|observed| observed.entry.name.as_str());
    let theirs = there
        .secrets
        .iter()
        .map(|observed| observed.entry.name.as_str())
        .filter(|name| here.of(name).is_none());
    ours.chain(theirs)
        .map(|name| {
            let sides = [here.of(name), there.of(name)];
            let [ours, theirs] = sides.map(|observed| Side::of(observed, prints));
            let unreadable = [&ours, &theirs].iter().any(|side| side.state == State::Unknown);
            let outcome = match (&ours.fingerprint, &theirs.fingerprint) {
                _ if unreadable => Comparison::Unknown,
                (Some(one), Some(other)) if one == other => Comparison::Same,
                (Some(_), Some(_)) => Comparison::Different,
                (Some(_), None) => Comparison::OnlyHere,
                (None, Some(_)) => Comparison::OnlyThere,
                (None, None) => Comparison::Same,
            };
            Compared {
                name: name.to_owned(),
                outcome,
                here: ours,
                there: theirs,
            }
        })
        .collect()
}

/// The result.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::commands) struct SecretsDiff {
    /// This context.
    here: String,
    /// The other one.
    against: String,
    secrets: Vec<Compared>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Compared {
    name: String,
    outcome: Comparison,
    here: Side,
    there: Side,
}

/// A secret of one of the two, without its value.
#[derive(Debug, Serialize, JsonSchema)]
struct Side {
    state: State,
    /// In characters.
    length: Option<usize>,
    fingerprint: Option<String>,
}

impl Side {
    fn of(observed: Option<&Observed>, prints: &Fingerprints) -> Self {
        let value = observed.and_then(Observed::value);
        Self {
            state: observed.map_or(State::Missing, |observed| observed.state().0),
            length: value.map(|value| value.expose().chars().count()),
            fingerprint: value.map(|value| prints.of_secret(value)),
        }
    }

    fn words(&self) -> String {
        let print = or_dash(self.fingerprint.clone().unwrap_or_default());
        format!("{} {print}", self.state.as_str())
    }
}

impl Render for SecretsDiff {
    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["NAME", "OUTCOME", "HERE", "THERE"]);
        for secret in &self.secrets {
            table.row([
                secret.name.clone(),
                secret.outcome.as_str().to_owned(),
                secret.here.words(),
                secret.there.words(),
            ]);
        }
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        let differing = self
            .secrets
            .iter()
            .filter(|secret| secret.outcome != Comparison::Same);
        differing.map(|secret| secret.name.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::observe::Found;
    use super::*;
    use crate::layout::LayoutKind;
    use crate::redact::Secret;

    fn seen(found: [Found; 3]) -> Seen {
        let layout = Layout::new(LayoutKind::Single, "bp", None).unwrap();
        let entries = layout.secret_table(&[]);
        let secrets = entries.into_iter().zip(found).map(|(entry, found)| Observed {
            entry,
            found,
            version: None,
            changed: None,
            by: None,
            services: Vec::new(),
            fleets: Vec::new(),
        });
        Seen {
            secrets: secrets.collect(),
            gaps: Vec::new(),
        }
    }

    #[test]
    fn values_are_compared_by_fingerprint_and_what_cannot_be_read_is_unknown() {
        let prints = Fingerprints::open(None).unwrap();
        let value = |text: &str| Found::Value(Secret::from(text));
        let outcomes = |here, there| {
            compare(&seen(here), &seen(there), &prints)
                .into_iter()
                .map(|secret| secret.outcome)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            outcomes(
                [value("a"), value("a"), Found::Missing],
                [value("a"), value("b"), value("c")]
            ),
            [Comparison::Same, Comparison::Different, Comparison::OnlyThere]
        );
        assert_eq!(
            outcomes(
                [value("a"), value("a"), Found::NoValue],
                [
                    Found::NoValue,
                    Found::Unreadable("denied".to_owned()),
                    Found::Missing
                ]
            ),
            [Comparison::OnlyHere, Comparison::Unknown, Comparison::Same]
        );
    }
}
