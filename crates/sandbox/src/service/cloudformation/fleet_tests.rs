//! The stacks of fleets: made, updated and deleted.

use serde_json::{Value, json};

use super::stack_mut;
use super::tests::{Cloud, text_of};
use crate::scenario::Scenario;
use crate::service::Service;

const FLEET: &str = "bp-gpu-fleet-production-gpu-default";
const GROUP: &str = "asg-production-gpu-default";

fn template(cloud: &mut Cloud) -> Value {
    let answer = cloud.get("GetTemplate", json!({ "StackName": FLEET }));
    serde_json::from_str(text_of(&answer["TemplateBody"])).unwrap()
}

/// The production fleet's template for another slug, under names of its own.
fn other(cloud: &mut Cloud) -> Value {
    let text = template(cloud).to_string().replace("gpu-default", "upscale");
    // The image is that of the fleet that is there.
    let text = text.replace(
        "/bp/ami/fleets/production/upscale",
        "/bp/ami/fleets/production/gpu-default",
    );
    serde_json::from_str(&text).unwrap()
}

fn logical(template: &Value, kind: &str) -> String {
    let resources = template["Resources"].as_object().unwrap();
    let found = resources.iter().find(|(_, resource)| resource["Type"] == kind);
    found.unwrap().0.clone()
}

fn group(cloud: &mut Cloud, name: &str) -> Value {
    let input = json!({ "AutoScalingGroupNames": [name] });
    let answer = cloud
        .0
        .call(Service::AutoScaling, "DescribeAutoScalingGroups", &input);
    answer.unwrap()["AutoScalingGroups"][0].clone()
}

fn changes(set: &Value) -> Vec<(&str, &str, &str)> {
    let changes = set["Changes"].as_array().unwrap().iter();
    changes
        .map(|change| &change["ResourceChange"])
        .map(|change| {
            (
                text_of(&change["Action"]),
                text_of(&change["ResourceType"]),
                text_of(&change["Replacement"]),
            )
        })
        .collect()
}

#[test]
fn a_new_fleet_comes_with_its_group_its_policies_and_its_alarms() {
    let mut cloud = Cloud::new();
    let template = other(&mut cloud);
    assert_eq!(
        cloud.deploy("bp-gpu-fleet-production-upscale", "CREATE", &template),
        "CREATE_COMPLETE"
    );
    let group = group(&mut cloud, "asg-production-upscale");
    assert_eq!(
        [&group["MinSize"], &group["MaxSize"], &group["DesiredCapacity"]],
        [&json!(0), &json!(10), &json!(0)]
    );
    assert_eq!(group["DefaultInstanceWarmup"], 300);
    let specification = &group["MixedInstancesPolicy"]["LaunchTemplate"]["LaunchTemplateSpecification"];
    assert_eq!(
        [&specification["LaunchTemplateName"], &specification["Version"]],
        ["lt-production-upscale", "1"]
    );
    let input = json!({ "LaunchTemplateId": specification["LaunchTemplateId"], "Versions": ["1"] });
    let versions = cloud
        .0
        .call(Service::Ec2, "DescribeLaunchTemplateVersions", &input)
        .unwrap();
    let data = &versions["LaunchTemplateVersions"][0]["LaunchTemplateData"];
    assert_eq!(
        data["ImageId"],
        "resolve:ssm:/bp/ami/fleets/production/gpu-default"
    );
    let input = json!({ "AutoScalingGroupName": "asg-production-upscale" });
    let policies = cloud
        .0
        .call(Service::AutoScaling, "DescribePolicies", &input)
        .unwrap();
    let policies = policies["ScalingPolicies"].as_array().unwrap();
    let alarms: Vec<usize> = policies
        .iter()
        .map(|policy| policy["Alarms"].as_array().unwrap().len())
        .collect();
    assert_eq!(alarms, [1, 1, 2]);
    let input = json!({ "AlarmNames": ["production-upscale-queue-empty"] });
    let alarms = cloud
        .0
        .call(Service::CloudWatch, "DescribeAlarms", &input)
        .unwrap();
    assert_eq!(
        alarms["MetricAlarms"][0]["AlarmActions"],
        json!(["arn:aws:sns:us-east-1:123456789012:bp-scale-to-zero"])
    );
    // The group works: it launches what it is told to have, until its alarms see that there is no work.
    let input = json!({ "AutoScalingGroupName": "asg-production-upscale", "DesiredCapacity": 1 });
    cloud
        .0
        .call(Service::AutoScaling, "SetDesiredCapacity", &input)
        .unwrap();
    cloud.wait(15);
    let input = json!({ "AutoScalingGroupName": "asg-production-upscale" });
    let activities = cloud
        .0
        .call(Service::AutoScaling, "DescribeScalingActivities", &input)
        .unwrap();
    let newest = &activities["Activities"][0];
    assert!(
        text_of(&newest["Description"]).starts_with("Launching a new EC2 instance: i-"),
        "{newest}"
    );
}

