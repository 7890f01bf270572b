//! The names of a run: its id, and what marks everything that it makes.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{CtlError, ErrorKind, Result};

/// `20260115T090000Z-0123456789ab`: sorts by time, and is a file name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct RunId(String);

impl RunId {
    /// The random part, which marks what the run makes (tags, `startedBy`).
    pub(crate) fn short(&self) -> &str {
        self.0.rsplit('-').next().unwrap_or_default()
    }

    /// When the run began, to the second.
    pub(crate) fn began(&self) -> Option<Timestamp> {
        let (time, _) = self.0.split_once('-')?;
        let time = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", time).ok()?;
        Some(time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for RunId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('-');
        let well_formed = parts.is_some_and(|(time, short)| {
            time.len() == 16
                && time
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || byte == b'T' || byte == b'Z')
                && short.len() == 12
                && short
                    .bytes()
                    .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        });
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!(
                "`{text}` is no run: expected e.g. `20260115T090000Z-0123456789ab`"
            ))
        }
    }
}

/// Fresh names for one run, drawn before the plan is made: the plan shows them.
#[derive(Clone, Debug)]
pub(crate) struct RunNames {
    pub(crate) run: RunId,
    /// For idempotency tokens: 32 hexadecimal digits.
    pub(crate) token: String,
}

impl RunNames {
    /// # Errors
    /// When the operating system has no random numbers.
    pub(crate) fn draw(now: Timestamp) -> Result<Self> {
        let mut bytes = [0_u8; 22];
        getrandom::fill(&mut bytes)
            .map_err(|error| CtlError::new(ErrorKind::Unexpected, "draw random numbers").source(&error))?;
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let (short, token) = bytes.split_at(6);
        Ok(Self {
            run: RunId(format!("{}-{}", now.strftime("%Y%m%dT%H%M%SZ"), hex(short))),
            token: hex(token),
        })
    }

    /// Names of a known run, for tests of plans.
    #[cfg(test)]
    pub(crate) fn fixed() -> Self {
        Self {
            run: RunId("20260115T090000Z-0123456789ab".to_owned()),
            token: "00112233445566778899aabbccddeeff".to_owned(),
        }
    }

    /// Tags for everything that a run of `verb` makes.
    pub(crate) fn tags(&self, verb: &str) -> Vec<(String, String)> {
        [
            ("ManagedBy", "bpctl"),
            ("bpctl:command", verb),
            ("bpctl:run", self.run.short()),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_knows_when_it_began() {
        let began = RunNames::fixed().run.began().unwrap();
        assert_eq!(began, "2026-01-15T09:00:00Z".parse::<Timestamp>().unwrap());
    }

    #[test]
    fn only_ids_of_runs_are_taken() {
        assert!("20260115T090000Z-0123456789ab".parse::<RunId>().is_ok());
        for bad in [
            "",
            "x",
            "../../etc",
            "20260115T090000Z-0123456789aB",
            "20260115T090000Z-0123456789ab/..",
        ] {
            assert!(bad.parse::<RunId>().is_err(), "{bad}");
        }
    }
}
