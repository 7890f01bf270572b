//! The shapes of the AWS APIs as far as the sandbox speaks them (`api/*.json`, written by `api/trim.py`).

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

use crate::service::Service;

/// One service's API.
#[derive(Debug, Deserialize)]
pub(crate) struct Api {
    pub(crate) metadata: Metadata,
    pub(crate) operations: BTreeMap<String, Operation>,
    shapes: BTreeMap<String, Shape>,
}

/// How the service is addressed and which protocols it answers.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Metadata {
    pub(crate) api_version: String,
    #[serde(default)]
    aws_query_compatible: Option<serde_json::Value>,
    endpoint_prefix: String,
    protocols: Vec<String>,
    #[serde(default)]
    signing_name: Option<String>,
    #[serde(default)]
    pub(crate) target_prefix: Option<String>,
    #[serde(default)]
    pub(crate) xml_namespace: Option<String>,
}

impl Metadata {
    /// The service's name in the scope of a signature: `elasticloadbalancing`, `monitoring`.
    pub(crate) fn signing_name(&self) -> &str {
        self.signing_name.as_deref().unwrap_or(&self.endpoint_prefix)
    }

    /// The first label of the service's host name: `api.ecr`, `monitoring`.
    pub(crate) fn endpoint_prefix(&self) -> &str {
        &self.endpoint_prefix
    }

    /// Whether the service's requests are told by method and path.
    pub(crate) fn is_rest(&self) -> bool {
        self.protocols
            .iter()
            .any(|protocol| protocol.starts_with("rest-"))
    }

    /// Whether the service speaks EC2's own dialect of the query protocol.
    pub(crate) fn is_ec2(&self) -> bool {
        self.protocols.iter().any(|protocol| protocol == "ec2")
    }

    /// Whether answers in newer protocols also carry the error code of the query protocol.
    pub(crate) fn query_compatible(&self) -> bool {
        self.aws_query_compatible.is_some()
    }
}

/// One operation by the names of its shapes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Operation {
    #[serde(default)]
    pub(crate) input: Option<String>,
    #[serde(default)]
    pub(crate) output: Option<String>,
    /// The element around the result in a query answer.
    #[serde(default)]
    pub(crate) result_wrapper: Option<String>,
    /// How a REST request for it looks.
    #[serde(default)]
    pub(crate) http: Option<Http>,
    /// The root element of a REST-XML answer.
    #[serde(default)]
    pub(crate) root: Option<String>,
    pub(crate) errors: Vec<String>,
}

/// The method and the path of a REST operation, and the status of its success.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Http {
    pub(crate) method: String,
    pub(crate) request_uri: String,
    #[serde(default)]
    pub(crate) response_code: Option<u16>,
}

/// Where a member of a REST operation travels; in the body unless this says otherwise.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Location {
    /// A label of the path.
    Uri,
    /// A parameter of the address.
    Querystring,
    /// One header.
    Header,
    /// All headers that begin with the member's name there.
    Headers,
    /// The status of the answer.
    StatusCode,
}

/// A use of a shape: as a member, an element, a key or a value.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Reference {
    pub(crate) shape: String,
    #[serde(default)]
    pub(crate) location_name: Option<String>,
    /// What the EC2 protocol calls it where that differs.
    #[serde(default)]
    pub(crate) query_name: Option<String>,
    #[serde(default)]
    pub(crate) location: Option<Location>,
    /// The member is the body as it is. The sandbox holds whole bodies, so this says no more than the kind does.
    #[serde(default, rename = "streaming")]
    _streaming: bool,
}

/// The type of a shape.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Structure,
    List,
    Map,
    String,
    Integer,
    Long,
    Float,
    Double,
    Boolean,
    Timestamp,
    Blob,
}

