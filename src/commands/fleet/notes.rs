//! What is said on stderr about the model behind a result, and how its figures are put into words.

use crate::fleet::scaling::Model;
use crate::output::{View, paragraph};
use crate::ui::Ui;

/// Says what nobody could tell and what takes no part.
pub(super) fn note(ui: &Ui, model: &Model) {
    assumed(ui, model);
    for part in &model.left_out {
        say(ui, "left out: ", &part.what);
    }
}

/// Says what nobody could tell.
pub(super) fn assumed(ui: &Ui, model: &Model) {
    for assumption in &model.assumptions {
        say(ui, "assumed: ", assumption);
    }
}

/// Broken between words on a terminal; one line for whoever searches a log.
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

/// `12s`, `4m 10s`, `2h 05m`, `3d 04h`.
pub(super) fn span(seconds: f64) -> String {
    let seconds = seconds.max(0.0).round() as u64;
    let (large, small) = match seconds {
        0..=59 => return format!("{seconds}s"),
        60..=3_599 => ((60, "m"), (1, "s")),
        3_600..=86_399 => ((3_600, "h"), (60, "m")),
        _ => ((86_400, "d"), (3_600, "h")),
    };
    let rest = seconds % large.0 / small.0;
    let whole = format!("{}{}", seconds / large.0, large.1);
    if rest == 0 {
        whole
    } else {
        format!("{whole} {rest:02}{}", small.1)
    }
}

/// `$12.34`; of small amounts as many digits as say something.
pub(super) fn dollars(amount: f64) -> String {
    if amount == 0.0 || amount >= 0.995 {
        format!("${amount:.2}")
    } else {
        format!("${amount:.4}")
    }
}

/// `12.3%`; whole when it is.
pub(super) fn percent(share: f64) -> String {
    let percent = (share * 1_000.0).round() / 10.0;
    if percent == 0.0 && share > 0.0 {
        "under 0.1%".to_owned()
    } else {
        format!("{percent}%")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_at_most_two_units() {
        let spans = [0.0, 0.4, 59.4, 60.0, 250.0, 3_600.0, 7_500.0, 273_600.0].map(span);
        assert_eq!(
            spans,
            ["0s", "0s", "59s", "1m", "4m 10s", "1h", "2h 05m", "3d 04h"]
        );
    }

    #[test]
    fn figures_say_as_much_as_they_know() {
        assert_eq!(
            [0.0, 0.0038, 0.5, 12.0].map(dollars),
            ["$0.00", "$0.0038", "$0.5000", "$12.00"]
        );
        assert_eq!(
            [0.0, 0.0001, 0.5, 0.1234].map(percent),
            ["0%", "under 0.1%", "50%", "12.3%"]
        );
    }
}
