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
