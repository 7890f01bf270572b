//! Whom a role's trust policy lets in, as far as a token of GitHub's workflows goes.
//!
//! Nothing is guessed: what hangs on values that are not known here, or is written in a way that is not read here, is
//! [`Admits::Depends`].

use serde_json::Value;

use super::trust::ISSUER;
use crate::error::{CtlError, ErrorKind, Result};

/// The action by which a token is exchanged for a session.
const ACTION: &str = "sts:AssumeRoleWithWebIdentity";

/// A token: the provider in the account that it is checked against, and its claims.
#[derive(Clone, Debug)]
pub(crate) struct Token<'a> {
    /// ARN of the identity provider.
    pub(crate) provider: &'a str,
    /// The claim `aud`.
    pub(crate) audience: &'a str,
    /// The claim `sub`.
    pub(crate) subject: &'a str,
}

/// Whether a token gets in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Admits {
    Yes,
    No,
    /// That hangs on these condition keys, operators or elements of the policy.
    Depends(Vec<String>),
}

/// A trust policy.
#[derive(Clone, Debug)]
pub(crate) struct Trusts(Vec<Value>);

/// What is known of a condition or a statement.
enum Holds {
    Yes,
    No,
    Perhaps(Vec<String>),
}

impl Holds {
    /// Both must hold.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, rest) | (rest, Self::Yes) => rest,
            (Self::Perhaps(mut why), Self::Perhaps(more)) => {
                why.extend(more);
                Self::Perhaps(why)
            }
        }
    }

    fn of(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}

impl Trusts {
    /// # Errors
    /// A text that is no policy.
    pub(crate) fn read(document: &str) -> Result<Self> {
        let wrong = || CtlError::new(ErrorKind::Unexpected, "read the trust policy");
        let document: Value = serde_json::from_str(document).map_err(|error| wrong().source(&error))?;
        match &document["Statement"] {
            Value::Array(statements) => Ok(Self(statements.clone())),
            one @ Value::Object(_) => Ok(Self(vec![one.clone()])),
            _ => Err(wrong().cause("it has no statements")),
        }
    }

    /// Whether the policy speaks of this identity provider at all.
    pub(crate) fn names(&self, provider: &str) -> bool {
        let federated = |statement: &Value| texts(&statement["Principal"]["Federated"]);
        self.0
            .iter()
            .any(|one| federated(one).iter().any(|named| named == provider))
    }

    /// Whether this token gets in (IAM User Guide, "Policy evaluation logic").
    pub(crate) fn admits(&self, token: &Token<'_>) -> Admits {
        let mut admitted = false;
        let mut why = Vec::new();
        for statement in &self.0 {
            let denies = statement["Effect"] == "Deny";
            match applies(statement, token) {
                Holds::Yes if denies => return Admits::No,
                Holds::Yes => admitted = true,
                Holds::No => {}
                // A denial in doubt matters whatever else allows it.
                Holds::Perhaps(more) if denies => return Admits::Depends(more),
                Holds::Perhaps(more) => why.extend(more),
            }
        }
        why.sort();
        why.dedup();
        match (admitted, why.is_empty()) {
            (true, _) => Admits::Yes,
            (false, true) => Admits::No,
            (false, false) => Admits::Depends(why),
        }
    }
}

/// Whether a statement is about the token.
fn applies(statement: &Value, token: &Token<'_>) -> Holds {
    let action = match statement.get("NotAction") {
        Some(_) => Holds::Perhaps(vec!["NotAction".to_owned()]),
        None => Holds::of(
            texts(&statement["Action"])
                .iter()
                .any(|pattern| glob(&pattern.to_ascii_lowercase(), &ACTION.to_ascii_lowercase())),
        ),
    };
    let principal = match (statement.get("NotPrincipal"), &statement["Principal"]) {
        (Some(_), _) => Holds::Perhaps(vec!["NotPrincipal".to_owned()]),
        (None, Value::String(all)) => Holds::of(all == "*"),
        (None, named) => {
            let federated = texts(&named["Federated"]);
            Holds::of(federated.iter().any(|one| one == token.provider || one == "*"))
        }
    };
    let mut holds = action.and(principal);
    for (operator, keys) in statement["Condition"].as_object().into_iter().flatten() {
        for (key, values) in keys.as_object().into_iter().flatten() {
            holds = holds.and(condition(operator, key, &texts(values), token));
        }
    }
    holds
}

