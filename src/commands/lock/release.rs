//! `lock release`: takes a lease away from a run that will not give it up.

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use crate::aws::s3::DeleteLease;
use crate::change::journal::Record;
use crate::change::lease::{self, Found};
use crate::change::{
    Basis, Blocker, Call as _, Change, ChangeArgs, Done, Ground as _, Loss, Outcome, Plan, Shared, Step,
    StepRun, Target, Verification, Words, carry_out,
};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};
use crate::exit::ExitStatus;
use crate::iam::{CHANGE, Uses};
use crate::output::{Render, View};

/// Release a lease whose holder is gone
///
/// A lease that is over needs no release: the next run takes it over by itself. Releasing one that is still
/// renewed lets two runs work on the same thing, and needs the context's name typed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl lock list                        which leases there are
  bpctl lock release ecs/bp-backend      release one of them")]
pub(crate) struct ReleaseArgs {
    /// The resource, as `lock list` names it
    #[arg(value_name = "RESOURCE")]
    resource: String,

    #[command(flatten)]
    change: ChangeArgs,
}

impl Verb for ReleaseArgs {
    fn uses() -> Uses {
        Uses::of(&[CHANGE])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        ctx.layout()?;
        let change = Release {
            ctx,
            resource: self.resource,
        };
        carry_out(ctx, &change, &self.change).await
    }
}

struct Release<'a> {
    ctx: &'a Ctx,
    resource: String,
}

/// What the release came to.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Released {
    resource: String,
    /// The holder that lost it.
    holder: String,
}

impl Change for Release<'_> {
    const NAME: &'static str = "lock release";
    type Seen = Option<Found>;
    type Action = DeleteLease;
    type Output = ();
    type Ending = ();
    type Document = Released;

    fn words(&self) -> Words {
        Words {
            goal: format!("release the lease on {}", self.resource),
            thing: "lease",
            settle: "see the lease gone".to_owned(),
            following: String::new(),
        }
    }

    async fn observe(&self, _target: &Target, _recent: &[Record]) -> Result<Option<Found>> {
        let Shared {
            store: Some(store), ..
        } = self.ctx.shared()
        else {
            return Ok(None);
        };
        let leases = lease::list(&store).await?;
        Ok(leases
            .into_iter()
            .find(|found| found.lease.resource == self.resource))
    }

    fn plan(&self, seen: &Option<Found>, basis: &Basis<'_>) -> Result<Plan<DeleteLease>> {
        let title = format!("release the lease on {}", self.resource);
        let Some(found) = seen else {
            return Ok(Plan {
                absent: Some(Blocker {
                    kind: ErrorKind::NotFound,
                    reason: format!("{title}: there is none"),
                    hint: Hint::new("see which there are with").command(CommandLine::bpctl(["lock", "list"])),
                }),
                ..Plan::new(title, Vec::new())
            });
        };
        let held = !found.lease.is_over(found.age);
        let call = DeleteLease {
            bucket: self.ctx.logs_bucket(&basis.target.account)?,
            resource: self.resource.clone(),
            etag: found.etag.clone(),
            loses: held.then(|| Loss::Work(format!("the protection of {}", found.lease.holder()))),
        };
        let summary = format!("remove the lease of {}", found.lease.holder());
        let before = format!("renewed {} s ago", found.age.as_secs());
        let step = Step::new(&self.resource, summary, vec![call.described()], call);
        Ok(Plan::new(title, vec![step.changing(before, "free")]))
    }

    fn covers(&self, _seen: &Option<Found>, _plan: &Plan<DeleteLease>) -> Vec<String> {
        vec![self.resource.clone()]
    }

    async fn act(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        if step.send(&self.ctx.aws, step.action()).await? {
            return Ok(Done::new("released the lease"));
        }
        Err(CtlError::new(
            ErrorKind::Changed,
            format!(
                "release the lease on {}: it was renewed or given up since the plan was made",
                self.resource
            ),
        )
        .hint(("look again with", CommandLine::bpctl(["lock", "list"]))))
    }

    async fn verify(&self, _seen: &Option<Found>, _run: &mut Verification<'_, Self>) -> Result<()> {
        // The conditional delete has said whether the lease is gone.
        Ok(())
    }

    fn document(&self, seen: &Option<Found>, outcome: &Outcome<Self>) -> Option<Released> {
        let found = seen.as_ref().filter(|_| outcome.done() == 1)?;
        Some(Released {
            resource: self.resource.clone(),
            holder: found.lease.holder(),
        })
    }

    fn resume(&self, _left: &[&str]) -> CommandLine {
        CommandLine::bpctl(["lock", "release", self.resource.as_str()])
    }
}

impl Render for Released {
    fn human(&self, _view: &View) -> String {
        format!("released {}, held by {}\n", self.resource, self.holder)
    }

    fn names(&self) -> Vec<String> {
        vec![self.resource.clone()]
    }
}
