//! One fleet: its customers, its queue and its workers.

use std::collections::VecDeque;
use std::time::Duration;

use crate::application::media;
use crate::service::autoscaling::{self, LifecycleState};
use crate::service::cloudwatch::{self, MetricId};
use crate::service::logs;
use crate::time::SimTime;
use crate::world::World;

use super::publish::METRICS;
use super::registration::Answer;

/// How long a finished job counts in the published statistics.
const WINDOW: Duration = Duration::from_secs(15 * 60);
/// A lease without heartbeat is given up after this long, and its job goes back to the queue.
const LEASE: Duration = Duration::from_secs(120);
/// How often an idle worker asks for a job.
const POLL: Duration = Duration::from_secs(3);
/// How often a worker that is refused tries to register again.
const RETRY: Duration = Duration::from_secs(30);
/// After this long without any worker customers lose their patience and submit their job once more.
const PATIENCE: Duration = Duration::from_secs(5 * 60);
/// How often each of them does so from then on.
const AGAIN_MINUTES: f64 = 6.0;

/// The names of a fleet in the account.
#[derive(Clone, Debug)]
pub(crate) struct FleetPlace {
    pub(crate) group: String,
    /// The parameter with the secret that workers register with.
    pub(crate) secret: String,
    /// Where its workers log to, one stream for each instance.
    pub(crate) log_group: String,
    /// Dimensions of the fleet's metrics.
    pub(crate) dimensions: Vec<(String, String)>,
}

/// How much work there is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WorkerRules {
    /// Customers who each have one job in the system and start the next one when it is done.
    pub(crate) customers: usize,
    /// Shortest and longest job, in seconds.
    pub(crate) job_seconds: (u64, u64),
    /// Jobs a minute that come on top and do not come again.
    pub(crate) extra_per_minute: f64,
}

/// A fleet at work.
#[derive(Debug)]
pub(crate) struct Fleet {
    pub(crate) place: FleetPlace,
    pub(super) rules: WorkerRules,
    /// Waiting jobs, the oldest first.
    pub(super) queue: VecDeque<Job>,
    pub(super) workers: Vec<Worker>,
    /// Jobs whose worker is gone, by the end of their lease.
    leases: Vec<(SimTime, Job)>,
    /// When a job ended, how long it took and whether it went well.
    pub(super) finished: VecDeque<(SimTime, f64, bool)>,
    pub(super) expired: u32,
    pub(super) interrupted: u32,
    /// Interruptions of the group that are counted already.
    seen_interruptions: u64,
    next_extra: Option<SimTime>,
    /// Since when no worker is registered.
    alone_since: Option<SimTime>,
    /// What workers get who register, where it is not what their secret deserves.
    pub(crate) answer: Option<Answer>,
    pub(super) due: SimTime,
    pub(super) metrics: [MetricId; METRICS.len()],
}

/// A job; a customer's own one is followed by the next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Job {
    returns: bool,
    /// The number of a job that came through the application's API.
    submitted: Option<u64>,
}

impl Job {
    const fn of_customer(returns: bool) -> Self {
        Self {
            returns,
            submitted: None,
        }
    }

    pub(super) const fn submitted(id: u64) -> Self {
        Self {
            returns: false,
            submitted: Some(id),
        }
    }
}

/// A worker on an instance of the group.
#[derive(Debug)]
pub(super) struct Worker {
    instance: String,
    /// Asks for no job before this.
    rests: Option<SimTime>,
    /// When it calls the backend; `None` once it is registered.
    registers: Option<SimTime>,
    job: Option<Running>,
}

#[derive(Clone, Copy, Debug)]
struct Running {
    job: Job,
    began: SimTime,
    ends: SimTime,
}

impl Worker {
    pub(super) fn is_registered(&self) -> bool {
        self.registers.is_none()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.is_registered() && self.job.is_none()
    }
}

