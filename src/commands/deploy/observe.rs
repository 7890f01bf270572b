//! Reads what the plan needs to know: the services, what they run, and whether what they would run can start.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::{join_all, try_join_all};
use futures::join;

use super::images::{ecr, retagged};
use super::lost::{GoingOn, going_on};
use super::request::{Request, What};
use crate::aws::ecr::Manifest;
use crate::aws::ecs::registered::RegisteredContainer;
use crate::aws::ecs::{Registered, Service};
use crate::aws::secretsmanager::{SecretState, is_placeholder};
use crate::change::journal::Record;
use crate::commands::migrate::within::MigrationSeen;
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};
use crate::layout::{App, Layout};

/// What the reads showed.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) cluster: String,
    pub(crate) services: Vec<ServiceSeen>,
    /// Images by name.
    pub(super) images: BTreeMap<String, Image>,
    /// Secrets and parameters by `valueFrom`.
    pub(super) secrets: BTreeMap<String, SecretFact>,
    /// Log groups: whether they are there, or why that is not known.
    pub(super) groups: BTreeMap<String, Result<bool, String>>,
    /// Where a migration is wanted.
    pub(super) migration: Option<MigrationSeen>,
}

/// One service and what it is to run.
#[derive(Clone, Debug)]
pub(crate) struct ServiceSeen {
    pub(crate) app: App,
    pub(crate) service: Service,
    /// What its primary deployment runs.
    pub(crate) current: Registered,
    /// What it is to run, but for `images`.
    pub(crate) target: Registered,
    /// Containers that get another image.
    pub(crate) images: Vec<(String, String)>,
    /// The newest revision of its family, looked at when images change: it may be just what is wanted.
    pub(super) newest: Option<Registered>,
    /// Digests that run, by container, as far as ECS has them on record.
    pub(crate) running: BTreeMap<String, String>,
    /// What a run that was cut off has started, and this one goes on with.
    pub(super) going_on: Option<GoingOn>,
}

/// What an image's name leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Image {
    Found(Manifest),
    Missing,
    NoRepository,
    /// In a registry that cannot be asked from here.
    Elsewhere,
    Unchecked(String),
}

/// What a reference to a secret or parameter leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SecretFact {
    Good,
    /// "does not exist", "has no value", …
    Bad(&'static str),
    Unchecked(String),
}

impl ServiceSeen {
    /// The containers with the images that they would get.
    pub(crate) fn wanted(&self) -> Vec<RegisteredContainer> {
        let mut containers = self.target.containers();
        for container in &mut containers {
            if let Some((_, image)) = self.images.iter().find(|(of, _)| *of == container.name) {
                container.image.clone_from(image);
            }
        }
        containers
    }
}

pub(super) async fn observe(
    ctx: &Ctx,
    layout: &Layout,
    request: &Request,
    recent: &[Record],
) -> Result<Seen> {
    let mut seen = definitions(ctx, layout, request).await?;
    let containers: Vec<RegisteredContainer> = seen.iter().flat_map(ServiceSeen::wanted).collect();
    let (images, secrets, groups, running) = join!(
        Box::pin(images(ctx, &containers)),
        Box::pin(secrets(ctx, &containers)),
        Box::pin(groups(ctx, &containers)),
        Box::pin(running(ctx, &seen)),
    );
    for one in &mut seen {
        one.going_on = gone_on_with(request, one, recent);
        one.running = running.get(&one.app).cloned().unwrap_or_default();
    }
    Ok(Seen {
        cluster: layout.cluster(),
        services: seen,
        images,
        secrets,
        groups,
        migration: None,
    })
}

/// What services run and what they would run: the part of the look that is about images.
pub(crate) async fn observe_images(
    ctx: &Ctx,
    layout: &Layout,
    request: &Request,
) -> Result<(Vec<ServiceSeen>, BTreeMap<String, Image>)> {
    let mut seen = definitions(ctx, layout, request).await?;
    let containers: Vec<RegisteredContainer> = seen.iter().flat_map(ServiceSeen::wanted).collect();
    let (images, running) = join!(Box::pin(images(ctx, &containers)), Box::pin(running(ctx, &seen)),);
    for one in &mut seen {
        one.running = running.get(&one.app).cloned().unwrap_or_default();
    }
    Ok((seen, images))
}

async fn definitions(ctx: &Ctx, layout: &Layout, request: &Request) -> Result<Vec<ServiceSeen>> {
    let services = services(ctx, layout, &layout.cluster(), &request.apps).await?;
    let seen = try_join_all(
        services
            .into_iter()
            .map(|(app, service)| Box::pin(with_definitions(ctx, layout, request, app, service))),
    )
    .await?;
    unknown_containers(request, &seen)?;
    Ok(seen)
}

