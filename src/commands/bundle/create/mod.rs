//! `bpctl bundle create`: a manifest of assets that are there already. It is written last, so that no bundle is ever
//! seen half-made.

mod asset;
mod copies;
mod manifest;
pub(crate) mod view;

use clap::Args;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};

use super::library::{Entry, Library};
use super::name::BundleName;
use super::text::{counted, size};
use crate::aws::s3::objects::Described;
use crate::aws::s3::upload::PutObject;
use crate::bundle::{Asset, Manifest, Sha256, of_manifest};
use crate::change::journal::Record;
use crate::change::{
    Basis, Blocker, Call as _, Change, ChangeArgs, Done, End, Outcome, Plan, Step, StepRun, Target,
    Verification, Words, carry_out,
};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};
use crate::exit::ExitStatus;
use crate::iam::{CHANGE, On, Use, Uses};
use crate::layout::{BundleId, InvalidName, LayoutKind, Slug};
use asset::AssetName;
use copies::{Copy, There};
use manifest::{Draft, is_same};
use view::CreateResult;

/// Descriptions that are asked for, and copies that are under way, at once.
const AT_ONCE: usize = 16;

/// Copies of a plan that are under way at once: S3 does the work.
const COPIES: usize = 4;

const MIB: u64 = 1024 * 1024;

/// Make a bundle of assets that have been uploaded
///
/// Writes a manifest once every object that it names is there. Its id follows from its content: the same command makes
/// the same bundle. In the staged layout, where a bundle is a folder of its workflow with copies of its own, S3 makes
/// the copies first; the administration, which lists the bundles that it has made itself, does not know it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl bundle create --name v2 --asset lora/7be0490ecaf9c8f4ecfd59ed5649cd35f4ba4fc1993cd3a4c1d8e1f3f6d5222c=orbit.safetensors
  bpctl bundle create --name v3 --from c81d4e2e --without models/loras/camera_orbit.safetensors
  bpctl bundle create --name v3 --from c81d4e2e --notes 'the same, named again' --dry-run
  bpctl bundle create --workflow image-to-video --from c81d4e2e --notes 'without the orbit'   in the staged layout")]
pub(crate) struct CreateArgs {
    /// What people call the bundle; those of the staged layout have notes only
    #[arg(long, value_name = "TEXT", value_parser = line)]
    name: Option<String>,

    /// The workflow that it is for (staged layout) [default: that of `--from`]
    #[arg(long, value_name = "SLUG", value_parser = slug)]
    workflow: Option<Slug>,

    /// An asset as `bundle upload` prints it, and where it goes below its kind's folder
    #[arg(long = "asset", value_name = "KIND/SHA256[=PATH]", value_parser = asset::parse)]
    assets: Vec<AssetName>,

    /// Start with the assets of this bundle
    #[arg(long, value_name = "BUNDLE", value_parser = super::name::parse)]
    from: Option<BundleName>,

    /// Leave out what `--from` has at this path
    #[arg(long, value_name = "PATH", requires = "from")]
    without: Vec<String>,

    /// Notes
    #[arg(long, value_name = "TEXT", value_parser = line)]
    notes: Option<String>,

    /// The id, instead of one that follows from the content
    #[arg(long, value_name = "ID", value_parser = bundle_id)]
    id: Option<BundleId>,

    /// Size of the parts that S3 copies large objects in, in MiB (staged layout)
    #[arg(long, value_name = "MIB", default_value_t = 512, value_parser = clap::value_parser!(u64).range(5..=5120))]
    part_size: u64,

    #[command(flatten)]
    change: ChangeArgs,
}

/// Characters of a name or of notes; the backend keeps 2,000 of notes.
const LONGEST_LINE: usize = 2000;

fn line(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > LONGEST_LINE || text.chars().any(char::is_control) {
        return Err(format!("write one line of at most {LONGEST_LINE} characters"));
    }
    Ok(text.to_owned())
}

