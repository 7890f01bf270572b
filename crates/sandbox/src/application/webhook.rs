//! A webhook on this machine: takes what is posted below `/hooks/`, and fails where its path says so.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde_json::Value;

use crate::world::World;

/// Everything below is a webhook.
const PATH: &str = "/hooks/";

/// What was posted, and how often it was refused.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) posts: Vec<Value>,
    refused: u32,
}

/// Answers a request to a webhook; `None` for any other. `/hooks/busy` refuses the first two with 503, `/hooks/gone`
/// all of them with 410.
pub(crate) fn answer(world: &mut World, request: &Request<Bytes>) -> Option<Response<Bytes>> {
    let hook = request.uri().path().strip_prefix(PATH)?;
    if request.method() != Method::POST {
        return None;
    }
    let state = &mut world.services.webhooks;
    let status = match hook {
        "busy" if state.refused < 2 => StatusCode::SERVICE_UNAVAILABLE,
        "gone" => StatusCode::GONE,
        _ => StatusCode::NO_CONTENT,
    };
    match (status, serde_json::from_slice(request.body())) {
        (StatusCode::NO_CONTENT, Ok(body)) => state.posts.push(body),
        _ => state.refused += 1,
    }
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    Some(response)
}
