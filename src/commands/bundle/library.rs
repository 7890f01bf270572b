//! The models bucket: which bundles there are, and what the objects of one are.

use std::collections::BTreeMap;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;

use super::meter::Meter;
use super::name::BundleName;
use crate::bundle::{Found, Hasher, LONGEST_MANIFEST, Manifest, Sha256};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::layout::{BundleId, FleetId, Layout, LayoutKind, Slug};
use crate::settings::nearest;

/// Manifests and descriptions of objects that are asked for at once. S3 allows 5,500 reads a second per prefix
/// (Amazon S3 User Guide, "Best practices design patterns").
const AT_ONCE: usize = 32;

/// Objects whose content is read at once: enough to keep the cores and a fast network busy, and together they hold
/// no more than [`BATCH`] each in memory.
const STREAMS: usize = 8;

/// Bytes that go to a thread together to be hashed.
const BATCH: usize = 2 * 1024 * 1024;

/// Where a bundle is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The workflow that it belongs to, in the staged layout.
    pub(super) slug: Option<Slug>,
    pub(super) id: BundleId,
    /// When the manifest was written.
    pub(super) written: Option<Timestamp>,
}

impl Entry {
    /// As it is typed.
    pub(super) fn label(&self) -> String {
        match &self.slug {
            Some(slug) => format!("{slug}/{}", self.id),
            None => self.id.to_string(),
        }
    }

    /// The place for an operator to copy.
    pub(super) fn key(&self, layout: &Layout) -> String {
        layout.manifest_key(self.slug.as_ref(), &self.id)
    }
}

/// A bundle whose manifest has been read.
#[derive(Clone, Debug)]
pub(super) struct Bundle {
    pub(super) entry: Entry,
    pub(super) manifest: Manifest,
}

/// Objects by their keys; `None` for one that is not there.
pub(super) type Objects = BTreeMap<String, Option<Found>>;

pub(in crate::commands) struct Library<'a> {
    pub(super) ctx: &'a Ctx,
    pub(super) layout: Layout,
    pub(in crate::commands) bucket: String,
}

impl<'a> Library<'a> {
    pub(in crate::commands) async fn open(ctx: &'a Ctx) -> Result<Self> {
        let layout = ctx.layout()?;
        let bucket = ctx.aws.bucket(&layout, "models").await?;
        Ok(Self { ctx, layout, bucket })
    }

    /// Every bundle, the newest first.
    pub(super) async fn entries(&self) -> Result<Vec<Entry>> {
        let listed = self
            .ctx
            .aws
            .objects_under(&self.bucket, self.layout.bundles_prefix())
            .await?;
        let mut entries: Vec<Entry> = listed
            .iter()
            .filter_map(|object| {
                let (slug, id) = self.layout.bundle_of_manifest(&object.key)?;
                Some(Entry {
                    slug,
                    id,
                    written: object.modified,
                })
            })
            .collect();
        entries.sort_by(|one, other| {
            other
                .written
                .cmp(&one.written)
                .then_with(|| one.id.cmp(&other.id))
        });
        Ok(entries)
    }

    /// The bundle of a name; `fleet` says which workflow is meant where the name does not.
    ///
    /// # Errors
    /// No bundle of this name, several that begin so, or a manifest that cannot be read.
    pub(super) async fn find(&self, name: &BundleName, fleet: Option<&FleetId>) -> Result<Bundle> {
        let entry = self.named(name, fleet)?;
        if let Some(entry) = &entry
            && let Some(manifest) = self.manifest(entry).await?
        {
            return Ok(Bundle {
                entry: entry.clone(),
                manifest,
            });
        }
        let slug = entry
            .as_ref()
            .and_then(|entry| entry.slug.clone())
            .or(name.slug.clone());
        let entry = self.beginning(name, slug.as_ref()).await?;
        match self.manifest(&entry).await? {
            Some(manifest) => Ok(Bundle { entry, manifest }),
            None => Err(CtlError::new(
                ErrorKind::Changed,
                format!("read bundle {}: its manifest has just gone", entry.label()),
            )),
        }
    }

