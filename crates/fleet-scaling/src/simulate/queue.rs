//! The jobs: those that wait, those that run, and those whose worker went away under them.

use std::cmp::Reverse;
use std::collections::binary_heap::PeekMut;
use std::collections::{BinaryHeap, VecDeque};

use super::sketch::Sketch;

/// A job until it is done or has failed. Times are milliseconds.
#[derive(Clone, Copy, Debug)]
struct Job {
    arrived: u64,
    /// How long it takes on a type of speed 1.
    service: u32,
    /// Times it was started.
    attempts: u32,
}

/// A job on a worker.
#[derive(Clone, Copy, Debug)]
struct Run {
    job: Job,
    worker: u32,
    started: u64,
    /// When it will be done; `u64::MAX` marks an entry without a job.
    due: u64,
}

/// A worker as the queue sees it.
#[derive(Clone, Copy, Debug, Default)]
struct Worker {
    /// When it registered.
    since: u64,
    /// Service times are multiplied by this.
    pace: f64,
    running: u32,
    registered: bool,
    accepting: bool,
}

/// What has become of the jobs so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) arrived: u64,
    pub(crate) done: u64,
    pub(crate) requeued: u64,
    pub(crate) failed: u64,
    pub(crate) rejected: u64,
    /// Started by a worker that did not exist yet when the job came.
    pub(crate) cold: u64,
    pub(crate) started: u64,
    /// Milliseconds of work that led to a finished job, and that did not.
    pub(crate) useful: u64,
    pub(crate) wasted: u64,
}

/// The queue and the workers' hands.
#[derive(Debug)]
pub(crate) struct Queue {
    waiting: VecDeque<Job>,
    runs: Vec<Run>,
    free_runs: Vec<u32>,
    completions: BinaryHeap<Reverse<(u64, u32)>>,
    /// Jobs whose worker is gone, and when their lease ends. The lease is the same for all, so they
    /// are in order.
    leased: VecDeque<(u64, Job)>,
    workers: Vec<Worker>,
    /// A worker for each job that could start now.
    idle: Vec<u32>,
    registered: u32,
    busy: u32,
    lease: u64,
    concurrency: u32,
    most_attempts: u32,
    limit: usize,
    pub(crate) counts: Counts,
    /// From arrival to the first start.
    pub(crate) waits: Sketch,
    /// From arrival to the end.
    pub(crate) turnarounds: Sketch,
}

impl Queue {
    pub(crate) fn new(jobs: &crate::config::JobsSpec) -> Self {
        Self {
            waiting: VecDeque::new(),
            runs: Vec::new(),
            free_runs: Vec::new(),
            completions: BinaryHeap::new(),
            leased: VecDeque::new(),
            workers: Vec::new(),
            idle: Vec::new(),
            registered: 0,
            busy: 0,
            lease: (jobs.lease_seconds * 1e3) as u64,
            concurrency: u32::try_from(jobs.concurrency).unwrap_or(1),
            most_attempts: u32::try_from(jobs.max_attempts).unwrap_or(1),
            limit: usize::try_from(jobs.queue_limit).unwrap_or(usize::MAX),
            counts: Counts::default(),
            waits: Sketch::default(),
            turnarounds: Sketch::default(),
        }
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) fn leased(&self) -> usize {
        self.leased.len()
    }

    pub(crate) fn running(&self) -> usize {
        self.runs.len() - self.free_runs.len()
    }

    /// Registered workers.
    pub(crate) fn workers(&self) -> u32 {
        self.registered
    }

    /// Workers that hold a job.
    pub(crate) fn busy(&self) -> u32 {
        self.busy
    }

    /// Jobs that could start at once.
    pub(crate) fn free(&self) -> usize {
        self.idle.len()
    }

    /// Whether a worker holds a job.
    pub(crate) fn holds_job(&self, worker: u32) -> bool {
        self.workers
            .get(worker as usize)
            .is_some_and(|worker| worker.running > 0)
    }

    /// When the next job is done.
    #[inline]
    pub(crate) fn next_completion(&self) -> u64 {
        self.completions.peek().map_or(u64::MAX, |Reverse((due, _))| *due)
    }

    /// When the next lease ends.
    pub(crate) fn next_lease(&self) -> u64 {
        self.leased.front().map_or(u64::MAX, |(due, _)| *due)
    }

    /// A job arrives.
    #[inline]
    pub(crate) fn arrive(&mut self, now: u64, service: u32) {
        self.counts.arrived += 1;
        let job = Job {
            arrived: now,
            service,
            attempts: 0,
        };
        if let Some(worker) = self.idle.pop() {
            let (due, run) = self.start(now, job, worker);
            self.completions.push(Reverse((due, run)));
        } else if self.waiting.len() < self.limit {
            self.waiting.push_back(job);
        } else {
            self.counts.rejected += 1;
        }
    }

