//! `bpctl ami build`: an image from scratch, by packer and the platform's templates.

mod packer;

use std::cell::RefCell;

use clap::Args;
use futures::FutureExt as _;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::bake::After;
use super::bake::view::BakeResult;
use super::machine_type::MachineType;
use super::pointer;
use crate::aws::ec2::Image;
use crate::change::journal::Record;
use crate::change::{
    Basis, Call as _, Change, ChangeArgs, Done, End, OnFailure, Outcome, Plan, Step, StepRun, Target,
    Verification, Words, carry_out,
};
use crate::commands::bundle::{BundleName, Library, Sound, bundle_name, bundle_size, sound};
use crate::commands::fleet::refresh;
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};
use crate::exit::ExitStatus;
use crate::fleet::{Pointers, named_one, parameter_names};
use crate::iam::{CHANGE, On, Use, Uses};
use crate::layout::{FleetId, FleetName, Layout, LayoutKind};
use packer::{BUILDER, BuildImage, Building, Packer};

/// The only step.
const IMAGE: &str = "image";

/// Build a machine image for a fleet with packer
///
/// Runs `packer init` and `packer build` in the folder `packer` of the infrastructure (`--infra-dir`), with the fleet's
/// slug, the instance type of its desired configuration and the region; with `--bundle` packer bakes that bundle as well.
/// packer signs in by itself, with the profile in force. Ctrl-C goes to packer, which cleans up before it ends; what is
/// left is said. `bpctl ami bake` needs no packer.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl ami build --fleet staging/gpu-default                              without a bundle
  bpctl ami build --fleet staging/gpu-default --bundle c81d4e2e            with one
  bpctl ami build --fleet staging/gpu-default --promote --refresh          and let the fleet run it
  bpctl ami build --fleet staging/gpu-default --var comfyui_ref=v0.3.40    another variable of the templates")]
pub(crate) struct BuildArgs {
    /// The fleet, e.g. staging/gpu-default
    #[arg(long, value_name = "FLEET", add = crate::completion::fleets())]
    fleet: FleetName,

    /// A bundle that is baked as well: its id or the beginning of it
    #[arg(long, value_name = "BUNDLE", value_parser = bundle_name)]
    bundle: Option<BundleName>,

    /// Another variable of packer's templates; may be given several times
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = variable)]
    variables: Vec<String>,

    /// Let the fleet's pointer name the image afterwards, as `ami promote` does
    #[arg(long)]
    promote: bool,

    /// Replace the fleet's instances as well, as `fleet refresh` does
    #[arg(long, requires = "promote")]
    refresh: bool,

    /// Bake a bundle that fails its verification, or build on an instance type that the fleet's template does not allow
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    change: ChangeArgs,
}

/// For clap.
fn variable(text: &str) -> Result<String, String> {
    let name = text.split_once('=').map(|(name, _)| name);
    let letter = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    match name {
        Some(name) if !name.is_empty() && name.chars().all(letter) && !text.contains(['\n', '\0']) => {
            Ok(text.to_owned())
        }
        _ => Err("write `NAME=VALUE`".to_owned()),
    }
}

impl Verb for BuildArgs {
    fn uses() -> Uses {
        Uses::of(&[
            CHANGE,
            &[
                Use::of("autoscaling:DescribeAutoScalingGroups", On::Anything),
                Use::of("ec2:DescribeImages", On::Anything),
                Use::of("ec2:DescribeInstances", On::Anything),
                Use::of("ssm:GetParameters", On::FleetParameters),
                Use::of("ssm:GetParameters", On::PlatformParameters),
            ],
        ])
        .with(
            "--bundle",
            &[
                Use::of("s3:GetObject", On::Assets),
                Use::of("s3:GetObject", On::Bundles),
                Use::of("s3:ListBucket", On::ModelsBucket),
            ],
        )
        .with("--promote", pointer::MOVES)
        .with("--refresh", &[pointer::MOVES, &refresh::uses_within()].concat())
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        super::bake::stays(&self.change, "build")?;
        let layout = ctx.layout()?;
        let folder = ctx.settings.infra_dir.as_ref().ok_or_else(|| {
            CtlError::config("build an image: the folder of the infrastructure is not known")
                .hint("name it with `--infra-dir`, or set `infra_dir`")
        })?;
        let region = ctx.unless_interrupted(ctx.aws.region()).await?.ok_or_else(|| {
            CtlError::config("build an image: the region is not known").hint("name it with `--region`")
        })?;
        let packer = Packer::find(ctx, &folder.value, &region)?;
        if let Some(role) = &ctx.settings.role_arn {
            return Err(CtlError::config(format!(
                "build an image: bpctl takes the role {}, and packer signs in by itself",
                role.value
            ))
            .hint("choose a profile that takes the role, with `--profile`"));
        }
        let fleet = ctx
            .unless_interrupted(named_one(&ctx.aws, &layout, &self.fleet))
            .await?;
        let build = Build {
            ctx,
            layout,
            fleet,
            packer,
            region,
            bundle: self.bundle,
            variables: self.variables,
            force: self.force,
            goes_on: After {
                promote: self.promote,
                refresh: self.refresh,
            },
            built: RefCell::new(None),
        };
        let status = carry_out(ctx, &build, &self.change).await?;
        let image = build.built.take();
        build
            .goes_on
            .follow_up(ctx, &build.fleet, image, &self.change, status)
            .await
    }
}

