//! `bpctl cost`: what runs now and what it costs, what a shutdown saves, what is wasted, and what fleets will cost.

mod alarms;
mod count;
mod forecast;
mod list;
mod observe;
mod priced;
mod thing;
mod usage;
pub(crate) mod view;
mod waste;

use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::Result;
use crate::exit::ExitStatus;
use crate::fleet::scaling::LONGEST;
use crate::iam::{On, Use, Uses};

use list::PricesFrom;
use view::Costs;

/// Show what the platform costs by the hour, day and month, what a shutdown saves, and what is wasted
///
/// Counts what is there now at list prices: tasks, database, cache, load balancer, NAT gateway, storage, logs, alarms,
/// images and the instances of the fleets, Spot Instances at the Spot price of now. What is billed by use is what
/// CloudWatch has measured in the last seven days, taken to a month: log bytes, bytes through the NAT gateway, capacity units
/// of the load balancer, requests to buckets that report them, CloudFront. What nothing has measured is unknown, as is what
/// the caller may not look at; an unknown amount never counts as nothing. Prices are those of AWS' price list for the
/// region; where that may not be read or does not answer, those of a dated table that bpctl brings along, and it says
/// which. Waste is what costs and nothing needs: it comes with the command that ends it. Discounts, credits and tax are not
/// known here: the bill is the last word. Reads only.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl cost                                     by part, with the total of what is known
  bpctl cost --by fleet                          each fleet, and what all share
  bpctl cost -o wide                             every single thing, and every price with its source
  bpctl cost --prices table                      without asking AWS for prices
  bpctl cost --forecast --since 14d              what the fleets will cost
  bpctl cost -o json --query total.per_month     one number, for a script")]
pub(crate) struct CostArgs {
    /// What the rows are
    #[arg(long, value_enum, default_value_t)]
    by: By,

    /// Where prices come from
    #[arg(long, value_enum, value_name = "FROM", default_value_t)]
    prices: PricesFrom,

    /// Simulate each fleet with the jobs of its past, and say what a month of that costs
    #[arg(long)]
    forecast: bool,

    /// How far back `--forecast` looks, up to 15 days: CloudWatch keeps single minutes for that long
    #[arg(
        long,
        value_name = "DURATION",
        default_value = "7d",
        value_parser = since,
        requires = "forecast"
    )]
    since: Duration,
}

/// `--by`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum By {
    /// Parts of the platform; each fleet is one
    #[default]
    Part,
    /// Fleets with everything that is theirs, and what all share
    Fleet,
}

fn since(text: &str) -> Result<Duration, String> {
    let since = humantime::parse_duration(text).map_err(|_| "write e.g. `24h` or `7d`".to_owned())?;
    if since < Duration::from_secs(3_600) {
        return Err("less than an hour says nothing of a month".to_owned());
    }
    if since > LONGEST {
        return Err("CloudWatch keeps single minutes for 15 days: 15d is the longest".to_owned());
    }
    Ok(since)
}

