//! How far an account is prepared.

use schemars::JsonSchema;
use serde::Serialize;

use crate::change::RunId;
use crate::output::{Render, Table, View};
use crate::stacks::Bootstrap;

/// What is there of a bootstrap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Prepared {
    /// That of the bootstrap stack, as CloudFormation says it; null when there is none.
    pub(super) status: Option<String>,
    /// Of the bootstrap; null when its parameter is not there.
    pub(super) version: Option<u32>,
    pub(super) bucket: String,
    pub(super) has_bucket: bool,
    pub(super) repository: String,
    pub(super) has_repository: bool,
}

/// The document.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct BootstrapResult {
    run: Option<RunId>,
    /// Whether the stacks need a bootstrap at all.
    needed: bool,
    /// Why they do not.
    why_not: Option<String>,
    /// Name of the bootstrap stack.
    stack: Option<String>,
    qualifier: Option<String>,
    /// The least version that the app's stacks accept; null when no assembly says one.
    wanted_version: Option<u32>,
    /// What is there in the end.
    prepared: Option<Prepared>,
}

impl BootstrapResult {
    pub(super) fn not_needed(why: &str) -> Self {
        Self {
            run: None,
            needed: false,
            why_not: Some(why.to_owned()),
            stack: None,
            qualifier: None,
            wanted_version: None,
            prepared: None,
        }
    }

    pub(super) fn of(run: RunId, wanted: &Bootstrap, prepared: Prepared) -> Self {
        Self {
            run: Some(run),
            needed: true,
            why_not: None,
            stack: Some(wanted.stack.clone()),
            qualifier: Some(wanted.qualifier.clone()),
            wanted_version: wanted.wanted,
            prepared: Some(prepared),
        }
    }
}

impl Render for BootstrapResult {
    fn human(&self, view: &View) -> String {
        let Some(prepared) = &self.prepared else {
            return "not needed\n".to_owned();
        };
        let number = |version: Option<u32>| version.map_or_else(|| "-".to_owned(), |it| it.to_string());
        let mut table = Table::new(&["STACK", "STATUS", "VERSION", "NEEDED"]);
        table.row([
            self.stack.clone().unwrap_or_default(),
            prepared.status.clone().unwrap_or_else(|| "not there".to_owned()),
            number(prepared.version),
            number(self.wanted_version),
        ]);
        let mut text = table.render(view);
        for (what, name, is_there) in [
            ("bucket", &prepared.bucket, prepared.has_bucket),
            ("repository", &prepared.repository, prepared.has_repository),
        ] {
            let is = if is_there { "there" } else { "not there" };
            text.push_str(&format!("{what} {} is {is}\n", crate::ui::one_line(name)));
        }
        text
    }

    fn names(&self) -> Vec<String> {
        self.stack.clone().into_iter().collect()
    }
}
