//! What the verbs share that run a command in a one-off task and follow it to its end: `migrate`, `run`, `seed`, and
//! the migration of a deployment.

mod args;
mod attach;
mod screen;
mod watch;

pub(super) use args::{ChoiceArgs, TaskArgs, name};
pub(super) use attach::{Attach, attach};
pub(super) use screen::{Lines, Screen};
pub(super) use watch::{Watch, begin, went_on};