/// One key of one operator; several values are alternatives, for operators with `Not` none of them may match.
fn condition(operator: &str, key: &str, values: &[String], token: &Token<'_>) -> Holds {
    let claim = |name: &str| key.eq_ignore_ascii_case(&format!("{ISSUER}:{name}"));
    let actual = match () {
        () if claim("aud") => token.audience,
        () if claim("sub") => token.subject,
        () => return Holds::Perhaps(vec![key.to_owned()]),
    };
    // Both claims have one value, and every token has them: sets and `IfExists` make no difference.
    let plain = operator.split_once(':').map_or(operator, |(_, plain)| plain);
    let plain = plain.strip_suffix("IfExists").unwrap_or(plain);
    // `${…}` stands for values of the request.
    if values.iter().any(|value| value.contains("${")) {
        return Holds::Perhaps(vec![key.to_owned()]);
    }
    let any = |matches: &dyn Fn(&str) -> bool| values.iter().any(|value| matches(value));
    match plain {
        "StringEquals" => Holds::of(any(&|value| value == actual)),
        "StringEqualsIgnoreCase" => Holds::of(any(&|value| value.eq_ignore_ascii_case(actual))),
        "StringLike" => Holds::of(any(&|value| glob(value, actual))),
        "StringNotEquals" => Holds::of(!any(&|value| value == actual)),
        "StringNotEqualsIgnoreCase" => Holds::of(!any(&|value| value.eq_ignore_ascii_case(actual))),
        "StringNotLike" => Holds::of(!any(&|value| glob(value, actual))),
        _ => Holds::Perhaps(vec![format!("{operator} of {key}")]),
    }
}

/// A text, or the texts of a list.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(one) => vec![one.clone()],
        Value::Array(many) => many
            .iter()
            .filter_map(|one| one.as_str().map(str::to_owned))
            .collect(),
        _ => Vec::new(),
    }
}

