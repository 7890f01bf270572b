//! The clock: which event is next, and what follows from it.

use std::time::Duration;

use super::Scenario;
use super::arrivals::Stream as Arrivals;
use super::control::{Control, MINUTE};
use super::instances::Instances;
use super::queue::Queue;
use super::random::{Random, Stream};
use super::report::{Durations, Fleet, Jobs, Report, Scaling};
use super::schedule::Schedule;
use super::series::{Recorder, Sample};
use super::service::Service;
use crate::config::FleetConfig;

const HOUR: f64 = 3.6e6;

/// How often progress is told: often enough for a bar.
const PROGRESS_STEPS: u64 = 200;

/// One simulation. Times are milliseconds from its start.
#[derive(Debug)]
pub(super) struct Engine<'a> {
    config: &'a FleetConfig,
    scenario: &'a Scenario,
    horizon: u64,
    arrivals: Arrivals,
    service: Service,
    queue: Queue,
    instances: Instances<'a>,
    control: Control<'a>,
    recorder: Recorder,
    /// Start and end of the silences.
    silences: Vec<(u64, u64)>,
    last_minute: u64,
    next_minute: u64,
    next_deploy: u64,
    schedule: Schedule,
    /// Workers that hold a job are not terminated by a scale-in.
    keep_busy: bool,
    /// Whether minutes in which nothing can change are skipped; off only to show that it changes nothing.
    skips: bool,
    /// Whether the control plane is passing over minutes and has to be told of what it would see.
    calm: bool,
}

impl<'a> Engine<'a> {
    pub(super) fn new(config: &'a FleetConfig, scenario: &'a Scenario) -> Self {
        let seed = scenario.seed;
        let spec = config.spec();
        let horizon = millis(scenario.horizon);
        let initial = scenario.initial.unwrap_or(config.limits().min);
        let mut queue = Queue::new(&spec.jobs);
        let mut instances = Instances::new(config, seed);
        instances.begin_with(initial, &mut queue);
        Self {
            config,
            scenario,
            horizon,
            arrivals: Arrivals::new(&scenario.arrivals, seed),
            service: Service::new(&spec.jobs.service, Random::new(seed, Stream::Service, 0)),
            queue,
            instances,
            control: Control::new(config, initial),
            recorder: Recorder::new(scenario.points, horizon),
            silences: scenario
                .silences
                .iter()
                .map(|(from, length)| (millis(*from), millis(from.saturating_add(*length))))
                .collect(),
            last_minute: 0,
            next_minute: MINUTE,
            schedule: Schedule::new(&spec.schedule),
            next_deploy: match (spec.deploy_desired, scenario.deploy_every) {
                (Some(_), Some(every)) => millis(every),
                _ => u64::MAX,
            },
            keep_busy: spec.jobs.protect_busy || spec.scale_to_zero.is_some_and(|zero| zero.drain_first),
            skips: true,
            calm: false,
        }
    }

    /// Looks at every minute.
    #[cfg(test)]
    pub(super) fn without_skipping(mut self) -> Self {
        self.skips = false;
        self
    }

    /// Looks at every minute, and at the end gives what each decided on.
    #[cfg(test)]
    pub(super) fn log(self) -> Vec<super::control::Logged> {
        let mut engine = self.without_skipping();
        engine.control.log = Some(Vec::new());
        engine.go(&|_| ());
        engine.control.log.take().unwrap_or_default()
    }

    /// Tells `progress` the simulated time after each [`PROGRESS_STEPS`]th of the horizon.
    pub(super) fn run(mut self, progress: &dyn Fn(Duration)) -> Report {
        self.go(progress);
        self.report()
    }

    fn go(&mut self, progress: &dyn Fn(Duration)) {
        let step = self.horizon.div_ceil(PROGRESS_STEPS);
        let mut next_step = step;
        loop {
            let mut now = self.next_minute.min(self.next_other()).min(self.horizon);
            if self.calm {
                // With jobs on the way, progress is told in between.
                let next_job = self.arrivals.next().min(self.queue.next_completion());
                now = self.jobs_until_noticed(if next_job < next_step {
                    now.min(next_step)
                } else {
                    now
                });
            } else {
                self.jobs_until(now);
            }
            if now >= next_step {
                progress(Duration::from_millis(now));
                next_step = (now + step - now % step).min(self.horizon);
            }
            if now >= self.horizon {
                break;
            }
            self.instances.happen(now, &mut self.queue);
            self.queue.expire(now);
            if self.calm && self.notices_instances() {
                let minute = now.next_multiple_of(MINUTE).max(self.last_minute + MINUTE);
                self.next_minute = self.next_minute.min(minute);
            }
            if now == self.next_deploy {
                self.deploy(now);
            }
            if now == self.schedule.next() {
                for action in self.schedule.due() {
                    self.control.scheduled(&self.config.spec().schedule[action]);
                }
                self.next_minute = self.next_minute.min(now.max(MINUTE));
            }
            if now == self.next_minute {
                self.minute(now);
            }
        }
    }

    /// When something other than a job's arrival or end, or a minute, comes next.
    fn next_other(&self) -> u64 {
        self.instances
            .next()
            .min(self.queue.next_lease())
            .min(self.next_deploy)
            .min(self.schedule.next())
    }

    /// Arrivals and ends of jobs before `until`. Nothing else happens in between.
    fn jobs_until(&mut self, until: u64) {
        loop {
            let arrival = self.arrivals.next();
            let completion = self.queue.next_completion();
            if completion <= arrival {
                if completion >= until {
                    return;
                }
                self.queue.complete();
            } else {
                if arrival >= until {
                    return;
                }
                let service = self.service.draw();
                self.queue.arrive(arrival, service);
                self.arrivals.advance();
            }
        }
    }

