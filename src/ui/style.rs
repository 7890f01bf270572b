//! Colour by role.

use owo_colors::{OwoColorize as _, Style};

use super::defuse::strip_controls;

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

/// `text`, made harmless, in the role's style.
pub(crate) fn paint(color: bool, role: Role, text: &str) -> String {
    let text = strip_controls(text);
    if !color {
        return text.into_owned();
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

/// `text`, made harmless, in one of several colours that a number chooses.
pub(crate) fn tint(color: bool, number: u64, text: &str) -> String {
    let text = strip_controls(text);
    if !color {
        return text.into_owned();
    }
    let style = match number % 6 {
        0 => Style::new().cyan(),
        1 => Style::new().green(),
        2 => Style::new().magenta(),
        3 => Style::new().blue(),
        4 => Style::new().bright_cyan(),
        _ => Style::new().bright_magenta(),
    };
    text.style(style).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_colour_means_no_bytes_added() {
        assert_eq!(paint(false, Role::Error, "x"), "x");
        assert_ne!(paint(true, Role::Error, "x"), "x");
    }
}
