//! EC2: the images that fleets start from.

mod images;
