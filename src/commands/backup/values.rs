//! Parameters and secrets: which there are, and their encrypted file.

use std::io;

use schemars::JsonSchema;
use secrecy::zeroize::Zeroizing;
use serde::{Deserialize, Deserializer, Serialize};

use super::manifest::SavedEntry;
use crate::aws::Aws;
use crate::error::Result;
use crate::layout::{Layout, Store};
use crate::redact::Secret;
use crate::secrets::{Fingerprints, Recipients};

/// The form of the encrypted document.
const FORM: &str = "bpctl.backup-secrets/1";

/// A parameter or secret of the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(super) struct Source {
    /// As AWS knows it.
    pub(super) path: String,
    /// `secrets-manager` or `parameter-store`.
    pub(super) store: String,
}

/// Values as they were read.
#[derive(Debug, Default)]
pub(super) struct Values {
    pub(super) found: Vec<Value>,
    /// Secrets of the table that are not there, or have no value.
    pub(super) missing: Vec<String>,
    /// What could not be read, and why.
    pub(super) unread: Vec<(String, String)>,
}

/// One value.
#[derive(Debug)]
pub(super) struct Value {
    pub(super) source: Source,
    pub(super) version: String,
    value: Secret,
}

impl Value {
    pub(super) fn saved(&self, prints: &Fingerprints) -> SavedEntry {
        SavedEntry {
            path: self.source.path.clone(),
            store: self.source.store.clone(),
            version: self.version.clone(),
            length: self.value.expose().chars().count(),
            fingerprint: prints.of_secret(&self.value),
        }
    }
}

/// Everything that the table of secrets has, the master credentials that teardowns have kept, and every parameter under
/// the platform's paths.
///
/// # Errors
/// When a store cannot be asked at all.
pub(super) async fn read(aws: &Aws, layout: &Layout) -> Result<Values> {
    let mut secrets: Vec<String> = layout.secrets().into_iter().map(|(_, path)| path).collect();
    secrets.extend(kept(aws, layout).await?);
    let paths = layout.parameter_paths();
    let (read, names) = futures::try_join!(
        Box::pin(aws.secret_values(&secrets)),
        Box::pin(aws.parameter_names_under(&paths))
    )?;
    let mut values = Values::default();
    for path in secrets {
        let source = Source {
            path: path.clone(),
            store: Store::SecretsManager.as_str().to_owned(),
        };
        match (read.found.get(&path), read.refused.get(&path)) {
            (Some(found), _) => match &found.value {
                Some(value) => values.found.push(Value {
                    source,
                    version: found.version.clone(),
                    value: value.clone(),
                }),
                None => values
                    .unread
                    .push((path, "it holds bytes and no text".to_owned())),
            },
            // The same code says that there is no such secret and that it has no current version.
            (None, Some((code, _))) if code == "ResourceNotFoundException" => values.missing.push(path),
            (None, Some((code, message))) => values.unread.push((path, format!("{code}: {message}"))),
            (None, None) => values.missing.push(path),
        }
    }
    let found = Box::pin(aws.parameters_decrypted(&names)).await?;
    values.missing.extend(found.missing);
    for (path, parameter) in found.found {
        values.found.push(Value {
            source: Source {
                path,
                store: Store::ParameterStore.as_str().to_owned(),
            },
            version: parameter.version.to_string(),
            value: parameter.value,
        });
    }
    Ok(values)
}

/// The names of master credentials that a teardown has kept: after it they are the only ones. Those that are scheduled for
/// deletion have no value to read.
async fn kept(aws: &Aws, layout: &Layout) -> Result<Vec<String>> {
    let any = layout.kept_credentials("*");
    let (before, after) = any.split_once('*').unwrap_or((&any, ""));
    let found = aws.secrets_under(before).await?.into_iter();
    let kept = found.filter(|(name, goes)| goes.is_none() && name.ends_with(after));
    Ok(kept.map(|(name, _)| name).collect())
}

/// The document as it is encrypted.
#[derive(Serialize)]
struct Plain<'a> {
    form: &'static str,
    entries: Vec<PlainEntry<'a>>,
}

#[derive(Serialize)]
struct PlainEntry<'a> {
    path: &'a str,
    store: &'a str,
    value: &'a str,
}

impl Values {
    /// The encrypted file. The plain document is never in memory as a whole.
    ///
    /// # Errors
    /// No random numbers.
    pub(super) fn sealed(&self, recipients: &Recipients) -> io::Result<Vec<u8>> {
        let entries = self.found.iter().map(|one| PlainEntry {
            path: &one.source.path,
            store: &one.source.store,
            value: one.value.expose(),
        });
        let plain = Plain {
            form: FORM,
            entries: entries.collect(),
        };
        recipients.encrypt(|out| {
            serde_json::to_writer(&mut *out, &plain)?;
            out.flush()
        })
    }
}

/// The document as it is read back.
#[derive(Deserialize)]
struct Opened {
    form: String,
    entries: Vec<OpenedEntry>,
}

/// A parameter or secret of a backup.
#[derive(Deserialize)]
pub(in crate::commands) struct OpenedEntry {
    pub(in crate::commands) path: String,
    pub(super) store: String,
    #[serde(deserialize_with = "secret")]
    pub(in crate::commands) value: Secret,
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    let text = Zeroizing::new(String::deserialize(deserializer)?);
    Ok(Secret::from(text.as_str()))
}

impl OpenedEntry {
    /// Whether it was kept in this store.
    pub(in crate::commands) fn is_in(&self, store: Store) -> bool {
        self.store == store.as_str()
    }
}

/// The entries of a decrypted document.
///
/// # Errors
/// What is wrong with it; no value is quoted.
pub(in crate::commands) fn entries(plain: &[u8]) -> std::result::Result<Vec<OpenedEntry>, String> {
    // serde's own words can quote what it found.
    let opened: Opened = serde_json::from_slice(plain).map_err(|error| {
        format!(
            "line {}, column {} of the decrypted document is not as it must be",
            error.line(),
            error.column()
        )
    })?;
    if opened.form == FORM {
        return Ok(opened.entries);
    }
    Err(format!("it is of another form than `{FORM}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_as_it_must_be_is_not_quoted() {
        let why = |text: &str| entries(text.as_bytes()).err().unwrap_or_default();
        let wrong = r#"{"form": "bpctl.backup-secrets/1", "entries": [{"path": "/x", "store": "y", "value": 12345678}]}"#;
        assert!(!why(wrong).contains("12345678") && why(wrong).contains("line 1"));
        assert!(why(r#"{"form": "hunter2", "entries": []}"#).starts_with("it is of another form"));
        let right = wrong.replace("12345678", r#""hunter2""#);
        let found = entries(right.as_bytes()).ok().unwrap();
        assert_eq!((found.len(), found[0].value.expose()), (1, "hunter2"));
    }
}
