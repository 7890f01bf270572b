//! Cost against wait: what nothing beats, what is, and what would be best.

use super::outcome::{Tried, Tuning};
use crate::plot::{Across, Chart, Limit, Panel, Series, Shape};

/// Waits beyond so many times what matters would press everything else to the bottom.
const SLOW: f64 = 4.0;

impl Tuning {
    /// The frontier, the current configuration and the best.
    pub(super) fn chart(&self) -> Chart {
        let objective = self.objective.wait_p95_seconds;
        let matters = [Some(&self.current), self.best.as_ref(), self.frontier.last()];
        let matters = matters
            .into_iter()
            .flatten()
            .filter(|tried| !self.is_stuck(tried))
            .map(|tried| tried.wait_p95_seconds)
            .fold(objective, f64::max);
        let shown = |tried: &&Tried| tried.wait_p95_seconds <= SLOW * matters && !self.is_stuck(tried);
        let frontier: Vec<&Tried> = self.frontier.iter().filter(shown).collect();
        let left_out = self.frontier.len() - frontier.len();
        let of = |name: &str, shape, tried: &[&Tried]| Series {
            name: name.to_owned(),
            shape,
            points: tried
                .iter()
                .map(|tried| (tried.cost_per_day, tried.wait_p95_seconds / 60.0))
                .collect(),
        };
        let mut series = vec![of("frontier", Shape::Ring, &frontier)];
        let current: Vec<&Tried> = [&self.current].into_iter().filter(shown).collect();
        if !current.is_empty() {
            series.push(of("current", Shape::Cross, &current));
        }
        if let Some(best) = &self.best {
            series.push(of("best", Shape::Star, &[best]));
        }
        Chart {
            title: format!(
                "{}: cost and wait, {} of {}",
                self.fleet, self.scenario.length, self.scenario.arrivals
            ),
            across: Across::Quantity("dollars a day".to_owned()),
            panels: vec![Panel {
                title: match left_out {
                    0 => "p95 wait, minutes".to_owned(),
                    _ => format!("p95 wait, minutes ({left_out} slower not shown)"),
                },
                whole: false,
                series,
                limit: Some(Limit {
                    at: objective / 60.0,
                    name: "objective".to_owned(),
                }),
            }],
        }
    }
}
