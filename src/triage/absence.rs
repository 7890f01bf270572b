//! Whether a finding that a later look does not have has gone, or could not be seen.
//!
//! A rule keeps silent without its answer, so what is not found where something could not be checked may still be there.
//! Most findings rest on little of all that is looked at: a role that may not list secrets still sees that a fleet
//! works again. What a finding rests on the rules themselves tell: they judge the earlier look without what is not seen
//! now, and the later one with what was seen of it then.

use std::collections::BTreeSet;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::catalog::Code;
use super::finding::{Finding, Node};
use super::report::{is_blindness, seen_by};
use super::rules;
use super::snapshot::{Blind, Probe, Snapshot};
use crate::error::ErrorKind;
use crate::layout::{FleetAlarm, FleetId};

/// Probes that do with less where others are blind: they answer, and what they do not say may be so for want of the
/// others. In the order in which one leads to the next.
const DERIVED: [(Probe, &[Probe]); 3] = [
    // Which instance is the platform's.
    (Probe::Database, &[Probe::Stacks, Probe::Alarms]),
    // Which load balancer, database and services have metrics.
    (Probe::Metrics, &[Probe::Alarms, Probe::Services, Probe::Database]),
    // Which alarms invoke the policies, where they have names of their own.
    (Probe::FleetAlarms, &[Probe::Policies]),
];

/// What was seen, when, and of which fleets: of all where there is none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look<'a> {
    pub(crate) seen: &'a Snapshot,
    pub(crate) at: Timestamp,
    pub(crate) fleets: &'a [FleetId],
}

/// Why it is not known whether a finding has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Why {
    /// What it rests on could not be checked by the later look.
    CouldNotCheck,
    /// The later look left its fleet out.
    OtherFleets,
}

/// What a finding is known by.
type Name = (Code, String);

/// What is not known of two looks.
#[derive(Debug)]
pub(crate) struct Doubt<'a> {
    earlier: Look<'a>,
    later: Look<'a>,
    /// What the later look did not see, or not for certain.
    unseen: BTreeSet<Probe>,
    /// What would have been found then by what is seen now.
    firm: BTreeSet<Name>,
    /// What would be found now if the rest were as it was then.
    standing: BTreeSet<Name>,
}

impl<'a> Doubt<'a> {
    pub(crate) fn between(earlier: Look<'a>, later: Look<'a>) -> Self {
        let unseen = unseen(later.seen);
        let (mut firm, mut standing) = (BTreeSet::new(), BTreeSet::new());
        if !unseen.is_empty() {
            let (mut then, mut now) = (earlier.seen.clone(), later.seen.clone());
            for &probe in &unseen {
                then.forget(probe, nothing());
                if earlier.seen.blind(probe).is_none() {
                    now.recall(probe, earlier.seen);
                }
            }
            firm = names(&then, earlier.at);
            standing = names(&now, later.at);
        }
        Self {
            earlier,
            later,
            unseen,
            firm,
            standing,
        }
    }

    /// Why it is not known whether a finding of the earlier look, which the later one does not have, has gone. `None`: it
    /// has.
    pub(crate) fn about(&self, finding: &Finding) -> Option<Why> {
        // What could not be checked is known of every look.
        if is_blindness(finding) {
            return None;
        }
        if self.is_left_out(finding) {
            return Some(Why::OtherFleets);
        }
        if self.unseen.is_empty() {
            return None;
        }
        let probe = seen_by(&finding.node, self.earlier.seen);
        let name = name(finding);
        let is_seen = probe.is_some_and(|probe| !self.unseen.contains(&probe));
        let has_gone = is_seen && self.firm.contains(&name) && !self.standing.contains(&name);
        (!has_gone).then_some(Why::CouldNotCheck)
    }

    /// Whether the finding is of fleets that the later look left out and the earlier one did not.
    fn is_left_out(&self, finding: &Finding) -> bool {
        let (earlier, later) = (self.earlier.fleets, self.later.fleets);
        let narrower =
            !later.is_empty() && (earlier.is_empty() || earlier.iter().any(|fleet| !later.contains(fleet)));
        if !narrower {
            return false;
        }
        match &finding.node {
            Node::Queue(fleet)
            | Node::Workers(fleet)
            | Node::Group(fleet)
            | Node::Launch(fleet)
            | Node::FleetAlarms(fleet)
            | Node::Policies(fleet)
            | Node::FleetMetrics(fleet)
            | Node::Address(fleet)
            | Node::Ami(fleet) => !later.contains(fleet),
            Node::FleetSecret(stage) => later.iter().all(|fleet| fleet.stage != *stage),
            Node::Alarm(name) => self.is_alarm_left_out(name),
            // Said of all fleets together; the topic of the platform's own alarms is none of theirs.
            Node::Scheduler | Node::Publishers => true,
            Node::Topic => finding.code == Code::TopicUnsubscribed,
            Node::Registration(_)
            | Node::Responses
            | Node::Targets(_)
            | Node::Service(_)
            | Node::Migration
            | Node::Deployment(_)
            | Node::Tasks(..)
            | Node::Upstream
            | Node::Redis
            | Node::Database
            | Node::Nat
            | Node::Stack(_)
            | Node::Place
            | Node::Image(_)
            | Node::Secret(_)
            | Node::AlertTopic(_)
            | Node::Probe(_) => false,
        }
    }

