//! One knowledge of ECS tasks: how a one-off task is described and started, how it is followed, why it
//! stopped, and what its end means.
//!
//! Nothing is shown here. What happens while a task is followed is an [`Event`]; the command that follows
//! decides what to do with it.

pub(crate) mod artisan;
mod blame;
mod command_line;
mod description;
mod document;
mod ending;
mod event;
mod follow;
mod name;
mod network;
mod one_off;
mod place;
mod rival;
mod start;
pub(crate) mod stop_reason;
mod tail;
mod verdict;

pub(crate) use artisan::is_migration;
pub(crate) use blame::{Blame, blame};
pub(crate) use command_line::{for_entry_point, shell_line};
pub(crate) use description::LogPlace;
pub(crate) use document::{EndOfTask, LogOfTask, TaskAtLast};
pub(crate) use ending::{Following, Watched};
pub(crate) use event::{Event, Observer};
pub(crate) use follow::{Followed, Follower};
pub(crate) use name::TaskName;
pub(crate) use network::Choices;
pub(crate) use one_off::Start;
pub(crate) use place::Place;
pub(crate) use rival::{FINISHED_BEFORE, GIVES_WAY, Rivals};
pub(crate) use start::{refused, start};
pub(crate) use tail::Tail;
pub(crate) use verdict::{Judged, Judgement, Verdict, judge};

/// A line of a container as it may be shown: without the values of secrets. Every line that leaves a
/// container's log goes through here.
pub(crate) fn shown(line: &str) -> String {
    crate::redact::redact(line).into_owned()
}
