//! The channel against an agent that is played by hand: order, loss, repetition, the handshake.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::channel::{Channel, Event, Moment, Refusal};
use super::content::{Flag, Payload};
use super::message::{Kind, Message, Uuid};

fn at(milliseconds: u64) -> Moment {
    Moment {
        elapsed: Duration::from_millis(milliseconds),
        date: 1_503_434_274_948 + milliseconds,
    }
}

/// A message of the agent.
fn output(sequence: i64, payload: Payload, bytes: &[u8]) -> Vec<u8> {
    Message {
        kind: Kind::Output,
        schema: 1,
        created: 1_503_434_274_948,
        sequence,
        flags: u64::from(sequence == 0),
        id: Uuid([sequence as u8; 16]),
        payload_type: payload as u32,
        payload: bytes.to_vec(),
    }
    .encode()
}

fn other(kind: Kind, payload: &Value) -> Vec<u8> {
    Message {
        kind,
        schema: 1,
        created: 1,
        sequence: 0,
        flags: 3,
        id: Uuid([9; 16]),
        payload_type: 0,
        payload: payload.to_string().into_bytes(),
    }
    .encode()
}

fn acknowledgement(sequence: i64) -> Vec<u8> {
    other(
        Kind::Acknowledge,
        &json!({
            "AcknowledgedMessageType": "input_stream_data",
            "AcknowledgedMessageId": "dd01e56b-ff48-483e-a508-b5f073f31b16",
            "AcknowledgedMessageSequenceNumber": sequence,
            "IsSequentialMessage": true,
        }),
    )
}

fn handshake(actions: &Value) -> Vec<u8> {
    let request = json!({"AgentVersion": "3.3.987.0", "RequestedClientActions": actions});
    output(0, Payload::HandshakeRequest, request.to_string().as_bytes())
}

fn written(channel: &mut Channel) -> Vec<Message> {
    let bytes = channel.outbox.drain(..);
    bytes
        .map(|bytes| Message::decode(&bytes).expect("our own message"))
        .collect()
}

fn events(channel: &mut Channel) -> Vec<Event> {
    channel.events.drain(..).collect()
}

/// Sequence numbers of what was acknowledged, and the messages that are data.
fn sorted(messages: Vec<Message>) -> (Vec<i64>, Vec<Message>) {
    let (acknowledgements, data): (Vec<_>, Vec<_>) = messages
        .into_iter()
        .partition(|message| message.kind == Kind::Acknowledge);
    let sequence = |message: Message| {
        let content: Value = serde_json::from_slice(&message.payload).expect("JSON");
        content["AcknowledgedMessageSequenceNumber"]
            .as_i64()
            .expect("a number")
    };
    (acknowledgements.into_iter().map(sequence).collect(), data)
}

/// A channel behind its handshake: the next message of the agent has number 2, ours number 1.
fn open() -> Channel {
    let mut channel = Channel::new(Uuid([7; 16]));
    let shell = json!([{"ActionType": "SessionType", "ActionParameters": {"SessionType": "InteractiveCommands", "Properties": {}}}]);
    channel.receive(&handshake(&shell), at(0));
    channel.receive(&acknowledgement(0), at(20));
    channel.receive(&output(1, Payload::HandshakeComplete, b"{}"), at(30));
    channel.outbox.clear();
    channel.events.clear();
    channel
}

#[test]
fn the_handshake_is_answered_as_the_public_client_answers_it() {
    let mut channel = Channel::new(Uuid([7; 16]));
    // What is typed before the handshake is over waits: the agent would throw it away.
    channel.send(Payload::Output, b"early", at(0));
    assert!(channel.outbox.is_empty() && !channel.has_room());
    let actions = json!([{"ActionType": "SessionType", "ActionParameters": {"SessionType": "Port", "Properties": {"portNumber": "80", "type": "LocalPortForwarding"}}}]);
    channel.receive(&handshake(&actions), at(10));
    let (acknowledged, data) = sorted(written(&mut channel));
    assert_eq!(acknowledged, [0]);
    assert_eq!((data.len(), data[0].sequence, data[0].payload_type), (1, 0, 6));
    let response: Value = serde_json::from_slice(&data[0].payload).unwrap();
    assert_eq!(
        response,
        json!({
            "ClientVersion": "1.2.650.0",
            "ProcessedClientActions": [
                {"ActionType": "SessionType", "ActionStatus": 1, "ActionResult": null, "Error": ""}
            ],
            "Errors": [],
        })
    );
    let complete = json!({"HandshakeTimeToComplete": 1_000_000, "CustomerMessage": "Handshake Complete"});
    channel.receive(
        &output(1, Payload::HandshakeComplete, complete.to_string().as_bytes()),
        at(30),
    );
    assert_eq!(
        events(&mut channel),
        [
            Event::Handshake {
                agent_version: "3.3.987.0".to_owned(),
                session_type: "Port".to_owned(),
                properties: json!({"portNumber": "80", "type": "LocalPortForwarding"}),
            },
            Event::Ready {
                message: "Handshake Complete".to_owned()
            },
        ]
    );
    let (_, data) = sorted(written(&mut channel));
    assert_eq!((data[0].sequence, data[0].payload.as_slice()), (1, &b"early"[..]));
}

