//! The folders of the XDG base directory specification. A path that is not absolute is ignored, as the
//! specification demands: it would mean another folder in every working folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The value of a variable that names a folder, if it is an absolute path.
fn absolute(env: &BTreeMap<String, String>, name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env.get(name)?);
    path.is_absolute().then_some(path)
}

/// The home folder.
pub(crate) fn home(env: &BTreeMap<String, String>) -> Option<PathBuf> {
    absolute(env, "HOME").or_else(|| absolute(env, "USERPROFILE"))
}

/// Where bpctl keeps what only this user wrote: `$XDG_CONFIG_HOME/bpctl`, else `~/.config/bpctl`.
pub(super) fn config(env: &BTreeMap<String, String>) -> Option<PathBuf> {
    let base = absolute(env, "XDG_CONFIG_HOME").or_else(|| Some(home(env)?.join(".config")))?;
    Some(base.join("bpctl"))
}

/// Where bpctl keeps its own notes: `$XDG_STATE_HOME/bpctl`, else `~/.local/state/bpctl`.
pub(crate) fn state(env: &BTreeMap<String, String>) -> Option<PathBuf> {
    let base = absolute(env, "XDG_STATE_HOME").or_else(|| Some(home(env)?.join(".local").join("state")))?;
    Some(base.join("bpctl"))
}

/// A path as the AWS tools read it: `~` in front is the home folder.
pub(super) fn expand_home(path: &str, env: &BTreeMap<String, String>) -> PathBuf {
    let rest = path
        .strip_prefix('~')
        .map(|rest| rest.trim_start_matches(['/', '\\']));
    match (rest, home(env)) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => Path::new(path).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(vars: &[(&str, &str)]) -> BTreeMap<String, String> {
        let vars = vars
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        vars.collect()
    }

    #[cfg(unix)]
    #[test]
    fn relative_paths_are_ignored() {
        let both = env(&[
            ("HOME", "/home/jo"),
            ("XDG_STATE_HOME", "state"),
            ("XDG_CONFIG_HOME", "./c"),
        ]);
        assert_eq!(state(&both).unwrap(), Path::new("/home/jo/.local/state/bpctl"));
        assert_eq!(config(&both).unwrap(), Path::new("/home/jo/.config/bpctl"));
        assert_eq!(state(&env(&[("HOME", "jo"), ("XDG_STATE_HOME", "")])), None);
        let set = env(&[("XDG_STATE_HOME", "/s"), ("XDG_CONFIG_HOME", "/c")]);
        assert_eq!(state(&set).unwrap(), Path::new("/s/bpctl"));
        assert_eq!(config(&set).unwrap(), Path::new("/c/bpctl"));
    }

    #[cfg(unix)]
    #[test]
    fn a_tilde_is_the_home_folder() {
        let home = env(&[("HOME", "/home/jo")]);
        assert_eq!(expand_home("~/x/config", &home), Path::new("/home/jo/x/config"));
        assert_eq!(expand_home("/x~", &home), Path::new("/x~"));
    }
}
