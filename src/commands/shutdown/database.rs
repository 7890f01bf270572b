//! The database of a platform that sleeps: which one it is, whether it can be stopped, and what starts it again.

use std::time::Duration;

use jiff::Timestamp;

use super::steps::{self, Action};
use crate::aws::rds::DbInstance;
use crate::aws::rds::power::Power;
use crate::change::{Blocker, Plan};
use crate::commands::db::instances::{self, PlatformDatabase};
use crate::context::Ctx;
use crate::error::{CommandLine, ErrorKind, Hint, Result};
use crate::layout::Layout;

/// "If you don't manually start your DB instance after it is stopped for seven consecutive days, RDS automatically
/// starts your DB instance for you" (Amazon RDS User Guide, "Stopping an Amazon RDS DB instance temporarily").
const LONGEST: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The platform's database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Database {
    Found {
        instance: Box<DbInstance>,
        /// Why it is thought to be the right one, when that is not certain.
        doubt: Option<String>,
    },
    Unknown(String),
}

/// Looks for the platform's database.
///
/// # Errors
/// When the instances cannot be read.
pub(super) async fn look(ctx: &Ctx, layout: &Layout) -> Result<Database> {
    let found = instances::look(ctx, layout).await?;
    Ok(match found.chosen() {
        PlatformDatabase::Found { id, doubt, .. } => {
            let mut all = found.all.into_iter();
            match all.find(|instance| instance.id == id) {
                Some(instance) => Database::Found {
                    instance: Box::new(instance),
                    doubt,
                },
                None => Database::Unknown(format!("there is no database {id}")),
            }
        }
        PlatformDatabase::Unknown(why) => Database::Unknown(why),
    })
}

/// When AWS starts a database that is stopped now.
pub(super) fn starts_itself(now: Timestamp) -> Timestamp {
    now.checked_add(LONGEST).unwrap_or(Timestamp::MAX)
}

impl Database {
    /// The instance that a shutdown is going to stop.
    pub(super) fn to_stop(&self) -> Option<&DbInstance> {
        match self {
            Self::Found { instance, .. } if instance.never_stops().is_none() => match instance.power() {
                Power::On | Power::Busy | Power::Starting => Some(instance.as_ref()),
                Power::Stopping | Power::Off | Power::Other => None,
            },
            Self::Found { .. } | Self::Unknown(_) => None,
        }
    }

    /// Adds the stop, behind everything else, or why it cannot be.
    pub(super) fn plan(&self, plan: &mut Plan<Action>, recorded: bool, now: Timestamp) {
        let block = |kind: ErrorKind, reason: String| Blocker {
            kind,
            reason,
            hint: Hint::new("leave it running: without `--rds stop`, or look at it with")
                .command(CommandLine::bpctl(["triage"])),
        };
        let instance = match self {
            Self::Unknown(why) => {
                let reason = format!("stop the database: {why}");
                plan.blockers.push(block(ErrorKind::NotFound, reason));
                return;
            }
            Self::Found { instance, doubt } => {
                let doubts = doubt.iter().map(|doubt| format!("{}: {doubt}", instance.id));
                plan.warnings.extend(doubts);
                instance
            }
        };
        let id = &instance.id;
        if let Some(why) = instance.never_stops() {
            let reason = format!("stop the database {id}: {why}");
            plan.blockers.push(block(ErrorKind::Rejected, reason));
            return;
        }
        match instance.power() {
            Power::On | Power::Busy | Power::Starting => {
                let mut step = steps::stop(instance);
                // The tasks of every service have to be gone, also of those that are at zero already.
                step.needs = plan.steps.iter().map(|step| step.id.clone()).collect();
                plan.steps.push(step);
                plan.warnings.push(format!(
                    "AWS starts the database {id} again by itself after seven days, on {}, and it costs from then on: run `shutdown --rds stop` once more by then",
                    crate::fleet::hold::minute(starts_itself(now))
                ));
            }
            Power::Stopping | Power::Off if !recorded => plan.warnings.push(format!(
                "the database {id} is {} already, by somebody else: `resume` leaves it so",
                instance.status
            )),
            Power::Stopping | Power::Off => {}
            Power::Other => {
                let reason = format!("stop the database {id}: it is `{}`", instance.status);
                plan.blockers.push(block(ErrorKind::Conflict, reason));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(status: &str, recorded: bool) -> Plan<Action> {
        let instance = DbInstance {
            id: "bp-db".to_owned(),
            status: status.to_owned(),
            engine: "mariadb".to_owned(),
            ..DbInstance::default()
        };
        let database = Database::Found {
            instance: Box::new(instance),
            doubt: None,
        };
        let mut plan = Plan::new("shut down", Vec::new());
        database.plan(&mut plan, recorded, Timestamp::UNIX_EPOCH);
        assert_eq!(database.to_stop().is_some(), !plan.steps.is_empty());
        plan
    }

    #[test]
    fn what_serves_is_stopped_and_what_is_down_stays_so() {
        for status in ["available", "storage-optimization", "backing-up", "starting"] {
            let plan = planned(status, false);
            assert!(plan.steps[0].waits && plan.blockers.is_empty(), "{status}");
            assert!(
                plan.warnings[0].contains("1970-01-08 00:00 UTC"),
                "{:?}",
                plan.warnings
            );
        }
        let foreign = planned("stopped", false);
        assert!(foreign.warnings[0].contains("by somebody else"), "{foreign:?}");
        assert!(planned("stopping", true).warnings.is_empty());
        assert_eq!(planned("failed", false).blockers[0].kind, ErrorKind::Conflict);
    }

    #[test]
    fn what_is_not_known_or_never_stops_blocks() {
        let mut plan = Plan::new("shut down", Vec::new());
        Database::Unknown("there are 2".to_owned()).plan(&mut plan, false, Timestamp::UNIX_EPOCH);
        assert_eq!(plan.blockers[0].kind, ErrorKind::NotFound);
        let instance = DbInstance {
            id: "bp-db".to_owned(),
            status: "available".to_owned(),
            replicas: vec!["copy".to_owned()],
            ..DbInstance::default()
        };
        let doubt = Some("it is the only one".to_owned());
        let mut plan = Plan::new("shut down", Vec::new());
        let instance = Box::new(instance);
        Database::Found { instance, doubt }.plan(&mut plan, false, Timestamp::UNIX_EPOCH);
        assert_eq!(plan.blockers[0].kind, ErrorKind::Rejected);
        assert!(plan.steps.is_empty() && plan.warnings[0].contains("the only one"));
    }
}
