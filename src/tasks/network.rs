//! In which network a one-off task runs: flags, environment, else that of the running service.

use std::collections::BTreeMap;
use std::fmt;

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

impl Chosen {
    /// Subnets of the flag, else of the environment.
    ///
    /// # Errors
    /// A variable that holds no subnet ids.
    pub(crate) fn subnets(flag: &[SubnetId], env: &BTreeMap<String, String>) -> Result<Option<Self>> {
        chosen(SUBNETS_FLAG, flag).map_or_else(|| subnets_of_environment(env), |chosen| Ok(Some(chosen)))
    }

    /// Security groups of the flag, else of the environment.
    ///
    /// # Errors
    /// A variable that holds no security group id.
    pub(crate) fn security_groups(
        flag: &[SecurityGroupId],
        env: &BTreeMap<String, String>,
    ) -> Result<Option<Self>> {
        chosen(SECURITY_GROUPS_FLAG, flag)
            .map_or_else(|| security_group_of_environment(env), |chosen| Ok(Some(chosen)))
    }

    /// `command` with the flags that chose them. What the environment says is still there when it is typed.
    pub(crate) fn repeated(
        mut command: CommandLine,
        subnets: &Option<Self>,
        security_groups: &Option<Self>,
    ) -> CommandLine {
        for (flag, chosen) in [(SUBNETS_FLAG, subnets), (SECURITY_GROUPS_FLAG, security_groups)] {
            let of_flag = chosen
                .as_ref()
                .filter(|chosen| chosen.source == format!("flag {flag}"));
            if let Some(chosen) = of_flag {
                command = command.option(flag, chosen.ids.join(","));
            }
        }
        command
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
