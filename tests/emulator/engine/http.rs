//! The routes of the Docker Engine API that ministack calls, on a loopback port.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::{TryStreamExt as _, stream};
use http::{Method, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::time::sleep_until;

use super::container::State;
use super::{Container, Store, digest, pinned};

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// What looking at a running container costs: ministack looks at each ten times a second otherwise.
const INSPECTION: Duration = Duration::from_millis(40);

/// Serves `store` from a thread of its own until the process ends.
pub(super) fn serve(store: Store) -> SocketAddr {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
                .await
                .expect("a loopback port");
            tell.send(listener.local_addr().expect("a bound address"))
                .expect("someone who waits for the address");
            while let Ok((connection, _)) = listener.accept().await {
                let store = store.clone();
                let service = service_fn(move |request| {
                    let store = store.clone();
                    async move { Ok::<_, Infallible>(answer(&store, request).await) }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(connection), service));
            }
        });
    });
    told.recv().expect("the engine's address")
}

async fn answer(store: &Store, request: Request<Incoming>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let path = percent_encoding::percent_decode_str(head.uri.path()).decode_utf8_lossy();
    let path = without_version(&path).to_owned();
    let query = Query(head.uri.query().unwrap_or_default().to_owned());
    let body = body
        .collect()
        .await
        .map(|body| body.to_bytes())
        .unwrap_or_default();
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match parts.as_slice() {
        ["_ping"] => text("OK"),
        ["version"] => reply(
            StatusCode::OK,
            &json!({"ApiVersion": "1.45", "MinAPIVersion": "1.24", "Version": "26.0", "Os": "linux"}),
        ),
        ["info"] => reply(StatusCode::OK, &json!({"ServerVersion": "26.0"})),
        ["images", "create"] => pull(store, &query),
        ["images", name @ .., "json"] => image(store, &name.join("/")),
        ["images", _, .., "tag"] => empty(StatusCode::CREATED),
        ["distribution", name @ .., "json"] => manifest(store, &name.join("/")),
        ["containers", "json"] => list(store, &query),
        ["containers", "create"] => create(store, &query, &body),
        ["containers", id] if head.method == Method::DELETE => remove(store, id),
        ["containers", id, "json"] => inspect(store, id).await,
        ["containers", id, "start"] => {
            change(store, id, |container| container.started = Some(Instant::now()))
        }
        ["containers", id, "stop"] => change(store, id, |container| container.end(143)),
        ["containers", id, "kill"] => change(store, id, |container| container.end(137)),
        ["containers", id, "wait"] => wait(store, id).await,
        ["containers", id, "logs"] => logs(store, id, &query),
        _ => refuse("page not found"),
    }
}

/// `/v1.45/info` → `/info`.
fn without_version(path: &str) -> &str {
    match path.strip_prefix("/v1.").and_then(|rest| rest.split_once('/')) {
        Some((version, _)) => &path["/v1.".len() + version.len()..],
        None => path,
    }
}

struct Query(String);

