//! `bpctl ami gc`: deletes machine images that nothing needs any more, and their snapshots.

mod plan;
mod usage;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::aws::ec2::{Image, Snapshot};
use crate::change::journal::Record;
use crate::change::{
    Basis, Change, ChangeArgs, Done, End, Outcome, Plan, RunId, StepRun, Target, Verification, Words,
    carry_out,
};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;
use crate::iam::{CHANGE, On, Use, Uses};
use crate::layout::Layout;
use crate::output::{Render, Table, View, age_at};
use plan::{Removal, Rules};
use usage::Usage;

/// Delete machine images that nothing needs any more, with their snapshots
///
/// Only this account's images with the tag `ManagedBy=packer` go, and only snapshots with that tag. An image stays when
/// one of the newest `--keep` versions of a fleet's pointer names it, when a launch template or the version that a group
/// uses does, when an instance was started from it, and when it is younger than `--older-than`. A snapshot stays as long
/// as another image stands on it. Looks again right before each request.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl ami gc --dry-run                        what would go, and how much that is
  bpctl ami gc --keep 10                        keep the way back to more versions of each pointer
  bpctl ami gc --older-than 30d --confirm prod  in a script")]
pub(crate) struct GcArgs {
    /// The newest versions of each fleet's pointer whose images stay, the one in force among them
    #[arg(long, value_name = "N", default_value_t = KEEP, value_parser = keep)]
    keep: usize,

    /// How old an image must be, e.g. 30d: one that was built just now may be about to be promoted
    #[arg(long, value_name = "DURATION", default_value = "7d", value_parser = crate::change::duration)]
    older_than: Duration,

    #[command(flatten)]
    change: ChangeArgs,
}

/// For clap.
fn keep(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number >= 1 => Ok(number),
        _ => Err("write a number from 1: the image in force stays in any case".to_owned()),
    }
}

/// Versions of each pointer whose images stay, unless told otherwise.
const KEEP: usize = 5;

/// What is younger stays, unless told otherwise.
const OLDER_THAN: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// An image that nothing needs with its snapshots, or snapshots that no image stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::commands) struct Unneeded {
    pub(in crate::commands) image: Option<String>,
    /// Ids and sizes in GiB.
    pub(in crate::commands) snapshots: Vec<(String, u64)>,
}

/// What `ami gc` deletes without further flags.
///
/// # Errors
/// What cannot be read: an image whose uses were not read is not unneeded.
pub(in crate::commands) async fn unneeded(ctx: &Ctx, layout: &Layout) -> Result<Vec<Unneeded>> {
    let gc = Gc {
        ctx,
        layout: layout.clone(),
        rules: Rules {
            keep: KEEP,
            older_than: OLDER_THAN,
        },
    };
    let sorted = plan::sort(&gc.look().await?, gc.rules, ctx.clock.now());
    let steps = sorted.steps.into_iter().map(|step| step.action);
    Ok(steps
        .map(|removal| Unneeded {
            image: removal.image,
            snapshots: removal.snapshots,
        })
        .collect())
}

impl Verb for GcArgs {
    fn uses() -> Uses {
        Uses::of(&[
            CHANGE,
            &[
                Use::of("autoscaling:DescribeAutoScalingGroups", On::Anything),
                Use::of("ec2:DeleteSnapshot", On::ImageSnapshots),
                Use::of("ec2:DeregisterImage", On::MachineImages),
                Use::of("ec2:DescribeImages", On::Anything),
                Use::of("ec2:DescribeInstances", On::Anything),
                Use::of("ec2:DescribeLaunchTemplateVersions", On::Anything),
                Use::of("ec2:DescribeSnapshots", On::Anything),
                Use::of("ssm:DescribeParameters", On::Anything),
                Use::of("ssm:GetParameterHistory", On::ImagePointers),
            ],
        ])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let change = Gc {
            ctx,
            layout: ctx.layout()?,
            rules: Rules {
                keep: self.keep,
                older_than: self.older_than,
            },
        };
        carry_out(ctx, &change, &self.change).await
    }
}

struct Gc<'a> {
    ctx: &'a Ctx,
    layout: Layout,
    rules: Rules,
}

