//! A client connects: the WebSocket, the token, and the agent that takes over.

use std::io;

use futures::StreamExt as _;
use serde_json::Value;
use tokio::io::DuplexStream;
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};

use super::{Socket, Wire, agent};
use crate::sandbox::Sandbox;

/// The path of all sessions; the rest is the session's id.
pub(crate) const PREFIX: &str = "/v1/data-channel/";

/// The buffer of a connection in this process, in bytes.
const BUFFER: usize = 64 * 1024;

impl Sandbox {
    /// A connection to the sessions in this process, which no socket carries.
    #[must_use]
    pub fn connect_to_sessions(&self) -> DuplexStream {
        let (ours, theirs) = tokio::io::duplex(BUFFER);
        let sandbox = self.clone();
        tokio::spawn(async move {
            // A client that leaves in the middle is no error of the account.
            let _ = sandbox.greet(Box::new(theirs)).await;
        });
        ours
    }

    async fn greet(self, stream: Box<dyn Wire>) -> io::Result<()> {
        let mut path = String::new();
        #[expect(clippy::result_large_err, reason = "the library's own signature")]
        let read_path = |request: &Request, response: Response| {
            request.uri().path().clone_into(&mut path);
            Ok(response)
        };
        let socket = tokio_tungstenite::accept_hdr_async(stream, read_path)
            .await
            .map_err(io::Error::other)?;
        accept(self, &path, socket).await;
        Ok(())
    }
}

/// Reads the message that opens the channel, and hands the connection to the session's agent.
pub(crate) async fn accept(sandbox: Sandbox, path: &str, mut socket: WebSocketStream<Box<dyn Wire>>) {
    let Some(Ok(Message::Text(opening))) = socket.next().await else {
        return;
    };
    let token = serde_json::from_str::<Value>(&opening)
        .ok()
        .and_then(|opening| Some(opening["TokenValue"].as_str()?.to_owned()));
    let id = path.strip_prefix(PREFIX).unwrap_or_default();
    let Some((agent, begins)) = token.and_then(|token| admit(&sandbox, id, &token)) else {
        // The service closes a connection without a valid token.
        let _ = socket.close(None).await;
        return;
    };
    let _ = agent.send(agent::Word::Connected(Box::new(socket)));
    if let Some(words) = begins {
        tokio::spawn(agent::run(sandbox, id.to_owned(), words));
    }
}

type Begins = Option<mpsc::UnboundedReceiver<agent::Word>>;

/// The agent of the session that the token opens; with it what it reads, when it has to begin.
fn admit(sandbox: &Sandbox, id: &str, token: &str) -> Option<(mpsc::UnboundedSender<agent::Word>, Begins)> {
    sandbox.with_world(|world| {
        let session = world.services.sessions.sessions.get_mut(id)?;
        if session.over || session.token.as_deref() != Some(token) {
            return None;
        }
        // A token opens one connection.
        session.token = None;
        if let Some(agent) = &session.agent {
            return Some((agent.clone(), None));
        }
        let (agent, words) = mpsc::unbounded_channel();
        session.agent = Some(agent.clone());
        Some((agent, Some(words)))
    })
}

/// Names the type that `agent` keeps.
pub(super) type Connection = Socket;
