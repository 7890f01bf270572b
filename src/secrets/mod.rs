//! The platform's secrets as values with a shape: what each must look like, how one is made, how two are
//! compared without showing them, and how an environment file is read.

mod age;
pub(crate) mod dotenv;
mod fingerprint;
mod oauth;
mod shape;

pub(crate) use self::age::{Identities, Locked, Recipients};
pub(crate) use fingerprint::Fingerprints;
pub(crate) use oauth::{KEYS as OAUTH_KEYS, OAuth, encode_p8};
pub(crate) use shape::{Condition, Shape};
