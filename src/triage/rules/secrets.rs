//! Secrets Manager: secrets that do not exist or hold nothing. No value is ever read.

use jiff::Timestamp;

use crate::layout::App;
use crate::triage::catalog::Code;
use crate::triage::commands;
use crate::triage::finding::{Finding, Node};
use crate::triage::snapshot::{Secret, Snapshot, TaskFault};
use crate::triage::wording::at_or_unknown;

pub(super) fn rule(snapshot: &Snapshot, _now: Timestamp) -> Vec<Finding> {
    let secrets = snapshot.secrets.iter().flatten();
    secrets
        .filter(|secret| !secret.facts.as_ref().is_some_and(|facts| facts.has_value))
        .map(|secret| finding(snapshot, secret))
        .collect()
}

fn finding(snapshot: &Snapshot, secret: &Secret) -> Finding {
    let layout = &snapshot.layout;
    let name = &secret.name;
    let (code, evidence) = match &secret.facts {
        Some(facts) => (
            Code::SecretWithoutValue,
            format!(
                "no version of `{name}` carries AWSCURRENT; last changed {}",
                at_or_unknown(facts.changed)
            ),
        ),
        None => (
            Code::SecretMissing,
            format!("Secrets Manager knows no secret `{name}`"),
        ),
    };
    let mut finding = Finding::new(code, Node::Secret(name.clone()), name)
        .evidence(evidence)
        .cause(consequence(&secret.role))
        .explains([
            Node::Tasks(App::Backend, TaskFault::Initialization),
            Node::Migration,
        ]);
    if secret.facts.is_some() {
        finding = finding.next(commands::secret_versions(name));
    } else if let Some(stack) = layout.core_stack("data") {
        finding = finding
            .next(commands::stack_diff(&stack))
            .next(commands::stack_deploy(&stack));
    }
    // What the stack or the database makes cannot be set by hand.
    let finding = match secret.role.as_str() {
        "app-key" | "oauth" => finding.next((
            format!("put {} into it; the value is asked for:", value(&secret.role)),
            commands::put_secret(name),
        )),
        "asset-ops" => finding.next(commands::generate_secret(name)),
        _ => finding,
    };
    finding.next(commands::redeploy(App::Backend))
}

fn consequence(role: &str) -> &'static str {
    match role {
        "app-key" => {
            "Laravel's APP_KEY was never set or its secret was created anew: running tasks keep the old key, new backend tasks cannot start"
        }
        "oauth" => {
            "the OAuth secrets were never set: new backend tasks cannot start or nobody can log in with Google, Apple or TikTok"
        }
        _ => "the stack generates this value; without it new backend tasks cannot start",
    }
}

/// An old key is worth more than a new one: what is encrypted with it stays readable.
fn value(role: &str) -> &'static str {
    match role {
        "app-key" => "the APP_KEY of the .env file (`base64:…`)",
        "oauth" => "a JSON object with the nine OAuth keys",
        _ => "the value",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::rules::sample;

    #[test]
    fn a_secret_without_a_current_version() {
        let mut snapshot = sample::healthy();
        assert!(rule(&snapshot, sample::now()).is_empty());
        let secret = &mut snapshot.secrets.as_mut().unwrap()[0];
        secret.facts.as_mut().unwrap().has_value = false;
        let finding = rule(&snapshot, sample::now()).remove(0);
        assert_eq!(finding.code, Code::SecretWithoutValue);
        assert_eq!(finding.subject, "/bp/laravel/app-key");
        assert_eq!(finding.next[0], "bpctl secrets history /bp/laravel/app-key");
    }

    #[test]
    fn a_secret_that_is_not_there() {
        let mut snapshot = sample::healthy();
        snapshot.secrets.as_mut().unwrap()[0].facts = None;
        let finding = rule(&snapshot, sample::now()).remove(0);
        assert_eq!(finding.code, Code::SecretMissing);
        assert_eq!(finding.next[1], "bpctl stack deploy bp-data");
    }

    #[test]
    fn what_to_do_depends_on_where_the_value_comes_from() {
        let snapshot = sample::healthy();
        for (role, set) in [
            ("app-key", Some("bpctl secrets set /bp/laravel/app-key")),
            ("oauth", Some("bpctl secrets set /bp/oauth/secrets")),
            (
                "asset-ops",
                Some("bpctl secrets set /bp/asset-ops/secret --generate"),
            ),
            ("rds", None),
            ("redis", None),
        ] {
            let mut snapshot = snapshot.clone();
            let secrets = snapshot.secrets.as_mut().unwrap();
            let secret = secrets.iter_mut().find(|secret| secret.role == role).unwrap();
            secret.facts = None;
            let steps = rule(&snapshot, sample::now()).remove(0).next;
            let steps: Vec<String> = steps.iter().map(ToString::to_string).collect();
            let sets: Vec<&String> = steps.iter().filter(|step| step.contains("secrets set")).collect();
            match set {
                Some(set) => assert!(sets.len() == 1 && sets[0].contains(set), "{role}: {steps:?}"),
                None => assert!(sets.is_empty(), "{role}: {steps:?}"),
            }
        }
    }
}
