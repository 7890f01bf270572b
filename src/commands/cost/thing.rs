//! What is paid for: things with what each costs, and sums of them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::usage::Measured;
use crate::layout::FleetId;
use crate::prices::HOURS_PER_MONTH;

/// Of what part of the platform a thing is, in the order in which they are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Part {
    /// Tasks of Fargate.
    Tasks,
    Database,
    DatabaseSnapshots,
    Cache,
    LoadBalancer,
    NatGateway,
    Buckets,
    Logs,
    Alarms,
    Secrets,
    ContainerImages,
    /// Snapshots that machine images stand on.
    MachineImages,
    Fleet,
    DevInstances,
    /// Bytes that log groups take in.
    LogsTakenIn,
    /// Bytes through NAT gateways.
    NatData,
    /// Capacity units of load balancers.
    LoadBalancerUse,
    BucketRequests,
    /// Bytes and requests of CloudFront.
    Delivery,
    /// What else is billed by use.
    Usage,
}

impl Part {
    /// For people.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Tasks => "tasks",
            Self::Database => "database",
            Self::DatabaseSnapshots => "database snapshots",
            Self::Cache => "cache",
            Self::LoadBalancer => "load balancer",
            Self::NatGateway => "NAT gateway",
            Self::Buckets => "buckets",
            Self::Logs => "logs",
            Self::Alarms => "alarms",
            Self::Secrets => "secrets",
            Self::ContainerImages => "container images",
            Self::MachineImages => "machine images",
            Self::Fleet => "fleet",
            Self::DevInstances => "dev instances",
            Self::LogsTakenIn => "log ingestion",
            Self::NatData => "NAT data",
            Self::LoadBalancerUse => "load balancer use",
            Self::BucketRequests => "bucket requests",
            Self::Delivery => "CloudFront",
            Self::Usage => "other use",
        }
    }
}

/// What a figure is to the true one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Bound {
    #[default]
    Exact,
    AtMost,
    AtLeast,
    /// A sum of figures of which some are too high and some too low.
    About,
}

impl Bound {
    /// That of a sum.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (one, other) if one == other => one,
            (Self::Exact, other) => other,
            (one, Self::Exact) => one,
            _ => Self::About,
        }
    }

    /// In front of a figure.
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Exact => "",
            Self::AtMost => "<=",
            Self::AtLeast => ">=",
            Self::About => "~",
        }
    }
}

/// A rate in US dollars.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub(super) struct Dollars {
    pub(super) per_hour: f64,
    pub(super) per_day: f64,
    /// Of 730 hours.
    pub(super) per_month: f64,
}

/// Rounded to `digits` behind the point, and never -0.
fn rounded(value: f64, digits: i32) -> f64 {
    let power = 10_f64.powi(digits);
    (value * power).round() / power + 0.0
}

impl Dollars {
    pub(super) fn of_month(dollars: f64) -> Self {
        let hour = dollars / HOURS_PER_MONTH;
        Self {
            per_hour: rounded(hour, 4),
            per_day: rounded(hour * 24.0, 2),
            per_month: rounded(dollars, 2),
        }
    }
}

/// Something that costs, or whose costs are not known.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Thing {
    pub(super) part: Part,
    /// The fleet that it is for.
    pub(super) fleet: Option<FleetId>,
    pub(super) name: String,
    /// How it is, in a clause; of unknown costs, why they are.
    pub(super) about: String,
    /// Dollars, unrounded; `None` where that is not known.
    pub(super) per_month: Option<f64>,
    pub(super) bound: Bound,
    /// Of what is billed by use: how much of it, and when.
    pub(super) measured: Option<Measured>,
}

impl Thing {
    pub(super) fn new(
        part: Part,
        name: impl Into<String>,
        about: impl Into<String>,
        per_month: Option<f64>,
    ) -> Self {
        Self {
            part,
            fleet: None,
            name: name.into(),
            about: about.into(),
            per_month,
            bound: Bound::Exact,
            measured: None,
        }
    }

