//! `bpctl smoke`: the platform used as a customer uses it, from the upload of a clip to its result.

mod act;
mod address;
mod clean;
mod observe;
mod plan;
mod request;
pub(crate) mod view;

use std::cell::RefCell;
use std::path::PathBuf;

use clap::Args;

use self::address::Upload;
use self::clean::Cleaned;
use self::observe::Seen;
use self::plan::{About, Action, Wanted};
use self::request::Clip;
use self::view::{Check, SmokeResult, State};
use crate::aws::application::Site;
use crate::change::journal::Record;
use crate::change::{
    Basis, Change, ChangeArgs, Done, End, Outcome, Plan, StepRun, Target, Verification, Words, carry_out,
};
use crate::commands::domain::host;
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};
use crate::exit::ExitStatus;
use crate::fleet::named_one;
use crate::iam::{CHANGE, On, Use, Uses};
use crate::layout::{FleetId, FleetName, Layout};

/// The name under which the end of all checks is recorded.
const CHECKS: &str = "checks";

/// Use the platform as a customer does: upload, video, job, result
///
/// Asks the health routes and both targets of the load balancer, uploads a clip by a presigned address, makes a video of
/// it, starts the work on it and waits for its result. On the way it makes sure that what must be refused is refused: a
/// file that is no video, one that is too large, an address that has expired, one that is forged. Whatever comes of it,
/// and after Ctrl-C too, the video and its objects are removed at the end. Ends with status 9 when something is not as it
/// must be, and with 7 when something could not be checked or removed.
///
/// The token of the customer that the test plays comes from the variable BPCTL_SMOKE_TOKEN or from stdin; it is neither
/// shown nor kept. The work costs that customer what the effect costs.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl smoke --yes                                          all of it
  bpctl smoke --upload-only --yes                            without the work of a GPU, and free of charge
  bpctl smoke --fleet production/gpu-default --yes           by a worker of this fleet
  bpctl smoke --effect 3 --file clip.mov --yes               another effect, another clip
  bpctl smoke --token-stdin --tenant acme.example.com --yes  a token that is piped in, at a tenant's own host")]
pub(crate) struct SmokeArgs {
    /// The effect, by its id [default: the first one that is published]
    #[arg(long, value_name = "ID", value_parser = clap::value_parser!(u64).range(1..))]
    effect: Option<u64>,

    /// The clip: .mp4, .mov, .webm or .mkv, at most 64 MiB [default: a small one of bpctl's own]
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    file: Option<PathBuf>,

    /// The tenant's own host name, where the platform's does not lead to it
    #[arg(long, value_name = "HOST")]
    tenant: Option<String>,

    /// Read the customer's token from stdin
    #[arg(long)]
    token_stdin: bool,

    /// The fleet whose worker is to take the job, e.g. production/gpu-default
    #[arg(long, value_name = "FLEET", conflicts_with = "upload_only", add = crate::completion::fleets())]
    fleet: Option<FleetName>,

    /// Stop behind the upload: no video, no work, no costs
    #[arg(long)]
    upload_only: bool,

    /// Leave what the test makes where it is, and say how it is removed
    #[arg(long)]
    keep: bool,

    #[command(flatten)]
    change: ChangeArgs,
}

impl Verb for SmokeArgs {
    fn uses() -> Uses {
        Uses::of(&[
            CHANGE,
            &[
                Use::of("autoscaling:DescribeAutoScalingGroups", On::Anything),
                Use::of("cloudformation:DescribeStacks", On::Stacks),
                Use::of("cloudwatch:GetMetricData", On::Anything),
                Use::of("s3:DeleteObject", On::Uploads),
                Use::of("s3:GetObject", On::Uploads),
                Use::of("s3:ListBucket", On::MediaBucket),
            ],
        ])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        if self.change.no_wait && !self.upload_only {
            return Err(CtlError::usage(
                "test without waiting: what is made would stay, and nobody would know what became of it",
            )
            .hint("`--upload-only` waits for no worker"));
        }
        let tenant = self.tenant.as_deref().map(host).transpose()?;
        let clip = Clip::of(ctx, self.file.as_deref())?;
        let token = request::token(ctx, self.token_stdin)?;
        let look = async {
            let base = observe::base(ctx, &layout, tenant.as_deref()).await?;
            let fleet = match &self.fleet {
                Some(name) => Some(named_one(&ctx.aws, &layout, name).await?),
                None => None,
            };
            Ok((base, fleet))
        };
        let (base, fleet) = ctx.unless_interrupted(look).await?;
        let smoke = Smoke {
            ctx,
            layout,
            site: Site { base, token },
            clip,
            effect: self.effect,
            tenant: self.tenant,
            token_stdin: self.token_stdin,
            fleet,
            upload_only: self.upload_only,
            keep: self.keep,
            live: RefCell::default(),
        };
        carry_out(ctx, &smoke, &self.change).await
    }
}

struct Smoke<'a> {
    ctx: &'a Ctx,
    layout: Layout,
    site: Site,
    clip: Clip,
    /// As it was asked for.
    effect: Option<u64>,
    tenant: Option<String>,
    token_stdin: bool,
    fleet: Option<FleetId>,
    upload_only: bool,
    keep: bool,
    live: RefCell<Live>,
}

/// What the steps find out for each other. The address is in no journal: whoever has it may write the object.
#[derive(Default)]
struct Live {
    upload: Option<Upload>,
    file: Option<u64>,
    /// The clip is where it belongs.
    stored: bool,
    /// The request for a video was sent.
    video_asked: bool,
    video: Option<u64>,
    job: Option<u64>,
    started: bool,
    /// The key of its result, as far as the application has told it.
    result: Option<String>,
    /// The job has come to an end.
    over: bool,
}

