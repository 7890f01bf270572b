//! What fleets point at: AMIs, the fleet secret, the scale-to-zero topic.

use jiff::Timestamp;

use super::fleets::{self, alarm};
use crate::layout::{App, FleetAlarm};
use crate::triage::catalog::Code;
use crate::triage::commands;
use crate::triage::finding::{Finding, Node};
use crate::triage::snapshot::{FleetSecretState, Snapshot, Topic};
use crate::triage::wording::{ago, at};

/// The data type that makes Parameter Store check that the value is an AMI.
const IMAGE: &str = "aws:ec2:image";

/// AMI parameters that are missing or hold no image.
pub(super) fn amis(snapshot: &Snapshot, now: Timestamp) -> Vec<Finding> {
    let Ok(amis) = &snapshot.amis else {
        return Vec::new();
    };
    let layout = &snapshot.layout;
    fleets::joined(snapshot)
        .iter()
        .filter_map(|fleet| {
            let name = layout.ami_parameter(fleet.id);
            let (code, id) = (Code::AmiMissing, fleet.id);
            let finding = match amis.get(&name) {
                Some(pointer) if pointer.data_type == IMAGE => return None,
                Some(pointer) => {
                    let changed = pointer
                        .modified
                        .map(|at_| format!(", changed {} ({})", at(at_), ago(now, at_)))
                        .unwrap_or_default();
                    let value = pointer
                        .value
                        .as_ref()
                        .map(|value| format!(" and the value `{value}`"))
                        .unwrap_or_default();
                    Finding::new(Code::AmiWrongType, Node::Ami(id.clone()), id.to_string())
                        .evidence(format!(
                            "`{name}` version {} has the data type `{}`{value}{changed}; `{IMAGE}` is wanted",
                            pointer.version, pointer.data_type
                        ))
                        .cause("the parameter was written without the data type, so nothing checked that its value is an AMI: launches fail or will fail")
                        .next(commands::image_history(fleet.id))
                        .next(format!(
                            "then delete `{name}` and wait 30 seconds: Parameter Store changes no parameter to the data type `{IMAGE}`"
                        ))
                }
                None => Finding::new(code, Node::Ami(id.clone()), id.to_string())
                    .evidence(format!("Parameter Store knows no `{name}`"))
                    .cause("no AMI was built for this fleet, or its parameter was deleted: no instance can be launched"),
            };
            Some(
                finding
                    .evidence(fleet.capacity())
                    .next(commands::packer_images())
                    .next((
                        "promote the newest good one of them; where there is none, build one with",
                        commands::build_image(fleet.id),
                    ))
                    .explains([Node::Launch(id.clone())])
                    .explains(fleet.downstream()),
            )
        })
        .collect()
}

/// Fleet secrets that were never set.
pub(super) fn secrets(snapshot: &Snapshot, now: Timestamp) -> Vec<Finding> {
    snapshot
        .fleet_secrets
        .iter()
        .flatten()
        .filter_map(|secret| {
            let name = &secret.name;
            let (code, evidence) = match &secret.state {
                FleetSecretState::Set => return None,
                FleetSecretState::Placeholder(facts) => (
                    Code::FleetSecretPlaceholder,
                    format!(
                        "`{name}` version {} holds the placeholder of the first deployment{}",
                        facts.version,
                        facts
                            .modified
                            .map(|at_| format!(", written {} ({})", at(at_), ago(now, at_)))
                            .unwrap_or_default()
                    ),
                ),
                FleetSecretState::Missing => (
                    Code::FleetSecretMissing,
                    format!("Parameter Store knows no `{name}`"),
                ),
            };
            let mut finding = Finding::new(
                code,
                Node::FleetSecret(secret.stage),
                format!("{} fleets", secret.stage),
            )
            .evidence(evidence)
            .cause("the backend refuses workers that come without the shared secret: they boot, cost money and never register")
            .next(commands::secret(name))
            .next(commands::generate_secret(name))
            .next(commands::redeploy(App::Backend))
            .explains([401, 503].map(Node::Registration));
            for fleet in fleets::joined(snapshot) {
                if fleet.id.stage == secret.stage {
                    finding = finding.explains([
                        Node::Workers(fleet.id.clone()),
                        Node::Queue(fleet.id.clone()),
                    ]);
                    if !fleet.group.instances.is_empty() {
                        // Workers read the secret when they boot: those that are there must be replaced.
                        finding = finding
                            .evidence(format!("{}: {}", fleet.id, fleet.load(now)))
                            .next(commands::fleet_to_zero(fleet.id));
                    }
                }
            }
            Some(finding)
        })
        .collect()
}

