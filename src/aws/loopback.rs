//! What counts as this machine.

pub(crate) use crate::settings::{is_loopback_host, is_loopback_url};
