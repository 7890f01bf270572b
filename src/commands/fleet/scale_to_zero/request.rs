//! How fleets are to be taken to zero.

/// What becomes of running jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Request {
    /// Wait until the jobs are done.
    pub(super) drain: bool,
    /// Go on although jobs are (or may be) lost.
    pub(super) force: bool,
}
