//! IAM: what a principal may do, by the policy simulator; roles and whom they trust.

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

/// A role, and who may take it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Role {
    pub(crate) name: String,
    pub(crate) arn: String,
    /// The trust policy, as JSON.
    pub(crate) trust: String,
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

impl Aws {
    /// Every role of the account.
    ///
    /// # Errors
    /// What the call fails with.
    pub(crate) async fn roles(&self) -> Result<Vec<Role>> {
        const DOING: &str = "list the roles of the account";
        let client = self.iam_client().await?;
        let mut roles = Vec::new();
        let mut tokens = Tokens::default();
        let mut marker: Option<String> = None;
        loop {
            let page = client
                .list_roles()
                .max_items(PAGE)
                .set_marker(marker)
                .send()
                .await
                .map_err(|error| from_sdk(DOING, &error))?;
            for role in page.roles {
                roles.push(role_of("ListRoles", role)?);
            }
            marker = page.marker.filter(|_| page.is_truncated);
            let Some(token) = &marker else {
                return Ok(roles);
            };
            tokens.note(DOING, token)?;
        }
    }

    /// A role by its name; `None` when there is none.
    ///
    /// # Errors
    /// What the call fails with otherwise.
    pub(crate) async fn role(&self, name: &str) -> Result<Option<Role>> {
        let client = self.iam_client().await?;
        let found = client.get_role().role_name(name).send().await;
        match found.map_err(|error| from_sdk(format!("look up the role `{name}`"), &error)) {
            Ok(answer) => {
                let role = answer.role.required("GetRole", "Role")?;
                role_of("GetRole", role).map(Some)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whom the tokens of an identity provider may be for; `None` when there is no such provider.
    ///
    /// # Errors
    /// What the call fails with otherwise.
    pub(crate) async fn audiences(&self, provider: &str) -> Result<Option<Vec<String>>> {
        let client = self.iam_client().await?;
        let asked = client.get_open_id_connect_provider();
        let found = asked.open_id_connect_provider_arn(provider).send().await;
        match found.map_err(|error| from_sdk("look up the identity provider of GitHub", &error)) {
            Ok(answer) => Ok(Some(answer.client_id_list.unwrap_or_default())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn role_of(request: &str, role: aws_sdk_iam::types::Role) -> Result<Role> {
    let trust = role
        .assume_role_policy_document
        .required(request, "AssumeRolePolicyDocument")?;
    Ok(Role {
        trust: decoded(&trust),
        name: role.role_name,
        arn: role.arn,
    })
}

/// Policies come "URL-encoded compliant with RFC 3986" (API Reference, Role).
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let pair = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        let byte = pair.and_then(|pair| u8::from_str_radix(pair, 16).ok());
        decoded.push(byte.unwrap_or(bytes[at]));
        at += if byte.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&decoded).into_owned()
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

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn policies_are_decoded_and_other_text_stays() {
        assert_eq!(decoded("%7B%22a%22%3A%20%22%C3%A4%22%7D"), "{\"a\": \"ä\"}");
        assert_eq!(decoded("{}"), "{}");
        assert_eq!(decoded("100%"), "100%");
        assert_eq!(decoded("%zz%4"), "%zz%4");
    }
}
