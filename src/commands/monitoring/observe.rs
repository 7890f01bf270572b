//! What watches the platform in this account.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::try_join_all;

use super::wanted::{self, Targets, Topics, WantedAlarm, WantedGroup};
use crate::aws::Aws;
use crate::aws::budgets::Budget;
use crate::aws::cloudwatch::Alarm;
use crate::aws::logs::Kept;
use crate::aws::rds::platform_instance;
use crate::aws::sns::Subscription;
use crate::error::{CtlError, ErrorKind, Result};
use crate::fleet::Gap;
use crate::iam::{On, Use};
use crate::layout::{App, FleetId, Layout};

/// What a look at everything asks of AWS.
pub(super) const USES: &[Use] = &[
    Use::of("autoscaling:DescribeAutoScalingGroups", On::Anything),
    Use::of("budgets:ViewBudget", On::Budgets),
    Use::of("cloudformation:DescribeStacks", On::DataStack),
    Use::of("cloudformation:ListStackResources", On::Stacks),
    Use::of("cloudformation:ListStacks", On::Anything),
    Use::of("cloudwatch:DescribeAlarms", On::FleetAlarms),
    Use::of("cloudwatch:DescribeAlarms", On::PlatformAlarms),
    Use::of("cloudwatch:GetDashboard", On::Dashboards),
    Use::of("ecs:DescribeServices", On::Services),
    Use::of("elasticloadbalancing:DescribeTargetGroups", On::Anything),
    Use::of("logs:DescribeLogGroups", On::Anything),
    Use::of("rds:DescribeDBInstances", On::Databases),
    Use::of("sns:ListSubscriptionsByTopic", On::Topics),
];

/// What was read, or why not.
pub(super) type Read<T> = std::result::Result<T, Gap>;

/// Turns a failed look into a gap, unless nothing else can be looked at either.
///
/// # Errors
/// Without credentials, in the wrong account, after Ctrl-C.
pub(super) fn or_gap<T>(what: &'static str, read: Result<T>) -> Result<Read<T>> {
    match read {
        Ok(found) => Ok(Ok(found)),
        Err(error) => match error.kind() {
            ErrorKind::Credentials | ErrorKind::WrongAccount | ErrorKind::Interrupted | ErrorKind::Config => {
                Err(error)
            }
            _ => Ok(Err(Gap::new(what, &error))),
        },
    }
}

/// Alarms, and what is needed to judge them.
#[derive(Debug)]
pub(super) struct Alarms {
    pub(super) wanted: Vec<WantedAlarm>,
    pub(super) found: BTreeMap<String, Alarm>,
}

/// Log groups with their days.
pub(super) type LogGroups = Vec<(WantedGroup, Option<Kept>)>;

/// The fleets that have a group or a stack of their own.
pub(super) async fn fleets(
    aws: &Aws,
    layout: &Layout,
    stacks: &BTreeSet<String>,
) -> Result<BTreeSet<FleetId>> {
    let stages = layout.fleet_stages();
    let groups = aws.groups().await?;
    let of_groups = groups
        .iter()
        .filter_map(|group| layout.fleet_of_group(&group.name));
    let of_stacks = stacks.iter().filter_map(|stack| layout.fleet_of_stack(stack));
    Ok(of_groups
        .chain(of_stacks)
        .filter(|fleet| stages.contains(&fleet.stage))
        .collect())
}

/// The names of the stacks that are there.
pub(super) async fn stacks(aws: &Aws) -> Result<BTreeSet<String>> {
    let stacks = aws.stack_summaries().await?;
    Ok(stacks.into_iter().map(|stack| stack.name).collect())
}

/// The topics of this account, whether they are there or not.
pub(super) async fn topics(aws: &Aws, layout: &Layout) -> Result<Topics> {
    Ok(Topics {
        operators: aws.topic_arn(&layout.ops_topic()).await?,
        scale_to_zero: aws.topic_arn(&layout.scale_to_zero_topic()).await?,
    })
}

