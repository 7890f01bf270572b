//! ExecuteCommand of ECS, and StartSession, ResumeSession and TerminateSession of Systems Manager.

use serde_json::{Value, json};

use super::{Place, Purpose, Session, SessionTrouble, agent};
use crate::error::{ApiError, OpResult};
use crate::service::ecs::{self, task};
use crate::service::member::{list, text};
use crate::world::World;

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::client("InvalidParameterException", message)
}

/// What ECS says for every reason why the agent cannot be asked.
const NOT_ENABLED: &str = "The execute command failed because execute command was not enabled when the task was run or the execute command agent isn't running. Wait and try again or run a new task with execute command enabled and try again.";

/// Amazon ECS API Reference, "ExecuteCommand"; the words of its errors are those that users of it report.
pub(crate) fn execute_command(world: &mut World, input: &Value) -> OpResult {
    ecs::check_cluster(world, input)?;
    if input["interactive"] != Value::Bool(true) {
        return Err(invalid("Interactive is the only mode supported currently."));
    }
    let named = text(input, "task").unwrap_or_default();
    let task = ecs::task_named(world, named).ok_or_else(|| invalid("The referenced task was not found."))?;
    let definition = &world.services.ecs.definitions[task.definition];
    let container = match text(input, "container") {
        Some(name) => definition.containers.iter().position(|known| known.name == name),
        // "A container name only needs to be specified for tasks containing multiple containers."
        None if definition.containers.len() == 1 => Some(0),
        None => return Err(invalid("The container name must be specified.")),
    };
    let container = container.ok_or_else(|| invalid("The referenced container was not found."))?;
    let place = Place {
        task: task.id.clone(),
        container,
    };
    let trouble = world.services.sessions.trouble;
    let stopped = matches!(
        trouble,
        Some(SessionTrouble::NotEnabled | SessionTrouble::AgentStopped)
    );
    if !task.execute_command || !place.lives(world) || stopped {
        return Err(invalid(NOT_ENABLED));
    }
    if trouble == Some(SessionTrouble::NotConnected) {
        return Err(ApiError::client(
            "TargetNotConnectedException",
            "The execute command failed due to an internal error. Try again later.",
        ));
    }
    let (task_arn, name) = (task.arn(world), definition.containers[container].name.clone());
    let container_arn = task::container_arn(world, task, container);
    let command = text(input, "command").unwrap_or_default().to_owned();
    let id = format!("ecs-execute-command-{}", world.ids.hex(17));
    let (url, token) = begin(world, &id, Purpose::Command(command), place);
    Ok(json!({
        "clusterArn": ecs::cluster_arn(world),
        "containerArn": container_arn,
        "containerName": name,
        "interactive": true,
        "session": {"sessionId": id, "streamUrl": url, "tokenValue": token},
        "taskArn": task_arn,
    }))
}

/// AWS Systems Manager API Reference, "StartSession", with the two documents that forward a port.
pub(crate) fn start(world: &mut World, input: &Value) -> OpResult {
    let target = text(input, "Target").unwrap_or_default();
    let parameter = |name: &str| {
        let values = list(&input["Parameters"], name);
        values.first().and_then(Value::as_str).map(str::to_owned)
    };
    let host = match text(input, "DocumentName") {
        Some("AWS-StartPortForwardingSession") => None,
        Some("AWS-StartPortForwardingSessionToRemoteHost") => parameter("host"),
        Some(other) => {
            return Err(ApiError::client(
                "InvalidDocument",
                format!("Document with name {other} does not exist."),
            ));
        }
        None => {
            return Err(ApiError::client(
                "InvalidDocument",
                "A shell of a container is ECS' business.",
            ));
        }
    };
    let port = parameter("portNumber").unwrap_or_else(|| "80".to_owned());
    let connected = !matches!(
        world.services.sessions.trouble,
        Some(SessionTrouble::NotConnected | SessionTrouble::AgentStopped | SessionTrouble::NotEnabled)
    );
    let place = Place::of_target(world, target)
        .filter(|place| connected && place.lives(world))
        .ok_or_else(|| ApiError::client("TargetNotConnected", format!("{target} is not connected.")))?;
    let id = format!("operator-{}", world.ids.hex(17));
    let (url, token) = begin(world, &id, Purpose::Port { host, port }, place);
    Ok(json!({"SessionId": id, "StreamUrl": url, "TokenValue": token}))
}

fn begin(world: &mut World, id: &str, purpose: Purpose, place: Place) -> (String, String) {
    let token = new_token(world);
    world.services.sessions.sessions.insert(
        id.to_owned(),
        Session {
            purpose,
            place,
            token: Some(token.clone()),
            over: false,
            agent: None,
        },
    );
    (url(world, id), token)
}

fn new_token(world: &mut World) -> String {
    format!("AAEA{}", world.ids.hex(120))
}

fn url(world: &World, id: &str) -> String {
    // Without a listener the sandbox is reached in this process, whatever the address.
    let base = world
        .services
        .sessions
        .base
        .as_deref()
        .unwrap_or("ws://127.0.0.1:1");
    format!("{base}{}{id}?role=publish_subscribe", super::PREFIX)
}

fn unknown(id: &str) -> ApiError {
    ApiError::client(
        "DoesNotExistException",
        format!("Session {id} does not exist or is in terminated state."),
    )
}

/// "ResumeSession": another token for a session that lost its connection.
pub(crate) fn resume(world: &mut World, input: &Value) -> OpResult {
    let id = text(input, "SessionId").unwrap_or_default().to_owned();
    let refuses = world.services.sessions.trouble == Some(SessionTrouble::NoResume);
    let token = new_token(world);
    let session = world.services.sessions.sessions.get_mut(&id);
    let session = session.filter(|session| !session.over && !refuses);
    session.ok_or_else(|| unknown(&id))?.token = Some(token.clone());
    Ok(json!({"SessionId": id, "StreamUrl": url(world, &id), "TokenValue": token}))
}

/// "TerminateSession": ends a session for good.
pub(crate) fn terminate(world: &mut World, input: &Value) -> OpResult {
    let id = text(input, "SessionId").unwrap_or_default().to_owned();
    let session = world.services.sessions.sessions.get_mut(&id);
    let session = session.ok_or_else(|| unknown(&id))?;
    session.over = true;
    if let Some(agent) = session.agent.take() {
        // An agent that is gone is what the caller wants.
        let _ = agent.send(agent::Word::Terminate);
    }
    Ok(json!({"SessionId": id}))
}
