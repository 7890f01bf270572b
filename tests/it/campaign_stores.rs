//! What campaigns compare of stores: objects, secrets, and the commands that nodes were sent.

use std::collections::BTreeSet;
use std::time::Duration;

use bpctl_sandbox::{Sandbox, Service};
use serde_json::{Value, json};

use crate::backups::ELSEWHERE;
use crate::campaign_worlds::{World, array, call, named};
use crate::torn_down::things;

fn texts(list: &Value, member: &str) -> Vec<String> {
    let found = array(list);
    let found = found.iter().filter_map(|one| one[member].as_str());
    found.map(str::to_owned).collect()
}

/// The objects of the models bucket, and uploads that were begun and not completed.
pub(crate) fn objects(sandbox: &Sandbox) -> World {
    // Null where a reset has taken it away.
    let ask = |operation: &str| {
        let bucket = json!({"Bucket": "bp-models-123456789012"});
        let answer = sandbox.with_world(|world| world.call(Service::S3, operation, &bucket));
        answer.unwrap_or_default()
    };
    let listed = ask("ListObjectsV2");
    let begun = ask("ListMultipartUploads");
    World {
        things: named([
            ("objects", texts(&listed["Contents"], "Key").into()),
            ("begun", array(&begun["Uploads"]).len().into()),
        ]),
        started: Vec::new(),
    }
}

/// The values of the secrets that `secrets sync` writes.
pub(crate) fn secrets(sandbox: &Sandbox) -> World {
    // Null where a teardown has taken it away.
    let ask = |service, operation: &str, input: &Value| {
        let answer = sandbox.with_world(|world| world.call(service, operation, input));
        answer.unwrap_or_default()
    };
    let secret = |name: &str| {
        let input = json!({"SecretId": name});
        ask(Service::SecretsManager, "GetSecretValue", &input)["SecretString"].clone()
    };
    let parameter = |name: &str| {
        let input = json!({"Name": name, "WithDecryption": true});
        ask(Service::Ssm, "GetParameter", &input)["Parameter"]["Value"].clone()
    };
    World {
        things: named([
            ("app-key", secret("/bp/laravel/app-key")),
            ("oauth", secret("/bp/oauth/secrets")),
            ("staging", parameter("/bp/fleets/staging/fleet-secret")),
            ("production", parameter("/bp/fleets/production/fleet-secret")),
        ]),
        started: Vec::new(),
    }
}

/// How many values the fleet secret of production has had, and whether it has another one than at first.
pub(crate) fn rotated(sandbox: &Sandbox) -> World {
    let input = json!({"Name": "/bp/fleets/production/fleet-secret", "WithDecryption": true});
    let history = call(sandbox, Service::Ssm, "GetParameterHistory", &input);
    let values = texts(&history["Parameters"], "Value");
    let distinct: BTreeSet<&String> = values.iter().collect();
    World {
        things: named([
            ("values", distinct.len().into()),
            ("rotated", (values.first() != values.last()).into()),
        ]),
        started: Vec::new(),
    }
}

/// The commands that apply bundles: how many there were, how many succeeded, and whether two ran at the same time on
/// a node. An output that cannot be kept is warned of, and undoes nothing.
pub(crate) fn commands(sandbox: &Sandbox) -> World {
    let listed = call(sandbox, Service::Ssm, "ListCommandInvocations", &json!({}));
    let mut commands = array(&listed["CommandInvocations"]);
    commands.retain(|command| {
        let comment = command["Comment"].as_str().unwrap_or_default();
        comment.starts_with("bpctl bundle apply")
    });
    let mut begun: Vec<f64> = commands
        .iter()
        .filter_map(|command| command["RequestedDateTime"].as_f64())
        .collect();
    begun.sort_by(f64::total_cmp);
    // One takes a little over two minutes.
    let overlap = begun.windows(2).any(|pair| pair[1] - pair[0] < 120.0);
    let succeeded = commands.iter().filter(|command| command["Status"] == "Success");
    World {
        things: named([
            ("commands", commands.len().into()),
            ("succeeded", succeeded.count().into()),
            ("overlap", overlap.into()),
        ]),
        started: commands
            .iter()
            .filter(|command| command["Status"] != "Success")
            .filter_map(|command| {
                let id = command["CommandId"].as_str()?.to_owned();
                Some(vec![id, "aws ssm list-command-invocations".to_owned()])
            })
            .collect(),
    }
}

