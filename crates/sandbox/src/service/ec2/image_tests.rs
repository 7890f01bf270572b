//! Images: made over time, deregistered, and their snapshots.

use serde_json::{Value, json};

use crate::service::Service;
use crate::service::operator::Operator;

const IMAGE: &str = "DescribeImages";

fn ec2(operator: &mut Operator, operation: &str, input: Value) -> Value {
    operator.call(Service::Ec2, operation, &input)
}

fn code(operator: &mut Operator, operation: &str, input: Value) -> String {
    operator.refused(Service::Ec2, operation, &input).code
}

/// An instance that runs, started by hand.
fn builder(operator: &mut Operator) -> String {
    let images = ec2(operator, IMAGE, json!({"Owners": ["self"]}));
    let input = json!({
        "ImageId": images["Images"][0]["ImageId"], "InstanceType": "g4dn.xlarge", "MinCount": 1, "MaxCount": 1,
        "BlockDeviceMappings": [{"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": 150, "Encrypted": true}}],
    });
    let started = ec2(operator, "RunInstances", input);
    started["Instances"][0]["InstanceId"]
        .as_str()
        .expect("an id")
        .to_owned()
}

#[test]
fn an_image_is_pending_until_its_snapshot_is_copied() {
    let mut operator = Operator::under(&[]);
    let id = builder(&mut operator);
    let wanted = json!({"InstanceId": id, "Name": "baked-1"});
    assert_eq!(
        code(&mut operator, "CreateImage", wanted.clone()),
        "IncorrectInstanceState",
        "it is pending"
    );
    operator.wait(60);
    let tags = json!([{"Key": "FleetSlug", "Value": "a"}]);
    let input = json!({
        "InstanceId": id, "Name": "baked-1",
        "TagSpecifications": [{"ResourceType": "image", "Tags": tags}, {"ResourceType": "snapshot", "Tags": tags}],
    });
    let image = ec2(&mut operator, "CreateImage", input)["ImageId"].clone();
    assert_eq!(
        code(&mut operator, "CreateImage", wanted),
        "InvalidAMIName.Duplicate"
    );
    let shown = ec2(&mut operator, IMAGE, json!({"ImageIds": [image]}))["Images"][0].clone();
    assert_eq!((&shown["State"], &shown["Tags"]), (&json!("pending"), &tags));
    let volume = &shown["BlockDeviceMappings"][0]["Ebs"];
    assert_eq!(
        (&volume["VolumeSize"], &volume["Encrypted"]),
        (&json!(150), &json!(true))
    );
    let run = json!({"ImageId": image, "InstanceType": "g4dn.xlarge", "MinCount": 1, "MaxCount": 1});
    assert_eq!(
        code(&mut operator, "RunInstances", run.clone()),
        "InvalidAMIID.NotFound"
    );
    let snapshot = json!({"SnapshotIds": [volume["SnapshotId"]]});
    let shown = ec2(&mut operator, "DescribeSnapshots", snapshot.clone())["Snapshots"][0].clone();
    assert_eq!((&shown["State"], &shown["Tags"]), (&json!("pending"), &tags));
    operator.wait(600);
    let shown = ec2(&mut operator, IMAGE, json!({"ImageIds": [image]}))["Images"][0].clone();
    assert_eq!(shown["State"], "available");
    let shown = ec2(&mut operator, "DescribeSnapshots", snapshot)["Snapshots"][0].clone();
    assert_eq!(
        (&shown["State"], &shown["Progress"]),
        (&json!("completed"), &json!("100%"))
    );
    ec2(&mut operator, "RunInstances", run);
}

#[test]
fn a_snapshot_stays_as_long_as_its_image_and_neither_goes_twice() {
    let mut operator = Operator::under(&[]);
    let images = ec2(&mut operator, IMAGE, json!({"Owners": ["self"]}));
    let image = json!({"ImageId": images["Images"][0]["ImageId"]});
    let snapshot = images["Images"][0]["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"].clone();
    let snapshot = json!({"SnapshotId": snapshot});
    assert_eq!(
        code(&mut operator, "DeleteSnapshot", snapshot.clone()),
        "InvalidSnapshot.InUse"
    );
    ec2(&mut operator, "DeregisterImage", image.clone());
    assert_eq!(
        code(&mut operator, "DeregisterImage", image.clone()),
        "InvalidAMIID.Unavailable"
    );
    let named = json!({"ImageIds": [image["ImageId"]]});
    assert_eq!(code(&mut operator, IMAGE, named), "InvalidAMIID.NotFound");
    ec2(&mut operator, "DeleteSnapshot", snapshot.clone());
    assert_eq!(
        code(&mut operator, "DeleteSnapshot", snapshot),
        "InvalidSnapshot.NotFound"
    );
    // A parameter that names it again does not bring it back.
    let put = json!({
        "Name": "/bp/ami/fleets/staging/gpu-default", "Value": image["ImageId"], "DataType": "aws:ec2:image", "Overwrite": true,
    });
    operator.call(Service::Ssm, "PutParameter", &put);
    let all = ec2(&mut operator, IMAGE, json!({}));
    assert!(
        all["Images"]
            .as_array()
            .is_some_and(|all| all.iter().all(|one| one["ImageId"] != image["ImageId"]))
    );
}

#[test]
fn an_image_of_an_instance_that_is_gone_or_of_a_bad_name_is_refused() {
    let mut operator = Operator::under(&[]);
    let id = builder(&mut operator);
    operator.wait(60);
    for name in ["ab", "a:b", &"x".repeat(129)] {
        let input = json!({"InstanceId": id, "Name": name});
        assert_eq!(
            code(&mut operator, "CreateImage", input),
            "InvalidAMIName.Malformed",
            "{name}"
        );
    }
    ec2(&mut operator, "TerminateInstances", json!({"InstanceIds": [id]}));
    let input = json!({"InstanceId": id, "Name": "baked"});
    assert_eq!(
        code(&mut operator, "CreateImage", input),
        "IncorrectInstanceState"
    );
    let input = json!({"InstanceId": "i-0123456789abcdef0", "Name": "baked"});
    assert_eq!(
        code(&mut operator, "CreateImage", input),
        "InvalidInstanceID.NotFound"
    );
}
