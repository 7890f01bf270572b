//! What the platform is made from.

mod check;

use serde::{Deserialize, Serialize};

/// What every template is made from. [`Settings::problems`] says what is wrong with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Which names everything has, and which stacks there are.
    #[serde(default)]
    pub layout: Layout,
    /// What every name begins with.
    #[serde(default = "default_prefix")]
    pub prefix: String,
    /// The account, 12 digits. It is part of the buckets' names.
    pub account: String,
    /// The region, e.g. `us-east-1`.
    pub region: String,
    /// What the application believes to be its environment (`APP_ENV`). In the staged layout it is the stage of the
    /// whole system as well, and part of every name.
    #[serde(default = "default_environment")]
    pub environment: Stage,
    /// How large everything is.
    #[serde(default = "Sizes::single")]
    pub sizes: Sizes,
    /// Where people reach the platform; without it, at the load balancer's own name and without TLS.
    #[serde(default)]
    pub domain: Option<Domain>,
    /// Who gets the mail of alarms and of the budget.
    #[serde(default)]
    pub alert_email: Option<String>,
    /// The monthly budget in US dollars. It needs [`alert_email`](Self::alert_email) as well.
    #[serde(default)]
    pub monthly_budget_usd: Option<u32>,
    /// The value of the tag `Owner` on every stack.
    #[serde(default)]
    pub owner: Option<String>,
    /// The repository whose workflows may deploy.
    #[serde(default)]
    pub github: Option<GitHub>,
    /// What fleets are made from.
    #[serde(default = "FleetTemplate::in_use")]
    pub fleet_templates: Vec<FleetTemplate>,
    /// The fleets.
    #[serde(default)]
    pub fleets: Vec<Fleet>,
    /// Log groups that exist already, e.g. `/gpu-workers/gpu-default`, which outlives its stack. No stack
    /// makes them: CloudFormation refuses to create what exists.
    #[serde(default)]
    pub existing_log_groups: Vec<String>,
    /// Whether the templates repeat the platform's own choices where [the mended ones](crate#what-is-mended)
    /// differ.
    #[serde(default)]
    pub upstream_compatible: bool,
}

/// Which of the two layouts the platform has: its stacks and the names of everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// One core system; stages exist for GPU fleets only, and each fleet has a stack of its own.
    #[default]
    Single,
    /// The whole system once per stage, with all fleets of the stage in one stack.
    Staged,
}

impl Layout {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Single, Self::Staged];

    /// As it is written in settings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Staged => "staged",
        }
    }
}

/// The stage of a fleet, and the environment of the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// `staging`
    Staging,
    /// `production`
    Production,
}

impl Stage {
    /// Both, in the order of their names in the backend.
    pub const ALL: [Self; 2] = [Self::Staging, Self::Production];

    /// As it stands in names.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Staging => "staging",
            Self::Production => "production",
        }
    }

    /// For how many days logs of GPU workers are kept (runbook, "Log Groups & Retention").
    pub(crate) fn log_days(self) -> u32 {
        match self {
            Self::Staging => 7,
            Self::Production => 30,
        }
    }
}

/// A host name and the certificate for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Domain {
    /// The host name, without scheme, e.g. `app.example.com`.
    pub name: String,
    /// The ARN of a certificate of Certificate Manager, in the region of the load balancer.
    pub certificate_arn: String,
}

/// A repository of GitHub whose workflows take a role of the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GitHub {
    /// `owner/name`.
    pub repository: String,
    /// What follows the repository in the subject of the token, e.g. `ref:refs/heads/main` or
    /// `environment:production-infra`; `*` stands for all.
    #[serde(default = "any_subject")]
    pub subject: String,
    /// Whether the account has the identity provider already: it may have one for each address only.
    #[serde(default)]
    pub provider_exists: bool,
}

/// The size of a task of Fargate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskSize {
    /// CPU units, 1,024 to a vCPU.
    pub cpu: u32,
    /// Memory in MiB.
    pub memory: u32,
}

/// How large everything is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sizes {
    /// The class of the database instance.
    pub database_class: String,
    /// Whether the database has a standby in the second zone.
    pub database_multi_az: bool,
    /// The node type of Redis.
    pub cache_node_type: String,
    /// NAT gateways: 1, or 2 for one in each zone.
    pub nat_gateways: u32,
    /// The backend's task, all four containers together.
    pub backend: TaskSize,
    /// The frontend's task.
    pub frontend: TaskSize,
}

impl Sizes {
    /// Those of the one core system: as [`production`](Self::production), with one NAT gateway.
    #[must_use]
    pub fn single() -> Self {
        Self {
            nat_gateways: 1,
            ..Self::production()
        }
    }

    /// Those of a stage.
    #[must_use]
    pub fn of(stage: Stage) -> Self {
        match stage {
            Stage::Staging => Self::staging(),
            Stage::Production => Self::production(),
        }
    }

    /// Runbook, "Environment Presets", column "Staging".
    #[must_use]
    pub fn staging() -> Self {
        Self {
            database_class: "db.t4g.small".to_owned(),
            database_multi_az: false,
            cache_node_type: "cache.t4g.micro".to_owned(),
            nat_gateways: 1,
            backend: TaskSize {
                cpu: 512,
                memory: 1024,
            },
            frontend: TaskSize {
                cpu: 256,
                memory: 512,
            },
        }
    }

