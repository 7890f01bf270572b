//! The frontend: one container of Next.js.

use serde_json::{Value, json};

use super::service::{Service, provider};
use super::{address, base_url, exec, execution_role, image, log_configuration, log_group, variables};
use crate::build::Template;
use crate::iam;
use crate::names::Names;
use crate::settings::{Layout, Settings};

/// Asks for the first page at the task's own address: Next.js listens there and not at 127.0.0.1, because it takes the
/// host name of the container for the address to listen at.
const CHECK: &str = "const all=Object.values(require('os').networkInterfaces()).flat();\
const own=all.find(n=>n.family==='IPv4'&&!n.internal&&!n.address.startsWith('169.254.'));\
require('http').get({host:own.address,port:3000,path:'/',timeout:5000},r=>process.exit(r.statusCode<400?0:1))\
.on('timeout',()=>process.exit(1)).on('error',()=>process.exit(1));";

pub(super) fn add(template: &mut Template, settings: &Settings) {
    let names = Names::of(settings);
    log_group(template, settings, "FrontendLogs", "frontend");
    template.add(
        "FrontendExecutionRole",
        execution_role(names, "frontend", "FrontendLogs", &[]),
    );
    template.add(
        "FrontendTaskRole",
        iam::role("ecs-tasks.amazonaws.com", &[], &[exec()]),
    );
    Service {
        construct: "Frontend",
        what: "frontend",
        size: settings.sizes.frontend,
        containers: json!([container(settings)]),
        entry: ("nextjs", 3000),
        security_group: "SgFrontend",
        strategy: strategy(settings),
        grace: 120,
        most: 3,
    }
    .add(template, settings);
}

/// The platform has all of it on Spot capacity: when AWS takes the one task back, nothing serves the site until Spot
/// capacity is there again. Here the first task is not on Spot.
fn strategy(settings: &Settings) -> Value {
    if settings.upstream_compatible {
        json!([provider("FARGATE_SPOT", 0, 1)])
    } else {
        json!([provider("FARGATE", 1, 1), provider("FARGATE_SPOT", 0, 3)])
    }
}

/// Where the application's pages find the backend. Those of the staged layout add `/api` themselves.
fn environment(settings: &Settings) -> Vec<(&'static str, Value)> {
    let mode = ("NODE_ENV", json!("production"));
    match settings.layout {
        Layout::Single => {
            let api = address(settings, "/api");
            vec![
                mode,
                ("NEXT_PUBLIC_API_BASE_URL", api.clone()),
                ("NEXT_PUBLIC_API_URL", api),
            ]
        }
        Layout::Staged => vec![mode, ("NEXT_PUBLIC_API_URL", base_url(settings))],
    }
}

fn container(settings: &Settings) -> Value {
    json!({
        "Name": "nextjs",
        "Image": image(Names::of(settings), "frontend", "latest"),
        "Essential": true,
        "PortMappings": [{ "ContainerPort": 3000, "Protocol": "tcp" }],
        "Environment": variables(environment(settings)),
        "HealthCheck": {
            "Command": ["CMD", "node", "-e", CHECK],
            "Interval": 30,
            "Timeout": 10,
            "Retries": 3,
            "StartPeriod": 60,
        },
        "LogConfiguration": log_configuration("FrontendLogs", "nextjs"),
    })
}
