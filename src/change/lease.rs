//! Leases: one change of a thing at a time in the whole account, kept as objects beside the platform's logs.
//!
//! A lease is taken by creating its object (`If-None-Match: *`), renewed and taken over by replacing it as it
//! was read (`If-Match`), and ends by itself when its holder has not renewed it in time. Its age is measured
//! by the store's clock: the machines' clocks differ.

use std::time::Duration;

use futures::FutureExt as _;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ground::{Ground, Shared};
use super::held::{Held, HeldLeases, LASTS};
use super::journal;
use super::permit::Permit;
use super::run_id::RunId;
use super::store::{Condition, SharedStore, Stored, Written};
use super::target::{Target, escaped};
use crate::error::{CommandLine, CtlError, ErrorKind, Result};

/// How often a lease is renewed: three renewals may be lost.
const RENEWED: Duration = Duration::from_secs(30);
/// How often a lease that another run holds is looked at.
const PAUSE: Duration = Duration::from_secs(5);
/// How often a run looks at its own clock, whether it can still rely on its leases.
const CHECKED: Duration = Duration::from_secs(5);
/// How often in a row another writer may be faster, before the lease counts as held by a run without a name.
const RACES: u32 = 10;

/// The prefix of all leases in the store.
const PREFIX: &str = "leases/";

/// What a lease's object says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Lease {
    pub(crate) resource: String,
    pub(crate) run: RunId,
    pub(crate) verb: String,
    pub(crate) principal: String,
    pub(crate) host: String,
    pub(crate) process: u32,
    pub(crate) reason: Option<String>,
    pub(crate) started: Timestamp,
    pub(crate) heartbeat: Timestamp,
    /// Seconds after the last write at which the lease is over.
    pub(crate) lasts_seconds: u64,
}

impl Lease {
    /// Whether the lease is over at an age that the store has measured.
    pub(crate) fn is_over(&self, age: Duration) -> bool {
        age.as_secs() >= self.lasts_seconds
    }

    /// "run … (`migrate`) of … on host, since …".
    pub(crate) fn holder(&self) -> String {
        let reason = self.reason.as_ref().map(|reason| format!(": {reason}"));
        format!(
            "run {} of `{}` by {} on {}, since {}{}",
            self.run,
            self.verb,
            self.principal,
            self.host,
            self.started.strftime("%Y-%m-%dT%H:%M:%SZ"),
            reason.unwrap_or_default()
        )
    }
}

/// Who asks for leases.
#[derive(Clone, Copy, Debug)]
pub(super) struct Holder<'a> {
    pub(super) run: &'a RunId,
    pub(super) verb: &'a str,
    pub(super) reason: Option<&'a str>,
    pub(super) target: &'a Target,
}

impl Holder<'_> {
    fn lease(&self, resource: &str, started: Timestamp, now: Timestamp) -> Lease {
        Lease {
            resource: resource.to_owned(),
            run: self.run.clone(),
            verb: self.verb.to_owned(),
            principal: self.target.principal.clone(),
            host: super::host::name(),
            process: std::process::id(),
            reason: self.reason.map(str::to_owned),
            started,
            heartbeat: now,
            lasts_seconds: LASTS.as_secs(),
        }
    }
}

/// The leases of a run. Without a store it holds none.
pub(super) struct Leases<'a, G: Ground> {
    ground: &'a G,
    holder: Holder<'a>,
    held: HeldLeases,
}

