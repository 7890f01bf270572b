//! Follows the operations that were begun to their ends.

use std::collections::BTreeSet;

use super::super::operation::{follow, readiness};
use super::plan::Action;
use super::{DeployVerb, StackDeploy};
use crate::change::{Readiness, Step, Verification};
use crate::error::Result;

/// Whether the stacks that each step waits for have come to a good end.
pub(super) async fn ready<V: DeployVerb>(
    change: &StackDeploy<'_, V>,
    steps: &[&Step<Action>],
) -> Result<Vec<Readiness>> {
    let mut operations = change.operations.lock().await;
    let unchanged = change.unchanged.lock().await;
    let needed: BTreeSet<&String> = steps.iter().flat_map(|step| &step.action.needs).collect();
    for name in needed {
        if let Some(operation) = operations.get_mut(name) {
            operation.look(change.ctx).await?;
        }
    }
    steps
        .iter()
        .map(|step| {
            let needs = step.action.needs.iter();
            let needs: Vec<String> = needs.filter(|need| !unchanged.contains(*need)).cloned().collect();
            readiness(&operations, &needs, &format!("deploy {}: it needs", step.id))
        })
        .collect()
}

pub(super) async fn verify<'c, V: DeployVerb>(
    change: &StackDeploy<'c, V>,
    run: &mut Verification<'_, StackDeploy<'c, V>>,
) -> Result<()> {
    let mut operations = change.operations.lock().await;
    follow(change.ctx, &mut operations, run).await
}
