//! Policy documents (IAM User Guide, "Grammar of the IAM JSON policy language"), read strictly.

use serde_json::{Map, Value};

/// A permissions policy.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Document {
    pub(crate) statements: Vec<Statement>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Statement {
    pub(crate) sid: Option<String>,
    pub(crate) allows: bool,
    pub(crate) actions: Names,
    pub(crate) resources: Names,
    /// Operator, key and wanted values.
    pub(crate) conditions: Vec<(String, String, Vec<String>)>,
}

/// `Action` or `NotAction`, `Resource` or `NotResource`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Names {
    These(Vec<String>),
    AllBut(Vec<String>),
}

/// Why a text is no policy, in IAM's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Malformed(pub(crate) String);

fn malformed(what: &str) -> Malformed {
    Malformed(what.to_owned())
}

impl Document {
    /// Reads a permissions policy, whose statements have resources and no principals.
    pub(crate) fn parse(text: &str) -> Result<Self, Malformed> {
        let Ok(Value::Object(members)) = serde_json::from_str::<Value>(text) else {
            return Err(malformed("Syntax errors in policy."));
        };
        for (name, value) in &members {
            match (name.as_str(), value.as_str()) {
                ("Version", Some("2012-10-17" | "2008-10-17")) | ("Id", Some(_)) | ("Statement", _) => {}
                _ => return Err(malformed("Syntax errors in policy.")),
            }
        }
        let statements = match members.get("Statement") {
            Some(Value::Array(statements)) if !statements.is_empty() => statements.as_slice(),
            Some(one @ Value::Object(_)) => std::slice::from_ref(one),
            _ => return Err(malformed("Syntax errors in policy.")),
        };
        let statements: Vec<Statement> = statements.iter().map(Statement::read).collect::<Result<_, _>>()?;
        let mut sids: Vec<&str> = statements.iter().filter_map(|one| one.sid.as_deref()).collect();
        let all = sids.len();
        sids.sort_unstable();
        sids.dedup();
        if sids.len() < all {
            return Err(malformed(
                "Statement IDs (SID) in a single policy must be unique.",
            ));
        }
        Ok(Self { statements })
    }
}

impl Statement {
    /// Whether its actions hold this one.
    pub(crate) fn is_about(&self, action: &str) -> bool {
        self.actions
            .hold(|pattern| super::glob::action_matches(pattern, action))
    }

    fn read(value: &Value) -> Result<Self, Malformed> {
        let Value::Object(members) = value else {
            return Err(malformed("Syntax errors in policy."));
        };
        for name in members.keys() {
            match name.as_str() {
                "Sid" | "Effect" | "Action" | "NotAction" | "Resource" | "NotResource" | "Condition" => {}
                "Principal" | "NotPrincipal" => {
                    return Err(malformed("Policy document should not specify a principal."));
                }
                _ => return Err(malformed("Syntax errors in policy.")),
            }
        }
        let sid = match members.get("Sid") {
            None => None,
            Some(Value::String(sid)) if sid.chars().all(|letter| letter.is_ascii_alphanumeric()) => {
                Some(sid.clone())
            }
            Some(_) => {
                return Err(malformed(
                    "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*",
                ));
            }
        };
        let allows = match members.get("Effect").and_then(Value::as_str) {
            Some("Allow") => true,
            Some("Deny") => false,
            _ => return Err(malformed("Syntax errors in policy.")),
        };
        let actions = names(members, "Action", "NotAction")?
            .ok_or_else(|| malformed("Policy statement must contain actions."))?;
        for action in actions.list() {
            let prefixed = action
                .split_once(':')
                .is_some_and(|(service, name)| !service.is_empty() && !name.is_empty());
            if action != "*" && !prefixed {
                return Err(malformed(
                    "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
                ));
            }
        }
        let resources = names(members, "Resource", "NotResource")?
            .ok_or_else(|| malformed("Policy statement must contain resources."))?;
        for resource in resources.list() {
            if resource != "*" && (!resource.starts_with("arn:") || resource.split(':').count() < 6) {
                return Err(Malformed(format!(
                    "Resource {resource} must be in ARN format or \"*\"."
                )));
            }
        }
        Ok(Self {
            sid,
            allows,
            actions,
            resources,
            conditions: conditions(members.get("Condition"))?,
        })
    }
}

impl Names {
    fn list(&self) -> &[String] {
        match self {
            Self::These(names) | Self::AllBut(names) => names,
        }
    }

    pub(super) fn hold(&self, is_it: impl Fn(&str) -> bool) -> bool {
        match self {
            Self::These(names) => names.iter().any(|name| is_it(name)),
            Self::AllBut(names) => !names.iter().any(|name| is_it(name)),
        }
    }
}

/// One of two elements that exclude each other.
fn names(members: &Map<String, Value>, these: &str, all_but: &str) -> Result<Option<Names>, Malformed> {
    Ok(match (members.get(these), members.get(all_but)) {
        (Some(value), None) => Some(Names::These(texts(value)?)),
        (None, Some(value)) => Some(Names::AllBut(texts(value)?)),
        (None, None) => None,
        (Some(_), Some(_)) => return Err(malformed("Syntax errors in policy.")),
    })
}

/// A string or a list of them.
fn texts(value: &Value) -> Result<Vec<String>, Malformed> {
    let text = |value: &Value| match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
        _ => Err(malformed("Syntax errors in policy.")),
    };
    match value {
        Value::Array(values) if !values.is_empty() => values.iter().map(text).collect(),
        Value::Array(_) => Err(malformed("Syntax errors in policy.")),
        one => Ok(vec![text(one)?]),
    }
}

fn conditions(value: Option<&Value>) -> Result<Vec<(String, String, Vec<String>)>, Malformed> {
    let Some(value) = value else { return Ok(Vec::new()) };
    let Value::Object(operators) = value else {
        return Err(malformed("Syntax errors in policy."));
    };
    let mut conditions = Vec::new();
    for (operator, keys) in operators {
        if !super::condition::is_operator(operator) {
            return Err(Malformed(format!("Invalid Condition type : {operator}.")));
        }
        let Value::Object(keys) = keys else {
            return Err(malformed("Syntax errors in policy."));
        };
        for (key, values) in keys {
            conditions.push((operator.clone(), key.clone(), texts(values)?));
        }
    }
    Ok(conditions)
}
