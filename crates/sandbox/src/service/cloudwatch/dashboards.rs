//! Dashboards: a name and a body (CloudWatch API Reference, GetDashboard; "Dashboard body structure and syntax").

use serde_json::{Value, json};

use crate::error::{ApiError, OpResult};
use crate::service::member::text;
use crate::world::World;

/// Creates the dashboard or replaces its body.
pub(crate) fn put(world: &mut World, name: &str, body: &str) {
    let dashboards = &mut world.services.cloudwatch.dashboards;
    dashboards.insert(name.to_owned(), body.to_owned());
}

/// Takes a dashboard away; one that is not there stays away.
pub(crate) fn delete(world: &mut World, name: &str) {
    world.services.cloudwatch.dashboards.remove(name);
}

pub(super) fn get_dashboard(world: &mut World, input: &Value) -> OpResult {
    let name = text(input, "DashboardName").unwrap_or_default();
    let Some(body) = world.services.cloudwatch.dashboards.get(name) else {
        let message = format!("Dashboard {name} does not exist");
        return Err(ApiError::client("ResourceNotFound", message).with_status(404));
    };
    // Dashboards have no region.
    let arn = format!(
        "arn:aws:cloudwatch::{}:dashboard/{name}",
        world.options.account_id
    );
    Ok(json!({ "DashboardArn": arn, "DashboardBody": body, "DashboardName": name }))
}