/// What a run that was cut off has started and this one goes on with: what is asked for, and under way. What an undo
/// has brought back is gone on with also when it is over: undone once more, it would be gone again.
fn gone_on_with(request: &Request, one: &ServiceSeen, recent: &[Record]) -> Option<GoingOn> {
    let found = going_on(one.app, &one.service, recent)?;
    let same = one.images.is_empty() && one.target.arn == found.started.definition;
    let fits = match request.what {
        What::Before(..) => true,
        What::Same | What::Tag(_) | What::Images(_) | What::Revision(_) => same && !found.is_over,
    };
    fits.then_some(found)
}

/// The services of these applications, in their order.
///
/// # Errors
/// One that is not there.
pub(crate) async fn services(
    ctx: &Ctx,
    layout: &Layout,
    cluster: &str,
    apps: &[App],
) -> Result<Vec<(App, Service)>> {
    let names: Vec<String> = apps.iter().map(|app| layout.service(*app)).collect();
    let missing = |error: CtlError| error.hint(Hint::not_deployed());
    let found = match ctx.aws.services(cluster, &names).await {
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(missing(error)),
        found => found?,
    };
    apps.iter()
        .zip(&names)
        .map(|(app, name)| {
            let service = found
                .iter()
                .find(|service| service.name == *name && service.status != "INACTIVE");
            let service = service.cloned().ok_or_else(|| {
                missing(CtlError::new(
                    ErrorKind::NotFound,
                    format!("find service {name} in cluster {cluster}: there is none"),
                ))
            })?;
            Ok((*app, service))
        })
        .collect()
}

async fn with_definitions(
    ctx: &Ctx,
    layout: &Layout,
    request: &Request,
    app: App,
    service: Service,
) -> Result<ServiceSeen> {
    let current = ctx.aws.registered(&service.task_definition).await?;
    let target = match &request.what {
        What::Revision(revision) | What::Before(revision, _) if i64::from(*revision) != current.revision => {
            let name = format!("{}:{revision}", layout.task_family(app));
            let target = ctx.aws.registered(&name).await;
            // For a revision that is not there ECS says no more than ClientException.
            target.map_err(|error| {
                error.context(format!("deploy {name}")).hint((
                    "see which revisions there were with",
                    CommandLine::bpctl(["rollout", "history", app.word()]),
                ))
            })?
        }
        What::Revision(_) | What::Before(..) | What::Same | What::Tag(_) | What::Images(_) => current.clone(),
    };
    let images = changed_images(layout, request, app, &target)?;
    let newest = if images.is_empty() {
        None
    } else {
        Some(ctx.aws.registered(&current.family).await?)
    };
    Ok(ServiceSeen {
        app,
        service,
        current,
        target,
        images,
        newest,
        running: BTreeMap::new(),
        going_on: None,
    })
}

/// Containers whose image differs from what the task definition says.
fn changed_images(
    layout: &Layout,
    request: &Request,
    app: App,
    target: &Registered,
) -> Result<Vec<(String, String)>> {
    let containers = target.containers();
    let images: Vec<(String, String)> = match &request.what {
        What::Same | What::Revision(_) => Vec::new(),
        What::Images(images) | What::Before(_, images) => containers
            .iter()
            .filter_map(|container| Some((container.name.clone(), images.get(&container.name)?.clone())))
            .collect(),
        What::Tag(commit) => {
            let repository = layout.repository(app);
            let ours = |image: &str| ecr(image).is_some_and(|image| image.repository == repository);
            containers
                .iter()
                .filter(|container| ours(&container.image))
                .map(|container| {
                    let image = retagged(&container.image, commit).ok_or_else(|| {
                        CtlError::usage(format!(
                            "deploy tag {commit}: container {} of {} runs an image by its digest, which says nothing of its tags",
                            container.name, target.family
                        ))
                        .hint("name the images: `--image container=repository:tag`")
                    })?;
                    Ok((container.name.clone(), image))
                })
                .collect::<Result<_>>()?
        }
    };
    let same = |(name, image): &(String, String)| {
        containers
            .iter()
            .any(|known| known.name == *name && known.image == *image)
    };
    Ok(images.into_iter().filter(|change| !same(change)).collect())
}

/// # Errors
/// An image for a container that no service has.
fn unknown_containers(request: &Request, seen: &[ServiceSeen]) -> Result<()> {
    let What::Images(images) = &request.what else {
        return Ok(());
    };
    let known: BTreeSet<String> = seen
        .iter()
        .flat_map(|one| one.target.containers())
        .map(|container| container.name)
        .collect();
    match images.keys().find(|name| !known.contains(*name)) {
        None => Ok(()),
        Some(name) => {
            let known: Vec<String> = known.into_iter().collect();
            Err(
                CtlError::usage(format!("deploy another image: there is no container `{name}`"))
                    .hint(format!("the containers are {}", known.join(", "))),
            )
        }
    }
}

