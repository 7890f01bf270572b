//! The verbs on a platform that bpctl's own templates have made, in an emulator that is not ours.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_cloudformation::types::{Capability, StackStatus};
use aws_sdk_ssm::types::ParameterType;
use blueprint::{Fleet, Settings, Sizes, Stage, stacks};
use serde_json::{Map, Value, json};
use tokio::time::{Instant, sleep_until};

use crate::engine::Program;
use crate::platform::{Layout, Platform, REGION, Run, client};
use crate::seed::{AMI, nginx_image, php_image};

/// What ministack refuses as "Unrecognized resource types", one in a line. It does not stand in the stacks then.
const UNKNOWN: &str = include_str!("../../crates/blueprint/tests/unknown_to_ministack.txt");

const LINE: &str = "Tenant pool: migrating tenant_pool_1";

fn stage(layout: Layout) -> Stage {
    match layout {
        Layout::Single => Stage::Production,
        Layout::Staged => Stage::Staging,
    }
}

fn settings(platform: &Platform) -> Settings {
    let stage = stage(platform.layout);
    let mut settings = match platform.layout {
        Layout::Single => Settings::new(&platform.account, REGION),
        Layout::Staged => Settings::staged(&platform.account, REGION, stage),
    };
    settings.sizes = Sizes::of(stage);
    settings.fleets = vec![Fleet {
        stage,
        slug: "gpu-default".to_owned(),
        template_slug: "gpu-default".to_owned(),
        instance_type: "g5.xlarge".to_owned(),
    }];
    settings
}

/// `value` without the resources `gone`; what refers to them is a text.
fn known(value: &Value, gone: &BTreeSet<String>) -> Value {
    let is_gone = |value: &Value| value.as_str().is_some_and(|name| gone.contains(name));
    match value {
        Value::Array(items) => {
            let left = items.iter().filter(|item| !is_gone(item));
            left.map(|item| known(item, gone)).collect()
        }
        Value::Object(members) => {
            if is_gone(&value["Ref"]) || is_gone(&value["Fn::GetAtt"][0]) {
                return json!("left-out");
            }
            let left = members.iter().filter(|(name, _)| !gone.contains(*name));
            let left = left.map(|(name, value)| (name.clone(), known(value, gone)));
            Value::Object(left.collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

/// An account in which every stack of the platform is complete.
async fn created(layout: Layout) -> Platform {
    let platform = Platform::empty(layout);
    platform.push(nginx_image(&platform));
    let migration = Program::job(
        "php artisan tenancy:pools-migrate",
        Duration::from_secs(1),
        0,
        &[LINE],
    );
    platform.push(php_image(&platform, Some(migration)));
    let pointer = match layout {
        Layout::Single => "/bp/ami/fleets/production/gpu-default",
        Layout::Staged => "/bp/ami/gpu-default",
    };
    client!(aws_sdk_ssm, platform)
        .put_parameter()
        .name(pointer)
        .value(AMI)
        .r#type(ParameterType::String)
        .data_type("aws:ec2:image")
        .send()
        .await
        .expect("a pointer");
    let cloudformation = client!(aws_sdk_cloudformation, platform);
    for stack in stacks(&settings(&platform)).expect("valid settings") {
        let resources = stack.template["Resources"].as_object().expect("resources");
        let gone = resources
            .iter()
            .filter(|(_, resource)| {
                resource["Type"]
                    .as_str()
                    .is_some_and(|kind| UNKNOWN.lines().any(|unknown| unknown == kind))
            })
            .map(|(name, _)| name.clone())
            .collect();
        cloudformation
            .create_stack()
            .stack_name(&stack.name)
            .template_body(known(&stack.template, &gone).to_string())
            .capabilities(Capability::CapabilityNamedIam)
            .send()
            .await
            .unwrap_or_else(|error| panic!("{}: {error:?}", stack.name));
        loop {
            let answer = cloudformation
                .describe_stacks()
                .stack_name(&stack.name)
                .send()
                .await;
            let stacks = answer.expect("stacks");
            match stacks.stacks()[0].stack_status().expect("a status") {
                StackStatus::CreateInProgress => {
                    sleep_until(Instant::now() + Duration::from_millis(100)).await
                }
                StackStatus::CreateComplete => break,
                other => panic!("{}: {other}", stack.name),
            }
        }
    }
    platform
}

async fn done(platform: &Platform, args: &[&str]) -> Run {
    let run = platform.bpctl(args).await;
    assert_eq!(run.status, 0, "{args:?} {}", run.text());
    run
}

/// What is to be found: nobody has pushed images or set the rest of the secrets, no scheduler publishes metrics, and
/// ministack does not say which alarms a scaling policy has.
const FOUND: [&str; 8] = [
    "BP-ALB-003",
    "BP-ALM-005",
    "BP-ECS-003",
    "BP-ECS-005",
    "BP-FLT-001",
    "BP-FLT-020",
    "BP-IMG-001",
    "BP-SEC-003",
];

async fn verbs_work(layout: Layout) {
    let platform = created(layout).await;
    let fleet = format!("{}/gpu-default", stage(layout).as_str());

    let listed = done(&platform, &["stack", "list", "-o", "json"]).await.json();
    let listed = listed["stacks"].as_array().expect("stacks").clone();
    let wanted = stacks(&settings(&platform)).expect("valid settings");
    assert_eq!(listed.len(), wanted.len(), "{listed:?}");
    let complete = |stack: &Value| stack["status"] == "CREATE_COMPLETE";
    assert!(listed.iter().all(complete), "{listed:?}");

    done(&platform, &["secrets", "set", "app-key", "--generate", "--yes"]).await;
    let secrets = done(&platform, &["secrets", "list", "-o", "json"]).await.json();
    let state = |name: &str| {
        let all = secrets["secrets"].as_array().expect("secrets");
        let one = all.iter().find(|secret| secret["name"] == name).expect("there");
        one["state"].clone()
    };
    assert_eq!(
        (state("app-key"), state("oauth")),
        (json!("set"), json!("placeholder"))
    );

    let migrated = done(&platform, &["migrate", "--yes"]).await;
    assert!(migrated.stderr.contains(LINE), "{}", migrated.text());

    let list = done(&platform, &["fleet", "list", "-o", "name"]).await;
    assert_eq!(list.stdout.trim(), fleet);
    let status = done(&platform, &["fleet", "status", &fleet, "-o", "json"])
        .await
        .json();
    assert_eq!(status["fleets"][0]["pointers"]["ami"]["value"], AMI, "{status}");

    let triage = platform.bpctl(&["triage", "-o", "json"]).await;
    assert_eq!(triage.status, 1, "{}", triage.text());
    let document = triage.json();
    let findings = document["findings"].as_array().expect("findings");
    let codes: BTreeSet<&str> = findings
        .iter()
        .filter_map(|finding| finding["code"].as_str())
        .collect();
    assert!(codes.contains("BP-SEC-003"), "{codes:?}");
    assert!(codes.iter().all(|code| FOUND.contains(code)), "{}", triage.text());
}

#[tokio::test]
async fn migrations_fleets_secrets_and_triage_work_on_our_own_templates() {
    for layout in [Layout::Single, Layout::Staged] {
        verbs_work(layout).await;
    }
}
