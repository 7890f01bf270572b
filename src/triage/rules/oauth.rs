//! A secret from which tasks take single keys and that holds no JSON: no task can start with it.

use jiff::Timestamp;

use crate::layout::App;
use crate::triage::catalog::Code;
use crate::triage::commands;
use crate::triage::finding::{Finding, Node};
use crate::triage::snapshot::{Snapshot, Task, TaskFault};
use crate::triage::wording::{count, shorten};

/// ECS quotes its JSON decoder and does not name the secret. The backend takes keys from two: RDS makes one of
/// them, so it is the other, which begins its life as a random text.
pub(super) fn rule(snapshot: &Snapshot, _now: Timestamp) -> Vec<Finding> {
    let stopped: Vec<&Task> = snapshot
        .tasks
        .iter()
        .flatten()
        .filter(|task| {
            let reason = task.stopped_reason.as_deref().unwrap_or_default();
            let says = |part: &str| reason.contains(part);
            says("secret from asm") && (says("invalid character") || says("cannot unmarshal"))
        })
        .collect();
    let Some(newest) = stopped.iter().max_by_key(|task| task.stopped) else {
        return Vec::new();
    };
    let Some((_, name)) = snapshot
        .layout
        .secrets()
        .into_iter()
        .find(|(role, _)| *role == "oauth")
    else {
        return Vec::new();
    };
    vec![
        Finding::new(Code::SecretNotJson, Node::Secret(name.clone()), &name)
            .evidence(format!(
                "{} could not start, the last `{}`: {}",
                count(stopped.len(), "task"),
                newest.id(),
                shorten(newest.stopped_reason.as_deref().unwrap_or_default(), 300)
            ))
            .cause("the OAuth secret holds a text and no JSON, as after the first deployment: every container takes nine keys from it, so no backend task can start")
            .next(commands::secret_versions(&name))
            .next((
                "put a JSON object with the nine OAuth keys into it; it is asked for:",
                commands::put_secret(&name),
            ))
            .next(commands::redeploy(App::Backend))
            .explains([
                Node::Tasks(App::Backend, TaskFault::Initialization),
                Node::Migration,
            ]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::rules::sample;

    fn seen(reason: &str) -> Vec<Finding> {
        let mut snapshot = sample::healthy();
        let mut task = sample::task("t1", App::Backend);
        task.ecs.stopped_reason = Some(reason.to_owned());
        snapshot.tasks = Ok(vec![task]);
        rule(&snapshot, sample::now())
    }

    #[test]
    fn what_the_decoder_says_is_the_oauth_secret() {
        let found = seen(
            "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm: service call has been retried 1 time(s): invalid character 'R' looking for beginning of value",
        );
        assert_eq!(found[0].code, Code::SecretNotJson);
        assert_eq!(found[0].subject, "/bp/oauth/secrets");
        assert!(
            found[0]
                .explains
                .contains(&Node::Tasks(App::Backend, TaskFault::Initialization))
        );
    }

    #[test]
    fn a_key_that_is_missing_is_another_matter() {
        assert!(seen("unable to retrieve secret from asm: retrieved secret from Secrets Manager did not contain json key x").is_empty());
        assert!(seen("").is_empty());
    }
}
