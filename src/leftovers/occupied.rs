//! Machines of others in a network of the platform's: EC2 keeps the subnets that they are in (`DependencyViolation`), and
//! CloudFormation notices that only when half of the network is gone.

use std::collections::BTreeMap;

use crate::aws::Aws;
use crate::aws::ec2::Machine;
use crate::error::{CommandLine, Hint, Result};

/// The kind of a network in a template.
pub(crate) const VPC: &str = "AWS::EC2::VPC";

/// Machines that a message names.
const NAMED: usize = 3;

/// A network with machines of others in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Occupied {
    pub(crate) stack: String,
    /// By id; at least one.
    machines: BTreeMap<String, Machine>,
}

impl Occupied {
    /// Looks into the VPCs of a stack.
    ///
    /// # Errors
    /// What cannot be read.
    pub(crate) async fn look(
        aws: &Aws,
        stack: &str,
        vpcs: &[String],
        is_own: impl Fn(&Machine) -> bool,
    ) -> Result<Option<Self>> {
        let mut machines = aws.machines_in(vpcs).await?;
        machines.retain(|_, machine| !is_own(machine));
        Ok((!machines.is_empty()).then(|| Self {
            stack: stack.to_owned(),
            machines,
        }))
    }

    /// Why the network cannot go.
    pub(crate) fn reason(&self) -> String {
        let shown = self.machines.iter().take(NAMED).map(|(id, machine)| {
            match machine.tags.get("Name").filter(|name| !name.is_empty()) {
                Some(name) => format!("{id} ({name})"),
                None => id.clone(),
            }
        });
        let mut shown: Vec<String> = shown.collect();
        if self.machines.len() > NAMED {
            shown.push(format!("{} more", self.machines.len() - NAMED));
        }
        format!(
            "delete {}: a subnet with a machine in it does not go, and nothing here takes these away: {}",
            self.stack,
            shown.join(", ")
        )
    }

    /// What to do about it.
    pub(crate) fn hint(&self) -> Hint {
        let see = CommandLine::aws("ec2", "describe-instances").args(["--instance-ids"]);
        (
            "terminate what nobody needs, or move it elsewhere; see whose it is with",
            see.args(self.machines.keys().take(NAMED)),
        )
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(number: usize, name: &str) -> (String, Machine) {
        let id = format!("i-{number}");
        let tags = [("Name".to_owned(), name.to_owned())].into();
        let machine = Machine {
            id: id.clone(),
            tags,
            ..Machine::default()
        };
        (id, machine)
    }

    #[test]
    fn a_few_machines_are_named_and_the_rest_is_counted() {
        let occupied = |count: usize| Occupied {
            stack: "bp-network".to_owned(),
            machines: (0..count)
                .map(|at| machine(at, if at == 0 { "jump" } else { "" }))
                .collect(),
        };
        let reason = occupied(1).reason();
        assert!(reason.ends_with("these away: i-0 (jump)"), "{reason}");
        let reason = occupied(5).reason();
        assert!(reason.ends_with("i-0 (jump), i-1, i-2, 2 more"), "{reason}");
    }
}
