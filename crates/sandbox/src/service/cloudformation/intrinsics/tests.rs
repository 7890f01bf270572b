use super::*;
use crate::options::Options;

fn evaluated(template: Value, value: Value) -> Result<Option<Value>, String> {
    let world = World::new(Options::default());
    let document = Document(template);
    let parameters = BTreeMap::from([
        ("Stage".to_owned(), "staging".to_owned()),
        ("Zones".to_owned(), "a, b".to_owned()),
    ]);
    let find = |logical: &str, attribute: Option<&str>| match attribute {
        None => Ok(json!(format!("<{logical}>"))),
        Some(attribute) => Ok(json!(format!("<{logical}.{attribute}>"))),
    };
    Scope::new(&world, &document, "s", "arn:s", &parameters, &find).value(&value)
}

fn value(value: Value) -> Value {
    let template = json!({
        "Parameters": { "Stage": { "Type": "String" }, "Zones": { "Type": "CommaDelimitedList" } },
        "Mappings": { "Sizes": { "staging": { "max": "2" } } },
        "Conditions": {
            "Staging": { "Fn::Equals": [{ "Ref": "Stage" }, "staging"] },
            "Other": { "Fn::Not": [{ "Condition": "Staging" }] },
            "Both": { "Fn::And": [{ "Condition": "Staging" }, { "Condition": "Other" }] },
            "Either": { "Fn::Or": [{ "Condition": "Staging" }, { "Condition": "Other" }] },
        },
    });
    evaluated(template, value).unwrap().unwrap()
}

#[test]
fn functions_make_what_the_reference_says() {
    for (function, made) in [
        (json!({ "Ref": "Stage" }), json!("staging")),
        (json!({ "Ref": "Zones" }), json!(["a", "b"])),
        (json!({ "Ref": "AWS::Region" }), json!("us-east-1")),
        (json!({ "Ref": "AWS::StackName" }), json!("s")),
        (json!({ "Ref": "Queue" }), json!("<Queue>")),
        (json!({ "Fn::GetAtt": ["Queue", "Arn"] }), json!("<Queue.Arn>")),
        (json!({ "Fn::GetAtt": "Queue.Arn" }), json!("<Queue.Arn>")),
        (
            json!({ "Fn::Sub": "${AWS::AccountId}/${Stage}/${Queue}/${Queue.Arn}/${!Kept}" }),
            json!("123456789012/staging/<Queue>/<Queue.Arn>/${Kept}"),
        ),
        (
            json!({ "Fn::Sub": ["${own}-${Stage}", { "own": { "Ref": "Queue" } }] }),
            json!("<Queue>-staging"),
        ),
        (
            json!({ "Fn::Join": ["-", ["a", { "Ref": "Stage" }]] }),
            json!("a-staging"),
        ),
        (json!({ "Fn::Join": [":", { "Ref": "Zones" }] }), json!("a:b")),
        (json!({ "Fn::Split": ["|", "a||c"] }), json!(["a", "", "c"])),
        (json!({ "Fn::Select": ["1", ["a", "b"]] }), json!("b")),
        (
            json!({ "Fn::Select": [0, { "Fn::GetAZs": "" }] }),
            json!("us-east-1a"),
        ),
        (json!({ "Fn::Base64": "hi" }), json!("aGk=")),
        (
            json!({ "Fn::FindInMap": ["Sizes", { "Ref": "Stage" }, "max"] }),
            json!("2"),
        ),
        (json!({ "Fn::If": ["Staging", 1, 2] }), json!(1)),
        (json!({ "Fn::If": ["Other", 1, 2] }), json!(2)),
        (json!({ "Fn::If": ["Both", 1, 2] }), json!(2)),
        (json!({ "Fn::If": ["Either", 1, 2] }), json!(1)),
        (
            json!([{ "Ref": "AWS::NoValue" }, "kept", { "Fn::If": ["Other", "x", { "Ref": "AWS::NoValue" }] }]),
            json!(["kept"]),
        ),
        (
            json!({ "a": { "Ref": "AWS::NoValue" }, "b": 1 }),
            json!({ "b": 1 }),
        ),
        (
            json!({ "Fn::ImportValue": { "Fn::Sub": "bp-scale-to-zero-topic-arn" } }),
            json!("arn:aws:sns:us-east-1:123456789012:bp-scale-to-zero"),
        ),
        // A property of this name is no function.
        (
            json!({ "Condition": { "StringEquals": 1 } }),
            json!({ "Condition": { "StringEquals": 1 } }),
        ),
    ] {
        assert_eq!(value(function.clone()), made, "{function}");
    }
}

#[test]
fn what_cannot_be_carried_out_is_told_in_the_words_of_cloudformation() {
    let refused = |function: Value| evaluated(json!({}), function).unwrap_err();
    assert_eq!(
        refused(json!({ "Fn::ImportValue": "none" })),
        "No export named none found"
    );
    assert_eq!(
        refused(json!({ "Fn::Select": [2, ["a"]] })),
        "Template error: Fn::Select cannot select nonexistent value at index 2"
    );
    assert_eq!(
        refused(json!({ "Fn::FindInMap": ["m", "a", "b"] })),
        "Template error: Unable to get mapping for m::a::b"
    );
}
