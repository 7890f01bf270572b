//! What speaks against a deployment, before anything is changed. Pure.

use std::collections::BTreeSet;

use super::images::{brief, short};
use super::observe::{Image, SecretFact, Seen, ServiceSeen};
use super::request::Request;
use crate::aws::ecs::Service;
use crate::change::Blocker;
use crate::error::{CommandLine, ErrorKind, Hint};

/// Blockers and warnings of one service.
#[derive(Debug, Default)]
pub(super) struct Checked {
    pub(super) blockers: Vec<Blocker>,
    pub(super) warnings: Vec<String>,
}

impl Checked {
    fn block(&mut self, kind: ErrorKind, reason: String, hint: impl Into<Hint>) {
        self.blockers.push(Blocker {
            kind,
            reason,
            hint: hint.into(),
        });
    }
}

/// Everything that is known to speak against it, the gravest first.
pub(super) fn check(request: &Request, seen: &Seen, one: &ServiceSeen) -> Checked {
    let mut checked = Checked::default();
    under_way(request, one, &mut checked);
    rules(one, &mut checked);
    images(seen, one, &mut checked);
    secrets(seen, one, &mut checked);
    surroundings(seen, one, &mut checked);
    checked
}

fn failed(one: &ServiceSeen, what: &str) -> String {
    format!("deploy {}: {what}", one.app.word())
}

/// The command that follows the deployment that is under way.
pub(crate) fn watch(one: &str) -> CommandLine {
    CommandLine::bpctl(["rollout", "watch", one])
}

/// Whether the primary deployment is still being rolled out.
pub(crate) fn is_under_way(service: &Service) -> bool {
    let moving = |state: Option<&str>| !matches!(state, Some("COMPLETED" | "FAILED") | None);
    service
        .primary()
        .is_some_and(|primary| moving(primary.rollout_state.as_deref()))
}

/// A deployment that does well belongs to its operator; one whose tasks fail is what a new deployment is to mend.
fn under_way(request: &Request, one: &ServiceSeen, checked: &mut Checked) {
    if !is_under_way(&one.service) {
        return;
    }
    let Some(primary) = one.service.primary() else {
        return;
    };
    let (id, failed_tasks) = (&primary.id, primary.failed);
    if failed_tasks > 0 || request.supersede {
        let how = if failed_tasks > 0 {
            format!(", {failed_tasks} of whose tasks have failed in a row")
        } else {
            String::new()
        };
        checked.warnings.push(format!(
            "{}: takes the place of deployment {id}{how}",
            one.app.word()
        ));
        return;
    }
    let word = one.app.word();
    checked.block(
        ErrorKind::Conflict,
        failed(one, &format!("deployment {id} is under way and does well so far")),
        Hint::new("follow it with")
            .command(watch(word))
            .and(", or give `--supersede` to put a new one in its place"),
    );
}

fn rules(one: &ServiceSeen, checked: &mut Checked) {
    let service = &one.service;
    let word = one.app.word();
    if service.status != "ACTIVE" {
        checked.block(
            ErrorKind::Failed,
            failed(one, &format!("service {} is {}", service.name, service.status)),
            ("look for the cause with", CommandLine::bpctl(["triage"])),
        );
    }
    if let Some(controller) = service
        .rules
        .controller
        .as_deref()
        .filter(|known| *known != "ECS")
    {
        checked.block(
            ErrorKind::Rejected,
            failed(
                one,
                &format!("service {} is deployed by {controller}", service.name),
            ),
            Hint::new("deploy it with the tool that owns it"),
        );
    }
    if service.desired == 0 {
        checked.warnings.push(format!(
            "{word}: the service is scaled to zero: no task will show whether the deployment works"
        ));
        return;
    }
    let minimum = service.rules.minimum_healthy.unwrap_or(100);
    let maximum = service.rules.maximum.unwrap_or(200);
    // ECS rounds the maximum down and the minimum up (API reference, DeploymentConfiguration).
    let most = service.desired * maximum / 100;
    let least = (service.desired * minimum + 99) / 100;
    if most <= least {
        checked.block(
            ErrorKind::Rejected,
            failed(
                one,
                &format!(
                    "of {} tasks at least {least} must stay and at most {most} may run (minimum healthy {minimum} %, maximum {maximum} %): no new task can start",
                    service.desired
                ),
            ),
            Hint::new("raise the maximum or lower the minimum in the stack of the service"),
        );
    }
    if least == 0 {
        checked.warnings.push(format!(
            "{word}: minimum healthy is {minimum} %: the service may be down while tasks are replaced"
        ));
    }
    match (service.rules.breaker, service.rules.rollback) {
        (true, true) => {}
        (true, false) => checked.warnings.push(format!(
            "{word}: the circuit breaker does not roll back: a deployment that fails leaves the service without new tasks"
        )),
        (false, _) => checked.warnings.push(format!(
            "{word}: the circuit breaker is off: a deployment that fails goes on for ever unless `--abort-on-first-failure` or `--rollback-on-timeout` ends it"
        )),
    }
}

