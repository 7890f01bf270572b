//! `bpctl secrets undo`: back to an earlier version of one secret.

use clap::Args;

use super::WRITING;
use super::history::{Version, versions, with_values};
use super::observe::{Seen, named};
use super::set::{breaks, is_undo, may_be_set};
use super::view::{run_of_version, short_version};
use super::write::{Action, Earlier, Occasion, To, Wanted, Writing};
use crate::change::{ChangeArgs, carry_out, journal};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;
use crate::iam::{CHANGE, On, Use, Uses};
use crate::layout::{SecretEntry, Store};
use crate::redact::Secret;
use crate::secrets::Fingerprints;

/// Go back to an earlier version of a secret
///
/// To the one before, unless `--to` names another. In Secrets Manager that version counts again; in Parameter Store its
/// value is written as a new version, since no version there can be chosen.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl secrets undo app-key                  the value before
  bpctl secrets undo oauth --to 34ecf818      a version that `secrets history oauth` shows")]
pub(crate) struct UndoArgs {
    /// The secret, as `secrets list` names it
    #[arg(value_name = "NAME", add = crate::completion::secrets())]
    name: String,

    /// The version, as `secrets history` shows it, or a label
    #[arg(long, value_name = "VERSION")]
    to: Option<String>,

    #[command(flatten)]
    change: ChangeArgs,
}

impl Verb for UndoArgs {
    fn uses() -> Uses {
        Uses::of(&[
            CHANGE,
            WRITING,
            &[
                Use::of("secretsmanager:ListSecretVersionIds", On::Secrets),
                Use::of("ssm:GetParameterHistory", On::FleetSecrets),
            ],
        ])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        let entry = named(&layout, &self.name)?;
        may_be_set(&entry)?;
        let earlier = if is_undo(ctx) {
            Earlier {
                version: String::new(),
                value: Secret::from(""),
            }
        } else {
            let prints = Fingerprints::open(ctx.state_dir.as_deref())?;
            let wanted = async {
                let cut_off = match self.to {
                    Some(_) => None,
                    None => of_a_run_that_was_cut_off(ctx, &entry).await?,
                };
                let to = self.to.as_deref().or(cut_off.as_deref());
                find(ctx, &entry, to, &prints).await
            };
            ctx.unless_interrupted(wanted).await?
        };
        let undo = Undo {
            entry,
            earlier,
            to: self.to,
        };
        let writing = Writing::new(ctx, layout, undo)?;
        let status = carry_out(ctx, &writing, &self.change).await?;
        writing.after(&self.change);
        Ok(status)
    }
}

/// The version to which a run was to go back that was cut off: the one before may have come back by now, and the one
/// before that is what was to go.
async fn of_a_run_that_was_cut_off(ctx: &Ctx, entry: &SecretEntry) -> Result<Option<String>> {
    let records = ctx.state_dir.as_deref().map(|state| journal::list(state).0);
    let mut cut_off = records.unwrap_or_default();
    cut_off.retain(|record| record.verb == Undo::NAME && record.is_cut_off());
    if cut_off.is_empty() {
        return Ok(None);
    }
    let target = ctx.target().await?;
    cut_off.retain(|record| record.target.is_same_place(&target));
    let step = cut_off
        .iter()
        .flat_map(|record| &record.steps)
        .find(|step| step.id == entry.name);
    let action = step
        .and_then(|step| step.step::<Action>())
        .map(|step| step.action);
    Ok(match action {
        Some(Action::Move { call, .. }) => Some(call.to),
        Some(Action::Parameter { from, .. }) => from.map(|version| version.to_string()),
        Some(Action::Put { .. } | Action::Make { .. } | Action::Create { .. } | Action::Delete { .. })
        | None => None,
    })
}

/// The version to go back to.
async fn find(ctx: &Ctx, entry: &SecretEntry, to: Option<&str>, prints: &Fingerprints) -> Result<Earlier> {
    let all = versions(&ctx.aws, entry).await?;
    let chosen = choose(&all, entry, to, prints)?.clone();
    let read = with_values(&ctx.aws, entry, vec![chosen]).await?;
    let chosen = read.into_iter().next();
    let value = chosen.as_ref().and_then(|version| version.value.clone());
    match (chosen, value) {
        (Some(version), Some(value)) => Ok(Earlier {
            version: version.id,
            value,
        }),
        _ => Err(CtlError::new(
            ErrorKind::Failed,
            format!(
                "go back to an earlier version of {}: it holds no text",
                entry.name
            ),
        )),
    }
}

