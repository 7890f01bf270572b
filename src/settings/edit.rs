//! Changing `bpctl.toml`: one value at a time, every other byte stays, comments included.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, Item, Table, Value};

use super::file::{ConfigFile, FILE_NAME};
use super::folders;
use super::keys::Key;
use crate::error::{CtlError, Result};
use crate::files::{CONFIG_LIMIT, read_text};

/// Sets a key of a context; the context is made when it is not there.
///
/// # Errors
/// A file that cannot be read or written.
pub(crate) fn set(file: &ConfigFile, context: &str, key: &Key, value: &str) -> Result<()> {
    change(&file.path, |document| {
        let contexts = document.entry("contexts").or_insert_with(|| {
            let mut table = Table::new();
            table.set_implicit(true);
            Item::Table(table)
        });
        let Some(context) = contexts
            .as_table_like_mut()
            .map(|contexts| contexts.entry(context).or_insert_with(toml_edit::table))
            .and_then(Item::as_table_like_mut)
        else {
            return;
        };
        let mut new = match value.parse::<bool>() {
            Ok(switch) if key.is_switch() => Value::from(switch),
            _ => Value::from(value),
        };
        // The comment behind the old value stays.
        match context.get_mut(key.name).and_then(Item::as_value_mut) {
            Some(old) => {
                *new.decor_mut() = old.decor().clone();
                *old = new;
            }
            None => {
                context.insert(key.name, Item::Value(new));
            }
        }
    })
}

/// Takes a key out of a context.
///
/// # Errors
/// A file that cannot be read or written.
pub(crate) fn unset(file: &ConfigFile, context: &str, key: &Key) -> Result<()> {
    change(&file.path, |document| {
        let context = document
            .get_mut("contexts")
            .and_then(|contexts| contexts.get_mut(context))
            .and_then(Item::as_table_like_mut);
        if let Some(context) = context {
            context.remove(key.name);
        }
    })
}

/// The user's own configuration file, whether or not it is there.
pub(crate) fn user_file(env: &BTreeMap<String, String>) -> Option<PathBuf> {
    Some(folders::config(env)?.join(FILE_NAME))
}

/// A first `bpctl.toml` with one context.
pub(crate) fn starter(context: &str, values: &[(&Key, String)]) -> String {
    let mut document = DocumentMut::new();
    document["current_context"] = toml_edit::value(context);
    let mut table = Table::new();
    for (key, value) in values {
        let value = match value.parse::<bool>() {
            Ok(switch) if key.is_switch() => Value::from(switch),
            _ => Value::from(value.as_str()),
        };
        table.insert(key.name, Item::Value(value));
    }
    let mut contexts = Table::new();
    contexts.set_implicit(true);
    contexts.insert(context, Item::Table(table));
    document["contexts"] = Item::Table(contexts);
    let mut text = "# Contexts of bpctl: where the platform is. bpctl config explain KEY says which line (or flag, or variable)\n# decided a setting; bpctl config use-context NAME chooses a context for one user and leaves this file alone.\n\n".to_owned();
    text.push_str(&document.to_string());
    let missing = |name: &str| !values.iter().any(|(key, _)| key.name == name);
    for (name, line) in [
        (
            "account_id",
            "# account_id = \"111122223333\"   # bpctl refuses to run in any other account; bpctl whoami shows it",
        ),
        (
            "protected",
            "# protected = true              # every change needs the context's name typed",
        ),
    ] {
        if missing(name) {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

fn change(path: &Path, edit: impl FnOnce(&mut DocumentMut)) -> Result<()> {
    let doing = || format!("change `{}`", path.display());
    let text = read_text(path, CONFIG_LIMIT).map_err(|error| CtlError::config(doing()).source(&error))?;
    let mut document: DocumentMut = text
        .parse()
        .map_err(|error: toml_edit::TomlError| CtlError::config(doing()).source(&error))?;
    edit(&mut document);
    let changed = document.to_string();
    // What would not be read again is not written.
    ConfigFile::parse(path, &changed)?;
    // A rename replaces the file in one step: a crash leaves either the old or the new one. What a link
    // points at is replaced, not the link.
    let written = std::fs::canonicalize(path).and_then(|path| {
        let draft = path.with_extension(format!("toml.{}.new", std::process::id()));
        std::fs::write(&draft, changed)
            .and_then(|()| std::fs::set_permissions(&draft, std::fs::metadata(&path)?.permissions()))
            .and_then(|()| std::fs::rename(&draft, &path))
            .inspect_err(|_| {
                // Best effort: the error that is told is the first one.
                let _ = std::fs::remove_file(&draft);
            })
    });
    written.map_err(|error| CtlError::config(doing()).source(&error))
}

#[cfg(test)]
mod tests {
    use super::super::key;
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_change_keeps_comments_permissions_and_a_link() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().join("dotfiles.toml");
        let text = "# ours\n[contexts.eu] # Europe\nregion = \"eu-west-1\" # Ireland\n";
        std::fs::write(&real, text).unwrap();
        std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o600)).unwrap();
        let link = folder.path().join(FILE_NAME);
        std::os::unix::fs::symlink(&real, &link).unwrap();
        let file = ConfigFile::read(&link).unwrap();
        set(&file, "eu", key("region").unwrap(), "eu-north-1").unwrap();
        set(&file, "eu", key("protected").unwrap(), "true").unwrap();
        assert!(link.is_symlink());
        let written = std::fs::read_to_string(&real).unwrap();
        assert_eq!(
            written,
            text.replace("eu-west-1", "eu-north-1") + "protected = true\n"
        );
        assert_eq!(
            std::fs::metadata(&real).unwrap().permissions().mode() & 0o777,
            0o600
        );
        unset(&file, "eu", key("region").unwrap()).unwrap();
        set(&file, "us", key("region").unwrap(), "us-east-1").unwrap();
        let contexts = ConfigFile::read(&link).unwrap().contexts;
        assert!(!contexts["eu"].contains_key("region"));
        assert_eq!(contexts["us"]["region"].value, "us-east-1");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn the_first_file_can_be_read_again() {
        let values = [
            (key("profile").unwrap(), "ops".to_owned()),
            (key("protected").unwrap(), "true".to_owned()),
        ];
        let text = starter("my prod", &values);
        let file = ConfigFile::parse(Path::new("bpctl.toml"), &text).unwrap();
        assert_eq!(file.current_context.unwrap().value, "my prod");
        assert_eq!(file.contexts["my prod"]["profile"].value, "ops");
        assert!(
            text.contains("\nprotected = true\n") && text.contains("\n# account_id ="),
            "{text}"
        );
    }
}
