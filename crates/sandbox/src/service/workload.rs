//! Placeholder while the service is being written.

use serde_json::Value;

use crate::error::OpResult;
use crate::world::World;

#[derive(Debug, Default)]
pub(crate) struct State {}

pub(crate) const OPERATIONS: &[&str] = &[];

pub(crate) fn call(_world: &mut World, operation: &str, _input: &Value) -> OpResult {
    Err(World::unknown_operation(operation))
}

pub(crate) fn tick(_world: &mut World) {}

pub(crate) fn publish(_world: &mut World) {}
