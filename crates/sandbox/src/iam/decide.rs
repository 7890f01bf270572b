//! What policies answer (IAM User Guide, "Policy evaluation logic"): an explicit deny wins, then an allow, else no.

use super::ask::Ask;
use super::condition::holds;
use super::document::{Document, Statement};
use super::glob::{action_matches, arn_matches};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    Allowed,
    ImplicitDeny,
    ExplicitDeny,
}

impl Decision {
    /// As SimulatePrincipalPolicy says it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::ImplicitDeny => "implicitDeny",
            Self::ExplicitDeny => "explicitDeny",
        }
    }
}

/// A statement that decided: which policy, which of its statements.
pub(crate) type Matched = (usize, usize);

/// Decides over the policies of one principal. `context` is what every request of the principal has.
pub(crate) fn decide(
    policies: &[&Document],
    ask: &Ask,
    context: &[(&str, String)],
) -> (Decision, Vec<Matched>) {
    let value = |key: &str| {
        let own = ask.context.iter().map(|(name, value)| (*name, value.as_str()));
        let common = context.iter().map(|(name, value)| (*name, value.as_str()));
        own.chain(common)
            .find(|(name, _)| name.eq_ignore_ascii_case(key))
            .map(|(_, value)| value)
    };
    let (mut allowing, mut denying) = (Vec::new(), Vec::new());
    for (policy, document) in policies.iter().enumerate() {
        for (place, statement) in document.statements.iter().enumerate() {
            if !applies(statement, ask, &value) {
                continue;
            }
            if statement.allows {
                allowing.push((policy, place));
            } else {
                denying.push((policy, place));
            }
        }
    }
    if !denying.is_empty() {
        (Decision::ExplicitDeny, denying)
    } else if !allowing.is_empty() {
        (Decision::Allowed, allowing)
    } else {
        (Decision::ImplicitDeny, Vec::new())
    }
}

fn applies<'a>(statement: &Statement, ask: &Ask, value: &impl Fn(&str) -> Option<&'a str>) -> bool {
    statement
        .actions
        .hold(|pattern| action_matches(pattern, &ask.action))
        && statement
            .resources
            .hold(|pattern| arn_matches(&filled(pattern, value), &ask.resource))
        && statement.conditions.iter().all(|(operator, key, wanted)| {
            let wanted: Vec<String> = wanted.iter().map(|wanted| filled(wanted, value)).collect();
            holds(operator, &wanted, value(key))
        })
}

/// Policy variables: `${aws:userid}` and other keys of the request. One without a value matches nothing.
fn filled<'a>(pattern: &str, value: &impl Fn(&str) -> Option<&'a str>) -> String {
    let mut text = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once("${") {
        text.push_str(before);
        let Some((name, after)) = after.split_once('}') else {
            text.push_str("${");
            rest = after;
            continue;
        };
        match name {
            "*" | "?" | "$" => text.push_str(name),
            _ => text.push_str(value(name).unwrap_or("\u{0}")),
        }
        rest = after;
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(action: &str, resource: &str) -> Ask {
        Ask {
            action: action.to_owned(),
            resource: resource.to_owned(),
            shown: None,
            in_part: false,
            context: vec![("ecs:cluster", "arn:aws:ecs:r:1:cluster/bp".to_owned())],
        }
    }

    fn decided(policy: &str, ask: &Ask) -> Decision {
        let document = Document::parse(policy).unwrap();
        decide(&[&document], ask, &[("aws:userid", "AROA:jo".to_owned())]).0
    }

    #[test]
    fn a_deny_wins_and_silence_is_a_no() {
        let run = ask("ecs:RunTask", "arn:aws:ecs:r:1:task-definition/bp:1");
        let allow = r#"{"Effect": "Allow", "Action": "ecs:*", "Resource": "*"}"#;
        let deny =
            r#"{"Effect": "Deny", "Action": "ecs:Run*", "Resource": "arn:aws:ecs:*:*:task-definition/bp:*"}"#;
        let policy =
            |statements: &str| format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#);
        assert_eq!(decided(&policy(allow), &run), Decision::Allowed);
        assert_eq!(
            decided(&policy(&format!("{allow}, {deny}")), &run),
            Decision::ExplicitDeny
        );
        assert_eq!(
            decided(&policy(deny), &ask("ecs:StopTask", "*")),
            Decision::ImplicitDeny
        );
    }

    #[test]
    fn conditions_not_actions_and_variables_count() {
        let task = ask("ecs:StopTask", "arn:aws:ecs:r:1:task/bp/1");
        let with =
            |members: &str| format!(r#"{{"Statement": {{"Effect": "Allow", "Resource": "*", {members}}}}}"#);
        let cluster = |name: &str| {
            with(&format!(
                r#""Action": "ecs:StopTask", "Condition": {{"ArnEquals": {{"ecs:cluster": "arn:aws:ecs:r:1:cluster/{name}"}}}}"#
            ))
        };
        assert_eq!(decided(&cluster("bp"), &task), Decision::Allowed);
        assert_eq!(decided(&cluster("other"), &task), Decision::ImplicitDeny);
        assert_eq!(
            decided(&with(r#""NotAction": "iam:*""#), &task),
            Decision::Allowed
        );
        assert_eq!(
            decided(&with(r#""NotAction": "ecs:*""#), &task),
            Decision::ImplicitDeny
        );
        let session = ask("ssm:ResumeSession", "arn:aws:ssm:r:1:session/AROA:jo-1");
        let own = r#"{"Statement": {"Effect": "Allow", "Action": "ssm:ResumeSession", "Resource": "arn:aws:ssm:*:*:session/${aws:userid}-*"}}"#;
        assert_eq!(decided(own, &session), Decision::Allowed);
        assert_eq!(
            decided(&own.replace("userid", "username"), &session),
            Decision::ImplicitDeny
        );
    }

    #[test]
    fn what_is_no_policy_is_refused() {
        for text in [
            "{",
            "[]",
            r#"{"Statement": []}"#,
            r#"{"Version": "2013-01-01", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#,
            r#"{"Statement": {"Effect": "allow", "Action": "*", "Resource": "*"}}"#,
            r#"{"Statement": {"Effect": "Allow", "Action": "RunTask", "Resource": "*"}}"#,
            r#"{"Statement": {"Effect": "Allow", "Action": "ecs:RunTask"}}"#,
            r#"{"Statement": {"Effect": "Allow", "Action": "ecs:RunTask", "Resource": "bp"}}"#,
            r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": "*"}}"#,
            r#"{"Statement": {"Sid": "a-b", "Effect": "Allow", "Action": "*", "Resource": "*"}}"#,
            r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Like": {"a:b": "c"}}}}"#,
        ] {
            assert!(Document::parse(text).is_err(), "{text}");
        }
    }
}
