//! A cloud assembly: the folder that `cdk synth` writes (AWS CDK reference, "Cloud assemblies";
//! `manifest.json` by the schema of `@aws-cdk/cloud-assembly-schema`).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{CtlError, Result};
use crate::files;

/// Bytes of a manifest or template: 64 MiB.
const LIMIT: u64 = files::DATA_LIMIT;

/// Every stack of an assembly.
#[derive(Debug)]
pub(crate) struct Assembly {
    pub(crate) folder: PathBuf,
    pub(crate) stacks: Vec<StackArtifact>,
}

/// A stack as the CDK made it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StackArtifact {
    pub(crate) name: String,
    /// Names of the stacks that must be there first.
    pub(crate) needs: Vec<String>,
    pub(crate) template: Value,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) termination_protection: bool,
    /// The role that CloudFormation works with, as an ARN.
    pub(crate) role: Option<String>,
    /// Where publishing puts the template: `https://…`.
    pub(crate) template_url: Option<String>,
    /// The manifest of its assets; its template is one of them.
    pub(crate) assets: Option<PathBuf>,
    /// Whether something besides the template is to be published.
    pub(crate) has_files: bool,
}

#[derive(Deserialize)]
struct Manifest {
    artifacts: Option<BTreeMap<String, Artifact>>,
    /// Context values that the CDK has to look up in the account first.
    #[serde(default)]
    missing: Vec<Value>,
}

#[derive(Deserialize)]
struct Artifact {
    #[serde(rename = "type")]
    kind: String,
    environment: Option<String>,
    #[serde(default)]
    properties: Properties,
    #[serde(default)]
    dependencies: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Properties {
    file: Option<String>,
    template_file: Option<String>,
    stack_name: Option<String>,
    tags: BTreeMap<String, String>,
    termination_protection: bool,
    cloud_formation_execution_role_arn: Option<String>,
    stack_template_asset_object_url: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AssetManifest {
    #[serde(default)]
    files: BTreeMap<String, FileAsset>,
    #[serde(default)]
    docker_images: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct FileAsset {
    source: FileSource,
}

#[derive(Deserialize)]
struct FileSource {
    path: Option<String>,
}

/// The account and region that stacks are for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Environment<'a> {
    pub(crate) partition: &'a str,
    pub(crate) account: &'a str,
    pub(crate) region: &'a str,
}

impl Assembly {
    /// Reads the assembly in `folder`.
    ///
    /// # Errors
    /// It is none, it is incomplete, or a stack of it is for another account or region.
    pub(crate) fn read(folder: &Path, here: Environment<'_>) -> Result<Self> {
        let manifest: Manifest = json(&folder.join("manifest.json"))?;
        if let Some(missing) = manifest.missing.first() {
            let key = missing["key"].as_str().unwrap_or("a value");
            return Err(CtlError::config(format!(
                "read the cloud assembly `{}`: the app asks for `{key}` of its context, which only the CDK looks up",
                folder.display()
            ))
            .hint("let the CDK make the templates once in the app's folder, and keep the `cdk.context.json` that it writes"));
        }
        let artifacts = manifest.artifacts.unwrap_or_default();
        let mut stacks = Vec::new();
        for (id, artifact) in &artifacts {
            if artifact.kind == "aws:cloudformation:stack" {
                stacks.push(stack(folder, here, &artifacts, id, artifact)?);
            }
        }
        if stacks.is_empty() {
            return Err(CtlError::config(format!(
                "read the cloud assembly `{}`: there is no stack in it",
                folder.display()
            )));
        }
        Ok(Self {
            folder: folder.to_owned(),
            stacks: ordered(stacks, folder)?,
        })
    }

    pub(crate) fn stack(&self, name: &str) -> Option<&StackArtifact> {
        self.stacks.iter().find(|stack| stack.name == name)
    }
}

impl StackArtifact {
    /// The template as one line.
    pub(crate) fn body(&self) -> String {
        self.template.to_string()
    }

    /// The names under which it imports what other stacks export.
    pub(crate) fn imports(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        imports(&self.template, &mut names);
        names
    }

    /// The names under which it exports outputs, where they are plain texts.
    pub(crate) fn exports(&self) -> BTreeSet<&str> {
        let outputs = self.template["Outputs"].as_object().into_iter().flatten();
        outputs
            .filter_map(|(_, output)| output["Export"]["Name"].as_str())
            .collect()
    }
}

fn imports<'a>(value: &'a Value, names: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(import) if name == "Fn::ImportValue" => {
                        names.insert(import);
                    }
                    _ => imports(member, names),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| imports(item, names)),
        _ => {}
    }
}

