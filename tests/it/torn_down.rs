//! Accounts in which no stack of the platform stands any more, and what those have left behind.

use std::time::Duration;

use bpctl_sandbox::{Sandbox, Service};
use serde_json::{Value, json};

use crate::api_accounts::dev_instance;

pub(crate) fn ask(sandbox: &Sandbox, service: Service, operation: &str, input: &Value) -> Value {
    sandbox.with_world(|world| {
        world
            .call(service, operation, input)
            .unwrap_or_else(|error| panic!("{operation}: {error:?}"))
    })
}

fn list(answer: &Value, name: &str) -> Vec<Value> {
    answer[name].as_array().cloned().unwrap_or_default()
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap_or_default()
}

/// Takes every stack down but that of the CDK's bootstrap. `keeps`: the database stays, and with it the network that
/// it stands in; otherwise its last snapshot stays.
pub(crate) fn tear_down(sandbox: &Sandbox, keeps: bool) {
    let found = ask(sandbox, Service::Rds, "DescribeDBInstances", &json!({}));
    for one in list(&found, "DBInstances") {
        let id = text(&one, "DBInstanceIdentifier");
        let copy = json!({
            "DBInstanceIdentifier": id, "DBSnapshotIdentifier": format!("{id}-before-teardown-20260115-090000"),
            "Tags": [{"Key": "ManagedBy", "Value": "bpctl"}],
        });
        ask(sandbox, Service::Rds, "CreateDBSnapshot", &copy);
        sandbox.advance(Duration::from_secs(1800));
    }
    if !keeps {
        drop_databases(sandbox);
    }
    for _ in 0..20 {
        let found = ask(sandbox, Service::CloudFormation, "DescribeStacks", &json!({}));
        let mut stacks = list(&found, "Stacks");
        stacks.retain(|stack| text(stack, "StackName").starts_with("bp-"));
        stacks.retain(|stack| !keeps || !text(stack, "StackName").ends_with("-network"));
        if stacks.is_empty() {
            return;
        }
        for stack in stacks {
            let name = text(&stack, "StackName");
            let mut delete = json!({ "StackName": name });
            if stack["StackStatus"] == "DELETE_FAILED" {
                let resources = ask(sandbox, Service::CloudFormation, "ListStackResources", &delete);
                let failed = list(&resources, "StackResourceSummaries").into_iter();
                let failed = failed.filter(|one| one["ResourceStatus"] == "DELETE_FAILED");
                let names: Vec<Value> = failed.map(|one| one["LogicalResourceId"].clone()).collect();
                delete["RetainResources"] = names.into();
            }
            // A stack that others import from stays until they are gone.
            ask(sandbox, Service::CloudFormation, "DeleteStack", &delete);
        }
        sandbox.advance(Duration::from_secs(1800));
    }
    panic!("stacks of the platform do not go");
}

/// Without a snapshot.
pub(crate) fn drop_databases(sandbox: &Sandbox) {
    let found = ask(sandbox, Service::Rds, "DescribeDBInstances", &json!({}));
    for one in list(&found, "DBInstances") {
        let id = text(&one, "DBInstanceIdentifier");
        let open = json!({"DBInstanceIdentifier": id, "DeletionProtection": false});
        ask(sandbox, Service::Rds, "ModifyDBInstance", &open);
        let gone = json!({"DBInstanceIdentifier": id, "SkipFinalSnapshot": true});
        ask(sandbox, Service::Rds, "DeleteDBInstance", &gone);
        sandbox.advance(Duration::from_secs(1800));
    }
}