impl Fleet {
    pub(super) fn new(world: &mut World, place: FleetPlace, rules: WorkerRules) -> Self {
        let dimensions: Vec<_> = place
            .dimensions
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let metrics =
            METRICS.map(|name| cloudwatch::metric(world, super::publish::NAMESPACE, name, &dimensions));
        let mut fleet = Self {
            place,
            rules: WorkerRules {
                customers: 0,
                ..rules
            },
            queue: VecDeque::new(),
            workers: Vec::new(),
            leases: Vec::new(),
            finished: VecDeque::new(),
            expired: 0,
            interrupted: 0,
            seen_interruptions: 0,
            next_extra: None,
            alone_since: None,
            answer: None,
            due: SimTime(0),
            metrics,
        };
        fleet.set_rules(rules);
        fleet
    }

    /// Other customers or another rate, from now on. Customers who leave take no new job.
    pub(crate) fn set_rules(&mut self, rules: WorkerRules) {
        let newcomers = rules.customers.saturating_sub(self.rules.customers);
        let mut leaving = self.rules.customers.saturating_sub(rules.customers);
        self.queue
            .extend(std::iter::repeat_n(Job::of_customer(true), newcomers));
        let running = self
            .workers
            .iter_mut()
            .filter_map(|worker| worker.job.as_mut())
            .map(|running| &mut running.job);
        for job in self.queue.iter_mut().chain(running) {
            if leaving > 0 && job.returns {
                job.returns = false;
                leaving -= 1;
            }
        }
        self.rules = rules;
        self.next_extra = None;
        self.due = SimTime(0);
    }

    /// Workers come and go with the instances of the group.
    pub(super) fn follow_group(&mut self, world: &mut World) {
        let now = world.now;
        let Some(group) = autoscaling::group(world, &self.place.group) else {
            return;
        };
        let serving: Vec<(String, SimTime)> = group
            .instances()
            .iter()
            .filter(|instance| instance.state == LifecycleState::InService)
            .map(|instance| (instance.id.clone(), instance.launched))
            .collect();
        let interruptions = group.interruptions;
        // A group that a stack has made anew counts from zero.
        let more = interruptions.saturating_sub(self.seen_interruptions);
        self.interrupted += u32::try_from(more).unwrap_or_default();
        self.seen_interruptions = interruptions;
        let leases = &mut self.leases;
        self.workers.retain(|worker| {
            let stays = serving.iter().any(|(id, _)| *id == worker.instance);
            if !stays && let Some(running) = worker.job {
                leases.push((now + LEASE, running.job));
            }
            stays
        });
        for (id, launched) in serving {
            if !self.workers.iter().any(|worker| worker.instance == id) {
                // An instance that was there before the sandbox looked has registered long ago;
                // otherwise ComfyUI and the worker take some minutes to start.
                let old = now.since(launched) > Duration::from_secs(15 * 60);
                let boot = if old { 0 } else { world.ids.between(130, 215) };
                self.workers.push(Worker {
                    instance: id,
                    rests: None,
                    registers: Some(now + Duration::from_secs(boot)),
                    job: None,
                });
            }
        }
        self.due = now;
    }

    /// Jobs that wait and jobs in the hands of a worker, also of a lost one until its lease ends.
    pub(super) fn jobs_not_done(&self) -> usize {
        let running = self.workers.iter().filter(|worker| worker.job.is_some());
        self.queue.len() + running.count() + self.leases.len()
    }

    /// Everything that is due: registrations, ended jobs, lost leases, arrivals, new leases.
    pub(super) fn work(&mut self, world: &mut World, backend_up: bool, answer: Answer) {
        let now = world.now;
        for worker in &mut self.workers {
            if worker.registers.is_none_or(|at| at > now) {
                continue;
            }
            worker.registers = (answer != Answer::Welcome).then_some(now + RETRY);
            answer.log(world);
            let line = answer.told(&worker.instance);
            logs::append(world, &self.place.log_group, &worker.instance, &line);
        }
        self.end_jobs(world);
        let (expired, held): (Vec<_>, Vec<_>) = self.leases.drain(..).partition(|(end, _)| *end <= now);
        self.leases = held;
        for (_, job) in expired {
            self.expired += 1;
            self.queue.push_front(job);
        }
        self.arrive(world, backend_up);
        if backend_up {
            self.lease(world);
        }
        while self
            .finished
            .front()
            .is_some_and(|(at, _, _)| now.since(*at) > WINDOW)
        {
            self.finished.pop_front();
        }
        self.due = self.next_due(now);
    }