/// The account's images and snapshots, and what needs them.
#[derive(Clone, Debug, Default)]
struct Seen {
    /// With the tag.
    images: Vec<Image>,
    /// Images without the tag that stand on snapshots with it.
    others: Vec<Image>,
    /// With the tag.
    snapshots: Vec<Snapshot>,
    usage: Usage,
    /// Steps of earlier runs that were cut off: what they were about may be gone.
    in_doubt: Vec<String>,
}

/// The document.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct GcResult {
    run: RunId,
    images: Vec<Row>,
    /// Snapshots that images had left behind.
    snapshots: Vec<String>,
    /// Of the volumes whose snapshots are gone, in GiB; what the snapshots took is at most that.
    freed_gib: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    image: String,
    name: Option<String>,
    fleet_slug: Option<String>,
    bundle_id: Option<String>,
    created: Option<Timestamp>,
    snapshots: Vec<String>,
    gib: u64,
    /// How old it was, e.g. `12d`.
    #[serde(skip)]
    age: String,
}

impl Gc<'_> {
    async fn look(&self) -> Result<Seen> {
        let aws = &self.ctx.aws;
        let (images, snapshots) = futures::try_join!(aws.own_images(), aws.own_snapshots())?;
        let ids: Vec<String> = images.iter().map(|image| image.id.clone()).collect();
        let marked: Vec<String> = snapshots.iter().map(|snapshot| snapshot.id.clone()).collect();
        let (others, usage) = futures::try_join!(
            aws.images_on(&marked),
            Box::pin(Usage::of(self.ctx, &self.layout, &ids, self.rules.keep)),
        )?;
        let others = others.into_iter().filter(|image| !ids.contains(&image.id));
        Ok(Seen {
            others: others.collect(),
            images,
            snapshots,
            usage,
            in_doubt: Vec::new(),
        })
    }
}

