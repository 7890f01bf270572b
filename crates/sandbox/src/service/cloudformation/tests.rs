//! What stacks are asked, and what becomes of them.

use super::*;
use crate::options::Options;
use crate::service::Service;

#[test]
fn a_missing_stack_is_named_in_the_words_of_each_operation() {
    let mut world = World::new(Options::default());
    let mut message = |operation| {
        let input = json!({"StackName": "bp-none"});
        world
            .call(Service::CloudFormation, operation, &input)
            .unwrap_err()
            .message
    };
    assert_eq!(message("DescribeStacks"), "Stack with id bp-none does not exist");
    assert_eq!(message("DescribeStackEvents"), "Stack [bp-none] does not exist");
}

#[test]
fn events_tell_the_last_deployment_first() {
    let mut world = World::new(Options::default());
    let created = SimTime(1_000_000);
    put_stack(
        &mut world,
        StackSpec {
            name: "t".to_owned(),
            created,
            updated: Some(created + Duration::from_secs(3600)),
            resources: vec![Resource {
                logical: "Queue".to_owned(),
                physical: "q".to_owned(),
                kind: "AWS::SQS::Queue".to_owned(),
                properties: Value::Null,
                attributes: Value::Null,
            }],
            ..StackSpec::default()
        },
    );
    let input = json!({"StackName": "t"});
    let events = world
        .call(Service::CloudFormation, "DescribeStackEvents", &input)
        .unwrap();
    let events = events["StackEvents"].as_array().unwrap();
    assert_eq!(events.len(), 8);
    assert_eq!(events[0]["ResourceStatus"], "UPDATE_COMPLETE");
    assert_eq!(events[7]["ResourceStatusReason"], "User Initiated");
    assert_eq!(events[7]["ResourceStatus"], "CREATE_IN_PROGRESS");
}

/// A world with the operations of CloudFormation at hand.
pub(super) struct Cloud(pub(super) World);

impl Cloud {
    pub(super) fn new() -> Self {
        Self::under(&[])
    }

    pub(super) fn under(scenarios: &[crate::scenario::Scenario]) -> Self {
        Self(World::new(Options {
            scenarios: scenarios.iter().copied().collect(),
            ..Options::default()
        }))
    }

    pub(super) fn ask(&mut self, operation: &str, input: Value) -> OpResult {
        self.0.call(Service::CloudFormation, operation, &input)
    }

    pub(super) fn get(&mut self, operation: &str, input: Value) -> Value {
        self.ask(operation, input)
            .unwrap_or_else(|error| panic!("{operation}: {error:?}"))
    }

    pub(super) fn refused(&mut self, operation: &str, input: Value) -> (String, String) {
        let error = self.ask(operation, input).unwrap_err();
        (error.code, error.message)
    }

    pub(super) fn wait(&mut self, seconds: u64) {
        let to = self.0.now + Duration::from_secs(seconds);
        self.0.advance(to);
    }

    /// Creates a change set and waits for it; answers what it says.
    pub(super) fn change(&mut self, stack: &str, kind: &str, template: &Value) -> Value {
        let named = json!({"StackName": stack, "ChangeSetName": "c"});
        let mut input = named.clone();
        input["ChangeSetType"] = json!(kind);
        input["TemplateBody"] = json!(template.to_string());
        input["Capabilities"] = json!(["CAPABILITY_NAMED_IAM"]);
        self.get("CreateChangeSet", input);
        self.wait(10);
        self.get("DescribeChangeSet", named)
    }

    pub(super) fn deploy(&mut self, stack: &str, kind: &str, template: &Value) -> String {
        let set = self.change(stack, kind, template);
        assert_eq!(set["Status"], "CREATE_COMPLETE", "{set}");
        let named = json!({"StackName": stack, "ChangeSetName": "c", "ClientRequestToken": "t"});
        self.get("ExecuteChangeSet", named.clone());
        self.settle(stack);
        self.get(
            "DeleteChangeSet",
            json!({"StackName": stack, "ChangeSetName": "c"}),
        );
        let state = find(&self.0, stack).map(|stack| stack.status.to_owned());
        super::stack_mut(&mut self.0, stack).unwrap().tokens.clear();
        state.unwrap()
    }

