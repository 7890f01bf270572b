//! The group's instances: launched from Spot pools, booted, registered, taken back, terminated, billed.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::control::Activity;
use super::pool::{Drawn, Pool};
use super::queue::Queue;
use super::random::{Random, Stream};
use super::spot::Pools;
use crate::config::{FleetConfig, Transition, WarmPoolSpec, on_demand};
use crate::decide::rebalance_ceiling;

/// "Spot Instance interruption notices": two minutes before the interruption.
const NOTICE: u64 = 120_000;

const HOUR: u64 = 3_600_000;

/// Instances are billed by the second, with a minimum of one minute: "Amazon EC2 billing".
const LEAST_BILLED: u64 = 60_000;

/// An instance from its request on. Times are milliseconds.
#[derive(Clone, Copy, Debug, Default)]
struct Instance {
    alive: bool,
    /// Tells the events of this instance from those of an earlier one in the same place.
    generation: u32,
    kind: usize,
    zone: usize,
    on_demand: bool,
    /// When it runs and is billed.
    started: u64,
    in_service: bool,
    warm: bool,
    at_risk: bool,
    /// Has heard that it will be taken back in two minutes.
    noticed: bool,
}

/// What happens to an instance, in the order that counts when two things happen at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Happening {
    InService,
    Registered,
    Warm,
    RebalanceRecommended,
    Notice,
    TakenBack,
}

/// What the instances came to so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bill {
    pub(crate) cost: f64,
    /// Milliseconds that instances ran.
    pub(crate) ran: u64,
    pub(crate) launched: u64,
    pub(crate) launch_failures: u64,
    pub(crate) interruptions: u64,
    /// Instances that a scale-in ended while they held a job.
    pub(crate) ended_busy: u64,
    pub(crate) at_zero: u64,
    pub(crate) most: u32,
}

/// The instances.
#[derive(Debug)]
pub(crate) struct Instances<'a> {
    config: &'a FleetConfig,
    slots: Vec<Instance>,
    free: Vec<u32>,
    events: BinaryHeap<Reverse<(u64, Happening, u32, u32)>>,
    pools: Pools,
    warm_pool: Option<Pool<'a>>,
    /// How long lifecycle hooks hold instances up, in milliseconds. They run at the same time.
    launch_hooks: u64,
    terminate_hooks: u64,
    per_zone: Vec<u32>,
    boot: Random,
    spot: Random,
    live: u32,
    /// How many of them are On-Demand Instances by the group's distribution.
    on_demand: u32,
    warming: u32,
    launching: u32,
    /// When an instance was launched or terminated last.
    activity_ended: Option<u64>,
    at_risk: u32,
    zero_since: u64,
    pub(crate) bill: Bill,
}

impl<'a> Instances<'a> {
    pub(crate) fn new(config: &'a FleetConfig, seed: u64) -> Self {
        Self {
            config,
            slots: Vec::new(),
            free: Vec::new(),
            events: BinaryHeap::new(),
            pools: Pools::new(config.spec(), seed),
            warm_pool: config.spec().warm_pool.as_ref().map(Pool::new),
            launch_hooks: hooks(config, Transition::Launching),
            terminate_hooks: hooks(config, Transition::Terminating),
            per_zone: vec![0; config.spec().zones.len()],
            boot: Random::new(seed, Stream::Boot, 0),
            spot: Random::new(seed, Stream::Spot, 0),
            live: 0,
            on_demand: 0,
            warming: 0,
            launching: 0,
            activity_ended: None,
            at_risk: 0,
            zero_since: 0,
            bill: Bill::default(),
        }
    }

    /// Instances that are there or on their way.
    pub(crate) fn live(&self) -> u32 {
        self.live
    }

    /// What the group is doing.
    pub(crate) fn activity(&self) -> Activity {
        Activity {
            warming: self.warming,
            launching: self.launching,
            ended: self.activity_ended,
        }
    }

    /// Whether the group has what it should have, with nothing to replace.
    #[inline]
    pub(crate) fn is_at(&self, desired: u32, max: u32) -> bool {
        self.live == desired && self.at_risk == 0 && self.warm_pool_is_at(desired, max)
    }

    #[inline]
    fn warm_pool_is_at(&self, desired: u32, max: u32) -> bool {
        self.warm_pool
            .as_ref()
            .is_none_or(|pool| pool.lacks(desired, max) == 0 && pool.exceeds(desired, max) == 0)
    }

    /// When something happens to an instance next.
    pub(crate) fn next(&self) -> u64 {
        self.events.peek().map_or(u64::MAX, |Reverse((at, ..))| *at)
    }

