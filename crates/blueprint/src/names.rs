//! What everything is called: once per layout, as data.
//!
//! Placeholders: `{p}` the prefix, `{s}` the stage of the whole system (staged layout), `{what}` a part of it, `{acct}`
//! the account, `{fs}` and `{slug}` stage and slug of a fleet.

use serde_json::{Value, json};

use crate::alarm::dimension;
use crate::settings::{Fleet, Layout, Settings, Stage};

/// The patterns of one layout.
#[derive(Debug)]
struct Patterns {
    /// Cluster and dashboard.
    system: &'static str,
    /// Stacks, services, task families, topics, load balancer.
    core: &'static str,
    repository: &'static str,
    service_logs: &'static str,
    /// Secrets and parameters.
    path: &'static str,
    bucket: &'static str,
    /// An alarm of the platform itself.
    alarm: &'static str,
    /// The stack that holds a fleet.
    fleet_stack: &'static str,
    fleet_secret: &'static str,
    /// Stages whose fleets the backend knows, each with the variable that tells it their secret; `{s}` is the system's.
    fleet_secrets: FleetSecrets,
    active_bundle: &'static str,
    image: &'static str,
    /// The parameters of all fleets that the backend reads and writes, below [`path`](Self::path).
    pointers: &'static [&'static str],
    /// Every Auto Scaling group of the platform.
    any_group: &'static str,
    /// What the logical ids of a fleet begin with, before CloudFormation's letters are left.
    construct: &'static str,
    /// The word for the group in the logical ids of a fleet, that for its launch template, and that for its steps.
    group_construct: &'static str,
    launch_construct: &'static str,
    steps_construct: &'static str,
    /// The dimensions of a fleet's metrics.
    dimensions: &'static [(&'static str, &'static str)],
    /// Tags of a fleet's group and of its instances.
    fleet_tags: &'static [(&'static str, &'static str)],
    /// Tags of every stack, and those that stacks with fleets have besides.
    tags: &'static [(&'static str, &'static str)],
    gpu_tags: &'static [(&'static str, &'static str)],
}

/// Which secrets of fleets a platform has.
#[derive(Clone, Copy, Debug)]
enum FleetSecrets {
    /// One for each stage, in a variable that ends with the stage.
    EachStage,
    /// That of the platform's own stage.
    OwnStage,
}

const SINGLE: Patterns = Patterns {
    system: "{p}",
    core: "{p}-{what}",
    repository: "{p}-{what}",
    service_logs: "/ecs/{p}-{what}",
    path: "/{p}/{what}",
    bucket: "{p}-{what}-{acct}",
    alarm: "{what}",
    fleet_stack: "{p}-gpu-fleet-{fs}-{slug}",
    fleet_secret: "/{p}/fleets/{fs}/fleet-secret",
    fleet_secrets: FleetSecrets::EachStage,
    active_bundle: "/{p}/fleets/{fs}/{slug}/active_bundle",
    image: "/{p}/ami/fleets/{fs}/{slug}",
    pointers: &["fleets/*/active_bundle", "fleets/*/desired_config"],
    any_group: "asg-*",
    construct: "Fleet-{slug}",
    group_construct: "AsgSpot",
    launch_construct: "LtSpot",
    steps_construct: "QueueDepthStepScaleOut",
    dimensions: &[("FleetSlug", "{slug}"), ("Stage", "{fs}")],
    // No tag says the stage: the group's name does.
    fleet_tags: &[
        ("FleetSlug", "{slug}"),
        ("CapacityType", "spot"),
        ("Project", "{p}"),
        ("DeploymentModel", "single-system-fleet-stages"),
        ("Service", "gpu-fleet"),
    ],
    tags: &[
        ("Project", "{p}"),
        ("DeploymentModel", "single-system-fleet-stages"),
    ],
    gpu_tags: &[("Service", "gpu-fleet")],
};

