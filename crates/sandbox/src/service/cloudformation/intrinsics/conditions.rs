//! Conditions ("Condition functions") and the assertions of rules ("Rules syntax").

use serde_json::Value;

use super::Scope;
use crate::service::member::{list, text};

impl Scope<'_> {
    /// Whether the condition of this name holds.
    pub(in super::super) fn condition(&self, name: &str) -> Result<bool, String> {
        let condition = self.document.0.get("Conditions").and_then(|all| all.get(name));
        let condition =
            condition.ok_or_else(|| format!("Template error: unresolved condition dependency: {name}"))?;
        self.holds(condition)
    }

    /// Whether a member of the template, a resource or an output, is to be there.
    pub(in super::super) fn is_wanted(&self, member: &Value) -> Result<bool, String> {
        text(member, "Condition").map_or(Ok(true), |name| self.condition(name))
    }

    pub(super) fn holds(&self, condition: &Value) -> Result<bool, String> {
        let Some((name, argument)) = condition.as_object().and_then(|members| members.iter().next()) else {
            return Ok(condition == true || condition == "true");
        };
        let parts = argument.as_array().map_or(&[][..], Vec::as_slice);
        match (name.as_str(), parts) {
            ("Condition", _) => self.condition(argument.as_str().unwrap_or_default()),
            ("Fn::Equals", [left, right]) => Ok(plain(self.value(left)?) == plain(self.value(right)?)),
            ("Fn::Not", [one]) => self.holds(one).map(|holds| !holds),
            ("Fn::And", [_, _, ..]) => self.every(parts, true),
            ("Fn::Or", [_, _, ..]) => self.every(parts, false).map(|none| !none),
            ("Fn::Contains", [all, one]) => {
                let all = self.value(all)?.unwrap_or_default();
                let one = plain(self.value(one)?);
                let mut items = all.as_array().into_iter().flatten();
                Ok(items.any(|item| plain(Some(item.clone())) == one))
            }
            _ => Err(format!("Template error: {name} is not a condition")),
        }
    }

    /// Whether all parts are `wanted`; for `false`: whether none of them holds.
    fn every(&self, parts: &[Value], wanted: bool) -> Result<bool, String> {
        for part in parts {
            if self.holds(part)? != wanted {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The first assertion of the template's rules that does not hold, in the words of its author.
    pub(in super::super) fn broken_rule(&self) -> Result<Option<String>, String> {
        for (name, rule) in self.document.section("Rules") {
            if let Some(condition) = rule.get("RuleCondition")
                && !self.holds(condition)?
            {
                continue;
            }
            for assertion in list(rule, "Assertions") {
                if !self.holds(&assertion["Assert"])? {
                    let said = text(assertion, "AssertDescription").unwrap_or_default();
                    return Ok(Some(format!(
                        "Template validation error: Rule {name} failed: {said}"
                    )));
                }
            }
        }
        Ok(None)
    }
}

/// Numbers and truth values are compared as texts.
fn plain(value: Option<Value>) -> String {
    match value {
        Some(Value::String(text)) => text,
        Some(other) => other.to_string(),
        None => String::new(),
    }
}
