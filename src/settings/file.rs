//! `bpctl.toml`: finding it, reading it with line numbers, and moving its current context.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::{KEYS, nearest};
use crate::error::{CommandLine, CtlError, Result};
use crate::files::{CONFIG_LIMIT, read_text};

/// The file's name wherever it lies.
pub(crate) const FILE_NAME: &str = "bpctl.toml";

/// A value in the file, as text, with the line it stands on (from 1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) value: String,
    pub(crate) line: usize,
}

/// A parsed configuration file.
#[derive(Clone, Debug, Default)]
pub(crate) struct ConfigFile {
    pub(crate) path: PathBuf,
    pub(crate) current_context: Option<Entry>,
    pub(crate) contexts: BTreeMap<String, BTreeMap<String, Entry>>,
}

/// The file in force: `explicit`, else the nearest `bpctl.toml` upwards from `cwd`, else the user's.
pub(crate) fn find(
    explicit: Option<&Path>,
    cwd: &Path,
    env: &BTreeMap<String, String>,
) -> Result<Option<ConfigFile>> {
    if let Some(path) = explicit {
        return ConfigFile::read(path).map(Some);
    }
    let upwards = cwd.ancestors().map(|folder| folder.join(FILE_NAME));
    // Also a link to nowhere is found: going on without the account guard that is meant would be worse.
    let is_there = |path: &PathBuf| path.symlink_metadata().is_ok_and(|found| !found.is_dir());
    match upwards.chain(user_file(env)).find(is_there) {
        Some(path) => ConfigFile::read(&path).map(Some),
        None => Ok(None),
    }
}

/// `$XDG_CONFIG_HOME/bpctl/bpctl.toml` or its equivalent on this system.
fn user_file(env: &BTreeMap<String, String>) -> Option<PathBuf> {
    if let Some(folder) = env.get("XDG_CONFIG_HOME").filter(|folder| !folder.is_empty()) {
        return Some(Path::new(folder).join("bpctl").join(FILE_NAME));
    }
    if let Some(home) = env.get("HOME").filter(|home| !home.is_empty()) {
        return Some(Path::new(home).join(".config/bpctl").join(FILE_NAME));
    }
    if env.is_empty() {
        return None;
    }
    let strategy = etcetera::choose_base_strategy().ok()?;
    Some(strategy.config_dir().join("bpctl").join(FILE_NAME))
}

impl ConfigFile {
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = read_text(path, CONFIG_LIMIT)
            .map_err(|error| CtlError::config(format!("read `{}`", path.display())).source(&error))?;
        Self::parse(path, &text)
    }

    /// Reads `text` as the content of `path`; every complaint names the line.
    pub(crate) fn parse(path: &Path, text: &str) -> Result<Self> {
        let table = DeTable::parse(text).map_err(|error| {
            let line = error.span().map_or(1, |span| line_of(text, span.start));
            CtlError::config(format!("read `{}:{line}`", path.display())).cause(error.message().to_owned())
        })?;
        let mut file = Self {
            path: path.to_owned(),
            ..Self::default()
        };
        for (name, value) in table.get_ref() {
            let line = line_of(text, name.span().start);
            match name.get_ref().as_ref() {
                "current_context" => {
                    file.current_context = Some(Entry {
                        value: scalar(path, line, value)?,
                        line,
                    });
                }
                "contexts" => file.read_contexts(text, value)?,
                other => {
                    return Err(unknown(
                        path,
                        line,
                        other,
                        ["current_context", "contexts"].into_iter(),
                    ));
                }
            }
        }
        Ok(file)
    }

    fn read_contexts(&mut self, text: &str, value: &Spanned<DeValue<'_>>) -> Result<()> {
        let line = line_of(text, value.span().start);
        let DeValue::Table(contexts) = value.get_ref() else {
            return Err(wrong_shape(
                &self.path,
                line,
                "`contexts` must hold tables: `[contexts.<name>]`",
            ));
        };
        for (name, value) in contexts {
            let line = line_of(text, name.span().start);
            let name = name.get_ref().as_ref();
            if name == super::SANDBOX_CONTEXT {
                return Err(wrong_shape(
                    &self.path,
                    line,
                    "the context `sandbox` is built in and cannot be redefined",
                ));
            }
            let DeValue::Table(entries) = value.get_ref() else {
                return Err(wrong_shape(
                    &self.path,
                    line,
                    "a context must be a table: `[contexts.<name>]`",
                ));
            };
            let mut context = BTreeMap::new();
            for (key, value) in entries {
                let line = line_of(text, key.span().start);
                let key = key.get_ref().as_ref();
                if super::keys::KEYS.iter().all(|known| known.name != key) {
                    return Err(unknown(
                        &self.path,
                        line,
                        key,
                        KEYS.iter().map(|known| known.name),
                    ));
                }
                context.insert(
                    key.to_owned(),
                    Entry {
                        value: scalar(&self.path, line, value)?,
                        line,
                    },
                );
            }
            self.contexts.insert(name.to_owned(), context);
        }
        Ok(())
    }

    /// The error for a context that the file does not define.
    pub(crate) fn no_such_context(&self, name: &str, wanted_by: &str) -> CtlError {
        let known: Vec<&str> = self.contexts.keys().map(String::as_str).collect();
        let error = CtlError::config(format!("use context `{name}` ({wanted_by}): it is not defined"));
        match nearest(name, known.iter().copied().chain([super::SANDBOX_CONTEXT])) {
            Some(near) => error.hint((
                format!("did you mean `{near}`?"),
                CommandLine::bpctl(["config", "get-contexts"]),
                "lists them all",
            )),
            None => error.hint((
                "list the contexts with",
                CommandLine::bpctl(["config", "get-contexts"]),
            )),
        }
    }
}