    /// Whether an alarm is one of the fleets' and of none that the later look is of.
    fn is_alarm_left_out(&self, name: &str) -> bool {
        let seen = self.earlier.seen;
        if seen.layout.platform_alarms().iter().any(|own| own == name) {
            return false;
        }
        let belongs = |fleet: &FleetId| {
            let group = seen.layout.auto_scaling_group(fleet);
            let policies = seen.policies.iter().filter_map(|all| all.get(&group)).flatten();
            let mut invoking = policies.flat_map(|policy| &policy.alarms);
            FleetAlarm::ALL
                .into_iter()
                .any(|alarm| seen.layout.fleet_alarm(alarm, fleet) == name)
                || invoking.any(|alarm| alarm == name)
        };
        !self.later.fleets.iter().any(belongs)
    }
}

/// The probes that saw nothing, and those that may have seen less for it.
fn unseen(snapshot: &Snapshot) -> BTreeSet<Probe> {
    let all = Probe::ALL.iter().copied();
    let mut unseen: BTreeSet<Probe> = all.filter(|probe| snapshot.blind(*probe).is_some()).collect();
    for (probe, sources) in DERIVED {
        if sources.iter().any(|source| unseen.contains(source)) {
            unseen.insert(probe);
        }
    }
    unseen
}

fn names(snapshot: &Snapshot, now: Timestamp) -> BTreeSet<Name> {
    let roots = rules::evaluate(snapshot, now);
    roots.iter().flat_map(Finding::walk).map(name).collect()
}

fn name(finding: &Finding) -> Name {
    (finding.code, finding.subject.clone())
}

/// In the place of what is left out of a look. Of no kind that a rule draws conclusions from.
fn nothing() -> Blind {
    Blind {
        kind: ErrorKind::Unexpected,
        reason: String::new(),
        hints: Vec::new(),
        needs: None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::layout::App;
    use crate::triage::report::Report;
    use crate::triage::rules::sample;
    use crate::triage::snapshot::AlarmState;

    const NOTHING: [Code; 0] = [];

    /// A platform without tasks and with errors, whose scale-to-zero topic has no listener.
    fn broken() -> Snapshot {
        let mut snapshot = sample::healthy();
        let backend = sample::service_mut(&mut snapshot, App::Backend);
        (backend.desired, backend.running) = (0, 0);
        snapshot.metrics.as_mut().unwrap().balancer_5xx = sample::series(0..5, 100.0);
        snapshot.topics.as_mut().unwrap()[0].subscriptions = Some(Vec::new());
        snapshot
    }

    fn whole(seen: &Snapshot) -> Look<'_> {
        Look {
            seen,
            at: sample::now(),
            fleets: &[],
        }
    }

    /// What is in doubt of the findings of `earlier` that `later` has not.
    fn doubtful(earlier: Look<'_>, later: Look<'_>) -> Vec<Code> {
        let found = names(later.seen, later.at);
        let doubt = Doubt::between(earlier, later);
        let report = Report::new(earlier.seen, earlier.at);
        let missing = report.all().filter(|finding| !found.contains(&name(finding)));
        let mut codes: Vec<Code> = missing
            .filter(|finding| doubt.about(finding).is_some())
            .map(|finding| finding.code)
            .collect();
        codes.sort_unstable();
        codes
    }

    #[test]
    fn where_everything_was_seen_all_of_it_has_gone() {
        assert_eq!(doubtful(whole(&broken()), whole(&sample::healthy())), NOTHING);
    }

    #[test]
    fn what_rests_on_what_is_not_seen_is_in_doubt_and_the_rest_has_gone() {
        let mut later = sample::healthy();
        later.secrets = Err(sample::blind());
        assert_eq!(doubtful(whole(&broken()), whole(&later)), NOTHING);
        let mut later = sample::healthy();
        later.topics = Err(sample::blind());
        assert_eq!(
            doubtful(whole(&broken()), whole(&later)),
            [Code::TopicUnsubscribed]
        );
        // Without the services it is not known of which of them there are metrics.
        let mut later = sample::healthy();
        later.services = Err(sample::blind());
        assert_eq!(
            doubtful(whole(&broken()), whole(&later)),
            [Code::ServiceAtZero, Code::ServerErrors]
        );
    }

    #[test]
    fn what_an_alarm_alone_shows_is_in_doubt_without_the_alarms() {
        let mut earlier = sample::healthy();
        let names = earlier.layout.platform_alarms();
        let critical = names.iter().find(|name| name.ends_with("p1-alb-5xx-critical"));
        sample::alarm_mut(&mut earlier, critical.unwrap()).state = AlarmState::Alarm;
        let mut later = sample::healthy();
        later.alarms = Err(sample::blind());
        assert_eq!(
            doubtful(whole(&earlier), whole(&later)),
            [Code::ServerErrors, Code::AlarmOn]
        );
    }

    #[test]
    fn that_something_could_not_be_checked_is_over_when_it_could() {
        let mut earlier = sample::healthy();
        (earlier.alarms, earlier.metrics) = (Err(sample::blind()), Err(sample::blind()));
        let mut later = sample::healthy();
        later.alarms = Err(sample::blind());
        assert_eq!(doubtful(whole(&earlier), whole(&later)), NOTHING);
    }

    #[test]
    fn what_is_of_fleets_that_were_left_out_is_in_doubt() {
        let mut earlier = broken();
        earlier.amis = Ok(BTreeMap::new());
        let later = sample::healthy();
        let doubt = |before: &[FleetId], after: &[FleetId]| {
            let of = |seen, fleets| Look {
                fleets,
                ..whole(seen)
            };
            doubtful(of(&earlier, before), of(&later, after))
        };
        let one: [FleetId; 1] = ["production/gpu-default".parse().unwrap()];
        // The pointer of the other fleet, and the topic of all.
        assert_eq!(doubt(&[], &one), [Code::AmiMissing, Code::TopicUnsubscribed]);
        assert_eq!(doubt(&one, &one), NOTHING);
        assert_eq!(doubt(&one, &[]), NOTHING);
    }
}
