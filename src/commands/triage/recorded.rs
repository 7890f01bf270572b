//! `--bundle`, `--from` and `--diff`: a triage that is kept, and judged again without AWS.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;

use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::layout::FleetId;
use crate::triage::difference::Difference;
use crate::triage::recording::{NewFile, Recording};
use crate::triage::report::Report;
use crate::triage::snapshot::Snapshot;

/// Where a triage is kept, or comes from.
#[derive(Debug, Args)]
pub(super) struct RecordedArgs {
    /// Write everything that was seen, redacted, into a new file
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath, conflicts_with_all = ["from", "diff", "watch"])]
    bundle: Option<PathBuf>,

    /// Judge what such a file holds, by the rules of this version and at the time of then; asks AWS nothing
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath, conflicts_with_all = ["diff", "watch", "fleets"])]
    from: Option<PathBuf>,

    /// Say which findings came, went and changed from one such file to another; ends with 7 when some could not be seen again
    #[arg(long, num_args = 2, value_names = ["BEFORE", "AFTER"], value_hint = clap::ValueHint::FilePath, conflicts_with_all = ["watch", "fleets"])]
    diff: Option<Vec<PathBuf>>,

    /// With `--diff`: end with status 9 when something did
    #[arg(long, requires = "diff")]
    exit_code: bool,
}

impl RecordedArgs {
    /// Whether AWS is asked.
    pub(super) fn is_live(&self) -> bool {
        self.from.is_none() && self.diff.is_none()
    }

    /// The report of the file, when one is to be judged.
    pub(super) fn judged(&self, ctx: &Ctx) -> Result<Option<Report>> {
        let Some(file) = &self.from else {
            return Ok(None);
        };
        let recording = Recording::read(&ctx.cwd.join(file))?;
        ctx.ui
            .status(&format!("as seen at {}{}", recording.at, account(&recording)));
        Ok(Some(judge(ctx, &recording)))
    }

    /// The comparison of two files, when they are to be compared.
    pub(super) fn compared(&self, ctx: &Ctx) -> Result<Option<ExitStatus>> {
        let Some([before, after]) = self.diff.as_deref() else {
            return Ok(None);
        };
        let read = |file: &Path| Recording::read(&ctx.cwd.join(file));
        let (before, after) = (read(before)?, read(after)?);
        if (&before.account, &before.region) != (&after.account, &after.region) {
            ctx.ui
                .warn("the two recordings are of different accounts or regions");
        }
        if of_fleets(&before) != of_fleets(&after) {
            ctx.ui.warn(&format!(
                "the two recordings are of different fleets: {} before, {} after; what is new may have been there, and \
                 what is unknown may still be",
                named(&before),
                named(&after)
            ));
        }
        let reports = (judge(ctx, &before), judge(ctx, &after));
        let difference = Difference::of((before.look(), &reports.0), (after.look(), &reports.1));
        ctx.emit(&difference)?;
        let in_doubt = difference.is_in_doubt();
        Ok(Some(match (in_doubt, self.exit_code && !difference.is_empty()) {
            (true, _) => ExitStatus::Partial,
            (false, true) => ExitStatus::Differences,
            (false, false) => ExitStatus::Done,
        }))
    }

    /// The file to write, looked at before AWS is asked anything.
    pub(super) fn file(&self, ctx: &Ctx) -> Result<Option<NewFile>> {
        self.bundle
            .as_ref()
            .map(|file| NewFile::at(ctx.cwd.join(file)))
            .transpose()
    }
}

/// Keeps what was seen.
pub(super) async fn keep(
    ctx: &Ctx,
    file: &NewFile,
    snapshot: &Snapshot,
    now: Timestamp,
    fleets: &[FleetId],
) -> Result<()> {
    let account = ctx
        .aws
        .identity()
        .await
        .ok()
        .map(|identity| identity.account.to_string());
    let region = ctx.aws.region().await?;
    let recording = Recording::new(snapshot.clone(), now, account, region, fleets.to_vec());
    file.write(&recording)?;
    ctx.ui.status(&format!("recorded in `{}`", file.path().display()));
    Ok(())
}

fn judge(ctx: &Ctx, recording: &Recording) -> Report {
    let place = ctx
        .ui
        .place()
        .clone()
        .or_aws("--region", recording.region.as_deref());
    Report::new(&recording.seen, recording.at).in_place(&place)
}

fn of_fleets(recording: &Recording) -> BTreeSet<&FleetId> {
    recording.fleets.iter().collect()
}

/// The fleets that a recording is of.
fn named(recording: &Recording) -> String {
    let fleets: Vec<String> = of_fleets(recording)
        .into_iter()
        .map(ToString::to_string)
        .collect();
    if fleets.is_empty() {
        "all of them".to_owned()
    } else {
        fleets.join(", ")
    }
}

fn account(recording: &Recording) -> String {
    let parts = [&recording.account, &recording.region];
    let named: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
    if named.is_empty() {
        String::new()
    } else {
        format!(" in {}", named.join(", "))
    }
}
