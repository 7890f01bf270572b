//! How an operator names a bundle.

use std::fmt;
use std::str::FromStr;

use crate::layout::{BundleId, InvalidName, Slug};

/// `<id>`, or `<workflow>/<id>` where every workflow has bundles of its own. What pointers and keys hold is taken too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::commands) struct BundleName {
    pub(super) slug: Option<Slug>,
    /// The id, or the beginning of one.
    pub(super) id: BundleId,
}

impl FromStr for BundleName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let path = text.strip_prefix("bundles/").unwrap_or(text);
        let path = path.strip_suffix("/manifest.json").unwrap_or(path);
        let path = path.strip_suffix('/').unwrap_or(path);
        let (slug, id) = match path.split_once('/') {
            Some((slug, id)) => (Some(slug.parse()?), id),
            None => (None, path),
        };
        Ok(Self {
            slug,
            id: id.parse()?,
        })
    }
}

/// For clap.
pub(in crate::commands) fn parse(text: &str) -> Result<BundleName, String> {
    text.parse().map_err(|error: InvalidName| error.to_string())
}

impl fmt::Display for BundleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.slug {
            Some(slug) => write!(f, "{slug}/{}", self.id),
            None => write!(f, "{}", self.id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_is_named_as_pointers_and_keys_have_it() {
        let read = |text: &str| text.parse::<BundleName>().map(|name| name.to_string());
        for text in [
            "b-1",
            "bundles/b-1",
            "bundles/b-1/",
            "bundles/b-1/manifest.json",
            "b-1/",
        ] {
            assert_eq!(read(text).as_deref(), Ok("b-1"), "{text}");
        }
        assert_eq!(read("bundles/i2v/b-1/").as_deref(), Ok("i2v/b-1"));
        for text in ["", "/", "a/b/c", "..", "../b", "bundles/", "b 1", "$(id)"] {
            assert!(read(text).is_err(), "{text:?}");
        }
    }
}
