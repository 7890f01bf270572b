use serde_json::{Value, json};

use crate::options::Options;
use crate::scenario::Scenario;
use crate::service::Service;
use crate::world::World;

fn ask(world: &mut World, operation: &str, input: &Value) -> Value {
    world.call(Service::Ec2, operation, input).unwrap()
}

fn list<'a>(answer: &'a Value, name: &str) -> &'a [Value] {
    answer[name].as_array().map_or(&[], Vec::as_slice)
}

#[test]
fn the_instances_are_those_of_the_groups() {
    let mut world = World::new(Options::default());
    let named = json!({"AutoScalingGroupNames": ["asg-production-gpu-default"]});
    let groups = world
        .call(Service::AutoScaling, "DescribeAutoScalingGroups", &named)
        .unwrap();
    let members = list(&groups["AutoScalingGroups"][0], "Instances").to_vec();
    assert!(!members.is_empty());
    let ids: Vec<&Value> = members.iter().map(|member| &member["InstanceId"]).collect();
    let answer = ask(&mut world, "DescribeInstances", &json!({"InstanceIds": ids}));
    let shown = list(&answer, "Reservations");
    assert_eq!(shown.len(), members.len());
    for (reservation, member) in shown.iter().zip(&members) {
        let instance = &reservation["Instances"][0];
        assert_eq!(instance["InstanceId"], member["InstanceId"]);
        assert_eq!(instance["InstanceType"], member["InstanceType"]);
        assert_eq!(
            instance["Placement"]["AvailabilityZone"],
            member["AvailabilityZone"]
        );
    }
    let filter =
        json!({"Filters": [{"Name": "tag:aws:autoscaling:groupName", "Values": ["asg-production-*"]}]});
    assert_eq!(
        list(&ask(&mut world, "DescribeInstances", &filter), "Reservations").len(),
        members.len()
    );
    let images = json!({"ImageIds": [shown[0]["Instances"][0]["ImageId"]], "Owners": ["self"]});
    assert_eq!(
        list(&ask(&mut world, "DescribeImages", &images), "Images").len(),
        1
    );
}

#[test]
fn an_id_that_nothing_has_and_a_filter_that_is_none_are_refused() {
    let mut world = World::new(Options::default());
    let mut code = |operation, input| world.call(Service::Ec2, operation, &input).unwrap_err().code;
    let none = json!({"InstanceIds": ["i-0123456789abcdef0"]});
    assert_eq!(code("DescribeInstances", none), "InvalidInstanceID.NotFound");
    let odd = json!({"Filters": [{"Name": "colour", "Values": ["blue"]}]});
    assert_eq!(code("DescribeVpcs", odd), "InvalidParameterValue");
    assert_eq!(code("DescribeVpcs", json!({"DryRun": true})), "DryRunOperation");
}

#[test]
fn the_rule_that_lets_the_backend_to_its_database_can_be_missing() {
    let rules = |scenarios: &[Scenario]| {
        let mut world = World::new(Options {
            scenarios: scenarios.iter().copied().collect(),
            ..Options::default()
        });
        let group = world.services.facts.database_security_group.clone();
        let answer = ask(
            &mut world,
            "DescribeSecurityGroups",
            &json!({"GroupIds": [group]}),
        );
        list(&answer["SecurityGroups"][0], "IpPermissions").to_vec()
    };
    let healthy = rules(&[]);
    assert_eq!(healthy[0]["FromPort"], 3306);
    assert!(healthy[0]["UserIdGroupPairs"][0]["GroupId"].is_string());
    assert_eq!(rules(&[Scenario::RdsRefused]), [] as [Value; 0]);
}

#[test]
fn the_network_hangs_together() {
    let mut world = World::new(Options::default());
    let own = json!({"Filters": [{"Name": "is-default", "Values": ["false"]}]});
    let vpc = ask(&mut world, "DescribeVpcs", &own)["Vpcs"][0]["VpcId"].clone();
    let within = json!({"Filters": [{"Name": "vpc-id", "Values": [vpc]}]});
    let answer = ask(&mut world, "DescribeSubnets", &within);
    let blocks: Vec<&str> = list(&answer, "Subnets")
        .iter()
        .filter_map(|subnet| subnet["CidrBlock"].as_str())
        .collect();
    assert_eq!(
        blocks,
        [
            "10.0.0.0/24",
            "10.0.1.0/24",
            "10.0.4.0/22",
            "10.0.8.0/22",
            "10.0.12.0/24",
            "10.0.13.0/24"
        ]
    );
    let gateway = ask(&mut world, "DescribeNatGateways", &json!({}))["NatGateways"][0].clone();
    let address = &gateway["NatGatewayAddresses"][0];
    let through = json!({"Filters": [{"Name": "route.nat-gateway-id", "Values": [gateway["NatGatewayId"]]}]});
    assert_eq!(
        list(&ask(&mut world, "DescribeRouteTables", &through), "RouteTables").len(),
        2
    );
    let elastic = json!({"AllocationIds": [address["AllocationId"]]});
    assert_eq!(
        ask(&mut world, "DescribeAddresses", &elastic)["Addresses"][0]["PublicIp"],
        address["PublicIp"]
    );
    let interface = json!({"NetworkInterfaceIds": [address["NetworkInterfaceId"]]});
    let interface = ask(&mut world, "DescribeNetworkInterfaces", &interface);
    assert_eq!(
        interface["NetworkInterfaces"][0]["PrivateIpAddress"],
        address["PrivateIp"]
    );
}

