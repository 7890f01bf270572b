//! IAM: what a principal may do, by the policy simulator.

use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum, EvaluationResult, PolicyEvaluationDecisionType};

use super::Aws;
use super::pages::Tokens;
use crate::error::{CtlError, ErrorKind, Required as _, Result, from_sdk};

/// The most results on a page (API Reference, SimulatePrincipalPolicy).
const PAGE: i32 = 1000;

/// Actions, each on each of the resources, in a request with these values of condition keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) actions: Vec<String>,
    pub(crate) resources: Vec<String>,
    pub(crate) context: Vec<(String, Vec<String>)>,
}

/// What the policies of a principal say of one action on one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) action: String,
    pub(crate) resource: String,
    pub(crate) decision: Decision,
    /// Condition keys that a statement wants and the question has no values for.
    pub(crate) depends_on: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    Allowed,
    /// A statement denies it.
    Denied,
    /// No statement allows it.
    NotAllowed,
}

impl Aws {
    /// Asks the policy simulator about a user or role.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for a principal that does not exist, [`ErrorKind::AccessDenied`] when the caller may
    /// not ask.
    pub(crate) async fn simulate(&self, principal: &str, question: &Question) -> Result<Vec<Answer>> {
        const REQUEST: &str = "SimulatePrincipalPolicy";
        let doing = format!("simulate the policies of `{principal}`");
        let client = self.iam_client().await?;
        let context: Vec<ContextEntry> = question
            .context
            .iter()
            .map(|(key, values)| {
                ContextEntry::builder()
                    .context_key_name(key)
                    .context_key_type(ContextKeyTypeEnum::String)
                    .set_context_key_values(Some(values.clone()))
                    .build()
            })
            .collect();
        let mut answers = Vec::new();
        let mut tokens = Tokens::default();
        let mut marker: Option<String> = None;
        loop {
            let page = client
                .simulate_principal_policy()
                .policy_source_arn(principal)
                .set_action_names(Some(question.actions.clone()))
                .set_resource_arns(Some(question.resources.clone()))
                .set_context_entries((!context.is_empty()).then(|| context.clone()))
                .max_items(PAGE)
                .set_marker(marker)
                .send()
                .await
                .map_err(|error| from_sdk(&doing, &error))?;
            let results = page.evaluation_results.required(REQUEST, "EvaluationResults")?;
            for result in &results {
                answers.extend(answers_of(result)?);
            }
            marker = page.marker.filter(|_| page.is_truncated);
            let Some(token) = &marker else {
                return Ok(answers);
            };
            tokens.note(&doing, token)?;
        }
    }

    /// The ARN of a role, with the path that the ARN of its sessions leaves out.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when there is none of this name.
    pub(crate) async fn role_arn(&self, name: &str) -> Result<String> {
        let answer = self
            .iam_client()
            .await?
            .get_role()
            .role_name(name)
            .send()
            .await
            .map_err(|error| from_sdk(format!("look up the role `{name}`"), &error))?;
        Ok(answer.role.required("GetRole", "Role")?.arn)
    }
}

/// A result is about one resource, or about several with a result for each of them.
fn answers_of(result: &EvaluationResult) -> Result<Vec<Answer>> {
    let action = result.eval_action_name();
    let answer = |resource: &str, decision, depends_on: &[String]| -> Result<Answer> {
        Ok(Answer {
            action: action.to_owned(),
            resource: resource.to_owned(),
            decision: decided(decision)?,
            depends_on: depends_on.to_vec(),
        })
    };
    let each = result.resource_specific_results();
    if each.is_empty() {
        let resource = result.eval_resource_name().unwrap_or("*");
        return Ok(vec![answer(
            resource,
            result.eval_decision(),
            result.missing_context_values(),
        )?]);
    }
    each.iter()
        .map(|one| {
            answer(
                one.eval_resource_name(),
                one.eval_resource_decision(),
                one.missing_context_values(),
            )
        })
        .collect()
}

fn decided(decision: &PolicyEvaluationDecisionType) -> Result<Decision> {
    match decision {
        PolicyEvaluationDecisionType::Allowed => Ok(Decision::Allowed),
        PolicyEvaluationDecisionType::ExplicitDeny => Ok(Decision::Denied),
        PolicyEvaluationDecisionType::ImplicitDeny => Ok(Decision::NotAllowed),
        other => Err(CtlError::new(
            ErrorKind::Unexpected,
            format!("read the simulator's decision `{other}`"),
        )),
    }
}
