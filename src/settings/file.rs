//! `bpctl.toml`: finding it, and reading it with line numbers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::edit;
use super::keys::{KEYS, nearest};
use crate::error::{CommandLine, CtlError, Result};
use crate::files::{CONFIG_LIMIT, read_text};
use crate::layout::AccountId;

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
    /// What the templates that bpctl makes itself are made from, in every context.
    pub(crate) blueprint: Option<Section>,
    /// The same of single contexts, by their names.
    pub(crate) blueprints: BTreeMap<String, Section>,
}

/// A table of the file that is not made of settings, with the line it begins on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Section {
    pub(crate) table: toml::Table,
    pub(crate) line: usize,
}

/// The table of a context, and of the whole file, that templates are made from.
const BLUEPRINT: &str = "blueprint";

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
    match upwards.chain(edit::user_file(env)).find(is_there) {
        Some(path) => ConfigFile::read(&path).map(Some),
        None => Ok(None),
    }
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
            let complaint = CtlError::config(format!("read `{}:{line}`", path.display()));
            match text.lines().nth(line - 1).and_then(bare_account_id) {
                Some(reason) => complaint.cause(reason),
                None => complaint.cause(error.message().to_owned()),
            }
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
                        value: scalar(path, text, "current_context", line, value)?,
                        line,
                    });
                }
                "contexts" => file.read_contexts(text, value)?,
                BLUEPRINT => file.blueprint = Some(section(path, text, line, &[BLUEPRINT])?),
                other => {
                    return Err(unknown(
                        path,
                        line,
                        other,
                        ["current_context", "contexts", BLUEPRINT].into_iter(),
                    ));
                }
            }
        }
        Ok(file)
    }

    /// What the templates of a context are made from: the file's section with that of the context upon it, key by key;
    /// and where both begin, as `path:line`.
    pub(crate) fn blueprint_of(&self, context: &str) -> Option<(toml::Table, String)> {
        let sections: Vec<&Section> = [self.blueprint.as_ref(), self.blueprints.get(context)]
            .into_iter()
            .flatten()
            .collect();
        let lines: Vec<String> = sections.iter().map(|section| section.line.to_string()).collect();
        let mut whole = toml::Table::new();
        for section in &sections {
            overlay(&mut whole, &section.table);
        }
        (!sections.is_empty()).then(|| (whole, format!("{}:{}", self.path.display(), lines.join(" and "))))
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
                if key == BLUEPRINT {
                    let found = section(&self.path, text, line, &["contexts", name, BLUEPRINT])?;
                    self.blueprints.insert(name.to_owned(), found);
                    continue;
                }
                if super::keys::KEYS.iter().all(|known| known.name != key) {
                    return Err(unknown(
                        &self.path,
                        line,
                        key,
                        KEYS.iter().map(|known| known.name).chain([BLUEPRINT]),
                    ));
                }
                let value = scalar(&self.path, text, key, line, value)?;
                // The rules of a protected account hold in every context: they must be known of every one.
                let unsafe_value = match key {
                    "account_id" => value.parse::<AccountId>().err().map(|error| error.to_string()),
                    "protected" => value
                        .parse::<bool>()
                        .err()
                        .map(|_| format!("`protected` is `{value}`: write `true` or `false`")),
                    _ => None,
                };
                if let Some(reason) = unsafe_value {
                    return Err(wrong_shape(&self.path, line, &reason));
                }
                context.insert(key.to_owned(), Entry { value, line });
            }
            self.contexts.insert(name.to_owned(), context);
        }
        Ok(())
    }

    /// Whether there is such a context: one of the file, or the sandbox's, which needs no file.
    ///
    /// # Errors
    /// There is none; `wanted_by` is who asked for it, e.g. `command line`.
    pub(crate) fn known(file: Option<&Self>, name: &str, wanted_by: &str) -> Result<()> {
        let defined: Vec<&str> = file
            .into_iter()
            .flat_map(|file| file.contexts.keys())
            .map(String::as_str)
            .collect();
        if name == super::SANDBOX_CONTEXT || defined.contains(&name) {
            return Ok(());
        }
        let error = CtlError::config(format!("use context `{name}` ({wanted_by}): it is not defined"));
        let list = CommandLine::bpctl(["config", "get-contexts"]);
        Err(
            match nearest(name, defined.into_iter().chain([super::SANDBOX_CONTEXT])) {
                Some(near) => error.hint((format!("did you mean `{near}`?"), list, "lists them all")),
                None => error.hint(("list the contexts with", list)),
            },
        )
    }
}

fn scalar(path: &Path, text: &str, key: &str, line: usize, value: &Spanned<DeValue<'_>>) -> Result<String> {
    let reason = match value.get_ref() {
        DeValue::String(text) if text.trim().is_empty() => {
            format!("`{key}` is empty: give it a value, or remove the line")
        }
        DeValue::String(text) => return Ok(text.to_string()),
        DeValue::Boolean(flag) => return Ok(flag.to_string()),
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Datetime(_) => {
            let written = text.get(value.span()).unwrap_or("…");
            format!("`{key}` needs quotes: write `{key} = \"{written}\"`")
        }
        DeValue::Array(_) | DeValue::Table(_) => {
            format!("`{key}` holds more than one value: write one string in quotes, or `true` or `false`")
        }
    };
    Err(wrong_shape(path, line, &reason))
}