/// What the platform's own alarms look at: the load balancer before the backend, and the database.
///
/// # Errors
/// When AWS refuses to tell. What is not there is left out.
pub(super) async fn targets(aws: &Aws, layout: &Layout) -> Result<Targets> {
    let (balancer, database) = futures::try_join!(balancer(aws, layout), database(aws, layout))?;
    let (balancer, backend) = balancer;
    Ok(Targets {
        balancer,
        backend,
        database,
    })
}

/// The dimensions of a load balancer and of a target group are what ends their ARNs (Elastic Load Balancing User Guide,
/// "CloudWatch metrics for your Application Load Balancer").
async fn balancer(aws: &Aws, layout: &Layout) -> Result<(Option<String>, Option<String>)> {
    let service = aws
        .service(&layout.cluster(), &layout.service(App::Backend))
        .await?;
    let groups = service.map(|service| service.target_groups).unwrap_or_default();
    let [group] = &groups[..] else {
        return Ok((None, None));
    };
    let balancers = aws.balancers_of(&groups).await?;
    let balancer = match &balancers[..] {
        [only] => only.split_once(":loadbalancer/").map(|(_, name)| name.to_owned()),
        _ => None,
    };
    Ok((balancer, group.rsplit(':').next().map(str::to_owned)))
}

async fn database(aws: &Aws, layout: &Layout) -> Result<Option<String>> {
    let data = layout.core_stack("data").unwrap_or_default();
    let (stack, instances) = futures::try_join!(aws.stack(&data), aws.db_instances())?;
    let outputs = stack.map(|stack| stack.outputs).unwrap_or_default();
    let endpoint = outputs.get("RdsEndpoint").map(String::as_str);
    Ok(platform_instance(&instances, endpoint, None).map(|(instance, _)| instance.id.clone()))
}

/// The alarms of the platform and of its fleets.
pub(super) async fn alarms(
    aws: &Aws,
    layout: &Layout,
    fleets: &BTreeSet<FleetId>,
    targets: &Targets,
    topics: &Topics,
) -> Result<Alarms> {
    let wanted = wanted::alarms(layout, fleets, targets, topics);
    let names: Vec<String> = wanted.iter().map(|alarm| alarm.name.clone()).collect();
    let found = aws.alarms_named(&names).await?;
    let found = found
        .into_iter()
        .map(|alarm| (alarm.name.clone(), alarm))
        .collect();
    Ok(Alarms { wanted, found })
}

/// The log groups of the services and of the fleets.
pub(super) async fn log_groups(aws: &Aws, layout: &Layout, fleets: &BTreeSet<FleetId>) -> Result<LogGroups> {
    let groups = wanted::log_groups(layout, fleets).into_iter();
    try_join_all(groups.map(async |group| {
        let kept = aws.log_retention(&group.name).await?;
        Ok::<_, CtlError>((group, kept))
    }))
    .await
}

/// The name of the budget, and whether the monitoring stack has made one.
pub(super) async fn configured_budget(
    aws: &Aws,
    layout: &Layout,
    stacks: &BTreeSet<String>,
) -> Result<(String, bool)> {
    let stack = layout
        .core_stack("monitoring")
        .filter(|stack| stacks.contains(stack));
    let Some(stack) = stack else {
        return Ok((layout.budget(), false));
    };
    let resources = aws.stack_resources(&stack).await?;
    let made = resources
        .into_iter()
        .find(|one| one.kind == "AWS::Budgets::Budget" && one.status != "DELETE_COMPLETE");
    let is_configured = made.is_some();
    let name = made
        .and_then(|one| one.physical)
        .unwrap_or_else(|| layout.budget());
    Ok((name, is_configured))
}

