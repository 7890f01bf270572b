//! Brings the platform into an account, through the AWS SDK as a deploy would.

mod application;
mod names;
mod tasks;

pub(crate) use application::application;
pub(crate) use names::Names;
pub(crate) use tasks::php_image;
