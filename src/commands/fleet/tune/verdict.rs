//! What a search means, in a sentence: what to change, or that nothing helps and what might.

use super::super::text::{dollars, percent, span};
use super::outcome::{Tried, Tuning};
use crate::error::{CtlError, ErrorKind, Result};

impl Tuning {
    /// The sentences under the table when there is an answer.
    pub(super) fn answer(&self) -> Vec<String> {
        let mut sentences = self.found();
        if let Some(held_out) = self.held_out {
            let passed_over = match held_out.passed_over {
                0 => String::new(),
                count => format!("; {count} cheaper on the seeds of the search did not keep it there"),
            };
            sentences.push(format!(
                "On {} seeds that the search has not seen the p95 wait is at most {}: a further run stays within it with 95% \
                 confidence{passed_over}.",
                held_out.seeds,
                span(held_out.wait_p95_bound_seconds)
            ));
        }
        for unknown in &self.unknown {
            sentences.push(format!(
                "Not known: {unknown}. The figures are those of the rest."
            ));
        }
        sentences
    }

    fn found(&self) -> Vec<String> {
        let Some(best) = &self.best else { return Vec::new() };
        let found = format!(
            "{} a day with a p95 wait of {}",
            dollars(best.cost_per_day),
            span(best.wait_p95_seconds)
        );
        if self.changes.is_empty() {
            return vec![format!(
                "The configuration as it is is the cheapest of {} that {}: {found}.",
                self.evaluated,
                self.objective_text()
            )];
        }
        let changes: Vec<String> = self
            .changes
            .iter()
            .map(|change| format!("{} {} -> {}", change.what, change.from, change.to))
            .collect();
        vec![
            format!(
                "The cheapest of {} that {}: {found}{}.",
                self.evaluated,
                self.objective_text(),
                self.against_now(best),
            ),
            format!("Change: {}.", changes.join(", ")),
        ]
    }

    /// That there is an answer.
    ///
    /// # Errors
    /// None of the combinations meets the objective.
    pub(super) fn verdict(&self) -> Result<()> {
        if self.best.is_some() {
            return Ok(());
        }
        let error = CtlError::new(
            ErrorKind::Failed,
            format!(
                "find a configuration that {}: none of {} does",
                self.objective_text(),
                self.evaluated
            ),
        );
        let Some(quickest) = self.frontier.last() else {
            return Err(error);
        };
        if self.is_stuck(quickest) {
            let largest = self.space.max_sizes.iter().max().copied().unwrap_or_default();
            let twice = largest.max(self.config.max).saturating_mul(2);
            return Err(error
                .cause("none of them gets through its queue")
                .hint(format!("try more instances with `--max {twice}`")));
        }
        let error = error.cause(format!(
            "the shortest p95 wait is {}, for {} a day, with {} of the jobs lost",
            span(quickest.wait_p95_seconds),
            dollars(quickest.cost_per_day),
            percent(quickest.lost_share)
        ));
        Err(self.advise(error, quickest))
    }

    /// What might help, as far as the search tells.
    fn advise(&self, error: CtlError, quickest: &Tried) -> CtlError {
        let cold = &self.config.cold_start;
        let ready = cold.request_seconds + cold.boot_seconds + cold.register_seconds;
        let wanted = self.objective.wait_p95_seconds;
        let largest = self.space.max_sizes.iter().max();
        if quickest.wait_p95_seconds <= wanted {
            error.hint("the wait is within the objective, the losses are not: see `failed` and `rejected` of `fleet simulate`, or allow some with `--lost-share`")
        } else if wanted < ready && self.config.min == 0 {
            error.hint(format!(
                "an instance takes {} to start: a fleet that goes to zero cannot wait less for its first jobs; raise `min`",
                span(ready)
            ))
        } else if largest.is_some_and(|largest| quickest.settings.max < *largest) {
            // The largest was tried and is no quicker.
            error.hint(format!(
                "no size helps: up to {} instances were tried, and none is quicker than {}; try other values, for example \
                 lower ones with `--backlog-target` and higher ones with `--zero-minutes`",
                largest.copied().unwrap_or_default(),
                quickest.settings.max
            ))
        } else if largest == Some(&quickest.settings.max) {
            let twice = quickest.settings.max.saturating_mul(2);
            error.hint(format!(
                "the quickest is as large as any that was tried: try more with `--max {twice}`"
            ))
        } else {
            error.hint("try other values, for example lower ones with `--backlog-target` and higher ones with `--zero-minutes`")
        }
    }

    fn objective_text(&self) -> String {
        let lost = match self.objective.lost_share {
            0.0 => "loses no job".to_owned(),
            share => format!("loses at most {} of the jobs", percent(share)),
        };
        format!(
            "keeps the p95 wait within {} and {lost}",
            span(self.objective.wait_p95_seconds)
        )
    }

    fn against_now(&self, best: &Tried) -> String {
        let now = &self.current;
        let saved = 1.0 - best.cost / now.cost;
        let cost = if !saved.is_finite() {
            String::new()
        } else if saved >= 0.0 {
            format!("{} less than now", percent(saved))
        } else {
            format!("{} more than now", percent(-saved))
        };
        let wait = if self.is_stuck(now) {
            "as it is the fleet does not get through its queue".to_owned()
        } else {
            format!("p95 wait now {}", span(now.wait_p95_seconds))
        };
        let parts: Vec<String> = [cost, wait].into_iter().filter(|part| !part.is_empty()).collect();
        format!(" ({})", parts.join("; "))
    }
}
