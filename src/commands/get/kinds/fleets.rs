//! GPU fleets.

use jiff::Timestamp;

pub(in crate::commands) use crate::commands::fleet::list::FleetRow;
use crate::commands::fleet::{list, remember};
use crate::commands::get::row::{Found, Row, or_dash};
use crate::commands::get::selector::Tags;
use crate::context::Ctx;
use crate::error::Result;
use crate::fleet::discover;
use crate::kinds::Kind;

impl Row for FleetRow {
    const KIND: Kind = Kind::Fleet;
    const COLUMNS: &'static [&'static str] = list::COLUMNS;
    const WIDE: &'static [&'static str] = list::WIDE;
    const TAGGED: bool = true;

    fn name(&self) -> String {
        self.name.to_string()
    }

    fn is_called(&self, name: &str) -> bool {
        self.name.to_string() == name || self.slug == name || self.auto_scaling_group.as_deref() == Some(name)
    }

    fn cells(&self, _now: Timestamp) -> Vec<String> {
        let mut cells = self.narrow_cells(false);
        cells.extend([
            or_dash(self.auto_scaling_group.as_deref()),
            or_dash(self.stack.as_deref()),
            or_dash(self.stack_status.as_deref()),
        ]);
        cells
    }

    fn tags(&self) -> Option<&Tags> {
        Some(&self.tags)
    }

    async fn read(ctx: &Ctx, _names: &[String]) -> Result<Found<Self>> {
        let layout = ctx.layout()?;
        let known = discover(&ctx.aws, &layout).await?;
        remember(ctx, known.fleets.keys());
        let stacks_known = known.gaps.iter().all(|gap| gap.what != "stacks");
        let fleets = known.fleets.values();
        Ok(Found {
            rows: fleets
                .map(|fleet| Self::of(fleet, &layout, stacks_known))
                .collect(),
            gaps: known.gaps,
        })
    }
}
