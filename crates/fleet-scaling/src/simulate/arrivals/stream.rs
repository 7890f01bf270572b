//! Arrival times one after the other, in memory that does not depend on how many there are.

use super::{Arrivals, Trace};
use crate::simulate::random::{Random, Stream as RandomStream};

const HOUR: f64 = 3.6e6;
const DAY: u64 = 86_400_000;

/// Arrival times in milliseconds, in order.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    sources: Vec<Source>,
    next: u64,
    from: usize,
}

#[derive(Clone, Debug)]
struct Source {
    kind: Kind,
    random: Random,
    /// `u64::MAX` when nothing comes any more.
    next: u64,
}

#[derive(Clone, Debug)]
enum Kind {
    Constant {
        interval: f64,
        so_far: f64,
    },
    Poisson {
        mean: f64,
        at: f64,
    },
    /// Candidates at the highest rate, of which as many are kept as the minute of the day says.
    Daily {
        mean: f64,
        at: f64,
        kept: Vec<f64>,
    },
    Burst {
        jobs: u64,
        left: u64,
        at: u64,
        daily: bool,
    },
    Recorded {
        trace: Trace,
        repeat: bool,
        row: usize,
        given: f64,
        due: f64,
    },
}

impl Stream {
    pub(crate) fn new(arrivals: &Arrivals, seed: u64) -> Self {
        let mut sources = Vec::new();
        collect(arrivals, seed, &mut sources);
        let mut stream = Self {
            sources,
            next: u64::MAX,
            from: 0,
        };
        stream.choose();
        stream
    }

    /// The time of the next arrival, `u64::MAX` when there is none.
    #[inline]
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// Goes on to the arrival after the next.
    #[inline]
    pub(crate) fn advance(&mut self) {
        if let Some(source) = self.sources.get_mut(self.from) {
            source.advance();
            if self.sources.len() > 1 {
                self.choose();
            } else {
                self.next = self.sources[0].next;
            }
        }
    }

    fn choose(&mut self) {
        let earliest = self
            .sources
            .iter()
            .enumerate()
            .min_by_key(|(_, source)| source.next);
        (self.from, self.next) = earliest.map_or((0, u64::MAX), |(from, source)| (from, source.next));
    }
}

fn collect(arrivals: &Arrivals, seed: u64, sources: &mut Vec<Source>) {
    let kind = match arrivals {
        Arrivals::None => return,
        Arrivals::Sum { parts } => {
            for part in parts {
                collect(part, seed, sources);
            }
            return;
        }
        Arrivals::Constant { per_hour } | Arrivals::Poisson { per_hour } if *per_hour == 0.0 => return,
        Arrivals::Daily { high, .. } if *high == 0.0 => return,
        Arrivals::Constant { per_hour } => Kind::Constant {
            interval: HOUR / per_hour,
            so_far: 0.0,
        },
        Arrivals::Poisson { per_hour } => Kind::Poisson {
            mean: HOUR / per_hour,
            at: 0.0,
        },
        Arrivals::Daily { low, high } => Kind::Daily {
            mean: HOUR / high,
            at: 0.0,
            kept: (0..1440)
                .map(|minute| {
                    let hours = (f64::from(minute) + 0.5) / 60.0 - 2.0;
                    let rise = (1.0 - (std::f64::consts::TAU * hours / 24.0).cos()) / 2.0;
                    (low + (high - low) * rise) / high
                })
                .collect(),
        },
        Arrivals::Burst { jobs, at, daily } => Kind::Burst {
            jobs: *jobs,
            left: *jobs,
            at: u64::try_from(at.as_millis()).unwrap_or(u64::MAX),
            daily: *daily && *jobs > 0,
        },
        Arrivals::Trace { trace, repeat } => Kind::Recorded {
            trace: trace.clone(),
            // Without a job it would start over for ever.
            repeat: *repeat && trace.mean_per_hour() > 0.0,
            row: 0,
            given: 0.0,
            due: 0.0,
        },
    };
    let mut source = Source {
        kind,
        random: Random::new(seed, RandomStream::Arrivals, sources.len() as u64),
        next: 0,
    };
    source.advance();
    sources.push(source);
}

