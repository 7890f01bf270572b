//! EC2: the images that fleets start from, their machines and their launch templates.

mod images;
mod instances;
mod templates;
mod types;

pub(crate) use images::Image;
pub(crate) use instances::Machine;
pub(crate) use templates::Template;

/// Values of a filter (Amazon EC2 User Guide, "List and filter your resources": 200 for a filter).
const BATCH: usize = 200;
