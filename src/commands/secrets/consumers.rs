//! Who reads which secret: the containers of the services' task definitions, and the workers of fleets.

use jiff::Timestamp;

use crate::aws::Aws;
use crate::aws::ecs::TaskDefinition;
use crate::error::Result;
use crate::layout::{App, Layout, SecretEntry, Store};

/// A service, what its containers read, and the tasks that run.
#[derive(Clone, Debug)]
pub(super) struct Reader {
    pub(super) app: App,
    /// The service's name.
    pub(super) service: String,
    definition: TaskDefinition,
    /// Id of each task and when it was created.
    tasks: Vec<(String, Option<Timestamp>)>,
}

/// Reads both services, their task definitions and their tasks.
pub(super) async fn readers(aws: &Aws, layout: &Layout) -> Result<Vec<Reader>> {
    let cluster = layout.cluster();
    let apps = [App::Backend, App::Frontend];
    let names = apps.map(|app| layout.service(app));
    let services = aws.services(&cluster, &names).await?;
    let of_app = async |app: App| -> Result<Option<Reader>> {
        let name = layout.service(app);
        let Some(service) = services.iter().find(|service| service.name == name) else {
            return Ok(None);
        };
        let family = layout.task_family(app);
        let (definition, arns) = futures::try_join!(
            aws.task_definition(&service.task_definition),
            aws.running_tasks_of_family(&cluster, &family)
        )?;
        // A definition without secrets has no stale tasks.
        let arns = if definition.containers.iter().all(|c| c.secrets.is_empty()) {
            Vec::new()
        } else {
            arns
        };
        let group = format!("service:{name}");
        let tasks = aws.tasks(&cluster, &arns).await?;
        let tasks = tasks
            .into_iter()
            .filter(|task| task.group.as_deref() == Some(&group) && !task.is_stopped())
            .map(|task| (task.id().to_owned(), task.created.or(task.started)))
            .collect();
        Ok(Some(Reader {
            app,
            service: name,
            definition,
            tasks,
        }))
    };
    let (backend, frontend) = futures::try_join!(of_app(apps[0]), of_app(apps[1]))?;
    Ok([backend, frontend].into_iter().flatten().collect())
}

impl Reader {
    /// The containers that read a secret.
    pub(super) fn containers(&self, entry: &SecretEntry) -> Vec<String> {
        let reads = |(_, from): &(String, String)| is_from(from, entry);
        self.definition
            .containers
            .iter()
            .filter(|container| container.secrets.iter().any(reads))
            .map(|container| container.name.clone())
            .collect()
    }

    /// The tasks that were created before the value changed. ECS reads values after it has created a task, so
    /// one that is listed by mistake was only just created.
    pub(super) fn stale_tasks(&self, changed: Timestamp) -> Vec<String> {
        self.tasks
            .iter()
            .filter(|(_, created)| created.is_some_and(|created| created < changed))
            .map(|(id, _)| id.clone())
            .collect()
    }
}

/// Whether a `valueFrom` of a task definition names the secret: an ARN of Secrets Manager, with or without its six
/// random characters and with or without `:key:stage:version` behind it; an ARN or a name of Parameter Store.
fn is_from(value_from: &str, entry: &SecretEntry) -> bool {
    let parts: Vec<&str> = value_from.split(':').collect();
    let path = entry.path.as_str();
    match (entry.store, parts.as_slice()) {
        (Store::SecretsManager, ["arn", _, "secretsmanager", _, _, "secret", name, ..]) => {
            let rest = name.strip_prefix(path);
            rest.is_some_and(|rest| rest.is_empty() || (rest.len() == 7 && rest.starts_with('-')))
        }
        (Store::ParameterStore, ["arn", _, "ssm", _, _, name, ..]) => {
            name.strip_prefix("parameter") == Some(path)
        }
        (Store::ParameterStore, [name]) => *name == path,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::LayoutKind;

    #[test]
    fn a_container_reads_a_secret_under_each_of_its_names() {
        let layout = Layout::new(LayoutKind::Single, "bp", None).unwrap();
        let table = layout.secret_table(&[]);
        let entry = |name: &str| table.iter().find(|entry| entry.name == name).unwrap();
        let secret = |name: &str| format!("arn:aws:secretsmanager:us-east-1:123456789012:secret:{name}");
        let key = entry("app-key");
        for name in [
            "/bp/laravel/app-key",
            "/bp/laravel/app-key-AbCdEf",
            "/bp/laravel/app-key-AbCdEf:key::",
        ] {
            assert!(is_from(&secret(name), key), "{name}");
        }
        for name in [
            "/bp/laravel/app-key-2",
            "/bp/laravel/app",
            "/bp/oauth/secrets-AbCdEf",
        ] {
            assert!(!is_from(&secret(name), key), "{name}");
        }
        let fleet = entry("fleet-secret/staging");
        let path = "/bp/fleets/staging/fleet-secret";
        assert!(is_from(path, fleet));
        assert!(is_from(
            &format!("arn:aws:ssm:us-east-1:123456789012:parameter{path}"),
            fleet
        ));
        assert!(!is_from(&secret(path), fleet) && !is_from("/bp/fleets/staging", fleet));
    }
}
