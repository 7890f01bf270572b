//! What to do about a deletion that has failed. Pure.

use std::collections::BTreeSet;

use super::follow::Failed;

/// How often a deletion is begun; what has not gone by then needs a person.
pub(super) const ATTEMPTS: usize = 4;

/// What comes before the next attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Remedy {
    /// What still runs in the cluster is stopped first.
    pub(super) clear: bool,
    /// Resources that are left in the account. CloudFormation takes this only for a stack whose deletion has failed, and
    /// only for resources that are still in it (API Reference, DeleteStack, RetainResources).
    pub(super) retain: BTreeSet<String>,
    /// Whether to wait first: the interfaces of tasks, functions and load balancers go some minutes after them.
    pub(super) wait: bool,
    /// Why each resource stays, for people.
    pub(super) reasons: Vec<String>,
}

/// What is known of the stack.
#[derive(Clone, Copy, Debug)]
pub(super) struct About {
    /// Whether it has a cluster that may be cleared.
    pub(super) has_cluster: bool,
    /// Whether it has made a database that stays.
    pub(super) keeps_database: bool,
}

/// `None` when another attempt would end as this one did: nothing of what failed can be helped, and it failed before.
pub(super) fn remedy(failed: &[Failed], before: Option<&[Failed]>, about: About) -> Option<Remedy> {
    let mut remedy = Remedy::default();
    let mut helpless = Vec::new();
    for one in failed {
        let reason = one.reason.as_deref().unwrap_or_default();
        let of_cluster = matches!(
            one.kind.as_str(),
            "AWS::ECS::CapacityProvider"
                | "AWS::ECS::Cluster"
                | "AWS::ECS::ClusterCapacityProviderAssociations"
                | "AWS::ECS::Service"
        );
        if of_cluster && about.has_cluster {
            remedy.clear = true;
        } else if one.kind == "AWS::S3::Bucket" && reason.contains("not empty") {
            remedy.retain.insert(one.resource.clone());
            remedy
                .reasons
                .push(format!("{} stays: the bucket is not empty", one.resource));
        } else if about.keeps_database && one.kind.starts_with("AWS::RDS::") {
            remedy.retain.insert(one.resource.clone());
            remedy
                .reasons
                .push(format!("{} stays with the database", one.resource));
        } else {
            helpless.push(&one.resource);
        }
    }
    if !helpless.is_empty() {
        let names = |failed: &[Failed]| -> BTreeSet<String> {
            failed.iter().map(|one| one.resource.clone()).collect()
        };
        let is_new = before.is_none_or(|before| names(before) != names(failed));
        if !is_new && !remedy.clear && remedy.retain.is_empty() {
            return None;
        }
        remedy.wait = true;
    }
    Some(remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(resource: &str, kind: &str, reason: &str) -> Failed {
        Failed {
            resource: resource.to_owned(),
            kind: kind.to_owned(),
            reason: Some(reason.to_owned()),
        }
    }

    const ABOUT: About = About {
        has_cluster: true,
        keeps_database: true,
    };

    #[test]
    fn what_a_cluster_still_runs_is_stopped_and_nothing_of_it_is_retained() {
        let in_use = failed(
            "CapacityProviders",
            "AWS::ECS::ClusterCapacityProviderAssociations",
            "The specified capacity provider is in use and cannot be removed.",
        );
        let found = remedy(std::slice::from_ref(&in_use), None, ABOUT).unwrap();
        assert!(found.clear && found.retain.is_empty());
        let elsewhere = About {
            has_cluster: false,
            ..ABOUT
        };
        let found = remedy(std::slice::from_ref(&in_use), None, elsewhere).unwrap();
        assert!(!found.clear && found.wait);
    }

    #[test]
    fn a_full_bucket_stays_and_so_does_what_belongs_to_a_database_that_stays() {
        let all = [
            failed(
                "Logs",
                "AWS::S3::Bucket",
                "The bucket you tried to delete is not empty",
            ),
            failed(
                "Db",
                "AWS::RDS::DBInstance",
                "Cannot delete protected DB Instance",
            ),
        ];
        let found = remedy(&all, None, ABOUT).unwrap();
        assert_eq!(found.retain, ["Db", "Logs"].map(str::to_owned).into());
        let deletes = About {
            keeps_database: false,
            ..ABOUT
        };
        let found = remedy(&all, None, deletes).unwrap();
        assert_eq!(found.retain, ["Logs".to_owned()].into());
    }

    #[test]
    fn what_cannot_be_helped_is_tried_once_more_and_not_for_ever() {
        let all = [failed(
            "Vpc",
            "AWS::EC2::VPC",
            "has dependencies and cannot be deleted",
        )];
        let found = remedy(&all, None, ABOUT).unwrap();
        assert!(found.wait && found.retain.is_empty() && !found.clear);
        assert_eq!(remedy(&all, Some(&all), ABOUT), None);
        // Something else has gone meanwhile.
        let more = [
            all.clone(),
            [failed("Sg", "AWS::EC2::SecurityGroup", "dependent")],
        ]
        .concat();
        assert!(remedy(&all, Some(&more), ABOUT).is_some());
    }

    #[test]
    fn a_bucket_that_cannot_be_deleted_for_another_reason_is_not_left_behind() {
        let all = [failed("Logs", "AWS::S3::Bucket", "Access Denied")];
        assert!(remedy(&all, None, ABOUT).unwrap().retain.is_empty());
    }
}
