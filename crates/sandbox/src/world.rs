//! The whole simulated account: one state, one clock, one seed.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use crate::error::{ApiError, OpResult};
use crate::ids::Ids;
use crate::options::Options;
use crate::scenario::Scenario;
use crate::seed;
use crate::service::{self, Service};
use crate::time::SimTime;
use crate::wire::Gateway;

/// How often the world moves by itself. Every time-driven behaviour is aligned to it, so that the
/// answers do not depend on when requests happen to arrive.
const TICK: Duration = Duration::from_secs(1);

/// How long the platform has been running when an operator first sees it: long enough for alarms
/// to have history and short enough that no stopped task has vanished yet.
pub const HISTORY: Duration = Duration::from_secs(60 * 60);

/// A simulated AWS account with the platform in it.
#[derive(Debug)]
pub struct World {
    /// The present. Moves only through [`World::advance`].
    pub now: SimTime,
    /// What this world was made with.
    pub options: Options,
    /// Names for whatever comes into being.
    pub(crate) ids: Ids,
    /// The same for the application alone, so that what it does shifts nothing elsewhere.
    pub(crate) application_ids: Ids,
    pub(crate) scenarios: BTreeSet<Scenario>,
    pub(crate) services: service::States,
    pub(crate) gateway: Gateway,
}

impl World {
    /// The platform after [`HISTORY`] of operation under the scenarios of `options`.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let start = options.start;
        let mut world = Self::empty(options, start - HISTORY);
        world.now = world.now.floor_minute();
        match world.options.empty {
            true => seed::account(&mut world),
            false => seed::platform(&mut world),
        }
        world.advance(start);
        world
    }

    /// A region in which nothing has ever been made.
    pub(crate) fn empty(options: Options, now: SimTime) -> Self {
        Self {
            now,
            ids: Ids::new(options.seed),
            application_ids: Ids::new(options.seed ^ (1 << 40)),
            scenarios: options.scenarios.clone(),
            services: service::States::default(),
            gateway: Gateway::new(options.seed),
            options,
        }
    }

    /// Whether `scenario` is in force.
    #[must_use]
    pub fn has(&self, scenario: Scenario) -> bool {
        self.scenarios.contains(&scenario)
    }

    /// The scenarios in force.
    #[must_use]
    pub fn scenarios(&self) -> &BTreeSet<Scenario> {
        &self.scenarios
    }

    /// What the backend's audit log of bundles was told, the oldest entry first.
    #[must_use]
    pub fn audit_entries(&self) -> &[Value] {
        &self.services.asset_ops.entries
    }

    /// What was posted to webhooks on this machine, the oldest first.
    #[must_use]
    pub fn posts(&self) -> &[Value] {
        &self.services.webhooks.posts
    }

    /// Breaks (or mends) the running platform: effects take simulated time, as they would.
    pub fn set_scenarios(&mut self, scenarios: BTreeSet<Scenario>) {
        let before = std::mem::replace(&mut self.scenarios, scenarios);
        seed::scenarios_changed(self, &before);
    }

    /// Lets simulated time pass until `to`; a `to` in the past changes nothing.
    pub fn advance(&mut self, to: SimTime) {
        let tick = TICK.as_millis() as i64;
        loop {
            let next = SimTime((self.now.0.div_euclid(tick) + 1) * tick);
            if next > to {
                break;
            }
            self.now = next;
            service::tick(self);
        }
        self.now = self.now.max(to);
    }

    /// What `docker push` leaves behind: an image under `tags`, pushed `ago` before the present, for linux/arm64 or
    /// linux/amd64. Answers its digest; `None` when there is no such repository.
    pub fn push_image(
        &mut self,
        repository: &str,
        tags: &[&str],
        arm64: bool,
        ago: Duration,
    ) -> Option<String> {
        use crate::service::ecr;
        let platform = if arm64 {
            ecr::Platform::Arm64
        } else {
            ecr::Platform::Amd64
        };
        let pushed = self.now - ago;
        let what = (ecr::content_of(tags), platform);
        ecr::has_repository(self, repository).then(|| ecr::push_for(self, repository, tags, what, pushed))
    }

    /// What a build of Packer leaves behind: an image for a fleet with its snapshot.
    pub fn build_machine_image(&mut self, slug: &str, id: &str) {
        let built = self.now;
        crate::service::ec2::register_image(self, slug, id, built);
    }

    /// The image under `tag` was pushed without an index around it, as by the classic builder of Docker.
    pub fn push_without_provenance(&mut self, repository: &str, tag: &str) {
        crate::service::ecr::without_provenance(self, repository, tag);
    }

    /// The records that prove who owns `domain` and the names below it are in DNS from now on, wherever that is kept:
    /// certificates that wait for them are issued a while later.
    pub fn validate_domain(&mut self, domain: &str) {
        crate::service::acm::validate(self, domain);
    }

    /// One operation on the present state, its input already checked against the API's shape.
    ///
    /// # Errors
    /// Whatever AWS answers: the operation's modelled errors, or `InvalidAction` for an operation
    /// that the sandbox does not know.
    pub fn call(&mut self, service: Service, operation: &str, input: &Value) -> OpResult {
        service::call(self, service, operation, input)
    }

    /// The error for an operation that the sandbox does not simulate.
    pub(crate) fn unknown_operation(operation: &str) -> ApiError {
        ApiError::client(
            "InvalidAction",
            format!("Could not find operation {operation} in the sandbox"),
        )
    }
}