#[test]
fn a_new_launch_template_goes_through_to_the_group_and_leaves_its_capacity_alone() {
    let mut cloud = Cloud::new();
    let mut template = template(&mut cloud);
    let before = group(&mut cloud, GROUP);
    let launch = logical(&template, "AWS::EC2::LaunchTemplate");
    let asg = logical(&template, "AWS::AutoScaling::AutoScalingGroup");
    template["Resources"][&launch]["Properties"]["LaunchTemplateData"]["UserData"] =
        json!({ "Fn::Base64": "#!/bin/sh" });
    template["Resources"][&asg]["Properties"]["MaxSize"] = json!("4");
    let set = cloud.change(FLEET, "UPDATE", &template);
    assert_eq!(
        changes(&set),
        [
            ("Modify", "AWS::EC2::LaunchTemplate", "False"),
            ("Modify", "AWS::AutoScaling::AutoScalingGroup", "False"),
        ]
    );
    let details = set["Changes"][1]["ResourceChange"]["Details"].as_array().unwrap();
    let dynamic = details
        .iter()
        .find(|detail| detail["Evaluation"] == "Dynamic")
        .unwrap();
    assert_eq!(
        [
            &dynamic["ChangeSource"],
            &dynamic["CausingEntity"],
            &dynamic["Target"]["Name"]
        ],
        [
            &json!("ResourceAttribute"),
            &json!(format!("{launch}.LatestVersionNumber")),
            &json!("MixedInstancesPolicy")
        ]
    );
    cloud.get(
        "ExecuteChangeSet",
        json!({ "StackName": FLEET, "ChangeSetName": "c" }),
    );
    cloud.settle(FLEET);
    let after = group(&mut cloud, GROUP);
    let specification = &after["MixedInstancesPolicy"]["LaunchTemplate"]["LaunchTemplateSpecification"];
    assert_eq!(
        [&specification["Version"], &after["MaxSize"]],
        [&json!("2"), &json!(4)]
    );
    assert_eq!(after["DesiredCapacity"], before["DesiredCapacity"]);
    let input = json!({ "LaunchTemplateId": specification["LaunchTemplateId"], "Versions": ["$Latest"] });
    let versions = cloud
        .0
        .call(Service::Ec2, "DescribeLaunchTemplateVersions", &input)
        .unwrap();
    let newest = &versions["LaunchTemplateVersions"][0];
    assert_eq!(
        [&newest["VersionNumber"], &newest["DefaultVersion"]],
        [&json!(2), &json!(false)]
    );
    assert_eq!(newest["LaunchTemplateData"]["UserData"], "IyEvYmluL3No");
    // Without the update policy the template's number counts.
    let resource = template["Resources"][&asg].as_object_mut().unwrap();
    resource.remove("UpdatePolicy");
    resource["Properties"]["DefaultInstanceWarmup"] = json!(120);
    cloud.get(
        "DeleteChangeSet",
        json!({ "StackName": FLEET, "ChangeSetName": "c" }),
    );
    assert_eq!(cloud.deploy(FLEET, "UPDATE", &template), "UPDATE_COMPLETE");
    assert_eq!(group(&mut cloud, GROUP)["DesiredCapacity"], 0);
}

#[test]
fn a_fleet_goes_with_its_stack_but_for_its_log() {
    let mut cloud = Cloud::new();
    let template = template(&mut cloud);
    cloud.get(
        "DeleteStack",
        json!({ "StackName": FLEET, "ClientRequestToken": "gone" }),
    );
    cloud.settle(FLEET);
    let answer = cloud.get("ListStacks", json!({ "StackStatusFilter": ["DELETE_COMPLETE"] }));
    assert_eq!(answer["StackSummaries"][0]["StackName"], FLEET);
    assert!(group(&mut cloud, GROUP).is_null());
    let id = answer["StackSummaries"][0]["StackId"].clone();
    let events = cloud.events(text_of(&id));
    let log = logical(&template, "AWS::Logs::LogGroup");
    assert!(events.contains(&format!("{log} DELETE_SKIPPED")), "{events:?}");
    let alarms = cloud
        .0
        .call(Service::CloudWatch, "DescribeAlarms", &json!({}))
        .unwrap();
    let alarms = alarms["MetricAlarms"].as_array().unwrap();
    assert!(
        !alarms
            .iter()
            .any(|alarm| text_of(&alarm["AlarmName"]).contains("production-gpu-default"))
    );
    // The name of the log is taken when the fleet comes again.
    assert_eq!(cloud.deploy(FLEET, "CREATE", &template), "ROLLBACK_COMPLETE");
    let failed = cloud
        .events(FLEET)
        .into_iter()
        .find(|event| event.starts_with(&log) && event.contains("CREATE_FAILED"));
    assert!(failed.unwrap().contains("already exists"));
}

