//! Puts the application in place as it has been running since yesterday.

use std::time::Duration;

use serde_json::json;

use super::definitions::{self, SecretArns};
use super::names::Names;
use crate::options::Layout;
use crate::seed::names::generated;
use crate::service::ecr::{Build, Content};
use crate::service::ecs::definition;
use crate::service::ecs::service::{LoadBalancer, Provider, Service};
use crate::service::{application_autoscaling, ecr, ecs, elb, logs, rds, secretsmanager};
use crate::time::SimTime;
use crate::world::World;

/// Things of the platform that several services speak of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    /// The VPC.
    pub(crate) vpc: String,
    /// The private subnets, in which tasks and fleets run.
    pub(crate) private_subnets: Vec<String>,
    /// The public subnets, in which the load balancer stands.
    pub(crate) public_subnets: Vec<String>,
    /// The isolated subnets, in which database and Redis stand.
    pub(crate) isolated_subnets: Vec<String>,
    /// The gateway through which the VPC reaches S3.
    pub(crate) s3_endpoint: String,
    /// The security groups of load balancer, frontend, database and Redis.
    pub(crate) balancer_security_group: String,
    pub(crate) frontend_security_group: String,
    pub(crate) database_security_group: String,
    pub(crate) cache_security_group: String,
    /// The instance profile of instances that Packer builds images on; its name is generated.
    pub(crate) packer_profile: String,
    /// The security group of the backend's tasks.
    pub(crate) backend_security_group: String,
    /// The security group of the GPU workers.
    pub(crate) gpu_security_group: String,
    /// The generated name of the function that takes idle fleets to zero.
    pub(crate) zero_function: String,
    /// The NAT gateways.
    pub(crate) nat_gateways: Vec<String>,
    /// The host name of the database.
    pub(crate) rds_endpoint: String,
    /// The identifier of the Redis cluster.
    pub(crate) cache: String,
    /// The domain under which CloudFront serves media.
    pub(crate) media_domain: String,
    /// The host name of Redis.
    pub(crate) redis_endpoint: String,
    /// The name of the load balancer; `elb::dns_name` knows its address.
    pub(crate) load_balancer: String,
}

/// When the present release was deployed, before the world begins.
const RELEASE_AGE: Duration = Duration::from_secs(18 * 3600);
const DAY: u64 = 86_400;

fn ago(world: &World, days: u64, seconds: u64) -> SimTime {
    world.now - Duration::from_secs(days * DAY + seconds)
}

pub(crate) fn place(world: &mut World) {
    let names = Names::of(&world.options);
    network(world, &names);
    images(world, &names);
    let arns = secrets(world, &names);
    database(world, &names);
    // The staged layout keeps logs for a month in production alone (runbook, "Log Groups & Retention").
    let days = match world.options.layout {
        Layout::Staged => crate::seed::fleets::retention(&world.options.stage),
        Layout::Single => 30,
    };
    for group in [&names.backend_logs, &names.frontend_logs] {
        logs::create_group(world, group, days);
    }
    let facts = world.services.facts.clone();
    let zones = ["a", "b"].map(|zone| format!("{}{zone}", world.options.region));
    let place = elb::Place {
        vpc: facts.vpc.clone(),
        subnets: facts.public_subnets.iter().cloned().zip(zones).collect(),
        security_group: facts.balancer_security_group.clone(),
    };
    let created = ago(world, 74, 3_000);
    let balancer = elb::create_balancer(world, &names.balancer, created, place);
    elb::listen(world, &balancer);
    services(world, &names, &arns, &balancer);
    crate::scenario::plan(world);
}