/// What a teardown takes away and what it leaves: stacks, databases, buckets, secrets; how many snapshots were taken.
pub(crate) fn torn_down(sandbox: &Sandbox) -> World {
    let described = || call(sandbox, Service::CloudFormation, "DescribeStacks", &json!({}));
    let is_under_way = |stack: &Value| {
        let status = stack["StackStatus"].as_str().expect("a status");
        status.ends_with("_IN_PROGRESS")
    };
    if array(&described()["Stacks"]).iter().any(is_under_way) {
        sandbox.advance(Duration::from_secs(1800));
    }
    let mut world = World::default();
    for (kind, service, operation, list, name) in [
        (
            "stack",
            Service::CloudFormation,
            "DescribeStacks",
            "Stacks",
            "StackName",
        ),
        ("bucket", Service::S3, "ListBuckets", "Buckets", "Name"),
        (
            "secret",
            Service::SecretsManager,
            "ListSecrets",
            "SecretList",
            "Name",
        ),
        (
            "database",
            Service::Rds,
            "DescribeDBInstances",
            "DBInstances",
            "DBInstanceIdentifier",
        ),
    ] {
        let answer = call(sandbox, service, operation, &json!({}));
        for one in array(&answer[list]) {
            let name = one[name].as_str().expect("a name");
            world.things.insert(format!("{kind} {name}"), json!("there"));
        }
    }
    let manual = json!({"SnapshotType": "manual"});
    let snapshots = call(sandbox, Service::Rds, "DescribeDBSnapshots", &manual);
    let count = array(&snapshots["DBSnapshots"]).len();
    world.things.insert("snapshots".to_owned(), json!(count));
    // A step takes many things with it, so that its number says nothing of theirs: what was begun has to name the command
    // that goes on.
    let is_begun = world
        .things
        .keys()
        .any(|name| name.starts_with("secret /bp/kept/"));
    if is_begun {
        world.started.push(vec!["bpctl teardown".to_owned()]);
    }
    world
}

/// What a reset takes away.
pub(crate) fn left_behind(sandbox: &Sandbox) -> World {
    let is_under_way = |world: &mut bpctl_sandbox::World| {
        let calls = world.calls().iter();
        let mut first = calls.filter(|call| call.operation == "TerminateInstances" && call.error.is_none());
        first.next().is_some()
    };
    let is_begun = sandbox.with_world(is_under_way);
    // What goes by itself from here on has gone.
    if is_begun {
        sandbox.advance(Duration::from_secs(1800));
    }
    let all = things(sandbox);
    let there = all.iter().cloned().map(|name| (name, json!("there")));
    World {
        things: there.collect(),
        // A step that waits has taken its thing away before it is done: the command that goes on has to be named.
        started: (is_begun && !all.is_empty())
            .then(|| vec!["bpctl reset".to_owned()])
            .into_iter()
            .collect(),
    }
}

/// What a backup leaves in the account: snapshots of the database, and objects beside those of the platform.
pub(crate) fn backed_up(sandbox: &Sandbox) -> World {
    let manual = json!({"SnapshotType": "manual"});
    let mut snapshots = array(&call(sandbox, Service::Rds, "DescribeDBSnapshots", &manual)["DBSnapshots"]);
    if snapshots.iter().any(|snapshot| snapshot["Status"] == "creating") {
        sandbox.advance(Duration::from_secs(1800));
        snapshots = array(&call(sandbox, Service::Rds, "DescribeDBSnapshots", &manual)["DBSnapshots"]);
    }
    let listed = json!({"Bucket": ELSEWHERE, "Prefix": "saved/"});
    let copies = texts(
        &call(sandbox, Service::S3, "ListObjectsV2", &listed)["Contents"],
        "Key",
    );
    let is_begun = !snapshots.is_empty() || !copies.is_empty();
    let mut things = named([("snapshots", snapshots.len().into())]);
    things.extend(
        copies
            .into_iter()
            .map(|key| (format!("copy {key}"), json!("there"))),
    );
    World {
        things,
        // Steps in a folder of the operator are none of the account: what was begun names the command that goes on.
        started: is_begun
            .then(|| vec!["bpctl backup".to_owned()])
            .into_iter()
            .collect(),
    }
}
