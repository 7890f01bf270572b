//! `bpctl stack bootstrap`: what the CDK's stacks need of an account before the first of them.

mod call;
mod observe;
mod plan;
#[cfg(test)]
mod plan_tests;
pub(crate) mod view;

use std::path::PathBuf;

use clap::Args;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::deploy::synth::Npx;
use crate::change::journal::Record;
use crate::change::{
    Basis, Change, ChangeArgs, Done, End, Outcome, Plan, StepRun, Target, Verification, Words, carry_out,
};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};
use crate::exit::ExitStatus;
use crate::iam::{CHANGE, On, Use, Uses};
use crate::stacks::Bootstrap;
use call::{Bootstrapping, RunBootstrap};
use observe::Seen;
use view::{BootstrapResult, Prepared};

/// Prepare an account and region for the stacks of the CDK app
///
/// Reads whether the bootstrap stack, its version, its bucket and its repository are there, and whether the version is
/// what the app's stacks ask for. What is missing `npx cdk bootstrap` makes, in the folder that `infra_dir` names; it
/// signs in by itself, with the profile in force. Templates that bpctl makes itself need no bootstrap.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl stack bootstrap --dry-run                what is there, and what would be done
  bpctl stack bootstrap                          in the account and region of this context
  bpctl stack bootstrap --assembly cdk.out       with the version that these stacks ask for
  bpctl stack bootstrap --upgrade                to the version of the CDK in the folder")]
pub(crate) struct BootstrapArgs {
    /// The cloud assembly that says which version its stacks need, instead of `cdk.out` in `infra_dir`
    #[arg(long, value_name = "DIR")]
    assembly: Option<PathBuf>,

    /// The stacks come from bpctl's own templates with these settings (TOML): says that nothing is needed
    #[arg(long, value_name = "FILE", conflicts_with = "assembly")]
    blueprint: Option<PathBuf>,

    /// Run it also when nothing is missing, e.g. for a newer CDK
    #[arg(long, conflicts_with = "blueprint")]
    upgrade: bool,

    #[command(flatten)]
    change: ChangeArgs,
}

/// Why there is nothing to bootstrap.
const OWN_TEMPLATES: &str = "templates that bpctl makes itself need no bootstrap";
const NO_APP: &str =
    "no app of the CDK is named (`infra_dir`), and templates that bpctl makes itself need no bootstrap";

impl Verb for BootstrapArgs {
    fn uses() -> Uses {
        Uses::of(&[
            CHANGE,
            &[
                Use::of("cloudformation:DescribeStacks", On::Anything),
                Use::of("ecr:DescribeRepositories", On::Anything),
                Use::of("s3:ListBucket", On::Anything),
                Use::of("ssm:GetParameters", On::Anything),
            ],
        ])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let app = ctx.settings.infra_dir.as_ref();
        let app = app.map(|setting| ctx.cwd.join(&setting.value));
        let why_not = match (&self.blueprint, &self.assembly, &app) {
            (Some(_), _, _) => Some(OWN_TEMPLATES),
            (None, None, None) => Some(NO_APP),
            _ => None,
        };
        if let Some(why) = why_not {
            ctx.ui.status(&format!("Nothing to bootstrap: {why}"));
            ctx.emit(&BootstrapResult::not_needed(why))?;
            return Ok(ExitStatus::Done);
        }
        if self.change.no_wait {
            return Err(CtlError::usage(
                "bootstrap the account: with `--no-wait` nobody would hear what the CDK says",
            )
            .hint("leave it out"));
        }
        let assembly = match &self.assembly {
            Some(folder) => {
                let folder = ctx.cwd.join(folder);
                if !folder.join("manifest.json").is_file() {
                    return Err(CtlError::config(format!(
                        "read the cloud assembly `{}`: there is no `manifest.json` in it",
                        folder.display()
                    )));
                }
                Some(folder)
            }
            None => app.as_ref().map(|folder| folder.join("cdk.out")),
        };
        let wanted = Bootstrap::of(app.as_deref(), assembly.as_deref())?;
        let change = Bootstrapped {
            ctx,
            wanted,
            upgrade: self.upgrade,
            assembly: self.assembly,
        };
        carry_out(ctx, &change, &self.change).await
    }
}

struct Bootstrapped<'a> {
    ctx: &'a Ctx,
    wanted: Bootstrap,
    upgrade: bool,
    assembly: Option<PathBuf>,
}

/// The only step.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Action {
    call: RunBootstrap,
    /// The stack's status when the plan was made; none when there was no stack.
    status: Option<String>,
}

