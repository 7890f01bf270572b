//! `bpctl secrets list`: every secret and parameter of the platform and its state.

use clap::Args;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::observe::{State, observe_all};
use super::view::{SecretView, age, or_dash, short_version};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::fleet::Gap;
use crate::iam::{On, Use, Uses};
use crate::output::{Render, Table, View, paragraph};

/// List secrets and parameters with their states, without values
///
/// States: `set`; `placeholder`, as the deployment left it; `missing`; `malformed`; `stale-in-tasks`, set while running
/// tasks still hold an earlier value; `unknown`, when it could not be looked at.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl secrets list                     what is set, what is not, what waits for a redeployment
  bpctl secrets list -o wide             with paths, writers and containers
  bpctl secrets list -o json --query 'secrets[?state!=`set`].name'")]
pub(crate) struct ListArgs {}

impl Verb for ListArgs {
    fn uses() -> Uses {
        Uses::of(&[&[
            Use::of("autoscaling:DescribeAutoScalingGroups", On::Anything),
            Use::of("ecs:DescribeServices", On::Services),
            Use::of("ecs:DescribeTaskDefinition", On::Anything),
            Use::of("ecs:DescribeTasks", On::Tasks),
            Use::of("ecs:ListTasks", On::AnythingInCluster),
            Use::of("secretsmanager:BatchGetSecretValue", On::Anything),
            Use::of("secretsmanager:GetSecretValue", On::Secrets),
            Use::of("secretsmanager:ListSecrets", On::Anything),
            Use::of("ssm:DescribeParameters", On::Anything),
            Use::of("ssm:GetParameters", On::FleetParameters),
            Use::of("ssm:GetParameters", On::FleetSecrets),
            Use::of("ssm:GetParameters", On::PlatformParameters),
        ]])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        let seen = ctx.unless_interrupted(observe_all(ctx, &layout)).await?;
        for gap in &seen.gaps {
            ctx.ui.warn_with(
                &format!("failed to look at {}: {}", gap.what, gap.why),
                &gap.hints,
            );
        }
        let list = SecretList {
            secrets: seen.secrets.iter().map(SecretView::of).collect(),
            gaps: seen.gaps,
            now: ctx.clock.now(),
        };
        ctx.emit(&list)?;
        Ok(ExitStatus::Done)
    }
}

/// The result.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::commands) struct SecretList {
    secrets: Vec<SecretView>,
    /// What could not be looked at beside the values.
    gaps: Vec<Gap>,
    #[serde(skip)]
    now: Timestamp,
}

impl Render for SecretList {
    fn human(&self, view: &View) -> String {
        let headers: &[&str] = if view.wide {
            &["NAME", "STATE", "AGE", "VERSION", "PATH", "WRITER", "USED BY"]
        } else {
            &["NAME", "STATE", "AGE", "VERSION", "USED BY"]
        };
        let mut table = Table::new(headers);
        for secret in &self.secrets {
            let mut row = vec![
                secret.name.clone(),
                secret.state.as_str().to_owned(),
                age(secret.changed, self.now),
                short_version(secret.version.as_deref()),
            ];
            if view.wide {
                row.push(secret.path.clone());
                row.push(or_dash(secret.last_writer.clone().unwrap_or_default()));
                row.push(containers(secret));
            } else {
                row.push(secret.used_by());
            }
            table.row(row);
        }
        let mut text = table.render(view);
        let troubled = self.secrets.iter().filter(|secret| secret.state != State::Set);
        for (at, secret) in troubled.enumerate() {
            if at == 0 {
                text.push('\n');
            }
            let why = secret.reason.as_deref().unwrap_or_default();
            paragraph(&mut text, view, &format!("{}: ", secret.name), why);
        }
        text
    }

    fn names(&self) -> Vec<String> {
        self.secrets.iter().map(|secret| secret.name.clone()).collect()
    }
}

/// Who reads it, with containers.
fn containers(secret: &SecretView) -> String {
    let services = secret
        .services
        .iter()
        .map(|reader| format!("{} ({})", reader.service, reader.containers.join(", ")));
    let fleets = secret.fleets.iter().map(ToString::to_string);
    or_dash(services.chain(fleets).collect::<Vec<_>>().join(", "))
}