fn network(world: &mut World, names: &Names) {
    let region = world.options.region.clone();
    let ids = &mut world.application_ids;
    let facts = Facts {
        vpc: ids.ec2("vpc-"),
        private_subnets: vec![ids.ec2("subnet-"), ids.ec2("subnet-")],
        public_subnets: vec![ids.ec2("subnet-"), ids.ec2("subnet-")],
        backend_security_group: ids.ec2("sg-"),
        gpu_security_group: ids.ec2("sg-"),
        isolated_subnets: vec![ids.ec2("subnet-"), ids.ec2("subnet-")],
        s3_endpoint: ids.ec2("vpce-"),
        balancer_security_group: ids.ec2("sg-"),
        frontend_security_group: ids.ec2("sg-"),
        database_security_group: ids.ec2("sg-"),
        cache_security_group: ids.ec2("sg-"),
        packer_profile: generated(ids, "bp-data", "PackerInstanceProfile"),
        zero_function: String::new(),
        nat_gateways: vec![ids.ec2("nat-")],
        rds_endpoint: format!("{}.c{}.{region}.rds.amazonaws.com", names.database, ids.hex(11)),
        redis_endpoint: format!("{}.{}.0001.use1.cache.amazonaws.com", names.cache, ids.hex(6)),
        cache: names.cache.clone(),
        media_domain: format!("d{}.cloudfront.net", ids.hex(13)),
        load_balancer: names.balancer.clone(),
    };
    let state = &mut world.services.ecs;
    state.cluster.clone_from(&names.system);
    state.subnets = [&facts.private_subnets, &facts.public_subnets]
        .into_iter()
        .flat_map(|subnets| subnets.iter().zip(["a", "b"]))
        .map(|(subnet, zone)| (subnet.clone(), format!("{region}{zone}")))
        .collect();
    state.security_groups.push(facts.backend_security_group.clone());
    world.services.facts = facts;
}

/// The last three releases; each carries its commit's tag, the newest also the moving ones.
fn images(world: &mut World, names: &Names) {
    let created = ago(world, 74, 0);
    ecr::create_repository(world, &names.backend_repository, created);
    ecr::create_repository(world, &names.frontend_repository, created);
    for age in [9, 4, 0] {
        let sha = world.application_ids.hex(7);
        let pushed = ago(world, age, RELEASE_AGE.as_secs() + 1_300);
        let nginx = format!("nginx-{sha}");
        let php = format!("php-{sha}");
        let backend = &names.backend_repository;
        ecr::push(world, backend, &[&nginx, "nginx-latest"], Content::Nginx, pushed);
        ecr::push(
            world,
            backend,
            &[&php, "php-latest"],
            Content::Php(Build::Good),
            pushed + Duration::from_secs(95),
        );
        ecr::push(
            world,
            &names.frontend_repository,
            &[&sha, "latest"],
            Content::Next,
            pushed + Duration::from_secs(240),
        );
    }
}

fn secrets(world: &mut World, names: &Names) -> SecretArns {
    let created = ago(world, 74, 2_000);
    let host = world.services.facts.rds_endpoint.clone();
    let password = world.application_ids.hex(32);
    let database = json!({
        "username": "bp_admin",
        "password": password,
        "engine": "mariadb",
        "host": host,
        "port": 3306,
        "dbname": "bp",
        "dbInstanceIdentifier": names.database,
    });
    let key = app_key(world);
    let mut oauth = json!({});
    for name in definitions::OAUTH_KEYS {
        let value = world.application_ids.hex(24);
        oauth[name] = json!(definitions::oauth_value(name, &value));
    }
    let (redis, asset_ops) = (world.application_ids.hex(64), world.application_ids.hex(48));
    let mut create = |name: &str, description: &str, value: &str| {
        secretsmanager::create(world, &names.secret(name), description, created, Some(value))
    };
    create("laravel/app-key", "Laravel APP_KEY", &key);
    // Redis is a single node without AUTH: nothing reads this one.
    create("redis/auth-token", "Redis AUTH token", &redis);
    SecretArns {
        oauth: create("oauth/secrets", "OAuth client secrets", &oauth.to_string()),
        asset_ops: create(
            "asset-ops/secret",
            "Shared secret of asset operations",
            &asset_ops,
        ),
        database: create(
            "rds/master-credentials",
            "RDS master credentials",
            &database.to_string(),
        ),
    }
}

/// `base64:` and 32 random bytes.
pub(super) fn app_key(world: &mut World) -> String {
    use base64::Engine as _;
    let bytes: Vec<u8> = (0..32)
        .map(|_| world.application_ids.between(0, 255) as u8)
        .collect();
    format!(
        "base64:{}",
        base64::engine::general_purpose::STANDARD.encode(bytes)
    )
}

