//! Every `run` of every workflow of the platform, executed by bash with the real binary against an account.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::time::Duration;

use bpctl_sandbox::{Options, Sandbox, Scenario, Service};
use serde_json::{Value, json};

use crate::assemblies::{NEW_FLEET, configure_new_fleet, lay_files};
use crate::bundle::NEXT;
use crate::site::Site;
use crate::workflow_runner::{Outcome, Runner, template};

/// Sixty times as fast as the clock: a migration takes seconds, and no deployment outruns those who look at it.
const SPEED: f64 = 60.0;

fn site() -> Site {
    Site::start(Options::default(), SPEED, Duration::ZERO)
}

fn call(sandbox: &Sandbox, service: Service, operation: &str, input: &Value) -> Value {
    sandbox
        .with_world(|world| world.call(service, operation, input))
        .unwrap_or_else(|error| panic!("{operation}: {error:?}"))
}

/// Every script of the workflow was executed.
fn covered(workflow: &str, outcomes: &[&Outcome]) {
    let document: Value = serde_norway::from_str(&template(workflow)).expect("YAML");
    let jobs = document["jobs"].as_object().expect("jobs").values();
    let steps = jobs.flat_map(|job| job["steps"].as_array().expect("steps"));
    let scripts: BTreeSet<&str> = steps.filter_map(|step| step["run"].as_str()).collect();
    let executed: BTreeSet<&str> = outcomes
        .iter()
        .flat_map(|one| one.scripts.iter().map(String::as_str))
        .collect();
    let left: Vec<&&str> = scripts.difference(&executed).collect();
    assert!(left.is_empty(), "{workflow}: not executed: {left:#?}");
}

fn succeeds(outcome: &Outcome) {
    assert!(!outcome.failed, "{}", outcome.text());
    assert!(outcome.summary.len() > 20, "{}", outcome.text());
}

/// Nothing was changed, and nothing else was run than what stands in the workflow.
fn is_refused(runner: &Runner<'_>, outcome: &Outcome, step: &str, status: i32) {
    assert_eq!(outcome.status(step), Some(status), "{}", outcome.text());
    assert!(outcome.failed);
    assert!(!runner.at("app/pwned").exists() && !runner.at("pwned").exists());
    assert_eq!(runner.site.writes(), [], "{}", outcome.text());
}

/// What an input may hold that comes from somebody with other plans.
const HOSTILE: [&str; 4] = [
    "$(touch pwned)",
    "\"; touch pwned; \"",
    "`touch pwned`",
    "--yes' && touch pwned #",
];

#[test]
fn databases_are_migrated_all_or_with_some_pools_and_the_central_one() {
    let site = site();
    let runner = Runner::new(&site);
    for value in HOSTILE {
        let outcome = runner.run("db-migrate", &[("pools", json!(value))]);
        is_refused(&runner, &outcome, "Migrate", 2);
    }
    let all = runner.run("db-migrate", &[]);
    succeeds(&all);
    assert_eq!(all.outputs["migrate.verdict"], "succeeded");
    assert!(all.outputs["migrate.task_arn"].starts_with("arn:aws:ecs:"));
    let some = runner.run(
        "db-migrate",
        &[("pools", json!("tenant_pool_1")), ("stage", json!("production"))],
    );
    succeeds(&some);
    let command = "php artisan tenancy:pools-migrate --central --tenant --pools=tenant_pool_1";
    assert!(some.text().contains(command), "{}", some.text());
    let broken = Site::start(
        Options {
            scenarios: [Scenario::MigrationFails].into(),
            ..Options::default()
        },
        SPEED,
        Duration::ZERO,
    );
    let failed = Runner::new(&broken).run("db-migrate", &[]);
    assert!(failed.failed);
    assert_eq!(failed.status("Migrate"), Some(3), "{}", failed.text());
    assert_eq!(failed.status("Look for the cause"), Some(0), "{}", failed.text());
    covered("db-migrate", &[&all, &failed]);
}