async fn images(ctx: &Ctx, containers: &[RegisteredContainer]) -> BTreeMap<String, Image> {
    let here = ctx.aws.known_account();
    let region = ctx.aws.known_region();
    let mut found: BTreeMap<String, Image> = BTreeMap::new();
    let mut asked: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for container in containers {
        let known = ecr(&container.image).filter(|image| {
            here.as_deref().is_none_or(|here| here == image.account)
                && region.as_deref().is_none_or(|region| region == image.region)
        });
        match known {
            Some(image) => {
                asked.entry(image.repository).or_default().insert(image.reference);
            }
            None => {
                found.insert(container.image.clone(), Image::Elsewhere);
            }
        }
    }
    let answers = asked.into_iter().map(async |(repository, references)| {
        let references: Vec<String> = references.into_iter().map(str::to_owned).collect();
        let mut answer = ctx.aws.manifests(repository, &references).await;
        if let Ok(Some(manifests)) = &mut answer {
            let manifests = manifests.iter_mut().map(|(_, manifest)| manifest);
            ctx.aws.tell_platforms(repository, manifests).await;
        }
        (repository, answer)
    });
    let answers: BTreeMap<&str, _> = join_all(answers).await.into_iter().collect();
    for container in containers {
        if found.contains_key(&container.image) {
            continue;
        }
        let Some(image) = ecr(&container.image) else {
            continue;
        };
        let fact = match answers.get(image.repository) {
            Some(Ok(Some(manifests))) => manifests
                .iter()
                .find(|(reference, manifest)| {
                    reference == image.reference || manifest.digest == image.reference
                })
                .map_or(Image::Missing, |(_, manifest)| Image::Found(manifest.clone())),
            Some(Ok(None)) => Image::NoRepository,
            Some(Err(error)) => Image::Unchecked(error.to_string()),
            None => Image::Unchecked("it was not asked for".to_owned()),
        };
        found.insert(container.image.clone(), fact);
    }
    found
}

/// A reference to a secret: its ARN, and the key that is wanted of its JSON (ECS Developer Guide, "Pass Secrets Manager
/// secrets through Amazon ECS environment variables": `arn:…:secret:name-suffix:key:stage:version`).
fn secret_reference(value_from: &str) -> Option<(String, Option<&str>)> {
    let parts: Vec<&str> = value_from.split(':').collect();
    let [_, _, "secretsmanager", _, _, "secret", _, ..] = parts.as_slice() else {
        return None;
    };
    let key = parts.get(7).copied().filter(|key| !key.is_empty());
    Some((parts.get(..7)?.join(":"), key))
}

/// The name of the parameter that a reference means: an ARN's part, or the name itself.
fn parameter_name(value_from: &str) -> &str {
    value_from
        .split_once(":parameter")
        .map_or(value_from, |(_, name)| name)
}

async fn secrets(ctx: &Ctx, containers: &[RegisteredContainer]) -> BTreeMap<String, SecretFact> {
    let references: BTreeSet<&str> = containers
        .iter()
        .flat_map(|container| &container.secrets)
        .map(|(_, from)| from.as_str())
        .collect();
    let arns: BTreeSet<String> = references
        .iter()
        .filter_map(|from| secret_reference(from).map(|(arn, _)| arn))
        .collect();
    let names: BTreeSet<String> = references
        .iter()
        .filter(|from| secret_reference(from).is_none())
        .map(|from| parameter_name(from).to_owned())
        .collect();
    let (arns, names): (Vec<String>, Vec<String>) = (arns.into_iter().collect(), names.into_iter().collect());
    let (states, parameters) = join!(
        async {
            if arns.is_empty() {
                Ok(BTreeMap::new())
            } else {
                ctx.aws.secret_states(&arns).await
            }
        },
        async {
            if names.is_empty() {
                Ok(Default::default())
            } else {
                ctx.aws.parameters(&names).await
            }
        },
    );

    references
        .into_iter()
        .map(|from| {
            let fact = match secret_reference(from) {
                Some((arn, key)) => match &states {
                    Err(error) => SecretFact::Unchecked(error.to_string()),
                    Ok(states) => {
                        let state = states.get(&arn).or_else(|| {
                            // A reference may leave the six letters away that Secrets Manager adds to the name.
                            states
                                .iter()
                                .find(|(known, _)| known.starts_with(&format!("{arn}-")))
                                .map(|(_, state)| state)
                        });
                        secret_fact(state, key)
                    }
                },
                None => match &parameters {
                    Err(error) => SecretFact::Unchecked(error.to_string()),
                    Ok(parameters) => match parameters.found.get(parameter_name(from)) {
                        None => SecretFact::Bad("does not exist"),
                        Some(parameter) if is_placeholder(parameter.value.expose()) => {
                            SecretFact::Bad("still holds its placeholder")
                        }
                        Some(_) => SecretFact::Good,
                    },
                },
            };
            (from.to_owned(), fact)
        })
        .collect()
}