fn database(world: &mut World, names: &Names) {
    let created = ago(world, 74, 1_200);
    let instance = rds::Instance {
        id: names.database.clone(),
        class: "db.t4g.medium".to_owned(),
        status: "available",
        created,
        zone: format!("{}a", world.options.region),
        multi_az: world.options.layout == Layout::Single || names.environment == "production",
        vpc: world.services.facts.vpc.clone(),
        security_group: world.services.facts.database_security_group.clone(),
        resource_id: format!("db-{}", world.application_ids.hex(26).to_uppercase()),
        endpoint: world.services.facts.rds_endpoint.clone(),
        subnet_group: format!("{}-subnets", names.database),
    };
    let subnets = world.services.facts.isolated_subnets.clone();
    rds::make_subnet_group(world, &instance.subnet_group, subnets);
    rds::create(world, instance);
    let databases = &mut world.services.rds.databases;
    for migration in ecs::applied_central() {
        databases.apply("bp", migration);
    }
    for pool in ["tenant_pool_1", "tenant_pool_2"] {
        for migration in ecs::applied_tenant() {
            databases.apply(pool, migration);
        }
    }
}

fn services(world: &mut World, names: &Names, arns: &SecretArns, balancer: &str) {
    let registered = ago(world, 0, RELEASE_AGE.as_secs() + 600);
    let vpc = world.services.facts.vpc.clone();
    let check = elb::Check {
        path: "/up",
        matcher: "200",
        timeout: 5,
    };
    let backend_group = elb::create_group(world, &names.backend, 80, &vpc, balancer, &check);
    let check = elb::Check {
        path: "/",
        matcher: "200-399",
        timeout: 10,
    };
    let frontend_group = elb::create_group(world, &names.frontend, 3000, &vpc, balancer, &check);
    // Without a certificate the platform answers at the load balancer's own name.
    let dns = elb::dns_name(world, &names.balancer).unwrap_or_default();
    let base = format!("http://{dns}");
    let definition = definitions::backend(world, names, arns, &base, "php-latest", registered);
    let backend = definition::register(world, definition);
    let definition = definitions::frontend(world, names, &base, registered);
    let frontend = definition::register(world, definition);
    let frontend_security_group = world.services.facts.frontend_security_group.clone();
    world
        .services
        .ecs
        .security_groups
        .push(frontend_security_group.clone());
    let provider = |name: &str, base, weight| Provider {
        name: name.to_owned(),
        base,
        weight,
    };
    let facts = world.services.facts.clone();
    let service = |name: &str, load_balancer, security_group, strategy, grace| {
        let created = registered - Duration::from_secs(73 * DAY);
        let network = (facts.private_subnets.clone(), vec![security_group]);
        Service::new(
            name,
            created,
            load_balancer,
            network,
            strategy,
            Duration::from_secs(grace),
        )
    };
    let load_balancer = |target_group, container: &str, port| LoadBalancer {
        target_group,
        container: container.to_owned(),
        port,
    };
    let strategy = vec![provider("FARGATE", 1, 1), provider("FARGATE_SPOT", 0, 3)];
    let group = facts.backend_security_group.clone();
    let backend_service = service(
        &names.backend,
        load_balancer(backend_group, "nginx", 80),
        group,
        strategy,
        300,
    );
    let strategy = vec![provider("FARGATE_SPOT", 0, 1)];
    let frontend_service = service(
        &names.frontend,
        load_balancer(frontend_group, "nextjs", 3000),
        frontend_security_group,
        strategy,
        120,
    );
    ecs::create(world, backend_service, backend, RELEASE_AGE);
    ecs::create(
        world,
        frontend_service,
        frontend,
        RELEASE_AGE - Duration::from_secs(400),
    );
    // ECS service auto scaling of the compute stack.
    let created = registered - Duration::from_secs(73 * DAY);
    application_autoscaling::create(world, &names.backend, 1, 4, created);
    application_autoscaling::create(world, &names.frontend, 1, 3, created);
}
