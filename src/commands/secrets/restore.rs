//! `bpctl restore`: parameters and secrets of a backup into the stores, all of them or none.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::Args;

use super::WRITING;
use super::input::text_of_file;
use super::observe::{Seen, State};
use super::redeploy::{self, RedeployArgs};
use super::set::{breaks, is_undo};
use super::write::{Occasion, To, Wanted, Writing};
use crate::bundle::Sha256;
use crate::change::{ChangeArgs, carry_out};
use crate::commands::backup::place::Place;
use crate::commands::backup::{Manifest, OpenedEntry, entries};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;
use crate::iam::{CHANGE, On, Use, Uses};
use crate::layout::{FleetId, Layout, SecretEntry, SecretRole, Store};
use crate::redact::Secret;
use crate::secrets::{Condition, Identities, Locked, Shape};
use crate::settings::nearest;

/// Write the parameters and secrets of a backup back: all of them, or none
///
/// Compares the backup with the stores, shows lengths and fingerprints, and writes what differs. When a write fails,
/// what was written before is taken back. What a stack makes must be there before: after a teardown the stacks are
/// deployed first. Image, bundle and configuration of a fleet are made where they are missing. Database credentials, the
/// cache's token, and names and addresses that a stack writes are those of the new stack: they stay, unless `--only`
/// names them. So do the credentials that a teardown has kept, `kept/DATABASE`: they describe a database of before, and
/// are made where they are missing. Database and buckets are not restored by this command; it says what to do about them.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl restore --from /mnt/before-reset --identity key.txt --dry-run       what would change
  bpctl restore --from s3://my-backups/before-reset --identity key.txt
  bpctl restore --from before --identity key.txt --only oauth --only fleet-secret/production
  bpctl restore --from before --identity key.txt --redeploy yes --yes       and the tasks that hold earlier values go")]
pub(crate) struct RestoreArgs {
    /// The backup: a folder, or `s3://BUCKET/PREFIX`
    #[arg(long, value_name = "DIR|s3://BUCKET/PREFIX", value_hint = clap::ValueHint::DirPath)]
    from: String,

    /// The file with the secret key of age, as `age-keygen` writes it
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    identity: PathBuf,

    /// Only this secret or parameter, by its name or path; more than one may be given
    #[arg(long, value_name = "NAME", add = crate::completion::secrets())]
    only: Vec<String>,

    #[command(flatten)]
    redeploy: RedeployArgs,

    #[command(flatten)]
    change: ChangeArgs,
}

impl Verb for RestoreArgs {
    fn uses() -> Uses {
        let own = Uses::of(&[
            CHANGE,
            WRITING,
            &[
                Use::of("secretsmanager:CreateSecret", On::KeptSecrets),
                Use::of("secretsmanager:DescribeSecret", On::KeptSecrets),
                Use::of("secretsmanager:GetSecretValue", On::KeptSecrets),
                Use::of("secretsmanager:PutSecretValue", On::KeptSecrets),
                Use::of("secretsmanager:PutSecretValue", On::Secrets),
                Use::of("secretsmanager:TagResource", On::KeptSecrets),
                // What was written before goes back when another write fails.
                Use::of("secretsmanager:UpdateSecretVersionStage", On::KeptSecrets),
                Use::of("ssm:GetParameters", On::FleetParameters),
                Use::of("ssm:GetParameters", On::PlatformParameters),
                // What a restore has made goes when another write fails.
                Use::of("ssm:DeleteParameter", On::FleetParameters),
                Use::of("ssm:PutParameter", On::FleetParameters),
                Use::of("ssm:PutParameter", On::PlatformParameters),
            ],
        ])
        .with("--from", &[Use::of("s3:GetObject", On::BackupObjects)]);
        redeploy::uses(own)
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        self.redeploy.check()?;
        ctx.holds_secrets();
        let layout = ctx.layout()?;
        let place = Place::parse(&ctx.cwd, &self.from)?;
        let restore = if is_undo(ctx) {
            self.taken_back(&layout)
        } else {
            let identities = self.identities(ctx)?;
            let (manifest, opened) = self.opened(ctx, &place, &identities).await?;
            self.chosen(&layout, (&manifest, &place), opened)?
        };
        let elsewhere = restore.elsewhere.clone();
        let writing = Writing::new(ctx, layout, restore)?;
        let status = carry_out(ctx, &writing, &self.change).await?;
        if is_undo(ctx) {
            return Ok(status);
        }
        for hint in elsewhere {
            ctx.ui.hint(hint);
        }
        let apps = writing.apps_to_redeploy();
        self.redeploy.follow_up(ctx, apps, &self.change, status).await
    }
}

