//! How large tasks are and where they run: what Fargate bills.

use crate::aws::Aws;
use crate::error::{Required as _, Result, from_sdk};

/// DescribeTasks takes at most 100 tasks (Amazon ECS API Reference).
const BATCH: usize = 100;

/// A task, as Fargate bills it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct BilledTask {
    pub(crate) id: String,
    /// `service:<name>` for tasks of a service, `family:<family>` for those of RunTask.
    pub(crate) group: Option<String>,
    pub(crate) vcpus: Option<f64>,
    pub(crate) gigabytes: Option<f64>,
    /// `arm64` or `x86_64`.
    pub(crate) architecture: Option<String>,
    /// Whether it runs on Fargate, and not on instances of the account.
    pub(crate) fargate: bool,
    /// Whether it runs on Fargate Spot.
    pub(crate) spot: bool,
}

impl Aws {
    /// The tasks of a cluster that are to go on.
    pub(crate) async fn billed_tasks(&self, cluster: &str) -> Result<Vec<BilledTask>> {
        const REQUEST: &str = "DescribeTasks";
        let ids = self.running_tasks(cluster).await?;
        let client = self.ecs_client().await?;
        let mut tasks = Vec::with_capacity(ids.len());
        for batch in ids.chunks(BATCH) {
            let answer = client
                .describe_tasks()
                .cluster(cluster)
                .set_tasks(Some(batch.to_vec()))
                .send()
                .await
                .map_err(|error| from_sdk(format!("describe {} tasks", batch.len()), &error))?;
            for task in answer.tasks.required(REQUEST, "tasks")? {
                let provider = task.capacity_provider_name().unwrap_or_default();
                let launch = task.launch_type().map(|kind| kind.as_str().to_owned());
                // 1,024 CPU units to a vCPU, memory in MiB (Amazon ECS API Reference, Task).
                let units = |text: Option<&str>| Some(text?.parse::<f64>().ok()? / 1024.0);
                let attribute = task.attributes().iter();
                tasks.push(BilledTask {
                    id: super::short(task.task_arn().required(REQUEST, "taskArn")?).to_owned(),
                    group: task.group().map(str::to_owned),
                    vcpus: units(task.cpu()),
                    gigabytes: units(task.memory()),
                    architecture: attribute
                        .filter(|one| one.name() == "ecs.cpu-architecture")
                        .find_map(|one| one.value().map(str::to_owned)),
                    fargate: launch.as_deref() == Some("FARGATE") || provider.starts_with("FARGATE"),
                    spot: provider == "FARGATE_SPOT",
                });
            }
        }
        Ok(tasks)
    }
}