    /// The place that the name says in full, if it does.
    fn named(&self, name: &BundleName, fleet: Option<&FleetId>) -> Result<Option<Entry>> {
        let slug = match (self.layout.kind(), &name.slug) {
            (LayoutKind::Single, Some(slug)) => {
                return Err(CtlError::usage(format!(
                    "find bundle `{name}`: in the layout `single` bundles belong to no workflow"
                ))
                .hint(format!(
                    "leave out `{slug}/`, or choose the other layout with `--layout staged`"
                )));
            }
            (LayoutKind::Single, None) => None,
            (LayoutKind::Staged, Some(slug)) => Some(slug.clone()),
            (LayoutKind::Staged, None) => match fleet {
                Some(fleet) => Some(fleet.slug.clone()),
                None => return Ok(None),
            },
        };
        Ok(Some(Entry {
            slug,
            id: name.id.clone(),
            written: None,
        }))
    }

    /// The only bundle whose id begins with the name.
    async fn beginning(&self, name: &BundleName, slug: Option<&Slug>) -> Result<Entry> {
        let all = self.entries().await?;
        let of_workflow = |entry: &&Entry| slug.is_none() || entry.slug.as_ref() == slug;
        let begins = |entry: &&Entry| entry.id.as_ref().starts_with(name.id.as_ref());
        let found: Vec<&Entry> = all.iter().filter(of_workflow).filter(begins).collect();
        let exact = found.iter().find(|entry| entry.id == name.id);
        match (found.as_slice(), exact) {
            ([only], _) => Ok((*only).clone()),
            ([_, _, ..], Some(exact)) if slug.is_some() || self.layout.kind() == LayoutKind::Single => {
                Ok((*exact).clone())
            }
            ([first, second, ..], _) => Err(CtlError::usage(format!(
                "find bundle `{name}`: `{}` and `{}` are meant by it",
                first.label(),
                second.label()
            ))
            .hint("write more of the id")),
            ([], _) => {
                let labels: Vec<String> = all.iter().map(Entry::label).collect();
                let error = CtlError::new(
                    ErrorKind::NotFound,
                    format!("find bundle `{name}`: there is none in bucket {}", self.bucket),
                );
                let list = CommandLine::bpctl(["bundle", "list"]);
                Err(
                    match nearest(&name.to_string(), labels.iter().map(String::as_str)) {
                        Some(like) => {
                            error.hint((format!("did you mean `{like}`?"), list, "shows all of them"))
                        }
                        None => error.hint(("see the bundles with", list)),
                    },
                )
            }
        }
    }

    /// The manifest of a bundle; `None` when there is none.
    pub(super) async fn manifest(&self, entry: &Entry) -> Result<Option<Manifest>> {
        let key = entry.key(&self.layout);
        let bytes = self
            .ctx
            .aws
            .small_object(&self.bucket, &key, LONGEST_MANIFEST)
            .await?;
        let read = |bytes: Vec<u8>| Manifest::read(&format!("bundle {}", entry.label()), &bytes);
        bytes.map(read).transpose()
    }

