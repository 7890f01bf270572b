//! What the engine stands on. The engine knows no AWS and no settings: a command's surroundings give it
//! the terminal, the clock, the state folder and the account.

use std::path::Path;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::args::ChangeArgs;
use super::run_id::RunId;
use super::store::SharedStore;
use super::target::Target;
use crate::clock::Clock;
use crate::error::{Hint, Result};
use crate::exit::ExitStatus;
use crate::output::Render;
use crate::ui::Ui;

/// The surroundings of a change.
pub(crate) trait Ground {
    /// Where leases and the shared history are kept.
    type Store<'a>: SharedStore
    where
        Self: 'a;

    fn ui(&self) -> &Ui;
    fn clock(&self) -> &Clock;
    /// Cancelled by the first Ctrl-C.
    fn cancel(&self) -> &CancellationToken;
    /// Where journals and locks lie; `None` without a home folder.
    fn state_dir(&self) -> Option<&Path>;
    /// How long to wait for the end unless a flag says otherwise.
    fn wait_timeout(&self) -> Duration;
    /// The command line as it can be typed again, without the program's name.
    fn command_line(&self) -> &[String];
    /// What to do with an earlier run, when the command line names one.
    fn mode(&self) -> &Mode;
    /// The account-wide store, and whether a change without it is refused.
    fn shared(&self) -> Shared<Self::Store<'_>>;

    /// Writes the result.
    ///
    /// # Errors
    /// A stdout that cannot be written, a query that does not fit.
    fn emit<R: Render>(&self, result: &R) -> Result<()>;

    /// Writes the result of something that has been done, and ends with how that went.
    ///
    /// # Errors
    /// Those of `outcome`; without one, that the result cannot be shown.
    fn emit_outcome<R: Render>(&self, result: &R, outcome: Result<ExitStatus>) -> Result<ExitStatus>;

    /// The account and region of the change, once every guard has let it pass.
    ///
    /// # Errors
    /// No credentials, or the wrong account.
    async fn target(&self) -> Result<Target>;
}

/// The account-wide store as configured.
pub(crate) struct Shared<S> {
    /// `None` when the context has none.
    pub(crate) store: Option<S>,
    /// `require_lease`: without a lease nothing is changed.
    pub(crate) required: bool,
}

/// What a run has to do with an earlier one.
#[derive(Clone, Debug, Default)]
pub(crate) enum Mode {
    /// Nothing: the command line was typed.
    #[default]
    Fresh,
    /// `runs resume` and `runs undo`.
    Of(Direction, Box<Earlier>),
}

/// Which way to go from an earlier run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Go on with what is left of it.
    Resume,
    /// Take back what it did.
    Undo,
}

/// An earlier run and the flags of the command that names it.
#[derive(Clone, Debug)]
pub(crate) struct Earlier {
    pub(crate) run: RunId,
    /// What the operator does where no step takes the run back.
    pub(crate) by_hand: Hint,
    /// Gate and waiting flags of the new command line; those of the old one do not count.
    pub(crate) args: ChangeArgs,
}
