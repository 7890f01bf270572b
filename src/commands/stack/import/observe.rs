//! What of a template is there, and whose it is.

use std::collections::BTreeSet;

use futures::stream;
use futures::{StreamExt as _, TryStreamExt as _};
use serde_json::Value;

use super::super::deploy::observe::{deployed, token_of_ours};
use super::Asked;
use crate::aws::cloudformation::Import;
use crate::change::Target;
use crate::change::journal::Record;
use crate::context::Ctx;
use crate::error::Result;
use crate::stacks::{Environment, StackArtifact, fixed, identified_by};

/// Resources that are looked for at the same time.
const AT_ONCE: usize = 4;

/// What a plan is made from.
#[derive(Debug)]
pub(super) struct Seen {
    /// None when there is no such stack; one that holds nothing yet is none.
    pub(super) status: Option<String>,
    /// The deployed template; null when there is none.
    pub(super) deployed: Value,
    pub(super) found: Vec<Found>,
    /// The token of an earlier run's operation that is under way.
    pub(super) going_on: Option<String>,
}

/// A resource of the template that could be taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) logical: String,
    pub(super) kind: String,
    /// The property that identifies it; none for a kind that is not known here.
    pub(super) property: Option<String>,
    /// Its name in the account; none when neither the template nor the operator says it.
    pub(super) identifier: Option<String>,
    /// Whether the account has it; none when nothing here can look.
    pub(super) is_there: Option<bool>,
    /// The stack that has it.
    pub(super) owner: Option<String>,
    /// Whether the operator has named it.
    pub(super) is_asked: bool,
}

impl Found {
    /// Whether it is taken in: what was named, as far as it is not known to be absent, or what is there and free.
    fn is_taken(&self) -> bool {
        self.owner.is_none() && (self.is_there == Some(true) || self.is_asked && self.is_there.is_none())
    }
}

impl Seen {
    /// What is taken in.
    pub(super) fn imports(&self) -> Vec<Import> {
        let taken = self.found.iter().filter(|found| found.is_taken());
        taken
            .filter_map(|found| {
                Some(Import {
                    logical: found.logical.clone(),
                    kind: found.kind.clone(),
                    property: found.property.clone()?,
                    identifier: found.identifier.clone()?,
                })
            })
            .collect()
    }
}

pub(super) async fn observe(
    ctx: &Ctx,
    artifact: &StackArtifact,
    asked: &[Asked],
    target: &Target,
    recent: &[Record],
) -> Result<Seen> {
    let name = &artifact.name;
    let stack = ctx.aws.stack(name).await?;
    let stack = stack.filter(|stack| stack.status != "REVIEW_IN_PROGRESS");
    let (mut deployed, has) = match &stack {
        // A new stack in the place of one whose creation was rolled back starts from nothing.
        Some(stack) if stack.status != "ROLLBACK_COMPLETE" => {
            let (template, resources) =
                futures::try_join!(deployed(ctx, name), ctx.aws.stack_resources(name))?;
            (template.unwrap_or(Value::Null), resources)
        }
        _ => (Value::Null, Vec::new()),
    };
    // What an import is about to take in, or has given back, is not the stack's.
    let is_under_way = stack
        .as_ref()
        .is_some_and(|stack| stack.status == "IMPORT_IN_PROGRESS");
    let has: BTreeSet<String> = has
        .into_iter()
        .filter(|resource| !(is_under_way && resource.status.starts_with("IMPORT_")))
        .map(|resource| resource.logical)
        .collect();
    if let Some(resources) = deployed["Resources"].as_object_mut() {
        resources.retain(|logical, _| has.contains(logical));
    }
    let going_on = match stack.as_ref().map(|stack| stack.status.as_str()) {
        Some("IMPORT_IN_PROGRESS") => {
            let events = ctx.aws.stack_events(name).await?;
            token_of_ours(name, &events, recent)
        }
        _ => None,
    };
    let here = Environment {
        partition: crate::settings::partition(&target.region).unwrap_or("aws"),
        account: &target.account,
        region: &target.region,
    };
    let looks: Vec<_> = candidates(artifact, &deployed, asked, here)
        .into_iter()
        .map(|found| Box::pin(look(ctx, found)))
        .collect();
    Ok(Seen {
        status: stack.map(|stack| stack.status),
        deployed,
        found: stream::iter(looks).buffered(AT_ONCE).try_collect().await?,
        going_on,
    })
}

/// The resources that were asked for, or all of the template whose names it says, that the stack does not have.
fn candidates(
    artifact: &StackArtifact,
    deployed: &Value,
    asked: &[Asked],
    here: Environment<'_>,
) -> Vec<Found> {
    let resources = artifact.template["Resources"].as_object();
    let mut found = Vec::new();
    for (logical, shape) in resources.into_iter().flatten() {
        let one = asked.iter().find(|one| one.logical == *logical);
        let is_in = deployed["Resources"].get(logical).is_some();
        if is_in || (one.is_none() && !asked.is_empty()) {
            continue;
        }
        let kind = shape["Type"].as_str().unwrap_or_default();
        let known = identified_by(kind);
        let given = one.and_then(|one| one.property.clone());
        let property = given.or_else(|| known.map(str::to_owned));
        let said = property.as_ref().and_then(|property| {
            let value = &shape["Properties"][property.as_str()];
            fixed(value, here)
        });
        let identifier = one.and_then(|one| one.identifier.clone()).or(said);
        if one.is_none() && identifier.is_none() {
            continue;
        }
        found.push(Found {
            logical: logical.clone(),
            kind: kind.to_owned(),
            property,
            identifier,
            is_there: None,
            owner: None,
            is_asked: one.is_some(),
        });
    }
    found
}

async fn look(ctx: &Ctx, mut found: Found) -> Result<Found> {
    let Some(identifier) = found.identifier.clone() else {
        return Ok(found);
    };
    let aws = &ctx.aws;
    found.is_there = match found.kind.as_str() {
        "AWS::Logs::LogGroup" => Some(aws.has_log_group(&identifier).await?),
        "AWS::S3::Bucket" => Some(aws.has_bucket(&identifier).await?),
        "AWS::ECR::Repository" => Some(aws.has_repository(&identifier).await?),
        "AWS::SSM::Parameter" => {
            let read = aws.parameters(std::slice::from_ref(&identifier)).await?;
            Some(read.found.contains_key(&identifier))
        }
        "AWS::RDS::DBInstance" => {
            let instances = aws.db_instances().await?;
            Some(instances.iter().any(|instance| instance.id == identifier))
        }
        _ => None,
    };
    if found.is_there != Some(false) {
        found.owner = aws.stack_of_resource(&identifier).await?;
    }
    Ok(found)
}