fn stack(
    folder: &Path,
    here: Environment<'_>,
    artifacts: &BTreeMap<String, Artifact>,
    id: &str,
    artifact: &Artifact,
) -> Result<StackArtifact> {
    let name = name_of(id, artifact);
    check_environment(name, artifact.environment.as_deref(), here)?;
    let properties = &artifact.properties;
    let file = properties
        .template_file
        .as_deref()
        .ok_or_else(|| broken(folder, &format!("stack `{name}` names no template")))?;
    let template: Value = json(&inside(folder, file)?)?;
    if !template["Resources"].is_object() {
        return Err(broken(
            folder,
            &format!("the template of `{name}` has no resources"),
        ));
    }
    let mut needs = Vec::new();
    let (mut assets, mut has_files) = (None, false);
    for dependency in &artifact.dependencies {
        let Some(other) = artifacts.get(dependency) else {
            return Err(broken(
                folder,
                &format!("`{name}` needs `{dependency}`, which is not there"),
            ));
        };
        match other.kind.as_str() {
            "aws:cloudformation:stack" => needs.push(name_of(dependency, other).to_owned()),
            "cdk:asset-manifest" => {
                if let Some(manifest) = other.properties.file.as_deref() {
                    let path = inside(folder, manifest)?;
                    has_files = has_files_besides(&path, file)?;
                    assets = Some(path);
                }
            }
            _ => {}
        }
    }
    let placed = |text: &String| {
        text.replace("${AWS::Partition}", here.partition)
            .replace("${AWS::AccountId}", here.account)
            .replace("${AWS::Region}", here.region)
    };
    let url = properties.stack_template_asset_object_url.as_ref().map(placed);
    Ok(StackArtifact {
        name: name.to_owned(),
        needs,
        template,
        tags: properties.tags.clone().into_iter().collect(),
        termination_protection: properties.termination_protection,
        role: properties.cloud_formation_execution_role_arn.as_ref().map(placed),
        template_url: url.and_then(|url| https(&url, here.region)),
        assets,
        has_files,
    })
}

fn name_of<'a>(id: &'a str, artifact: &'a Artifact) -> &'a str {
    artifact.properties.stack_name.as_deref().unwrap_or(id)
}

/// `aws://123456789012/us-east-1`; `unknown-account` and `unknown-region` fit everywhere.
fn check_environment(stack: &str, environment: Option<&str>, here: Environment<'_>) -> Result<()> {
    let Some((account, region)) = environment
        .and_then(|text| text.strip_prefix("aws://"))
        .and_then(|text| text.split_once('/'))
    else {
        return Ok(());
    };
    let fits = |wanted: &str, unknown: &str, is: &str| wanted == unknown || wanted == is;
    if fits(account, "unknown-account", here.account) && fits(region, "unknown-region", here.region) {
        return Ok(());
    }
    Err(CtlError::config(format!(
        "deploy stack `{stack}`: the assembly was made for account {account} in {region}, and this is {} in {}",
        here.account, here.region
    ))
    .hint("make the assembly anew with the credentials of this context, or choose the other context"))
}

/// Whether a manifest has more than the template.
fn has_files_besides(manifest: &Path, template: &str) -> Result<bool> {
    let assets: AssetManifest = json(manifest)?;
    let mut files = assets.files.values();
    let others = files.any(|asset| asset.source.path.as_deref() != Some(template));
    Ok(others || !assets.docker_images.is_empty())
}

/// `s3://bucket/key` as CloudFormation takes it.
fn https(url: &str, region: &str) -> Option<String> {
    let (bucket, key) = url.strip_prefix("s3://")?.split_once('/')?;
    let domain = if region.starts_with("cn-") {
        "amazonaws.com.cn"
    } else {
        "amazonaws.com"
    };
    Some(format!("https://s3.{region}.{domain}/{bucket}/{key}"))
}

/// In an order in which each stack comes after those that it needs; otherwise by name.
fn ordered(mut left: Vec<StackArtifact>, folder: &Path) -> Result<Vec<StackArtifact>> {
    left.sort_by(|one, other| one.name.cmp(&other.name));
    let mut placed: Vec<StackArtifact> = Vec::new();
    while !left.is_empty() {
        let free = |stack: &StackArtifact| {
            !stack
                .needs
                .iter()
                .any(|need| left.iter().any(|other| other.name == *need))
        };
        let Some(next) = left.iter().position(free) else {
            return Err(broken(folder, "its stacks need each other in a circle"));
        };
        placed.push(left.remove(next));
    }
    Ok(placed)
}

/// A file of the assembly: nothing outside its folder is read.
fn inside(folder: &Path, file: &str) -> Result<PathBuf> {
    let path = Path::new(file);
    if path.components().all(|part| matches!(part, Component::Normal(_))) {
        Ok(folder.join(path))
    } else {
        Err(broken(folder, &format!("`{file}` is outside of it")))
    }
}

fn broken(folder: &Path, what: &str) -> CtlError {
    CtlError::config(format!("read the cloud assembly `{}`: {what}", folder.display()))
}

