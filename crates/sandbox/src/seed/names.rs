//! The names that the two layouts give to fleets, alarms and topics (platform layouts, one place).

use crate::options::{FleetSeed, Layout, Options};

/// The names of an account.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    layout: Layout,
    stage: String,
}

impl Names {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            layout: options.layout,
            stage: options.stage.clone(),
        }
    }

    /// `bp-<what>` or `bp-<stage>-<what>`.
    pub(crate) fn core(&self, what: &str) -> String {
        format!("{}-{what}", self.system())
    }

    /// `bp` or `bp-<stage>`: the cluster, and the prefix of everything else.
    pub(crate) fn system(&self) -> String {
        match self.layout {
            Layout::Single => String::from("bp"),
            Layout::Staged => format!("bp-{}", self.stage),
        }
    }

    /// `p1-…` or `<stage>-p1-…`.
    pub(crate) fn platform_alarm(&self, what: &str) -> String {
        match self.layout {
            Layout::Single => what.to_owned(),
            Layout::Staged => format!("{}-{what}", self.stage),
        }
    }

    pub(crate) fn group(&self, fleet: &FleetSeed) -> String {
        format!("asg-{}-{}", fleet.stage, fleet.slug)
    }

    pub(crate) fn launch_template(&self, fleet: &FleetSeed) -> String {
        format!("lt-{}-{}", fleet.stage, fleet.slug)
    }

    pub(crate) fn ami(&self, fleet: &FleetSeed) -> String {
        match self.layout {
            Layout::Single => format!("/bp/ami/fleets/{}/{}", fleet.stage, fleet.slug),
            Layout::Staged => format!("/bp/ami/{}", fleet.slug),
        }
    }

    pub(crate) fn active_bundle(&self, fleet: &FleetSeed) -> String {
        match self.layout {
            Layout::Single => format!("/bp/fleets/{}/{}/active_bundle", fleet.stage, fleet.slug),
            Layout::Staged => format!("/bp/{}/assets/{}/active_bundle", fleet.stage, fleet.slug),
        }
    }

    /// Only the single layout has one: the staged layout compiles it into the stack.
    pub(crate) fn desired_config(&self, fleet: &FleetSeed) -> Option<String> {
        match self.layout {
            Layout::Single => Some(format!(
                "/bp/fleets/{}/{}/desired_config",
                fleet.stage, fleet.slug
            )),
            Layout::Staged => None,
        }
    }

    pub(crate) fn fleet_secret(&self, stage: &str) -> String {
        match self.layout {
            Layout::Single => format!("/bp/fleets/{stage}/fleet-secret"),
            Layout::Staged => format!("/bp/{stage}/fleet-secret"),
        }
    }

    pub(crate) fn fleet_stack(&self, fleet: &FleetSeed) -> Option<String> {
        match self.layout {
            Layout::Single => Some(format!("bp-gpu-fleet-{}-{}", fleet.stage, fleet.slug)),
            Layout::Staged => None,
        }
    }

    pub(crate) fn metric_dimensions(&self, stage: &str, slug: &str) -> Vec<(String, String)> {
        match self.layout {
            Layout::Single => vec![
                ("FleetSlug".to_owned(), slug.to_owned()),
                ("Stage".to_owned(), stage.to_owned()),
            ],
            Layout::Staged => vec![("WorkflowSlug".to_owned(), slug.to_owned())],
        }
    }

    /// The tag that names a fleet on its group.
    pub(crate) fn slug_tag(&self) -> &'static str {
        match self.layout {
            Layout::Single => "FleetSlug",
            Layout::Staged => "WorkflowSlug",
        }
    }
}
