//! Follows the operations that were begun to their ends.

use futures::future::try_join_all;

use super::super::operation::{follow, readiness, told_once};
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
    // Also those that nothing waits for: what happens to them is told while others are waited for.
    let looks = operations
        .values_mut()
        .map(|operation| operation.look(change.ctx));
    try_join_all(looks).await?;
    let planned = change.planned.borrow();
    let states: Result<Vec<Readiness>> = steps
        .iter()
        .map(|step| {
            let needs = step.action.needs.iter();
            let needs = needs.filter(|need| planned.contains(*need) && !unchanged.contains(*need));
            let needs: Vec<String> = needs.cloned().collect();
            readiness(&operations, &needs, &format!("deploy {}: it needs", step.id))
        })
        .collect();
    Ok(told_once(states?))
}

pub(super) async fn verify<'c, V: DeployVerb>(
    change: &StackDeploy<'c, V>,
    run: &mut Verification<'_, StackDeploy<'c, V>>,
) -> Result<()> {
    let mut operations = change.operations.lock().await;
    follow(change.ctx, &mut operations, run).await
}
