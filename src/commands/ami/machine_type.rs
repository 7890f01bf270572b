//! The instance type that a fleet's images are made on.

use fleet_templates::FleetScaling;

use crate::aws::autoscaling::Group;
use crate::change::Blocker;
use crate::error::{ErrorKind, Hint};
use crate::fleet::{Pointers, status_command};
use crate::layout::FleetId;

/// The type, and what the fleet's template says of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct MachineType {
    /// Of the desired configuration, else of the group; `None` when neither says one.
    pub(super) name: Option<String>,
    /// The fleet's template; `None` when the desired configuration names none that is known.
    template: Option<String>,
    /// What the template allows; empty without one.
    allowed: Vec<String>,
}

impl MachineType {
    pub(super) fn of(pointers: &Pointers, group: Option<&Group>) -> Self {
        let config = pointers.desired_config.as_ref();
        let configured = config.and_then(|config| config.instance_type.clone());
        let template = config.and_then(|config| config.template_slug.clone());
        let known = template.as_deref().and_then(FleetScaling::template);
        Self {
            name: configured.or_else(|| group?.instance_types.first().cloned()),
            allowed: known.map(|known| known.instance_types).unwrap_or_default(),
            template,
        }
    }

    /// Why no image is made on it.
    pub(super) fn blocker(&self, doing: &str, fleet: &FleetId) -> Option<Blocker> {
        let Some(name) = &self.name else {
            return Some(Blocker {
                kind: ErrorKind::NotFound,
                reason: format!(
                    "{doing}: neither the desired configuration nor a group of {fleet} says an instance type"
                ),
                hint: Hint::new("see its pointers with").command(status_command(fleet)),
            });
        };
        let template = self.template.as_deref().unwrap_or_default();
        (!self.allowed.is_empty() && !self.allowed.contains(name)).then(|| Blocker {
            kind: ErrorKind::Failed,
            reason: format!(
                "{doing}: template {template} allows {}, and the desired configuration says {name}",
                self.allowed.join(", ")
            ),
            hint: Hint::new("`--force` does it all the same; see the fleet with")
                .command(status_command(fleet)),
        })
    }
}