    /// Instances that are in service and warm from the start, and a warm pool that is ready, as a fleet that has been there for long.
    pub(crate) fn begin_with(&mut self, count: u32, queue: &mut Queue) {
        for _ in 0..count {
            if let Some(slot) = self.place(0) {
                self.bill.launched += 1;
                self.schedule_interruption(slot, 0);
                let instance = &mut self.slots[slot as usize];
                (instance.in_service, instance.warm) = (true, true);
                let speed = self.config.spec().instance_types[instance.kind].speed;
                queue.register(slot, 0, speed);
            }
        }
        let max = self.config.limits().max;
        if let Some(pool) = &mut self.warm_pool {
            for _ in 0..pool.lacks(count, max) {
                pool.add(0, 0);
                self.bill.launched += 1;
            }
        }
    }

    /// Everything that happens up to `now` happens.
    pub(crate) fn happen(&mut self, now: u64, queue: &mut Queue) {
        while let Some(Reverse((at, happening, slot, generation))) = self.events.peek().copied()
            && at <= now
        {
            self.events.pop();
            let instance = &mut self.slots[slot as usize];
            if !instance.alive || instance.generation != generation {
                continue;
            }
            match happening {
                Happening::InService => {
                    instance.in_service = true;
                    self.launching -= 1;
                    self.activity_ended = Some(at);
                }
                Happening::Registered if instance.noticed => {}
                Happening::Registered => {
                    let speed = self.config.spec().instance_types[instance.kind].speed;
                    queue.register(slot, at, speed);
                }
                Happening::Warm => {
                    instance.warm = true;
                    self.warming -= 1;
                }
                Happening::RebalanceRecommended => self.risk(slot),
                Happening::Notice => {
                    instance.noticed = true;
                    self.risk(slot);
                    queue.stop_accepting(slot);
                    if self.config.spec().jobs.release_on_notice {
                        queue.hand_back(slot, at);
                    }
                }
                Happening::TakenBack => {
                    self.bill.interruptions += 1;
                    self.end(slot, at, true, queue);
                }
            }
        }
    }

    fn risk(&mut self, slot: u32) {
        let instance = &mut self.slots[slot as usize];
        if !instance.at_risk {
            instance.at_risk = true;
            self.at_risk += 1;
        }
    }

    /// Launches and terminates towards `desired`. False when the group could not get there, so that
    /// it has to try again.
    ///
    /// "Capacity Rebalancing": a replacement is launched first, and the instance at risk is terminated
    /// when the replacement is in service.
    pub(crate) fn follow(
        &mut self,
        now: u64,
        desired: u32,
        max: u32,
        keep_busy: bool,
        queue: &mut Queue,
    ) -> bool {
        let replacing = if self.config.spec().capacity_rebalance {
            self.at_risk.min(desired)
        } else {
            0
        };
        let ceiling = rebalance_ceiling(max).max(desired);
        let wanted = (desired + replacing).min(ceiling);
        while self.live < wanted {
            let Some(slot) = self.place(now) else {
                self.bill.launch_failures += 1;
                return false;
            };
            match self.warm_pool.as_mut().and_then(|pool| pool.draw(now)) {
                Some(hours) => self.start_prepared(slot, now, hours),
                None => {
                    self.bill.launched += 1;
                    self.schedule_launch(slot, now);
                }
            }
        }
        if self.config.spec().capacity_rebalance && self.at_risk > 0 {
            let healthy = self
                .slots
                .iter()
                .filter(|instance| instance.alive && instance.in_service && !instance.at_risk)
                .count() as u32;
            let mut replaced = (healthy + self.at_risk).saturating_sub(desired).min(self.at_risk);
            while replaced > 0 && self.live > desired {
                let risky = self
                    .slots
                    .iter()
                    .position(|instance| instance.alive && instance.at_risk);
                let Some(slot) = risky else { break };
                self.end(slot as u32, now, false, queue);
                replaced -= 1;
            }
        }
        while self.live > wanted {
            let Some(slot) = self.victim(now, keep_busy, queue) else {
                return false;
            };
            self.bill.ended_busy += u64::from(queue.holds_job(slot));
            self.end(slot, now, false, queue);
            self.return_to_warm_pool(now + self.terminate_hooks, desired, max);
        }
        self.keep_warm_pool(now, desired, max);
        true
    }

