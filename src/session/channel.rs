//! One data channel: sequence numbers, acknowledgements, retransmission, the handshake. No input, no output.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::content::{
    Acknowledgement, CLIENT_VERSION, ChannelClosed, Flag, HandshakeComplete, HandshakeRequest,
    HandshakeResponse, Payload, ProcessedAction, RequestedAction,
};
use super::message::{Kind, Message, Uuid};
use super::timing::RoundTrip;

/// The payload of one message, in bytes (`StreamDataPayloadSize` of both ends).
const CHUNK: usize = 1024;
/// How many messages may be under way unacknowledged before the sender is told to wait. The agent takes up to 10,000
/// out of order; what is under way when a connection breaks has to be sent again.
const WINDOW: usize = 128;
/// How many messages that came too early are kept (`IncomingMessageBufferCapacity` of both ends).
const EARLY: usize = 10_000;
/// How long a message may stay unacknowledged before the other end counts as gone: five minutes at both ends.
const GIVE_UP: Duration = Duration::from_secs(5 * 60);

/// A moment as the channel counts: on a clock that never jumps, and as the date in messages.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moment {
    /// Since the channel was made.
    pub(super) elapsed: Duration,
    /// Milliseconds since the epoch.
    pub(super) date: u64,
}

/// What happened on a channel.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Event {
    /// The agent has said who it is and what the session is for.
    Handshake {
        agent_version: String,
        session_type: String,
        properties: Value,
    },
    /// Data may flow. What the agent wants the operator to read comes along.
    Ready { message: String },
    /// Data of the container: what a terminal shows, or what a port sends.
    Output(Vec<u8>),
    /// The same of a program's standard error.
    StdErr(Vec<u8>),
    /// The program's status, from agents that tell it.
    ExitCode(i32),
    /// A word from the agent.
    Flag(Flag),
    /// This client cannot do what the agent demands; the agent has been told so.
    Refused(Refusal),
    /// The session is over.
    Closed { output: String },
    /// The other end has acknowledged nothing for five minutes.
    Lost,
}

/// What the agent demands and this client does not do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Data encrypted with a key of AWS KMS on top of TLS.
    Encryption { key: String },
    /// Something that this client has not heard of.
    Unknown { action: String },
}

/// A message that has been sent and not acknowledged.
#[derive(Debug)]
struct Sent {
    sequence: i64,
    bytes: Vec<u8>,
    first: Duration,
    last: Duration,
    again: bool,
}

/// How far the handshake is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Handshake,
    Ready,
    Refused,
    Over,
}

/// The state of one channel.
#[derive(Debug)]
pub(super) struct Channel {
    phase: Phase,
    seed: Uuid,
    made: u64,
    next: i64,
    expected: i64,
    unacknowledged: VecDeque<Sent>,
    early: BTreeMap<i64, Message>,
    /// What was to be sent before the handshake was over: the agent throws away what comes earlier.
    held: VecDeque<(Payload, Vec<u8>)>,
    paused: bool,
    round_trip: RoundTrip,
    /// Messages to write, in order.
    pub(super) outbox: VecDeque<Vec<u8>>,
    /// What happened, in order.
    pub(super) events: VecDeque<Event>,
}

