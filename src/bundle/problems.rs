//! What is wrong with a bundle: with its manifest alone, and with the objects that it names.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::digest::Sha256;
use super::kind::Action;
use super::manifest::{Asset, Format, Manifest};
use crate::layout::{BundleId, Layout, Slug};

/// The longest path that Linux opens (`PATH_MAX`), less room for the ComfyUI root.
const LONGEST_TARGET: usize = 1024;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Problem {
    /// A word that stays the same, e.g. `object-missing`.
    pub(crate) code: &'static str,
    /// The target path of the asset, or where the manifest lies.
    pub(crate) about: String,
    /// What it is, in words.
    pub(crate) what: String,
}

/// An object as S3 describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) size: u64,
    /// The digest of all of its bytes: S3's own, or that of a look at them.
    pub(crate) sha256: Option<Sha256>,
}

fn problem(code: &'static str, about: impl Into<String>, what: impl Into<String>) -> Problem {
    Problem {
        code,
        about: about.into(),
        what: what.into(),
    }
}

/// What is wrong with a manifest that lies where the bundle `id` of the workflow `slug` has it.
pub(crate) fn of_manifest(
    manifest: &Manifest,
    layout: &Layout,
    slug: Option<&Slug>,
    id: &BundleId,
) -> Vec<Problem> {
    let mut found = Vec::new();
    let place = layout.manifest_key(slug, id);
    if manifest.bundle_id != id.as_ref() {
        let what = format!(
            "it says that it is the manifest of bundle `{}`",
            manifest.bundle_id
        );
        found.push(problem("bundle-id", &place, what));
    }
    if let (Some(said), Some(slug)) = (&manifest.slug, slug)
        && said != slug.as_ref()
    {
        found.push(problem(
            "workflow",
            &place,
            format!("it says that it belongs to workflow `{said}`"),
        ));
    }
    if manifest.assets.is_empty() {
        found.push(problem("empty", &place, "it names no asset"));
    }
    let prefix = layout.bundle_prefix(slug, id);
    for asset in &manifest.assets {
        found.extend(of_asset(asset, manifest.format, layout, &prefix));
    }
    found.extend(collisions(&manifest.assets));
    found
}

fn of_asset(asset: &Asset, format: Format, layout: &Layout, prefix: &str) -> Vec<Problem> {
    let mut found = Vec::new();
    let mut add = |code, what: String| found.push(problem(code, &asset.target, what));
    let kind = asset.known_kind();
    if kind.is_none() {
        add("kind", format!("there is no kind `{}`", asset.kind));
    }
    let action = asset.known_action();
    if action.is_none() {
        add("action", format!("there is no action `{}`", asset.action));
    }
    if let Some(digest) = &asset.sha256
        && let Err(expected) = digest.parse::<Sha256>()
    {
        add("digest", format!("`{digest}` is no SHA-256 digest: {expected}"));
    }
    match target(&asset.target, action) {
        Err(what) => add("target", what.to_owned()),
        Ok(()) => {
            if let Some(kind) = kind
                && !is_within(&asset.target, kind.folder(), action)
            {
                let what = format!(
                    "an asset of kind `{}` belongs below `{}/`",
                    asset.kind,
                    kind.folder()
                );
                add("folder", what);
            }
        }
    }
    match format {
        Format::Manifest => {
            if let (Some(kind), Some(digest)) = (kind, asset.digest()) {
                let expected = layout.asset_key(kind.as_str(), &digest.to_string());
                if asset.key != expected {
                    add(
                        "key",
                        format!("its object is `{}` and not `{expected}`", asset.key),
                    );
                }
            }
        }
        Format::Copies => {
            // Nodes synchronise the folder: what lies elsewhere never reaches them.
            let path = asset
                .key
                .strip_prefix(prefix)
                .and_then(|path| path.strip_prefix('/'));
            if path != Some(asset.target.as_str()) {
                add(
                    "key",
                    format!(
                        "its object is `{}` and not `{prefix}/{}`",
                        asset.key, asset.target
                    ),
                );
            }
        }
    }
    found
}

