//! The ECS services of the platform.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::aws::ecs::{Service, short};
use crate::commands::get::row::{Found, Row, or_dash, seconds_since};
use crate::commands::get::selector::Tags;
use crate::context::Ctx;
use crate::error::{CommandLine, ErrorKind, Result};
use crate::kinds::Kind;
use crate::layout::{App, Layout};
use crate::output::age_at;

/// A service.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(in crate::commands) struct ServiceRow {
    /// As ECS knows it.
    pub(in crate::commands) name: String,
    pub(in crate::commands) app: App,
    /// `ACTIVE`, `DRAINING` or `INACTIVE`.
    pub(in crate::commands) status: String,
    desired: i32,
    running: i32,
    pending: i32,
    /// Family and revision of what the primary deployment brings.
    task_definition: String,
    /// `ecs-svc/<digits>` of the primary deployment.
    deployment: Option<String>,
    /// `IN_PROGRESS`, `COMPLETED` or `FAILED`.
    deployment_state: Option<String>,
    /// Tasks in a row of the primary deployment that failed.
    failed: i32,
    /// Deployments that have tasks: more than one while ECS replaces them.
    deployments: usize,
    execute_command: bool,
    /// When the primary deployment was made.
    deployed: Option<Timestamp>,
    /// Since then.
    age_seconds: Option<i64>,
    tags: Tags,
}

impl ServiceRow {
    pub(in crate::commands) fn of(app: App, service: &Service, now: Timestamp) -> Self {
        let primary = service.primary();
        let deployed = primary.and_then(|primary| primary.created);
        Self {
            name: service.name.clone(),
            app,
            status: service.status.clone(),
            desired: service.desired,
            running: service.running,
            pending: service.pending,
            task_definition: short(&service.task_definition).to_owned(),
            deployment: primary.map(|primary| primary.id.clone()),
            deployment_state: primary.and_then(|primary| primary.rollout_state.clone()),
            failed: primary.map_or(0, |primary| primary.failed),
            deployments: service.deployments.len(),
            execute_command: service.execute_command,
            deployed,
            age_seconds: seconds_since(now, deployed),
            tags: service.tags.clone(),
        }
    }

    /// What somebody should see first.
    fn state(&self) -> String {
        if self.status != "ACTIVE" {
            return self.status.to_lowercase();
        }
        let state = match self.deployment_state.as_deref() {
            None => "-",
            Some("COMPLETED") => "steady",
            Some("IN_PROGRESS") => "deploying",
            Some("FAILED") => "deployment failed",
            Some(other) => other,
        };
        match self.failed {
            0 => state.to_owned(),
            failed => format!("{state}, {failed} failed"),
        }
    }
}

impl Row for ServiceRow {
    const KIND: Kind = Kind::Service;
    const COLUMNS: &'static [&'static str] = &[
        "NAME",
        "DESIRED",
        "RUNNING",
        "PENDING",
        "DEFINITION",
        "AGE",
        "STATE",
    ];
    const WIDE: &'static [&'static str] = &["DEPLOYMENT", "EXEC"];
    const TAGGED: bool = true;

    fn name(&self) -> String {
        self.name.clone()
    }

    fn is_called(&self, name: &str) -> bool {
        self.name == name || self.app.word() == name || (name.starts_with("arn:") && short(name) == self.name)
    }

    fn cells(&self, now: Timestamp) -> Vec<String> {
        vec![
            self.name.clone(),
            self.desired.to_string(),
            self.running.to_string(),
            self.pending.to_string(),
            self.task_definition.clone(),
            age_at(now, self.deployed),
            self.state(),
            or_dash(self.deployment.as_deref()),
            if self.execute_command { "yes" } else { "no" }.to_owned(),
        ]
    }

    fn tags(&self) -> Option<&Tags> {
        Some(&self.tags)
    }

    async fn read(ctx: &Ctx, _names: &[String]) -> Result<Found<Self>> {
        let services = known(ctx, &ctx.layout()?).await?;
        let now = ctx.clock.now();
        let rows: Vec<Self> = services
            .iter()
            .map(|(app, service)| Self::of(*app, service, now))
            .collect();
        Ok(rows.into())
    }
}

/// Both services with their tags, as far as ECS knows them: one call.
pub(in crate::commands) async fn known(ctx: &Ctx, layout: &Layout) -> Result<Vec<(App, Service)>> {
    let apps = [App::Backend, App::Frontend];
    let names = apps.map(|app| layout.service(app));
    let found = ctx.aws.services_with_tags(&layout.cluster(), &names).await;
    let found = found.map_err(without_cluster)?;
    let of = |name: &String| found.iter().find(|service| service.name == *name).cloned();
    let known = apps.into_iter().zip(&names);
    Ok(known.filter_map(|(app, name)| Some((app, of(name)?))).collect())
}

/// ECS does not know the cluster: the context may be wrong.
pub(in crate::commands) fn without_cluster(error: crate::error::CtlError) -> crate::error::CtlError {
    if error.kind() != ErrorKind::NotFound {
        return error;
    }
    error.hint((
        "the platform is not deployed here, or layout, stage or region are wrong:",
        CommandLine::bpctl(["whoami"]),
        "shows them",
    ))
}

#[cfg(test)]
impl ServiceRow {
    /// A row for tests of what is done with rows.
    pub(in crate::commands) fn sample(name: &str, desired: i32, state: Option<&str>) -> Self {
        let service = Service {
            name: name.to_owned(),
            status: "ACTIVE".to_owned(),
            desired,
            ..Service::default()
        };
        Self {
            deployment_state: state.map(str::to_owned),
            ..Self::of(App::Backend, &service, Timestamp::UNIX_EPOCH)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_says_what_matters_most() {
        let state = |deployment: Option<&str>, failed, status: &str| {
            let mut row = ServiceRow::sample("bp-backend", 1, deployment);
            row.failed = failed;
            status.clone_into(&mut row.status);
            row.state()
        };
        assert_eq!(state(Some("COMPLETED"), 0, "ACTIVE"), "steady");
        assert_eq!(state(Some("IN_PROGRESS"), 3, "ACTIVE"), "deploying, 3 failed");
        assert_eq!(state(Some("COMPLETED"), 0, "INACTIVE"), "inactive");
        assert_eq!(state(None, 0, "ACTIVE"), "-");
    }

    #[test]
    fn a_service_is_called_by_name_application_or_arn() {
        let row = ServiceRow::sample("bp-backend", 1, None);
        for name in [
            "bp-backend",
            "backend",
            "arn:aws:ecs:us-east-1:123456789012:service/bp/bp-backend",
        ] {
            assert!(row.is_called(name), "{name}");
        }
        assert!(!row.is_called("frontend") && !row.is_called("service/bp-backend"));
    }
}
