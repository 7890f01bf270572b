//! `bpctl bundle upload`: files become assets, named by their content.

mod act;
mod plan;
pub(crate) mod view;

use std::path::PathBuf;

use clap::Args;

use super::library::Library;
use super::local::{Local, digests};
use super::meter::Meter;
use super::text::{counted, rate, size};
use crate::bundle::{Kind, Sha256};
use crate::change::journal::Record;
use crate::change::{
    Basis, Change, ChangeArgs, Done, End, Outcome, Plan, StepRun, Target, Verification, Words, carry_out,
};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};
use crate::exit::ExitStatus;
use crate::iam::{CHANGE, On, Use, Uses};
use plan::{PartPlan, Upload};
use view::UploadResult;

/// Bytes of a part at least, in MiB: S3's smallest.
const SMALLEST_PART: u64 = 5;

/// Upload files as assets, named by their content
///
/// Hashes every file first. What is there already is not sent again. Large files go in parts, several at once, each with
/// a digest that S3 compares; an upload that was cut off goes on where it was when the command is repeated.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl bundle upload portrait_v2.safetensors --kind lora           one file
  bpctl bundle upload *.safetensors --kind checkpoint               several
  bpctl bundle upload Suite.zip --kind custom_node --dry-run        hash it and say what would be sent
  bpctl bundle upload vae.safetensors --kind vae --replace          mend an object whose content is wrong")]
pub(crate) struct UploadArgs {
    /// The files
    #[arg(value_name = "FILE", required = true, value_hint = clap::ValueHint::FilePath)]
    files: Vec<PathBuf>,

    /// What they are
    #[arg(long, value_enum, value_name = "KIND")]
    kind: Kind,

    /// Write also what is there already
    #[arg(long)]
    replace: bool,

    /// Size of the parts of large files, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 16, value_parser = clap::value_parser!(u64).range(SMALLEST_PART..=512))]
    part_size: u64,

    #[command(flatten)]
    change: ChangeArgs,
}

impl Verb for UploadArgs {
    fn uses() -> Uses {
        Uses::of(&[
            CHANGE,
            &[
                Use::of("s3:AbortMultipartUpload", On::Assets),
                Use::of("s3:GetObject", On::Assets),
                Use::of("s3:ListMultipartUploadParts", On::Assets),
                // S3 says that an asset is missing only to those who may list.
                Use::of("s3:ListBucket", On::ModelsBucket),
                Use::of("s3:ListBucketMultipartUploads", On::ModelsBucket),
                Use::of("s3:PutObject", On::Assets),
            ],
        ])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        if self.change.print_aws {
            return Err(CtlError::usage(
                "print the aws commands of an upload: the bytes of a file are not in them",
            )
            .hint("`--dry-run` says which key each file gets"));
        }
        let mut files = Vec::with_capacity(self.files.len());
        for path in &self.files {
            files.push(Local::look(&ctx.cwd, path)?);
        }
        let digests = ctx.unless_interrupted(hashed(ctx, &files)).await?;
        let mut found: Vec<Hashed> = Vec::with_capacity(files.len());
        for (file, sha256) in files.into_iter().zip(digests) {
            match found.iter().find(|other| other.sha256 == sha256) {
                Some(other) => ctx.ui.status(&format!(
                    "{} has the same content as {}",
                    file.name, other.file.name
                )),
                None => found.push(Hashed { file, sha256 }),
            }
        }
        let change = UploadChange {
            ctx,
            library: ctx.unless_interrupted(Library::open(ctx)).await?,
            files: found,
            kind: self.kind,
            replace: self.replace,
            part_size: self.part_size * 1024 * 1024,
            given: self.files,
        };
        carry_out(ctx, &change, &self.change).await
    }
}

async fn hashed(ctx: &Ctx, files: &[Local]) -> Result<Vec<Sha256>> {
    let total = files.iter().map(|file| file.size).sum();
    let meter = Meter::new(&ctx.ui, "hashing", total);
    let digests = digests(files, &meter).await?;
    let rate = rate(total, meter.took())
        .map(|rate| format!(", {rate}"))
        .unwrap_or_default();
    ctx.ui.status(&format!(
        "hashed {}, {}{rate}",
        counted(files.len() as u64, "file"),
        size(total)
    ));
    Ok(digests)
}

/// A file with its digest.
#[derive(Clone, Debug)]
struct Hashed {
    file: Local,
    sha256: Sha256,
}

/// What is at the place of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
enum There {
    Nothing,
    /// An object of this size; whether S3 knows that its digest is the right one.
    Object {
        size: u64,
        digest: Option<bool>,
    },
    /// An upload that was cut off, with so many parts.
    Upload {
        id: String,
        parts: usize,
    },
}

struct UploadChange<'a> {
    ctx: &'a Ctx,
    library: Library<'a>,
    files: Vec<Hashed>,
    kind: Kind,
    replace: bool,
    part_size: u64,
    /// As typed, to say the command again.
    given: Vec<PathBuf>,
}

