//! An operator who works with a world through its API only, for the tests.

use std::time::Duration;

use serde_json::{Value, json};

use crate::error::ApiError;
use crate::options::{Layout, Options};
use crate::scenario::Scenario;
use crate::service::Service;
use crate::time::SimTime;
use crate::world::World;

/// An operator and the world before them.
pub(crate) struct Operator {
    pub(crate) world: World,
}

impl Operator {
    /// Arrives in a single layout under these scenarios.
    pub(crate) fn under(scenarios: &[Scenario]) -> Self {
        Self::with(Layout::Single, scenarios)
    }

    pub(crate) fn with(layout: Layout, scenarios: &[Scenario]) -> Self {
        Self {
            world: World::new(Options {
                layout,
                scenarios: scenarios.iter().copied().collect(),
                ..Options::default()
            }),
        }
    }

    pub(crate) fn call(&mut self, service: Service, operation: &str, input: &Value) -> Value {
        match self.world.call(service, operation, input) {
            Ok(answer) => answer,
            Err(error) => panic!("{operation}: {error:?}"),
        }
    }

    pub(crate) fn refused(&mut self, service: Service, operation: &str, input: &Value) -> ApiError {
        match self.world.call(service, operation, input) {
            Ok(answer) => panic!("{operation} was accepted: {answer}"),
            Err(error) => error,
        }
    }

    pub(crate) fn ecs(&mut self, operation: &str, input: Value) -> Value {
        self.call(Service::Ecs, operation, &input)
    }

    pub(crate) fn wait(&mut self, seconds: u64) {
        let to = self.world.now + Duration::from_secs(seconds);
        self.world.advance(to);
    }

    /// Looks every second until `seen`, for at most `seconds`.
    pub(crate) fn wait_until(&mut self, seconds: u64, mut seen: impl FnMut(&mut Self) -> bool) -> bool {
        for _ in 0..seconds {
            if seen(self) {
                return true;
            }
            self.wait(1);
        }
        seen(self)
    }

    pub(crate) fn cluster(&self) -> String {
        self.world.services.ecs.cluster.clone()
    }

    pub(crate) fn service(&mut self, name: &str) -> Value {
        let cluster = self.cluster();
        self.ecs(
            "DescribeServices",
            json!({"cluster": cluster, "services": [name]}),
        )["services"][0]
            .clone()
    }

    /// The backend of a single layout.
    pub(crate) fn backend(&mut self) -> Value {
        self.service("bp-backend")
    }

    /// The messages of a service's events, the newest first.
    pub(crate) fn events(&mut self, name: &str) -> Vec<String> {
        let service = self.service(name);
        strings(&service["events"], "message")
    }

    /// RunTask's input for a one-off backend task with that php-fpm command.
    pub(crate) fn one_off(&mut self, command: &[&str]) -> Value {
        let cluster = self.cluster();
        let service = self.world.services.ecs.services[0].name.clone();
        let network = self.service(&service)["networkConfiguration"].clone();
        json!({
            "cluster": cluster,
            "taskDefinition": service,
            "launchType": "FARGATE",
            "networkConfiguration": network,
            "overrides": {"containerOverrides": [{"name": "php-fpm", "command": command}]},
        })
    }

    /// Runs a one-off task; answers its ARN.
    pub(crate) fn run(&mut self, command: &[&str]) -> String {
        let input = self.one_off(command);
        let answer = self.ecs("RunTask", input);
        text(&answer["tasks"][0]["taskArn"])
    }

    pub(crate) fn task(&mut self, arn: &str) -> Value {
        let cluster = self.cluster();
        self.ecs("DescribeTasks", json!({"cluster": cluster, "tasks": [arn]}))["tasks"][0].clone()
    }

    /// Waits for a task to stop, and for its last lines.
    pub(crate) fn finish(&mut self, arn: &str) -> Value {
        assert!(
            self.wait_until(7200, |operator| operator.task(arn)["lastStatus"] == "STOPPED"),
            "{arn} does not stop"
        );
        let task = self.task(arn);
        self.wait(30);
        task
    }

    /// The lines of a task's container that have arrived.
    pub(crate) fn lines(&mut self, arn: &str, stream: &str) -> Vec<String> {
        let group = self.world.services.ecs.definitions[0].containers[0]
            .log_group
            .clone();
        let id = arn.rsplit('/').next().unwrap_or_default();
        let input = json!({
            "logGroupName": group,
            "logStreamName": format!("{stream}/{id}"),
            "startFromHead": true,
        });
        self.world
            .call(Service::Logs, "GetLogEvents", &input)
            .map_or_else(|_| Vec::new(), |answer| strings(&answer["events"], "message"))
    }

    /// Every backend line that matches a filter pattern.
    pub(crate) fn grep(&mut self, pattern: &str) -> Vec<String> {
        let input = json!({"logGroupName": "/ecs/bp-backend", "filterPattern": pattern});
        strings(
            &self.call(Service::Logs, "FilterLogEvents", &input)["events"],
            "message",
        )
    }

    /// The states of the targets of a group.
    pub(crate) fn targets(&mut self, group: &str) -> Vec<Value> {
        let input = json!({"Names": [group]});
        let found = self.call(Service::Elb, "DescribeTargetGroups", &input);
        let input = json!({"TargetGroupArn": found["TargetGroups"][0]["TargetGroupArn"]});
        let health = self.call(Service::Elb, "DescribeTargetHealth", &input);
        health["TargetHealthDescriptions"]
            .as_array()
            .map(|targets| {
                targets
                    .iter()
                    .map(|target| target["TargetHealth"].clone())
                    .collect()
            })
            .unwrap_or_default()
    }

    /// Every stopped task of the cluster, described.
    pub(crate) fn stopped_tasks(&mut self) -> Vec<Value> {
        let cluster = self.cluster();
        let listed = self.ecs(
            "ListTasks",
            json!({"cluster": cluster, "desiredStatus": "STOPPED"}),
        );
        let arns: Vec<Value> = listed["taskArns"].as_array().cloned().unwrap_or_default();
        if arns.is_empty() {
            return Vec::new();
        }
        let described = self.ecs("DescribeTasks", json!({"cluster": cluster, "tasks": arns}));
        described["tasks"].as_array().cloned().unwrap_or_default()
    }

    /// The exit code of the container of that name.
    pub(crate) fn exit_code(task: &Value, container: &str) -> Option<i64> {
        task["containers"]
            .as_array()?
            .iter()
            .find(|found| found["name"] == container)?["exitCode"]
            .as_i64()
    }
}

/// A string that must be there.
pub(crate) fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("no string: {value}"))
        .to_owned()
}

/// One string member of every item of a list.
pub(crate) fn strings(list: &Value, member: &str) -> Vec<String> {
    list.as_array()
        .map(|items| items.iter().map(|item| text(&item[member])).collect())
        .unwrap_or_default()
}

/// An instant of an answer.
pub(crate) fn instant(value: &Value) -> Option<SimTime> {
    value.as_f64().map(SimTime::from_epoch_seconds)
}
