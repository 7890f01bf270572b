//! The routes: who may ask, what is checked, what is answered. Words and statuses are the application's.

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use super::{
    CREDITS, EFFECTS, File, KINDS, LARGEST, MediaTrouble, State, TENANT, TOKEN, VALID_SECONDS, Video, add,
    bucket, price, row, row_mut, shown_effects, shown_file, shown_video, submit,
};
use crate::application::workload;
use crate::options::Layout;
use crate::scenario::{Scenario, in_force};
use crate::service::s3;
use crate::wire::Delivery;
use crate::world::World;

/// An answer of the application.
type Said = (u16, Value);

/// Answers a request that has come to a healthy target of the backend; `None` for routes that are none of these.
pub(crate) fn answer(world: &mut World, request: &Request<Bytes>) -> Option<Response<Bytes>> {
    let path = request.uri().path().strip_prefix("/api/")?.to_owned();
    let parts: Vec<&str> = path.split('/').collect();
    let known = matches!(parts.first(), Some(&("effects" | "videos" | "ai-jobs" | "me")));
    if !known {
        return None;
    }
    let method = request.method().as_str();
    let state = &mut world.services.media;
    state.requests += 1;
    let lost = state.troubles.iter().any(
        |trouble| matches!(trouble, MediaTrouble::LosesAnswer(of, route) if *of == method && *route == path),
    );
    let broken = state.troubles.iter().find_map(|trouble| match trouble {
        MediaTrouble::Answers(of, route, status) if *of == method && path == *route => Some(*status),
        _ => None,
    });
    let turn = state.requests;
    let out =
        in_force(world, Scenario::RdsRefused) || in_force(world, Scenario::Alb5xx) && !turn.is_multiple_of(3);
    let said = match broken {
        Some(status) => failed(
            status,
            "An unexpected error occurred. Please try again or contact support.",
        ),
        None if out => failed(
            500,
            "An unexpected error occurred. Please try again or contact support.",
        ),
        None => said(world, request, &parts),
    };
    let mut response = written(said);
    if lost {
        response.extensions_mut().insert(Delivery {
            lost: true,
            ..Delivery::default()
        });
    }
    Some(response)
}

fn written((status, body): Said) -> Response<Bytes> {
    let bytes = if body.is_null() {
        Bytes::new()
    } else {
        Bytes::from(body.to_string())
    };
    let mut response = Response::new(bytes);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
        .headers_mut()
        .insert("content-type", HeaderValue::from_static("application/json"));
    response
}

fn said(world: &mut World, request: &Request<Bytes>, parts: &[&str]) -> Said {
    let method = request.method();
    if let (&Method::GET, ["effects", rest @ ..]) = (method, parts) {
        return effects(rest);
    }
    let given = request
        .headers()
        .get("authorization")
        .and_then(|value| value.to_str().ok());
    if given.and_then(|value| value.strip_prefix("Bearer ")) != Some(TOKEN) {
        return failed(401, "Unauthenticated.");
    }
    let input: Value = serde_json::from_slice(request.body()).unwrap_or_default();
    let starts_itself = world.options.layout == Layout::Staged;
    match (method, parts) {
        (&Method::GET, ["me"]) => done(
            200,
            json!({"id": 1, "name": "Smoke Test", "email": "smoke@example.com"}),
            "User retrieved successfully",
        ),
        (&Method::POST, ["videos", "uploads"]) => upload(world, &input),
        (&Method::POST, ["videos"]) => create(world, &input, starts_itself),
        (&Method::GET, ["videos"]) => list(&world.services.media, request.uri().query().unwrap_or_default()),
        (&Method::GET, ["videos", id]) => match id.parse() {
            Ok(id) => show(world, id),
            Err(_) => unknown_route(parts),
        },
        (&Method::DELETE, ["videos", id]) => {
            delete(&mut world.services.media, id.parse().unwrap_or_default())
        }
        // Older releases start the work with the video and have no such route.
        (&Method::POST, ["ai-jobs"]) if !starts_itself => job(world, &input),
        _ => unknown_route(parts),
    }
}

fn done(status: u16, data: Value, message: &str) -> Said {
    (status, json!({"success": true, "data": data, "message": message}))
}

fn failed(status: u16, message: &str) -> Said {
    (status, json!({"success": false, "message": message}))
}

fn failed_with(status: u16, message: &str, data: Value) -> Said {
    (
        status,
        json!({"success": false, "message": message, "data": data}),
    )
}

/// What the framework says of a path that it has no route for.
fn unknown_route(parts: &[&str]) -> Said {
    let message = format!("The route api/{} could not be found.", parts.join("/"));
    (404, json!({"message": message}))
}

