//! What is there of a bootstrap.

use super::view::Prepared;
use crate::change::Target;
use crate::context::Ctx;
use crate::error::{CtlError, Result};
use crate::stacks::Bootstrap;

/// What a plan is made from.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) prepared: Prepared,
    /// Why npx cannot be run.
    pub(super) no_npx: Option<CtlError>,
}

/// Reads the stack, its parameter, and what the stack's outputs name.
pub(super) async fn observe(
    ctx: &Ctx,
    wanted: &Bootstrap,
    target: &Target,
    no_npx: Option<CtlError>,
) -> Result<Seen> {
    let aws = &ctx.aws;
    let names = [wanted.parameter()];
    let (stack, parameters) = futures::try_join!(aws.stack(&wanted.stack), aws.parameters(&names))?;
    let output = |key: &str| stack.as_ref().and_then(|stack| stack.outputs.get(key).cloned());
    let usual = |name: Option<String>, usual: String| name.filter(|name| !name.is_empty()).unwrap_or(usual);
    let bucket = usual(
        output("BucketName"),
        wanted.bucket(&target.account, &target.region),
    );
    let repository = usual(
        output("ImageRepositoryName"),
        wanted.repository(&target.account, &target.region),
    );
    let (has_bucket, has_repository) =
        futures::try_join!(aws.has_bucket(&bucket), aws.has_repository(&repository))?;
    let version = parameters.found.get(&names[0]);
    let version = version.and_then(|parameter| parameter.value.expose().trim().parse().ok());
    Ok(Seen {
        prepared: Prepared {
            status: stack.map(|stack| stack.status),
            version,
            bucket,
            has_bucket,
            repository,
            has_repository,
        },
        no_npx,
    })
}

impl Seen {
    /// What speaks against "it is prepared", in words that follow "and".
    pub(super) fn missing(&self, wanted: &Bootstrap) -> Vec<String> {
        let seen = &self.prepared;
        let name = &wanted.stack;
        let mut missing = Vec::new();
        // Without the stack nothing of it counts.
        match seen.status.as_deref() {
            None => return vec![format!("there is no stack {name}")],
            // A rollback leaves the bootstrap of before.
            Some("CREATE_COMPLETE" | "UPDATE_COMPLETE" | "UPDATE_ROLLBACK_COMPLETE" | "IMPORT_COMPLETE") => {}
            Some(status) => missing.push(format!("{name} is {status}")),
        }
        match (seen.version, wanted.wanted) {
            (None, _) => missing.push(format!("there is no version in {}", wanted.parameter())),
            (Some(is), Some(wants)) if is < wants => {
                missing.push(format!("its version is {is}, and the app's stacks need {wants}"));
            }
            _ => {}
        }
        missing.extend(self.gone());
        missing
    }

    /// What the stack has made and is there no more.
    pub(super) fn gone(&self) -> Vec<String> {
        let seen = &self.prepared;
        let things = [
            (seen.has_bucket, "bucket", &seen.bucket),
            (seen.has_repository, "repository", &seen.repository),
        ];
        let gone = things.into_iter().filter(|(is_there, _, _)| !is_there);
        gone.map(|(_, what, name)| format!("there is no {what} {name}"))
            .collect()
    }

    /// What an earlier bootstrap has left, with its kind before its name.
    pub(super) fn left(&self) -> Vec<String> {
        let seen = &self.prepared;
        let things = [
            (seen.has_bucket, "bucket", &seen.bucket),
            (seen.has_repository, "repository", &seen.repository),
        ];
        let left = things.into_iter().filter(|(is_there, _, _)| *is_there);
        left.map(|(_, what, name)| format!("{what} {name}")).collect()
    }
}
