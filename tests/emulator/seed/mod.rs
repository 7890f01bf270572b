//! Brings the platform into an account, through the AWS SDK as a deploy would.

mod application;
mod fleets;
mod names;
mod tasks;

pub(crate) use application::{DATABASE, SECURITY_GROUP, SUBNETS, application, deploy_newest};
pub(crate) use fleets::{AMI, BUNDLE, Fleet, backlog_tracking, fleets};
pub(crate) use names::Names;
pub(crate) use tasks::{nginx_image, php_image, register};
