//! A command that the operator can paste: a list of words, and the one renderer that quotes them.

use std::fmt;

use serde::Serialize;

use super::Hint;

/// Who runs the words.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Program {
    Bpctl,
    Aws,
    /// Another tool on the operator's machine, by its name.
    Other(String),
}

impl Program {
    fn name(&self) -> &str {
        match self {
            Self::Bpctl => "bpctl",
            Self::Aws => "aws",
            Self::Other(name) => name,
        }
    }
}

/// One word of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Word {
    Plain(String),
    /// What another command prints, without the newlines at its end: `"$(…)"`.
    OutputOf(Box<CommandLine>),
}

/// Whether a command only looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Effect {
    Reads,
    Changes,
}

/// A command as words. The flags that name the place (context, profile, region, endpoint) are added
/// by [`CommandLine::in_place`], and only there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommandLine {
    program: Program,
    words: Vec<Word>,
    effect: Option<Effect>,
    /// The place is in the words already, or means nothing to the command.
    placed: bool,
}

/// Where commands are to do their work: the flags of bpctl that chose the place, and the options that
/// make the aws tool talk to the same place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    flags: Vec<(String, String)>,
    aws: Vec<(&'static str, String)>,
    /// The profile to sign in with, where it is not the one that the commands name.
    signs_in: Option<String>,
    /// What has to be done once before the commands of the aws tool sign as bpctl does.
    before_aws: Option<Box<Hint>>,
}

/// Global flags without a value.
const SWITCHES: [&str; 2] = ["no-account-guard", "protected"];

impl Place {
    /// The flags, name without dashes and value, that commands of bpctl repeat.
    pub(crate) fn of_flags<N: Into<String>, V: Into<String>>(
        flags: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        Self {
            flags: flags
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
            ..Self::default()
        }
    }

    /// The commands of the aws tool name a profile that assumes a role with the credentials of `base`; `before`
    /// says how it is made.
    #[must_use]
    pub(crate) fn by_role(mut self, base: Option<String>, before: Option<Hint>) -> Self {
        self.signs_in = base;
        self.before_aws = before.map(Box::new);
        self
    }

    /// What has to be done once before the commands of the aws tool sign as bpctl does.
    pub(crate) fn before_aws(&self) -> Option<&Hint> {
        self.before_aws.as_deref()
    }

    /// An option that every command of the aws tool repeats, if there is a value for it.
    #[must_use]
    pub(crate) fn aws(mut self, option: &'static str, value: Option<&str>) -> Self {
        if let Some(value) = value {
            self.aws.push((option, value.to_owned()));
        }
        self
    }

    /// The same where nothing is said of `option` yet.
    #[must_use]
    pub(crate) fn or_aws(self, option: &'static str, value: Option<&str>) -> Self {
        if self.aws.iter().any(|(known, _)| *known == option) {
            self
        } else {
            self.aws(option, value)
        }
    }

    /// Without flags that were wrong: a hint that repeats them would end in the same error.
    #[must_use]
    pub(crate) fn without(mut self, wrong: &[&str]) -> Self {
        self.flags.retain(|(name, _)| !wrong.contains(&name.as_str()));
        self.aws
            .retain(|(option, _)| !wrong.contains(&option.trim_start_matches('-')));
        self
    }
}

impl CommandLine {
    fn new(program: Program) -> Self {
        Self {
            program,
            words: Vec::new(),
            effect: None,
            placed: false,
        }
    }

    /// A command of bpctl: verb and arguments, without global flags.
    pub(crate) fn bpctl<W: Into<String>>(words: impl IntoIterator<Item = W>) -> Self {
        Self::new(Program::Bpctl).args(words)
    }

    /// A command of the aws tool: service and operation as the tool spells them.
    pub(crate) fn aws(service: &str, operation: &str) -> Self {
        Self::new(Program::Aws).args([service, operation])
    }

    /// A command of another tool.
    pub(crate) fn other<W: Into<String>>(program: &str, words: impl IntoIterator<Item = W>) -> Self {
        Self::new(Program::Other(program.to_owned())).args(words)
    }