/// A dev instance's request, in the default VPC.
fn wanted(world: &mut World, token: &str) -> Value {
    let by_default = json!({"Filters": [{"Name": "default-for-az", "Values": ["true"]}]});
    let subnet = ask(world, "DescribeSubnets", &by_default)["Subnets"][0]["SubnetId"].clone();
    let made = json!({"GroupName": format!("dev {token}"), "Description": "d"});
    let group = ask(world, "CreateSecurityGroup", &made)["GroupId"].clone();
    let owners = json!({"Owners": ["self"]});
    let image = ask(world, "DescribeImages", &owners)["Images"][0]["ImageId"].clone();
    let script = "#!/bin/sh\nshutdown -h +60\n";
    json!({
        "MinCount": 1, "MaxCount": 1, "ClientToken": token, "ImageId": image, "InstanceType": "g4dn.xlarge",
        "UserData": base64::Engine::encode(&base64::engine::general_purpose::STANDARD, script),
        "IamInstanceProfile": {"Name": world.services.facts.packer_profile},
        "NetworkInterfaces": [
            {"DeviceIndex": 0, "SubnetId": subnet, "Groups": [group], "AssociatePublicIpAddress": true},
        ],
        "TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "comfyui-dev"}]}],
    })
}

fn state(world: &mut World, id: &Value) -> String {
    let shown = ask(world, "DescribeInstances", &json!({"InstanceIds": [id]}));
    let name = &shown["Reservations"][0]["Instances"][0]["State"]["Name"];
    name.as_str().unwrap_or_default().to_owned()
}

fn pass(world: &mut World, seconds: u64) {
    let to = world.now + std::time::Duration::from_secs(seconds);
    world.advance(to);
}

#[test]
fn a_token_starts_one_instance_however_often_it_is_sent() {
    let mut world = World::new(Options::default());
    let request = wanted(&mut world, "once");
    let first = ask(&mut world, "RunInstances", &request);
    let again = ask(&mut world, "RunInstances", &request);
    assert_eq!(
        first["Instances"][0]["InstanceId"],
        again["Instances"][0]["InstanceId"]
    );
    let dev = json!({"Filters": [{"Name": "tag:Name", "Values": ["comfyui-dev"]}]});
    assert_eq!(
        list(&ask(&mut world, "DescribeInstances", &dev), "Reservations").len(),
        1
    );
    let mut other = request.clone();
    other["InstanceType"] = json!("g5.xlarge");
    let refused = world.call(Service::Ec2, "RunInstances", &other).unwrap_err();
    assert_eq!(refused.code, "IdempotentParameterMismatch");
}

#[test]
fn an_instance_runs_stops_by_its_own_clock_and_is_forgotten_an_hour_after_its_end() {
    let mut world = World::new(Options::default());
    let request = wanted(&mut world, "life");
    let id = ask(&mut world, "RunInstances", &request)["Instances"][0]["InstanceId"].clone();
    let named = json!({"InstanceIds": [id]});
    assert_eq!(state(&mut world, &id), "pending");
    let refused = world.call(Service::Ec2, "StopInstances", &named).unwrap_err();
    assert_eq!(refused.code, "IncorrectInstanceState");
    pass(&mut world, 30);
    let shown = ask(&mut world, "DescribeInstances", &named);
    let instance = &shown["Reservations"][0]["Instances"][0];
    assert_eq!(instance["State"]["Name"], "running");
    assert!(instance["PublicIpAddress"].is_string());
    let group = instance["SecurityGroups"][0]["GroupId"].clone();
    pass(&mut world, 3620);
    assert_eq!(state(&mut world, &id), "stopped");
    let shown = ask(&mut world, "DescribeInstances", &named);
    assert!(shown["Reservations"][0]["Instances"][0]["PublicIpAddress"].is_null());
    let deletion = json!({"GroupId": group});
    let refused = world
        .call(Service::Ec2, "DeleteSecurityGroup", &deletion)
        .unwrap_err();
    assert_eq!(refused.code, "DependencyViolation");
    ask(&mut world, "TerminateInstances", &named);
    assert_eq!(state(&mut world, &id), "shutting-down");
    pass(&mut world, 60);
    assert_eq!(state(&mut world, &id), "terminated");
    ask(&mut world, "DeleteSecurityGroup", &deletion);
    pass(&mut world, 3700);
    let refused = world.call(Service::Ec2, "DescribeInstances", &named).unwrap_err();
    assert_eq!(refused.code, "InvalidInstanceID.NotFound");
}

