//! The agent's end of a data channel: its handshake, its sequence numbers, and what it runs.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

use super::connect::Connection;
use super::frame::Frame;
use super::{Purpose, SessionTrouble, ports, program};
use crate::sandbox::Sandbox;
use crate::transport::clock::pause;

/// `ResendSleepInterval` and the first timeout of `agent/session/config/config.go`.
const TICK: Duration = Duration::from_millis(100);
const RESEND_AFTER_TICKS: u32 = 2;
/// Bytes of a payload (`StreamDataPayloadSize`).
const CHUNK: usize = 1024;
/// How long the last data may take (`PrepareToCloseChannel`).
const LAST_TICKS: u32 = 20;

const OUTPUT: u32 = 1;
const SIZE: u32 = 3;
const HANDSHAKE_REQUEST: u32 = 5;
const HANDSHAKE_RESPONSE: u32 = 6;
const HANDSHAKE_COMPLETE: u32 = 7;
const FLAG: u32 = 10;
const TERMINATE_SESSION: u32 = 2;

/// What an agent is told.
pub(super) enum Word {
    Connected(Box<Connection>),
    /// The connection breaks.
    Cut,
    Terminate,
}

/// What goes to the program.
#[derive(Debug)]
pub(super) enum ToProgram {
    Data(Vec<u8>),
    Size { cols: u32, rows: u32 },
    Flag(u32),
}

/// What comes from the program.
#[derive(Debug)]
pub(super) enum FromProgram {
    Data(Vec<u8>),
    Flag(u32),
    /// It has ended, with what the service is to say of it.
    End(String),
}

/// Sequence numbers and what is under way.
#[derive(Default)]
struct Channel {
    next: i64,
    expected: i64,
    sent: VecDeque<(i64, Vec<u8>)>,
    ticks: u32,
    early: BTreeMap<i64, Frame>,
    outbox: VecDeque<Vec<u8>>,
    made: u64,
    date: i64,
}

impl Channel {
    fn frame(&mut self, kind: &str, sequence: i64, payload_type: u32, payload: Vec<u8>) -> Vec<u8> {
        self.made += 1;
        let mut id = [0xa0; 16];
        id[..8].copy_from_slice(&self.made.to_be_bytes());
        let frame = Frame {
            kind: kind.to_owned(),
            sequence,
            id,
            payload_type,
            payload,
        };
        frame.encode(self.date)
    }

    /// Data is read in pieces; the documents of the handshake go out whole, however long they are.
    fn send(&mut self, payload_type: u32, payload: &[u8]) {
        let piece = if payload_type == OUTPUT {
            CHUNK
        } else {
            payload.len().max(1)
        };
        for chunk in payload.chunks(piece) {
            let bytes = self.frame("output_stream_data", self.next, payload_type, chunk.to_vec());
            self.outbox.push_back(bytes.clone());
            self.sent.push_back((self.next, bytes));
            self.next += 1;
        }
    }

    fn tick(&mut self) {
        self.ticks += 1;
        if self.ticks >= RESEND_AFTER_TICKS
            && let Some((_, bytes)) = self.sent.front()
        {
            self.ticks = 0;
            self.outbox.push_back(bytes.clone());
        }
    }

    fn resend(&mut self) {
        self.outbox = self.sent.iter().map(|(_, bytes)| bytes.clone()).collect();
    }

    /// The messages that are due, in order.
    fn receive(&mut self, bytes: &[u8]) -> Vec<Frame> {
        let Some(frame) = Frame::decode(bytes) else {
            return Vec::new();
        };
        match frame.kind.as_str() {
            "acknowledge" => {
                let content: Value = serde_json::from_slice(&frame.payload).unwrap_or_default();
                let sequence = content["AcknowledgedMessageSequenceNumber"].as_i64();
                self.sent.retain(|(sent, _)| Some(*sent) != sequence);
                self.ticks = 0;
                Vec::new()
            }
            "input_stream_data" => {
                let id = frame
                    .id
                    .iter()
                    .map(|byte| format!("{byte:02x}"))
                    .collect::<String>();
                let content = json!({
                    "AcknowledgedMessageType": frame.kind,
                    "AcknowledgedMessageId": format!(
                        "{}-{}-{}-{}-{}", &id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..]
                    ),
                    "AcknowledgedMessageSequenceNumber": frame.sequence,
                    "IsSequentialMessage": true,
                });
                let acknowledgement = self.frame("acknowledge", 0, 0, content.to_string().into_bytes());
                self.outbox.push_back(acknowledgement);
                if frame.sequence >= self.expected {
                    self.early.insert(frame.sequence, frame);
                }
                let mut due = Vec::new();
                while let Some(frame) = self.early.remove(&self.expected) {
                    self.expected += 1;
                    due.push(frame);
                }
                due
            }
            _ => Vec::new(),
        }
    }
}

