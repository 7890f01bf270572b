//! `bpctl secrets rotate`: a fresh random value, with what that breaks said first and what must follow said last.

use clap::Args;

use super::WRITING;
use super::observe::{Seen, named};
use super::redeploy::{self, RedeployArgs};
use super::set::{breaks, is_undo};
use super::write::{Occasion, To, Wanted, Writing};
use crate::change::{ChangeArgs, Loss, carry_out};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, Result};
use crate::exit::ExitStatus;
use crate::fleet::known_groups;
use crate::iam::{CHANGE, On, Use, Uses};
use crate::layout::{FleetId, SecretEntry, SecretRole};
use crate::redact::Secret;
use crate::secrets::Shape;

/// Replace the application key, a fleet secret or the asset-ops secret by a fresh random value
///
/// Says first what that breaks. What was encrypted with the present application key is lost with another one: that
/// needs the context's name typed. Afterwards the commands are shown that bring the new value to those who read it: the
/// backend's tasks, and for a fleet secret the instances of the fleets of its stage.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl secrets rotate fleet-secret/production          a new secret for the workers of production
  bpctl secrets rotate app-key --dry-run                what a new application key would break")]
pub(crate) struct RotateArgs {
    /// The secret: app-key, asset-ops or fleet-secret/STAGE
    #[arg(value_name = "NAME", add = crate::completion::secrets())]
    name: String,

    #[command(flatten)]
    redeploy: RedeployArgs,

    #[command(flatten)]
    change: ChangeArgs,
}

impl Verb for RotateArgs {
    fn uses() -> Uses {
        redeploy::uses(Uses::of(&[
            CHANGE,
            WRITING,
            &[
                Use::of("autoscaling:DescribeAutoScalingGroups", On::Anything),
                Use::of("secretsmanager:PutSecretValue", On::Secrets),
            ],
        ]))
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        self.redeploy.check()?;
        let layout = ctx.layout()?;
        let entry = named(&layout, &self.name)?;
        let drawn = match (&entry.role, Shape::of(&entry.role).generate()) {
            (SecretRole::AppKey | SecretRole::AssetOps | SecretRole::FleetSecret(_), Some(drawn)) => drawn?,
            _ => {
                return Err(CtlError::usage(format!(
                    "rotate `{}`: no random value can take its place",
                    entry.name
                ))
                .hint("what can be rotated: app-key, asset-ops, fleet-secret/STAGE"));
            }
        };
        let fleets = match &entry.role {
            SecretRole::FleetSecret(stage) => {
                let known = ctx.unless_interrupted(known_groups(&ctx.aws, &layout)).await?;
                let ids = known.fleets.into_keys();
                ids.filter(|fleet| fleet.stage == *stage).collect()
            }
            _ => Vec::new(),
        };
        let rotate = Rotate {
            entry,
            drawn,
            fleets,
            redeploy: self.redeploy,
        };
        let writing = Writing::new(ctx, layout, rotate)?;
        let status = carry_out(ctx, &writing, &self.change).await?;
        if is_undo(ctx) {
            return Ok(status);
        }
        let apps = writing.apps_to_redeploy();
        let status = self.redeploy.follow_up(ctx, apps, &self.change, status).await?;
        if self.change.may_change() {
            for fleet in &writing.occasion.fleets {
                let refresh = CommandLine::bpctl(["fleet", "refresh"]).args([fleet.to_string()]);
                ctx.ui.hint((
                    "after that, workers that run keep the secret before; replace them with",
                    refresh,
                ));
            }
        }
        Ok(status)
    }
}

struct Rotate {
    entry: SecretEntry,
    drawn: Secret,
    /// Those whose workers read it.
    fleets: Vec<FleetId>,
    redeploy: RedeployArgs,
}

impl Occasion for Rotate {
    const NAME: &'static str = "secrets rotate";

    fn goal(&self) -> String {
        format!("rotate {}", self.entry.name)
    }

    fn entries(&self) -> Vec<SecretEntry> {
        vec![self.entry.clone()]
    }

    fn wanted(&self, _seen: &Seen) -> Result<Vec<Wanted>> {
        let loses = (self.entry.role == SecretRole::AppKey).then(|| {
            Loss::Data(
                "what is encrypted with the present key: sessions, cookies, encrypted columns".to_owned(),
            )
        });
        Ok(vec![Wanted {
            name: self.entry.name.clone(),
            to: To::Value(self.drawn.clone()),
            loses,
            may_be_made: false,
            notes: Vec::new(),
        }])
    }

    fn warnings(&self, _seen: &Seen) -> Vec<String> {
        let mut warnings: Vec<String> = self.redeploy.note().into_iter().collect();
        // The plan names the loss of an application key itself.
        if self.entry.role != SecretRole::AppKey {
            warnings.extend(breaks(&self.entry));
        }
        warnings
    }

    fn resume(&self) -> CommandLine {
        CommandLine::bpctl(["secrets", "rotate", &self.entry.name])
    }
}
