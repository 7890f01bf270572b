//! ListenerState 2: an HTTP/1.1 listener on the loopback interface, for the `aws` command line and any other SDK.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Either, Full, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::clock::pause;
use super::live::LiveBody;
use super::{control, origin};
use crate::sandbox::Sandbox;
use crate::service::{elb, s3};
use crate::session;
use crate::wire::{Delivery, Live};

/// The header that carries the listener's token.
pub const TOKEN_HEADER: &str = "x-sandbox-token";

/// How often a live world moves without requests.
const IDLE_TICK: Duration = Duration::from_millis(250);

/// How long open connections may finish what they are at when the listener stops.
const GRACE: Duration = Duration::from_secs(2);

/// How many connections may be open at once; a further one is closed at once.
const MOST_CONNECTIONS: usize = 256;

/// How long a client may take over the head of a request. It is also how long a connection may rest between two.
const HEAD_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a client may take over the body of a request.
const BODY_TIMEOUT: Duration = Duration::from_secs(60);

/// The longest head of a request, in bytes. AWS' services take less.
const LARGEST_HEAD: usize = 64 * 1024;

/// How many kilobytes of bodies are held at once; a later request waits.
const BODIES: usize = 128 * 1024;

/// The parts that the `aws` command line uploads have 8 MiB; everything else is smaller.
const LARGEST_REQUEST: usize = 16 * 1024 * 1024;

/// How a listener behaves.
#[derive(Clone, Debug, Default)]
pub struct ServeOptions {
    /// The port; 0 for any that is free.
    pub port: u16,
    /// Added to every API call, so that a benchmark meets the network it would have.
    pub latency: Duration,
    /// A drill: no client is told which scenarios are in force before `reveal`.
    pub drill: bool,
    /// How long a client may take over the head of a request, and over its body; a minute each unless given.
    pub patience: Option<Duration>,
}

/// A bound listener. It accepts connections from the start and answers them while [`Server::run`] runs.
#[derive(Debug)]
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// What the control endpoints that change or tell something ask for, in the header [`TOKEN_HEADER`].
    pub token: String,
    listener: TcpListener,
    state: ListenerState,
    stopped: watch::Receiver<bool>,
}

/// Stops a [`Server`] from anywhere.
#[derive(Clone, Debug)]
pub struct Stopper(watch::Sender<bool>);

impl Stopper {
    /// Lets the server finish its open requests and return.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

/// What every connection needs to know.
#[derive(Clone, Debug)]
pub(super) struct ListenerState {
    pub(super) sandbox: Sandbox,
    pub(super) token: String,
    pub(super) drill: bool,
    pub(super) stopper: Stopper,
    latency: Duration,
    head_timeout: Duration,
    body_timeout: Duration,
    /// Kilobytes of bodies that may still be read.
    bodies: Arc<Semaphore>,
}

/// Binds a listener on 127.0.0.1 for `sandbox`.
///
/// # Errors
/// When the port is taken or the operating system gives no random bytes for the token.
pub async fn serve(sandbox: Sandbox, options: ServeOptions) -> io::Result<Server> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
    let token: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
    let (sender, stopped) = watch::channel(false);
    let base = format!("ws://{}", listener.local_addr()?);
    sandbox.with_world(|world| world.sessions_are_at(Some(base)));
    Ok(Server {
        address: listener.local_addr()?,
        token: token.clone(),
        listener,
        state: ListenerState {
            sandbox,
            token,
            drill: options.drill,
            stopper: Stopper(sender),
            latency: options.latency,
            head_timeout: options.patience.unwrap_or(HEAD_TIMEOUT),
            body_timeout: options.patience.unwrap_or(BODY_TIMEOUT),
            bodies: Arc::new(Semaphore::new(BODIES)),
        },
        stopped,
    })
}

impl Server {
    /// What stops this server, besides its control endpoint.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        self.state.stopper.clone()
    }

    /// The address for `endpoint_url` and `AWS_ENDPOINT_URL`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Answers requests until it is stopped.
    pub async fn run(self) {
        let Self {
            listener,
            state,
            mut stopped,
            ..
        } = self;
        let watcher = stopped.clone();
        let mut connections = JoinSet::new();
        let mut idle = tokio::time::interval(IDLE_TICK);
        loop {
            tokio::select! {
                () = until_stopped(&mut stopped) => break,
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) if connections.len() >= MOST_CONNECTIONS => drop(stream),
                    Ok((stream, _)) => {
                        connections.spawn(converse(stream, state.clone(), watcher.clone()));
                    }
                    // Out of file descriptors: waiting is all that helps.
                    Err(_) => pause(IDLE_TICK).await,
                },
                _ = idle.tick() => {
                    let _ = state.sandbox.now();
                }
                Some(_) = connections.join_next() => {}
            }
        }
        drop(listener);
        let finished = async { while connections.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(GRACE, finished).await;
    }
}