fn slug(text: &str) -> Result<Slug, String> {
    text.parse().map_err(|error: InvalidName| error.to_string())
}

fn bundle_id(text: &str) -> Result<BundleId, String> {
    text.parse().map_err(|error: InvalidName| error.to_string())
}

impl Verb for CreateArgs {
    fn uses() -> Uses {
        Uses::of(&[
            CHANGE,
            &[
                Use::of("s3:AbortMultipartUpload", On::Bundles),
                Use::of("s3:GetObject", On::Assets),
                Use::of("s3:GetObject", On::Bundles),
                Use::of("s3:ListBucket", On::ModelsBucket),
                Use::of("s3:ListBucketMultipartUploads", On::ModelsBucket),
                Use::of("s3:PutObject", On::Bundles),
            ],
        ])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        if self.from.is_none() && self.assets.is_empty() {
            return Err(CtlError::usage("create a bundle: it would have no assets")
                .hint("give `--asset`, or `--from` another bundle"));
        }
        if self.change.print_aws {
            return Err(CtlError::usage(
                "print the aws commands of a new bundle: the manifest itself is not in them",
            )
            .hint("`--dry-run` shows what would be written"));
        }
        let draft = self.draft(ctx.layout()?.kind())?;
        let change = Create {
            ctx,
            library: ctx.unless_interrupted(Library::open(ctx)).await?,
            draft,
            assets: self.assets,
            from: self.from,
            without: self.without,
            part_size: self.part_size,
        };
        carry_out(ctx, &change, &self.change).await
    }
}

impl CreateArgs {
    /// # Errors
    /// What the layout wants and is missing, or has no place for.
    fn draft(&self, layout: LayoutKind) -> Result<Draft> {
        let of_from = self.from.as_ref().and_then(|name| name.slug.clone());
        let wrong = |what: &str, hint: &str| {
            Err(CtlError::usage(format!("create a bundle: {what}")).hint(hint.to_owned()))
        };
        let workflow = match (layout, &self.workflow) {
            (LayoutKind::Single, Some(_)) => {
                return wrong(
                    "in the layout `single` bundles belong to no workflow",
                    "leave out `--workflow`",
                );
            }
            (LayoutKind::Single, None) if self.name.is_none() => {
                return wrong("it has no name", "give it one with `--name`");
            }
            (LayoutKind::Single, None) => None,
            (LayoutKind::Staged, _) if self.name.is_some() => {
                return wrong(
                    "in the layout `staged` bundles have no name",
                    "write it into `--notes`",
                );
            }
            (LayoutKind::Staged, given) => match given.clone().or(of_from) {
                Some(slug) => Some(slug),
                None => {
                    return wrong(
                        "in the layout `staged` every bundle belongs to a workflow",
                        "say which one with `--workflow`",
                    );
                }
            },
        };
        Ok(Draft {
            name: self.name.clone(),
            workflow,
            notes: self.notes.clone(),
            id: self.id.clone(),
        })
    }
}

struct Create<'a> {
    ctx: &'a Ctx,
    library: Library<'a>,
    draft: Draft,
    assets: Vec<AssetName>,
    from: Option<BundleName>,
    without: Vec<String>,
    /// In MiB.
    part_size: u64,
}

/// The bundle that is to be, and what is there.
#[derive(Debug)]
struct Seen {
    id: BundleId,
    assets: Vec<Asset>,
    /// The object that each asset is now; `None` for one that is not there.
    objects: Vec<Option<Described>>,
    /// What is at the place of each copy (staged layout).
    copies: Vec<There>,
    /// Paths of `--without` that the other bundle has not.
    unknown: Vec<String>,
    /// What is at the place of the manifest.
    there: Option<Manifest>,
}

/// One thing to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Work {
    Copy(Copy),
    Manifest { key: String, text: String },
}

