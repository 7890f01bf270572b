//! A stack with an ECS service, in an account without the platform.

use serde_json::{Value, json};

use super::tests::Cloud;
use crate::service::Service;

/// A service with what it stands on, in an account in which there is nothing.
fn service() -> Value {
    let role = json!({ "Statement": [{ "Effect": "Allow", "Principal": { "Service": "ecs-tasks.amazonaws.com" }, "Action": "sts:AssumeRole" }] });
    json!({ "Resources": {
        "Vpc": { "Type": "AWS::EC2::VPC", "Properties": { "CidrBlock": "10.0.0.0/16" } },
        "VpcprivateSubnet1": { "Type": "AWS::EC2::Subnet", "Properties": { "VpcId": { "Ref": "Vpc" }, "CidrBlock": "10.0.4.0/22" } },
        "VpcprivateSubnet2": { "Type": "AWS::EC2::Subnet", "Properties": { "VpcId": { "Ref": "Vpc" }, "CidrBlock": "10.0.8.0/22" } },
        "SgBackend": { "Type": "AWS::EC2::SecurityGroup", "Properties": { "GroupDescription": "b", "VpcId": { "Ref": "Vpc" } } },
        "Cluster": { "Type": "AWS::ECS::Cluster", "Properties": { "ClusterName": "bp" } },
        "Logs": { "Type": "AWS::Logs::LogGroup", "Properties": { "LogGroupName": "/ecs/made" } },
        "Role": { "Type": "AWS::IAM::Role", "Properties": { "AssumeRolePolicyDocument": role } },
        "Alb": { "Type": "AWS::ElasticLoadBalancingV2::LoadBalancer", "Properties": {
            "Name": "alb",
            "SecurityGroups": [{ "Fn::GetAtt": ["SgBackend", "GroupId"] }],
            "Subnets": [{ "Ref": "VpcprivateSubnet1" }, { "Ref": "VpcprivateSubnet2" }],
        } },
        "Targets": { "Type": "AWS::ElasticLoadBalancingV2::TargetGroup", "Properties": {
            "Name": "made", "Port": 80, "VpcId": { "Ref": "Vpc" }, "HealthCheckPath": "/up",
        } },
        "Http": { "Type": "AWS::ElasticLoadBalancingV2::Listener", "Properties": {
            "LoadBalancerArn": { "Ref": "Alb" }, "Port": 80,
            "DefaultActions": [{ "Type": "forward", "TargetGroupArn": { "Ref": "Targets" } }],
        } },
        "Task": { "Type": "AWS::ECS::TaskDefinition", "Properties": {
            "Family": "made", "Cpu": "256", "Memory": "512", "ExecutionRoleArn": { "Fn::GetAtt": ["Role", "Arn"] },
            "ContainerDefinitions": [{
                "Name": "web", "Image": "public.ecr.aws/none:latest", "Essential": true,
                "PortMappings": [{ "ContainerPort": 80 }],
                "LogConfiguration": { "LogDriver": "awslogs", "Options": {
                    "awslogs-group": { "Ref": "Logs" }, "awslogs-stream-prefix": "web",
                } },
            }],
        } },
        "Service": { "Type": "AWS::ECS::Service", "DependsOn": ["Http"], "Properties": {
            "ServiceName": "made", "Cluster": { "Ref": "Cluster" }, "TaskDefinition": { "Ref": "Task" }, "DesiredCount": 0,
            "LoadBalancers": [{ "ContainerName": "web", "ContainerPort": 80, "TargetGroupArn": { "Ref": "Targets" } }],
            "NetworkConfiguration": { "AwsvpcConfiguration": {
                "Subnets": [{ "Ref": "VpcprivateSubnet1" }], "SecurityGroups": [{ "Ref": "SgBackend" }],
            } },
        } },
    }, "Outputs": { "Dns": { "Value": { "Fn::GetAtt": ["Alb", "DNSName"] } } } })
}

