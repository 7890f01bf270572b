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
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, Hint, Result};
use crate::exit::ExitStatus;
use crate::iam::{CHANGE, On, Use, Uses};
use crate::layout::{InvalidName, Layout, SecurityGroupId, SubnetId};
use crate::tasks::TaskName;
use request::{Flags, Request};
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

/// Flags of every command in a one-off task.
#[derive(Debug, Args)]
struct TaskArgs {
    /// Follow a task that was started before: its id or ARN
    #[arg(
        long,
        value_name = "TASK",
        conflicts_with_all = ["no_wait", "stop_on_interrupt", "subnets", "security_groups", "print_aws", "dry_run"]
    )]
    attach: Option<TaskName>,

    /// On Ctrl-C stop the task instead of leaving it running
    #[arg(long, conflicts_with_all = ["no_wait", "print_aws"])]
    stop_on_interrupt: bool,

    /// Subnets of the task [env: PRIVATE_SUBNET_IDS, a JSON array] [default: the service's]
    #[arg(long, value_name = "ID,…", value_delimiter = ',', value_parser = id::<SubnetId>)]
    subnets: Vec<SubnetId>,

    /// Security groups of the task [env: BACKEND_SG_ID] [default: the service's]
    #[arg(long, value_name = "ID,…", value_delimiter = ',', value_parser = id::<SecurityGroupId>)]
    security_groups: Vec<SecurityGroupId>,
}

/// A list of ids; `clap` splits at the commas.
fn id<T: std::str::FromStr<Err = InvalidName>>(text: &str) -> Result<T, InvalidName> {
    text.parse()
}

impl Verb for RunArgs {
    fn uses() -> Uses {
        Uses::of(&[
            CHANGE,
            &[
                Use::of("ecs:DescribeServices", On::Services),
                Use::of("ecs:DescribeTaskDefinition", On::Anything),
                Use::of("ecs:DescribeTasks", On::Tasks),
                Use::of("ecs:RunTask", On::BackendDefinitions),
                Use::of("ecs:TagResource", On::TagsOfNewTasks),
                Use::of("iam:PassRole", On::TaskRoles),
                Use::of("logs:GetLogEvents", On::BackendLogs),
            ],
        ])
    }

    fn needs(&self) -> Needs {
        Needs {
            raw_lines: true,
            ..Needs::AWS
        }
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        if let Some(task) = &self.task.attach {
            let timeout = self.change.timeout.unwrap_or(ctx.settings.wait_timeout.value);
            return attach::run(ctx, &layout, task, timeout).await;
        }
        let flags = Flags {
            container: &self.container,
            words: &self.command,
            stop_on_interrupt: self.task.stop_on_interrupt,
            subnets: &self.task.subnets,
            security_groups: &self.task.security_groups,
        };
        let request = Request::run(&flags, &ctx.env)?;
        // The operator who types the command wants it; a protected context asks all the same.
        let args = ChangeArgs {
            yes: true,
            ..self.change
        };
        let change = OneOff::<Run> {
            ctx,
            layout,
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
    type Action = plan::Start;
    type Output = Started;
    type Ending = view::RunResult;
    type Document = view::RunResult;

    fn words(&self) -> Words {
        words(K::NAME)
    }

    fn tell(&self, record: &Record) -> (String, Option<Hint>) {
        let sentence = format!(
            "the task of {} was not followed to its end on this machine",
            record.started
        );
        let task = record.notes.get("task");
        let hint = task.map(|task| Hint::new("see how it ended with").command(attach::attach_command(task)));
        (sentence, hint)
    }

    async fn observe(&self, _target: &Target, recent: &[Record]) -> Result<plan::Observed> {
        observe::observe(self.ctx, &self.layout, &self.request, recent).await
    }

    fn plan(&self, seen: &plan::Observed, basis: &Basis<'_>) -> Result<Plan<plan::Start>> {
        plan::plan(K::NAME, &self.request, seen, basis)
    }

    fn covers(&self, _seen: &plan::Observed, _plan: &Plan<plan::Start>) -> Vec<String> {
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
        ending.filter(|ending| !(follow::lines_are_the_result(self.ctx) && ending.is_over()))
    }

    fn resume(&self, _left: &[&str]) -> CommandLine {
        self.request.again()
    }
}
