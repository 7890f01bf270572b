//! The network between one of several machines and the account that they share: its delays come from a seed, it can
//! lose the way to S3, its machine can die as soon as it has a lease, and it notes who held the lease whenever its
//! machine changed something.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use base64::Engine as _;
use bpctl::Clock;
use bpctl_sandbox::{Sandbox, Service};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::support::{Account, Run};

/// What the verbs of these tests change with.
const CHANGES: [&str; 5] = [
    "UpdateAutoScalingGroup",
    "SetDesiredCapacity",
    "RunTask",
    "StopTask",
    "UpdateService",
];

/// A machine's network. The lease that is watched is on one resource.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    sandbox: Sandbox,
    clock: Clock,
    resource: &'static str,
    /// The longest delay of a request and of an answer.
    longest: Duration,
    state: Arc<Mutex<State>>,
    /// Told when the machine is to die.
    killed: Arc<Notify>,
}

#[derive(Debug, Default)]
struct State {
    seed: u64,
    holders: Vec<Option<String>>,
    without_s3: bool,
    dies_with_the_lease: bool,
}

impl Link {
    pub(crate) fn new(account: &Account, resource: &'static str, seed: u64, longest: Duration) -> Self {
        Self {
            sandbox: account.sandbox.clone(),
            clock: account.clock(),
            resource,
            longest,
            state: Arc::new(Mutex::new(State {
                seed,
                ..State::default()
            })),
            killed: Arc::default(),
        }
    }

    /// The machine dies when its first lease is written and before it learns so.
    pub(crate) fn dying_with_the_lease(self) -> Self {
        self.state().dies_with_the_lease = true;
        self
    }

    /// From now on no request to S3 arrives.
    pub(crate) fn lose_s3(&self) {
        self.state().without_s3 = true;
    }

    /// For each change that the machine has sent: the reason that the lease gave when it arrived.
    pub(crate) fn holders(&self) -> Vec<Option<String>> {
        self.state().holders.clone()
    }

    /// Runs a command over this network. `None`: the machine died.
    pub(crate) async fn run(&self, account: &Account, args: &[&str]) -> Option<Run> {
        let client = SharedHttpClient::new(self.clone());
        let run = account.run_with(args, move |process| {
            if let Some(transport) = &mut process.transport {
                transport.client = client;
            }
        });
        tokio::select! {
            run = run => Some(run),
            () = self.killed.notified() => None,
        }
    }

    /// Waits for as long as the seed says.
    pub(crate) async fn pause(&self) {
        let random = {
            let mut state = self.state();
            // SplitMix64.
            state.seed = state.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = state.seed;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^ (mixed >> 31)
        };
        let longest = u64::try_from(self.longest.as_millis()).expect("some seconds");
        let delay = Duration::from_millis(random % (longest + 1));
        self.clock.sleep(delay).await;
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("no panic")
    }

    fn note_holder(&self) {
        let reason =
            lease(&self.sandbox, self.resource).and_then(|lease| lease["reason"].as_str().map(str::to_owned));
        self.state().holders.push(reason);
    }
}

/// The lease on a resource, as it is in the account.
pub(crate) fn lease(sandbox: &Sandbox, resource: &str) -> Option<Value> {
    let input = json!({
        "Bucket": "bp-logs-123456789012",
        "Key": format!("bpctl/leases/{}.json", resource.replace('/', "%2f")),
    });
    let object = sandbox
        .with_world(|world| world.call(Service::S3, "GetObject", &input))
        .ok()?;
    let body = base64::engine::general_purpose::STANDARD
        .decode(object["Body"].as_str()?)
        .ok()?;
    serde_json::from_slice(&body).ok()
}

impl HttpClient for Link {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = SharedHttpClient::new(self.sandbox.clone());
        SharedHttpConnector::new(Connector {
            inner: inner.http_connector(settings, components),
            link: self.clone(),
        })
    }
}

#[derive(Debug)]
struct Connector {
    inner: SharedHttpConnector,
    link: Link,
}

fn is_change(request: &HttpRequest) -> bool {
    let target = request.headers().get("x-amz-target").unwrap_or_default();
    let body = request.body().bytes().unwrap_or_default();
    let body = std::str::from_utf8(body).unwrap_or_default();
    CHANGES.iter().any(|change| {
        target.ends_with(&format!(".{change}")) || body.starts_with(&format!("Action={change}&"))
    })
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (inner, link) = (self.inner.clone(), self.link.clone());
        let is_lease = request.method() == "PUT" && request.uri().contains("leases");
        let to_s3 = request.uri().contains("bp-logs-");
        let changes = is_change(&request);
        HttpConnectorFuture::new(async move {
            link.pause().await;
            if to_s3 && link.state().without_s3 {
                return Err(ConnectorError::io("connection reset by peer".into()));
            }
            if changes {
                // The sandbox carries it out before any other request gets a turn.
                link.note_holder();
            }
            let answer = inner.call(request).await;
            if is_lease && link.state().dies_with_the_lease {
                link.killed.notify_one();
                std::future::pending::<()>().await;
            }
            link.pause().await;
            answer
        })
    }
}
