//! What happens when an incident of the application begins, and when it is mended.

use std::time::Duration;

use serde_json::{Value, json};

use super::names::Names;
use super::place::app_key;
use crate::options::Layout;
use crate::scenario::Scenario;
use crate::service::ecr::{Build, Content, Platform};
use crate::service::ecs::{self, definition};
use crate::service::{Service, cloudwatch, ecr, elb, s3, secretsmanager};
use crate::world::World;

/// The cause of a scenario sets in.
pub(crate) fn begin(world: &mut World, scenario: Scenario) {
    let names = Names::of(&world.options);
    match scenario {
        Scenario::MigrationFails | Scenario::MigrationSlow => start_migration(world, &names),
        Scenario::PullError => {
            // A release whose build never reached the registry.
            tolerate(world, &names, 10);
            let tag = format!("php-{}", world.application_ids.hex(7));
            release(world, &names, &tag);
        }
        Scenario::CrashLoop => {
            tolerate(world, &names, 50);
            push_php(world, &names, "php-latest", Build::Fatal);
            ecs::deploy(world, &names.backend, None);
        }
        Scenario::BreakerRollback => {
            // The deploy workflow gives a build its commit's tag and the moving one.
            let tag = push_php(world, &names, "php-latest", Build::NoFpm);
            release(world, &names, &tag);
        }
        Scenario::SecretMissing => {
            tolerate(world, &names, 10);
            secretsmanager::recreate_empty(world, &names.secret("laravel/app-key"));
            ecs::deploy(world, &names.backend, None);
        }
        // The staged layout's containers take nothing from this secret.
        Scenario::OauthNoJson if world.options.layout == Layout::Single => {
            tolerate(world, &names, 10);
            put_oauth(world, &names, "Rq7-generated-by-secrets-manager");
            ecs::deploy(world, &names.backend, None);
        }
        Scenario::CapacityUnavailable => ecs::interrupt_spot(world, &names.frontend),
        Scenario::MemoryExhausted => {
            ecs::kill(world, &names.backend, "php-fpm", Duration::from_secs(60), 137)
        }
        Scenario::SchedulerStopped => {
            ecs::set_desired(world, &names.backend, 2);
            // By then the second task has a scheduler, so that the metrics have no gap.
            ecs::kill(world, &names.backend, "scheduler", Duration::from_secs(180), 255);
        }
        Scenario::ZoneDisabled => {
            if let Some(zone) = ecs::zone_of(world, &names.backend) {
                elb::leave_zone(world, &names.balancer, &zone);
            }
        }
        Scenario::NoHealthyTargets => ecs::set_desired(world, &names.backend, 0),
        Scenario::ResumeConflict => crate::seed::asleep::begin(world),
        Scenario::Drifted => set_cpu_warning(world, QUIET),
        Scenario::CapacityProviderInUse => {
            start_one_off(world, &names, "artisan queue:work", "operator");
            crate::seed::stacks::deploy_again(world, "compute");
        }
        Scenario::BucketNotEmpty => {
            crate::seed::stacks::deploy_again(world, "data");
            put_log(world, &names);
        }
        Scenario::DbProtected => crate::seed::stacks::deploy_again(world, "data"),
        Scenario::EcrTagMissing => {
            for tag in ["php-latest", "nginx-latest"] {
                ecr::untag(world, &names.backend_repository, tag);
            }
        }
        Scenario::WrongArchitecture => {
            let (tag, now) = (format!("php-{}", world.application_ids.hex(7)), world.now);
            let image = (Content::Php(Build::Good), Platform::Amd64);
            ecr::push_for(
                world,
                &names.backend_repository,
                &[&tag, "php-latest"],
                image,
                now,
            );
            // A plain `docker build` on a build machine: neither its platform nor an attestation.
            ecr::without_provenance(world, &names.backend_repository, &tag);
        }
        // The others are conditions that the behaviour itself asks for.
        _ => {}
    }
}

/// The cause of a scenario is removed, as an operator or a release would.
pub(super) fn mend(world: &mut World, scenario: Scenario) {
    let names = Names::of(&world.options);
    match scenario {
        Scenario::PullError => {
            // The build arrives: the newest definition's tag exists from now on.
            if let Some(tag) = newest_php_tag(world, &names) {
                push_php(world, &names, &tag, Build::Good);
            }
        }
        Scenario::CrashLoop => {
            push_php(world, &names, "php-latest", Build::Good);
            ecs::deploy(world, &names.backend, None);
        }
        Scenario::BreakerRollback | Scenario::WrongArchitecture => {
            push_php(world, &names, "php-latest", Build::Good);
        }
        Scenario::SecretMissing => {
            let key = app_key(world);
            secretsmanager::fill(world, &names.secret("laravel/app-key"), &key);
        }
        Scenario::OauthNoJson if world.options.layout == Layout::Single => {
            let keys = super::definitions::OAUTH_KEYS.map(|key| {
                let random = world.application_ids.hex(24);
                (key, super::definitions::oauth_value(key, &random))
            });
            let value = json!(std::collections::BTreeMap::from(keys)).to_string();
            put_oauth(world, &names, &value);
        }
        Scenario::NoHealthyTargets => ecs::set_desired(world, &names.backend, 1),
        Scenario::ResumeConflict => crate::seed::asleep::mend(world),
        Scenario::CapacityProviderInUse => crate::seed::stacks::deploy_again(world, "compute"),
        Scenario::BucketNotEmpty | Scenario::DbProtected => crate::seed::stacks::deploy_again(world, "data"),
        Scenario::MemoryExhausted => ecs::deploy(world, &names.backend, None),
        Scenario::SchedulerStopped => {
            ecs::set_desired(world, &names.backend, 1);
            ecs::deploy(world, &names.backend, None);
        }
        Scenario::ZoneDisabled => elb::return_to_zones(world, &names.balancer),
        Scenario::Drifted => set_cpu_warning(world, CPU_WARNING),
        Scenario::EcrTagMissing => {
            let repository = &names.backend_repository;
            ecr::tag_newest_good(world, repository, "php-latest", Content::Php(Build::Good));
            ecr::tag_newest_good(world, repository, "nginx-latest", Content::Nginx);
        }
        _ => {}
    }
}

