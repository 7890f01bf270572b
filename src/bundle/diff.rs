//! What two bundles differ in, by the paths on a node.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::manifest::{Asset, Manifest};

/// What becomes of one path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Change {
    Added,
    Changed,
    Removed,
    Same,
}

impl Change {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
            Self::Same => "same",
        }
    }
}

/// One path of either bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Difference {
    /// The path below the ComfyUI root.
    pub(crate) target: String,
    pub(crate) change: Change,
    pub(crate) kind: String,
    /// The object of the first bundle.
    pub(crate) before: Option<String>,
    /// The object of the second bundle.
    pub(crate) after: Option<String>,
}

/// Whether both assets are the same bytes: by their digests, or by their objects where there is none.
fn is_same(one: &Asset, other: &Asset) -> bool {
    if one.action != other.action {
        return false;
    }
    match (one.digest(), other.digest()) {
        (Some(one), Some(other)) => one == other,
        _ => one.key == other.key,
    }
}

/// Every path of the two bundles, in the order of the paths.
pub(crate) fn compare(before: &Manifest, after: &Manifest) -> Vec<Difference> {
    let mut paths: BTreeMap<&str, (Option<&Asset>, Option<&Asset>)> = BTreeMap::new();
    for asset in &before.assets {
        paths.entry(asset.target.trim_end_matches('/')).or_default().0 = Some(asset);
    }
    for asset in &after.assets {
        paths.entry(asset.target.trim_end_matches('/')).or_default().1 = Some(asset);
    }
    let difference = |(target, (before, after)): (&str, (Option<&Asset>, Option<&Asset>))| {
        let change = match (before, after) {
            (Some(before), Some(after)) if is_same(before, after) => Change::Same,
            (Some(_), Some(_)) => Change::Changed,
            (None, _) => Change::Added,
            (Some(_), None) => Change::Removed,
        };
        Difference {
            target: target.to_owned(),
            change,
            kind: after
                .or(before)
                .map(|asset| asset.kind.clone())
                .unwrap_or_default(),
            before: before.map(|asset| asset.key.clone()),
            after: after.map(|asset| asset.key.clone()),
        }
    };
    paths.into_iter().map(difference).collect()
}

#[cfg(test)]
mod tests {
    use super::super::manifest::Format;
    use super::*;

    fn bundle(assets: &[(&str, &str)]) -> Manifest {
        let asset = |(target, digit): &(&str, &str)| Asset {
            id: None,
            kind: "lora".to_owned(),
            sha256: Some(digit.repeat(64)),
            key: format!("assets/lora/{}", digit.repeat(64)),
            file: None,
            size: None,
            target: (*target).to_owned(),
            action: "copy".to_owned(),
        };
        Manifest {
            format: Format::Manifest,
            bundle_id: "b".to_owned(),
            name: None,
            slug: None,
            created_at: None,
            notes: None,
            assets: assets.iter().map(asset).collect(),
        }
    }

    #[test]
    fn paths_are_added_changed_removed_or_the_same() {
        let before = bundle(&[("a", "1"), ("b", "2"), ("c", "3")]);
        let after = bundle(&[("a", "1"), ("b", "4"), ("d", "3")]);
        let told: Vec<_> = compare(&before, &after)
            .into_iter()
            .map(|difference| (difference.target, difference.change))
            .collect();
        assert_eq!(
            told,
            [
                ("a".to_owned(), Change::Same),
                ("b".to_owned(), Change::Changed),
                ("c".to_owned(), Change::Removed),
                ("d".to_owned(), Change::Added),
            ]
        );
    }

    #[test]
    fn without_digests_the_objects_decide() {
        let mut before = bundle(&[("a", "1")]);
        before.assets[0].sha256 = None;
        let mut after = before.clone();
        assert_eq!(compare(&before, &after)[0].change, Change::Same);
        after.assets[0].key = "elsewhere".to_owned();
        assert_eq!(compare(&before, &after)[0].change, Change::Changed);
    }
}
