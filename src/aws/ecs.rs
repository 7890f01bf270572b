//! Operations on ecs.
