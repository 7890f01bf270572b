//! `--print-aws`: the same calls as command lines of the aws tool.

use serde::Serialize;
use serde_json::json;

use super::plan::{Action, CONTAINER, Order};
use crate::change::{Plan, Target};
use crate::error::{CtlError, ErrorKind, Result};
use crate::output::{Render, View};
use crate::settings::Settings;

/// Command lines for a POSIX shell.
#[derive(Debug, Serialize)]
pub(super) struct Printed {
    commands: Vec<String>,
}

impl Printed {
    /// Every step of the plan, ready to be pasted.
    pub(super) fn new(plan: &Plan<Action>, tags: &[(String, String)], settings: &Settings) -> Result<Self> {
        let mut commands = Vec::new();
        for step in &plan.steps {
            match &step.action {
                Action::Snapshot { instance, id } => {
                    let common = common(&plan.target, settings);
                    let identifier = vec!["--db-snapshot-identifier".to_owned(), id.clone()];
                    let options = vec!["--db-instance-identifier".to_owned(), instance.clone()];
                    commands.push(line(
                        &["aws", "rds", "create-db-snapshot"],
                        &[options, identifier.clone(), common.clone()],
                    )?);
                    commands.push(line(
                        &["aws", "rds", "wait", "db-snapshot-available"],
                        &[identifier, common],
                    )?);
                }
                Action::Start(order) => {
                    commands.push(run_task(order, tags, common(&plan.target, settings))?);
                }
            }
        }
        Ok(Self { commands })
    }
}

/// What makes the aws tool talk to the same place.
fn common(target: &Target, settings: &Settings) -> Vec<String> {
    let mut options = vec!["--region".to_owned(), target.region.clone()];
    if let Some(profile) = &settings.profile {
        options.extend(["--profile".to_owned(), profile.value.clone()]);
    }
    if let Some(endpoint) = &settings.endpoint_url {
        options.extend(["--endpoint-url".to_owned(), endpoint.value.clone()]);
    }
    options
}

fn run_task(order: &Order, tags: &[(String, String)], common: Vec<String>) -> Result<String> {
    let option = |name: &str, value: &str| vec![name.to_owned(), value.to_owned()];
    let network = json!({"awsvpcConfiguration": {
        "subnets": order.subnets.ids,
        "securityGroups": order.security_groups.ids,
        "assignPublicIp": if order.public_ip { "ENABLED" } else { "DISABLED" },
    }});
    let overrides = json!({"containerOverrides": [{"name": CONTAINER, "command": order.command}]});
    let mut groups = vec![
        option("--cluster", &order.cluster),
        option("--task-definition", &order.definition),
        option("--launch-type", "FARGATE"),
    ];
    if let Some(version) = &order.platform_version {
        groups.push(option("--platform-version", version));
    }
    groups.push(option("--network-configuration", &network.to_string()));
    groups.push(option("--overrides", &overrides.to_string()));
    // No client token: a second paste is meant to be a second migration.
    groups.push(option("--started-by", &order.started_by));
    if order.execute_command {
        groups.push(vec!["--enable-execute-command".to_owned()]);
    }
    let mut tagged = vec!["--tags".to_owned()];
    tagged.extend(tags.iter().map(|(key, value)| format!("key={key},value={value}")));
    groups.push(tagged);
    groups.push(common);
    line(&["aws", "ecs", "run-task"], &groups)
}

/// One command over several lines, an option on each.
fn line(command: &[&str], groups: &[Vec<String>]) -> Result<String> {
    let mut text = command.join(" ");
    for group in groups {
        let words = shlex::try_join(group.iter().map(String::as_str)).map_err(|error| {
            CtlError::new(ErrorKind::Unexpected, "quote the command for a shell").source(&error)
        })?;
        text.push_str(" \\\n  ");
        text.push_str(&words);
    }
    Ok(text)
}

impl Render for Printed {
    fn schema(&self) -> &'static str {
        "bpctl.aws-commands/1"
    }

    fn human(&self, _view: &View) -> String {
        self.commands.join(" &&\n") + "\n"
    }

    fn names(&self) -> Vec<String> {
        self.commands.clone()
    }
}