fn effects(rest: &[&str]) -> Said {
    let all = shown_effects();
    match rest {
        [] => {
            let count = all.len();
            let list = json!({"items": all, "totalItems": count, "totalPages": 1, "page": 1, "perPage": 20});
            done(200, list, "Effects retrieved successfully")
        }
        [wanted] => {
            let found = all
                .into_iter()
                .find(|one| one["id"].as_u64() == wanted.parse().ok() || one["slug"] == *wanted);
            found.map_or_else(
                || failed(404, "Effect not found"),
                |one| done(200, one, "Effect retrieved successfully"),
            )
        }
        _ => unknown_route(&["effects"]),
    }
}

/// `numeric`: a number, or text that is one.
fn number(input: &Value, name: &str) -> Option<u64> {
    let value = &input[name];
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// The messages of the rules that `input` breaks, by member.
fn problems(input: &Value, numbers: &[&str], texts: &[(&str, usize)]) -> serde_json::Map<String, Value> {
    let mut found = serde_json::Map::new();
    let words = |name: &str| name.replace('_', " ");
    for name in numbers {
        if input[*name].is_null() {
            found.insert(
                (*name).to_owned(),
                json!([format!("The {} field is required.", words(name))]),
            );
        } else if number(input, name).is_none() {
            found.insert(
                (*name).to_owned(),
                json!([format!("The {} field must be a number.", words(name))]),
            );
        }
    }
    for (name, most) in texts {
        match input[*name].as_str() {
            None => {
                found.insert(
                    (*name).to_owned(),
                    json!([format!("The {} field is required.", words(name))]),
                );
            }
            Some(text) if text.chars().count() > *most => {
                let message = format!(
                    "The {} field must not be greater than {most} characters.",
                    words(name)
                );
                found.insert((*name).to_owned(), json!([message]));
            }
            Some(_) => {}
        }
    }
    let effect = number(input, "effect_id");
    if effect.is_some_and(|effect| !EFFECTS.iter().any(|(id, ..)| *id == effect)) {
        found.insert(
            "effect_id".to_owned(),
            json!(["The selected effect id is invalid."]),
        );
    }
    found
}

fn upload(world: &mut World, input: &Value) -> Said {
    let mut problems = problems(
        input,
        &["effect_id", "size"],
        &[("mime_type", 255), ("original_filename", 512)],
    );
    let size = number(input, "size").unwrap_or_default();
    if size == 0 {
        problems
            .entry("size")
            .or_insert_with(|| json!(["The size field must be at least 1."]));
    }
    if !problems.is_empty() {
        return failed_with(422, "Validation error.", problems.into());
    }
    let (effect, state) = (
        number(input, "effect_id").unwrap_or_default(),
        &world.services.media,
    );
    let balance = CREDITS.saturating_sub(state.spent);
    if balance < price(effect) {
        return failed_with(
            422,
            "Insufficient tokens.",
            json!({"required_tokens": price(effect), "balance": balance}),
        );
    }
    let is = |trouble: MediaTrouble| state.troubles.contains(&trouble);
    let (any_type, any_size, other) = (
        is(MediaTrouble::AnyType),
        is(MediaTrouble::AnySize),
        is(MediaTrouble::OtherBucket),
    );
    let kind = input["mime_type"].as_str().unwrap_or_default().to_lowercase();
    let known = KINDS.iter().find(|(name, _)| *name == kind);
    if known.is_none() && !any_type {
        return failed_with(422, "Unsupported mime type.", json!({"mime_type": kind}));
    }
    if size > LARGEST && !any_size {
        return failed_with(422, "File too large.", json!({"max_bytes": LARGEST}));
    }
    let name = input["original_filename"].as_str().unwrap_or_default();
    if name.is_empty() || name.contains("..") || name.contains(['/', '\\']) {
        return failed(422, "Invalid filename.");
    }
    let extension = name
        .rsplit_once('.')
        .map(|(_, extension)| extension.to_lowercase());
    let extension = extension.unwrap_or_else(|| known.map_or("bin", |(_, extension)| extension).to_owned());
    let path = format!(
        "tenants/{TENANT}/uploads/{}.{extension}",
        world.application_ids.uuid()
    );
    let file = File {
        path: path.clone(),
        kind: kind.clone(),
        size,
        name: Some(name.to_owned()),
        hash: input["file_hash"].as_str().map(str::to_owned),
    };
    let id = add(&mut world.services.media.files, file.clone());
    let bucket = if other {
        "bp-media-of-somebody-else".to_owned()
    } else {
        bucket(world)
    };
    let url = s3::presigned(world, &Method::PUT, &bucket, &path, VALID_SECONDS);
    let host = format!("{bucket}.s3.{}.amazonaws.com", world.options.region);
    let data = json!({
        "file": shown_file(id, &file),
        "upload_url": url,
        // The framework hands out lists: a header may have several values.
        "upload_headers": {"Host": [host], "Content-Type": [kind]},
        "expires_in": VALID_SECONDS,
    });
    done(200, data, "Upload initialized")
}

fn create(world: &mut World, input: &Value, starts: bool) -> Said {
    let mut problems = problems(input, &["effect_id", "original_file_id"], &[]);
    if input["title"]
        .as_str()
        .is_some_and(|title| title.chars().count() > 255)
    {
        problems.insert(
            "title".to_owned(),
            json!(["The title field must not be greater than 255 characters."]),
        );
    }
    if !problems.is_empty() {
        return failed_with(422, "Validation error.", problems.into());
    }
    let original = number(input, "original_file_id").unwrap_or_default();
    let state = &mut world.services.media;
    if row(&state.files, original).is_none() {
        return failed(404, "File not found.");
    }
    let effect = number(input, "effect_id").unwrap_or_default();
    let video = Video {
        effect,
        original,
        processed: None,
        title: input["title"].as_str().map(str::to_owned),
        status: "queued",
        error: None,
        deleted: false,
    };
    let shown = video.clone();
    let id = add(&mut state.videos, video);
    if starts {
        submit(world, Some(id), original, effect, format!("video-{id}"));
    }
    done(201, shown_video(id, &shown), "Video created")
}

fn list(state: &State, query: &str) -> Said {
    let wanted = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "search");
    let wanted = wanted.map(|(_, text)| text.into_owned()).unwrap_or_default();
    let found: Vec<Value> = state
        .videos
        .iter()
        .zip(1..)
        .filter(|(video, _)| !video.deleted && video.title.as_deref().unwrap_or_default().contains(&wanted))
        .map(|(video, id)| shown_video(id, video))
        .collect();
    let count = found.len();
    let list = json!({"items": found, "totalItems": count, "totalPages": 1, "page": 1, "perPage": 20});
    done(200, list, "Videos retrieved")
}

