//! Sessions: what ExecuteCommand and StartSession begin, and the agent that a client then talks to.
//!
//! An account knows its sessions; a session's agent is a task of its own, which outlives the connections of its client. The
//! agent's side of the protocol follows the public sources of `amazon-ssm-agent` and of the client
//! `session-manager-plugin`.

mod agent;
mod api;
mod commands;
mod connect;
mod frame;
mod place;
mod ports;
mod program;
mod terminal;

use std::collections::BTreeMap;

use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;

pub(crate) use api::{execute_command, resume, start, terminate};
pub(crate) use connect::{PREFIX, accept};
use place::Place;

use crate::world::World;

/// A byte stream to a client, whatever carries it.
pub(crate) trait Wire: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin {}
impl<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin> Wire for T {}

type Socket = WebSocketStream<Box<dyn Wire>>;

/// What is wrong with the sessions of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionTrouble {
    /// The tasks run without `enableExecuteCommand`.
    NotEnabled,
    /// The agent beside the containers has stopped.
    AgentStopped,
    /// The agent runs and reaches no Systems Manager: the task role or the network does not let it.
    NotConnected,
    /// The cluster's sessions are encrypted with a key of AWS KMS.
    Encrypted,
    /// The agent is so old that it forwards one connection at a time.
    OldAgent,
    /// Messages are lost, repeated and reordered.
    LossyNetwork,
    /// A session cannot be resumed: it is over as soon as its connection is.
    NoResume,
}

/// The sessions of an account.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// Scheme and host of the addresses that sessions get.
    base: Option<String>,
    sessions: BTreeMap<String, Session>,
    pub(crate) trouble: Option<SessionTrouble>,
}

#[derive(Debug)]
struct Session {
    purpose: Purpose,
    /// Where it leads: the place in a task.
    place: Place,
    /// Opens one connection; a resumed session gets another.
    token: Option<String>,
    over: bool,
    /// The agent, once a client has come.
    agent: Option<mpsc::UnboundedSender<agent::Word>>,
}

/// What a session is for.
#[derive(Clone, Debug)]
enum Purpose {
    /// A program in the container, with its command line.
    Command(String),
    /// A port of the task, or of a host that the task reaches.
    Port { host: Option<String>, port: String },
}

impl World {
    /// From now on something is wrong with the sessions of the account, or nothing is.
    pub fn trouble_sessions(&mut self, trouble: Option<SessionTrouble>) {
        self.services.sessions.trouble = trouble;
    }

    /// Cuts the connections of all sessions; the agents live on.
    pub fn cut_sessions(&mut self) {
        for session in self.services.sessions.sessions.values() {
            if let Some(agent) = &session.agent {
                // One that is gone has no connection.
                let _ = agent.send(agent::Word::Cut);
            }
        }
    }

    /// How many sessions are open.
    #[must_use]
    pub fn open_sessions(&self) -> usize {
        let sessions = self.services.sessions.sessions.values();
        sessions.filter(|session| !session.over).count()
    }

    /// Where clients reach the sessions: `ws://127.0.0.1:4566`.
    pub(crate) fn sessions_are_at(&mut self, base: Option<String>) {
        self.services.sessions.base = base;
    }

    /// Host and port of the listener; none where the account is reached in this process.
    pub(crate) fn listens_at(&self) -> Option<&str> {
        self.services.sessions.base.as_deref()?.strip_prefix("ws://")
    }

    /// Where clients reach the sessions.
    pub(crate) fn sessions_base(&self) -> Option<String> {
        self.services.sessions.base.clone()
    }
}
