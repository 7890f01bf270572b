//! Which images go, and in which requests. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::RepositorySeen;
use crate::aws::ecr::{DeleteImages, Image, MAX_IDS};
use crate::change::{Call as _, Step};
use crate::commands::image::usage::Usage;
use crate::commands::image::words::{commit, part};

/// How old an image without a tag must be: a push sends the images of an index before the index itself.
const UNTAGGED: Duration = Duration::from_secs(24 * 60 * 60);

/// Images that a plan names one by one.
const NAMED: usize = 12;

/// What the operator chose.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) keep: usize,
    pub(super) older_than: Duration,
}

/// An image that goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Victim {
    pub(super) digest: String,
    pub(super) tags: Vec<String>,
    pub(super) bytes: Option<u64>,
}

/// Images of a repository that go.
#[derive(Clone, Debug, Default)]
pub(super) struct Sorted {
    /// Indexes and images of their own.
    pub(super) first: Vec<Victim>,
    /// Images in indexes: ECR refuses to delete them while the index is there.
    pub(super) parts: Vec<Victim>,
    /// How many stay.
    pub(super) stay: usize,
}

/// Why images have to stay, by digest.
pub(super) fn needed(
    repository: &RepositorySeen,
    usage: &Usage,
    rules: Rules,
    now: Timestamp,
) -> BTreeMap<String, String> {
    let parts_of: BTreeSet<&String> = repository
        .manifests
        .values()
        .flat_map(|index| &index.parts)
        .collect();
    let newest = newest(&repository.images, rules.keep);
    let mut needed: BTreeMap<String, String> = BTreeMap::new();
    let own = repository
        .images
        .iter()
        .filter(|image| !parts_of.contains(&image.digest) || !image.tags.is_empty());
    for image in own {
        let manifest = repository.manifests.get(&image.digest);
        let used = usage.reason(&repository.name, &image.digest, &image.tags, manifest);
        if let Some(why) = used.or_else(|| age_or_tag(image, &newest, rules, now)) {
            needed.insert(image.digest.clone(), why);
        }
    }
    let mut of_kept: BTreeMap<String, String> = BTreeMap::new();
    for (digest, index) in &repository.manifests {
        // An index that cannot be read is kept by its own rules; without its parts bpctl cannot know what is in it.
        if needed.contains_key(digest) {
            let why = "it is in an index that stays".to_owned();
            of_kept.extend(index.parts.iter().map(|part| (part.clone(), why.clone())));
        }
    }
    for image in &repository.images {
        let used = usage.reason(&repository.name, &image.digest, &[], None);
        if let Some(why) = used {
            of_kept.entry(image.digest.clone()).or_insert(why);
        }
    }
    for (digest, why) in of_kept {
        needed.entry(digest).or_insert(why);
    }
    needed
}

/// Why an image stays that nothing uses.
fn age_or_tag(image: &Image, newest: &BTreeSet<&str>, rules: Rules, now: Timestamp) -> Option<String> {
    if let Some(tag) = image.tags.iter().find(|tag| commit(tag).is_none()) {
        return Some(format!("its tag {tag} is no commit's"));
    }
    if newest.contains(image.digest.as_str()) {
        return Some("it is among the newest".to_owned());
    }
    let at_least = if image.tags.is_empty() {
        UNTAGGED
    } else {
        rules.older_than
    };
    let old = image
        .pushed
        .and_then(|pushed| Duration::try_from(now.duration_since(pushed)).ok())
        .is_some_and(|age| age >= at_least);
    (!old).then(|| "it is not old enough".to_owned())
}

/// Digests of the newest images of each kind that carry a commit's tag.
fn newest(images: &[Image], keep: usize) -> BTreeSet<&str> {
    let mut kinds: BTreeMap<&str, Vec<&Image>> = BTreeMap::new();
    for image in images {
        let kinds_of: BTreeSet<&str> = image
            .tags
            .iter()
            .filter(|tag| commit(tag).is_some())
            .map(|tag| part(tag))
            .collect();
        for kind in kinds_of {
            kinds.entry(kind).or_default().push(image);
        }
    }
    let mut newest = BTreeSet::new();
    for images in kinds.values_mut() {
        images.sort_by_key(|image| std::cmp::Reverse(image.pushed));
        newest.extend(images.iter().take(keep).map(|image| image.digest.as_str()));
    }
    newest
}

/// What goes of a repository and what stays.
pub(super) fn sort(repository: &RepositorySeen, usage: &Usage, rules: Rules, now: Timestamp) -> Sorted {
    let needed = needed(repository, usage, rules, now);
    let parts_of: BTreeSet<&String> = repository
        .manifests
        .values()
        .flat_map(|index| &index.parts)
        .collect();
    let mut sorted = Sorted::default();
    for image in &repository.images {
        if needed.contains_key(&image.digest) {
            sorted.stay += 1;
            continue;
        }
        let victim = Victim {
            digest: image.digest.clone(),
            tags: image.tags.clone(),
            bytes: image.bytes,
        };
        if parts_of.contains(&image.digest) {
            sorted.parts.push(victim);
        } else {
            sorted.first.push(victim);
        }
    }
    sorted
}

/// The name of a request.
pub(super) fn id(repository: &str, number: usize) -> String {
    format!("{repository} {number}")
}

/// How many requests so many images can take: parts begin a request of their own.
pub(super) fn requests(images: usize) -> usize {
    images.div_ceil(MAX_IDS) + 1
}

/// The requests, the indexes before their parts.
pub(super) fn steps(repository: &str, sorted: &Sorted) -> Vec<Step<DeleteImages>> {
    let mut steps: Vec<Step<DeleteImages>> = Vec::new();
    let first = sorted.first.chunks(MAX_IDS).map(|chunk| (chunk, false));
    let parts = sorted.parts.chunks(MAX_IDS).map(|chunk| (chunk, true));
    let mut before: Vec<String> = Vec::new();
    for (number, (chunk, is_parts)) in (1..).zip(first.chain(parts)) {
        let call = DeleteImages {
            repository: repository.to_owned(),
            digests: chunk.iter().map(|victim| victim.digest.clone()).collect(),
        };
        let what = if is_parts {
            "images in indexes"
        } else {
            "images and indexes"
        };
        let summary = format!("delete {} {what} of {repository}", chunk.len());
        let id = id(repository, number);
        let mut step = Step::new(&id, summary, vec![call.described()], call);
        step.notes = chunk.iter().take(NAMED).map(Victim::told).collect();
        if let Some(more) = chunk.len().checked_sub(NAMED).filter(|more| *more > 0) {
            step.notes.push(format!("and {more} more"));
        }
        if is_parts {
            step.needs.clone_from(&before);
        } else {
            before.push(id);
        }
        steps.push(step);
    }
    steps
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
