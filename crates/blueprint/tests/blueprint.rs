//! The templates, from the outside.

#[path = "blueprint/check.rs"]
mod check;
#[path = "blueprint/differences.rs"]
mod differences;
#[path = "blueprint/platform.rs"]
mod platform;
#[path = "blueprint/scaling.rs"]
mod scaling;
#[path = "blueprint/settings.rs"]
mod settings;
#[path = "blueprint/staged.rs"]
mod staged;
#[path = "blueprint/unchanged.rs"]
mod unchanged;

use blueprint::{Domain, Fleet, GitHub, Layout, Settings, Stack, Stage, stacks};
use serde_json::Value;

pub(crate) const REGION: &str = "us-east-1";

/// Without domain, with a fleet.
pub(crate) fn plain() -> Settings {
    let mut settings = Settings::new("123456789012", REGION);
    settings.fleets = vec![fleet(
        Stage::Production,
        "gpu-default",
        "gpu-default",
        "g4dn.xlarge",
    )];
    settings
}

/// With everything that can be asked for.
pub(crate) fn full() -> Settings {
    let mut settings = plain();
    settings.domain = Some(Domain {
        name: "app.example.com".to_owned(),
        certificate_arn: format!("arn:aws:acm:{REGION}:123456789012:certificate/5f3d2c1b"),
    });
    settings.alert_email = Some("ops@example.com".to_owned());
    settings.monthly_budget_usd = Some(500);
    settings.owner = Some("team-platform".to_owned());
    settings.github = Some(GitHub {
        repository: "example/platform".to_owned(),
        subject: "*".to_owned(),
        provider_exists: false,
    });
    settings.sizes.nat_gateways = 2;
    settings.fleets.insert(
        0,
        fleet(Stage::Staging, "gpu-default", "gpu-default", "g5.xlarge"),
    );
    settings
        .fleets
        .push(fleet(Stage::Production, "upscale", "gpu-p-series", "p5.48xlarge"));
    settings
}

pub(crate) fn fleet(stage: Stage, slug: &str, template: &str, instance_type: &str) -> Fleet {
    Fleet {
        stage,
        slug: slug.to_owned(),
        template_slug: template.to_owned(),
        instance_type: instance_type.to_owned(),
    }
}

pub(crate) fn upstream(settings: &Settings) -> Settings {
    Settings {
        upstream_compatible: true,
        ..settings.clone()
    }
}

/// A stage of the staged layout with a fleet.
pub(crate) fn staging() -> Settings {
    let mut settings = Settings::staged("123456789012", REGION, Stage::Staging);
    settings.fleets = vec![fleet(
        Stage::Staging,
        "image-to-video",
        "gpu-default",
        "g5.xlarge",
    )];
    settings
}

/// The same with everything that can be asked for.
pub(crate) fn staged_full() -> Settings {
    let mut settings = full();
    settings.layout = Layout::Staged;
    settings.fleets.retain(|fleet| fleet.stage == Stage::Production);
    settings
}

/// Every kind of platform that the tests look at.
pub(crate) fn platforms() -> Vec<Settings> {
    [plain(), full(), staging(), staged_full()]
        .into_iter()
        .flat_map(|settings| [upstream(&settings), settings])
        .collect()
}

pub(crate) fn made(settings: &Settings) -> Vec<Stack> {
    stacks(settings).unwrap()
}

pub(crate) fn stack(settings: &Settings, name: &str) -> Stack {
    made(settings)
        .into_iter()
        .find(|stack| stack.name == name)
        .unwrap_or_else(|| panic!("no stack `{name}`"))
}

/// The properties of the resources of a type, with their logical ids.
pub(crate) fn of_type<'a>(stack: &'a Stack, kind: &str) -> Vec<(&'a str, &'a Value)> {
    let resources = stack.template["Resources"].as_object().unwrap();
    resources
        .iter()
        .filter(|(_, resource)| resource["Type"] == kind)
        .map(|(logical, resource)| (logical.as_str(), &resource["Properties"]))
        .collect()
}

/// A resource with its attributes.
pub(crate) fn resource<'a>(stack: &'a Stack, logical: &str) -> &'a Value {
    let found = &stack.template["Resources"][logical];
    assert!(!found.is_null(), "{} has no {logical}", stack.name);
    found
}