    /// The manifests of several bundles, each as well as it can be read.
    pub(super) async fn manifests(&self, entries: &[Entry]) -> Result<Vec<Result<Manifest>>> {
        let read = |entry: &'_ Entry| {
            let entry = entry.clone();
            async move {
                match self.manifest(&entry).await {
                    Ok(Some(manifest)) => Ok(Ok(manifest)),
                    Ok(None) => Ok(Err(CtlError::new(ErrorKind::Changed, "it has just gone"))),
                    // What is wrong with one bundle does not hide the others; what is wrong with S3 does.
                    Err(error) if error.kind() == ErrorKind::Failed => Ok(Err(error)),
                    Err(error) => Err(error),
                }
            }
        };
        stream::iter(entries)
            .map(read)
            .buffered(AT_ONCE)
            .try_collect()
            .await
    }

    /// What S3 says of every object that the manifest names.
    pub(super) async fn objects(&self, manifest: &Manifest) -> Result<Objects> {
        let mut keys: Vec<String> = manifest.assets.iter().map(|asset| asset.key.clone()).collect();
        keys.sort();
        keys.dedup();
        let describe = |key: String| async move {
            let found = self.ctx.aws.describe_object(&self.bucket, &key).await?;
            let found = found.map(|object| Found {
                size: object.size,
                sha256: object.sha256.as_deref().and_then(Sha256::from_bytes),
            });
            Ok((key, found))
        };
        stream::iter(keys)
            .map(describe)
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await
    }

    /// Reads the content of every object of `objects` and replaces S3's digests by those of what was read.
    pub(super) async fn hash(&self, objects: Objects, meter: &Meter<'_>) -> Result<Objects> {
        let hash = |(key, found): (String, Option<Found>)| async move {
            let found = match found {
                Some(_) => self.hashed(&key, meter).await?,
                None => None,
            };
            Ok((key, found))
        };
        // The largest first: no core is left alone with it at the end.
        let mut objects: Vec<_> = objects.into_iter().collect();
        objects.sort_by_key(|(_, found)| std::cmp::Reverse(found.as_ref().map_or(0, |found| found.size)));
        stream::iter(objects)
            .map(hash)
            .buffer_unordered(STREAMS)
            .try_collect()
            .await
    }

    async fn hashed(&self, key: &str, meter: &Meter<'_>) -> Result<Option<Found>> {
        let Some(mut body) = self.ctx.aws.open_object(&self.bucket, key).await? else {
            return Ok(None);
        };
        let (mut hasher, mut size) = (Hasher::new(), 0);
        let mut ended = false;
        while !ended {
            let (mut batch, mut length) = (Vec::new(), 0);
            while length < BATCH {
                match body.next().await? {
                    Some(piece) => {
                        length += piece.as_ref().len();
                        batch.push(piece);
                    }
                    None => {
                        ended = true;
                        break;
                    }
                }
            }
            let hashing = move || {
                for piece in &batch {
                    hasher.update(piece.as_ref());
                }
                hasher
            };
            hasher = tokio::task::spawn_blocking(hashing).await.map_err(|error| {
                CtlError::new(ErrorKind::Unexpected, format!("hash `{key}`")).source(&error)
            })?;
            size += length as u64;
            meter.add(length as u64);
        }
        Ok(Some(Found {
            size,
            sha256: Some(hasher.finish()),
        }))
    }

    /// Which fleets have which bundle active, by the id.
    pub(super) async fn active(&self) -> Result<BTreeMap<String, Vec<FleetId>>> {
        let stages = self.layout.fleet_stages().into_iter();
        let paths: Vec<String> = stages
            .flat_map(|stage| self.layout.fleet_parameter_paths(stage))
            .map(|path| path.path)
            .collect();
        let names = self.ctx.aws.parameter_names_under(&paths).await?;
        let pointers: Vec<(String, FleetId)> = names
            .into_iter()
            .filter_map(|name| {
                let fleet = self.layout.fleet_of_parameter(&name)?;
                (self.layout.active_bundle_parameter(&fleet) == name).then_some((name, fleet))
            })
            .collect();
        let names: Vec<String> = pointers.iter().map(|(name, _)| name.clone()).collect();
        let parameters = self.ctx.aws.parameters(&names).await?;
        let mut active: BTreeMap<String, Vec<FleetId>> = BTreeMap::new();
        for (name, fleet) in pointers {
            let value = parameters
                .found
                .get(&name)
                .map(|parameter| parameter.value.expose());
            if let Some(id) = value.and_then(crate::fleet::bundle_id) {
                active.entry(id).or_default().push(fleet);
            }
        }
        Ok(active)
    }
}

/// The fleets that have this bundle active. In the staged layout an id alone may be that of another workflow.
pub(super) fn fleets_of(active: &BTreeMap<String, Vec<FleetId>>, entry: &Entry) -> Vec<FleetId> {
    let fleets = active.get(entry.id.as_ref()).into_iter().flatten();
    fleets
        .filter(|fleet| entry.slug.as_ref().is_none_or(|slug| *slug == fleet.slug))
        .cloned()
        .collect()
}
