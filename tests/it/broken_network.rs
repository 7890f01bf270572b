//! A network between bpctl and the simulated account that breaks at one request: the process dies there, the
//! answer is lost, or something that is no answer comes back.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use bpctl::Clock;
use bpctl_sandbox::Sandbox;
use jiff::Timestamp;
use tokio::sync::Notify;

/// What happens at the chosen request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Break {
    /// The process dies before the request leaves the machine.
    KilledBefore,
    /// The request is carried out, and the process dies before the answer comes.
    KilledAfter,
    /// The process dies, and the request arrives some seconds later all the same.
    KilledInFlight,
    /// The operator presses Ctrl-C while the request is under way.
    Interrupt,
    /// The connection breaks before the request arrives.
    ResetBefore,
    /// The request is carried out, and the connection breaks.
    ResetAfter,
    /// The request never arrives, and no answer ever comes.
    HangBefore,
    /// The request is carried out, and no answer ever comes.
    HangAfter,
    /// The request is carried out, and the answer is something else.
    Answer(u16, &'static str),
    /// The request is refused, because there are too many.
    Throttle,
    /// From the chosen request on, AWS' clock is hours ahead of this machine's: what is signed with this
    /// machine's time is refused.
    Skew,
    /// The same, and a proxy takes the `Date` from the answers.
    SkewUndated,
}

/// By how much AWS' clock is ahead in [`Break::Skew`].
const SKEW: Duration = Duration::from_secs(8 * 3600);

/// How far the time of a signature may be off (IAM User Guide, "Troubleshooting Signature Version 4"; S3
/// allows 15 minutes, which makes no difference here).
const TOLERATED: Duration = Duration::from_secs(5 * 60);

/// The network.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    inner: Sandbox,
    clock: Clock,
    at: usize,
    what: Break,
    /// Whether every later request breaks as well.
    lasting: bool,
    /// Breaks at the first request of this operation instead.
    operation: Option<&'static str>,
    count: Arc<AtomicUsize>,
    /// Told when the process is to die.
    pub(crate) killed: Arc<Notify>,
    /// Told when the operator is to interrupt.
    pub(crate) interrupted: tokio_util::sync::CancellationToken,
    /// The operation that was hit first.
    pub(crate) hit: Arc<Mutex<Option<String>>>,
    /// All requests so far, also those that broke.
    pub(crate) seen: Arc<Mutex<Vec<Request>>>,
}

/// A request as the network saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// The operation of the API, or method and kind of address where the protocol names none.
    pub(crate) operation: String,
    /// Whether it may change something.
    pub(crate) writes: bool,
}

impl Request {
    /// Whether it is a call of this operation.
    pub(crate) fn is_of(&self, operation: &str) -> bool {
        match operation {
            "DeleteObject" => self.operation == "DELETE leases",
            "PutObject" => self.operation == "PUT /",
            other => self.operation == other,
        }
    }

    /// Whether it is about leases or the shared history.
    pub(crate) fn is_bookkeeping(&self) -> bool {
        self.operation.contains(' ')
    }
}

impl Network {
    pub(crate) fn new(inner: Sandbox, clock: Clock, at: usize, what: Break) -> Self {
        Self {
            inner,
            clock,
            at,
            what,
            lasting: false,
            operation: None,
            count: Arc::default(),
            killed: Arc::default(),
            interrupted: tokio_util::sync::CancellationToken::new(),
            hit: Arc::default(),
            seen: Arc::default(),
        }
    }

    /// A network on which nothing breaks, to see which requests a command makes.
    pub(crate) fn sound(inner: Sandbox, clock: Clock) -> Self {
        Self::new(inner, clock, usize::MAX, Break::ResetBefore)
    }

    /// The same, broken for good from the chosen request on.
    #[must_use]
    pub(crate) fn lasting(mut self, lasting: bool) -> Self {
        self.lasting = lasting || matches!(self.what, Break::Skew | Break::SkewUndated);
        self
    }

    /// The same, broken at the first request of an operation, whatever its number.
    #[must_use]
    pub(crate) fn on(mut self, operation: &'static str) -> Self {
        self.operation = Some(operation);
        self
    }

