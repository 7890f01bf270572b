//! What a triage comes to: a status for scripts, or an error when there was nothing to judge.

use clap::ValueEnum;

use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;
use crate::layout::FleetId;
use crate::triage::finding::Severity;
use crate::triage::snapshot::{Blind, Probe, Snapshot};

/// `--fail-on`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    /// Users are harmed now
    #[default]
    #[value(name = "P1")]
    P1,
    /// Users will be harmed, or some are
    #[value(name = "P2")]
    P2,
    /// Anything at all
    #[value(name = "P3")]
    P3,
    /// Whatever is found, end with status 0
    #[value(name = "never")]
    Never,
}

impl FailOn {
    fn limit(self) -> Option<Severity> {
        match self {
            Self::P1 => Some(Severity::P1),
            Self::P2 => Some(Severity::P2),
            Self::P3 => Some(Severity::P3),
            Self::Never => None,
        }
    }

    /// The status of a triage whose worst finding is this severe. `blind` says that something could not be
    /// checked: it is not known then whether there is worse.
    pub(crate) fn status(self, worst: Option<Severity>, blind: bool) -> ExitStatus {
        match (self.limit(), worst) {
            (None, _) => ExitStatus::Done,
            (Some(limit), Some(worst)) if worst <= limit => ExitStatus::Failed,
            (Some(_), _) if blind => ExitStatus::Partial,
            (Some(_), _) => ExitStatus::Done,
        }
    }
}

/// Why no probe got an answer: of the kind of the first reason, credentials before all others.
pub(crate) fn nothing_seen(snapshot: &Snapshot) -> CtlError {
    let reasons: Vec<&Blind> = Probe::ALL
        .iter()
        .filter_map(|probe| snapshot.blind(*probe))
        .filter(|blind| blind.needs.is_none())
        .collect();
    let reason = reasons
        .iter()
        .find(|blind| blind.kind == ErrorKind::Credentials)
        .or(reasons.first());
    let kind = reason.map_or(ErrorKind::Unexpected, |blind| blind.kind);
    let error = CtlError::new(kind, "check anything: no probe got an answer");
    let Some(reason) = reason else { return error };
    reason
        .hints
        .iter()
        .fold(error.cause(&reason.reason), |error, hint| error.hint(hint))
}

/// # Errors
/// When a fleet that was asked for has no group. Nothing is said where groups could not be seen.
pub(crate) fn unknown_fleets(snapshot: &Snapshot, asked: &[FleetId]) -> Result<()> {
    let Ok(groups) = &snapshot.groups else {
        return Ok(());
    };
    let unknown = asked
        .iter()
        .find(|fleet| !groups.iter().any(|group| group.fleet == **fleet));
    match unknown {
        None => Ok(()),
        Some(fleet) => Err(CtlError::new(
            ErrorKind::NotFound,
            format!("look at fleet `{fleet}`: there is no Auto Scaling group of that fleet"),
        )
        .cause(format!(
            "the group would be `{}`",
            snapshot.layout.auto_scaling_group(fleet)
        ))
        .hint(("list the fleets with", CommandLine::bpctl(["fleet", "list"])))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{Layout, LayoutKind};

    #[test]
    fn a_limit_includes_everything_worse() {
        for (limit, worst, status) in [
            (FailOn::P1, None, 0),
            (FailOn::P3, None, 0),
            (FailOn::P1, Some(Severity::P2), 0),
            (FailOn::P2, Some(Severity::P1), 1),
            (FailOn::P2, Some(Severity::P2), 1),
            (FailOn::P2, Some(Severity::P3), 0),
            (FailOn::Never, Some(Severity::P1), 0),
        ] {
            assert_eq!(limit.status(worst, false).code(), status, "{limit:?} {worst:?}");
        }
    }

    #[test]
    fn what_could_not_be_checked_is_not_fine() {
        for (limit, worst, status) in [
            (FailOn::P1, None, 7),
            (FailOn::P1, Some(Severity::P2), 7),
            (FailOn::P1, Some(Severity::P1), 1),
            (FailOn::Never, None, 0),
            (FailOn::Never, Some(Severity::P1), 0),
        ] {
            assert_eq!(limit.status(worst, true).code(), status, "{limit:?} {worst:?}");
        }
    }

    #[test]
    fn expired_credentials_are_told_before_anything_else() {
        let layout = Layout::new(LayoutKind::Single, "bp", None).unwrap();
        let blind = |kind| Blind {
            kind,
            reason: "failed to look".to_owned(),
            hints: vec!["sign in".into()],
            needs: None,
        };
        let mut snapshot = Snapshot::empty(layout);
        snapshot.services = Err(blind(ErrorKind::TimedOut));
        snapshot.secrets = Err(blind(ErrorKind::Credentials));
        let error = nothing_seen(&snapshot);
        assert_eq!(error.exit_status().code(), 4);
        assert_eq!(error.hints(), ["sign in"]);
        snapshot.secrets = Ok(Vec::new());
        assert_eq!(nothing_seen(&snapshot).exit_status().code(), 6);
    }
}
