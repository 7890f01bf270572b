//! CloudFormation stacks of the platform and of its fleets.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::aws::cloudformation::Stack;
use crate::commands::get::row::{Found, Row, or_dash, seconds_since};
use crate::commands::get::selector::Tags;
use crate::context::Ctx;
use crate::error::Result;
use crate::kinds::Kind;
use crate::layout::{FleetId, Generation, Layout};
use crate::output::age_at;

/// A stack.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(in crate::commands) struct StackRow {
    pub(in crate::commands) name: String,
    /// E.g. `UPDATE_COMPLETE`.
    pub(in crate::commands) status: String,
    reason: Option<String>,
    /// The fleet that the stack is of.
    pub(in crate::commands) fleet: Option<FleetId>,
    /// Of the generation between the two layouts, which nothing deploys any more.
    legacy: bool,
    created: Option<Timestamp>,
    updated: Option<Timestamp>,
    /// Since it was created or updated.
    age_seconds: Option<i64>,
    tags: Tags,
}

impl StackRow {
    /// `None` for a stack that is not the platform's.
    pub(in crate::commands) fn of(layout: &Layout, stack: &Stack, now: Timestamp) -> Option<Self> {
        let stages = layout.fleet_stages();
        let legacy = matches!(layout.generation_of(&stack.name), Some(Generation::Legacy(stage)) if stages.contains(&stage));
        let own = layout.fleet_of_stack(&stack.name);
        let elsewhere = own.as_ref().is_some_and(|fleet| !stages.contains(&fleet.stage));
        if elsewhere || !(legacy || layout.has_stack(&stack.name)) {
            return None;
        }
        Some(Self {
            name: stack.name.clone(),
            status: stack.status.clone(),
            reason: stack.status_reason.clone(),
            fleet: own.or_else(|| layout.legacy_fleet_of_stack(&stack.name)),
            legacy,
            created: stack.created,
            updated: stack.updated,
            age_seconds: seconds_since(now, stack.updated.or(stack.created)),
            tags: stack.tags.clone(),
        })
    }
}

impl Row for StackRow {
    const KIND: Kind = Kind::Stack;
    const COLUMNS: &'static [&'static str] = &["NAME", "STATUS", "AGE"];
    const WIDE: &'static [&'static str] = &["FLEET", "CREATED", "REASON"];
    const TAGGED: bool = true;

    fn name(&self) -> String {
        self.name.clone()
    }

    fn cells(&self, now: Timestamp) -> Vec<String> {
        vec![
            self.name.clone(),
            match self.legacy {
                true => format!("{}, legacy", self.status),
                false => self.status.clone(),
            },
            age_at(now, self.updated.or(self.created)),
            or_dash(self.fleet.as_ref().map(ToString::to_string).as_deref()),
            self.created
                .map_or_else(|| "-".to_owned(), |at| at.strftime("%Y-%m-%d").to_string()),
            or_dash(self.reason.as_deref()),
        ]
    }

    fn tags(&self) -> Option<&Tags> {
        Some(&self.tags)
    }

    async fn read(ctx: &Ctx, _names: &[String]) -> Result<Found<Self>> {
        let layout = ctx.layout()?;
        let stacks = ctx.aws.stacks().await?;
        let now = ctx.clock.now();
        let mut rows: Vec<Self> = stacks
            .iter()
            .filter_map(|stack| Self::of(&layout, stack, now))
            .collect();
        // In the order of deployment, the fleets' behind.
        let order = layout.core_stacks();
        let place = |row: &Self| {
            order
                .iter()
                .position(|name| *name == row.name)
                .unwrap_or(order.len())
        };
        rows.sort_by(|one, other| (place(one), &one.name).cmp(&(place(other), &other.name)));
        Ok(rows.into())
    }
}
