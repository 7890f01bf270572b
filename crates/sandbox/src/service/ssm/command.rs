//! Run Command: `AWS-RunShellScript` on instances, over time.
//!
//! Statuses are those of the user guide, "Understanding command statuses". The output of a command is only in
//! GetCommandInvocation once it has ended (API reference: "If the command hasn't finished running, … then this string
//! is empty"), cut after 24,000 characters; before that it comes in CloudWatch Logs, where the request asked for that
//! (user guide, "Configuring Amazon CloudWatch Logs for Run Command").

use std::time::Duration;

use serde_json::{Value, json};

use super::paged;
use crate::application::bundles::{Line, Script, script_of};
use crate::error::{ApiError, OpResult};
use crate::scenario::Scenario;
use crate::service::autoscaling::{self, LifecycleState};
use crate::service::ec2;
use crate::service::logs;
use crate::service::member::{integer, list, present, text, texts};
use crate::time::SimTime;
use crate::world::World;

/// The only document that is simulated.
const DOCUMENT: &str = "AWS-RunShellScript";
/// Its plugin, as answers and log streams name it.
const PLUGIN: &str = "aws:runShellScript";
/// The log group of the output unless the request names another.
const LOG_GROUP: &str = "/aws/ssm/AWS-RunShellScript";
/// The agent asks for its commands every few seconds.
const DELIVERED: Duration = Duration::from_secs(2);
/// The agent sends output to CloudWatch Logs this often.
const FLUSHED: Duration = Duration::from_secs(5);
/// Characters of an output in GetCommandInvocation.
const LONGEST_OUTPUT: usize = 24_000;
/// `executionTimeout` of the document.
const EXECUTION_TIMEOUT: u64 = 3600;

/// A command sent to one instance.
#[derive(Debug)]
pub(crate) struct Command {
    id: String,
    instance: String,
    comment: String,
    requested: SimTime,
    parameters: Value,
    /// Seconds within which it must begin.
    timeout: i64,
    execution_timeout: Duration,
    log_group: Option<String>,
    script: Script,
    cancelled: Option<SimTime>,
    /// Lines that have been handed to CloudWatch Logs.
    logged: usize,
}

impl Command {
    fn begins(&self) -> SimTime {
        self.requested + DELIVERED
    }

    /// When it ends by itself.
    fn ends(&self) -> SimTime {
        self.begins() + self.script.duration.min(self.execution_timeout)
    }

    /// When it has ended, by whatever.
    fn ended(&self, now: SimTime) -> Option<SimTime> {
        let end = match self.cancelled {
            Some(at) => at.min(self.ends()),
            None => self.ends(),
        };
        (end <= now).then_some(end)
    }

    /// Status, its details, and the code of the script.
    fn status(&self, now: SimTime) -> (&'static str, &'static str, i32) {
        if now < self.begins() {
            return match self.cancelled {
                Some(_) => ("Cancelled", "Cancelled", -1),
                None => ("Pending", "Pending", -1),
            };
        }
        match (self.cancelled, self.ended(now)) {
            (Some(at), Some(_)) if at < self.ends() => ("Cancelled", "Cancelled", -1),
            (_, None) => ("InProgress", "InProgress", -1),
            (_, Some(_)) if self.script.duration > self.execution_timeout => {
                ("TimedOut", "ExecutionTimedOut", -1)
            }
            (_, Some(_)) if self.script.code == 0 => ("Success", "Success", 0),
            (_, Some(_)) => ("Failed", "Failed", self.script.code),
        }
    }

    fn lines(&self, errors: bool, until: SimTime) -> impl Iterator<Item = &Line> {
        let begins = self.begins();
        let lines = self.script.lines.iter();
        lines.filter(move |line| line.error == errors && begins + line.after <= until)
    }

    fn output(&self, errors: bool, now: SimTime) -> String {
        let Some(end) = self.ended(now) else {
            return String::new();
        };
        let lines = self.lines(errors, end).map(|line| format!("{}\n", line.text));
        let output: String = lines.collect();
        if output.chars().count() <= LONGEST_OUTPUT {
            return output;
        }
        let cut: String = output.chars().take(LONGEST_OUTPUT).collect();
        format!("{cut}\n---Output truncated---")
    }
}

fn invalid_instance(instance: &str, account: &str) -> ApiError {
    ApiError::client(
        "InvalidInstanceId",
        format!("Instances [[{instance}]] not in a valid state for account {account}"),
    )
}

/// Whether an agent answers on this instance: it runs, and has had a minute to register.
fn is_online(world: &World, instance: &str) -> bool {
    online(world).any(|(id, _)| id == instance)
}

fn online(world: &World) -> impl Iterator<Item = (String, SimTime)> {
    let now = world.now;
    let never_ready = world.has(Scenario::BuilderNeverReady);
    autoscaling::groups(world)
        .flat_map(|group| group.instances())
        .filter(|instance| instance.state == LifecycleState::InService)
        .map(|instance| (instance.id.clone(), instance.launched))
        .chain(ec2::running_machines(world).filter(move |_| !never_ready))
        .filter(move |(_, launched)| *launched + Duration::from_secs(60) <= now)
}