    pub(crate) fn client(&self) -> SharedHttpClient {
        SharedHttpClient::new(self.clone())
    }

    /// Whether the command got as far as the chosen request.
    pub(crate) fn was_hit(&self) -> bool {
        self.hit.lock().expect("no panic").is_some()
    }
}

impl HttpClient for Network {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = SharedHttpClient::new(self.inner.clone());
        SharedHttpConnector::new(Connector {
            inner: inner.http_connector(settings, components),
            patience: settings.read_timeout(),
            network: self.clone(),
        })
    }
}

#[derive(Debug)]
struct Connector {
    inner: SharedHttpConnector,
    /// How long an HTTP client waits for an answer: the SDK leaves that to the client.
    patience: Option<Duration>,
    network: Network,
}

/// The operation and whether it may change something, as far as the request itself tells.
fn request_of(request: &HttpRequest) -> Request {
    let text = |name: &str| request.headers().get(name).map(str::to_owned);
    let body = request
        .body()
        .bytes()
        .and_then(|body| std::str::from_utf8(body).ok());
    let action = body.and_then(|body| body.split('&').find_map(|pair| pair.strip_prefix("Action=")));
    let path = request.uri().split_once("://").map_or("", |(_, rest)| rest);
    let path = path.find('/').map_or("/", |at| &path[at..]);
    let named = text("x-amz-target")
        .and_then(|target| target.rsplit('.').next().map(str::to_owned))
        .or(action.map(str::to_owned))
        .or_else(|| path.split_once("/operation/").map(|(_, name)| name.to_owned()));
    match named {
        Some(operation) => Request {
            writes: !["Describe", "Get", "List", "Lookup", "Filter", "BatchGet"]
                .iter()
                .any(|start| operation.starts_with(start)),
            operation,
        },
        None => {
            let kind = ["leases", "history"].iter().find(|kind| path.contains(**kind));
            Request {
                operation: format!("{} {}", request.method(), kind.unwrap_or(&"/")),
                writes: !["GET", "HEAD"].contains(&request.method()),
            }
        }
    }
}

/// What an HTTP client says that has waited in vain.
async fn no_answer(clock: &Clock, patience: Duration) -> ConnectorError {
    clock.sleep(patience).await;
    ConnectorError::timeout("no answer".into())
}

/// How the services refuse requests, each in the form of its protocol.
fn refusal(request: &HttpRequest, status: u16, code: &str, message: &str) -> HttpResponse {
    let signed_for = |service: &str| {
        let signed = request.headers().get("authorization");
        signed.is_some_and(|text| text.contains(service))
    };
    let rest = signed_for("/s3/");
    let cbor = request.headers().get("smithy-protocol").is_some();
    let body = if rest {
        format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{message}</Message></Error>")
            .into_bytes()
    } else if cbor {
        let text = |text: &str| {
            let length = u16::try_from(text.len()).expect("a short text").to_be_bytes();
            [&[0x79][..], &length, text.as_bytes()].concat()
        };
        // A map of two members, both texts.
        [
            vec![0xa2],
            text("__type"),
            text(code),
            text("message"),
            text(message),
        ]
        .concat()
    } else if signed_for("/ec2/") {
        let error = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
        format!("<Response><Errors>{error}</Errors><RequestID>x</RequestID></Response>").into_bytes()
    } else if request.headers().get("x-amz-target").is_some() {
        serde_json::json!({"__type": code, "message": message})
            .to_string()
            .into_bytes()
    } else {
        format!("<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>").into_bytes()
    };
    let status = StatusCode::try_from(status).expect("a status");
    let mut response = HttpResponse::new(status, SdkBody::from(body));
    if cbor {
        response.headers_mut().insert("smithy-protocol", "rpc-v2-cbor");
        response.headers_mut().insert("content-type", "application/cbor");
    }
    response
}

