//! Leases of the account.

use jiff::Timestamp;

use crate::change::{Ground as _, Shared, lease};
use crate::commands::get::row::{Found, Row};
use crate::commands::get::selector::Tags;
use crate::commands::lock::list;
pub(in crate::commands) use crate::commands::lock::list::LeaseRow;
use crate::context::Ctx;
use crate::error::Result;
use crate::kinds::Kind;

impl Row for LeaseRow {
    const KIND: Kind = Kind::Lease;
    const COLUMNS: &'static [&'static str] = list::COLUMNS;
    const WIDE: &'static [&'static str] = &[];
    const TAGGED: bool = false;

    fn name(&self) -> String {
        self.lease.resource.clone()
    }

    fn cells(&self, _now: Timestamp) -> Vec<String> {
        Self::cells(self)
    }

    fn tags(&self) -> Option<&Tags> {
        None
    }

    async fn read(ctx: &Ctx, _names: &[String]) -> Result<Found<Self>> {
        ctx.layout()?;
        let Shared {
            store: Some(store), ..
        } = ctx.shared()
        else {
            return Ok(Vec::new().into());
        };
        let found = lease::list(&store).await?;
        Ok(found.into_iter().map(Self::of).collect::<Vec<_>>().into())
    }
}
