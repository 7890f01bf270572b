//! The messages of a data channel, as the agent's source lays them out (`agent/session/contracts/agentmessage.go`).

use sha2::{Digest as _, Sha256};

/// Header length (4), type (32), schema version (4), date (8), sequence number (8), flags (8), id (16), digest (32), payload
/// type (4); then the payload's length (4) and the payload.
const HEADER: usize = 116;

/// A message, as far as the agent cares.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) kind: String,
    pub(super) sequence: i64,
    pub(super) id: [u8; 16],
    pub(super) payload_type: u32,
    pub(super) payload: Vec<u8>,
}

impl Frame {
    pub(super) fn encode(&self, date: i64) -> Vec<u8> {
        let mut bytes = vec![0; HEADER + 4];
        let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
        put(0, &116_u32.to_be_bytes());
        put(4, format!("{:<32}", self.kind).as_bytes());
        put(36, &1_u32.to_be_bytes());
        put(40, &date.to_be_bytes());
        put(48, &self.sequence.to_be_bytes());
        let flags: u64 = match self.kind.as_str() {
            "output_stream_data" => u64::from(self.sequence == 0),
            _ => 3,
        };
        put(56, &flags.to_be_bytes());
        // Java's two halves of a UUID, the lower one first.
        put(64, &self.id[8..]);
        put(72, &self.id[..8]);
        put(80, &Sha256::digest(&self.payload));
        put(112, &self.payload_type.to_be_bytes());
        put(116, &(self.payload.len() as u32).to_be_bytes());
        bytes.extend(&self.payload);
        bytes
    }

    /// `None` for bytes that are no message or whose digest is wrong.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let slice = |at: usize, length: usize| bytes.get(at..at + length);
        let header = u32::from_be_bytes(slice(0, 4)?.try_into().ok()?) as usize;
        let length = u32::from_be_bytes(slice(116, 4)?.try_into().ok()?) as usize;
        let payload = bytes.get(header.checked_add(4)?..)?.to_vec();
        if header != HEADER || payload.len() != length || slice(80, 32)? != &Sha256::digest(&payload)[..] {
            return None;
        }
        let mut id = [0; 16];
        id[8..].copy_from_slice(slice(64, 8)?);
        id[..8].copy_from_slice(slice(72, 8)?);
        Some(Self {
            kind: String::from_utf8_lossy(slice(4, 32)?)
                .trim_end_matches([' ', '\0'])
                .to_owned(),
            sequence: i64::from_be_bytes(slice(48, 8)?.try_into().ok()?),
            id,
            payload_type: u32::from_be_bytes(slice(112, 4)?.try_into().ok()?),
            payload,
        })
    }
}
