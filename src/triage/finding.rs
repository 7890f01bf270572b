//! A finding: one thing that is wrong, with its evidence, its likely cause and the next command.

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use super::catalog::Code;
use super::snapshot::{Probe, TaskFault};
use crate::error::{Effect, Hint, Place};
use crate::layout::{App, FleetId, Stage};

/// How bad it is: P1 harms users now, P2 will or harms some, P3 wastes money or attention
/// (runbook: "Alarm Tiers").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
pub(crate) enum Severity {
    P1,
    P2,
    P3,
}

impl Severity {
    pub(crate) const ALL: [Self; 3] = [Self::P1, Self::P2, Self::P3];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::P1 => "P1",
            Self::P2 => "P2",
            Self::P3 => "P3",
        }
    }
}

/// The part of the platform that a finding is about. Findings say which other parts theirs explains.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Node {
    Alarm(String),
    Queue(FleetId),
    Workers(FleetId),
    Group(FleetId),
    Launch(FleetId),
    FleetAlarms(FleetId),
    /// The scaling policies of one fleet.
    Policies(FleetId),
    /// The metrics of one fleet.
    FleetMetrics(FleetId),
    /// The backend's scheduler, which publishes the metrics of all fleets.
    Scheduler,
    /// How many publish the metrics of the fleets.
    Publishers,
    /// Registrations of workers that the backend refuses with this status.
    Registration(u16),
    /// Where the workers of one fleet are told to find the backend.
    Address(FleetId),
    /// What the load balancer answers.
    Responses,
    Targets(App),
    Service(App),
    Migration,
    Deployment(App),
    Tasks(App, TaskFault),
    /// nginx to php-fpm within a backend task.
    Upstream,
    Redis,
    Database,
    Nat,
    Stack(String),
    /// Account and region as a whole.
    Place,
    Image(App),
    Secret(String),
    Ami(FleetId),
    FleetSecret(Stage),
    /// The scale-to-zero topic.
    Topic,
    /// A topic that tells people of alarms.
    AlertTopic(String),
    Probe(Probe),
}

impl Node {
    /// The place in the dependency walk: what fails at a greater depth can explain what fails at a
    /// smaller one, never the other way round.
    ///
    /// The fleets hang on the metrics that the backend publishes, so they come before the walk from
    /// the load balancer down to the database; pointers (images, secrets, AMIs) lie at the bottom.
    pub(crate) fn depth(&self) -> u8 {
        match self {
            Self::Alarm(_) => 0,
            Self::Queue(_) => 1,
            Self::Workers(_) => 2,
            Self::Group(_) => 3,
            Self::Launch(_) => 4,
            Self::FleetMetrics(_) => 5,
            Self::FleetAlarms(_) | Self::Policies(_) => 6,
            Self::Scheduler | Self::Publishers => 7,
            Self::Registration(_) => 8,
            Self::Address(_) => 9,
            Self::Responses => 10,
            Self::Targets(_) => 11,
            Self::Service(_) => 12,
            Self::Migration => 13,
            Self::Deployment(_) => 14,
            Self::Tasks(..) => 15,
            Self::Upstream => 16,
            Self::Redis => 17,
            Self::Database => 18,
            Self::Nat => 19,
            Self::Stack(_) | Self::Place => 20,
            Self::Image(_)
            | Self::Secret(_)
            | Self::Ami(_)
            | Self::FleetSecret(_)
            | Self::Topic
            | Self::AlertTopic(_) => 21,
            Self::Probe(probe) => 30 + probe.depth(),
        }
    }
}

/// One thing that is wrong.
///
/// In JSON a root cause carries what it causes in `symptoms`, nested to any depth.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Finding {
    #[serde(serialize_with = "code_id")]
    #[schemars(with = "String", regex(pattern = r"^BP-[A-Z]{2,4}-[0-9]{3}$"))]
    pub(crate) code: Code,
    pub(crate) severity: Severity,
    pub(crate) title: &'static str,
    /// What it is about: a service, a fleet, an alarm, a parameter.
    pub(crate) subject: String,
    /// Facts with values, times and ids.
    pub(crate) evidence: Vec<String>,
    /// The likely cause in one sentence.
    pub(crate) cause: String,
    /// What to do, the first one first: commands, and words where only the operator knows.
    pub(crate) next: Vec<Hint>,
    /// The section of the runbook that tells more.
    pub(crate) runbook: &'static str,
    /// What this finding explains.
    pub(crate) symptoms: Vec<Finding>,
    #[serde(skip)]
    pub(crate) node: Node,
    #[serde(skip)]
    pub(crate) explains: Vec<Node>,
}

fn code_id<S: Serializer>(code: &Code, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(code.id())
}

impl Finding {
    pub(crate) fn new(code: Code, node: Node, subject: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity(),
            title: code.title(),
            subject: subject.into(),
            evidence: Vec::new(),
            cause: String::new(),
            next: Vec::new(),
            runbook: code.runbook(),
            symptoms: Vec::new(),
            node,
            explains: Vec::new(),
        }
    }

    /// What it is known by from one look to the next.
    pub(crate) fn key(&self) -> String {
        format!("{} {}", self.code.id(), self.subject)
    }

    /// Another severity than the code's usual one.
    #[must_use]
    pub(crate) fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    #[must_use]
    pub(crate) fn evidence(mut self, fact: impl Into<String>) -> Self {
        self.evidence.push(fact.into());
        self
    }

    #[must_use]
    pub(crate) fn facts(mut self, facts: impl IntoIterator<Item = String>) -> Self {
        self.evidence.extend(facts);
        self
    }

    #[must_use]
    pub(crate) fn cause(mut self, cause: impl Into<String>) -> Self {
        self.cause = cause.into();
        self
    }

    /// Adds what to do; what only reads comes before what changes something.
    #[must_use]
    pub(crate) fn next(mut self, step: impl Into<Hint>) -> Self {
        let step = step.into();
        let place = match step.effect() {
            Effect::Reads => self
                .next
                .iter()
                .position(|other| other.effect() == Effect::Changes)
                .unwrap_or(self.next.len()),
            Effect::Changes => self.next.len(),
        };
        self.next.insert(place, step);
        self
    }

    /// The finding, and all below it, with commands that name the place.
    #[must_use]
    pub(crate) fn in_place(mut self, place: &Place) -> Self {
        self.next = self.next.iter().map(|step| step.in_place(place)).collect();
        self.symptoms = self
            .symptoms
            .into_iter()
            .map(|symptom| symptom.in_place(place))
            .collect();
        self
    }

    #[must_use]
    pub(crate) fn explains(mut self, nodes: impl IntoIterator<Item = Node>) -> Self {
        self.explains.extend(nodes);
        self
    }

    /// This finding and all below it.
    pub(crate) fn walk(&self) -> Vec<&Self> {
        let mut all = vec![self];
        for symptom in &self.symptoms {
            all.extend(symptom.walk());
        }
        all
    }
}
