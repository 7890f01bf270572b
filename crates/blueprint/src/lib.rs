//! The platform that `bpctl` operates as CloudFormation templates, made from typed settings: no Node, no CDK, no assets
//! to upload.
//!
//! [`stacks`] gives every stack with its template in the order of deployment, in one of two layouts ([`Settings::layout`]):
//!
//! | `single` | `staged` | what |
//! |---|---|---|
//! | `bp-cicd` | `bp-<stage>-cicd` | image repositories; with [`Settings::github`] the role of GitHub's workflows |
//! | `bp-network` | `bp-<stage>-network` | VPC, subnets, NAT, security groups |
//! | `bp-data` | `bp-<stage>-data` | database, Redis, buckets, CloudFront, secrets, parameters |
//! | `bp-compute` | `bp-<stage>-compute` | cluster, load balancer, both services |
//! | `bp-monitoring` | `bp-<stage>-monitoring`, which is the last | alarms, dashboard, budget; staged: those alarms of the fleets that tell people, and the logs of their workers |
//! | `bp-gpu-shared` | in `bp-<stage>-gpu` | what takes idle fleets to zero |
//! | `bp-gpu-fleet-<stage>-<slug>` | `bp-<stage>-gpu`, all of them | a GPU fleet |
//!
//! In `single` there is one system, whose fleets are in stages. In `staged` the whole system is there once per stage, and
//! the stage ([`Settings::environment`]) is in every name. Both stages may be in one account, without fleets of the same
//! slug: image pointer and log group of a fleet do not say the stage.
//!
//! Before `bp-compute` is created the repositories must hold the images `nginx-latest`, `php-latest` and `latest`, or
//! the deployment circuit breaker rolls the stack back: `bpctl stack deploy` creates the services without tasks then. Before a fleet is created its image pointer
//! `/bp/ami/fleets/<stage>/<slug>` (staged: `/bp/ami/<slug>`) must exist. All stacks with roles need the capability `CAPABILITY_IAM`. The logs
//! bucket goes with `bp-data`, and CloudFormation deletes no bucket with objects in it: empty it first.
//!
//! They are for new platforms. Resources that the CDK has deployed have other logical ids: to update such a stack with one
//! of these templates is to delete everything in it and to make it anew, under names that are taken.
//!
//! # The staged layout
//!
//! It is older, and what differs besides the names is what its own runbook says:
//!
//! - Sizes are those of the stage ([`Sizes::of`]). In `staging` the database leaves a last snapshot when its stack goes, the
//!   buckets go with it where they are empty, and so do the logs of workers; in `production` all of them stay.
//! - The PHP containers have no shell for their entry point, 25 variables and 12 secrets: nothing of the sign-in services.
//! - A fleet is a part of `bp-<stage>-gpu` and has no `desired_config`. Its pointer to the active bundle is made with it and
//!   holds `none`; a bundle is a folder `bundles/<slug>/<id>`, which an instance copies when it starts. Spot capacity may be
//!   of any type of the fleet's template, [`Fleet::instance_type`] first.
//! - There is no alarm of unhealthy hosts, and no role for instances that images are built on.
//! - The dashboard has two widgets for every fleet.
//!
//! All fleets together may be too much for one request ([`LARGEST_TEMPLATE`]): [`stacks`] says then how many fit.
//!
//! # What is mended
//!
//! Names, sizes and thresholds are those of the platform as it is deployed. These choices are not, because they
//! contradict each other or what the platform is for; [`Settings::upstream_compatible`] brings them back:
//!
//! | what | the platform | here |
//! |---|---|---|
//! | a fleet whose queue is empty | `single`: a step policy takes it to zero after one minute | after `scale_to_zero_minutes`, by the alarm that is there for it |
//! | a fleet with jobs | a step policy sets it to 1 whenever tracking is quiet; `staged`: steps upon the backlog in the place of tracking | tracking, and steps that ask for what tracking asks for |
//! | tracking of a fleet of at most one instance | there, without effect | left out |
//! | a backend that publishes no metrics | its busy fleets go to zero | they stay |
//! | the worker's environment | has no region, so protection from scale-in fails | has one |
//! | the desired size of fleets and services | stated, so a deployment of a service sets it back | not stated |
//! | the frontend | all on Spot capacity | its first task is not |
//! | the OAuth secret before it is filled in | a random text, so no backend task starts | JSON with placeholders |
//! | what a retained database needs: its credentials, parameter group, monitoring role | goes with the stack | stays with it |

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

pub use settings::{Domain, Fleet, FleetTemplate, GitHub, Layout, Settings, Sizes, Stage, TaskSize};

use names::Names;

/// The largest template that CloudFormation takes in a request, in bytes (AWS CloudFormation User Guide, "Quotas").
pub const LARGEST_TEMPLATE: usize = 51_200;

