//! The CloudFormation stacks of the platform, in the order they are deployed.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::names::{Names, path_digits};
use super::{core_stacks, fleet_stack};
use crate::options::{FleetSeed, Layout};
use crate::scenario::Scenario;
use crate::service::cloudformation::{self, Output, Resource, StackSpec};
use crate::service::cloudwatch::{self, Alarm};
use crate::service::{acm, ecr, elb, sns};
use crate::world::World;

/// The platform's domain, where it has one.
const DOMAIN: &str = "app.example.com";

/// Puts every stack in place.
pub(super) fn place(world: &mut World, names: &Names, fleets: &[FleetSeed]) {
    let order: &[&str] = match world.options.layout {
        Layout::Single => &["cicd", "network", "data", "compute", "monitoring", "gpu-shared"],
        Layout::Staged => &["cicd", "network", "data", "compute", "gpu", "monitoring"],
    };
    for (position, &what) in order.iter().enumerate() {
        let created = world.now - Duration::from_secs(41 * 86_400 - 900 * position as u64);
        let updated = world.now - Duration::from_secs(3 * 86_400 - 600 * position as u64);
        let spec = StackSpec {
            name: names.core(what),
            description: description(what).to_owned(),
            created,
            updated: (what != "network").then_some(updated),
            outputs: outputs(world, names, what, fleets),
            tags: tags(world),
            resources: resources(world, names, what, fleets),
        };
        cloudformation::put_stack(world, spec);
    }
    for (position, fleet) in fleets.iter().enumerate() {
        let Some(name) = names.fleet_stack(fleet) else {
            continue;
        };
        let spec = StackSpec {
            name,
            description: format!("GPU fleet {} ({})", fleet.slug, fleet.stage),
            created: world.now - Duration::from_secs(40 * 86_400 - 60 * position as u64),
            updated: None,
            outputs: vec![output("AsgName", &names.group(fleet), None)],
            tags: tags(world),
            resources: fleet_stack::resources(world, names, fleet),
        };
        cloudformation::put_stack(world, spec);
    }
}

fn description(what: &str) -> &'static str {
    match what {
        "cicd" => "ECR repositories",
        "network" => "VPC, subnets, NAT gateway and security groups",
        "data" => "RDS MariaDB, ElastiCache Redis, buckets and CloudFront",
        "compute" => "ECS cluster, load balancer and services",
        "monitoring" => "Dashboard, alarms and alert topic",
        _ => "GPU workers",
    }
}

pub(crate) fn tags(world: &World) -> Vec<(String, String)> {
    let (key, value) = match world.options.layout {
        Layout::Single => ("DeploymentModel", "single-system-fleet-stages"),
        Layout::Staged => ("Stage", world.options.stage.as_str()),
    };
    let project = ("Project".to_owned(), "bp".to_owned());
    vec![project, (key.to_owned(), value.to_owned())]
}

fn output(key: &str, value: &str, export: Option<&str>) -> Output {
    Output {
        key: key.to_owned(),
        value: value.to_owned(),
        export: export.map(str::to_owned),
    }
}

pub(super) fn resource(logical: &str, physical: &str, kind: &str, properties: Value) -> Resource {
    Resource {
        logical: logical.to_owned(),
        physical: physical.to_owned(),
        kind: kind.to_owned(),
        properties,
        attributes: Value::Null,
    }
}

/// A parameter with the value that the stack gives it; later ones are not the stack's.
pub(super) fn parameter(logical: &str, name: &str, value: &str) -> Resource {
    let properties = json!({ "Name": name, "Type": "String", "Value": value });
    resource(logical, name, "AWS::SSM::Parameter", properties)
}

fn topic(world: &World, logical: &str, name: &str) -> Resource {
    let arn = sns::topic_arn(world, name);
    resource(logical, &arn, "AWS::SNS::Topic", json!({ "TopicName": name }))
}

/// An alarm with the configuration that it has in the account. The API shows it under the names of the
/// resource's properties.
pub(super) fn alarm(world: &World, logical: &str, name: &str) -> Resource {
    let shown = cloudwatch::alarm(world, name).map_or(Value::Null, Alarm::shown);
    let names = [
        "AlarmName",
        "AlarmDescription",
        "AlarmActions",
        "ComparisonOperator",
        "DatapointsToAlarm",
        "Dimensions",
        "EvaluationPeriods",
        "MetricName",
        "Namespace",
        "Period",
        "Statistic",
        "Threshold",
        "TreatMissingData",
    ];
    let properties: Map<String, Value> = names
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), shown.get(name)?.clone())))
        .collect();
    resource(logical, name, "AWS::CloudWatch::Alarm", Value::Object(properties))
}

