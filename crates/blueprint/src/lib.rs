//! The platform that `bpctl` operates as CloudFormation templates, made from typed settings: no Node, no CDK, no assets
//! to upload.
//!
//! [`stacks`] gives every stack with its template in the order of deployment:
//!
//! | stack | what |
//! |---|---|
//! | `bp-cicd` | image repositories; with [`Settings::github`] the role of GitHub's workflows |
//! | `bp-network` | VPC, subnets, NAT, security groups |
//! | `bp-data` | database, Redis, buckets, CloudFront, secrets, parameters |
//! | `bp-compute` | cluster, load balancer, both services |
//! | `bp-monitoring` | alarms, dashboard, budget |
//! | `bp-gpu-shared` | what takes idle fleets to zero |
//! | `bp-gpu-fleet-<stage>-<slug>` | a GPU fleet |
//!
//! Before `bp-compute` is created the repositories must hold the images `nginx-latest`, `php-latest` and `latest`, or
//! the deployment circuit breaker rolls the stack back: `bpctl stack deploy` creates the services without tasks then. Before a fleet is created its image pointer
//! `/bp/ami/fleets/<stage>/<slug>` must exist. All stacks with roles need the capability `CAPABILITY_IAM`. The logs
//! bucket goes with `bp-data`, and CloudFormation deletes no bucket with objects in it: empty it first.
//!
//! They are for new platforms. Resources that the CDK has deployed have other logical ids: to update such a stack with one
//! of these templates is to delete everything in it and to make it anew, under names that are taken.
//!
//! # What is mended
//!
//! Names, sizes and thresholds are those of the platform as it is deployed. These choices are not, because they
//! contradict each other or what the platform is for; [`Settings::upstream_compatible`] brings them back:
//!
//! | what | the platform | here |
//! |---|---|---|
//! | a fleet whose queue is empty | a step policy takes it to zero after one minute | after `scale_to_zero_minutes`, by the alarm that is there for it |
//! | a fleet with jobs | a step policy sets it to 1 whenever tracking is quiet | steps that ask for what tracking asks for |
//! | tracking of a fleet of at most one instance | there, without effect | left out |
//! | a backend that publishes no metrics | its busy fleets go to zero | they stay |
//! | the worker's environment | has no region, so protection from scale-in fails | has one |
//! | the desired size of fleets and services | stated, so a deployment of a service sets it back | not stated |
//! | the frontend | all on Spot capacity | its first task is not |
//! | the OAuth secret before it is filled in | a random text, so no backend task starts | JSON with placeholders |
//! | what the retained database needs: its credentials, parameter group, monitoring role | goes with the stack | stays with it |

mod alarm;
mod build;
mod cicd;
mod compute;
mod data;
mod exports;
mod fleet;
mod gpu_shared;
mod iam;
mod monitoring;
mod names;
mod network;
mod settings;

use serde_json::Value;

pub use settings::{Domain, Fleet, FleetTemplate, GitHub, Settings, Sizes, Stage, TaskSize};

use names::Names;

/// The largest template that CloudFormation takes in a request, in bytes (AWS CloudFormation User Guide, "Quotas").
pub const LARGEST_TEMPLATE: usize = 51_200;

/// The tag `DeploymentModel`: one core system, stages of fleets only.
const DEPLOYMENT_MODEL: &str = "single-system-fleet-stages";

/// Which stack is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StackKind<'a> {
    /// Image repositories.
    Cicd,
    /// VPC and security groups.
    Network,
    /// Database, Redis, buckets, secrets.
    Data,
    /// Cluster, load balancer, services.
    Compute,
    /// Alarms and dashboard.
    Monitoring,
    /// Scale to zero.
    GpuShared,
    /// A fleet.
    Fleet(&'a Fleet),
}

