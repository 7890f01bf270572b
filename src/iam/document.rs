//! Policy documents in the form that IAM reads (IAM User Guide, "Grammar of the IAM JSON policy language"), and how long
//! they may be.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use super::place::Place;
use super::uses::{On, Use};

/// The version of the language; the older one knows no policy variables.
const VERSION: &str = "2012-10-17";

/// A managed policy, in characters without white space (IAM User Guide, "IAM and AWS STS quotas").
pub(crate) const MANAGED_LIMIT: usize = 6_144;
/// All inline policies of a role together, likewise.
pub(crate) const INLINE_LIMIT: usize = 10_240;
/// A role's trust policy, likewise.
pub(crate) const TRUST_LIMIT: usize = 2_048;

/// Keys and the values that they must have, by operator.
pub(super) type Conditions = BTreeMap<&'static str, BTreeMap<String, Vec<String>>>;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Document {
    pub(super) version: &'static str,
    pub(super) statement: Vec<Statement>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Statement {
    pub(super) sid: String,
    pub(super) effect: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) principal: Option<BTreeMap<&'static str, String>>,
    pub(super) action: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) resource: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) condition: Conditions,
}

impl Document {
    /// The permissions for everything in `uses`: a statement for each kind of thing, its actions in their order. An
    /// action that a wider statement allows stands there alone.
    pub(crate) fn of(uses: &[Use], place: &Place) -> Self {
        let mut by_kind = by_kind(uses);
        let kinds: Vec<On> = by_kind.keys().copied().collect();
        for narrow in &kinds {
            for wide in kinds.iter().filter(|wide| covers(**wide, *narrow, place)) {
                let granted = by_kind.get(wide).cloned().unwrap_or_default();
                if let Some(actions) = by_kind.get_mut(narrow) {
                    actions.retain(|action| !granted.contains(action));
                }
            }
        }
        by_kind.retain(|_, actions| !actions.is_empty());
        Self::written(by_kind, place)
    }

    /// The same with every action on every kind of thing that it is declared for, to ask about each.
    pub(crate) fn of_each(uses: &[Use], place: &Place) -> Self {
        Self::written(by_kind(uses), place)
    }

    fn written(by_kind: BTreeMap<On, BTreeSet<&'static str>>, place: &Place) -> Self {
        let statement = by_kind
            .into_iter()
            .map(|(on, actions)| Statement {
                sid: on.sid().to_owned(),
                effect: "Allow",
                principal: None,
                action: actions.into_iter().map(str::to_owned).collect(),
                resource: on.resources(place),
                condition: on.conditions(place),
            })
            // What a layout does not have needs no permission.
            .filter(|statement: &Statement| !statement.resource.is_empty())
            .collect();
        Self::new(statement)
    }

    /// Actions, resources and conditions of every statement.
    pub(crate) fn statements(&self) -> impl Iterator<Item = (&[String], &[String], &Conditions)> {
        self.statement
            .iter()
            .map(|statement| (&*statement.action, &*statement.resource, &statement.condition))
    }

    pub(super) fn new(statement: Vec<Statement>) -> Self {
        Self {
            version: VERSION,
            statement,
        }
    }

    /// Its length as IAM counts it: white space is free. Names and patterns of policies have none.
    pub(crate) fn characters(&self) -> usize {
        let text = serde_json::to_string(self).unwrap_or_default();
        text.chars().filter(|letter| !letter.is_whitespace()).count()
    }

    /// As a file, for `aws iam put-role-policy --policy-document file://…`.
    pub(crate) fn text(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// Adds a statement that no kind of thing brings.
    pub(super) fn push(&mut self, statement: Statement) {
        self.statement.push(statement);
    }
}

fn by_kind(uses: &[Use]) -> BTreeMap<On, BTreeSet<&'static str>> {
    let mut by_kind: BTreeMap<On, BTreeSet<&'static str>> = BTreeMap::new();
    for used in uses {
        by_kind.entry(used.on).or_default().insert(used.action);
    }
    by_kind
}

