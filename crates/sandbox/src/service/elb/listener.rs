//! Listeners: they are as the resources of the stacks say, and the one of the platform's load balancer as it was made.

use http::Uri;
use serde_json::{Value, json};

use super::describe::{balancer_not_found, marked};
use crate::error::{ApiError, OpResult};
use crate::service::cloudformation::{self, Resource};
use crate::service::member::{list, present, text, texts};
use crate::world::World;

const KIND: &str = "AWS::ElasticLoadBalancingV2::Listener";

fn all(world: &World) -> impl Iterator<Item = &Resource> {
    let of_stacks = || {
        cloudformation::resources(world)
            .map(|(_, resource)| resource)
            .filter(|resource| resource.kind == KIND)
    };
    // A stack may have taken it over.
    let own = world.services.elb.listeners.iter();
    let own = own.filter(move |one| !of_stacks().any(|other| other.physical == one.physical));
    own.chain(of_stacks())
}

/// `balancer` listens at port 80 by HTTP.
pub(crate) fn listen(world: &mut World, balancer: &str) {
    let listener = http(balancer, &not_found());
    world.services.elb.listeners.push(listener);
}

/// The listener at port 80, by its ARN the same whatever it does.
pub(crate) fn http(balancer: &str, action: &Value) -> Resource {
    Resource {
        logical: "AlbHttp".to_owned(),
        physical: format!(
            "{}/3b2a19088f6e5d4c",
            balancer.replace(":loadbalancer/", ":listener/")
        ),
        kind: KIND.to_owned(),
        properties: json!({
            "DefaultActions": [action],
            "LoadBalancerArn": balancer,
            "Port": 80,
            "Protocol": "HTTP",
        }),
        attributes: Value::Null,
    }
}

/// What listeners of the platform do with paths that no rule is for.
pub(crate) fn not_found() -> Value {
    json!({
        "Type": "fixed-response",
        "FixedResponseConfig": { "ContentType": "text/plain", "MessageBody": "Not found", "StatusCode": "404" },
    })
}

/// Ports are numbers in templates, or text that is one.
fn port(listener: &Resource) -> Option<i64> {
    let port = &listener.properties["Port"];
    port.as_i64().or_else(|| port.as_str()?.parse().ok())
}

fn certificates(listener: &Resource) -> Vec<&str> {
    list(&listener.properties, "Certificates")
        .iter()
        .filter_map(|certificate| text(certificate, "CertificateArn"))
        .collect()
}

/// The load balancers whose listeners have this certificate, by ARN.
pub(crate) fn users_of(world: &World, certificate: &str) -> Vec<String> {
    all(world)
        .filter(|listener| certificates(listener).contains(&certificate))
        .filter_map(|listener| text(&listener.properties, "LoadBalancerArn").map(str::to_owned))
        .collect()
}

/// What a load balancer does with a request to a port.
pub(super) enum Heard<'a> {
    /// Nothing listens there.
    Nothing,
    /// Goes on to the targets.
    Forward,
    /// Answers with where to go instead.
    Redirect(&'a Value),
}

/// What `balancer` does with a request to `wanted`.
pub(super) fn heard<'a>(world: &'a World, balancer: &str, wanted: i64) -> Heard<'a> {
    let own = |listener: &&Resource| text(&listener.properties, "LoadBalancerArn") == Some(balancer);
    let Some(listener) = all(world)
        .filter(own)
        .find(|listener| port(listener) == Some(wanted))
    else {
        return Heard::Nothing;
    };
    let actions = list(&listener.properties, "DefaultActions");
    let redirect = actions
        .iter()
        .find(|action| text(action, "Type") == Some("redirect"));
    redirect.map_or(Heard::Forward, |action| {
        Heard::Redirect(&action["RedirectConfig"])
    })
}

/// Where a redirect leads: what it does not say is kept (API Reference, RedirectActionConfig).
pub(super) fn location(config: &Value, host: &str, uri: &Uri) -> String {
    let of = |name: &str, kept: &str| match text(config, name) {
        None => kept.to_owned(),
        Some(told) => told
            .replace("#{host}", host)
            .replace("#{path}", uri.path().trim_start_matches('/'))
            .replace("#{query}", uri.query().unwrap_or_default())
            .replace("#{protocol}", "http")
            .replace("#{port}", "80"),
    };
    let scheme = of("Protocol", "http").to_lowercase();
    let (host, port, path) = (of("Host", host), of("Port", "80"), of("Path", uri.path()));
    let query = of("Query", uri.query().unwrap_or_default());
    let query = if query.is_empty() {
        query
    } else {
        format!("?{query}")
    };
    format!("{scheme}://{host}:{port}{path}{query}")
}

/// DescribeListeners.
pub(super) fn describe(world: &World, input: &Value) -> OpResult {
    let balancer = text(input, "LoadBalancerArn");
    let arns = texts(input, "ListenerArns");
    if balancer.is_none() && arns.is_empty() {
        let message = "You must specify either listener ARNs or a load balancer ARN";
        return Err(ApiError::client("ValidationError", message));
    }
    let balancers = &world.services.elb.balancers;
    if let Some(arn) = balancer.filter(|arn| !balancers.iter().any(|one| one.arn == *arn)) {
        return Err(balancer_not_found(arn));
    }
    if arns
        .iter()
        .any(|arn| !all(world).any(|listener| listener.physical == *arn))
    {
        return Err(ApiError::client(
            "ListenerNotFound",
            "One or more listeners not found",
        ));
    }
    let found = all(world)
        .filter(|listener| match balancer {
            Some(arn) => text(&listener.properties, "LoadBalancerArn") == Some(arn),
            None => arns.contains(&listener.physical),
        })
        .map(|listener| {
            let given = &listener.properties;
            let certificates: Vec<Value> = certificates(listener)
                .iter()
                .map(|arn| json!({ "CertificateArn": arn }))
                .collect();
            present(json!({
                "ListenerArn": listener.physical,
                "LoadBalancerArn": given["LoadBalancerArn"],
                "Port": port(listener),
                "Protocol": given["Protocol"],
                "SslPolicy": given["SslPolicy"],
                "Certificates": (!certificates.is_empty()).then_some(certificates),
                "DefaultActions": given["DefaultActions"],
            }))
        })
        .collect();
    marked(found, "Listeners", input)
}
