//! How long jobs take.

use super::random::Random;
use crate::config::ServiceTime;

/// Draws service times in milliseconds, for a type of speed 1.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    law: Law,
    random: Random,
}

#[derive(Clone, Debug)]
enum Law {
    Fixed(f64),
    Exponential { mean: f64 },
    LogNormal { median: f64, sigma: f64 },
    Empirical(Vec<f64>),
}

impl Service {
    pub(crate) fn new(times: &ServiceTime, random: Random) -> Self {
        let law = match times {
            ServiceTime::Fixed { seconds } => Law::Fixed(seconds * 1e3),
            ServiceTime::Exponential { mean_seconds } => Law::Exponential {
                mean: mean_seconds * 1e3,
            },
            ServiceTime::LogNormal {
                median_seconds,
                sigma,
            } => Law::LogNormal {
                median: median_seconds * 1e3,
                sigma: *sigma,
            },
            ServiceTime::Empirical { seconds } => {
                Law::Empirical(seconds.iter().map(|seconds| seconds * 1e3).collect())
            }
        };
        Self { law, random }
    }

    /// The next job's time, at most 49 days.
    pub(crate) fn draw(&mut self) -> u32 {
        let time = match &self.law {
            Law::Fixed(time) => *time,
            Law::Exponential { mean } => mean * self.random.exponential(),
            Law::LogNormal { median, sigma } => median * (sigma * self.random.normal()).exp(),
            Law::Empirical(times) => times[self.random.below(times.len())],
        };
        time as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::random::Stream;

    fn mean(times: &ServiceTime) -> f64 {
        let mut service = Service::new(times, Random::new(1, Stream::Service, 0));
        (0..100_000).map(|_| f64::from(service.draw())).sum::<f64>() / 1e8
    }

    #[test]
    fn means_are_those_of_the_distributions() {
        assert_eq!(mean(&ServiceTime::Fixed { seconds: 90.0 }), 90.0);
        let exponential = mean(&ServiceTime::Exponential { mean_seconds: 90.0 });
        assert!((exponential - 90.0).abs() < 1.0, "{exponential}");
        let lognormal = mean(&ServiceTime::LogNormal {
            median_seconds: 60.0,
            sigma: 0.5,
        });
        assert!((lognormal - 60.0 * (0.125_f64).exp()).abs() < 0.8, "{lognormal}");
        let empirical = mean(&ServiceTime::Empirical {
            seconds: vec![10.0, 20.0, 60.0],
        });
        assert!((empirical - 30.0).abs() < 0.3, "{empirical}");
    }
}
