//! [`Sealed`]: a secret as a parameter of a call, which plans, journals and questions show by length and fingerprint.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Secret;

/// A secret that is sent, and what is shown in its place. Read back from a journal it has no value.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Sealed {
    /// In characters.
    pub(crate) length: usize,
    pub(crate) fingerprint: String,
    #[serde(skip)]
    value: Option<Secret>,
}

impl Sealed {
    /// Marks what stands for a secret among the parameters of a call.
    pub(crate) const MARK: &'static str = "$secret";

    pub(crate) fn new(length: usize, fingerprint: String, value: Secret) -> Self {
        Self {
            length,
            fingerprint,
            value: Some(value),
        }
    }

    /// As a parameter of a call.
    pub(crate) fn parameter(&self) -> Value {
        json!({ Self::MARK: {"length": self.length, "fingerprint": self.fingerprint} })
    }

    /// The value; `None` when it comes from a journal.
    pub(crate) fn value(&self) -> Option<&Secret> {
        self.value.as_ref()
    }

    /// What is shown without the value itself: nothing can be sent with it.
    #[must_use]
    pub(crate) fn emptied(&self) -> Self {
        Self {
            value: None,
            ..self.clone()
        }
    }

    /// In words: `51 characters, fingerprint 0123456789ab`.
    pub(crate) fn words(&self) -> String {
        words(self.length as u64, &self.fingerprint)
    }

    /// The words for a parameter that stands for a secret; `None` for any other.
    pub(crate) fn words_of(parameter: &Value) -> Option<String> {
        let members = parameter.as_object().filter(|members| members.len() == 1)?;
        let shown = members.get(Self::MARK)?;
        Some(words(shown["length"].as_u64()?, shown["fingerprint"].as_str()?))
    }
}

fn words(length: u64, fingerprint: &str) -> String {
    let characters = if length == 1 { "character" } else { "characters" };
    format!("{length} {characters}, fingerprint {fingerprint}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_keeps_no_value() {
        let sealed = Sealed::new(7, "0123456789ab".to_owned(), Secret::from("hunter2"));
        let text = serde_json::to_string(&sealed).unwrap();
        assert_eq!(text, r#"{"length":7,"fingerprint":"0123456789ab"}"#);
        let back: Sealed = serde_json::from_str(&text).unwrap();
        assert!(back.value().is_none() && sealed.value().is_some() && sealed.emptied().value().is_none());
        assert!(!format!("{sealed:?}").contains("hunter2"));
        assert_eq!(
            Sealed::words_of(&sealed.parameter()).as_deref(),
            Some("7 characters, fingerprint 0123456789ab")
        );
        assert_eq!(Sealed::words_of(&json!({"a": 1})), None);
    }
}