#[test]
fn what_cannot_be_started_has_the_codes_of_ec2() {
    let mut world = World::new(Options::default());
    let sound = wanted(&mut world, "codes");
    let facts = world.services.facts.gpu_security_group.clone();
    let mut code = |change: &dyn Fn(&mut Value)| {
        let mut request = sound.clone();
        change(&mut request);
        world
            .call(Service::Ec2, "RunInstances", &request)
            .unwrap_err()
            .code
    };
    assert_eq!(
        code(&|r| r["ImageId"] = json!("ami-00000000000000000")),
        "InvalidAMIID.NotFound"
    );
    assert_eq!(code(&|r| r["ImageId"] = json!("none")), "InvalidAMIID.Malformed");
    assert_eq!(
        code(&|r| r["InstanceType"] = json!("g9.huge")),
        "InvalidParameterValue"
    );
    assert_eq!(
        code(&|r| r["IamInstanceProfile"] = json!({"Name": "none"})),
        "InvalidParameterValue"
    );
    assert_eq!(
        code(&|r| r["SubnetId"] = json!("subnet-1")),
        "InvalidParameterCombination"
    );
    assert_eq!(
        code(&|r| r["NetworkInterfaces"][0]["Groups"] = json!([facts])),
        "InvalidParameter"
    );
    assert_eq!(
        code(&|r| r["NetworkInterfaces"][0]["Groups"] = json!(["sg-1"])),
        "InvalidGroup.NotFound"
    );
    assert_eq!(
        code(&|r| r["NetworkInterfaces"][0]["SubnetId"] = json!("s")),
        "InvalidSubnetID.NotFound"
    );
    assert_eq!(code(&|r| r["UserData"] = json!("&")), "InvalidUserData.Malformed");
    assert_eq!(code(&|r| r["DryRun"] = json!(true)), "DryRunOperation");
}

#[test]
fn rules_come_and_go() {
    let mut world = World::new(Options::default());
    let made = json!({"GroupName": "dev", "Description": "d"});
    let id = ask(&mut world, "CreateSecurityGroup", &made)["GroupId"].clone();
    let refused = world
        .call(Service::Ec2, "CreateSecurityGroup", &made)
        .unwrap_err();
    assert_eq!(refused.code, "InvalidGroup.Duplicate");
    let rule = |range: &str| {
        let sources = json!([{"CidrIp": range}]);
        json!({"GroupId": id, "IpPermissions": [
            {"IpProtocol": "tcp", "FromPort": 8188, "ToPort": 8188, "IpRanges": sources},
        ]})
    };
    let mut code = |operation, input: &Value| world.call(Service::Ec2, operation, input).map_err(|e| e.code);
    assert!(code("AuthorizeSecurityGroupIngress", &rule("198.51.100.7/32")).is_ok());
    let again = code("AuthorizeSecurityGroupIngress", &rule("198.51.100.7/32"));
    assert_eq!(again.unwrap_err(), "InvalidPermission.Duplicate");
    let malformed = code("AuthorizeSecurityGroupIngress", &rule("198.51.100.7/24"));
    assert_eq!(malformed.unwrap_err(), "InvalidParameterValue");
    let shown = code("DescribeSecurityGroups", &json!({"GroupIds": [id]})).unwrap();
    assert_eq!(
        shown["SecurityGroups"][0]["IpPermissions"][0]["IpRanges"][0]["CidrIp"],
        "198.51.100.7/32"
    );
    let unknown = code("RevokeSecurityGroupIngress", &rule("203.0.113.0/24")).unwrap();
    assert_eq!(list(&unknown, "UnknownIpPermissions").len(), 1);
    assert!(code("RevokeSecurityGroupIngress", &rule("198.51.100.7/32")).is_ok());
    let shown = code("DescribeSecurityGroups", &json!({"GroupIds": [id]})).unwrap();
    assert_eq!(
        list(&shown["SecurityGroups"][0], "IpPermissions"),
        [] as [Value; 0]
    );
}
