//! What a value must look like, by what it is for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::zeroize::Zeroizing;
use serde::{Deserialize, Serialize};

use super::oauth::OAuth;
use crate::error::{CtlError, ErrorKind, Result};
use crate::layout::{DEPLOYED_PLACEHOLDER, SecretRole};
use crate::redact::Secret;

/// Bytes of an application key: AES-256-CBC (Laravel, `config/app.php`, `cipher`).
const APP_KEY_BYTES: usize = 32;
const APP_KEY_PREFIX: &str = "base64:";

/// Bytes of a generated fleet secret: `openssl rand -hex 32` (runbook, "Post-Deploy: Set Secrets").
const RANDOM_BYTES: usize = 32;

/// Fewer hexadecimal digits than of 16 bytes can be tried out.
const SHORTEST_HEX: usize = 32;

/// Characters of a shared secret below which it can be guessed.
const SHORTEST_TEXT: usize = 16;

/// The shape of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Shape {
    /// `base64:` and 32 bytes.
    AppKey,
    /// A JSON object with nine keys.
    OAuth,
    /// Hexadecimal digits.
    FleetSecret,
    /// One line that is hard to guess.
    Shared,
    /// A JSON object with user, password and host.
    Database,
    /// `ami-` and digits.
    Image,
    /// `none` until there is one.
    Bundle,
    /// A JSON object.
    Object,
    /// Anything.
    Text,
}

/// What a stored value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    Set,
    /// What the deployment put there, with what gives it away.
    Placeholder(&'static str),
    /// With the reason, which never quotes the value.
    Malformed(String),
}

impl Shape {
    pub(crate) fn of(role: &SecretRole) -> Self {
        match role {
            SecretRole::AppKey => Self::AppKey,
            SecretRole::OAuth => Self::OAuth,
            SecretRole::AssetOps => Self::Shared,
            SecretRole::FleetSecret(_) => Self::FleetSecret,
            SecretRole::Database => Self::Database,
            SecretRole::Image(_) => Self::Image,
            SecretRole::Bundle(_) => Self::Bundle,
            SecretRole::FleetConfig(_) => Self::Object,
            SecretRole::Redis | SecretRole::Text => Self::Text,
        }
    }

    /// In words, for a question and for an error.
    pub(crate) fn described(self) -> &'static str {
        match self {
            Self::AppKey => "`base64:` and 32 bytes in base64",
            Self::OAuth => "a JSON object with the nine OAuth keys",
            Self::FleetSecret => "at least 32 hexadecimal digits",
            Self::Shared => "one line of at least 16 characters",
            Self::Database => "a JSON object with username, password and host",
            Self::Image => "the id of an AMI",
            Self::Bundle => "the id of a bundle",
            Self::Object => "a JSON object",
            Self::Text => "a text",
        }
    }

    /// Whether a stored value is what it must be.
    pub(crate) fn examine(self, value: &str) -> Condition {
        match self {
            Self::AppKey if !value.starts_with(APP_KEY_PREFIX) => {
                Condition::Placeholder("a random text of the deployment, not `base64:…`")
            }
            Self::OAuth if !value.trim_start().starts_with('{') => {
                Condition::Placeholder("a random text of the deployment, no JSON")
            }
            Self::OAuth if OAuth::parse(value).is_ok_and(|keys| keys.is_unfilled()) => {
                Condition::Placeholder("a key still holds the deployment's placeholder")
            }
            Self::FleetSecret if value.trim() == DEPLOYED_PLACEHOLDER => {
                Condition::Placeholder("the deployment's placeholder")
            }
            Self::Bundle if value.trim() == "none" => Condition::Placeholder("no bundle chosen yet"),
            _ => match self.check(value) {
                Ok(()) => Condition::Set,
                Err(why) => Condition::Malformed(why),
            },
        }
    }

    /// Whether a value may be stored.
    ///
    /// # Errors
    /// The reason, which never quotes the value.
    pub(crate) fn check(self, value: &str) -> Result<(), String> {
        if value.is_empty() {
            return Err("it is empty".to_owned());
        }
        match self {
            Self::AppKey => app_key(value),
            Self::OAuth => OAuth::parse(value).map(|_| ()),
            Self::FleetSecret => hex(value),
            Self::Shared => shared(value),
            Self::Database => has_members(value, &["username", "password", "host"]),
            Self::Object => has_members(value, &[]),
            Self::Image => image(value),
            Self::Bundle | Self::Text if value.trim() != value => Err("it has blanks around it".to_owned()),
            Self::Bundle | Self::Text => Ok(()),
        }
    }

    /// A fresh random value; `None` for what cannot be made up.
    pub(crate) fn generate(self) -> Option<Result<Secret>> {
        let make: fn(&[u8]) -> Zeroizing<String> = match self {
            Self::AppKey => |bytes| {
                let mut text = Zeroizing::new(String::with_capacity(64));
                text.push_str(APP_KEY_PREFIX);
                STANDARD.encode_string(bytes, &mut text);
                text
            },
            Self::FleetSecret | Self::Shared => |bytes| {
                let mut text = Zeroizing::new(String::with_capacity(2 * bytes.len()));
                for byte in bytes {
                    for digit in [byte >> 4, byte & 15] {
                        text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
                    }
                }
                text
            },
            Self::OAuth | Self::Database | Self::Image | Self::Bundle | Self::Object | Self::Text => {
                return None;
            }
        };
        let mut bytes = Zeroizing::new([0_u8; RANDOM_BYTES]);
        Some(match getrandom::fill(bytes.as_mut()) {
            Ok(()) => Ok(Secret::from(make(bytes.as_ref()).as_str())),
            Err(error) => Err(CtlError::new(ErrorKind::Unexpected, "draw random numbers").source(&error)),
        })
    }
}

