//! How long the rest of an operation on a stack may take: the longest way through the resources that are left, by what
//! resources of their types usually take. An estimate, and said as one.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use super::compare::refers;

/// Types that take their time, in seconds from the request to the finished resource. AWS promises none of them: these
/// are what new resources of small platforms take, rounded up.
const SLOW: &[(&str, i64)] = &[
    ("AWS::CloudFront::Distribution", 300),
    ("AWS::EC2::NatGateway", 120),
    ("AWS::ECS::Service", 180),
    ("AWS::ElastiCache::CacheCluster", 360),
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", 150),
    ("AWS::IAM::InstanceProfile", 125),
    ("AWS::RDS::DBInstance", 720),
];

/// What everything else takes.
const QUICK: i64 = 15;

/// The resources that an operation works on, with what each takes and waits for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Estimate {
    resources: BTreeMap<String, (i64, BTreeSet<String>)>,
}

impl Estimate {
    /// Of the resources `changed` in a template.
    pub(crate) fn of<'a>(template: &Value, changed: impl IntoIterator<Item = &'a str>) -> Self {
        let changed: BTreeSet<&str> = changed.into_iter().collect();
        let resources = template["Resources"].as_object().into_iter().flatten();
        let worked_on = resources.filter(|(name, _)| changed.contains(name.as_str()));
        let resources = worked_on.map(|(name, shape)| {
            let depends = |other: &str| match &shape["DependsOn"] {
                Value::String(one) => one == other,
                Value::Array(several) => several.iter().any(|one| one == other),
                _ => false,
            };
            let needs = changed
                .iter()
                .filter(|other| **other != name && (depends(other) || refers(&shape["Properties"], other)))
                .map(|other| (*other).to_owned());
            let kind = shape["Type"].as_str().unwrap_or_default();
            let takes = SLOW
                .iter()
                .find(|(slow, _)| *slow == kind)
                .map_or(QUICK, |(_, takes)| *takes);
            (name.clone(), (takes, needs.collect()))
        });
        Self {
            resources: resources.collect(),
        }
    }

    /// Seconds to the end; none when nothing is known of the operation.
    pub(crate) fn left(
        &self,
        done: &BTreeSet<String>,
        begun: &BTreeMap<String, Timestamp>,
        now: Timestamp,
    ) -> Option<i64> {
        let mut known = BTreeMap::new();
        let ways = self
            .resources
            .keys()
            .map(|name| self.way(name, done, begun, now, &mut known));
        ways.max()
    }

    /// Seconds to the end of one resource, with those that it waits for.
    fn way(
        &self,
        name: &str,
        done: &BTreeSet<String>,
        begun: &BTreeMap<String, Timestamp>,
        now: Timestamp,
        known: &mut BTreeMap<String, i64>,
    ) -> i64 {
        if done.contains(name) {
            return 0;
        }
        if let Some(known) = known.get(name) {
            return *known;
        }
        let Some((takes, needs)) = self.resources.get(name) else {
            return 0;
        };
        // A circle, which CloudFormation refuses, ends here.
        known.insert(name.to_owned(), 0);
        let seconds = match begun.get(name) {
            // One that takes longer than usual is about to be done, as far as anybody knows.
            Some(since) => (takes - (now.as_second() - since.as_second())).max(QUICK),
            None => {
                let before = needs.iter().map(|need| self.way(need, done, begun, now, known));
                takes + before.max().unwrap_or(0)
            }
        };
        known.insert(name.to_owned(), seconds);
        seconds
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn data() -> Value {
        json!({ "Resources": {
            "Database": { "Type": "AWS::RDS::DBInstance", "Properties": { "DBSubnetGroupName": { "Ref": "Subnets" } } },
            "Subnets": { "Type": "AWS::RDS::DBSubnetGroup" },
            "Attachment": { "Type": "AWS::SecretsManager::SecretTargetAttachment", "DependsOn": "Database" },
            "Cdn": { "Type": "AWS::CloudFront::Distribution" },
            "Other": { "Type": "AWS::SNS::Topic" },
        } })
    }

    #[test]
    fn the_longest_way_counts_and_shrinks_as_time_passes() {
        let estimate = Estimate::of(&data(), ["Database", "Subnets", "Attachment", "Cdn"]);
        let at = |second| Timestamp::from_second(second).unwrap();
        let (mut done, mut begun) = (BTreeSet::new(), BTreeMap::new());
        assert_eq!(estimate.left(&done, &begun, at(0)), Some(15 + 720 + 15));
        done.insert("Subnets".to_owned());
        begun.insert("Database".to_owned(), at(0));
        assert_eq!(estimate.left(&done, &begun, at(0)), Some(720 + 15));
        assert_eq!(estimate.left(&done, &begun, at(600)), Some(300));
        done.insert("Cdn".to_owned());
        assert_eq!(estimate.left(&done, &begun, at(600)), Some(120 + 15));
        // Longer than usual.
        assert_eq!(estimate.left(&done, &begun, at(2000)), Some(15 + 15));
        done.extend(["Database".to_owned(), "Attachment".to_owned()]);
        assert_eq!(estimate.left(&done, &begun, at(2000)), Some(0));
        assert_eq!(Estimate::default().left(&done, &begun, at(0)), None);
    }
}
