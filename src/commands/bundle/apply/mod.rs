//! `bpctl bundle apply`: a bundle onto one running node, by a command of Systems Manager.

pub(in crate::commands) mod follow;
mod plan;
pub(in crate::commands) mod script;
pub(crate) mod view;

use std::time::Duration;

use clap::Args;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::library::Library;
use super::name::BundleName;
use super::pointer::SMALL;
use super::verify::{Depth, check};
use crate::aws::asset_ops::RecordSync;
use crate::aws::s3::upload::PutObject;
use crate::aws::ssm::command::{Invocation, Progress, SendCommand};
use crate::bundle::Problem;
use crate::change::journal::Record;
use crate::change::{
    Basis, Call as _, Change, ChangeArgs, Done, Outcome, Plan, StepRun, Target, Verification, Words,
    carry_out,
};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};
use crate::exit::ExitStatus;
use crate::fleet::named_one;
use crate::iam::{CHANGE, On, Use, Uses};
use crate::layout::{FleetId, FleetName, InstanceId, InvalidName, Layout};
use view::ApplyResult;

/// How long a node may take: bundles of 60 GB have been seen (the platform's runbook, "Apply Bundle to Dev Instance").
const LIMIT: Duration = Duration::from_secs(6 * 60 * 60);

/// A command that is not shown after this time is not there (any more).
const SHOWN_AFTER: SignedDuration = SignedDuration::from_mins(5);

/// Apply a bundle to one running node
///
/// Runs the node's own script by Systems Manager, restarts ComfyUI and the worker, shows the output as it comes and ends
/// with the script's verdict. Ctrl-C leaves it running; the same command goes on with it, `--attach` only watches. The
/// output is kept in the logs bucket, and with ASSET_OPS_API_URL and ASSET_OPS_SECRET in the environment the backend's
/// audit log gets an entry.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl bundle apply c81d4e2e --instance i-0123456789abcdef0 --fleet staging/gpu-default
  bpctl bundle apply c81d4e2e --instance i-0123456789abcdef0 --fleet staging/gpu-default --notes 'portrait motion 2'
  bpctl bundle apply c81d4e2e --instance i-0123456789abcdef0 --fleet staging/gpu-default --detach
  bpctl bundle apply --attach 11111111-2222-3333-4444-555555555555 --instance i-0123456789abcdef0")]
pub(crate) struct ApplyArgs {
    /// The bundle: its id or the beginning of it
    #[arg(value_name = "BUNDLE", value_parser = super::name::parse, required_unless_present = "attach")]
    bundle: Option<BundleName>,

    /// The node
    #[arg(long, value_name = "ID", value_parser = instance)]
    instance: InstanceId,

    /// The fleet that the node belongs to, e.g. staging/gpu-default
    #[arg(long, value_name = "FLEET", required_unless_present = "attach", add = crate::completion::fleets())]
    fleet: Option<FleetName>,

    /// Notes for the audit log
    #[arg(long, value_name = "TEXT", value_parser = notes)]
    notes: Option<String>,

    /// Apply a bundle that fails its verification
    #[arg(long)]
    force: bool,

    /// Watch a command that was sent before, by its id
    #[arg(
        long,
        value_name = "COMMAND",
        conflicts_with_all = ["bundle", "fleet", "notes", "force", "no_wait", "print_aws", "dry_run"]
    )]
    attach: Option<String>,

    #[command(flatten)]
    change: ChangeArgs,
}

fn instance(text: &str) -> Result<InstanceId, String> {
    text.parse().map_err(|error: InvalidName| error.to_string())
}

/// The backend takes 2,000 characters.
fn notes(text: &str) -> Result<String, String> {
    if text.chars().count() > 2000 || text.chars().any(char::is_control) {
        return Err("write one line of at most 2000 characters".to_owned());
    }
    Ok(text.to_owned())
}

