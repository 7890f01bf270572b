//! The leases that a run holds, and whether it may rely on them, by its own clock.

use std::cell::RefCell;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::permit::Pause;
use crate::clock::Clock;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};

/// A lease that was not renewed for so long is over.
pub(super) const LASTS: Duration = Duration::from_secs(120);

/// For so long after a renewal was sent a run relies on its lease. The rest of [`LASTS`] is for a request that
/// is still on its way when the time is over (20 s, the longest time that one answer may take), so that it has
/// arrived or failed before another run may take the lease.
const RELIED_ON: SignedDuration = SignedDuration::from_secs(95);

/// One lease.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) resource: String,
    pub(super) etag: String,
    pub(super) started: Timestamp,
    /// Before the request was sent that renewed it: the store counts from a later moment.
    pub(super) renewed: Timestamp,
}

/// All leases of a run.
#[derive(Debug)]
pub(super) struct HeldLeases {
    clock: Clock,
    held: RefCell<Vec<Held>>,
    lost: RefCell<Option<CtlError>>,
    /// Told to the permits of the run: an attempt that the SDK repeats is held back as well.
    pub(super) pause: Pause,
}

impl HeldLeases {
    /// None: nothing stands in the way of a change.
    pub(super) fn none(clock: &Clock) -> Self {
        Self {
            clock: clock.clone(),
            held: RefCell::default(),
            lost: RefCell::default(),
            pause: Pause::default(),
        }
    }

    pub(super) fn add(&self, held: Held) {
        self.held.borrow_mut().push(held);
    }

    /// A lease was renewed. One that was lost meanwhile stays lost.
    pub(super) fn renew(&self, resource: &str, etag: String, renewed: Timestamp) {
        let mut held = self.held.borrow_mut();
        if let Some(held) = held.iter_mut().find(|held| held.resource == resource) {
            held.etag = etag;
            held.renewed = renewed;
        }
    }

    pub(super) fn all(&self) -> Vec<Held> {
        self.held.borrow().clone()
    }

    pub(super) fn take(&self) -> Vec<Held> {
        self.held.take()
    }

    /// Whether the run still relies on a lease: it may have been given up while it was being renewed.
    pub(super) fn holds(&self, resource: &str) -> bool {
        self.held.borrow().iter().any(|held| held.resource == resource)
    }

    /// Another run has a lease: no further change is sent.
    pub(super) fn lose(&self, resource: &str, error: CtlError) {
        self.held.borrow_mut().retain(|held| held.resource != resource);
        self.pause.set(true);
        self.lost.borrow_mut().get_or_insert(error);
    }

    pub(super) fn lost(&self) -> Option<CtlError> {
        self.lost.borrow().clone()
    }

    /// Whether a change may be sent now.
    ///
    /// # Errors
    /// A lease that another run has, or that was not renewed for too long: another run may have it.
    pub(super) fn check(&self) -> Result<()> {
        let checked = self.checked();
        self.pause.set(checked.is_err());
        checked
    }

    fn checked(&self) -> Result<()> {
        if let Some(lost) = self.lost() {
            return Err(lost);
        }
        let now = self.clock.now();
        let held = self.held.borrow();
        let overdue = held
            .iter()
            .find(|held| now.duration_since(held.renewed) >= RELIED_ON);
        match overdue {
            None => Ok(()),
            Some(held) => Err(CtlError::new(
                ErrorKind::Unreachable,
                format!(
                    "rely on the lease on {}: it was not renewed since {}, so another run may have it by now",
                    held.resource,
                    held.renewed.strftime("%Y-%m-%dT%H:%M:%SZ")
                ),
            )
            .hint(("see who has it with", CommandLine::bpctl(["lock", "list"])))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_lease_that_is_not_renewed_is_not_relied_on_until_it_is_over() {
        let clock = Clock::starting_at("2026-01-15T09:00:00Z".parse().unwrap(), 1.0);
        let leases = HeldLeases::none(&clock);
        leases.add(Held {
            resource: "world/a".to_owned(),
            etag: "1".to_owned(),
            started: clock.now(),
            renewed: clock.now(),
        });
        clock.sleep(Duration::from_secs(94)).await;
        leases.check().unwrap();
        assert!(!leases.pause.is_set());
        clock.sleep(Duration::from_secs(1)).await;
        let error = leases.check().unwrap_err();
        assert!(
            error
                .message()
                .contains("it was not renewed since 2026-01-15T09:00:00Z")
        );
        assert!(leases.pause.is_set());
        leases.renew("world/a", "2".to_owned(), clock.now());
        leases.check().unwrap();
        assert!(!leases.pause.is_set());
        leases.lose("world/a", CtlError::new(ErrorKind::Changed, "keep it"));
        // What is lost does not come back with a late answer.
        leases.renew("world/a", "3".to_owned(), clock.now());
        assert_eq!(leases.check().unwrap_err().kind(), ErrorKind::Changed);
        assert!(leases.pause.is_set() && leases.all().is_empty());
    }
}
