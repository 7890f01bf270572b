//! Flags of every command in a one-off task.

use std::collections::BTreeMap;
use std::str::FromStr;

use clap::Args;

use crate::error::Result;
use crate::layout::{InvalidName, SecurityGroupId, SubnetId};
use crate::tasks::{Choices, TaskName};

#[derive(Debug, Args)]
pub(in crate::commands) struct TaskArgs {
    /// Follow a task that was started before: its id or ARN
    #[arg(
        long,
        value_name = "TASK",
        conflicts_with_all = ["no_wait", "stop_on_interrupt", "subnets", "security_groups", "print_aws", "dry_run"]
    )]
    pub(in crate::commands) attach: Option<TaskName>,

    #[command(flatten)]
    pub(in crate::commands) choices: ChoiceArgs,
}

/// How the task is to be run.
#[derive(Debug, Args)]
pub(in crate::commands) struct ChoiceArgs {
    /// On Ctrl-C stop the task instead of leaving it running
    #[arg(long, conflicts_with_all = ["no_wait", "print_aws"])]
    stop_on_interrupt: bool,

    /// Subnets of the task [env: PRIVATE_SUBNET_IDS, a JSON array] [default: the service's]
    #[arg(long, value_name = "ID,…", value_delimiter = ',', value_parser = name::<SubnetId>)]
    subnets: Vec<SubnetId>,

    /// Security groups of the task [env: BACKEND_SG_ID] [default: the service's]
    #[arg(long, value_name = "ID,…", value_delimiter = ',', value_parser = name::<SecurityGroupId>)]
    security_groups: Vec<SecurityGroupId>,
}

impl ChoiceArgs {
    /// What they choose, with what the environment says where they say nothing.
    ///
    /// # Errors
    /// Environment variables that are no ids.
    pub(in crate::commands) fn read(&self, env: &BTreeMap<String, String>) -> Result<Choices> {
        Choices::new(self.stop_on_interrupt, &self.subnets, &self.security_groups, env)
    }
}

/// A list of names; `clap` splits at the commas.
pub(in crate::commands) fn name<T: FromStr<Err = InvalidName>>(text: &str) -> Result<T, InvalidName> {
    text.parse()
}
