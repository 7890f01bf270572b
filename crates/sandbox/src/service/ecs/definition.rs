//! Task definitions: what a task consists of, and DescribeTaskDefinition.

use serde_json::{Value, json};

use crate::error::{ApiError, OpResult};
use crate::seed::names::Names;
use crate::seed::stacks;
use crate::service::member::{present, text};
use crate::time::SimTime;
use crate::world::World;

/// One revision of a task definition; all of ours are for Fargate on ARM64 with `awsvpc`.
#[derive(Clone, Debug)]
pub(crate) struct TaskDefinition {
    pub(crate) family: String,
    pub(crate) revision: u32,
    pub(crate) cpu: u32,
    pub(crate) memory: u32,
    pub(crate) registered: SimTime,
    pub(crate) containers: Vec<ContainerDefinition>,
    /// What RegisterTaskDefinition was given; absent for those that CloudFormation made.
    pub(crate) input: Option<Value>,
}

/// One container of a task definition.
#[derive(Clone, Debug, Default)]
pub(crate) struct ContainerDefinition {
    pub(crate) name: String,
    pub(crate) image: String,
    pub(crate) essential: bool,
    pub(crate) entry_point: Vec<String>,
    pub(crate) command: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
    /// Environment variable and `valueFrom`.
    pub(crate) secrets: Vec<(String, String)>,
    pub(crate) port: Option<u16>,
    pub(crate) log_group: String,
    pub(crate) stream_prefix: String,
    pub(crate) health_check: Option<HealthCheck>,
}

/// A container health check; durations in seconds.
#[derive(Clone, Debug)]
pub(crate) struct HealthCheck {
    pub(crate) command: Vec<String>,
    pub(crate) interval: u32,
    pub(crate) timeout: u32,
    pub(crate) retries: u32,
    pub(crate) start_period: u32,
}

impl TaskDefinition {
    pub(crate) fn arn(&self, world: &World) -> String {
        format!(
            "arn:aws:ecs:{}:{}:task-definition/{}:{}",
            world.options.region, world.options.account_id, self.family, self.revision
        )
    }
}

/// Adds a revision to its family; answers its place among the definitions.
pub(crate) fn register(world: &mut World, mut definition: TaskDefinition) -> usize {
    let state = &mut world.services.ecs;
    let newest = state
        .definitions
        .iter()
        .filter(|known| known.family == definition.family)
        .map(|known| known.revision)
        .max();
    definition.revision = newest.map_or(definition.revision, |newest| newest + 1);
    state.definitions.push(definition);
    state.definitions.len() - 1
}

/// The definition that `family`, `family:revision` or an ARN of either names; the newest when no
/// revision is given.
pub(crate) fn find(world: &World, named: &str) -> Option<usize> {
    let name = named
        .split_once(":task-definition/")
        .map_or(named, |(_, name)| name);
    let (family, revision) = match name.split_once(':') {
        Some((family, revision)) => (family, Some(revision.parse::<u32>().ok()?)),
        None => (name, None),
    };
    world
        .services
        .ecs
        .definitions
        .iter()
        .enumerate()
        .filter(|(_, known)| {
            known.family == family && revision.is_none_or(|revision| known.revision == revision)
        })
        .max_by_key(|(_, known)| known.revision)
        .map(|(index, _)| index)
}

pub(super) fn describe(world: &World, input: &Value) -> OpResult {
    let index = find(world, text(input, "taskDefinition").unwrap_or_default())
        .ok_or_else(|| ApiError::client("ClientException", "Unable to describe task definition."))?;
    let mut answer = described(world, index);
    // Tags come only when they are asked for (API reference, DescribeTaskDefinition, `include`).
    let wanted = crate::service::member::texts(input, "include").contains(&"TAGS".to_owned());
    let tags = match &world.services.ecs.definitions[index].input {
        Some(input) => input.get("tags").cloned().unwrap_or_else(|| json!([])),
        // CloudFormation gives a stack's tags to its resources.
        None => stacks::tags(world)
            .into_iter()
            .map(|(key, value)| json!({"key": key, "value": value}))
            .collect(),
    };
    answer["tags"] = if wanted { tags } else { json!([]) };
    Ok(present(answer))
}