    /// Waits until the stack is in a state of its own.
    pub(super) fn settle(&mut self, stack: &str) {
        for _ in 0..200 {
            self.wait(5);
            let busy = find(&self.0, stack).is_some_and(|stack| stack.status.ends_with("IN_PROGRESS"));
            if !busy {
                return;
            }
        }
        panic!("{stack} is still in progress");
    }

    /// Logical id, status and reason of the events, the oldest first.
    pub(super) fn events(&mut self, stack: &str) -> Vec<String> {
        let events = self.get("DescribeStackEvents", json!({"StackName": stack}));
        let mut told: Vec<String> = events["StackEvents"]
            .as_array()
            .unwrap()
            .iter()
            .map(|event| {
                let reason = event["ResourceStatusReason"].as_str().unwrap_or_default();
                let said = format!(
                    "{} {} {reason}",
                    text_of(&event["LogicalResourceId"]),
                    text_of(&event["ResourceStatus"])
                );
                said.trim_end().to_owned()
            })
            .collect();
        told.reverse();
        told
    }

    /// The events of the last operation: what comes behind the last one that a user initiated.
    pub(super) fn last(&mut self, stack: &str) -> Vec<String> {
        let events = self.events(stack);
        let at = events
            .iter()
            .rposition(|event| event.ends_with("User Initiated"))
            .unwrap();
        events[at..].to_vec()
    }
}

pub(super) fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn simple() -> Value {
    json!({
        "Parameters": { "Days": { "Type": "Number", "Default": 7 } },
        "Resources": {
            "Pointer": {
                "Type": "AWS::SSM::Parameter",
                "Properties": { "Name": "/new/pointer", "Type": "String", "Value": { "Fn::Sub": "${Log}/${AWS::StackName}" } },
            },
            "Log": {
                "Type": "AWS::Logs::LogGroup",
                "Properties": { "LogGroupName": "/new/log", "RetentionInDays": { "Ref": "Days" } },
            },
        },
        "Outputs": { "Name": { "Value": { "Ref": "Log" }, "Export": { "Name": "new-log" } } },
    })
}

#[test]
fn a_stack_is_looked_at_and_then_created_with_its_resources_behind_what_they_need() {
    let mut cloud = Cloud::new();
    let named = json!({"StackName": "new", "ChangeSetName": "c"});
    let mut input = named.clone();
    input["ChangeSetType"] = json!("CREATE");
    input["TemplateBody"] = json!(simple().to_string());
    let made = cloud.get("CreateChangeSet", input);
    let mut statuses = Vec::new();
    for _ in 0..8 {
        let set = cloud.get("DescribeChangeSet", named.clone());
        let status = text_of(&set["Status"]).to_owned();
        if statuses.last() != Some(&status) {
            statuses.push(status);
        }
        cloud.wait(1);
    }
    assert_eq!(
        statuses,
        ["CREATE_PENDING", "CREATE_IN_PROGRESS", "CREATE_COMPLETE"]
    );
    let stack = cloud.get("DescribeStacks", json!({"StackName": "new"}));
    assert_eq!(stack["Stacks"][0]["StackStatus"], "REVIEW_IN_PROGRESS");
    let set = cloud.get("DescribeChangeSet", named.clone());
    assert_eq!(set["ExecutionStatus"], "AVAILABLE");
    let changes = set["Changes"].as_array().unwrap();
    let changed: Vec<_> = changes
        .iter()
        .map(|change| {
            (
                text_of(&change["ResourceChange"]["Action"]),
                text_of(&change["ResourceChange"]["LogicalResourceId"]),
            )
        })
        .collect();
    assert_eq!(changed, [("Add", "Pointer"), ("Add", "Log")]);
    // Nothing was made yet.
    assert!(!crate::service::logs::has_group(&cloud.0, "/new/log"));
    cloud.get(
        "ExecuteChangeSet",
        json!({"ChangeSetName": made["Id"], "ClientRequestToken": "one"}),
    );
    cloud.settle("new");
    assert_eq!(
        cloud.events("new"),
        [
            "new REVIEW_IN_PROGRESS User Initiated",
            "new CREATE_IN_PROGRESS User Initiated",
            "Log CREATE_IN_PROGRESS",
            "Log CREATE_IN_PROGRESS Resource creation Initiated",
            "Log CREATE_COMPLETE",
            "Pointer CREATE_IN_PROGRESS",
            "Pointer CREATE_IN_PROGRESS Resource creation Initiated",
            "Pointer CREATE_COMPLETE",
            "new CREATE_COMPLETE",
        ]
    );
    let events = cloud.get("DescribeStackEvents", json!({"StackName": "new"}));
    assert_eq!(events["StackEvents"][0]["ClientRequestToken"], "one");
    assert_eq!(events["StackEvents"][1]["PhysicalResourceId"], "/new/pointer");
    let stack = cloud.get("DescribeStacks", json!({"StackName": "new"}));
    assert_eq!(stack["Stacks"][0]["Outputs"][0]["OutputValue"], "/new/log");
    assert_eq!(
        stack["Stacks"][0]["Parameters"],
        json!([{"ParameterKey": "Days", "ParameterValue": "7"}])
    );
    let pointer = cloud
        .0
        .call(Service::Ssm, "GetParameter", &json!({"Name": "/new/pointer"}))
        .unwrap();
    assert_eq!(pointer["Parameter"]["Value"], "/new/log/new");
    // It is executed once.
    let again = cloud.refused("ExecuteChangeSet", named);
    assert_eq!(again.0, "InvalidChangeSetStatus");
    let exports = cloud.get("ListExports", json!({}));
    assert!(
        exports["Exports"]
            .as_array()
            .unwrap()
            .iter()
            .any(|export| export["Name"] == "new-log")
    );
}