const STAGED: Patterns = Patterns {
    system: "{p}-{s}",
    core: "{p}-{s}-{what}",
    repository: "{p}-{what}-{s}",
    service_logs: "/ecs/{p}-{what}-{s}",
    path: "/{p}/{s}/{what}",
    bucket: "{p}-{what}-{acct}-{s}",
    alarm: "{s}-{what}",
    fleet_stack: "{p}-{fs}-gpu",
    fleet_secret: "/{p}/{fs}/fleet-secret",
    fleet_secrets: FleetSecrets::OwnStage,
    active_bundle: "/{p}/{fs}/assets/{slug}/active_bundle",
    image: "/{p}/ami/{slug}",
    pointers: &["assets/*/active_bundle"],
    any_group: "asg-{s}-*",
    construct: "Wf-{slug}",
    group_construct: "Asg",
    launch_construct: "Lt",
    steps_construct: "StepScale",
    dimensions: &[("WorkflowSlug", "{slug}")],
    fleet_tags: &[
        ("WorkflowSlug", "{slug}"),
        ("CapacityType", "spot"),
        ("Project", "{p}"),
        ("Stage", "{fs}"),
        ("Service", "gpu"),
    ],
    tags: &[("Project", "{p}"), ("Stage", "{s}")],
    gpu_tags: &[("Service", "gpu")],
};

/// The names of one platform.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names<'a> {
    patterns: &'static Patterns,
    prefix: &'a str,
    account: &'a str,
    /// That of the system, in the staged layout.
    stage: Stage,
}

impl<'a> Names<'a> {
    pub(crate) fn of(settings: &'a Settings) -> Self {
        Self {
            patterns: match settings.layout {
                Layout::Single => &SINGLE,
                Layout::Staged => &STAGED,
            },
            prefix: &settings.prefix,
            account: &settings.account,
            stage: settings.environment,
        }
    }

    fn fill(self, pattern: &str, what: &str) -> String {
        pattern
            .replace("{p}", self.prefix)
            .replace("{s}", self.stage.as_str())
            .replace("{acct}", self.account)
            .replace("{what}", what)
    }

    fn fill_fleet(self, pattern: &str, fleet: &Fleet) -> String {
        self.fill(pattern, "")
            .replace("{fs}", fleet.stage.as_str())
            .replace("{slug}", &fleet.slug)
    }

    /// Cluster and dashboard.
    pub(crate) fn system(self) -> String {
        self.fill(self.patterns.system, "")
    }

    /// Stacks, services and topics.
    pub(crate) fn core(self, what: &str) -> String {
        self.fill(self.patterns.core, what)
    }

    /// `backend` or `frontend`.
    pub(crate) fn repository(self, what: &str) -> String {
        self.fill(self.patterns.repository, what)
    }

    /// An alarm of the platform itself.
    pub(crate) fn alarm(self, what: &str) -> String {
        self.fill(self.patterns.alarm, what)
    }

    pub(crate) fn fleet_stack(self, fleet: &Fleet) -> String {
        self.fill_fleet(self.patterns.fleet_stack, fleet)
    }

    /// Secrets and parameters: `/bp/<what>`.
    pub(crate) fn path(self, what: &str) -> String {
        self.fill(self.patterns.path, what)
    }

    pub(crate) fn fleet_secret(self, stage: Stage) -> String {
        self.fill(self.patterns.fleet_secret, "")
            .replace("{fs}", stage.as_str())
    }

    /// The stages whose fleets the backend knows, each with the variable that holds its secret and with what the logical
    /// id of its parameter ends with.
    pub(crate) fn fleet_secrets(self) -> Vec<(Stage, String, &'static str)> {
        const VARIABLE: &str = "COMFYUI_FLEET_SECRET";
        match self.patterns.fleet_secrets {
            FleetSecrets::EachStage => Stage::ALL
                .into_iter()
                .map(|stage| {
                    let variable = format!("{VARIABLE}_{}", stage.as_str().to_ascii_uppercase());
                    (stage, variable, stage.as_str())
                })
                .collect(),
            FleetSecrets::OwnStage => vec![(self.stage, VARIABLE.to_owned(), "")],
        }
    }

    pub(crate) fn active_bundle(self, fleet: &Fleet) -> String {
        self.fill_fleet(self.patterns.active_bundle, fleet)
    }

