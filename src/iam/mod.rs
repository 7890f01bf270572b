//! Permissions: what verbs need of IAM, policies that grant exactly that, and who may take a role.
//!
//! Pure: nothing here talks to AWS.

mod arns;
mod document;
mod keys;
mod place;
mod resources;
mod select;
mod trust;
mod trusted;
mod uses;

pub(crate) use document::{Document, INLINE_LIMIT, MANAGED_LIMIT, TRUST_LIMIT};
pub(crate) use keys::Keys;
pub(crate) use place::Place;
pub(crate) use select::{Selected, Uses, every, names, select, words};
pub(crate) use trust::{AUDIENCE, GitHub, is_name, is_repository, provider};
pub(crate) use trusted::{Admits, Token, Trusts};
pub(crate) use uses::{CHANGE, HISTORY, ONE_OFF, On, SESSION, Use};
