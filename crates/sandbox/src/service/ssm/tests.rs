//! Parameter Store as its callers see it.

use serde_json::{Value, json};

use crate::error::ApiError;
use crate::options::Options;
use crate::service::Service;
use crate::world::World;

fn world() -> World {
    World::new(Options::default())
}

fn call(world: &mut World, operation: &str, input: Value) -> Value {
    world.call(Service::Ssm, operation, &input).unwrap()
}

fn fails(world: &mut World, operation: &str, input: Value) -> ApiError {
    world.call(Service::Ssm, operation, &input).unwrap_err()
}

#[test]
fn a_parameter_needs_a_type_once_and_overwrite_ever_after() {
    let mut world = world();
    let input = json!({"Name": "/t/a", "Value": "1"});
    assert_eq!(
        fails(&mut world, "PutParameter", input).code,
        "ValidationException"
    );
    let input = json!({"Name": "/t/a", "Value": "1", "Type": "String"});
    assert_eq!(call(&mut world, "PutParameter", input.clone())["Version"], 1);
    assert_eq!(
        fails(&mut world, "PutParameter", input).code,
        "ParameterAlreadyExists"
    );
    let input = json!({"Name": "/t/a", "Value": "2", "Overwrite": true});
    assert_eq!(call(&mut world, "PutParameter", input)["Version"], 2);
    let shown = call(&mut world, "GetParameter", json!({"Name": "/t/a"}));
    assert_eq!(shown["Parameter"]["Value"], "2");
    assert_eq!(
        shown["Parameter"]["ARN"],
        "arn:aws:ssm:us-east-1:123456789012:parameter/t/a"
    );
}

