//! Nothing in a template refers to what is not there.

use std::collections::{BTreeMap, BTreeSet};

use blueprint::{LARGEST_TEMPLATE, Stack};
use serde_json::{Value, json};

use super::{full, made, plain, platforms};

/// Pseudo parameters (AWS CloudFormation User Guide).
const PSEUDO: [&str; 7] = [
    "AWS::AccountId",
    "AWS::NotificationARNs",
    "AWS::NoValue",
    "AWS::Partition",
    "AWS::Region",
    "AWS::StackName",
    "AWS::URLSuffix",
];

/// What dangles in stacks that are deployed in their order.
fn dangling(stacks: &[Stack]) -> Vec<String> {
    let mut found = Vec::new();
    let mut exports: BTreeMap<String, &str> = BTreeMap::new();
    let mut earlier: BTreeSet<&str> = BTreeSet::new();
    for stack in stacks {
        let mut say = |what: String| found.push(format!("{}: {what}", stack.name));
        for need in &stack.needs {
            if !earlier.contains(need.as_str()) {
                say(format!("needs {need}, which is not deployed before it"));
            }
        }
        let mut names: BTreeSet<&str> = PSEUDO.into();
        let resources = stack.template["Resources"].as_object().unwrap();
        names.extend(resources.keys().map(String::as_str));
        let mut references = Vec::new();
        walk(&stack.template, &mut references);
        for reference in references {
            match reference {
                Reference::Own(name) if !names.contains(name.as_str()) => {
                    say(format!("{name} is not in it"));
                }
                Reference::Import(name) => match exports.get(&name) {
                    None => say(format!("no stack before it exports {name}")),
                    Some(exporter) if !stack.needs.iter().any(|need| need == exporter) => {
                        say(format!("imports {name} and does not need {exporter}"));
                    }
                    Some(_) => {}
                },
                Reference::Map(keys) if stack.template["Mappings"].pointer(&keys).is_none() => {
                    say(format!("{keys} is not in its mappings"));
                }
                Reference::Own(_) | Reference::Map(_) => {}
            }
        }
        for output in stack.template["Outputs"].as_object().into_iter().flatten() {
            if let Some(name) = output.1["Export"]["Name"].as_str()
                && exports.insert(name.to_owned(), &stack.name).is_some()
            {
                say(format!("{name} is exported twice"));
            }
        }
        earlier.insert(&stack.name);
    }
    found
}

enum Reference {
    /// A resource of the template or a pseudo parameter.
    Own(String),
    Import(String),
    /// The keys of a value in the mappings, each after a `/`.
    Map(String),
}

fn walk(value: &Value, found: &mut Vec<Reference>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(item, found)),
        Value::Object(members) => {
            for (name, member) in members {
                match (name.as_str(), member) {
                    ("Ref", Value::String(name)) => found.push(Reference::Own(name.clone())),
                    ("Fn::GetAtt", Value::Array(parts)) => {
                        found.push(Reference::Own(parts[0].as_str().unwrap().to_owned()));
                    }
                    ("Fn::FindInMap", Value::Array(keys)) => {
                        let keys = keys.iter().map(|key| format!("/{}", key.as_str().unwrap()));
                        found.push(Reference::Map(keys.collect()));
                    }
                    ("Fn::ImportValue", Value::String(name)) => found.push(Reference::Import(name.clone())),
                    ("DependsOn", Value::Array(names)) => {
                        let names = names.iter().map(|name| name.as_str().unwrap().to_owned());
                        found.extend(names.map(Reference::Own));
                    }
                    ("Fn::Sub", Value::String(text)) => found.extend(inside(text, &json!({}))),
                    ("Fn::Sub", Value::Array(parts)) => {
                        found.extend(inside(parts[0].as_str().unwrap(), &parts[1]));
                        walk(&parts[1], found);
                    }
                    (_, member) => walk(member, found),
                }
            }
        }
        _ => {}
    }
}

/// What stands in `${…}` of a text and is none of its own values.
fn inside(text: &str, own: &Value) -> Vec<Reference> {
    let names = text.split("${").skip(1);
    names
        .map(|rest| rest.split_once('}').expect("`${` ends with `}`").0)
        .filter(|name| own.get(name).is_none())
        .map(|name| Reference::Own(name.split('.').next().unwrap_or(name).to_owned()))
        .collect()
}

#[test]
fn nothing_dangles_in_any_platform() {
    for settings in platforms() {
        assert_eq!(dangling(&made(&settings)), [] as [&str; 0]);
    }
}

#[test]
fn what_dangles_is_found() {
    let broken = |change: &dyn Fn(&mut Vec<Stack>)| {
        let mut stacks = made(&plain());
        change(&mut stacks);
        dangling(&stacks)
    };
    let with =
        |value: Value| broken(&|stacks| stacks[1].template["Resources"]["Vpc"]["Probe"] = value.clone());
    for value in [
        json!({ "Ref": "None" }),
        json!({ "Fn::GetAtt": ["None", "Arn"] }),
        json!({ "Fn::Sub": "a ${None.Arn} b" }),
        json!({ "Fn::Sub": ["${Here} ${None}", { "Here": "x" }] }),
        json!({ "Fn::Sub": ["${Here}", { "Here": { "Ref": "None" } }] }),
        json!([{ "DependsOn": ["None"] }]),
    ] {
        assert_eq!(with(value.clone()), ["bp-network: None is not in it"], "{value}");
    }
    assert_eq!(
        with(json!({ "Fn::FindInMap": ["A", "B", "C"] })),
        ["bp-network: /A/B/C is not in its mappings"]
    );
    assert_eq!(
        with(json!({ "Fn::ImportValue": "other" })),
        ["bp-network: no stack before it exports other"]
    );
    let unneeded = broken(&|stacks| stacks[2].needs.clear());
    assert!(
        unneeded[0].starts_with("bp-data: imports bp-network:ExportsOutput")
            && unneeded[0].ends_with("does not need bp-network"),
        "{unneeded:?}"
    );
    let late = broken(&|stacks| stacks.swap(1, 2));
    assert_eq!(
        late[0],
        "bp-data: needs bp-network, which is not deployed before it"
    );
    let twice = broken(&|stacks| {
        let again = Stack {
            name: "again".to_owned(),
            ..stacks[1].clone()
        };
        stacks.push(again);
    });
    assert!(
        twice.iter().all(|what| what.ends_with("is exported twice")) && !twice.is_empty(),
        "{twice:?}"
    );
}

#[test]
fn every_template_fits_into_a_request() {
    for settings in platforms() {
        for stack in made(&settings) {
            let size = stack.template.to_string().len();
            assert!(size <= LARGEST_TEMPLATE, "{}: {size} bytes", stack.name);
        }
    }
}

#[test]
fn the_same_settings_make_the_same_text() {
    let text = || -> Vec<String> {
        let stacks = made(&full());
        stacks.iter().map(|stack| stack.template.to_string()).collect()
    };
    assert_eq!(text(), text());
}

#[test]
fn no_logical_id_has_what_cloudformation_does_not_allow() {
    for settings in platforms() {
        for stack in made(&settings) {
            for section in ["Resources", "Outputs"] {
                for name in stack.template[section].as_object().into_iter().flatten() {
                    let name = name.0;
                    let sound = name.bytes().all(|byte| byte.is_ascii_alphanumeric());
                    assert!(sound && name.len() <= 255, "{}: {name}", stack.name);
                }
            }
        }
    }
}
