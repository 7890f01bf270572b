//! A task definition as a whole: what AWS says of it goes back word for word when another revision is registered, also
//! members that this program and its SDK do not know.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_ecs::types::TaskDefinitionField;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::definitions::AwsLogs;
use crate::aws::Aws;
use crate::aws::once::UnlessUnknown;
use crate::aws::operation::ShowPermit;
use crate::change::{Call, Permit, Repeated};
use crate::error::{CtlError, ErrorKind, Required as _, Result, from_sdk, unreadable_json};

const READ: &str = "DescribeTaskDefinition";

/// Members that DescribeTaskDefinition answers and RegisterTaskDefinition does not take (Amazon ECS API Reference).
const READ_ONLY: [&str; 9] = [
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "registeredBy",
    "deregisteredAt",
    "deleteRequestedAt",
];

/// A task definition with everything that AWS says of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Registered {
    pub(crate) arn: String,
    pub(crate) family: String,
    pub(crate) revision: i64,
    /// What RegisterTaskDefinition takes.
    input: Map<String, Value>,
}

/// One container of it, as far as a deployment cares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RegisteredContainer {
    pub(crate) name: String,
    pub(crate) image: String,
    pub(crate) essential: bool,
    pub(crate) logs: Option<AwsLogs>,
    /// Environment variable and where its value comes from.
    pub(crate) secrets: Vec<(String, String)>,
}

impl Registered {
    fn of(answer: &Value) -> Result<Self> {
        let Some(Value::Object(definition)) = answer.get("taskDefinition") else {
            return Err(CtlError::missing_in_response(READ, "taskDefinition"));
        };
        let text = |member: &str| definition.get(member).and_then(Value::as_str).map(str::to_owned);
        let mut input = definition.clone();
        input.retain(|member, _| !READ_ONLY.contains(&member.as_str()));
        if let Some(tags) = answer
            .get("tags")
            .filter(|tags| tags.as_array().is_some_and(|tags| !tags.is_empty()))
        {
            input.insert("tags".to_owned(), tags.clone());
        }
        Ok(Self {
            arn: text("taskDefinitionArn").required(READ, "taskDefinitionArn")?,
            family: text("family").required(READ, "family")?,
            revision: definition
                .get("revision")
                .and_then(Value::as_i64)
                .required(READ, "revision")?,
            input,
        })
    }

    pub(crate) fn containers(&self) -> Vec<RegisteredContainer> {
        let containers = self.input.get("containerDefinitions").and_then(Value::as_array);
        containers.into_iter().flatten().map(container).collect()
    }

    pub(crate) fn execution_role(&self) -> Option<&str> {
        self.input.get("executionRoleArn")?.as_str()
    }

    /// `ARM64` or `X86_64`; the latter "is the default" (API reference, RuntimePlatform).
    pub(crate) fn architecture(&self) -> &str {
        let platform = self.input.get("runtimePlatform");
        let said = platform.and_then(|platform| platform.get("cpuArchitecture")?.as_str());
        said.unwrap_or("X86_64")
    }

    /// What is registered for a revision that differs in these images only: container and image.
    pub(crate) fn with_images(&self, images: &[(String, String)]) -> Map<String, Value> {
        let mut input = self.input.clone();
        let containers = input
            .get_mut("containerDefinitions")
            .and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten() {
            let name = container.get("name").and_then(Value::as_str).unwrap_or_default();
            if let Some((_, image)) = images.iter().find(|(of, _)| of == name) {
                container["image"] = Value::from(image.as_str());
            }
        }
        input
    }

    /// Whether registering `input` would only make the same once more.
    pub(crate) fn is_same_as(&self, input: &Map<String, Value>) -> bool {
        self.input == *input
    }
}

fn container(definition: &Value) -> RegisteredContainer {
    let text = |of: &Value, member: &str| of.get(member).and_then(Value::as_str).map(str::to_owned);
    let logs = definition
        .get("logConfiguration")
        .filter(|logs| logs.get("logDriver").and_then(Value::as_str) == Some("awslogs"))
        .and_then(|logs| logs.get("options"))
        .and_then(|options| {
            Some(AwsLogs {
                group: text(options, "awslogs-group")?,
                stream_prefix: text(options, "awslogs-stream-prefix"),
            })
        });
    let secrets = definition.get("secrets").and_then(Value::as_array);
    RegisteredContainer {
        name: text(definition, "name").unwrap_or_default(),
        image: text(definition, "image").unwrap_or_default(),
        // "If this parameter is omitted, a container is assumed to be essential" (API reference).
        essential: definition
            .get("essential")
            .and_then(Value::as_bool)
            .unwrap_or(true),
        logs,
        secrets: secrets
            .into_iter()
            .flatten()
            .filter_map(|secret| Some((text(secret, "name")?, text(secret, "valueFrom")?)))
            .collect(),
    }
}

impl Aws {
    /// The task definition with this ARN, `family:revision`, or the newest active one of a family.
    pub(crate) async fn registered(&self, name: &str) -> Result<Registered> {
        let doing = format!("describe task definition {}", super::short(name));
        let body = KeepBody::default();
        self.ecs_client()
            .await?
            .describe_task_definition()
            .task_definition(name)
            .include(TaskDefinitionField::Tags)
            .customize()
            .interceptor(body.clone())
            .send()
            .await
            .map_err(|error| from_sdk(&doing, &error))?;
        let body = body.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let body = body
            .ok_or_else(|| CtlError::new(ErrorKind::Unexpected, &doing).cause("the answer was not kept"))?;
        let answer: Value =
            serde_json::from_slice(&body).map_err(|error| unreadable_json(doing, &body, &error))?;
        Registered::of(&answer)
    }
}