impl Query {
    fn get(&self, name: &str) -> Option<String> {
        form_urlencoded::parse(self.0.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }

    fn is_true(&self, name: &str) -> bool {
        matches!(self.get(name).as_deref(), Some("1" | "true" | "True"))
    }
}

fn pull(store: &Store, query: &Query) -> Response<Body> {
    let repository = query.get("fromImage").unwrap_or_default();
    let tag = query.get("tag").unwrap_or_else(|| "latest".to_owned());
    let separator = if tag.contains(':') { '@' } else { ':' };
    let reference = format!("{repository}{separator}{tag}");
    let mut contents = store.lock();
    let Some(name) = contents.image(&reference).map(|image| image.name.clone()) else {
        return refuse(&format!(
            "manifest for {reference} not found: manifest unknown: Requested image not found"
        ));
    };
    contents.pulled.push(name);
    reply(StatusCode::OK, &json!({"status": "Download complete"}))
}

fn image(store: &Store, reference: &str) -> Response<Body> {
    let contents = store.lock();
    match contents.image(reference) {
        Some(image) if contents.is_local(reference) => reply(
            StatusCode::OK,
            &json!({
                "Id": digest(&image.name),
                "RepoTags": [image.name],
                "RepoDigests": [pinned(&image.name)],
                "Config": {"Entrypoint": image.entry_point, "Cmd": image.command},
                "Os": "linux",
                "Architecture": "arm64",
            }),
        ),
        _ => refuse(&format!("No such image: {reference}")),
    }
}

fn manifest(store: &Store, reference: &str) -> Response<Body> {
    match store.lock().image(reference) {
        Some(image) => {
            let media_type = "application/vnd.oci.image.index.v1+json";
            let descriptor = json!({"mediaType": media_type, "digest": digest(&image.name), "size": 1});
            reply(
                StatusCode::OK,
                &json!({"Descriptor": descriptor, "Platforms": []}),
            )
        }
        None => refuse("manifest unknown: Requested image not found"),
    }
}

fn list(store: &Store, query: &Query) -> Response<Body> {
    let filters: Value = query
        .get("filters")
        .and_then(|filters| serde_json::from_str(&filters).ok())
        .unwrap_or_default();
    let wanted = |container: &&Container| {
        let labels = filters["label"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut labels = labels.iter().filter_map(Value::as_str);
        let shown = query.is_true("all") || container.state() == State::Running;
        !container.removed
            && shown
            && labels.all(|label| match label.split_once('=') {
                Some((name, value)) => container.label(name) == Some(value),
                None => container.label(label).is_some(),
            })
    };
    let contents = store.lock();
    let listed = contents.containers.iter().filter(wanted);
    reply(StatusCode::OK, &listed.map(Container::summary).collect())
}

fn create(store: &Store, query: &Query, body: &[u8]) -> Response<Body> {
    let Ok(order) = serde_json::from_slice::<Value>(body) else {
        return refuse("invalid JSON");
    };
    let strings =
        |member: &str| -> Vec<String> { serde_json::from_value(order[member].clone()).unwrap_or_default() };
    let reference = order["Image"].as_str().unwrap_or_default();
    let mut contents = store.lock();
    if !contents.is_local(reference) {
        return refuse(&format!("No such image: {reference}"));
    }
    let (entry_point, command) = (strings("Entrypoint"), strings("Cmd"));
    let Some(program) = contents
        .image(reference)
        .map(|image| image.program(&entry_point, &command))
    else {
        return refuse(&format!("No such image: {reference}"));
    };
    let id = format!("{:064x}", contents.containers.len() + 1);
    contents.containers.push(Container {
        id: id.clone(),
        name: query.get("name").unwrap_or_else(|| id.clone()),
        image: reference.to_owned(),
        command,
        labels: order["Labels"].clone(),
        program,
        started: None,
        ended: None,
        removed: false,
    });
    reply(StatusCode::CREATED, &json!({"Id": id, "Warnings": []}))
}

fn change(store: &Store, id: &str, change: impl FnOnce(&mut Container)) -> Response<Body> {
    match store.lock().container(id) {
        Some(container) => {
            change(container);
            empty(StatusCode::NO_CONTENT)
        }
        None => no_container(id),
    }
}

fn remove(store: &Store, id: &str) -> Response<Body> {
    change(store, id, |container| {
        container.end(137);
        container.removed = true;
    })
}

async fn inspect(store: &Store, id: &str) -> Response<Body> {
    let found = store
        .lock()
        .container(id)
        .map(|container| (container.inspect(), container.state()));
    let Some((described, state)) = found else {
        return no_container(id);
    };
    if state == State::Running {
        sleep_until((Instant::now() + INSPECTION).into()).await;
    }
    reply(StatusCode::OK, &described)
}

async fn wait(store: &Store, id: &str) -> Response<Body> {
    loop {
        match store.lock().container(id).map(|container| container.state()) {
            None => return no_container(id),
            Some(State::Exited(status)) => return reply(StatusCode::OK, &json!({"StatusCode": status})),
            Some(State::Created | State::Running) => {}
        }
        sleep_until((Instant::now() + INSPECTION).into()).await;
    }
}

/// The lines written so far and, with `follow`, those to come until the container has ended.
fn logs(store: &Store, id: &str, query: &Query) -> Response<Body> {
    let follow = query.is_true("follow");
    let Some(id) = store.lock().container(id).map(|container| container.id.clone()) else {
        return no_container(id);
    };
    let store = store.clone();
    let lines = stream::try_unfold(0, move |sent| {
        let (store, id) = (store.clone(), id.clone());
        async move {
            loop {
                let (chunk, written, ended, next) = {
                    let contents = store.lock();
                    let container = contents.containers.iter().find(|container| container.id == id);
                    let Some(container) = container else {
                        return Ok(None);
                    };
                    let written = container.written();
                    let lines = &container.program.lines[sent..written];
                    let ended = matches!(container.state(), State::Exited(_));
                    (
                        lines.iter().map(|line| frame(line)).collect::<Vec<_>>().concat(),
                        written,
                        ended,
                        container.next_line(),
                    )
                };
                if !chunk.is_empty() {
                    return Ok::<_, Infallible>(Some((Bytes::from(chunk), written)));
                }
                if ended || !follow {
                    return Ok(None);
                }
                sleep_until(next.into()).await;
            }
        }
    });
    let body = StreamBody::new(lines.map_ok(Frame::data)).boxed_unsync();
    Response::builder()
        .header("content-type", "application/vnd.docker.multiplexed-stream")
        .body(body)
        .expect("a valid response")
}

/// One line of stdout as Docker multiplexes it: stream number, three zeros, length, bytes.
fn frame(line: &str) -> Vec<u8> {
    let line = format!("{line}\n");
    let length = u32::try_from(line.len()).expect("a short line");
    [&[1, 0, 0, 0], &length.to_be_bytes()[..], line.as_bytes()].concat()
}

fn no_container(id: &str) -> Response<Body> {
    refuse(&format!("No such container: {id}"))
}

fn refuse(message: &str) -> Response<Body> {
    reply(StatusCode::NOT_FOUND, &json!({"message": message}))
}

fn reply(status: StatusCode, body: &Value) -> Response<Body> {
    respond(status, "application/json", body.to_string())
}

fn text(body: &str) -> Response<Body> {
    respond(StatusCode::OK, "text/plain", body.to_owned())
}

fn empty(status: StatusCode) -> Response<Body> {
    respond(status, "text/plain", String::new())
}

fn respond(status: StatusCode, content_type: &str, body: String) -> Response<Body> {
    Response::builder()
        .status(status)
        .header("content-type", content_type)
        .body(Full::from(body).boxed_unsync())
        .expect("a valid response")
}