struct Build<'a> {
    ctx: &'a Ctx,
    layout: Layout,
    fleet: FleetId,
    packer: Packer,
    region: String,
    bundle: Option<BundleName>,
    variables: Vec<String>,
    force: bool,
    goes_on: After,
    /// The image that there is in the end.
    built: RefCell<Option<String>>,
}

/// What is so before.
#[derive(Clone, Debug)]
struct Seen {
    kind: MachineType,
    /// The bundle and where bundles are.
    bundle: Option<(Sound, String)>,
    profile: Option<String>,
}

/// The build.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct BuildAction {
    call: BuildImage,
}

impl Build<'_> {
    /// Variables of the templates, in the runbook's order.
    fn variables(&self, seen: &Seen, kind: &str) -> Vec<String> {
        let slug = match self.layout.kind() {
            LayoutKind::Single => "fleet_slug",
            LayoutKind::Staged => "workflow_slug",
        };
        let mut all = vec![
            format!("{slug}={}", self.fleet.slug),
            format!("instance_type={kind}"),
            format!("aws_region={}", self.region),
        ];
        if let Some((bundle, bucket)) = &seen.bundle {
            all.push(format!("models_s3_bucket={bucket}"));
            all.push(format!(
                "models_s3_prefix={}",
                bundle.prefix.trim_end_matches('/')
            ));
            all.push(format!("bundle_id={}", bundle.id));
            if let Some(profile) = &seen.profile {
                all.push(format!("packer_instance_profile={profile}"));
            }
        }
        all.extend(self.variables.iter().cloned());
        all
    }

    /// Instances of packer that are still there.
    async fn left(&self) -> Result<Vec<String>> {
        let machines = self
            .ctx
            .aws
            .machines_tagged("Name", &[BUILDER])
            .await?
            .into_values();
        let there = machines.filter(|machine| {
            !matches!(
                machine.state.as_deref(),
                Some("shutting-down" | "terminated") | None
            )
        });
        Ok(there.map(|machine| machine.id).collect())
    }

    /// Adds to an error what packer has left behind.
    async fn with_leftovers(&self, error: CtlError) -> CtlError {
        match self.left().await {
            Ok(ids) if ids.is_empty() => error.cause("no instance of packer is left"),
            Ok(ids) => {
                let error = error.cause(format!("instances of packer are left: {}", ids.join(", ")));
                error.hint((
                    "when no other build uses them, end them with",
                    CommandLine::aws("ec2", "terminate-instances")
                        .args(["--instance-ids".to_owned()].into_iter().chain(ids)),
                ))
            }
            Err(looked) => error.cause(format!(
                "it is not known whether an instance of packer is left: {looked}"
            )),
        }
    }
}

