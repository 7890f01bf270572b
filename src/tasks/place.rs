//! Where a one-off task runs: as the service of an application runs now, with its definition and its network.

use crate::aws::Aws;
use crate::aws::ecs::{ContainerDefinition, Service};
use crate::change::Blocker;
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};
use crate::layout::{App, Layout};

use super::LogPlace;

/// The service that a one-off task is like, and the container whose command it replaces.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place {
    pub(crate) cluster: String,
    pub(crate) service: Service,
    /// ARN of the task definition that the service runs.
    pub(crate) definition: String,
    /// Name of the container.
    pub(crate) name: String,
    /// `None` when the task definition has no such container.
    pub(crate) container: Option<ContainerDefinition>,
    /// Containers with which a task ends.
    pub(crate) essential: Vec<String>,
}

impl Place {
    /// Looks at the service, then at its task definition.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when there is no such service or cluster, with the way to see why.
    pub(crate) async fn look(aws: &Aws, layout: &Layout, app: App, container: &str) -> Result<Self> {
        let cluster = layout.cluster();
        let service = service(aws, &cluster, &layout.service(app)).await?;
        let definition = aws.task_definition(&service.task_definition).await?;
        Ok(Self {
            cluster,
            service,
            name: container.to_owned(),
            container: definition.container(container).cloned(),
            essential: definition.essential(),
            definition: definition.arn,
        })
    }

    /// A healthy backend.
    #[cfg(test)]
    pub(crate) fn sample() -> Self {
        use crate::aws::ecs::{AwsLogs, Deployment, Network};
        Self {
            cluster: "bp".to_owned(),
            service: Service {
                name: "bp-backend".to_owned(),
                status: "ACTIVE".to_owned(),
                desired: 2,
                running: 2,
                network: Some(Network {
                    subnets: vec!["subnet-0a1b2c3d".to_owned()],
                    security_groups: vec!["sg-0a1b2c3d".to_owned()],
                    public_ip: false,
                }),
                platform_version: Some("LATEST".to_owned()),
                execute_command: true,
                deployments: vec![Deployment {
                    status: "PRIMARY".to_owned(),
                    rollout_state: Some("COMPLETED".to_owned()),
                    ..Deployment::default()
                }],
                ..Service::default()
            },
            definition: "arn:aws:ecs:us-east-1:123456789012:task-definition/bp-backend:42".to_owned(),
            name: "php-fpm".to_owned(),
            container: Some(ContainerDefinition {
                entry_point: vec!["/bin/sh".to_owned(), "-lc".to_owned()],
                logs: Some(AwsLogs {
                    group: "/ecs/bp-backend".to_owned(),
                    stream_prefix: Some("php".to_owned()),
                }),
                ..ContainerDefinition::default()
            }),
            essential: vec!["nginx".to_owned(), "php-fpm".to_owned()],
        }
    }

    /// Where the lines of the container go, if that can be known.
    pub(crate) fn logs(&self) -> Option<LogPlace> {
        self.container.as_ref().and_then(LogPlace::of)
    }

    /// What is to be said of a container whose lines cannot be shown.
    pub(crate) fn mute(&self) -> Option<String> {
        let mute = self.container.is_some() && self.logs().is_none();
        mute.then(|| {
            format!(
                "{} does not log with awslogs and a stream prefix: its lines cannot be shown",
                self.name
            )
        })
    }

    /// Why no task can be started here, for `verb`.
    pub(super) fn blockers(&self, verb: &str, has_network: bool) -> Vec<Blocker> {
        let service = &self.service;
        let unusable = (service.status != "ACTIVE").then(|| Blocker {
            kind: ErrorKind::Changed,
            reason: format!("{verb}: service {} is {}", service.name, service.status),
            hint: Hint::from((
                "deploy the compute stack first, or check context and stage with",
                CommandLine::bpctl(["whoami"]),
            )),
        });
        let missing = self.container.is_none().then(|| Blocker {
            kind: ErrorKind::Changed,
            reason: format!("{verb}: {} has no container {}", self.definition, self.name),
            hint: Hint::from((
                "check layout and prefix with",
                CommandLine::bpctl(["config", "explain", "layout"]),
            )),
        });
        let nowhere = (!has_network).then(|| Blocker {
            kind: ErrorKind::Config,
            reason: format!(
                "{verb}: service {} has no network configuration to copy",
                service.name
            ),
            hint: Hint::new("give `--subnets` and `--security-groups`"),
        });
        [unusable, missing, nowhere].into_iter().flatten().collect()
    }
}

async fn service(aws: &Aws, cluster: &str, name: &str) -> Result<Service> {
    match aws.service(cluster, name).await {
        Ok(Some(service)) => Ok(service),
        Ok(None) => Err(CtlError::new(
            ErrorKind::NotFound,
            format!("find service {name} in cluster {cluster}: there is none"),
        )
        .hint(Hint::not_deployed())),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(error.hint(Hint::not_deployed())),
        Err(error) => Err(error),
    }
}
