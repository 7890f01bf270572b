//! The commands behind the keys: what describes a row, what has its logs, and which changes are proposed for it.

use super::rows::Subject;
use crate::error::CommandLine;
use crate::layout::{App, FleetId};

/// A change that the operator may choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Proposal {
    Command(CommandLine),
    /// `fleet scale` with a number that is still to be typed.
    Size(FleetId),
}

impl Proposal {
    /// The command line, as far as it is known.
    pub(super) fn line(&self) -> String {
        match self {
            Self::Command(command) => command.to_string(),
            Self::Size(fleet) => format!(
                "{} N",
                CommandLine::bpctl(["fleet", "scale"])
                    .args([fleet.to_string()])
                    .args(["--desired"])
            ),
        }
    }
}

/// `bpctl fleet scale FLEET --desired N`.
pub(super) fn scale(fleet: &FleetId, desired: u32) -> CommandLine {
    CommandLine::bpctl(["fleet", "scale"])
        .args([fleet.to_string()])
        .option("--desired", desired.to_string())
}

/// What describes it; `None` for what is no thing of AWS.
pub(super) fn describe(subject: &Subject) -> Option<CommandLine> {
    let of = |kind: &str, name: &str| {
        // Names of alarms are free: one may begin with a dash.
        CommandLine::bpctl(["describe", kind, "--"]).args([name])
    };
    match subject {
        Subject::Service { name, .. } => Some(of("service", name)),
        Subject::Fleet { fleet, .. } | Subject::Activity { fleet } => Some(of("fleet", &fleet.to_string())),
        Subject::Alarm { name, described, .. } => described.then(|| of("alarm", name)),
        Subject::Deployment { id, .. } => Some(of("deployment", id)),
        Subject::Finding { .. } | Subject::Note => None,
    }
}

fn of_app(app: App) -> CommandLine {
    CommandLine::bpctl(["logs", app.word(), "--follow", "--timestamps"])
}

fn of_fleet(fleet: &FleetId) -> CommandLine {
    CommandLine::bpctl(["logs", "fleet"])
        .args([fleet.to_string()])
        .args(["--follow", "--timestamps"])
}

/// What follows its logs.
pub(super) fn logs(subject: &Subject) -> Option<CommandLine> {
    match subject {
        Subject::Service { app, .. } | Subject::Deployment { app, .. } => Some(of_app(*app)),
        Subject::Fleet { fleet, .. } | Subject::Activity { fleet } => Some(of_fleet(fleet)),
        Subject::Alarm { fleet, .. } => fleet.as_ref().map(of_fleet),
        Subject::Finding { fleet, app, .. } => match (fleet, app) {
            (Some(fleet), _) => Some(of_fleet(fleet)),
            (None, Some(app)) => Some(of_app(*app)),
            (None, None) => None,
        },
        Subject::Note => None,
    }
}

/// A title and the changes that are proposed.
pub(super) fn changes(subject: &Subject) -> (String, Vec<Proposal>) {
    let command = |command: CommandLine| Proposal::Command(command);
    match subject {
        Subject::Service { app, .. } | Subject::Deployment { app, .. } => {
            let app = app.word();
            let proposals = vec![
                command(CommandLine::bpctl(["deploy", app])),
                command(CommandLine::bpctl(["rollout", "undo", app])),
                command(CommandLine::bpctl(["rollout", "abort", app])),
            ];
            (app.to_owned(), proposals)
        }
        Subject::Fleet { fleet, .. } | Subject::Activity { fleet } => of_a_fleet(fleet),
        Subject::Alarm {
            fleet: Some(fleet), ..
        } => of_a_fleet(fleet),
        Subject::Alarm { fleet: None, .. } | Subject::Finding { .. } | Subject::Note => {
            (String::new(), Vec::new())
        }
    }
}

fn of_a_fleet(fleet: &FleetId) -> (String, Vec<Proposal>) {
    let with = |verb: &str| Proposal::Command(CommandLine::bpctl(["fleet", verb]).args([fleet.to_string()]));
    let proposals = vec![
        Proposal::Size(fleet.clone()),
        with("scale-to-zero"),
        with("refresh"),
        with("hold"),
        with("release"),
    ];
    (fleet.to_string(), proposals)
}
