//! Which images are in use: by tasks that run, by task definitions, and by deployments that a service can go back to.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::{join_all, try_join_all};

use crate::aws::ecr::Manifest;
use crate::aws::ecs::{Service, Task, short};
use crate::commands::deploy::images::ecr;
use crate::context::Ctx;
use crate::error::Result;
use crate::layout::{App, Layout};

/// Uses of images. Whatever could not be read is an error: an image whose uses were not read is not unused.
#[derive(Clone, Debug, Default)]
pub(super) struct Usage {
    /// Tasks by digest and by what they belong to, e.g. `bp-backend`.
    tasks: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
    /// Task definitions by repository and reference: a tag or a digest.
    definitions: BTreeMap<(String, String), BTreeSet<String>>,
    /// Service revisions by digest.
    revisions: BTreeMap<String, BTreeSet<String>>,
}

impl Usage {
    /// What runs in the platform's cluster.
    pub(super) async fn of_tasks(ctx: &Ctx, layout: &Layout) -> Result<Self> {
        let cluster = layout.cluster();
        let arns = ctx.aws.running_tasks(&cluster).await?;
        let mut usage = Self::default();
        if !arns.is_empty() {
            usage.add_tasks(&ctx.aws.tasks(&cluster, &arns).await?);
        }
        Ok(usage)
    }

    /// Everything that an image may still be needed for.
    pub(super) async fn whole(ctx: &Ctx, layout: &Layout) -> Result<Self> {
        let cluster = layout.cluster();
        let names: Vec<String> = [App::Backend, App::Frontend]
            .map(|app| layout.service(app))
            .into();
        let services = ctx.aws.services(&cluster, &names).await?;
        let arns = ctx.aws.running_tasks(&cluster).await?;
        let tasks = match arns.is_empty() {
            true => Vec::new(),
            false => ctx.aws.tasks(&cluster, &arns).await?,
        };
        let recorded = try_join_all(
            services
                .iter()
                .map(|service| ctx.aws.service_deployments(&cluster, &service.name)),
        )
        .await?;
        let revisions: BTreeSet<String> = recorded
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|record| record.revision)
            .chain(services.iter().flat_map(|service| service.revisions.clone()))
            .collect();
        let revisions: Vec<String> = revisions.into_iter().collect();
        let revisions = match revisions.is_empty() {
            true => Vec::new(),
            false => ctx.aws.service_revisions(&revisions).await?,
        };
        let mut usage = Self::default();
        usage.add_tasks(&tasks);
        let of_services = services.iter().flat_map(definitions_of);
        let mut definitions: BTreeSet<String> = of_services.collect();
        definitions.extend(tasks.iter().map(|task| task.definition.clone()));
        for revision in revisions {
            for image in &revision.images {
                if let Some(digest) = &image.digest {
                    let place = format!("revision {}", short(&revision.arn));
                    usage.revisions.entry(digest.clone()).or_default().insert(place);
                }
            }
            definitions.insert(revision.task_definition);
        }
        let registered = join_all(definitions.iter().map(|arn| ctx.aws.registered(arn))).await;
        for definition in registered {
            let definition = definition?;
            for container in definition.containers() {
                if let Some(image) = ecr(&container.image) {
                    let of = (image.repository.to_owned(), image.reference.to_owned());
                    let place = format!("{}:{}", definition.family, definition.revision);
                    usage.definitions.entry(of).or_default().insert(place);
                }
            }
        }
        Ok(usage)
    }

    fn add_tasks(&mut self, tasks: &[Task]) {
        for task in tasks {
            let of = task.group.as_deref().unwrap_or("-");
            let of = of.split_once(':').map_or(of, |(_, name)| name);
            for container in &task.containers {
                if let Some(digest) = &container.digest {
                    let places = self.tasks.entry(digest.clone()).or_default();
                    places
                        .entry(of.to_owned())
                        .or_default()
                        .insert(task.id().to_owned());
                }
            }
        }
    }

    /// Tasks by what they belong to that run an image or one of the images in it.
    pub(super) fn running(&self, digest: &str, manifest: Option<&Manifest>) -> BTreeMap<String, usize> {
        let mut places: BTreeMap<String, BTreeSet<&String>> = BTreeMap::new();
        for (run, tasks) in &self.tasks {
            if run == digest || manifest.is_some_and(|manifest| manifest.has(run)) {
                for (of, ids) in tasks {
                    places.entry(of.clone()).or_default().extend(ids);
                }
            }
        }
        places.into_iter().map(|(of, ids)| (of, ids.len())).collect()
    }

    /// Why an image has to stay, if it has to.
    pub(super) fn reason(
        &self,
        repository: &str,
        digest: &str,
        tags: &[String],
        manifest: Option<&Manifest>,
    ) -> Option<String> {
        let is_it = |known: &str| known == digest || manifest.is_some_and(|manifest| manifest.has(known));
        if let Some((of, _)) = self.running(digest, manifest).into_iter().next() {
            return Some(format!("tasks of {of} run it"));
        }
        let defined = self
            .definitions
            .iter()
            .find(|((of, reference), _)| of == repository && (tags.contains(reference) || is_it(reference)));
        if let Some(place) = defined.and_then(|(_, places)| places.first()) {
            return Some(format!("{place} names it"));
        }
        let recorded = self.revisions.iter().find(|(known, _)| is_it(known));
        let place = recorded.and_then(|(_, places)| places.first())?;
        Some(format!("{place} had it"))
    }
}

