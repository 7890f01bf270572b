//! Every name of the platform in both layouts, spelled out: the patterns must produce exactly these.

use super::*;

const ACCOUNT: &str = "123456789012";

fn single() -> Layout {
    Layout::new(LayoutKind::Single, "bp", None).unwrap()
}

fn staged() -> Layout {
    Layout::new(LayoutKind::Staged, "bp", Some(Stage::Staging)).unwrap()
}

fn fleet(text: &str) -> FleetId {
    text.parse().unwrap()
}

fn values(pairs: Vec<(&'static str, String)>) -> Vec<String> {
    pairs.into_iter().map(|(_, value)| value).collect()
}

#[test]
fn the_single_layout_core() {
    let layout = single();
    assert_eq!(
        layout.core_stacks(),
        [
            "bp-cicd",
            "bp-network",
            "bp-data",
            "bp-compute",
            "bp-monitoring",
            "bp-gpu-shared"
        ]
    );
    assert_eq!(layout.core_stack("data").as_deref(), Some("bp-data"));
    assert_eq!(layout.core_stack("gpu"), None);
    assert_eq!(layout.cluster(), "bp");
    assert_eq!(layout.service(App::Backend), "bp-backend");
    assert_eq!(layout.service(App::Frontend), "bp-frontend");
    assert_eq!(layout.task_family(App::Backend), "bp-backend");
    assert_eq!(layout.repository(App::Backend), "bp-backend");
    assert_eq!(layout.repository(App::Frontend), "bp-frontend");
    assert_eq!(layout.log_group(App::Backend), "/ecs/bp-backend");
    assert_eq!(layout.log_group(App::Frontend), "/ecs/bp-frontend");
    assert_eq!(
        values(layout.secrets()),
        [
            "/bp/laravel/app-key",
            "/bp/oauth/secrets",
            "/bp/asset-ops/secret",
            "/bp/rds/master-credentials",
            "/bp/redis/auth-token"
        ]
    );
    assert_eq!(
        values(layout.parameters()),
        [
            "/bp/models/bucket",
            "/bp/redis/endpoint",
            "/bp/packer/instance_profile"
        ]
    );
    assert_eq!(
        values(layout.buckets(&ACCOUNT.parse().unwrap())),
        [
            "bp-media-123456789012",
            "bp-models-123456789012",
            "bp-logs-123456789012",
            "bp-access-logs-123456789012"
        ]
    );
    assert_eq!(layout.ops_topic(), "bp-ops-alerts");
    assert_eq!(layout.scale_to_zero_topic(), "bp-scale-to-zero");
    assert_eq!(layout.dashboard(), "bp");
    assert_eq!(
        layout.platform_alarms(),
        [
            "p1-alb-5xx-critical",
            "p1-backend-unhealthy-hosts",
            "p1-rds-cpu-critical",
            "p1-rds-storage-low",
            "p2-alb-5xx-warning",
            "p2-rds-cpu-warning"
        ]
    );
}

#[test]
fn the_single_layout_fleet() {
    let layout = single();
    let fleet = fleet("production/gpu-default");
    assert_eq!(layout.fleet_stack(&fleet), "bp-gpu-fleet-production-gpu-default");
    assert_eq!(layout.fleet_log_group(&fleet), "/gpu-workers/gpu-default");
    assert_eq!(layout.auto_scaling_group(&fleet), "asg-production-gpu-default");
    assert_eq!(layout.launch_template(&fleet), "lt-production-gpu-default");
    assert_eq!(
        layout.ami_parameter(&fleet),
        "/bp/ami/fleets/production/gpu-default"
    );
    assert_eq!(
        layout.active_bundle_parameter(&fleet),
        "/bp/fleets/production/gpu-default/active_bundle"
    );
    assert_eq!(
        layout.desired_config_parameter(&fleet).as_deref(),
        Some("/bp/fleets/production/gpu-default/desired_config")
    );
    assert_eq!(
        layout.fleet_secret_parameter(Stage::Production),
        "/bp/fleets/production/fleet-secret"
    );
    assert_eq!(
        FleetAlarm::ALL.map(|alarm| layout.fleet_alarm(alarm, &fleet)),
        [
            "production-gpu-default-queue-has-jobs",
            "production-gpu-default-queue-empty",
            "production-p2-gpu-default-error-rate",
            "production-p3-gpu-default-queue-deep"
        ]
    );
    assert_eq!(
        layout.metric_dimensions(&fleet),
        [
            ("FleetSlug", "gpu-default".to_owned()),
            ("Stage", "production".to_owned())
        ]
    );
}

#[test]
fn the_staged_layout_core() {
    let layout = staged();
    assert_eq!(
        layout.core_stacks(),
        [
            "bp-staging-cicd",
            "bp-staging-network",
            "bp-staging-data",
            "bp-staging-compute",
            "bp-staging-gpu",
            "bp-staging-monitoring"
        ]
    );
    assert_eq!(layout.cluster(), "bp-staging");
    assert_eq!(layout.service(App::Backend), "bp-staging-backend");
    assert_eq!(layout.service(App::Frontend), "bp-staging-frontend");
    assert_eq!(layout.repository(App::Backend), "bp-backend-staging");
    assert_eq!(layout.repository(App::Frontend), "bp-frontend-staging");
    assert_eq!(layout.log_group(App::Backend), "/ecs/bp-backend-staging");
    assert_eq!(layout.log_group(App::Frontend), "/ecs/bp-frontend-staging");
    assert_eq!(
        values(layout.secrets()),
        [
            "/bp/staging/laravel/app-key",
            "/bp/staging/oauth/secrets",
            "/bp/staging/asset-ops/secret",
            "/bp/staging/rds/master-credentials",
            "/bp/staging/redis/auth-token"
        ]
    );
    assert_eq!(
        values(layout.parameters()),
        ["/bp/staging/models/bucket", "/bp/staging/redis/endpoint"]
    );
    assert_eq!(
        values(layout.buckets(&ACCOUNT.parse().unwrap())),
        [
            "bp-media-123456789012-staging",
            "bp-models-123456789012-staging",
            "bp-logs-123456789012-staging",
            "bp-access-logs-123456789012-staging"
        ]
    );
    assert_eq!(layout.ops_topic(), "bp-staging-ops-alerts");
    assert_eq!(layout.dashboard(), "bp-staging");
    assert_eq!(layout.scale_to_zero_topic(), "bp-staging-scale-to-zero");
    // There is none on unhealthy hosts.
    assert_eq!(
        layout.platform_alarms(),
        [
            "staging-p1-alb-5xx-critical",
            "staging-p1-rds-cpu-critical",
            "staging-p1-rds-storage-low",
            "staging-p2-alb-5xx-warning",
            "staging-p2-rds-cpu-warning"
        ]
    );
}

#[test]
fn the_staged_layout_fleet() {
    let layout = staged();
    let fleet = fleet("staging/image-to-video");
    assert_eq!(layout.fleet_stack(&fleet), "bp-staging-gpu");
    assert_eq!(layout.fleet_log_group(&fleet), "/gpu-workers/image-to-video");
    assert_eq!(layout.auto_scaling_group(&fleet), "asg-staging-image-to-video");
    assert_eq!(layout.launch_template(&fleet), "lt-staging-image-to-video");
    assert_eq!(layout.ami_parameter(&fleet), "/bp/ami/image-to-video");
    assert_eq!(
        layout.active_bundle_parameter(&fleet),
        "/bp/staging/assets/image-to-video/active_bundle"
    );
    assert_eq!(layout.desired_config_parameter(&fleet), None);
    assert_eq!(
        layout.fleet_secret_parameter(Stage::Staging),
        "/bp/staging/fleet-secret"
    );
    assert_eq!(
        FleetAlarm::ALL.map(|alarm| layout.fleet_alarm(alarm, &fleet)),
        [
            "staging-image-to-video-queue-has-jobs",
            "staging-image-to-video-queue-empty",
            "staging-p2-image-to-video-error-rate",
            "staging-p3-image-to-video-queue-deep"
        ]
    );
    assert_eq!(
        layout.metric_dimensions(&fleet),
        [("WorkflowSlug", "image-to-video".to_owned())]
    );
}

#[test]
fn a_group_name_gives_its_fleet_back() {
    for layout in [single(), staged()] {
        for text in ["staging/gpu-default", "production/a-b-c"] {
            let group = layout.auto_scaling_group(&fleet(text));
            assert_eq!(layout.fleet_of_group(&group), Some(fleet(text)));
        }
        assert_eq!(layout.fleet_of_group("asg-dev-x"), None);
        assert_eq!(layout.fleet_of_group("somebody-else"), None);
    }
}

#[test]
fn the_prefix_is_data() {
    let layout = Layout::new(LayoutKind::Single, "acme", None).unwrap();
    assert_eq!(layout.cluster(), "acme");
    assert_eq!(
        layout.ami_parameter(&fleet("staging/x")),
        "/acme/ami/fleets/staging/x"
    );
}

#[test]
fn the_staged_layout_needs_a_stage() {
    assert_eq!(
        Layout::new(LayoutKind::Staged, "bp", None)
            .unwrap_err()
            .exit_status()
            .code(),
        2
    );
}

#[test]
fn log_streams_use_the_prefixes_of_the_task_definition() {
    let prefixes = ["nginx", "php-fpm", "scheduler", "queue-worker", "nextjs"].map(Layout::log_stream_prefix);
    assert_eq!(prefixes, ["nginx", "php", "scheduler", "queue", "nextjs"]);
}

#[test]
fn the_inventory_leaves_no_placeholder_behind() {
    let account: AccountId = ACCOUNT.parse().unwrap();
    for layout in [single(), staged()] {
        let names = layout.inventory(Some(&account), &[fleet("staging/gpu-default")]);
        assert!(names.len() > 30);
        for (kind, name) in names {
            assert!(!name.is_empty() && !name.contains(['{', '}']), "{kind}: {name}");
        }
    }
}
