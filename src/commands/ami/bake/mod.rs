//! `bpctl ami bake`: an image with a bundle in it, made on an instance of its own.

mod act;
mod observe;
mod plan;
#[cfg(test)]
mod plan_tests;
pub(crate) mod view;

use std::cell::RefCell;
use std::time::Duration;

use clap::Args;
use futures::FutureExt as _;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::pointer::{self, Move};
use crate::aws::ec2::{CreateImage, RunInstances, TerminateInstances};
use crate::aws::ssm::command::SendCommand;
use crate::change::journal::Record;
use crate::change::{
    Basis, Change, ChangeArgs, Done, Outcome, Plan, Step, StepRun, Target, Verification, Words, carry_out,
};
use crate::commands::bundle::{BundleName, Library, bundle_name};
use crate::commands::fleet::refresh::{self, RefreshOptions};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, Hint, Result};
use crate::exit::ExitStatus;
use crate::fleet::named_one;
use crate::iam::{CHANGE, On, Use, Uses};
use crate::layout::{FleetId, FleetName, ImageId, Layout};
use observe::Seen;
use view::BakeResult;

/// How long a new instance may take until Systems Manager reaches it: GPU instances boot within a few minutes.
const ONLINE: Duration = Duration::from_secs(15 * 60);

/// How long a bundle may take: 60 GB have been seen (the platform's runbook, "Apply Bundle to Dev Instance").
const APPLIED: Duration = Duration::from_secs(6 * 60 * 60);

/// How long an instance may take to stop.
const STOPPED: Duration = Duration::from_secs(15 * 60);

/// How long an image may be `pending`: the copy of a volume of some hundred GiB that was never copied before.
const AVAILABLE: Duration = Duration::from_secs(3 * 60 * 60);

/// Minutes after which a builder ends itself that bpctl has not ended: longer than a bundle may take.
const SELF_DESTRUCTION: u64 = 8 * 60;

/// The steps.
const CLEAN_UP: &str = "clean up";
const BUILDER: &str = "builder";
const BUNDLE: &str = "bundle";
const IMAGE: &str = "image";

/// Bake a bundle into a machine image for a fleet, without packer
///
/// Starts an instance of the fleet's type from the image that the fleet's pointer names, waits until Systems Manager
/// reaches it, applies the bundle as `bundle apply` does, marks it as baked, stops the instance and makes an image of it,
/// with the tags that packer gives. The instance is terminated in any case: when something fails, after Ctrl-C, and by
/// the next run of this command after a kill; one that no run looks after ends itself after eight hours.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl ami bake --fleet staging/gpu-default                               with the active bundle
  bpctl ami bake --fleet staging/gpu-default --bundle c81d4e2e             with another one
  bpctl ami bake --fleet staging/gpu-default --promote --refresh           and let the fleet run it
  bpctl ami bake --fleet staging/gpu-default --dry-run                     only say what would happen")]
pub(crate) struct BakeArgs {
    /// The fleet, e.g. staging/gpu-default
    #[arg(long, value_name = "FLEET", add = crate::completion::fleets())]
    fleet: FleetName,

    /// The bundle: its id or the beginning of it; the fleet's active one otherwise
    #[arg(long, value_name = "BUNDLE", value_parser = bundle_name)]
    bundle: Option<BundleName>,

    /// The image to begin with; the one that the fleet's pointer names otherwise
    #[arg(long, value_name = "AMI", value_parser = super::image)]
    base: Option<ImageId>,

    /// The instance profile of the builder; the one that the platform has for packer otherwise
    #[arg(long, value_name = "NAME")]
    instance_profile: Option<String>,

    /// The subnet of the builder; one of the default VPC otherwise
    #[arg(long, value_name = "ID")]
    subnet: Option<String>,

    /// Let the fleet's pointer name the image afterwards, as `ami promote` does
    #[arg(long)]
    promote: bool,

    /// Replace the fleet's instances as well, as `fleet refresh` does
    #[arg(long, requires = "promote")]
    refresh: bool,

    /// Bake a bundle that fails its verification, or on an instance type that the fleet's template does not allow
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    change: ChangeArgs,
}

