//! What a browser gets from the load balancer: the answer of a healthy target, or the load balancer's own
//! (Application Load Balancers User Guide, "Troubleshoot your Application Load Balancers").

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode};

use super::listener::{Heard, heard, location};
use super::{Failure, Group, Health, balancer_of};
use crate::application::media;
use crate::wire::Delivery;
use crate::world::World;

/// Where requests of the backend begin: rule 10 of the listener.
const BACKEND: [&str; 3] = ["/api/", "/sanctum/", "/up"];
/// Health routes of the backend.
const UP: [&str; 2] = ["/up", "/api/up"];

/// Answers a request for a load balancer of the account; `None` for any other host.
pub(crate) fn answer(world: &mut World, request: &Request<Bytes>) -> Option<Response<Bytes>> {
    let uri = request.uri();
    let given = request.headers().get("host").and_then(|host| host.to_str().ok());
    let named = |host| balancer_of(world, host).map(|balancer| (balancer, host));
    let (balancer, host) = given.and_then(named).or_else(|| uri.host().and_then(named))?;
    let path = uri.path();
    // One port stands for both of the load balancer's: the header says which of them a client means.
    let forwarded = request.headers().get("x-forwarded-proto");
    let secure = forwarded.is_some_and(|protocol| protocol == "https");
    match heard(world, &balancer.arn, if secure { 443 } else { 80 }) {
        Heard::Forward => {}
        Heard::Redirect(config) => return Some(redirect(&location(config, host, uri))),
        Heard::Nothing => return Some(refused()),
    }
    let is_backend = BACKEND.iter().any(|begin| path.starts_with(begin));
    let group = world
        .services
        .elb
        .groups
        .iter()
        .find(|group| group.balancer == balancer.arn && (group.path == "/up") == is_backend);
    let status = group.map_or(StatusCode::SERVICE_UNAVAILABLE, |group| status(group, path));
    if is_backend && status == StatusCode::NOT_FOUND {
        // A healthy target is there, and the path is none of its health routes.
        if let Some(answer) = media::answer(world, request) {
            return Some(answer);
        }
    }
    Some(plain(request, status, is_backend))
}

/// What a target answers of itself: pages of both targets are HTML, and the frontend's says what it is made with.
fn plain(request: &Request<Bytes>, status: StatusCode, is_backend: bool) -> Response<Bytes> {
    let reason = status.canonical_reason().unwrap_or_default();
    let body = match (status, is_backend) {
        (StatusCode::OK, true) => "<!DOCTYPE html><title>Laravel</title>Application up",
        (StatusCode::OK, false) => {
            "<!DOCTYPE html><title>App</title><script src=\"/_next/static/chunks/main.js\"></script>"
        }
        _ => reason,
    };
    let mut response = Response::new(match request.method() == Method::HEAD {
        true => Bytes::new(),
        false => Bytes::from(body.to_owned()),
    });
    let headers = response.headers_mut();
    headers.insert(
        "content-type",
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    if status == StatusCode::OK && !is_backend {
        headers.insert("x-powered-by", HeaderValue::from_static("Next.js"));
    }
    *response.status_mut() = status;
    response
}

/// "301 – Moved Permanently", as the listeners of the platform say it.
fn redirect(location: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from("301 Moved Permanently"));
    *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
    if let Ok(location) = location.parse() {
        response.headers_mut().insert("location", location);
    }
    response
}

/// Nothing listens at the port: there is no connection.
fn refused() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    response.extensions_mut().insert(Delivery {
        lost: true,
        ..Delivery::default()
    });
    response
}

/// 503 without targets, 504 and 502 when those that there are do not answer. With unhealthy targets only, requests go to
/// all of them ("Health checks for Application Load Balancer target groups": fail open).
fn status(group: &Group, path: &str) -> StatusCode {
    let all = group.targets.iter().map(|target| &target.health);
    let mut serving = all.clone().filter(|health| **health == Health::Healthy);
    if serving.next().is_some() {
        return match group.path == "/up" && !UP.contains(&path) {
            true => StatusCode::NOT_FOUND,
            false => StatusCode::OK,
        };
    }
    let failing = all.clone().find_map(|health| match health {
        Health::Unhealthy(failure) => Some(failure),
        _ => None,
    });
    match failing {
        Some(Failure::Code(code)) => StatusCode::from_u16(*code).unwrap_or(StatusCode::BAD_GATEWAY),
        Some(Failure::Timeout) => StatusCode::GATEWAY_TIMEOUT,
        Some(Failure::Refused) => StatusCode::BAD_GATEWAY,
        None => StatusCode::SERVICE_UNAVAILABLE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;

    fn ask(world: &mut World, host: &str, path: &str) -> Option<u16> {
        let request = Request::get(format!("http://{host}{path}"))
            .body(Bytes::new())
            .unwrap();
        answer(world, &request).map(|response| response.status().as_u16())
    }

    #[test]
    fn healthy_targets_answer_and_without_targets_the_load_balancer_does() {
        let mut world = World::new(Options::default());
        let host = world.services.elb.balancers[0].dns.clone();
        assert_eq!(ask(&mut world, &host, "/up"), Some(200));
        assert_eq!(ask(&mut world, &host, "/api/up"), Some(200));
        assert_eq!(ask(&mut world, &host, "/api/none"), Some(404));
        assert_eq!(ask(&mut world, &host, "/"), Some(200));
        assert_eq!(ask(&mut world, "example.com", "/up"), None);
        for group in &mut world.services.elb.groups {
            for target in &mut group.targets {
                target.health = Health::Unhealthy(Failure::Timeout);
            }
        }
        assert_eq!(ask(&mut world, &host, "/up"), Some(504));
        for group in &mut world.services.elb.groups {
            group.targets.clear();
        }
        assert_eq!(ask(&mut world, &host, "/up"), Some(503));
    }
}
