//! The load balancer: where it listens, what it sends where, and how it finds out who is well.

use serde_json::{Value, json};

use crate::build::{Resource, Template, reference};
use crate::exports::{self, Tier};
use crate::names::Names;
use crate::settings::Settings;

pub(super) fn add(template: &mut Template, settings: &Settings) {
    let names = Names::of(settings);
    template.add(
        "Alb",
        Resource::new(
            "AWS::ElasticLoadBalancingV2::LoadBalancer",
            json!({
                "Name": names.core("alb"),
                "Scheme": "internet-facing",
                "Type": "application",
                "SecurityGroups": [exports::security_group(names, "SgAlb").import()],
                "Subnets": exports::import_all(&exports::subnets(names, Tier::Public)),
            }),
        ),
    );
    listeners(template, settings);
    for (logical, what, port, path, codes, timeout) in [
        ("BackendTargets", "backend", 80, "/up", "200", 5),
        ("FrontendTargets", "frontend", 3000, "/", "200-399", 10),
    ] {
        template.add(
            logical,
            Resource::new(
                "AWS::ElasticLoadBalancingV2::TargetGroup",
                json!({
                    "Name": names.core(what),
                    "Port": port,
                    "Protocol": "HTTP",
                    "TargetType": "ip",
                    "VpcId": exports::vpc(names).import(),
                    "HealthCheckIntervalSeconds": 30,
                    "HealthCheckPath": path,
                    "HealthCheckTimeoutSeconds": timeout,
                    "HealthyThresholdCount": 2,
                    "UnhealthyThresholdCount": 3,
                    "Matcher": { "HttpCode": codes },
                }),
            ),
        );
    }
    let listener = if settings.is_https() { "Https" } else { "Http" };
    for (logical, priority, paths, targets) in [
        (
            "BackendRule",
            10,
            json!(["/api/*", "/sanctum/*", "/up"]),
            "BackendTargets",
        ),
        ("FrontendRule", 50, json!(["/*"]), "FrontendTargets"),
    ] {
        template.add(
            logical,
            Resource::new(
                "AWS::ElasticLoadBalancingV2::ListenerRule",
                json!({
                    "ListenerArn": reference(listener),
                    "Priority": priority,
                    "Conditions": [{ "Field": "path-pattern", "PathPatternConfig": { "Values": paths } }],
                    "Actions": [{ "Type": "forward", "TargetGroupArn": reference(targets) }],
                }),
            ),
        );
    }
}

/// With a certificate port 80 leads to port 443, otherwise it serves the platform itself.
fn listeners(template: &mut Template, settings: &Settings) {
    let http = if settings.is_https() {
        json!({
            "Type": "redirect",
            "RedirectConfig": { "Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301" },
        })
    } else {
        not_found()
    };
    template.add("Http", listener(80, "HTTP", http));
    if let Some(domain) = &settings.domain {
        let mut properties = json!({
            "Certificates": [{ "CertificateArn": domain.certificate_arn }],
            "SslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
        });
        for (name, value) in listener_properties(443, "HTTPS", not_found()) {
            properties[name] = value;
        }
        let kind = "AWS::ElasticLoadBalancingV2::Listener";
        template.add("Https", Resource::new(kind, properties));
    }
}

fn listener(port: u16, protocol: &str, default: Value) -> Resource {
    let properties = listener_properties(port, protocol, default)
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    Resource::new("AWS::ElasticLoadBalancingV2::Listener", Value::Object(properties))
}

fn listener_properties(port: u16, protocol: &str, default: Value) -> [(&'static str, Value); 4] {
    [
        ("LoadBalancerArn", reference("Alb")),
        ("Port", json!(port)),
        ("Protocol", json!(protocol)),
        ("DefaultActions", json!([default])),
    ]
}

/// What no rule matches.
fn not_found() -> Value {
    json!({
        "Type": "fixed-response",
        "FixedResponseConfig": { "ContentType": "text/plain", "MessageBody": "Not Found", "StatusCode": "404" },
    })
}