fn app_key(value: &str) -> Result<(), String> {
    let Some(encoded) = value.strip_prefix(APP_KEY_PREFIX) else {
        return Err(format!("it does not begin with `{APP_KEY_PREFIX}`"));
    };
    let Ok(bytes) = STANDARD.decode(encoded).map(Zeroizing::new) else {
        return Err(format!("what follows `{APP_KEY_PREFIX}` is no base64"));
    };
    if bytes.len() == APP_KEY_BYTES {
        Ok(())
    } else {
        Err(format!(
            "it holds {} bytes instead of {APP_KEY_BYTES}",
            bytes.len()
        ))
    }
}

fn hex(value: &str) -> Result<(), String> {
    if !value.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err("it has other characters than hexadecimal digits".to_owned());
    }
    if value.len() < SHORTEST_HEX || !value.len().is_multiple_of(2) {
        return Err(format!(
            "it has {} hexadecimal digits instead of an even number of at least {SHORTEST_HEX}",
            value.len()
        ));
    }
    Ok(())
}

fn shared(value: &str) -> Result<(), String> {
    // It travels in a header of HTTP.
    if value.chars().any(|c| !c.is_ascii_graphic()) {
        return Err("it has blanks, or characters that no header may hold".to_owned());
    }
    if value.len() < SHORTEST_TEXT {
        return Err(format!("it is shorter than {SHORTEST_TEXT} characters"));
    }
    Ok(())
}

fn has_members(value: &str, names: &[&str]) -> Result<(), String> {
    // Ignored values are not kept, so that no copy of a password lies about.
    let members: std::collections::BTreeMap<String, serde::de::IgnoredAny> = serde_json::from_str(value)
        .map_err(|error| {
            format!(
                "it is no JSON object (line {}, column {})",
                error.line(),
                error.column()
            )
        })?;
    let missing: Vec<&str> = names
        .iter()
        .filter(|name| !members.contains_key(**name))
        .copied()
        .collect();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(format!("it lacks `{}`", missing.join("`, `")))
    }
}

fn image(value: &str) -> Result<(), String> {
    let digits = value.strip_prefix("ami-").unwrap_or_default();
    if matches!(digits.len(), 8 | 17) && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Ok(())
    } else {
        Err("it is no id of an AMI".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::oauth::tests::whole;

    #[test]
    fn what_is_generated_is_right_and_never_the_same() {
        for shape in [Shape::AppKey, Shape::FleetSecret, Shape::Shared] {
            let make = || shape.generate().expect("it can be made").expect("random numbers");
            let (one, other) = (make(), make());
            assert_eq!(shape.check(one.expose()), Ok(()));
            assert_eq!(shape.examine(one.expose()), Condition::Set);
            assert_ne!(one.expose(), other.expose());
        }
        assert!(Shape::OAuth.generate().is_none() && Shape::Database.generate().is_none());
    }

    #[test]
    fn what_the_deployment_leaves_is_a_placeholder() {
        let is_placeholder =
            |shape: Shape, value: &str| matches!(shape.examine(value), Condition::Placeholder(_));
        assert!(is_placeholder(Shape::AppKey, "Rq7[generated]"));
        assert!(is_placeholder(Shape::OAuth, "Rq7[generated]"));
        assert!(is_placeholder(Shape::FleetSecret, "CHANGE_ME_AFTER_DEPLOY"));
        assert!(is_placeholder(Shape::Bundle, "none"));
        let unfilled = whole().with("google_client_id", "CHANGE_ME_AFTER_DEPLOY".into());
        assert!(is_placeholder(
            Shape::OAuth,
            unfilled.unwrap().to_secret().expose()
        ));
        assert!(!is_placeholder(Shape::OAuth, whole().to_secret().expose()));
    }

    #[test]
    fn what_is_wrong_is_said_without_the_value() {
        for (shape, value, why) in [
            (
                Shape::AppKey,
                "base64:hunter2",
                "what follows `base64:` is no base64",
            ),
            (
                Shape::AppKey,
                "base64:aHVudGVyMg==",
                "it holds 7 bytes instead of 32",
            ),
            (Shape::AppKey, "hunter2", "it does not begin with `base64:`"),
            (
                Shape::FleetSecret,
                "hunter2",
                "it has other characters than hexadecimal digits",
            ),
            (Shape::Shared, "hunter2", "it is shorter than 16 characters"),
            (
                Shape::Shared,
                "hunter2 hunter2 hunter2",
                "it has blanks, or characters that no header may hold",
            ),
            (
                Shape::Database,
                "hunter2",
                "it is no JSON object (line 1, column 1)",
            ),
            (
                Shape::Database,
                "{\"username\":\"x\"}",
                "it lacks `password`, `host`",
            ),
            (Shape::Image, "hunter2", "it is no id of an AMI"),
            (Shape::Text, "", "it is empty"),
        ] {
            assert_eq!(shape.check(value), Err(why.to_owned()), "{shape:?}");
            assert!(!why.contains("hunter2"));
        }
        assert!(matches!(
            Shape::FleetSecret.check("abc"),
            Err(why) if why.starts_with("it has 3 hexadecimal digits")
        ));
    }
}
