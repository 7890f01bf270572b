//! `bpctl diff contexts`: what somebody has decided differently in two contexts.

use std::collections::BTreeSet;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::compare::{COMPARED, Common, Difference, differences, things};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;
use crate::iam::{On, Use, Uses};
use crate::kinds::Kind;
use crate::layout::LayoutKind;
use crate::output::{Render, Table, View, counted};
use crate::settings::{self, ConfigFile};

/// Show how two contexts differ: sizes, images, alarms, fleets, stacks, parameters
///
/// Compared is what somebody has decided, not what happens at the moment. Account, region and, in the staged layout, the
/// stage are taken for the same. Values of secrets are not read.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl diff contexts staging production
  bpctl diff contexts staging production --kinds images,fleets
  bpctl diff contexts staging production --exit-code       status 9 when anything differs")]
pub(crate) struct ContextsArgs {
    /// A context
    #[arg(value_name = "CONTEXT", add = crate::completion::contexts())]
    first: String,

    /// The other one
    #[arg(value_name = "CONTEXT", add = crate::completion::contexts())]
    second: String,

    /// Only things of these kinds, with commas between them
    #[arg(long, value_name = "KINDS", value_delimiter = ',')]
    kinds: Vec<String>,

    /// End with status 9 when something differs
    #[arg(long)]
    exit_code: bool,
}

/// How two contexts differ.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Differences {
    first: String,
    second: String,
    kinds: Vec<String>,
    differences: Vec<Difference>,
    /// What could not be looked at, with its context before it.
    gaps: Vec<String>,
}

impl Verb for ContextsArgs {
    fn uses() -> Uses {
        // Both contexts are read by `get`.
        Uses::of(&[&[
            Use::of("autoscaling:DescribeAutoScalingGroups", On::Anything),
            Use::of("cloudformation:DescribeStacks", On::Anything),
            Use::of("cloudformation:ListStacks", On::Anything),
            Use::of("cloudwatch:DescribeAlarms", On::FleetAlarms),
            Use::of("cloudwatch:DescribeAlarms", On::PlatformAlarms),
            Use::of("ecr:BatchGetImage", On::Repositories),
            Use::of("ecr:DescribeImages", On::Repositories),
            Use::of("ecr:GetDownloadUrlForLayer", On::Repositories),
            Use::of("ecs:DescribeServices", On::Services),
            Use::of("ecs:DescribeTasks", On::Tasks),
            Use::of("ecs:ListTasks", On::AnythingInCluster),
            Use::of("secretsmanager:ListSecrets", On::Anything),
            Use::of("ssm:DescribeParameters", On::Anything),
            Use::of("ssm:GetParameters", On::PlatformParameters),
            Use::of("ssm:GetParametersByPath", On::ParameterPaths),
        ]])
    }

    fn needs(&self) -> Needs {
        Needs::SETTINGS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let kinds = kinds(&self.kinds)?;
        for name in [&self.first, &self.second] {
            ConfigFile::known(ctx.config.as_ref(), name, "command line")?;
        }
        if self.first == self.second {
            return Err(CtlError::usage(format!(
                "compare contexts: `{}` stands there twice",
                self.first
            )));
        }
        let looked = async {
            futures::future::try_join(read(ctx, &self.first, &kinds), read(ctx, &self.second, &kinds)).await
        };
        let (first, second) = ctx.unless_interrupted(looked).await?;
        let gaps: Vec<String> = [(&self.first, &first), (&self.second, &second)]
            .into_iter()
            .flat_map(|(name, side)| side.gaps.iter().map(move |gap| format!("{name}: {gap}")))
            .collect();
        let found = Differences {
            differences: differences(
                &things(&first.items, &first.common),
                &things(&second.items, &second.common),
            ),
            first: self.first,
            second: self.second,
            kinds: kinds.iter().map(|kind| (*kind).to_owned()).collect(),
            gaps,
        };
        for gap in &found.gaps {
            ctx.ui.warn(&format!("not compared: {gap}"));
        }
        let status = match (found.gaps.is_empty(), found.differences.is_empty()) {
            (false, _) => ExitStatus::Partial,
            (true, false) if self.exit_code => ExitStatus::Differences,
            (true, _) => ExitStatus::Done,
        };
        ctx.emit(&found)?;
        Ok(status)
    }
}

