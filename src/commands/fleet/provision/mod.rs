//! `bpctl fleet provision` and `fleet apply-config`: the stack of one fleet, from its desired configuration.

mod checks;

use clap::Args;

use crate::change::{ChangeArgs, carry_out};
use crate::commands::stack::deploy::source::{self, Source, Wanted};
use crate::commands::stack::deploy::{self, DeployVerb, Request, SourceArgs, StackDeploy, synth};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, Result};
use crate::exit::ExitStatus;
use crate::fleet::named_one;
use crate::iam::{CHANGE, On, Use, Uses};
use crate::layout::{FleetId, FleetName, LayoutKind};
use checks::{Facts, Makes};

/// Create the stack of a fleet from its desired configuration, and follow it to the end
///
/// The fleet's own stack alone is deployed, with the domain, certificate and address for alerts that are in force. Looks
/// first whether the base stacks are there, the desired configuration is valid, the image pointer names an image, and
/// nothing that the stack makes under a fixed name is there already.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl fleet provision staging/gpu-default --dry-run   what would be made, and what speaks against it
  bpctl fleet provision staging/gpu-default --yes       with templates of the app in `infra_dir`
  bpctl fleet provision staging/gpu-default --assembly cdk.out")]
pub(crate) struct ProvisionArgs {
    #[command(flatten)]
    of: OneFleet,
}

/// Update the stack of a fleet to its desired configuration, and follow it to the end
///
/// For a fleet that is provisioned and whose configuration was changed, e.g. its instance type. Instances that run keep
/// what they started with until they are replaced: `bpctl fleet refresh`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl fleet apply-config production/gpu-default --dry-run   what would change
  bpctl fleet apply-config production/gpu-default --yes
  bpctl fleet refresh production/gpu-default                  then, for the instances that run")]
pub(crate) struct ApplyConfigArgs {
    #[command(flatten)]
    of: OneFleet,
}

#[derive(Debug, Args)]
struct OneFleet {
    /// The fleet, e.g. production/gpu-default
    #[arg(value_name = "FLEET", add = crate::completion::fleets())]
    fleet: FleetName,

    #[command(flatten)]
    source: SourceArgs,

    /// Let this resource be replaced or removed, although the plan did not foresee it; may be repeated
    #[arg(long, value_name = "RESOURCE")]
    allow_replacement: Vec<String>,

    #[command(flatten)]
    change: ChangeArgs,
}

struct Provision;
struct ApplyConfig;

impl DeployVerb for Provision {
    const NAME: &'static str = "fleet provision";
}

impl DeployVerb for ApplyConfig {
    const NAME: &'static str = "fleet apply-config";
}

fn uses() -> Uses {
    Uses::of(&[
        CHANGE,
        deploy::DEPLOYS,
        &[
            Use::of("ec2:DescribeImages", On::Anything),
            Use::of("logs:DescribeLogGroups", On::Anything),
            Use::of("ssm:GetParameters", On::FleetParameters),
        ],
    ])
}

impl Verb for ProvisionArgs {
    fn uses() -> Uses {
        uses()
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        self.of.deploy::<Provision>(ctx, true).await
    }
}

impl Verb for ApplyConfigArgs {
    fn uses() -> Uses {
        uses()
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        self.of.deploy::<ApplyConfig>(ctx, false).await
    }
}

impl OneFleet {
    async fn deploy<V: DeployVerb>(self, ctx: &Ctx, is_new: bool) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        if layout.kind() == LayoutKind::Staged {
            return Err(CtlError::usage(format!(
                "{}: in layout `staged` the fleets are parts of one stack",
                V::NAME
            ))
            .hint((
                "name the fleet where the templates come from, and deploy that stack and the one with its alarms:",
                CommandLine::bpctl(["stack", "deploy", "gpu", "monitoring"]),
            )));
        }
        let target = ctx.unless_interrupted(ctx.target()).await?;
        let fleet = ctx
            .unless_interrupted(named_one(&ctx.aws, &layout, &self.fleet))
            .await?;
        let facts = ctx.unless_interrupted(Facts::of(ctx, &layout, &fleet)).await?;
        let mut context = self.source.context()?;
        // Without a configuration there are no templates to make.
        facts.complete(&fleet, &mut context)?;
        synth::check(&context, &target.region)?;
        let verb = if is_new { "provision" } else { "apply-config" };
        let built_in = Source::of(ctx, &self.source).is_built_in();
        let log_group = facts.kept_log_group(&layout, &fleet);
        let wanted = Wanted {
            context: &context,
            log_group: log_group.as_deref().filter(|_| built_in),
        };
        let makes = Makes {
            stack: is_new,
            log_group: is_new && !built_in,
        };
        let mut request = Request {
            stacks: vec![layout.fleet_stack(&fleet)],
            allowed: self.allow_replacement.clone(),
            title: Some(if is_new {
                format!("provision {fleet}")
            } else {
                format!("apply the desired configuration of {fleet}")
            }),
            warnings: facts.warnings(&fleet),
            blockers: facts.blockers(
                &layout,
                &fleet,
                makes,
                self.command("provision", &fleet),
                (
                    self.import(&fleet, &context),
                    self.command("apply-config", &fleet),
                ),
            ),
            against_changes: match is_new {
                true => facts
                    .there_already(&layout, &fleet, self.command("apply-config", &fleet))
                    .into_iter()
                    .collect(),
                false => Vec::new(),
            },
            context: context.clone(),
            command: self.command(verb, &fleet),
            ..Request::of(&layout)
        };
        let made = source::templates(ctx, &layout, (&target).into(), &self.source, wanted).await?;
        request.facts = made.facts;
        let change = StackDeploy::<V>::new(ctx, layout, target, made.assembly, request);
        carry_out(ctx, &change, &self.change).await
    }

    /// The command that takes the fleet's log group into its stack: an app needs the fleet's values for that, too.
    fn import(&self, fleet: &FleetId, context: &synth::Context) -> CommandLine {
        let command = CommandLine::bpctl(["stack", "import", &fleet.to_string()]);
        let made_by_the_app = self.source.assembly.is_none() && self.source.blueprint.is_none();
        let further = context
            .iter()
            .filter(|(key, _)| made_by_the_app && !self.source.values.iter().any(|(given, _)| given == *key));
        further.fold(self.source.added(command), |command, (key, value)| {
            command.option("-c", format!("{key}={value}"))
        })
    }

    /// The same of the same source by a verb.
    fn command(&self, verb: &str, fleet: &FleetId) -> CommandLine {
        self.source
            .added(CommandLine::bpctl(["fleet", verb, &fleet.to_string()]))
    }
}
