//! `bpctl bundle create`: a manifest of assets that are there already. It is written last, so that no bundle is ever
//! seen half-made.

use std::fmt;
use std::str::FromStr;

use clap::Args;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::library::{Entry, Library};
use super::name::BundleName;
use super::text::{counted, size};
use crate::aws::s3::objects::Described;
use crate::aws::s3::upload::PutObject;
use crate::bundle::{Action, Asset, Format, Kind, Manifest, Sha256, of_manifest};
use crate::change::journal::Record;
use crate::change::{
    Basis, Blocker, Call as _, Change, ChangeArgs, Done, End, Outcome, Plan, RunId, Step, StepRun, Target,
    Verification, Words, carry_out,
};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};
use crate::exit::ExitStatus;
use crate::iam::{CHANGE, On, Use, Uses};
use crate::layout::{BundleId, InvalidName, LayoutKind};
use crate::output::{Render, Table, View};

/// Make a bundle of assets that have been uploaded
///
/// Writes a manifest once every object that it names is there. Its id follows from its content: the same command makes
/// the same bundle. Only for the layout `single`; in the staged layout bundles are copies that the administration
/// makes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl bundle create --name v2 --asset lora/7be0490ecaf9c8f4ecfd59ed5649cd35f4ba4fc1993cd3a4c1d8e1f3f6d5222c=orbit.safetensors
  bpctl bundle create --name v3 --from c81d4e2e --without models/loras/camera_orbit.safetensors
  bpctl bundle create --name v3 --from c81d4e2e --notes 'the same, named again' --dry-run")]
pub(crate) struct CreateArgs {
    /// What people call the bundle
    #[arg(long, value_name = "TEXT", value_parser = line)]
    name: String,

    /// An asset as `bundle upload` prints it, and where it goes below its kind's folder
    #[arg(long = "asset", value_name = "KIND/SHA256[=PATH]", value_parser = asset_name)]
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

fn bundle_id(text: &str) -> Result<BundleId, String> {
    text.parse().map_err(|error: InvalidName| error.to_string())
}

fn asset_name(text: &str) -> Result<AssetName, String> {
    text.parse()
}

/// An asset on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
struct AssetName {
    kind: Kind,
    sha256: Sha256,
    /// Below the folder of the kind, or from the ComfyUI root.
    path: Option<String>,
}

impl FromStr for AssetName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (asset, path) = match text.split_once('=') {
            Some((asset, path)) => (asset, Some(path.to_owned())),
            None => (text, None),
        };
        let asset = asset.strip_prefix("assets/").unwrap_or(asset);
        let (kind, digest) = asset
            .split_once('/')
            .ok_or_else(|| "write `KIND/SHA256`, as the upload of a file prints it".to_owned())?;
        Ok(Self {
            kind: Kind::named(kind).ok_or_else(|| format!("there is no kind `{kind}`"))?,
            sha256: digest
                .parse()
                .map_err(|expected| format!("`{digest}` is no SHA-256 digest: {expected}"))?,
            path,
        })
    }
}

impl fmt::Display for AssetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.as_str(), self.sha256)?;
        self.path.iter().try_for_each(|path| write!(f, "={path}"))
    }
}

impl Verb for CreateArgs {
    fn uses() -> Uses {
        Uses::of(&[
            CHANGE,
            &[
                Use::of("s3:GetObject", On::Assets),
                Use::of("s3:GetObject", On::Bundles),
                Use::of("s3:ListBucket", On::ModelsBucket),
                Use::of("s3:PutObject", On::Bundles),
            ],
        ])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        if layout.kind() == LayoutKind::Staged {
            return Err(CtlError::usage(
                "create a bundle: in the layout `staged` bundles are copies that the administration makes",
            )
            .hint("open Admin → Assets of the application"));
        }
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
        let change = Create {
            ctx,
            library: ctx.unless_interrupted(Library::open(ctx)).await?,
            name: self.name,
            assets: self.assets,
            from: self.from,
            without: self.without,
            notes: self.notes,
            id: self.id,
        };
        carry_out(ctx, &change, &self.change).await
    }
}