    /// The parameters of every fleet that the backend reads and writes, with `*` for the fleet.
    pub(crate) fn pointers(self) -> Vec<String> {
        let patterns = self.patterns.pointers.iter();
        patterns.map(|what| self.path(what)).collect()
    }

    pub(crate) fn image(self, fleet: &Fleet) -> String {
        self.fill_fleet(self.patterns.image, fleet)
    }

    pub(crate) fn bucket(self, what: &str) -> String {
        self.fill(self.patterns.bucket, what)
    }

    /// `backend` or `frontend`.
    pub(crate) fn service_logs(self, what: &str) -> String {
        self.fill(self.patterns.service_logs, what)
    }

    /// The groups of all fleets, with a `*`.
    pub(crate) fn any_group(self) -> String {
        self.fill(self.patterns.any_group, "")
    }

    /// The dimensions of a fleet's metrics.
    pub(crate) fn dimensions(self, fleet: &Fleet) -> Value {
        let dimensions = self.patterns.dimensions.iter();
        dimensions
            .map(|(name, value)| dimension(name, json!(self.fill_fleet(value, fleet))))
            .collect()
    }

    /// The same as CloudWatch's dashboards write them: names and values in turn.
    pub(crate) fn flat_dimensions(self, fleet: &Fleet) -> Vec<Value> {
        let dimensions = self.patterns.dimensions.iter();
        dimensions
            .flat_map(|(name, value)| [json!(name), json!(self.fill_fleet(value, fleet))])
            .collect()
    }

    /// The tags of a fleet's group, key and value.
    pub(crate) fn fleet_tags(self, fleet: &Fleet) -> Vec<(&'static str, String)> {
        let tags = self.patterns.fleet_tags.iter();
        tags.map(|(key, value)| (*key, self.fill_fleet(value, fleet)))
            .collect()
    }

    /// The tags of a stack, key and value.
    pub(crate) fn tags(self, holds_fleets: bool) -> Vec<(&'static str, String)> {
        let more = if holds_fleets { self.patterns.gpu_tags } else { &[] };
        let tags = self.patterns.tags.iter().chain(more);
        tags.map(|(key, value)| (*key, self.fill(value, ""))).collect()
    }

    /// The logical id of a part of a fleet: the words of its path without what CloudFormation does not allow, and eight
    /// digits that tell equal ones apart.
    ///
    /// What Auto Scaling and CloudWatch show of a fleet carries these ids in its names, so they are those that the
    /// platform's fleets have.
    pub(crate) fn logical(self, fleet: &Fleet, path: &[&str]) -> String {
        let construct = self.fill_fleet(self.patterns.construct, fleet);
        let path = [&[construct.as_str()], path].concat();
        let words: String = path
            .iter()
            .flat_map(|word| word.chars())
            .filter(char::is_ascii_alphanumeric)
            .collect();
        format!("{words}{}", digits(&path.join("/")))
    }

    /// The words for a fleet's group and for its launch template in logical ids, and that for its steps.
    pub(crate) fn constructs(self) -> Constructs {
        Constructs {
            group: self.patterns.group_construct,
            launch: self.patterns.launch_construct,
            steps: self.patterns.steps_construct,
        }
    }
}

/// Words in the logical ids of a fleet's parts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Constructs {
    pub(crate) group: &'static str,
    pub(crate) launch: &'static str,
    pub(crate) steps: &'static str,
}

pub(crate) fn group(fleet: &Fleet) -> String {
    format!("asg-{}-{}", fleet.stage.as_str(), fleet.slug)
}

pub(crate) fn launch_template(fleet: &Fleet) -> String {
    format!("lt-{}-{}", fleet.stage.as_str(), fleet.slug)
}

/// The log group of a fleet's workers. Its name says neither prefix nor stage.
pub(crate) fn fleet_logs(slug: &str) -> String {
    format!("/gpu-workers/{slug}")
}

/// The letters and digits of a slug, which is what logical ids of outputs may have of it.
pub(crate) fn letters(slug: &str) -> String {
    slug.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// Eight digits of a text, the same ones every time (FNV-1a).
pub(crate) fn digits(text: &str) -> String {
    let hash = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    format!("{hash:08X}")
}
