//! What it costs, as people and programs see it.

use schemars::JsonSchema;
use serde::Serialize;

use super::By;
use super::forecast::Forecast;
use super::observe::Seen;
pub(super) use super::priced::Priced;
use super::thing::{Bound, Dollars, Part, Sum, Thing, by};
use super::usage::Measured;
use super::waste::{Kind, Waste};
use crate::error::{CommandLine, Place};
use crate::layout::FleetId;
use crate::output::{Render, Table, View, paragraph};
use crate::prices::{Prices, Product};

/// What no fleet has alone.
const SHARED: &str = "shared";

/// What was found, before it is shown.
pub(super) struct Found {
    pub(super) things: Vec<Thing>,
    pub(super) waste: Vec<Waste>,
    /// What could not be looked at, and why.
    pub(super) gaps: Vec<String>,
    pub(super) forecasts: Option<Vec<Forecast>>,
    /// Dollars a month of the hours of the platform's databases that run; `None` where they are not known.
    pub(super) database: Option<f64>,
    pub(super) priced: Priced,
}

/// The document.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Costs {
    prices: Priced,
    /// `part` or `fleet`: what the rows are.
    by: &'static str,
    rows: Vec<Row>,
    /// Every single thing.
    things: Vec<ThingView>,
    total: Total,
    shutdown: Shutdown,
    waste: Vec<WasteView>,
    /// What could not be looked at, and why.
    gaps: Vec<String>,
    /// Null without `--forecast`.
    forecast: Option<Vec<Forecast>>,
    assumptions: Vec<String>,
}

/// A part or a fleet.
#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    name: String,
    #[serde(flatten)]
    amount: Amount,
    /// What there is of it, or why it is not known.
    about: String,
}

