//! A search for people: a table of what is, what would be best and what else there is.

use super::super::text::{dollars, percent, span};
use super::outcome::{Settings, Tried, Tuning};
use crate::output::{Render, Table, View, paragraph};
use crate::plot::terminal;

/// Alternatives on each side of the best; `-o wide` shows all.
const NEIGHBOURS: usize = 4;

impl Render for Tuning {
    fn human(&self, view: &View) -> String {
        let scenario = &self.scenario;
        let heading = format!(
            "{}: {} of {}, {} configurations, seeds 1 to {}",
            self.fleet,
            scenario.length,
            scenario.arrivals,
            self.evaluated,
            scenario.seeds.len()
        );
        let mut text = String::new();
        paragraph(&mut text, view, "", &heading);
        text.push('\n');
        text.push_str(&self.table(view));
        text.push_str("\n* differs from the current configuration\n");
        if let Some(width) = view.width {
            text.push('\n');
            text.push_str(&terminal(&self.chart(), width, view.color));
        }
        // The verdict stands at the end, where it is read.
        for sentence in self.answer() {
            text.push('\n');
            paragraph(&mut text, view, "", &sentence);
        }
        text
    }

    fn names(&self) -> Vec<String> {
        vec![self.fleet.clone()]
    }
}

impl Tuning {
    fn table(&self, view: &View) -> String {
        let mut headers = vec!["", "$/DAY", "P95 WAIT"];
        if view.wide {
            headers.extend(["MEAN WAIT", "HOURS/DAY"]);
        }
        headers.extend(["LOST", "TARGET", "ZERO", "MAX", "WARM-UP", "TYPES"]);
        let mut table = Table::new(&headers);
        for (name, tried) in self.rows(view.wide) {
            let mut cells = vec![name.to_owned(), dollars(tried.cost_per_day), self.wait(tried)];
            if view.wide {
                cells.push(span(tried.wait_mean_seconds));
                cells.push(format!("{:.1}", tried.instance_hours / self.scenario.days));
            }
            cells.push(percent(tried.lost_share));
            cells.extend(marked(&tried.settings, &self.current.settings, view.wide));
            table.row(cells);
        }
        table.render(view)
    }

    /// What a wait is; a fleet that did not get through its queue has none.
    fn wait(&self, tried: &Tried) -> String {
        if self.is_stuck(tried) {
            "stuck".to_owned()
        } else {
            span(tried.wait_p95_seconds)
        }
    }

    /// Whether the fleet did not get through its queue: the library gives the whole time as the wait then.
    pub(super) fn is_stuck(&self, tried: &Tried) -> bool {
        tried.wait_p95_seconds >= self.scenario.length.duration().as_secs_f64()
    }

    /// Name and contents of the rows.
    fn rows(&self, all: bool) -> Vec<(&'static str, &Tried)> {
        let mut rows = vec![("current", &self.current)];
        let frontier: Vec<&Tried> = self
            .frontier
            .iter()
            .filter(|tried| tried.settings != self.current.settings)
            .collect();
        let Some(best) = &self.best else {
            // The quickest are the nearest to the objective.
            let skipped = match all {
                true => 0,
                false => frontier.len().saturating_sub(2 * NEIGHBOURS),
            };
            rows.extend(frontier[skipped..].iter().map(|tried| ("frontier", *tried)));
            return rows;
        };
        let neighbours = if all { usize::MAX } else { NEIGHBOURS };
        rows.push(("best", best));
        let others = || frontier.iter().copied().filter(|tried| *tried != best);
        let cheaper: Vec<&Tried> = others().filter(|tried| tried.cost < best.cost).collect();
        let skipped = cheaper.len().saturating_sub(neighbours);
        rows.extend(cheaper[skipped..].iter().map(|tried| ("cheaper", *tried)));
        let quicker = others().filter(|tried| tried.cost >= best.cost);
        rows.extend(quicker.take(neighbours).map(|tried| ("quicker", tried)));
        rows
    }
}

/// The settings' cells, with a star where they differ. A mix of many types is told by how many they are.
fn marked(settings: &Settings, current: &Settings, wide: bool) -> Vec<String> {
    let all = settings.types.len();
    let short = !wide && all > 1 && settings.types == current.types;
    let pairs = settings.texts().into_iter().zip(current.texts());
    let mut cells: Vec<String> = pairs
        .map(|((_, text), (_, now))| if text == now { text } else { format!("{text}*") })
        .collect();
    if let Some(types) = cells.last_mut().filter(|_| short) {
        *types = format!("all {all}");
    }
    cells
}
