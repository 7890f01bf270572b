//! `bpctl fleet dev`: single GPU instances of a fleet's image, for people to work on.

mod ending;
mod launch;
pub(crate) mod list;
mod request;
pub(crate) mod view;

use clap::Args;

use crate::aws::Aws;
use crate::aws::ec2::Machine;
use crate::commands::verb::{Continuation, Needs, Verb, verbs};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::iam::Uses;

/// Who has made an instance: bpctl and the workflow create-dev-gpu-instance, or the script that people run themselves.
const MANAGED_BY: &str = "ManagedBy";
const OURS: &str = "dev-gpu-action";
const MAKERS: [&str; 2] = [OURS, "dev-gpu-scripts"];
const STAGE: &str = "Stage";
const SLUG: &str = "FleetSlug";

/// The port of ComfyUI.
const PORT: u16 = 8188;

/// Launch, list, stop and terminate development instances of a fleet
///
/// A development instance runs ComfyUI on the fleet's image, outside the fleet: its worker is off, and one range of
/// addresses may reach its port 8188. It stops by itself after some hours.
#[derive(Debug, Args)]
pub(crate) struct DevArgs {
    #[command(subcommand)]
    command: DevCommand,
}

verbs! {
    enum DevCommand {
        Launch(launch::LaunchArgs),
        #[command(visible_alias = "ls")]
        List(list::ListArgs),
        Stop(ending::StopArgs),
        Terminate(ending::TerminateArgs),
    }
}

impl Verb for DevArgs {
    fn uses() -> Uses {
        Uses::Verbs(DevCommand::uses())
    }

    fn needs(&self) -> Needs {
        self.command.needs()
    }

    fn continues(&self) -> Option<Continuation> {
        self.command.continues()
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        self.command.run(ctx).await
    }
}

/// Every development instance that is not terminated, by whomever it was made.
async fn instances(aws: &Aws) -> Result<Vec<Machine>> {
    let found = aws.machines_tagged(MANAGED_BY, &MAKERS).await?;
    Ok(found
        .into_values()
        .filter(|machine| state(machine) != "terminated")
        .collect())
}

/// As EC2 says it.
fn state(machine: &Machine) -> &str {
    machine.state.as_deref().unwrap_or("unknown")
}

/// `<stage>/<slug>` of the fleet that an instance was launched for.
fn fleet(machine: &Machine) -> Option<String> {
    let tag = |name: &str| machine.tags.get(name);
    Some(format!("{}/{}", tag(STAGE)?, tag(SLUG)?))
}

/// Where ComfyUI answers; an instance that does not run has no address.
fn url(machine: &Machine) -> Option<String> {
    let address = machine.public_ip.as_ref()?;
    Some(format!("http://{address}:{PORT}"))
}
