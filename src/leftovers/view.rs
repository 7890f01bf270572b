//! Leftovers as people see them.

use super::{ASSUMPTIONS, Kind, LeftAlone, Leftover};
use crate::output::{Table, View, counted};

/// The things with their costs, parameters as a number, and what all of it costs.
pub(crate) fn table(heading: &'static str, all: &[Leftover], dollars: f64, view: &View) -> String {
    let mut table = Table::new(&[heading, "NAME", "ABOUT", "$/MONTH"]);
    let mut parameters = 0_u64;
    for one in all {
        if one.kind == Kind::Parameter {
            parameters += 1;
            continue;
        }
        let dollars = one
            .dollars_per_month
            .map_or_else(|| "?".to_owned(), |dollars| format!("{dollars:.2}"));
        table.row([
            one.kind.word().to_owned(),
            one.name.clone(),
            one.about.clone(),
            dollars,
        ]);
    }
    let mut text = table.render(view);
    if parameters > 0 {
        let and = if text.is_empty() { "" } else { "and " };
        text.push_str(&format!("{and}{}\n", counted(parameters, "parameter")));
    }
    text.push_str(&format!(
        "about ${dollars:.2} a month: {}\n",
        ASSUMPTIONS.join("; ")
    ));
    text
}

/// What is not the platform's, and why it is not taken for it.
pub(crate) fn left_alone(all: &[LeftAlone], view: &View) -> String {
    let mut table = Table::new(&["LEFT ALONE", "NAME", "WHY"]);
    for one in all {
        table.row([one.kind.word().to_owned(), one.name.clone(), one.why.clone()]);
    }
    table.render(view)
}