#[test]
fn an_update_changes_replaces_and_removes_and_the_rest_stays() {
    let mut cloud = Cloud::new();
    assert_eq!(cloud.deploy("new", "CREATE", &simple()), "CREATE_COMPLETE");
    let mut template = simple();
    template["Parameters"]["Days"]["Default"] = json!(30);
    template["Resources"]["Pointer"]["Properties"]["Name"] = json!("/new/other");
    let set = cloud.change("new", "UPDATE", &template);
    let change = |logical: &str| {
        let changes = set["Changes"].as_array().unwrap().iter();
        let mut changes = changes.map(|change| &change["ResourceChange"]);
        changes
            .find(|change| change["LogicalResourceId"] == logical)
            .unwrap()
            .clone()
    };
    let pointer = change("Pointer");
    assert_eq!(
        [
            &pointer["Action"],
            &pointer["Replacement"],
            &pointer["PolicyAction"],
            &pointer["PhysicalResourceId"]
        ],
        ["Modify", "True", "ReplaceAndDelete", "/new/pointer"]
    );
    assert_eq!(
        pointer["Details"],
        json!([{
            "Target": { "Attribute": "Properties", "Name": "Name", "RequiresRecreation": "Always" },
            "Evaluation": "Static",
            "ChangeSource": "DirectModification",
        }])
    );
    let log = change("Log");
    assert_eq!(
        [&log["Replacement"], &log["Scope"]],
        [&json!("False"), &json!(["Properties"])]
    );
    assert_eq!(log["Details"][0]["ChangeSource"], "ParameterReference");
    assert_eq!(log["Details"][0]["CausingEntity"], "Days");
    cloud.get(
        "ExecuteChangeSet",
        json!({"StackName": "new", "ChangeSetName": "c"}),
    );
    cloud.settle("new");
    assert_eq!(
        cloud.last("new"),
        [
            "new UPDATE_IN_PROGRESS User Initiated",
            "Log UPDATE_IN_PROGRESS",
            "Log UPDATE_COMPLETE",
            "Pointer UPDATE_IN_PROGRESS Requested update requires the creation of a new physical resource; hence creating one.",
            "Pointer UPDATE_IN_PROGRESS Resource creation Initiated",
            "Pointer UPDATE_COMPLETE",
            "new UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
            "Pointer DELETE_IN_PROGRESS",
            "Pointer DELETE_COMPLETE",
            "new UPDATE_COMPLETE",
        ]
    );
    assert!(crate::service::ssm::value(&cloud.0, "/new/pointer").is_none());
    assert!(crate::service::ssm::value(&cloud.0, "/new/other").is_some());
    let groups = cloud
        .0
        .call(
            Service::Logs,
            "DescribeLogGroups",
            &json!({"logGroupNamePrefix": "/new"}),
        )
        .unwrap();
    assert_eq!(groups["logGroups"][0]["retentionInDays"], 30);
    // The same again is nothing.
    cloud.get(
        "DeleteChangeSet",
        json!({"StackName": "new", "ChangeSetName": "c"}),
    );
    let nothing = cloud.change("new", "UPDATE", &template);
    assert_eq!(
        [&nothing["Status"], &nothing["ExecutionStatus"]],
        ["FAILED", "UNAVAILABLE"]
    );
    assert_eq!(
        nothing["StatusReason"],
        "The submitted information didn't contain changes. Submit different information to create a change set."
    );
    cloud.get(
        "DeleteChangeSet",
        json!({"StackName": "new", "ChangeSetName": "c"}),
    );
    // What is no longer in the template goes.
    template["Resources"].as_object_mut().unwrap().remove("Pointer");
    assert_eq!(cloud.deploy("new", "UPDATE", &template), "UPDATE_COMPLETE");
    assert!(crate::service::ssm::value(&cloud.0, "/new/other").is_none());
    assert!(crate::service::logs::has_group(&cloud.0, "/new/log"));
}

