//! Templates that bpctl makes itself, from a file of settings: the platform without the CDK.

use std::path::Path;

use blueprint::Settings;
use toml::{Table, Value};

use super::assembly::{Assembly, Environment, StackArtifact};
use crate::error::{CtlError, Result};
use crate::files;

impl Assembly {
    /// The stacks that the settings in `path` (TOML) describe, for this account and region.
    ///
    /// # Errors
    /// The file is none of settings, contradicts itself, or is for another account or region.
    pub(crate) fn built_in(path: &Path, here: Environment<'_>, prefix: &str) -> Result<Self> {
        Self::of(&settings(path, here, prefix)?, path)
    }

    /// The core of the platform as it is, without a domain and without fleets.
    ///
    /// # Errors
    /// The account or the region is none.
    pub(crate) fn of_the_platform(here: Environment<'_>, prefix: &str) -> Result<Self> {
        let mut settings = Settings::new(here.account, here.region);
        settings.prefix = prefix.to_owned();
        Self::of(&settings, Path::new("the built-in settings"))
    }

    fn of(settings: &Settings, path: &Path) -> Result<Self> {
        let stacks = blueprint::stacks(settings).map_err(|problems| {
            let error = wrong(path, "its settings do not fit together");
            problems.into_iter().fold(error, CtlError::cause)
        })?;
        Ok(Self {
            folder: path.to_owned(),
            stacks: stacks.into_iter().map(artifact).collect(),
        })
    }
}

/// Marks the templates that bpctl makes: a stack that others have made has other names inside.
const MARK: &str = "bpctl";

/// Whether a template is one of those that bpctl makes.
pub(crate) fn is_built_in(template: &serde_json::Value) -> bool {
    template["Metadata"][MARK].is_object()
}

fn artifact(stack: blueprint::Stack) -> StackArtifact {
    let mut template = stack.template;
    template["Metadata"] = serde_json::json!({ MARK: { "templates": "built-in" } });
    StackArtifact {
        name: stack.name,
        needs: stack.needs,
        template,
        tags: stack.tags,
        termination_protection: false,
        role: None,
        template_url: None,
        assets: None,
        has_files: false,
    }
}

fn settings(path: &Path, here: Environment<'_>, prefix: &str) -> Result<Settings> {
    let text = files::read_text(path, files::CONFIG_LIMIT)
        .map_err(|error| CtlError::config(format!("read `{}`", path.display())).source(&error))?;
    let mut table: Table =
        toml::from_str(&text).map_err(|error| wrong(path, "it is no TOML").cause(error.message()))?;
    for (key, is) in [
        ("account", here.account),
        ("region", here.region),
        ("prefix", prefix),
    ] {
        let given = table
            .entry(key.to_owned())
            .or_insert_with(|| Value::String(is.to_owned()));
        if given.as_str() != Some(is) {
            return Err(wrong(path, &format!("its `{key}` is {given}, and this is {is}")));
        }
    }
    Value::Table(table)
        .try_into()
        .map_err(|error: toml::de::Error| wrong(path, "a setting of it is wrong").cause(error.message()))
}

fn wrong(path: &Path, what: &str) -> CtlError {
    CtlError::config(format!("make the templates from `{}`: {what}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const HERE: Environment<'static> = Environment {
        partition: "aws",
        account: "123456789012",
        region: "us-east-1",
    };

    fn made(text: &str) -> Result<Assembly> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("platform.toml");
        fs::write(&path, text).unwrap();
        Assembly::built_in(&path, HERE, "bp")
    }

    #[test]
    fn an_empty_file_is_the_core_of_this_account() {
        let assembly = made("").unwrap();
        let names: Vec<&str> = assembly.stacks.iter().map(|stack| stack.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "bp-cicd",
                "bp-network",
                "bp-data",
                "bp-compute",
                "bp-monitoring",
                "bp-gpu-shared"
            ]
        );
        let compute = assembly.stack("bp-compute").unwrap();
        assert!(compute.needs.contains(&"bp-network".to_owned()));
        assert!(is_built_in(&compute.template));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, words) in [
            ("account = \"210987654321\"", "this is 123456789012"),
            ("region = \"eu-west-1\"", "this is us-east-1"),
            ("colour = \"red\"", "colour"),
            ("monthly_budget_usd = 5", "alert_email"),
            ("= 3", "no TOML"),
        ] {
            let error = made(text).unwrap_err();
            let said = format!("{error} {}", error.causes().join(" "));
            assert!(said.contains(words), "{said}");
            assert_eq!(error.exit_status().code(), 2);
        }
    }
}