#[test]
fn versions_and_labels_select() {
    let mut world = world();
    for value in ["one", "two", "three"] {
        let input = json!({"Name": "/t/a", "Value": value, "Type": "String", "Overwrite": true});
        call(&mut world, "PutParameter", input);
    }
    let label = json!({"Name": "/t/a", "ParameterVersion": 1, "Labels": ["previous", "1st"]});
    assert_eq!(
        call(&mut world, "LabelParameterVersion", label)["InvalidLabels"],
        json!(["1st"])
    );
    let read = |world: &mut World, name: &str| {
        call(world, "GetParameter", json!({"Name": name}))["Parameter"]["Value"].clone()
    };
    assert_eq!(read(&mut world, "/t/a:2"), "two");
    assert_eq!(read(&mut world, "/t/a:previous"), "one");
    // A label is at one version at a time.
    let label = json!({"Name": "/t/a", "ParameterVersion": 2, "Labels": ["previous"]});
    call(&mut world, "LabelParameterVersion", label);
    assert_eq!(read(&mut world, "/t/a:previous"), "two");
    let history = call(&mut world, "GetParameterHistory", json!({"Name": "/t/a"}));
    let labels: Vec<_> = history["Parameters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v["Labels"].clone())
        .collect();
    assert_eq!(labels, [json!([]), json!(["previous"]), json!([])]);
    assert_eq!(
        fails(&mut world, "GetParameter", json!({"Name": "/t/a:9"})).code,
        "ParameterVersionNotFound"
    );
}

#[test]
fn an_image_parameter_holds_an_ami_id() {
    let mut world = world();
    let put = |value: &str| json!({"Name": "/t/ami", "Value": value, "Type": "String", "DataType": "aws:ec2:image", "Overwrite": true});
    assert_eq!(
        fails(&mut world, "PutParameter", put("ubuntu-22.04")).code,
        "ValidationException"
    );
    call(&mut world, "PutParameter", put("ami-0123456789abcdef0"));
    let shown = call(&mut world, "GetParameter", json!({"Name": "/t/ami"}));
    assert_eq!(shown["Parameter"]["DataType"], "aws:ec2:image");
    // No parameter becomes one, and none ceases to be one.
    for (name, from, to) in [
        ("/t/ami", "aws:ec2:image", "text"),
        ("/t/text", "text", "aws:ec2:image"),
    ] {
        let put = |kind: &str| json!({"Name": name, "Value": "ami-0123456789abcdef0", "Type": "String", "DataType": kind, "Overwrite": true});
        call(&mut world, "PutParameter", put(from));
        assert_eq!(
            fails(&mut world, "PutParameter", put(to)).code,
            "ValidationException"
        );
    }
}

#[test]
fn a_batch_takes_ten_names_and_lists_the_invalid_ones() {
    let mut world = world();
    let input = json!({"Name": "/t/a", "Value": "1", "Type": "String"});
    call(&mut world, "PutParameter", input);
    let batch = call(&mut world, "GetParameters", json!({"Names": ["/t/a", "/t/none"]}));
    assert_eq!(batch["InvalidParameters"], json!(["/t/none"]));
    let names: Vec<String> = (0..11).map(|n| format!("/t/{n}")).collect();
    let error = fails(&mut world, "GetParameters", json!({"Names": names}));
    assert_eq!(error.code, "ValidationException");
    assert!(
        error.message.contains("less than or equal to 10"),
        "{}",
        error.message
    );
}

#[test]
fn a_path_is_read_in_pages_of_ten() {
    let mut world = world();
    for n in 0..12 {
        let input = json!({"Name": format!("/t/deep/{n:02}"), "Value": "1", "Type": "String"});
        call(&mut world, "PutParameter", input);
    }
    let flat = call(&mut world, "GetParametersByPath", json!({"Path": "/t"}));
    assert_eq!(flat["Parameters"], json!([]));
    let first = call(
        &mut world,
        "GetParametersByPath",
        json!({"Path": "/t/", "Recursive": true}),
    );
    assert_eq!(first["Parameters"].as_array().unwrap().len(), 10);
    let next = json!({"Path": "/t/", "Recursive": true, "NextToken": first["NextToken"]});
    let second = call(&mut world, "GetParametersByPath", next);
    assert_eq!(second["Parameters"].as_array().unwrap().len(), 2);
    assert_eq!(second["NextToken"], Value::Null);
    let error = fails(
        &mut world,
        "GetParametersByPath",
        json!({"Path": "/t", "MaxResults": 11}),
    );
    assert_eq!(error.code, "ValidationException");
}

#[test]
fn a_secret_is_ciphertext_until_it_is_decrypted() {
    let mut world = world();
    let input = json!({"Name": "/t/s", "Value": "hunter2", "Type": "SecureString"});
    call(&mut world, "PutParameter", input);
    let read = |world: &mut World, decrypt: bool| {
        let input = json!({"Name": "/t/s", "WithDecryption": decrypt});
        call(world, "GetParameter", input)["Parameter"]["Value"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert!(!read(&mut world, false).contains("hunter2"));
    assert_eq!(read(&mut world, true), "hunter2");
}

#[test]
fn names_and_sizes_are_checked() {
    let mut world = world();
    let put = |name: &str, value: String| json!({"Name": name, "Value": value, "Type": "String"});
    let code = |world: &mut World, input| fails(world, "PutParameter", input).code;
    assert_eq!(code(&mut world, put("t/a", "1".into())), "ValidationException");
    assert_eq!(
        code(&mut world, put("/aws/x", "1".into())),
        "AccessDeniedException"
    );
    assert_eq!(
        code(&mut world, put("/t/a", "x".repeat(4097))),
        "ValidationException"
    );
    let mut advanced = put("/t/a", "x".repeat(4097));
    advanced["Tier"] = json!("Advanced");
    assert_eq!(call(&mut world, "PutParameter", advanced)["Tier"], "Advanced");
}

#[test]
fn filters_narrow_a_description() {
    let mut world = world();
    for name in ["/t/one", "/t/two", "/u/one"] {
        call(
            &mut world,
            "PutParameter",
            json!({"Name": name, "Value": "1", "Type": "String"}),
        );
    }
    let filter = json!({"ParameterFilters": [{"Key": "Name", "Option": "Contains", "Values": ["t/o"]}]});
    let found = call(&mut world, "DescribeParameters", filter);
    assert_eq!(found["Parameters"][0]["Name"], "/t/one");
    assert_eq!(found["Parameters"].as_array().unwrap().len(), 1);
    let wrong = json!({"ParameterFilters": [{"Key": "Colour", "Values": ["red"]}]});
    assert_eq!(
        fails(&mut world, "DescribeParameters", wrong).code,
        "InvalidFilterKey"
    );
}
