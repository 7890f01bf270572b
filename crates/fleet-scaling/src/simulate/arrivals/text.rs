//! Arrival processes written as text.

use std::str::FromStr;
use std::time::Duration;

use super::Arrivals;

/// The text is no arrival process.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ArrivalsError {
    /// The word before the colon.
    #[error(
        "unknown arrivals `{text}`: write constant:20/h, poisson:20/h, daily:2..40/h, burst:50@09:00 or several joined by +"
    )]
    Unknown {
        /// The text.
        text: String,
    },
    /// Not a rate.
    #[error("`{text}` is not a rate of arrivals: write for example 20/h, 0.5/m or 300/d, not negative")]
    Rate {
        /// The text.
        text: String,
    },
    /// The lowest rate of a day is above its highest.
    #[error("the lowest rate of the day, {low}, is above the highest, {high}")]
    LowAboveHigh {
        /// Jobs in an hour.
        low: f64,
        /// Jobs in an hour.
        high: f64,
    },
    /// Not a number of jobs.
    #[error("`{text}` is not a number of jobs")]
    Jobs {
        /// The text.
        text: String,
    },
    /// Neither a time of the day nor a duration.
    #[error("`{text}` is neither a time of the day such as 09:00 nor a duration such as 90m")]
    Time {
        /// The text.
        text: String,
    },
}

impl FromStr for Arrivals {
    type Err = ArrivalsError;

    fn from_str(text: &str) -> Result<Self, ArrivalsError> {
        let parts = text.split('+').map(one).collect::<Result<Vec<_>, _>>()?;
        match <[Self; 1]>::try_from(parts) {
            Ok([only]) => Ok(only),
            Err(parts) => Ok(Self::Sum { parts }),
        }
    }
}

fn one(text: &str) -> Result<Arrivals, ArrivalsError> {
    let text = text.trim();
    let unknown = || ArrivalsError::Unknown {
        text: text.to_owned(),
    };
    if text == "none" {
        return Ok(Arrivals::None);
    }
    let (process, value) = text.split_once(':').ok_or_else(unknown)?;
    let arrivals = match process {
        "constant" => Arrivals::Constant {
            per_hour: rate(value)?,
        },
        "poisson" => Arrivals::Poisson {
            per_hour: rate(value)?,
        },
        "daily" => {
            let not_a_rate = || ArrivalsError::Rate {
                text: value.to_owned(),
            };
            let (low, high) = value.split_once("..").ok_or_else(not_a_rate)?;
            let unit = high.rfind('/').map(|at| &high[at..]).ok_or_else(not_a_rate)?;
            Arrivals::Daily {
                low: rate(&format!("{low}{unit}"))?,
                high: rate(high)?,
            }
        }
        "burst" => burst(value)?,
        _ => return Err(unknown()),
    };
    arrivals.validate()?;
    Ok(arrivals)
}

/// `20/h`, in jobs per hour.
fn rate(text: &str) -> Result<f64, ArrivalsError> {
    let refused = || ArrivalsError::Rate {
        text: text.to_owned(),
    };
    let (number, unit) = text.split_once('/').ok_or_else(refused)?;
    let in_an_hour = match unit {
        "s" => 3600.0,
        "m" | "min" => 60.0,
        "h" => 1.0,
        "d" => 1.0 / 24.0,
        _ => return Err(refused()),
    };
    let number: f64 = number.parse().map_err(|_| refused())?;
    if number.is_finite() && number >= 0.0 {
        Ok(number * in_an_hour)
    } else {
        Err(refused())
    }
}

/// `50@09:00` or `50@90m`.
fn burst(text: &str) -> Result<Arrivals, ArrivalsError> {
    let (jobs, at) = text.split_once('@').unwrap_or((text, ""));
    let jobs = jobs.parse().map_err(|_| ArrivalsError::Jobs {
        text: jobs.to_owned(),
    })?;
    let refused = || ArrivalsError::Time { text: at.to_owned() };
    let (seconds, daily) = if let Some((hours, minutes)) = at.split_once(':') {
        let hours: u64 = hours.parse().map_err(|_| refused())?;
        let minutes: u64 = minutes.parse().map_err(|_| refused())?;
        if hours > 23 || minutes > 59 {
            return Err(refused());
        }
        (hours * 3600 + minutes * 60, true)
    } else {
        let unit = match at.as_bytes().last() {
            Some(b's') => 1,
            Some(b'm') => 60,
            Some(b'h') => 3600,
            Some(b'd') => 86_400,
            _ => return Err(refused()),
        };
        let number: u32 = at[..at.len() - 1].parse().map_err(|_| refused())?;
        (u64::from(number) * unit, false)
    };
    Ok(Arrivals::Burst {
        jobs,
        at: Duration::from_secs(seconds),
        daily,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_process_is_read() {
        let read = |text: &str| text.parse::<Arrivals>();
        assert_eq!(read("constant:20/h"), Ok(Arrivals::Constant { per_hour: 20.0 }));
        assert_eq!(read("poisson:0.5/m"), Ok(Arrivals::Poisson { per_hour: 30.0 }));
        assert_eq!(
            read("daily:24..240/d"),
            Ok(Arrivals::Daily { low: 1.0, high: 10.0 })
        );
        assert_eq!(
            read("burst:50@09:30"),
            Ok(Arrivals::Burst {
                jobs: 50,
                at: Duration::from_secs(9 * 3600 + 1800),
                daily: true
            })
        );
        assert_eq!(read("none"), Ok(Arrivals::None));
        let sum = read("constant:1/h+burst:24@2h").unwrap();
        assert_eq!(sum.mean_per_hour(), 1.0);
    }

    #[test]
    fn mistakes_are_named() {
        let refused = |text: &str| text.parse::<Arrivals>().unwrap_err().to_string();
        assert!(refused("weekly:3/h").starts_with("unknown arrivals `weekly:3/h`"));
        assert!(refused("20/h").starts_with("unknown arrivals `20/h`"));
        for rate in [
            "poisson:-1/h",
            "poisson:nan/h",
            "poisson:20",
            "constant:x/h",
            "poisson:2/y",
            "daily:3/h",
        ] {
            assert!(refused(rate).contains("is not a rate of arrivals"), "{rate}");
        }
        assert_eq!(
            refused("daily:9..3/h"),
            "the lowest rate of the day, 9, is above the highest, 3"
        );
        assert_eq!(refused("burst:x@09:00"), "`x` is not a number of jobs");
        for time in [
            "burst:5",
            "burst:5@24:00",
            "burst:5@9",
            "burst:5@-1m",
            "burst:5@é",
        ] {
            assert!(refused(time).contains("is neither a time of the day"), "{time}");
        }
    }
}
