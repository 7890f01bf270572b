//! Runs that this machine has a journal of.

use jiff::Timestamp;

use crate::change::journal;
use crate::commands::get::row::{Found, Row};
use crate::commands::get::selector::Tags;
use crate::commands::runs::list;
pub(in crate::commands) use crate::commands::runs::list::RunRow;
use crate::context::Ctx;
use crate::error::Result;
use crate::kinds::Kind;

impl Row for RunRow {
    const KIND: Kind = Kind::Run;
    const COLUMNS: &'static [&'static str] = list::COLUMNS;
    const WIDE: &'static [&'static str] = &[];
    const TAGGED: bool = false;

    fn name(&self) -> String {
        self.run.to_string()
    }

    fn cells(&self, now: Timestamp) -> Vec<String> {
        Self::cells(self, now)
    }

    fn tags(&self) -> Option<&Tags> {
        None
    }

    async fn read(ctx: &Ctx, _names: &[String]) -> Result<Found<Self>> {
        let (records, unreadable) = ctx.state_dir.as_deref().map(journal::list).unwrap_or_default();
        for journal in unreadable {
            ctx.ui.warn(&format!(
                "the journal `{}` cannot be read: {}",
                journal.path.display(),
                journal.error
            ));
        }
        Ok(records.iter().map(Self::of).collect::<Vec<_>>().into())
    }
}
