//! `bpctl secrets history`: the versions of one secret.

use clap::Args;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::observe::named;
use super::view::{age, or_dash, run_of_version, short_version};
use crate::aws::Aws;
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::iam::{On, Use, Uses};
use crate::layout::{SecretEntry, Store};
use crate::output::{Render, Table, View, paragraph};
use crate::redact::Secret;
use crate::secrets::Fingerprints;

/// Show the versions of a secret: when, who, and which values are the same
///
/// Secrets Manager keeps a hundred versions and tells no writer but bpctl itself; Parameter Store keeps a hundred with
/// their writers. `secrets undo NAME --to VERSION` goes back to one of them.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl secrets history app-key                    the last ten versions
  bpctl secrets history oauth --limit 100          all of them")]
pub(crate) struct HistoryArgs {
    /// The secret, as `secrets list` names it
    #[arg(value_name = "NAME", add = crate::completion::secrets())]
    name: String,

    /// How many versions at most, the newest first
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=100))]
    limit: u16,
}

impl Verb for HistoryArgs {
    fn uses() -> Uses {
        Uses::of(&[&[
            Use::of("secretsmanager:GetSecretValue", On::Secrets),
            Use::of("secretsmanager:ListSecretVersionIds", On::Secrets),
            Use::of("ssm:GetParameterHistory", On::FleetSecrets),
        ]])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let entry = named(&ctx.layout()?, &self.name)?;
        let prints = Fingerprints::open(ctx.state_dir.as_deref())?;
        let read = async {
            let mut versions = versions(&ctx.aws, &entry).await?;
            versions.truncate(usize::from(self.limit));
            with_values(&ctx.aws, &entry, versions).await
        };
        let versions = ctx.unless_interrupted(read).await?;
        let history = SecretHistory {
            name: entry.name.clone(),
            path: entry.path.clone(),
            versions: versions
                .iter()
                .map(|version| VersionView::of(version, &prints))
                .collect(),
            now: ctx.clock.now(),
        };
        ctx.emit(&history)?;
        Ok(ExitStatus::Done)
    }
}

/// A version of either store.
#[derive(Clone, Debug)]
pub(super) struct Version {
    pub(super) id: String,
    pub(super) created: Option<Timestamp>,
    pub(super) labels: Vec<String>,
    pub(super) by: Option<String>,
    /// Whether readers get it.
    pub(super) current: bool,
    /// Not read yet, or no text.
    pub(super) value: Option<Secret>,
}

/// The versions that are kept, the newest first; those of Secrets Manager without values.
pub(super) async fn versions(aws: &Aws, entry: &SecretEntry) -> Result<Vec<Version>> {
    if entry.store == Store::SecretsManager {
        let versions = aws.secret_versions(&entry.path).await?;
        let of_secret = versions.into_iter().map(|version| Version {
            current: version.is_current(),
            created: version.created,
            by: run_of_version(&version.id).map(|run| format!("bpctl run {run}")),
            id: version.id,
            labels: version.stages,
            value: None,
        });
        return Ok(of_secret.collect());
    }
    let versions = aws.parameter_history(&entry.path).await?;
    let newest = versions.iter().map(|version| version.version).max();
    let of_parameter = versions.into_iter().map(|version| Version {
        current: Some(version.version) == newest,
        id: version.version.to_string(),
        created: version.modified,
        labels: version.labels,
        by: version.by,
        value: Some(version.value),
    });
    Ok(of_parameter.collect())
}

/// The same with the values of Secrets Manager, a call each.
pub(super) async fn with_values(
    aws: &Aws,
    entry: &SecretEntry,
    mut versions: Vec<Version>,
) -> Result<Vec<Version>> {
    if entry.store == Store::SecretsManager {
        for version in &mut versions {
            version.value = aws.secret_version(&entry.path, &version.id).await?.value;
        }
    }
    Ok(versions)
}

/// The result.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::commands) struct SecretHistory {
    name: String,
    path: String,
    versions: Vec<VersionView>,
    #[serde(skip)]
    now: Timestamp,
}

/// A version, without its value.
#[derive(Debug, Serialize, JsonSchema)]
struct VersionView {
    version: String,
    created: Option<Timestamp>,
    /// Staging labels of Secrets Manager, labels of Parameter Store.
    labels: Vec<String>,
    /// ARN of the principal that wrote it, or the run of bpctl that did.
    writer: Option<String>,
    /// Whether readers get it.
    current: bool,
    /// In characters.
    length: Option<usize>,
    fingerprint: Option<String>,
}

impl VersionView {
    fn of(version: &Version, prints: &Fingerprints) -> Self {
        Self {
            version: version.id.clone(),
            created: version.created,
            labels: version.labels.clone(),
            writer: version.by.clone(),
            current: version.current,
            length: version.value.as_ref().map(|value| value.expose().chars().count()),
            fingerprint: version.value.as_ref().map(|value| prints.of_secret(value)),
        }
    }
}

impl Render for SecretHistory {
    fn human(&self, view: &View) -> String {
        if self.versions.is_empty() {
            let mut text = String::new();
            let told = format!("{} has no version: no value was ever written to it.", self.name);
            paragraph(&mut text, view, "", &told);
            return text;
        }
        let mut table = Table::new(&["VERSION", "AGE", "CURRENT", "LENGTH", "FINGERPRINT", "WRITER"]);
        for version in &self.versions {
            let id = if view.wide {
                version.version.clone()
            } else {
                short_version(Some(&version.version))
            };
            table.row([
                id,
                age(version.created, self.now),
                if version.current { "yes" } else { "" }.to_owned(),
                version.length.map_or("-".to_owned(), |length| length.to_string()),
                or_dash(version.fingerprint.clone().unwrap_or_default()),
                or_dash(version.writer.clone().unwrap_or_default()),
            ]);
        }
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        self.versions
            .iter()
            .map(|version| version.version.clone())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_without_versions_says_so_instead_of_a_bare_heading() {
        let history = SecretHistory {
            name: "app-key".to_owned(),
            path: "/bp/laravel/app-key".to_owned(),
            versions: Vec::new(),
            now: Timestamp::UNIX_EPOCH,
        };
        let text = history.human(&View {
            wide: false,
            width: Some(80),
            color: false,
        });
        assert_eq!(text, "app-key has no version: no value was ever written to it.\n");
        assert!(history.names().is_empty());
    }
}