impl UploadChange<'_> {
    fn key(&self, sha256: &Sha256) -> String {
        self.library
            .layout
            .asset_key(self.kind.as_str(), &sha256.to_string())
    }

    async fn look(&self, file: &Hashed) -> Result<There> {
        let aws = &self.ctx.aws;
        let (bucket, key) = (&self.library.bucket, self.key(&file.sha256));
        if let Some(object) = aws.describe_object(bucket, &key).await? {
            let digest = object
                .sha256
                .map(|digest| Sha256::from_bytes(&digest) == Some(file.sha256));
            // What is written over may have an upload under way all the same.
            if !self.replace || file.file.size <= self.part_size {
                return Ok(There::Object {
                    size: object.size,
                    digest,
                });
            }
        }
        if file.file.size <= self.part_size {
            return Ok(There::Nothing);
        }
        let Some(id) = aws.upload_of(bucket, &key).await? else {
            return Ok(There::Nothing);
        };
        let parts = aws.parts_of(bucket, &key, &id).await?.len();
        Ok(There::Upload { id, parts })
    }
}

impl Change for UploadChange<'_> {
    const NAME: &'static str = "bundle upload";
    type Seen = Vec<There>;
    type Action = Upload;
    type Output = ();
    type Ending = ();
    type Document = UploadResult;

    fn words(&self) -> Words {
        Words {
            goal: format!("upload {}", counted(self.files.len() as u64, "file")),
            thing: "file",
            settle: "see the objects in S3".to_owned(),
            following: String::new(),
        }
    }

    async fn observe(&self, _target: &Target, _recent: &[Record]) -> Result<Vec<There>> {
        futures::future::try_join_all(self.files.iter().map(|file| self.look(file))).await
    }

    fn plan(&self, seen: &Vec<There>, _basis: &Basis<'_>) -> Result<Plan<Upload>> {
        let files = self.files.iter().zip(seen);
        let files = files.map(|(file, there)| (file, self.key(&file.sha256), there.clone()));
        Ok(plan::plan(
            &self.library.bucket,
            files,
            self.replace,
            self.part_size,
        ))
    }

    fn covers(&self, _seen: &Vec<There>, _plan: &Plan<Upload>) -> Vec<String> {
        self.files.iter().map(|file| file.file.name.clone()).collect()
    }

    async fn act(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        let upload = step.action();
        let file = self
            .files
            .iter()
            .find(|file| file.sha256 == upload.sha256)
            .ok_or_else(|| {
                CtlError::new(
                    ErrorKind::Changed,
                    format!("upload {}: its content is another one by now", upload.name),
                )
            })?;
        file.file.check()?;
        match &upload.parts {
            None => act::whole(self, step, file, upload).await,
            Some(PartPlan { size, going_on, .. }) => {
                act::in_parts(self, step, file, upload, *size, going_on.as_deref()).await
            }
        }
    }

    async fn verify(&self, seen: &Vec<There>, run: &mut Verification<'_, Self>) -> Result<()> {
        let done: Vec<String> = run.done().into_iter().map(|(step, _)| step.id.clone()).collect();
        for (file, there) in self.files.iter().zip(seen) {
            let name = file.file.name.clone();
            if !done.contains(&name) {
                if matches!(there, There::Object { .. }) {
                    run.ending(&name, ());
                }
                continue;
            }
            let found = self
                .ctx
                .aws
                .describe_object(&self.library.bucket, &self.key(&file.sha256))
                .await?;
            let end = match found {
                Some(object) if object.size == file.file.size => End::Settled,
                Some(object) => End::Overturned(format!(
                    "{name} has {} bytes in S3 and not {}",
                    object.size, file.file.size
                )),
                None => End::Overturned(format!("{name} is not in S3 any more")),
            };
            run.end(&name, end);
            run.ending(&name, ());
        }
        Ok(())
    }

    fn document(&self, seen: &Vec<There>, outcome: &Outcome<Self>) -> Option<UploadResult> {
        let files = self.files.iter().zip(seen);
        let rows = files.filter(|(file, _)| outcome.endings.contains_key(&file.file.name));
        let rows = rows.map(|(file, _)| {
            let sent = outcome.step(&file.file.name).is_some();
            view::Row::new(&file.file, self.kind, &file.sha256, self.key(&file.sha256), sent)
        });
        UploadResult::new(&outcome.run, &self.library.bucket, rows.collect())
    }

    fn resume(&self, left: &[&str]) -> CommandLine {
        let wanted = |path: &&PathBuf| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| left.contains(&name))
        };
        let files = self
            .given
            .iter()
            .filter(wanted)
            .map(|path| path.display().to_string());
        let command = CommandLine::bpctl(["bundle", "upload"])
            .args(files)
            .option("--kind", self.kind.as_str());
        if self.replace {
            command.args(["--replace"])
        } else {
            command
        }
    }

    fn tell(&self, record: &Record) -> (String, Option<Hint>) {
        let sentence = format!(
            "an earlier upload, started {}, was cut off: parts that S3 has are not sent again",
            record.started
        );
        (sentence, None)
    }
}