/// The kinds that are meant, as `get` knows them.
///
/// # Errors
/// A kind that is not compared.
fn kinds(wanted: &[String]) -> Result<Vec<&'static str>> {
    let all = || COMPARED.iter().map(|(kind, _)| *kind);
    if wanted.is_empty() {
        return Ok(all().collect());
    }
    let of = |word: &String| {
        let kind = Kind::of(word.trim());
        let one = kind.and_then(|kind| all().find(|compared| *compared == kind.one()));
        one.ok_or_else(|| {
            let known: Vec<&str> = all().collect();
            CtlError::usage(format!("compare `{word}`: contexts are not compared in it"))
                .hint(format!("the kinds are {}", known.join(", ")))
        })
    };
    let found: Result<BTreeSet<&str>> = wanted.iter().map(of).collect();
    Ok(found?.into_iter().collect())
}

/// What `get` finds in a context.
struct Side {
    items: Vec<Value>,
    gaps: Vec<String>,
    common: Common,
}

/// # Errors
/// What `get` failed with, and its status.
async fn read(ctx: &Ctx, name: &str, kinds: &[&str]) -> Result<Side> {
    let several = kinds.join(",");
    let context = format!("--context={name}");
    let mut words = vec![context.as_str(), "get", &several, "--output=json"];
    let file = ctx
        .flags
        .get("config-file")
        .map(|path| format!("--config-file={path}"));
    words.extend(file.as_deref());
    let (process, captured) = ctx.process_beside(&words);
    let status = (ctx.run_beside)(process).await;
    let document: Value = serde_json::from_str(&captured.stdout()).unwrap_or_default();
    let Some(items) = document["items"]
        .as_array()
        .filter(|_| status == ExitStatus::Done)
    else {
        let stderr = captured.stderr();
        let told = stderr
            .lines()
            .rev()
            .find_map(|line| serde_json::from_str::<Value>(line).ok());
        let why = told.as_ref().and_then(|told| told["message"].as_str());
        let why = why.unwrap_or("it does not answer");
        let causes = told.as_ref().and_then(|told| told["causes"].as_array());
        let causes = causes.into_iter().flatten().filter_map(Value::as_str);
        let error = CtlError::new(ErrorKind::Failed, format!("read context `{name}`: {why}"));
        return Err(causes.fold(error, CtlError::cause).exit_with(status));
    };
    let mut items = items.clone();
    // Things of one kind do not say of which.
    if let [kind] = kinds {
        for item in &mut items {
            item["kind"] = Value::from(*kind);
        }
    }
    let gaps = document["gaps"].as_array().into_iter().flatten();
    Ok(Side {
        items,
        gaps: gaps
            .map(|gap| {
                let part = |name: &str| gap[name].as_str().unwrap_or_default().to_owned();
                format!("{}: {}", part("what"), part("why"))
            })
            .collect(),
        common: Common::of(
            document["account"].as_str(),
            document["region"].as_str(),
            stage(ctx, name)?.as_deref(),
        ),
    })
}

/// The stage of a context whose system is one of several in its account.
fn stage(ctx: &Ctx, name: &str) -> Result<Option<String>> {
    let mut inputs = ctx.inputs();
    inputs.flags.insert("context", name.to_owned());
    let settings = settings::resolve(&inputs)?;
    let stage = settings
        .stage
        .filter(|_| settings.layout.value == LayoutKind::Staged);
    Ok(stage.map(|stage| stage.value.to_string()))
}

impl Render for Differences {
    fn human(&self, view: &View) -> String {
        if self.differences.is_empty() {
            return format!(
                "{} and {} do not differ in what was compared\n",
                self.first, self.second
            );
        }
        let mut table = Table::new(&["KIND", "NAME", "WHAT", "FIRST", "SECOND"]);
        for one in &self.differences {
            let cell = |value: &Option<Value>| match (value, &one.member) {
                (None, _) => "-".to_owned(),
                (Some(_), None) => "there".to_owned(),
                (Some(value), Some(_)) => plain(value),
            };
            table.row([
                one.kind.clone(),
                one.name.clone(),
                one.member.clone().unwrap_or_else(|| "-".to_owned()),
                cell(&one.first),
                cell(&one.second),
            ]);
        }
        let count = self.differences.len() as u64;
        format!(
            "{}{} between {} (first) and {} (second)\n",
            table.render(view),
            counted(count, "difference"),
            self.first,
            self.second
        )
    }

    fn names(&self) -> Vec<String> {
        let names: BTreeSet<String> = self
            .differences
            .iter()
            .map(|one| format!("{}/{}", one.kind, one.name))
            .collect();
        names.into_iter().collect()
    }
}

/// A value as a cell has it.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    }
}