struct Create<'a> {
    ctx: &'a Ctx,
    library: Library<'a>,
    name: String,
    assets: Vec<AssetName>,
    from: Option<BundleName>,
    without: Vec<String>,
    notes: Option<String>,
    id: Option<BundleId>,
}

/// The bundle that is to be, and what is there.
#[derive(Debug)]
struct Seen {
    id: BundleId,
    assets: Vec<Asset>,
    /// Of all assets.
    bytes: u64,
    /// Keys that are not there.
    missing: Vec<String>,
    /// Paths of `--without` that the other bundle has not.
    unknown: Vec<String>,
    /// What is at the place of the manifest.
    there: Option<Manifest>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct WriteManifest {
    key: String,
    text: String,
}

/// The result document.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct CreateResult {
    run: RunId,
    bundle: String,
    name: String,
    manifest_key: String,
    assets: usize,
    size_bytes: u64,
    /// Whether this run has written it; it was there already otherwise.
    created: bool,
}

impl Create<'_> {
    /// The asset of a name, as a manifest has it. `found` knows the name that the file was uploaded under.
    fn asset(&self, name: &AssetName, found: Option<&Described>) -> Result<Asset> {
        let uploaded = found.and_then(|object| object.file.clone());
        let folder = name.kind.folder();
        let path = match (&name.path, &uploaded) {
            (Some(path), _) => path.clone(),
            (None, Some(file)) => file.clone(),
            (None, None) => {
                return Err(CtlError::usage(format!(
                    "place the asset `{name}`: it was uploaded without the name of its file"
                ))
                .hint(format!("write `--asset {name}=FILE`")));
            }
        };
        let file = path.rsplit('/').next().unwrap_or_default().to_owned();
        let action = Action::of_file(name.kind, uploaded.as_deref().unwrap_or(&file));
        // An archive's place is the folder that it is unpacked into.
        let path = match (&name.path, action) {
            (None, Action::ExtractZip) => path.trim_end_matches(".zip").to_owned(),
            (None, Action::ExtractTarGz) => path
                .trim_end_matches(".tar.gz")
                .trim_end_matches(".tgz")
                .to_owned(),
            _ => path,
        };
        let below = path
            .strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/'));
        Ok(Asset {
            id: None,
            kind: name.kind.as_str().to_owned(),
            sha256: Some(name.sha256.to_string()),
            key: self
                .library
                .layout
                .asset_key(name.kind.as_str(), &name.sha256.to_string()),
            file: Some(uploaded.unwrap_or(file)),
            size: None,
            target: if below { path } else { format!("{folder}/{path}") },
            action: action.as_str().to_owned(),
        })
    }

    /// The members of a manifest that say what the bundle is.
    fn content(&self, assets: &[Asset]) -> Value {
        let assets: Vec<Value> = assets
            .iter()
            .map(|asset| {
                json!({
                    "asset_id": asset.id,
                    "kind": asset.kind,
                    "sha256": asset.sha256,
                    "asset_s3_key": asset.key,
                    "original_filename": asset.file,
                    "target_path": asset.target,
                    "action": asset.action,
                })
            })
            .collect();
        json!({ "name": self.name, "notes": self.notes, "assets": assets })
    }

    /// A UUID (version 8) of the content: the same command makes the same bundle.
    fn id(&self, assets: &[Asset]) -> Result<BundleId> {
        if let Some(id) = &self.id {
            return Ok(id.clone());
        }
        let hex = Sha256::of(self.content(assets).to_string().as_bytes()).to_string();
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default().to_owned();
        let id = format!(
            "{}-{}-8{}-a{}-{}",
            part(0, 8),
            part(8, 12),
            part(13, 16),
            part(17, 20),
            part(20, 32)
        );
        id.parse().map_err(|error: InvalidName| {
            CtlError::new(ErrorKind::Unexpected, "name the bundle").source(&error)
        })
    }

    fn text(&self, id: &BundleId, assets: &[Asset], now: jiff::Timestamp) -> Result<String> {
        let content = self.content(assets);
        let manifest = json!({
            "manifest_version": 1,
            "bundle_id": id,
            "name": content["name"],
            "created_at": now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "notes": content["notes"],
            "assets": content["assets"],
        });
        serde_json::to_string_pretty(&manifest)
            .map_err(|error| CtlError::new(ErrorKind::Unexpected, "write the manifest").source(&error))
    }

    fn request(&self, action: &WriteManifest) -> PutObject {
        PutObject {
            bucket: self.library.bucket.clone(),
            key: action.key.clone(),
            content_type: "application/json",
            sha256: Some(Sha256::of(action.text.as_bytes()).to_base64()),
            length: Some(action.text.len() as u64),
            file: None,
            replaces: false,
            body: action.text.clone().into_bytes().into(),
        }
    }
}