pub(super) fn send_command(world: &mut World, input: &Value) -> OpResult {
    let document = text(input, "DocumentName").unwrap_or_default();
    if document != DOCUMENT {
        return Err(ApiError::client(
            "InvalidDocument",
            format!("Document {document} does not exist."),
        ));
    }
    let [instance] = &texts(input, "InstanceIds")[..] else {
        return Err(super::validation(
            "the sandbox sends a command to one instance at a time",
        ));
    };
    if !is_online(world, instance) {
        return Err(invalid_instance(instance, &world.options.account_id));
    }
    let parameters = input.get("Parameters").cloned().unwrap_or_default();
    let commands: Vec<&str> = list(&parameters, "commands")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    if commands.is_empty() {
        return Err(ApiError::client(
            "InvalidParameters",
            "Parameter \"commands\" is required.",
        ));
    }
    let seconds = list(&parameters, "executionTimeout")
        .first()
        .and_then(Value::as_str);
    let seconds = match seconds.map(str::parse::<u64>) {
        None => EXECUTION_TIMEOUT,
        // The document's own pattern allows 48 hours.
        Some(Ok(seconds @ 1..=172_800)) => seconds,
        Some(_) => {
            return Err(ApiError::client(
                "InvalidParameters",
                "Parameter \"executionTimeout\" is not valid.",
            ));
        }
    };
    let script = script_of(world, &commands.join("\n"));
    let logs_to = input.get("CloudWatchOutputConfig");
    let log_group = logs_to
        .filter(|config| config["CloudWatchOutputEnabled"] == true)
        .map(|config| {
            text(config, "CloudWatchLogGroupName")
                .unwrap_or(LOG_GROUP)
                .to_owned()
        });
    let id = world.ids.uuid();
    let command = Command {
        id: id.clone(),
        instance: instance.clone(),
        comment: text(input, "Comment").unwrap_or_default().to_owned(),
        requested: world.now,
        parameters,
        timeout: integer(input, "TimeoutSeconds").unwrap_or(3600),
        execution_timeout: Duration::from_secs(seconds),
        log_group,
        script,
        cancelled: None,
        logged: 0,
    };
    let shown = shown_command(&command, world.now);
    world.services.ssm.commands.push(command);
    Ok(json!({ "Command": shown }))
}

fn shown_command(command: &Command, now: SimTime) -> Value {
    let (status, details, _) = command.status(now);
    let ended = command.ended(now).is_some();
    json!({
        "CommandId": command.id,
        "DocumentName": DOCUMENT,
        "DocumentVersion": "$DEFAULT",
        "Comment": command.comment,
        "ExpiresAfter": (command.requested + Duration::from_secs(command.timeout.unsigned_abs())).epoch_seconds(),
        "Parameters": command.parameters,
        "InstanceIds": [command.instance],
        "Targets": [],
        "RequestedDateTime": command.requested.epoch_seconds(),
        "Status": status,
        "StatusDetails": details,
        "OutputS3BucketName": "",
        "OutputS3KeyPrefix": "",
        "MaxConcurrency": "50",
        "MaxErrors": "0",
        "TargetCount": 1,
        "CompletedCount": i32::from(ended),
        "ErrorCount": i32::from(status == "Failed"),
        "DeliveryTimedOutCount": 0,
        "TimeoutSeconds": command.timeout,
        "CloudWatchOutputConfig": output_config(command),
    })
}

fn output_config(command: &Command) -> Value {
    json!({
        "CloudWatchLogGroupName": command.log_group.clone().unwrap_or_default(),
        "CloudWatchOutputEnabled": command.log_group.is_some(),
    })
}

pub(super) fn get_command_invocation(world: &World, input: &Value) -> OpResult {
    let id = text(input, "CommandId").unwrap_or_default();
    let instance = text(input, "InstanceId").unwrap_or_default();
    let now = world.now;
    let found = world.services.ssm.commands.iter();
    let mut found = found.filter(|command| command.id == id && command.instance == instance);
    // It takes a moment until the invocation of a command is there.
    let Some(command) = found.find(|command| command.requested < now) else {
        return Err(ApiError::client("InvocationDoesNotExist", ""));
    };
    let (status, details, code) = command.status(now);
    let begun = (command.begins() <= now && command.cancelled.is_none_or(|at| at > command.begins()))
        .then(|| command.begins());
    let iso = |at: Option<SimTime>| at.map_or_else(String::new, SimTime::iso8601);
    let ended = command.ended(now).filter(|_| begun.is_some());
    Ok(present(json!({
        "CommandId": command.id,
        "InstanceId": command.instance,
        "Comment": command.comment,
        "DocumentName": DOCUMENT,
        "DocumentVersion": "$DEFAULT",
        "PluginName": PLUGIN,
        "ResponseCode": code,
        "ExecutionStartDateTime": iso(begun),
        "ExecutionElapsedTime": begun.map_or_else(String::new, |begun| {
            format!("PT{}S", ended.unwrap_or(now).since(begun).as_secs())
        }),
        "ExecutionEndDateTime": iso(ended),
        "Status": status,
        "StatusDetails": details,
        "StandardOutputContent": command.output(false, now),
        "StandardOutputUrl": "",
        "StandardErrorContent": command.output(true, now),
        "StandardErrorUrl": "",
        "CloudWatchOutputConfig": output_config(command),
    })))
}