#[test]
fn what_others_import_is_neither_deleted_nor_changed() {
    let mut cloud = Cloud::new();
    cloud.get("DeleteStack", json!({ "StackName": "bp-gpu-shared" }));
    let last = cloud.events("bp-gpu-shared").pop().unwrap();
    assert_eq!(
        last,
        "bp-gpu-shared UPDATE_COMPLETE Delete canceled. Cannot delete export bp-scale-to-zero-topic-arn as it is in use by \
         bp-gpu-fleet-production-gpu-default and bp-gpu-fleet-staging-gpu-default."
    );
    let answer = cloud.get("GetTemplate", json!({ "StackName": "bp-gpu-shared" }));
    let mut template: Value = serde_json::from_str(text_of(&answer["TemplateBody"])).unwrap();
    template.as_object_mut().unwrap().remove("Outputs");
    assert_eq!(
        cloud.deploy("bp-gpu-shared", "UPDATE", &template),
        "UPDATE_ROLLBACK_COMPLETE"
    );
    assert!(cloud.last("bp-gpu-shared").iter().any(|event| event
        == "bp-gpu-shared UPDATE_ROLLBACK_IN_PROGRESS Export bp-scale-to-zero-topic-arn cannot be deleted as it is in use by \
            bp-gpu-fleet-production-gpu-default and bp-gpu-fleet-staging-gpu-default"));
    let imports = cloud.get(
        "ListImports",
        json!({ "ExportName": "bp-scale-to-zero-topic-arn" }),
    );
    assert_eq!(imports["Imports"].as_array().unwrap().len(), 2);
    assert_eq!(
        cloud.refused("ListImports", json!({ "ExportName": "none" })).1,
        "Export 'none' is not imported by any stack."
    );
}

#[test]
fn an_import_that_nobody_exports_fails_the_deployment() {
    let mut cloud = Cloud::new();
    let template = json!({ "Resources": { "P": { "Type": "AWS::SSM::Parameter", "Properties": {
        "Type": "String", "Value": { "Fn::ImportValue": "nobody" },
    } } } });
    assert_eq!(cloud.deploy("new", "CREATE", &template), "ROLLBACK_COMPLETE");
    assert!(cloud.events("new").contains(
        &"new ROLLBACK_IN_PROGRESS No export named nobody found. Rollback requested by user.".to_owned()
    ));
}

#[test]
fn a_group_that_may_not_be_made_fails_a_new_fleet() {
    let mut cloud = Cloud::under(&[Scenario::StackCreateFails]);
    let template = other(&mut cloud);
    let asg = logical(&template, "AWS::AutoScaling::AutoScalingGroup");
    assert_eq!(cloud.deploy("fleet", "CREATE", &template), "ROLLBACK_COMPLETE");
    let events = cloud.events("fleet");
    let failed = events
        .iter()
        .find(|event| event.starts_with(&format!("{asg} CREATE_FAILED")))
        .unwrap();
    assert!(
        failed.contains("is not authorized to perform: autoscaling:CreateAutoScalingGroup"),
        "{failed}"
    );
}

