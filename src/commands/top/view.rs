//! What the operator looks at: which row is selected, what is filtered, what lies above it; and what a key does.

use super::keys::Key;
use super::overlay::{Menu, Overlay, Pager};
use super::propose::{self, Proposal};
use super::rows::{Pane, PaneRows, Row, Subject};
use crate::error::CommandLine;

/// The longest filter.
const LONGEST: usize = 60;

/// What a key asks for, beside another look at the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Nothing,
    Quit,
    /// Ctrl-C.
    Interrupt,
    Refresh,
    /// Everything drawn anew: something else has written on the terminal.
    Repaint,
    /// Shows what a command that only looks says.
    Show(CommandLine),
    /// The same of one that goes on.
    Tail(CommandLine),
    /// A finding, by its key: what it says is known already.
    ShowFinding(String),
    /// The same of an alarm, by its name.
    ShowAlarm(String),
    /// What triage says to type next about a finding.
    ProposeFor(String),
    /// Leaves the view for a command and its questions.
    Run(CommandLine),
    /// What is shown above is closed.
    Close,
}

/// What is on the screen.
#[derive(Debug, Default)]
pub(super) struct View {
    /// The selected row: its pane, its key, and where it was.
    selected: Option<(Pane, String, usize)>,
    pub(super) filter: String,
    /// The filter is being typed.
    pub(super) types_filter: bool,
    pub(super) overlay: Overlay,
    /// Something to say once.
    pub(super) notice: Option<String>,
}

impl View {
    /// The position of the selected row in its pane. A row that has gone leaves the selection where it was.
    pub(super) fn selection(&self, panes: &[PaneRows]) -> Option<(Pane, usize)> {
        let all = |pane: Pane| panes.iter().find(|rows| rows.pane == pane);
        if let Some((pane, key, index)) = &self.selected
            && let Some(rows) = all(*pane).map(|rows| &rows.rows)
            && !rows.is_empty()
        {
            let found = rows.iter().position(|row| row.key == *key);
            return Some((*pane, found.unwrap_or((*index).min(rows.len() - 1))));
        }
        let first = panes.iter().find(|rows| !rows.rows.is_empty())?;
        Some((first.pane, 0))
    }

