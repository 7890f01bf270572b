//! How the command ends: one reason keeps its own status, a mixture is a partial success.

use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};

use super::super::text::counted;
use super::outcome::{FleetOutcome, Kind};
use super::plan::Request;

/// Whether all is well, or how the command ends.
///
/// # Errors
/// A single reason keeps its own status; a mixture is a partial success.
pub(super) fn conclude(
    request: Request,
    fleets: &[FleetOutcome],
    failed: &[(String, CtlError)],
    interrupted: bool,
) -> Result<()> {
    let of = |kinds: &[Kind]| -> Vec<String> {
        fleets
            .iter()
            .filter(|fleet| kinds.contains(&fleet.outcome))
            .map(|fleet| fleet.name.to_string())
            .collect()
    };
    let good = of(&[Kind::AtZero, Kind::Stays, Kind::StillRunning]).len();
    let bad = of(&[Kind::Failed, Kind::RaisedAgain]);
    let unfinished = of(&[Kind::Failed, Kind::RaisedAgain, Kind::NotBegun, Kind::StillBusy]);
    let total = counted((good + unfinished.len()) as u64, "fleet");
    let resume = Hint::from(("to go on:", resume(request, &unfinished)));
    let late = of(&[Kind::StillRunning]);
    if interrupted {
        let error = CtlError::new(
            ErrorKind::Interrupted,
            format!("take all fleets to zero: interrupted after {good} of {total}"),
        );
        return Err(if unfinished.is_empty() {
            error.hint(look(&late))
        } else {
            error.hint(resume)
        });
    }
    if !bad.is_empty() {
        if let ([(_, only)], true) = (failed, good == 0 && bad.len() == 1) {
            return Err(only.clone());
        }
        if good == 0 {
            return Err(because_of_policies(all_bad(&bad, failed), fleets).hint(resume));
        }
        let mut error = CtlError::new(
            ErrorKind::Partial,
            format!(
                "take all fleets to zero: {good} of {total} are, {} not",
                bad.join(", ")
            ),
        );
        // One hint per reason, not one per fleet.
        for hint in distinct_hints(failed) {
            error = error.hint(hint);
        }
        return Err(because_of_policies(error, fleets).hint(resume));
    }
    let busy = of(&[Kind::StillBusy]);
    if !busy.is_empty() {
        return Err(CtlError::new(
            ErrorKind::TimedOut,
            format!(
                "take all fleets to zero: jobs of {} did not end in time",
                busy.join(", ")
            ),
        )
        .hint(resume.and(", with a longer `--timeout` or with `--force`")));
    }
    if !late.is_empty() {
        return Err(CtlError::new(
            ErrorKind::TimedOut,
            format!("see every instance leave: {} still has some", late.join(", ")),
        )
        .hint(look(&late)));
    }
    Ok(())
}

/// The instances could not be followed to their end.
pub(super) fn out_of_sight(trouble: CtlError, fleets: &[FleetOutcome]) -> CtlError {
    let late: Vec<String> = fleets
        .iter()
        .filter(|fleet| fleet.outcome == Kind::StillRunning)
        .map(|fleet| fleet.name.to_string())
        .collect();
    trouble.context("see every instance leave").hint(look(&late))
}

fn look(fleets: &[String]) -> Hint {
    Hint::from((
        "the capacity is set; look again with",
        CommandLine::bpctl(["fleet", "status"]).args(fleets),
    ))
}

/// Nothing went well: the common reason decides, if there is one.
fn all_bad(bad: &[String], failed: &[(String, CtlError)]) -> CtlError {
    let mut kinds: Vec<ErrorKind> = failed.iter().map(|(_, error)| error.kind()).collect();
    kinds.dedup();
    let kind = match kinds.as_slice() {
        [only] if failed.len() == bad.len() => *only,
        _ => ErrorKind::Failed,
    };
    let mut error = CtlError::new(kind, format!("take {} to zero", bad.join(", ")));
    if let Some((_, first)) = failed.first() {
        error = error.cause(first.to_string());
    }
    for hint in distinct_hints(failed) {
        error = error.hint(hint);
    }
    error
}

