//! Asks IAM's policy simulator what the caller may do.

use std::collections::BTreeMap;

use futures::{StreamExt as _, TryStreamExt as _};

use crate::aws::iam::{Answer, Question};
use crate::context::Ctx;
use crate::error::{CtlError, ErrorKind, Result};
use crate::iam::{Document, Place, Use};

/// How many questions are under way at once; IAM publishes no rates and throttles early.
const CONCURRENT: usize = 4;

/// The answers about everything in question, by action and resource.
#[derive(Debug, Default)]
pub(in crate::commands) struct Answers(BTreeMap<(String, String), Answer>);

impl Answers {
    /// What was answered to one action on one resource.
    pub(super) fn of(&self, action: &str, resource: &str) -> Option<&Answer> {
        self.0.get(&(action.to_owned(), resource.to_owned()))
    }
}

/// Whose policies count: a user as it is; a role instead of its session.
///
/// # Errors
/// Callers whose policies the simulator does not evaluate.
fn principal(caller: &str) -> Result<String> {
    let parts: Vec<&str> = caller.splitn(6, ':').collect();
    let [arn, partition, service, _, account, name] = parts.as_slice() else {
        return Err(CtlError::new(
            ErrorKind::Unexpected,
            format!("read the caller's ARN `{caller}`"),
        ));
    };
    let role = name
        .strip_prefix("assumed-role/")
        .and_then(|rest| rest.split('/').next());
    match (*service, role) {
        ("sts", Some(role)) => Ok(format!("{arn}:{partition}:iam::{account}:role/{role}")),
        ("iam", None) if name.starts_with("user/") => Ok(caller.to_owned()),
        _ => Err(CtlError::new(
            ErrorKind::Unexpected,
            format!("check permissions: IAM simulates the policies of users and roles, and the caller is `{caller}`"),
        )
        .hint("sign in as a user or a role; nothing was checked")),
    }
}

/// Asks about all of `uses` at once.
///
/// # Errors
/// Whatever keeps the simulator from answering: without an answer nothing counts as allowed.
pub(super) async fn simulate(ctx: &Ctx, uses: &[Use], place: &Place) -> Result<(String, Answers)> {
    let caller = ctx.aws.identity().await?.arn.clone();
    let mut principal = principal(&caller)?;
    let questions = questions(uses, place);
    let mut answers = Answers::default();
    let mut rest = questions.as_slice();
    // The first answer also says whether the role's ARN has a path, which its sessions do not show.
    if let Some((first, further)) = rest.split_first() {
        let found = match ctx.aws.simulate(&principal, first).await {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let name = principal.rsplit('/').next().unwrap_or_default().to_owned();
                principal = ctx.aws.role_arn(&name).await?;
                ctx.aws.simulate(&principal, first).await?
            }
            other => other?,
        };
        answers.extend(found);
        rest = further;
    }
    ask(ctx, &principal, rest, &mut answers).await?;
    Ok((principal, answers))
}

/// Asks about all of `uses` for a role, by its ARN.
///
/// # Errors
/// As [`simulate`].
pub(in crate::commands) async fn simulate_role(
    ctx: &Ctx,
    arn: &str,
    uses: &[Use],
    place: &Place,
) -> Result<Answers> {
    let mut answers = Answers::default();
    ask(ctx, arn, &questions(uses, place), &mut answers).await?;
    Ok(answers)
}

/// A question for each kind of thing.
fn questions(uses: &[Use], place: &Place) -> Vec<Question> {
    let document = Document::of_each(uses, place);
    let statements = document.statements();
    statements
        .map(|(actions, resources, conditions)| Question {
            actions: actions.to_vec(),
            resources: resources.to_vec(),
            context: conditions
                .values()
                .flat_map(|keys| keys.iter().map(|(key, values)| (key.clone(), values.clone())))
                .collect(),
        })
        .collect()
}

async fn ask(ctx: &Ctx, principal: &str, questions: &[Question], answers: &mut Answers) -> Result<()> {
    let found: Vec<Vec<Answer>> = futures::stream::iter(questions)
        .map(|question| ctx.aws.simulate(principal, question))
        .buffer_unordered(CONCURRENT)
        .try_collect()
        .await?;
    for found in found {
        answers.extend(found);
    }
    Ok(())
}

impl Answers {
    fn extend(&mut self, found: Vec<Answer>) {
        for answer in found {
            self.0
                .insert((answer.action.clone(), answer.resource.clone()), answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_stands_for_its_role_and_a_user_for_itself() {
        let of = |caller: &str| principal(caller).ok();
        assert_eq!(
            of("arn:aws:sts::123456789012:assumed-role/deploy/ci").as_deref(),
            Some("arn:aws:iam::123456789012:role/deploy")
        );
        let user = "arn:aws:iam::123456789012:user/ops/jo";
        assert_eq!(of(user).as_deref(), Some(user));
        for caller in [
            "arn:aws:iam::123456789012:root",
            "arn:aws:sts::123456789012:federated-user/jo",
            "nonsense",
        ] {
            assert_eq!(of(caller), None, "{caller}");
        }
    }
}
