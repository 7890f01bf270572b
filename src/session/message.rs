//! The binary message of a data channel: a header of 116 bytes, the length of the payload, the payload.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// The bytes of a header: everything in front of the length of the payload.
const HEADER: usize = 116;
/// Offsets of the fields, in the order in which they stand.
const KIND: usize = 4;
const SCHEMA: usize = 36;
const CREATED: usize = 40;
const SEQUENCE: usize = 48;
const FLAGS: usize = 56;
const ID: usize = 64;
const DIGEST: usize = 80;
const PAYLOAD_TYPE: usize = 112;

/// The largest message that is accepted: neither end sends payloads of more than a few kilobytes.
const LARGEST: usize = 1 << 20;

/// A UUID.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Uuid(pub(super) [u8; 16]);

impl Uuid {
    /// A random one (version 4).
    ///
    /// # Errors
    /// The operating system gives no random bytes.
    pub(crate) fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Ok(Self(bytes))
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, byte) in self.0.iter().enumerate() {
            if matches!(place, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a message is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// From the client to the agent.
    Input,
    /// From the agent to the client.
    Output,
    Acknowledge,
    ChannelClosed,
    /// The other end is there (again): messages may be sent.
    StartPublication,
    /// The other end is away: messages wait.
    PausePublication,
    /// One that this client does not know.
    Other(String),
}

impl Kind {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Input => "input_stream_data",
            Self::Output => "output_stream_data",
            Self::Acknowledge => "acknowledge",
            Self::ChannelClosed => "channel_closed",
            Self::StartPublication => "start_publication",
            Self::PausePublication => "pause_publication",
            Self::Other(name) => name,
        }
    }

    fn named(name: &str) -> Self {
        let known = [
            Self::Input,
            Self::Output,
            Self::Acknowledge,
            Self::ChannelClosed,
            Self::StartPublication,
            Self::PausePublication,
        ];
        let found = known.into_iter().find(|kind| kind.name() == name);
        found.unwrap_or_else(|| Self::Other(name.to_owned()))
    }
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) kind: Kind,
    pub(super) schema: u32,
    /// Milliseconds since the epoch.
    pub(super) created: u64,
    pub(super) sequence: i64,
    pub(super) flags: u64,
    pub(super) id: Uuid,
    pub(super) payload_type: u32,
    pub(super) payload: Vec<u8>,
}

/// Bytes that are no message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Malformed {
    #[error("the message has {0} bytes, which is shorter than its header")]
    Short(usize),
    #[error("the message has {0} bytes, which is more than a message may have")]
    Long(usize),
    #[error("the message says that its header has {0} bytes")]
    Header(u32),
    #[error("the payload has {real} bytes and the message says {said}")]
    Length { said: usize, real: usize },
    #[error("the payload is not the one that its SHA-256 digest was made of")]
    Digest,
    #[error("the field `{0}` is missing")]
    Missing(&'static str),
}

