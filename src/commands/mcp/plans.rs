//! Plans that were shown and may be carried out, once.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

/// For how long a plan that was shown may be carried out.
pub(super) const LASTS: SignedDuration = SignedDuration::from_mins(15);

/// A plan that was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    /// The words of its command.
    pub(super) words: Vec<String>,
    /// Where options go into them: behind the verb.
    pub(super) at: usize,
    /// What identifies it.
    pub(super) digest: String,
    /// Until when it may be carried out.
    pub(super) until: Timestamp,
}

/// The plans by their tokens.
#[derive(Debug, Default)]
pub(super) struct Plans(BTreeMap<String, Shown>);

impl Plans {
    pub(super) fn keep(&mut self, token: String, shown: Shown) {
        self.0.insert(token, shown);
    }

    /// The plan of a token, which is used up by that.
    ///
    /// # Errors
    /// A token that was never given or is used up, or whose time is over, in words for the assistant.
    pub(super) fn take(&mut self, token: &str, now: Timestamp) -> Result<Shown, String> {
        let shown = self.0.remove(token).ok_or_else(|| {
            "no plan has this token: it was used, or never given; ask `plan` for a new one".to_owned()
        })?;
        if now > shown.until {
            return Err(format!(
                "the plan of this token ended at {}: ask `plan` for a new one",
                shown.until
            ));
        }
        Ok(shown)
    }
}

/// A token nobody can guess: 32 hexadecimal digits.
///
/// # Errors
/// The operating system has no random numbers.
pub(super) fn token() -> Result<String, String> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| format!("draw a token: {error}"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_works_once_and_not_for_ever() {
        let now = Timestamp::UNIX_EPOCH;
        let shown = Shown {
            words: vec!["deploy".to_owned()],
            at: 1,
            digest: "d".to_owned(),
            until: now + LASTS,
        };
        let mut plans = Plans::default();
        for token in ["a", "b"] {
            plans.keep(token.to_owned(), shown.clone());
        }
        assert_eq!(plans.take("a", now).unwrap(), shown);
        assert!(plans.take("a", now).unwrap_err().contains("it was used"));
        let late = now + LASTS + SignedDuration::from_secs(1);
        assert!(plans.take("b", late).unwrap_err().contains("ended at"));
        assert!(plans.take("b", now).is_err());
        assert_ne!(token().unwrap(), token().unwrap());
    }
}