impl Verb for BakeArgs {
    fn uses() -> Uses {
        Uses::of(&[
            CHANGE,
            &[
                Use::of("autoscaling:DescribeAutoScalingGroups", On::Anything),
                Use::of("ec2:CreateImage", On::NewImages),
                Use::of("ec2:CreateTags", On::TagsOfNewMachines),
                Use::of("ec2:DeleteSnapshot", On::ImageSnapshots),
                Use::of("ec2:DeregisterImage", On::MachineImages),
                Use::of("ec2:DescribeImages", On::Anything),
                Use::of("ec2:DescribeInstanceTypes", On::Anything),
                Use::of("ec2:DescribeInstances", On::Anything),
                Use::of("ec2:DescribeSnapshots", On::Anything),
                Use::of("ec2:DescribeSubnets", On::Anything),
                Use::of("ec2:RunInstances", On::NewMachines),
                Use::of("ec2:StopInstances", On::OwnMachines),
                Use::of("ec2:TerminateInstances", On::OwnMachines),
                Use::of("iam:PassRole", On::MachineRoles),
                Use::of("logs:GetLogEvents", On::CommandLogs),
                Use::of("s3:GetObject", On::Assets),
                Use::of("s3:GetObject", On::Bundles),
                Use::of("s3:ListBucket", On::ModelsBucket),
                Use::of("ssm:DescribeInstanceInformation", On::Anything),
                Use::of("ssm:GetCommandInvocation", On::Anything),
                Use::of("ssm:GetParameters", On::FleetParameters),
                Use::of("ssm:GetParameters", On::PlatformParameters),
                Use::of("ssm:ListCommandInvocations", On::Anything),
                Use::of("ssm:SendCommand", On::ShellOnInstances),
            ],
        ])
        .with("--promote", pointer::MOVES)
        .with("--refresh", &[pointer::MOVES, &refresh::uses_within()].concat())
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        stays(&self.change, "bake")?;
        let until = self
            .change
            .timeout
            .and_then(|timeout| ctx.clock.now().checked_add(timeout).ok());
        let layout = ctx.layout()?;
        let fleet = ctx
            .unless_interrupted(named_one(&ctx.aws, &layout, &self.fleet))
            .await?;
        let bake = Bake {
            ctx,
            library: ctx.unless_interrupted(Library::open(ctx)).await?,
            layout,
            fleet,
            bundle: self.bundle,
            base: self.base,
            profile: self.instance_profile,
            subnet: self.subnet,
            force: self.force,
            until,
            goes_on: After {
                promote: self.promote,
                refresh: self.refresh,
            },
            baked: RefCell::new(None),
        };
        let status = carry_out(ctx, &bake, &self.change).await?;
        let image = bake.baked.take();
        bake.goes_on
            .follow_up(ctx, &bake.fleet, image, &self.change, status)
            .await
    }
}

/// # Errors
/// A run that would not see its builder end.
pub(super) fn stays(change: &ChangeArgs, verb: &str) -> Result<()> {
    if change.no_wait {
        return Err(CtlError::usage(format!(
            "{verb} an image: with `--no-wait` nobody would end its instance"
        ))
        .hint("leave it out; Ctrl-C ends the instance"));
    }
    Ok(())
}

/// What follows once there is an image.
#[derive(Clone, Copy, Debug)]
pub(in crate::commands::ami) struct After {
    pub(super) promote: bool,
    pub(super) refresh: bool,
}

impl After {
    /// For the plan of what goes before.
    pub(super) fn note(self) -> Option<String> {
        match (self.promote, self.refresh) {
            (true, true) => Some(
                "afterwards the fleet's pointer moves to it and its instances are replaced, with a plan of their own"
                    .to_owned(),
            ),
            (true, false) => {
                Some("afterwards the fleet's pointer moves to it, with a plan of its own".to_owned())
            }
            (false, _) => None,
        }
    }

    /// Promotes the image, or shows how to. `status` is that of what went before.
    ///
    /// # Errors
    /// Those of the promotion.
    pub(super) async fn follow_up(
        self,
        ctx: &Ctx,
        fleet: &FleetId,
        image: Option<String>,
        change: &ChangeArgs,
        status: ExitStatus,
    ) -> Result<ExitStatus> {
        let Some(image) = image.filter(|_| change.may_change() && status == ExitStatus::Done) else {
            return Ok(status);
        };
        if !self.promote {
            ctx.ui.hint(
                Hint::new("let the fleet start from it with").command(
                    CommandLine::bpctl(["ami", "promote"])
                        .args([image])
                        .option("--fleet", fleet.to_string()),
                ),
            );
            return Ok(status);
        }
        let image: ImageId = image.parse().map_err(|error| {
            CtlError::new(
                crate::error::ErrorKind::Unexpected,
                format!("promote `{image}`: it is no id of an image"),
            )
            .source(&error)
        })?;
        let change_pointer = Move::<false>::to(
            ctx,
            ctx.layout()?,
            fleet.clone(),
            image,
            self.refresh.then(RefreshOptions::default),
        );
        carry_out(ctx, &change_pointer, change).await
    }
}