#[test]
fn a_seeder_runs_and_in_production_only_with_the_accounts_number() {
    let site = site();
    let runner = Runner::new(&site);
    for value in HOSTILE {
        let outcome = runner.run("db-seed", &[("seed_class", json!(value))]);
        is_refused(&runner, &outcome, "Seed", 2);
    }
    let seeded = runner.run(
        "db-seed",
        &[("seed_class", json!("Database\\Seeders\\PlansSeeder"))],
    );
    succeeds(&seeded);
    assert_eq!(seeded.outputs["seed.verdict"], "succeeded");
    covered("db-seed", &[&seeded]);
    let confirmed = runner.run(
        "db-seed",
        &[("stage", json!("production")), ("confirm", json!("123456789012"))],
    );
    succeeds(&confirmed);
}

/// A checkout of the application, with everything committed.
fn application(runner: &Runner<'_>) {
    for file in [
        "infrastructure/docker/backend/Dockerfile.nginx",
        "infrastructure/docker/backend/Dockerfile.php-fpm",
        "frontend/Dockerfile",
    ] {
        let file = runner.at("app").join(file);
        fs::create_dir_all(file.parent().expect("a folder")).expect("folders");
        fs::write(file, "FROM scratch\n").expect("a file");
    }
    fs::write(runner.at("app/.gitignore"), ".env\n").expect("a file");
    for words in [
        &["init", "--quiet"][..],
        &["add", "--all"],
        &[
            "-c",
            "user.name=jo",
            "-c",
            "user.email=jo@example.com",
            "commit",
            "--quiet",
            "-m",
            "all",
        ],
    ] {
        let ended = Command::new("git")
            .args(words)
            .current_dir(runner.at("app"))
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("HOME", runner.at("home"))
            .output()
            .expect("git");
        assert!(
            ended.status.success(),
            "{}",
            String::from_utf8_lossy(&ended.stderr)
        );
    }
}

#[test]
fn images_are_tested_built_pushed_and_deployed() {
    let site = site();
    let runner = Runner::new(&site);
    application(&runner);
    let only_tests = runner.run(
        "deploy",
        &[
            ("build_images", json!("none")),
            ("deploy_services", json!("none")),
            ("run_tests", json!("frontend")),
        ],
    );
    assert!(!only_tests.failed, "{}", only_tests.text());
    assert_eq!(
        runner.others(),
        "corepack enable pnpm\npnpm install --frozen-lockfile\npnpm build\n"
    );
    assert_eq!(site.writes(), []);
    let frontend = runner.run(
        "deploy",
        &[
            ("build_images", json!("frontend")),
            ("deploy_services", json!("frontend")),
        ],
    );
    succeeds(&frontend);
    // The tests are those of the images.
    assert!(!runner.others().contains("php "), "{}", runner.others());
    assert_eq!(frontend.outputs["deploy.exit_status"], "0", "{}", frontend.text());
    let tags = call(
        &site.sandbox,
        Service::Ecr,
        "DescribeImages",
        &json!({"repositoryName": "bp-frontend", "imageIds": [{"imageTag": "latest"}]}),
    );
    assert_eq!(tags["imageDetails"].as_array().map(Vec::len), Some(1));
    let failing = Runner::new(&site);
    failing.program("php", "#!/bin/sh\nexit 1\n");
    let outcome = failing.run("deploy", &[]);
    assert!(outcome.failed);
    // Neither images nor a deployment come out of a failed test.
    assert_eq!(
        outcome.status("Build and push").or(outcome.status("Deploy")),
        None,
        "{}",
        outcome.text()
    );
    let broken = Site::start(
        Options {
            scenarios: [Scenario::BreakerRollback].into(),
            ..Options::default()
        },
        SPEED,
        Duration::ZERO,
    );
    let runner = Runner::new(&broken);
    let inputs = [
        ("build_images", json!("none")),
        ("deploy_services", json!("backend")),
        ("run_tests", json!("backend")),
    ];
    let rolled_back = runner.run("deploy", &inputs);
    assert_eq!(rolled_back.status("Deploy"), Some(8), "{}", rolled_back.text());
    assert_eq!(rolled_back.outputs["deploy.exit_status"], "8");
    assert!(
        runner.others().contains("php artisan test\n"),
        "{}",
        runner.others()
    );
    covered("deploy", &[&only_tests, &frontend, &rolled_back]);
}