/// The table at the end of `keys`.
fn section(path: &Path, text: &str, line: usize, keys: &[&str]) -> Result<Section> {
    let whole: toml::Table = toml::from_str(text)
        .map_err(|error| CtlError::config(format!("read `{}`", path.display())).source(&error))?;
    let mut value = toml::Value::Table(whole);
    for key in keys {
        let next = value.as_table_mut().and_then(|table| table.remove(*key));
        value = next.unwrap_or_else(|| toml::Value::Table(toml::Table::new()));
    }
    match value {
        toml::Value::Table(table) => Ok(Section { table, line }),
        _ => Err(wrong_shape(
            path,
            line,
            &format!("`{BLUEPRINT}` must be a table: `[{}]`", keys.join(".")),
        )),
    }
}

/// Lays one table on another: what it has counts, and tables in it are laid on their like.
pub(crate) fn overlay(under: &mut toml::Table, over: &toml::Table) {
    for (key, value) in over {
        match (under.get_mut(key), value) {
            (Some(toml::Value::Table(under)), toml::Value::Table(over)) => overlay(under, over),
            _ => {
                under.insert(key.clone(), value.clone());
            }
        }
    }
}

/// An account id without quotes that is no number in TOML because it begins with a zero.
fn bare_account_id(line: &str) -> Option<String> {
    let (key, value) = line.split_once('=')?;
    let digits: String = value
        .trim_start()
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    (key.trim() == "account_id" && !digits.is_empty())
        .then(|| format!("`account_id` needs quotes: write `account_id = \"{digits}\"`"))
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
    fn a_link_to_nowhere_is_not_the_same_as_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let env = BTreeMap::new();
        assert!(find(None, folder.path(), &env).unwrap().is_none());
        std::os::unix::fs::symlink("/nonexistent/x", folder.path().join(FILE_NAME)).unwrap();
        assert!(find(None, folder.path(), &env).is_err());
    }

    #[test]
    fn a_value_without_quotes_is_told_how_to_write_it() {
        for (line, write) in [
            ("account_id = 123456789012", "account_id = \"123456789012\""),
            (
                "account_id = 012345678901 # ours",
                "account_id = \"012345678901\"",
            ),
            ("wait_timeout = 30", "wait_timeout = \"30\""),
        ] {
            let error = parse(&format!("[contexts.eu]\n{line}\n")).unwrap_err();
            assert_eq!(error.message(), "read `bpctl.toml:2`");
            assert!(
                error.causes()[0].ends_with(&format!("needs quotes: write `{write}`")),
                "{error}"
            );
        }
    }

    #[test]
    fn what_is_empty_or_unsafe_in_any_context_is_named() {
        for line in [
            "region = \"\"",
            "account_id = \"12345\"",
            "protected = \"yes\"",
            "stage = [\"a\"]",
        ] {
            let error = parse(&format!("[contexts.a]\n[contexts.b]\n{line}\n")).unwrap_err();
            assert_eq!(error.message(), "read `bpctl.toml:3`", "{line}");
        }
        assert!(parse("current_context = \"\"\n").is_err());
    }

    #[test]
    fn a_context_lays_its_blueprint_on_that_of_the_file() {
        let file = parse(
            "[blueprint]\nowner = \"a\"\nsizes = { nat_gateways = 1, database_class = \"x\" }\n[contexts.eu]\n\
             region = \"eu-west-1\"\n[contexts.eu.blueprint]\npreset = \"staging\"\nsizes = { nat_gateways = 2 }\n",
        )
        .unwrap();
        let (table, place) = file.blueprint_of("eu").unwrap();
        assert_eq!(place, "bpctl.toml:1 and 6");
        assert_eq!(table["owner"].as_str(), Some("a"));
        assert_eq!(table["preset"].as_str(), Some("staging"));
        assert_eq!(table["sizes"]["nat_gateways"].as_integer(), Some(2));
        assert_eq!(table["sizes"]["database_class"].as_str(), Some("x"));
        let (table, place) = file.blueprint_of("us").unwrap();
        assert_eq!(
            (table.contains_key("preset"), place.as_str()),
            (false, "bpctl.toml:1")
        );
        assert!(parse("").unwrap().blueprint_of("eu").is_none());
        for wrong in ["blueprint = 3\n", "[contexts.eu]\nblueprint = \"x\"\n"] {
            let error = parse(wrong).unwrap_err();
            assert!(error.to_string().contains("must be a table"), "{error}");
        }
    }

    #[test]
    fn the_sandbox_cannot_be_redefined() {
        assert!(parse("[contexts.sandbox]\nregion = \"us-east-1\"\n").is_err());
    }
}