    /// Whether the control plane has to look at what has happened to instances, leases and their jobs.
    fn notices_instances(&self) -> bool {
        !self
            .instances
            .is_at(self.control.desired, self.control.limits.max)
            || self
                .control
                .notices_instances(&self.queue, self.instances.activity())
    }

    /// As [`Self::jobs_until`], but ends at the first minute at which the control plane would see something
    /// new, and gives it; `until` when there is none before.
    fn jobs_until_noticed(&mut self, until: u64) -> u64 {
        if !self.control.watches_jobs() {
            self.jobs_until(until);
            return until;
        }
        loop {
            let next = self.arrivals.next().min(self.queue.next_completion());
            // What happens at a minute happens after the control plane has looked.
            let minute = (next - next % MINUTE).saturating_add(MINUTE);
            if minute >= until {
                self.jobs_until(until);
                return until;
            }
            self.jobs_until(minute);
            if self.control.notices(&self.queue) {
                self.next_minute = minute;
                return minute;
            }
        }
    }

    fn minute(&mut self, now: u64) {
        let silent = self.silences.iter().any(|(from, to)| (*from..*to).contains(&now));
        self.control
            .minute(now, silent, &self.queue, self.instances.activity());
        let there = self.follow(now);
        self.record(now);
        self.last_minute = now;
        self.next_minute = now + MINUTE;
        self.calm = false;
        if self.skips && there {
            let quiet = self.control.quiet(now, &self.queue, self.instances.activity());
            if quiet > 0 {
                self.pass_over(now, quiet);
            }
        }
    }

    /// Minutes in which nothing can change need no look: so many at most, and not the last one before the
    /// publisher falls silent or speaks again. Jobs that come and go end it when the control plane would see that.
    fn pass_over(&mut self, now: u64, quiet: u64) {
        let minutes_before = |at: u64| (at - now).div_ceil(MINUTE).saturating_sub(1);
        let edges = self.silences.iter().flat_map(|(from, to)| [*from, *to]);
        let edge = edges.filter(|edge| *edge > now).min();
        let mut minutes = edge.map_or(u64::MAX, |edge| minutes_before(edge).saturating_sub(1));
        if self.scenario.points > 0 {
            // A series shows every job.
            let job = self.arrivals.next().min(self.queue.next_completion());
            minutes = minutes.min(minutes_before(job.min(self.next_other())));
        } else {
            self.calm = true;
        }
        self.next_minute += quiet.min(minutes).min(minutes_before(self.horizon)) * MINUTE;
        if self.scenario.points > 0 {
            // What is true now is so until the event that ends the jump.
            self.record(self.next_minute - MINUTE);
        }
    }

    fn deploy(&mut self, now: u64) {
        let every = self.scenario.deploy_every.map_or(u64::MAX, millis);
        self.next_deploy = now.saturating_add(every);
        if let Some(desired) = self.config.spec().deploy_desired {
            self.control.deploy(u32::try_from(desired).unwrap_or(0));
            self.next_minute = self.next_minute.min(now.div_ceil(MINUTE) * MINUTE);
        }
    }

    /// Whether the group would do nothing more in a minute from now, as long as nothing happens to its instances.
    fn follow(&mut self, now: u64) -> bool {
        let desired = self.control.desired;
        let max = self.control.limits.max;
        if self.instances.is_at(desired, max) {
            return true;
        }
        let sizes = |instances: &Instances<'_>| (instances.live(), instances.bill.launched);
        let before = sizes(&self.instances);
        let could = self
            .instances
            .follow(now, desired, max, self.keep_busy, &mut self.queue);
        // Where some are at risk, one replacement that is there makes room for the next one.
        could && (self.instances.is_at(desired, max) || sizes(&self.instances) == before)
    }

    fn record(&mut self, now: u64) {
        if self.scenario.points > 0 {
            self.recorder.record(
                now,
                Sample {
                    waiting: self.queue.waiting() as u64,
                    instances: self.instances.live(),
                    busy: self.queue.busy(),
                    desired: self.control.desired,
                },
            );
        }
    }

    fn report(mut self) -> Report {
        self.record(self.horizon);
        let counts = self.queue.counts;
        let bill = self.instances.close(self.horizon);
        let changes = self.control.changes;
        let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
        Report {
            seed: self.scenario.seed,
            horizon_seconds: self.horizon as f64 / 1e3,
            jobs: Jobs {
                arrived: counts.arrived,
                done: counts.done,
                waiting: self.queue.waiting() as u64,
                leased: self.queue.leased() as u64,
                running: self.queue.running() as u64,
                failed: counts.failed,
                rejected: counts.rejected,
                requeued: counts.requeued,
            },
            wait: Durations::of(&self.queue.waits),
            turnaround: Durations::of(&self.queue.turnarounds),
            fleet: Fleet {
                instance_hours: bill.ran as f64 / HOUR,
                cost: bill.cost,
                cost_per_job: (counts.done > 0).then(|| bill.cost / counts.done as f64),
                utilisation: share(counts.useful as f64, bill.ran as f64),
                wasted_hours: counts.wasted as f64 / HOUR,
                time_at_zero: share(bill.at_zero as f64, self.horizon as f64),
                cold_start_share: (counts.started > 0).then(|| counts.cold as f64 / counts.started as f64),
                launched: bill.launched,
                launch_failures: bill.launch_failures,
                interruptions: bill.interruptions,
                ended_busy: bill.ended_busy,
                most_instances: bill.most,
            },
            scaling: Scaling {
                scale_outs: changes.out,
                scale_ins: changes.down,
                to_zero: changes.to_zero,
                by_deploy: changes.by_deploy,
            },
            unknown: self.config.unknown(),
            series: self.recorder.finish(),
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