    fn end_jobs(&mut self, world: &mut World) {
        let now = world.now;
        for worker in &mut self.workers {
            let Some(running) = worker.job.filter(|running| running.ends <= now) else {
                continue;
            };
            worker.job = None;
            // Between two jobs nothing protects the instance: a group that waits to scale in takes it
            // before the worker asks for its next job.
            let leaves = autoscaling::protect(world, &self.place.group, &worker.instance, false);
            worker.rests = leaves.then_some(now + POLL);
            // One job in three hundred fails.
            let submitted = running.job.submitted;
            let input = submitted.is_none_or(|id| media::has_input(world, id));
            let went_well = match submitted {
                Some(_) => input,
                None => world.ids.between(1, 300) != 1,
            };
            if let Some(id) = submitted {
                media::ended(world, id, went_well);
            }
            let took = now.since(running.began).as_secs();
            let line = if went_well {
                format!("INFO  job done in {took} s")
            } else if input {
                format!("ERROR job failed after {took} s: ComfyUI: CUDA out of memory")
            } else {
                format!(
                    "ERROR job failed after {took} s: cannot fetch its input: 404 Client Error: Not Found"
                )
            };
            logs::append(world, &self.place.log_group, &worker.instance, &line);
            self.finished
                .push_back((now, now.since(running.began).as_secs_f64(), went_well));
            if running.job.returns {
                self.queue.push_back(running.job);
            }
        }
    }

    fn arrive(&mut self, world: &mut World, backend_up: bool) {
        let now = world.now;
        if self.workers.iter().any(Worker::is_registered) {
            self.alone_since = None;
        } else {
            self.alone_since.get_or_insert(now);
        }
        let stranded =
            self.rules.customers > 0 && self.alone_since.is_some_and(|since| now.since(since) > PATIENCE);
        let per_minute = self.rules.extra_per_minute
            + if stranded {
                self.rules.customers as f64 / AGAIN_MINUTES
            } else {
                0.0
            };
        if per_minute <= 0.0 || !backend_up {
            self.next_extra = None;
            return;
        }
        let spacing = 60.0 / per_minute;
        let next = |world: &mut World| spacing * (0.6 + 0.8 * world.ids.unit());
        let mut at = match self.next_extra {
            Some(at) => at,
            None => now + Duration::from_secs_f64(next(world)),
        };
        while at <= now {
            self.queue.push_back(Job::of_customer(false));
            at = at + Duration::from_secs_f64(next(world));
        }
        self.next_extra = Some(at);
    }

    /// Idle workers take the oldest jobs and protect their instance while they work.
    fn lease(&mut self, world: &mut World) {
        let now = world.now;
        let (shortest, longest) = self.rules.job_seconds;
        for worker in &mut self.workers {
            if worker.rests.is_some_and(|until| until <= now) {
                worker.rests = None;
            }
            if !worker.is_idle() || worker.rests.is_some() {
                continue;
            }
            let Some(job) = self.queue.pop_front() else { break };
            let seconds = match job.submitted {
                Some(id) => media::taken(world, id),
                None => world.ids.between(shortest, longest),
            };
            let ends = now + Duration::from_secs(seconds);
            worker.job = Some(Running {
                job,
                began: now,
                ends,
            });
            autoscaling::protect(world, &self.place.group, &worker.instance, true);
        }
    }

    fn next_due(&self, now: SimTime) -> SimTime {
        let workers = self
            .workers
            .iter()
            .flat_map(|worker| {
                [
                    worker.registers,
                    worker.rests,
                    worker.job.map(|running| running.ends),
                ]
            })
            .flatten();
        let leases = self.leases.iter().map(|(end, _)| *end);
        let patience = self
            .alone_since
            .map(|since| since + PATIENCE)
            .filter(|at| *at > now);
        workers
            .chain(leases)
            .chain(self.next_extra)
            .chain(patience)
            .min()
            // Nothing is due by itself: look again in a minute, the backend may have come or gone.
            .unwrap_or(SimTime(i64::MAX))
            .min(now + Duration::from_secs(60))
    }
}