pub(super) fn list_command_invocations(world: &World, input: &Value) -> OpResult {
    let now = world.now;
    let wanted = |filter: &Value, command: &Command| {
        let value = text(filter, "value").unwrap_or_default();
        match text(filter, "key") {
            Some("Status") => match value {
                "Cancelling" | "Pending" | "InProgress" | "Success" | "Failed" | "TimedOut" | "Cancelled" => {
                    command.status(now).0 == value
                }
                _ => false,
            },
            Some("DocumentName") => value == DOCUMENT,
            _ => true,
        }
    };
    let mut commands: Vec<&Command> = world
        .services
        .ssm
        .commands
        .iter()
        .filter(|command| command.requested < now)
        .filter(|command| text(input, "CommandId").is_none_or(|id| command.id == id))
        .filter(|command| text(input, "InstanceId").is_none_or(|id| command.instance == id))
        .filter(|command| {
            list(input, "Filters")
                .iter()
                .all(|filter| wanted(filter, command))
        })
        .collect();
    commands.sort_by_key(|command| std::cmp::Reverse(command.requested));
    let shown = commands
        .iter()
        .map(|command| {
            let (status, details, _) = command.status(now);
            json!({
                "CommandId": command.id,
                "InstanceId": command.instance,
                "InstanceName": "",
                "Comment": command.comment,
                "DocumentName": DOCUMENT,
                "DocumentVersion": "$DEFAULT",
                "RequestedDateTime": command.requested.epoch_seconds(),
                "Status": status,
                "StatusDetails": details,
                "StandardOutputUrl": "",
                "StandardErrorUrl": "",
                "CommandPlugins": [],
                "ServiceRole": "",
                "CloudWatchOutputConfig": output_config(command),
            })
        })
        .collect();
    paged("CommandInvocations", shown, input, 50, 50)
}

pub(super) fn cancel_command(world: &mut World, input: &Value) -> OpResult {
    let id = text(input, "CommandId").unwrap_or_default();
    let now = world.now;
    let found = world
        .services
        .ssm
        .commands
        .iter_mut()
        .find(|command| command.id == id);
    let Some(command) = found else {
        return Err(ApiError::client("InvalidCommandId", ""));
    };
    if command.ended(now).is_none() && command.cancelled.is_none() {
        command.cancelled = Some(now + DELIVERED);
    }
    Ok(json!({}))
}

pub(super) fn describe_instance_information(world: &World, input: &Value) -> OpResult {
    let wanted: Vec<String> = list(input, "Filters")
        .iter()
        .filter(|filter| text(filter, "Key") == Some("InstanceIds"))
        .flat_map(|filter| texts(filter, "Values"))
        .collect();
    let shown = online(world)
        .filter(|(id, _)| wanted.is_empty() || wanted.contains(id))
        .map(|(id, launched)| {
            json!({
                "InstanceId": id,
                "PingStatus": "Online",
                "LastPingDateTime": world.now.floor_minute().epoch_seconds(),
                "AgentVersion": "3.3.3050.0",
                "IsLatestVersion": true,
                "PlatformType": "Linux",
                "PlatformName": "Ubuntu",
                "PlatformVersion": "22.04",
                "ResourceType": "EC2Instance",
                "IPAddress": "",
                "ComputerName": format!("{id}.ec2.internal"),
                "RegistrationDate": (launched + Duration::from_secs(60)).epoch_seconds(),
            })
        })
        .collect();
    paged("InstanceInformationList", shown, input, 50, 50)
}

/// Hands the output that is due to CloudWatch Logs.
pub(crate) fn tick(world: &mut World) {
    let now = world.now;
    if world
        .services
        .ssm
        .commands
        .iter()
        .all(|command| command.logged == command.script.lines.len())
    {
        return;
    }
    let mut due: Vec<(String, String, SimTime, String)> = Vec::new();
    for command in &mut world.services.ssm.commands {
        let Some(group) = command.log_group.clone() else {
            command.logged = command.script.lines.len();
            continue;
        };
        let (begins, ended) = (command.begins(), command.ended(now));
        while let Some(line) = command.script.lines.get(command.logged) {
            let at = begins + line.after;
            if at > now || ended.is_some_and(|end| at > end) {
                break;
            }
            let stream = format!(
                "{}/{}/aws-runShellScript/{}",
                command.id,
                command.instance,
                if line.error { "stderr" } else { "stdout" }
            );
            due.push((group.clone(), stream, at, line.text.clone()));
            command.logged += 1;
        }
        if ended.is_some() {
            command.logged = command.script.lines.len();
        }
    }
    for (group, stream, at, line) in due {
        logs::create_group(world, &group, 0);
        logs::ingest(world, &group, &stream, at, at + FLUSHED, &line);
    }
}