    pub(super) fn row<'a>(&self, panes: &'a [PaneRows]) -> Option<&'a Row> {
        let (pane, index) = self.selection(panes)?;
        panes.iter().find(|rows| rows.pane == pane)?.rows.get(index)
    }

    fn select(&mut self, panes: &[PaneRows], pane: Pane, index: usize) {
        let rows = panes.iter().find(|rows| rows.pane == pane);
        if let Some(row) = rows.and_then(|rows| rows.rows.get(index)) {
            self.selected = Some((pane, row.key.clone(), index));
        }
    }

    /// Goes `by` rows on, from pane to pane.
    fn go(&mut self, panes: &[PaneRows], by: isize) {
        let places: Vec<(Pane, usize)> = panes
            .iter()
            .flat_map(|rows| (0..rows.rows.len()).map(|index| (rows.pane, index)))
            .collect();
        let Some(here) = self.selection(panes) else { return };
        let at = places.iter().position(|place| *place == here).unwrap_or(0);
        let last = places.len().saturating_sub(1);
        let to = at.saturating_add_signed(by).min(last);
        if let Some((pane, index)) = places.get(to).copied() {
            self.select(panes, pane, index);
        }
    }

    /// Goes to the first row of the next pane that has any, or of the one before.
    fn next_pane(&mut self, panes: &[PaneRows], forward: bool) {
        let Some((here, _)) = self.selection(panes) else {
            return;
        };
        let filled: Vec<Pane> = panes
            .iter()
            .filter(|rows| !rows.rows.is_empty())
            .map(|rows| rows.pane)
            .collect();
        let at = filled.iter().position(|pane| *pane == here).unwrap_or(0);
        let step = if forward { 1 } else { filled.len() - 1 };
        self.select(panes, filled[(at + step) % filled.len()], 0);
    }

    /// What a key does.
    pub(super) fn press(&mut self, key: Key, panes: &[PaneRows]) -> Action {
        self.notice = None;
        match key {
            Key::CtrlC => return Action::Interrupt,
            Key::Redraw => return Action::Repaint,
            _ => {}
        }
        if self.types_filter {
            self.type_filter(key);
            return Action::Nothing;
        }
        if self.overlay.is_open() {
            return self.press_above(key);
        }
        match key {
            Key::Char('q') => return Action::Quit,
            Key::Char('?') => self.overlay = Overlay::Pager(Pager::help()),
            Key::Char('/') => self.types_filter = true,
            Key::Escape => self.filter.clear(),
            Key::Char('r') => return Action::Refresh,
            Key::Char('j') | Key::Down => self.go(panes, 1),
            Key::Char('k') | Key::Up => self.go(panes, -1),
            Key::PageDown => self.go(panes, 10),
            Key::PageUp => self.go(panes, -10),
            Key::Home | Key::Char('g') => self.go(panes, isize::MIN / 2),
            Key::End | Key::Char('G') => self.go(panes, isize::MAX / 2),
            Key::Tab | Key::Right => self.next_pane(panes, true),
            Key::BackTab | Key::Left => self.next_pane(panes, false),
            Key::Enter | Key::Char('d') => return self.describe(panes),
            Key::Char('l') => return self.tail(panes),
            Key::Char('+') => return self.resize(panes, 1),
            Key::Char('-') => return self.resize(panes, -1),
            Key::Char('s') => return self.propose(panes),
            _ => {}
        }
        Action::Nothing
    }

    fn type_filter(&mut self, key: Key) {
        match key {
            Key::Enter => self.types_filter = false,
            Key::Escape => {
                self.filter.clear();
                self.types_filter = false;
            }
            Key::Backspace if self.filter.pop().is_none() => self.types_filter = false,
            Key::Char(letter) if self.filter.chars().count() < LONGEST => self.filter.push(letter),
            _ => {}
        }
    }

    fn press_above(&mut self, key: Key) -> Action {
        let action = match &mut self.overlay {
            Overlay::None => Action::Nothing,
            Overlay::Pager(pager) => pager.press(key),
            Overlay::Menu(menu) => menu.press(key),
        };
        if matches!(action, Action::Close | Action::Run(_) | Action::Show(_)) {
            self.overlay = Overlay::None;
        }
        action
    }

    fn describe(&mut self, panes: &[PaneRows]) -> Action {
        let Some(row) = self.row(panes) else {
            return self.say("there is nothing to describe");
        };
        match &row.subject {
            Subject::Finding { key, .. } => Action::ShowFinding(key.clone()),
            Subject::Alarm {
                name,
                described: false,
                ..
            } => Action::ShowAlarm(name.clone()),
            subject => match propose::describe(subject) {
                Some(command) => Action::Show(command),
                None => self.say("the row says all there is"),
            },
        }
    }

    fn tail(&mut self, panes: &[PaneRows]) -> Action {
        match self.row(panes).and_then(|row| propose::logs(&row.subject)) {
            Some(command) => Action::Tail(command),
            None => self.say("this has no logs: select a service or a fleet"),
        }
    }

    fn resize(&mut self, panes: &[PaneRows], by: i32) -> Action {
        match self.row(panes).map(|row| &row.subject) {
            Some(Subject::Fleet { fleet, desired }) => match desired.checked_add_signed(by) {
                Some(wanted) => Action::Run(propose::scale(fleet, wanted)),
                None => self.say("the fleet is at zero already"),
            },
            _ => self.say("`+` and `-` change the size of a fleet: select one"),
        }
    }

    fn propose(&mut self, panes: &[PaneRows]) -> Action {
        let Some(row) = self.row(panes) else {
            return self.say("there is nothing to propose a change for");
        };
        if let Subject::Finding { key, .. } = &row.subject {
            return Action::ProposeFor(key.clone());
        }
        let (title, proposals) = propose::changes(&row.subject);
        self.open_menu(title, proposals);
        Action::Nothing
    }

    /// Lets the operator choose.
    pub(super) fn open_menu(&mut self, title: String, proposals: Vec<Proposal>) {
        if proposals.is_empty() {
            self.notice = Some("there is nothing to propose here".to_owned());
        } else {
            self.overlay = Overlay::Menu(Menu::new(title, proposals));
        }
    }

    fn say(&mut self, notice: &str) -> Action {
        self.notice = Some(notice.to_owned());
        Action::Nothing
    }
}