impl Bootstrapped<'_> {
    /// npx signs in by itself.
    fn npx(&self, target: &Target) -> Result<Npx> {
        if let Some(role) = &self.ctx.settings.role_arn {
            return Err(CtlError::config(format!(
                "bootstrap the account: bpctl takes the role {}, and the CDK signs in by itself",
                role.value
            ))
            .hint("choose a profile that takes the role, with `--profile`"));
        }
        Npx::find(self.ctx, target.into())
    }

    /// What CloudFormation does when the CDK no longer looks on.
    async fn with_what_goes_on(&self, error: CtlError) -> CtlError {
        let name = &self.wanted.stack;
        let see = CommandLine::aws("cloudformation", "describe-stack-events").option("--stack-name", name);
        match self.ctx.aws.stack(name).await {
            Ok(Some(stack)) if stack.status.ends_with("_IN_PROGRESS") => error
                .cause(format!(
                    "{name} is {}: CloudFormation goes on with it",
                    stack.status
                ))
                .hint(("see how far it is with", see)),
            Ok(Some(stack)) => error.cause(format!("{name} is {}", stack.status)),
            Ok(None) => error.cause(format!("there is no stack {name}")),
            Err(looked) => error.cause(format!("it is not known how {name} is: {looked}")),
        }
    }
}

impl Change for Bootstrapped<'_> {
    const NAME: &'static str = "stack bootstrap";
    type Seen = Seen;
    type Action = Action;
    type Output = ();
    type Ending = Prepared;
    type Document = BootstrapResult;

    fn words(&self) -> Words {
        Words {
            goal: "bootstrap the account".to_owned(),
            thing: "bootstrap",
            settle: "see the account prepared".to_owned(),
            following: String::new(),
        }
    }

    fn tell(&self, record: &Record) -> (String, Option<Hint>) {
        let sentence = format!(
            "the bootstrap of {} was not followed to its end on this machine",
            record.started
        );
        (sentence, None)
    }

    async fn observe(&self, target: &Target, _recent: &[Record]) -> Result<Seen> {
        let npx = self.npx(target).err();
        observe::observe(self.ctx, &self.wanted, target, npx).await
    }

    fn plan(&self, seen: &Seen, basis: &Basis<'_>) -> Result<Plan<Action>> {
        plan::plan(&self.wanted, self.upgrade, seen, basis.target)
    }

    fn covers(&self, _seen: &Seen, _plan: &Plan<Action>) -> Vec<String> {
        vec![self.wanted.stack.clone()]
    }

    async fn act(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        let ctx = self.ctx;
        let action = step.action();
        let name = &self.wanted.stack;
        let now = ctx.aws.stack(name).await?.map(|stack| stack.status);
        if now != action.status {
            let is = |status: &Option<String>| status.clone().unwrap_or_else(|| "not there".to_owned());
            return Err(CtlError::changed(format!(
                "bootstrap the account: {name} is {} by now, and was {} when the plan was made",
                is(&now),
                is(&action.status)
            )));
        }
        let target = ctx.target().await?;
        let (sender, mut lines) = mpsc::unbounded_channel();
        let via = Bootstrapping {
            npx: self.npx(&target)?,
            lines: sender,
        };
        ctx.ui.group(&action.call.line());
        let sent = async {
            let sent = step.send(&via, &action.call).await;
            // The lines end with it.
            drop(via);
            sent
        };
        let shown = async {
            while let Some(line) = lines.recv().await {
                ctx.ui.log("cdk", &crate::redact::redact(&line));
            }
        };
        let (sent, ()) = futures::join!(sent, shown);
        ctx.ui.end_group();
        match sent {
            Ok(()) => Ok(Done::new("the CDK has ended well")),
            Err(error) => Err(self.with_what_goes_on(error).await),
        }
    }

    async fn verify(&self, seen: &Seen, run: &mut Verification<'_, Self>) -> Result<()> {
        let name = self.wanted.stack.clone();
        let is_done = !run.done().is_empty();
        if !is_done {
            run.ending(name, seen.prepared.clone());
            return Ok(());
        }
        let target = self.ctx.target().await?;
        let now = observe::observe(self.ctx, &self.wanted, &target, None).await?;
        let missing = now.missing(&self.wanted);
        let end = match missing.as_slice() {
            [] => End::Settled,
            missing => End::Failed(CtlError::new(
                ErrorKind::Failed,
                format!(
                    "bootstrap the account: the CDK has ended well, and {}",
                    missing.join(", ")
                ),
            )),
        };
        run.end(name.clone(), end);
        run.ending(name, now.prepared);
        Ok(())
    }

    fn document(&self, _seen: &Seen, outcome: &Outcome<Self>) -> Option<BootstrapResult> {
        let prepared = outcome.endings.get(&self.wanted.stack)?.clone();
        Some(BootstrapResult::of(outcome.run.clone(), &self.wanted, prepared))
    }

    fn resume(&self, _left: &[&str]) -> CommandLine {
        let mut command = CommandLine::bpctl(["stack", "bootstrap"]);
        if let Some(folder) = &self.assembly {
            command = command.option("--assembly", folder.display().to_string());
        }
        if self.upgrade {
            command = command.args(["--upgrade"]);
        }
        command
    }
}