    /// More words.
    #[must_use]
    pub(crate) fn args<W: Into<String>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        self.words
            .extend(words.into_iter().map(|word| Word::Plain(clean(&word.into()))));
        self
    }

    /// More words, with the ends of lines and the tabs in them: a script that a container is to run. Between quotes they
    /// are pasted as they are.
    #[must_use]
    pub(crate) fn lines(mut self, words: impl IntoIterator<Item = String>) -> Self {
        let kept = |c: &char| !c.is_control() || matches!(c, '\n' | '\t');
        let words = words.into_iter();
        self.words
            .extend(words.map(|word| Word::Plain(word.chars().filter(kept).collect())));
        self
    }

    /// An option and its value.
    #[must_use]
    pub(crate) fn option(self, name: &str, value: impl Into<String>) -> Self {
        self.args([name.to_owned(), value.into()])
    }

    /// An option whose value is what another command prints.
    #[must_use]
    pub(crate) fn option_from(self, name: &str, source: Self) -> Self {
        self.args([name]).output_of(source)
    }

    /// One word: what another command prints.
    #[must_use]
    pub(crate) fn output_of(mut self, source: Self) -> Self {
        self.words.push(Word::OutputOf(Box::new(source)));
        self
    }

    /// Whether the aws tool runs the command, or one that it takes the output of.
    pub(crate) fn uses_aws(&self) -> bool {
        let inner = self.words.iter().any(|word| match word {
            Word::OutputOf(source) => source.uses_aws(),
            Word::Plain(_) => false,
        });
        self.is_aws() || inner
    }

    /// Whether the aws tool runs the command.
    pub(crate) fn is_aws(&self) -> bool {
        self.program == Program::Aws
    }

    /// For the aws tool: the JMESPath that picks what matters, as text.
    #[must_use]
    pub(crate) fn picking(self, query: &str) -> Self {
        self.option("--query", query).option("--output", "text")
    }

    /// The words name the place themselves: none is added.
    #[must_use]
    pub(crate) fn without_place(mut self) -> Self {
        self.placed = true;
        self
    }

    /// Says what the words do where their verb does not tell.
    #[must_use]
    pub(crate) fn with_effect(mut self, effect: Effect) -> Self {
        self.effect = Some(effect);
        self
    }

    /// Whether the command changes anything; a verb that is not known to read counts as a change.
    pub(crate) fn effect(&self) -> Effect {
        if let Some(effect) = self.effect {
            return effect;
        }
        let words: Vec<&str> = self
            .words
            .iter()
            .filter_map(|word| match word {
                Word::Plain(text) => Some(text.as_str()),
                Word::OutputOf(_) => None,
            })
            .collect();
        let reads = match self.program {
            Program::Bpctl => bpctl_reads(&words),
            Program::Aws => words.get(1).is_some_and(|operation| aws_reads(operation)),
            Program::Other(_) => false,
        };
        if reads { Effect::Reads } else { Effect::Changes }
    }

    /// The command with the flags that name the place: those of bpctl before its verb, those of the
    /// aws tool at the end.
    #[must_use]
    pub(crate) fn in_place(&self, place: &Place) -> Self {
        let mut placed = self.clone();
        for word in &mut placed.words {
            if let Word::OutputOf(source) = word {
                **source = source.in_place(place);
            }
        }
        if placed.placed {
            return placed;
        }
        placed.placed = true;
        // The verb is told by its position, which the flags change.
        placed.effect = Some(self.effect());
        match placed.program {
            Program::Bpctl => {
                let flags = place.flags.iter().flat_map(|(name, value)| {
                    let value = (!SWITCHES.contains(&name.as_str())).then(|| clean(value));
                    std::iter::once(format!("--{name}")).chain(value)
                });
                placed.words.splice(0..0, flags.map(Word::Plain));
                placed
            }
            Program::Aws => {
                let options = place
                    .aws
                    .iter()
                    .filter(|(option, _)| !placed.has(option))
                    // Signing in is the profile's business alone.
                    .filter(|(option, _)| *option == "--profile" || !placed.signs_in())
                    .map(|(option, value)| match &place.signs_in {
                        // A profile that assumes a role has no sign-in of its own.
                        Some(base) if *option == "--profile" && placed.signs_in() => (option, base),
                        _ => (option, value),
                    })
                    .flat_map(|(option, value)| [(*option).to_owned(), clean(value)]);
                let options: Vec<Word> = options.map(Word::Plain).collect();
                placed.words.extend(options);
                placed
            }
            Program::Other(_) => placed,
        }
    }

    fn signs_in(&self) -> bool {
        matches!(self.words.first(), Some(Word::Plain(service)) if service == "sso")
    }

    /// The line for a POSIX shell, over several lines: an option and its values on each.
    pub(crate) fn over_lines(&self) -> String {
        let mut text = quote(self.program.name());
        for word in &self.words {
            let (option, word) = match word {
                Word::Plain(plain) => (plain.starts_with("--"), quote(plain)),
                Word::OutputOf(source) => (false, format!("\"$({source})\"")),
            };
            text.push_str(if option { " \\\n  " } else { " " });
            text.push_str(&word);
        }
        text
    }

    fn has(&self, option: &str) -> bool {
        self.words
            .iter()
            .any(|word| matches!(word, Word::Plain(text) if text == option))
    }

    /// Program and arguments, for a program that runs the command without a shell.
    ///
    /// What needs a shell (the output of another command) becomes `sh -c`.
    pub(crate) fn words(&self) -> Vec<String> {
        let plain: Option<Vec<String>> = self
            .words
            .iter()
            .map(|word| match word {
                Word::Plain(text) => Some(text.clone()),
                Word::OutputOf(_) => None,
            })
            .collect();
        match plain {
            Some(words) => std::iter::once(self.program.name().to_owned())
                .chain(words)
                .collect(),
            None => vec!["sh".to_owned(), "-c".to_owned(), self.to_string()],
        }
    }
}

