//! What a fleet is put through: when jobs come, written as text or recorded in a file, and for how long.

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use fleet_scaling::simulate::{Arrivals, ArrivalsError, Trace, TraceError};

use crate::context::Ctx;
use crate::error::{CtlError, Result};
use crate::files::{DATA_LIMIT, read_text};
use crate::fleet::scaling::{self, Model};
use crate::layout::FleetId;

/// The most jobs that a command computes: a billion is a minute or two of computing.
const MOST_JOBS: f64 = 1e9;

const DAY_SECONDS: f64 = 86_400.0;

/// When jobs come.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Demand {
    /// As it was asked for.
    pub(super) text: String,
    pub(super) arrivals: Arrivals,
    /// The length of the longest recording in it.
    pub(super) recorded: Option<Duration>,
    /// How the jobs were counted, where no metric counts them.
    pub(super) assumptions: Vec<String>,
}

impl Demand {
    /// Reads `--arrivals`: what the library reads, and `trace:FILE`.
    ///
    /// # Errors
    /// The part that makes no sense, or the line of a file.
    pub(super) fn read(cwd: &Path, text: &str) -> Result<Self> {
        let mut recorded = None;
        let mut parts = Vec::new();
        for part in parts_of(text) {
            parts.push(match part.trim().strip_prefix("trace:") {
                Some(file) => {
                    let trace = read_trace(cwd, Path::new(file))?;
                    recorded = recorded.max(Some(trace.length()));
                    Arrivals::Trace { trace, repeat: true }
                }
                None => part.parse().map_err(|problem| {
                    let error = CtlError::usage(format!("read the arrivals `{text}`")).source(&problem);
                    match problem {
                        ArrivalsError::Unknown { .. } => error.hint(
                            "`trace:FILE` takes recorded arrivals: CSV, or a CloudWatch export in JSON",
                        ),
                        _ => error,
                    }
                })?,
            });
        }
        let arrivals = match <[Arrivals; 1]>::try_from(parts) {
            Ok([only]) => only,
            Err(parts) => Arrivals::Sum { parts },
        };
        Ok(Self {
            text: text.to_owned(),
            arrivals,
            recorded,
            assumptions: Vec::new(),
        })
    }

    /// Reads `--trace`.
    ///
    /// # Errors
    /// The line of the file that makes no sense.
    pub(super) fn recorded(cwd: &Path, file: &Path) -> Result<Self> {
        let trace = read_trace(cwd, file)?;
        Ok(Self {
            text: format!("trace:{}", file.display()),
            recorded: Some(trace.length()),
            arrivals: Arrivals::Trace { trace, repeat: true },
            assumptions: Vec::new(),
        })
    }

    /// What the metrics of a live fleet's last `back` say of the jobs that came.
    ///
    /// # Errors
    /// The metrics cannot be read, or there are none.
    pub(super) async fn measured(ctx: &Ctx, fleet: &FleetId, back: Duration, model: &Model) -> Result<Self> {
        let layout = ctx.layout()?;
        let mean_seconds = model.config.spec().jobs.service.mean_seconds();
        let measured = scaling::demand(&ctx.aws, &layout, fleet, back, mean_seconds).await?;
        let trace = measured.trace;
        Ok(Self {
            text: format!("cloudwatch:{}", humantime::format_duration(back)),
            // Less than a day would be little but the start of a fleet without instances.
            recorded: Some(trace.length().max(Duration::from_secs_f64(DAY_SECONDS))),
            arrivals: Arrivals::Trace { trace, repeat: true },
            assumptions: measured.assumptions,
        })
    }

    /// For how long: as asked for, else the length of the recording, else `default`.
    ///
    /// # Errors
    /// A recording that is too long or too short to be a scenario, or more jobs than a command computes.
    pub(super) fn days(&self, asked: Option<Days>, default: u16) -> Result<Days> {
        let days = match (asked, self.recorded) {
            (Some(days), _) => days,
            (None, Some(recorded)) => Days::new(recorded.as_secs_f64() / DAY_SECONDS).map_err(|problem| {
                CtlError::usage("simulate as long as the recording")
                    .cause(problem)
                    .hint("say how long with `--days`")
            })?,
            (None, None) => Days(f64::from(default)),
        };
        let jobs = self.jobs(days);
        if jobs > MOST_JOBS {
            return Err(CtlError::usage(format!(
                "simulate {days} of `{}`: that is about {} jobs, and at most {MOST_JOBS:.0} are simulated",
                self.text,
                roughly(jobs)
            )));
        }
        Ok(days)
    }
}

impl Demand {
    /// How many jobs come, roughly.
    pub(super) fn jobs(&self, days: Days) -> f64 {
        jobs(&self.arrivals, days)
    }
}

/// Splits at `+`, but not within the name of a file.
fn parts_of(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for piece in text.split('+') {
        let starts = ["constant:", "poisson:", "daily:", "burst:", "trace:"]
            .iter()
            .any(|process| piece.trim_start().starts_with(process))
            || piece.trim() == "none";
        match parts.last_mut() {
            Some(file) if !starts && file.trim_start().starts_with("trace:") => {
                file.push('+');
                file.push_str(piece);
            }
            _ => parts.push(piece.to_owned()),
        }
    }
    parts
}

/// A large number in words that fit a line.
fn roughly(number: f64) -> String {
    if number < 1e15 {
        format!("{number:.0}")
    } else {
        format!("{number:.0e}")
    }
}