/// What is left of [`LARGEST_TEMPLATE`] for what others add to a template, such as a mark in its metadata.
const MARGIN: usize = 512;

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
    /// Scale to zero, in the single layout.
    GpuShared,
    /// A fleet, in the single layout.
    Fleet(&'a Fleet),
    /// Scale to zero and all fleets, in the staged layout.
    Gpu,
}

impl StackKind<'_> {
    /// The stacks of the core, in the order of their deployment.
    #[must_use]
    pub fn core(layout: Layout) -> [StackKind<'static>; 6] {
        use StackKind::{Cicd, Compute, Data, Gpu, GpuShared, Monitoring, Network};
        match layout {
            Layout::Single => [Cicd, Network, Data, Compute, Monitoring, GpuShared],
            Layout::Staged => [Cicd, Network, Data, Compute, Gpu, Monitoring],
        }
    }

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
            Self::Gpu => names.core("gpu"),
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

/// The template of one stack; `None` for one that the layout does not have, and for a fleet whose template the settings
/// do not have.
///
/// The same settings make the same template, in the same order.
#[must_use]
pub fn template(settings: &Settings, stack: StackKind<'_>) -> Option<Value> {
    let is_staged = settings.layout == Layout::Staged;
    Some(match stack {
        StackKind::GpuShared | StackKind::Fleet(_) if is_staged => return None,
        StackKind::Gpu if !is_staged => return None,
        StackKind::Cicd => cicd::template(settings),
        StackKind::Network => network::template(settings),
        StackKind::Data => data::template(settings),
        StackKind::Compute => compute::template(settings),
        StackKind::Monitoring => monitoring::template(settings),
        StackKind::GpuShared => gpu_shared::template(settings),
        StackKind::Fleet(fleet) => fleet::template(settings, fleet)?,
        StackKind::Gpu => fleet::all(settings),
    })
}

/// Every stack, in an order in which they can be deployed.
///
/// # Errors
///
/// What is wrong with the settings, each a sentence that names the field ([`Settings::problems`]), and templates that are
/// larger than [`LARGEST_TEMPLATE`].
pub fn stacks(settings: &Settings) -> Result<Vec<Stack>, Vec<String>> {
    let problems = settings.problems();
    if !problems.is_empty() {
        return Err(problems);
    }
    let stacks = made(settings);
    let problems: Vec<String> = stacks
        .iter()
        .filter_map(|stack| too_large(settings, stack))
        .collect();
    if problems.is_empty() {
        Ok(stacks)
    } else {
        Err(problems)
    }
}

fn made(settings: &Settings) -> Vec<Stack> {
    let mut fleets: Vec<&Fleet> = settings.fleets.iter().collect();
    // The one that makes a log group goes before the one that writes to it.
    fleets.sort_by_key(|fleet| settings.log_group_owner(&fleet.slug) != Some(*fleet));
    let kinds = StackKind::core(settings.layout)
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
    stacks.collect()
}

/// Why a template cannot be sent, and with how many fleets it could be.
fn too_large(settings: &Settings, stack: &Stack) -> Option<String> {
    let size = |stack: &Stack| stack.template.to_string().len();
    let fits = |stack: &Stack| size(stack) + MARGIN <= LARGEST_TEMPLATE;
    if fits(stack) {
        return None;
    }
    let fitting = (0..settings.fleets.len()).rev().find(|&count| {
        let mut fewer = settings.clone();
        fewer.fleets.truncate(count);
        made(&fewer)
            .iter()
            .find(|other| other.name == stack.name)
            .is_some_and(fits)
    });
    let (name, size, all) = (&stack.name, size(stack), settings.fleets.len());
    Some(match fitting {
        Some(fitting) => format!(
            "`fleets` are {all}: the template of {name} has {size} bytes with them, a request to CloudFormation carries \
             {LARGEST_TEMPLATE}, and the first {fitting} fit"
        ),
        None => format!(
            "the template of {name} has {size} bytes, and a request to CloudFormation carries {LARGEST_TEMPLATE}"
        ),
    })
}

fn needs(settings: &Settings, kind: StackKind<'_>) -> Vec<String> {
    let needed: &[StackKind<'_>] = match kind {
        StackKind::Cicd | StackKind::Network | StackKind::GpuShared => &[],
        StackKind::Data => &[StackKind::Network],
        StackKind::Compute => &[StackKind::Cicd, StackKind::Network, StackKind::Data],
        StackKind::Gpu => &[StackKind::Network, StackKind::Data, StackKind::Compute],
        StackKind::Monitoring if settings.layout == Layout::Staged => &[
            StackKind::Network,
            StackKind::Data,
            StackKind::Compute,
            StackKind::Gpu,
        ],
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
    let holds_fleets = matches!(kind, StackKind::Fleet(_) | StackKind::Gpu);
    let mut tags = Names::of(settings).tags(holds_fleets);
    if let Some(owner) = &settings.owner {
        tags.push(("Owner", owner.clone()));
    }
    tags.into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
}
