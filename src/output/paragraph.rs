//! Sentences for people: broken between words, readable in 80 columns.

use super::View;
use crate::ui::one_line;

/// Lines are broken here in a pipe and on wide terminals.
const WIDTH: usize = 100;

/// `text` behind `lead`, broken between words, the following lines indented. Words longer than a line
/// stay whole: they may be there to be copied.
pub(crate) fn paragraph(out: &mut String, view: &View, lead: &str, text: &str) {
    let width = view
        .width
        .map_or(WIDTH, |width| usize::from(width).clamp(40, WIDTH));
    let indent = lead.chars().count();
    let mut line = lead.to_owned();
    let mut used = indent;
    let text = one_line(text);
    for word in text.split(' ') {
        let length = word.chars().count();
        if used > indent && used + 1 + length > width {
            out.push_str(line.trim_end());
            out.push('\n');
            line = " ".repeat(indent);
            used = indent;
        }
        if used > indent {
            line.push(' ');
            used += 1;
        }
        line.push_str(word);
        used += length;
    }
    out.push_str(line.trim_end());
    out.push('\n');
}
