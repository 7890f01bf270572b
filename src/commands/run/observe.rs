//! Reads what the plan needs to know.

use super::plan::Observed;
use super::request::Request;
use crate::commands::migrate::observe::{migration_under_way, service};
use crate::context::Ctx;
use crate::error::Result;
use crate::layout::Layout;

pub(super) async fn observe(ctx: &Ctx, layout: &Layout, request: &Request) -> Result<Observed> {
    let cluster = layout.cluster();
    let found = service(ctx, &cluster, &layout.service(request.app)).await?;
    let definition = ctx.aws.task_definition(&found.task_definition).await?;
    let migration = if request.seeds {
        migration_under_way(ctx, layout).await?
    } else {
        None
    };
    Ok(Observed {
        cluster,
        container: definition.container(&request.container).cloned(),
        essential: definition.essential(),
        definition: definition.arn,
        service: found,
        migration,
    })
}