/// Tells of capacities that came back, and how to keep them from doing so.
fn because_of_policies(mut error: CtlError, fleets: &[FleetOutcome]) -> CtlError {
    let raised: Vec<&FleetOutcome> = fleets
        .iter()
        .filter(|fleet| fleet.outcome == Kind::RaisedAgain)
        .collect();
    for fleet in &raised {
        error = error.cause(format!("{} was {}", fleet.name, fleet.message));
    }
    if let Some(first) = raised.first() {
        error = error.hint(
            Hint::new("let the queue run empty first (")
                .command(CommandLine::bpctl(["fleet", "status"]).args([first.name.to_string()]))
                .and("), or take the policies out of play: suspend the process AlarmNotification of its Auto Scaling group"),
        );
    }
    error
}

fn distinct_hints(failed: &[(String, CtlError)]) -> Vec<Hint> {
    let mut hints: Vec<Hint> = Vec::new();
    for hint in failed.iter().flat_map(|(_, error)| error.hints()) {
        if !hints.contains(hint) {
            hints.push(hint.clone());
        }
    }
    hints.truncate(3);
    hints
}

fn resume(request: Request, fleets: &[String]) -> CommandLine {
    let mut command = CommandLine::bpctl(["fleet", "scale-to-zero"]).args(fleets);
    if request.drain {
        command = command.args(["--drain"]);
    }
    if request.force {
        command = command.args(["--force"]);
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(name: &str, kind: Kind) -> FleetOutcome {
        FleetOutcome {
            name: name.parse().unwrap(),
            outcome: kind,
            desired_before: Some(2),
            desired_after: Some(0),
            staying: Vec::new(),
            message: String::new(),
        }
    }

    fn end(kinds: &[Kind], failed: &[(&str, ErrorKind)], interrupted: bool) -> Option<CtlError> {
        let fleets: Vec<_> = kinds
            .iter()
            .enumerate()
            .map(|(number, kind)| outcome(&format!("production/f{number}"), *kind))
            .collect();
        let failed: Vec<_> = failed
            .iter()
            .map(|(name, kind)| ((*name).to_owned(), CtlError::new(*kind, "x").hint("the hint")))
            .collect();
        conclude(Request::default(), &fleets, &failed, interrupted).err()
    }

    #[test]
    fn all_at_zero_is_done() {
        assert_eq!(
            end(&[Kind::AtZero, Kind::Unchanged, Kind::Stays], &[], false),
            None
        );
    }

    #[test]
    fn a_single_failure_keeps_its_status() {
        let error = end(&[Kind::Failed], &[("production/f0", ErrorKind::Changed)], false).unwrap();
        assert_eq!(error.exit_status().code(), 5);
    }

    #[test]
    fn failures_of_one_kind_keep_it() {
        let denied = [
            ("production/f0", ErrorKind::AccessDenied),
            ("production/f1", ErrorKind::AccessDenied),
        ];
        let error = end(&[Kind::Failed, Kind::Failed], &denied, false).unwrap();
        assert_eq!(error.exit_status().code(), 4);
        assert_eq!(error.hints().iter().filter(|hint| *hint == "the hint").count(), 1);
    }

    #[test]
    fn a_mixture_is_partly_done_and_names_the_rest() {
        let error = end(
            &[Kind::AtZero, Kind::Failed],
            &[("production/f1", ErrorKind::Changed)],
            false,
        )
        .unwrap();
        assert_eq!(error.exit_status().code(), 7);
        assert!(
            error
                .hints()
                .last()
                .unwrap()
                .contains("bpctl fleet scale-to-zero production/f1`")
        );
    }

    #[test]
    fn a_capacity_that_came_back_is_no_success() {
        assert_eq!(
            end(&[Kind::RaisedAgain], &[], false)
                .unwrap()
                .exit_status()
                .code(),
            1
        );
        assert_eq!(
            end(&[Kind::AtZero, Kind::RaisedAgain], &[], false)
                .unwrap()
                .exit_status()
                .code(),
            7
        );
    }

    #[test]
    fn whatever_only_needs_time_is_status_6() {
        for kind in [Kind::StillRunning, Kind::StillBusy] {
            assert_eq!(
                end(&[Kind::AtZero, kind], &[], false)
                    .unwrap()
                    .exit_status()
                    .code(),
                6
            );
        }
    }

    #[test]
    fn an_interrupt_says_how_far_it_came() {
        let error = end(&[Kind::AtZero, Kind::NotBegun], &[], true).unwrap();
        assert_eq!(error.exit_status().code(), 130);
        assert!(error.message().contains("1 of 2 fleets"));
        assert!(error.hints()[0].contains("production/f1"));
    }
}
