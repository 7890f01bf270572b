//! The signals that ask bpctl to end.

use std::io::Write as _;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::exit::ExitStatus;

/// How long bpctl may take to end by itself after the second signal: enough to say what is left where it can.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// What the signals have asked for so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupts {
    first: CancellationToken,
    second: CancellationToken,
}

impl Interrupts {
    /// The first signal came.
    pub(crate) async fn first(&self) {
        self.first.cancelled().await;
    }

    /// The second signal came.
    pub(crate) async fn second(&self) {
        self.second.cancelled().await;
    }

    /// Hears the signals in the caller's runtime, for as long as the future is polled; cancels `cancel` with the
    /// first one.
    pub(crate) async fn hear(&self, cancel: &CancellationToken) {
        let mut signals = Signals::new();
        signals.next().await;
        self.first.cancel();
        cancel.cancel();
        signals.next().await;
        self.second.cancel();
    }

    /// Hears the signals in a thread of its own: whatever holds up the rest of bpctl, from a file system that does
    /// not answer to a computation, the second signal ends the process.
    pub(crate) fn hear_in_thread(&self, cancel: CancellationToken) -> std::io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let heard = self.clone();
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    heard.hear(&cancel).await;
                    Clock::system().sleep(LAST_WORDS).await;
                });
                end_at_once();
            })?;
        Ok(())
    }
}

/// The rest of bpctl did not end by itself.
#[expect(
    clippy::exit,
    reason = "nothing else ends a process whose main thread waits for the operating system"
)]
fn end_at_once() {
    // stderr may be what bpctl waits for: a thread of its own tries, and is not waited for longer than this.
    let saying = std::thread::spawn(|| {
        let said = "error: failed to finish: interrupted twice; what was begun may still be running in AWS\n";
        // Nothing can be done about a closed stderr.
        let _ = std::io::stderr().write_all(said.as_bytes());
    });
    for _ in 0..20 {
        if saying.is_finished() {
            break;
        }
        std::thread::park_timeout(Duration::from_millis(10));
    }
    std::process::exit(i32::from(ExitStatus::Interrupted.code()));
}

/// Ctrl-C, or the SIGTERM of a CI runner that cancels a job or of a container that stops.
///
/// SIGHUP keeps its meaning, so that `nohup` does too.
pub(crate) async fn interrupt() {
    Signals::new().next().await;
}

/// The signals of this process from now on: none is missed between two looks.
pub(crate) struct Signals {
    #[cfg(unix)]
    listeners: Vec<tokio::signal::unix::Signal>,
}

impl Signals {
    pub(crate) fn new() -> Self {
        Self {
            // Without a listener the operating system's default ends the process.
            #[cfg(unix)]
            listeners: [
                tokio::signal::unix::SignalKind::interrupt(),
                tokio::signal::unix::SignalKind::terminate(),
            ]
            .into_iter()
            .filter_map(|kind| tokio::signal::unix::signal(kind).ok())
            .collect(),
        }
    }

    #[cfg(unix)]
    pub(crate) async fn next(&mut self) {
        std::future::poll_fn(|context| {
            let mut ready = false;
            for listener in &mut self.listeners {
                ready |= listener.poll_recv(context).is_ready();
            }
            if ready {
                std::task::Poll::Ready(())
            } else {
                std::task::Poll::Pending
            }
        })
        .await;
    }

    /// The next signal, or the end of `cancel`, which a program that runs bpctl in its own process gives instead.
    pub(crate) async fn or_cancelled(&mut self, cancel: &CancellationToken) {
        tokio::select! {
            () = self.next() => {}
            () = cancel.cancelled() => {}
        }
    }

    #[cfg(not(unix))]
    pub(crate) async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