fn images(seen: &Seen, one: &ServiceSeen, checked: &mut Checked) {
    let word = one.app.word();
    let processor = match one.target.architecture() {
        "ARM64" => "linux/arm64",
        _ => "linux/amd64",
    };
    let mut told: BTreeSet<String> = BTreeSet::new();
    let mut compared = Vec::new();
    for container in one.wanted() {
        let name = short(&container.image).to_owned();
        let fact = seen.images.get(&container.image);
        if let Some(Image::Found(manifest)) = fact {
            let running = one.running.get(&container.name);
            compared.push(running.is_some_and(|digest| manifest.has(digest)));
        } else {
            compared.push(false);
        }
        if !told.insert(container.image.clone()) {
            continue;
        }
        match fact {
            Some(Image::Found(manifest)) => match &manifest.platforms {
                Some(platforms) if platforms.iter().any(|platform| platform == processor) => {}
                Some(platforms) => checked.block(
                    ErrorKind::Rejected,
                    failed(
                        one,
                        &format!(
                            "image {name} is for {}, and the tasks are {processor}",
                            platforms.join(", ")
                        ),
                    ),
                    (
                        "build the images for the right processor with",
                        CommandLine::bpctl(["image", "push", one.app.word(), "--rebuild"]),
                    ),
                ),
                None => checked.warnings.push(format!(
                    "{word}: could not check what image {name} is for: {}; it must be {processor}",
                    manifest.unread.as_deref().unwrap_or("its manifest does not say")
                )),
            },
            Some(Image::Missing) => checked.block(
                ErrorKind::NotFound,
                failed(one, &format!("image {name} is not in the registry")),
                ("see which images there are with", listed(one)),
            ),
            Some(Image::NoRepository) => checked.block(
                ErrorKind::NotFound,
                failed(one, &format!("there is no repository for image {name}")),
                (
                    "see which repositories there are with",
                    CommandLine::aws("ecr", "describe-repositories"),
                ),
            ),
            Some(Image::Elsewhere) => checked.warnings.push(format!(
                "{word}: could not check image {}: it is in another registry",
                container.image
            )),
            Some(Image::Unchecked(why)) => {
                checked
                    .warnings
                    .push(format!("{word}: could not check image {name}: {why}"));
            }
            None => checked
                .warnings
                .push(format!("{word}: could not check image {name}")),
        }
    }
    if !compared.is_empty() && compared.iter().all(|same| *same) {
        let digests: BTreeSet<&str> = one.running.values().map(|digest| brief(digest)).collect();
        let digests: Vec<&str> = digests.into_iter().collect();
        let digests = digests.join(", ");
        checked.warnings.push(match one.service.primary() {
            Some(primary) if is_under_way(&one.service) => format!(
                "{word}: nothing new: same digests as deployment {} brings ({digests})",
                primary.id
            ),
            _ => format!("{word}: nothing new: same digests as run now ({digests})"),
        });
    }
}

/// The images of the service.
fn listed(one: &ServiceSeen) -> CommandLine {
    CommandLine::bpctl(["image", "list", one.app.word()])
}

fn secrets(seen: &Seen, one: &ServiceSeen, checked: &mut Checked) {
    let mut told: BTreeSet<(String, &'static str)> = BTreeSet::new();
    let mut unchecked: BTreeSet<String> = BTreeSet::new();
    for container in one.wanted() {
        for (variable, from) in &container.secrets {
            let name = readable(from);
            match seen.secrets.get(from) {
                Some(SecretFact::Good) => {}
                Some(SecretFact::Bad(what)) => {
                    if told.insert((name.clone(), what)) {
                        checked.block(
                            ErrorKind::NotFound,
                            failed(
                                one,
                                &format!("{name}, which {} gets as {variable}, {what}", container.name),
                            ),
                            (
                                "without it no task starts; see the secrets, and who gets them, with",
                                CommandLine::bpctl(["secrets", "list"]),
                            ),
                        );
                    }
                }
                Some(SecretFact::Unchecked(why)) => {
                    unchecked.insert(why.clone());
                }
                None => {
                    unchecked.insert(format!("{name} was not looked at"));
                }
            }
        }
    }
    for why in unchecked {
        checked
            .warnings
            .push(format!("{}: could not check all secrets: {why}", one.app.word()));
    }
}

/// The name of a secret or parameter without the rest of its ARN.
fn readable(from: &str) -> String {
    if let Some((_, rest)) = from.split_once(":secret:") {
        let name = rest.split(':').next().unwrap_or(rest);
        // Secrets Manager adds a hyphen and six letters to the name.
        return match name.rsplit_once('-') {
            Some((name, suffix)) if suffix.len() == 6 => name.to_owned(),
            _ => name.to_owned(),
        };
    }
    from.split_once(":parameter")
        .map_or(from, |(_, name)| name)
        .to_owned()
}

fn surroundings(seen: &Seen, one: &ServiceSeen, checked: &mut Checked) {
    if one.target.execution_role().is_none() {
        checked.block(
            ErrorKind::Rejected,
            failed(
                one,
                &format!(
                    "{}:{} has no execution role: its images and secrets cannot be fetched",
                    one.target.family, one.target.revision
                ),
            ),
            Hint::new("deploy the stack of the service, which gives it one"),
        );
    }
    let mut told: BTreeSet<String> = BTreeSet::new();
    for container in one.wanted() {
        let Some(logs) = &container.logs else { continue };
        if !told.insert(logs.group.clone()) {
            continue;
        }
        match seen.groups.get(&logs.group) {
            Some(Ok(true)) => {}
            Some(Ok(false)) => checked.block(
                ErrorKind::NotFound,
                failed(
                    one,
                    &format!("log group {} does not exist: no task would start", logs.group),
                ),
                (
                    "create it with",
                    CommandLine::aws("logs", "create-log-group").option("--log-group-name", &logs.group),
                ),
            ),
            Some(Err(why)) => {
                checked.warnings.push(format!(
                    "{}: could not check log group {}: {why}",
                    one.app.word(),
                    logs.group
                ));
            }
            None => checked.warnings.push(format!(
                "{}: could not check log group {}",
                one.app.word(),
                logs.group
            )),
        }
    }
}