    /// An instance of the warm pool becomes one of the group: it is started, hooks hold it up once more, and its worker
    /// registers.
    fn start_prepared(&mut self, slot: u32, now: u64, hours: Drawn) {
        self.charge_pool(hours);
        let cold = &self.config.spec().cold_start;
        let pool = self.warm_pool.as_ref().map(Pool::spec);
        let seconds =
            pool.and_then(|pool| pool.start_seconds)
                .unwrap_or(if pool.is_some_and(WarmPoolSpec::runs) {
                    0.0
                } else {
                    cold.request_seconds
                });
        let in_service = now + (seconds * 1e3) as u64 + self.launch_hooks;
        let registered = in_service + (cold.register_seconds * 1e3) as u64;
        self.enter(slot, now, in_service, registered);
    }

    /// "Instance reuse policy": a scale-in returns instances to the pool, as long as it has room.
    fn return_to_warm_pool(&mut self, now: u64, desired: u32, max: u32) {
        if let Some(pool) = &mut self.warm_pool
            && pool.spec().reuse_on_scale_in
            && pool.lacks(desired, max) > 0
        {
            pool.add(now, now);
        }
    }

    /// Launches into the warm pool what it lacks, and terminates what it has too many. Instances enter it as they would
    /// enter the group, launch hooks included, up to the registration of their workers.
    fn keep_warm_pool(&mut self, now: u64, desired: u32, max: u32) {
        let cold = &self.config.spec().cold_start;
        let hooks = self.launch_hooks;
        let mut left = Vec::new();
        if let Some(pool) = &mut self.warm_pool {
            for _ in 0..pool.lacks(desired, max) {
                let started = now + (cold.request_seconds * 1e3) as u64;
                pool.add(started, started + (cold.boot_seconds * 1e3) as u64 + hooks);
                self.bill.launched += 1;
            }
            for _ in 0..pool.exceeds(desired, max) {
                left.extend(pool.drop_newest(now));
            }
        }
        for hours in left {
            self.charge_pool(hours);
        }
    }

    /// Instances of the pool are of the most preferred type, and On-Demand Instances.
    fn charge_pool(&mut self, hours: Drawn) {
        let instance = Instance {
            started: hours.from,
            ..Instance::default()
        };
        self.charge(&instance, hours.until, false);
    }

    /// The instance that a scale-in terminates.
    ///
    /// "Default termination policy": of the purchase option that there is too much of, the zone with the
    /// most instances, and there the one closest to the next billing hour. Instances with scale-in protection
    /// are spared.
    fn victim(&self, now: u64, keep_busy: bool, queue: &Queue) -> Option<u32> {
        let surplus = self.on_demand > self.config.spec().on_demand.of(self.live.saturating_sub(1));
        self.victim_of(Some(surplus), now, keep_busy, queue)
            .or_else(|| self.victim_of(None, now, keep_busy, queue))
    }

    fn victim_of(&self, on_demand: Option<bool>, now: u64, keep_busy: bool, queue: &Queue) -> Option<u32> {
        let mut best: Option<((u32, u64), u32)> = None;
        for (slot, instance) in self.slots.iter().enumerate() {
            let slot = slot as u32;
            let fits = on_demand.is_none_or(|option| option == instance.on_demand);
            if instance.alive && fits && !(keep_busy && queue.holds_job(slot)) {
                let into_the_hour = now.saturating_sub(instance.started) % HOUR;
                let rank = (self.per_zone[instance.zone], into_the_hour);
                if best.is_none_or(|(so_far, _)| rank > so_far) {
                    best = Some((rank, slot));
                }
            }
        }
        best.map(|(_, slot)| slot)
    }

