//! `lock list`: leases of the account, locks of this machine.

use std::time::Duration;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use crate::change::lease::{self, Found, Lease};
use crate::change::{Ground as _, Shared, locks};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::iam::{On, Use, Uses};
use crate::output::{Render, Table, View, age};

/// List the leases of this account and the locks of this machine, or show those of one resource
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl lock list                     who works on what
  bpctl lock show ecs/bp-backend      who works on the backend")]
pub(crate) struct ListArgs {
    /// Only this resource, e.g. ecs/bp-backend or asg/production/gpu-default
    #[arg(value_name = "RESOURCE")]
    resource: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct LockList {
    leases: Vec<LeaseRow>,
    /// Locks that processes of this machine hold, in the holders' words.
    local: Vec<LocalRow>,
}

/// A lease and how it stands.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(in crate::commands) struct LeaseRow {
    #[serde(flatten)]
    pub(in crate::commands) lease: Lease,
    /// Since the last renewal, by the store's clock.
    age_seconds: u64,
    /// The holder has stopped renewing it.
    over: bool,
}

pub(in crate::commands) const COLUMNS: &[&str] = &["RESOURCE", "STATE", "RENEWED", "HOLDER"];

impl LeaseRow {
    pub(in crate::commands) fn of(found: Found) -> Self {
        Self {
            over: found.lease.is_over(found.age),
            age_seconds: found.age.as_secs(),
            lease: found.lease,
        }
    }

    pub(in crate::commands) fn cells(&self) -> Vec<String> {
        vec![
            self.lease.resource.clone(),
            if self.over { "over" } else { "held" }.to_owned(),
            format!("{} ago", age(Duration::from_secs(self.age_seconds))),
            self.lease.holder(),
        ]
    }
}

#[derive(Debug, Serialize, JsonSchema)]
struct LocalRow {
    file: String,
    holder: String,
}

impl Verb for ListArgs {
    fn uses() -> Uses {
        Uses::of(&[&[
            Use::of("s3:GetObject", On::Bookkeeping),
            Use::of("s3:ListBucket", On::LogsBucket),
        ]])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        ctx.layout()?;
        let found = match ctx.shared() {
            Shared {
                store: Some(store), ..
            } => ctx.unless_interrupted(lease::list(&store)).await?,
            Shared { store: None, .. } => Vec::new(),
        };
        let leases = found
            .into_iter()
            .filter(|found| {
                self.resource
                    .as_ref()
                    .is_none_or(|wanted| found.lease.resource == *wanted)
            })
            .map(LeaseRow::of);
        let local = ctx.state_dir.as_deref().map(locks::held_here).unwrap_or_default();
        let local = local.into_iter().map(|lock| LocalRow {
            file: lock.path.display().to_string(),
            holder: lock.holder,
        });
        let locks = LockList {
            leases: leases.collect(),
            local: if self.resource.is_none() {
                local.collect()
            } else {
                Vec::new()
            },
        };
        if locks.leases.is_empty() && locks.local.is_empty() {
            ctx.ui.status("Nothing is locked");
        }
        ctx.emit(&locks)?;
        Ok(ExitStatus::Done)
    }
}

impl Render for LockList {
    fn human(&self, view: &View) -> String {
        let mut table = Table::new(COLUMNS);
        for row in &self.leases {
            table.row(row.cells());
        }
        for row in &self.local {
            table.row([
                row.file.clone(),
                "held here".to_owned(),
                "-".to_owned(),
                row.holder.clone(),
            ]);
        }
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        self.leases.iter().map(|row| row.lease.resource.clone()).collect()
    }
}
