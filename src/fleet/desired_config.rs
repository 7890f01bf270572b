//! The configuration that a fleet is to have: a JSON document in Parameter Store from which its stack is made.
//!
//! Members: `version` (1), `template_slug`, `instance_type`, `ami_ssm_parameter`, `enabled`. What else there is stays.

use fleet_templates::FleetScaling;
use serde_json::{Map, Value};

/// The only form that is known.
const VERSION: i64 = 1;

/// The members that are known.
const MEMBERS: [&str; 5] = [
    "version",
    "template_slug",
    "instance_type",
    "ami_ssm_parameter",
    "enabled",
];

/// A document, whatever it says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FleetConfig(pub(crate) Map<String, Value>);

impl FleetConfig {
    /// # Errors
    /// Why the text is no JSON object.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        match serde_json::from_str(text) {
            Ok(Value::Object(members)) => Ok(Self(members)),
            Ok(_) => Err("it is JSON, and no object".to_owned()),
            Err(error) => Err(format!("it is no JSON: {error}")),
        }
    }

    /// As it is written to Parameter Store: on one line, members in their order.
    pub(crate) fn text(&self) -> String {
        Value::Object(self.0.clone()).to_string()
    }

    /// For an editor.
    pub(crate) fn pretty(&self) -> String {
        let text = serde_json::to_string_pretty(&self.0);
        text.unwrap_or_else(|_| self.text()) + "\n"
    }

    fn member(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    pub(crate) fn template(&self) -> Option<&str> {
        self.member("template_slug")
    }

    pub(crate) fn instance_type(&self) -> Option<&str> {
        self.member("instance_type")
    }

    /// The same with another value of one member.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// What keeps a stack from being made of it. `pointer` is the parameter that names the fleet's image.
    pub(crate) fn problems(&self, pointer: &str) -> Vec<String> {
        let mut problems = Vec::new();
        match self.0.get("version") {
            Some(version) if version.as_i64() == Some(VERSION) => {}
            Some(version) => problems.push(format!("`version` is {version}, and bpctl knows {VERSION}")),
            None => problems.push(format!("`version` is missing: it must be {VERSION}")),
        }
        for name in ["template_slug", "instance_type", "ami_ssm_parameter"] {
            match self.0.get(name) {
                None => problems.push(format!("`{name}` is missing")),
                Some(Value::String(text)) if !text.is_empty() => {}
                Some(other) => problems.push(format!("`{name}` is {other}, and must be a text")),
            }
        }
        match self.0.get("enabled") {
            None => problems.push("`enabled` is missing".to_owned()),
            Some(Value::Bool(_)) => {}
            Some(other) => problems.push(format!("`enabled` is {other}, and must be true or false")),
        }
        if let Some(named) = self.member("ami_ssm_parameter").filter(|named| *named != pointer) {
            problems.push(format!(
                "`ami_ssm_parameter` is `{named}`, and the fleet's pointer is `{pointer}`"
            ));
        }
        problems.extend(
            self.template()
                .and_then(|slug| of_template(slug, self.instance_type())),
        );
        problems
    }

    /// Members that bpctl does not know; they stay as they are.
    pub(crate) fn unknown(&self) -> Vec<&str> {
        let names = self.0.keys().map(String::as_str);
        names.filter(|name| !MEMBERS.contains(name)).collect()
    }

    /// What the two differ in, a line for each member.
    pub(crate) fn differences(&self, after: &Self) -> Vec<String> {
        let shown = |value: Option<&Value>| value.map_or_else(|| "absent".to_owned(), Value::to_string);
        let mut names: Vec<&String> = self.0.keys().collect();
        names.extend(after.0.keys().filter(|name| !self.0.contains_key(*name)));
        names
            .into_iter()
            .filter(|name| self.0.get(*name) != after.0.get(*name))
            .map(|name| {
                format!(
                    "{name}: {} -> {}",
                    shown(self.0.get(name)),
                    shown(after.0.get(name))
                )
            })
            .collect()
    }
}

/// What is wrong with a template and an instance type together.
fn of_template(slug: &str, kind: Option<&str>) -> Option<String> {
    let Some(template) = FleetScaling::template(slug) else {
        return Some(format!("there is no template `{slug}`"));
    };
    let kind = kind?;
    let allowed = &template.instance_types;
    (!allowed.iter().any(|one| one == kind)).then(|| {
        format!(
            "template `{slug}` does not allow `{kind}`, only {}",
            allowed.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const POINTER: &str = "/bp/ami/fleets/production/gpu-default";

    fn sound() -> FleetConfig {
        FleetConfig::parse(
            r#"{"version":1,"template_slug":"gpu-default","instance_type":"g4dn.xlarge","ami_ssm_parameter":"/bp/ami/fleets/production/gpu-default","enabled":true,"owner":"ml"}"#,
        )
        .unwrap()
    }

    #[test]
    fn a_sound_configuration_has_no_problems_and_keeps_what_is_not_known() {
        let config = sound();
        assert_eq!(config.problems(POINTER), Vec::<String>::new());
        assert_eq!(config.unknown(), ["owner"]);
        let other = config.clone().with("instance_type", "g5.xlarge");
        assert!(
            other.text().ends_with(r#""enabled":true,"owner":"ml"}"#),
            "{}",
            other.text()
        );
        assert_eq!(
            config.differences(&other),
            [r#"instance_type: "g4dn.xlarge" -> "g5.xlarge""#]
        );
        assert_eq!(FleetConfig::parse(&other.pretty()).unwrap(), other);
    }

    #[test]
    fn what_no_stack_can_be_made_of_is_a_problem() {
        for (name, value, problem) in [
            ("version", Value::from(2), "`version` is 2"),
            ("template_slug", "gpu-huge".into(), "no template `gpu-huge`"),
            ("template_slug", 7.into(), "`template_slug` is 7"),
            (
                "instance_type",
                "p5.48xlarge".into(),
                "does not allow `p5.48xlarge`, only g4dn.xlarge, g5.xlarge",
            ),
            (
                "ami_ssm_parameter",
                "/bp/ami/fleets/staging/x".into(),
                "the fleet's pointer is",
            ),
            ("enabled", "yes".into(), "must be true or false"),
        ] {
            let problems = sound().with(name, value).problems(POINTER);
            assert!(
                problems.len() == 1 && problems[0].contains(problem),
                "{name}: {problems:?}"
            );
        }
        let empty = FleetConfig::parse("{}").unwrap();
        assert_eq!(empty.problems(POINTER).len(), 5);
        assert!(FleetConfig::parse("[]").unwrap_err().contains("no object"));
        assert!(FleetConfig::parse("{").unwrap_err().contains("no JSON"));
    }
}