#[test]
fn encryption_and_unknown_demands_are_refused_to_the_agent_as_well() {
    let mut channel = Channel::new(Uuid([7; 16]));
    let actions = json!([
        {"ActionType": "SessionType", "ActionParameters": {"SessionType": "InteractiveCommands"}},
        {"ActionType": "KMSEncryption", "ActionParameters": {"KMSKeyId": "arn:aws:kms:us-east-1:123456789012:key/k"}},
    ]);
    channel.receive(&handshake(&actions), at(0));
    let (_, data) = sorted(written(&mut channel));
    let response: Value = serde_json::from_slice(&data[0].payload).unwrap();
    assert_eq!(response["ProcessedClientActions"][1]["ActionStatus"], 2);
    assert_eq!(response["Errors"].as_array().unwrap().len(), 1);
    let refused = Refusal::Encryption {
        key: "arn:aws:kms:us-east-1:123456789012:key/k".to_owned(),
    };
    assert_eq!(events(&mut channel).pop(), Some(Event::Refused(refused)));
    // Nothing is sent in the clear afterwards.
    channel.send(Payload::Output, b"secret", at(1));
    assert!(channel.outbox.is_empty());

    let mut channel = Channel::new(Uuid([7; 16]));
    channel.receive(&handshake(&json!([{"ActionType": "Dance"}])), at(0));
    let (_, data) = sorted(written(&mut channel));
    let response: Value = serde_json::from_slice(&data[0].payload).unwrap();
    assert_eq!(response["ProcessedClientActions"][0]["ActionStatus"], 3);
}

#[test]
fn an_agent_without_a_handshake_begins_with_data() {
    let mut channel = Channel::new(Uuid([7; 16]));
    channel.receive(&output(0, Payload::Output, b"$ "), at(0));
    assert_eq!(
        events(&mut channel),
        [
            Event::Ready {
                message: String::new()
            },
            Event::Output(b"$ ".to_vec())
        ]
    );
    assert!(channel.has_room());
}

#[test]
fn data_is_cut_into_messages_of_a_kilobyte() {
    let mut channel = open();
    let data: Vec<u8> = (0..2500_u32).map(|number| number as u8).collect();
    channel.send(Payload::Output, &data, at(40));
    let messages = written(&mut channel);
    let lengths: Vec<usize> = messages.iter().map(|message| message.payload.len()).collect();
    let numbers: Vec<i64> = messages.iter().map(|message| message.sequence).collect();
    assert_eq!((lengths, numbers), (vec![1024, 1024, 452], vec![1, 2, 3]));
    assert_eq!(
        messages
            .into_iter()
            .flat_map(|message| message.payload)
            .collect::<Vec<_>>(),
        data
    );
}

#[test]
fn messages_out_of_order_are_acknowledged_at_once_and_handed_on_in_order() {
    let mut channel = open();
    for sequence in [4, 3, 2, 5] {
        channel.receive(&output(sequence, Payload::Output, &[sequence as u8]), at(50));
    }
    let bytes: Vec<Event> = (2..=5).map(|byte| Event::Output(vec![byte])).collect();
    assert_eq!(events(&mut channel), bytes);
    assert_eq!(sorted(written(&mut channel)).0, [4, 3, 2, 5]);
}

#[test]
fn a_repeated_message_is_acknowledged_again_and_handed_on_once() {
    let mut channel = open();
    for _ in 0..3 {
        channel.receive(&output(2, Payload::Output, b"once"), at(50));
    }
    channel.receive(&output(4, Payload::Output, b"early"), at(50));
    channel.receive(&output(4, Payload::Output, b"early"), at(50));
    assert_eq!(events(&mut channel), [Event::Output(b"once".to_vec())]);
    assert_eq!(sorted(written(&mut channel)).0, [2, 2, 2, 4, 4]);
}

#[test]
fn what_is_not_acknowledged_is_sent_again_until_it_is() {
    let mut channel = open();
    channel.send(Payload::Output, b"a", at(100));
    channel.send(Payload::Output, b"b", at(100));
    channel.outbox.clear();
    let due = channel.due().unwrap();
    assert!(
        due > Duration::from_millis(100) && due <= Duration::from_millis(1100),
        "{due:?}"
    );
    channel.tick(at(due.as_millis() as u64 - 1));
    assert!(channel.outbox.is_empty());
    channel.tick(at(due.as_millis() as u64 + 1));
    let again = written(&mut channel);
    assert_eq!((again.len(), again[0].sequence), (1, 1));
    // The acknowledgement of the second arrives first; the first stays due.
    channel.receive(&acknowledgement(2), at(400));
    channel.tick(at(1500));
    assert_eq!(written(&mut channel)[0].sequence, 1);
    channel.receive(&acknowledgement(1), at(1510));
    channel.receive(&acknowledgement(1), at(1511));
    assert!(channel.is_drained() && channel.due().is_none());
}