/// The change: one image of one fleet.
struct Bake<'a> {
    ctx: &'a Ctx,
    library: Library<'a>,
    layout: Layout,
    fleet: FleetId,
    bundle: Option<BundleName>,
    base: Option<ImageId>,
    profile: Option<String>,
    subnet: Option<String>,
    force: bool,
    /// When the operator has said that waiting ends.
    until: Option<Timestamp>,
    goes_on: After,
    /// The image that there is in the end.
    baked: RefCell<Option<String>>,
}

/// One step.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum BakeAction {
    /// Instances and images that earlier runs have left.
    CleanUp(Leftovers),
    /// Starts the builder.
    Start(Box<RunInstances>),
    /// Goes on with the builder of an earlier run.
    GoOn(String),
    Apply(Box<SendCommand>),
    Image(Box<CreateImage>),
    /// Waits for the image of an earlier run, and ends its builder.
    Await {
        image: String,
        name: String,
        machines: Vec<String>,
    },
    /// The way back of the builder: the instances with this tag of the run, or this one.
    Terminate {
        call: TerminateInstances,
        run: String,
    },
    /// The way back of the image of this name, and of its builders.
    Discard {
        name: String,
        machines: Vec<String>,
    },
    /// What goes with the builder.
    Nothing,
}

/// What earlier runs have left.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Leftovers {
    machines: Vec<String>,
    /// Images that were never finished, each with its snapshots.
    images: Vec<(String, Vec<String>)>,
}

/// What a step found out.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Found {
    Builder(String),
    Image(String),
}

impl Change for Bake<'_> {
    const NAME: &'static str = "ami bake";
    /// A request that failed may have started an instance all the same.
    const UNDO_LOOKS: bool = true;
    type Seen = Seen;
    type Action = BakeAction;
    type Output = Found;
    type Ending = BakeResult;
    type Document = BakeResult;

    fn words(&self) -> Words {
        Words {
            goal: format!("bake an image for {}", self.fleet),
            thing: "step",
            settle: "see the image available".to_owned(),
            following: String::new(),
        }
    }

    async fn observe(&self, _target: &Target, recent: &[Record]) -> Result<Seen> {
        observe::observe(self, recent).boxed_local().await
    }

    fn plan(&self, seen: &Seen, basis: &Basis<'_>) -> Result<Plan<BakeAction>> {
        let asked = plan::Asked {
            layout: &self.layout,
            fleet: &self.fleet,
            force: self.force,
            goes_on: self.goes_on,
        };
        Ok(plan::plan(&asked, seen, basis))
    }

    fn covers(&self, _seen: &Seen, _plan: &Plan<BakeAction>) -> Vec<String> {
        let steps = [CLEAN_UP, BUILDER, BUNDLE, IMAGE];
        let undone = steps.map(|step| format!("undo {step}"));
        steps.map(str::to_owned).into_iter().chain(undone).collect()
    }

    async fn act(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        self.carry_out(step).boxed_local().await
    }

    fn undo(&self, step: &Step<BakeAction>) -> Option<Step<BakeAction>> {
        plan::undo(step, &self.fleet)
    }

    async fn verify(&self, seen: &Seen, run: &mut Verification<'_, Self>) -> Result<()> {
        self.look_again(seen, run).boxed_local().await
    }

    fn document(&self, _seen: &Seen, outcome: &Outcome<Self>) -> Option<BakeResult> {
        let mut result = outcome.endings.get(IMAGE)?.clone();
        result.run = Some(outcome.run.clone());
        Some(result)
    }

    fn resume(&self, _left: &[&str]) -> CommandLine {
        let mut command = CommandLine::bpctl(["ami", "bake"]).option("--fleet", self.fleet.to_string());
        if let Some(bundle) = &self.bundle {
            command = command.option("--bundle", bundle.to_string());
        }
        if let Some(base) = &self.base {
            command = command.option("--base", base.to_string());
        }
        if let Some(profile) = &self.profile {
            command = command.option("--instance-profile", profile);
        }
        if let Some(subnet) = &self.subnet {
            command = command.option("--subnet", subnet);
        }
        if self.goes_on.promote {
            command = command.args(["--promote"]);
        }
        if self.goes_on.refresh {
            command = command.args(["--refresh"]);
        }
        command
    }
}