/// The line for a POSIX shell.
impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&quote(self.program.name()))?;
        for word in &self.words {
            match word {
                Word::Plain(text) => write!(f, " {}", quote(text))?,
                Word::OutputOf(source) => write!(f, " \"$({source})\"")?,
            }
        }
        Ok(())
    }
}

/// A word as a POSIX shell reads it. Words of letters and harmless signs stay as they are.
fn quote(word: &str) -> String {
    // A `=` or `~` in front means something to zsh.
    let plain = !word.is_empty()
        && !word.starts_with(['=', '~', '%'])
        && word
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_./:,@%+=".contains(&b));
    if plain {
        return word.to_owned();
    }
    // Between single quotes nothing has a meaning, and a query stays readable.
    if !word.contains('\'') {
        return format!("'{word}'");
    }
    // The only words that cannot be quoted hold a NUL, and `clean` has taken those out.
    shlex::try_quote(word).map_or_else(|_| "''".to_owned(), std::borrow::Cow::into_owned)
}

/// A word without characters that a terminal takes for orders. No name in AWS has any; a pasted newline
/// would end the command.
fn clean(word: &str) -> String {
    word.chars().filter(|c| !c.is_control()).collect()
}

/// Verbs of bpctl that change nothing, neither in AWS nor what the operator has configured.
///
/// A test beside the table of verbs walks all of them: a verb with `--dry-run` is none of these.
fn bpctl_reads(words: &[&str]) -> bool {
    if words.contains(&"--dry-run") || words.contains(&"--print-aws") {
        return true;
    }
    match words {
        ["migrate" | "run" | "seed", rest @ ..] => rest.contains(&"--attach"),
        ["bundle", "apply", rest @ ..] => rest.contains(&"--attach"),
        ["reset", rest @ ..] => rest.contains(&"--list"),
        ["day1", rest @ ..] => !rest.contains(&"--run"),
        ["doctor", rest @ ..] => !rest.contains(&"--fix"),
        ["diff", what, ..] => *what == "contexts",
        ["fleet", "refresh", what, ..] => *what == "status",
        ["fleet", "config", what, ..] => *what == "get",
        ["fleet", "dev", what, ..] => *what == "list",
        ["fleet", verb, ..] => !matches!(
            *verb,
            "scale"
                | "scale-to-zero"
                | "refresh"
                | "hold"
                | "release"
                | "protect"
                | "drain"
                | "provision"
                | "apply-config"
        ),
        ["image", verb, ..] => matches!(*verb, "list" | "diff"),
        ["auth", "can-i", ..] | ["iam", "policy", ..] => true,
        ["stack", verb, ..] => !matches!(
            *verb,
            "bootstrap" | "continue-rollback" | "deploy" | "delete" | "import"
        ),
        ["domain", verb, ..] => ["check", "status"].contains(verb),
        ["monitoring", verb, ..] => matches!(*verb, "show" | "check"),
        ["workflow", verb, ..] => matches!(*verb, "check" | "diff"),
        ["ami", verb, ..] => matches!(*verb, "list" | "show" | "history"),
        ["sandbox", "scenario", verb, ..] => *verb == "list",
        ["sandbox", verb, ..] => matches!(*verb, "status" | "reveal" | "env"),
        ["bundle", verb, ..] => matches!(*verb, "list" | "show" | "verify" | "diff" | "history"),
        ["rollout", verb, ..] => matches!(*verb, "status" | "history" | "watch"),
        ["secrets", verb, ..] => matches!(*verb, "list" | "get" | "diff" | "history"),
        ["task", verb, ..] => matches!(*verb, "list" | "describe"),
        ["runs" | "lock", verb, ..] => matches!(*verb, "list" | "show"),
        ["config", verb, ..] => !matches!(*verb, "use-context" | "set" | "unset" | "init"),
        [verb, ..] => matches!(
            *verb,
            "triage"
                | "whoami"
                | "logs"
                | "cost"
                | "get"
                | "describe"
                | "options"
                | "exit-codes"
                | "man"
                | "completion"
                | "explain"
                | "history"
                | "timeline"
                | "top"
                | "schema"
                | "version"
        ),
        [] => false,
    }
}

/// Operations of the aws tool that only look, by the way AWS names them.
fn aws_reads(operation: &str) -> bool {
    [
        "describe-",
        "list-",
        "get-",
        "batch-get-",
        "filter-",
        "head-",
        "lookup-",
        "detect-",
    ]
    .iter()
    .any(|prefix| operation.starts_with(prefix))
        || operation == "wait"
}

#[cfg(test)]
#[path = "command_line_tests.rs"]
mod tests;
