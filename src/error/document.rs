//! An error as programs read it.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Hint, Reply};

/// Name and number of [`ErrorDocument`].
pub(crate) const ERROR_SCHEMA: &str = "bpctl.error/1";

/// Why a command failed. The place is not among its members: a command line may be wrong before there is one.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ErrorDocument {
    pub(super) schema: &'static str,
    /// A word that stays the same, e.g. `wrong-account`.
    pub(super) code: &'static str,
    /// The status that the command ends with.
    pub(super) exit_status: u8,
    /// What failed, without the causes.
    pub(super) message: String,
    /// Why, the nearest cause first.
    pub(super) causes: Vec<String>,
    /// What to do, the first one first.
    pub(super) hints: Vec<Hint>,
    /// What AWS answered, when it was AWS that refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) aws: Option<Reply>,
}