fn show(world: &World, id: u64) -> Said {
    let state = &world.services.media;
    let Some(video) = row(&state.videos, id).filter(|video| !video.deleted) else {
        return failed(404, "Video not found.");
    };
    let bucket = bucket(world);
    let url = |file: u64| {
        let file = row(&state.files, file)?;
        Some(s3::presigned(
            world,
            &Method::GET,
            &bucket,
            &file.path,
            VALID_SECONDS,
        ))
    };
    let mut shown = shown_video(id, video);
    shown["original_file_url"] = json!(url(video.original));
    shown["processed_file_url"] = json!(video.processed.and_then(url));
    shown["error"] = json!(video.error);
    done(200, shown, "Video retrieved")
}

/// The row is marked; nothing in S3 is touched, and a job goes on.
fn delete(state: &mut State, id: u64) -> Said {
    let keeps = state.troubles.contains(&MediaTrouble::KeepsVideos);
    match row_mut(&mut state.videos, id).filter(|video| !video.deleted) {
        None => failed(404, "Video not found."),
        Some(video) => {
            video.deleted = !keeps;
            (204, Value::Null)
        }
    }
}

fn job(world: &mut World, input: &Value) -> Said {
    let problems = problems(input, &["effect_id"], &[("idempotency_key", 255)]);
    if !problems.is_empty() {
        return failed_with(422, "Validation error.", problems.into());
    }
    let key = input["idempotency_key"].as_str().unwrap_or_default();
    let told = |id: u64, status: &str, dispatch: Option<u64>, message: &str| {
        let mut said = done(
            200,
            json!({"id": id, "status": status, "idempotency_key": key}),
            message,
        );
        said.1["dispatch_id"] = json!(dispatch);
        said
    };
    let state = &world.services.media;
    let existing = state.jobs.iter().zip(1..).find(|(job, _)| job.key == key);
    if let Some((job, id)) = existing {
        return told(id, job.status, Some(id), "Job already submitted");
    }
    let Some(video) = number(input, "video_id") else {
        return failed(422, "Input file is required.");
    };
    let Some(original) = row(&state.videos, video)
        .filter(|video| !video.deleted)
        .map(|video| video.original)
    else {
        return failed(404, "Video not found.");
    };
    let effect = number(input, "effect_id").unwrap_or_default();
    if CREDITS.saturating_sub(state.spent) < price(effect) {
        return failed_with(
            422,
            "Insufficient tokens.",
            json!({"required_tokens": price(effect)}),
        );
    }
    if !workload::any(world) {
        return failed(422, "Effect is not available for selected runtime routing.");
    }
    if state.troubles.contains(&MediaTrouble::NoDispatch) {
        return told(state.jobs.len() as u64 + 1, "failed", None, "Job queued");
    }
    let id = submit(world, Some(video), original, effect, key.to_owned());
    told(id, "queued", Some(id), "Job queued")
}
