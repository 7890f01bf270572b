//! The one who asks AWS: a glance every interval, a whole look in longer ones, never both at once, and both within a rate.

use std::rc::Rc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::LocalBoxFuture;
use jiff::Timestamp;

use super::picture::Picture;
use crate::aws::Aws;
use crate::clock::Clock;
use crate::error::ErrorKind;
use crate::layout::Layout;
use crate::triage::probes::glance::{Beside, Glance, glance};
use crate::triage::probes::{Scope, look};
use crate::triage::snapshot::{Probe, Snapshot};

/// After a glance of so many calls there is no other for this time a call: half a call a second on average.
const PER_CALL_OF_GLANCE: Duration = Duration::from_secs(2);

/// The same for a whole look: less than half a call a second. Both together stay below one.
const PER_CALL_OF_LOOK: Duration = Duration::from_millis(2_500);

/// Between two whole looks at least.
const LOOKS: Duration = Duration::from_secs(60);

/// Between two questions for deployments and scaling activities.
const EVENTS: Duration = Duration::from_secs(30);

/// Between two questions for metrics: they have a value a minute.
const METRICS: Duration = Duration::from_secs(60);

/// After which a glance, or a look, reports what could not be seen, on the machine's clock: AWS is not quicker where the
/// account's time runs fast.
const PATIENCE: Duration = Duration::from_secs(20);
const PATIENCE_OF_LOOK: Duration = Duration::from_secs(60);

/// Between two refreshes that the operator asks for.
const REFRESHES: Duration = Duration::from_secs(5);

/// Between two glances, and two looks, on the machine's clock: a sandbox whose time runs fast is not asked all the time.
const REAL: Duration = Duration::from_secs(2);
const REAL_OF_LOOK: Duration = Duration::from_secs(10);

/// What was seen.
pub(super) enum Seen {
    Glance(Box<Glance>),
    Look(Box<Snapshot>),
}

impl Seen {
    fn is_blind(&self) -> bool {
        match self {
            Self::Glance(glance) => glance.is_blind(),
            Self::Look(snapshot) => Probe::ALL.iter().all(|probe| snapshot.blind(*probe).is_some()),
        }
    }

    fn needs_credentials(&self) -> bool {
        let is_it = |kind: ErrorKind| matches!(kind, ErrorKind::Credentials | ErrorKind::WrongAccount);
        match self {
            Self::Glance(glance) => glance.blind().iter().any(|blind| is_it(blind.kind)),
            Self::Look(snapshot) => {
                let blind = Probe::ALL.iter().filter_map(|probe| snapshot.blind(*probe));
                blind.into_iter().any(|blind| is_it(blind.kind))
            }
        }
    }
}

/// Asks AWS.
pub(super) struct Poller {
    aws: Rc<Aws>,
    layout: Layout,
    clock: Clock,
    interval: Duration,
    next_glance: Timestamp,
    next_look: Timestamp,
    next_events: Timestamp,
    next_metrics: Timestamp,
    next_refresh: Timestamp,
    /// The last question had no answer: only glances are tried until one has.
    is_blind: bool,
    /// Calls before the question that is under way.
    calls: u64,
}

impl Poller {
    pub(super) fn new(aws: &Aws, layout: Layout, interval: Duration) -> Self {
        let clock = aws.clock().clone();
        let now = clock.now();
        Self {
            aws: Rc::new(aws.anew()),
            layout,
            clock,
            interval,
            next_glance: now,
            next_look: now,
            next_events: now,
            next_metrics: now,
            next_refresh: now,
            is_blind: false,
            calls: 0,
        }
    }

    /// How long until the next question.
    pub(super) fn wait(&self) -> Duration {
        let next = if self.is_blind {
            self.next_glance
        } else {
            self.next_glance.min(self.next_look)
        };
        next.duration_since(self.clock.now())
            .try_into()
            .unwrap_or_default()
    }

    /// The next question is asked now, unless one was just asked.
    pub(super) fn refresh(&mut self) -> bool {
        let now = self.clock.now();
        if now < self.next_refresh {
            return false;
        }
        self.next_refresh = after(now, REFRESHES);
        self.next_glance = now;
        self.next_look = now;
        true
    }

    /// Asks.
    pub(super) fn ask(&mut self, picture: &Picture) -> LocalBoxFuture<'static, Seen> {
        let now = self.clock.now();
        self.calls = self.aws.stats().calls();
        let (aws, layout) = (Rc::clone(&self.aws), self.layout.clone());
        if now >= self.next_look && !self.is_blind {
            let timeout = self.clock.from_real(PATIENCE_OF_LOOK);
            return async move {
                let scope = Scope {
                    fleets: Vec::new(),
                    timeout,
                };
                Seen::Look(Box::new(look(&aws, &layout, &scope).await))
            }
            .boxed_local();
        }
        let beside = Beside {
            events: now >= self.next_events,
            metrics: now >= self.next_metrics,
        };
        let policies = picture.policies.clone();
        let timeout = self.clock.from_real(PATIENCE);
        async move { Seen::Glance(Box::new(glance(&aws, &layout, &policies, beside, timeout).await)) }
            .boxed_local()
    }

    /// Takes note of an answer: when to ask again, and whether from the beginning.
    pub(super) fn answered(&mut self, seen: &Seen) {
        let now = self.clock.now();
        let calls = self.aws.stats().calls().saturating_sub(self.calls);
        let calls = u32::try_from(calls).unwrap_or(u32::MAX);
        self.is_blind = seen.is_blind();
        let pause = |least: Duration, per_call: Duration, real: Duration| {
            let real = self.clock.from_real(real);
            after(now, least.max(per_call.saturating_mul(calls)).max(real))
        };
        match seen {
            Seen::Glance(glance) => {
                self.next_glance = pause(self.interval, PER_CALL_OF_GLANCE, REAL);
                // What was asked in vain is asked again with the next one.
                if matches!((&glance.rollouts, &glance.activities), (Some(Ok(_)), Some(Ok(_)))) {
                    self.next_events = after(now, EVENTS);
                }
                if matches!(glance.fleet_metrics, Some(Ok(_))) {
                    self.next_metrics = after(now, METRICS);
                }
            }
            Seen::Look(snapshot) => {
                self.next_look = pause(LOOKS.max(self.interval), PER_CALL_OF_LOOK, REAL_OF_LOOK);
                // It saw what a glance sees.
                self.next_glance = pause(self.interval, Duration::ZERO, REAL);
                if snapshot.rollouts.is_ok() && snapshot.activities.is_ok() {
                    self.next_events = after(now, EVENTS);
                }
                if snapshot.fleet_metrics.is_ok() {
                    self.next_metrics = after(now, METRICS);
                }
            }
        }
        if self.is_blind || seen.needs_credentials() {
            // Renewed credentials are found, and the account guard, whose answer is kept for a run, asks again.
            self.aws = Rc::new(self.aws.anew());
        }
    }

    /// How to sign in again.
    pub(super) fn aws(&self) -> &Aws {
        &self.aws
    }
}

fn after(now: Timestamp, pause: Duration) -> Timestamp {
    now.checked_add(pause).unwrap_or(Timestamp::MAX)
}
