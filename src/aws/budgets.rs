//! AWS Budgets: what an account may spend, and at which percentages it tells.

use aws_sdk_budgets::error::SdkError;

use super::Aws;
use super::pages::Pages;
use crate::error::{Required as _, Result, from_sdk};

/// A budget of the account.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Budget {
    pub(crate) name: String,
    /// A decimal number and its unit, e.g. `500 USD`; absent for budgets that AWS adjusts.
    pub(crate) limit: Option<String>,
    pub(crate) notifications: Vec<BudgetNotification>,
}

/// When a budget tells its subscribers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct BudgetNotification {
    /// `ACTUAL` or `FORECASTED`.
    pub(crate) kind: String,
    pub(crate) threshold: f64,
    /// `PERCENTAGE` or `ABSOLUTE_VALUE`.
    pub(crate) threshold_type: String,
}

impl Aws {
    /// The budget of this name in the account; `None` when there is none.
    pub(crate) async fn budget(&self, name: &str) -> Result<Option<Budget>> {
        let account = self.identity().await?.account.to_string();
        let client = self.budgets_client().await?;
        let doing = || format!("read the budget `{name}`");
        let call = client.describe_budget().account_id(&account).budget_name(name);
        let answer = match call.send().await {
            Ok(answer) => answer,
            Err(SdkError::ServiceError(error)) if error.err().is_not_found_exception() => return Ok(None),
            Err(error) => return Err(from_sdk(doing(), &error)),
        };
        let budget = answer.budget().required("DescribeBudget", "Budget")?;
        let stream = client
            .describe_notifications_for_budget()
            .account_id(account)
            .budget_name(name)
            .into_paginator()
            .send();
        let notifications = Pages::new(doing(), stream).all().await?;
        Ok(Some(Budget {
            name: budget.budget_name().to_owned(),
            limit: budget
                .budget_limit()
                .map(|limit| format!("{} {}", limit.amount(), limit.unit())),
            notifications: notifications
                .iter()
                .map(|one| BudgetNotification {
                    kind: one.notification_type().as_str().to_owned(),
                    threshold: one.threshold(),
                    // Percent, unless it is said otherwise (API Reference, Notification).
                    threshold_type: one
                        .threshold_type()
                        .map_or("PERCENTAGE", |kind| kind.as_str())
                        .to_owned(),
                })
                .collect(),
        }))
    }
}
