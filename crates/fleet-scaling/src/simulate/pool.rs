//! The instances of a group's warm pool: prepared, kept, drawn on by launches, and billed.
//!
//! EC2 Auto Scaling User Guide, "Decrease latency for applications with long boot times using warm pools".

use crate::config::WarmPoolSpec;

/// An instance of the pool. Times are milliseconds.
#[derive(Clone, Copy, Debug)]
struct Prepared {
    /// When it began to cost hours.
    started: u64,
    /// When it is prepared and reaches the state of the pool.
    ready: u64,
}

/// The pool.
#[derive(Debug)]
pub(super) struct Pool<'a> {
    spec: &'a WarmPoolSpec,
    instances: Vec<Prepared>,
}

impl<'a> Pool<'a> {
    pub(super) fn new(spec: &'a WarmPoolSpec) -> Self {
        Self {
            spec,
            instances: Vec::new(),
        }
    }

    pub(super) fn spec(&self) -> &'a WarmPoolSpec {
        self.spec
    }

    fn len(&self) -> u32 {
        u32::try_from(self.instances.len()).unwrap_or(u32::MAX)
    }

    /// How many instances it lacks beside a group of `desired`.
    pub(super) fn lacks(&self, desired: u32, max: u32) -> u32 {
        self.spec.size(desired, max).saturating_sub(self.len())
    }

    /// How many it has too many.
    pub(super) fn exceeds(&self, desired: u32, max: u32) -> u32 {
        self.len().saturating_sub(self.spec.size(desired, max))
    }

    pub(super) fn add(&mut self, started: u64, ready: u64) {
        self.instances.push(Prepared { started, ready });
    }

    /// Takes the instance out that has been ready for longest, and gives the time from which it is still to be paid, if
    /// it runs. An instance that is still being prepared is no help to a launch: the group launches another then.
    pub(super) fn draw(&mut self, now: u64) -> Option<Drawn> {
        let (at, _) = self
            .instances
            .iter()
            .enumerate()
            .filter(|(_, instance)| instance.ready <= now)
            .min_by_key(|(_, instance)| instance.ready)?;
        let instance = self.instances.remove(at);
        Some(self.bill(instance, now))
    }

    /// Takes out the instance that came last, to be terminated.
    pub(super) fn drop_newest(&mut self, now: u64) -> Option<Drawn> {
        let instance = self.instances.pop()?;
        Some(self.bill(instance, now))
    }

    /// A stopped instance has cost hours only while it was prepared.
    fn bill(&self, instance: Prepared, now: u64) -> Drawn {
        let until = if self.spec.runs() {
            now
        } else {
            instance.ready.min(now)
        };
        Drawn {
            from: instance.started,
            until,
        }
    }
}

/// The hours of an instance that has left the pool.
#[derive(Clone, Copy, Debug)]
pub(super) struct Drawn {
    pub(super) from: u64,
    pub(super) until: u64,
}