/// US dollars, and what they are to the true amount.
#[derive(Debug, Serialize, JsonSchema)]
struct Amount {
    /// Null when nothing of it is known.
    dollars: Option<Dollars>,
    bound: Bound,
    /// What of it has no known price.
    unknown: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ThingView {
    part: Part,
    fleet: Option<FleetId>,
    name: String,
    about: String,
    /// Null when it is not known.
    dollars: Option<Dollars>,
    bound: Bound,
    /// Of what is billed by use: how much of it, and when; null of everything else.
    measured: Option<Measured>,
}

/// All of what is known.
#[derive(Debug, Serialize, JsonSchema)]
struct Total {
    #[serde(flatten)]
    dollars: Dollars,
    bound: Bound,
    /// What has no known price and is not in the total.
    unknown: Vec<String>,
}

/// What `bpctl shutdown` would save.
#[derive(Debug, Serialize, JsonSchema)]
struct Shutdown {
    /// Tasks and instances of the fleets with their volumes.
    saves: Amount,
    /// The hours of the database, with `--rds stop`; null when they are not known.
    saves_with_rds_stop: Option<Dollars>,
    /// What goes on and has a known price.
    stays: Amount,
}

/// Something that costs for nothing.
#[derive(Debug, Serialize, JsonSchema)]
struct WasteView {
    kind: Kind,
    name: String,
    why: String,
    /// US dollars; null when it is not known.
    dollars_per_month: Option<f64>,
    /// What ends it.
    command: String,
}

/// What the hours of the platform's databases cost a month.
pub(super) fn database_hours(seen: &Seen, prices: &Prices) -> Option<f64> {
    let data = seen.data.as_ref().ok()?;
    let running = data.facts.databases.iter().filter(|one| one.status != "stopped");
    running
        .map(|instance| {
            let class = Product::Database {
                class: instance.class.clone()?,
                multi_az: instance.multi_az,
            };
            prices.running(&class)
        })
        .sum()
}

impl Amount {
    fn of(sum: &Sum) -> Self {
        Self {
            dollars: sum.dollars(),
            bound: sum.bound(),
            unknown: sum.unknown.clone(),
        }
    }
}

fn assumptions(priced: &Priced) -> Vec<String> {
    let mut all = priced.told();
    all.extend(
        [
            "tasks, instances and sizes of now are taken to stay, and use to go on as it was in the days that were measured",
            "objects in S3 Standard; snapshots at their full size, of which only what has changed is billed",
            "public addresses of dev instances are not counted",
        ]
        .map(str::to_owned),
    );
    all
}

/// What a shutdown takes to zero.
fn sleeps(thing: &&Thing) -> bool {
    matches!(thing.part, Part::Tasks | Part::Fleet)
}

impl Costs {
    pub(super) fn new(found: Found, by: By, place: &Place) -> Self {
        let things = &found.things;
        let all = Sum::of(things);
        let waste = found.waste.into_iter().map(|one| WasteView {
            kind: one.kind,
            name: one.name,
            why: one.why,
            dollars_per_month: one.per_month.map(crate::prices::cents),
            command: one.command.in_place(place).to_string(),
        });
        let views = things.iter().map(|thing| ThingView {
            part: thing.part,
            fleet: thing.fleet.clone(),
            name: thing.name.clone(),
            about: thing.about.clone(),
            dollars: thing.per_month.map(Dollars::of_month),
            bound: thing.bound,
            measured: thing.measured.clone(),
        });
        // With the database's hours among what goes on: they are told beside it.
        let stays = things.iter().filter(|thing| !sleeps(thing));
        Self {
            by: match by {
                By::Part => "part",
                By::Fleet => "fleet",
            },
            rows: match by {
                By::Part => rows_by_part(things),
                By::Fleet => rows_by_fleet(things),
            },
            things: views.collect(),
            total: Total {
                dollars: Dollars::of_month(all.per_month),
                bound: all.bound(),
                unknown: all.unknown,
            },
            shutdown: Shutdown {
                saves: Amount::of(&Sum::of(things.iter().filter(sleeps))),
                saves_with_rds_stop: found.database.map(Dollars::of_month),
                stays: Amount::of(&Sum::of(stays)),
            },
            waste: waste.collect(),
            gaps: found.gaps,
            forecast: found.forecasts,
            assumptions: assumptions(&found.priced),
            prices: found.priced,
        }
    }
}

/// One thing speaks for itself; several are counted.
fn about(things: &[&Thing]) -> String {
    match things {
        [only] => only.about.clone(),
        several => format!("{} of them, each with `-o wide`", several.len()),
    }
}

fn rows_by_part(things: &[Thing]) -> Vec<Row> {
    // Each fleet is a part of its own.
    let own = |thing: &Thing| thing.fleet.clone().filter(|_| thing.part == Part::Fleet);
    let groups = by(things, |thing| (thing.part, own(thing)));
    let row = |((part, fleet), things): ((Part, Option<FleetId>), Vec<&Thing>)| {
        let sum = Sum::of(things.iter().copied());
        // A fleet's instances say more than the ids of its volumes.
        let instances: Vec<&str> = match part {
            Part::Fleet | Part::Tasks => things.iter().map(|thing| thing.about.as_str()).collect(),
            _ => Vec::new(),
        };
        Row {
            name: match fleet {
                Some(fleet) => format!("{} {fleet}", part.word()),
                None => part.word().to_owned(),
            },
            about: match instances.is_empty() {
                true => about(&things),
                false => instances.join("; "),
            },
            amount: Amount::of(&sum),
        }
    };
    groups.into_iter().map(row).collect()
}

fn rows_by_fleet(things: &[Thing]) -> Vec<Row> {
    // `None` comes first in the order of the keys; what all share comes last for people.
    let mut groups = by(things, |thing| thing.fleet.clone());
    let shared = groups.remove(&None).map(|things| (None, things));
    let row = |(fleet, things): (Option<FleetId>, Vec<&Thing>)| {
        let parts = by_part(&things);
        Row {
            name: fleet.map_or_else(|| SHARED.to_owned(), |fleet| fleet.to_string()),
            amount: Amount::of(&Sum::of(things.iter().copied())),
            about: parts,
        }
    };
    groups.into_iter().chain(shared).map(row).collect()
}

/// `fleet 12.00, logs 0.10`, in dollars a month.
fn by_part(things: &[&Thing]) -> String {
    let owned: Vec<Thing> = things.iter().map(|thing| (*thing).clone()).collect();
    let parts = by(&owned, |thing| thing.part).into_iter();
    let parts = parts.map(|(part, things)| {
        let sum = Sum::of(things);
        format!(
            "{} {}",
            part.word(),
            figure(sum.dollars(), sum.bound(), |dollars| format!(
                "{:.2}",
                dollars.per_month
            ))
        )
    });
    parts.collect::<Vec<_>>().join(", ")
}

/// A figure in a cell; `?` where it is not known.
fn figure(dollars: Option<Dollars>, bound: Bound, shown: impl Fn(Dollars) -> String) -> String {
    dollars.map_or_else(
        || "?".to_owned(),
        |dollars| format!("{}{}", bound.sign(), shown(dollars)),
    )
}

/// Hour, day and month.
fn cells(dollars: Option<Dollars>, bound: Bound) -> [String; 3] {
    [
        figure(dollars, bound, |dollars| format!("{:.3}", dollars.per_hour)),
        figure(dollars, bound, |dollars| format!("{:.2}", dollars.per_day)),
        figure(dollars, bound, |dollars| format!("{:.2}", dollars.per_month)),
    ]
}

impl Costs {
    fn rows_table(&self, view: &View) -> String {
        let heading = if self.by == "part" { "PART" } else { "FLEET" };
        let mut table = Table::new(&[heading, "$/HOUR", "$/DAY", "$/MONTH", "ABOUT"]);
        for row in &self.rows {
            let [hour, day, month] = cells(row.amount.dollars, row.amount.bound);
            table.row([row.name.clone(), hour, day, month, row.about.clone()]);
        }
        let [hour, day, month] = cells(Some(self.total.dollars), self.total.bound);
        let without = match self.total.unknown.is_empty() {
            true => String::new(),
            false => "without what is unknown (?)".to_owned(),
        };
        table.row(["TOTAL".to_owned(), hour, day, month, without]);
        table.render(view)
    }

