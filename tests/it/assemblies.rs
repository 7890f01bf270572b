//! Cloud assemblies as `cdk synth` of the CDK 2.276 writes them, made of the templates that the sandbox has deployed.

use std::fs;
use std::path::Path;

use bpctl_sandbox::{Sandbox, Service};
use serde_json::{Value, json};

/// The stack of the fleet that [`lay_files`] has templates for and that is not there.
pub(crate) const NEW_FLEET: &str = "staging/gpu-new";

/// The fleet of `kept.out`, whose log group is there before its stack is ([`keep_log_group`]).
pub(crate) const KEPT_FLEET: &str = "staging/gpu-kept";
pub(crate) const KEPT_GROUP: &str = "/gpu-workers/gpu-kept";

const EXECUTION_ROLE: &str =
    "arn:${AWS::Partition}:iam::123456789012:role/cdk-hnb659fds-cfn-exec-role-123456789012-us-east-1";

/// The log group of [`KEPT_FLEET`], in no stack.
pub(crate) fn keep_log_group(sandbox: &Sandbox) {
    let input = json!({ "logGroupName": KEPT_GROUP });
    let made = sandbox.with_world(|world| world.call(Service::Logs, "CreateLogGroup", &input));
    made.expect("a log group");
}

/// The template of [`KEPT_FLEET`]: one resource of each kind that is looked for; all but the log group belong to other
/// stacks or are not there.
fn kept_fleet() -> Value {
    let shape = |kind: &str, name: &str, value: &str| json!({ "Type": kind, "DeletionPolicy": "Retain", "Properties": { name: value } });
    json!({ "Resources": {
        "Logs": shape("AWS::Logs::LogGroup", "LogGroupName", KEPT_GROUP),
        "Bucket": shape("AWS::S3::Bucket", "BucketName", "bp-media-123456789012"),
        "Repository": shape("AWS::ECR::Repository", "RepositoryName", "bp-backend"),
        "Parameter": shape("AWS::SSM::Parameter", "Name", "/bp/models/bucket"),
        "Database": shape("AWS::RDS::DBInstance", "DBInstanceIdentifier", "bp-none"),
        "Topic": shape("AWS::SNS::Topic", "TopicName", "bp-none"),
    } })
}

/// The template of a deployed stack.
pub(crate) fn deployed(sandbox: &Sandbox, stack: &str) -> Value {
    let input = json!({ "StackName": stack });
    let answer = sandbox.with_world(|world| world.call(Service::CloudFormation, "GetTemplate", &input));
    let answer = answer.expect("the stack's template");
    serde_json::from_str(answer["TemplateBody"].as_str().expect("a text")).expect("JSON")
}

/// The tags of the platform's stacks.
fn tags(sandbox: &Sandbox) -> Value {
    let answer =
        sandbox.with_world(|world| world.call(Service::CloudFormation, "DescribeStacks", &json!({})));
    let answer = answer.expect("the stacks");
    let mut stacks = answer["Stacks"].as_array().expect("stacks").iter();
    let is_core = |stack: &&Value| {
        stack["StackName"]
            .as_str()
            .is_some_and(|name| name.ends_with("-monitoring"))
    };
    let tags = stacks.find(is_core).expect("a stack")["Tags"]
        .as_array()
        .expect("tags")
        .iter();
    tags.map(|tag| {
        (
            tag["Key"].as_str().expect("a key").to_owned(),
            tag["Value"].clone(),
        )
    })
    .collect()
}

/// Writes an assembly of these stacks: name, template, and names of the stacks that each needs.
pub(crate) fn write(sandbox: &Sandbox, folder: &Path, stacks: &[(&str, Value, &[&str])]) {
    fs::create_dir_all(folder).expect("a folder");
    let mut artifacts = serde_json::Map::new();
    for (name, template, needs) in stacks {
        let file = format!("{name}.template.json");
        fs::write(folder.join(&file), template.to_string()).expect("a template");
        let assets = format!("{name}.assets");
        let manifest = json!({ "version": "55.0.0", "files": { "0af1": {
            "source": { "path": file, "packaging": "file" },
            "destinations": { "here": { "bucketName": "cdk-hnb659fds-assets-123456789012-us-east-1", "objectKey": "0af1.json" } },
        } }, "dockerImages": {} });
        fs::write(folder.join(format!("{assets}.json")), manifest.to_string()).expect("a manifest");
        let mut dependencies: Vec<String> = needs.iter().map(|need| (*need).to_owned()).collect();
        dependencies.push(assets.clone());
        artifacts.insert(
            assets.clone(),
            json!({ "type": "cdk:asset-manifest", "properties": { "file": format!("{assets}.json") } }),
        );
        artifacts.insert(
            (*name).to_owned(),
            json!({
                "type": "aws:cloudformation:stack",
                "environment": "aws://123456789012/us-east-1",
                "properties": {
                    "templateFile": file,
                    "terminationProtection": false,
                    // As the CDK's default synthesizer writes it.
                    "cloudFormationExecutionRoleArn": EXECUTION_ROLE,
                    "tags": tags(sandbox),
                    "stackTemplateAssetObjectUrl": "s3://cdk-hnb659fds-assets-123456789012-us-east-1/0af1.json",
                },
                "dependencies": dependencies,
                "displayName": name,
            }),
        );
    }
    let manifest = json!({ "version": "55.0.0", "artifacts": artifacts });
    fs::write(folder.join("manifest.json"), manifest.to_string()).expect("a manifest");
}