impl RestoreArgs {
    fn identities(&self, ctx: &Ctx) -> Result<Identities> {
        let text = text_of_file(ctx, &self.identity)?;
        Identities::parse(&text).map_err(|why| {
            CtlError::usage(format!(
                "read the identity in `{}`: {why}",
                self.identity.display()
            ))
            .hint("it is the file that `age-keygen -o` has written")
        })
    }

    /// The backup's manifest and its decrypted entries.
    async fn opened(
        &self,
        ctx: &Ctx,
        place: &Place,
        identities: &Identities,
    ) -> Result<(Manifest, Vec<OpenedEntry>)> {
        let shown = place.shown();
        let manifest = ctx.unless_interrupted(place.manifest(ctx)).await?;
        let manifest = manifest.ok_or_else(|| {
            CtlError::new(
                ErrorKind::NotFound,
                format!("restore from `{shown}`: it holds no complete backup, there is no manifest"),
            )
        })?;
        let manifest = Manifest::parse(&manifest, &shown)?;
        let Some(saved) = &manifest.secrets else {
            return Err(CtlError::new(
                ErrorKind::NotFound,
                format!("restore from `{shown}`: the backup was made without secrets"),
            ));
        };
        let sealed = ctx
            .unless_interrupted(place.secrets(ctx))
            .await?
            .unwrap_or_default();
        if Sha256::of(&sealed) != saved.sha256 {
            return Err(CtlError::new(
                ErrorKind::Failed,
                format!("restore from `{shown}`: the file of the secrets is not the one of the manifest"),
            ));
        }
        let plain = identities.decrypt(&sealed).map_err(|locked| match locked {
            Locked::OtherRecipients => CtlError::usage(format!(
                "decrypt the secrets in `{shown}` with `{}`: they are encrypted to another recipient",
                self.identity.display()
            ))
            .hint("the manifest names the recipients: give the identity of one of them"),
            Locked::Broken(why) => CtlError::new(
                ErrorKind::Failed,
                format!("decrypt the secrets in `{shown}`: {}", why.to_lowercase()),
            ),
        })?;
        let opened = entries(&plain).map_err(|why| {
            CtlError::new(ErrorKind::Failed, format!("read the secrets in `{shown}`: {why}"))
        })?;
        Ok((manifest, opened))
    }

