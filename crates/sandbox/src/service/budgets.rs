//! Budgets of the account and their notifications (AWS Budgets API Reference: CreateBudget, DescribeBudget,
//! DescribeNotificationsForBudget). Nothing is spent in the account: no notification goes out.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::error::{ApiError, OpResult};
use crate::service::member::{integer, list, page, present, text};
use crate::service::table::operations;
use crate::world::World;

/// Notifications of a budget ("AWS Budgets quotas").
const MOST_NOTIFICATIONS: usize = 10;

/// Budgets by name.
#[derive(Debug, Default)]
pub(crate) struct State {
    budgets: BTreeMap<String, Budget>,
}

#[derive(Debug)]
struct Budget {
    /// As it was created.
    shape: Value,
    notifications: Vec<Value>,
}

operations! {
    Write CreateBudget => create_budget,
    Read DescribeBudget => describe_budget,
    Read DescribeNotificationsForBudget => describe_notifications,
}

/// Takes a budget away with its notifications.
pub(crate) fn delete(world: &mut World, name: &str) {
    world.services.budgets.budgets.remove(name);
}

/// The action that IAM checks for an operation (Service Authorization Reference, "AWS Budget Service"): looking at
/// budgets is one action, changing them another.
pub(crate) fn action(operation: &str) -> String {
    let action = match operation {
        "CreateBudget" => "ModifyBudget",
        _ => "ViewBudget",
    };
    format!("budgets:{action}")
}

/// The resource that IAM checks: budgets belong to no region.
pub(crate) fn resource(account: &str, name: Option<&str>) -> String {
    format!("arn:aws:budgets::{account}:budget/{}", name.unwrap_or("*"))
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::client("InvalidParameterException", message)
}

fn create_budget(world: &mut World, input: &Value) -> OpResult {
    own_account(world, input)?;
    let shape = &input["Budget"];
    let name = text(shape, "BudgetName").unwrap_or_default();
    // "The \":\" and \"\\\" characters, and the \"/action/\" substring, aren't allowed."
    if name.contains([':', '\\']) || name.contains("/action/") {
        return Err(invalid("Budget name contains characters that are not allowed."));
    }
    let notifications = list(input, "NotificationsWithSubscribers");
    if notifications.len() > MOST_NOTIFICATIONS {
        let message = format!("Number of notifications must not be greater than {MOST_NOTIFICATIONS}");
        return Err(ApiError::client("CreationLimitExceededException", message));
    }
    if world.services.budgets.budgets.contains_key(name) {
        let message = format!("Error creating budget: {name} - the budget already exists.");
        return Err(ApiError::client("DuplicateRecordException", message));
    }
    let notifications = notifications.iter().map(|one| {
        let mut notification = one["Notification"].clone();
        notification["NotificationState"] = json!("OK");
        notification
    });
    let budget = Budget {
        notifications: notifications.collect(),
        shape: shape.clone(),
    };
    let budgets = &mut world.services.budgets.budgets;
    budgets.insert(name.to_owned(), budget);
    Ok(json!({}))
}

fn own_account(world: &World, input: &Value) -> Result<(), ApiError> {
    if text(input, "AccountId") == Some(world.options.account_id.as_str()) {
        return Ok(());
    }
    let message = "Account is not authorized to access this budget.";
    Err(ApiError::client("AccessDeniedException", message))
}

fn found<'a>(world: &'a World, input: &Value) -> Result<&'a Budget, ApiError> {
    own_account(world, input)?;
    let name = text(input, "BudgetName").unwrap_or_default();
    world.services.budgets.budgets.get(name).ok_or_else(|| {
        let message =
            format!("[Exception=NotFoundException] Unable to get budget: {name} - the budget doesn't exist.");
        ApiError::client("NotFoundException", message)
    })
}

fn describe_budget(world: &mut World, input: &Value) -> OpResult {
    let mut shape = found(world, input)?.shape.clone();
    let unit = shape["BudgetLimit"]["Unit"].as_str().unwrap_or("USD").to_owned();
    shape["CalculatedSpend"] = json!({ "ActualSpend": { "Amount": "0.0", "Unit": unit } });
    Ok(present(json!({ "Budget": shape })))
}

fn describe_notifications(world: &mut World, input: &Value) -> OpResult {
    let notifications = found(world, input)?.notifications.clone();
    let size = usize::try_from(integer(input, "MaxResults").unwrap_or(100)).unwrap_or(100);
    let (notifications, next) = page(notifications, text(input, "NextToken"), size, || {
        ApiError::client("InvalidNextTokenException", "The pagination token is invalid.")
    })?;
    Ok(present(
        json!({ "Notifications": notifications, "NextToken": next }),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;
    use crate::service::Service;

    #[test]
    fn a_budget_is_created_once_and_tells_its_thresholds() {
        let mut world = World::new(Options::default());
        let mut call = |operation: &str, input: Value| world.call(Service::Budgets, operation, &input);
        let named = json!({ "AccountId": "123456789012", "BudgetName": "b" });
        let error = call("DescribeBudget", named.clone()).unwrap_err();
        assert_eq!(error.code, "NotFoundException");
        let notification = |threshold: u32| {
            json!({
                "Notification": { "NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": threshold },
                "Subscribers": [{ "SubscriptionType": "EMAIL", "Address": "ops@example.com" }],
            })
        };
        let create = json!({
            "AccountId": "123456789012",
            "Budget": { "BudgetName": "b", "BudgetType": "COST", "TimeUnit": "MONTHLY",
                "BudgetLimit": { "Amount": "500", "Unit": "USD" } },
            "NotificationsWithSubscribers": [notification(80), notification(100)],
        });
        call("CreateBudget", create.clone()).unwrap();
        assert_eq!(
            call("CreateBudget", create).unwrap_err().code,
            "DuplicateRecordException"
        );
        let budget = call("DescribeBudget", named.clone()).unwrap();
        assert_eq!(budget["Budget"]["BudgetLimit"]["Amount"], "500");
        let told = call("DescribeNotificationsForBudget", named).unwrap();
        assert_eq!(told["Notifications"][1]["Threshold"], 100);
        let other = json!({ "AccountId": "210987654321", "BudgetName": "b" });
        assert_eq!(
            call("DescribeBudget", other).unwrap_err().code,
            "AccessDeniedException"
        );
    }
}
