//! Operations on elb.