/// The outputs of a stack: those that the runbooks and the command line read, and those that CDK makes so that
/// the stacks of fleets can refer to a resource.
fn outputs(world: &World, names: &Names, what: &str, fleets: &[FleetSeed]) -> Vec<Output> {
    let account = &world.options.account_id;
    let facts = &world.services.facts;
    let suffix = match world.options.layout {
        Layout::Single => String::new(),
        Layout::Staged => format!("-{}", world.options.stage),
    };
    match what {
        "cicd" => ["Backend", "Frontend"]
            .map(|name| {
                let repository = repository(world, &name.to_ascii_lowercase());
                let uri = ecr::repository_uri(world, &repository);
                output(&format!("{name}RepoUri"), &uri, None)
            })
            .to_vec(),
        "network" => vec![
            output("VpcId", &facts.vpc, None),
            output("PrivateSubnets", &facts.private_subnets.join(","), None),
            output("NatGatewayIds", &facts.nat_gateways.join(","), None),
            exported(
                names,
                what,
                "FnGetAttSgGpuWorkers",
                "GroupId",
                &facts.gpu_security_group,
            ),
        ],
        "data" => vec![
            output("RdsEndpoint", &facts.rds_endpoint, None),
            output("RedisEndpoint", &facts.redis_endpoint, None),
            output("MediaBucketName", &format!("bp-media-{account}{suffix}"), None),
            output("ModelsBucketName", &format!("bp-models-{account}{suffix}"), None),
            output("LogsBucketName", &format!("bp-logs-{account}{suffix}"), None),
            output("CloudFrontDomain", &facts.media_domain, None),
        ],
        "compute" => {
            let dns = elb::dns_name(world, &facts.load_balancer).unwrap_or_default();
            vec![
                output("AlbDns", dns, None),
                output("ApiBaseUrl", &api_base_url(world), None),
                output("ClusterName", &names.system(), None),
                exported(names, what, "FnGetAttAlb", "DNSName", dns),
            ]
        }
        "monitoring" => {
            let alerts = sns::topic_arn(world, &names.core("ops-alerts"));
            vec![exported(names, what, "RefAlertTopic", "", &alerts)]
        }
        "gpu-shared" | "gpu" => {
            let topic = names.core("scale-to-zero");
            let mut outputs = vec![output(
                "ScaleToZeroTopicArn",
                &sns::topic_arn(world, &topic),
                Some(&format!("{topic}-topic-arn")),
            )];
            if what == "gpu" {
                outputs.extend(fleets.iter().map(|fleet| {
                    let key: String = fleet.slug.chars().filter(char::is_ascii_alphanumeric).collect();
                    output(&format!("Asg{key}"), &names.group(fleet), None)
                }));
            }
            outputs
        }
        _ => Vec::new(),
    }
}

/// An output that CDK makes for another stack to import.
fn exported(names: &Names, what: &str, of: &str, attribute: &str, value: &str) -> Output {
    let digits = path_digits(of);
    let key = format!("ExportsOutput{of}{digits}{attribute}{}", path_digits(&digits));
    output(&key, value, Some(&format!("{}:{key}", names.core(what))))
}

/// Where people and workers find the platform.
fn api_base_url(world: &World) -> String {
    let (scheme, host) = address(world);
    format!("{scheme}://{host}")
}

/// Scheme and host of the platform.
pub(super) fn address(world: &World) -> (&'static str, String) {
    if world.has(Scenario::WorkerAddressStale) {
        ("https", DOMAIN.to_owned())
    } else {
        without_domain(world)
    }
}

/// The same without domain and certificate: the load balancer's own name.
pub(super) fn without_domain(world: &World) -> (&'static str, String) {
    let dns = elb::dns_name(world, &world.services.facts.load_balancer).unwrap_or_default();
    ("http", dns.to_owned())
}

/// The certificate of the platform's name.
pub(super) fn certificate(world: &World) -> String {
    let (region, account) = (&world.options.region, &world.options.account_id);
    format!("arn:aws:acm:{region}:{account}:certificate/5f3d2c1b-0a9e-4d7c-8b6a-123456789abc")
}