impl StackKind<'_> {
    /// The stacks of the core, in the order of their deployment.
    pub const CORE: [StackKind<'static>; 6] = [
        StackKind::Cicd,
        StackKind::Network,
        StackKind::Data,
        StackKind::Compute,
        StackKind::Monitoring,
        StackKind::GpuShared,
    ];

    /// The name of the stack.
    #[must_use]
    pub fn name(self, settings: &Settings) -> String {
        let names = Names::of(settings);
        match self {
            Self::Cicd => names.core("cicd"),
            Self::Network => names.core("network"),
            Self::Data => names.core("data"),
            Self::Compute => names.core("compute"),
            Self::Monitoring => names.core("monitoring"),
            Self::GpuShared => names.core("gpu-shared"),
            Self::Fleet(fleet) => names.fleet_stack(fleet),
        }
    }
}

/// A stack of the platform.
#[derive(Clone, Debug, PartialEq)]
pub struct Stack {
    /// Its name.
    pub name: String,
    /// The stacks that must be there before it: it imports from them, or uses what they made by its name.
    pub needs: Vec<String>,
    /// Its template.
    pub template: Value,
    /// Its tags, key and value. CloudFormation puts them on what it makes.
    pub tags: Vec<(String, String)>,
}

/// The template of one stack; `None` for a fleet whose template the settings do not have.
///
/// The same settings make the same template, in the same order.
#[must_use]
pub fn template(settings: &Settings, stack: StackKind<'_>) -> Option<Value> {
    Some(match stack {
        StackKind::Cicd => cicd::template(settings),
        StackKind::Network => network::template(settings),
        StackKind::Data => data::template(settings),
        StackKind::Compute => compute::template(settings),
        StackKind::Monitoring => monitoring::template(settings),
        StackKind::GpuShared => gpu_shared::template(settings),
        StackKind::Fleet(fleet) => fleet::template(settings, fleet, settings.template_of(fleet)?),
    })
}

/// Every stack, in an order in which they can be deployed.
///
/// # Errors
///
/// What is wrong with the settings, each a sentence that names the field ([`Settings::problems`]).
pub fn stacks(settings: &Settings) -> Result<Vec<Stack>, Vec<String>> {
    let problems = settings.problems();
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut fleets: Vec<&Fleet> = settings.fleets.iter().collect();
    // The one that makes a log group goes before the one that writes to it.
    fleets.sort_by_key(|fleet| settings.log_group_owner(&fleet.slug) != Some(*fleet));
    let kinds = StackKind::CORE
        .into_iter()
        .chain(fleets.into_iter().map(StackKind::Fleet));
    let stacks = kinds.filter_map(|kind| {
        Some(Stack {
            name: kind.name(settings),
            needs: needs(settings, kind),
            template: template(settings, kind)?,
            tags: tags(settings, kind),
        })
    });
    Ok(stacks.collect())
}

fn needs(settings: &Settings, kind: StackKind<'_>) -> Vec<String> {
    let needed: &[StackKind<'_>] = match kind {
        StackKind::Cicd | StackKind::Network | StackKind::GpuShared => &[],
        StackKind::Data => &[StackKind::Network],
        StackKind::Compute => &[StackKind::Cicd, StackKind::Network, StackKind::Data],
        StackKind::Monitoring => &[StackKind::Network, StackKind::Data, StackKind::Compute],
        StackKind::Fleet(_) => &[
            StackKind::Network,
            StackKind::Data,
            StackKind::Compute,
            StackKind::Monitoring,
            StackKind::GpuShared,
        ],
    };
    let mut names: Vec<String> = needed.iter().map(|kind| kind.name(settings)).collect();
    if let StackKind::Fleet(fleet) = kind {
        let owner = settings.log_group_owner(&fleet.slug);
        let other = owner.filter(|owner| *owner != fleet);
        names.extend(other.map(|owner| StackKind::Fleet(owner).name(settings)));
    }
    names
}

fn tags(settings: &Settings, kind: StackKind<'_>) -> Vec<(String, String)> {
    let mut tags = vec![
        ("Project", settings.prefix.as_str()),
        ("DeploymentModel", DEPLOYMENT_MODEL),
    ];
    if matches!(kind, StackKind::Fleet(_)) {
        tags.push(("Service", "gpu-fleet"));
    }
    if let Some(owner) = &settings.owner {
        tags.push(("Owner", owner));
    }
    tags.into_iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}
