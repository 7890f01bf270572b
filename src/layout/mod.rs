//! The two naming layouts as data: every stack, service, parameter, alarm and log group name that
//! bpctl uses comes from here.

pub(crate) mod alarms;
mod bundles;
mod fleets;
mod generation;
mod ids;
mod images;
mod inventory;
mod names;
mod patterns;
mod secrets;

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{CtlError, Result};

pub(crate) use generation::Generation;
pub(crate) use ids::{
    AccountId, BundleId, FleetId, FleetName, ImageId, InstanceId, InvalidName, PoolName, SecurityGroupId,
    SeederClass, Slug, Stage, SubnetId,
};
pub(crate) use images::{BUILDS, Build, PLATFORM};
use names::{Names, SINGLE, STAGED};
pub(crate) use secrets::{SecretEntry, SecretRole, Store};

/// Which of the two naming schemes an account uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LayoutKind {
    /// One core system; stages exist for GPU fleets only.
    #[default]
    Single,
    /// The whole system once per stage.
    Staged,
}

impl LayoutKind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Staged => "staged",
        }
    }
}

impl fmt::Display for LayoutKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for LayoutKind {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "single" => Ok(Self::Single),
            "staged" => Ok(Self::Staged),
            other => Err(format!(
                "`{other}` is not a layout: expected `single` or `staged`"
            )),
        }
    }
}

/// The two halves of the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum App {
    Backend,
    Frontend,
}

impl App {
    /// As it is typed.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Backend => "backend",
            Self::Frontend => "frontend",
        }
    }
}

/// The four alarms of a fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FleetAlarm {
    /// For people to see: it has no action in the single layout.
    QueueHasJobs,
    /// Scales to zero, also when the metrics fall silent.
    QueueEmpty,
    ErrorRate,
    QueueDeep,
}

impl FleetAlarm {
    pub(crate) const ALL: [Self; 4] = [
        Self::QueueHasJobs,
        Self::QueueEmpty,
        Self::ErrorRate,
        Self::QueueDeep,
    ];

    /// `{fs}` and `{slug}` as everywhere; the same in both layouts.
    fn pattern(self) -> &'static str {
        match self {
            Self::QueueHasJobs => "{fs}-{slug}-queue-has-jobs",
            Self::QueueEmpty => "{fs}-{slug}-queue-empty",
            Self::ErrorRate => "{fs}-p2-{slug}-error-rate",
            Self::QueueDeep => "{fs}-p3-{slug}-queue-deep",
        }
    }
}

/// Namespace of the fleet metrics that the backend's scheduler publishes once a minute.
pub(crate) const FLEET_NAMESPACE: &str = "ComfyUI/Workers";

/// What a secret holds after the first deployment until somebody fills it in.
pub(crate) const DEPLOYED_PLACEHOLDER: &str = "CHANGE_ME_AFTER_DEPLOY";

/// The names of one platform: a layout, a prefix and, where the layout has one, a stage.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    kind: LayoutKind,
    prefix: String,
    stage: Option<Stage>,
}

impl Layout {
    /// The names of a layout.
    ///
    /// # Errors
    /// The staged layout needs a stage.
    pub(crate) fn new(kind: LayoutKind, prefix: &str, stage: Option<Stage>) -> Result<Self> {
        if kind == LayoutKind::Staged && stage.is_none() {
            return Err(
                CtlError::config("resolve names in the staged layout: no stage is set")
                    .hint("give `--stage staging` or `--stage production`, or set `stage` in the context"),
            );
        }
        Ok(Self {
            kind,
            prefix: prefix.to_owned(),
            stage,
        })
    }