    /// With what the amount was made from, which makes it an estimate.
    #[must_use]
    pub(super) fn measured(self, measured: Measured) -> Self {
        Self {
            bound: Bound::About,
            measured: Some(measured),
            ..self
        }
    }

    #[must_use]
    pub(super) fn at_most(self, most: bool) -> Self {
        Self {
            bound: if most { Bound::AtMost } else { self.bound },
            ..self
        }
    }

    #[must_use]
    pub(super) fn at_least(self, least: bool) -> Self {
        Self {
            bound: if least { Bound::AtLeast } else { self.bound },
            ..self
        }
    }

    #[must_use]
    pub(super) fn of_fleet(self, fleet: Option<FleetId>) -> Self {
        Self { fleet, ..self }
    }
}

/// What several things cost together.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Sum {
    /// Dollars a month of those with a known price.
    pub(super) per_month: f64,
    pub(super) bound: Bound,
    /// How many have one.
    pub(super) known: usize,
    /// Names of those that have none.
    pub(super) unknown: Vec<String>,
}

impl Sum {
    pub(super) fn of<'a>(things: impl IntoIterator<Item = &'a Thing>) -> Self {
        let mut sum = Self::default();
        for thing in things {
            match thing.per_month {
                Some(dollars) => {
                    sum.per_month += dollars;
                    sum.known += 1;
                    // What costs nothing is no doubt about the rest.
                    if dollars > 0.0 || thing.bound == Bound::AtLeast {
                        sum.bound = sum.bound.and(thing.bound);
                    }
                }
                None => sum.unknown.push(thing.name.clone()),
            }
        }
        sum
    }

    /// The dollars; `None` where nothing of it is known.
    pub(super) fn dollars(&self) -> Option<Dollars> {
        (self.known > 0 || self.unknown.is_empty()).then(|| Dollars::of_month(self.per_month))
    }

    /// What the figure is to the true one: of a sum that leaves something out, it is at least that.
    pub(super) fn bound(&self) -> Bound {
        if self.unknown.is_empty() {
            self.bound
        } else {
            self.bound.and(Bound::AtLeast)
        }
    }
}

/// Things by a key, in the order of the keys.
pub(super) fn by<K: Ord>(things: &[Thing], key: impl Fn(&Thing) -> K) -> BTreeMap<K, Vec<&Thing>> {
    let mut groups: BTreeMap<K, Vec<&Thing>> = BTreeMap::new();
    for thing in things {
        groups.entry(key(thing)).or_default().push(thing);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thing(name: &str, per_month: Option<f64>) -> Thing {
        Thing::new(Part::Buckets, name, "", per_month)
    }

    #[test]
    fn what_is_unknown_is_no_zero() {
        let all = [thing("a", Some(7.3)), thing("b", None)];
        let sum = Sum::of(&all);
        assert_eq!(
            sum.dollars().map(|dollars| (dollars.per_hour, dollars.per_day)),
            Some((0.01, 0.24))
        );
        assert_eq!(
            (sum.bound(), sum.unknown.as_slice()),
            (Bound::AtLeast, &["b".to_owned()][..])
        );
        assert_eq!(Sum::of(&all[1..]).dollars(), None);
        // Nothing there costs nothing.
        assert_eq!(Sum::of(&[]).dollars().map(|dollars| dollars.per_month), Some(0.0));
    }

    #[test]
    fn a_sum_of_bounds_has_the_bound_of_its_parts() {
        let most = thing("a", Some(1.0)).at_most(true);
        let least = thing("b", Some(1.0)).at_least(true);
        let exact = thing("c", Some(1.0));
        assert_eq!(Sum::of([&most, &exact]).bound(), Bound::AtMost);
        assert_eq!(Sum::of([&exact, &least]).bound(), Bound::AtLeast);
        assert_eq!(Sum::of([&most, &least]).bound(), Bound::About);
        let nothing = thing("d", Some(0.0)).at_most(true);
        assert_eq!(Sum::of([&exact, &nothing]).bound(), Bound::Exact);
    }
}
