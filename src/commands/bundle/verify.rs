//! `bpctl bundle verify`: whether a bundle is what its manifest says.

use std::time::Duration;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use super::library::{Bundle, Library, Objects};
use super::meter::Meter;
use super::name::BundleName;
use super::text::{about, counted, rate, size};
use crate::bundle::{Problem, of_manifest, of_objects};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;
use crate::iam::{On, Use, Uses};
use crate::output::{Render, Table, View, one_line};

/// Verify a bundle: its manifest, and that every object is there
///
/// Checks kinds, target paths and keys, that every object exists with the size that the manifest says, and the digests
/// that S3 keeps. `--deep` reads every object and hashes it: that is the whole bundle over the network. Ends with 1
/// when anything is wrong.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl bundle verify c81d4e2e                  by the beginning of its id
  bpctl bundle verify c81d4e2e --deep           with the content of every object
  bpctl bundle verify image-to-video/c81d4e2e   of a workflow, in the staged layout
  bpctl bundle verify c81d4e2e -o json          for a script")]
pub(crate) struct VerifyArgs {
    /// The bundle: its id or the beginning of it
    #[arg(value_name = "BUNDLE", value_parser = super::name::parse)]
    bundle: BundleName,

    /// Read and hash the content of every object
    #[arg(long)]
    deep: bool,
}

/// How much of the content is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// None: what S3 says of objects is enough.
    Listed,
    /// All of it.
    Hashed,
    /// All of it, if it is not more than so many bytes.
    HashedUpTo(u64),
}

/// What a look at a bundle showed.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) problems: Vec<Problem>,
    pub(super) objects: Objects,
    /// Of all assets: what a node fetches.
    pub(super) bytes: u64,
    /// Bytes that were hashed and the time that took.
    pub(super) hashed: Option<(u64, Duration)>,
}

/// The size of all assets as far as they are there.
pub(super) fn bytes_of(bundle: &Bundle, objects: &Objects) -> u64 {
    let assets = bundle.manifest.assets.iter();
    assets
        .filter_map(|asset| Some(objects.get(&asset.key)?.as_ref()?.size))
        .sum()
}

