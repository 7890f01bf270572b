//! What the operator has typed so far, as far as it decides whose names are offered.

use std::path::PathBuf;

use crate::process::Process;
use crate::settings::{self, ConfigFile, DEFAULT_CONTEXT};

/// The words of the command line that is being completed.
#[derive(Debug)]
pub(super) struct Words(Vec<String>);

impl Words {
    /// The shell passes them behind `--`.
    pub(super) fn of(process: &Process) -> Self {
        let words = process
            .args
            .iter()
            .skip_while(|word| *word != "--")
            .skip(1)
            .filter_map(|word| word.to_str().map(str::to_owned));
        Self(words.collect())
    }

    /// The value of a long flag, written with a blank or with `=`, which bash makes a word of its own.
    fn flag(&self, name: &str) -> Option<&str> {
        self.0.iter().enumerate().find_map(|(position, word)| {
            let rest = word.strip_prefix(name)?;
            match rest.strip_prefix('=') {
                Some(value) => Some(value),
                None if rest.is_empty() => {
                    let mut behind = self.0[position + 1..].iter().map(String::as_str);
                    behind.find(|word| *word != "=")
                }
                None => None,
            }
        })
    }

    /// What the first word that means something to `meaning` means.
    pub(super) fn find_map<T>(&self, meaning: impl Fn(&str) -> Option<T>) -> Option<T> {
        self.0.iter().skip(1).find_map(|word| meaning(word))
    }

    /// `--config-file`, as typed.
    pub(super) fn config(&self) -> Option<&str> {
        self.flag("--config-file").filter(|path| !path.is_empty())
    }

    /// `--context`, as typed.
    pub(super) fn typed_context(&self) -> Option<&str> {
        self.flag("--context").filter(|name| !name.is_empty())
    }

    /// The configuration file in force, if it can be read.
    pub(super) fn config_file(&self, process: &Process) -> Option<ConfigFile> {
        let explicit = self.config().map(PathBuf::from).or_else(|| {
            let set = process.env.get("BPCTL_CONFIG").filter(|path| !path.is_empty());
            Some(PathBuf::from(set?))
        });
        settings::find_file(explicit.as_deref(), &process.cwd, &process.env).ok()?
    }

    /// The context in force: flag, environment, file, default, as in a real run.
    pub(super) fn context(&self, process: &Process) -> String {
        let typed = self.typed_context();
        let set = process.env.get("BPCTL_CONTEXT").filter(|name| !name.is_empty());
        typed
            .or(set.map(String::as_str))
            .map(str::to_owned)
            .or_else(|| {
                let file = self.config_file(process);
                let path = file.as_ref().map(|file| file.path.as_path());
                let state = settings::state_folder(&process.env);
                let chosen = settings::Choice::read(state.as_deref(), path).ok().flatten();
                chosen
                    .map(|choice| choice.name)
                    .or_else(|| Some(file?.current_context?.value))
            })
            .unwrap_or_else(|| DEFAULT_CONTEXT.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(words: &[&str], env: Option<&str>) -> String {
        let mut args = vec!["--", "bpctl"];
        args.extend(words);
        let (mut process, _) = Process::captured(&args);
        if let Some(name) = env {
            process.env.insert("BPCTL_CONTEXT".to_owned(), name.to_owned());
        }
        Words::of(&process).context(&process)
    }

    #[test]
    fn a_typed_context_wins_over_the_environment() {
        assert_eq!(context(&["--context", "prod", "fleet"], Some("staging")), "prod");
        assert_eq!(context(&["--context=prod", "fleet"], Some("staging")), "prod");
        assert_eq!(
            context(&["--context", "=", "prod", "fleet"], Some("staging")),
            "prod"
        );
        assert_eq!(context(&["fleet"], Some("staging")), "staging");
        assert_eq!(context(&["fleet"], None), "default");
    }

    #[test]
    fn a_flag_that_is_being_typed_is_not_a_value_yet() {
        assert_eq!(context(&["fleet", "--context", ""], Some("staging")), "staging");
        assert_eq!(context(&["fleet", "--context-of-mine", "x"], None), "default");
    }
}
