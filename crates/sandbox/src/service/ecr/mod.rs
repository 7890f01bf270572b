//! Elastic Container Registry: repositories, images, tags, and what is inside the images.

mod delete;
mod layer;
mod manifest;
mod scan;
mod token;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::error::{ApiError, OpResult};
use crate::service::member::{integer, page, present, text, texts};
use crate::service::table::operations;
use crate::time::SimTime;
use crate::world::World;

pub(crate) use self::layer::answer as download_layer;

/// Every repository of the account.
#[derive(Debug, Default)]
pub(crate) struct State {
    repositories: Vec<Repository>,
}

#[derive(Debug)]
struct Repository {
    name: String,
    created: SimTime,
    images: Vec<Image>,
    /// Parts of indexes that are deleted.
    orphans: Vec<manifest::Part>,
}

impl Repository {
    /// Every part of an index, also of those that are deleted: ECR lists them as images without a tag.
    fn parts(&self) -> impl Iterator<Item = manifest::Part> {
        let living = self.images.iter().flat_map(manifest::parts);
        living.chain(self.orphans.iter().cloned())
    }

    /// Takes an image away; the parts of its index stay, without one.
    fn remove(&mut self, digest: &str) {
        let gone: Vec<manifest::Part> = self
            .images
            .iter()
            .filter(|image| image.digest == digest)
            .flat_map(manifest::parts)
            .collect();
        self.images.retain(|image| image.digest != digest);
        self.orphans.extend(gone);
    }
}

/// One image of a repository.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    /// `sha256:` and 64 hexadecimal digits.
    pub(crate) digest: String,
    pub(crate) tags: BTreeSet<String>,
    pub(crate) pushed: SimTime,
    pub(crate) bytes: u64,
    pub(crate) content: Content,
    pub(crate) platform: Platform,
    /// Pushed as an index with an attestation beside the image, as BuildKit does by default; else the image alone.
    pub(crate) provenance: bool,
}

/// The processor that an image was built for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Platform {
    /// `linux/arm64`, as the platform's tasks are.
    #[default]
    Arm64,
    /// `linux/amd64`: a build without `--platform`, on most build machines.
    Amd64,
}

impl Platform {
    /// As in image indexes (OCI image specification, `platform.architecture`).
    pub(crate) fn architecture(self) -> &'static str {
        match self {
            Self::Arm64 => "arm64",
            Self::Amd64 => "amd64",
        }
    }
}

/// What an image contains, as far as its containers behave differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// nginx as a reverse proxy of php-fpm.
    Nginx,
    /// PHP with the Laravel application.
    Php(Build),
    /// The Next.js frontend.
    Next,
}

/// How well a build of the PHP image works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Build {
    Good,
    /// The application dies with a PHP fatal error as soon as it boots.
    Fatal,
    /// `php-fpm` refuses its configuration; `artisan` works.
    NoFpm,
}

/// DescribeImages and DescribeRepositories answer 100 a page unless told otherwise, at most 1000 (API reference).
const PAGE: i64 = 100;
const LARGEST_PAGE: i64 = 1000;

operations! {
    Write BatchDeleteImage => delete::batch_delete_image,
    Read BatchGetImage => manifest::batch_get_image,
    Write DeleteRepository => delete::delete_named_repository,
    Read DescribeImageScanFindings => scan::describe_image_scan_findings,
    Read DescribeImages => manifest::describe_images,
    Read DescribeRepositories => describe_repositories,
    Read GetAuthorizationToken => token::get_authorization_token,
    Read GetDownloadUrlForLayer => layer::get_download_url_for_layer,
    Write PutImage => manifest::put_image,
}

/// `<account>.dkr.ecr.<region>.amazonaws.com/<repository>`.
pub(crate) fn repository_uri(world: &World, repository: &str) -> String {
    format!(
        "{}.dkr.ecr.{}.amazonaws.com/{repository}",
        world.options.account_id, world.options.region
    )
}

/// Creates an empty repository.
pub(crate) fn create_repository(world: &mut World, name: &str, created: SimTime) {
    world.services.ecr.repositories.push(Repository {
        name: name.to_owned(),
        created,
        images: Vec::new(),
        orphans: Vec::new(),
    });
}

/// Whether a repository has an image.
pub(crate) fn has_images(world: &World, name: &str) -> bool {
    named(world, name).is_ok_and(|repository| !repository.images.is_empty())
}