    /// What is written back, and what is not.
    fn chosen(
        &self,
        layout: &Layout,
        (manifest, place): (&Manifest, &Place),
        opened: Vec<OpenedEntry>,
    ) -> Result<Restore> {
        let mut table = layout.secret_table(&fleets_of(layout, &opened));
        table.extend(kept_of(layout, &opened));
        let mut restore = self.taken_back(layout);
        restore.entries.clear();
        restore.from = format!(
            "of account {}, complete at {}",
            manifest.account,
            manifest.made.strftime("%Y-%m-%d %H:%M:%SZ")
        );
        let mut only: BTreeSet<&str> = self.only.iter().map(String::as_str).collect();
        let mut malformed = Vec::new();
        let mut names = Vec::new();
        for one in opened {
            let entry = table
                .iter()
                .find(|entry| entry.path == one.path && one.is_in(entry.store));
            let Some(entry) = entry else {
                restore.stays.push(format!(
                    "`{}` stays in the backup: it is none of those that are written by hand",
                    one.path
                ));
                continue;
            };
            names.push(entry.name.clone());
            let by_name = only.remove(entry.name.as_str());
            let named = only.remove(entry.path.as_str()) || by_name;
            if !self.only.is_empty() && !named {
                continue;
            }
            if !named && is_kept(entry) {
                restore.stays.push(format!(
                    "{} stays in the backup, unless `--only` names it: it describes a database of before",
                    entry.name
                ));
                continue;
            }
            if !named && is_of_stack(&entry.role) {
                restore
                    .stays
                    .push(format!("{} stays as the stack made it", entry.name));
                continue;
            }
            match Shape::of(&entry.role).examine(one.value.expose()) {
                Condition::Set => {
                    restore.entries.push(entry.clone());
                    restore.values.insert(entry.name.clone(), one.value);
                }
                Condition::Placeholder(why) => restore.stays.push(format!(
                    "{} stays as it is: the backup has a placeholder ({why})",
                    entry.name
                )),
                Condition::Malformed(why) => malformed.push(format!("{} ({why})", entry.name)),
            }
        }
        if let Some(unknown) = only.first() {
            let error = CtlError::usage(format!("restore `{unknown}`: the backup has none of this name"));
            return Err(match nearest(unknown, names.iter().map(String::as_str)) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint(format!("it has {}", names.join(", "))),
            });
        }
        if !malformed.is_empty() {
            return Err(CtlError::new(
                ErrorKind::Failed,
                format!(
                    "restore what the backup holds: it is malformed: {}",
                    malformed.join(", ")
                ),
            )
            .hint("nothing was written; `--only` restores the others"));
        }
        restore.elsewhere = self.elsewhere(manifest, place);
        Ok(restore)
    }

    /// What is not restored here, and what to do about it.
    fn elsewhere(&self, manifest: &Manifest, place: &Place) -> Vec<(String, CommandLine)> {
        let from = self.from.trim_end_matches('/');
        let mut all = Vec::new();
        for bucket in manifest.buckets.iter().filter(|bucket| bucket.objects > 0) {
            let objects = crate::output::counted(bucket.objects, "object");
            let what = format!("the {objects} of {} are not restored here", bucket.bucket);
            let what = match place.under_digests(bucket) {
                None | Some((Some(0), _)) => format!("{what}; copy them with"),
                Some((Some(1), list)) => {
                    format!("{what}: 1 lies in `.other`, and its key is in `{list}`; copy the others with")
                }
                Some((Some(count), list)) => format!(
                    "{what}: {count} lie in `.other`, and their keys are in `{list}`; copy the others with"
                ),
                Some((None, list)) => format!(
                    "{what}: those in `.other` have their keys in `{list}`, which cannot be read; copy the others with"
                ),
            };
            let mut command = CommandLine::aws("s3", "sync")
                .args([format!("{from}/buckets/{}", bucket.role())])
                .args([format!("s3://{}", bucket.bucket)]);
            for pattern in place.no_keys() {
                command = command.option("--exclude", *pattern);
            }
            all.push((what, command));
        }
        if let Some(database) = &manifest.database {
            all.push((
                "the database is not restored here; a new instance is made from its snapshot, which is described with"
                    .to_owned(),
                CommandLine::aws("rds", "describe-db-snapshots")
                    .option("--db-snapshot-identifier", &database.snapshot),
            ));
        }
        all
    }

    /// Without values, for a run that is taken back.
    fn taken_back(&self, layout: &Layout) -> Restore {
        let mut resume = CommandLine::bpctl(["restore"])
            .option("--from", &self.from)
            .option("--identity", self.identity.display().to_string());
        for name in &self.only {
            resume = resume.option("--only", name);
        }
        Restore {
            entries: layout.secret_table(&[]),
            values: BTreeMap::new(),
            from: String::new(),
            stays: Vec::new(),
            elsewhere: Vec::new(),
            redeploy: self.redeploy,
            resume,
        }
    }
}

/// Whether a value describes what a stack has made: a new stack has another one.
fn is_of_stack(role: &SecretRole) -> bool {
    match role {
        SecretRole::Database | SecretRole::Redis | SecretRole::Text => true,
        SecretRole::AppKey
        | SecretRole::OAuth
        | SecretRole::AssetOps
        | SecretRole::FleetSecret(_)
        | SecretRole::Image(_)
        | SecretRole::Bundle(_)
        | SecretRole::FleetConfig(_) => false,
    }
}

