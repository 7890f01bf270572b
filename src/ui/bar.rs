//! A bar with the time that is left, for computing that takes longer than a second.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::Ui;
use super::defuse::one_line;

/// Before that the operator does not wonder whether something is going on.
const PATIENCE: Duration = Duration::from_secs(1);

/// Shows how far the work is; disappears when dropped.
#[derive(Debug)]
pub(crate) struct Bar(Gauge);

/// The end of a [`Bar`] that the work holds, in whatever thread.
#[derive(Clone, Debug)]
pub(crate) struct Gauge(Option<Arc<Mutex<State>>>);

#[derive(Debug)]
struct State {
    bars: MultiProgress,
    /// Whether the terminal's locale has more letters than ASCII.
    unicode: bool,
    what: String,
    template: &'static str,
    since: Instant,
    shown: Option<ProgressBar>,
    over: bool,
}

impl Bar {
    pub(super) fn on(bars: &MultiProgress, unicode: bool, what: &str) -> Self {
        Self::with(bars, unicode, what, "{msg} {wide_bar} {percent:>3}% ETA {eta}")
    }

    /// For bytes, with their rate.
    pub(super) fn of_bytes(bars: &MultiProgress, unicode: bool, what: &str) -> Self {
        let template =
            "{msg} {wide_bar} {decimal_bytes}/{decimal_total_bytes} {decimal_bytes_per_sec} ETA {eta}";
        Self::with(bars, unicode, what, template)
    }

    fn with(bars: &MultiProgress, unicode: bool, what: &str, template: &'static str) -> Self {
        Self(Gauge(Some(Arc::new(Mutex::new(State {
            bars: bars.clone(),
            unicode,
            what: one_line(what),
            template,
            since: Instant::now(),
            shown: None,
            over: false,
        })))))
    }

    pub(super) fn silent() -> Self {
        Self(Gauge(None))
    }

    /// Whether there is no terminal to show it on.
    pub(crate) fn is_silent(&self) -> bool {
        self.0.0.is_none()
    }

    /// For the work.
    pub(crate) fn gauge(&self) -> Gauge {
        self.0.clone()
    }
}

impl Gauge {
    /// `done` of `all` is done.
    pub(crate) fn set(&self, done: u64, all: u64) {
        let Some(state) = &self.0 else { return };
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.over || state.since.elapsed() < PATIENCE {
            return;
        }
        if state.shown.is_none() {
            let bar = state
                .bars
                .add(ProgressBar::new(all).with_elapsed(state.since.elapsed()));
            if let Ok(style) = ProgressStyle::with_template(state.template) {
                bar.set_style(if state.unicode {
                    style
                } else {
                    style.progress_chars("=> ")
                });
            }
            bar.set_message(state.what.clone());
            state.shown = Some(bar);
        }
        if let Some(bar) = &state.shown {
            bar.set_length(all);
            bar.set_position(done);
        }
    }
}

impl Drop for Bar {
    /// The work may go on in its thread for a moment; it shows nothing any more.
    fn drop(&mut self) {
        let Some(state) = &self.0.0 else { return };
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        state.over = true;
        if let Some(bar) = state.shown.take() {
            bar.finish_and_clear();
        }
    }
}

impl Ui {
    /// Shows how far a computation is, for as long as the returned value lives: on a terminal, and only
    /// when it takes longer than a second.
    pub(crate) fn bar(&self, what: &str) -> Bar {
        match &self.bars {
            Some(bars) => Bar::on(bars, self.unicode, what),
            None => Bar::silent(),
        }
    }

    /// The same for bytes, with their rate.
    pub(crate) fn bytes_bar(&self, what: &str) -> Bar {
        match &self.bars {
            Some(bars) => Bar::of_bytes(bars, self.unicode, what),
            None => Bar::silent(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quick_work_shows_nothing_and_late_work_shows_nothing_any_more() {
        let bars = MultiProgress::new();
        let bar = Bar::on(&bars, true, "simulating");
        let gauge = bar.gauge();
        let shown = |gauge: &Gauge| gauge.0.as_ref().unwrap().lock().unwrap().shown.is_some();
        gauge.set(1, 2);
        assert!(!shown(&gauge));
        gauge.0.as_ref().unwrap().lock().unwrap().since -= PATIENCE;
        gauge.set(1, 2);
        assert!(shown(&gauge));
        drop(bar);
        gauge.set(2, 2);
        assert!(!shown(&gauge));
    }
}