impl Change for Build<'_> {
    const NAME: &'static str = "ami build";
    type Seen = Seen;
    type Action = BuildAction;
    /// The id of the image.
    type Output = String;
    type Ending = BakeResult;
    type Document = BakeResult;

    fn words(&self) -> Words {
        Words {
            goal: format!("build an image for {}", self.fleet),
            thing: "image",
            settle: "see the image available".to_owned(),
            following: String::new(),
        }
    }

    async fn observe(&self, _target: &Target, _recent: &[Record]) -> Result<Seen> {
        let aws = &self.ctx.aws;
        let mut names = parameter_names(&self.layout, &self.fleet);
        let profile = self.layout.packer_profile_parameter();
        names.extend(profile.clone());
        let group = [self.layout.auto_scaling_group(&self.fleet)];
        let bundle = async {
            let Some(name) = &self.bundle else { return Ok(None) };
            let library = Library::open(self.ctx).await?;
            let found = sound(&library, name, &self.fleet).await?;
            Ok(Some((found, library.bucket)))
        };
        let (parameters, groups, bundle) = futures::try_join!(
            aws.parameters(&names),
            aws.groups_named(&group),
            bundle.boxed_local()
        )?;
        let pointers = Pointers::of(&self.layout, &self.fleet, &parameters.found);
        let profile = profile.and_then(|name| parameters.found.get(&name));
        Ok(Seen {
            kind: MachineType::of(&pointers, groups.first()),
            bundle,
            profile: profile.map(|parameter| parameter.value.expose().to_owned()),
        })
    }

    fn plan(&self, seen: &Seen, _basis: &Basis<'_>) -> Result<Plan<BuildAction>> {
        let doing = format!("build an image for {}", self.fleet);
        let mut plan = Plan::new(doing.clone(), Vec::new());
        if let Some(blocker) = seen.kind.blocker(&doing, &self.fleet) {
            if self.force && seen.kind.name.is_some() {
                plan.warnings
                    .push(format!("{}; done all the same (`--force`)", blocker.reason));
            } else {
                plan.blockers.push(blocker);
            }
        }
        if let Some((bundle, _)) = &seen.bundle {
            let judged = bundle.judge(&doing, self.force);
            plan.warnings.extend(judged.warning);
            plan.blockers.extend(judged.blocker);
        }
        let Some(kind) = &seen.kind.name else {
            return Ok(plan);
        };
        let mut arguments = ["build", "-machine-readable"].map(str::to_owned).to_vec();
        for variable in self.variables(seen, kind) {
            arguments.extend(["-var".to_owned(), variable]);
        }
        arguments.push(".".to_owned());
        let call = BuildImage {
            arguments,
            resource: format!("bake/{}", self.fleet),
        };
        let calls = vec![call.described()];
        let mut step = Step::new(IMAGE, "build it with packer", calls, BuildAction { call });
        step.on_failure = OnFailure::Stop;
        step.notes.push(format!(
            "in `{}`, after `packer init .`; packer starts a {kind} and terminates it",
            self.packer.folder.display()
        ));
        if let Some((bundle, _)) = &seen.bundle {
            step.notes.push(format!(
                "it fetches bundle {}, {}",
                bundle.label,
                bundle_size(bundle.bytes)
            ));
        }
        step.notes.extend(self.goes_on.note());
        plan.steps.push(step);
        Ok(plan)
    }

    fn covers(&self, _seen: &Seen, _plan: &Plan<BuildAction>) -> Vec<String> {
        vec![IMAGE.to_owned()]
    }

    fn tell(&self, record: &Record) -> (String, Option<Hint>) {
        let sentence = format!("the build of {} was not followed to its end", record.started);
        let hint = Hint::new("packer may have left an instance: see those with its name with").command(
            CommandLine::aws("ec2", "describe-instances")
                .option("--filters", format!("Name=tag:Name,Values={BUILDER}")),
        );
        (sentence, Some(hint))
    }

    async fn act(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        let (sender, mut lines) = mpsc::unbounded_channel();
        let building = Building {
            packer: self.packer.clone(),
            region: self.region.clone(),
            lines: sender,
        };
        let ctx = self.ctx;
        ctx.ui.group("packer build");
        let call = &step.action().call;
        let sent = async {
            let sent = step.send(&building, call).await;
            // The lines end with it.
            drop(building);
            sent
        };
        let shown = async {
            while let Some(line) = lines.recv().await {
                ctx.ui.log("packer", &crate::redact::redact(&line));
            }
        };
        let (sent, ()) = futures::join!(sent, shown);
        ctx.ui.end_group();
        let image = match sent {
            Ok(image) => image,
            Err(error) => return Err(self.with_leftovers(error).boxed_local().await),
        };
        step.note(IMAGE, &image);
        Ok(Done::new(format!("packer has built {image}")).with(image))
    }

    async fn verify(&self, _seen: &Seen, run: &mut Verification<'_, Self>) -> Result<()> {
        let Some(id) = run.done().into_iter().find_map(|(_, image)| image) else {
            return Ok(());
        };
        let found = self.ctx.aws.machine_images(std::slice::from_ref(&id)).await?;
        let image: Option<Image> = found.into_iter().next();
        let end = match &image {
            Some(image) if image.state == "available" => End::Settled,
            Some(image) => End::Failed(CtlError::new(
                ErrorKind::Failed,
                format!("build an image: packer has built {id}, and it is {}", image.state),
            )),
            None => End::Failed(
                CtlError::new(
                    ErrorKind::Failed,
                    format!("build an image: packer has built {id}, and EC2 does not show it here"),
                )
                .hint("packer signs in by itself: with the profile in force it must be in this account and region"),
            ),
        };
        if let Some(image) = image {
            if end == End::Settled {
                self.built.replace(Some(id.clone()));
            }
            run.ending(IMAGE, BakeResult::of(&self.fleet, &image, None, true));
        }
        run.end(IMAGE, end);
        Ok(())
    }

    fn document(&self, _seen: &Seen, outcome: &Outcome<Self>) -> Option<BakeResult> {
        let mut result = outcome.endings.get(IMAGE)?.clone();
        result.run = Some(outcome.run.clone());
        Some(result)
    }

    fn resume(&self, _left: &[&str]) -> CommandLine {
        let mut command = CommandLine::bpctl(["ami", "build"]).option("--fleet", self.fleet.to_string());
        if let Some(bundle) = &self.bundle {
            command = command.option("--bundle", bundle.to_string());
        }
        for variable in &self.variables {
            command = command.option("--var", variable);
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
