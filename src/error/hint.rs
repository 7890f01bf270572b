//! What to do next: words, and the commands that do it.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

use super::command_line::{CommandLine, Effect, Place};

/// A sentence with commands in it, or a command alone.
///
/// A command is never part of the text: the code that shows the hint puts the flags that name the place into
/// it, and quotes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hint {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Command(CommandLine),
}

impl Hint {
    /// Words, for now without a command.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self::default().and(text)
    }

    /// What AWS does not have here although every deployed platform has it.
    pub(crate) fn not_deployed() -> Self {
        Self::new("the platform is not deployed here, or layout, stage or region are wrong:")
            .command(CommandLine::bpctl(["whoami"]))
            .and("shows them")
    }

    /// Goes on with a command.
    #[must_use]
    pub(crate) fn command(mut self, command: CommandLine) -> Self {
        self.parts.push(Part::Command(command));
        self
    }

    /// Goes on with words; a blank is set before them unless they begin with a punctuation mark.
    #[must_use]
    pub(crate) fn and(mut self, text: impl Into<String>) -> Self {
        self.parts.push(Part::Text(text.into()));
        self
    }

    /// The commands, in the order in which they are to be run.
    pub(crate) fn commands(&self) -> impl Iterator<Item = &CommandLine> {
        self.parts.iter().filter_map(|part| match part {
            Part::Command(command) => Some(command),
            Part::Text(_) => None,
        })
    }

    /// The command, when the hint is nothing else.
    pub(crate) fn only_command(&self) -> Option<&CommandLine> {
        match self.parts.as_slice() {
            [Part::Command(command)] => Some(command),
            _ => None,
        }
    }

    /// Whether a command of the hint changes something.
    pub(crate) fn effect(&self) -> Effect {
        self.commands()
            .map(CommandLine::effect)
            .max()
            .unwrap_or(Effect::Reads)
    }

    /// The hint with commands that name the place.
    #[must_use]
    pub(crate) fn in_place(&self, place: &Place) -> Self {
        let parts = self.parts.iter().map(|part| match part {
            Part::Text(text) => Part::Text(text.clone()),
            Part::Command(command) => Part::Command(command.in_place(place)),
        });
        Self {
            parts: parts.collect(),
        }
    }

    /// One line that is to be copied when the hint is a command alone, else the sentence.
    pub(crate) fn line(&self) -> String {
        self.only_command()
            .map_or_else(|| self.to_string(), ToString::to_string)
    }

    #[cfg(test)]
    pub(crate) fn contains(&self, words: &str) -> bool {
        self.line().contains(words)
    }
}

/// The sentence, its commands in backticks.
impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before: Option<char> = None;
        for part in &self.parts {
            let text = match part {
                Part::Text(text) => text.clone(),
                Part::Command(command) => format!("`{command}`"),
            };
            let closes = text.starts_with([',', ';', '.', ':', ')', '?', '!']);
            let open = before.is_none_or(|c| c.is_whitespace() || c == '(');
            if !open && !closes && !text.starts_with(char::is_whitespace) {
                f.write_str(" ")?;
            }
            f.write_str(&text)?;
            before = text.chars().last().or(before);
        }
        Ok(())
    }
}

/// The members that a hint is written with.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Hint")]
struct HintView {
    /// What to do, in words, with the command where there is one.
    text: String,
    /// The first command, as words.
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<Vec<String>>,
    /// Whether one of its commands changes something; absent without a command.
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<bool>,
    /// Commands that follow the first, each as words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    then: Vec<Vec<String>>,
}

impl Serialize for Hint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut commands = self.commands().map(CommandLine::words);
        let command = commands.next();
        let view = HintView {
            text: self.line(),
            changes: command.as_ref().map(|_| self.effect() == Effect::Changes),
            command,
            then: commands.collect(),
        };
        view.serialize(serializer)
    }
}

impl JsonSchema for Hint {
    fn schema_name() -> Cow<'static, str> {
        HintView::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        HintView::json_schema(generator)
    }
}

impl From<&str> for Hint {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Hint {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&String> for Hint {
    fn from(text: &String) -> Self {
        Self::new(text)
    }
}

impl From<&Self> for Hint {
    fn from(hint: &Self) -> Self {
        hint.clone()
    }
}

impl From<CommandLine> for Hint {
    fn from(command: CommandLine) -> Self {
        Self::default().command(command)
    }
}

/// "look for the cause with" and the command.
impl<T: Into<String>> From<(T, CommandLine)> for Hint {
    fn from((before, command): (T, CommandLine)) -> Self {
        Self::new(before).command(command)
    }
}

/// Words, the command, and more words.
impl<T: Into<String>, U: Into<String>> From<(T, CommandLine, U)> for Hint {
    fn from((before, command, after): (T, CommandLine, U)) -> Self {
        Self::new(before).command(command).and(after)
    }
}

impl PartialEq<str> for Hint {
    fn eq(&self, text: &str) -> bool {
        self.line() == text
    }
}

impl PartialEq<&str> for Hint {
    fn eq(&self, text: &&str) -> bool {
        self.line() == **text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_set_as_people_write() {
        let whoami = || CommandLine::bpctl(["whoami"]);
        assert_eq!(Hint::from(("see", whoami(), "first")), "see `bpctl whoami` first");
        assert_eq!(
            Hint::from(("see (", whoami(), "); go on")),
            "see (`bpctl whoami`); go on"
        );
        assert_eq!(
            Hint::from(("wait:", whoami(), ", then",)),
            "wait: `bpctl whoami`, then"
        );
        assert_eq!(Hint::from(whoami()), "bpctl whoami");
    }

    #[test]
    fn a_document_has_text_and_words() {
        let hint = Hint::from(("go on with", CommandLine::bpctl(["migrate"]).args(["a b"]), "or"))
            .command(CommandLine::bpctl(["triage"]));
        assert_eq!(
            serde_json::to_value(hint).unwrap(),
            serde_json::json!({
                "text": "go on with `bpctl migrate 'a b'` or `bpctl triage`",
                "command": ["bpctl", "migrate", "a b"],
                "changes": true,
                "then": [["bpctl", "triage"]],
            })
        );
        assert_eq!(
            serde_json::to_value(Hint::new("sign in")).unwrap(),
            serde_json::json!({"text": "sign in"})
        );
    }
}
