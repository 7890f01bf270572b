//! What messages carry: the JSON documents of the handshake and of acknowledgements, flags, types of payload.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The version of the public client that this one behaves like. The agent multiplexes ports for clients since
/// 1.1.70, and leaves out the multiplexer's keep-alives for those after 1.2.331.0
/// (`agent/session/plugins/port/port.go`).
pub(super) const CLIENT_VERSION: &str = "1.2.650.0";

/// What a payload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Payload {
    Output = 1,
    Size = 3,
    HandshakeRequest = 5,
    HandshakeResponse = 6,
    HandshakeComplete = 7,
    EncryptionChallengeRequest = 8,
    Flag = 10,
    StdErr = 11,
    ExitCode = 12,
}

impl Payload {
    pub(super) fn numbered(number: u32) -> Option<Self> {
        [
            Self::Output,
            Self::Size,
            Self::HandshakeRequest,
            Self::HandshakeResponse,
            Self::HandshakeComplete,
            Self::EncryptionChallengeRequest,
            Self::Flag,
            Self::StdErr,
            Self::ExitCode,
        ]
        .into_iter()
        .find(|payload| *payload as u32 == number)
    }
}

/// A word from one end to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Flag {
    /// The local connection is gone: the agent closes the one to the port.
    DisconnectToPort = 1,
    /// The client leaves for good.
    TerminateSession = 2,
    /// The agent could not connect to the port.
    ConnectToPortError = 3,
}

impl Flag {
    pub(super) fn encode(self) -> [u8; 4] {
        (self as u32).to_be_bytes()
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let number = u32::from_be_bytes(bytes.try_into().ok()?);
        [
            Self::DisconnectToPort,
            Self::TerminateSession,
            Self::ConnectToPortError,
        ]
        .into_iter()
        .find(|flag| *flag as u32 == number)
    }
}

/// The first, textual message on a new connection: it opens the data channel.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OpenDataChannel<'a> {
    pub(super) message_schema_version: &'static str,
    pub(super) request_id: String,
    pub(super) token_value: &'a str,
    pub(super) client_id: &'a str,
    pub(super) client_version: &'static str,
}

/// A message has arrived.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Acknowledgement {
    #[serde(rename = "AcknowledgedMessageType")]
    pub(super) kind: String,
    #[serde(rename = "AcknowledgedMessageId")]
    pub(super) id: String,
    #[serde(rename = "AcknowledgedMessageSequenceNumber", default)]
    pub(super) sequence: i64,
    #[serde(rename = "IsSequentialMessage", default)]
    pub(super) sequential: bool,
}

/// The session is over.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ChannelClosed {
    /// What there is to say about it, if anything.
    #[serde(default)]
    pub(super) output: String,
}

/// The agent introduces itself and says what the client has to do.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct HandshakeRequest {
    pub(super) agent_version: String,
    #[serde(default)]
    pub(super) requested_client_actions: Vec<RequestedAction>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RequestedAction {
    pub(super) action_type: String,
    #[serde(default)]
    pub(super) action_parameters: Value,
}

/// What became of the actions.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct HandshakeResponse {
    pub(super) client_version: &'static str,
    pub(super) processed_client_actions: Vec<ProcessedAction>,
    pub(super) errors: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ProcessedAction {
    pub(super) action_type: String,
    /// 1 done, 2 failed, 3 unsupported.
    pub(super) action_status: u8,
    pub(super) action_result: Value,
    pub(super) error: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct HandshakeComplete {
    #[serde(default)]
    pub(super) customer_message: String,
}

/// How ports are forwarded, as the agent's version decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PortForwarding {
    /// Many connections in one session, multiplexed.
    Multiplexed {
        /// The agent is so old that it wants to hear from the client every ten seconds.
        keep_alive: bool,
    },
    /// One connection at a time.
    Basic,
}

impl PortForwarding {
    /// What an agent of this version does with a client of [`CLIENT_VERSION`] (`src/version/versionvalidator.go` of the
    /// public client).
    pub(crate) fn of_agent(version: &str) -> Self {
        const MULTIPLEXES_AFTER: [u64; 4] = [3, 0, 196, 0];
        const NO_KEEP_ALIVE_AFTER: [u64; 4] = [3, 1, 1511, 0];
        let parts: Vec<Option<u64>> = version.split('.').map(|part| part.parse().ok()).collect();
        let [Some(a), Some(b), Some(c), Some(d)] = parts[..] else {
            return Self::Basic;
        };
        if [a, b, c, d] > MULTIPLEXES_AFTER {
            Self::Multiplexed {
                keep_alive: [a, b, c, d] <= NO_KEEP_ALIVE_AFTER,
            }
        } else {
            Self::Basic
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_agents_version_decides_how_ports_are_forwarded() {
        let of = PortForwarding::of_agent;
        for (version, expected) in [
            ("3.0.196.0", PortForwarding::Basic),
            ("3.0.197.0", PortForwarding::Multiplexed { keep_alive: true }),
            ("3.1.1511.0", PortForwarding::Multiplexed { keep_alive: true }),
            ("3.1.1511.1", PortForwarding::Multiplexed { keep_alive: false }),
            ("3.3.987.0", PortForwarding::Multiplexed { keep_alive: false }),
            ("2.99.99.99", PortForwarding::Basic),
            ("", PortForwarding::Basic),
            ("3.x.1.0", PortForwarding::Basic),
            ("3.3.987", PortForwarding::Basic),
        ] {
            assert_eq!(of(version), expected, "{version}");
        }
    }

    #[test]
    fn flags_are_big_endian_numbers() {
        assert_eq!(Flag::TerminateSession.encode(), [0, 0, 0, 2]);
        assert_eq!(Flag::decode(&[0, 0, 0, 3]), Some(Flag::ConnectToPortError));
        assert_eq!(Flag::decode(&[0, 0, 0, 9]), None);
        assert_eq!(Flag::decode(&[3]), None);
    }

    /// `TestSerializeAndDeserializeClientMessageWithAcknowledgeContent` of the public client.
    #[test]
    fn an_acknowledgement_has_the_public_clients_names() {
        let acknowledgement = Acknowledgement {
            kind: "input_stream_data".to_owned(),
            id: "dd01e56b-ff48-483e-a508-b5f073f31b16".to_owned(),
            sequence: 2,
            sequential: true,
        };
        let text = serde_json::to_string(&acknowledgement).unwrap();
        assert_eq!(
            text,
            r#"{"AcknowledgedMessageType":"input_stream_data","AcknowledgedMessageId":"dd01e56b-ff48-483e-a508-b5f073f31b16","AcknowledgedMessageSequenceNumber":2,"IsSequentialMessage":true}"#
        );
        // Their own sample leaves two members out.
        let sample = r#"{"AcknowledgedMessageType": "acknowledge", "AcknowledgedMessageId":"dd01e56b-ff48-483e-a508-b5f073f31b16"}"#;
        assert_eq!(
            serde_json::from_str::<Acknowledgement>(sample).unwrap().sequence,
            0
        );
    }
}
