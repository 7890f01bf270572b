//! What campaigns compare of an account: what a verb may have changed, by name.

use std::collections::BTreeMap;
use std::time::Duration;

use bpctl_sandbox::{Sandbox, Service};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::campaign_places::{AMI, FLEET};

/// What is compared: each thing by its name. A thing is as it was before, or as an undisturbed run leaves it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct World {
    pub(crate) things: BTreeMap<String, Value>,
    /// For each thing that was started: texts, one of which has to be told to whom it was started for.
    pub(crate) started: Vec<Vec<String>>,
}

pub(crate) fn call(sandbox: &Sandbox, service: Service, operation: &str, input: &Value) -> Value {
    sandbox
        .with_world(|world| world.call(service, operation, input))
        .unwrap_or_else(|error| panic!("{operation}: {error:?}"))
}

pub(crate) fn array(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

/// The sizes of all groups.
pub(crate) fn sizes(sandbox: &Sandbox) -> World {
    let groups = call(
        sandbox,
        Service::AutoScaling,
        "DescribeAutoScalingGroups",
        &json!({"MaxRecords": 100}),
    );
    let things = array(&groups["AutoScalingGroups"]).into_iter().map(|group| {
        let name = group["AutoScalingGroupName"].as_str().expect("a name").to_owned();
        (
            name,
            json!([group["MinSize"], group["MaxSize"], group["DesiredCapacity"]]),
        )
    });
    World {
        things: things.collect(),
        started: Vec::new(),
    }
}

/// Every stack by its state and template, once what is under way has ended.
pub(crate) fn stacks(sandbox: &Sandbox) -> World {
    let described = || call(sandbox, Service::CloudFormation, "DescribeStacks", &json!({}));
    let is_under_way = |stack: &Value| {
        let status = stack["StackStatus"].as_str().expect("a status");
        status.ends_with("_IN_PROGRESS") && status != "REVIEW_IN_PROGRESS"
    };
    if array(&described()["Stacks"]).iter().any(is_under_way) {
        sandbox.advance(Duration::from_secs(1800));
    }
    let described = described();
    let mut world = World::default();
    for stack in array(&described["Stacks"]) {
        // It has no resource yet, and any new change set takes its place.
        if stack["StackStatus"] == "REVIEW_IN_PROGRESS" {
            continue;
        }
        let name = stack["StackName"].as_str().expect("a name").to_owned();
        let input = json!({"StackName": name});
        let template = call(sandbox, Service::CloudFormation, "GetTemplate", &input);
        let template = template["TemplateBody"].as_str().unwrap_or_default();
        let template: Value = serde_json::from_str(template).unwrap_or_default();
        let resources = &template["Resources"];
        world
            .things
            .insert(name, json!([stack["StackStatus"], resources]));
    }
    world
}

/// Development instances by the state that they come to, and the rules of their security groups that have any.
pub(crate) fn dev_instances(sandbox: &Sandbox) -> World {
    let filter = json!({"Filters": [{"Name": "tag:ManagedBy", "Values": ["dev-gpu-action"]}]});
    let found = call(sandbox, Service::Ec2, "DescribeInstances", &filter);
    let mut states: Vec<&str> = Vec::new();
    let reservations = array(&found["Reservations"]);
    let instances = reservations
        .iter()
        .flat_map(|reservation| array(&reservation["Instances"]));
    for instance in instances {
        states.push(match instance["State"]["Name"].as_str().unwrap_or_default() {
            "pending" | "running" => "running",
            "stopping" | "stopped" => "stopped",
            _ => "terminated",
        });
    }
    states.sort_unstable();
    let groups = call(sandbox, Service::Ec2, "DescribeSecurityGroups", &filter);
    let groups = array(&groups["SecurityGroups"]).into_iter();
    let rules: Vec<Value> = groups.map(|group| group["IpPermissions"].clone()).collect();
    let count = rules.len();
    let rules: Vec<Value> = rules
        .into_iter()
        .filter(|rules| !array(rules).is_empty())
        .collect();
    let things = [
        ("instances", json!(states)),
        ("groups", json!(count)),
        ("rules", json!(rules)),
    ];
    World {
        things: things.map(|(name, value)| (name.to_owned(), value)).into(),
        started: Vec::new(),
    }
}

/// The same without the rules, which go with their group.
pub(crate) fn ended_instances(sandbox: &Sandbox) -> World {
    let mut world = dev_instances(sandbox);
    world.things.remove("rules");
    world
}

/// How many instances of each fleet without work scale-in leaves alone: workers with a job set their own.
pub(crate) fn protections(sandbox: &Sandbox) -> World {
    let all = json!({"MaxRecords": 100});
    let groups = call(sandbox, Service::AutoScaling, "DescribeAutoScalingGroups", &all);
    let groups = array(&groups["AutoScalingGroups"]).into_iter();
    let things = groups.filter_map(|group| {
        let name = group["AutoScalingGroupName"].as_str()?.to_owned();
        let instances = array(&group["Instances"]).into_iter();
        let protected = instances
            .filter(|one| one["ProtectedFromScaleIn"] == true)
            .count();
        name.starts_with("asg-production-fleet-")
            .then(|| (name, json!(protected)))
    });
    World {
        things: things.collect(),
        started: Vec::new(),
    }
}

/// What a shutdown takes down: desired counts and bounds of the services, sizes of all groups, the database, and whether
/// its record is of a shutdown that was resumed.
pub(crate) fn asleep(sandbox: &Sandbox) -> World {
    let mut world = sizes(sandbox);
    let input = json!({"cluster": "bp", "services": ["bp-backend", "bp-frontend"]});
    // None where the cluster is gone.
    let described = sandbox.with_world(|world| world.call(Service::Ecs, "DescribeServices", &input));
    for service in array(&described.unwrap_or_default()["services"]) {
        let name = service["serviceName"].as_str().expect("a name").to_owned();
        world.things.insert(name, service["desiredCount"].clone());
    }
    let input = json!({"ServiceNamespace": "ecs"});
    let targets = call(
        sandbox,
        Service::ApplicationAutoScaling,
        "DescribeScalableTargets",
        &input,
    );
    for target in array(&targets["ScalableTargets"]) {
        let name = target["ResourceId"].as_str().expect("an id").to_owned();
        let bounds = json!([target["MinCapacity"], target["MaxCapacity"]]);
        world.things.insert(name, bounds);
    }
    let found = call(
        sandbox,
        Service::Ssm,
        "GetParameters",
        &json!({"Names": ["/bp/shutdown"]}),
    );
    for parameter in array(&found["Parameters"]) {
        let text = parameter["Value"].as_str().expect("a value");
        let record: Value = serde_json::from_str(text).expect("a record");
        let facts = json!([
            record["services"],
            record["fleets"],
            record["database"],
            record["resumed"].is_null()
        ]);
        world.things.insert("record".to_owned(), facts);
    }
    for database in array(&call(sandbox, Service::Rds, "DescribeDBInstances", &json!({}))["DBInstances"]) {
        let status = database["DBInstanceStatus"].as_str().unwrap_or_default();
        // What is on its way counts as there.
        let is_down = ["stopping", "stopped"].contains(&status);
        world.things.insert("database is down".to_owned(), is_down.into());
    }
    world
}

/// Suspended processes of all groups, and what the records of holds say of them.
pub(crate) fn holds(sandbox: &Sandbox) -> World {
    let groups = call(
        sandbox,
        Service::AutoScaling,
        "DescribeAutoScalingGroups",
        &json!({"MaxRecords": 100}),
    );
    let suspended = array(&groups["AutoScalingGroups"]).into_iter().map(|group| {
        let name = group["AutoScalingGroupName"].as_str().expect("a name").to_owned();
        let processes = array(&group["SuspendedProcesses"]);
        let names: Vec<Value> = processes
            .iter()
            .map(|process| process["ProcessName"].clone())
            .collect();
        (name, names.into())
    });
    let mut things: BTreeMap<String, Value> = suspended.collect();
    let input = json!({"Path": "/bp/fleets", "Recursive": true});
    let found = call(sandbox, Service::Ssm, "GetParametersByPath", &input);
    for parameter in array(&found["Parameters"]) {
        let name = parameter["Name"].as_str().expect("a name");
        if name.ends_with("/hold") {
            let record: Value =
                serde_json::from_str(parameter["Value"].as_str().expect("a value")).expect("a record");
            let facts = json!([
                record["processes"],
                record["reason"],
                record["released"].is_null()
            ]);
            things.insert(name.to_owned(), facts);
        }
    }
    World {
        things,
        started: Vec::new(),
    }
}

/// Holds, and the sizes of all groups.
pub(crate) fn holds_and_sizes(sandbox: &Sandbox) -> World {
    let mut world = holds(sandbox);
    for (name, size) in sizes(sandbox).things {
        world.things.insert(format!("size of {name}"), size);
    }
    world
}

/// The pointers of all fleets to their bundles.
pub(crate) fn pointers(sandbox: &Sandbox) -> World {
    let input = json!({"Path": "/bp/fleets", "Recursive": true});
    let found = call(sandbox, Service::Ssm, "GetParametersByPath", &input);
    let pointers = array(&found["Parameters"]).into_iter().filter_map(|parameter| {
        let name = parameter["Name"]
            .as_str()
            .filter(|name| name.ends_with("/active_bundle"))?;
        Some((name.to_owned(), parameter["Value"].clone()))
    });
    World {
        things: pointers.collect(),
        started: Vec::new(),
    }
}

/// What the stacks of the fleets are to be made from.
pub(crate) fn configurations(sandbox: &Sandbox) -> World {
    let input = json!({"Path": "/bp/fleets", "Recursive": true});
    let found = call(sandbox, Service::Ssm, "GetParametersByPath", &input);
    let found = array(&found["Parameters"]).into_iter().filter_map(|parameter| {
        let name = parameter["Name"]
            .as_str()
            .filter(|name| name.ends_with("/desired_config"))?;
        Some((name.to_owned(), parameter["Value"].clone()))
    });
    World {
        things: found.collect(),
        started: Vec::new(),
    }
}

/// What the image pointers of the fleets name.
pub(crate) fn image_pointers(sandbox: &Sandbox) -> World {
    let input = json!({"Path": "/bp/ami", "Recursive": true});
    let found = call(sandbox, Service::Ssm, "GetParametersByPath", &input);
    let pointers = array(&found["Parameters"]).into_iter().filter_map(|parameter| {
        let name = parameter["Name"].as_str()?.to_owned();
        Some((name, json!([parameter["Value"], parameter["DataType"]])))
    });
    World {
        things: pointers.collect(),
        started: Vec::new(),
    }
}

/// Digests of both repositories, with and without tags.
pub(crate) fn images(sandbox: &Sandbox) -> World {
    let mut world = World::default();
    for name in ["bp-backend", "bp-frontend"] {
        for status in ["TAGGED", "UNTAGGED"] {
            let input = json!({"repositoryName": name, "filter": {"tagStatus": status}, "maxResults": 1000});
            // None where the repository is gone.
            let listed = sandbox.with_world(|world| world.call(Service::Ecr, "DescribeImages", &input));
            let mut images: Vec<Value> = array(&listed.unwrap_or_default()["imageDetails"])
                .into_iter()
                .map(|image| json!([image["imageDigest"], image["imageTags"]]))
                .collect();
            images.sort_by_key(Value::to_string);
            world.things.insert(format!("{name} {status}"), images.into());
        }
    }
    world
}

/// How many finished images were baked.
pub(crate) fn baked(sandbox: &Sandbox) -> World {
    let input = json!({"Filters": [
        {"Name": "tag:bpctl:command", "Values": ["ami bake"]},
        {"Name": "state", "Values": ["available"]},
    ]});
    let images = call(sandbox, Service::Ec2, "DescribeImages", &input);
    World {
        things: [("baked images".to_owned(), array(&images["Images"]).len().into())].into(),
        started: Vec::new(),
    }
}

/// Of which machine images that pointers ever named something is there: the image or its snapshot.
pub(crate) fn machine_images(sandbox: &Sandbox) -> World {
    let input = json!({"ParameterFilters": [{"Key": "Path", "Option": "Recursive", "Values": ["/bp/ami"]}]});
    let found = call(sandbox, Service::Ssm, "DescribeParameters", &input);
    let images = call(sandbox, Service::Ec2, "DescribeImages", &json!({}));
    let images = array(&images["Images"]);
    let snapshots = call(sandbox, Service::Ec2, "DescribeSnapshots", &json!({}));
    let snapshots = array(&snapshots["Snapshots"]);
    let mut world = World::default();
    for parameter in array(&found["Parameters"]) {
        let input = json!({"Name": parameter["Name"]});
        let history = call(sandbox, Service::Ssm, "GetParameterHistory", &input);
        for version in array(&history["Parameters"]) {
            let id = version["Value"].as_str().expect("a value");
            let there = images.iter().any(|image| image["ImageId"] == *id);
            let of_it = |snapshot: &&Value| {
                let description = snapshot["Description"].as_str().unwrap_or_default();
                description.ends_with(&format!("for {id}"))
            };
            let snapshot = snapshots.iter().any(|snapshot| of_it(&snapshot));
            world.things.insert(id.to_owned(), (there || snapshot).into());
        }
    }
    world
}

/// The refreshes of the production fleet, the newest first.
fn refreshes_of_fleet(sandbox: &Sandbox) -> Vec<Value> {
    let input = json!({"AutoScalingGroupName": FLEET});
    let found = call(sandbox, Service::AutoScaling, "DescribeInstanceRefreshes", &input);
    array(&found["InstanceRefreshes"])
}

/// How many refreshes of the production fleet there were, and whether all of its instances run the pointer's image.
pub(crate) fn refreshed(sandbox: &Sandbox) -> World {
    let pointer = call(sandbox, Service::Ssm, "GetParameter", &json!({"Name": AMI}));
    let wanted = &pointer["Parameter"]["Value"];
    let input = json!({"Filters": [{"Name": "tag:aws:autoscaling:groupName", "Values": [FLEET]},
        {"Name": "instance-state-name", "Values": ["pending", "running"]}]});
    let found = call(sandbox, Service::Ec2, "DescribeInstances", &input);
    let machines = array(&found["Reservations"]);
    let new = machines
        .iter()
        .all(|one| one["Instances"][0]["ImageId"] == *wanted);
    let refreshes = refreshes_of_fleet(sandbox);
    World {
        things: [
            ("refreshes".to_owned(), refreshes.len().into()),
            ("on the pointer's image".to_owned(), new.into()),
        ]
        .into(),
        started: refreshes
            .iter()
            .filter(|refresh| refresh["EndTime"].is_null())
            .map(|refresh| {
                let id = refresh["InstanceRefreshId"].as_str().expect("an id").to_owned();
                vec![id, "fleet refresh status".to_owned()]
            })
            .collect(),
    }
}

/// Whether the refresh of the production fleet was ended.
pub(crate) fn cancelled(sandbox: &Sandbox) -> World {
    let refreshes = refreshes_of_fleet(sandbox);
    let status = refreshes.first().and_then(|newest| newest["Status"].as_str());
    let ended = status.is_some_and(|status| status.starts_with("Cancell"));
    World {
        things: [
            ("refreshes".to_owned(), refreshes.len().into()),
            ("cancelled".to_owned(), ended.into()),
        ]
        .into(),
        started: Vec::new(),
    }
}

/// The lease on the backend.
pub(crate) fn leases(sandbox: &Sandbox) -> World {
    let listed = call(
        sandbox,
        Service::S3,
        "ListObjectsV2",
        &json!({"Bucket": "bp-logs-123456789012", "Prefix": "bpctl/leases/ecs"}),
    );
    let there = !array(&listed["Contents"]).is_empty();
    World {
        things: [("lease".to_owned(), there.into())].into(),
        started: Vec::new(),
    }
}

/// Tasks that bpctl has started: when they began and ended, whether php-fpm succeeded, and their ids.
type Tasks = Vec<(Timestamp, Option<Timestamp>, bool, String)>;

/// All tasks of the backend, running ones and those that have stopped.
fn backend_tasks(sandbox: &Sandbox) -> Vec<Value> {
    tasks_of(sandbox, "bp-backend")
}

pub(crate) fn tasks_of(sandbox: &Sandbox, family: &str) -> Vec<Value> {
    let listed = |status: &str| {
        let input = json!({"cluster": "bp", "family": family, "desiredStatus": status});
        let arns = call(sandbox, Service::Ecs, "ListTasks", &input)["taskArns"].clone();
        if array(&arns).is_empty() {
            return Vec::new();
        }
        let input = json!({"cluster": "bp", "tasks": arns});
        array(&call(sandbox, Service::Ecs, "DescribeTasks", &input)["tasks"])
    };
    // One that stops between the two looks is in both: as it was seen last.
    let all = ["RUNNING", "STOPPED"].into_iter().flat_map(listed);
    let by_arn: BTreeMap<String, Value> = all.map(|task| (task["taskArn"].to_string(), task)).collect();
    by_arn.into_values().collect()
}

fn at(value: &Value) -> Option<Timestamp> {
    Timestamp::from_millisecond((value.as_f64()? * 1000.0) as i64).ok()
}

fn own_tasks(sandbox: &Sandbox) -> Tasks {
    let ours = |task: &Value| {
        let by = task["startedBy"].as_str();
        by.is_some_and(|by| by.starts_with("bpctl/"))
    };
    let mut tasks: Tasks = backend_tasks(sandbox)
        .iter()
        .filter(|task| ours(task))
        .map(|task| {
            let succeeded = array(&task["containers"])
                .iter()
                .any(|container| container["name"] == "php-fpm" && container["exitCode"] == 0);
            let id = task["taskArn"].as_str().and_then(|arn| arn.rsplit('/').next());
            (
                at(&task["createdAt"]).expect("a time"),
                at(&task["stoppedAt"]),
                succeeded,
                id.expect("an id").to_owned(),
            )
        })
        .collect();
    tasks.sort();
    tasks
}

fn overlap(tasks: &Tasks) -> bool {
    let mut pairs = tasks.windows(2);
    pairs.any(|pair| pair[0].1.unwrap_or(Timestamp::MAX) > pair[1].0)
}

pub(crate) fn named<const N: usize>(things: [(&str, Value); N]) -> BTreeMap<String, Value> {
    let things = things.into_iter();
    things.map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Begin and end of the tasks that bpctl has started, and its snapshots.
pub(crate) fn migrations(sandbox: &Sandbox) -> World {
    let tasks = own_tasks(sandbox);
    let snapshots: Vec<String> = array(
        &call(
            sandbox,
            Service::Rds,
            "DescribeDBSnapshots",
            &json!({"SnapshotType": "manual"}),
        )["DBSnapshots"],
    )
    .iter()
    .filter_map(|snapshot| snapshot["DBSnapshotIdentifier"].as_str().map(str::to_owned))
    .collect();
    let mut started: Vec<Vec<String>> = tasks
        .iter()
        .map(|(.., id)| vec![id.clone(), "--started-by bpctl/migrate/".to_owned()])
        .collect();
    started.extend(snapshots.iter().map(|id| vec![id.clone()]));
    World {
        things: named([
            ("tasks", tasks.len().into()),
            ("snapshots", snapshots.len().into()),
            ("overlap", overlap(&tasks).into()),
            ("migrated", tasks.iter().any(|task| task.2).into()),
        ]),
        started,
    }
}

/// Begin and end of the one-off tasks that bpctl has started.
pub(crate) fn one_off(sandbox: &Sandbox) -> World {
    let tasks = own_tasks(sandbox);
    World {
        things: named([
            ("tasks", tasks.len().into()),
            ("overlap", overlap(&tasks).into()),
            ("succeeded", tasks.iter().any(|task| task.2).into()),
        ]),
        started: tasks
            .iter()
            .map(|(.., id)| vec![id.clone(), "--started-by bpctl/".to_owned()])
            .collect(),
    }
}

/// Of each service, how many of its tasks bpctl has stopped.
pub(crate) fn stopped_tasks(sandbox: &Sandbox) -> World {
    let things = ["bp-backend", "bp-frontend"].map(|family| {
        let stopped = tasks_of(sandbox, family).into_iter().filter(|task| {
            let reason = task["stoppedReason"].as_str().unwrap_or_default();
            reason.starts_with("bpctl task stop")
        });
        (family, Value::from(stopped.count()))
    });
    World {
        things: named(things),
        started: Vec::new(),
    }
}

/// The deployments of the backend that ECS has on record, the oldest first.
fn records(sandbox: &Sandbox) -> Vec<Value> {
    let input = json!({"cluster": "bp", "service": "bp-backend"});
    let listed = call(sandbox, Service::Ecs, "ListServiceDeployments", &input);
    let mut records = array(&listed["serviceDeployments"]);
    records.sort_by(|a, b| {
        a["createdAt"]
            .as_f64()
            .unwrap_or(0.0)
            .total_cmp(&b["createdAt"].as_f64().unwrap_or(0.0))
    });
    records
}

fn count(records: &[Value], status: &str) -> Value {
    records
        .iter()
        .filter(|record| record["status"] == status)
        .count()
        .into()
}

/// The deployments of the backend: how many there were, how many succeeded, whether one began before the one
/// before it was over, and the newest revision of its task definition.
pub(crate) fn deployments(sandbox: &Sandbox) -> World {
    let records = records(sandbox);
    let input = json!({"taskDefinition": "bp-backend"});
    let newest = call(sandbox, Service::Ecs, "DescribeTaskDefinition", &input);
    // One whose place another one takes before it is over is STOPPED.
    let mut earlier = records.iter().rev().skip(1);
    let overlap = earlier.any(|record| record["status"] != "SUCCESSFUL");
    let under_way = records.iter().filter(|record| record["finishedAt"].is_null());
    let started = under_way.filter_map(|record| {
        let revision = record["targetServiceRevisionArn"].as_str()?;
        Some(vec![
            format!("ecs-svc/{}", revision.rsplit('/').next()?),
            "bpctl rollout status backend".to_owned(),
        ])
    });
    World {
        started: started.collect(),
        things: named([
            ("deployments", records.len().into()),
            ("succeeded", count(&records, "SUCCESSFUL")),
            ("overlap", overlap.into()),
            ("revision", newest["taskDefinition"]["revision"].clone()),
        ]),
    }
}

/// How many deployments of the backend there were, and how many were asked to go back.
pub(crate) fn rolled_back(sandbox: &Sandbox) -> World {
    let records = records(sandbox);
    let back = records.iter().filter(|record| {
        let status = record["status"].as_str().unwrap_or_default();
        status.starts_with("ROLLBACK") || status.starts_with("STOP")
    });
    World {
        things: named([
            ("deployments", records.len().into()),
            ("going back", back.count().into()),
        ]),
        started: Vec::new(),
    }
}
