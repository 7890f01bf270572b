//! The alarms of the platform and of its fleets. Pure.

use std::collections::BTreeSet;

use super::count::refused;
use super::observe::{Policies, Read, Seen};
use super::thing::{Part, Thing};
use crate::aws::autoscaling::Group;
use crate::layout::{FleetAlarm, FleetId, Layout};
use crate::output::counted;
use crate::prices::{Prices, Product};

/// Names of the alarms that a fleet may have: its own, and those that invoke the policies of its group, of which
/// CloudFormation and Auto Scaling make up the names.
pub(super) fn fleet_alarms(
    layout: &Layout,
    fleet: &FleetId,
    group: &Group,
    policies: &Read<Policies>,
) -> BTreeSet<String> {
    let own = FleetAlarm::ALL.map(|alarm| layout.fleet_alarm(alarm, fleet));
    let policies = policies.iter().flat_map(|all| all.get(&group.name)).flatten();
    policies
        .flat_map(|policy| policy.alarms.iter().cloned())
        .chain(own)
        .collect()
}

/// What the alarms that are there cost: those of the platform, and those of each fleet.
pub(super) fn alarms(seen: &Seen, layout: &Layout, prices: &Prices) -> Vec<Thing> {
    let found = match &seen.alarms {
        Ok(found) => found,
        Err(why) => return vec![refused(Part::Alarms, "alarms", why)],
    };
    // One that several have is billed once.
    let mut left: BTreeSet<&str> = found.iter().map(String::as_str).collect();
    let mut thing = |name: String, names: BTreeSet<String>, without: Option<String>| {
        let count = names.iter().filter(|name| left.remove(name.as_str())).count();
        let each = prices.of(&Product::Alarm);
        let mut about = counted(count as u64, "alarm");
        if let Some(without) = &without {
            about.push_str(&format!(", without {without}"));
        }
        let all = each.map(|each| each * count as f64);
        let least = without.is_some();
        (count, Thing::new(Part::Alarms, name, about, all).at_least(least))
    };
    let platform = layout.platform_alarms().into_iter().collect();
    // Application Auto Scaling makes two for each service that tracks its CPU, under names of its own.
    let scaling = "those that scale the services".to_owned();
    let (count, platform) = thing("platform".to_owned(), platform, Some(scaling));
    let mut things: Vec<Thing> = (count > 0).then_some(platform).into_iter().collect();
    for (id, group) in seen.fleets.iter().flatten() {
        let names = fleet_alarms(layout, id, group, &seen.policies);
        let unread = seen.policies.as_ref().err();
        let unread = unread.map(|why| format!("those of scaling policies, which could not be read: {why}"));
        let hidden = unread.is_some();
        let (count, own) = thing(id.to_string(), names, unread);
        things.extend((count > 0 || hidden).then(|| own.of_fleet(Some(id.clone()))));
    }
    things
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::autoscaling::{PolicyKind, sample};
    use crate::commands::cost::thing::Bound;
    use crate::layout::LayoutKind;

    #[test]
    fn every_alarm_of_a_fleet_counts_once() {
        let layout = Layout::new(LayoutKind::Single, "bp", None).unwrap();
        let [one, two]: [FleetId; 2] =
            ["production/one", "production/two"].map(|id| id.parse().expect("a fleet"));
        let group = |id: &FleetId| (id.clone(), sample::group(id.slug.as_ref(), 0, &[]));
        let empty = layout.fleet_alarm(FleetAlarm::QueueEmpty, &one);
        let policy = |group: &str, alarms: &[&str]| {
            let kind = PolicyKind::Other("a".to_owned());
            (group.to_owned(), vec![sample::policy(group, "a", alarms, kind)])
        };
        let seen = Seen {
            // One that a policy names is not there.
            alarms: Ok([empty.as_str(), "TargetTracking-one-AlarmLow"]
                .map(str::to_owned)
                .into()),
            fleets: Ok([group(&one), group(&two)].into()),
            policies: Ok([
                policy("one", &[&empty, "TargetTracking-one-AlarmLow", "gone"]),
                policy("two", &[&empty]),
            ]
            .into()),
            ..Seen::nothing()
        };
        let told = |seen: &Seen| -> Vec<(String, String, Bound)> {
            let things = alarms(seen, &layout, &Prices::table()).into_iter();
            things.map(|one| (one.name, one.about, one.bound)).collect()
        };
        let exact = ("production/one".to_owned(), "2 alarms".to_owned(), Bound::Exact);
        assert_eq!(told(&seen), [exact]);
        let unread = Seen {
            policies: Err("refused".to_owned()),
            ..seen
        };
        let all = told(&unread);
        assert_eq!(all.len(), 2);
        assert!(all[0].1.starts_with("1 alarm, without"), "{all:?}");
        assert!(
            all.iter().all(|(_, _, bound)| *bound == Bound::AtLeast),
            "{all:?}"
        );
    }
}
