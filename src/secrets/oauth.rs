//! The OAuth secret: one JSON object with exactly nine keys, each a text.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::zeroize::Zeroizing;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};

use crate::layout::DEPLOYED_PLACEHOLDER as PLACEHOLDER;
use crate::redact::Secret;

/// The keys, in the order in which they are written.
pub(crate) const KEYS: [&str; 9] = [
    "google_client_id",
    "google_client_secret",
    "tiktok_client_id",
    "tiktok_client_secret",
    "apple_client_id",
    "apple_client_secret",
    "apple_key_id",
    "apple_team_id",
    "apple_private_key_p8_b64",
];

/// The only key that may be empty: the platform makes Apple's client secret from the private key.
const MAY_BE_EMPTY: &str = "apple_client_secret";

/// The key that holds a file of Apple's.
pub(crate) const P8: &str = "apple_private_key_p8_b64";

/// A first line that such a file has (PKCS #8 in PEM, RFC 7468).
const PEM: &str = "-----BEGIN PRIVATE KEY-----";

/// The values of the nine keys.
#[derive(Clone)]
pub(crate) struct OAuth {
    values: [Secret; 9],
}

/// Members of a JSON object as they stand in it.
struct Members(Vec<(Zeroizing<String>, Zeroizing<String>)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of texts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, String>()? {
                    if members.len() > 100 {
                        return Err(A::Error::custom("too many members"));
                    }
                    members.push((Zeroizing::new(name), Zeroizing::new(value)));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

impl OAuth {
    /// # Errors
    /// What is wrong, by the names of keys and places and never by what stands there.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        // The error's own text may quote what it found.
        let Members(members) = serde_json::from_str(text).map_err(|error| {
            format!(
                "it is no JSON object of texts (line {}, column {})",
                error.line(),
                error.column()
            )
        })?;
        let unknown = members
            .iter()
            .filter(|(name, _)| !KEYS.contains(&name.as_str()))
            .count();
        if unknown > 0 {
            return Err(format!(
                "it has {unknown} key{} that the platform does not know",
                if unknown == 1 { "" } else { "s" }
            ));
        }
        let mut missing = Vec::new();
        let mut values = KEYS.map(|_| Secret::from(""));
        for (at, key) in KEYS.iter().enumerate() {
            let mut found = members.iter().filter(|(name, _)| name.as_str() == *key);
            match (found.next(), found.next()) {
                (Some((_, value)), None) => values[at] = Secret::from(value.as_str()),
                (Some(_), Some(_)) => return Err(format!("`{key}` stands in it twice")),
                (None, _) => missing.push(*key),
            }
        }
        if !missing.is_empty() {
            return Err(format!("it lacks `{}`", missing.join("`, `")));
        }
        let read = Self { values };
        read.check_all()?;
        Ok(read)
    }

    /// From values by key.
    ///
    /// # Errors
    /// A value that cannot be right.
    pub(crate) fn of(mut value: impl FnMut(&str) -> Secret) -> Result<Self, String> {
        let made = Self {
            values: KEYS.map(&mut value),
        };
        made.check_all()?;
        Ok(made)
    }

    /// Whether `value` can be that of `key`.
    ///
    /// # Errors
    /// The reason, which never quotes the value.
    pub(crate) fn check(key: &str, value: &Secret) -> Result<(), String> {
        check_value(key, value.expose())
    }

    fn check_all(&self) -> Result<(), String> {
        for (key, value) in KEYS.iter().zip(&self.values) {
            check_value(key, value.expose())?;
        }
        Ok(())
    }

    /// Whether a key still holds what the deployment put there.
    pub(crate) fn is_unfilled(&self) -> bool {
        self.values.iter().any(|value| value.expose() == PLACEHOLDER)
    }

    /// The value of a key; an unknown key has none.
    pub(crate) fn get(&self, key: &str) -> Option<&Secret> {
        let at = KEYS.iter().position(|known| *known == key)?;
        self.values.get(at)
    }

    /// The same with another value for one key.
    ///
    /// # Errors
    /// An unknown key; a value that cannot be right.
    pub(crate) fn with(mut self, key: &str, value: Secret) -> Result<Self, String> {
        let at = KEYS
            .iter()
            .position(|known| *known == key)
            .ok_or_else(|| format!("there is no such key: expected one of {}", KEYS.join(", ")))?;
        check_value(key, value.expose())?;
        self.values[at] = value;
        Ok(self)
    }

    /// As it is stored: a JSON object with the keys in their order.
    pub(crate) fn to_secret(&self) -> Secret {
        // Escapes take six bytes for one at most: the buffer never moves and leaves no copy behind.
        let room: usize = self
            .values
            .iter()
            .map(|value| 6 * value.expose().len() + 40)
            .sum();
        let mut out = Zeroizing::new(String::with_capacity(room));
        for (at, (key, value)) in KEYS.iter().zip(&self.values).enumerate() {
            out.push_str(if at == 0 { "{\"" } else { ",\"" });
            out.push_str(key);
            out.push_str("\":");
            push_json(&mut out, value.expose());
        }
        out.push('}');
        Secret::from(out.as_str())
    }
}

/// A JSON string (RFC 8259, section 7).
fn push_json(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() && (c as u32) < 0x20 => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Whether `value` can be that of `key`.
fn check_value(key: &str, value: &str) -> Result<(), String> {
    if value.trim() != value || value.chars().any(char::is_control) {
        return Err(format!(
            "`{key}` has blanks around it or control characters in it"
        ));
    }
    if value.is_empty() && key != MAY_BE_EMPTY {
        return Err(format!("`{key}` is empty"));
    }
    // One key is set after the other: those that are to come keep what the deployment put there.
    if value == PLACEHOLDER {
        return Ok(());
    }
    if key == P8 {
        let bytes = Zeroizing::new(STANDARD.decode(value).unwrap_or_default());
        let is_pem = std::str::from_utf8(&bytes).is_ok_and(|text| text.trim_start().starts_with(PEM));
        if !is_pem {
            return Err(format!("`{P8}` is not the base64 of a `.p8` file"));
        }
    }
    Ok(())
}

/// The content of a `.p8` file as the OAuth secret holds it.
///
/// # Errors
/// Something else than a private key in PEM.
pub(crate) fn encode_p8(file: &[u8]) -> Result<Secret, String> {
    let is_pem = std::str::from_utf8(file).is_ok_and(|text| {
        let text = text.trim();
        text.starts_with(PEM) && text.ends_with("-----END PRIVATE KEY-----")
    });
    if !is_pem {
        return Err("it is no private key in PEM (a `.p8` file as Apple hands it out)".to_owned());
    }
    let encoded = Zeroizing::new(STANDARD.encode(file));
    Ok(Secret::from(encoded.as_str()))
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(crate) const P8_FILE: &str = "-----BEGIN PRIVATE KEY-----\nMIGT\n-----END PRIVATE KEY-----\n";

    pub(crate) fn whole() -> OAuth {
        OAuth::of(|key| match key {
            P8 => encode_p8(P8_FILE.as_bytes()).unwrap(),
            other => Secret::from(format!("value of {other}").as_str()),
        })
        .unwrap_or_else(|why| panic!("{why}"))
    }

    fn why(text: &str) -> String {
        match OAuth::parse(text) {
            Ok(_) => panic!("it was taken"),
            Err(why) => why,
        }
    }

    #[test]
    fn nine_keys_go_out_and_come_back() {
        let text = whole().to_secret();
        let back = OAuth::parse(text.expose()).unwrap_or_else(|why| panic!("{why}"));
        assert_eq!(back.to_secret().expose(), text.expose());
        assert_eq!(
            back.get("google_client_id").map(Secret::expose),
            Some("value of google_client_id")
        );
        let other = back
            .with("apple_client_secret", Secret::from(""))
            .map(|o| o.to_secret());
        assert!(other.is_ok());
    }

    #[test]
    fn what_is_wrong_is_named_and_not_shown() {
        assert_eq!(why("hunter2"), "it is no JSON object of texts (line 1, column 1)");
        assert_eq!(
            why("{\"google_client_id\": 5}"),
            "it is no JSON object of texts (line 1, column 22)"
        );
        assert!(why("{}").starts_with("it lacks `google_client_id`, `google_client_secret`"));
        assert_eq!(
            why("{\"hunter2\": \"x\"}"),
            "it has 1 key that the platform does not know"
        );
        let twice = "{\"google_client_id\": \"a\", \"google_client_id\": \"b\"}";
        assert_eq!(why(twice), "`google_client_id` stands in it twice");
        let bad = |key: &str, value: &str| whole().with(key, Secret::from(value)).err().unwrap_or_default();
        assert_eq!(bad("google_client_id", ""), "`google_client_id` is empty");
        assert!(bad(P8, "hunter2").ends_with("is not the base64 of a `.p8` file"));
        assert!(bad("apple_key_id", "a\nb").contains("control characters"));
        assert!(bad("colour", "x").starts_with("there is no such key"));
        assert!(encode_p8(b"hunter2").is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_or_tell(text in "\\PC{0,80}") {
            let hostile = format!("{{\"zq{text}zq\": \"zq{text}zq\"}}");
            for input in [text.as_str(), hostile.as_str()] {
                if let Err(why) = OAuth::parse(input) {
                    prop_assert!(!why.contains("zq"), "{}", why);
                }
            }
        }

        #[test]
        fn any_value_survives_the_way_to_json_and_back(value in "[^\\p{Cc}\\s]{1,40}") {
            let Ok(with) = whole().with("google_client_secret", Secret::from(value.as_str())) else {
                return Ok(());
            };
            let json = with.to_secret();
            let back = OAuth::parse(json.expose());
            prop_assert_eq!(
                back.ok().and_then(|back| back.get("google_client_secret").map(|s| s.expose().to_owned())),
                Some(value)
            );
        }
    }
}
