//! What is said on stderr about the model behind a result: what is taken for granted and what takes no part.

use crate::fleet::scaling::Model;
use crate::output::{View, paragraph};
use crate::ui::Ui;

/// Says what could not be read and what takes no part.
pub(super) fn note(ui: &Ui, model: &Model) {
    assumed(ui, model);
    for part in &model.left_out {
        say(ui, "left out: ", &part.what);
    }
}

/// Says what could not be read.
pub(super) fn assumed(ui: &Ui, model: &Model) {
    for assumption in &model.assumptions {
        say(ui, "assumed: ", assumption);
    }
}

/// Broken between words on a terminal; one line for a search in a log.
pub(super) fn say(ui: &Ui, lead: &str, text: &str) {
    let Some(width) = ui.width() else {
        return ui.status(&format!("{lead}{text}"));
    };
    let view = View {
        wide: false,
        width: Some(width),
        color: false,
    };
    let mut lines = String::new();
    paragraph(&mut lines, &view, lead, text);
    ui.status(lines.trim_end());
}
