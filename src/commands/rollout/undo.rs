//! `bpctl rollout undo`: deploys what ran before, down to the digests.

use std::collections::BTreeMap;

use clap::Args;

use super::One;
use super::history::records;
use crate::aws::ecs::{ServiceDeployment, ServiceRevision, short};
use crate::change::{ChangeArgs, carry_out};
use crate::commands::deploy::images::ecr;
use crate::commands::deploy::observe::services;
use crate::commands::deploy::{DEPLOYS, Deploy, Request, What};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;
use crate::iam::{CHANGE, Uses};
use crate::layout::{App, Layout};
use crate::rollout::brings;

/// Deploys of which ECS has a record that are looked through.
const LOOKED_AT: usize = 20;

/// Deploy what ran before the present deployment of a service
///
/// Takes the newest deployment that succeeded and brought something else: its revision of the task definition and, where
/// its tags mean other images by now, those images by their digests. Ends as `deploy` does.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl rollout undo backend              what ran before
  bpctl rollout undo backend --to 41      that revision of the task definition, whatever its tags mean by now")]
pub(super) struct UndoArgs {
    /// Which service
    #[arg(value_name = "SERVICE")]
    service: One,

    /// Deploy this revision of the service's task definition instead
    #[arg(long, value_name = "REV", value_parser = clap::value_parser!(u32).range(1..))]
    to: Option<u32>,

    /// Stop the deployment and go back as soon as one of its tasks fails, instead of after several
    #[arg(long)]
    abort_on_first_failure: bool,

    /// Put it in the place of a deployment that is under way and does well
    #[arg(long)]
    supersede: bool,

    #[command(flatten)]
    change: ChangeArgs,
}

impl Verb for UndoArgs {
    fn uses() -> Uses {
        Uses::of(&[CHANGE, DEPLOYS])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        let app = self.service.app();
        let what = match self.to {
            Some(revision) => What::Revision(revision),
            None => ctx.unless_interrupted(before(ctx, &layout, app)).await?,
        };
        let request = Request {
            apps: vec![app],
            what,
            abort_on_first_failure: self.abort_on_first_failure,
            rollback_on_timeout: false,
            supersede: self.supersede,
            migrate: crate::commands::deploy::Migrate::No,
        };
        let change = Deploy::<true>::new(ctx, layout, request);
        carry_out(ctx, &change, &self.change).await
    }
}

/// What ran before.
async fn before(ctx: &Ctx, layout: &Layout, app: App) -> Result<What> {
    let cluster = layout.cluster();
    let found = services(ctx, layout, &cluster, &[app]).await?;
    let primary = found
        .first()
        .and_then(|(_, service)| service.primary())
        .map(|primary| primary.id.clone())
        .unwrap_or_default();
    let (records, revisions) = records(ctx, &cluster, &layout.service(app), LOOKED_AT).await?;
    let Some(chosen) = choose(&primary, &records, &revisions) else {
        return Err(CtlError::new(
            ErrorKind::NotFound,
            format!(
                "undo the deployment of {}: ECS has no record of one before it that brought something else",
                app.word()
            ),
        )
        .hint((
            "see what there was with",
            CommandLine::bpctl(["rollout", "history", app.word()]),
            "and name a revision with `--to`",
        )));
    };
    let revision = short(&chosen.task_definition)
        .rsplit_once(':')
        .and_then(|(_, revision)| revision.parse().ok());
    let revision = revision.ok_or_else(|| {
        CtlError::new(
            ErrorKind::Unexpected,
            format!(
                "undo the deployment of {}: `{}` has no revision",
                app.word(),
                chosen.task_definition
            ),
        )
    })?;
    Ok(What::Before(revision, moved(ctx, chosen).await?))
}

/// The newest deployment that succeeded, before the present one, and brought another task definition or other digests.
fn choose<'a>(
    primary: &str,
    records: &[ServiceDeployment],
    revisions: &'a [ServiceRevision],
) -> Option<&'a ServiceRevision> {
    let revision = |record: &ServiceDeployment| {
        revisions
            .iter()
            .find(|known| Some(&known.arn) == record.revision.as_ref())
    };
    let is_present = |record: &ServiceDeployment| {
        record
            .revision
            .as_deref()
            .is_some_and(|known| brings(primary, known))
    };
    let position = records.iter().position(is_present)?;
    let present = revision(&records[position])?;
    records
        .iter()
        .skip(position + 1)
        .filter(|record| record.status == "SUCCESSFUL")
        .filter_map(revision)
        .find(|known| known.task_definition != present.task_definition || known.images != present.images)
}

/// Images of that deployment whose names mean something else by now, by their digests.
async fn moved(ctx: &Ctx, chosen: &ServiceRevision) -> Result<BTreeMap<String, String>> {
    let mut images = BTreeMap::new();
    for image in &chosen.images {
        let (Some(known), Some(digest)) = (ecr(&image.image), &image.digest) else {
            continue;
        };
        let found = ctx
            .aws
            .manifests(known.repository, &[known.reference.to_owned()])
            .await?;
        let same = found.iter().flatten().any(|(_, manifest)| manifest.has(digest));
        if !same {
            let name = image.image.split('@').next().unwrap_or(&image.image);
            let name = match name.rsplit_once(':') {
                Some((name, tag)) if !tag.contains('/') => name,
                _ => name,
            };
            images.insert(image.container.clone(), format!("{name}@{digest}"));
        }
    }
    Ok(images)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::ecs::rollouts::RevisionImage;

    fn record(number: &str, status: &str) -> ServiceDeployment {
        ServiceDeployment {
            arn: format!("arn:d/{number}"),
            revision: Some(format!("arn:r/{number}")),
            status: status.to_owned(),
            reason: None,
            created: None,
            finished: None,
        }
    }

    fn revision(number: &str, definition: &str, digest: &str) -> ServiceRevision {
        ServiceRevision {
            arn: format!("arn:r/{number}"),
            task_definition: definition.to_owned(),
            images: vec![RevisionImage {
                container: "php-fpm".to_owned(),
                image: "r/bp-backend:php-latest".to_owned(),
                digest: Some(digest.to_owned()),
            }],
        }
    }

    #[test]
    fn what_ran_before_is_the_last_success_that_brought_something_else() {
        // Newest first: a rollback, then the present one, a restart of it, a failure, and what ran before.
        let records = [
            record("9", "ROLLBACK_SUCCESSFUL"),
            record("8", "SUCCESSFUL"),
            record("7", "SUCCESSFUL"),
            record("6", "STOPPED"),
            record("5", "SUCCESSFUL"),
        ];
        let revisions = [
            revision("9", "bp:43", "c"),
            revision("8", "bp:42", "b"),
            revision("7", "bp:42", "b"),
            revision("6", "bp:42", "x"),
            revision("5", "bp:42", "a"),
        ];
        let chosen = |primary: &str| choose(primary, &records, &revisions).map(|known| known.arn.as_str());
        assert_eq!(chosen("ecs-svc/8"), Some("arn:r/5"));
        assert_eq!(chosen("ecs-svc/5"), None);
        assert_eq!(chosen("ecs-svc/1"), None);
    }
}
