//! Tables in the manner of kubectl: upper-case headers, no lines.

use comfy_table::{ContentArrangement, presets};
use console::measure_text_width;

use super::View;
use crate::ui::one_line;

/// Blanks between columns.
const GAP: u16 = 2;

/// Columns of the terminal in which sentences can still be read.
const NARROWEST: usize = 24;

/// From here on words are a sentence.
const SENTENCE: usize = 4;

/// Rows under headers. An empty table renders to nothing: say so in words instead.
#[derive(Debug)]
pub(crate) struct Table {
    headers: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(headers: &[&'static str]) -> Self {
        Self {
            headers: headers.to_vec(),
            rows: Vec::new(),
        }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows
            .push(cells.into_iter().map(|cell| one_line(&cell)).collect());
    }

    /// The table as text, ending with a newline. No name is ever broken: a line that is too long for the
    /// terminal overflows it, as kubectl's do; only sentences in the last column go on below themselves.
    pub(crate) fn render(&self, view: &View) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        let mut table = comfy_table::Table::new();
        table
            .load_style(presets::NOTHING)
            .set_header(self.headers.iter().copied())
            .set_content_arrangement(ContentArrangement::Disabled);
        let room = view.width.and_then(|width| self.room_for_last(width));
        for row in &self.rows {
            let mut row = row.clone();
            if let (Some(room), Some(last)) = (room, row.get_mut(self.headers.len() - 1)) {
                *last = broken(last, room);
            }
            table.add_row(row);
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, GAP));
        }
        table
            .lines()
            .map(|line| line.trim_end().to_owned() + "\n")
            .collect()
    }

    /// What the other columns leave of `width` to the last one, if sentences can be read in that.
    fn room_for_last(&self, width: u16) -> Option<usize> {
        let others = self.headers.len().checked_sub(1)?;
        let taken: usize = (0..others)
            .map(|column| {
                let cells = self.rows.iter().filter_map(|row| row.get(column));
                let widest = cells.map(|cell| measure_text_width(cell)).max().unwrap_or(0);
                widest.max(self.headers[column].len()) + usize::from(GAP)
            })
            .sum();
        usize::from(width)
            .checked_sub(taken)
            .filter(|room| *room >= NARROWEST)
    }
}

/// A sentence of more than `room` columns as lines that end between words; names stay whole.
fn broken(text: &str, room: usize) -> String {
    if measure_text_width(text) <= room || text.split(' ').count() < SENTENCE {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 8);
    let mut used = 0;
    for word in text.split(' ') {
        let length = measure_text_width(word);
        if used > 0 && used + 1 + length > room {
            out.push('\n');
            used = 0;
        } else if used > 0 {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        used += length;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_without_trailing_blanks() {
        let mut table = Table::new(&["NAME", "STATE"]);
        table.row(["a".to_owned(), "running".to_owned()]);
        table.row(["long-name".to_owned(), String::new()]);
        let text = table.render(&View {
            wide: false,
            width: None,
            color: false,
        });
        assert_eq!(text, "NAME       STATE\na          running\nlong-name\n");
    }

    #[test]
    fn no_width_breaks_a_name() {
        let view = |width| View {
            wide: true,
            width: Some(width),
            color: false,
        };
        let mut table = Table::new(&["FLEET", "TYPE"]);
        table.row([
            "production/gpu-default-with-a-long-name".to_owned(),
            "g4dn.xlarge (not the one that the template asks for)".to_owned(),
        ]);
        assert_eq!(
            table.render(&view(70)),
            "FLEET                                    TYPE\n\
             production/gpu-default-with-a-long-name  g4dn.xlarge (not the one that\n\
             \u{20}                                        the template asks for)\n"
        );
        // Too narrow for sentences: the line overflows.
        for width in [1, 20, 60] {
            let text = table.render(&view(width));
            assert_eq!(text.lines().count(), 2, "{text}");
            assert!(text.contains("production/gpu-default-with-a-long-name  g4dn.xlarge"));
        }
    }

    #[test]
    fn a_cell_is_one_line_whatever_is_in_it() {
        let mut table = Table::new(&["NAME", "STATE"]);
        table.row(["a\nb\u{1b}[2J\u{9b}".to_owned(), "run\u{202e}ning".to_owned()]);
        let text = table.render(&View {
            wide: false,
            width: None,
            color: false,
        });
        assert_eq!(text, "NAME  STATE\na b   running\n");
    }
}
