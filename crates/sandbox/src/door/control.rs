//! The listener's own endpoints under `/_sandbox/`: the clock, what is going on, and the strings to pull.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::listener::{Door, TOKEN_HEADER};
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
struct Scenarios {
    names: Vec<String>,
}

pub(super) fn answer(request: &Request<Bytes>, door: &Door) -> Response<Bytes> {
    match act(request, door) {
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

fn act(request: &Request<Bytes>, door: &Door) -> Result<Value, Refusal> {
    let sandbox = &door.sandbox;
    let name = request.uri().path().trim_start_matches(PREFIX);
    match (request.method(), name) {
        (&Method::GET, "clock") => Ok(json!({
            "now_ms": sandbox.now().0,
            "speed": sandbox.pace().speed(),
        })),
        (&Method::GET, "status") => Ok(status(door)),
        (&Method::GET, "reveal") => permitted(request, door).map(|()| reveal(door)),
        (&Method::GET, "calls") => permitted(request, door).map(|()| calls(door)),
        (&Method::POST, "advance") => {
            permitted(request, door)?;
            let Advance { seconds } = body(request)?;
            if !(0.0..=FURTHEST).contains(&seconds) {
                return Err((
                    StatusCode::BAD_REQUEST,
                    format!("`seconds` must be between 0 and {FURTHEST}"),
                ));
            }
            sandbox.advance(Duration::from_secs_f64(seconds));
            Ok(status(door))
        }
        (&Method::POST, "reset") => {
            permitted(request, door)?;
            sandbox.reset();
            Ok(status(door))
        }
        (&Method::POST, "scenarios") => {
            permitted(request, door)?;
            let Scenarios { names } = body(request)?;
            let scenarios: BTreeSet<Scenario> = names
                .iter()
                .map(|name| name.parse())
                .collect::<Result<_, _>>()
                .map_err(|unknown: crate::UnknownScenario| (StatusCode::BAD_REQUEST, unknown.to_string()))?;
            sandbox.with_world(|world| world.set_scenarios(scenarios));
            Ok(status(door))
        }
        (&Method::POST, "stop") => {
            permitted(request, door)?;
            door.stopper.stop();
            Ok(json!({ "stopping": true }))
        }
        _ => Err((
            StatusCode::NOT_FOUND,
            format!("no such endpoint: {} {name}", request.method()),
        )),
    }
}

fn permitted(request: &Request<Bytes>, door: &Door) -> Result<(), Refusal> {
    let given = request.headers().get(TOKEN_HEADER).map(HeaderValue::as_bytes);
    if given == Some(door.token.as_bytes()) {
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
fn status(door: &Door) -> Value {
    let speed = door.sandbox.pace().speed();
    door.sandbox.with_world(|world| {
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
            "drill": door.drill,
            "scenarios": if door.drill { Value::Null } else { names.into() },
            "now_ms": world.now.0,
            "now": world.now.iso8601(),
            "speed": speed,
            "calls": world.call_count(),
        })
    })
}

fn reveal(door: &Door) -> Value {
    door.sandbox.with_world(|world| {
        let scenarios: Vec<Value> = world
            .scenarios()
            .iter()
            .map(|scenario| json!({ "name": scenario.name(), "help": scenario.help() }))
            .collect();
        json!({ "scenarios": scenarios })
    })
}

fn calls(door: &Door) -> Value {
    door.sandbox.with_world(|world| {
        let calls: Vec<Shown<'_>> = world.calls().iter().map(Shown::from).collect();
        json!({ "calls": calls, "total": world.call_count() })
    })
}