/// Takes a repository away with its images.
pub(crate) fn delete_repository(world: &mut World, name: &str) {
    world
        .services
        .ecr
        .repositories
        .retain(|repository| repository.name != name);
}

/// Pushes a new image under `tags`, taking the tags away from whatever had them. Answers the digest.
pub(crate) fn push(
    world: &mut World,
    repository: &str,
    tags: &[&str],
    content: Content,
    pushed: SimTime,
) -> String {
    push_for(world, repository, tags, (content, Platform::Arm64), pushed)
}

/// What a build is by where and under which tag it is pushed.
pub(crate) fn content_of(tags: &[&str]) -> Content {
    let begins = |with: &str| tags.iter().any(|tag| tag.starts_with(with));
    match (begins("nginx"), begins("php")) {
        (true, _) => Content::Nginx,
        (false, true) => Content::Php(Build::Good),
        (false, false) => Content::Next,
    }
}

/// Whether there is a repository of this name.
pub(crate) fn has_repository(world: &World, name: &str) -> bool {
    named(world, name).is_ok()
}

/// The same with an image for another processor.
pub(crate) fn push_for(
    world: &mut World,
    repository: &str,
    tags: &[&str],
    (content, platform): (Content, Platform),
    pushed: SimTime,
) -> String {
    let digest = format!("sha256:{}", world.application_ids.hex(64));
    let bytes = match content {
        Content::Nginx => 18_412_331,
        Content::Php(_) => 187_904_112,
        Content::Next => 71_336_902,
    } + world.application_ids.between(0, 40_000);
    for tag in tags {
        untag(world, repository, tag);
    }
    if let Some(found) = named_mut(world, repository) {
        found.images.push(Image {
            digest: digest.clone(),
            tags: tags.iter().map(|&tag| tag.to_owned()).collect(),
            pushed,
            bytes,
            content,
            platform,
            provenance: true,
        });
    }
    digest
}

/// The image under `tag` was pushed alone, as by the classic builder or with `--provenance=false`.
pub(crate) fn without_provenance(world: &mut World, repository: &str, tag: &str) {
    let images = named_mut(world, repository).map(|repository| repository.images.iter_mut());
    for image in images.into_iter().flatten() {
        if image.tags.contains(tag) {
            image.provenance = false;
        }
    }
}

/// Takes a tag away; the image itself stays, as after `batch-delete-image` by tag with others left
/// or a push over the tag.
pub(crate) fn untag(world: &mut World, repository: &str, tag: &str) {
    if let Some(repository) = named_mut(world, repository) {
        for image in &mut repository.images {
            image.tags.remove(tag);
        }
    }
}

/// Puts `tag` on the newest image of that content which can boot.
pub(crate) fn tag_newest_good(world: &mut World, repository: &str, tag: &str, content: Content) {
    untag(world, repository, tag);
    let newest = named_mut(world, repository).and_then(|repository| {
        repository
            .images
            .iter_mut()
            .filter(|image| image.content == content)
            .max_by_key(|image| image.pushed)
    });
    if let Some(image) = newest {
        image.tags.insert(tag.to_owned());
    }
}

/// The image that a reference such as `….amazonaws.com/bp-backend:php-latest` or `…@sha256:…` names.
pub(crate) fn resolve<'a>(world: &'a World, reference: &str) -> Option<&'a Image> {
    let (_, path) = reference.split_once('/')?;
    let (repository, digest, tag) = match path.split_once('@') {
        Some((repository, digest)) => (repository, Some(digest), None),
        None => {
            let (repository, tag) = path.split_once(':').unwrap_or((path, "latest"));
            (repository, None, Some(tag))
        }
    };
    world
        .services
        .ecr
        .repositories
        .iter()
        .find(|found| found.name == repository)?
        .images
        .iter()
        .find(|image| {
            digest.is_some_and(|digest| image.digest == digest)
                || tag.is_some_and(|tag| image.tags.contains(tag))
        })
}

fn named_mut<'a>(world: &'a mut World, name: &str) -> Option<&'a mut Repository> {
    world
        .services
        .ecr
        .repositories
        .iter_mut()
        .find(|repository| repository.name == name)
}