fn scalar(path: &Path, line: usize, value: &Spanned<DeValue<'_>>) -> Result<String> {
    match value.get_ref() {
        DeValue::String(text) => Ok(text.to_string()),
        DeValue::Boolean(flag) => Ok(flag.to_string()),
        DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Datetime(_)
        | DeValue::Array(_)
        | DeValue::Table(_) => Err(wrong_shape(
            path,
            line,
            "expected a string in quotes, or `true` or `false`",
        )),
    }
}

fn wrong_shape(path: &Path, line: usize, what: &str) -> CtlError {
    CtlError::config(format!("read `{}:{line}`", path.display())).cause(what)
}

fn unknown<'a>(
    path: &Path,
    line: usize,
    given: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> CtlError {
    let error =
        CtlError::config(format!("read `{}:{line}`", path.display())).cause(format!("unknown key `{given}`"));
    match nearest(given, known.clone()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint(format!("known keys: {}", known.collect::<Vec<_>>().join(", "))),
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes()
        .iter()
        .take(offset)
        .filter(|byte| **byte == b'\n')
        .count()
        + 1
}

/// Rewrites `current_context` in the file, keeping every other byte, comments included.
pub(crate) fn set_current_context(file: &ConfigFile, name: &str) -> Result<()> {
    let doing = || format!("set the current context in `{}`", file.path.display());
    let text =
        read_text(&file.path, CONFIG_LIMIT).map_err(|error| CtlError::config(doing()).source(&error))?;
    let mut document: toml_edit::DocumentMut = text
        .parse()
        .map_err(|error: toml_edit::TomlError| CtlError::config(doing()).source(&error))?;
    let mut value = toml_edit::Value::from(name);
    if let Some(old) = document
        .get("current_context")
        .and_then(toml_edit::Item::as_value)
    {
        *value.decor_mut() = old.decor().clone();
    }
    document["current_context"] = toml_edit::Item::Value(value);
    // A rename replaces the file in one step: a crash leaves either the old or the new one. What a link
    // points at is replaced, not the link.
    let written = std::fs::canonicalize(&file.path).and_then(|path| {
        let draft = path.with_extension(format!("toml.{}.new", std::process::id()));
        std::fs::write(&draft, document.to_string())
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
    use super::*;

    fn parse(text: &str) -> Result<ConfigFile> {
        ConfigFile::parse(Path::new("bpctl.toml"), text)
    }

    #[test]
    fn contexts_keep_their_lines() {
        let file =
            parse("current_context = \"eu\"\n\n[contexts.eu]\nregion = \"eu-west-1\"\nprotected = true\n")
                .unwrap();
        assert_eq!(
            file.contexts["eu"]["region"],
            Entry {
                value: "eu-west-1".to_owned(),
                line: 4
            }
        );
        assert_eq!(file.contexts["eu"]["protected"].value, "true");
    }

    #[test]
    fn an_unknown_key_is_named_with_line_and_neighbour() {
        let error = parse("[contexts.eu]\n\nregoin = \"eu-west-1\"\n").unwrap_err();
        assert_eq!(error.to_string(), "read `bpctl.toml:3`: unknown key `regoin`");
        assert_eq!(error.hints(), ["did you mean `region`?"]);
    }

    #[test]
    fn broken_toml_names_the_line() {
        let error = parse("[contexts.eu]\nregion = eu\n").unwrap_err();
        assert!(error.to_string().starts_with("read `bpctl.toml:2`"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn switching_keeps_comments_permissions_and_a_link() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().join("dotfiles.toml");
        let text = "# ours\n[contexts.eu] # Europe\nregion = \"eu-west-1\"\n";
        std::fs::write(&real, text).unwrap();
        std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o600)).unwrap();
        let link = folder.path().join(FILE_NAME);
        std::os::unix::fs::symlink(&real, &link).unwrap();
        set_current_context(&ConfigFile::read(&link).unwrap(), "eu").unwrap();
        assert!(link.is_symlink());
        let written = std::fs::read_to_string(&real).unwrap();
        assert!(
            written.contains("# ours\n") && written.contains("[contexts.eu] # Europe"),
            "{written}"
        );
        assert_eq!(
            ConfigFile::read(&link).unwrap().current_context.unwrap().value,
            "eu"
        );
        assert_eq!(
            std::fs::metadata(&real).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_nowhere_is_not_the_same_as_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let env = BTreeMap::new();
        assert!(find(None, folder.path(), &env).unwrap().is_none());
        std::os::unix::fs::symlink("/nonexistent/x", folder.path().join(FILE_NAME)).unwrap();
        assert!(find(None, folder.path(), &env).is_err());
    }

    #[test]
    fn the_sandbox_cannot_be_redefined() {
        assert!(parse("[contexts.sandbox]\nregion = \"us-east-1\"\n").is_err());
    }
}
