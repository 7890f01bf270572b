//! Colours by meaning, and the marks that the terminal's letters allow. Everything can be told apart without colour.

use ratatui::style::{Color, Modifier, Style};

use crate::commands::top::rows::Tone;

/// How the view looks on this terminal.
#[derive(Clone, Copy, Debug)]
pub(in crate::commands::top) struct Theme {
    pub(in crate::commands::top) color: bool,
    pub(in crate::commands::top) unicode: bool,
}

impl Theme {
    fn colored(self, color: Color) -> Style {
        if self.color {
            Style::new().fg(color)
        } else {
            Style::new()
        }
    }

    pub(super) fn tone(self, tone: Tone) -> Style {
        match tone {
            Tone::Plain => Style::new(),
            Tone::Good => self.colored(Color::Green),
            Tone::Warning => self.colored(Color::Yellow),
            Tone::Bad => self.colored(Color::Red).add_modifier(Modifier::BOLD),
            Tone::Dim => Style::new().add_modifier(Modifier::DIM),
        }
    }

    pub(super) fn title(self) -> Style {
        self.colored(Color::Cyan).add_modifier(Modifier::BOLD)
    }

    pub(super) fn queue(self) -> Style {
        self.colored(Color::Yellow)
    }

    pub(super) fn workers(self) -> Style {
        self.colored(Color::Green)
    }

    pub(super) fn desired(self) -> Style {
        self.colored(Color::Blue)
    }

    pub(super) fn selected(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    pub(super) fn marker(self) -> &'static str {
        if self.unicode { "▸" } else { ">" }
    }

    pub(super) fn ellipsis(self) -> &'static str {
        if self.unicode { "…" } else { "~" }
    }

    pub(super) fn rule(self) -> &'static str {
        if self.unicode { "─" } else { "-" }
    }

    pub(super) fn dot(self) -> &'static str {
        if self.unicode { "·" } else { "-" }
    }

    pub(super) fn branch(self) -> &'static str {
        if self.unicode { "└ " } else { "` " }
    }

    /// Heights from next to nothing to all; zero is the first.
    pub(super) fn levels(self) -> [char; 9] {
        if self.unicode {
            ['▁', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█']
        } else {
            ['_', '.', ':', '-', '=', '+', '*', '%', '#']
        }
    }
}