impl Source {
    fn advance(&mut self) {
        self.next = match &mut self.kind {
            Kind::Constant { interval, so_far } => {
                *so_far += 1.0;
                (*interval * *so_far) as u64
            }
            Kind::Poisson { mean, at } => {
                *at += *mean * self.random.exponential();
                *at as u64
            }
            Kind::Daily { mean, at, kept } => loop {
                *at += *mean * self.random.exponential();
                let minute = (*at as u64 / 60_000 % 1440) as usize;
                if self.random.uniform() <= kept[minute] {
                    break *at as u64;
                }
            },
            Kind::Burst {
                jobs,
                left,
                at,
                daily,
            } => {
                if *left == 0 && *daily {
                    *left = *jobs;
                    *at += DAY;
                }
                if *left == 0 {
                    u64::MAX
                } else {
                    *left -= 1;
                    *at
                }
            }
            Kind::Recorded {
                trace,
                repeat,
                row,
                given,
                due,
            } => recorded(trace, *repeat, row, given, due),
        };
    }
}

/// The jobs of an interval are spread over it evenly; fractions are carried over to later intervals.
fn recorded(trace: &Trace, repeat: bool, row: &mut usize, given: &mut f64, due: &mut f64) -> u64 {
    loop {
        let Some(jobs) = trace.jobs(*row, repeat) else {
            return u64::MAX;
        };
        // `given` jobs of this interval have arrived; `due` is what earlier ones left over.
        if *given + 1.0 <= jobs + *due + 1e-9 {
            *given += 1.0;
            let share = ((*given - 0.5) / (jobs + *due)).min(1.0);
            let step = trace.step_millis();
            return *row as u64 * step + (share * step as f64) as u64;
        }
        *due = (jobs + *due - *given).max(0.0);
        *given = 0.0;
        *row += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(arrivals: &str, until_hours: u64) -> Vec<u64> {
        let mut stream = Stream::new(&arrivals.parse().unwrap(), 11);
        let mut times = Vec::new();
        while stream.next() < until_hours * 3_600_000 {
            times.push(stream.next());
            stream.advance();
        }
        times
    }

    #[test]
    fn constant_arrivals_are_evenly_spaced() {
        assert_eq!(times("constant:2/h", 2), [1_800_000, 3_600_000, 5_400_000]);
        assert!(times("constant:0/h", 100).is_empty());
    }

    #[test]
    fn random_arrivals_have_their_rate() {
        let count = times("poisson:60/h", 2000).len() as f64;
        assert!((count - 120_000.0).abs() < 3.0 * 120_000_f64.sqrt(), "{count}");
        let daily = times("daily:0..120/h", 24 * 100);
        let count = daily.len() as f64;
        assert!((count - 144_000.0).abs() < 3.0 * 144_000_f64.sqrt(), "{count}");
        let hour = |wanted: u64| daily.iter().filter(|at| **at / 3_600_000 % 24 == wanted).count();
        assert!(hour(13) > 100 * hour(1), "{} {}", hour(13), hour(1));
    }

    #[test]
    fn bursts_come_once_or_every_day() {
        assert_eq!(times("burst:2@90m", 100), [5_400_000; 2]);
        assert_eq!(times("burst:1@01:00", 26), [3_600_000, 90_000_000]);
    }

    #[test]
    fn several_processes_are_merged_in_order() {
        let merged = times("constant:60/h+poisson:60/h+burst:5@00:30", 3);
        assert!(merged.is_sorted());
        let apart: usize = ["constant:60/h", "burst:5@00:30"]
            .map(|one| times(one, 3).len())
            .iter()
            .sum();
        assert!(merged.len() > apart + 100);
    }

    #[test]
    fn a_recording_gives_every_job_it_counts() {
        let trace = Trace::from_csv("0,3\n60,0.5\n120,0.5\n180,0\n").unwrap();
        let times = |trace: &Trace, repeat, until| {
            let trace = trace.clone();
            let mut stream = Stream::new(&Arrivals::Trace { trace, repeat }, 0);
            let mut times = Vec::new();
            while stream.next() < until {
                times.push(stream.next());
                stream.advance();
            }
            times
        };
        assert_eq!(times(&trace, false, u64::MAX), [10_000, 30_000, 50_000, 150_000]);
        assert_eq!(times(&trace, true, 2_400_000).len(), 40);
        assert_eq!(times(&trace, true, 300_000)[4..], [250_000, 270_000, 290_000]);
        let silent = Trace::new(60, &[0.0]).unwrap();
        assert!(times(&silent, true, u64::MAX).is_empty());
    }
}
