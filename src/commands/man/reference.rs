//! Facts that manual pages and the Markdown reference share: variables, files, examples.

use clap::Command;

use crate::settings::KEYS;

/// Variables that are no setting of a context.
const VARIABLES: &[(&str, &str)] = &[
    ("BPCTL_CONTEXT", "context in force, unless --context names one"),
    (
        "BPCTL_CONFIG",
        "configuration file, unless --config-file names one",
    ),
    (
        "BPCTL_LOG",
        "what the SDK and bpctl log to stderr, e.g. `debug` or `bpctl=debug,aws_config=info`",
    ),
    (
        "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN",
        "credentials, as for every tool on the AWS SDKs; so are the other variables of the AWS SDKs and Tools Reference Guide",
    ),
    (
        "NO_COLOR, CLICOLOR_FORCE",
        "no colour, or colour without a terminal; --color wins",
    ),
    ("COLUMNS", "width of the terminal, where it cannot be asked"),
    (
        "CI",
        "set by CI systems: bpctl asks no question and shows no progress",
    ),
    (
        "GITHUB_ACTIONS, GITHUB_STEP_SUMMARY, GITHUB_OUTPUT",
        "set by GitHub's runner: errors and warnings become annotations, results go into the job summary and the step's outputs",
    ),
    (
        "XDG_CONFIG_HOME, XDG_STATE_HOME, XDG_DATA_HOME",
        "where configuration, state and completions lie, if absolute; else ~/.config, ~/.local/state and ~/.local/share",
    ),
];

const FILES: &[(&str, &str)] = &[
    (
        "bpctl.toml",
        "contexts; looked for in the working folder and those above it",
    ),
    (
        "~/.config/bpctl/bpctl.toml",
        "contexts, when there is no bpctl.toml above the working folder",
    ),
    (
        "~/.aws/config, ~/.aws/credentials",
        "profiles of the AWS command line",
    ),
    (
        "~/.local/state/bpctl/",
        "what bpctl remembers: a journal of each change, locks, names for completion, and sandbox.json with the address of the running sandbox",
    ),
];

/// Every variable and what it does, settings first.
pub(super) fn variables() -> Vec<(String, String)> {
    let settings = KEYS.iter().map(|key| (key.env.join(", "), key.help.to_owned()));
    let others = VARIABLES
        .iter()
        .map(|(name, help)| ((*name).to_owned(), (*help).to_owned()));
    settings.chain(others).collect()
}

/// Every file and what is in it.
pub(super) fn files() -> &'static [(&'static str, &'static str)] {
    FILES
}

/// A command line and what it does.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Example {
    pub(super) command: String,
    pub(super) says: String,
}

/// The examples of a command's help, and the rest of what follows its flags.
pub(super) fn examples(command: &Command) -> (Vec<Example>, String) {
    let text = command
        .get_after_long_help()
        .or(command.get_after_help())
        .map(ToString::to_string)
        .unwrap_or_default();
    let mut examples = Vec::new();
    let mut rest = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        if line == "Examples:" {
            inside = true;
        } else if let Some(example) = line.strip_prefix("  ").filter(|_| inside) {
            let (command, says) = example.split_once("  ").unwrap_or((example, ""));
            examples.push(Example {
                command: command.to_owned(),
                says: says.trim().to_owned(),
            });
        } else {
            inside = false;
            rest.push(line);
        }
    }
    (examples, rest.join("\n").trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_are_told_from_the_rest() {
        let command = Command::new("x").after_help(
            "Before\n\nExamples:\n  bpctl x          does it\n  bpctl x --y z    the other way\n\nBehind",
        );
        let (examples, rest) = super::examples(&command);
        assert_eq!(examples.len(), 2);
        assert_eq!(
            (examples[1].command.as_str(), examples[1].says.as_str()),
            ("bpctl x --y z", "the other way")
        );
        assert_eq!(rest, "Before\n\n\nBehind");
    }

    #[test]
    fn every_setting_is_among_the_variables() {
        let variables = variables();
        for key in KEYS {
            assert!(
                variables.iter().any(|(name, _)| *name == key.env.join(", ")),
                "{}",
                key.name
            );
        }
    }
}