/// A topic and who listens.
#[derive(Debug)]
pub(super) struct Topic {
    pub(super) name: String,
    /// The protocol of the subscriber that has to be there; any when `None`.
    pub(super) protocol: Option<&'static str>,
    /// The stack that makes that subscriber.
    pub(super) stack: Option<String>,
    /// `None` when there is no such topic.
    pub(super) subscriptions: Read<Option<Vec<Subscription>>>,
}

/// A budget by name.
#[derive(Debug)]
pub(super) struct NamedBudget {
    pub(super) name: String,
    /// Whether the monitoring stack has made one.
    pub(super) is_configured: bool,
    pub(super) found: Option<Budget>,
}

/// Everything that watches the platform.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) stacks: Read<BTreeSet<String>>,
    pub(super) targets: Read<Targets>,
    pub(super) alarms: Read<Alarms>,
    pub(super) dashboard: Read<Option<Vec<String>>>,
    pub(super) log_groups: Read<LogGroups>,
    pub(super) topics: Vec<Topic>,
    pub(super) budget: Read<NamedBudget>,
}

impl Look {
    /// What could not be looked at.
    pub(super) fn gaps(&self) -> Vec<Gap> {
        let parts = [
            self.stacks.as_ref().err(),
            self.targets.as_ref().err(),
            self.alarms.as_ref().err(),
            self.dashboard.as_ref().err(),
            self.log_groups.as_ref().err(),
            self.budget.as_ref().err(),
        ];
        let topics = self.topics.iter().map(|topic| topic.subscriptions.as_ref().err());
        parts.into_iter().chain(topics).flatten().cloned().collect()
    }
}

/// Looks at everything. What cannot be looked at hides nothing else.
///
/// # Errors
/// Those after which nothing can be looked at.
pub(super) async fn look(aws: &Aws, layout: &Layout) -> Result<Look> {
    let topics = topics(aws, layout).await?;
    let dashboard = layout.dashboard();
    let (stacks, targets, dashboard, operators, scale_to_zero) = futures::join!(
        stacks(aws),
        targets(aws, layout),
        aws.dashboard(&dashboard),
        aws.subscriptions(&topics.operators),
        aws.subscriptions(&topics.scale_to_zero),
    );
    let (stacks, targets) = (
        or_gap("stacks", stacks)?,
        or_gap("what the alarms watch", targets)?,
    );
    let none = BTreeSet::new();
    let known = stacks.as_ref().unwrap_or(&none);
    let (alarms, log_groups) = match or_gap("fleets", fleets(aws, layout, known).await)? {
        Ok(fleets) => {
            let targets = targets.clone().unwrap_or_default();
            let (alarms, groups) = futures::join!(
                alarms(aws, layout, &fleets, &targets, &topics),
                log_groups(aws, layout, &fleets)
            );
            (or_gap("alarms", alarms)?, or_gap("log groups", groups)?)
        }
        Err(gap) => (Err(gap.clone()), Err(gap)),
    };
    let budget = or_gap("budget", budget(aws, layout, known).await)?;
    Ok(Look {
        targets,
        alarms,
        dashboard: or_gap("dashboard", dashboard)?,
        log_groups,
        topics: vec![
            Topic {
                name: layout.ops_topic(),
                protocol: None,
                stack: None,
                subscriptions: or_gap("subscribers of the alerts", operators)?,
            },
            Topic {
                name: layout.scale_to_zero_topic(),
                protocol: Some("lambda"),
                stack: layout
                    .core_stack("gpu-shared")
                    .or_else(|| layout.core_stack("gpu")),
                subscriptions: or_gap("subscribers of scale-to-zero", scale_to_zero)?,
            },
        ],
        budget,
        stacks,
    })
}

async fn budget(aws: &Aws, layout: &Layout, stacks: &BTreeSet<String>) -> Result<NamedBudget> {
    let (name, is_configured) = configured_budget(aws, layout, stacks).await?;
    let found = aws.budget(&name).await?;
    Ok(NamedBudget {
        name,
        is_configured,
        found,
    })
}
