//! A world that several clients share, and the clock it lives by.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};

use crate::options::Options;
use crate::time::SimTime;
use crate::transport::Pace;
use crate::transport::clock::Clock;
use crate::world::World;

/// A handle on a simulated account; clones share it. Used as an AWS SDK's HTTP client it is the account.
#[derive(Clone)]
pub struct Sandbox(Arc<Mutex<Inner>>);

struct Inner {
    world: World,
    clock: Clock,
    /// What a reset goes back to.
    options: Options,
}

/// SDKs print their configuration, the HTTP client included; a whole account does not belong there.
impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").finish_non_exhaustive()
    }
}

impl Inner {
    fn catch_up(&mut self) -> &mut World {
        self.world.advance(self.clock.now());
        &mut self.world
    }
}

impl Sandbox {
    /// A new account, its time passing at `pace`.
    #[must_use]
    pub fn new(options: Options, pace: Pace) -> Self {
        let world = World::new(options.clone());
        // The clock starts when the world is there, not when it began to be made.
        let clock = Clock::starting_at(world.now, pace);
        Self(Arc::new(Mutex::new(Inner {
            world,
            clock,
            options,
        })))
    }

    /// An account whose time stands still until [`Sandbox::advance`]: for tests.
    #[must_use]
    pub fn stepped(options: Options) -> Self {
        Self::new(options, Pace::Stepped)
    }

    /// The present, which the world has reached when this returns.
    #[must_use]
    pub fn now(&self) -> SimTime {
        self.inner().catch_up().now
    }

    /// How time passes.
    #[must_use]
    pub fn pace(&self) -> Pace {
        self.inner().clock.pace()
    }

    /// Lets simulated time pass at once.
    pub fn advance(&self, duration: Duration) {
        let mut inner = self.inner();
        inner.clock.skip(duration);
        inner.catch_up();
    }

    /// Answers one request of an AWS SDK at the present time. The code that carries the answer has to heed its
    /// [`Delivery`](crate::Delivery).
    #[must_use]
    pub fn handle(&self, request: &Request<Bytes>) -> Response<Bytes> {
        self.inner().catch_up().handle(request)
    }

    /// Looks at the account, or changes it past the API.
    pub fn with_world<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        look(self.inner().catch_up())
    }

    /// Starts over: the same account as in the beginning, at the same simulated time.
    pub fn reset(&self) {
        let (options, pace) = {
            let inner = self.inner();
            (inner.options.clone(), inner.clock.pace())
        };
        let mut world = World::new(options);
        let mut inner = self.inner();
        // Clients reach the new account where they reached the old one.
        world.sessions_are_at(inner.world.sessions_base());
        inner.clock = Clock::starting_at(world.now, pace);
        inner.world = world;
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // A panic in one request must not take the account from all other clients.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