/// Returns when the server is to stop. What it waited on is given back at once: a guard held across an await
/// would tie the server to one thread.
async fn until_stopped(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// One connection, kept alive until the client leaves or the server stops.
async fn converse(stream: TcpStream, state: ListenerState, mut stopped: watch::Receiver<bool>) {
    // Small answers must not wait for the client's acknowledgement.
    let _ = stream.set_nodelay(true);
    let head_timeout = state.head_timeout;
    let service = service_fn(|request| answer(request, state.clone()));
    let mut connection = pin!(
        http1::Builder::new()
            .auto_date_header(false)
            .timer(TokioTimer::new())
            .header_read_timeout(head_timeout)
            .max_buf_size(LARGEST_HEAD)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades()
    );
    tokio::select! {
        _ = connection.as_mut() => return,
        () = until_stopped(&mut stopped) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// The connection is to be cut instead of answered.
#[derive(Debug, thiserror::Error)]
#[error("connection reset")]
struct Cut;

/// A body that is there as a whole, or one that goes on.
type Answer = Either<Full<Bytes>, LiveBody>;

fn whole(body: Bytes) -> Answer {
    Either::Left(Full::new(body))
}

async fn answer(request: Request<Incoming>, state: ListenerState) -> Result<Response<Answer>, Cut> {
    let is_ours = |host: &str| {
        state
            .sandbox
            .with_world(|world| elb::is_balancer(world, host) || s3::is_bucket(world, host))
    };
    if let Err((status, message)) = origin::check(&request, is_ours) {
        return Ok(control::refusal(status, message).map(whole));
    }
    if request.uri().path().starts_with(session::PREFIX) {
        return Ok(upgraded(request, state.sandbox).map(whole));
    }
    let (parts, body) = request.into_parts();
    let too_large = || control::refusal(StatusCode::PAYLOAD_TOO_LARGE, "the request is too large");
    if body.size_hint().lower() > LARGEST_REQUEST as u64 {
        return Ok(late(too_large()).map(whole));
    }
    // Held until the answer is there: the account may hold the body no longer than that.
    let length = body.size_hint().upper().unwrap_or(LARGEST_REQUEST as u64);
    let room = u32::try_from(length / 1024 + 1)
        .unwrap_or(u32::MAX)
        .min(LARGEST_REQUEST as u32 / 1024 + 1);
    let read = async {
        let room = state.bodies.acquire_many(room).await;
        (room, Limited::new(body, LARGEST_REQUEST).collect().await)
    };
    let Ok((_room, body)) = tokio::time::timeout(state.body_timeout, read).await else {
        return Ok(late(control::refusal(
            StatusCode::REQUEST_TIMEOUT,
            "the request took too long",
        ))
        .map(whole));
    };
    let Ok(body) = body else {
        return Ok(late(too_large()).map(whole));
    };
    let request = Request::from_parts(parts, body.to_bytes());
    if request.uri().path().starts_with(control::PREFIX) {
        return Ok(control::answer(&request, &state).map(whole));
    }
    let mut response = state.sandbox.handle(&request);
    let delivery = Delivery::of(&response);
    pause(state.latency + delivery.delay).await;
    if delivery.lost {
        return Err(Cut);
    }
    let live = response.extensions_mut().remove::<Live>();
    Ok(response.map(|body| match live {
        Some(live) => Either::Right(LiveBody::new(&state.sandbox, live, body)),
        None => whole(body),
    }))
}

/// Turns the connection into the WebSocket of a session (RFC 6455, section 4.2).
fn upgraded(mut request: Request<Incoming>, sandbox: Sandbox) -> Response<Bytes> {
    let names = |name: &str, token: &str| {
        let value = request.headers().get(name).and_then(|value| value.to_str().ok());
        value.is_some_and(|value| {
            value
                .split(',')
                .any(|part| part.trim().eq_ignore_ascii_case(token))
        })
    };
    let version = names("sec-websocket-version", "13");
    let key = request.headers().get("sec-websocket-key").cloned();
    let (true, true, true, Some(key)) = (
        names("upgrade", "websocket"),
        names("connection", "upgrade"),
        version,
        key,
    ) else {
        return control::refusal(StatusCode::BAD_REQUEST, "sessions are reached by WebSocket");
    };
    let accepted = HeaderValue::from_str(&derive_accept_key(key.as_bytes()));
    let path = request.uri().path().to_owned();
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        // A client that leaves in the middle is no error of the account.
        if let Ok(upgraded) = upgrade.await {
            let wire: Box<dyn session::Wire> = Box::new(TokioIo::new(upgraded));
            let socket = WebSocketStream::from_raw_socket(wire, Role::Server, None).await;
            session::accept(sandbox, &path, socket).await;
        }
    });
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert("upgrade", HeaderValue::from_static("websocket"));
    headers.insert("connection", HeaderValue::from_static("upgrade"));
    headers.extend(
        accepted
            .ok()
            .map(|accepted| (http::header::SEC_WEBSOCKET_ACCEPT, accepted)),
    );
    response
}

/// What comes behind a body that was not read to its end cannot be told apart from it: the connection ends.
fn late(mut response: Response<Bytes>) -> Response<Bytes> {
    response
        .headers_mut()
        .insert("connection", HeaderValue::from_static("close"));
    response
}