/// Takes the leases of all `resources`, waiting for other runs until `wait` has passed. Those that are taken
/// already are renewed meanwhile.
///
/// # Errors
/// [`ErrorKind::Conflict`] naming the holder; under `require_lease` whatever keeps a lease from being taken.
pub(super) async fn take<'a, G: Ground>(
    ground: &'a G,
    holder: &Holder<'a>,
    resources: &[String],
    wait: Duration,
) -> Result<Leases<'a, G>> {
    let leases = Leases {
        ground,
        holder: *holder,
        held: HeldLeases::none(ground.clock()),
    };
    let Shared { store, required } = ground.shared();
    let Some(store) = store else {
        return if required {
            Err(CtlError::config(
                "take a lease: `require_lease` is set, and this context has no place for leases",
            ))
        } else {
            Ok(leases)
        };
    };
    let deadline = ground.clock().now().checked_add(wait).unwrap_or(Timestamp::MAX);
    let taking = async {
        for resource in resources {
            match leases.take_one(&store, resource, deadline).await {
                Ok(()) => {}
                Err(error) if !required && is_about_the_store(error.kind()) => {
                    ground.ui().warn(&format!(
                        "no lease on {resource} in {}, so runs on other machines are not kept out: failed to {error}",
                        store.place()
                    ));
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        // One of them may have gone to another run while the others were waited for.
        leases.held.check()
    };
    match leases.kept_during(taking).await {
        Ok(()) => Ok(leases),
        Err(error) => {
            leases.release().await;
            Err(error)
        }
    }
}

/// Whether an error says that the store is missing or closed, not that the lease is taken.
fn is_about_the_store(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::NotFound
            | ErrorKind::AccessDenied
            | ErrorKind::Rejected
            | ErrorKind::Unreachable
            | ErrorKind::Throttled
            | ErrorKind::Quota
            | ErrorKind::Failed
            | ErrorKind::Unexpected
    )
}

impl<G: Ground> Leases<'_, G> {
    async fn take_one(&self, store: &G::Store<'_>, resource: &str, deadline: Timestamp) -> Result<()> {
        let key = key(resource);
        let mut told = false;
        let mut races = 0;
        loop {
            let now = self.ground.clock().now();
            let body = self.body(resource, now, now)?;
            let permit = Permit::bookkeeping("PutObject");
            if let Written::Stored(etag) = store
                .write(&key, &body, Condition::Absent, &permit)
                .boxed_local()
                .await?
            {
                self.hold(resource, etag, now);
                return Ok(());
            }
            let stored = store.read(&key).await?;
            let lease: Option<Lease> = stored
                .as_ref()
                .and_then(|stored| serde_json::from_str(&stored.body).ok());
            races += 1;
            let stored = match stored {
                Some(stored) => stored,
                // It was given up between the two requests.
                None if races < RACES => continue,
                // S3 goes on answering that another write is under way.
                None => Stored {
                    body: String::new(),
                    etag: String::new(),
                    age: Duration::ZERO,
                },
            };
            if lease.as_ref().is_some_and(|lease| lease.run == *self.holder.run) {
                // The answer to the first request was lost, and the request was sent again.
                self.hold(resource, stored.etag, now);
                return Ok(());
            }
            if races < RACES && self.may_take_over(lease.as_ref(), &stored) {
                let write = store.write(&key, &body, Condition::Unchanged(&stored.etag), &permit);
                if let Written::Stored(etag) = write.await? {
                    let of = lease.map_or_else(|| "something unreadable".to_owned(), |lease| lease.holder());
                    self.ground.ui().status(&format!(
                        "took over the lease on {resource} of {of}: its last sign was {} s ago",
                        stored.age.as_secs()
                    ));
                    self.hold(resource, etag, now);
                    return Ok(());
                }
                continue;
            }
            let holder = lease.map_or_else(|| "an unreadable lease".to_owned(), |lease| lease.holder());
            if now >= deadline {
                return Err(busy(resource, &holder));
            }
            if !told {
                self.ground
                    .ui()
                    .status(&format!("waiting for the lease on {resource}: {holder}"));
                told = true;
            }
            races = 0;
            tokio::select! {
                () = self.ground.cancel().cancelled() => return Err(CtlError::new(
                    ErrorKind::Interrupted,
                    format!("wait for the lease on {resource}: interrupted, nothing was changed"),
                )),
                () = self.ground.clock().sleep(PAUSE) => {}
            }
        }
    }

    /// A lease that is over, one that cannot be read and has not been renewed, and one of a run of this
    /// machine that is known to be dead.
    fn may_take_over(&self, lease: Option<&Lease>, stored: &Stored) -> bool {
        let Some(lease) = lease else {
            return stored.age >= LASTS;
        };
        if lease.is_over(stored.age) {
            return true;
        }
        let record = journal::find(self.ground.state_dir(), &lease.run);
        record.is_ok_and(|record| !record.going_on && lease.host == super::host::name())
    }

    fn body(&self, resource: &str, started: Timestamp, now: Timestamp) -> Result<String> {
        serde_json::to_string(&self.holder.lease(resource, started, now))
            .map_err(|error| CtlError::new(ErrorKind::Unexpected, "write a lease").source(&error))
    }

    fn hold(&self, resource: &str, etag: String, started: Timestamp) {
        self.held.add(Held {
            resource: resource.to_owned(),
            etag,
            started,
            renewed: started,
        });
    }

    /// What the steps of the run rely on.
    pub(super) fn held(&self) -> &HeldLeases {
        &self.held
    }

    /// Does the work while the leases are renewed. When one is lost, no further step is begun.
    ///
    /// # Errors
    /// Those of `work`; [`ErrorKind::Changed`] when a lease was lost and the work was stopped for it.
    pub(super) async fn kept_during<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        if self.ground.shared().store.is_none() {
            return work.await;
        }
        let done = tokio::select! {
            biased;
            done = work => done,
            never = self.renew_for_ever().boxed_local() => match never {},
            never = self.check_for_ever().boxed_local() => match never {},
        };
        match (done, self.held.lost()) {
            (Err(error), Some(lost)) if error.kind() == ErrorKind::Interrupted => {
                Err(lost.cause(error.to_string()))
            }
            (done, _) => done,
        }
    }

    async fn renew_for_ever(&self) -> std::convert::Infallible {
        loop {
            self.ground.clock().sleep(RENEWED).await;
            if let Some(store) = self.ground.shared().store {
                for lease in self.held.all() {
                    self.renew(&store, &lease).await;
                }
            }
        }
    }

    /// A renewal may hang; the clock goes on.
    async fn check_for_ever(&self) -> std::convert::Infallible {
        let mut told = false;
        loop {
            self.ground.clock().sleep(CHECKED).await;
            match self.held.check() {
                Ok(()) => told = false,
                Err(error) if !told && self.held.lost().is_none() => {
                    self.ground.ui().warn(&format!(
                        "failed to {error}; no change is sent until it is renewed"
                    ));
                    told = true;
                }
                Err(_) => {}
            }
        }
    }

    async fn renew(&self, store: &G::Store<'_>, lease: &Held) {
        let now = self.ground.clock().now();
        let Ok(body) = self.body(&lease.resource, lease.started, now) else {
            return;
        };
        let permit = Permit::bookkeeping("PutObject");
        let condition = Condition::Unchanged(&lease.etag);
        match store
            .write(&key(&lease.resource), &body, condition, &permit)
            .await
        {
            Ok(Written::Stored(etag)) => self.held.renew(&lease.resource, etag, now),
            Ok(Written::Conflict) => self.recover(store, lease).await,
            // The next renewal may get through; three of them may be lost.
            Err(error) => tracing::warn!(%error, resource = lease.resource, "the lease is not renewed"),
        }
    }

    /// A renewal that was refused: either its predecessor's answer was lost, or another run has the lease.
    async fn recover(&self, store: &G::Store<'_>, lease: &Held) {
        let Ok(stored) = store.read(&key(&lease.resource)).await else {
            return;
        };
        let now = self.ground.clock().now();
        let ours = stored.as_ref().filter(|stored| {
            let found: Option<Lease> = serde_json::from_str(&stored.body).ok();
            found.is_some_and(|found| found.run == *self.holder.run)
        });
        if let Some(stored) = ours {
            // The store counts in whole seconds.
            let age = stored.age.saturating_add(Duration::from_secs(1));
            let renewed = now.checked_sub(age).unwrap_or(lease.renewed);
            self.held.renew(&lease.resource, stored.etag.clone(), renewed);
            return;
        }
        // Given up meanwhile, and gone with what it was kept in: nothing relies on it.
        if !self.held.holds(&lease.resource) {
            return;
        }
        let lost = CtlError::new(
            ErrorKind::Changed,
            format!(
                "keep the lease on {}: another run has taken it over",
                lease.resource
            ),
        )
        .hint(("see who with", CommandLine::bpctl(["lock", "list"])));
        self.ground
            .ui()
            .warn(&format!("failed to {lost}; no further step is begun"));
        self.held.lose(&lease.resource, lost);
        self.ground.cancel().cancel();
    }

    /// Leaves the leases to end by themselves.
    pub(super) fn leave(&self) {
        self.held.take();
    }

    /// Gives the leases up. What cannot be given up ends by itself.
    pub(super) async fn release(&self) {
        let Some(store) = self.ground.shared().store else {
            return;
        };
        let held = self.held.take();
        for lease in held {
            let permit = Permit::bookkeeping("DeleteObject");
            if let Err(error) = store.remove(&key(&lease.resource), &lease.etag, &permit).await {
                tracing::warn!(%error, resource = lease.resource, "the lease ends by itself");
            }
        }
    }
}

