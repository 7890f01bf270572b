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
    /// The request is carried out, and the answer is something else.
    Answer(u16, &'static str),
}

/// The network.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    inner: Sandbox,
    clock: Clock,
    at: usize,
    what: Break,
    count: Arc<AtomicUsize>,
    /// Told when the process is to die.
    pub(crate) killed: Arc<Notify>,
    /// Told when the operator is to interrupt.
    pub(crate) interrupted: tokio_util::sync::CancellationToken,
    /// The operation that was hit.
    pub(crate) hit: Arc<Mutex<Option<String>>>,
}

impl Network {
    pub(crate) fn new(inner: Sandbox, clock: Clock, at: usize, what: Break) -> Self {
        Self {
            inner,
            clock,
            at,
            what,
            count: Arc::default(),
            killed: Arc::default(),
            interrupted: tokio_util::sync::CancellationToken::new(),
            hit: Arc::default(),
        }
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
            network: self.clone(),
        })
    }
}

#[derive(Debug)]
struct Connector {
    inner: SharedHttpConnector,
    network: Network,
}

fn operation(request: &HttpRequest) -> String {
    let target = request.headers().get("x-amz-target").map(str::to_owned);
    let body = request
        .body()
        .bytes()
        .and_then(|body| std::str::from_utf8(body).ok());
    let action = body.and_then(|body| body.split('&').find_map(|pair| pair.strip_prefix("Action=")));
    target
        .or(action.map(str::to_owned))
        .unwrap_or_else(|| format!("{} {}", request.method(), request.uri()))
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Network {
            at,
            what,
            clock,
            killed,
            interrupted,
            ..
        } = self.network.clone();
        if self.network.count.fetch_add(1, Ordering::SeqCst) != at {
            return self.inner.call(request);
        }
        *self.network.hit.lock().expect("no panic") = Some(operation(&request));
        let inner = self.inner.clone();
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
                Break::Answer(status, body) => {
                    let _ = inner.call(request).await;
                    let status = StatusCode::try_from(status).expect("a status");
                    Ok(HttpResponse::new(status, SdkBody::from(body)))
                }
            }
        })
    }
}