/// The refusal of a request whose signature has another time than AWS' clock, in the services' own words.
fn too_skewed(request: &HttpRequest, now: Timestamp) -> Option<HttpResponse> {
    let signed: Timestamp = request.headers().get("x-amz-date")?.parse().ok()?;
    if now.duration_since(signed).unsigned_abs() <= TOLERATED {
        return None;
    }
    if request
        .headers()
        .get("authorization")
        .is_some_and(|text| text.contains("/s3/"))
    {
        let message = "The difference between the request time and the current time is too large.";
        return Some(refusal(request, 403, "RequestTimeTooSkewed", message));
    }
    let form = "%Y%m%dT%H%M%SZ";
    let (signed, now) = (signed.strftime(form), now.strftime(form));
    let message = format!("Signature expired: {signed} is now earlier than {now} ({now} - 5 min.)");
    if request
        .headers()
        .get("authorization")
        .is_some_and(|text| text.contains("/ec2/"))
    {
        // Amazon EC2 Developer Guide, "Error codes for the Amazon EC2 API".
        return Some(refusal(request, 400, "RequestExpired", "Request has expired."));
    }
    let query =
        request.headers().get("x-amz-target").is_none() && request.headers().get("smithy-protocol").is_none();
    let code = if query {
        "SignatureDoesNotMatch"
    } else {
        "InvalidSignatureException"
    };
    Some(refusal(request, 403, code, &message))
}

/// AWS' answer by a clock that is hours ahead.
async fn skewed(
    inner: &SharedHttpConnector,
    request: HttpRequest,
    now: Timestamp,
    dated: bool,
) -> Result<HttpResponse, ConnectorError> {
    let now = now.checked_add(SKEW).expect("a time");
    let mut response = match too_skewed(&request, now) {
        Some(refusal) => refusal,
        None => inner.call(request).await?,
    };
    if dated {
        let date = now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        response.headers_mut().insert("date", date);
    } else {
        response.headers_mut().remove("date");
    }
    Ok(response)
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Network {
            at,
            what,
            lasting,
            operation,
            clock,
            killed,
            interrupted,
            ..
        } = self.network.clone();
        let seen = request_of(&request);
        self.network.seen.lock().expect("no panic").push(seen.clone());
        let number = self.network.count.fetch_add(1, Ordering::SeqCst);
        let is_chosen = match operation {
            Some(operation) => seen.operation == operation && !self.network.was_hit(),
            None => number == at || (lasting && number > at),
        };
        if !is_chosen {
            return self.inner.call(request);
        }
        self.network
            .hit
            .lock()
            .expect("no panic")
            .get_or_insert(seen.operation);
        let inner = self.inner.clone();
        let patience = self.patience.expect("a client that waits for ever hangs");
        let reset = || ConnectorError::io("connection reset by peer".into());
        HttpConnectorFuture::new(async move {
            match what {
                Break::KilledBefore => {
                    killed.notify_one();
                    std::future::pending().await
                }
                Break::KilledAfter => {
                    let _ = inner.call(request).await;
                    killed.notify_one();
                    std::future::pending().await
                }
                Break::KilledInFlight => {
                    tokio::spawn(async move {
                        clock.sleep(Duration::from_secs(3)).await;
                        let _ = inner.call(request).await;
                    });
                    killed.notify_one();
                    std::future::pending().await
                }
                Break::Interrupt => {
                    interrupted.cancel();
                    inner.call(request).await
                }
                Break::ResetBefore => Err(reset()),
                Break::ResetAfter => {
                    let _ = inner.call(request).await;
                    Err(reset())
                }
                Break::HangBefore => Err(no_answer(&clock, patience).await),
                Break::HangAfter => {
                    let _ = inner.call(request).await;
                    Err(no_answer(&clock, patience).await)
                }
                Break::Answer(status, body) => {
                    let _ = inner.call(request).await;
                    let status = StatusCode::try_from(status).expect("a status");
                    Ok(HttpResponse::new(status, SdkBody::from(body)))
                }
                Break::Throttle => Ok(refusal(&request, 400, "ThrottlingException", "Rate exceeded")),
                Break::Skew => skewed(&inner, request, clock.now(), true).await,
                Break::SkewUndated => skewed(&inner, request, clock.now(), false).await,
            }
        })
    }
}