impl Create<'_> {
    /// The assets that the bundle is to have, with the objects that hold them now.
    async fn wanted(&self) -> Result<(Vec<Asset>, Vec<String>)> {
        let (aws, library) = (&self.ctx.aws, &self.library);
        let mut assets = match &self.from {
            Some(name) => library.find(name, None).await?.manifest.assets,
            None => Vec::new(),
        };
        let is = |asset: &Asset, path: &str| asset.target.trim_end_matches('/') == path.trim_end_matches('/');
        let has = |path: &String| assets.iter().any(|asset| is(asset, path));
        let unknown: Vec<String> = self.without.iter().filter(|path| !has(path)).cloned().collect();
        assets.retain(|asset| !self.without.iter().any(|path| is(asset, path)));
        for name in &self.assets {
            let found = aws
                .describe_object(&library.bucket, &name.key(&library.layout))
                .await?;
            let asset = match (&found, &name.path) {
                // Nothing knows its name: that it is missing is what counts.
                (None, None) => AssetName {
                    path: Some("missing".to_owned()),
                    ..name.clone()
                }
                .asset(&library.layout, None)?,
                _ => name.asset(&library.layout, found.as_ref())?,
            };
            assets.retain(|other| other.target != asset.target);
            assets.push(asset);
        }
        Ok((assets, unknown))
    }

    /// What is at the place of each copy.
    async fn copies(
        &self,
        id: &BundleId,
        assets: &[Asset],
        objects: &[Option<Described>],
    ) -> Result<Vec<There>> {
        if self.draft.workflow.is_none() {
            return Ok(Vec::new());
        }
        let (aws, bucket) = (&self.ctx.aws, self.library.bucket.as_str());
        let prefix = self.prefix(id);
        let look = |(asset, object): (&Asset, &Option<Described>)| {
            let key = format!("{prefix}/{}", asset.target);
            let large = object.as_ref().is_some_and(|object| object.size > self.part());
            async move {
                if let Some(object) = aws.describe_object(bucket, &key).await? {
                    return Ok(There::Object(object));
                }
                let left = if large {
                    aws.upload_of(bucket, &key).await?
                } else {
                    None
                };
                Ok::<_, CtlError>(There::Nothing { left })
            }
        };
        // The futures borrow the closure's names: made first, polled afterwards.
        let looks: Vec<_> = assets.iter().zip(objects).map(look).collect();
        stream::iter(looks).buffered(AT_ONCE).try_collect().await
    }

    /// Bytes of a part.
    fn part(&self) -> u64 {
        self.part_size * MIB
    }

    fn prefix(&self, id: &BundleId) -> String {
        self.library
            .layout
            .bundle_prefix(self.draft.workflow.as_ref(), id)
    }

    fn entry(&self, id: &BundleId) -> Entry {
        Entry {
            slug: self.draft.workflow.clone(),
            id: id.clone(),
            written: None,
        }
    }

    fn put(&self, key: &str, text: &str) -> PutObject {
        PutObject {
            bucket: self.library.bucket.clone(),
            key: key.to_owned(),
            content_type: "application/json",
            sha256: Some(Sha256::of(text.as_bytes()).to_base64()),
            length: Some(text.len() as u64),
            file: None,
            replaces: false,
            body: text.to_owned().into_bytes().into(),
        }
    }
}

