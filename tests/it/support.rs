//! A simulated account and whole commands run against it in this process.
//!
//! The runtime's clock is paused in these tests: whenever bpctl waits, simulated time jumps ahead at
//! once. The sandbox and bpctl read the same clock.

use std::path::Path;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use bpctl::{Clock, ExitStatus, Process, Transport};
use bpctl_sandbox::door::Pace;
use bpctl_sandbox::{Call, FleetSeed, Layout, Options, Sandbox, Scenario};
use jiff::Timestamp;

/// An account, a home folder, and what an operator would type.
pub(crate) struct Account {
    pub(crate) sandbox: Sandbox,
    clock: Clock,
    home: tempfile::TempDir,
    layout: Layout,
}

/// What a command left behind.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// Calls that changed something and succeeded, as `service:Operation`, in order.
    pub(crate) changes: Vec<String>,
    /// All calls, retries included.
    pub(crate) calls: usize,
}

impl Account {
    /// The single layout under `scenarios`.
    pub(crate) fn with(scenarios: &[Scenario]) -> Self {
        Self::from_options(Options {
            scenarios: scenarios.iter().copied().collect(),
            ..Options::default()
        })
    }

    /// The single layout with `count` busy production fleets `fleet-000`, `fleet-001`, … of two workers each.
    pub(crate) fn with_fleets(count: usize) -> Self {
        let fleets = (0..count)
            .map(|n| FleetSeed::new("production", &format!("fleet-{n:03}"), 2, 1.0))
            .collect();
        Self::from_options(Options {
            fleets,
            ..Options::default()
        })
    }

    /// The staged layout under `scenarios`.
    pub(crate) fn staged(scenarios: &[Scenario]) -> Self {
        let scenarios = scenarios.iter().copied().collect();
        Self::from_options(Options {
            layout: Layout::Staged,
            scenarios,
            ..Options::default()
        })
    }

    pub(crate) fn from_options(options: Options) -> Self {
        let layout = options.layout;
        let sandbox = Sandbox::new(options, Pace::Live { speed: 1.0 });
        let now =
            Timestamp::from_millisecond(sandbox.now().0).expect("the sandbox's time is in the calendar");
        Self {
            sandbox,
            clock: Clock::starting_at(now, 1.0),
            home: tempfile::tempdir().expect("a temporary folder"),
            layout,
        }
    }

    /// The operator's home folder.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Runs a command line (without `bpctl`) to its end.
    pub(crate) async fn run(&self, args: &[&str]) -> Run {
        self.run_with(args, |_| {}).await
    }

    /// The same with a say in the process, e.g. to answer questions.
    pub(crate) async fn run_with(&self, args: &[&str], adjust: impl FnOnce(&mut Process)) -> Run {
        let before = self.sandbox.with_world(|world| world.calls().len());
        let (mut process, captured) = Process::captured(args);
        process.cwd = self.home.path().to_owned();
        process
            .env
            .insert("HOME".to_owned(), self.home.path().display().to_string());
        process
            .env
            .insert("BPCTL_CONTEXT".to_owned(), "sandbox".to_owned());
        if self.layout == Layout::Staged {
            process.env.insert("BPCTL_LAYOUT".to_owned(), "staged".to_owned());
            process.env.insert("BPCTL_STAGE".to_owned(), "staging".to_owned());
        }
        process.transport = Some(Transport {
            client: SharedHttpClient::new(self.sandbox.clone()),
            clock: self.clock.clone(),
            account_id: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
        });
        adjust(&mut process);
        let status = bpctl::run_async(process).await;
        let calls: Vec<Call> = self
            .sandbox
            .with_world(|world| world.calls().iter().skip(before).cloned().collect());
        Run {
            status,
            stdout: captured.stdout(),
            stderr: captured.stderr(),
            changes: calls
                .iter()
                .filter(|call| call.changed())
                .map(|call| format!("{:?}:{}", call.service, call.operation))
                .collect(),
            calls: calls.len(),
        }
    }
}

impl Run {
    /// stdout as one JSON document.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| {
            panic!(
                "stdout is not one JSON document: {error}\n{}\n{}",
                self.stdout, self.stderr
            )
        })
    }

    /// Status, stdout and stderr in one text, for snapshots.
    pub(crate) fn text(&self) -> String {
        format!(
            "[exit {}]\n----- stdout\n{}----- stderr\n{}",
            self.status.code(),
            self.stdout,
            self.stderr
        )
    }
}