/// `*` stands for any number of characters, `?` for one.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut position) = (0, 0);
    // The last star, and how far the text was when it began to stand for more.
    let mut star: Option<(usize, usize)> = None;
    while position < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, position));
                at += 1;
            }
            Some(letter) if *letter == '?' || *letter == text[position] => {
                at += 1;
                position += 1;
            }
            _ => {
                let Some((star_at, taken)) = star else {
                    return false;
                };
                star = Some((star_at, taken + 1));
                at = star_at + 1;
                position = taken + 1;
            }
        }
    }
    pattern[at..].iter().all(|letter| *letter == '*')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PROVIDER: &str = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com";
    const SUBJECT: &str = "repo:acme/platform:environment:staging-migrations";

    fn admits(statements: &Value) -> Admits {
        let policy = Trusts::read(&json!({ "Statement": statements }).to_string()).unwrap();
        policy.admits(&Token {
            provider: PROVIDER,
            audience: "sts.amazonaws.com",
            subject: SUBJECT,
        })
    }

    fn statement(condition: Value) -> Value {
        let mut statement = json!({
            "Effect": "Allow",
            "Principal": { "Federated": PROVIDER },
            "Action": "sts:AssumeRoleWithWebIdentity",
        });
        statement["Condition"] = condition;
        statement
    }

    fn sub(operator: &str, value: Value) -> Value {
        let mut keys = json!({});
        keys[format!("{ISSUER}:sub")] = value;
        let mut condition = json!({});
        condition[operator] = keys;
        statement(condition)
    }

    #[test]
    fn subjects_are_compared_as_their_operators_say() {
        for (statement, expected) in [
            (sub("StringEquals", json!(SUBJECT)), Admits::Yes),
            (sub("StringEquals", json!(["x", SUBJECT])), Admits::Yes),
            (sub("StringEquals", json!("repo:acme/platform:*")), Admits::No),
            (sub("StringLike", json!("repo:acme/platform:*")), Admits::Yes),
            (
                sub(
                    "StringLike",
                    json!("repo:acme/platform:environment:staging-??grations"),
                ),
                Admits::Yes,
            ),
            (sub("StringLike", json!("repo:acme/other:*")), Admits::No),
            (
                sub(
                    "ForAnyValue:StringLike",
                    json!(["repo:acme/*:environment:*-migrations"]),
                ),
                Admits::Yes,
            ),
            (sub("StringLikeIfExists", json!("repo:acme/p*s")), Admits::Yes),
            (sub("StringNotLike", json!("repo:acme/*")), Admits::No),
            (
                sub("StringEqualsIgnoreCase", json!(SUBJECT.to_uppercase())),
                Admits::Yes,
            ),
            (statement(json!({})), Admits::Yes),
        ] {
            assert_eq!(admits(&json!([statement])), expected, "{statement}");
            // A statement need not stand in a list.
            assert_eq!(admits(&statement), expected, "{statement}");
        }
    }

    #[test]
    fn other_audiences_principals_and_actions_stay_outside() {
        let good = sub("StringEquals", json!(SUBJECT));
        let with = |member: &str, value: Value| {
            let mut other = good.clone();
            other[member] = value;
            admits(&other)
        };
        assert_eq!(
            with("Principal", json!({ "Service": "ecs-tasks.amazonaws.com" })),
            Admits::No
        );
        assert_eq!(with("Principal", json!({ "Federated": [PROVIDER] })), Admits::Yes);
        assert_eq!(with("Principal", json!("*")), Admits::Yes);
        assert_eq!(with("Action", json!("sts:AssumeRole")), Admits::No);
        assert_eq!(
            with("Action", json!(["sts:TagSession", "STS:assumerolewith*"])),
            Admits::Yes
        );
        let mut audience = good.clone();
        audience["Condition"]["StringEquals"][format!("{ISSUER}:AUD")] = json!("https://github.com/acme");
        assert_eq!(admits(&audience), Admits::No);
        assert_eq!(admits(&json!([])), Admits::No);
    }

    #[test]
    fn what_is_not_known_is_neither_yes_nor_no() {
        let depends = |on: &str| Admits::Depends(vec![on.to_owned()]);
        let mut other = sub("StringEquals", json!(SUBJECT));
        other["Condition"]["StringEquals"][format!("{ISSUER}:actor")] = json!("jo");
        assert_eq!(admits(&other), depends(&format!("{ISSUER}:actor")));
        assert_eq!(
            admits(&sub("StringLike", json!("repo:${aws:PrincipalTag/x}:*"))),
            depends(&format!("{ISSUER}:sub"))
        );
        assert_eq!(
            admits(&sub("ArnLike", json!("x"))),
            depends(&format!("ArnLike of {ISSUER}:sub"))
        );
        // What is refused in any case depends on nothing.
        other["Condition"]["StringEquals"][format!("{ISSUER}:sub")] = json!("repo:x/y");
        assert_eq!(admits(&other), Admits::No);
        let mut not = sub("StringEquals", json!(SUBJECT));
        not["NotAction"] = json!("sts:TagSession");
        assert_eq!(admits(&not), depends("NotAction"));
    }

    #[test]
    fn a_denial_wins() {
        let good = sub("StringEquals", json!(SUBJECT));
        let mut denial = sub("StringLike", json!("repo:acme/*"));
        denial["Effect"] = json!("Deny");
        assert_eq!(admits(&json!([good.clone(), denial])), Admits::No);
        let mut perhaps = statement(json!({ "Bool": { "aws:SecureTransport": "false" } }));
        perhaps["Effect"] = json!("Deny");
        assert!(matches!(admits(&json!([good, perhaps])), Admits::Depends(_)));
    }

    #[test]
    fn what_is_no_policy_is_an_error() {
        for text in ["", "[]", "{}", r#"{"Statement": 1}"#, "nonsense"] {
            assert!(Trusts::read(text).is_err(), "{text}");
        }
        let trusts = Trusts::read(&json!({ "Statement": statement(json!({})) }).to_string()).unwrap();
        assert!(trusts.names(PROVIDER) && !trusts.names("arn:aws:iam::1:oidc-provider/x"));
    }
}
