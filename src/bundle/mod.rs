//! Bundles of ComfyUI assets: manifests of both formats, what is wrong with one, and what two of them differ in. Nothing
//! here asks AWS.

mod diff;
mod digest;
mod kind;
mod manifest;
mod problems;

pub(crate) use diff::{Change, Difference, compare};
pub(crate) use digest::{Hasher, Sha256};
pub(crate) use kind::{Action, Kind};
pub(crate) use manifest::{Asset, Format, LONGEST_MANIFEST, Manifest};
pub(crate) use problems::{Found, Problem, of_manifest, of_objects};