#[test]
fn an_agent_that_acknowledges_nothing_for_five_minutes_is_gone() {
    let mut channel = open();
    channel.send(Payload::Output, b"a", at(0));
    channel.tick(at(299_999));
    assert!(channel.events.is_empty());
    channel.tick(at(300_000));
    assert_eq!(events(&mut channel), [Event::Lost]);
    assert_eq!(channel.due(), None);
}

#[test]
fn the_window_closes_and_opens_with_acknowledgements() {
    let mut channel = open();
    let mut sent = 0;
    while channel.has_room() {
        channel.send(Payload::Output, b"x", at(100));
        sent += 1;
    }
    assert_eq!(sent, 128);
    channel.receive(&acknowledgement(1), at(110));
    assert!(channel.has_room());
}

#[test]
fn nothing_is_sent_while_publication_is_paused() {
    let mut channel = open();
    channel.receive(&other(Kind::PausePublication, &Value::Null), at(100));
    assert!(!channel.has_room());
    channel.send(Payload::Flag, &Flag::TerminateSession.encode(), at(110));
    channel.tick(at(5_000));
    assert!(channel.outbox.is_empty());
    channel.receive(&other(Kind::StartPublication, &Value::Null), at(5_100));
    assert_eq!(written(&mut channel)[0].payload, [0, 0, 0, 2]);
    assert!(channel.has_room());
    // Data of the agent ends a pause too.
    channel.receive(&other(Kind::PausePublication, &Value::Null), at(6_000));
    channel.receive(&output(2, Payload::Output, b"here"), at(6_100));
    assert!(channel.has_room());
}

#[test]
fn a_new_connection_carries_on_where_the_old_one_broke() {
    let mut channel = open();
    channel.send(Payload::Output, b"abc", at(100));
    channel.send(Payload::Output, b"def", at(101));
    channel.receive(&acknowledgement(1), at(120));
    channel.receive(&output(2, Payload::Output, b"seen"), at(130));
    // The acknowledgement of number 2 is lost with the connection; the agent sends it again.
    channel.reconnected(at(9_000));
    let (acknowledged, data) = sorted(written(&mut channel));
    assert!(acknowledged.is_empty());
    assert_eq!((data.len(), data[0].payload.as_slice()), (1, &b"def"[..]));
    channel.receive(&output(2, Payload::Output, b"seen"), at(9_010));
    channel.receive(&output(3, Payload::Output, b"new"), at(9_020));
    assert_eq!(
        events(&mut channel),
        [Event::Output(b"seen".to_vec()), Event::Output(b"new".to_vec())]
    );
    assert_eq!(sorted(written(&mut channel)).0, [2, 3]);
}

#[test]
fn the_end_is_told_with_what_the_service_says_of_it() {
    let mut channel = open();
    channel.send(Payload::Output, b"a", at(0));
    let closed = json!({
        "MessageType": "channel_closed", "MessageId": "dd01e56b-ff48-483e-a508-b5f073f31b16",
        "CreatedDate": "1503434274948", "SessionId": "sessionId_01234567890abcedf", "SchemaVersion": 1,
        "Output": "payload",
    });
    channel.receive(&other(Kind::ChannelClosed, &closed), at(10));
    let expected = Event::Closed {
        output: "payload".to_owned(),
    };
    assert_eq!(events(&mut channel), [expected]);
    channel.receive(&output(2, Payload::Output, b"late"), at(20));
    assert!(channel.events.is_empty() && channel.due().is_none() && channel.is_drained());
}

#[test]
fn standard_error_status_and_flags_are_told_apart() {
    let mut channel = open();
    channel.receive(&output(2, Payload::StdErr, b"oops"), at(1));
    channel.receive(&output(3, Payload::ExitCode, b"EXIT_CODE: 7"), at(2));
    channel.receive(&output(4, Payload::Flag, &[0, 0, 0, 3]), at(3));
    assert_eq!(
        events(&mut channel),
        [
            Event::StdErr(b"oops".to_vec()),
            Event::ExitCode(7),
            Event::Flag(Flag::ConnectToPortError)
        ]
    );
}

proptest! {
    /// Messages that are lost, repeated and reordered at will: everything arrives once and in order, as long as what
    /// is not acknowledged comes again.
    #[test]
    fn nothing_is_lost_doubled_or_reordered(arrivals in proptest::collection::vec((0_i64..12, any::<bool>()), 0..200)) {
        let mut channel = open();
        let mut acknowledged = Vec::new();
        let bytes = |sequence: i64| output(sequence + 2, Payload::Output, &[sequence as u8]);
        for (sequence, lost) in arrivals {
            if !lost {
                channel.receive(&bytes(sequence), at(1));
                acknowledged.extend(sorted(written(&mut channel)).0);
            }
        }
        for sequence in 0..12 {
            if !acknowledged.contains(&(sequence + 2)) {
                channel.receive(&bytes(sequence), at(2));
            }
        }
        let all: Vec<Event> = (0..12).map(|byte| Event::Output(vec![byte])).collect();
        prop_assert_eq!(events(&mut channel), all);
    }
}