/// `npx`, as far as `cdk synth` goes: it writes the assembly that is beside it.
fn with_app(runner: &Runner<'_>) {
    lay_files(&runner.site.sandbox, &runner.at("home"));
    fs::write(
        runner.at("app/infrastructure/cdk.json"),
        r#"{"app": "node app.js"}"#,
    )
    .expect("a file");
    let assembly = runner.at("home/cdk.out");
    let script = format!(
        "#!/bin/sh\nrm -rf cdk.out && cp -r '{}' cdk.out\n",
        assembly.display()
    );
    runner.program("npx", &script);
}

#[test]
fn chosen_stacks_are_compared_and_deployed() {
    let site = site();
    let runner = Runner::new(&site);
    with_app(&runner);
    let off = |names: &[&'static str]| -> Vec<(&'static str, Value)> {
        names.iter().map(|name| (*name, json!(false))).collect()
    };
    let others = [
        "deploy_network",
        "deploy_data",
        "deploy_compute",
        "deploy_gpu",
        "deploy_cicd",
    ];
    let none = runner.run(
        "deploy-infrastructure",
        &off(&[&others[..], &["deploy_monitoring"]].concat()),
    );
    is_refused(&runner, &none, "Require a stack", 2);
    let certificate = "arn:aws:acm:us-west-2:123456789012:certificate/a";
    for (domain, arn) in [
        ("https://app.example.com", certificate),
        ("app.example.com", certificate),
        ("app.example.com", ""),
        ("", certificate),
        (HOSTILE[0], HOSTILE[1]),
    ] {
        let mut inputs = off(&others);
        inputs.extend([("domain_name", json!(domain)), ("certificate_arn", json!(arn))]);
        let outcome = runner.run("deploy-infrastructure", &inputs);
        is_refused(&runner, &outcome, "What would change", 2);
    }
    let deployed = runner.run("deploy-infrastructure", &off(&others));
    succeeds(&deployed);
    assert!(
        deployed.text().contains("bp-monitoring differs"),
        "{}",
        deployed.text()
    );
    assert_eq!(deployed.outputs["deploy.exit_status"], "0");
    assert!(runner.others().contains("npm ci --ignore-scripts\n"));
    covered("deploy-infrastructure", &[&deployed]);
}

#[test]
fn a_fleet_is_provisioned_and_its_configuration_applied_when_confirmed() {
    let site = site();
    let runner = Runner::new(&site);
    with_app(&runner);
    for value in HOSTILE {
        let outcome = runner.run("provision-gpu-fleet", &[("fleet_slug", json!(value))]);
        is_refused(&runner, &outcome, "Provision", 2);
    }
    let fleet = [
        ("fleet_stage", json!("production")),
        ("fleet_slug", json!("gpu-default")),
    ];
    let unconfirmed = runner.run("apply-gpu-fleet-config", &fleet);
    assert_eq!(
        unconfirmed.status("What would change"),
        Some(0),
        "{}",
        unconfirmed.text()
    );
    is_refused(&runner, &unconfirmed, "Require the confirmation", 3);
    assert_eq!(unconfirmed.status("Apply"), None);
    configure_new_fleet(&site.sandbox);
    let slug = NEW_FLEET.split('/').next_back().expect("a slug");
    let provisioned = runner.run("provision-gpu-fleet", &[("fleet_slug", json!(slug))]);
    succeeds(&provisioned);
    let group = call(
        &site.sandbox,
        Service::AutoScaling,
        "DescribeAutoScalingGroups",
        &json!({"AutoScalingGroupNames": ["asg-staging-gpu-new"]}),
    );
    assert_eq!(group["AutoScalingGroups"].as_array().map(Vec::len), Some(1));
    let confirmed = [&fleet[..], &[("confirm_apply", json!(true))]].concat();
    let applied = runner.run("apply-gpu-fleet-config", &confirmed);
    succeeds(&applied);
    assert_eq!(applied.outputs["apply.exit_status"], "0");
    covered("provision-gpu-fleet", &[&provisioned]);
    covered("apply-gpu-fleet-config", &[&applied]);
}