fn secret_fact(state: Option<&SecretState>, key: Option<&str>) -> SecretFact {
    match (state, key) {
        (None | Some(SecretState::Missing), _) => SecretFact::Bad("does not exist"),
        (Some(SecretState::Empty), _) => SecretFact::Bad("has no value"),
        (Some(SecretState::Refused(why)), _) => SecretFact::Unchecked(why.clone()),
        (Some(SecretState::Text { placeholder: true }), _) => SecretFact::Bad("still holds its placeholder"),
        (Some(SecretState::Text { .. }), Some(_)) => {
            SecretFact::Bad("holds no JSON, and one of its keys is wanted")
        }
        (Some(SecretState::Text { .. } | SecretState::Keys(_)), None) => SecretFact::Good,
        (Some(SecretState::Keys(keys)), Some(key)) => match keys.get(key) {
            None => SecretFact::Bad("lacks the key that is wanted"),
            Some(true) => SecretFact::Bad("still holds a placeholder under the key that is wanted"),
            Some(false) => SecretFact::Good,
        },
    }
}

async fn groups(ctx: &Ctx, containers: &[RegisteredContainer]) -> BTreeMap<String, Result<bool, String>> {
    let names: BTreeSet<&str> = containers
        .iter()
        .filter_map(|container| container.logs.as_ref().map(|logs| logs.group.as_str()))
        .collect();
    let looked = names.into_iter().map(async |name| {
        let there = ctx.aws.has_log_group(name).await;
        (name.to_owned(), there.map_err(|error| error.to_string()))
    });
    join_all(looked).await.into_iter().collect()
}

/// Digests that the services run, from their newest revisions, in one call.
async fn running(ctx: &Ctx, seen: &[ServiceSeen]) -> BTreeMap<App, BTreeMap<String, String>> {
    let of_primary = |one: &ServiceSeen| {
        let primary = one.service.primary()?;
        let brought = |arn: &&String| crate::rollout::brings(&primary.id, arn);
        Some((one.app, one.service.revisions.iter().find(brought)?.clone()))
    };
    let wanted: Vec<(App, String)> = seen.iter().filter_map(of_primary).collect();
    let arns: Vec<String> = wanted.iter().map(|(_, arn)| arn.clone()).collect();
    if arns.is_empty() {
        return BTreeMap::new();
    }
    let revisions = match ctx.aws.service_revisions(&arns).await {
        Ok(revisions) => revisions,
        Err(error) => {
            // What runs is for comparison only.
            tracing::warn!(%error, "the digests that run are not known");
            return BTreeMap::new();
        }
    };
    wanted
        .into_iter()
        .filter_map(|(app, arn)| {
            let revision = revisions.iter().find(|revision| revision.arn == arn)?;
            let digests = revision
                .images
                .iter()
                .filter_map(|image| Some((image.container.clone(), image.digest.clone()?)));
            Some((app, digests.collect()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_taken_apart() {
        let arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:/bp/oauth/secrets-AbCdEf";
        assert_eq!(secret_reference(arn), Some((arn.to_owned(), None)));
        let with_key = format!("{arn}:google_client_id::");
        assert_eq!(
            secret_reference(&with_key),
            Some((arn.to_owned(), Some("google_client_id")))
        );
        let parameter = "arn:aws:ssm:us-east-1:123456789012:parameter/bp/fleets/staging/fleet-secret";
        assert_eq!(secret_reference(parameter), None);
        assert_eq!(parameter_name(parameter), "/bp/fleets/staging/fleet-secret");
        assert_eq!(parameter_name("/bp/x"), "/bp/x");
    }

    #[test]
    fn a_secret_that_could_not_be_read_is_never_good() {
        let keys = SecretState::Keys([("a".to_owned(), false), ("b".to_owned(), true)].into());
        assert_eq!(secret_fact(Some(&keys), Some("a")), SecretFact::Good);
        assert_eq!(secret_fact(Some(&keys), None), SecretFact::Good);
        for (state, key) in [
            (Some(&keys), Some("b")),
            (Some(&keys), Some("c")),
            (Some(&SecretState::Empty), None),
            (Some(&SecretState::Text { placeholder: false }), Some("a")),
            (Some(&SecretState::Text { placeholder: true }), None),
            (None, None),
        ] {
            assert!(
                matches!(secret_fact(state, key), SecretFact::Bad(_)),
                "{state:?} {key:?}"
            );
        }
        let refused = SecretState::Refused("AccessDeniedException".to_owned());
        assert!(matches!(
            secret_fact(Some(&refused), None),
            SecretFact::Unchecked(_)
        ));
    }
}
