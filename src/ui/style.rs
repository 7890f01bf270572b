//! Colour by role, and the removal of control characters from text that came from elsewhere.

use owo_colors::{OwoColorize as _, Style};

/// What a piece of text is, not how it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Error,
    Warning,
    Hint,
    Good,
    Strong,
    Dim,
}

/// `text` in the role's style, or unchanged.
pub(crate) fn paint(color: bool, role: Role, text: &str) -> String {
    if !color {
        return text.to_owned();
    }
    let style = match role {
        Role::Error => Style::new().red().bold(),
        Role::Warning => Style::new().yellow().bold(),
        Role::Hint => Style::new().cyan().bold(),
        Role::Good => Style::new().green(),
        Role::Strong => Style::new().bold(),
        Role::Dim => Style::new().dimmed(),
    };
    text.style(style).to_string()
}

/// `text` without escape sequences and without control characters other than tab and newline.
pub(crate) fn strip_controls(text: &str) -> String {
    anstream::adapter::strip_str(text)
        .to_string()
        .chars()
        .filter(|c| !c.is_control() || matches!(c, '\t' | '\n'))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_line_cannot_move_the_cursor() {
        assert_eq!(
            strip_controls("\u{1b}[2J\u{1b}[31mred\u{1b}[0m\rover\u{7}\tx"),
            "redover\tx"
        );
    }

    #[test]
    fn no_colour_means_no_bytes_added() {
        assert_eq!(paint(false, Role::Error, "x"), "x");
        assert_ne!(paint(true, Role::Error, "x"), "x");
    }
}
