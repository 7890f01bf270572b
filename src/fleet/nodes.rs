//! What each instance of a fleet really runs, beside what its pointers say.

use jiff::Timestamp;

use super::pointers::{Pointers, bundle_id, names as parameter_names};
use crate::aws::Aws;
use crate::aws::autoscaling::{Group, Phase};
use crate::aws::ssm::pointer::PointerVersion;
use crate::error::Result;
use crate::layout::{FleetId, Layout};

/// One instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) id: String,
    /// As AWS says it, e.g. `InService`.
    pub(crate) state: String,
    pub(crate) phase: Phase,
    pub(crate) instance_type: Option<String>,
    pub(crate) zone: Option<String>,
    pub(crate) healthy: bool,
    pub(crate) protected: bool,
    pub(crate) template_version: Option<String>,
    /// As EC2 says it; `None` when EC2 does not know the instance.
    pub(crate) image: Option<String>,
    pub(crate) spot: Option<bool>,
    pub(crate) launched: Option<Timestamp>,
    pub(crate) bundle: BundleAtBoot,
}

/// The bundle that was active when an instance booted: it loads that one, and keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BundleAtBoot {
    /// None was active.
    None,
    Active(String),
    /// The pointer's history does not reach back so far, or it is not known when the instance began.
    Unknown,
}

/// In what an instance is not what a new one would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Skew {
    Image,
    Template,
    Bundle,
}

impl Skew {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Template => "launch template",
            Self::Bundle => "bundle",
        }
    }
}

/// A fleet with its instances.
#[derive(Clone, Debug)]
pub(crate) struct Nodes {
    pub(crate) group: Group,
    pub(crate) pointers: Pointers,
    pub(crate) nodes: Vec<Node>,
}

impl Nodes {
    /// Instances that are there or on their way in.
    pub(crate) fn staying(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(|node| node.phase != Phase::Terminating)
    }

    /// In what an instance differs from a new one.
    pub(crate) fn skew(&self, node: &Node) -> Vec<Skew> {
        let mut skew = Vec::new();
        let image = self.pointers.ami.as_ref().map(|pointer| pointer.value.as_str());
        if image.is_some() && node.image.is_some() && node.image.as_deref() != image {
            skew.push(Skew::Image);
        }
        // `$Latest` and `$Default` name no number to compare with.
        let version = self.group.launch_template.as_ref().map(|(_, version)| version);
        if let (Some(version), Some(own)) = (version, &node.template_version)
            && !version.starts_with('$')
            && version != own
        {
            skew.push(Skew::Template);
        }
        let active = self.pointers.bundle.as_ref();
        let differs = match (&node.bundle, active.map(|bundle| bundle.bundle_id.as_deref())) {
            (BundleAtBoot::Unknown, _) | (_, None) => false,
            (BundleAtBoot::None, Some(active)) => active.is_some(),
            (BundleAtBoot::Active(own), Some(active)) => active != Some(own.as_str()),
        };
        if differs {
            skew.push(Skew::Bundle);
        }
        skew
    }

    /// Instances that are there or on their way in and do not run the pointer's image, as far as EC2 says it.
    pub(crate) fn on_other_images(&self) -> Vec<&Node> {
        let image = self.pointers.ami.as_ref().map(|pointer| &pointer.value);
        let other = |node: &&Node| node.image.as_ref() != image;
        self.staying().filter(other).collect()
    }
}

/// Looks at a fleet: five calls, and one more for every two hundred instances.
///
/// # Errors
/// Whatever cannot be read: a table with holes would call an old instance new.
pub(crate) async fn look(aws: &Aws, layout: &Layout, fleet: &FleetId) -> Result<Nodes> {
    let group_name = layout.auto_scaling_group(fleet);
    let names = parameter_names(layout, fleet);
    let (group, parameters) = futures::try_join!(aws.group(&group_name), aws.parameters(&names))?;
    let pointers = Pointers::of(layout, fleet, &parameters.found);
    let ids: Vec<String> = group
        .instances
        .iter()
        .map(|instance| instance.id.clone())
        .collect();
    let history = async {
        match &pointers.bundle {
            Some(bundle) if !ids.is_empty() => aws.pointer_versions(&bundle.pointer.parameter).await,
            Some(_) | None => Ok(Vec::new()),
        }
    };
    let (machines, versions) = futures::try_join!(aws.machines(&ids), history)?;
    let nodes = group
        .instances
        .iter()
        .map(|instance| {
            let machine = machines.get(&instance.id);
            let launched = machine.and_then(|machine| machine.launched);
            Node {
                id: instance.id.clone(),
                state: instance.state.clone(),
                phase: instance.phase,
                instance_type: instance.instance_type.clone(),
                zone: instance.zone.clone(),
                healthy: instance.healthy,
                protected: instance.protected,
                template_version: instance.launch_template_version.clone(),
                image: machine.and_then(|machine| machine.image.clone()),
                spot: machine.map(|machine| machine.spot),
                launched,
                bundle: bundle_at(&versions, launched),
            }
        })
        .collect();
    Ok(Nodes {
        group,
        pointers,
        nodes,
    })
}

/// The bundle that was active at a moment, by the history of the pointer, the newest version first.
fn bundle_at(versions: &[PointerVersion], at: Option<Timestamp>) -> BundleAtBoot {
    let Some(at) = at else {
        return BundleAtBoot::Unknown;
    };
    let then = versions
        .iter()
        .find(|version| version.modified.is_some_and(|modified| modified <= at));
    match then {
        None => BundleAtBoot::Unknown,
        Some(version) => bundle_id(&version.value).map_or(BundleAtBoot::None, BundleAtBoot::Active),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(number: i64, minute: i64, value: &str) -> PointerVersion {
        PointerVersion {
            version: number,
            value: value.to_owned(),
            modified: Timestamp::from_second(minute * 60).ok(),
            by: None,
        }
    }

    #[test]
    fn an_instance_has_the_bundle_that_was_active_when_it_began() {
        let versions = [
            version(3, 300, "bundles/b-2"),
            version(2, 200, "bundles/b-1/"),
            version(1, 100, "none"),
        ];
        let at = |minute: i64| bundle_at(&versions, Timestamp::from_second(minute * 60).ok());
        assert_eq!(at(400), BundleAtBoot::Active("b-2".to_owned()));
        assert_eq!(at(300), BundleAtBoot::Active("b-2".to_owned()));
        assert_eq!(at(299), BundleAtBoot::Active("b-1".to_owned()));
        assert_eq!(at(150), BundleAtBoot::None);
        assert_eq!(at(50), BundleAtBoot::Unknown);
        assert_eq!(bundle_at(&versions, None), BundleAtBoot::Unknown);
    }
}