    /// A place for a new instance of the most preferred type that has capacity in some zone, there in
    /// the zone with the fewest instances. `None` when no type has any.
    fn place(&mut self, now: u64) -> Option<u32> {
        let on_demand = self.on_demand < self.config.spec().on_demand.of(self.live + 1);
        let (kind, zone) = if on_demand {
            // The most preferred type, in the zone with the fewest instances; On-Demand capacity is there.
            let zone = (0..self.per_zone.len()).min_by_key(|zone| self.per_zone[*zone])?;
            (0, zone)
        } else {
            self.pools.choose(now, &self.per_zone)?
        };
        self.on_demand += u32::from(on_demand);
        if self.live == 0 {
            self.bill.at_zero += now - self.zero_since;
        }
        self.live += 1;
        self.bill.most = self.bill.most.max(self.live);
        self.per_zone[zone] += 1;
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Instance::default());
            (self.slots.len() - 1) as u32
        });
        let instance = &mut self.slots[slot as usize];
        *instance = Instance {
            alive: true,
            generation: instance.generation + 1,
            kind,
            zone,
            on_demand,
            started: now,
            ..Instance::default()
        };
        Some(slot)
    }

    fn schedule_launch(&mut self, slot: u32, now: u64) {
        let cold = &self.config.spec().cold_start;
        let stretch = 1.0 + cold.spread * (2.0 * self.boot.uniform() - 1.0);
        let after = |from: u64, seconds: f64| from + (seconds * stretch * 1e3) as u64;
        let started = after(now, cold.request_seconds);
        let in_service = after(started, cold.boot_seconds);
        let in_service = in_service + self.launch_hooks;
        let registered = after(in_service, cold.register_seconds);
        self.enter(slot, started, in_service, registered);
        self.schedule_interruption(slot, started);
    }

    /// The instance is billed from `started` on.
    fn enter(&mut self, slot: u32, started: u64, in_service: u64, registered: u64) {
        let warm = in_service + self.config.warmup().as_millis() as u64;
        self.slots[slot as usize].started = started;
        self.warming += 1;
        self.launching += 1;
        self.push(slot, in_service, Happening::InService);
        self.push(slot, registered, Happening::Registered);
        self.push(slot, warm, Happening::Warm);
    }

    /// Interruptions are memoryless: the time to the next one is exponential.
    fn schedule_interruption(&mut self, slot: u32, started: u64) {
        let Instance { kind, on_demand, .. } = self.slots[slot as usize];
        if on_demand {
            return;
        }
        let Some(spot) = &self.config.spec().instance_types[kind].spot else {
            return;
        };
        if spot.interruptions_per_hour > 0.0 {
            let hours = self.spot.exponential() / spot.interruptions_per_hour;
            let taken_back = started + (hours * HOUR as f64) as u64;
            let notice = taken_back.saturating_sub(NOTICE).max(started);
            if self.config.spec().capacity_rebalance {
                let lead = (spot.rebalance_lead_seconds * 1e3) as u64;
                let recommended = notice.saturating_sub(lead).max(started);
                self.push(slot, recommended, Happening::RebalanceRecommended);
            }
            self.push(slot, notice, Happening::Notice);
            self.push(slot, taken_back, Happening::TakenBack);
        }
    }

    fn push(&mut self, slot: u32, at: u64, happening: Happening) {
        let generation = self.slots[slot as usize].generation;
        self.events.push(Reverse((at, happening, slot, generation)));
    }

    fn end(&mut self, slot: u32, now: u64, taken_back: bool, queue: &mut Queue) {
        let instance = self.slots[slot as usize];
        // EC2 waits for no hook when it takes a Spot Instance back.
        let gone = if taken_back {
            now
        } else {
            now + self.terminate_hooks
        };
        self.charge(&instance, gone, taken_back);
        self.live -= 1;
        self.per_zone[instance.zone] -= 1;
        self.warming -= u32::from(!instance.warm);
        self.launching -= u32::from(!instance.in_service);
        if !taken_back {
            self.activity_ended = Some(gone);
        }
        self.at_risk -= u32::from(instance.at_risk);
        self.on_demand -= u32::from(instance.on_demand);
        self.slots[slot as usize].alive = false;
        self.free.push(slot);
        if self.live == 0 {
            self.zero_since = now;
        }
        queue.gone(slot, now);
    }

    /// "Billing for interrupted Spot Instances": an instance that EC2 takes back in its first hour is
    /// not charged.
    fn charge(&mut self, instance: &Instance, now: u64, taken_back: bool) {
        let ran = now.saturating_sub(instance.started);
        self.bill.ran += ran;
        if now > instance.started && !(taken_back && ran < HOUR) {
            let billed = ran.max(LEAST_BILLED) as f64 / HOUR as f64;
            let price = if instance.on_demand {
                let name = &self.config.spec().instance_types[instance.kind].name;
                on_demand(name).unwrap_or(self.config.prices()[instance.kind])
            } else {
                self.config.prices()[instance.kind]
            };
            self.bill.cost += billed * price;
        }
    }

    /// Closes the books at the end of the simulation.
    pub(crate) fn close(mut self, now: u64) -> Bill {
        for slot in 0..self.slots.len() {
            let instance = self.slots[slot];
            if instance.alive {
                self.charge(&instance, now, false);
            }
        }
        while let Some(hours) = self.warm_pool.as_mut().and_then(|pool| pool.drop_newest(now)) {
            self.charge_pool(hours);
        }
        if self.live == 0 {
            self.bill.at_zero += now - self.zero_since;
        }
        self.bill
    }
}

/// How long the hooks of a transition hold an instance up: until the last of their actions is complete.
fn hooks(config: &FleetConfig, transition: Transition) -> u64 {
    let hooks = config.spec().lifecycle_hooks.iter();
    let own = hooks.filter(|hook| hook.transition == transition);
    own.map(|hook| (hook.action_seconds * 1e3) as u64)
        .max()
        .unwrap_or(0)
}