    /// The earliest completion happens; its worker goes on with the next job that waits.
    #[inline]
    pub(crate) fn complete(&mut self) {
        let Some(mut top) = self.completions.peek_mut() else {
            return;
        };
        let Reverse((now, position)) = *top;
        let run = self.runs[position as usize];
        if run.due != now {
            // Its worker went away.
            PeekMut::pop(top);
            return;
        }
        self.counts.done += 1;
        self.counts.useful += now - run.started;
        self.turnarounds.add(now - run.job.arrived);
        let worker = &mut self.workers[run.worker as usize];
        if worker.accepting
            && let Some(job) = self.waiting.pop_front()
        {
            let due = now + (f64::from(job.service) * worker.pace) as u64;
            let worker = *worker;
            *top = Reverse((due, position));
            drop(top);
            self.runs[position as usize] = Run {
                job: Job {
                    attempts: job.attempts + 1,
                    ..job
                },
                worker: run.worker,
                started: now,
                due,
            };
            self.count_start(now, job, worker.since);
            return;
        }
        PeekMut::pop(top);
        worker.running -= 1;
        self.busy -= u32::from(worker.running == 0);
        if worker.accepting {
            self.idle.push(run.worker);
        }
        self.release(position);
    }

    /// A worker registers and takes jobs.
    pub(crate) fn register(&mut self, worker: u32, now: u64, speed: f64) {
        let at = worker as usize;
        if at >= self.workers.len() {
            self.workers.resize(at + 1, Worker::default());
        }
        self.workers[at] = Worker {
            since: now,
            pace: 1.0 / speed,
            running: 0,
            registered: true,
            accepting: true,
        };
        self.registered += 1;
        for _ in 0..self.concurrency {
            self.idle.push(worker);
        }
        self.dispatch(now);
    }

    /// A worker finishes what it has and takes no more.
    pub(crate) fn stop_accepting(&mut self, worker: u32) {
        if let Some(known) = self.workers.get_mut(worker as usize) {
            known.accepting = false;
            self.idle.retain(|idle| *idle != worker);
        }
    }

    /// A worker hands its jobs back to the queue.
    pub(crate) fn hand_back(&mut self, worker: u32, now: u64) {
        for job in self.take_from(worker, now) {
            self.requeue(job);
        }
        self.dispatch(now);
    }

    /// A worker goes away; its jobs return to the queue when their leases end.
    pub(crate) fn gone(&mut self, worker: u32, now: u64) {
        self.stop_accepting(worker);
        for job in self.take_from(worker, now) {
            self.leased.push_back((now + self.lease, job));
        }
        if let Some(known) = self.workers.get_mut(worker as usize)
            && known.registered
        {
            known.registered = false;
            self.registered -= 1;
        }
    }

    /// The leases that end now end.
    pub(crate) fn expire(&mut self, now: u64) {
        while self.next_lease() <= now {
            if let Some((_, job)) = self.leased.pop_front() {
                self.requeue(job);
            }
        }
        self.dispatch(now);
    }

    /// A job goes back to where it was, before those that came later, unless it was tried too often.
    fn requeue(&mut self, job: Job) {
        if job.attempts >= self.most_attempts {
            self.counts.failed += 1;
        } else {
            self.counts.requeued += 1;
            let at = self.waiting.partition_point(|other| other.arrived <= job.arrived);
            self.waiting.insert(at, job);
        }
    }

    fn take_from(&mut self, worker: u32, now: u64) -> Vec<Job> {
        let mut jobs = Vec::new();
        if !self.holds_job(worker) {
            return jobs;
        }
        for position in 0..self.runs.len() {
            let run = self.runs[position];
            if run.due != u64::MAX && run.worker == worker {
                self.counts.wasted += now - run.started;
                jobs.push(run.job);
                self.release(position as u32);
            }
        }
        self.workers[worker as usize].running = 0;
        self.busy -= 1;
        jobs
    }

    fn dispatch(&mut self, now: u64) {
        while !self.waiting.is_empty()
            && let Some(worker) = self.idle.pop()
        {
            if let Some(job) = self.waiting.pop_front() {
                let (due, run) = self.start(now, job, worker);
                self.completions.push(Reverse((due, run)));
            }
        }
    }

    /// When it will be done, and its position.
    #[inline]
    fn start(&mut self, now: u64, job: Job, worker: u32) -> (u64, u32) {
        let known = &mut self.workers[worker as usize];
        self.busy += u32::from(known.running == 0);
        known.running += 1;
        let since = known.since;
        let due = now + (f64::from(job.service) * known.pace) as u64;
        let run = Run {
            job: Job {
                attempts: job.attempts + 1,
                ..job
            },
            worker,
            started: now,
            due,
        };
        self.count_start(now, job, since);
        if let Some(position) = self.free_runs.pop() {
            self.runs[position as usize] = run;
            (due, position)
        } else {
            self.runs.push(run);
            (due, (self.runs.len() - 1) as u32)
        }
    }

    #[inline]
    fn count_start(&mut self, now: u64, job: Job, worker_since: u64) {
        if job.attempts == 0 {
            self.counts.started += 1;
            self.counts.cold += u64::from(worker_since > job.arrived);
            self.waits.add(now - job.arrived);
        }
    }

    fn release(&mut self, position: u32) {
        self.runs[position as usize].due = u64::MAX;
        self.free_runs.push(position);
    }
}