/// A network that loses, repeats and reorders, always in the same way.
#[derive(Default)]
struct Network {
    lossy: bool,
    count: u64,
    late: Option<Vec<u8>>,
}

impl Network {
    fn carry(&mut self, bytes: Vec<u8>) -> Vec<Vec<u8>> {
        if !self.lossy {
            return vec![bytes];
        }
        self.count += 1;
        let mut arrives: Vec<Vec<u8>> = Vec::new();
        match self.count % 7 {
            2 => {}
            4 => arrives.extend([bytes.clone(), bytes]),
            5 => return self.late.replace(bytes).into_iter().collect(),
            _ => arrives.push(bytes),
        }
        arrives.extend(self.late.take());
        arrives
    }
}

struct Agent {
    sandbox: Sandbox,
    id: String,
    channel: Channel,
    socket: Option<Box<Connection>>,
    incoming: Network,
    outgoing: Network,
    program: mpsc::UnboundedSender<ToProgram>,
    /// Handed to the program when the handshake is over.
    start: Option<Start>,
}

struct Start {
    purpose: Purpose,
    place: super::Place,
    input: mpsc::UnboundedReceiver<ToProgram>,
    output: mpsc::Sender<FromProgram>,
    multiplexed: bool,
}

/// Serves a session to its end.
pub(super) async fn run(sandbox: Sandbox, id: String, mut words: mpsc::UnboundedReceiver<Word>) {
    let Some((purpose, place, trouble, date)) = sandbox.with_world(|world| {
        let session = world.services.sessions.sessions.get(&id)?;
        Some((
            session.purpose.clone(),
            session.place.clone(),
            world.services.sessions.trouble,
            world.now.0,
        ))
    }) else {
        return;
    };
    let (program, input) = mpsc::unbounded_channel();
    let (output, mut from_program) = mpsc::channel(16);
    let lossy = trouble == Some(SessionTrouble::LossyNetwork);
    let old = trouble == Some(SessionTrouble::OldAgent);
    let network = || Network {
        lossy,
        ..Network::default()
    };
    let mut agent = Agent {
        sandbox,
        id,
        channel: Channel {
            date,
            ..Channel::default()
        },
        socket: None,
        incoming: network(),
        outgoing: network(),
        program,
        start: None,
    };
    let request = handshake_request(&purpose, trouble, old);
    agent.start = Some(Start {
        purpose,
        place: place.clone(),
        input,
        output,
        multiplexed: !old,
    });
    agent
        .channel
        .send(HANDSHAKE_REQUEST, request.to_string().as_bytes());
    let mut ending: Option<(String, u32)> = None;
    loop {
        agent.flush().await;
        let room = agent.channel.sent.len() < 64 && agent.socket.is_some();
        tokio::select! {
            word = words.recv() => match word {
                Some(Word::Connected(socket)) => {
                    agent.socket = Some(socket);
                    agent.channel.resend();
                }
                Some(Word::Cut) => agent.socket = None,
                Some(Word::Terminate) | None => {
                    return agent.close("").await;
                }
            },
            message = read(&mut agent.socket) => match message {
                Some(bytes) => {
                    for bytes in agent.incoming.carry(bytes) {
                        for frame in agent.channel.receive(&bytes) {
                            if let Some(end) = agent.take(frame) {
                                return agent.close(&end).await;
                            }
                        }
                    }
                }
                None => agent.socket = None,
            },
            from = from_program.recv(), if room && ending.is_none() => match from {
                Some(FromProgram::Data(bytes)) => agent.channel.send(OUTPUT, &bytes),
                Some(FromProgram::Flag(flag)) => agent.channel.send(FLAG, &flag.to_be_bytes()),
                Some(FromProgram::End(output)) => ending = Some((output, 0)),
                // Before the handshake is over the sender waits in `start`.
                None => ending = Some((String::new(), 0)),
            },
            () = pause(TICK) => {
                agent.channel.tick();
                if let Some((_, ticks)) = &mut ending {
                    *ticks += 1;
                }
                if !agent.sandbox.with_world(|world| place.lives(world)) {
                    return agent.close("").await;
                }
            }
        }
        if let Some((output, ticks)) = &ending
            && (agent.channel.sent.is_empty() || *ticks > LAST_TICKS)
        {
            let output = output.clone();
            return agent.close(&output).await;
        }
    }
}