/// Deploys the stacks again that say where the platform is.
pub(super) fn refresh(world: &mut World, names: &Names) {
    if address(world).0 == "https" {
        acm::put_issued(world, &certificate(world), DOMAIN);
    }
    let fleets = world.options.effective_fleets();
    let holding = match world.options.layout {
        Layout::Single => "compute",
        Layout::Staged => "gpu",
    };
    for what in ["compute", holding] {
        let outputs = outputs(world, names, what, &fleets);
        let resources = resources(world, names, what, &fleets);
        cloudformation::deploy_again(world, &names.core(what), outputs, resources);
    }
    for fleet in &fleets {
        if let Some(name) = names.fleet_stack(fleet) {
            let outputs = vec![output("AsgName", &names.group(fleet), None)];
            let resources = fleet_stack::resources(world, names, fleet);
            cloudformation::deploy_again(world, &name, outputs, resources);
        }
    }
}

/// Deploys one of the core stacks again, because a scenario has changed what it consists of.
pub(super) fn deploy_again(world: &mut World, what: &str) {
    let names = Names::new(&world.options);
    let fleets = world.options.effective_fleets();
    let outputs = outputs(world, &names, what, &fleets);
    let resources = resources(world, &names, what, &fleets);
    cloudformation::deploy_again(world, &names.core(what), outputs, resources);
}

fn repository(world: &World, name: &str) -> String {
    match world.options.layout {
        Layout::Single => format!("bp-{name}"),
        Layout::Staged => format!("bp-{name}-{}", world.options.stage),
    }
}

fn resources(world: &World, names: &Names, what: &str, fleets: &[FleetSeed]) -> Vec<Resource> {
    match what {
        "cicd" => ["Backend", "Frontend"]
            .map(|name| {
                let repository = repository(world, &name.to_ascii_lowercase());
                let properties = json!({ "EmptyOnDelete": true, "RepositoryName": repository });
                resource(
                    &format!("{name}Repo"),
                    &repository,
                    "AWS::ECR::Repository",
                    properties,
                )
            })
            .to_vec(),
        "network" => core_stacks::network(world),
        "data" => core_stacks::data(world, names),
        "compute" => core_stacks::compute(world, names),
        "monitoring" => monitoring(world, names, fleets),
        // `gpu-shared` and `gpu`; only the latter has fleets in it.
        _ => {
            let mut resources = zero(world, names);
            if what == "gpu" {
                resources.extend(
                    fleets
                        .iter()
                        .flat_map(|fleet| fleet_stack::resources(world, names, fleet)),
                );
            }
            resources
        }
    }
}

fn monitoring(world: &World, names: &Names, fleets: &[FleetSeed]) -> Vec<Resource> {
    let mut resources = vec![topic(world, "AlertTopic", &names.core("ops-alerts"))];
    resources.extend(
        [
            ("P1Alb5xxHigh", "p1-alb-5xx-critical"),
            ("P1BackendUnhealthyHosts", "p1-backend-unhealthy-hosts"),
            ("P1RdsCpuCritical", "p1-rds-cpu-critical"),
            ("P1RdsStorageLow", "p1-rds-storage-low"),
            ("P2Alb5xxWarning", "p2-alb-5xx-warning"),
            ("P2RdsCpuWarning", "p2-rds-cpu-warning"),
        ]
        .into_iter()
        .filter(|(_, name)| cloudwatch::alarm(world, &names.platform_alarm(name)).is_some())
        .map(|(logical, name)| alarm(world, logical, &names.platform_alarm(name))),
    );
    if world.options.layout == Layout::Staged {
        resources.extend(
            fleets
                .iter()
                .flat_map(|fleet| fleet_stack::judging_alarms(world, names, fleet)),
        );
    }
    resources
}

/// The topic of the queue-empty alarms and the function that listens to it.
fn zero(world: &World, names: &Names) -> Vec<Resource> {
    let name = &world.services.facts.zero_function;
    let function = resource(
        &format!("ScaleToZeroFn{}", path_digits("ScaleToZeroFn")),
        name,
        "AWS::Lambda::Function",
        json!({ "Handler": "index.handler", "Runtime": "python3.12", "Timeout": 30 }),
    );
    vec![
        topic(world, "ScaleToZeroTopic", &names.core("scale-to-zero")),
        function,
    ]
}