/// How many jobs come, roughly.
fn jobs(arrivals: &Arrivals, days: Days) -> f64 {
    match arrivals {
        Arrivals::Burst {
            jobs, daily: false, ..
        } => *jobs as f64,
        Arrivals::Sum { parts } => parts.iter().map(|part| self::jobs(part, days)).sum(),
        other => other.mean_per_hour() * 24.0 * days.0,
    }
}

fn read_trace(cwd: &Path, file: &Path) -> Result<Trace> {
    let refused = || CtlError::usage(format!("read the recorded arrivals `{}`", file.display()));
    let text = read_text(&cwd.join(file), DATA_LIMIT).map_err(|error| refused().source(&error))?;
    let text = text.trim_start_matches('\u{feff}');
    let export = text.trim_start().starts_with('{');
    let trace = if export {
        Trace::from_cloudwatch(text)
    } else {
        Trace::from_csv(text)
    };
    trace.map_err(|problem| match problem {
        TraceError::Export(_) => refused().cause(
            "it is JSON, but no answer of `aws cloudwatch get-metric-data` or `get-metric-statistics --statistics Sum`",
        ),
        // CloudWatch User Guide, "Using metric math": FILL.
        TraceError::Gap { .. } if export => refused().source(&problem).hint(
            "CloudWatch leaves out minutes without data: ask `get-metric-data` for `FILL(jobs, 0)`",
        ),
        _ => refused().source(&problem),
    })
}

/// A length of simulated time, in days.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Days(f64);

impl Days {
    /// Ten years: prices and fleets do not stay what they are for longer.
    const MOST: f64 = 3_650.0;
    /// Ten minutes: the control plane steps once a minute.
    const LEAST: f64 = 600.0 / DAY_SECONDS;

    fn new(days: f64) -> Result<Self, String> {
        if days > 0.0 && days < Self::LEAST {
            let days = (days * 1e5).round() / 1e5;
            return Err(format!("{days} days are less than ten minutes"));
        }
        if days > 0.0 && days <= Self::MOST {
            Ok(Self(days))
        } else {
            Err(format!(
                "{days} is not a number of days from 0.01 to {}",
                Self::MOST
            ))
        }
    }

    /// As a number.
    pub(super) fn number(self) -> f64 {
        self.0
    }

    /// As a time.
    pub(super) fn duration(self) -> Duration {
        Duration::from_secs_f64(self.0 * DAY_SECONDS)
    }
}

impl FromStr for Days {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let days = text
            .parse::<f64>()
            .map_err(|_| "not a number of days".to_owned())?;
        Self::new(days)
    }
}

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = (self.0 * 100.0).round() / 100.0;
        write!(f, "{days} day{}", if days == 1.0 { "" } else { "s" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Demand> {
        Demand::read(Path::new("/nonexistent"), text)
    }

    #[test]
    fn a_plus_may_stand_in_the_name_of_a_file() {
        assert_eq!(
            parts_of("poisson:2/h+burst:5@09:00"),
            ["poisson:2/h", "burst:5@09:00"]
        );
        assert_eq!(
            parts_of("trace:a+b.csv + constant:1/h+trace:c"),
            ["trace:a+b.csv ", " constant:1/h", "trace:c"]
        );
        assert_eq!(parts_of("poisson:2/h+x"), ["poisson:2/h", "x"]);
    }

    #[test]
    fn recordings_are_read_by_their_content() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("a.txt", "0,1\n3600,2\n7200,0\n");
        write(
            "b.txt",
            &format!(
                "\u{feff} {}",
                r#"{"MetricDataResults": [{"Timestamps": ["2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z"], "Values": [3, 4]}]}"#
            ),
        );
        let demand = Demand::read(folder.path(), "trace:a.txt+trace:b.txt").unwrap();
        assert_eq!(demand.recorded, Some(Duration::from_secs(3 * 3600)));
        assert_eq!(demand.days(None, 14).unwrap().number(), 0.125);
        assert_eq!(demand.arrivals.mean_per_hour(), 4.5);
        write(
            "gap.json",
            r#"{"Datapoints": [{"Timestamp": "2026-01-01T00:00:00Z", "Sum": 1}, {"Timestamp": "2026-01-01T00:01:00Z", "Sum": 1}, {"Timestamp": "2026-01-01T00:03:00Z", "Sum": 1}]}"#,
        );
        let error = Demand::recorded(folder.path(), Path::new("gap.json")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "read the recorded arrivals `gap.json`: line 3: 120 s after the line before, where every step is 60 s"
        );
        assert!(error.hints()[0].contains("FILL"));
    }

    #[test]
    fn a_scenario_without_end_is_refused() {
        let days = |arrivals: &str, days: &str| read(arrivals).unwrap().days(Some(days.parse().unwrap()), 30);
        assert!(days("poisson:20/h", "3650").is_ok());
        for arrivals in [
            "poisson:20/h+burst:2000000000@1h",
            "constant:1e6/h+none",
            "burst:50000000@00:00",
        ] {
            assert!(
                days(arrivals, "365")
                    .unwrap_err()
                    .to_string()
                    .contains("at most 1000000000")
            );
        }
        let huge = days("constant:1e300/h", "1").unwrap_err().to_string();
        assert!(huge.contains("about 2e301 jobs"), "{huge}");
        for wrong in ["0", "-1", "nan", "inf", "3651", "x", "", "0.001"] {
            assert!(wrong.parse::<Days>().is_err(), "{wrong}");
        }
        assert_eq!("1".parse::<Days>().unwrap().to_string(), "1 day");
        assert_eq!("0.5".parse::<Days>().unwrap().to_string(), "0.5 days");
    }
}