    /// Runbook, "Environment Presets", column "Production".
    #[must_use]
    pub fn production() -> Self {
        Self {
            database_class: "db.t4g.medium".to_owned(),
            database_multi_az: true,
            cache_node_type: "cache.t4g.small".to_owned(),
            nat_gateways: 2,
            backend: TaskSize {
                cpu: 1024,
                memory: 2048,
            },
            frontend: TaskSize {
                cpu: 512,
                memory: 1024,
            },
        }
    }
}

/// What fleets of one kind have in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FleetTemplate {
    /// What fleets name it by.
    pub template_slug: String,
    /// What people call it.
    pub display_name: String,
    /// The instance types that its fleets may have.
    pub allowed_instance_types: Vec<String>,
    /// The most instances.
    pub max_size: u32,
    /// How long a launched instance warms up, in seconds.
    pub warmup_seconds: u32,
    /// The jobs per instance that target tracking aims at, those that run included.
    pub backlog_target: u32,
    /// For how many minutes no job must be there before the fleet goes to zero.
    pub scale_to_zero_minutes: u32,
}

impl FleetTemplate {
    /// The two that are in use.
    #[must_use]
    pub fn in_use() -> Vec<Self> {
        let owned = |types: &[&str]| types.iter().map(|&name| name.to_owned()).collect();
        vec![
            Self {
                template_slug: "gpu-default".to_owned(),
                display_name: "GPU default".to_owned(),
                allowed_instance_types: owned(&["g4dn.xlarge", "g5.xlarge", "g6e.2xlarge"]),
                max_size: 10,
                warmup_seconds: 300,
                backlog_target: 2,
                scale_to_zero_minutes: 15,
            },
            Self {
                template_slug: "gpu-p-series".to_owned(),
                display_name: "GPU P series".to_owned(),
                allowed_instance_types: owned(&["p5.48xlarge"]),
                max_size: 1,
                warmup_seconds: 600,
                backlog_target: 2,
                scale_to_zero_minutes: 15,
            },
        ]
    }
}

/// A fleet of GPU workers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fleet {
    /// Its stage.
    pub stage: Stage,
    /// Its name within the stage.
    pub slug: String,
    /// The [`FleetTemplate::template_slug`] of its template.
    pub template_slug: String,
    /// Its one instance type, as the fleet's `desired_config` says it. In the staged layout the one that is preferred: the
    /// others of its template follow.
    pub instance_type: String,
}

impl Settings {
    /// The platform in the single layout, without domain, mail, budget and fleets.
    #[must_use]
    pub fn new(account: &str, region: &str) -> Self {
        Self {
            layout: Layout::Single,
            prefix: default_prefix(),
            account: account.to_owned(),
            region: region.to_owned(),
            environment: default_environment(),
            sizes: Sizes::single(),
            domain: None,
            alert_email: None,
            monthly_budget_usd: None,
            owner: None,
            github: None,
            fleet_templates: FleetTemplate::in_use(),
            fleets: Vec::new(),
            existing_log_groups: Vec::new(),
            upstream_compatible: false,
        }
    }

    /// The same in the staged layout, with the sizes of its stage.
    #[must_use]
    pub fn staged(account: &str, region: &str, stage: Stage) -> Self {
        Self {
            layout: Layout::Staged,
            environment: stage,
            sizes: Sizes::of(stage),
            ..Self::new(account, region)
        }
    }

    /// The template of a fleet.
    #[must_use]
    pub fn template_of(&self, fleet: &Fleet) -> Option<&FleetTemplate> {
        self.fleet_templates
            .iter()
            .find(|template| template.template_slug == fleet.template_slug)
    }

    /// The fleet for which a stack makes the log group `/gpu-workers/<slug>`, `None` where it exists already.
    ///
    /// Fleets of both stages may have one slug, and the name of the group does not say the stage. The production fleet
    /// makes it, for its retention is the longer one.
    #[must_use]
    pub fn log_group_owner(&self, slug: &str) -> Option<&Fleet> {
        let group = crate::names::fleet_logs(slug);
        if self.existing_log_groups.contains(&group) {
            return None;
        }
        let of_slug = self.fleets.iter().filter(|fleet| fleet.slug == slug);
        of_slug.max_by_key(|fleet| fleet.stage)
    }

    /// For how many days the logs of the services are kept. In the staged layout the stage says it (runbook, "Log Groups &
    /// Retention").
    pub(crate) fn service_log_days(&self) -> u32 {
        match self.layout {
            Layout::Single => 30,
            Layout::Staged => self.environment.log_days(),
        }
    }

    /// Whether database, buckets and the logs of workers outlive their stack. A system that is for trying things out is taken away as a whole
    /// (runbook, "Full teardown").
    pub(crate) fn keeps_data(&self) -> bool {
        self.layout == Layout::Single || self.environment == Stage::Production
    }

    /// Whether the platform answers with TLS.
    pub(crate) fn is_https(&self) -> bool {
        self.domain.is_some()
    }
}

fn default_prefix() -> String {
    "bp".to_owned()
}

fn default_environment() -> Stage {
    Stage::Production
}

fn any_subject() -> String {
    "*".to_owned()
}