impl Smoke<'_> {
    fn wanted(&self) -> Wanted<'_> {
        Wanted {
            site: &self.site,
            clip: &self.clip,
            fleet: self.fleet.as_ref(),
            upload_only: self.upload_only,
            keep: self.keep,
        }
    }
}

impl Change for Smoke<'_> {
    const NAME: &'static str = "smoke";
    type Seen = Seen;
    type Action = Action;
    type Output = Check;
    type Ending = Cleaned;
    type Document = SmokeResult;

    fn words(&self) -> Words {
        Words {
            goal: "test the platform".to_owned(),
            thing: "step",
            settle: "see the end of the test".to_owned(),
            following: String::new(),
        }
    }

    async fn observe(&self, _target: &Target, recent: &[Record]) -> Result<Seen> {
        observe::observe(self, recent).await
    }

    fn plan(&self, seen: &Seen, basis: &Basis<'_>) -> Result<Plan<Action>> {
        let about = About {
            base: self.site.base.clone(),
            bucket: seen.bucket.clone(),
            effect: seen.effect.as_ref().map(|effect| effect.id),
            title: observe::title(&basis.names.run),
        };
        let price = seen.effect.as_ref().and_then(|effect| effect.price.as_deref());
        Ok(plan::plan(&self.wanted(), &about, seen.earlier.clone(), price))
    }

    fn covers(&self, _seen: &Seen, plan: &Plan<Action>) -> Vec<String> {
        let mut all: Vec<String> = plan::checks(&self.wanted(), true)
            .iter()
            .map(plan::Check::id)
            .collect();
        all.extend(plan.steps.iter().map(|step| step.id.clone()));
        all
    }

    async fn act(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        act::act(self, step).await
    }

    async fn verify(&self, _seen: &Seen, run: &mut Verification<'_, Self>) -> Result<()> {
        let done = run.done();
        let checks: Vec<Check> = done.iter().filter_map(|(_, found)| found.clone()).collect();
        let cleaned = clean::clean_up(self, run, &done).await;
        if let Some(end) = judged(&checks, &cleaned, self.keep) {
            run.end(CHECKS, end);
        }
        run.ending(CHECKS, cleaned);
        Ok(())
    }

    fn document(&self, seen: &Seen, outcome: &Outcome<Self>) -> Option<SmokeResult> {
        let cleaned = outcome.endings.get(CHECKS)?;
        let live = self.live.borrow();
        let found = outcome.steps.iter().filter_map(|step| step.output.clone());
        Some(SmokeResult {
            run: outcome.run.clone(),
            address: self.site.base.clone(),
            effect: seen.effect.as_ref().map(|effect| effect.id),
            video: live.video,
            job: live.job,
            upload: live.upload.as_ref().map(|upload| upload.key.clone()),
            fleet: self.fleet.clone(),
            checks: found.collect(),
            removed: cleaned.removed.clone(),
            left: cleaned.left.clone(),
        })
    }

    fn resume(&self, _left: &[&str]) -> CommandLine {
        let mut command = CommandLine::bpctl(["smoke"]);
        if let Some(effect) = self.effect {
            command = command.option("--effect", effect.to_string());
        }
        if let Some(path) = &self.clip.path {
            command = command.option("--file", path.display().to_string());
        }
        if let Some(tenant) = &self.tenant {
            command = command.option("--tenant", tenant);
        }
        if let Some(fleet) = &self.fleet {
            command = command.option("--fleet", fleet.to_string());
        }
        let switches = [
            (self.token_stdin, "--token-stdin"),
            (self.upload_only, "--upload-only"),
            (self.keep, "--keep"),
        ];
        command.args(switches.iter().filter_map(|(given, flag)| given.then_some(*flag)))
    }

    fn explain(&self, error: CtlError, outcome: &Outcome<Self>) -> CtlError {
        let cleaned = outcome.endings.get(CHECKS);
        let left = cleaned.map(|cleaned| cleaned.left.as_slice()).unwrap_or_default();
        left.iter().fold(error, |error, left| {
            error.cause(format!("{} is left behind: {}", left.what, left.why))
        })
    }
}

/// How it ends, unless all is well.
fn judged(checks: &[Check], cleaned: &Cleaned, keep: bool) -> Option<End> {
    let of = |state: State| checks.iter().filter(move |check| check.state == state);
    let names = |state: State| {
        of(state)
            .map(|check| check.check.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let with_causes = |error: CtlError, state: State| {
        of(state).fold(error, |error, check| {
            error.cause(format!("{}: {}", check.check, check.detail))
        })
    };
    if of(State::Wrong).next().is_some() {
        let message = format!("pass the smoke test: {} not as it must be", names(State::Wrong));
        let error = with_causes(CtlError::new(ErrorKind::Failed, message), State::Wrong);
        let triage =
            Hint::new("see what is wrong with the platform with").command(CommandLine::bpctl(["triage"]));
        return Some(End::Found {
            status: ExitStatus::Differences,
            error: error.hint(triage),
        });
    }
    let unknown = of(State::Unknown).next().is_some();
    if unknown {
        let message = format!(
            "finish the smoke test: {} could not be checked",
            names(State::Unknown)
        );
        let error = with_causes(CtlError::new(ErrorKind::Partial, message), State::Unknown);
        return Some(End::Found {
            status: ExitStatus::Partial,
            error,
        });
    }
    let left: Vec<&str> = cleaned.left.iter().map(|left| left.what.as_str()).collect();
    (!left.is_empty() && !keep).then(|| End::Found {
        status: ExitStatus::Partial,
        error: CtlError::new(
            ErrorKind::Partial,
            format!(
                "clean up behind the smoke test: {} could not be removed",
                left.join(", ")
            ),
        ),
    })
}