#[test]
fn a_cluster_with_a_service_comes_into_an_empty_account_and_goes_again() {
    let mut cloud = Cloud(crate::world::World::new(crate::options::Options {
        empty: true,
        ..crate::options::Options::default()
    }));
    let end = cloud.deploy("made", "CREATE", &service());
    assert_eq!(end, "CREATE_COMPLETE", "{:#?}", cloud.events("made"));
    let input = json!({ "cluster": "bp", "services": ["made"] });
    let services = cloud.0.call(Service::Ecs, "DescribeServices", &input).unwrap();
    let made = &services["services"][0];
    assert_eq!(
        [&made["status"], &made["desiredCount"]],
        [&json!("ACTIVE"), &json!(0)]
    );
    let input = json!({ "taskDefinition": "made" });
    let task = cloud
        .0
        .call(Service::Ecs, "DescribeTaskDefinition", &input)
        .unwrap();
    let options = &task["taskDefinition"]["containerDefinitions"][0]["logConfiguration"]["options"];
    assert_eq!(options["awslogs-group"], "/ecs/made");
    let balancers = cloud
        .0
        .call(
            Service::Elb,
            "DescribeLoadBalancers",
            &json!({ "Names": ["alb"] }),
        )
        .unwrap();
    let stack = cloud.get("DescribeStacks", json!({ "StackName": "made" }));
    assert_eq!(
        stack["Stacks"][0]["Outputs"][0]["OutputValue"],
        balancers["LoadBalancers"][0]["DNSName"]
    );
    let vpcs = cloud.0.call(Service::Ec2, "DescribeVpcs", &json!({})).unwrap();
    assert!(
        vpcs["Vpcs"]
            .as_array()
            .unwrap()
            .iter()
            .any(|vpc| vpc["CidrBlock"] == "10.0.0.0/16")
    );
    cloud.get("DeleteStack", json!({ "StackName": "made" }));
    cloud.settle("made");
    assert!(
        super::find(&cloud.0, "made").is_none(),
        "{:#?}",
        cloud.events("made")
    );
    let clusters = cloud
        .0
        .call(Service::Ecs, "DescribeClusters", &json!({ "clusters": ["bp"] }))
        .unwrap();
    assert_eq!(clusters["failures"][0]["reason"], "MISSING");
    assert_eq!(crate::service::elb::dns_name(&cloud.0, "alb"), None);
}

/// "For existing services, if a desired count is not specified, it is omitted from the operation" (`AWS::ECS::Service`);
/// one that is stated goes along with whatever else changes.
#[test]
fn a_stated_count_is_set_again_with_every_change_and_an_unstated_one_stays() {
    let mut cloud = Cloud(crate::world::World::new(crate::options::Options {
        empty: true,
        ..crate::options::Options::default()
    }));
    assert_eq!(cloud.deploy("made", "CREATE", &service()), "CREATE_COMPLETE");
    let scaled = |cloud: &mut Cloud, template: &Value| {
        // No task of it can start, and none has to for this.
        crate::service::ecs::set_desired(&mut cloud.0, "made", 3);
        let end = cloud.deploy("made", "UPDATE", template);
        let count = crate::service::ecs::service::named(&cloud.0, "made")
            .unwrap()
            .desired;
        crate::service::ecs::set_desired(&mut cloud.0, "made", 0);
        (end, count)
    };
    let mut template = service();
    let minimum = |template: &mut Value, percent: u32| {
        template["Resources"]["Service"]["Properties"]["DeploymentConfiguration"] =
            json!({ "MinimumHealthyPercent": percent, "MaximumPercent": 200 });
    };
    minimum(&mut template, 50);
    assert_eq!(scaled(&mut cloud, &template), ("UPDATE_COMPLETE".to_owned(), 0));
    let properties = template["Resources"]["Service"]["Properties"].as_object_mut();
    properties.unwrap().remove("DesiredCount");
    assert_eq!(scaled(&mut cloud, &template).1, 3);
    minimum(&mut template, 40);
    assert_eq!(scaled(&mut cloud, &template).1, 3);
}
