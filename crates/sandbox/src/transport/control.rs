//! The listener's own endpoints under `/_sandbox/`: the clock, what is going on, and the strings to pull.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::listener::{ListenerState, TOKEN_HEADER};
use crate::options::Layout;
use crate::scenario::Scenario;
use crate::wire::Shown;

/// Where the endpoints are; no AWS service answers there.
pub(super) const PREFIX: &str = "/_sandbox/";

/// The furthest that one request may move the clock, in seconds: a day.
const FURTHEST: f64 = 86_400.0;

/// Why a request is refused.
type Refusal = (StatusCode, String);

#[derive(Deserialize)]
struct Advance {
    seconds: f64,
}

#[derive(Deserialize)]
struct Push {
    repository: String,
    tags: Vec<String>,
    platform: String,
}

#[derive(Deserialize)]
struct Scenarios {
    names: Vec<String>,
}

pub(super) fn answer(request: &Request<Bytes>, state: &ListenerState) -> Response<Bytes> {
    match act(request, state) {
        Ok(document) => respond(StatusCode::OK, &document),
        Err((status, message)) => refusal(status, &message),
    }
}

/// A refusal in JSON.
pub(super) fn refusal(status: StatusCode, message: &str) -> Response<Bytes> {
    respond(status, &json!({ "error": message }))
}

fn respond(status: StatusCode, document: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(document.to_string()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert("content-type", HeaderValue::from_static("application/json"));
    response
}

fn act(request: &Request<Bytes>, state: &ListenerState) -> Result<Value, Refusal> {
    let sandbox = &state.sandbox;
    let name = request.uri().path().trim_start_matches(PREFIX);
    match (request.method(), name) {
        (&Method::GET, "clock") => Ok(json!({
            "now_ms": sandbox.now().0,
            "speed": sandbox.pace().speed(),
        })),
        (&Method::GET, "status") => Ok(status(state)),
        (&Method::GET, "reveal") => permitted(request, state).map(|()| reveal(state)),
        (&Method::GET, "calls") => permitted(request, state).map(|()| calls(state)),
        (&Method::POST, "advance") => {
            permitted(request, state)?;
            let Advance { seconds } = body(request)?;
            if !(0.0..=FURTHEST).contains(&seconds) {
                return Err((
                    StatusCode::BAD_REQUEST,
                    format!("`seconds` must be between 0 and {FURTHEST}"),
                ));
            }
            sandbox.advance(Duration::from_secs_f64(seconds));
            Ok(status(state))
        }
        (&Method::POST, "reset") => {
            permitted(request, state)?;
            sandbox.reset();
            Ok(status(state))
        }
        (&Method::POST, "push") => {
            permitted(request, state)?;
            let Push {
                repository,
                tags,
                platform,
            } = body(request)?;
            let arm64 = match platform.as_str() {
                "linux/arm64" => true,
                "linux/amd64" => false,
                _ => {
                    let known = "`platform` must be linux/arm64 or linux/amd64";
                    return Err((StatusCode::BAD_REQUEST, known.to_owned()));
                }
            };
            let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
            let push = |world: &mut crate::World| world.push_image(&repository, &tags, arm64, Duration::ZERO);
            let digest = sandbox.with_world(push).ok_or_else(|| {
                let none = format!("there is no repository {repository}");
                (StatusCode::NOT_FOUND, none)
            })?;
            Ok(json!({ "digest": digest }))
        }
        (&Method::POST, "scenarios") => {
            permitted(request, state)?;
            let Scenarios { names } = body(request)?;
            let scenarios: BTreeSet<Scenario> = names
                .iter()
                .map(|name| name.parse())
                .collect::<Result<_, _>>()
                .map_err(|unknown: crate::UnknownScenario| (StatusCode::BAD_REQUEST, unknown.to_string()))?;
            sandbox.with_world(|world| world.set_scenarios(scenarios));
            Ok(status(state))
        }
        (&Method::POST, "stop") => {
            permitted(request, state)?;
            state.stopper.stop();
            Ok(json!({ "stopping": true }))
        }
        _ => Err((
            StatusCode::NOT_FOUND,
            format!("no such endpoint: {} {name}", request.method()),
        )),
    }
}

fn permitted(request: &Request<Bytes>, state: &ListenerState) -> Result<(), Refusal> {
    let given = request.headers().get(TOKEN_HEADER).map(HeaderValue::as_bytes);
    if given == Some(state.token.as_bytes()) {
        Ok(())
    } else {
        Err((
            StatusCode::UNAUTHORIZED,
            format!("this needs the sandbox's token in `{TOKEN_HEADER}`"),
        ))
    }
}

fn body<T: serde::de::DeserializeOwned>(request: &Request<Bytes>) -> Result<T, Refusal> {
    serde_json::from_slice(request.body()).map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))
}

/// `scenarios` is null in a drill.
fn status(state: &ListenerState) -> Value {
    let speed = state.sandbox.pace().speed();
    state.sandbox.with_world(|world| {
        let names: Vec<&str> = world.scenarios().iter().map(|scenario| scenario.name()).collect();
        json!({
            "pid": std::process::id(),
            "layout": match world.options.layout {
                Layout::Single => "single",
                Layout::Staged => "staged",
            },
            "stage": world.options.stage,
            "account_id": world.options.account_id,
            "region": world.options.region,
            "drill": state.drill,
            "scenarios": if state.drill { Value::Null } else { names.into() },
            "now_ms": world.now.0,
            "now": world.now.iso8601(),
            "speed": speed,
            "calls": world.call_count(),
        })
    })
}

fn reveal(state: &ListenerState) -> Value {
    state.sandbox.with_world(|world| {
        let scenarios: Vec<Value> = world
            .scenarios()
            .iter()
            .map(|scenario| json!({ "name": scenario.name(), "help": scenario.help() }))
            .collect();
        json!({ "scenarios": scenarios })
    })
}

fn calls(state: &ListenerState) -> Value {
    state.sandbox.with_world(|world| {
        let calls: Vec<Shown<'_>> = world.calls().iter().map(Shown::from).collect();
        json!({ "calls": calls, "total": world.call_count() })
    })
}