impl Channel {
    /// A channel whose messages get ids made from `seed`.
    pub(super) fn new(seed: Uuid) -> Self {
        Self {
            phase: Phase::Handshake,
            seed,
            made: 0,
            next: 0,
            expected: 0,
            unacknowledged: VecDeque::new(),
            early: BTreeMap::new(),
            held: VecDeque::new(),
            paused: false,
            round_trip: RoundTrip::default(),
            outbox: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// Whether more data may be handed over. It waits for acknowledgements otherwise.
    pub(super) fn has_room(&self) -> bool {
        self.phase == Phase::Ready && !self.paused && self.unacknowledged.len() < WINDOW
    }

    /// Whether the session has come to its end: what the connection does then does not matter.
    pub(super) fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    /// Whether everything that was sent has arrived.
    pub(super) fn is_drained(&self) -> bool {
        self.unacknowledged.is_empty() && self.held.is_empty()
    }

    /// Sends data, cut into messages.
    pub(super) fn send(&mut self, payload: Payload, bytes: &[u8], now: Moment) {
        match self.phase {
            Phase::Handshake => self.held.push_back((payload, bytes.to_vec())),
            Phase::Ready => bytes
                .chunks(CHUNK)
                .for_each(|chunk| self.send_one(payload, chunk, now)),
            Phase::Refused | Phase::Over => {}
        }
    }

    fn send_one(&mut self, payload: Payload, bytes: &[u8], now: Moment) {
        let message = Message {
            kind: Kind::Input,
            schema: 1,
            created: now.date,
            sequence: self.next,
            flags: 0,
            id: self.id(),
            payload_type: payload as u32,
            payload: bytes.to_vec(),
        };
        let bytes = message.encode();
        if !self.paused {
            self.outbox.push_back(bytes.clone());
        }
        self.unacknowledged.push_back(Sent {
            sequence: self.next,
            bytes,
            first: now.elapsed,
            last: now.elapsed,
            again: self.paused,
        });
        self.next += 1;
    }

    /// A new id: a hash, so that it cannot fail.
    fn id(&mut self) -> Uuid {
        self.made += 1;
        let digest = Sha256::new()
            .chain_update(self.seed.0)
            .chain_update(self.made.to_be_bytes())
            .finalize();
        let mut id = [0; 16];
        id.copy_from_slice(&digest[..16]);
        id[6] = id[6] & 0x0f | 0x40;
        id[8] = id[8] & 0x3f | 0x80;
        Uuid(id)
    }

    /// When [`Self::tick`] has something to do, unless something happens earlier.
    pub(super) fn due(&self) -> Option<Duration> {
        let oldest = self.unacknowledged.front()?;
        let lost = oldest.first + GIVE_UP;
        if self.paused {
            return Some(lost);
        }
        Some(lost.min(oldest.last + self.round_trip.timeout()))
    }

    /// Sends the oldest unacknowledged message again when its time has come, as both ends do: an acknowledgement of
    /// it makes the next one the oldest.
    pub(super) fn tick(&mut self, now: Moment) {
        let timeout = self.round_trip.timeout();
        let Some(oldest) = self.unacknowledged.front_mut() else {
            return;
        };
        if now.elapsed >= oldest.first + GIVE_UP {
            self.end(Event::Lost);
        } else if !self.paused && now.elapsed >= oldest.last + timeout {
            oldest.last = now.elapsed;
            oldest.again = true;
            self.outbox.push_back(oldest.bytes.clone());
        }
    }

    /// A new connection carries the channel on: whatever may have been lost with the old one is sent again.
    pub(super) fn reconnected(&mut self, now: Moment) {
        self.outbox.clear();
        self.paused = false;
        self.resend(now);
    }

    fn resend(&mut self, now: Moment) {
        for sent in &mut self.unacknowledged {
            sent.last = now.elapsed;
            sent.again = true;
            self.outbox.push_back(sent.bytes.clone());
        }
    }

    /// Takes a message in. One that is malformed is as good as lost: it comes again.
    pub(super) fn receive(&mut self, bytes: &[u8], now: Moment) {
        if self.phase == Phase::Over {
            return;
        }
        match Message::decode(bytes) {
            Ok(message) => self.take(message, now),
            Err(error) => tracing::debug!(%error, "a message is malformed"),
        }
    }

    fn take(&mut self, message: Message, now: Moment) {
        match message.kind {
            Kind::Output => {
                self.resume(now);
                self.take_output(message, now);
            }
            Kind::Acknowledge => {
                self.resume(now);
                match serde_json::from_slice::<Acknowledgement>(&message.payload) {
                    Ok(acknowledged) => self.acknowledged(acknowledged.sequence, now),
                    Err(error) => tracing::debug!(%error, "an acknowledgement is malformed"),
                }
            }
            Kind::ChannelClosed => {
                let closed: ChannelClosed = serde_json::from_slice(&message.payload).unwrap_or_default();
                self.end(Event::Closed {
                    output: closed.output,
                });
            }
            Kind::PausePublication => self.paused = true,
            Kind::StartPublication => self.resume(now),
            Kind::Input | Kind::Other(_) => tracing::debug!(kind = message.kind.name(), "not for a client"),
        }
    }

    /// Whatever comes from the agent shows that it is there.
    fn resume(&mut self, now: Moment) {
        if std::mem::take(&mut self.paused) {
            self.resend(now);
        }
    }

    fn acknowledged(&mut self, sequence: i64, now: Moment) {
        let Some(place) = self
            .unacknowledged
            .iter()
            .position(|sent| sent.sequence == sequence)
        else {
            return;
        };
        if let Some(sent) = self.unacknowledged.remove(place)
            && !sent.again
        {
            self.round_trip.measured(now.elapsed.saturating_sub(sent.first));
        }
    }

    fn take_output(&mut self, message: Message, now: Moment) {
        if message.sequence > self.expected {
            if self.early.len() < EARLY {
                self.acknowledge(&message, now);
                self.early.insert(message.sequence, message);
            }
            return;
        }
        // One that is known comes again when its acknowledgement was lost.
        self.acknowledge(&message, now);
        if message.sequence < self.expected {
            return;
        }
        let mut message = Some(message);
        while let Some(due) = message {
            self.expected += 1;
            self.process(&due, now);
            message = self.early.remove(&self.expected);
        }
    }

    fn acknowledge(&mut self, message: &Message, now: Moment) {
        let content = Acknowledgement {
            kind: message.kind.name().to_owned(),
            id: message.id.to_string(),
            sequence: message.sequence,
            sequential: true,
        };
        let acknowledgement = Message {
            kind: Kind::Acknowledge,
            schema: 1,
            created: now.date,
            sequence: 0,
            flags: 3,
            id: self.id(),
            payload_type: 0,
            payload: json(&content),
        };
        self.outbox.push_back(acknowledgement.encode());
    }

    fn process(&mut self, message: &Message, now: Moment) {
        let payload = &message.payload;
        match Payload::numbered(message.payload_type) {
            Some(Payload::HandshakeRequest) => self.answer_handshake(payload, now),
            Some(Payload::HandshakeComplete) => {
                let complete: HandshakeComplete = serde_json::from_slice(payload).unwrap_or_default();
                self.ready(complete.customer_message, now);
            }
            Some(Payload::Output) => {
                // Agents that know no handshake begin with data.
                self.ready(String::new(), now);
                self.events.push_back(Event::Output(payload.clone()));
            }
            Some(Payload::StdErr) => self.events.push_back(Event::StdErr(payload.clone())),
            Some(Payload::ExitCode) => {
                // `EXIT_CODE: 7` (`agent/session/shell/shell.go`).
                let text = String::from_utf8_lossy(payload);
                let code = text.rsplit(' ').next().and_then(|code| code.trim().parse().ok());
                self.events.extend(code.map(Event::ExitCode));
            }
            Some(Payload::Flag) => self.events.extend(Flag::decode(payload).map(Event::Flag)),
            Some(Payload::Size | Payload::HandshakeResponse | Payload::EncryptionChallengeRequest) | None => {
                tracing::debug!(
                    payload_type = message.payload_type,
                    "a payload that says nothing here"
                );
            }
        }
    }

    fn ready(&mut self, message: String, now: Moment) {
        if self.phase != Phase::Handshake {
            return;
        }
        self.phase = Phase::Ready;
        self.events.push_back(Event::Ready { message });
        for (payload, bytes) in std::mem::take(&mut self.held) {
            self.send(payload, &bytes, now);
        }
    }

    fn answer_handshake(&mut self, payload: &[u8], now: Moment) {
        let request: HandshakeRequest = match serde_json::from_slice(payload) {
            Ok(request) => request,
            Err(error) => {
                tracing::debug!(%error, "the handshake is malformed");
                return;
            }
        };
        let (mut session_type, mut properties) = (String::new(), Value::Null);
        let mut response = HandshakeResponse {
            client_version: CLIENT_VERSION,
            processed_client_actions: Vec::new(),
            errors: Vec::new(),
        };
        let mut refusal = None;
        for RequestedAction {
            action_type,
            action_parameters: parameters,
        } in request.requested_client_actions
        {
            let refused = match action_type.as_str() {
                "SessionType" => {
                    session_type = parameters["SessionType"].as_str().unwrap_or_default().to_owned();
                    properties = parameters["Properties"].clone();
                    None
                }
                "KMSEncryption" => Some(Refusal::Encryption {
                    key: parameters["KMSKeyId"].as_str().unwrap_or_default().to_owned(),
                }),
                _ => Some(Refusal::Unknown {
                    action: action_type.clone(),
                }),
            };
            let (status, error) = match &refused {
                None => (1, String::new()),
                Some(Refusal::Encryption { .. }) => {
                    (2, "this client does not encrypt data with AWS KMS".to_owned())
                }
                Some(Refusal::Unknown { .. }) => (3, format!("Unsupported action {action_type}")),
            };
            response.errors.extend(refused.is_some().then(|| error.clone()));
            response.processed_client_actions.push(ProcessedAction {
                action_type,
                action_status: status,
                action_result: Value::Null,
                error,
            });
            refusal = refusal.or(refused);
        }
        // The one message that goes out before the handshake is over.
        self.send_one(Payload::HandshakeResponse, &json(&response), now);
        self.events.push_back(Event::Handshake {
            agent_version: request.agent_version,
            session_type,
            properties,
        });
        if let Some(refusal) = refusal {
            self.phase = Phase::Refused;
            self.events.push_back(Event::Refused(refusal));
        }
    }

    fn end(&mut self, event: Event) {
        self.phase = Phase::Over;
        self.unacknowledged.clear();
        self.held.clear();
        self.events.push_back(event);
    }
}

/// Our own documents have nothing in them that JSON cannot say.
pub(super) fn json(document: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(document).unwrap_or_default()
}
