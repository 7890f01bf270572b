//! Which prices were counted with, and where each comes from.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::list::{Answers, PricesFrom};
use crate::output::{Table, View, counted};
use crate::prices::{DATE, HOURS_PER_MONTH, Prices, REGION, Source};

/// Where the prices come from.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Priced {
    /// `list`: all of them are AWS' own, just read; `table`: all are the list prices that this bpctl brings along; `both`.
    source: &'static str,
    /// Where they are in force.
    region: String,
    /// When they were: the day of AWS' price list, or of the table where nothing of the list was used.
    date: String,
    /// Why AWS' price list does not have all of them; null where it has, and where it was not to be asked.
    list_unread: Option<String>,
    /// Each price that something was counted with.
    used: Vec<Price>,
    /// The region of what was counted with prices of another one.
    #[serde(skip)]
    elsewhere: Option<String>,
}

/// The price of a product.
#[derive(Debug, Serialize, JsonSchema)]
struct Price {
    product: String,
    /// E.g. `hour`, `GB-month`.
    unit: &'static str,
    /// US dollars for a unit; null where the source has none, or several.
    dollars: Option<f64>,
    /// `list` or `table`.
    source: &'static str,
    /// Where and when it is in force.
    region: String,
    date: String,
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

impl Priced {
    pub(super) fn new(prices: &Prices, answers: &Answers, from: PricesFrom, of: &str) -> Self {
        // A list that does not say of when it is, is of now at most.
        let listed = answers.published.map_or_else(|| "unknown".to_owned(), day);
        let place = |source: Source| match source {
            Source::List => ("list", of.to_owned(), listed.clone()),
            Source::Table => ("table", REGION.to_owned(), DATE.to_owned()),
        };
        let used: Vec<Price> = prices
            .used()
            .into_iter()
            .map(|used| {
                let (source, region, date) = place(used.source);
                Price {
                    product: used.product.label(),
                    unit: used.product.unit(),
                    dollars: used.dollars,
                    source,
                    region,
                    date,
                }
            })
            .collect();
        let has = |source: &str| used.iter().any(|price| price.source == source);
        let (source, (_, region, date)) = match (has("list"), has("table")) {
            (true, false) => ("list", place(Source::List)),
            (true, true) => ("both", place(Source::List)),
            // Nothing was counted: what it would have been counted with.
            (false, false) if from != PricesFrom::Table && answers.refused.is_none() => {
                ("list", place(Source::List))
            }
            (false, _) => ("table", place(Source::Table)),
        };
        let unread = answers.refused.as_ref().map(|why| {
            let questions = counted(answers.unanswered as u64, "question");
            format!("{questions} of it had no answer: {why}")
        });
        let elsewhere = (source != "list" && of != REGION).then(|| of.to_owned());
        Self {
            source,
            region,
            date,
            list_unread: unread,
            used,
            elsewhere,
        }
    }

    /// In clauses, for what was assumed.
    pub(super) fn told(&self) -> Vec<String> {
        let hours = format!(
            "for {HOURS_PER_MONTH:.0} hours a month; discounts, free tiers, credits and tax are not counted"
        );
        let count = |source: &str| self.used.iter().filter(|price| price.source == source).count();
        let mut all = match self.source {
            "list" => vec![format!(
                "AWS' price list of {} of {}, {hours}",
                self.region, self.date
            )],
            "both" => vec![format!(
                "{} of AWS' price list of {} of {} and {} of bpctl's own table of {REGION} of {DATE}, {hours}",
                counted(count("list") as u64, "price"),
                self.region,
                self.date,
                count("table"),
            )],
            _ => vec![format!(
                "list prices of {} of {}, from bpctl's own table, {hours}",
                self.region, self.date
            )],
        };
        if let Some(region) = &self.elsewhere {
            all.push(format!(
                "what was counted is in {region}, where prices differ from those of {REGION}"
            ));
        }
        if let Some(why) = &self.list_unread {
            all.push(format!("AWS' price list could not be read: {why}"));
        }
        let without: Vec<&str> = self
            .used
            .iter()
            .filter(|price| price.dollars.is_none() && price.source == "list")
            .map(|price| price.product.as_str())
            .collect();
        if !without.is_empty() {
            all.push(format!(
                "AWS' price list has not exactly one price of {}, which is unknown therefore",
                without.join(", ")
            ));
        }
        all
    }

    /// Every price with its source.
    pub(super) fn table(&self, view: &View) -> String {
        let mut table = Table::new(&["PRICE", "$/UNIT", "UNIT", "SOURCE", "REGION", "DATE"]);
        for price in &self.used {
            table.row([
                price.product.clone(),
                price.dollars.map_or_else(|| "?".to_owned(), dollars),
                price.unit.to_owned(),
                price.source.to_owned(),
                price.region.clone(),
                price.date.clone(),
            ]);
        }
        table.render(view)
    }
}

/// All digits that say something: prices are down to a ten-millionth of a dollar.
fn dollars(price: f64) -> String {
    let text = format!("{price:.10}");
    let text = text.trim_end_matches('0');
    text.trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_prices_keep_their_digits() {
        assert_eq!(dollars(0.000_000_4), "0.0000004");
        assert_eq!(dollars(55.04), "55.04");
        assert_eq!(dollars(1.0), "1");
    }
}
