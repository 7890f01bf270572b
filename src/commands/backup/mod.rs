//! `bpctl backup`: what the platform holds, at one place and of one time, before something takes it away.

mod act;
mod bucket;
mod folder;
mod manifest;
mod observe;
pub(super) mod place;
mod plan;
mod request;
mod values;
pub(crate) mod view;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Mutex;

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::change::journal::Record;
use crate::change::{
    Basis, Change, ChangeArgs, Done, End, Outcome, Plan, RunId, StepRun, Target, Verification, Words,
    carry_out,
};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;
use crate::files::{CONFIG_LIMIT, read_text};
use crate::iam::{CHANGE, On, Use, Uses};
use crate::layout::Layout;
use crate::secrets::Recipients;

pub(super) use manifest::Manifest;
pub(super) use values::{OpenedEntry, entries};

use manifest::{SavedBucket, SavedDatabase, SavedSecrets};
use observe::Seen;
use place::Place;
use plan::Action;
use request::{Part, Request};

/// The snapshot of a large database and its copy to S3 take hours.
const LASTS: std::time::Duration = std::time::Duration::from_secs(4 * 60 * 60);

/// Bytes in a MiB.
const MIB: u64 = 1024 * 1024;

/// Copy database, buckets, parameters and secrets to a place of your own, before a teardown or a reset
///
/// Takes a snapshot of the database, which stays in RDS, also through a reset; copies the objects of the platform's
/// buckets; writes parameters and secrets, and the credentials that a teardown has kept, into one file that is encrypted
/// with age, `secrets.age`; and at last `manifest.json`, with names, versions, lengths, fingerprints and counts, and no
/// value. Without its manifest it is no backup. A backup that was cut off goes on when the command is run again: what is
/// there already is not copied again. In a folder the objects keep their names below `buckets`, and the aws tool guesses
/// their content types when it copies them back; to a bucket S3 copies them itself, with their types, metadata and tags.
/// Older versions of objects are not copied.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl backup --to /mnt/before-reset --recipients-file ops.txt                 everything, to a folder
  bpctl backup --to s3://my-backups/before-reset --recipients-file ops.txt      everything, to a bucket of this region
  bpctl backup --to before --recipients-file ops.txt --skip logs --skip access-logs --dry-run
  bpctl backup --to before --skip secrets                                       needs no recipient")]
pub(crate) struct BackupArgs {
    /// A folder that is empty or not there yet, or `s3://BUCKET/PREFIX`
    #[arg(long, value_name = "DIR|s3://BUCKET/PREFIX", value_hint = clap::ValueHint::DirPath)]
    to: String,

    /// Who can read the secrets: a public key of age, `age1…`; more than one may be given
    #[arg(long, value_name = "RECIPIENT")]
    recipient: Vec<String>,

    /// A file with such keys, one a line; lines with `#` are comments
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    recipients_file: Option<PathBuf>,

    /// What is left out; more than one may be given
    #[arg(long, value_enum, value_name = "PART")]
    skip: Vec<Part>,

    /// To a bucket: objects that are larger go in parts of this size, in MiB, or of a larger one when there would be more
    /// than 10,000
    #[arg(long, value_name = "MIB", default_value_t = 1024, value_parser = clap::value_parser!(u64).range(5..=5120))]
    part_size: u64,

    #[command(flatten)]
    change: ChangeArgs,
}

impl Verb for BackupArgs {
    fn uses() -> Uses {
        Uses::of(&[
            CHANGE,
            &[
                Use::of("cloudformation:DescribeStacks", On::DataStack),
                Use::of("rds:AddTagsToResource", On::Snapshots),
                Use::of("rds:CreateDBSnapshot", On::DatabasesAndSnapshots),
                Use::of("rds:DescribeDBInstances", On::Databases),
                Use::of("rds:DescribeDBSnapshots", On::DatabasesAndSnapshots),
                Use::of("s3:GetObject", On::PlatformObjects),
                Use::of("s3:ListBucket", On::PlatformBuckets),
                Use::of("secretsmanager:BatchGetSecretValue", On::Anything),
                Use::of("secretsmanager:GetSecretValue", On::KeptSecrets),
                Use::of("secretsmanager:GetSecretValue", On::Secrets),
                Use::of("secretsmanager:ListSecrets", On::Anything),
                Use::of("ssm:DescribeParameters", On::Anything),
                Use::of("ssm:GetParameters", On::AllParameters),
            ],
        ])
        .with(
            "--to",
            &[
                Use::of("s3:AbortMultipartUpload", On::BackupObjects),
                Use::of("s3:GetObject", On::BackupObjects),
                Use::of("s3:GetObjectTagging", On::PlatformObjects),
                Use::of("s3:ListBucket", On::BackupBuckets),
                Use::of("s3:ListBucketMultipartUploads", On::BackupBuckets),
                Use::of("s3:PutObject", On::BackupObjects),
                Use::of("s3:PutObjectTagging", On::BackupObjects),
            ],
        )
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        if self.change.no_wait {
            return Err(CtlError::usage(
                "back up without waiting: the manifest is written when everything is there",
            )
            .hint("leave `--no-wait` out; `--timeout` ends the wait, and the same command goes on"));
        }
        if self.change.print_aws {
            return Err(CtlError::usage(
                "print the aws commands of a backup: which objects there are and what a file holds is not in them",
            )
            .hint("`--dry-run` says what is copied"));
        }
        let request = self.request(ctx)?;
        let mut args = self.change.clone();
        args.timeout.get_or_insert(LASTS);
        let change = Backup {
            ctx,
            layout: ctx.layout()?,
            request,
            given: self,
            run: Mutex::new(None),
        };
        carry_out(ctx, &change, &args).await
    }
}

