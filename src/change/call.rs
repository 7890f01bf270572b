//! One mutating API call as a value. What a plan shows, what `--print-aws` prints, what a permit allows
//! and what is sent are all taken from it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::permit::Permit;
use crate::error::{CtlError, ErrorKind, Result};

/// The "service" of calls that docker makes for bpctl: their parameter `arguments` is its command line.
pub(crate) const DOCKER: &str = "docker";

/// The same for programs of Node.js.
pub(crate) const NPX: &str = "npx";

/// The same of calls that packer makes.
pub(crate) const PACKER: &str = "packer";

/// A mutating call of the AWS layer, beside its SDK request.
pub(crate) trait Call: Clone {
    /// The IAM prefix, e.g. `autoscaling`.
    const SERVICE: &'static str;
    /// As in the API reference, e.g. `SetDesiredCapacity`.
    const OPERATION: &'static str;
    /// What a second request of the same call does.
    const REPEATED: Repeated;
    /// Parameters in which two requests that mean the same may differ: tokens, marks, generated names.
    const VOLATILE: &'static [&'static str] = &[];
    /// What the request is sent through.
    type Via;
    /// What AWS answers, read back where the API allows it.
    type Answer;

    /// Every parameter that is sent, by the names and in the shapes of the API reference.
    fn parameters(&self) -> Map<String, Value>;

    /// What is changed, for locks and leases, e.g. `ecs/bp-backend`.
    fn resource(&self) -> String;

    /// What is lost for good, if anything.
    fn loses(&self) -> Option<Loss> {
        None
    }

    /// Sends it.
    ///
    /// # Errors
    /// What AWS refuses, or that there was no answer.
    async fn send(&self, via: &Self::Via, permit: &Permit) -> Result<Self::Answer>;

    /// The call as data.
    fn described(&self) -> ApiCall {
        ApiCall {
            service: Self::SERVICE.to_owned(),
            operation: Self::OPERATION.to_owned(),
            parameters: self.parameters(),
            resource: self.resource(),
            loses: self.loses(),
            repeated: Self::REPEATED,
            volatile: Self::VOLATILE.iter().map(|name| (*name).to_owned()).collect(),
        }
    }
}

/// What a second request of the same call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Repeated {
    /// The same again, e.g. SetDesiredCapacity to the same number.
    Harmless,
    /// Nothing: a token or a name that the request carries makes AWS recognise it.
    Recognised,
    /// The thing a second time: look first whether the first request has arrived.
    Twice,
}

/// What cannot be brought back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "what")]
pub(crate) enum Loss {
    /// Work in hand, e.g. jobs of GPU workers.
    Work(String),
    /// Data, e.g. the tables of a database.
    Data(String),
}

/// A mutating API call as data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct ApiCall {
    pub(crate) service: String,
    pub(crate) operation: String,
    pub(crate) parameters: Map<String, Value>,
    pub(crate) resource: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) loses: Option<Loss>,
    pub(super) repeated: Repeated,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) volatile: Vec<String>,
}

/// Parameters in the order in which they are shown.
pub(crate) fn parameters<const N: usize>(members: [(&str, Value); N]) -> Map<String, Value> {
    members
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// Stands for a parameter that an earlier step of the same plan finds out, e.g. a deployment id.
const LATER: &str = "$from";

/// A parameter that may not be known yet when the plan is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) enum Later {
    Known(String),
    /// The step of this name finds it out.
    FromStep(String),
}

impl Later {
    /// As a parameter of a call.
    pub(crate) fn parameter(&self) -> Value {
        match self {
            Self::Known(value) => Value::from(value.as_str()),
            Self::FromStep(step) => from_step(step),
        }
    }

    /// # Errors
    /// When the step has not found it out.
    pub(crate) fn known(&self) -> Result<&str> {
        match self {
            Self::Known(value) => Ok(value),
            Self::FromStep(step) => Err(CtlError::new(
                ErrorKind::Unexpected,
                format!("use what step `{step}` finds out: it has not run"),
            )),
        }
    }
}

fn from_step(step: &str) -> Value {
    let mut members = Map::new();
    members.insert(LATER.to_owned(), Value::from(step));
    Value::Object(members)
}

impl ApiCall {
    /// `service:Operation`, as IAM and this project's messages write it.
    pub(crate) fn label(&self) -> String {
        format!("{}:{}", self.service, self.operation)
    }

    /// Whether `sent` is what this call was shown as; parameters that an earlier step finds out may be
    /// anything.
    pub(super) fn allows(&self, sent: &Self) -> bool {
        self.service == sent.service
            && self.operation == sent.operation
            && same_members(&self.parameters, &sent.parameters)
    }

    /// Whether the two mean the same, whatever their tokens and marks.
    pub(super) fn means(&self, other: &Self) -> bool {
        let lasting = |call: &Self| {
            let mut parameters = call.parameters.clone();
            parameters.retain(|name, _| !call.volatile.contains(name));
            parameters
        };
        self.service == other.service && self.operation == other.operation && lasting(self) == lasting(other)
    }
}

fn same_members(shown: &Map<String, Value>, sent: &Map<String, Value>) -> bool {
    shown.len() == sent.len()
        && shown
            .iter()
            .all(|(name, value)| sent.get(name).is_some_and(|other| same(value, other)))
}

fn same(shown: &Value, sent: &Value) -> bool {
    match (shown, sent) {
        (Value::Object(members), _) if members.len() == 1 && members.contains_key(LATER) => true,
        (Value::Object(shown), Value::Object(sent)) => same_members(shown, sent),
        (Value::Array(shown), Value::Array(sent)) => {
            shown.len() == sent.len() && shown.iter().zip(sent).all(|(shown, sent)| same(shown, sent))
        }
        (
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_),
            _,
        ) => shown == sent,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(parameters: Value) -> ApiCall {
        let Value::Object(parameters) = parameters else {
            panic!("parameters are an object")
        };
        ApiCall {
            service: "ecs".to_owned(),
            operation: "RunTask".to_owned(),
            parameters,
            resource: "ecs/bp-backend".to_owned(),
            loses: None,
            repeated: Repeated::Recognised,
            volatile: vec!["clientToken".to_owned()],
        }
    }

    #[test]
    fn only_what_was_shown_may_be_sent() {
        let shown = call(json!({"cluster": "bp", "count": 1}));
        assert!(shown.allows(&call(json!({"cluster": "bp", "count": 1}))));
        for other in [
            json!({"cluster": "bp", "count": 2}),
            json!({"cluster": "bp"}),
            json!({"cluster": "bp", "count": 1, "group": "x"}),
        ] {
            assert!(!shown.allows(&call(other)));
        }
    }

    #[test]
    fn what_a_step_finds_out_may_be_anything_and_nothing_else_may() {
        let shown = call(json!({"task": from_step("migrate"), "tags": [{"key": "a"}]}));
        assert!(shown.allows(&call(json!({"task": "0af", "tags": [{"key": "a"}]}))));
        assert!(!shown.allows(&call(json!({"task": "0af", "tags": [{"key": "b"}]}))));
        assert!(!shown.allows(&call(json!({"task": "0af", "tags": []}))));
    }

    #[test]
    fn a_token_does_not_make_another_meaning() {
        let one = call(json!({"cluster": "bp", "clientToken": "1"}));
        assert!(one.means(&call(json!({"cluster": "bp", "clientToken": "2"}))));
        assert!(!one.means(&call(json!({"cluster": "bq", "clientToken": "1"}))));
        assert!(!one.allows(&call(json!({"cluster": "bp", "clientToken": "2"}))));
    }
}