/// What the names of credentials begin with that a teardown has kept.
const KEPT: &str = "kept/";

/// Whether a secret is a copy that a teardown has made: no stack makes it, and none has another one.
fn is_kept(entry: &SecretEntry) -> bool {
    entry.name.starts_with(KEPT)
}

/// The credentials of a backup that a teardown had kept.
fn kept_of(layout: &Layout, opened: &[OpenedEntry]) -> Vec<SecretEntry> {
    let any = layout.kept_credentials("*");
    let (before, after) = any.split_once('*').unwrap_or((&any, ""));
    let kept = opened.iter().filter_map(|one| {
        let database = one.path.strip_prefix(before)?.strip_suffix(after)?;
        let is_name = !database.is_empty() && !database.contains('/') && one.is_in(Store::SecretsManager);
        is_name.then(|| SecretEntry {
            name: format!("{KEPT}{database}"),
            path: one.path.clone(),
            store: Store::SecretsManager,
            role: SecretRole::Database,
        })
    });
    kept.collect()
}

/// Whether a parameter says what a fleet runs: no stack makes it.
fn is_pointer(role: &SecretRole) -> bool {
    matches!(
        role,
        SecretRole::Image(_) | SecretRole::Bundle(_) | SecretRole::FleetConfig(_)
    )
}

/// The fleets that the paths of a backup name.
fn fleets_of(layout: &Layout, opened: &[OpenedEntry]) -> Vec<FleetId> {
    let mut found = BTreeSet::new();
    for stage in layout.fleet_stages() {
        for entry in opened {
            let names = entry.path.split('/').filter(|name| !name.is_empty());
            for fleet in names.filter_map(|name| format!("{stage}/{name}").parse::<FleetId>().ok()) {
                let pointers = [
                    layout.ami_parameter(&fleet),
                    layout.active_bundle_parameter(&fleet),
                ];
                let config = layout.desired_config_parameter(&fleet);
                if pointers.iter().chain(&config).any(|path| *path == entry.path) {
                    found.insert(fleet);
                }
            }
        }
    }
    found.into_iter().collect()
}

struct Restore {
    entries: Vec<SecretEntry>,
    /// By the names of the table.
    values: BTreeMap<String, Secret>,
    /// Which backup.
    from: String,
    /// What is not written, and why.
    stays: Vec<String>,
    /// What else the backup has, and what to do about it.
    elsewhere: Vec<(String, CommandLine)>,
    redeploy: RedeployArgs,
    resume: CommandLine,
}

impl Occasion for Restore {
    const NAME: &'static str = "restore";

    fn goal(&self) -> String {
        format!("restore parameters and secrets of the backup {}", self.from)
            .trim_end()
            .to_owned()
    }

    fn entries(&self) -> Vec<SecretEntry> {
        self.entries.clone()
    }

    fn wanted(&self, seen: &Seen) -> Result<Vec<Wanted>> {
        let wanted = seen.secrets.iter().filter_map(|observed| {
            let value = self.values.get(&observed.entry.name)?;
            Some(Wanted {
                name: observed.entry.name.clone(),
                to: To::Value(value.clone()),
                loses: None,
                may_be_made: is_pointer(&observed.entry.role) || is_kept(&observed.entry),
                notes: Vec::new(),
            })
        });
        Ok(wanted.collect())
    }

    fn warnings(&self, seen: &Seen) -> Vec<String> {
        let mut warnings: Vec<String> = self.redeploy.note().into_iter().collect();
        for observed in &seen.secrets {
            let now = observed.value().map(Secret::expose);
            let wanted = self.values.get(&observed.entry.name).map(Secret::expose);
            let is_set = matches!(observed.state().0, State::Set | State::StaleInTasks);
            if is_set && wanted.is_some() && now != wanted {
                warnings.extend(breaks(&observed.entry));
            }
        }
        warnings
    }

    fn stays(&self) -> Vec<String> {
        self.stays.clone()
    }

    fn resume(&self) -> CommandLine {
        self.resume.clone()
    }
}
