//! Images in ECR: the tags that services pull, and why a pull fails.

use jiff::Timestamp;

use super::services;
use crate::layout::{App, Layout};
use crate::triage::catalog::Code;
use crate::triage::commands;
use crate::triage::finding::{Finding, Node};
use crate::triage::snapshot::{Repository, Snapshot, TaskFault};
use crate::triage::wording::at_or_unknown;

pub(super) fn rule(snapshot: &Snapshot, _now: Timestamp) -> Vec<Finding> {
    let repositories = snapshot.images.iter().flatten();
    // Those of a service that was never started are among what is to come.
    let repositories = repositories.filter(|one| !services::is_unstarted(snapshot, one.app));
    repositories.filter_map(missing).collect()
}

fn missing(repository: &Repository) -> Option<Finding> {
    let app = repository.app;
    let gone: Vec<&str> = Layout::service_tags(app)
        .iter()
        .copied()
        .filter(|tag| !repository.has(tag))
        .collect();
    if gone.is_empty() {
        return None;
    }
    let mut finding = Finding::new(Code::ImageTagMissing, Node::Image(app), &repository.name)
        .cause("the tags were removed or never pushed: running tasks live on, the next task or deployment cannot start")
        .explains([Node::Tasks(app, TaskFault::Pull), Node::Migration, Node::Deployment(app)]);
    for tag in &gone {
        finding = finding.evidence(format!("no image in `{}` has the tag `{tag}`", repository.name));
    }
    finding = finding.facts(newest(repository));
    for tag in &gone {
        // nginx-latest goes to the newest nginx-<sha7>, latest to the newest <sha7>.
        let prefix = tag.strip_suffix("latest").unwrap_or_default();
        if let Some((existing, _)) = repository.tags().find(|(known, _)| is_release(known, prefix)) {
            finding = finding.next(commands::retag(&repository.name, existing, tag));
        }
    }
    Some(finding.next(commands::images(app)))
}

/// `<prefix><sha7>` as CI pushes it.
fn is_release(tag: &str, prefix: &str) -> bool {
    tag.strip_prefix(prefix)
        .is_some_and(|sha| sha.len() == 7 && sha.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn newest(repository: &Repository) -> Option<String> {
    let (tag, pushed) = repository.tags().next()?;
    Some(format!("newest image: `{tag}`, pushed {}", at_or_unknown(pushed)))
}

/// What is known about the image that a pull error or else the container names.
pub(super) fn explain_pull(snapshot: &Snapshot, app: App, texts: [&str; 2], finding: Finding) -> Finding {
    let repository = snapshot
        .images
        .iter()
        .flatten()
        .find(|repository| repository.app == app);
    let name = snapshot.layout.repository(app);
    let tag = texts.into_iter().find_map(|text| tag_of(text, &name));
    let finding = match (repository, tag) {
        (Some(repository), Some(tag)) if !repository.has(tag) => finding
            .evidence(format!("ECR has no tag `{tag}` in `{name}`"))
            .facts(newest(repository))
            .cause("the task definition names an image that was never pushed or is gone; the build of that release failed or pushed elsewhere"),
        (Some(_), Some(tag)) => finding
            .evidence(format!("ECR has the tag `{tag}` in `{name}` now"))
            .cause("the image exists: the execution role may not pull it, it is not linux/arm64, or it was pushed only after the attempt"),
        _ => finding.cause("the image that the task definition names cannot be pulled from ECR"),
    };
    finding.next(commands::images(app))
}

/// The tag of the image of `repository` that a message names (`…/repository:tag: not found`).
fn tag_of<'a>(text: &'a str, repository: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("/{repository}:"))?;
    let end = rest
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')))
        .unwrap_or(rest.len());
    let tag = rest[..end].trim_end_matches('.');
    (!tag.is_empty()).then_some(tag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::rules::sample;

    #[test]
    fn the_tag_is_read_from_the_message() {
        let text = "failed to resolve ref 123456789012.dkr.ecr.us-east-1.amazonaws.com/bp-backend:php-1a2b3c4: 1234: not found";
        assert_eq!(tag_of(text, "bp-backend"), Some("php-1a2b3c4"));
        assert_eq!(tag_of(text, "bp-frontend"), None);
        assert_eq!(tag_of("x/bp-backend@sha256:12", "bp-backend"), None);
    }

    #[test]
    fn missing_tags_come_with_the_command_that_brings_them_back() {
        let mut snapshot = sample::healthy();
        assert!(rule(&snapshot, sample::now()).is_empty());
        snapshot.images.as_mut().unwrap()[0]
            .images
            .retain(|image| image.tags != ["php-latest"]);
        let finding = rule(&snapshot, sample::now()).remove(0);
        assert_eq!(finding.code, Code::ImageTagMissing);
        assert!(finding.next[1].contains("--image-tag php-latest"));
        assert!(
            finding.next[1].contains("imageTag=php-1a2b3c4"),
            "{:?}",
            finding.next
        );
        assert!(
            finding
                .explains
                .contains(&Node::Tasks(App::Backend, TaskFault::Pull))
        );
    }

    #[test]
    fn the_frontend_pulls_a_bare_tag() {
        assert!(is_release("1a2b3c4", ""));
        assert!(!is_release("latest", ""));
        assert!(!is_release("nginx-1a2b3c4", "php-"));
    }
}