impl Verb for CostArgs {
    fn uses() -> Uses {
        Uses::of(&[&[
            Use::of("autoscaling:DescribeAutoScalingGroups", On::Anything),
            Use::of("autoscaling:DescribePolicies", On::Anything),
            Use::of("cloudformation:DescribeStacks", On::Anything),
            Use::of("cloudformation:ListStackResources", On::DataStack),
            Use::of("cloudformation:ListStacks", On::Anything),
            Use::of("cloudwatch:DescribeAlarms", On::FleetAlarms),
            Use::of("cloudwatch:DescribeAlarms", On::PlatformAlarms),
            Use::of("cloudwatch:GetMetricData", On::Anything),
            Use::of("ec2:DescribeAddresses", On::Anything),
            Use::of("ec2:DescribeImages", On::Anything),
            Use::of("ec2:DescribeInstances", On::Anything),
            Use::of("ec2:DescribeLaunchTemplateVersions", On::Anything),
            Use::of("ec2:DescribeNatGateways", On::Anything),
            Use::of("ec2:DescribeSecurityGroups", On::Anything),
            Use::of("ec2:DescribeSnapshots", On::Anything),
            Use::of("ec2:DescribeSpotPriceHistory", On::Anything),
            Use::of("ec2:DescribeVolumes", On::Anything),
            Use::of("ecr:BatchGetImage", On::Repositories),
            Use::of("ecr:DescribeImages", On::Repositories),
            Use::of("ecs:DescribeServiceRevisions", On::Revisions),
            Use::of("ecs:DescribeServices", On::Services),
            Use::of("ecs:DescribeTaskDefinition", On::Anything),
            Use::of("ecs:DescribeTasks", On::Tasks),
            Use::of("ecs:ListServiceDeployments", On::Services),
            Use::of("ecs:ListTasks", On::AnythingInCluster),
            Use::of("elasticache:DescribeCacheClusters", On::CacheClusters),
            Use::of("elasticloadbalancing:DescribeLoadBalancers", On::Anything),
            Use::of("logs:DescribeLogGroups", On::Anything),
            Use::of("pricing:GetProducts", On::Anything),
            Use::of("rds:DescribeDBInstances", On::Databases),
            Use::of("rds:DescribeDBSnapshots", On::DatabasesAndSnapshots),
            Use::of("rds:DescribeDBSubnetGroups", On::SubnetGroups),
            Use::of("s3:ListAllMyBuckets", On::Anything),
            Use::of("s3:ListBucketVersions", On::AllBuckets),
            Use::of("secretsmanager:ListSecrets", On::Anything),
            Use::of("ssm:DescribeParameters", On::Anything),
            Use::of("ssm:GetParameterHistory", On::ImagePointers),
        ]])
        .with(
            "--forecast",
            &[
                Use::of("autoscaling:DescribeLifecycleHooks", On::Anything),
                Use::of("autoscaling:DescribeScheduledActions", On::Anything),
                Use::of("cloudformation:GetTemplate", On::Stacks),
                Use::of("sns:ListSubscriptionsByTopic", On::ScaleToZeroTopic),
            ],
        )
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let costs = ctx.unless_interrupted(Box::pin(self.look(ctx))).await?;
        ctx.emit(&costs)?;
        Ok(ExitStatus::Done)
    }
}

impl CostArgs {
    async fn look(&self, ctx: &Ctx) -> Result<Costs> {
        let layout = ctx.layout()?;
        let region = ctx.target().await?.region;
        let (seen, answers) = futures::try_join!(
            Box::pin(observe::look(ctx, &layout)),
            Box::pin(list::ask_for_fixed(&ctx.aws, &region, self.prices))
        )?;
        let mut answers = answers;
        let (usage, ()) = futures::try_join!(
            Box::pin(usage::look(&ctx.aws, &layout, &seen)),
            Box::pin(list::ask_for_types(
                &ctx.aws,
                &region,
                self.prices,
                &seen,
                &mut answers
            ))
        )?;
        let prices = answers.prices();
        let seen = seen.at(&prices);
        let forecasts = match self.forecast {
            true => Some(Box::pin(forecast::forecasts(ctx, &layout, self.since, &seen.spot)).await?),
            false => None,
        };
        let things = count::things(&seen, &usage, &layout, &prices);
        let (waste, mut gaps) = waste::waste(&seen, &layout, &prices, ctx.clock.now());
        if let Err(why) = &seen.spot {
            gaps.push(format!("the Spot prices could not be read: {why}"));
        }
        let found = view::Found {
            things,
            waste,
            gaps,
            forecasts,
            database: view::database_hours(&seen, &prices),
            priced: view::Priced::new(&prices, &answers, self.prices, &region),
        };
        Ok(Costs::new(found, self.by, ctx.ui.place()))
    }
}
