//! Every name of the platform, once per naming layout, as data.
//!
//! Placeholders: `{p}` the prefix (`bp`), `{s}` the stage of the whole system (staged layout),
//! `{fs}` and `{slug}` stage and slug of a GPU fleet, `{acct}` the account id.

/// The patterns of one layout.
#[derive(Debug)]
pub(crate) struct Names {
    /// Core stacks in the order in which they are deployed.
    pub(crate) core_stacks: &'static [(&'static str, &'static str)],
    /// The stack that holds a fleet.
    pub(crate) fleet_stack: &'static str,
    pub(crate) cluster: &'static str,
    /// ECS services and task families share their names.
    pub(crate) backend: &'static str,
    pub(crate) frontend: &'static str,
    pub(crate) backend_repository: &'static str,
    pub(crate) frontend_repository: &'static str,
    pub(crate) backend_logs: &'static str,
    pub(crate) frontend_logs: &'static str,
    pub(crate) fleet_logs: &'static str,
    pub(crate) auto_scaling_group: &'static str,
    pub(crate) launch_template: &'static str,
    pub(crate) ami_parameter: &'static str,
    pub(crate) active_bundle_parameter: &'static str,
    /// Absent where the fleet's configuration is compiled into the stack.
    pub(crate) desired_config_parameter: Option<&'static str>,
    /// Whether the fleet is held, and the holds before.
    pub(crate) hold_parameter: &'static str,
    /// What the platform had before it was shut down.
    pub(crate) shutdown_parameter: &'static str,
    pub(crate) fleet_secret_parameter: &'static str,
    pub(crate) secrets: &'static [(&'static str, &'static str)],
    pub(crate) parameters: &'static [(&'static str, &'static str)],
    pub(crate) buckets: &'static [(&'static str, &'static str)],
    pub(crate) ops_topic: &'static str,
    pub(crate) scale_to_zero_topic: &'static str,
    pub(crate) dashboard: &'static str,
    pub(crate) budget: &'static str,
    /// Put in front of each platform alarm.
    pub(crate) platform_alarm_prefix: &'static str,
    /// Alarms of the platform itself; the prefix goes in front.
    pub(crate) platform_alarms: &'static [&'static str],
    /// CloudWatch dimensions of a fleet's metrics, in the order the platform publishes them.
    pub(crate) metric_dimensions: &'static [(&'static str, &'static str)],
}

/// One core system; stages exist for GPU fleets only.
pub(crate) const SINGLE: Names = Names {
    core_stacks: &[
        ("cicd", "{p}-cicd"),
        ("network", "{p}-network"),
        ("data", "{p}-data"),
        ("compute", "{p}-compute"),
        ("monitoring", "{p}-monitoring"),
        ("gpu-shared", "{p}-gpu-shared"),
    ],
    fleet_stack: "{p}-gpu-fleet-{fs}-{slug}",
    cluster: "{p}",
    backend: "{p}-backend",
    frontend: "{p}-frontend",
    backend_repository: "{p}-backend",
    frontend_repository: "{p}-frontend",
    backend_logs: "/ecs/{p}-backend",
    frontend_logs: "/ecs/{p}-frontend",
    fleet_logs: "/gpu-workers/{slug}",
    auto_scaling_group: "asg-{fs}-{slug}",
    launch_template: "lt-{fs}-{slug}",
    ami_parameter: "/{p}/ami/fleets/{fs}/{slug}",
    active_bundle_parameter: "/{p}/fleets/{fs}/{slug}/active_bundle",
    desired_config_parameter: Some("/{p}/fleets/{fs}/{slug}/desired_config"),
    hold_parameter: "/{p}/fleets/{fs}/{slug}/hold",
    shutdown_parameter: "/{p}/shutdown",
    fleet_secret_parameter: "/{p}/fleets/{fs}/fleet-secret",
    secrets: &[
        ("app-key", "/{p}/laravel/app-key"),
        ("oauth", "/{p}/oauth/secrets"),
        ("asset-ops", "/{p}/asset-ops/secret"),
        ("rds", "/{p}/rds/master-credentials"),
        ("redis", "/{p}/redis/auth-token"),
    ],
    parameters: &[
        ("models-bucket", "/{p}/models/bucket"),
        ("redis-endpoint", "/{p}/redis/endpoint"),
        ("packer-instance-profile", "/{p}/packer/instance_profile"),
    ],
    buckets: &[
        ("media", "{p}-media-{acct}"),
        ("models", "{p}-models-{acct}"),
        ("logs", "{p}-logs-{acct}"),
        ("access-logs", "{p}-access-logs-{acct}"),
    ],
    ops_topic: "{p}-ops-alerts",
    scale_to_zero_topic: "{p}-scale-to-zero",
    dashboard: "{p}",
    budget: "{p}-monthly",
    platform_alarm_prefix: "",
    platform_alarms: &[
        "p1-alb-5xx-critical",
        "p1-backend-unhealthy-hosts",
        "p1-rds-cpu-critical",
        "p1-rds-storage-low",
        "p2-alb-5xx-warning",
        "p2-rds-cpu-warning",
    ],
    metric_dimensions: &[("FleetSlug", "{slug}"), ("Stage", "{fs}")],
};