fn handshake_request(purpose: &Purpose, trouble: Option<SessionTrouble>, old: bool) -> Value {
    let session = match purpose {
        Purpose::Command(command) => json!({
            "SessionType": "InteractiveCommands",
            "Properties": {"linux": {"commands": command, "runAsElevated": true}},
        }),
        Purpose::Port { host, port } => json!({
            "SessionType": "Port",
            "Properties": {"portNumber": port, "host": host.clone().unwrap_or_default(), "type": "LocalPortForwarding"},
        }),
    };
    let mut actions = vec![json!({"ActionType": "SessionType", "ActionParameters": session})];
    if trouble == Some(SessionTrouble::Encrypted) {
        actions.push(json!({
            "ActionType": "KMSEncryption",
            "ActionParameters": {"KMSKeyId": "arn:aws:kms:us-east-1:123456789012:key/2f5c7a3e-0000-4000-a000-000000000001"},
        }));
    }
    let version = if old { "3.0.161.0" } else { "3.3.987.0" };
    json!({"AgentVersion": version, "RequestedClientActions": actions})
}

/// The next message of the connection; `None` when it broke, and never without one.
async fn read(socket: &mut Option<Box<Connection>>) -> Option<Vec<u8>> {
    let Some(socket) = socket else {
        return std::future::pending().await;
    };
    loop {
        match socket.next().await {
            Some(Ok(Message::Binary(bytes))) => return Some(bytes.into()),
            Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
            Some(Ok(_)) => {}
        }
    }
}

impl Agent {
    async fn flush(&mut self) {
        while let Some(bytes) = self.channel.outbox.pop_front() {
            for bytes in self.outgoing.carry(bytes) {
                if let Some(socket) = &mut self.socket
                    && socket.send(Message::binary(bytes)).await.is_err()
                {
                    self.socket = None;
                }
            }
        }
    }

    /// A message in its turn; an answer ends the session.
    fn take(&mut self, frame: Frame) -> Option<String> {
        match frame.payload_type {
            HANDSHAKE_RESPONSE => return self.begin(&frame.payload),
            // What comes before the end of the handshake is acknowledged and thrown away.
            _ if self.start.is_some() => return None,
            OUTPUT => {
                let _ = self.program.send(ToProgram::Data(frame.payload));
            }
            SIZE => {
                let size: Value = serde_json::from_slice(&frame.payload).unwrap_or_default();
                let number = |name: &str| size[name].as_u64().and_then(|number| u32::try_from(number).ok());
                if let (Some(cols), Some(rows)) = (number("cols"), number("rows")) {
                    let _ = self.program.send(ToProgram::Size { cols, rows });
                }
            }
            FLAG => {
                let flag = frame.payload.as_slice().try_into().map_or(0, u32::from_be_bytes);
                if flag == TERMINATE_SESSION {
                    return Some(String::new());
                }
                let _ = self.program.send(ToProgram::Flag(flag));
            }
            _ => {}
        }
        None
    }

    /// The client has answered the handshake: the program begins.
    fn begin(&mut self, payload: &[u8]) -> Option<String> {
        let response: Value = serde_json::from_slice(payload).unwrap_or_default();
        let actions = response["ProcessedClientActions"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        if let Some(failed) = actions.iter().find(|action| action["ActionStatus"] != 1) {
            return Some(format!(
                "{} failed on client with status {} error: {}",
                failed["ActionType"].as_str().unwrap_or_default(),
                failed["ActionStatus"],
                failed["Error"].as_str().unwrap_or_default(),
            ));
        }
        let start = self.start.take()?;
        let complete = json!({"HandshakeTimeToComplete": 12_000_000, "CustomerMessage": ""});
        self.channel
            .send(HANDSHAKE_COMPLETE, complete.to_string().as_bytes());
        let sandbox = self.sandbox.clone();
        match start.purpose {
            Purpose::Command(command) => {
                let run = program::run(sandbox, start.place, command, start.input, start.output);
                tokio::spawn(run);
            }
            Purpose::Port { host, port } => {
                let target = ports::Target {
                    place: start.place,
                    host,
                    port,
                };
                let run = ports::run(sandbox, target, start.multiplexed, start.input, start.output);
                tokio::spawn(run);
            }
        }
        None
    }

    /// The service tells the client that the session is over, and closes the connection.
    async fn close(mut self, output: &str) {
        self.flush().await;
        self.sandbox.with_world(|world| {
            if let Some(session) = world.services.sessions.sessions.get_mut(&self.id) {
                session.over = true;
                session.agent = None;
            }
        });
        let content = json!({
            "MessageType": "channel_closed", "MessageId": "", "CreatedDate": self.channel.date.to_string(),
            "DestinationId": "", "SessionId": self.id, "SchemaVersion": 1, "Output": output,
        });
        let closed = self
            .channel
            .frame("channel_closed", 0, 0, content.to_string().into_bytes());
        if let Some(socket) = &mut self.socket {
            // The client may be gone already.
            let _ = socket.send(Message::binary(closed)).await;
            let _ = socket.as_mut().close(None).await;
        }
    }
}
