//! `bpctl migrate`: database migrations in a one-off task, followed to their end.

mod apply;
mod attach;
mod command;
mod follow;
mod observe;
mod plan;
mod print;
mod request;
mod run;
mod view;

use std::time::Duration;

use clap::Args;

use crate::change::GateArgs;
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::layout::{PoolName, SecurityGroupId, SubnetId};
use request::{Request, TaskName, Wishes, name};

/// Migrate the databases in a one-off task and follow it to its end
///
/// Runs `php artisan tenancy:pools-migrate` in a new task of the backend's task definition: the
/// central database and all tenant pools, unless flags say less. Shows the task's states and
/// php-fpm's lines as they come and ends with php-fpm's exit code. Refuses to start while another
/// migration is under way.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl migrate                          central database and all tenant pools
  bpctl migrate --pools tenant_pool_1    one pool
  bpctl migrate --fresh --snapshot       drop all tables, after a snapshot
  bpctl migrate --detach                 start only; follow later with --attach
  bpctl migrate --print-aws              the same as an `aws ecs run-task` command")]
pub(crate) struct MigrateArgs {
    /// Migrate the central database
    #[arg(long)]
    central: bool,

    /// Migrate the tenant pools
    #[arg(long)]
    tenant: bool,

    /// Migrate only these tenant pools (implies --tenant)
    #[arg(long, value_name = "POOL,…", value_delimiter = ',', value_parser = name::<PoolName>, add = crate::completion::pools())]
    pools: Vec<PoolName>,

    /// Drop all tables first
    #[arg(long)]
    fresh: bool,

    /// Take a snapshot of the database first; without it nothing is migrated
    #[arg(long)]
    snapshot: bool,

    /// Follow the task this long [default: wait_timeout of the context, 30m]
    #[arg(long, value_name = "DURATION", value_parser = duration, conflicts_with = "detach")]
    timeout: Option<Duration>,

    /// Start the task and return
    #[arg(long)]
    detach: bool,

    /// Follow a migration that was started before: id or ARN of its task
    #[arg(
        long,
        value_name = "TASK",
        conflicts_with_all = [
            "central", "tenant", "pools", "fresh", "snapshot", "detach", "stop_on_interrupt",
            "subnets", "security_groups", "print_aws", "dry_run",
        ]
    )]
    attach: Option<TaskName>,

    /// On Ctrl-C stop the task instead of leaving it running
    #[arg(long, conflicts_with = "detach")]
    stop_on_interrupt: bool,

    /// Subnets of the task [env: PRIVATE_SUBNET_IDS, a JSON array] [default: the service's]
    #[arg(long, value_name = "ID,…", value_delimiter = ',', value_parser = name::<SubnetId>)]
    subnets: Vec<SubnetId>,

    /// Security groups of the task [env: BACKEND_SG_ID] [default: the service's]
    #[arg(long, value_name = "ID,…", value_delimiter = ',', value_parser = name::<SecurityGroupId>)]
    security_groups: Vec<SecurityGroupId>,

    /// Print the equivalent aws command lines and change nothing
    #[arg(long, conflicts_with_all = ["detach", "timeout", "stop_on_interrupt", "dry_run"])]
    print_aws: bool,

    #[command(flatten)]
    gate: GateArgs,
}

fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| "write e.g. `90s` or `30m`".to_owned())
}

impl Verb for MigrateArgs {
    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        run(ctx, &self).await
    }
}

async fn run(ctx: &Ctx, args: &MigrateArgs) -> Result<ExitStatus> {
    let layout = ctx.layout()?;
    let timeout = args.timeout.unwrap_or(ctx.settings.wait_timeout.value);
    if let Some(task) = &args.attach {
        return attach::run(ctx, &layout, task, timeout).await;
    }
    let wishes = Wishes {
        central: args.central,
        tenant: args.tenant,
        pools: &args.pools,
        fresh: args.fresh,
        snapshot: args.snapshot,
        subnets: &args.subnets,
        security_groups: &args.security_groups,
    };
    let request = Request::new(&wishes, &ctx.env)?;
    let manner = run::Manner {
        timeout,
        detach: args.detach,
        stop_on_interrupt: args.stop_on_interrupt,
        print_aws: args.print_aws,
    };
    run::run(ctx, &layout, &request, &manner, &args.gate).await
}