/// Checks a bundle.
///
/// # Errors
/// When something could not be looked at: then it is not known whether the bundle is sound.
pub(super) async fn check(library: &Library<'_>, bundle: &Bundle, depth: Depth) -> Result<Checked> {
    let entry = &bundle.entry;
    let mut problems = of_manifest(&bundle.manifest, &library.layout, entry.slug.as_ref(), &entry.id);
    let mut objects = library.objects(&bundle.manifest).await?;
    let total = objects.values().flatten().map(|object| object.size).sum();
    let hashes = match depth {
        Depth::Listed => false,
        Depth::Hashed => true,
        Depth::HashedUpTo(limit) => total <= limit,
    };
    let mut hashed = None;
    if hashes {
        let meter = Meter::new(&library.ctx.ui, "hashing", total);
        objects = library.hash(objects, &meter).await?;
        hashed = Some((meter.done(), meter.took()));
    }
    problems.extend(of_objects(&bundle.manifest, &objects));
    Ok(Checked {
        bytes: bytes_of(bundle, &objects),
        problems,
        objects,
        hashed,
    })
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Verification {
    bundle: String,
    bundle_id: String,
    /// Nothing is wrong as far as it was checked.
    ok: bool,
    /// Whether the content of every object was read and hashed.
    deep: bool,
    assets: usize,
    objects: usize,
    /// Objects whose digest is known: S3 was given it with the upload, or the content was read.
    digests_known: usize,
    size_bytes: u64,
    problems: Vec<Problem>,
    hashed_bytes: Option<u64>,
    seconds: Option<f64>,
}

impl Verb for VerifyArgs {
    fn uses() -> Uses {
        Uses::of(&[&[
            Use::of("s3:GetObject", On::Assets),
            Use::of("s3:GetObject", On::Bundles),
            Use::of("s3:ListBucket", On::ModelsBucket),
        ]])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let depth = if self.deep { Depth::Hashed } else { Depth::Listed };
        let looking = async {
            let library = Library::open(ctx).await?;
            let bundle = library.find(&self.bundle, None).await?;
            let checked = check(&library, &bundle, depth).await?;
            Ok((bundle, checked))
        };
        let (bundle, checked) = ctx.unless_interrupted(looking).await?;
        let label = bundle.entry.label();
        if let Some((bytes, took)) = checked.hashed {
            let rate = rate(bytes, took)
                .map(|rate| format!(", {rate}"))
                .unwrap_or_default();
            ctx.ui
                .status(&format!("hashed {} in {}{rate}", size(bytes), about(took)));
        }
        let outcome = verdict(&label, &checked.problems);
        if outcome.is_ok() && !self.deep {
            let unknown = checked.objects.len() - digests_known(&checked.objects);
            if unknown > 0 {
                ctx.ui.hint((
                    format!(
                        "S3 knows no digest of {}: read the content with",
                        counted(unknown as u64, "object")
                    ),
                    CommandLine::bpctl(["bundle", "verify", label.as_str(), "--deep"]),
                ));
            }
        }
        let result = Verification {
            bundle: label,
            bundle_id: bundle.entry.id.to_string(),
            ok: checked.problems.is_empty(),
            deep: self.deep,
            assets: bundle.manifest.assets.len(),
            objects: checked.objects.len(),
            digests_known: digests_known(&checked.objects),
            size_bytes: checked.bytes,
            problems: checked.problems,
            hashed_bytes: checked.hashed.map(|(bytes, _)| bytes),
            seconds: checked.hashed.map(|(_, took)| took.as_secs_f64()),
        };
        ctx.emit_outcome(&result, outcome.map(|()| ExitStatus::Done))
    }
}

fn digests_known(objects: &Objects) -> usize {
    let known = objects.values().flatten();
    known.filter(|object| object.sha256.is_some()).count()
}

/// # Errors
/// What is wrong with the bundle, the first things by name.
pub(super) fn verdict(label: &str, problems: &[Problem]) -> Result<()> {
    const NAMED: usize = 5;
    if problems.is_empty() {
        return Ok(());
    }
    let mut error = CtlError::new(
        ErrorKind::Failed,
        format!(
            "verify bundle {label}: {}",
            counted(problems.len() as u64, "problem")
        ),
    )
    .coded("bundle-invalid");
    for problem in problems.iter().take(NAMED) {
        // A manifest's words may be anything.
        error = error.cause(one_line(&format!("{}: {}", problem.about, problem.what)));
    }
    if problems.len() > NAMED {
        error = error.cause(format!("and {} more", problems.len() - NAMED));
    }
    if problems.iter().any(|problem| problem.code.starts_with("object-")) {
        error = error.hint((
            "a file with the right content mends it:",
            CommandLine::bpctl(["bundle", "upload", "FILE", "--kind", "KIND", "--replace"]),
        ));
    }
    Err(error)
}

impl Render for Verification {
    fn human(&self, view: &View) -> String {
        if self.problems.is_empty() {
            let content = if self.deep {
                "every digest is right".to_owned()
            } else {
                format!(
                    "{} of {} digests known and right",
                    self.digests_known, self.objects
                )
            };
            return format!(
                "Bundle {} is sound: {}, {}; {content}\n",
                self.bundle,
                counted(self.assets as u64, "asset"),
                size(self.size_bytes),
            );
        }
        let mut table = Table::new(&["PROBLEM", "WHERE", "WHAT"]);
        for problem in &self.problems {
            table.row([
                problem.code.to_owned(),
                problem.about.clone(),
                problem.what.clone(),
            ]);
        }
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        vec![self.bundle.clone()]
    }
}
