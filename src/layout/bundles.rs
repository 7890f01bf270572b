//! Where bundles and their assets lie in the models bucket, and what points to a bundle.

use super::{BundleId, Layout, LayoutKind, Slug};

/// The folder of all bundles; both layouts have it.
const BUNDLES: &str = "bundles/";
/// The folder of assets that are named by their content.
const ASSETS: &str = "assets/";

impl Layout {
    /// The folder of all bundles in the models bucket.
    pub(crate) fn bundles_prefix(&self) -> &'static str {
        BUNDLES
    }

    /// The folder of a bundle. In the staged layout every workflow has bundles of its own.
    pub(crate) fn bundle_prefix(&self, slug: Option<&Slug>, bundle: &BundleId) -> String {
        match (self.kind, slug) {
            (LayoutKind::Staged, Some(slug)) => format!("{BUNDLES}{slug}/{bundle}"),
            (LayoutKind::Staged, None) | (LayoutKind::Single, _) => format!("{BUNDLES}{bundle}"),
        }
    }

    /// The object that describes a bundle; a bundle without it does not exist.
    pub(crate) fn manifest_key(&self, slug: Option<&Slug>, bundle: &BundleId) -> String {
        format!("{}/manifest.json", self.bundle_prefix(slug, bundle))
    }

    /// Workflow and id of the bundle that a manifest of this key describes.
    pub(crate) fn bundle_of_manifest(&self, key: &str) -> Option<(Option<Slug>, BundleId)> {
        let path = key.strip_prefix(BUNDLES)?.strip_suffix("/manifest.json")?;
        match (self.kind, path.split_once('/')) {
            (LayoutKind::Single, None) => Some((None, path.parse().ok()?)),
            (LayoutKind::Staged, Some((slug, id))) => Some((Some(slug.parse().ok()?), id.parse().ok()?)),
            (LayoutKind::Single, Some(_)) | (LayoutKind::Staged, None) => None,
        }
    }

    /// The object of an asset that is named by its content; the staged layout has copies in each bundle instead.
    pub(crate) fn asset_key(&self, kind: &str, sha256: &str) -> String {
        format!("{ASSETS}{kind}/{sha256}")
    }

    /// What a fleet's pointer holds when this bundle is active.
    pub(crate) fn bundle_pointer(&self, bundle: &BundleId) -> String {
        match self.kind {
            LayoutKind::Single => format!("{BUNDLES}{bundle}"),
            LayoutKind::Staged => bundle.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Stage;
    use super::*;

    #[test]
    fn a_bundle_lies_where_its_layout_says() {
        let id: BundleId = "b-1".parse().unwrap();
        let slug: Slug = "image-to-video".parse().unwrap();
        let single = Layout::new(LayoutKind::Single, "bp", None).unwrap();
        let staged = Layout::new(LayoutKind::Staged, "bp", Some(Stage::Staging)).unwrap();
        assert_eq!(single.manifest_key(Some(&slug), &id), "bundles/b-1/manifest.json");
        assert_eq!(
            staged.manifest_key(Some(&slug), &id),
            "bundles/image-to-video/b-1/manifest.json"
        );
        assert_eq!(single.bundle_pointer(&id), "bundles/b-1");
        assert_eq!(staged.bundle_pointer(&id), "b-1");
        for (layout, key, found) in [
            (&single, "bundles/b-1/manifest.json", true),
            (&single, "bundles/x/b-1/manifest.json", false),
            (&single, "bundles/b-1/models/manifest.json", false),
            (&staged, "bundles/image-to-video/b-1/manifest.json", true),
            (&staged, "bundles/b-1/manifest.json", false),
            (&staged, "bundles/../b-1/manifest.json", false),
        ] {
            assert_eq!(layout.bundle_of_manifest(key).is_some(), found, "{key}");
        }
    }
}
