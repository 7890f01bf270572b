//! A simulated account and whole commands run against it in this process.
//!
//! The runtime's clock is paused in these tests: whenever bpctl waits, simulated time jumps ahead at
//! once. The sandbox and bpctl read the same clock.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use bpctl::{Captured, Clock, Dial, ExitStatus, Process, Transport};
use bpctl_sandbox::transport::Pace;
use bpctl_sandbox::{Call, FleetSeed, Layout, Options, Sandbox, Scenario, Service};
use jiff::Timestamp;
use serde_json::{Value, json};

/// An account, a home folder, and what an operator would type.
pub(crate) struct Account {
    pub(crate) sandbox: Sandbox,
    clock: Clock,
    home: tempfile::TempDir,
    layout: Layout,
    /// Home folders of all machines that share the account.
    homes: Arc<Mutex<Vec<PathBuf>>>,
}

/// What a command left behind.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// Calls that changed something and succeeded, as `service:Operation`, in order; those of other machines that
    /// work on the account at the same time are among them.
    pub(crate) changes: Vec<String>,
    /// All calls, retries included.
    pub(crate) calls: usize,
    /// Writes of leases and of the shared history, which belong to every change alike; they count neither
    /// as changes nor as calls.
    pub(crate) bookkeeping: Vec<String>,
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
        Self::prepared(options, |_| {})
    }

    /// An account in which something has happened before the operator arrives.
    pub(crate) fn prepared(options: Options, before: impl FnOnce(&Sandbox)) -> Self {
        let layout = options.layout;
        let sandbox = Sandbox::new(options, Pace::Live { speed: 1.0 });
        before(&sandbox);
        let now =
            Timestamp::from_millisecond(sandbox.now().0).expect("the sandbox's time is in the calendar");
        Self::on_a_machine(sandbox, Clock::starting_at(now, 1.0), layout, Arc::default())
    }

    /// Another machine, with a home folder of its own, that works on the same account.
    pub(crate) fn beside(&self) -> Self {
        let (sandbox, clock) = (self.sandbox.clone(), self.clock.clone());
        Self::on_a_machine(sandbox, clock, self.layout, Arc::clone(&self.homes))
    }

    fn on_a_machine(sandbox: Sandbox, clock: Clock, layout: Layout, homes: Arc<Mutex<Vec<PathBuf>>>) -> Self {
        let home = tempfile::tempdir().expect("a temporary folder");
        homes.lock().expect("no panic").push(home.path().to_owned());
        Self {
            sandbox,
            clock,
            home,
            layout,
            homes,
        }
    }

    /// The operator's home folder.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// The operator's clock.
    pub(crate) fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// Runs a command line (without `bpctl`) to its end.
    pub(crate) async fn run(&self, args: &[&str]) -> Run {
        self.run_with(args, |_| {}).await
    }

    /// A command line that is about to run, and what it writes.
    pub(crate) fn process(&self, args: &[&str]) -> (Process, Captured) {
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
            dial: {
                let sandbox = self.sandbox.clone();
                Dial::new(move || sandbox.connect_to_sessions())
            },
        });
        (process, captured)
    }

    /// The same with a say in the process, e.g. to answer questions.
    pub(crate) async fn run_with(&self, args: &[&str], adjust: impl FnOnce(&mut Process)) -> Run {
        let before = self.sandbox.with_world(|world| world.calls().len());
        let (mut process, captured) = self.process(args);
        adjust(&mut process);
        let status = bpctl::run_async(process).await;
        let calls: Vec<Call> = self
            .sandbox
            .with_world(|world| world.calls().iter().skip(before).cloned().collect());
        let (bookkeeping, calls): (Vec<Call>, Vec<Call>) = calls.into_iter().partition(is_bookkeeping);
        let changes: Vec<&Call> = calls.iter().filter(|call| call.changed()).collect();
        shown_is_sent(&self.homes.lock().expect("no panic"), &changes);
        Run {
            status,
            stdout: captured.stdout(),
            stderr: captured.stderr(),
            changes: changes.iter().map(|call| label(call)).collect(),
            calls: calls.len(),
            bookkeeping: bookkeeping.iter().map(label).collect(),
        }
    }
}

/// Somebody sits at a terminal, and types nothing.
pub(crate) fn at_a_terminal(process: &mut Process) {
    struct Nobody;

    impl std::io::Read for Nobody {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            loop {
                std::thread::park();
            }
        }
    }

    process.stdin = Box::new(Nobody);
    process.stdin_is_terminal = true;
    process.stdout_is_terminal = true;
    process.can_prompt = true;
}

fn label(call: &Call) -> String {
    format!("{:?}:{}", call.service, call.operation)
}