/// Whether what is allowed on `wide` is allowed on everything of `narrow` too.
fn covers(wide: On, narrow: On, place: &Place) -> bool {
    if wide == narrow || !wide.conditions(place).is_empty() {
        return false;
    }
    let (wide, narrow) = (wide.resources(place), narrow.resources(place));
    let in_wide = |resource: &String| {
        wide.iter()
            .any(|pattern| pattern == resource || begins(pattern, resource))
    };
    narrow.iter().all(in_wide)
}

/// Whether a pattern with nothing but `*` at its end allows all that `resource`, a pattern as well, does.
fn begins(pattern: &str, resource: &str) -> bool {
    let beginning = pattern.strip_suffix('*');
    beginning.is_some_and(|beginning| !beginning.contains(['*', '?']) && resource.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iam::place::tests::{single, staged};

    #[test]
    fn an_action_that_a_wider_statement_allows_stands_there_alone() {
        let narrow = Use::of("cloudformation:DescribeStacks", On::DataStack);
        let wide = Use::of("cloudformation:DescribeStacks", On::Anything);
        let other = Use::of("cloudformation:GetTemplate", On::DataStack);
        let sids = |uses: &[Use]| -> Vec<String> {
            let document = Document::of(uses, &single());
            document
                .statement
                .into_iter()
                .map(|statement| statement.sid)
                .collect()
        };
        assert_eq!(sids(&[narrow]), ["DataStack"]);
        assert_eq!(sids(&[narrow, wide]), ["Anything"]);
        assert_eq!(sids(&[narrow, wide, other]), ["Anything", "DataStack"]);
        // One that holds under a condition only covers nothing.
        let (every, logs) = (On::Importable, On::LogsBucket);
        let [every, logs] = [every, logs].map(|on| Use::of("s3:ListBucket", on));
        assert_eq!(sids(&[logs, every]), ["Importable"]);
        let listed = Use::of("ecs:DescribeTasks", On::AnythingInCluster);
        assert_eq!(
            sids(&[listed, Use::of("ecs:DescribeTasks", On::Tasks)]),
            ["AnythingInCluster", "Tasks"]
        );
    }

    #[test]
    fn statements_come_in_one_order_however_they_are_asked_for() {
        let uses = [
            Use::of("ssm:GetParameters", On::FleetSecrets),
            Use::of("ecs:RunTask", On::BackendDefinitions),
            Use::of("ecs:DescribeServices", On::Services),
        ];
        let mut backwards = uses;
        backwards.reverse();
        assert_eq!(
            Document::of(&uses, &single()),
            Document::of(&backwards, &single())
        );
    }

    #[test]
    fn resources_are_those_of_the_layout_and_have_the_forms_of_their_services() {
        let of = |on: On, place: &Place| on.resources(place);
        assert_eq!(
            of(On::Groups, &single()),
            [
                "arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:*:autoScalingGroupName/asg-production-*",
                "arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:*:autoScalingGroupName/asg-staging-*",
            ]
        );
        assert_eq!(
            of(On::Deployments, &staged()),
            [
                "arn:aws:ecs:eu-west-1:123456789012:service/bp-staging/bp-staging-backend",
                "arn:aws:ecs:eu-west-1:123456789012:service/bp-staging/bp-staging-frontend",
                "arn:aws:ecs:eu-west-1:123456789012:service-deployment/bp-staging/bp-staging-backend/*",
                "arn:aws:ecs:eu-west-1:123456789012:service-deployment/bp-staging/bp-staging-frontend/*",
            ]
        );
        assert_eq!(
            of(On::BackendLogs, &single()),
            [
                "arn:aws:logs:us-east-1:123456789012:log-group:/ecs/bp-backend",
                "arn:aws:logs:us-east-1:123456789012:log-group:/ecs/bp-backend:*",
            ]
        );
        assert_eq!(
            of(On::Secrets, &single())[0],
            "arn:aws:secretsmanager:us-east-1:123456789012:secret:/bp/laravel/app-key-??????"
        );
        assert_eq!(
            of(On::Bookkeeping, &staged()),
            ["arn:aws:s3:::bp-logs-123456789012-staging/bpctl/*"]
        );
        assert_eq!(
            of(On::ParameterPaths, &single()).len(),
            4,
            "images and pointers of two stages"
        );
    }
}