/// The whole system once per stage.
pub(crate) const STAGED: Names = Names {
    core_stacks: &[
        ("cicd", "{p}-{s}-cicd"),
        ("network", "{p}-{s}-network"),
        ("data", "{p}-{s}-data"),
        ("compute", "{p}-{s}-compute"),
        ("gpu", "{p}-{s}-gpu"),
        ("monitoring", "{p}-{s}-monitoring"),
    ],
    fleet_stack: "{p}-{fs}-gpu",
    cluster: "{p}-{s}",
    backend: "{p}-{s}-backend",
    frontend: "{p}-{s}-frontend",
    backend_repository: "{p}-backend-{s}",
    frontend_repository: "{p}-frontend-{s}",
    backend_logs: "/ecs/{p}-backend-{s}",
    frontend_logs: "/ecs/{p}-frontend-{s}",
    fleet_logs: "/gpu-workers/{slug}",
    auto_scaling_group: "asg-{fs}-{slug}",
    launch_template: "lt-{fs}-{slug}",
    ami_parameter: "/{p}/ami/{slug}",
    active_bundle_parameter: "/{p}/{fs}/assets/{slug}/active_bundle",
    desired_config_parameter: None,
    hold_parameter: "/{p}/{fs}/assets/{slug}/hold",
    shutdown_parameter: "/{p}/{s}/shutdown",
    fleet_secret_parameter: "/{p}/{fs}/fleet-secret",
    secrets: &[
        ("app-key", "/{p}/{s}/laravel/app-key"),
        ("oauth", "/{p}/{s}/oauth/secrets"),
        ("asset-ops", "/{p}/{s}/asset-ops/secret"),
        ("rds", "/{p}/{s}/rds/master-credentials"),
        ("redis", "/{p}/{s}/redis/auth-token"),
    ],
    parameters: &[
        ("models-bucket", "/{p}/{s}/models/bucket"),
        ("redis-endpoint", "/{p}/{s}/redis/endpoint"),
    ],
    buckets: &[
        ("media", "{p}-media-{acct}-{s}"),
        ("models", "{p}-models-{acct}-{s}"),
        ("logs", "{p}-logs-{acct}-{s}"),
        ("access-logs", "{p}-access-logs-{acct}-{s}"),
    ],
    ops_topic: "{p}-{s}-ops-alerts",
    scale_to_zero_topic: "{p}-{s}-scale-to-zero",
    dashboard: "{p}-{s}",
    budget: "{p}-{s}-monthly",
    platform_alarm_prefix: "{s}-",
    platform_alarms: &[
        "p1-alb-5xx-critical",
        "p1-rds-cpu-critical",
        "p1-rds-storage-low",
        "p2-alb-5xx-warning",
        "p2-rds-cpu-warning",
    ],
    metric_dimensions: &[("WorkflowSlug", "{slug}")],
};
