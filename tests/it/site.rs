//! A simulated account behind a listener of its own, for the real binary.

use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use bpctl_sandbox::transport::{Pace, ServeOptions, Stopper, serve};
use bpctl_sandbox::{Access, Options, Sandbox};

/// A running listener; stops when dropped.
pub(crate) struct Site {
    pub(crate) sandbox: Sandbox,
    pub(crate) url: String,
    /// What the listener's control endpoints ask for.
    pub(crate) token: String,
    stopper: Stopper,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Site {
    /// Serves an account whose time runs `speed` times as fast, every answer delayed by `latency`.
    pub(crate) fn start(options: Options, speed: f64, latency: Duration) -> Self {
        let (sender, receiver) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async {
                let sandbox = Sandbox::new(options, Pace::Live { speed });
                let how = ServeOptions {
                    latency,
                    ..ServeOptions::default()
                };
                let server = serve(sandbox.clone(), how).await.expect("a free port");
                sender
                    .send((sandbox, server.url(), server.token.clone(), server.stopper()))
                    .expect("the test waits");
                server.run().await;
            });
        });
        let (sandbox, url, token, stopper) = receiver.recv().expect("the listener comes up");
        Self {
            sandbox,
            url,
            token,
            stopper,
            thread: Some(thread),
        }
    }

    /// The real binary, pointed at this account, in an environment of its own.
    pub(crate) fn bpctl(&self, home: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bpctl"));
        command
            .args(args)
            .env_clear()
            .env("HOME", home)
            .env("BPCTL_CONTEXT", "sandbox")
            .env("AWS_ENDPOINT_URL", &self.url)
            .current_dir(home);
        command
    }

    /// How many calls of an operation changed something.
    pub(crate) fn changes(&self, operation: &str) -> usize {
        self.sandbox.with_world(|world| {
            let calls = world.calls().iter();
            calls
                .filter(|call| call.operation == operation && call.changed())
                .count()
        })
    }

    /// The calls that may change something, also those that were cut off, in order, and whether they did.
    pub(crate) fn writes(&self) -> Vec<(String, bool)> {
        self.sandbox.with_world(|world| {
            let writes = world.calls().iter();
            writes
                .filter(|call| call.access == Some(Access::Write))
                .map(|call| (call.operation.clone(), call.changed()))
                .collect()
        })
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.stopper.stop();
        if let Some(thread) = self.thread.take() {
            // A listener that panicked has failed its test already.
            let _ = thread.join();
        }
    }
}

/// Waits in real time until `is_so`, for at most `longest`; says whether it came to be.
pub(crate) fn eventually(longest: Duration, mut is_so: impl FnMut() -> bool) -> bool {
    const PAUSE: Duration = Duration::from_millis(5);
    let (_keep_open, never) = mpsc::channel::<()>();
    for _ in 0..longest.div_duration_f64(PAUSE) as usize {
        if is_so() {
            return true;
        }
        let _ = never.recv_timeout(PAUSE);
    }
    is_so()
}
