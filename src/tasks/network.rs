//! In which network a one-off task runs: flags, environment, else that of the running service.

use std::collections::BTreeMap;
use std::fmt;

use crate::aws::ecs::{Network, Service};
use crate::error::{CommandLine, CtlError, Result};
use crate::layout::{SecurityGroupId, SubnetId};

/// JSON array of subnet ids (runbook: "GitHub secrets").
const SUBNETS_VARIABLE: &str = "PRIVATE_SUBNET_IDS";
/// One security group id (runbook: "GitHub secrets").
const SECURITY_GROUP_VARIABLE: &str = "BACKEND_SG_ID";

const SUBNETS_FLAG: &str = "--subnets";
const SECURITY_GROUPS_FLAG: &str = "--security-groups";

/// Ids that the operator chose, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chosen {
    pub(crate) ids: Vec<String>,
    /// E.g. `flag --subnets`.
    pub(crate) source: String,
}

/// How the operator wants a one-off task to be run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Choices {
    /// Stop the task on Ctrl-C.
    pub(crate) stop_on_interrupt: bool,
    /// `None`: those of the running service.
    pub(crate) subnets: Option<Chosen>,
    pub(crate) security_groups: Option<Chosen>,
}

impl Choices {
    /// Subnets and security groups of the flags, else of the environment.
    ///
    /// # Errors
    /// Variables that hold no such ids.
    pub(crate) fn new(
        stop_on_interrupt: bool,
        subnets: &[SubnetId],
        security_groups: &[SecurityGroupId],
        env: &BTreeMap<String, String>,
    ) -> Result<Self> {
        let subnets = chosen(SUBNETS_FLAG, subnets);
        let groups = chosen(SECURITY_GROUPS_FLAG, security_groups);
        Ok(Self {
            stop_on_interrupt,
            subnets: subnets.map_or_else(|| subnets_of_environment(env), |ids| Ok(Some(ids)))?,
            security_groups: groups
                .map_or_else(|| security_group_of_environment(env), |ids| Ok(Some(ids)))?,
        })
    }

    /// `command` with the flags that chose them. What the environment says is still there when it is typed.
    pub(crate) fn repeated(&self, mut command: CommandLine) -> CommandLine {
        if self.stop_on_interrupt {
            command = command.args(["--stop-on-interrupt"]);
        }
        for (flag, chosen) in [
            (SUBNETS_FLAG, &self.subnets),
            (SECURITY_GROUPS_FLAG, &self.security_groups),
        ] {
            let of_flag = chosen
                .as_ref()
                .filter(|chosen| chosen.source == format!("flag {flag}"));
            if let Some(chosen) = of_flag {
                command = command.option(flag, chosen.ids.join(","));
            }
        }
        command
    }

    /// The network of the task, and where it comes from in a sentence.
    pub(super) fn network(&self, service: &Service) -> (Network, String) {
        let own = service.network.clone().unwrap_or_default();
        let of_service = |ids: Vec<String>| Chosen {
            ids,
            source: format!("service {}", service.name),
        };
        let subnets = self.subnets.clone().unwrap_or_else(|| of_service(own.subnets));
        let groups = self.security_groups.clone();
        let groups = groups.unwrap_or_else(|| of_service(own.security_groups));
        let from = format!(
            "the subnets come from {}, the security groups from {}",
            subnets.source, groups.source
        );
        let network = Network {
            subnets: subnets.ids,
            security_groups: groups.ids,
            public_ip: own.public_ip,
        };
        (network, from)
    }
}

fn chosen<T: fmt::Display>(flag: &str, ids: &[T]) -> Option<Chosen> {
    (!ids.is_empty()).then(|| Chosen {
        ids: ids.iter().map(ToString::to_string).collect(),
        source: format!("flag {flag}"),
    })
}

fn subnets_of_environment(env: &BTreeMap<String, String>) -> Result<Option<Chosen>> {
    let Some(text) = env.get(SUBNETS_VARIABLE).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let refused = |why: String| {
        CtlError::config(format!("use the environment variable {SUBNETS_VARIABLE}: {why}")).hint(format!(
            "set it to a JSON array such as `[\"subnet-0123456789abcdef0\"]`, unset it, or give `--subnets`; its value is `{text}`"
        ))
    };
    let ids: Vec<String> =
        serde_json::from_str(text).map_err(|_| refused("it is not a JSON array of strings".to_owned()))?;
    if ids.is_empty() {
        return Err(refused("the array is empty".to_owned()));
    }
    for id in &ids {
        id.parse::<SubnetId>()
            .map_err(|error| refused(error.to_string()))?;
    }
    Ok(Some(Chosen {
        ids,
        source: format!("environment {SUBNETS_VARIABLE}"),
    }))
}

fn security_group_of_environment(env: &BTreeMap<String, String>) -> Result<Option<Chosen>> {
    let Some(text) = env.get(SECURITY_GROUP_VARIABLE).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    text.parse::<SecurityGroupId>().map_err(|error| {
        CtlError::config(format!(
            "use the environment variable {SECURITY_GROUP_VARIABLE}: {error}"
        ))
        .hint("set it to the id of the backend's security group, unset it, or give `--security-groups`")
    })?;
    Ok(Some(Chosen {
        ids: vec![text.clone()],
        source: format!("environment {SECURITY_GROUP_VARIABLE}"),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    }

    #[test]
    fn a_flag_beats_the_environment() {
        let env = env(&[
            ("PRIVATE_SUBNET_IDS", "[\"subnet-0a1b2c3d\",\"subnet-0a1b2c3e\"]"),
            ("BACKEND_SG_ID", "sg-0123456789abcdef0"),
        ]);
        let subnets = ["subnet-00000001".parse().unwrap()];
        let choices = Choices::new(false, &subnets, &[], &env).unwrap();
        assert_eq!(choices.subnets.unwrap().source, "flag --subnets");
        let groups = choices.security_groups.unwrap();
        assert_eq!(
            (groups.ids.as_slice(), groups.source.as_str()),
            (
                &["sg-0123456789abcdef0".to_owned()][..],
                "environment BACKEND_SG_ID"
            )
        );
        let choices = Choices::new(false, &[], &[], &env).unwrap();
        assert_eq!(
            choices.subnets.unwrap().ids,
            ["subnet-0a1b2c3d", "subnet-0a1b2c3e"]
        );
    }

    #[test]
    fn a_bad_environment_is_a_configuration_error() {
        for (name, value) in [
            ("PRIVATE_SUBNET_IDS", "subnet-0a1b2c3d"),
            ("PRIVATE_SUBNET_IDS", "[]"),
            ("PRIVATE_SUBNET_IDS", "[\"subnet-xyz\"]"),
            ("PRIVATE_SUBNET_IDS", "[1]"),
            ("BACKEND_SG_ID", "subnet-0a1b2c3d"),
        ] {
            let error = Choices::new(false, &[], &[], &env(&[(name, value)])).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{name}={value}");
            assert!(error.message().contains(name), "{error}");
        }
        let empty = env(&[("PRIVATE_SUBNET_IDS", ""), ("BACKEND_SG_ID", "")]);
        let choices = Choices::new(false, &[], &[], &empty).unwrap();
        assert_eq!((choices.subnets, choices.security_groups), (None, None));
    }
}
