//! One knowledge of logs: where lines are, how many groups are read as one, and how they are followed without a gap
//! and without a line twice.
//!
//! Nothing is shown here; what is read goes to its caller.

mod follow;
mod history;
mod pace;
mod readable;
mod seen;
mod source;

pub(crate) use follow::{Follow, FollowEnd, Listener};
pub(crate) use history::history;
pub(crate) use readable::{Level, readable};
pub(crate) use source::{Line, Source};