#[test]
fn a_rollback_that_fails_is_continued_without_what_holds_it_up() {
    let mut cloud = Cloud::under(&[Scenario::StackRollbackFailed]);
    let mut template = template(&mut cloud);
    let launch = logical(&template, "AWS::EC2::LaunchTemplate");
    let asg = logical(&template, "AWS::AutoScaling::AutoScalingGroup");
    template["Resources"][&launch]["Properties"]["LaunchTemplateData"]["UserData"] =
        json!({ "Fn::Base64": "#!/bin/sh" });
    assert_eq!(cloud.deploy(FLEET, "UPDATE", &template), "UPDATE_ROLLBACK_FAILED");
    let told = cloud.last(FLEET);
    assert!(told.contains(&format!(
        "{FLEET} UPDATE_ROLLBACK_IN_PROGRESS The following resource(s) failed to update: [{asg}]."
    )));
    assert!(told.contains(&format!(
        "{FLEET} UPDATE_ROLLBACK_FAILED The following resource(s) failed to update: [{asg}]."
    )));
    let id = cloud.get("DescribeStacks", json!({ "StackName": FLEET }))["Stacks"][0]["StackId"].clone();
    let refused = cloud.refused(
        "CreateChangeSet",
        json!({ "StackName": FLEET, "ChangeSetName": "d", "UsePreviousTemplate": true }),
    );
    assert_eq!(
        refused.1,
        format!(
            "Stack:{} is in UPDATE_ROLLBACK_FAILED state and can not be updated.",
            text_of(&id)
        )
    );
    assert_eq!(
        cloud
            .refused(
                "ContinueUpdateRollback",
                json!({ "StackName": FLEET, "ResourcesToSkip": [launch] })
            )
            .0,
        "ValidationError"
    );
    // As it is, it fails again; without the group it goes on.
    cloud.get("ContinueUpdateRollback", json!({ "StackName": FLEET }));
    cloud.settle(FLEET);
    assert_eq!(
        super::find(&cloud.0, FLEET).unwrap().status,
        "UPDATE_ROLLBACK_FAILED"
    );
    cloud.get(
        "ContinueUpdateRollback",
        json!({ "StackName": FLEET, "ResourcesToSkip": [asg] }),
    );
    cloud.settle(FLEET);
    let told = cloud.last(FLEET);
    assert!(told.contains(&format!("{asg} UPDATE_COMPLETE")), "{told:?}");
    assert_eq!(told.last().unwrap(), &format!("{FLEET} UPDATE_ROLLBACK_COMPLETE"));
    assert!(stack_mut(&mut cloud.0, FLEET).unwrap().leaving.is_empty());
}