/// Picks the version that was asked for, or the one before. Pure.
fn choose<'a>(
    versions: &'a [Version],
    entry: &SecretEntry,
    to: Option<&str>,
    prints: &Fingerprints,
) -> Result<&'a Version> {
    let history = || CommandLine::bpctl(["secrets", "history", &entry.name]);
    let Some(to) = to else {
        return before(versions, entry, prints).ok_or_else(|| {
            CtlError::new(
                ErrorKind::NotFound,
                format!("go back to the version of {} before: there is none", entry.name),
            )
            .hint(("see what there is with", history()))
        });
    };
    let whole = |version: &&Version| version.id == to || version.labels.iter().any(|label| label == to);
    if let Some(version) = versions.iter().find(whole) {
        return Ok(version);
    }
    // As tables show it: the beginning of an id, or the end of a run's.
    let short = |version: &&Version| {
        entry.store == Store::SecretsManager
            && (short_version(Some(&version.id)) == to
                || run_of_version(&version.id) == Some(to)
                || (to.len() >= 4 && version.id.starts_with(to)))
    };
    let mut found = versions.iter().filter(short);
    match (found.next(), found.next()) {
        (Some(version), None) => Ok(version),
        (Some(_), Some(_)) => Err(CtlError::usage(format!(
            "go back to version `{to}` of {}: several begin so",
            entry.name
        ))
        .hint(("see them with", history().option("--output", "wide")))),
        (None, _) => Err(CtlError::usage(format!(
            "go back to version `{to}` of {}: there is none",
            entry.name
        ))
        .hint(("see what there is with", history()))),
    }
}

/// The version before: what Secrets Manager labels so; in Parameter Store the newest one with another value.
fn before<'a>(versions: &'a [Version], entry: &SecretEntry, prints: &Fingerprints) -> Option<&'a Version> {
    if entry.store == Store::SecretsManager {
        let previous = |version: &&Version| version.labels.iter().any(|label| label == "AWSPREVIOUS");
        return versions.iter().find(previous);
    }
    let print = |version: &Version| version.value.as_ref().map(|value| prints.of_secret(value));
    let now = versions.iter().find(|version| version.current).map(print)?;
    versions.iter().find(|version| print(version) != now)
}

struct Undo {
    entry: SecretEntry,
    earlier: Earlier,
    to: Option<String>,
}

impl Occasion for Undo {
    const NAME: &'static str = "secrets undo";

    fn goal(&self) -> String {
        format!(
            "take {} back to version {}",
            self.entry.name, self.earlier.version
        )
    }

    fn entries(&self) -> Vec<SecretEntry> {
        vec![self.entry.clone()]
    }

    fn wanted(&self, _seen: &Seen) -> Result<Vec<Wanted>> {
        Ok(vec![Wanted {
            name: self.entry.name.clone(),
            to: To::Version(self.earlier.clone()),
            loses: None,
            may_be_made: false,
            notes: Vec::new(),
        }])
    }

    fn warnings(&self, _seen: &Seen) -> Vec<String> {
        breaks(&self.entry)
    }

    fn resume(&self) -> CommandLine {
        let command = CommandLine::bpctl(["secrets", "undo", &self.entry.name]);
        match self.to.as_deref() {
            Some(to) => command.option("--to", to),
            None => command.option("--to", self.earlier.version.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{Layout, LayoutKind};

    fn version(id: &str, labels: &[&str], value: &str) -> Version {
        Version {
            id: id.to_owned(),
            created: None,
            labels: labels.iter().map(|label| (*label).to_owned()).collect(),
            by: None,
            current: false,
            value: Some(Secret::from(value)),
        }
    }

    fn entry(name: &str) -> SecretEntry {
        named(&Layout::new(LayoutKind::Single, "bp", None).unwrap(), name).unwrap()
    }

    #[test]
    fn a_version_is_found_by_id_beginning_label_and_run() {
        let run = "20260115T090000Z-0123456789ab";
        let all = [
            version(&format!("bpctl-{run}"), &["AWSCURRENT"], "c"),
            version("aaaa1111-2222", &["AWSPREVIOUS"], "b"),
            version("aaaa9999-2222", &[], "a"),
        ];
        let prints = Fingerprints::open(None).unwrap();
        let key = entry("app-key");
        let found = |to: Option<&str>| {
            choose(&all, &key, to, &prints)
                .map(|version| version.id.clone())
                .map_err(|error| error.message().to_owned())
        };
        let id = |at: usize| Ok(all[at].id.clone());
        assert_eq!(found(None), id(1));
        assert_eq!(found(Some("aaaa9999-2222")), id(2));
        assert_eq!(found(Some("aaaa9")), id(2));
        assert_eq!(found(Some("AWSPREVIOUS")), id(1));
        assert_eq!(found(Some(run)), id(0));
        assert_eq!(found(Some("0123456789ab")), id(0));
        assert!(found(Some("aaaa")).unwrap_err().ends_with("several begin so"));
        assert!(found(Some("zzzz")).unwrap_err().ends_with("there is none"));
    }

    #[test]
    fn the_version_before_of_a_parameter_is_one_with_another_value() {
        let mut all = [
            version("3", &[], "new"),
            version("2", &[], "new"),
            version("1", &[], "old"),
        ];
        all[0].current = true;
        let prints = Fingerprints::open(None).unwrap();
        let fleet = entry("fleet-secret/staging");
        assert_eq!(choose(&all, &fleet, None, &prints).unwrap().id, "1");
        assert_eq!(choose(&all, &fleet, Some("2"), &prints).unwrap().id, "2");
        assert!(choose(&all[..2], &fleet, None, &prints).is_err());
    }
}
