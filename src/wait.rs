//! The one waiter: every "until it has happened" of bpctl goes through [`Waiter::until`].

use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::error::{CtlError, ErrorKind, Result};

/// What a look at the world showed.
#[derive(Debug)]
pub(crate) enum Look<T> {
    /// It has happened (or can no longer happen); the wait is over.
    Ready(T),
    /// Not yet; the text says how far it is.
    Pending(String),
}

/// How a wait ended.
#[derive(Debug)]
pub(crate) enum Waited<T> {
    Ready(T),
    /// The deadline passed.
    TimedOut,
    /// Ctrl-C.
    Cancelled,
}

/// Deadline, pace and cancellation of a wait.
#[derive(Clone, Debug)]
pub(crate) struct Waiter {
    pub(crate) clock: Clock,
    pub(crate) deadline: Timestamp,
    /// The first pause; pauses grow by half up to `max_pause`.
    pub(crate) first_pause: Duration,
    pub(crate) max_pause: Duration,
    pub(crate) cancel: CancellationToken,
    /// How many looks may fail in a row with something that passes (throttling, a lost connection)
    /// before the wait gives up.
    pub(crate) patience: u32,
}

impl Waiter {
    /// A waiter that gives up after `timeout`.
    pub(crate) fn new(clock: &Clock, timeout: Duration, cancel: &CancellationToken) -> Self {
        Self {
            clock: clock.clone(),
            deadline: clock.now().checked_add(timeout).unwrap_or(Timestamp::MAX),
            first_pause: Duration::from_secs(1),
            max_pause: Duration::from_secs(6),
            cancel: cancel.clone(),
            patience: 5,
        }
    }

    /// A waiter that gives up at `deadline`.
    pub(crate) fn until_deadline(clock: &Clock, deadline: Timestamp, cancel: &CancellationToken) -> Self {
        Self {
            deadline,
            ..Self::new(clock, Duration::ZERO, cancel)
        }
    }

    /// Other pauses: quick at first, then at most every `max`.
    #[must_use]
    pub(crate) fn pace(mut self, first: Duration, max: Duration) -> Self {
        self.first_pause = first;
        self.max_pause = max;
        self
    }

    /// Looks until `look` is ready, the deadline passes or the operator interrupts.
    /// `on_change` hears each new text once.
    ///
    /// # Errors
    /// Whatever `look` fails with, unless it is something that passes.
    pub(crate) async fn until<T>(
        &self,
        mut look: impl AsyncFnMut() -> Result<Look<T>>,
        mut on_change: impl FnMut(&str),
    ) -> Result<Waited<T>> {
        let mut pause = self.first_pause;
        let mut last = String::new();
        let mut failures = 0;
        loop {
            match look().await {
                Ok(Look::Ready(value)) => return Ok(Waited::Ready(value)),
                Ok(Look::Pending(text)) => {
                    failures = 0;
                    if text != last {
                        on_change(&text);
                        last = text;
                        pause = self.first_pause;
                    }
                }
                Err(error) if passes(&error) && failures < self.patience => {
                    failures += 1;
                    tracing::warn!(%error, "looking again");
                }
                Err(error) => return Err(error),
            }
            if self.clock.now() >= self.deadline {
                return Ok(Waited::TimedOut);
            }
            tokio::select! {
                () = self.cancel.cancelled() => return Ok(Waited::Cancelled),
                () = self.clock.sleep(jittered(pause)) => {}
            }
            pause = pause.mul_f64(1.5).min(self.max_pause);
        }
    }
}

/// Whether an error says nothing about the thing that is waited for.
fn passes(error: &CtlError) -> bool {
    match error.kind() {
        ErrorKind::Throttled | ErrorKind::Unreachable => true,
        ErrorKind::Usage
        | ErrorKind::Config
        | ErrorKind::Declined
        | ErrorKind::Credentials
        | ErrorKind::AccessDenied
        | ErrorKind::WrongAccount
        | ErrorKind::NotFound
        | ErrorKind::Changed
        | ErrorKind::Conflict
        | ErrorKind::Quota
        | ErrorKind::Rejected
        | ErrorKind::Failed
        | ErrorKind::TimedOut
        | ErrorKind::Partial
        | ErrorKind::Interrupted
        | ErrorKind::Unexpected => false,
    }
}

/// Up to a fifth shorter, so that many watchers do not fall into step.
fn jittered(pause: Duration) -> Duration {
    let share = getrandom::u32().map_or(0.0, |random| f64::from(random) / f64::from(u32::MAX));
    pause.mul_f64(1.0 - 0.2 * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiter() -> Waiter {
        let clock = Clock::starting_at(Timestamp::UNIX_EPOCH, 1.0);
        Waiter::new(&clock, Duration::from_secs(60), &CancellationToken::new())
    }

    #[tokio::test(start_paused = true)]
    async fn each_new_text_is_heard_once_and_the_deadline_holds() {
        let waiter = waiter();
        let mut looks = 0;
        let mut heard = Vec::new();
        let outcome = waiter
            .until::<()>(
                async || {
                    looks += 1;
                    Ok(Look::Pending(if looks < 3 {
                        "slow".to_owned()
                    } else {
                        "slower".to_owned()
                    }))
                },
                |text| heard.push(text.to_owned()),
            )
            .await
            .unwrap();
        assert!(matches!(outcome, Waited::TimedOut));
        assert_eq!(heard, ["slow", "slower"]);
        assert!((10..40).contains(&looks), "{looks} looks in a minute");
    }

    #[tokio::test(start_paused = true)]
    async fn throttling_passes_but_not_for_ever() {
        let waiter = waiter();
        let mut looks = 0;
        let outcome = waiter
            .until::<()>(
                async || {
                    looks += 1;
                    Err(CtlError::new(ErrorKind::Throttled, "x"))
                },
                |_| {},
            )
            .await;
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Throttled);
        assert_eq!(looks, 6);
    }

    #[tokio::test(start_paused = true)]
    async fn an_interrupt_ends_the_wait_at_once() {
        let waiter = waiter();
        waiter.cancel.cancel();
        let outcome = waiter
            .until::<()>(async || Ok(Look::Pending(String::new())), |_| {})
            .await
            .unwrap();
        assert!(matches!(outcome, Waited::Cancelled));
    }
}