impl Verb for ApplyArgs {
    fn uses() -> Uses {
        Uses::of(&[
            CHANGE,
            &[
                Use::of("logs:GetLogEvents", On::CommandLogs),
                Use::of("s3:DeleteObject", On::AssetSync),
                Use::of("s3:GetObject", On::Assets),
                Use::of("s3:GetObject", On::Bundles),
                Use::of("s3:ListBucket", On::ModelsBucket),
                Use::of("s3:PutObject", On::AssetSync),
                Use::of("ssm:DescribeInstanceInformation", On::Anything),
                Use::of("ssm:GetCommandInvocation", On::Anything),
                Use::of("ssm:ListCommandInvocations", On::Anything),
                Use::of("ssm:SendCommand", On::ShellOnInstances),
            ],
        ])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        if let Some(command) = &self.attach {
            return follow::attach(ctx, command, &self.instance, self.change.timeout.unwrap_or(LIMIT)).await;
        }
        let (Some(bundle), Some(fleet)) = (self.bundle, self.fleet) else {
            return Err(CtlError::usage(
                "apply a bundle: BUNDLE and `--fleet` are missing",
            ));
        };
        let fleet = ctx
            .unless_interrupted(named_one(&ctx.aws, &layout, &fleet))
            .await?;
        let audit = Audit::of(ctx)?;
        let mut change = self.change;
        // Longer than other waits: the node may fetch for hours.
        change.timeout =
            Some(change.timeout.unwrap_or(LIMIT)).filter(|_| !change.no_wait && !change.print_aws);
        let apply = Apply {
            ctx,
            library: ctx.unless_interrupted(Library::open(ctx)).await?,
            layout,
            bundle,
            fleet,
            instance: self.instance,
            notes: self.notes,
            force: self.force,
            audit,
        };
        carry_out(ctx, &apply, &change).await
    }
}

/// Where the backend keeps its audit log.
struct Audit {
    url: String,
    secret: crate::redact::Secret,
}

impl Audit {
    /// # Errors
    /// One of the two variables without the other.
    fn of(ctx: &Ctx) -> Result<Option<Self>> {
        let set = |name: &str| ctx.env.get(name).filter(|value| !value.trim().is_empty());
        match (set("ASSET_OPS_API_URL"), set("ASSET_OPS_SECRET")) {
            (None, None) => Ok(None),
            (Some(url), Some(secret)) => Ok(Some(Self {
                url: format!(
                    "{}/ops/comfyui-assets/sync-logs",
                    url.trim().trim_end_matches('/')
                ),
                secret: secret.trim().into(),
            })),
            (Some(_), None) => Err(CtlError::config(
                "write to the audit log: ASSET_OPS_API_URL is set and ASSET_OPS_SECRET is not",
            )
            .hint("set both, or neither")),
            (None, Some(_)) => Err(CtlError::config(
                "write to the audit log: ASSET_OPS_SECRET is set and ASSET_OPS_API_URL is not",
            )
            .hint("set both, or neither")),
        }
    }
}

impl Apply<'_> {
    /// The command that a run of the last minutes has sent to this node and that lists do not show yet.
    async fn just_sent(&self, record: &Record, listed: &[Invocation]) -> Result<Option<Invocation>> {
        let note = |name: &str| record.notes.get(name).map(String::as_str);
        let (Some(command), Some(instance), Some(comment)) =
            (note("command"), note("instance"), note("comment"))
        else {
            return Ok(None);
        };
        if instance != self.instance.as_ref() || listed.iter().any(|found| found.command == command) {
            return Ok(None);
        }
        let found = self.ctx.aws.invocation(command, instance).await?;
        let now = self.ctx.clock.now();
        let is_new = record
            .run
            .began()
            .is_some_and(|began| now.duration_since(began) < SHOWN_AFTER);
        let under_way = found.map_or(is_new, |found| found.progress == Progress::UnderWay);
        Ok(under_way.then(|| Invocation::just_sent(command, instance, comment)))
    }

    /// The entry of the audit log, where there is one.
    fn record(&self, action: &ApplyAction) -> Option<RecordSync> {
        let audit = self.audit.as_ref()?;
        Some(RecordSync {
            url: audit.url.clone(),
            secret: audit.secret.clone(),
            bundle_id: action.bundle_id.clone(),
            notes: self.notes.clone(),
            artifact: action.log_key.clone(),
            fleet_slug: self.fleet.slug.to_string(),
            instance: self.instance.to_string(),
            prefix: action.prefix.clone(),
        })
    }
}

struct Apply<'a> {
    ctx: &'a Ctx,
    library: Library<'a>,
    layout: Layout,
    bundle: BundleName,
    fleet: FleetId,
    instance: InstanceId,
    notes: Option<String>,
    force: bool,
    audit: Option<Audit>,
}

/// What is so before.
#[derive(Debug)]
struct Seen {
    bundle: String,
    bundle_id: String,
    prefix: String,
    bytes: u64,
    problems: Vec<Problem>,
    logs_bucket: String,
    /// Whether Systems Manager reaches the node; `None` when it does not know it.
    reached: Option<bool>,
    /// Scripts that have not ended on the node.
    under_way: Vec<Invocation>,
}

/// The one step.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct ApplyAction {
    call: SendCommand,
    /// A command of the same kind that is under way already.
    going_on: Option<String>,
    logs_bucket: String,
    log_key: String,
    bundle_id: String,
    prefix: String,
}