pub(super) fn json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let doing = || format!("read `{}`", path.display());
    let text = files::read_text(path, LIMIT).map_err(|error| {
        CtlError::config(doing())
            .source(&error)
            .hint("a cloud assembly is the folder that the CDK writes its templates into, usually `cdk.out`")
    })?;
    serde_json::from_str(&text).map_err(|error| CtlError::config(doing()).source(&error))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;

    const HERE: Environment<'static> = Environment {
        partition: "aws",
        account: "123456789012",
        region: "us-east-1",
    };

    fn written(manifest: &Value, files: &[(&str, Value)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("manifest.json"), manifest.to_string()).unwrap();
        for (name, content) in files {
            fs::write(folder.path().join(name), content.to_string()).unwrap();
        }
        folder
    }

    fn template() -> Value {
        json!({
            "Resources": { "P": { "Type": "AWS::SSM::Parameter", "Properties": {
                "Value": { "Fn::Join": ["", [{ "Fn::ImportValue": "bp-network:X" }]] },
            } } },
            "Outputs": { "O": { "Value": "v", "Export": { "Name": "bp-data:O" } } },
        })
    }

    fn stack_artifact(file: &str, environment: &str, dependencies: Value) -> Value {
        json!({
            "type": "aws:cloudformation:stack",
            "environment": environment,
            "properties": {
                "templateFile": file,
                "tags": { "Project": "bp" },
                "cloudFormationExecutionRoleArn": "arn:${AWS::Partition}:iam::123456789012:role/exec",
                "stackTemplateAssetObjectUrl": "s3://assets/x.json",
            },
            "dependencies": dependencies,
        })
    }

    fn here(name: &str) -> String {
        format!("aws://{}/{name}", HERE.account)
    }

    #[test]
    fn stacks_come_after_those_that_they_need() {
        let manifest = json!({ "version": "55.0.0", "artifacts": {
            "bp-a": stack_artifact("a.json", &here("us-east-1"), json!(["bp-z", "bp-a.assets"])),
            "bp-a.assets": { "type": "cdk:asset-manifest", "properties": { "file": "bp-a.assets.json" } },
            "bp-z": stack_artifact("z.json", "aws://unknown-account/unknown-region", json!([])),
            "Tree": { "type": "cdk:tree", "properties": { "file": "tree.json" } },
        } });
        let assets = json!({ "files": { "h": { "source": { "path": "a.json", "packaging": "file" } } } });
        let folder = written(
            &manifest,
            &[
                ("a.json", template()),
                ("z.json", template()),
                ("bp-a.assets.json", assets),
            ],
        );
        let assembly = Assembly::read(folder.path(), HERE).unwrap();
        let names: Vec<_> = assembly.stacks.iter().map(|stack| stack.name.as_str()).collect();
        assert_eq!(names, ["bp-z", "bp-a"]);
        let stack = assembly.stack("bp-a").unwrap();
        assert_eq!(stack.needs, ["bp-z"]);
        assert_eq!(stack.role.as_deref(), Some("arn:aws:iam::123456789012:role/exec"));
        assert_eq!(
            stack.template_url.as_deref(),
            Some("https://s3.us-east-1.amazonaws.com/assets/x.json")
        );
        // Its template alone needs no publishing while a request can carry it.
        assert!(!stack.has_files);
        assert!(stack.imports().contains("bp-network:X"));
        assert!(stack.exports().contains("bp-data:O"));
    }

    #[test]
    fn files_of_a_stack_are_published() {
        let manifest = json!({ "artifacts": {
            "bp-a": stack_artifact("a.json", &here("us-east-1"), json!(["x"])),
            "x": { "type": "cdk:asset-manifest", "properties": { "file": "x.json" } },
        } });
        let assets = json!({ "files": { "h": { "source": { "path": "asset.h", "packaging": "zip" } } } });
        let folder = written(&manifest, &[("a.json", template()), ("x.json", assets)]);
        let assembly = Assembly::read(folder.path(), HERE).unwrap();
        assert_eq!(assembly.stacks[0].assets, Some(folder.path().join("x.json")));
        assert!(assembly.stacks[0].has_files);
    }

    #[test]
    fn what_cannot_be_deployed_from_here_says_why() {
        for (manifest, words) in [
            (json!({ "artifacts": {} }), "no stack"),
            (
                json!({ "artifacts": { "s": stack_artifact("a.json", "aws://210987654321/us-east-1", json!([])) } }),
                "account 210987654321",
            ),
            (
                json!({ "artifacts": { "s": stack_artifact("../a.json", &here("us-east-1"), json!([])) } }),
                "outside",
            ),
            (
                json!({ "artifacts": { "s": stack_artifact("/etc/passwd", &here("us-east-1"), json!([])) } }),
                "outside",
            ),
            (
                json!({ "artifacts": { "s": stack_artifact("none.json", &here("us-east-1"), json!([])) } }),
                "none.json",
            ),
            (
                json!({ "artifacts": { "s": stack_artifact("a.json", &here("us-east-1"), json!(["gone"])) } }),
                "`gone`",
            ),
            (json!({ "missing": [{ "key": "vpc-provider" }] }), "vpc-provider"),
            (
                json!({ "artifacts": {
                    "s": stack_artifact("a.json", &here("us-east-1"), json!(["t"])),
                    "t": stack_artifact("a.json", &here("us-east-1"), json!(["s"])),
                } }),
                "circle",
            ),
        ] {
            let folder = written(&manifest, &[("a.json", template())]);
            let error = Assembly::read(folder.path(), HERE).unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
        }
    }
}