/// The name of a lease in the store.
pub(crate) fn key(resource: &str) -> String {
    format!("{PREFIX}{}.json", escaped(resource))
}

fn busy(resource: &str, holder: &str) -> CtlError {
    CtlError::new(
        ErrorKind::Conflict,
        format!("change {resource}: another run has the lease ({holder})"),
    )
    .hint((
        "wait for it with `--lock-wait 15m`, or look at it with",
        CommandLine::bpctl(["lock", "list"]),
    ))
}

/// A lease as it is in the store.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) lease: Lease,
    /// Since the last renewal, by the store's clock.
    pub(crate) age: Duration,
    /// The state that it was read in.
    pub(crate) etag: String,
}

/// Every lease in the store.
///
/// # Errors
/// A store that cannot be read.
pub(crate) async fn list<S: SharedStore>(store: &S) -> Result<Vec<Found>> {
    let mut leases = Vec::new();
    for name in store.names(PREFIX, None).await? {
        // One that is gone by now was given up; one that is no lease has no holder.
        if let Some(stored) = store.read(&name).await?
            && let Ok(lease) = serde_json::from_str(&stored.body)
        {
            leases.push(Found {
                lease,
                age: stored.age,
                etag: stored.etag,
            });
        }
    }
    Ok(leases)
}
