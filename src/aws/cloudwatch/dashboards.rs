//! GetDashboard: which widgets a dashboard has.

use aws_sdk_cloudwatch::error::SdkError;
use serde_json::Value;

use super::super::Aws;
use crate::error::{CtlError, ErrorKind, Required as _, Result, from_sdk};

impl Aws {
    /// The titles of a dashboard's widgets in their order, empty for a widget without one; `None` when there is no
    /// dashboard of this name. A text widget has no title: its first line stands for it.
    ///
    /// # Errors
    /// When its body is not what the CloudWatch API Reference describes ("Dashboard body structure and syntax").
    pub(crate) async fn dashboard(&self, name: &str) -> Result<Option<Vec<String>>> {
        let doing = || format!("read the dashboard `{name}`");
        let answer = self
            .cloudwatch_client()
            .await?
            .get_dashboard()
            .dashboard_name(name)
            .send()
            .await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(SdkError::ServiceError(error)) if error.err().is_dashboard_not_found_error() => {
                return Ok(None);
            }
            Err(error) => return Err(from_sdk(doing(), &error)),
        };
        let body = answer
            .dashboard_body()
            .required("GetDashboard", "DashboardBody")?;
        let body: Value = serde_json::from_str(body)
            .map_err(|error| CtlError::new(ErrorKind::Unexpected, doing()).source(&error))?;
        let widgets = body["widgets"].as_array().ok_or_else(|| {
            CtlError::new(ErrorKind::Unexpected, doing()).cause("its body has no list `widgets`")
        })?;
        Ok(Some(widgets.iter().map(title).collect()))
    }
}

fn title(widget: &Value) -> String {
    let properties = &widget["properties"];
    let markdown = || properties["markdown"].as_str()?.lines().next();
    let title = properties["title"].as_str().or_else(markdown);
    title.unwrap_or_default().to_owned()
}