    /// What every name begins with.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    pub(crate) fn kind(&self) -> LayoutKind {
        self.kind
    }

    /// The stage that was asked for: the system's in the staged layout, a filter for fleets in the single one.
    pub(crate) fn stage(&self) -> Option<Stage> {
        self.stage
    }

    fn names(&self) -> &'static Names {
        match self.kind {
            LayoutKind::Single => &SINGLE,
            LayoutKind::Staged => &STAGED,
        }
    }

    fn fill(&self, pattern: &str) -> String {
        pattern
            .replace("{p}", &self.prefix)
            .replace("{s}", self.stage.map_or("", Stage::as_str))
    }

    fn fill_fleet(&self, pattern: &str, fleet: &FleetId) -> String {
        self.fill(pattern)
            .replace("{fs}", fleet.stage.as_str())
            .replace("{slug}", fleet.slug.as_ref())
    }

    /// Stack names in deploy order.
    pub(crate) fn core_stacks(&self) -> Vec<String> {
        self.names()
            .core_stacks
            .iter()
            .map(|(_, pattern)| self.fill(pattern))
            .collect()
    }

    /// The core stack with the given role, e.g. `data`; `None` when the layout has no such stack.
    pub(crate) fn core_stack(&self, role: &str) -> Option<String> {
        self.names()
            .core_stacks
            .iter()
            .find(|(name, _)| *name == role)
            .map(|(_, pattern)| self.fill(pattern))
    }

    /// The roles of the core stacks in deploy order.
    pub(crate) fn stack_roles(&self) -> Vec<&'static str> {
        self.names().core_stacks.iter().map(|(role, _)| *role).collect()
    }

    pub(crate) fn fleet_stack(&self, fleet: &FleetId) -> String {
        self.fill_fleet(self.names().fleet_stack, fleet)
    }

    pub(crate) fn cluster(&self) -> String {
        self.fill(self.names().cluster)
    }

    pub(crate) fn service(&self, app: App) -> String {
        self.fill(match app {
            App::Backend => self.names().backend,
            App::Frontend => self.names().frontend,
        })
    }

    /// Task definition families carry the names of their services.
    pub(crate) fn task_family(&self, app: App) -> String {
        self.service(app)
    }

    pub(crate) fn repository(&self, app: App) -> String {
        self.fill(match app {
            App::Backend => self.names().backend_repository,
            App::Frontend => self.names().frontend_repository,
        })
    }

    /// The tags that the services pull.
    pub(crate) fn service_tags(app: App) -> &'static [&'static str] {
        match app {
            App::Backend => &["nginx-latest", "php-latest"],
            App::Frontend => &["latest"],
        }
    }

    pub(crate) fn log_group(&self, app: App) -> String {
        self.fill(match app {
            App::Backend => self.names().backend_logs,
            App::Frontend => self.names().frontend_logs,
        })
    }

    pub(crate) fn fleet_log_group(&self, fleet: &FleetId) -> String {
        self.fill_fleet(self.names().fleet_logs, fleet)
    }

    pub(crate) fn auto_scaling_group(&self, fleet: &FleetId) -> String {
        self.fill_fleet(self.names().auto_scaling_group, fleet)
    }

    /// The fleet that owns an Auto Scaling group of this name, if it is a fleet's at all.
    pub(crate) fn fleet_of_group(&self, group: &str) -> Option<FleetId> {
        Stage::ALL.into_iter().find_map(|stage| {
            let slug: Slug = group.strip_prefix(&format!("asg-{stage}-"))?.parse().ok()?;
            let fleet = FleetId { stage, slug };
            (self.auto_scaling_group(&fleet) == group).then_some(fleet)
        })
    }

    pub(crate) fn launch_template(&self, fleet: &FleetId) -> String {
        self.fill_fleet(self.names().launch_template, fleet)
    }

    /// The parameter that names the instance profile of builders of images, where the layout has one.
    pub(crate) fn packer_profile_parameter(&self) -> Option<String> {
        let mut all = self.parameters().into_iter();
        all.find(|(role, _)| *role == "packer-instance-profile")
            .map(|(_, name)| name)
    }

    /// The name of a machine image for a fleet or workflow, made at `stamp`; packer names them likewise.
    pub(crate) fn machine_image_name(&self, slug: &str, stamp: &str) -> String {
        format!("{}-comfyui-{slug}-{stamp}", self.prefix)
    }

    pub(crate) fn ami_parameter(&self, fleet: &FleetId) -> String {
        self.fill_fleet(self.names().ami_parameter, fleet)
    }

    pub(crate) fn active_bundle_parameter(&self, fleet: &FleetId) -> String {
        self.fill_fleet(self.names().active_bundle_parameter, fleet)
    }

    pub(crate) fn desired_config_parameter(&self, fleet: &FleetId) -> Option<String> {
        self.names()
            .desired_config_parameter
            .map(|pattern| self.fill_fleet(pattern, fleet))
    }

    /// Whether the fleet is held: bpctl's own parameter, beside the fleet's others.
    pub(crate) fn hold_parameter(&self, fleet: &FleetId) -> String {
        self.fill_fleet(self.names().hold_parameter, fleet)
    }

    /// Where bpctl keeps the master credentials of a database that outlives its stack: a secret of its own.
    pub(crate) fn kept_credentials(&self, database: &str) -> String {
        format!("/{}/kept/{database}/master-credentials", self.prefix)
    }

    /// What the platform had before it was shut down: bpctl's own parameter.
    pub(crate) fn shutdown_parameter(&self) -> String {
        self.fill(self.names().shutdown_parameter)
    }

    pub(crate) fn fleet_secret_parameter(&self, stage: Stage) -> String {
        self.fill(self.names().fleet_secret_parameter)
            .replace("{fs}", stage.as_str())
    }

    /// Role and name of every Secrets Manager secret.
    pub(crate) fn secrets(&self) -> Vec<(&'static str, String)> {
        self.names()
            .secrets
            .iter()
            .map(|(role, pattern)| (*role, self.fill(pattern)))
            .collect()
    }

    /// Role and name of the SSM parameters that belong to no fleet.
    pub(crate) fn parameters(&self) -> Vec<(&'static str, String)> {
        self.names()
            .parameters
            .iter()
            .map(|(role, pattern)| (*role, self.fill(pattern)))
            .collect()
    }

    /// The paths that every parameter of the platform is under.
    pub(crate) fn parameter_paths(&self) -> Vec<String> {
        let prefix = &self.prefix;
        match self.stage.filter(|_| self.kind == LayoutKind::Staged) {
            None => vec![format!("/{prefix}")],
            // Images belong to both stages.
            Some(stage) => vec![format!("/{prefix}/{}", stage.as_str()), format!("/{prefix}/ami")],
        }
    }

    pub(crate) fn buckets(&self, account: &AccountId) -> Vec<(&'static str, String)> {
        self.names()
            .buckets
            .iter()
            .map(|(role, pattern)| (*role, self.fill(pattern).replace("{acct}", account.as_ref())))
            .collect()
    }

    pub(crate) fn ops_topic(&self) -> String {
        self.fill(self.names().ops_topic)
    }

    pub(crate) fn scale_to_zero_topic(&self) -> String {
        self.fill(self.names().scale_to_zero_topic)
    }

    pub(crate) fn dashboard(&self) -> String {
        self.fill(self.names().dashboard)
    }

    pub(crate) fn platform_alarms(&self) -> Vec<String> {
        let prefix = self.fill(self.names().platform_alarm_prefix);
        self.names()
            .platform_alarms
            .iter()
            .map(|name| format!("{prefix}{name}"))
            .collect()
    }

    pub(crate) fn fleet_alarm(&self, alarm: FleetAlarm, fleet: &FleetId) -> String {
        self.fill_fleet(alarm.pattern(), fleet)
    }

    /// Name and value of the dimensions of a fleet's metrics.
    pub(crate) fn metric_dimensions(&self, fleet: &FleetId) -> Vec<(&'static str, String)> {
        self.names()
            .metric_dimensions
            .iter()
            .map(|(name, pattern)| (*name, self.fill_fleet(pattern, fleet)))
            .collect()
    }

    /// The containers of a service's tasks (platform task definitions).
    pub(crate) fn containers(app: App) -> &'static [&'static str] {
        match app {
            App::Backend => &["nginx", "php-fpm", "scheduler", "queue-worker"],
            App::Frontend => &["nextjs"],
        }
    }

    /// The awslogs stream prefix of a container (platform task definitions); the container's own name otherwise.
    pub(crate) fn log_stream_prefix(container: &str) -> &str {
        match container {
            "php-fpm" => "php",
            "queue-worker" => "queue",
            other => other,
        }
    }
}

#[cfg(test)]
mod tests;