/// A task definition as DescribeTaskDefinition and RegisterTaskDefinition answer it.
pub(super) fn described(world: &World, index: usize) -> Value {
    let definition = &world.services.ecs.definitions[index];
    let options = &world.options;
    let mut answer = json!({
        "taskDefinition": {
            "taskDefinitionArn": definition.arn(world),
            "containerDefinitions": definition
                .containers
                .iter()
                .map(|container| container.described(&options.region))
                .collect::<Vec<_>>(),
            "family": definition.family,
            "taskRoleArn": made_role(world, &definition.family, "TaskRole"),
            "executionRoleArn": made_role(world, &definition.family, "ExecutionRole"),
            "networkMode": "awsvpc",
            "revision": definition.revision,
            "volumes": [],
            "status": "ACTIVE",
            "requiresAttributes": [
                {"name": "com.amazonaws.ecs.capability.logging-driver.awslogs"},
                {"name": "ecs.capability.execution-role-awslogs"},
                {"name": "com.amazonaws.ecs.capability.ecr-auth"},
                {"name": "ecs.capability.task-eni"},
            ],
            "placementConstraints": [],
            "compatibilities": ["EC2", "FARGATE"],
            "runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
            "requiresCompatibilities": ["FARGATE"],
            "cpu": definition.cpu.to_string(),
            "memory": definition.memory.to_string(),
            "registeredAt": definition.registered.epoch_seconds(),
            "registeredBy": format!(
                "arn:aws:sts::{}:assumed-role/cdk-hnb659fds-cfn-exec-role/AWSCloudFormation",
                options.account_id
            ),
        },
    });
    if let Some(Value::Object(given)) = &definition.input {
        let own = &mut answer["taskDefinition"];
        // What was not given stays away, what was given stands as it was given, unknown to the sandbox or not.
        for absent in ["taskRoleArn", "executionRoleArn", "runtimePlatform"] {
            own[absent] = Value::Null;
        }
        own["registeredBy"] = json!(crate::service::sts::caller_arn(world));
        for (name, value) in given {
            match name.as_str() {
                "tags" => {}
                "containerDefinitions" => own[name] = with_defaults(value),
                _ => own[name] = value.clone(),
            }
        }
    }
    answer
}

/// The roles that the tasks of a definition are handed: what was registered, else those of the stack.
pub(crate) fn roles(world: &World, index: usize) -> Vec<String> {
    let definition = &world.services.ecs.definitions[index];
    match &definition.input {
        Some(input) => ["taskRoleArn", "executionRoleArn"]
            .into_iter()
            .filter_map(|member| text(input, member).map(str::to_owned))
            .collect(),
        None => ["TaskRole", "ExecutionRole"]
            .map(|kind| made_role(world, &definition.family, kind))
            .to_vec(),
    }
}

/// A role that CDK declares beside the task definition. CloudFormation names it after its stack and its logical id,
/// with twelve random characters at the end (AWS CloudFormation User Guide, "Name type").
fn made_role(world: &World, family: &str, kind: &str) -> String {
    let stack = Names::new(&world.options).core("compute");
    let task = if family.ends_with("frontend") {
        "FrontendTask"
    } else {
        "BackendTask"
    };
    // FNV-1a: always the same letters for the same role, and no draw from the account's random numbers.
    let hash = format!("{stack}{task}{kind}")
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    let letters = format!("{hash:016X}{:08X}", hash.rotate_left(17) as u32);
    format!(
        "arn:aws:iam::{}:role/{stack}-{task}{kind}{}-{}",
        world.options.account_id,
        &letters[..8],
        &letters[8..20]
    )
}

/// Containers as they were registered, with what ECS adds.
fn with_defaults(containers: &Value) -> Value {
    let mut containers = containers.clone();
    for container in containers.as_array_mut().into_iter().flatten() {
        let defaults = json!({
            "cpu": 0, "portMappings": [], "essential": true, "environment": [], "mountPoints": [],
            "volumesFrom": [], "systemControls": [],
        });
        for (name, value) in defaults.as_object().into_iter().flatten() {
            if container.get(name).is_none() {
                container[name] = value.clone();
            }
        }
    }
    containers
}

impl ContainerDefinition {
    fn described(&self, region: &str) -> Value {
        let pairs = |pairs: &[(String, String)], value: &str| -> Vec<Value> {
            pairs
                .iter()
                .map(|(name, text)| json!({"name": name, value: text}))
                .collect()
        };
        let filled = |list: &[String]| (!list.is_empty()).then(|| list.to_vec());
        let ports: Vec<Value> = self
            .port
            .iter()
            .map(|port| json!({"containerPort": port, "hostPort": port, "protocol": "tcp"}))
            .collect();
        json!({
            "name": self.name,
            "image": self.image,
            "cpu": 0,
            "portMappings": ports,
            "essential": self.essential,
            "entryPoint": filled(&self.entry_point),
            "command": filled(&self.command),
            "environment": pairs(&self.environment, "value"),
            "secrets": (!self.secrets.is_empty()).then(|| pairs(&self.secrets, "valueFrom")),
            "mountPoints": [],
            "volumesFrom": [],
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {
                    "awslogs-group": self.log_group,
                    "awslogs-region": region,
                    "awslogs-stream-prefix": self.stream_prefix,
                },
            },
            "healthCheck": self.health_check.as_ref().map(|check| json!({
                "command": check.command,
                "interval": check.interval,
                "timeout": check.timeout,
                "retries": check.retries,
                "startPeriod": check.start_period,
            })),
            "systemControls": [],
        })
    }
}
