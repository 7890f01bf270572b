//! Descriptions as scripts and people read them.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::join::Joined;
use crate::commands::get::mixed::Item;
use crate::commands::get::row::{Row, Sheet, or_dash};
use crate::fleet::Gap;
use crate::fleet::activity::{ActivityKind, instance, reason};
use crate::kinds::Kind;
use crate::output::{Render, Table, View, age_at, one_line};

/// The things that were asked for.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::commands) struct Described {
    pub(super) items: Vec<Description>,
    /// What could not be looked at.
    pub(super) gaps: Vec<Gap>,
    #[serde(skip)]
    pub(super) now: Timestamp,
}

/// A thing with what belongs to it.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::commands) struct Description {
    #[serde(flatten)]
    pub(super) thing: Thing,
    #[serde(flatten)]
    pub(super) joined: Joined,
}

/// A thing as `get` has it.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::commands) struct Thing {
    pub(super) item: Item,
    #[serde(skip)]
    pub(super) kind: Kind,
    #[serde(skip)]
    pub(super) name: String,
    /// Titles and cells of its row.
    #[serde(skip)]
    pub(super) fields: Vec<(String, String)>,
}

impl Thing {
    pub(super) fn of<R: Row>(row: R, now: Timestamp) -> Self {
        let titles = [R::COLUMNS, R::WIDE].concat();
        let mut fields: Vec<(String, String)> = titles
            .iter()
            .zip(row.cells(now))
            .map(|(title, cell)| (title.to_lowercase(), cell))
            .collect();
        if let Some(tags) = row.tags().filter(|tags| !tags.is_empty()) {
            let tags: Vec<String> = tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
            fields.push(("tags".to_owned(), tags.join(" ")));
        }
        Self {
            kind: R::KIND,
            name: row.name(),
            fields,
            item: row.into(),
        }
    }
}

impl Render for Described {
    fn human(&self, view: &View) -> String {
        let texts: Vec<String> = self.items.iter().map(|item| item.human(self.now, view)).collect();
        texts.join("\n\n")
    }

    fn names(&self) -> Vec<String> {
        let items = self.items.iter().map(|item| &item.thing);
        items
            .map(|thing| format!("{}/{}", thing.kind.one(), thing.name))
            .collect()
    }
}

/// A title, and below it a table that is indented; nothing for an empty list but that it is empty.
fn section(text: &mut String, title: &str, table: Option<String>) {
    let Some(table) = table else { return };
    text.push_str(&format!("\n{title}\n"));
    if table.is_empty() {
        text.push_str("  none\n");
    }
    for line in table.lines() {
        text.push_str(&format!("  {line}\n"));
    }
}

impl Description {
    fn human(&self, now: Timestamp, view: &View) -> String {
        let joined = &self.joined;
        // Sections stand two columns to the right.
        let view = View {
            width: view.width.map(|width| width.saturating_sub(2)),
            ..*view
        };
        let fields = &self.thing.fields;
        let widest = fields.iter().map(|(title, _)| title.len()).max().unwrap_or(0) + 2;
        let mut text = format!("{}/{}\n", self.thing.kind.one(), one_line(&self.thing.name));
        for (title, value) in fields.iter().skip(1).filter(|(_, value)| value != "-") {
            text.push_str(&format!("  {title:<widest$}{}\n", one_line(value)));
        }
        if let Some(scaling) = &joined.scaling {
            text.push_str(&format!("  {:<widest$}{}\n", "scaling", scaling.text()));
        }
        let mut add = |title: &str, table: Option<String>| section(&mut text, title, table);
        add("Services", sheet(joined.services.as_deref(), now, &view));
        add("Fleet", sheet(joined.fleets.as_deref(), now, &view));
        add("Tasks", sheet(joined.tasks.as_deref(), now, &view));
        add("Targets", self.targets(&view));
        add("Deployments", sheet(joined.deployments.as_deref(), now, &view));
        add("Images that run", sheet(joined.images.as_deref(), now, &view));
        add("Instances", sheet(joined.instances.as_deref(), now, &view));
        add("Beside what a new instance would run", self.skew(&view));
        add("Alarms", sheet(joined.alarms.as_deref(), now, &view));
        add("Stacks", sheet(joined.stacks.as_deref(), now, &view));
        add("Outputs", self.outputs(&view));
        add("Activities", self.activities(now, &view));
        add("Events", self.events(now, &view));
        add("Steps", self.steps(&view));
        add("Runs on this machine", sheet(joined.runs.as_deref(), now, &view));
        if !joined.next.is_empty() {
            text.push_str("\nNext\n");
            for command in &joined.next {
                text.push_str(&format!("  {command}\n"));
            }
        }
        text
    }

    fn targets(&self, view: &View) -> Option<String> {
        let mut table = Table::new(&["TARGET", "ZONE", "STATE", "REASON"]);
        for target in self.joined.targets.as_ref()? {
            table.row([
                target.target.clone(),
                or_dash(target.zone.as_deref()),
                target.state.clone(),
                or_dash(target.reason.as_deref()),
            ]);
        }
        Some(table.render(view))
    }

    fn skew(&self, view: &View) -> Option<String> {
        let mut table = Table::new(&["INSTANCE", "IMAGE", "BUNDLE", "DIFFERS IN"]);
        for part in self.joined.skew.as_ref()? {
            let brief = part
                .bundle
                .as_ref()
                .map(|id| id.chars().take(8).collect::<String>());
            table.row([
                part.instance.clone(),
                or_dash(part.image.as_deref()),
                brief.unwrap_or_else(|| "?".to_owned()),
                or_dash(Some(&part.differs_in.join(", "))),
            ]);
        }
        Some(table.render(view))
    }

    fn outputs(&self, view: &View) -> Option<String> {
        let mut table = Table::new(&["OUTPUT", "VALUE"]);
        for (name, value) in self.joined.outputs.as_ref()? {
            table.row([name.clone(), value.clone()]);
        }
        Some(table.render(view))
    }

    fn activities(&self, now: Timestamp, view: &View) -> Option<String> {
        let mut table = Table::new(&["AGE", "STATUS", "ACTIVITY", "REASON"]);
        for one in self.joined.activities.as_ref()? {
            let kind = ActivityKind::of(one).as_str();
            let what = match instance(one) {
                Some(id) => format!("{kind} {id}"),
                None => kind.to_owned(),
            };
            table.row([age_at(now, one.started), one.status.clone(), what, reason(one)]);
        }
        Some(table.render(view))
    }

    fn events(&self, now: Timestamp, view: &View) -> Option<String> {
        let events = self.joined.events.as_ref()?;
        let mut table = Table::new(&["AGE", "EVENT"]);
        for event in events {
            table.row([age_at(now, event.at), event.message.clone()]);
        }
        Some(table.render(view))
    }

    fn steps(&self, view: &View) -> Option<String> {
        let mut table = Table::new(&["STEP", "PROGRESS", "WHAT"]);
        for step in self.joined.steps.as_ref()? {
            table.row([step.step.clone(), step.progress.to_owned(), step.summary.clone()]);
        }
        Some(table.render(view))
    }
}

fn sheet<R: Row>(rows: Option<&[R]>, now: Timestamp, view: &View) -> Option<String> {
    // The usual columns: the thing itself is what is told in full.
    let view = View { wide: false, ..*view };
    Some(Sheet::of(rows?, now).render(&view, false))
}
