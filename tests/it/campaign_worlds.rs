//! What campaigns compare of an account: what a verb may have changed, by name.

use std::collections::BTreeMap;

use bpctl_sandbox::{Sandbox, Service};
use jiff::Timestamp;
use serde_json::{Value, json};

/// What is compared: each thing by its name. A thing is as it was before, or as an undisturbed run leaves it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct World {
    pub(crate) things: BTreeMap<String, Value>,
    /// For each thing that was started: texts, one of which has to be told to whom it was started for.
    pub(crate) started: Vec<Vec<String>>,
}

fn call(sandbox: &Sandbox, service: Service, operation: &str, input: &Value) -> Value {
    sandbox
        .with_world(|world| world.call(service, operation, input))
        .unwrap_or_else(|error| panic!("{operation}: {error:?}"))
}

fn array(value: &Value) -> Vec<Value> {
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

/// Digests of both repositories, with and without tags.
pub(crate) fn images(sandbox: &Sandbox) -> World {
    let mut world = World::default();
    for name in ["bp-backend", "bp-frontend"] {
        for status in ["TAGGED", "UNTAGGED"] {
            let input = json!({"repositoryName": name, "filter": {"tagStatus": status}, "maxResults": 1000});
            let listed = call(sandbox, Service::Ecr, "DescribeImages", &input);
            let mut images: Vec<Value> = array(&listed["imageDetails"])
                .into_iter()
                .map(|image| json!([image["imageDigest"], image["imageTags"]]))
                .collect();
            images.sort_by_key(Value::to_string);
            world.things.insert(format!("{name} {status}"), images.into());
        }
    }
    world
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

/// Begin and end of the tasks that bpctl has started, and its snapshots.
pub(crate) fn migrations(sandbox: &Sandbox) -> World {
    let at = |value: &Value| Timestamp::from_millisecond((value.as_f64()? * 1000.0) as i64).ok();
    let mut tasks: Vec<(Timestamp, Option<Timestamp>, bool, String)> = Vec::new();
    for status in ["RUNNING", "STOPPED"] {
        let input = json!({"cluster": "bp", "family": "bp-backend", "desiredStatus": status});
        let arns = call(sandbox, Service::Ecs, "ListTasks", &input)["taskArns"].clone();
        if array(&arns).is_empty() {
            continue;
        }
        let listed = call(
            sandbox,
            Service::Ecs,
            "DescribeTasks",
            &json!({"cluster": "bp", "tasks": arns}),
        );
        for task in array(&listed["tasks"]) {
            if !task["startedBy"]
                .as_str()
                .is_some_and(|by| by.starts_with("bpctl/"))
            {
                continue;
            }
            let succeeded = array(&task["containers"])
                .iter()
                .any(|container| container["name"] == "php-fpm" && container["exitCode"] == 0);
            let id = task["taskArn"].as_str().and_then(|arn| arn.rsplit('/').next());
            tasks.push((
                at(&task["createdAt"]).expect("a time"),
                at(&task["stoppedAt"]),
                succeeded,
                id.expect("an id").to_owned(),
            ));
        }
    }
    tasks.sort();
    let overlap = tasks
        .windows(2)
        .any(|pair| pair[0].1.unwrap_or(Timestamp::MAX) > pair[1].0);
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
    let things: [(&str, Value); 4] = [
        ("tasks", tasks.len().into()),
        ("snapshots", snapshots.len().into()),
        ("overlap", overlap.into()),
        ("migrated", tasks.iter().any(|task| task.2).into()),
    ];
    World {
        things: things
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
        started,
    }
}