/// The template of monitoring with another threshold and a log group more.
pub(crate) fn changed_monitoring(sandbox: &Sandbox) -> Value {
    let mut template = deployed(sandbox, "bp-monitoring");
    template["Resources"]["P2RdsCpuWarning"]["Properties"]["Threshold"] = json!(85);
    template["Resources"]["AuditLogs"] = json!({
        "Type": "AWS::Logs::LogGroup",
        "DeletionPolicy": "Retain",
        "Properties": { "LogGroupName": "/bp/audit", "RetentionInDays": 30 },
    });
    template
}

/// The template of [`NEW_FLEET`]: that of a fleet that is there, under other names.
pub(crate) fn new_fleet(sandbox: &Sandbox) -> Value {
    let template = deployed(sandbox, "bp-gpu-fleet-production-gpu-default").to_string();
    let renamed = template
        .replace("gpu-default", "gpu-new")
        .replace("production", "staging");
    serde_json::from_str(&renamed).expect("JSON")
}

/// The parameters that somebody has written for [`NEW_FLEET`].
pub(crate) fn configure_new_fleet(sandbox: &Sandbox) {
    let image = json!({ "Name": "/bp/ami/fleets/production/gpu-default" });
    let image = sandbox.with_world(|world| world.call(Service::Ssm, "GetParameter", &image));
    let image = image.expect("a pointer")["Parameter"]["Value"].clone();
    let config = json!({
        "version": 1, "template_slug": "gpu-default", "instance_type": "g5.xlarge",
        "ami_ssm_parameter": "/bp/ami/fleets/staging/gpu-new", "enabled": true,
    });
    for input in [
        json!({ "Name": "/bp/ami/fleets/staging/gpu-new", "Type": "String", "DataType": "aws:ec2:image", "Value": image }),
        json!({ "Name": "/bp/fleets/staging/gpu-new/active_bundle", "Type": "String", "Value": "none" }),
        json!({ "Name": "/bp/fleets/staging/gpu-new/desired_config", "Type": "String", "Value": config.to_string() }),
    ] {
        let put = sandbox.with_world(|world| world.call(Service::Ssm, "PutParameter", &input));
        put.expect("a parameter");
    }
}

/// `cdk.out` in a home folder: monitoring changed, a fleet that is there with another size, and one that is not there; `kept.out` with one whose log group may be there.
/// Accounts of other fleets get none.
pub(crate) fn lay_files(sandbox: &Sandbox, home: &Path) {
    let fleet = json!({ "StackName": "bp-gpu-fleet-production-gpu-default" });
    let is_there = sandbox.with_world(|world| world.call(Service::CloudFormation, "DescribeStacks", &fleet));
    if is_there.is_err() {
        return;
    }
    let mut fleet = deployed(sandbox, "bp-gpu-fleet-production-gpu-default");
    for (_, shape) in fleet["Resources"].as_object_mut().expect("resources") {
        if shape["Type"] == "AWS::AutoScaling::AutoScalingGroup" {
            shape["Properties"]["MaxSize"] = json!("8");
        }
    }
    write(
        sandbox,
        &home.join("cdk.out"),
        &[
            ("bp-monitoring", changed_monitoring(sandbox), &[]),
            ("bp-gpu-fleet-production-gpu-default", fleet, &["bp-monitoring"]),
            (
                "bp-gpu-fleet-staging-gpu-new",
                new_fleet(sandbox),
                &["bp-monitoring"],
            ),
        ],
    );
    write(
        sandbox,
        &home.join("kept.out"),
        &[("bp-gpu-fleet-staging-gpu-kept", kept_fleet(), &[])],
    );
}

/// `cdk.out` in a home folder with every stack as it is deployed.
pub(crate) fn lay_deployed(sandbox: &Sandbox, home: &Path) {
    let described =
        sandbox.with_world(|world| world.call(Service::CloudFormation, "DescribeStacks", &json!({})));
    let described = described.expect("the stacks");
    let names = described["Stacks"].as_array().expect("stacks").iter();
    let names: Vec<&str> = names.filter_map(|stack| stack["StackName"].as_str()).collect();
    let stacks: Vec<(&str, Value, &[&str])> = names
        .into_iter()
        .map(|name| (name, deployed(sandbox, name), &[][..]))
        .collect();
    write(sandbox, &home.join("cdk.out"), &stacks);
}
