//! `bpctl run` and `bpctl seed`: a command in a one-off task, followed to its end.

mod act;
mod attach;
mod follow;
mod observe;
mod plan;
mod request;
mod seed;
pub(super) mod view;

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::change::journal::Record;
use crate::change::{
    Basis, Change, ChangeArgs, Done, Outcome, Plan, StepRun, Target, Verification, Words, carry_out,
};
use crate::commands::one_off::{TaskArgs, attach};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, Hint, Result};
use crate::exit::ExitStatus;
use crate::iam::{CHANGE, ONE_OFF, Uses};
use crate::layout::Layout;
use crate::tasks::Start;
use attach::AnyTask;
use follow::{following, lines_are_the_result};
use request::Request;
pub(crate) use seed::SeedArgs;

/// Run a command in a one-off task and follow it to its end
///
/// The command runs in a new task of the service's task definition, with its image, variables and secrets. Its
/// lines come to stdout as they are written; bpctl ends with the command's exit code. The command that is typed is
/// the consent: there is no question, except in a protected context.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl run -- php artisan about
  bpctl run -- php artisan tinker --execute 'echo User::count();'
  bpctl run --container nextjs -- node --version
  bpctl run --detach -- php artisan videos:reindex      start only; follow later with --attach
  bpctl run --print-aws -- php artisan about            the same as a command of the aws tool")]
pub(crate) struct RunArgs {
    /// The command and its arguments, behind `--`
    #[arg(
        value_name = "COMMAND",
        last = true,
        required_unless_present = "attach",
        conflicts_with = "attach"
    )]
    command: Vec<String>,

    /// The container whose command is replaced and whose exit code counts
    #[arg(short, long, value_name = "NAME", default_value = "php-fpm")]
    container: String,

    #[command(flatten)]
    task: TaskArgs,

    #[command(flatten)]
    change: ChangeArgs,
}

impl Verb for RunArgs {
    fn uses() -> Uses {
        Uses::of(&[CHANGE, ONE_OFF])
    }

    fn needs(&self) -> Needs {
        Needs {
            raw_lines: true,
            ..Needs::AWS
        }
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        if let Some(task) = &self.task.attach {
            return attach(ctx, AnyTask, task, self.change.timeout).await;
        }
        let task = self.task.choices.read(&ctx.env)?;
        let request = Request::run(&self.container, self.command, task)?;
        // The operator who types the command wants it; a protected context asks all the same.
        let args = ChangeArgs {
            yes: true,
            ..self.change
        };
        let change = OneOff::<Run> {
            ctx,
            layout: ctx.layout()?,
            request,
            kind: std::marker::PhantomData,
        };
        carry_out(ctx, &change, &args).await
    }
}

/// Which verb it is.
trait Kind {
    const NAME: &'static str;
}

/// `run`.
struct Run;

impl Kind for Run {
    const NAME: &'static str = "run";
}

/// The change: one task.
struct OneOff<'a, K> {
    ctx: &'a Ctx,
    layout: Layout,
    request: Request,
    kind: std::marker::PhantomData<K>,
}

/// ARN of the task that a step has started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Started(String);

fn words(verb: &str) -> Words {
    Words {
        goal: verb.to_owned(),
        thing: "step",
        settle: "see the end of the task".to_owned(),
        following: "following the task".to_owned(),
    }
}

impl<K: Kind> Change for OneOff<'_, K> {
    const NAME: &'static str = K::NAME;
    type Seen = plan::Observed;
    type Action = Start;
    type Output = Started;
    type Ending = view::RunResult;
    type Document = view::RunResult;

    fn words(&self) -> Words {
        words(K::NAME)
    }

    fn tell(&self, record: &Record) -> (String, Option<Hint>) {
        following(K::NAME).cut_off("task", record)
    }

    async fn observe(&self, _target: &Target, recent: &[Record]) -> Result<plan::Observed> {
        observe::observe(self.ctx, &self.layout, &self.request, recent).await
    }

    fn plan(&self, seen: &plan::Observed, basis: &Basis<'_>) -> Result<Plan<Start>> {
        plan::plan(K::NAME, &self.request, seen, basis)
    }

    fn covers(&self, _seen: &plan::Observed, _plan: &Plan<Start>) -> Vec<String> {
        vec![plan::STEP.to_owned()]
    }

    async fn act(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        act::act(self, step).await
    }

    async fn verify(&self, _seen: &plan::Observed, run: &mut Verification<'_, Self>) -> Result<()> {
        act::verify(self, run).await
    }

    fn document(&self, _seen: &plan::Observed, outcome: &Outcome<Self>) -> Option<view::RunResult> {
        let ending = outcome.endings.get(plan::STEP).cloned();
        // The lines were the result.
        ending.filter(|ending| !(lines_are_the_result(self.ctx) && ending.is_over()))
    }

    fn resume(&self, _left: &[&str]) -> CommandLine {
        self.request.again()
    }
}