impl Change for Create<'_> {
    const NAME: &'static str = "bundle create";
    type Seen = Seen;
    type Action = Work;
    type Output = ();
    type Ending = ();
    type Document = CreateResult;

    fn words(&self) -> Words {
        Words {
            goal: match &self.draft.name {
                Some(name) => format!("create the bundle `{name}`"),
                None => "create the bundle".to_owned(),
            },
            thing: "object",
            settle: "see its objects in S3".to_owned(),
            following: String::new(),
        }
    }

    async fn observe(&self, _target: &Target, _recent: &[Record]) -> Result<Seen> {
        let (aws, library) = (&self.ctx.aws, &self.library);
        let (mut assets, unknown) = self.wanted().await?;
        let keys: Vec<String> = assets.iter().map(|asset| asset.key.clone()).collect();
        let objects: Vec<Option<Described>> = stream::iter(keys)
            .map(|key| async move { aws.describe_object(&library.bucket, &key).await })
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        for (asset, object) in assets.iter_mut().zip(&objects) {
            asset.size = object.as_ref().map(|object| object.size).or(asset.size);
        }
        let id = self.draft.id(&assets)?;
        let copies = self.copies(&id, &assets, &objects).await?;
        Ok(Seen {
            there: library.manifest(&self.entry(&id)).await?,
            id,
            assets,
            objects,
            copies,
            unknown,
        })
    }

    fn plan(&self, seen: &Seen, basis: &Basis<'_>) -> Result<Plan<Work>> {
        let Seen { id, assets, .. } = seen;
        let mut plan = Plan::new(self.title(seen), Vec::new());
        let mut refuse =
            |kind, reason: String, hint: Hint| plan.blockers.push(Blocker { kind, reason, hint });
        for path in &seen.unknown {
            refuse(
                ErrorKind::Usage,
                format!("leave out `{path}`: the other bundle has nothing at this path"),
                Hint::new("see the paths of a bundle with")
                    .command(CommandLine::bpctl(["bundle", "show", "--help"])),
            );
        }
        let mut missing: Vec<&str> = Vec::new();
        for (asset, object) in assets.iter().zip(&seen.objects) {
            if object.is_none() && !missing.contains(&asset.key.as_str()) {
                missing.push(&asset.key);
            }
        }
        for key in missing {
            refuse(
                ErrorKind::NotFound,
                format!("create the bundle: there is no object `{key}`"),
                Hint::new("upload the file first with")
                    .command(CommandLine::bpctl(["bundle", "upload", "FILE", "--kind", "KIND"])),
            );
        }
        let written = self.draft.written(assets, &self.prefix(id));
        match &seen.there {
            Some(there) if is_same(&there.assets, &written) && there.name == self.draft.name => {
                return Ok(plan);
            }
            Some(_) => refuse(
                ErrorKind::Conflict,
                format!("create the bundle: there is another bundle {id} already"),
                Hint::new("choose another `--id`"),
            ),
            None => {}
        }
        let manifest = self.draft.manifest(id, written);
        for problem in of_manifest(&manifest, &self.library.layout, self.draft.workflow.as_ref(), id) {
            refuse(
                ErrorKind::Usage,
                format!("create the bundle: {}: {}", problem.about, problem.what),
                Hint::new("choose other assets or paths"),
            );
        }
        let sources = assets.iter().zip(&seen.objects).zip(&seen.copies);
        let sources = sources.filter_map(|((asset, object), there)| Some((asset, object.as_ref()?, there)));
        let (copies, blockers) = copies::plan(&self.library.bucket, &self.prefix(id), self.part(), sources);
        plan.blockers.extend(blockers);
        let key = self.entry(id).key(&self.library.layout);
        let text = self.draft.text(&manifest, basis.now)?;
        let calls = vec![self.put(&key, &text).described()];
        let mut step = Step::new(
            id.to_string(),
            "write the manifest",
            calls,
            Work::Manifest { key, text },
        );
        step.needs = copies.iter().map(|copy| copy.id.clone()).collect();
        step.notes = manifest
            .assets
            .iter()
            .map(|asset| format!("{} {}", asset.kind, asset.target))
            .collect();
        plan.steps = copies;
        plan.steps.push(step);
        plan.at_once = COPIES;
        Ok(plan)
    }

    fn covers(&self, seen: &Seen, plan: &Plan<Work>) -> Vec<String> {
        let copies = plan.steps.iter().map(|step| step.id.clone());
        let manifest = seen.id.to_string();
        copies
            .filter(|id| *id != manifest)
            .chain([manifest.clone()])
            .collect()
    }

    async fn act(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        match step.action() {
            Work::Copy(copy) => copy.send(self, step).await,
            Work::Manifest { key, text } => {
                step.send(&self.ctx.aws, &self.put(key, text)).await?;
                Ok(Done::new(format!("wrote `{key}`")))
            }
        }
    }

    async fn verify(&self, seen: &Seen, run: &mut Verification<'_, Self>) -> Result<()> {
        let name = seen.id.to_string();
        let done: Vec<String> = run.done().into_iter().map(|(step, _)| step.id.clone()).collect();
        let (aws, bucket) = (&self.ctx.aws, self.library.bucket.as_str());
        let prefix = self.prefix(&seen.id);
        for (asset, object) in seen.assets.iter().zip(&seen.objects) {
            if !done.contains(&asset.target) {
                continue;
            }
            let copy = aws
                .describe_object(bucket, &format!("{prefix}/{}", asset.target))
                .await?;
            let wanted = object.as_ref().map(|object| object.size);
            let end = match copy {
                Some(copy) if Some(copy.size) == wanted => End::Settled,
                Some(copy) => End::Overturned(format!("{} has {} bytes", asset.target, copy.size)),
                None => End::Overturned(format!("{} is not there any more", asset.target)),
            };
            run.end(&asset.target, end);
            run.ending(&asset.target, ());
        }
        if !done.contains(&name) {
            if seen.there.is_some() {
                run.ending(&name, ());
            }
            return Ok(());
        }
        let written = self.draft.written(&seen.assets, &prefix);
        let end = match self.library.manifest(&self.entry(&seen.id)).await? {
            Some(there) if is_same(&there.assets, &written) => End::Settled,
            Some(_) => End::Overturned(format!("bundle {name} has other assets by now")),
            None => End::Overturned(format!("bundle {name} is not there any more")),
        };
        run.end(&name, end);
        run.ending(&name, ());
        Ok(())
    }

    fn document(&self, seen: &Seen, outcome: &Outcome<Self>) -> Option<CreateResult> {
        let name = seen.id.to_string();
        outcome.endings.get(&name)?;
        Some(CreateResult {
            run: outcome.run.clone(),
            name: self.draft.name.clone(),
            workflow: self.draft.workflow.as_ref().map(ToString::to_string),
            manifest_key: self.entry(&seen.id).key(&self.library.layout),
            assets: seen.assets.len(),
            size_bytes: seen.bytes(),
            created: outcome.step(&name).is_some(),
            bundle: self.entry(&seen.id).label(),
        })
    }

    fn resume(&self, _left: &[&str]) -> CommandLine {
        let mut command = CommandLine::bpctl(["bundle", "create"]);
        if let Some(name) = &self.draft.name {
            command = command.option("--name", name);
        }
        if let Some(workflow) = &self.draft.workflow {
            command = command.option("--workflow", workflow.to_string());
        }
        for asset in &self.assets {
            command = command.option("--asset", asset.to_string());
        }
        if let Some(from) = &self.from {
            command = command.option("--from", from.to_string());
        }
        for path in &self.without {
            command = command.option("--without", path);
        }
        if let Some(notes) = &self.draft.notes {
            command = command.option("--notes", notes);
        }
        match &self.draft.id {
            Some(id) => command.option("--id", id.to_string()),
            None => command,
        }
    }
}

impl Create<'_> {
    fn title(&self, seen: &Seen) -> String {
        let label = self.entry(&seen.id).label();
        let named = self.draft.name.iter().map(|name| format!(" (`{name}`)"));
        let named: String = named.collect();
        format!(
            "create bundle {label}{named} of {}, {}",
            counted(seen.assets.len() as u64, "asset"),
            size(seen.bytes())
        )
    }
}

impl Seen {
    /// Of all assets, each object once.
    fn bytes(&self) -> u64 {
        let mut keys: Vec<(&str, u64)> = self
            .assets
            .iter()
            .zip(&self.objects)
            .filter_map(|(asset, object)| Some((asset.key.as_str(), object.as_ref()?.size)))
            .collect();
        keys.sort_unstable();
        keys.dedup();
        keys.iter().map(|(_, size)| size).sum()
    }
}