impl Change for Gc<'_> {
    const NAME: &'static str = "ami gc";
    type Seen = Seen;
    type Action = Removal;
    type Output = Removal;
    type Ending = ();
    type Document = GcResult;

    fn words(&self) -> Words {
        Words {
            goal: "delete old machine images".to_owned(),
            thing: "image",
            settle: "see that the images are gone".to_owned(),
            following: String::new(),
        }
    }

    async fn observe(&self, _target: &Target, recent: &[Record]) -> Result<Seen> {
        let mut seen = self.look().await?;
        let in_doubt = recent.iter().flat_map(Record::in_doubt);
        seen.in_doubt = in_doubt.map(|step| step.id.clone()).collect();
        Ok(seen)
    }

    fn plan(&self, seen: &Seen, basis: &Basis<'_>) -> Result<Plan<Removal>> {
        Ok(plan::plan(seen, self.rules, basis.now))
    }

    fn covers(&self, seen: &Seen, _plan: &Plan<Removal>) -> Vec<String> {
        let images = seen.images.iter().map(|image| &image.id);
        let snapshots = seen.snapshots.iter().map(|snapshot| &snapshot.id);
        images.chain(snapshots).chain(&seen.in_doubt).cloned().collect()
    }

    async fn act(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        let removal = step.action();
        let (deregister, delete) = removal.calls();
        let own = removal.image.as_ref();
        let seen = self.look().await?;
        let now = self.ctx.clock.now();
        let there = seen.images.iter().find(|one| Some(&one.id) == own);
        if let (Some(there), Some(call)) = (there, deregister) {
            if let Some(why) = plan::needed(&seen, there, self.rules, now) {
                return Err(CtlError::changed(format!(
                    "delete image {}: it must stay by now: {why}",
                    there.id
                )));
            }
            step.send(&self.ctx.aws, &call).await?;
        }
        for ((snapshot, _), call) in removal.snapshots.iter().zip(&delete) {
            let known = seen.images.iter().chain(&seen.others);
            let mut users = known.filter(|one| one.snapshots.contains(snapshot));
            if let Some(other) = users.find(|user| Some(&user.id) != own) {
                return Err(CtlError::changed(format!(
                    "delete snapshot {snapshot}: image {} stands on it by now",
                    other.id
                )));
            }
            step.send(&self.ctx.aws, call).await?;
        }
        let did = match (own, delete.len()) {
            (Some(_), 0) => "deregistered".to_owned(),
            (Some(_), 1) => "deregistered, and its snapshot deleted".to_owned(),
            (Some(_), several) => format!("deregistered, and its {several} snapshots deleted"),
            (None, _) => "deleted".to_owned(),
        };
        Ok(Done::new(did).with(removal.clone()))
    }

    async fn verify(&self, _seen: &Seen, run: &mut Verification<'_, Self>) -> Result<()> {
        let done = run.done().into_iter();
        let done: Vec<(String, Removal)> = done
            .filter_map(|(step, output)| Some((step.id.clone(), output?)))
            .collect();
        if done.is_empty() {
            return Ok(());
        }
        let (images, snapshots) =
            futures::try_join!(self.ctx.aws.own_images(), self.ctx.aws.own_snapshots())?;
        let images: BTreeSet<&String> = images.iter().map(|image| &image.id).collect();
        let there: BTreeSet<&String> = snapshots.iter().map(|snapshot| &snapshot.id).collect();
        for (step, removal) in &done {
            let snapshots = removal.snapshots.iter().map(|(id, _)| id);
            let image = removal.image.iter().filter(|id| images.contains(id));
            let left = image.chain(snapshots.filter(|id| there.contains(id))).next();
            let end = match left {
                Some(id) => End::Failed(CtlError::new(
                    ErrorKind::Failed,
                    format!("delete {id}: EC2 took the request, and it is still there"),
                )),
                None => End::Settled,
            };
            run.end(step, end);
        }
        Ok(())
    }

    fn document(&self, seen: &Seen, outcome: &Outcome<Self>) -> Option<GcResult> {
        let removed: Vec<&Removal> = outcome
            .steps
            .iter()
            .filter_map(|step| step.output.as_ref())
            .collect();
        let known: BTreeMap<&String, &Image> = seen.images.iter().map(|image| (&image.id, image)).collect();
        let now = self.ctx.clock.now();
        let mut images = Vec::new();
        let mut snapshots = Vec::new();
        for removal in &removed {
            let own = removal.snapshots.iter().map(|(id, _)| id.clone());
            let Some(id) = &removal.image else {
                snapshots.extend(own);
                continue;
            };
            let image = known.get(id);
            images.push(Row {
                image: id.clone(),
                name: image.and_then(|image| image.name.clone()),
                fleet_slug: image.and_then(|image| image.fleet_slug()).map(str::to_owned),
                bundle_id: image.and_then(|image| image.bundle()).map(str::to_owned),
                created: image.and_then(|image| image.created),
                age: age_at(now, image.and_then(|image| image.created)),
                snapshots: own.collect(),
                gib: removal.snapshots.iter().map(|(_, gib)| gib).sum(),
            });
        }
        let all = removed.iter().flat_map(|removal| &removal.snapshots);
        (!removed.is_empty()).then(|| GcResult {
            run: outcome.run.clone(),
            freed_gib: all.map(|(_, gib)| gib).sum(),
            images,
            snapshots,
        })
    }

    fn resume(&self, _left: &[&str]) -> CommandLine {
        let age = humantime::format_duration(self.rules.older_than).to_string();
        CommandLine::bpctl(["ami", "gc"])
            .option("--keep", self.rules.keep.to_string())
            .option("--older-than", age.replace(' ', ""))
    }
}

impl Render for GcResult {
    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["IMAGE", "NAME", "BUILT FOR", "AGE", "SNAPSHOTS", "GIB"]);
        for row in &self.images {
            table.row([
                row.image.clone(),
                row.name.clone().unwrap_or_else(|| "-".to_owned()),
                row.fleet_slug.clone().unwrap_or_else(|| "-".to_owned()),
                row.age.clone(),
                match row.snapshots.is_empty() {
                    true => "-".to_owned(),
                    false => row.snapshots.join(", "),
                },
                row.gib.to_string(),
            ]);
        }
        let mut text = match self.images.is_empty() {
            true => String::new(),
            false => table.render(view),
        };
        for snapshot in &self.snapshots {
            text.push_str(&format!("{snapshot}: deleted, no image stood on it\n"));
        }
        text
    }

    fn names(&self) -> Vec<String> {
        let images = self.images.iter().map(|row| row.image.clone());
        images.chain(self.snapshots.iter().cloned()).collect()
    }
}
