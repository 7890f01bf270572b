//! The parameters that decide what a fleet runs: AMI, asset bundle and desired configuration.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::aws::ssm::Parameter;
use crate::layout::{FleetId, Layout};

/// A parameter as a pointer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Pointer {
    pub(crate) parameter: String,
    pub(crate) value: String,
    pub(crate) version: i64,
    pub(crate) modified: Option<Timestamp>,
    /// `aws:ec2:image` is what makes a launch template accept it.
    pub(crate) data_type: String,
}

impl Pointer {
    /// Whether a launch template can resolve it: Parameter Store has checked that it is an AMI id then.
    pub(crate) fn is_image(&self) -> bool {
        self.data_type == "aws:ec2:image"
    }
}

/// The active asset bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Bundle {
    /// Without prefix and trailing slash; `None` when no bundle is active.
    pub(crate) bundle_id: Option<String>,
    #[serde(flatten)]
    pub(crate) pointer: Pointer,
}

/// What the fleet shall be made of (single layout only).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct DesiredConfig {
    pub(crate) template_slug: Option<String>,
    pub(crate) instance_type: Option<String>,
    /// The parameter holds no JSON object.
    pub(crate) invalid: bool,
    pub(crate) version: i64,
    pub(crate) modified: Option<Timestamp>,
}

/// The pointers of a fleet; `None` for a parameter that does not exist.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Pointers {
    pub(crate) ami: Option<Pointer>,
    pub(crate) bundle: Option<Bundle>,
    pub(crate) desired_config: Option<DesiredConfig>,
}

/// The parameters of a fleet.
pub(crate) fn names(layout: &Layout, fleet: &FleetId) -> Vec<String> {
    let mut names = vec![layout.ami_parameter(fleet), layout.active_bundle_parameter(fleet)];
    names.extend(layout.desired_config_parameter(fleet));
    names
}

impl Pointers {
    /// Picks a fleet's parameters out of those that were read.
    pub(crate) fn of(layout: &Layout, fleet: &FleetId, parameters: &BTreeMap<String, Parameter>) -> Self {
        let find = |name: &str| parameters.get(name);
        Self {
            ami: find(&layout.ami_parameter(fleet)).map(pointer),
            bundle: find(&layout.active_bundle_parameter(fleet)).map(|parameter| Bundle {
                bundle_id: bundle_id(parameter.value.expose()),
                pointer: pointer(parameter),
            }),
            desired_config: layout
                .desired_config_parameter(fleet)
                .and_then(|name| parameters.get(&name))
                .map(desired_config),
        }
    }
}

fn pointer(parameter: &Parameter) -> Pointer {
    Pointer {
        parameter: parameter.name.clone(),
        // What a fleet runs is no secret.
        value: parameter.value.expose().to_owned(),
        version: parameter.version,
        modified: parameter.modified,
        data_type: parameter.data_type.clone(),
    }
}

/// `bundles/<id>` (single layout, trailing slash tolerated), `<id>` (staged) or `none`.
pub(crate) fn bundle_id(value: &str) -> Option<String> {
    let value = value.trim();
    let id = value
        .strip_prefix("bundles/")
        .unwrap_or(value)
        .trim_end_matches('/');
    (!id.is_empty() && id != "none").then(|| id.to_owned())
}

fn desired_config(parameter: &Parameter) -> DesiredConfig {
    let document: serde_json::Value = serde_json::from_str(parameter.value.expose()).unwrap_or_default();
    let text = |member: &str| document[member].as_str().map(str::to_owned);
    DesiredConfig {
        template_slug: text("template_slug"),
        instance_type: text("instance_type"),
        invalid: !document.is_object(),
        version: parameter.version,
        modified: parameter.modified,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::ssm::ParameterFacts;

    #[test]
    fn a_bundle_is_named_in_three_ways() {
        for value in ["bundles/b-1", "bundles/b-1/", "b-1", " b-1 "] {
            assert_eq!(bundle_id(value).as_deref(), Some("b-1"), "{value:?}");
        }
        for value in ["none", "", "bundles/", "bundles/none"] {
            assert_eq!(bundle_id(value), None, "{value:?}");
        }
    }

    #[test]
    fn a_broken_configuration_is_told_from_an_empty_one() {
        let read = |value: &str| {
            desired_config(&Parameter {
                facts: ParameterFacts {
                    name: String::new(),
                    version: 1,
                    data_type: "text".to_owned(),
                    modified: None,
                    by: None,
                },
                value: value.into(),
            })
        };
        let good = read(r#"{"template_slug":"gpu-default","instance_type":"g5.xlarge"}"#);
        assert_eq!(good.template_slug.as_deref(), Some("gpu-default"));
        assert!(!good.invalid && !read("{}").invalid);
        assert!(read("gpu-default").invalid);
    }
}
