//! Work that keeps a processor busy: on a thread of its own, with a bar, given up at the first Ctrl-C.

use crate::context::Ctx;
use crate::error::{CtlError, ErrorKind, Result};
use crate::ui::Gauge;

/// Does `work`, which reports how far it is through the gauge.
///
/// # Errors
/// [`ErrorKind::Interrupted`], or that the work broke down.
pub(in crate::commands) async fn compute<T: Send + 'static>(
    ctx: &Ctx,
    what: &str,
    work: impl FnOnce(&Gauge) -> T + Send + 'static,
) -> Result<T> {
    let bar = ctx.ui.bar(what);
    let gauge = bar.gauge();
    let working = tokio::task::spawn_blocking(move || work(&gauge));
    // A command that gives up does not wait for the thread: it changes nothing and ends with the process.
    ctx.unless_interrupted(async {
        working
            .await
            .map_err(|error| CtlError::new(ErrorKind::Unexpected, "compute the result").source(&error))
    })
    .await
}