/// A scale-to-zero topic without a listener.
pub(super) fn topics(snapshot: &Snapshot, _now: Timestamp) -> Vec<Finding> {
    snapshot
        .topics
        .iter()
        .flatten()
        .filter(|topic| !topic.confirmed().any(|listener| listener.protocol == "lambda"))
        .map(|topic| unheard(snapshot, topic))
        .collect()
}

fn unheard(snapshot: &Snapshot, topic: &Topic) -> Finding {
    let arn = &topic.arn;
    let name = arn.rsplit(':').next().unwrap_or(arn);
    let others: Vec<&str> = topic
        .confirmed()
        .map(|listener| listener.protocol.as_str())
        .collect();
    let mut finding = Finding::new(Code::TopicUnsubscribed, Node::Topic, name)
        .evidence(if others.is_empty() {
            format!("`{arn}` has no subscription")
        } else {
            format!(
                "no function is subscribed to `{arn}`, only {}",
                others.join(", ")
            )
        })
        .cause("`queue-empty` alarms speak to this topic, but the scale-to-zero function does not hear them: a fleet whose metrics fall silent keeps its instances, and so does an idle one that no step policy takes to zero");
    for fleet in fleets::joined(snapshot) {
        let speaks = alarm(snapshot, FleetAlarm::QueueEmpty, fleet.id)
            .is_none_or(|alarm| alarm.actions.is_empty() || alarm.actions.contains(arn));
        if speaks {
            finding = finding.explains([Node::Group(fleet.id.clone())]);
        }
    }
    if let Some(stack) = ["gpu-shared", "gpu"]
        .into_iter()
        .find_map(|role| snapshot.layout.core_stack(role))
    {
        finding = finding.next(commands::stack_drift(&stack));
    }
    finding
        .next(commands::subscriptions(arn))
        .next(commands::zero_functions())
        .next(format!(
            "subscribe the function (protocol `lambda`) to `{arn}`, or deploy the stack that does"
        ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::rules::sample;

    #[test]
    fn pointers_must_be_images() {
        let mut snapshot = sample::healthy();
        assert!(amis(&snapshot, sample::now()).is_empty());
        let name = "/bp/ami/fleets/production/gpu-default";
        let pointers = snapshot.amis.as_mut().unwrap();
        let pointer = pointers.get_mut(name).unwrap();
        pointer.facts.data_type = "text".to_owned();
        pointer.value = Some("comfyui-latest".to_owned());
        let finding = amis(&snapshot, sample::now()).remove(0);
        assert_eq!(finding.code, Code::AmiWrongType);
        assert!(finding.evidence[0].contains("the value `comfyui-latest`"));
        snapshot.amis.as_mut().unwrap().remove(name);
        let finding = amis(&snapshot, sample::now()).remove(0);
        assert_eq!(finding.code, Code::AmiMissing);
        assert!(
            finding
                .explains
                .contains(&Node::Launch("production/gpu-default".parse().unwrap()))
        );
    }

    #[test]
    fn an_unset_secret_concerns_the_fleets_of_its_stage() {
        let mut snapshot = sample::healthy();
        assert!(secrets(&snapshot, sample::now()).is_empty());
        snapshot.fleet_secrets.as_mut().unwrap()[1].state =
            FleetSecretState::Placeholder(sample::parameter("/bp/fleet-secret/production", "text"));
        let finding = secrets(&snapshot, sample::now()).remove(0);
        assert_eq!(finding.code, Code::FleetSecretPlaceholder);
        assert_eq!(
            finding.explains,
            [
                // What its workers are answered.
                Node::Registration(401),
                Node::Registration(503),
                Node::Workers("production/gpu-default".parse().unwrap()),
                Node::Queue("production/gpu-default".parse().unwrap())
            ]
        );
    }

    #[test]
    fn a_topic_needs_a_function_that_listens() {
        let mut snapshot = sample::healthy();
        assert!(topics(&snapshot, sample::now()).is_empty());
        snapshot.topics.as_mut().unwrap()[0].subscriptions =
            Some(vec![sample::subscription("email", "ops@example.com")]);
        let finding = topics(&snapshot, sample::now()).remove(0);
        assert_eq!(finding.code, Code::TopicUnsubscribed);
        assert!(finding.evidence[0].ends_with("only email"));
    }
}
