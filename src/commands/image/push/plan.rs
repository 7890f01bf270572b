//! Which images are built and which tags move. Pure.

use serde::{Deserialize, Serialize};

use super::ImageSeen;
use crate::aws::ecr::{Manifest, TagImage};
use crate::change::{Blocker, Call as _, Later, OnFailure, Plan, Step};
use crate::commands::deploy::images::brief;
use crate::commands::image::docker::BuildAndPush;
use crate::commands::image::source::Source;
use crate::error::{ErrorKind, Hint};
use crate::layout::{Build, PLATFORM};

/// What one step does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Action {
    Build(BuildAndPush),
    Move(Move),
}

/// A tag that moves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Move {
    /// `nginx`, `php` or `frontend`.
    pub(super) what: String,
    pub(super) call: TagImage,
    /// Digest and manifest under the tag before.
    pub(super) before: Option<(String, String)>,
}

impl Action {
    /// Whether it is about this image.
    pub(super) fn is_of(&self, build: &Build) -> bool {
        match self {
            Self::Build(call) => call.what == build.word,
            Self::Move(of) => of.what == build.word,
        }
    }
}

/// The step that moves the tag of an image.
pub(super) fn move_id(build: &Build) -> String {
    format!("{} latest", build.word)
}

/// Whether an image is for the tasks' processor; one that does not say is not known to be.
pub(super) fn fits(manifest: &Manifest) -> bool {
    manifest
        .platforms
        .as_ref()
        .is_some_and(|platforms| platforms.iter().any(|platform| platform == PLATFORM))
}

pub(super) fn plan(seen: &[ImageSeen], source: &Source, rebuild: bool, latest: bool) -> Plan<Action> {
    let commit = &source.commit;
    let mut steps = Vec::new();
    let mut moves = Vec::new();
    let mut blockers = Vec::new();
    let mut warnings = Vec::new();
    for image in seen {
        let build = &image.build;
        let (repository, tag) = (&image.repository.name, build.tag(commit));
        let there = image.of_commit.as_ref().filter(|_| !rebuild);
        let usable = there.filter(|manifest| fits(manifest));
        if let (Some(manifest), None) = (there, usable) {
            let of = manifest.platforms.as_ref().map(|all| all.join(", "));
            warnings.push(format!(
                "{}: {tag} is there, but it is for {}: it is built anew",
                build.word,
                of.unwrap_or_else(|| "a processor that could not be found out".to_owned())
            ));
        }
        let (digest, manifest) = match usable {
            Some(manifest) => (
                Later::Known(manifest.digest.clone()),
                Later::Known(manifest.text.clone()),
            ),
            None => {
                if !image.repository.mutable && image.of_commit.is_some() {
                    blockers.push(immutable(repository, &tag));
                }
                let name = format!("{}:{tag}", image.repository.uri);
                let call = BuildAndPush {
                    what: build.word.to_owned(),
                    repository: repository.clone(),
                    arguments: source.arguments(build, std::slice::from_ref(&name), "--push"),
                    name,
                    tag: tag.clone(),
                };
                let summary = format!("build {} and push it as {repository}:{tag}", build.word);
                let mut step = Step::new(build.word, summary, vec![call.described()], Action::Build(call));
                step.on_failure = OnFailure::Stop;
                step.notes = vec![format!(
                    "in {}, logged in with a token on docker's standard input",
                    source.root.display()
                )];
                steps.push(step);
                let from = || Later::FromStep(build.word.to_owned());
                (from(), from())
            }
        };
        let moving = image.moving.as_ref();
        let is_there =
            matches!((&digest, moving), (Later::Known(digest), Some(moving)) if *digest == moving.digest);
        if latest && !is_there {
            let tag = build.moving_tag();
            if !image.repository.mutable && moving.is_some() {
                blockers.push(immutable(repository, &tag));
            }
            let to = match &digest {
                Later::Known(digest) => brief(digest).to_owned(),
                Later::FromStep(_) => "the image that is pushed".to_owned(),
            };
            let from = moving.map_or_else(|| "not there".to_owned(), |now| brief(&now.digest).to_owned());
            let call = TagImage {
                repository: repository.clone(),
                tag: tag.clone(),
                digest,
                manifest,
            };
            let calls = vec![call.described()];
            let action = Action::Move(Move {
                what: build.word.to_owned(),
                call,
                before: moving.map(|now| (now.digest.clone(), now.text.clone())),
            });
            let summary = format!("move the tag {tag} of {repository}");
            moves.push(Step::new(move_id(build), summary, calls, action).changing(from, to));
        }
    }
    // No tag moves before every image is there.
    let builds: Vec<String> = steps.iter().map(|step| step.id.clone()).collect();
    for step in &mut moves {
        step.needs.clone_from(&builds);
        step.on_failure = OnFailure::Stop;
    }
    steps.extend(moves);
    let mut plan = Plan::new(format!("push the images of {commit}"), steps);
    plan.blockers = blockers;
    plan.warnings = warnings;
    plan
}

fn immutable(repository: &str, tag: &str) -> Blocker {
    Blocker {
        kind: ErrorKind::Rejected,
        reason: format!("push {repository}:{tag}: it is there, and the repository's tags are immutable"),
        hint: Hint::new("give `--no-latest` and another `--tag`, or make the tags mutable in the stack"),
    }
}

/// A tag moves back to where it was; an image that was pushed stays: its commit's tag is its own.
pub(super) fn undo(step: &Step<Action>) -> Option<Step<Action>> {
    let Action::Move(moved) = &step.action else {
        return None;
    };
    let (digest, manifest) = moved.before.clone()?;
    let call = TagImage {
        digest: Later::Known(digest.clone()),
        manifest: Later::Known(manifest),
        ..moved.call.clone()
    };
    let calls = vec![call.described()];
    let summary = format!("move the tag {} back to {}", call.tag, brief(&digest));
    let action = Action::Move(Move {
        call,
        before: None,
        ..moved.clone()
    });
    Some(Step::new(&step.id, summary, calls, action))
}
