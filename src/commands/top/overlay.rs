//! What lies above the panes: text to read, and a list to choose from.

use std::collections::VecDeque;

use super::keys::Key;
use super::propose::Proposal;
use super::view::Action;
use crate::error::CommandLine;
use crate::layout::FleetId;
use crate::ui::strip_controls;

/// How many lines of logs are kept.
const LINES: usize = 2_000;

/// The most digits of a number of instances.
const DIGITS: usize = 4;

const HELP: &str = "\
j k  arrows          select a row, PgUp PgDn Home End farther
Tab  Shift-Tab       the next pane, the one before
/                    show only rows with a text, Esc shows all again
Enter  d             describe what is selected
l                    follow its logs by CloudWatch Logs Live Tail, which AWS
                     charges by the minute
+  -                 propose one instance more or fewer for a fleet
s                    propose another change: a size, zero, a deployment, or
                     what triage says to type next
r                    look again now
Ctrl-L               draw the screen anew
q  Ctrl-C            quit

A proposal leaves this view and runs the command that is shown, with its
own plan and its own question. Nothing is changed without it.

Sparklines show the last hour, the newest minute at the right; a blank
is a minute without a value. Each has a scale of its own.
A `*` marks a finding that is new since the look before.
What could not be looked at again keeps its last picture, and says since
when it is stale and why.";

/// What lies above the panes.
#[derive(Debug, Default)]
pub(super) enum Overlay {
    #[default]
    None,
    Pager(Pager),
    Menu(Menu),
}

impl Overlay {
    pub(super) fn is_open(&self) -> bool {
        !matches!(self, Self::None)
    }

    pub(super) fn pager(&mut self) -> Option<&mut Pager> {
        match self {
            Self::Pager(pager) => Some(pager),
            Self::None | Self::Menu(_) => None,
        }
    }
}

/// Text that is longer than the screen.
#[derive(Debug, Default)]
pub(super) struct Pager {
    pub(super) title: String,
    lines: VecDeque<String>,
    /// The first line that is shown, from the top.
    at: usize,
    /// The last line that may be the first in sight.
    last: usize,
    /// More lines come.
    tails: bool,
    /// The newest line stays in sight.
    follows: bool,
    /// What is still being done.
    pub(super) state: String,
}

impl Pager {
    pub(super) fn new(title: impl Into<String>, text: &str) -> Self {
        let mut pager = Self {
            title: title.into(),
            ..Self::default()
        };
        pager.push(text);
        pager
    }

    pub(super) fn help() -> Self {
        Self::new("KEYS", HELP)
    }

    /// One whose end stays in sight.
    pub(super) fn following(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            follows: true,
            tails: true,
            state: "waiting for lines …".to_owned(),
            ..Self::default()
        }
    }

    /// More lines.
    pub(super) fn push(&mut self, text: &str) {
        for line in text.lines() {
            self.lines.push_back(strip_controls(line).replace('\t', "    "));
        }
        let surplus = self.lines.len().saturating_sub(LINES);
        self.lines.drain(..surplus);
        self.at = self.at.saturating_sub(surplus);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The lines in sight when there is room for `height` of `width` columns, and which of how many the first one is. Longer
    /// ones go on in the next line.
    pub(super) fn in_sight(&self, width: usize, height: usize) -> (usize, usize, Vec<&str>) {
        let all: Vec<&str> = self.lines.iter().flat_map(|line| wrapped(line, width)).collect();
        let last = all.len().saturating_sub(height);
        let at = if self.follows { last } else { self.at.min(last) };
        let count = all.len();
        (at, count, all.into_iter().skip(at).take(height).collect())
    }

    /// Where the first line in sight was when it was drawn last, and the last place it may have.
    pub(super) fn drawn(&mut self, at: usize, last: usize) {
        self.at = at;
        self.last = last;
    }

    fn scroll(&mut self, by: isize) {
        self.at = self.at.saturating_add_signed(by).min(self.last);
        self.follows = self.tails && self.at == self.last;
    }

    pub(super) fn press(&mut self, key: Key) -> Action {
        match key {
            Key::Char('q' | '?') | Key::Escape | Key::Enter => return Action::Close,
            Key::Char('j') | Key::Down => self.scroll(1),
            Key::Char('k') | Key::Up => self.scroll(-1),
            Key::PageDown | Key::Char(' ') => self.scroll(10),
            Key::PageUp => self.scroll(-10),
            Key::Home | Key::Char('g') => self.scroll(isize::MIN / 2),
            Key::End | Key::Char('G') => self.scroll(isize::MAX / 2),
            _ => {}
        }
        Action::Nothing
    }
}

/// A line in parts of at most `width` letters.
fn wrapped(line: &str, width: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = line;
    while let Some((end, _)) = rest.char_indices().nth(width.max(1)) {
        parts.push(&rest[..end]);
        rest = &rest[end..];
    }
    parts.push(rest);
    parts
}

/// Proposals to choose from.
#[derive(Debug)]
pub(super) struct Menu {
    pub(super) title: String,
    pub(super) proposals: Vec<Proposal>,
    pub(super) at: usize,
    /// A number of instances, as far as it has been typed.
    pub(super) number: Option<(FleetId, String)>,
}

impl Menu {
    pub(super) fn new(title: String, proposals: Vec<Proposal>) -> Self {
        Self {
            title,
            proposals,
            at: 0,
            number: None,
        }
    }

    pub(super) fn press(&mut self, key: Key) -> Action {
        if self.number.is_some() {
            return self.press_number(key);
        }
        let last = self.proposals.len().saturating_sub(1);
        match key {
            Key::Char('q' | 's') | Key::Escape => return Action::Close,
            Key::Char('j') | Key::Down | Key::Tab => self.at = (self.at + 1).min(last),
            Key::Char('k') | Key::Up | Key::BackTab => self.at = self.at.saturating_sub(1),
            Key::Char(digit @ '1'..='9') => {
                let chosen = digit as usize - '1' as usize;
                if chosen <= last {
                    self.at = chosen;
                    return self.choose();
                }
            }
            Key::Enter => return self.choose(),
            _ => {}
        }
        Action::Nothing
    }

    fn choose(&mut self) -> Action {
        match self.proposals.get(self.at) {
            Some(Proposal::Command(command)) => Action::Run(command.clone()),
            Some(Proposal::Size(fleet)) => {
                self.number = Some((fleet.clone(), String::new()));
                Action::Nothing
            }
            None => Action::Close,
        }
    }

    fn press_number(&mut self, key: Key) -> Action {
        let Some((_, digits)) = &mut self.number else {
            return Action::Nothing;
        };
        match key {
            Key::Escape => self.number = None,
            Key::Backspace => {
                digits.pop();
            }
            Key::Char(digit) if digit.is_ascii_digit() && digits.len() < DIGITS => digits.push(digit),
            Key::Enter => return self.sized().map_or(Action::Nothing, Action::Run),
            _ => {}
        }
        Action::Nothing
    }

    /// The command for the number, once it is one.
    pub(super) fn sized(&self) -> Option<CommandLine> {
        let (fleet, digits) = self.number.as_ref()?;
        Some(super::propose::scale(fleet, digits.parse().ok()?))
    }
}
