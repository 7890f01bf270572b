//! The sessions of Systems Manager: ports of a task, going on after a connection broke, and the end.

use std::collections::HashMap;

use aws_sdk_ssm::error::SdkError;
use serde_json::{Map, Value, json};

use super::Aws;
use super::operation::ShowPermit;
use crate::change::{Call, Later, Permit, Repeated, parameters};
use crate::error::{Required as _, Result, from_sdk};
use crate::redact::Secret;

/// A session that can be connected to.
#[derive(Clone, Debug)]
pub(crate) struct Opened {
    pub(crate) id: String,
    /// `wss://…`.
    pub(crate) url: String,
    /// Opens one connection.
    pub(crate) token: Secret,
}

impl Opened {
    pub(super) fn new(
        request: &str,
        id: Option<&str>,
        url: Option<&str>,
        token: Option<&str>,
    ) -> Result<Self> {
        Ok(Self {
            id: id.required(request, "sessionId")?.to_owned(),
            url: url.required(request, "streamUrl")?.to_owned(),
            token: token.required(request, "tokenValue")?.into(),
        })
    }
}

/// Opens a session to a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StartSession {
    /// `ecs:<cluster>_<task>_<runtime id>`.
    pub(crate) target: String,
    /// A host that the task reaches; the task itself without one.
    pub(crate) host: Option<String>,
    pub(crate) port: u16,
    /// The task's id.
    pub(crate) task: String,
}

impl StartSession {
    /// The documents that AWS provides for it (AWS Systems Manager User Guide, "Starting a session (port forwarding)").
    fn document(&self) -> &'static str {
        match self.host {
            None => "AWS-StartPortForwardingSession",
            Some(_) => "AWS-StartPortForwardingSessionToRemoteHost",
        }
    }

    fn values(&self) -> HashMap<String, Vec<String>> {
        let mut values = HashMap::from([("portNumber".to_owned(), vec![self.port.to_string()])]);
        if let Some(host) = &self.host {
            values.insert("host".to_owned(), vec![host.clone()]);
        }
        values
    }
}

impl Call for StartSession {
    const SERVICE: &'static str = "ssm";
    const OPERATION: &'static str = "StartSession";
    const REPEATED: Repeated = Repeated::Twice;
    type Via = Aws;
    type Answer = Opened;

    fn parameters(&self) -> Map<String, Value> {
        let mut values = Map::new();
        if let Some(host) = &self.host {
            values.insert("host".to_owned(), json!([host]));
        }
        values.insert("portNumber".to_owned(), json!([self.port.to_string()]));
        parameters([
            ("Target", self.target.as_str().into()),
            ("DocumentName", self.document().into()),
            ("Parameters", Value::Object(values)),
        ])
    }

    fn resource(&self) -> String {
        format!("session/{}", self.task)
    }

    /// # Errors
    /// What AWS refuses.
    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<Opened> {
        let answer = aws
            .ssm_client()
            .await?
            .start_session()
            .target(&self.target)
            .document_name(self.document())
            .set_parameters(Some(self.values()))
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map_err(|error| from_sdk(format!("open a session to task {}", self.task), &error))?;
        Opened::new(
            Self::OPERATION,
            answer.session_id(),
            answer.stream_url(),
            answer.token_value(),
        )
    }
}

/// Gets a token for another connection of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ResumeSession {
    pub(crate) session: Later,
    /// The task's id.
    pub(crate) task: String,
}

impl Call for ResumeSession {
    const SERVICE: &'static str = "ssm";
    const OPERATION: &'static str = "ResumeSession";
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Aws;
    /// `None` when the session is over.
    type Answer = Option<Secret>;

    fn parameters(&self) -> Map<String, Value> {
        parameters([("SessionId", self.session.parameter())])
    }

    fn resource(&self) -> String {
        format!("session/{}", self.task)
    }

    /// # Errors
    /// What AWS refuses; that the session is over is no error.
    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<Option<Secret>> {
        let answer = aws
            .ssm_client()
            .await?
            .resume_session()
            .session_id(self.session.known()?)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await;
        match answer {
            Ok(answer) => Ok(answer
                .token_value()
                .filter(|token| !token.is_empty())
                .map(Secret::from)),
            Err(SdkError::ServiceError(error)) if error.err().is_does_not_exist_exception() => Ok(None),
            Err(error) => Err(from_sdk("go on with the session", &error)),
        }
    }
}

/// Ends a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TerminateSession {
    pub(crate) session: Later,
    /// The task's id.
    pub(crate) task: String,
}

impl Call for TerminateSession {
    const SERVICE: &'static str = "ssm";
    const OPERATION: &'static str = "TerminateSession";
    const REPEATED: Repeated = Repeated::Harmless;
    type Via = Aws;
    type Answer = ();

    fn parameters(&self) -> Map<String, Value> {
        parameters([("SessionId", self.session.parameter())])
    }

    fn resource(&self) -> String {
        format!("session/{}", self.task)
    }

    /// # Errors
    /// What AWS refuses.
    async fn send(&self, aws: &Aws, permit: &Permit) -> Result<()> {
        aws.ssm_client()
            .await?
            .terminate_session()
            .session_id(self.session.known()?)
            .customize()
            .interceptor(ShowPermit::new(permit))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| from_sdk("end the session", &error))
    }
}
