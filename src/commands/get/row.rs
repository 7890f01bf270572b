//! What every kind of row has, and lists of rows in every format.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::mixed::Item;
use super::selector::Tags;
use crate::context::Ctx;
use crate::error::Result;
use crate::fleet::Gap;
use crate::kinds::Kind;
use crate::output::{Document, Render, Table, View};

/// A thing of some kind, in one line.
pub(in crate::commands) trait Row: Serialize + JsonSchema + Into<Item> {
    const KIND: Kind;
    /// The columns of the table, the name first.
    const COLUMNS: &'static [&'static str];
    /// The further columns of `-o wide`.
    const WIDE: &'static [&'static str];
    /// Whether AWS tells the tags of such things with the things.
    const TAGGED: bool;

    /// The name, as it can be given to `get` and `describe` again.
    fn name(&self) -> String;

    /// Whether an operator may mean it by this name.
    fn is_called(&self, name: &str) -> bool {
        self.name() == name
    }

    /// Cells of all columns, those of `-o wide` last. The name is the first one.
    fn cells(&self, now: Timestamp) -> Vec<String>;

    /// Its tags, where AWS tells them.
    fn tags(&self) -> Option<&Tags>;

    /// Those of these names, or all of them when there are none. A reader may find more than was asked for.
    ///
    /// # Errors
    /// When nothing useful can be said.
    async fn read(ctx: &Ctx, names: &[String]) -> Result<Found<Self>>;
}

/// What was found of a kind.
#[derive(Debug)]
pub(in crate::commands) struct Found<R> {
    pub(in crate::commands) rows: Vec<R>,
    /// What could not be looked at; the rest is told all the same.
    pub(in crate::commands) gaps: Vec<Gap>,
}

impl<R> From<Vec<R>> for Found<R> {
    fn from(rows: Vec<R>) -> Self {
        Self {
            rows,
            gaps: Vec::new(),
        }
    }
}

/// The rows of one kind.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::commands) struct Listed<R> {
    pub(super) items: Vec<R>,
    /// What could not be looked at.
    pub(super) gaps: Vec<Gap>,
    #[serde(skip)]
    pub(super) now: Timestamp,
}

impl<R: Row> Render for Listed<R>
where
    Self: Document,
{
    fn human(&self, view: &View) -> String {
        Sheet::of(&self.items, self.now).render(view, false)
    }

    fn names(&self) -> Vec<String> {
        self.items.iter().map(Row::name).collect()
    }
}

/// The cells of the rows of one kind.
#[derive(Debug)]
pub(in crate::commands) struct Sheet {
    pub(super) kind: Kind,
    columns: Vec<&'static str>,
    narrow: usize,
    rows: Vec<Vec<String>>,
}

impl Sheet {
    pub(in crate::commands) fn of<R: Row>(rows: &[R], now: Timestamp) -> Self {
        Self {
            kind: R::KIND,
            columns: [R::COLUMNS, R::WIDE].concat(),
            narrow: R::COLUMNS.len(),
            rows: rows.iter().map(|row| row.cells(now)).collect(),
        }
    }

    /// The table; among those of other kinds each name has its kind before it, as it can be typed.
    pub(in crate::commands) fn render(&self, view: &View, among_others: bool) -> String {
        let shown = if view.wide {
            self.columns.len()
        } else {
            self.narrow
        };
        let mut table = Table::new(&self.columns[..shown]);
        for row in &self.rows {
            let mut cells: Vec<String> = row.iter().take(shown).cloned().collect();
            if among_others && let Some(name) = cells.first_mut() {
                *name = format!("{}/{name}", self.kind.one());
            }
            table.row(cells);
        }
        table.render(view)
    }
}

/// A dash for what there is none of.
pub(in crate::commands) fn or_dash(text: Option<&str>) -> String {
    text.filter(|text| !text.is_empty()).unwrap_or("-").to_owned()
}

/// Seconds between then and now; a clock that goes before ours counts as now.
pub(in crate::commands) fn seconds_since(now: Timestamp, at: Option<Timestamp>) -> Option<i64> {
    at.map(|at| now.duration_since(at).as_secs().max(0))
}
