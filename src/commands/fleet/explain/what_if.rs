//! `--what-if queue=40,workers=2,spot=none`: other circumstances than those that are.

use std::fmt;
use std::str::FromStr;

use fleet_scaling::config::FleetConfig;
use fleet_scaling::metrics::{Metrics, Signal};
use schemars::JsonSchema;
use serde::Serialize;

use super::super::text::counted;
use super::Supposed;
use crate::settings::nearest;

/// The keys, as they are written.
const KEYS: [&str; 3] = ["queue", "workers", "spot"];

/// More workers than any group can have.
const MOST_WORKERS: u32 = 100_000;

/// Circumstances that are supposed; what is not named stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub(super) struct WhatIf {
    /// Jobs that are not done, for as long as any alarm looks back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) queue: Option<f64>,
    /// Workers, all warm and registered; also the desired capacity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) workers: Option<u32>,
    /// Spot has no capacity: nothing can be launched.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) no_spot: bool,
}

impl FromStr for WhatIf {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut what_if = Self::default();
        let mut seen = Vec::new();
        for part in text.split(',') {
            let Some((key, value)) = part.split_once('=') else {
                return Err(format!("`{part}` is not KEY=VALUE, e.g. queue=40"));
            };
            if seen.contains(&key) {
                return Err(format!("`{key}` is given twice"));
            }
            match key {
                "queue" => {
                    let depth = value.parse().ok().filter(|depth: &u32| *depth <= 1_000_000_000);
                    what_if.queue =
                        Some(f64::from(depth.ok_or_else(|| {
                            format!("queue: `{value}` is not a number of jobs")
                        })?));
                }
                "workers" => {
                    let workers = value.parse().ok().filter(|workers| *workers <= MOST_WORKERS);
                    what_if.workers = Some(
                        workers.ok_or_else(|| format!("workers: `{value}` is not a number of workers"))?,
                    );
                }
                "spot" if value == "none" => what_if.no_spot = true,
                "spot" => {
                    return Err(format!(
                        "spot: `{value}` is not known: write spot=none, or leave it out"
                    ));
                }
                _ => {
                    let like = nearest(key, KEYS.into_iter())
                        .map_or_else(String::new, |like| format!(", did you mean `{like}`?"));
                    return Err(format!("unknown `{key}`{like} (queue, workers or spot)"));
                }
            }
            seen.push(key);
        }
        Ok(what_if)
    }
}

impl fmt::Display for WhatIf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let queue = self.queue.map(|queue| format!("a queue depth of {queue}"));
        let workers = self.workers.map(|workers| counted(workers.into(), "warm worker"));
        let spot = self.no_spot.then(|| "no Spot capacity".to_owned());
        let parts: Vec<String> = [queue, workers, spot].into_iter().flatten().collect();
        f.write_str(&parts.join(" and "))
    }
}

impl WhatIf {
    /// Changes what is into what is supposed.
    pub(super) fn apply(&self, config: &FleetConfig, supposed: &mut Supposed) {
        supposed.no_spot = self.no_spot;
        if let Some(workers) = self.workers {
            let state = &mut supposed.state;
            (state.desired, state.running) = (workers, workers);
            (state.warming, state.launching, state.terminating) = (0, 0, 0);
        }
        if self.queue.is_some() || self.workers.is_some() {
            steady(config, &mut supposed.metrics, self.queue, self.workers);
            // As many workers hold a job, and protect themselves, as there are jobs for them.
            let state = &mut supposed.state;
            state.busy = config.busy_workers(&supposed.metrics);
            state.protected = state.protected.min(state.busy.unwrap_or(state.running));
        }
    }
}

