//! `bpctl seed`: seeders of the database in a one-off task.

use clap::Args;

use super::attach::AnyTask;
use super::request::Request;
use super::{Kind, OneOff};
use crate::change::{ChangeArgs, carry_out};
use crate::commands::one_off::{TaskArgs, attach, name};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::iam::{CHANGE, ONE_OFF, On, Use, Uses};
use crate::layout::SeederClass;

/// Seed the database in a one-off task and follow it to its end
///
/// Runs `php artisan db:seed --force` in a new task of the backend's task definition. Seeders write and replace rows:
/// in production that needs the account's number typed. Refuses to start while a migration is under way.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl seed                                   the application's DatabaseSeeder
  bpctl seed --class PlansSeeder               one seeder
  bpctl seed --class 'Database\\Seeders\\Demo'   by its whole name")]
pub(crate) struct SeedArgs {
    /// The seeder; letters, digits, `_` and `\`
    #[arg(long, value_name = "NAME", value_parser = name::<SeederClass>, conflicts_with = "attach")]
    class: Option<SeederClass>,

    #[command(flatten)]
    task: TaskArgs,

    #[command(flatten)]
    change: ChangeArgs,
}

/// `seed`.
struct Seed;

impl Kind for Seed {
    const NAME: &'static str = "seed";
}

impl Verb for SeedArgs {
    fn uses() -> Uses {
        Uses::of(&[
            CHANGE,
            ONE_OFF,
            &[Use::of("ecs:ListTasks", On::AnythingInCluster)],
        ])
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
        let change = OneOff::<Seed> {
            ctx,
            layout: ctx.layout()?,
            request: Request::seed(self.class.as_ref(), self.task.choices.read(&ctx.env)?),
            kind: std::marker::PhantomData,
        };
        carry_out(ctx, &change, &self.change).await
    }
}