/// Keeps the body of an answer, of which the SDK takes only what it knows.
#[derive(Clone, Debug, Default)]
struct KeepBody(Arc<Mutex<Option<Vec<u8>>>>);

#[dyn_dispatch_hint]
impl Intercept for KeepBody {
    fn name(&self) -> &'static str {
        "KeepBody"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response().body().bytes().map(<[u8]>::to_vec);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = body;
        Ok(())
    }
}

/// Sends a JSON document as the request (AWS JSON 1.1 protocol: the body is the input).
#[derive(Debug)]
struct SendBody(String);

#[dyn_dispatch_hint]
impl Intercept for SendBody {
    fn name(&self) -> &'static str {
        "SendBody"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        request
            .headers_mut()
            .insert("content-length", self.0.len().to_string());
        *request.body_mut() = SdkBody::from(self.0.as_str());
        Ok(())
    }
}

/// Another revision of a task definition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RegisterTaskDefinition {
    /// Everything that is sent.
    pub(crate) input: Map<String, Value>,
    pub(crate) resource: String,
}

impl RegisterTaskDefinition {
    pub(crate) fn family(&self) -> &str {
        let family = self.input.get("family").and_then(Value::as_str);
        family.unwrap_or_default()
    }
}

impl Call for RegisterTaskDefinition {
    const SERVICE: &'static str = "ecs";
    const OPERATION: &'static str = "RegisterTaskDefinition";
    /// Every request makes a revision.
    const REPEATED: Repeated = Repeated::Twice;
    type Via = Aws;
    /// ARN of the revision.
    type Answer = String;

    fn parameters(&self) -> Map<String, Value> {
        self.input.clone()
    }

    fn resource(&self) -> String {
        self.resource.clone()
    }

    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<String> {
        let family = self.family();
        let answer = aws
            .ecs_client()
            .await?
            .register_task_definition()
            .family(family)
            .set_container_definitions(Some(Vec::new()))
            .customize()
            .config_override(aws_sdk_ecs::config::Builder::new().retry_classifier(UnlessUnknown))
            .interceptor(SendBody(Value::Object(self.input.clone()).to_string()))
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| from_sdk(format!("register a revision of {family}"), &error))?;
        let arn = answer
            .task_definition()
            .and_then(|definition| definition.task_definition_arn());
        Ok(arn
            .required(Self::OPERATION, "taskDefinition.taskDefinitionArn")?
            .to_owned())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer() -> Value {
        json!({
            "taskDefinition": {
                "taskDefinitionArn": "arn:aws:ecs:us-east-1:123456789012:task-definition/bp-backend:42",
                "family": "bp-backend", "revision": 42, "status": "ACTIVE", "registeredAt": 1.5,
                "executionRoleArn": "arn:aws:iam::123456789012:role/x", "aMemberOfTomorrow": {"a": [1]},
                "runtimePlatform": {"cpuArchitecture": "ARM64"},
                "containerDefinitions": [
                    {"name": "nginx", "image": "r/bp-backend:nginx-latest"},
                    {"name": "php-fpm", "image": "r/bp-backend:php-latest", "essential": false,
                     "secrets": [{"name": "APP_KEY", "valueFrom": "arn:x"}],
                     "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/bp-backend"}}},
                ],
            },
            "tags": [{"key": "Project", "value": "bp"}],
        })
    }

    #[test]
    fn a_revision_differs_in_its_images_and_in_nothing_else() {
        let known = Registered::of(&answer()).unwrap();
        let images = [("php-fpm".to_owned(), "r/bp-backend:php-0af12cd".to_owned())];
        let input = known.with_images(&images);
        assert_eq!(input["aMemberOfTomorrow"], json!({"a": [1]}));
        assert_eq!(input["tags"], json!([{"key": "Project", "value": "bp"}]));
        for gone in ["taskDefinitionArn", "revision", "status", "registeredAt"] {
            assert!(!input.contains_key(gone), "{gone}");
        }
        assert_eq!(
            input["containerDefinitions"][0]["image"],
            "r/bp-backend:nginx-latest"
        );
        assert_eq!(
            input["containerDefinitions"][1]["image"],
            "r/bp-backend:php-0af12cd"
        );
        assert!(!known.is_same_as(&input) && known.is_same_as(&known.with_images(&[])));
    }

    #[test]
    fn what_a_deployment_needs_is_read_from_it() {
        let known = Registered::of(&answer()).unwrap();
        let containers = known.containers();
        assert_eq!((known.revision, known.architecture()), (42, "ARM64"));
        assert!(containers[0].essential && !containers[1].essential);
        assert_eq!(
            containers[1].secrets,
            [("APP_KEY".to_owned(), "arn:x".to_owned())]
        );
        assert_eq!(
            containers[1].logs.as_ref().map(|logs| logs.group.as_str()),
            Some("/ecs/bp-backend")
        );
        assert_eq!(known.execution_role(), Some("arn:aws:iam::123456789012:role/x"));
        let error = Registered::of(&json!({"taskDefinition": {"family": "x"}})).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unexpected);
    }
}
