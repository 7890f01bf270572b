//! What the CDK's stacks ask of the account before their own deployment (AWS CDK Developer Guide, "Bootstrapping"): a
//! version, in a parameter whose name holds the qualifier.

use std::path::Path;

use serde_json::Value;

use super::assembly::json;
use crate::error::Result;

/// The qualifier of an app that names none.
pub(crate) const QUALIFIER: &str = "hnb659fds";

/// The bootstrap stack of an app that names none.
pub(crate) const TOOLKIT: &str = "CDKToolkit";

/// How an app wants the account to be prepared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bootstrap {
    /// Name of the stack.
    pub(crate) stack: String,
    /// What tells its things from those of another bootstrap.
    pub(crate) qualifier: String,
    /// The least version that its stacks accept; `None` when nothing says one.
    pub(crate) wanted: Option<u32>,
}

impl Bootstrap {
    /// From `cdk.json` and the cloud assembly, each as far as it is there. The assembly knows better: the code of an
    /// app can choose another qualifier than its file.
    ///
    /// # Errors
    /// A file that is there and is no JSON.
    pub(crate) fn of(app: Option<&Path>, assembly: Option<&Path>) -> Result<Self> {
        let mut found = Self {
            stack: TOOLKIT.to_owned(),
            qualifier: QUALIFIER.to_owned(),
            wanted: None,
        };
        if let Some(settings) = read(app, "cdk.json")? {
            found.take(
                settings["toolkitStackName"].as_str(),
                settings["context"]["@aws-cdk/core:bootstrapQualifier"].as_str(),
            );
        }
        let Some(manifest) = read(assembly, "manifest.json")? else {
            return Ok(found);
        };
        for (_, artifact) in manifest["artifacts"].as_object().into_iter().flatten() {
            let properties = &artifact["properties"];
            // As the CDK calls it in the manifest of a stack, and in that of its assets.
            let version = properties["requiresBootstrapStackVersion"].as_u64();
            let version = version.and_then(|version| u32::try_from(version).ok());
            let parameter = properties["bootstrapStackVersionSsmParameter"].as_str();
            found.wanted = found.wanted.max(version);
            found.take(None, parameter.and_then(qualifier_in));
        }
        Ok(found)
    }

    fn take(&mut self, stack: Option<&str>, qualifier: Option<&str>) {
        if let Some(stack) = stack.filter(|stack| !stack.is_empty()) {
            stack.clone_into(&mut self.stack);
        }
        if let Some(qualifier) = qualifier.filter(|qualifier| !qualifier.is_empty()) {
            qualifier.clone_into(&mut self.qualifier);
        }
    }

    /// The parameter that holds the version.
    pub(crate) fn parameter(&self) -> String {
        format!("/cdk-bootstrap/{}/version", self.qualifier)
    }

    /// The bucket for files, unless the stack's outputs name another one.
    pub(crate) fn bucket(&self, account: &str, region: &str) -> String {
        format!("cdk-{}-assets-{account}-{region}", self.qualifier)
    }

    /// The repository for images, likewise.
    pub(crate) fn repository(&self, account: &str, region: &str) -> String {
        format!("cdk-{}-container-assets-{account}-{region}", self.qualifier)
    }
}

/// A file of a folder; `None` when there is no such file.
fn read(folder: Option<&Path>, file: &str) -> Result<Option<Value>> {
    let path = folder.map(|folder| folder.join(file));
    path.filter(|path| path.is_file())
        .map(|path| json(&path))
        .transpose()
}

/// The qualifier in `/cdk-bootstrap/QUALIFIER/version`.
fn qualifier_in(parameter: &str) -> Option<&str> {
    let rest = parameter.strip_prefix("/cdk-bootstrap/")?;
    rest.strip_suffix("/version")
        .filter(|qualifier| !qualifier.contains('/'))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;

    fn wants(files: &[(&str, Value)]) -> Bootstrap {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            fs::write(folder.path().join(name), content.to_string()).unwrap();
        }
        Bootstrap::of(Some(folder.path()), Some(folder.path())).unwrap()
    }

    #[test]
    fn an_app_that_says_nothing_has_the_names_of_the_cdk() {
        let found = wants(&[]);
        assert_eq!(
            (found.stack.as_str(), found.parameter().as_str(), found.wanted),
            ("CDKToolkit", "/cdk-bootstrap/hnb659fds/version", None)
        );
        assert_eq!(
            found.bucket("123456789012", "us-east-1"),
            "cdk-hnb659fds-assets-123456789012-us-east-1"
        );
    }

    #[test]
    fn the_greatest_version_of_all_stacks_counts_and_the_assembly_names_the_qualifier() {
        let stack = |version: u32| {
            json!({ "properties": {
                "requiresBootstrapStackVersion": version,
                "bootstrapStackVersionSsmParameter": "/cdk-bootstrap/ours/version",
            } })
        };
        let settings = json!({
            "toolkitStackName": "OurToolkit",
            "context": { "@aws-cdk/core:bootstrapQualifier": "theirs" },
        });
        let manifest = json!({ "artifacts": { "a": stack(6), "b": stack(8), "c": { "properties": {} } } });
        let found = wants(&[("cdk.json", settings.clone()), ("manifest.json", manifest)]);
        let expected = Bootstrap {
            stack: "OurToolkit".to_owned(),
            qualifier: "ours".to_owned(),
            wanted: Some(8),
        };
        assert_eq!(found, expected);
        assert_eq!(wants(&[("cdk.json", settings)]).qualifier, "theirs");
    }
}