#[test]
fn a_name_that_is_taken_fails_the_creation_and_everything_goes_again() {
    let mut cloud = Cloud::new();
    crate::service::logs::create_group(&mut cloud.0, "/new/second", 7);
    let mut template = simple();
    template["Resources"]["Second"] = json!({
        "Type": "AWS::Logs::LogGroup",
        "DependsOn": "Pointer",
        "Properties": { "LogGroupName": "/new/second" },
    });
    assert_eq!(cloud.deploy("new", "CREATE", &template), "ROLLBACK_COMPLETE");
    let events = cloud.events("new");
    let failed = events
        .iter()
        .find(|event| event.starts_with("Second CREATE_FAILED"))
        .unwrap();
    assert!(
        failed.contains(
            "Resource of type 'AWS::Logs::LogGroup' with identifier '{\"/properties/LogGroupName\":\"/new/second\"}' already exists."
        ),
        "{failed}"
    );
    let at = events
        .iter()
        .position(|event| event.contains("ROLLBACK_IN_PROGRESS"))
        .unwrap();
    assert_eq!(
        events[at..],
        [
            "new ROLLBACK_IN_PROGRESS The following resource(s) failed to create: [Second]. Rollback requested by user.",
            "Pointer DELETE_IN_PROGRESS",
            "Pointer DELETE_COMPLETE",
            "Log DELETE_IN_PROGRESS",
            "Log DELETE_COMPLETE",
            "new ROLLBACK_COMPLETE",
        ]
    );
    assert!(crate::service::logs::has_group(&cloud.0, "/new/second"));
    assert!(!crate::service::logs::has_group(&cloud.0, "/new/log"));
    let id = find(&cloud.0, "new").unwrap().id.clone();
    assert_eq!(
        cloud
            .refused(
                "CreateChangeSet",
                json!({"StackName": "new", "ChangeSetName": "d", "TemplateBody": "{}"})
            )
            .1,
        format!("Stack:{id} is in ROLLBACK_COMPLETE state and can not be updated.")
    );
    // Only its deletion frees the name.
    cloud.get("DeleteStack", json!({"StackName": "new"}));
    cloud.settle("new");
    assert_eq!(
        cloud.refused("DescribeStacks", json!({"StackName": "new"})).1,
        "Stack with id new does not exist"
    );
    let deleted = cloud.get("DescribeStacks", json!({"StackName": id}));
    assert_eq!(deleted["Stacks"][0]["StackStatus"], "DELETE_COMPLETE");
    let listed = cloud.get("ListStacks", json!({"StackStatusFilter": ["DELETE_COMPLETE"]}));
    assert_eq!(listed["StackSummaries"][0]["StackName"], "new");
}
