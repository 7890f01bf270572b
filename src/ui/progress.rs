//! A spinner on a terminal, nothing elsewhere.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::Ui;
use super::defuse::one_line;

/// For terminals whose locale has no other letters.
const ASCII: [&str; 5] = ["|", "/", "-", "\\", " "];

/// A line that says what is going on; disappears when dropped.
#[derive(Debug)]
pub(crate) struct Progress(Option<ProgressBar>);

impl Progress {
    pub(super) fn spinner(bars: &MultiProgress, unicode: bool, what: &str) -> Self {
        let bar = bars.add(ProgressBar::new_spinner());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}") {
            bar.set_style(if unicode {
                style
            } else {
                style.tick_strings(&ASCII)
            });
        }
        bar.set_message(one_line(what));
        bar.enable_steady_tick(Duration::from_millis(120));
        Self(Some(bar))
    }

    pub(super) fn silent() -> Self {
        Self(None)
    }

    /// Whether somebody sees it.
    pub(crate) fn is_shown(&self) -> bool {
        self.0.is_some()
    }

    /// Replaces the text.
    pub(crate) fn say(&self, what: &str) {
        if let Some(bar) = &self.0 {
            bar.set_message(one_line(what));
        }
    }
}

impl Ui {
    /// Shows that something is going on, for as long as the returned value lives.
    pub(crate) fn progress(&self, what: &str) -> Progress {
        match &self.bars {
            Some(bars) => Progress::spinner(bars, self.unicode, what),
            None => {
                self.status(what);
                Progress::silent()
            }
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = self.0.take() {
            bar.finish_and_clear();
        }
    }
}