#[test]
fn a_development_instance_is_launched_and_gets_a_bundle() {
    let site = site();
    let runner = Runner::new(&site);
    let fleet = ("fleet_slug", json!("gpu-default"));
    for value in HOSTILE.iter().chain(&["0.0.0.0/0"]) {
        let outcome = runner.run(
            "create-dev-gpu-instance",
            &[fleet.clone(), ("allowed_cidr", json!(value))],
        );
        is_refused(&runner, &outcome, "Launch", 2);
    }
    let inputs = [
        fleet.clone(),
        ("allowed_cidr", json!("203.0.113.7/32")),
        ("auto_shutdown_hours", json!(2)),
    ];
    let launched = runner.run("create-dev-gpu-instance", &inputs);
    succeeds(&launched);
    let instance = launched.outputs["launch.instance_id"].clone();
    assert!(instance.starts_with("i-"), "{}", launched.text());
    covered("create-dev-gpu-instance", &[&launched]);
    // Until its agent is there.
    site.sandbox.advance(Duration::from_secs(300));
    let inputs = |bundle: &str, notes: &str| {
        [
            fleet.clone(),
            ("instance_id", json!(instance)),
            ("bundle_id", json!(bundle)),
            ("notes", json!(notes)),
        ]
    };
    let before = site.writes().len();
    for value in HOSTILE {
        let outcome = runner.run("apply-comfyui-bundle", &inputs(value, ""));
        assert_eq!(outcome.status("Apply"), Some(2), "{}", outcome.text());
    }
    assert_eq!(site.writes().len(), before);
    let applied = runner.run(
        "apply-comfyui-bundle",
        &inputs(&format!("bundles/{NEXT}/"), HOSTILE[0]),
    );
    succeeds(&applied);
    assert!(!runner.at("app/pwned").exists());
    covered("apply-comfyui-bundle", &[&applied]);
}

#[test]
fn images_of_fleets_are_built_baked_and_promoted() {
    let site = site();
    let runner = Runner::new(&site);
    let fleet = [("fleet_slug", json!("gpu-default"))];
    let pointer = || {
        let name = json!({"Name": "/bp/ami/fleets/staging/gpu-default"});
        let answer = call(&site.sandbox, Service::Ssm, "GetParameter", &name);
        answer["Parameter"]["Value"]
            .as_str()
            .expect("an image")
            .to_owned()
    };
    let made = crate::ami_build::made(&site.sandbox);
    fs::write(runner.at("record/image"), &made).expect("a file");
    fs::create_dir_all(runner.at("app/infrastructure/packer")).expect("a folder");
    for value in HOSTILE {
        for (workflow, step) in [("build-ami", "Build"), ("bake-ami", "Bake")] {
            let outcome = runner.run(workflow, &[("fleet_slug", json!(value))]);
            assert_eq!(outcome.status(step), Some(2), "{}", outcome.text());
        }
    }
    let built = runner.run("build-ami", &fleet);
    succeeds(&built);
    assert_eq!(pointer(), made);
    assert_eq!(built.outputs["build.image"], made, "{}", built.text());
    covered("build-ami", &[&built]);
    let refreshed = [&fleet[..], &[("start_instance_refresh", json!(true))]].concat();
    let baked = runner.run("bake-ami", &refreshed);
    succeeds(&baked);
    assert_ne!(pointer(), made);
    assert_eq!(baked.outputs["bake.image"], pointer(), "{}", baked.text());
    covered("bake-ami", &[&baked]);
}
