//! Port sessions: what listens in the task and what the task can reach, behind the agent's two ways to forward.
//!
//! A new agent multiplexes with version 1 of the Go library `smux` (`agent/session/plugins/port/port_mux.go`): frames of
//! version, command, length and stream number, the numbers little-endian. An old one has one connection at a time
//! (`port_basic.go`).

use std::collections::BTreeMap;

use tokio::sync::mpsc;

use super::agent::{FromProgram, ToProgram};
use super::place::Place;
use crate::sandbox::Sandbox;
use crate::service::rds;

const DISCONNECT_TO_PORT: u32 = 1;
const CONNECT_TO_PORT_ERROR: u32 = 3;

/// Where a port session leads.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) place: Place,
    pub(super) host: Option<String>,
    pub(super) port: String,
}

/// A simulated server's view of one connection.
enum Connection {
    /// Answers each request with a page.
    Http(Vec<u8>),
    /// Says its version and accepts no login.
    MariaDb,
    /// Sends back what it gets.
    Echo,
}

impl Connection {
    /// What listens there; `None` when nothing does, or when it cannot be reached.
    fn open(sandbox: &Sandbox, target: &Target) -> Option<Self> {
        let port: u16 = target.port.parse().ok()?;
        sandbox.with_world(|world| match &target.host {
            None if !target.place.ports(world).contains(&port) => None,
            None if port == 9000 => Some(Self::Echo),
            None => Some(Self::Http(Vec::new())),
            Some(host) => {
                let reachable = rds::database::accepts_connections(world);
                (rds::is_endpoint(world, host) && port == 3306 && reachable).then_some(Self::MariaDb)
            }
        })
    }

    /// What a server says first.
    fn greeting(&self) -> Vec<u8> {
        match self {
            // The initial handshake packet of MySQL's protocol 10: length, number, version of protocol and server, and no more
            // than a client needs to tell them.
            Self::MariaDb => {
                let version = b"\x0a5.5.5-10.11.10-MariaDB-log\0";
                let mut packet = vec![version.len() as u8, 0, 0, 0];
                packet.extend(version);
                packet
            }
            Self::Http(_) | Self::Echo => Vec::new(),
        }
    }

    /// An answer, and whether the server closes the connection behind it.
    fn take(&mut self, bytes: &[u8]) -> (Vec<u8>, bool) {
        match self {
            Self::Echo => (bytes.to_vec(), false),
            Self::MariaDb => {
                let message = b"\xff\x15\x04#28000Access denied for user 'bp'";
                let mut packet = vec![message.len() as u8, 0, 0, 2];
                packet.extend(message);
                (packet, true)
            }
            Self::Http(request) => {
                request.extend(bytes);
                if !request.windows(4).any(|end| end == b"\r\n\r\n") {
                    return (Vec::new(), false);
                }
                let line = String::from_utf8_lossy(request)
                    .lines()
                    .next()
                    .unwrap_or_default()
                    .to_owned();
                let body = format!("{line}\n");
                let head = format!(
                    "HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    body.len()
                );
                ((head + &body).into_bytes(), true)
            }
        }
    }
}

/// Serves a port session until its client is gone.
pub(super) async fn run(
    sandbox: Sandbox,
    target: Target,
    multiplexed: bool,
    input: mpsc::UnboundedReceiver<ToProgram>,
    output: mpsc::Sender<FromProgram>,
) {
    // The client is gone when nothing can be sent: no client is left to tell.
    let _ = if multiplexed {
        serve_streams(&sandbox, &target, input, &output).await
    } else {
        serve_one(&sandbox, &target, input, &output).await
    };
}

type Sent = Result<(), mpsc::error::SendError<FromProgram>>;

async fn serve_one(
    sandbox: &Sandbox,
    target: &Target,
    mut input: mpsc::UnboundedReceiver<ToProgram>,
    output: &mpsc::Sender<FromProgram>,
) -> Sent {
    // The agent connects as soon as the session begins, and again for the next client's first bytes.
    let mut connection = Connection::open(sandbox, target);
    let Some(first) = &connection else {
        let failed = format!(
            "Unable to connect to specified port: dial tcp: port {}: connection refused",
            target.port
        );
        return output.send(FromProgram::End(failed)).await;
    };
    send(output, first.greeting()).await?;
    while let Some(word) = input.recv().await {
        match word {
            ToProgram::Flag(DISCONNECT_TO_PORT) => connection = None,
            ToProgram::Flag(_) | ToProgram::Size { .. } => {}
            ToProgram::Data(bytes) => {
                if connection.is_none() {
                    connection = Connection::open(sandbox, target);
                }
                if let Some(open) = &mut connection {
                    let (answer, closes) = open.take(&bytes);
                    send(output, answer).await?;
                    if closes {
                        connection = None;
                    }
                }
            }
        }
    }
    Ok(())
}

async fn send(output: &mpsc::Sender<FromProgram>, bytes: Vec<u8>) -> Sent {
    if bytes.is_empty() {
        return Ok(());
    }
    output.send(FromProgram::Data(bytes)).await
}

fn frame(command: u8, stream: u32, data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![1, command];
    bytes.extend((data.len() as u16).to_le_bytes());
    bytes.extend(stream.to_le_bytes());
    bytes.extend(data);
    bytes
}

async fn serve_streams(
    sandbox: &Sandbox,
    target: &Target,
    mut input: mpsc::UnboundedReceiver<ToProgram>,
    output: &mpsc::Sender<FromProgram>,
) -> Sent {
    let mut streams: BTreeMap<u32, Connection> = BTreeMap::new();
    let mut partial = Vec::new();
    while let Some(word) = input.recv().await {
        let ToProgram::Data(bytes) = word else {
            continue;
        };
        partial.extend(bytes);
        while let Some((command, stream, data)) = take_frame(&mut partial) {
            match command {
                0 => match Connection::open(sandbox, target) {
                    Some(connection) => {
                        let greeting = connection.greeting();
                        streams.insert(stream, connection);
                        if !greeting.is_empty() {
                            send(output, frame(2, stream, &greeting)).await?;
                        }
                    }
                    None => {
                        output.send(FromProgram::Flag(CONNECT_TO_PORT_ERROR)).await?;
                        send(output, frame(1, stream, &[])).await?;
                    }
                },
                1 if streams.remove(&stream).is_some() => send(output, frame(1, stream, &[])).await?,
                2 => {
                    let Some(connection) = streams.get_mut(&stream) else {
                        continue;
                    };
                    let (answer, closes) = connection.take(&data);
                    for chunk in answer.chunks(32_768) {
                        send(output, frame(2, stream, chunk)).await?;
                    }
                    if closes {
                        streams.remove(&stream);
                        send(output, frame(1, stream, &[])).await?;
                    }
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// The next whole frame: command, stream, data.
fn take_frame(partial: &mut Vec<u8>) -> Option<(u8, u32, Vec<u8>)> {
    let [_, command, low, high, a, b, c, d, ..] = partial[..] else {
        return None;
    };
    let length = if command == 2 {
        usize::from(u16::from_le_bytes([low, high]))
    } else {
        0
    };
    if partial.len() < 8 + length {
        return None;
    }
    let data = partial[8..8 + length].to_vec();
    partial.drain(..8 + length);
    Some((command, u32::from_le_bytes([a, b, c, d]), data))
}