/// ARNs of the task definitions that a service runs or is to run.
fn definitions_of(service: &Service) -> impl Iterator<Item = String> {
    let deployed = service.deployments.iter().map(|one| one.task_definition.clone());
    deployed.chain([service.task_definition.clone()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::ecs::Container;

    fn task(id: &str, digest: &str) -> Task {
        Task {
            arn: format!("arn:aws:ecs:us-east-1:123456789012:task/bp/{id}"),
            group: Some("service:bp-backend".to_owned()),
            containers: vec![Container {
                digest: Some(digest.to_owned()),
                ..Container::default()
            }],
            ..Task::default()
        }
    }

    #[test]
    fn an_image_is_in_use_by_its_own_digest_and_by_that_of_its_parts() {
        let mut usage = Usage::default();
        usage.add_tasks(&[
            task("a", "sha256:part"),
            task("b", "sha256:part"),
            task("c", "sha256:other"),
        ]);
        usage.definitions.insert(
            ("bp-backend".to_owned(), "php-latest".to_owned()),
            ["bp-backend:41".to_owned()].into(),
        );
        usage
            .revisions
            .insert("sha256:old".to_owned(), ["revision 7".to_owned()].into());
        let index = Manifest {
            digest: "sha256:index".to_owned(),
            parts: vec!["sha256:part".to_owned()],
            ..Manifest::default()
        };
        assert_eq!(
            usage.running("sha256:index", Some(&index)),
            [("bp-backend".to_owned(), 2)].into()
        );
        assert!(usage.running("sha256:index", None).is_empty());
        let reason = |digest: &str, tags: &[&str], manifest: Option<&Manifest>| {
            let tags: Vec<String> = tags.iter().map(|tag| (*tag).to_owned()).collect();
            usage.reason("bp-backend", digest, &tags, manifest)
        };
        assert_eq!(
            reason("sha256:index", &[], Some(&index)).as_deref(),
            Some("tasks of bp-backend run it")
        );
        assert_eq!(
            reason("sha256:x", &["php-latest"], None).as_deref(),
            Some("bp-backend:41 names it")
        );
        assert_eq!(
            reason("sha256:old", &[], None).as_deref(),
            Some("revision 7 had it")
        );
        assert_eq!(reason("sha256:x", &["php-0af12cd"], None), None);
    }
}