/// What the account has besides: versions and delete markers, a secret, a dev instance, orphans.
pub(crate) fn leave_behind(sandbox: &Sandbox) {
    let bucket = "bp-models-123456789012";
    for body in ["Zmlyc3Q=", "c2Vjb25k"] {
        let object = json!({"Bucket": bucket, "Key": "assets/lora/reset", "Body": body});
        ask(sandbox, Service::S3, "PutObject", &object);
    }
    let gone = json!({"Bucket": bucket, "Key": "assets/lora/reset"});
    ask(sandbox, Service::S3, "DeleteObject", &gone);
    let secret = json!({"Name": "/bp/kept/old/master-credentials", "SecretString": "{}"});
    ask(sandbox, Service::SecretsManager, "CreateSecret", &secret);
    let marked = json!({"Name": "/bp/oauth/marked", "SecretString": "{}"});
    ask(sandbox, Service::SecretsManager, "CreateSecret", &marked);
    let marked = json!({"SecretId": "/bp/oauth/marked", "RecoveryWindowInDays": 7});
    ask(sandbox, Service::SecretsManager, "DeleteSecret", &marked);
    for name in ["/ecs/bp-backend", "/aws/ecs/containerinsights/bp/performance"] {
        let there = ask(
            sandbox,
            Service::Logs,
            "DescribeLogGroups",
            &json!({"logGroupNamePrefix": name}),
        );
        if list(&there, "logGroups").is_empty() {
            ask(
                sandbox,
                Service::Logs,
                "CreateLogGroup",
                &json!({"logGroupName": name}),
            );
        }
    }
    dev_instance(sandbox);
    keep_bucket(sandbox, "bp-logs-123456789012");
}

/// A bucket that its stack has left behind, with an object.
fn keep_bucket(sandbox: &Sandbox, bucket: &str) {
    if sandbox.with_world(|world| {
        world
            .call(Service::S3, "HeadBucket", &json!({ "Bucket": bucket }))
            .is_ok()
    }) {
        return;
    }
    let template = json!({"Resources": {"Bucket": {
        "Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain", "Properties": {"BucketName": bucket},
    }}});
    let made = json!({
        "StackName": "elsewhere", "ChangeSetName": "first", "ChangeSetType": "CREATE",
        "TemplateBody": template.to_string(),
    });
    let named = json!({"StackName": "elsewhere", "ChangeSetName": "first"});
    ask(sandbox, Service::CloudFormation, "CreateChangeSet", &made);
    sandbox.advance(Duration::from_secs(30));
    ask(sandbox, Service::CloudFormation, "ExecuteChangeSet", &named);
    sandbox.advance(Duration::from_secs(300));
    ask(
        sandbox,
        Service::CloudFormation,
        "DeleteStack",
        &json!({"StackName": "elsewhere"}),
    );
    sandbox.advance(Duration::from_secs(300));
    let object = json!({"Bucket": bucket, "Key": "asset-sync/gpu-default/one.json", "Body": "e30="});
    ask(sandbox, Service::S3, "PutObject", &object);
}

/// Things of others, with names that come close.
pub(crate) fn place_foreign(sandbox: &Sandbox) {
    ask(
        sandbox,
        Service::Logs,
        "CreateLogGroup",
        &json!({"logGroupName": "/ecs/bp-billing"}),
    );
    let secret = json!({"Name": "/shop/key", "SecretString": "s"});
    ask(sandbox, Service::SecretsManager, "CreateSecret", &secret);
    let parameter = json!({"Name": "/shop/endpoint", "Type": "String", "Value": "v"});
    ask(sandbox, Service::Ssm, "PutParameter", &parameter);
}

/// Without parameters.
const EMPTY: &str = "{}";