/// Whether a node may write there: relative, going nowhere but down, in plain letters.
fn target(path: &str, action: Option<Action>) -> Result<(), &'static str> {
    // A folder may be written with a slash at the end.
    let path = match action {
        Some(Action::ExtractZip | Action::ExtractTarGz) => path.strip_suffix('/').unwrap_or(path),
        Some(Action::Copy) | None => path,
    };
    if path.is_empty() {
        return Err("the target path is empty");
    }
    if path.starts_with('/') || path.starts_with('~') {
        return Err("the target path is absolute");
    }
    if path.len() > LONGEST_TARGET {
        return Err("the target path has more than 1024 bytes");
    }
    if path.chars().any(|c| c.is_control() || c == '\\') {
        return Err("the target path has control characters or backslashes in it");
    }
    match path.split('/').find(|part| matches!(*part, "" | "." | "..")) {
        None => Ok(()),
        Some("..") => Err("the target path leads out of the ComfyUI root"),
        Some(_) => Err("the target path has an empty part or a `.` in it"),
    }
}

fn is_within(path: &str, folder: &str, action: Option<Action>) -> bool {
    let rest = path.strip_prefix(folder);
    match action {
        // An archive may bring the folder's content itself.
        Some(Action::ExtractZip | Action::ExtractTarGz) => {
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        }
        Some(Action::Copy) | None => rest.is_some_and(|rest| rest.starts_with('/')),
    }
}

/// Assets that get into each other's way.
fn collisions(assets: &[Asset]) -> Vec<Problem> {
    let mut found = Vec::new();
    let mut by_target: BTreeMap<&str, Vec<&Asset>> = BTreeMap::new();
    for asset in assets {
        by_target
            .entry(asset.target.trim_end_matches('/'))
            .or_default()
            .push(asset);
    }
    for (target, same) in &by_target {
        if let [first, others @ ..] = same.as_slice()
            && !others.is_empty()
        {
            let twice = others.iter().all(|other| other.key == first.key);
            let what = match twice {
                true => format!("the same asset is there {} times", same.len()),
                false => format!("{} assets have this target path", same.len()),
            };
            found.push(problem(
                if twice { "duplicate" } else { "collision" },
                *target,
                what,
            ));
        }
        let mut above = *target;
        while let Some((folder, _)) = above.rsplit_once('/') {
            above = folder;
            let is_file = |asset: &&Asset| asset.known_action() == Some(Action::Copy);
            if by_target
                .get(above)
                .is_some_and(|assets| assets.iter().any(is_file))
            {
                let what = format!("`{above}` is the file of another asset and cannot be a folder");
                found.push(problem("collision", *target, what));
            }
        }
    }
    found
}

/// What is wrong with the objects that assets name. `None` is an object that is not there; an object that was not
/// looked at is left out.
pub(crate) fn of_objects(manifest: &Manifest, objects: &BTreeMap<String, Option<Found>>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for asset in &manifest.assets {
        let mut add = |code, what: String| problems.push(problem(code, &asset.target, what));
        match objects.get(&asset.key) {
            None => {}
            Some(None) => add("object-missing", format!("there is no object `{}`", asset.key)),
            Some(Some(object)) => {
                if let Some(size) = asset.size.filter(|size| *size != object.size) {
                    add(
                        "object-size",
                        format!("`{}` has {} bytes and not {size}", asset.key, object.size),
                    );
                } else if let (Some(said), Some(is)) = (asset.digest(), object.sha256)
                    && said != is
                {
                    add(
                        "object-content",
                        format!("`{}` has the digest {is} and not {said}", asset.key),
                    );
                }
            }
        }
    }
    problems
}

#[cfg(test)]
#[path = "problems_tests.rs"]
mod tests;