/// Whether a call is about bpctl's own objects beside the platform's logs.
pub(crate) fn is_bookkeeping(call: &Call) -> bool {
    call.service == Service::S3
        && (call.input.is_none()
            || call
                .input
                .as_ref()
                .is_some_and(|input| input["Key"].as_str().is_some_and(|key| key.starts_with("bpctl/"))))
}

/// Every change that was sent stands in the plan of a journal with exactly these parameters.
fn shown_is_sent(homes: &[PathBuf], changes: &[&Call]) {
    let folders = homes
        .iter()
        .filter_map(|home| fs::read_dir(home.join(".local/state/bpctl/journal")).ok());
    let journals: Vec<PathBuf> = folders
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    let texts: Vec<String> = journals
        .iter()
        .filter_map(|path| fs::read_to_string(path).ok())
        .collect();
    let shown: Vec<Value> = texts
        .iter()
        .flat_map(|text| text.lines())
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .flat_map(|event| event["steps"].as_array().cloned().unwrap_or_default())
        .flat_map(|step| {
            ["calls", "if_needed"].map(|kind| step[kind].as_array().cloned().unwrap_or_default())
        })
        .flatten()
        .collect();
    let keys: Vec<Vec<u8>> = homes.iter().flat_map(|home| fingerprint_keys(home)).collect();
    for change in changes {
        let sent = change.input.clone().unwrap_or_default();
        let found = shown.iter().any(|call| {
            call["operation"] == change.operation.as_str() && same(&call["parameters"], &sent, &keys)
        });
        assert!(
            found,
            "{} was sent with {sent}, and no plan shows it so: {shown:#?}",
            change.operation
        );
    }
}

/// Parameters are the same, whatever an earlier step found out; a secret is shown by length and fingerprint, an HMAC
/// under one of the machines' `keys`.
pub(crate) fn same(shown: &Value, sent: &Value, keys: &[Vec<u8>]) -> bool {
    match (shown, sent) {
        (Value::Object(members), _) if members.contains_key("$from") => true,
        (Value::Object(members), Value::String(sent)) if members.contains_key("$secret") => {
            let secret = &members["$secret"];
            let is_its = |key: &Vec<u8>| secret["fingerprint"] == fingerprint(key, sent).as_str();
            secret["length"] == sent.chars().count() && keys.iter().any(is_its)
        }
        (Value::Object(shown), Value::Object(sent)) => {
            shown.len() == sent.len()
                && shown
                    .iter()
                    .all(|(name, value)| sent.get(name).is_some_and(|other| same(value, other, keys)))
        }
        (Value::Array(shown), Value::Array(sent)) => {
            let mut pairs = shown.iter().zip(sent);
            shown.len() == sent.len() && pairs.all(|(shown, sent)| same(shown, sent, keys))
        }
        _ => shown == sent,
    }
}

/// The key of a machine's fingerprints, if it has made one.
pub(crate) fn fingerprint_keys(home: &Path) -> Vec<Vec<u8>> {
    let key = fs::read(home.join(".local/state/bpctl/fingerprint.key"));
    key.into_iter().collect()
}

fn fingerprint(key: &[u8], value: &str) -> String {
    use hmac::{KeyInit as _, Mac as _};
    let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(key).expect("a key");
    mac.update(value.as_bytes());
    let bytes = mac.finalize().into_bytes();
    bytes.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// An operator keeps fleets at `desired` by hand: their alarms act no more, and the instances have come up.
pub(crate) fn kept_by_hand(sandbox: &Sandbox, groups: &[String], desired: u32) {
    for group in groups {
        sandbox.with_world(|world| {
            for (operation, input) in [
                (
                    "SuspendProcesses",
                    json!({"AutoScalingGroupName": group, "ScalingProcesses": ["AlarmNotification"]}),
                ),
                (
                    "SetDesiredCapacity",
                    json!({"AutoScalingGroupName": group, "DesiredCapacity": desired}),
                ),
            ] {
                world
                    .call(Service::AutoScaling, operation, &input)
                    .unwrap_or_else(|error| panic!("{operation} of {group}: {error:?}"));
            }
        });
    }
    sandbox.advance(Duration::from_secs(10 * 60));
}

/// `count` production fleets `fleet-000`, `fleet-001`, … that are kept running without work.
pub(crate) fn idle_fleets(count: usize) -> Account {
    let options = Options {
        fleets: (0..count)
            .map(|number| FleetSeed::new("production", &format!("fleet-{number:03}"), 2, 0.0))
            .collect(),
        scenarios: [Scenario::ScaleToZeroUnsubscribed].into(),
        ..Options::default()
    };
    let groups: Vec<String> = (0..count)
        .map(|number| format!("asg-production-fleet-{number:03}"))
        .collect();
    Account::prepared(options, |sandbox| kept_by_hand(sandbox, &groups, 1))
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