    fn things_table(&self, view: &View) -> String {
        let mut table = Table::new(&["PART", "NAME", "FLEET", "$/MONTH", "ABOUT"]);
        for thing in &self.things {
            let [_, _, month] = cells(thing.dollars, thing.bound);
            table.row([
                thing.part.word().to_owned(),
                thing.name.clone(),
                thing
                    .fleet
                    .as_ref()
                    .map_or_else(|| "-".to_owned(), ToString::to_string),
                month,
                thing.about.clone(),
            ]);
        }
        table.render(view)
    }

    fn shutdown_text(&self, view: &View) -> String {
        let rate = |dollars: Option<Dollars>, bound: Bound| {
            let [hour, day, month] = cells(dollars, bound);
            format!("{hour} dollars an hour, {day} a day, {month} a month")
        };
        let saves = &self.shutdown.saves;
        let mut text = String::new();
        let shutdown = CommandLine::bpctl(["shutdown"]);
        let first = match saves.dollars {
            Some(dollars) if dollars.per_month == 0.0 && saves.unknown.is_empty() => {
                format!("`{shutdown}` saves nothing: no task and no instance of a fleet runs.")
            }
            dollars => format!(
                "`{shutdown}` saves {}: tasks, and instances of the fleets.",
                rate(dollars, saves.bound)
            ),
        };
        paragraph(&mut text, view, "", &first);
        let stop = match self.shutdown.saves_with_rds_stop {
            None => "What stopping the database saves is not known.".to_owned(),
            Some(dollars) if dollars.per_month == 0.0 => "No database runs that could be stopped.".to_owned(),
            dollars => format!(
                "`--rds stop` saves {} more, for at most seven days: AWS starts the database again.",
                rate(dollars, Bound::Exact)
            ),
        };
        paragraph(&mut text, view, "", &stop);
        let stays = &self.shutdown.stays;
        let stays = format!(
            "What goes on costs {} with the database.",
            rate(stays.dollars, stays.bound)
        );
        paragraph(&mut text, view, "", &stays);
        text
    }