/// A type of the API.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Shape {
    #[serde(rename = "type")]
    pub(crate) kind: Kind,
    #[serde(default)]
    pub(crate) required: Vec<String>,
    #[serde(default, rename = "enum")]
    pub(crate) allowed: Vec<String>,
    #[serde(default)]
    pub(crate) min: Option<f64>,
    #[serde(default)]
    pub(crate) max: Option<f64>,
    #[serde(default)]
    pub(crate) members: BTreeMap<String, Reference>,
    #[serde(default)]
    pub(crate) member: Option<Box<Reference>>,
    #[serde(default)]
    pub(crate) key: Option<Box<Reference>>,
    #[serde(default)]
    pub(crate) value: Option<Box<Reference>>,
    /// The member that is the whole body of a REST message.
    #[serde(default)]
    pub(crate) payload: Option<String>,
    /// The elements of the list stand beside each other, without an element around them.
    #[serde(default)]
    pub(crate) flattened: bool,
    #[serde(default)]
    pub(crate) timestamp_format: Option<String>,
    #[serde(default)]
    error: Option<ErrorTrait>,
    /// Its members come one after the other, as messages of a stream.
    #[serde(default, rename = "eventstream")]
    _eventstream: bool,
}

/// What the query protocol calls an error, and its HTTP status.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ErrorTrait {
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    http_status_code: Option<u16>,
}

/// A modelled error by both of its names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ModelledError<'a> {
    /// The shape's name, which the JSON and CBOR protocols use.
    pub(crate) shape: &'a str,
    /// The code of the query protocol.
    pub(crate) code: &'a str,
    /// The HTTP status of the query protocol, when the API gives one.
    pub(crate) status: Option<u16>,
}

impl Api {
    /// The API of `service`, parsed on first use.
    pub(crate) fn of(service: Service) -> &'static Self {
        static APIS: [OnceLock<Api>; Service::ALL.len()] = [const { OnceLock::new() }; Service::ALL.len()];
        APIS[service as usize].get_or_init(|| {
            serde_json::from_str(service.shapes())
                .unwrap_or_else(|error| unreachable!("the API shapes of {service:?} do not parse: {error}"))
        })
    }

    /// The shape called `name`, which some other shape or operation of the API refers to.
    pub(crate) fn shape(&self, name: &str) -> &Shape {
        self.shapes
            .get(name)
            .unwrap_or_else(|| unreachable!("the API shapes lack `{name}`: run api/trim.py"))
    }

    /// The modelled error of `operation` that goes by `name` in any protocol.
    pub(crate) fn error(&self, operation: &str, name: &str) -> Option<ModelledError<'_>> {
        let operation = self.operations.get(operation)?;
        operation.errors.iter().find_map(|shape| {
            let error = self.shape(shape).error.as_ref();
            let code = error.and_then(|error| error.code.as_deref()).unwrap_or(shape);
            (shape == name || code == name).then(|| ModelledError {
                shape,
                code,
                status: error.and_then(|error| error.http_status_code),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_leads_to_a_shape() {
        for service in Service::ALL {
            let api = Api::of(*service);
            for operation in api.operations.values() {
                for name in operation
                    .input
                    .iter()
                    .chain(&operation.output)
                    .chain(&operation.errors)
                {
                    api.shape(name);
                }
            }
            for shape in api.shapes.values() {
                let parts = [&shape.member, &shape.key, &shape.value];
                let parts = parts.into_iter().flatten().map(AsRef::as_ref);
                for reference in shape.members.values().chain(parts) {
                    api.shape(&reference.shape);
                }
                assert_eq!(shape.kind == Kind::List, shape.member.is_some(), "{service:?}");
            }
        }
    }

    #[test]
    fn an_error_is_found_by_either_of_its_names() {
        let api = Api::of(Service::Elb);
        for name in ["LoadBalancerNotFound", "LoadBalancerNotFoundException"] {
            let error = api
                .error("DescribeLoadBalancers", name)
                .map(|error| (error.shape, error.code));
            assert_eq!(
                error,
                Some(("LoadBalancerNotFoundException", "LoadBalancerNotFound"))
            );
        }
        assert_eq!(
            api.error("DescribeLoadBalancers", "ClusterNotFoundException"),
            None
        );
    }
}