/// The order of the runbook: fleets, then what they stand on. The database stays, and holds its network.
#[test]
fn the_platform_goes_stack_by_stack_and_its_database_holds_the_network() {
    let mut cloud = Cloud::new();
    let mut ends = Vec::new();
    for stack in [
        FLEET,
        "bp-gpu-fleet-staging-gpu-default",
        "bp-gpu-shared",
        "bp-monitoring",
        "bp-compute",
        "bp-data",
        "bp-network",
        "bp-cicd",
    ] {
        cloud.get("DeleteStack", json!({ "StackName": stack }));
        cloud.settle(stack);
        let left = super::find(&cloud.0, stack).map_or("gone", |stack| stack.status);
        ends.push((stack, left));
    }
    let failed: Vec<_> = ends.iter().filter(|(_, left)| *left != "gone").collect();
    assert_eq!(failed, [&("bp-network", "DELETE_FAILED")]);
    let reason = super::find(&cloud.0, "bp-network")
        .and_then(|stack| stack.reason.clone())
        .unwrap();
    assert!(
        reason.starts_with("The following resource(s) failed to delete: ["),
        "{reason}"
    );
    assert!(reason.contains("SgRds"), "{reason}");
    // What the stack says it keeps is still there.
    let databases = cloud
        .0
        .call(Service::Rds, "DescribeDBInstances", &json!({}))
        .unwrap();
    assert_eq!(databases["DBInstances"].as_array().unwrap().len(), 1);
    let buckets = cloud.0.call(Service::S3, "ListBuckets", &json!({})).unwrap();
    let names: Vec<&str> = buckets["Buckets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|bucket| text_of(&bucket["Name"]))
        .filter(|name| name.starts_with("bp-"))
        .collect();
    assert_eq!(
        names,
        [
            "bp-access-logs-123456789012",
            "bp-media-123456789012",
            "bp-models-123456789012"
        ]
    );
    // With the resources that do not go left behind, the stack does; each holds those that it names.
    for _ in 0..5 {
        let Some(reason) = super::find(&cloud.0, "bp-network").and_then(|stack| stack.reason.clone()) else {
            break;
        };
        let listed = reason.split(['[', ']']).nth(1).unwrap();
        let kept: Vec<&str> = listed.split(", ").collect();
        cloud.get(
            "DeleteStack",
            json!({ "StackName": "bp-network", "RetainResources": kept }),
        );
        cloud.settle("bp-network");
    }
    assert!(
        super::find(&cloud.0, "bp-network").is_none(),
        "{:?}",
        cloud.last("bp-network")
    );
    cloud.wait(3600);
}

#[test]
fn a_protected_stack_is_not_deleted_and_names_are_kept_apart() {
    let mut cloud = Cloud::new();
    cloud.get(
        "UpdateTerminationProtection",
        json!({ "StackName": "bp-cicd", "EnableTerminationProtection": true }),
    );
    assert_eq!(
        cloud.refused("DeleteStack", json!({ "StackName": "bp-cicd" })).1,
        "Stack [bp-cicd] cannot be deleted while TerminationProtection is enabled"
    );
    let template = json!({ "Resources": { "L": { "Type": "AWS::Logs::LogGroup" } } }).to_string();
    let create = |name: &str, kind: &str| {
        json!({
            "StackName": name, "ChangeSetName": "c", "ChangeSetType": kind, "TemplateBody": template,
        })
    };
    assert_eq!(
        cloud.refused("CreateChangeSet", create("bp-cicd", "CREATE")).1,
        "Stack [bp-cicd] already exists and cannot be created again with the changeSet [c]."
    );
    assert_eq!(
        cloud.refused("CreateChangeSet", create("new", "UPDATE")).1,
        "Stack [new] does not exist"
    );
    cloud.get("CreateChangeSet", create("new", "CREATE"));
    let mut other = create("new", "CREATE");
    other["TemplateBody"] = json!(template.replace("\"L\"", "\"M\""));
    assert_eq!(
        cloud.refused("CreateChangeSet", other),
        (
            "AlreadyExistsException".to_owned(),
            "ChangeSet c cannot be created due to a mismatch with existing attribute Template".to_owned()
        )
    );
    // It is still being compared.
    let named = json!({ "StackName": "new", "ChangeSetName": "c" });
    let refused = cloud.refused("ExecuteChangeSet", named.clone());
    assert_eq!(refused.0, "InvalidChangeSetStatus");
    assert!(
        refused
            .1
            .ends_with("cannot be executed in its current status of [CREATE_PENDING]"),
        "{}",
        refused.1
    );
    cloud.get("DeleteChangeSet", named.clone());
    assert_eq!(cloud.refused("DescribeChangeSet", named).0, "ChangeSetNotFound");
    // A stack that never became one goes at once.
    cloud.get("DeleteStack", json!({ "StackName": "new" }));
    assert!(super::find(&cloud.0, "new").is_none());
    cloud.get("DeleteStack", json!({ "StackName": "new" }));
}

#[test]
fn templates_are_refused_in_the_words_of_cloudformation() {
    let mut cloud = Cloud::new();
    let mut refused = |template: Value| {
        let input = json!({
            "StackName": "new", "ChangeSetName": "c", "ChangeSetType": "CREATE", "TemplateBody": template.to_string(),
        });
        cloud.refused("CreateChangeSet", input).1
    };
    let log = |properties: Value| json!({ "Resources": { "L": { "Type": "AWS::Logs::LogGroup", "Properties": properties } } });
    assert_eq!(
        refused(json!({ "Resources": { "Q": { "Type": "AWS::No::Such" } } })),
        "Template format error: Unrecognized resource types: [AWS::No::Such]"
    );
    assert_eq!(
        refused(log(json!({ "LogGroupName": { "Ref": "Nobody" } }))),
        "Template format error: Unresolved resource dependencies [Nobody] in the Resources block of the template"
    );
    assert_eq!(
        refused(json!({ "Resources": {} })),
        "Template format error: At least one Resources member must be defined."
    );
    assert_eq!(
        refused(
            json!({ "Resources": { "R": { "Type": "AWS::IAM::Role", "Properties": { "RoleName": "r" } } } })
        ),
        "Requires capabilities : [CAPABILITY_NAMED_IAM]"
    );
    let mut given = log(json!({ "LogGroupName": { "Ref": "Name" } }));
    given["Parameters"] = json!({ "Name": { "Type": "String" } });
    assert_eq!(refused(given.clone()), "Parameters: [Name] must have values");
    given["Parameters"]["Name"] = json!({ "Type": "AWS::SSM::Parameter::Value<String>", "Default": "/none" });
    assert_eq!(
        refused(given),
        "Unable to fetch parameters [/none] from parameter store for this account."
    );
    let circle = json!({ "Resources": {
        "A": { "Type": "AWS::Logs::LogGroup", "DependsOn": "B" },
        "B": { "Type": "AWS::Logs::LogGroup", "DependsOn": ["A"] },
    } });
    assert_eq!(refused(circle), "Circular dependency between resources: [A, B]");
    let mut attribute = log(json!({}));
    attribute["Outputs"] = json!({ "O": { "Value": { "Fn::GetAtt": ["L", "Nothing"] } } });
    assert_eq!(
        refused(attribute),
        "Template error: resource L does not support attribute type Nothing in Fn::GetAtt"
    );
    let mut large = log(json!({}));
    large["Description"] = json!("x".repeat(51_200));
    assert!(refused(large).contains("Member must have length less than or equal to 51200"));
}