    fn waste_text(&self, view: &View) -> String {
        let mut table = Table::new(&["WASTE", "NAME", "$/MONTH", "WHY"]);
        for one in &self.waste {
            table.row([
                one.kind.word().to_owned(),
                one.name.clone(),
                one.dollars_per_month
                    .map_or_else(|| "?".to_owned(), |dollars| format!("{dollars:.2}")),
                one.why.clone(),
            ]);
        }
        let mut text = table.render(view);
        let mut commands: Vec<&str> = self.waste.iter().map(|one| one.command.as_str()).collect();
        commands.dedup();
        if !commands.is_empty() {
            text.push_str("\nwhat ends it:\n");
            for command in commands {
                text.push_str(&format!("  {}\n", crate::output::one_line(command)));
            }
        }
        if self.waste.is_empty() && self.gaps.is_empty() {
            text.push_str("no waste was found\n");
        }
        for gap in &self.gaps {
            paragraph(&mut text, view, "not known: ", gap);
        }
        text
    }

    fn forecast_text(&self, forecasts: &[Forecast], view: &View) -> String {
        let mut table = Table::new(&["FORECAST", "$/DAY", "$/MONTH", "JOBS/DAY", "HOURS/MONTH", "ABOUT"]);
        for one in forecasts {
            let name = one.fleet.to_string();
            let unknown = || "?".to_owned();
            table.row(match &one.outlook {
                Some(outlook) => {
                    let most = if outlook.price == "spot" {
                        Bound::Exact
                    } else {
                        Bound::AtMost
                    };
                    let [_, day, month] = cells(Some(outlook.dollars), most);
                    let about = format!(
                        "at most {} at once, {} prices",
                        outlook.most_instances, outlook.price
                    );
                    let (jobs, hours) = (outlook.jobs_per_day, outlook.instance_hours_per_month);
                    [name, day, month, jobs.to_string(), hours.to_string(), about]
                }
                None => {
                    let why = one.unknown.clone().unwrap_or_default();
                    [name, unknown(), unknown(), unknown(), unknown(), why]
                }
            });
        }
        let mut text = table.render(view);
        if forecasts.is_empty() {
            text.push_str("there is no fleet to forecast\n");
        }
        if view.wide {
            for one in forecasts {
                for assumption in one.outlook.iter().flat_map(|outlook| &outlook.assumptions) {
                    paragraph(&mut text, view, &format!("{}: ", one.fleet), assumption);
                }
            }
        }
        text
    }
}

impl Render for Costs {
    fn human(&self, view: &View) -> String {
        let mut parts = vec![self.rows_table(view)];
        if view.wide {
            parts.push(self.things_table(view));
        }
        parts.push(self.shutdown_text(view));
        parts.push(self.waste_text(view));
        if let Some(forecasts) = &self.forecast {
            parts.push(self.forecast_text(forecasts, view));
        }
        if view.wide {
            parts.push(self.prices.table(view));
        }
        let mut assumed = String::new();
        paragraph(
            &mut assumed,
            view,
            "",
            &format!("Counted with {}.", self.assumptions.join("; ")),
        );
        parts.push(assumed);
        parts.join("\n")
    }

    fn names(&self) -> Vec<String> {
        self.rows.iter().map(|row| row.name.clone()).collect()
    }
}