impl BackupArgs {
    /// Checked, before any call.
    fn request(&self, ctx: &Ctx) -> Result<Request> {
        let place = Place::parse(&ctx.cwd, &self.to)?;
        if let Place::Folder { path, given } = &place {
            folder::check(path, given)?;
        }
        let skip: BTreeSet<Part> = self.skip.iter().copied().collect();
        let recipients = if skip.contains(&Part::Secrets) {
            if !self.recipient.is_empty() || self.recipients_file.is_some() {
                return Err(CtlError::usage(
                    "back up: recipients are given, and `--skip secrets` leaves out what they could read",
                ));
            }
            None
        } else {
            Some(self.recipients(ctx)?)
        };
        let request = Request {
            place,
            recipients,
            skip,
            part: self.part_size * MIB,
        };
        let no_bucket = !["media", "models", "logs", "access-logs"]
            .iter()
            .any(|role| request.takes_bucket(role));
        if no_bucket && !request.takes(Part::Database) && !request.takes(Part::Secrets) {
            return Err(CtlError::usage("back up: `--skip` leaves nothing over"));
        }
        Ok(request)
    }

    fn recipients(&self, ctx: &Ctx) -> Result<Recipients> {
        let file = match &self.recipients_file {
            None => String::new(),
            Some(path) => read_text(&ctx.cwd.join(path), CONFIG_LIMIT)
                .map_err(|error| CtlError::usage(format!("read `{}`", path.display())).source(&error))?,
        };
        let lines = file.lines().map(str::trim);
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        let given = self.recipient.iter().map(|text| text.trim());
        Recipients::parse(given.chain(lines)).map_err(|why| {
            CtlError::usage(format!("encrypt the secrets: {why}")).hint(
                "make a pair with `age-keygen -o key.txt`, give its public half with `--recipient` or \
                 `--recipients-file`, and keep the file elsewhere; `--skip secrets` needs none",
            )
        })
    }
}

/// Whether an object is no part of a backup: leases and history of bpctl, which this very run writes.
fn skipped(role: &str, key: &str) -> bool {
    role == "logs" && key.starts_with("bpctl/")
}

struct Backup<'a> {
    ctx: &'a Ctx,
    layout: Layout,
    request: Request,
    given: BackupArgs,
    /// This run's id and its place, once its plan is made.
    run: Mutex<Option<(RunId, Target)>>,
}

/// What a step finds out, for the manifest.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Output {
    /// The id of a snapshot that was begun.
    Snapshot(String),
    Bucket(SavedBucket),
    Secrets(SavedSecrets),
    Database(SavedDatabase),
    Manifest(Box<Manifest>),
}

impl Backup<'_> {
    fn run(&self) -> Result<(RunId, Target)> {
        let run = self.run.lock().ok().and_then(|run| run.clone());
        run.ok_or_else(|| CtlError::new(ErrorKind::Unexpected, "name the run: it has no plan"))
    }
}

impl Change for Backup<'_> {
    const NAME: &'static str = "backup";
    type Seen = Seen;
    type Action = Action;
    type Output = Output;
    type Ending = ();
    type Document = view::BackupResult;

    fn words(&self) -> Words {
        Words {
            goal: "back the platform up".to_owned(),
            thing: "part",
            settle: "see the backup".to_owned(),
            following: String::new(),
        }
    }

    async fn observe(&self, target: &Target, recent: &[Record]) -> Result<Seen> {
        Box::pin(observe::observe(self, target, recent)).await
    }

    fn plan(&self, seen: &Seen, basis: &Basis<'_>) -> Result<Plan<Action>> {
        if let Ok(mut run) = self.run.lock() {
            *run = Some((basis.names.run.clone(), basis.target.clone()));
        }
        Ok(plan::plan(self, seen, basis))
    }

    fn covers(&self, seen: &Seen, plan: &Plan<Action>) -> Vec<String> {
        let mut ids: Vec<String> = plan.steps.iter().map(|step| step.id.clone()).collect();
        ids.extend([plan::SNAPSHOT, plan::AVAILABLE, plan::ENCRYPTED, plan::LAST].map(str::to_owned));
        ids.extend(["media", "models", "logs", "access-logs"].map(plan::bucket_id));
        for bucket in &seen.buckets {
            let large = bucket.large.iter();
            ids.extend(large.map(|one| format!("{}/{}", bucket.role, one.entry.key)));
        }
        ids
    }

    async fn act(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        let done = Box::pin(act::act(self, step)).await;
        done.map_err(|error| match error.kind() {
            ErrorKind::Interrupted | ErrorKind::TimedOut => {
                error.hint(("what is there stays; go on with", self.resume(&[])))
            }
            _ => error,
        })
    }

    async fn verify(&self, _seen: &Seen, run: &mut Verification<'_, Self>) -> Result<()> {
        // Each step has read back what it wrote.
        let done: Vec<String> = run.done().iter().map(|(step, _)| step.id.clone()).collect();
        for name in done {
            run.end(name, End::Settled);
        }
        Ok(())
    }

    fn document(&self, seen: &Seen, outcome: &Outcome<Self>) -> Option<view::BackupResult> {
        Some(view::BackupResult::new(self, seen.finished.as_ref(), outcome))
    }

    fn resume(&self, _left: &[&str]) -> CommandLine {
        let given = &self.given;
        let mut command = CommandLine::bpctl(["backup"]).option("--to", &given.to);
        for recipient in &given.recipient {
            command = command.option("--recipient", recipient);
        }
        if let Some(path) = &given.recipients_file {
            command = command.option("--recipients-file", path.display().to_string());
        }
        for part in &self.request.skip {
            command = command.option("--skip", part.as_str());
        }
        if self.request.part != 1024 * MIB {
            command = command.option("--part-size", given.part_size.to_string());
        }
        command
    }
}