fn is_same(one: &[Asset], other: &[Asset]) -> bool {
    let key = |asset: &Asset| (asset.target.clone(), asset.key.clone(), asset.action.clone());
    let sorted = |assets: &[Asset]| {
        let mut keys: Vec<_> = assets.iter().map(key).collect();
        keys.sort();
        keys
    };
    sorted(one) == sorted(other)
}

impl Change for Create<'_> {
    const NAME: &'static str = "bundle create";
    type Seen = Seen;
    type Action = WriteManifest;
    type Output = ();
    type Ending = ();
    type Document = CreateResult;

    fn words(&self) -> Words {
        Words {
            goal: format!("create the bundle `{}`", self.name),
            thing: "manifest",
            settle: "see the manifest in S3".to_owned(),
            following: String::new(),
        }
    }

    async fn observe(&self, _target: &Target, _recent: &[Record]) -> Result<Seen> {
        let (aws, library) = (&self.ctx.aws, &self.library);
        let mut assets = match &self.from {
            Some(name) => library.find(name, None).await?.manifest.assets,
            None => Vec::new(),
        };
        let has = |path: &String| {
            assets
                .iter()
                .any(|asset| asset.target.trim_end_matches('/') == path.trim_end_matches('/'))
        };
        let unknown: Vec<String> = self.without.iter().filter(|path| !has(path)).cloned().collect();
        assets.retain(|asset| {
            !self
                .without
                .iter()
                .any(|path| path.trim_end_matches('/') == asset.target.trim_end_matches('/'))
        });
        for name in &self.assets {
            let key = library
                .layout
                .asset_key(name.kind.as_str(), &name.sha256.to_string());
            let found = aws.describe_object(&library.bucket, &key).await?;
            let asset = match (&found, &name.path) {
                // Nothing knows its name: that it is missing is what counts.
                (None, None) => self.asset(
                    &AssetName {
                        path: Some("missing".to_owned()),
                        ..name.clone()
                    },
                    None,
                )?,
                _ => self.asset(name, found.as_ref())?,
            };
            assets.retain(|other| other.target != asset.target);
            assets.push(asset);
        }
        let mut keys: Vec<String> = assets.iter().map(|asset| asset.key.clone()).collect();
        keys.sort();
        keys.dedup();
        let sizes: Vec<(String, Option<u64>)> = stream::iter(keys)
            .map(|key| async move {
                let found = aws.describe_object(&library.bucket, &key).await?;
                Ok::<_, CtlError>((key, found.map(|object| object.size)))
            })
            .buffered(16)
            .try_collect()
            .await?;
        let id = self.id(&assets)?;
        let entry = Entry {
            slug: None,
            id: id.clone(),
            written: None,
        };
        Ok(Seen {
            there: library.manifest(&entry).await?,
            bytes: sizes.iter().filter_map(|(_, size)| *size).sum(),
            missing: sizes
                .into_iter()
                .filter(|(_, size)| size.is_none())
                .map(|(key, _)| key)
                .collect(),
            id,
            assets,
            unknown,
        })
    }

    fn plan(&self, seen: &Seen, basis: &Basis<'_>) -> Result<Plan<WriteManifest>> {
        let Seen { id, assets, .. } = seen;
        let title = format!(
            "create bundle {id} (`{}`) of {}, {}",
            self.name,
            counted(assets.len() as u64, "asset"),
            size(seen.bytes)
        );
        let mut plan = Plan::new(title, Vec::new());
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
        for key in &seen.missing {
            refuse(
                ErrorKind::NotFound,
                format!("create the bundle: there is no object `{key}`"),
                Hint::new("upload the file first with")
                    .command(CommandLine::bpctl(["bundle", "upload", "FILE", "--kind", "KIND"])),
            );
        }
        match &seen.there {
            Some(there)
                if is_same(&there.assets, assets) && there.name.as_deref() == Some(self.name.as_str()) =>
            {
                return Ok(plan);
            }
            Some(_) => refuse(
                ErrorKind::Conflict,
                format!("create the bundle: there is another bundle {id} already"),
                Hint::new("choose another `--id`"),
            ),
            None => {}
        }
        let manifest = Manifest {
            format: Format::Manifest,
            bundle_id: id.to_string(),
            name: Some(self.name.clone()),
            slug: None,
            created_at: None,
            notes: self.notes.clone(),
            assets: assets.clone(),
        };
        for problem in of_manifest(&manifest, &self.library.layout, None, id) {
            refuse(
                ErrorKind::Usage,
                format!("create the bundle: {}: {}", problem.about, problem.what),
                Hint::new("choose other assets or paths"),
            );
        }
        let action = WriteManifest {
            key: self.library.layout.manifest_key(None, id),
            text: self.text(id, assets, basis.now)?,
        };
        let calls = vec![self.request(&action).described()];
        let mut step = Step::new(id.to_string(), "write the manifest", calls, action);
        step.notes = assets
            .iter()
            .map(|asset| format!("{} {}", asset.kind, asset.target))
            .collect();
        plan.steps.push(step);
        Ok(plan)
    }

    fn covers(&self, seen: &Seen, _plan: &Plan<WriteManifest>) -> Vec<String> {
        vec![seen.id.to_string()]
    }

    async fn act(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        let action = step.action();
        step.send(&self.ctx.aws, &self.request(action)).await?;
        Ok(Done::new(format!("wrote `{}`", action.key)))
    }

    async fn verify(&self, seen: &Seen, run: &mut Verification<'_, Self>) -> Result<()> {
        let name = seen.id.to_string();
        if run.done().is_empty() {
            if seen.there.is_some() {
                run.ending(&name, ());
            }
            return Ok(());
        }
        let entry = Entry {
            slug: None,
            id: seen.id.clone(),
            written: None,
        };
        let end = match self.library.manifest(&entry).await? {
            Some(there) if is_same(&there.assets, &seen.assets) => End::Settled,
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
            name: self.name.clone(),
            manifest_key: self.library.layout.manifest_key(None, &seen.id),
            assets: seen.assets.len(),
            size_bytes: seen.bytes,
            created: outcome.step(&name).is_some(),
            bundle: name,
        })
    }

    fn resume(&self, _left: &[&str]) -> CommandLine {
        let mut command = CommandLine::bpctl(["bundle", "create"]).option("--name", &self.name);
        for asset in &self.assets {
            command = command.option("--asset", asset.to_string());
        }
        if let Some(from) = &self.from {
            command = command.option("--from", from.to_string());
        }
        for path in &self.without {
            command = command.option("--without", path);
        }
        if let Some(notes) = &self.notes {
            command = command.option("--notes", notes);
        }
        match &self.id {
            Some(id) => command.option("--id", id.to_string()),
            None => command,
        }
    }
}

impl Render for CreateResult {
    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["BUNDLE", "ASSETS", "SIZE", "STATE", "NAME"]);
        table.row([
            self.bundle.clone(),
            self.assets.to_string(),
            size(self.size_bytes),
            if self.created { "created" } else { "was there" }.to_owned(),
            self.name.clone(),
        ]);
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        vec![self.bundle.clone()]
    }
}
