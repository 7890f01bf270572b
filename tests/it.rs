//! The one integration-test binary: whole commands, in process against a sandbox and as the real binary.

#[path = "it/signals.rs"]
mod signals;
#[path = "it/site.rs"]
mod site;
#[path = "it/support.rs"]
mod support;

#[cfg(unix)]
#[path = "it/action.rs"]
mod action;
#[path = "it/ami.rs"]
mod ami;
#[path = "it/ami_bake.rs"]
mod ami_bake;
#[path = "it/ami_build.rs"]
mod ami_build;
#[path = "it/ami_gc.rs"]
mod ami_gc;
#[path = "it/answers.rs"]
mod answers;
#[path = "it/api_accounts.rs"]
mod api_accounts;
#[path = "it/api_calls.rs"]
mod api_calls;
#[path = "it/api_cases.rs"]
mod api_cases;
#[path = "it/api_cases_fleets.rs"]
mod api_cases_fleets;
#[path = "it/assemblies.rs"]
mod assemblies;
#[path = "it/auth.rs"]
mod auth;
#[path = "it/backup.rs"]
mod backup;
#[path = "it/backups.rs"]
mod backups;
#[path = "it/basics.rs"]
mod basics;
#[path = "it/binary.rs"]
mod binary;
#[path = "it/broken_network.rs"]
mod broken_network;
#[path = "it/bundle.rs"]
mod bundle;
#[path = "it/bundle_apply.rs"]
mod bundle_apply;
#[path = "it/bundle_make.rs"]
mod bundle_make;
#[path = "it/bundle_pointer.rs"]
mod bundle_pointer;
#[path = "it/bundle_refresh.rs"]
mod bundle_refresh;
#[path = "it/campaign_places.rs"]
mod campaign_places;
#[path = "it/campaign_stores.rs"]
mod campaign_stores;
#[path = "it/campaign_verbs.rs"]
mod campaign_verbs;
#[path = "it/campaign_watch.rs"]
mod campaign_watch;
#[path = "it/campaign_worlds.rs"]
mod campaign_worlds;
#[path = "it/campaigns.rs"]
mod campaigns;
#[path = "it/completion.rs"]
mod completion;
#[cfg(unix)]
#[path = "it/completion_shells.rs"]
mod completion_shells;
#[path = "it/config.rs"]
mod config;
#[path = "it/contexts.rs"]
mod contexts;
#[path = "it/cost.rs"]
mod cost;
#[path = "it/day1.rs"]
mod day1;
#[path = "it/deploy.rs"]
mod deploy;
#[path = "it/deploy_checks.rs"]
mod deploy_checks;
#[path = "it/deploy_flags.rs"]
mod deploy_flags;
#[path = "it/describe.rs"]
mod describe;
#[path = "it/doctor.rs"]
mod doctor;
#[path = "it/domain.rs"]
mod domain;
#[path = "it/empty_account.rs"]
mod empty_account;
#[path = "it/empty_stage.rs"]
mod empty_stage;
#[path = "it/exec.rs"]
mod exec;
#[path = "it/expected_plan.rs"]
mod expected_plan;
#[path = "it/fleet.rs"]
mod fleet;
#[path = "it/fleet_activity.rs"]
mod fleet_activity;
#[path = "it/fleet_alarm_reasons.rs"]
mod fleet_alarm_reasons;
#[path = "it/fleet_budgets.rs"]
mod fleet_budgets;
#[path = "it/fleet_config.rs"]
mod fleet_config;
#[path = "it/fleet_dev.rs"]
mod fleet_dev;
#[path = "it/fleet_hold.rs"]
mod fleet_hold;
#[path = "it/fleet_killed.rs"]
mod fleet_killed;
#[path = "it/fleet_names.rs"]
mod fleet_names;
#[path = "it/fleet_protect.rs"]
mod fleet_protect;
#[path = "it/fleet_provision.rs"]
mod fleet_provision;
#[path = "it/fleet_refresh.rs"]
mod fleet_refresh;
#[path = "it/fleet_scale.rs"]
mod fleet_scale;
#[path = "it/fleet_scale_to_zero.rs"]
mod fleet_scale_to_zero;
#[path = "it/fleet_scaling.rs"]
mod fleet_scaling;
#[path = "it/fleet_simulate.rs"]
mod fleet_simulate;
#[path = "it/fleet_tune.rs"]
mod fleet_tune;
#[path = "it/fleet_unknown.rs"]
mod fleet_unknown;
#[path = "it/fleet_unknown_live.rs"]
mod fleet_unknown_live;
#[path = "it/generated.rs"]
mod generated;
#[path = "it/get.rs"]
mod get;
#[path = "it/hints.rs"]
mod hints;
#[path = "it/hostile.rs"]
mod hostile;
#[path = "it/hostile_world.rs"]
mod hostile_world;
#[path = "it/iam.rs"]
mod iam;
#[path = "it/iam_proof.rs"]
mod iam_proof;
#[path = "it/identity.rs"]
mod identity;
#[path = "it/image.rs"]
mod image;
#[cfg(unix)]
#[path = "it/image_push.rs"]
mod image_push;
#[path = "it/interrupted.rs"]
mod interrupted;
#[path = "it/layers.rs"]
mod layers;
#[path = "it/link.rs"]
mod link;
#[path = "it/logs.rs"]
mod logs;
#[cfg(unix)]
#[path = "it/mcp.rs"]
mod mcp;
#[path = "it/migrate.rs"]
mod migrate;
#[path = "it/migrate_plan.rs"]
mod migrate_plan;
#[path = "it/migrate_trouble.rs"]
mod migrate_trouble;
#[path = "it/monitoring.rs"]
mod monitoring;
#[path = "it/port_forward.rs"]
mod port_forward;
#[path = "it/reset.rs"]
mod reset;
#[path = "it/restore.rs"]
mod restore;
#[path = "it/run.rs"]
mod run;
#[path = "it/runs.rs"]
mod runs;
#[path = "it/sandbox.rs"]
mod sandbox;
#[path = "it/secrets.rs"]
mod secrets;
#[cfg(target_os = "linux")]
#[path = "it/secrets_canary.rs"]
mod secrets_canary;
#[path = "it/secrets_sync.rs"]
mod secrets_sync;
#[path = "it/shown.rs"]
mod shown;
#[path = "it/shown_names.rs"]
mod shown_names;
#[path = "it/shutdown.rs"]
mod shutdown;
#[path = "it/smoke.rs"]
mod smoke;
#[path = "it/stack.rs"]
mod stack;
#[path = "it/stack_bootstrap.rs"]
mod stack_bootstrap;
#[path = "it/stack_deploy.rs"]
mod stack_deploy;
#[path = "it/stack_import.rs"]
mod stack_import;
#[path = "it/stack_rollback.rs"]
mod stack_rollback;
#[path = "it/tasks.rs"]
mod tasks;
#[path = "it/teardown.rs"]
mod teardown;
#[path = "it/timeline.rs"]
mod timeline;
#[path = "it/top.rs"]
mod top;
#[path = "it/torn_down.rs"]
mod torn_down;
#[path = "it/triage.rs"]
mod triage;
#[path = "it/triage_notify.rs"]
mod triage_notify;
#[path = "it/triage_recorded.rs"]
mod triage_recorded;
#[path = "it/two_machines.rs"]
mod two_machines;
#[path = "it/watch.rs"]
mod watch;
#[path = "it/way_back.rs"]
mod way_back;
#[path = "it/workflow.rs"]
mod workflow;
#[cfg(unix)]
#[path = "it/workflow_runner.rs"]
mod workflow_runner;
#[cfg(unix)]
#[path = "it/workflow_runs.rs"]
mod workflow_runs;
#[path = "it/workflows.rs"]
mod workflows;