/// Per cent of CPU of the database at which it is warned of, and at which somebody would rather be.
const CPU_WARNING: f64 = 80.0;
const QUIET: f64 = 90.0;

/// Gives the warning another threshold, beside its stack.
fn set_cpu_warning(world: &mut World, threshold: f64) {
    let name = match world.options.layout {
        Layout::Single => "p2-rds-cpu-warning".to_owned(),
        Layout::Staged => format!("{}-p2-rds-cpu-warning", world.options.stage),
    };
    let Some(mut spec) = cloudwatch::alarm(world, &name).map(|alarm| alarm.spec().clone()) else {
        return;
    };
    spec.rule.threshold = threshold;
    cloudwatch::put_alarm(world, spec);
}

/// Gives the OAuth secret another value.
fn put_oauth(world: &mut World, names: &Names, value: &str) {
    let input = json!({ "SecretId": names.secret("oauth/secrets"), "SecretString": value });
    // The secret is there from the start; an operator who deleted it has mended nothing.
    let _ = world.call(Service::SecretsManager, "PutSecretValue", &input);
}

/// The service's circuit breaker lets that many tasks fail, so that the trouble can be watched.
fn tolerate(world: &mut World, names: &Names, failures: usize) {
    if let Some(service) = ecs::service::named_mut(world, &names.backend) {
        service.breaker.count = Some(failures);
    }
}

/// Pushes a build of the PHP image; answers the tag that is its own.
fn push_php(world: &mut World, names: &Names, tag: &str, build: Build) -> String {
    let now = world.now;
    let sha = format!("php-{}", world.application_ids.hex(7));
    let tags: Vec<&str> = if tag == "php-latest" {
        vec![&sha, tag]
    } else {
        vec![tag]
    };
    ecr::push(world, &names.backend_repository, &tags, Content::Php(build), now);
    if tag == "php-latest" { sha } else { tag.to_owned() }
}

/// Registers a revision of the backend with another PHP image and deploys it.
fn release(world: &mut World, names: &Names, tag: &str) {
    let Some(newest) = definition::find(world, &names.backend) else {
        return;
    };
    let mut revision = world.services.ecs.definitions[newest].clone();
    revision.registered = world.now;
    revision.input = None;
    for container in &mut revision.containers {
        if let Some((repository, old)) = container.image.rsplit_once(':')
            && old.starts_with("php-")
        {
            container.image = format!("{repository}:{tag}");
        }
    }
    let index = definition::register(world, revision);
    ecs::deploy(world, &names.backend, Some(index));
}

fn newest_php_tag(world: &World, names: &Names) -> Option<String> {
    let newest = definition::find(world, &names.backend)?;
    world.services.ecs.definitions[newest]
        .containers
        .iter()
        .filter_map(|container| container.image.rsplit_once(':'))
        .find(|(_, tag)| tag.starts_with("php-"))
        .map(|(_, tag)| tag.to_owned())
}

/// An operator starts a migration of all databases.
fn start_migration(world: &mut World, names: &Names) {
    let run = world.application_ids.hex(12);
    let by = format!("bpctl/migrate/{run}");
    start_one_off(world, names, "artisan tenancy:pools-migrate", &by);
}

/// An object in the logs bucket.
fn put_log(world: &mut World, names: &Names) {
    let account = &world.options.account_id;
    let bucket = match world.options.layout {
        Layout::Single => format!("bp-logs-{account}"),
        Layout::Staged => format!("bp-logs-{account}-{}", world.options.stage),
    };
    let (now, mut ids) = (world.now, world.application_ids.clone());
    let lines = format!("{} restarted\n", names.backend);
    let content = s3::plain_content(lines.into_bytes().into(), "text/plain");
    s3::place(
        world,
        &mut ids,
        now,
        &bucket,
        "exports/backend.log",
        Some(content),
    );
}

/// A one-off task of the backend in which PHP runs this.
fn start_one_off(world: &mut World, names: &Names, command: &str, started_by: &str) {
    let command: Value = match world.options.layout {
        Layout::Single => json!([format!("php {command}")]),
        Layout::Staged => json!(["php"].into_iter().chain(command.split(' ')).collect::<Vec<_>>()),
    };
    let facts = &world.services.facts;
    let input = json!({
        "cluster": names.system,
        "taskDefinition": names.backend,
        "launchType": "FARGATE",
        "startedBy": started_by,
        "networkConfiguration": {"awsvpcConfiguration": {
            "subnets": facts.private_subnets,
            "securityGroups": [facts.backend_security_group],
            "assignPublicIp": "DISABLED",
        }},
        "overrides": {"containerOverrides": [{"name": "php-fpm", "command": command}]},
    });
    // A world without room for the task is one without the incident.
    let _ = world.call(Service::Ecs, "RunTask", &input);
}
