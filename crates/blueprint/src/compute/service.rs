//! A service of the platform: its tasks, how it is deployed, how it scales.

use serde_json::{Value, json};

use crate::build::{Resource, Template, attribute, reference, sub};
use crate::exports::{self, Tier};
use crate::names::Names;
use crate::settings::{Settings, TaskSize};

/// What tells the two services apart. Logical ids begin with `construct`.
pub(super) struct Service<'a> {
    pub(super) construct: &'a str,
    /// `backend` or `frontend`: the service and the family of its tasks end with it.
    pub(super) what: &'a str,
    pub(super) size: TaskSize,
    pub(super) containers: Value,
    /// The container that the load balancer calls, and its port.
    pub(super) entry: (&'a str, u16),
    pub(super) security_group: &'a str,
    /// Capacity providers.
    pub(super) strategy: Value,
    /// How long a new task may fail the load balancer's check, in seconds.
    pub(super) grace: u32,
    /// The most tasks that automatic scaling starts.
    pub(super) most: u32,
}

impl Service<'_> {
    pub(super) fn add(&self, template: &mut Template, settings: &Settings) {
        let names = Names::of(settings);
        let construct = self.construct;
        let (task, service) = (format!("{construct}Task"), format!("{construct}Service"));
        template.add(
            &task,
            Resource::new(
                "AWS::ECS::TaskDefinition",
                json!({
                    "Family": names.core(self.what),
                    "Cpu": self.size.cpu.to_string(),
                    "Memory": self.size.memory.to_string(),
                    "NetworkMode": "awsvpc",
                    "RequiresCompatibilities": ["FARGATE"],
                    "RuntimePlatform": { "CpuArchitecture": "ARM64", "OperatingSystemFamily": "LINUX" },
                    "ExecutionRoleArn": attribute(&format!("{construct}ExecutionRole"), "Arn"),
                    "TaskRoleArn": attribute(&format!("{construct}TaskRole"), "Arn"),
                    "ContainerDefinitions": self.containers,
                }),
            ),
        );
        template.add(&service, self.resource(settings, &task));
        self.scaling(template, &service);
    }

    fn resource(&self, settings: &Settings, task: &str) -> Resource {
        let names = Names::of(settings);
        let (container, port) = self.entry;
        let mut properties = json!({
            "ServiceName": names.core(self.what),
            "Cluster": reference("Cluster"),
            "TaskDefinition": reference(task),
            "CapacityProviderStrategy": self.strategy,
            "DeploymentConfiguration": {
                "DeploymentCircuitBreaker": { "Enable": true, "Rollback": true },
                "MaximumPercent": 200,
                "MinimumHealthyPercent": 50,
            },
            "EnableExecuteCommand": true,
            "HealthCheckGracePeriodSeconds": self.grace,
            "LoadBalancers": [{
                "ContainerName": container,
                "ContainerPort": port,
                "TargetGroupArn": reference(&format!("{}Targets", self.construct)),
            }],
            "NetworkConfiguration": { "AwsvpcConfiguration": {
                "AssignPublicIp": "DISABLED",
                "SecurityGroups": [exports::security_group(names, self.security_group).import()],
                "Subnets": exports::import_all(&exports::subnets(names, Tier::Private)),
            } },
        });
        // A stated count is set again with every deployment of the stack: what automatic scaling has started is taken
        // away, and a platform that was shut down wakes up. Without one a service begins with 1 task.
        if settings.upstream_compatible {
            properties["DesiredCount"] = json!(1);
        }
        // A target group without a listener refuses tasks. Services go before the capacity providers that they use.
        let rule = format!("{}Rule", self.construct);
        Resource::new("AWS::ECS::Service", properties).after(&[&rule, "ClusterCapacityProviders"])
    }

    /// From one task on, by the CPU of all (70 %).
    fn scaling(&self, template: &mut Template, service: &str) {
        let target = format!("{}Scaling", self.construct);
        template.add(
            &target,
            Resource::new(
                "AWS::ApplicationAutoScaling::ScalableTarget",
                json!({
                    "ServiceNamespace": "ecs",
                    "ScalableDimension": "ecs:service:DesiredCount",
                    "ResourceId": sub(&format!("service/${{Cluster}}/${{{service}.Name}}")),
                    "MinCapacity": 1,
                    "MaxCapacity": self.most,
                }),
            ),
        );
        template.add(
            &format!("{target}Cpu"),
            Resource::new(
                "AWS::ApplicationAutoScaling::ScalingPolicy",
                json!({
                    "PolicyName": format!("{}-cpu", self.what),
                    "PolicyType": "TargetTrackingScaling",
                    "ScalingTargetId": reference(&target),
                    "TargetTrackingScalingPolicyConfiguration": {
                        "PredefinedMetricSpecification": {
                            "PredefinedMetricType": "ECSServiceAverageCPUUtilization",
                        },
                        "TargetValue": 70,
                    },
                }),
            ),
        );
    }
}

/// A capacity provider in a strategy: the first `base` tasks, then its share by weight.
pub(super) fn provider(name: &str, base: u32, weight: u32) -> Value {
    json!({ "CapacityProvider": name, "Base": base, "Weight": weight })
}
