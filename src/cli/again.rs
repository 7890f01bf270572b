//! `runs resume` and `runs undo`: the earlier run's own command line takes the place of the one that names it.

use std::ffi::OsString;

use clap::FromArgMatches as _;

use super::{Cli, Kind, command_tree};
use crate::change::{Direction, Earlier, Mode, journal};
use crate::commands::runs::{by_hand, refuse_without_way_back};
use crate::commands::verb::Continuation;
use crate::context::state_dir;
use crate::error::{CtlError, ErrorKind, Result};
use crate::process::Process;

/// The command to run and what it has to do with an earlier run.
///
/// # Errors
/// A run without a journal on this machine, or whose command line this version does not know; one that is to be taken
/// back and has no way back.
pub(super) fn in_place_of(cli: Cli, process: &mut Process) -> Result<(Cli, Mode)> {
    let Some(continuation) = cli.command.continues() else {
        return Ok((cli, Mode::Fresh));
    };
    let Continuation {
        direction,
        run,
        change,
    } = continuation;
    let record = journal::find(state_dir(&process.env).as_deref(), &run)?;
    if direction == Direction::Undo {
        refuse_without_way_back(&record)?;
    }
    let by_hand = by_hand(&record);
    let words = std::iter::once("bpctl".to_owned()).chain(record.command_line.iter().cloned());
    let earlier = command_tree()
        .try_get_matches_from(words)
        .and_then(|matches| Cli::from_arg_matches(&matches))
        .map_err(|error| {
            CtlError::new(
                ErrorKind::Unexpected,
                format!("go on with run {run}: this version of bpctl does not know its command line"),
            )
            .cause(error.kind().to_string())
        })?;
    // What is written into the journal of the new run is what was typed for the earlier one.
    process.args = std::iter::once(OsString::from("bpctl"))
        .chain(record.command_line.into_iter().map(OsString::from))
        .collect();
    let mode = Mode::Of(
        direction,
        Box::new(Earlier {
            run,
            by_hand,
            args: change,
        }),
    );
    let global = earlier.global.shown_as(cli.global);
    Ok((
        Cli {
            global,
            command: earlier.command,
            kind: Kind {
                changes: true,
                ..Kind::default()
            },
        },
        mode,
    ))
}
