//! The command line that a shell wants to have completed, in the words that the engine understands.

use std::ffi::OsString;

use clap::Command;

/// Words, program name first, and the place of the one at the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) words: Vec<OsString>,
    pub(super) index: usize,
}

impl Line {
    /// `index` is the shell's word for it; without one the cursor is at the last word.
    pub(super) fn new(mut words: Vec<OsString>, index: Option<usize>) -> Self {
        let index = index.unwrap_or(words.len().saturating_sub(1));
        // Zsh leaves an empty last word out.
        if words.len() == index {
            words.push(OsString::new());
        }
        Self { words, index }
    }

    /// Bash breaks words at `=` (COMP_WORDBREAKS): `--flag`, `=`, `value` become `--flag`, `value` again.
    pub(super) fn without_equals_signs(self) -> Self {
        let mut words: Vec<OsString> = Vec::with_capacity(self.words.len());
        let mut index = self.index;
        for (position, word) in self.words.into_iter().enumerate() {
            let behind_a_flag = words.last().is_some_and(is_long);
            if word == "=" && behind_a_flag && position != self.index {
                index -= usize::from(position < self.index);
            } else {
                words.push(word);
            }
        }
        Self { words, index }
    }

    /// Hides values of options that are called like a verb, as in `--context sandbox`: clap_complete 4.6 takes
    /// any word that is the name of a subcommand for one, an option's value too.
    pub(super) fn without_ambiguous_values(mut self, tree: &Command) -> Self {
        let mut command = tree;
        let mut is_value = false;
        for word in self.words.iter_mut().take(self.index).skip(1) {
            let text = word.to_string_lossy().into_owned();
            if text == "--" {
                break;
            }
            let sub = command.find_subcommand(&text);
            if is_value {
                is_value = false;
                if sub.is_some() {
                    *word = OsString::from("value");
                }
            } else if let Some(sub) = sub {
                command = sub;
            } else {
                is_value = wants_a_value(command, &text);
            }
        }
        self
    }
}

fn is_long(word: &OsString) -> bool {
    word.to_str()
        .is_some_and(|word| word.starts_with("--") && word.len() > 2)
}

/// Whether the next word is the value of this option.
fn wants_a_value(command: &Command, word: &str) -> bool {
    let takes =
        |argument: Option<&clap::Arg>| argument.is_some_and(|argument| argument.get_action().takes_values());
    if let Some(long) = word.strip_prefix("--") {
        return takes(command.get_arguments().find(|argument| {
            argument.get_long() == Some(long)
                || argument
                    .get_all_aliases()
                    .is_some_and(|aliases| aliases.contains(&long))
        }));
    }
    let Some(shorts) = word.strip_prefix('-') else {
        return false;
    };
    // Of `-qo` the last one decides; of `-ojson` the first that takes a value has it already.
    let mut letters = shorts.chars().peekable();
    while let Some(letter) = letters.next() {
        let argument = command
            .get_arguments()
            .find(|argument| argument.get_short() == Some(letter));
        if takes(argument) {
            return letters.peek().is_none();
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(words: &[&str], index: usize) -> Line {
        Line::new(words.iter().map(OsString::from).collect(), Some(index))
    }

    fn tree() -> Command {
        let mut tree = Command::new("bpctl")
            .arg(clap::Arg::new("context").long("context").global(true))
            .arg(clap::Arg::new("output").short('o').global(true))
            .arg(
                clap::Arg::new("quiet")
                    .short('q')
                    .global(true)
                    .action(clap::ArgAction::SetTrue),
            )
            .subcommand(Command::new("sandbox").subcommand(Command::new("run")))
            .subcommand(Command::new("fleet"));
        tree.build();
        tree
    }

    #[test]
    fn a_value_that_is_called_like_a_verb_is_none() {
        for (typed, expected) in [
            (
                &["bpctl", "--context", "sandbox", ""][..],
                &["bpctl", "--context", "value", ""][..],
            ),
            (&["bpctl", "-qo", "fleet", ""], &["bpctl", "-qo", "value", ""]),
            (
                &["bpctl", "sandbox", "--context", "run", ""],
                &["bpctl", "sandbox", "--context", "value", ""],
            ),
            // Verbs and the word at the cursor stay.
            (&["bpctl", "-q", "fleet", ""], &["bpctl", "-q", "fleet", ""]),
            (
                &["bpctl", "-ojson", "fleet", ""],
                &["bpctl", "-ojson", "fleet", ""],
            ),
            (
                &["bpctl", "--context", "sandbox"],
                &["bpctl", "--context", "sandbox"],
            ),
            (
                &["bpctl", "--context=x", "sandbox", ""],
                &["bpctl", "--context=x", "sandbox", ""],
            ),
            (
                &["bpctl", "sandbox", "run", "--", "--context", "sandbox", ""],
                &["bpctl", "sandbox", "run", "--", "--context", "sandbox", ""],
            ),
        ] {
            let index = typed.len() - 1;
            assert_eq!(
                line(typed, index).without_ambiguous_values(&tree()),
                line(expected, index)
            );
        }
    }

    #[test]
    fn words_that_bash_has_broken_are_whole_again() {
        assert_eq!(
            line(&["bpctl", "--context", "=", "sandbox", ""], 4).without_equals_signs(),
            line(&["bpctl", "--context", "sandbox", ""], 3)
        );
        assert_eq!(
            line(&["bpctl", "--context", "=", "sa"], 3).without_equals_signs(),
            line(&["bpctl", "--context", "sa"], 2)
        );
        assert_eq!(
            line(&["bpctl", "x", "=", "y", ""], 4).without_equals_signs(),
            line(&["bpctl", "x", "=", "y", ""], 4)
        );
    }

    #[test]
    fn the_empty_word_that_zsh_leaves_out_is_there() {
        assert_eq!(line(&["bpctl", "fleet"], 2).words.len(), 3);
        assert_eq!(Line::new(vec!["bpctl".into(), "f".into()], None).index, 1);
    }
}