/// Every minute with the supposed values, as if it had been so for long.
fn steady(config: &FleetConfig, metrics: &mut Metrics, queue: Option<f64>, workers: Option<u32>) {
    let minutes = metrics
        .metrics()
        .map(|metric| metrics.of(metric).len())
        .max()
        .unwrap_or_default();
    let queue = queue.or_else(|| config.newest(metrics, Signal::Depth));
    let workers = workers
        .map(f64::from)
        .or_else(|| config.newest(metrics, Signal::Workers));
    // Without workers the backend publishes no backlog for each of them.
    let backlog = match (queue, workers) {
        (Some(queue), Some(workers)) if workers > 0.0 => Some(queue / workers),
        _ => None,
    };
    let free = match (queue, workers) {
        (Some(queue), Some(workers)) => Some((workers - queue).max(0.0)),
        _ => None,
    };
    for (signal, value) in [
        (Signal::Depth, queue),
        (Signal::Backlog, backlog),
        (Signal::Workers, workers),
        (Signal::FreeSlots, free),
    ] {
        let Some(metric) = config.metric_of(signal) else {
            continue;
        };
        *metrics = std::mem::take(metrics).with(metric, std::iter::repeat_n(value, minutes));
    }
}

#[cfg(test)]
mod tests {
    use fleet_scaling::state::FleetState;

    use super::*;

    fn config() -> FleetConfig {
        let spec = fleet_templates::FleetScaling::template("gpu-default")
            .unwrap()
            .spec();
        FleetConfig::new(spec).unwrap()
    }

    #[test]
    fn every_key_is_read() {
        let what_if: WhatIf = "queue=40,workers=2,spot=none".parse().unwrap();
        assert_eq!(
            what_if,
            WhatIf {
                queue: Some(40.0),
                workers: Some(2),
                no_spot: true
            }
        );
        assert_eq!(
            what_if.to_string(),
            "a queue depth of 40 and 2 warm workers and no Spot capacity"
        );
    }

    #[test]
    fn mistakes_are_named() {
        let refused = |text: &str| text.parse::<WhatIf>().unwrap_err();
        assert_eq!(refused("queue"), "`queue` is not KEY=VALUE, e.g. queue=40");
        assert_eq!(refused("queue=-1"), "queue: `-1` is not a number of jobs");
        assert_eq!(refused("queue=1,queue=2"), "`queue` is given twice");
        assert_eq!(
            refused("workers=1000000"),
            "workers: `1000000` is not a number of workers"
        );
        assert_eq!(
            refused("worker=1"),
            "unknown `worker`, did you mean `workers`? (queue, workers or spot)"
        );
        assert_eq!(
            refused("spot=some"),
            "spot: `some` is not known: write spot=none, or leave it out"
        );
    }

    #[test]
    fn what_is_supposed_has_been_so_for_long() {
        let config = config();
        let mut supposed = Supposed {
            state: FleetState::settled(1),
            metrics: Metrics::new().with("QueueDepth", [Some(1.0); 20]),
            no_spot: false,
        };
        let what_if: WhatIf = "queue=6,workers=2".parse().unwrap();
        assert_eq!(
            "workers=1".parse::<WhatIf>().unwrap().to_string(),
            "1 warm worker"
        );
        what_if.apply(&config, &mut supposed);
        assert_eq!(supposed.metrics.of(&"BacklogPerInstance".into()), [Some(3.0); 20]);
        assert_eq!((supposed.state.desired, supposed.state.running), (2, 2));
        assert_eq!(supposed.state.busy, Some(2));
        "workers=0"
            .parse::<WhatIf>()
            .unwrap()
            .apply(&config, &mut supposed);
        assert_eq!(supposed.metrics.newest(&"QueueDepth".into()), Some(6.0));
        assert_eq!(supposed.metrics.newest(&"BacklogPerInstance".into()), None);
        supposed.state.protected = 2;
        "queue=0,workers=2"
            .parse::<WhatIf>()
            .unwrap()
            .apply(&config, &mut supposed);
        // No worker has a job, so no instance protects itself.
        assert_eq!((supposed.state.busy, supposed.state.protected), (Some(0), 0));
    }
}