/// Kind, service, operation, its list, the name in it, and what is asked.
const KINDS: &[(&str, Service, &str, &str, &str, &str)] = &[
    (
        "stack",
        Service::CloudFormation,
        "DescribeStacks",
        "Stacks",
        "StackName",
        EMPTY,
    ),
    ("bucket", Service::S3, "ListBuckets", "Buckets", "Name", EMPTY),
    (
        "secret",
        Service::SecretsManager,
        "ListSecrets",
        "SecretList",
        "Name",
        r#"{"IncludePlannedDeletion": true}"#,
    ),
    (
        "parameter",
        Service::Ssm,
        "DescribeParameters",
        "Parameters",
        "Name",
        r#"{"MaxResults": 50}"#,
    ),
    (
        "log group",
        Service::Logs,
        "DescribeLogGroups",
        "logGroups",
        "logGroupName",
        EMPTY,
    ),
    (
        "database",
        Service::Rds,
        "DescribeDBInstances",
        "DBInstances",
        "DBInstanceIdentifier",
        EMPTY,
    ),
    (
        "snapshot",
        Service::Rds,
        "DescribeDBSnapshots",
        "DBSnapshots",
        "DBSnapshotIdentifier",
        r#"{"SnapshotType": "manual"}"#,
    ),
    (
        "subnet group",
        Service::Rds,
        "DescribeDBSubnetGroups",
        "DBSubnetGroups",
        "DBSubnetGroupName",
        EMPTY,
    ),
    (
        "image",
        Service::Ec2,
        "DescribeImages",
        "Images",
        "ImageId",
        r#"{"Owners": ["self"]}"#,
    ),
    (
        "image snapshot",
        Service::Ec2,
        "DescribeSnapshots",
        "Snapshots",
        "SnapshotId",
        r#"{"OwnerIds": ["self"]}"#,
    ),
    (
        "repository",
        Service::Ecr,
        "DescribeRepositories",
        "repositories",
        "repositoryName",
        EMPTY,
    ),
    (
        "security group",
        Service::Ec2,
        "DescribeSecurityGroups",
        "SecurityGroups",
        "GroupId",
        r#"{"Filters": [{"Name": "tag:ManagedBy", "Values": ["dev-gpu-action"]}]}"#,
    ),
];

/// What there is of the kinds that a reset is about: kind and name.
pub(crate) fn things(sandbox: &Sandbox) -> Vec<String> {
    let mut all = Vec::new();
    for (kind, service, operation, member, name, input) in KINDS {
        let input: Value = serde_json::from_str(input).expect("JSON");
        let answer = ask(sandbox, *service, operation, &input);
        let found = list(&answer, member);
        all.extend(found.iter().map(|one| format!("{kind} {}", text(one, name))));
    }
    let machines = json!({"Filters": [{"Name": "tag:ManagedBy", "Values": ["dev-gpu-action"]}]});
    let answer = ask(sandbox, Service::Ec2, "DescribeInstances", &machines);
    for reservation in list(&answer, "Reservations") {
        for machine in list(&reservation, "Instances") {
            if machine["State"]["Name"] != "terminated" {
                all.push(format!("dev instance {}", text(&machine, "InstanceId")));
            }
        }
    }
    all.sort();
    all
}

/// Somebody starts a machine with this tag in a subnet of the platform's: its id.
pub(crate) fn move_in(sandbox: &Sandbox, (tag, value): (&str, &str)) -> String {
    let network = json!({"StackName": "bp-network"});
    let resources = ask(sandbox, Service::CloudFormation, "ListStackResources", &network);
    let mut subnets = list(&resources, "StackResourceSummaries").into_iter();
    let subnet = subnets.find(|one| one["ResourceType"] == "AWS::EC2::Subnet");
    let subnet = subnet.expect("a subnet")["PhysicalResourceId"].clone();
    let images = ask(
        sandbox,
        Service::Ec2,
        "DescribeImages",
        &json!({"Owners": ["self"]}),
    );
    let started = ask(
        sandbox,
        Service::Ec2,
        "RunInstances",
        &json!({
            "MinCount": 1, "MaxCount": 1, "ImageId": images["Images"][0]["ImageId"], "InstanceType": "g5.xlarge",
            "SubnetId": subnet,
            "TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": tag, "Value": value}]}],
        }),
    );
    text(&started["Instances"][0], "InstanceId").to_owned()
}

/// They take it away again.
pub(crate) fn move_out(sandbox: &Sandbox, machine: &str) {
    ask(
        sandbox,
        Service::Ec2,
        "TerminateInstances",
        &json!({"InstanceIds": [machine]}),
    );
}
