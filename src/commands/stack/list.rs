//! `bpctl stack list`: every stack of the platform, those that are missing too.

use clap::Args;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::which::{self, Part};
use crate::aws::cloudformation::Stack;
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::iam::{On, Use, Uses};
use crate::layout::{FleetId, Layout};
use crate::output::{Render, Table, View, age_at};

/// List the stacks of the platform in the order in which they are deployed
///
/// Core stacks that are missing are listed as `absent`. Drift is what the last detection found; `stack drift` looks
/// anew. Age is that of the last change, and who began it is what CloudTrail says: it keeps 90 days, and is some minutes
/// behind.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl stack list
  bpctl stack list -o json --query \"stacks[?drift=='DRIFTED'].name\"")]
pub(crate) struct ListArgs {}

/// The document.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct StackList {
    stacks: Vec<Row>,
    #[serde(skip)]
    now: Timestamp,
}

/// A stack of the platform.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct Row {
    pub(super) name: String,
    /// `network`, `data`, …; absent for stacks of fleets.
    role: Option<&'static str>,
    /// The fleet that the stack holds, where it has one of its own.
    fleet: Option<FleetId>,
    /// Of the generation between the two layouts, which nothing deploys any more.
    legacy: bool,
    /// E.g. `UPDATE_COMPLETE`; null for a stack that is not there.
    pub(super) status: Option<String>,
    reason: Option<String>,
    created: Option<Timestamp>,
    /// The last update.
    updated: Option<Timestamp>,
    /// ARN of who began the last operation, from CloudTrail; null when its history does not have that.
    changed_by: Option<String>,
    /// `IN_SYNC`, `DRIFTED`, `NOT_CHECKED` or `UNKNOWN`.
    drift: Option<String>,
    drift_checked: Option<Timestamp>,
    termination_protection: Option<bool>,
}

impl Row {
    pub(super) fn of(part: Part, stack: Stack) -> Self {
        Self {
            name: stack.name,
            role: part.role,
            fleet: part.fleet,
            legacy: part.legacy,
            status: Some(stack.status),
            reason: stack.status_reason,
            created: stack.created,
            updated: stack.updated,
            changed_by: None,
            drift: stack.drift,
            drift_checked: stack.drift_checked,
            termination_protection: stack.termination_protection,
        }
    }

    fn absent(role: &'static str, name: String) -> Self {
        Self {
            name,
            role: Some(role),
            fleet: None,
            legacy: false,
            status: None,
            reason: None,
            created: None,
            updated: None,
            changed_by: None,
            drift: None,
            drift_checked: None,
            termination_protection: None,
        }
    }

    pub(super) fn changed(&self) -> Option<Timestamp> {
        self.updated.or(self.created)
    }

    /// The last part of the ARN: the session of a role, the name of a user.
    pub(super) fn name_of_who(&self) -> Option<&str> {
        let by = self.changed_by.as_deref()?;
        by.rsplit('/').next()
    }

    /// What it is for, in a word.
    pub(super) fn what(&self) -> String {
        let what = self.fleet.as_ref().map(ToString::to_string);
        let what = what.or(self.role.map(str::to_owned));
        match (what, self.legacy) {
            (Some(what), true) => format!("{what}, legacy"),
            (Some(what), false) => what,
            (None, true) => "legacy".to_owned(),
            (None, false) => "-".to_owned(),
        }
    }
}

impl Verb for ListArgs {
    fn uses() -> Uses {
        Uses::of(&[&[
            Use::of("cloudformation:DescribeStacks", On::Anything),
            Use::of("cloudformation:ListStacks", On::Anything),
            Use::of("cloudtrail:LookupEvents", On::Anything),
        ]])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        let list = ctx.unless_interrupted(look(ctx, &layout)).await?;
        ctx.emit(&list)?;
        Ok(ExitStatus::Done)
    }
}

async fn look(ctx: &Ctx, layout: &Layout) -> Result<StackList> {
    let present = which::present(ctx, layout).await?.into_iter();
    let mut rows: Vec<Row> = present.map(|(part, stack)| Row::of(part, stack)).collect();
    for (place, role) in layout.stack_roles().into_iter().enumerate() {
        let Some(name) = layout.core_stack(role) else {
            continue;
        };
        if rows.get(place).is_none_or(|row| row.name != name) {
            rows.insert(place.min(rows.len()), Row::absent(role, name));
        }
    }
    say_who(ctx, rows.iter_mut()).await;
    Ok(StackList {
        stacks: rows,
        now: ctx.clock.now(),
    })
}

/// Adds who changed the stacks last. Without CloudTrail everything else is told, and that this is missing.
pub(super) async fn say_who(ctx: &Ctx, rows: impl Iterator<Item = &mut Row>) {
    let rows: Vec<&mut Row> = rows.collect();
    let changed = rows
        .iter()
        .filter_map(|row| Some((row.name.clone(), row.changed()?)));
    match ctx.aws.who_changed_stacks(&changed.collect()).await {
        Ok(mut who) => {
            for row in rows {
                row.changed_by = who.remove(&row.name);
            }
        }
        Err(error) => ctx
            .ui
            .warn(&format!("who changed the stacks last is not known: {error}")),
    }
}

impl Render for StackList {
    fn human(&self, view: &View) -> String {
        let mut headers = vec!["NAME", "STATUS", "AGE", "BY", "DRIFT", "PROTECTED"];
        if view.wide {
            headers.extend(["WHAT", "CREATED", "REASON"]);
        }
        let mut table = Table::new(&headers);
        let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        for row in &self.stacks {
            let mut cells = vec![
                row.name.clone(),
                row.status.clone().unwrap_or_else(|| "absent".to_owned()),
                age_at(self.now, row.changed()),
                row.name_of_who().unwrap_or("-").to_owned(),
                or_dash(&row.drift),
                match row.termination_protection {
                    Some(true) => "yes",
                    Some(false) => "no",
                    None => "-",
                }
                .to_owned(),
            ];
            if view.wide {
                cells.extend([
                    row.what(),
                    row.created
                        .map_or_else(|| "-".to_owned(), |at| at.strftime("%Y-%m-%d").to_string()),
                    or_dash(&row.reason),
                ]);
            }
            table.row(cells);
        }
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        let there = self.stacks.iter().filter(|row| row.status.is_some());
        there.map(|row| row.name.clone()).collect()
    }
}