impl Message {
    /// As it is sent.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER + 4 + self.payload.len());
        bytes.extend((HEADER as u32).to_be_bytes());
        let mut name = [b' '; SCHEMA - KIND];
        for (place, byte) in name.iter_mut().zip(self.kind.name().bytes()) {
            *place = byte;
        }
        bytes.extend(name);
        bytes.extend(self.schema.to_be_bytes());
        bytes.extend(self.created.to_be_bytes());
        bytes.extend(self.sequence.to_be_bytes());
        bytes.extend(self.flags.to_be_bytes());
        // The less significant half of the id comes first.
        bytes.extend(&self.id.0[8..]);
        bytes.extend(&self.id.0[..8]);
        bytes.extend(Sha256::digest(&self.payload));
        bytes.extend(self.payload_type.to_be_bytes());
        bytes.extend((self.payload.len() as u32).to_be_bytes());
        bytes.extend(&self.payload);
        bytes
    }

    /// Reads a message and checks its digest.
    ///
    /// # Errors
    /// Bytes that are no message.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.len() > LARGEST {
            return Err(Malformed::Long(bytes.len()));
        }
        let header = u32::from_be_bytes(field(bytes, 0)?);
        let name: [u8; SCHEMA - KIND] = field(bytes, KIND)?;
        let name = String::from_utf8_lossy(&name);
        // Some senders fill with NUL, others with spaces.
        let kind = Kind::named(name.trim_matches(['\0', ' ']));
        let mut id = [0; 16];
        let [low, high]: [[u8; 8]; 2] = [field(bytes, ID)?, field(bytes, ID + 8)?];
        id[8..].copy_from_slice(&low);
        id[..8].copy_from_slice(&high);
        let mut message = Self {
            kind,
            schema: u32::from_be_bytes(field(bytes, SCHEMA)?),
            created: u64::from_be_bytes(field(bytes, CREATED)?),
            sequence: i64::from_be_bytes(field(bytes, SEQUENCE)?),
            flags: u64::from_be_bytes(field(bytes, FLAGS)?),
            id: Uuid(id),
            payload_type: u32::from_be_bytes(field(bytes, PAYLOAD_TYPE)?),
            payload: Vec::new(),
        };
        // The service makes these two itself, with little more in them than their kind.
        if matches!(message.kind, Kind::StartPublication | Kind::PausePublication) {
            return Ok(message);
        }
        if message.kind == Kind::Other(String::new()) {
            return Err(Malformed::Missing("MessageType"));
        }
        if message.created == 0 {
            return Err(Malformed::Missing("CreatedDate"));
        }
        let start = usize::try_from(header).unwrap_or(usize::MAX);
        if !(HEADER..LARGEST).contains(&start) {
            return Err(Malformed::Header(header));
        }
        let said = u32::from_be_bytes(field(bytes, start)?) as usize;
        let payload = &bytes[start + 4..];
        if payload.len() != said {
            return Err(Malformed::Length {
                said,
                real: payload.len(),
            });
        }
        let digest: [u8; 32] = field(bytes, DIGEST)?;
        if said != 0 && digest[..] != Sha256::digest(payload)[..] {
            return Err(Malformed::Digest);
        }
        message.payload = payload.to_vec();
        Ok(message)
    }
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], Malformed> {
    let found = bytes.get(at..at + N).and_then(|field| field.try_into().ok());
    found.ok_or(Malformed::Short(bytes.len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The message of the public client's tests (`src/message/messageparser_test.go`, client and agent alike).
    fn known() -> Message {
        Message {
            kind: Kind::Input,
            schema: 1,
            created: 1_503_434_274_948,
            sequence: 1,
            flags: 2,
            id: Uuid([
                0xdd, 0x01, 0xe5, 0x6b, 0xff, 0x48, 0x48, 0x3e, 0xa5, 0x08, 0xb5, 0xf0, 0x73, 0xf3, 0x1b,
                0x16,
            ]),
            payload_type: 0,
            payload: b"payload".to_vec(),
        }
    }

    /// The same as the two public programs write it, field by field.
    const WRITTEN: &str = "00000074\
        696e7075745f73747265616d5f64617461202020202020202020202020202020\
        00000001\
        0000015e0baa7884\
        0000000000000001\
        0000000000000002\
        a508b5f073f31b16dd01e56bff48483e\
        239f59ed55e737c77147cf55ad0c1b030b6d7ee748a7426952f9b852d5a935e5\
        00000000\
        00000007\
        7061796c6f6164";

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u32> = hex.chars().filter_map(|digit| digit.to_digit(16)).collect();
        digits
            .chunks(2)
            .map(|pair| (pair[0] * 16 + pair[1]) as u8)
            .collect()
    }

    #[test]
    fn the_public_clients_message_is_written_and_read_byte_for_byte() {
        assert_eq!(hex(&known().encode()), WRITTEN);
        assert_eq!(Message::decode(&bytes(WRITTEN)), Ok(known()));
        assert_eq!(known().id.to_string(), "dd01e56b-ff48-483e-a508-b5f073f31b16");
    }

    #[test]
    fn names_filled_with_nul_are_read_as_well() {
        let mut written = known().encode();
        for byte in &mut written[KIND..SCHEMA] {
            if *byte == b' ' {
                *byte = 0;
            }
        }
        assert_eq!(Message::decode(&written).unwrap().kind, Kind::Input);
    }

    #[test]
    fn what_is_no_message_is_refused_with_its_reason() {
        let good = known().encode();
        assert_eq!(Message::decode(&good[..115]), Err(Malformed::Short(115)));
        assert_eq!(Message::decode(&[]), Err(Malformed::Short(0)));
        let mut longer = good.clone();
        longer.push(0);
        assert_eq!(
            Message::decode(&longer),
            Err(Malformed::Length { said: 7, real: 8 })
        );
        let mut other = good.clone();
        other[120] ^= 1;
        assert_eq!(Message::decode(&other), Err(Malformed::Digest));
        let mut header = good.clone();
        header[..4].copy_from_slice(&0_u32.to_be_bytes());
        assert_eq!(Message::decode(&header), Err(Malformed::Header(0)));
        let mut nameless = good.clone();
        nameless[KIND..SCHEMA].fill(0);
        assert_eq!(Message::decode(&nameless), Err(Malformed::Missing("MessageType")));
        let mut undated = good;
        undated[CREATED..SEQUENCE].fill(0);
        assert_eq!(Message::decode(&undated), Err(Malformed::Missing("CreatedDate")));
    }

    #[test]
    fn the_services_own_messages_need_no_digest() {
        let mut start = Message {
            kind: Kind::StartPublication,
            ..known()
        }
        .encode();
        start[DIGEST] ^= 1;
        assert_eq!(Message::decode(&start).unwrap().kind, Kind::StartPublication);
    }

    #[test]
    fn a_random_uuid_is_of_version_4() {
        let text = Uuid::random().unwrap().to_string();
        assert_eq!((text.len(), text.as_bytes()[14]), (36, b'4'));
        assert!("89ab".contains(char::from(text.as_bytes()[19])), "{text}");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(sequence: i64, flags: u64, payload_type: u32, payload: Vec<u8>, id: [u8; 16]) {
            let message = Message { sequence, flags, payload_type, payload, id: Uuid(id), kind: Kind::Output, ..known() };
            prop_assert_eq!(Message::decode(&message.encode()), Ok(message));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, length in 0_usize..200) {
            let _ = Message::decode(&bytes);
            let mut cut = known().encode();
            cut.truncate(length);
            cut.extend(bytes);
            let _ = Message::decode(&cut);
        }
    }
}