impl ApplyAction {
    /// The request that keeps the output; without it, as the plan shows it.
    fn keep(&self, log: Option<&str>) -> PutObject {
        PutObject::of_text(&self.logs_bucket, &self.log_key, log)
    }
}

impl Change for Apply<'_> {
    const NAME: &'static str = "bundle apply";
    type Seen = Seen;
    type Action = ApplyAction;
    /// The id of the command.
    type Output = String;
    type Ending = ApplyResult;
    type Document = ApplyResult;

    fn words(&self) -> Words {
        words(self.instance.as_ref())
    }

    async fn observe(&self, _target: &Target, recent: &[Record]) -> Result<Seen> {
        let aws = &self.ctx.aws;
        let instance = self.instance.as_ref();
        let bundle = self.library.find(&self.bundle, Some(&self.fleet)).await?;
        let depth = Depth::HashedUpTo(SMALL);
        let (checked, reached, under_way, logs_bucket) = futures::try_join!(
            check(&self.library, &bundle, depth),
            aws.is_reached(instance),
            aws.scripts_under_way(instance),
            aws.bucket(&self.layout, "logs"),
        )?;
        let mut under_way = under_way;
        for record in recent {
            under_way.extend(self.just_sent(record, &under_way).await?);
        }
        Ok(Seen {
            bundle: bundle.entry.label(),
            bundle_id: bundle.entry.id.to_string(),
            prefix: self
                .layout
                .bundle_prefix(bundle.entry.slug.as_ref(), &bundle.entry.id),
            bytes: checked.bytes,
            problems: checked.problems,
            logs_bucket,
            reached,
            under_way,
        })
    }

    fn plan(&self, seen: &Seen, basis: &Basis<'_>) -> Result<Plan<ApplyAction>> {
        let wanted = plan::Wanted {
            models_bucket: &self.library.bucket,
            fleet: &self.fleet,
            instance: self.instance.as_ref(),
            force: self.force,
            audit: self.audit.is_some(),
        };
        let mut plan = plan::plan(&wanted, seen, basis.now);
        for step in &mut plan.steps {
            step.if_needed
                .extend(self.record(&step.action).map(|record| record.described()));
        }
        Ok(plan)
    }

    fn covers(&self, _seen: &Seen, _plan: &Plan<ApplyAction>) -> Vec<String> {
        vec![self.instance.to_string()]
    }

    async fn act(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        let action = step.action();
        if let Some(command) = &action.going_on {
            step.note("command", command);
            return Ok(Done::new(format!("goes on with command {command}")).with(command.clone()));
        }
        // Minutes may have passed since the plan.
        if let Some(other) = self
            .ctx
            .aws
            .scripts_under_way(self.instance.as_ref())
            .await?
            .first()
        {
            return Err(CtlError::new(
                ErrorKind::Changed,
                format!(
                    "apply the bundle: command {} has begun on {} since the plan was made",
                    other.command, self.instance
                ),
            )
            .hint((
                "watch it with",
                follow::attach_command(&other.command, self.instance.as_ref()),
            )));
        }
        let command = script::send(self.ctx, step, &action.call, || self.resume(&[])).await?;
        step.note("command", &command);
        step.note("instance", self.instance.as_ref());
        step.note("comment", &action.call.comment);
        Ok(Done::new(format!("sent command {command} to {}", self.instance)).with(command))
    }

    async fn verify(&self, _seen: &Seen, run: &mut Verification<'_, Self>) -> Result<()> {
        follow::verify(self, run).await
    }

    fn document(&self, _seen: &Seen, outcome: &Outcome<Self>) -> Option<ApplyResult> {
        let mut result = outcome.endings.get(self.instance.as_ref())?.clone();
        result.run = Some(outcome.run.clone());
        Some(result)
    }

    fn resume(&self, _left: &[&str]) -> CommandLine {
        let command = CommandLine::bpctl(["bundle", "apply"])
            .args([self.bundle.to_string()])
            .option("--instance", self.instance.to_string())
            .option("--fleet", self.fleet.to_string());
        match &self.notes {
            Some(notes) => command.option("--notes", notes),
            None => command,
        }
    }

    fn tell(&self, record: &Record) -> (String, Option<Hint>) {
        let sentence = format!(
            "a bundle that was being applied since {} was not followed to its end",
            record.started
        );
        let command = record.notes.get("command");
        let hint = command.map(|command| {
            Hint::new("watch it with").command(follow::attach_command(command, self.instance.as_ref()))
        });
        (sentence, hint)
    }
}

fn words(instance: &str) -> Words {
    Words {
        goal: format!("apply the bundle to {instance}"),
        thing: "node",
        settle: "see the end of the script".to_owned(),
        following: String::new(),
    }
}
