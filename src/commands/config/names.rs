//! `bpctl config names`: every name that the layout gives.

use schemars::JsonSchema;
use serde::Serialize;

use crate::context::Ctx;
use crate::error::Result;
use crate::layout::FleetId;
use crate::output::{Render, Table, View};

#[derive(Debug, Serialize, JsonSchema)]
struct NameView {
    kind: &'static str,
    name: String,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Names {
    layout: String,
    names: Vec<NameView>,
}

impl Render for Names {
    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["KIND", "NAME"]);
        for name in &self.names {
            table.row([name.kind.to_owned(), name.name.clone()]);
        }
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        self.names.iter().map(|name| name.name.clone()).collect()
    }
}

pub(super) fn run(ctx: &Ctx, fleets: &[FleetId]) -> Result<()> {
    let account = ctx.settings.account_id.as_ref().map(|account| &account.value);
    let layout = ctx.layout()?;
    let names = layout
        .inventory(account, fleets)
        .into_iter()
        .map(|(kind, name)| NameView { kind, name })
        .collect();
    ctx.emit(&Names {
        layout: layout.kind().to_string(),
        names,
    })
}