fn named<'a>(world: &'a World, name: &str) -> Result<&'a Repository, ApiError> {
    world
        .services
        .ecr
        .repositories
        .iter()
        .find(|repository| repository.name == name)
        .ok_or_else(|| {
            ApiError::client(
                "RepositoryNotFoundException",
                format!(
                    "The repository with name '{name}' does not exist in the registry with id '{}'",
                    world.options.account_id
                ),
            )
        })
}

fn bad_token() -> ApiError {
    ApiError::client("InvalidParameterException", "Invalid parameter at 'nextToken'")
}

fn page_size(input: &Value) -> usize {
    integer(input, "maxResults")
        .unwrap_or(PAGE)
        .clamp(1, LARGEST_PAGE) as usize
}

fn describe_repositories(world: &World, input: &Value) -> OpResult {
    let names = texts(input, "repositoryNames");
    let mut wanted = Vec::new();
    if names.is_empty() {
        wanted.extend(&world.services.ecr.repositories);
    } else {
        for name in &names {
            wanted.push(named(world, name)?);
        }
    }
    let options = &world.options;
    let repositories: Vec<Value> = wanted
        .into_iter()
        .map(|repository| {
            json!({
                "repositoryArn": format!(
                    "arn:aws:ecr:{}:{}:repository/{}",
                    options.region, options.account_id, repository.name
                ),
                "registryId": options.account_id,
                "repositoryName": repository.name,
                "repositoryUri": repository_uri(world, &repository.name),
                "createdAt": repository.created.epoch_seconds(),
                "imageTagMutability": "MUTABLE",
                "imageScanningConfiguration": {"scanOnPush": true},
                "encryptionConfiguration": {"encryptionType": "AES256"},
            })
        })
        .collect();
    let (repositories, next) = page(
        repositories,
        text(input, "nextToken"),
        page_size(input),
        bad_token,
    )?;
    Ok(present(json!({"repositories": repositories, "nextToken": next})))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::Service;
    use crate::service::operator::Operator;

    fn tags_of(operator: &mut Operator, more: Value) -> Vec<Vec<String>> {
        let mut input = json!({"repositoryName": "bp-backend"});
        for (name, value) in more.as_object().into_iter().flatten() {
            input[name] = value.clone();
        }
        operator.call(Service::Ecr, "DescribeImages", &input)["imageDetails"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|image| texts(image, "imageTags"))
            .collect()
    }

    #[test]
    fn the_moving_tags_share_a_digest_with_the_newest_commits() {
        let mut operator = Operator::under(&[]);
        for tag in ["php-latest", "nginx-latest"] {
            let found = tags_of(&mut operator, json!({"imageIds": [{"imageTag": tag}]}));
            let prefix = tag.trim_end_matches("latest");
            assert_eq!(found.len(), 1);
            assert!(
                found[0].len() == 2 && found[0].iter().all(|tag| tag.starts_with(prefix)),
                "{found:?}"
            );
        }
        assert_eq!(
            tags_of(&mut operator, json!({"filter": {"tagStatus": "TAGGED"}})).len(),
            6
        );
        // An index has an image and an attestation, which are listed beside it.
        assert_eq!(tags_of(&mut operator, json!({})).len(), 18);
    }

    #[test]
    fn a_push_takes_its_tags_from_older_images() {
        let mut operator = Operator::under(&[]);
        let reference = format!("{}:only", repository_uri(&operator.world, "bp-backend"));
        let now = operator.world.now;
        push(&mut operator.world, "bp-backend", &["only"], Content::Nginx, now);
        let digest = push(&mut operator.world, "bp-backend", &["only"], Content::Nginx, now);
        assert_eq!(
            resolve(&operator.world, &reference).map(|image| &image.digest),
            Some(&digest)
        );
        let untagged = tags_of(&mut operator, json!({"filter": {"tagStatus": "UNTAGGED"}}));
        // The older index, and two parts of each of the eight.
        assert_eq!(untagged, vec![Vec::<String>::new(); 17]);
    }

    #[test]
    fn an_unknown_repository_is_named_with_its_registry() {
        let mut operator = Operator::under(&[]);
        for (operation, input) in [
            ("DescribeImages", json!({"repositoryName": "no"})),
            ("DescribeRepositories", json!({"repositoryNames": ["no"]})),
        ] {
            let error = operator.refused(Service::Ecr, operation, &input);
            assert_eq!(error.code, "RepositoryNotFoundException");
            assert_eq!(
                error.message,
                "The repository with name 'no' does not exist in the registry with id '123456789012'"
            );
        }
    }
}
