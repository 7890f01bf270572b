//! Messages of `application/vnd.amazon.eventstream`: how answers that go on are framed (Smithy specification, "Amazon
//! Event Stream Specification").

use crc_fast::CrcAlgorithm;
use serde_json::Value;

/// The content type of such an answer.
pub(crate) const CONTENT_TYPE: &str = "application/vnd.amazon.eventstream";

/// The type of a header's value: a string.
const STRING: u8 = 7;

/// The two lengths and their checksum before the headers, and the checksum behind the payload.
const AROUND: usize = 16;

/// The first message of the JSON protocols: the members of the answer that are not in the stream.
pub(crate) fn initial_response() -> Vec<u8> {
    event("initial-response", &Value::Object(serde_json::Map::new()))
}

/// A message of the stream's union member `name`.
pub(crate) fn event(name: &str, payload: &Value) -> Vec<u8> {
    message("event", ":event-type", name, payload)
}

/// The modelled error `name`, which ends the stream.
pub(crate) fn exception(name: &str, payload: &Value) -> Vec<u8> {
    message("exception", ":exception-type", name, payload)
}

fn message(kind: &str, header: &str, name: &str, payload: &Value) -> Vec<u8> {
    let mut headers = Vec::new();
    for (header, value) in [
        (header, name),
        (":content-type", "application/json"),
        (":message-type", kind),
    ] {
        headers.push(u8::try_from(header.len()).unwrap_or(u8::MAX));
        headers.extend(header.as_bytes());
        headers.push(STRING);
        headers.extend(u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
        headers.extend(value.as_bytes());
    }
    let payload = payload.to_string();
    let whole = AROUND + headers.len() + payload.len();
    let mut message = Vec::with_capacity(whole);
    message.extend(length(whole));
    message.extend(length(headers.len()));
    let checksum = checksum(&message);
    message.extend(checksum);
    message.extend(headers);
    message.extend(payload.as_bytes());
    let checksum = self::checksum(&message);
    message.extend(checksum);
    message
}

fn length(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes()
}

fn checksum(bytes: &[u8]) -> [u8; 4] {
    let checksum = crc_fast::checksum(CrcAlgorithm::Crc32IsoHdlc, bytes);
    u32::try_from(checksum).unwrap_or_default().to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's test suite for a payload without headers has these checksums; the frame
    /// around a string header follows the same rules.
    #[test]
    fn lengths_and_checksums_are_those_of_the_whole() {
        let message = event("a", &serde_json::json!({}));
        assert_eq!(message[..4], length(message.len()));
        assert_eq!(message[8..12], checksum(&message[..8]));
        let (before, last) = message.split_at(message.len() - 4);
        assert_eq!(last, checksum(before));
        assert!(before.ends_with(b"{}"));
        // CRC-32 of the check string of every CRC catalogue.
        assert_eq!(checksum(b"123456789"), 0xcbf4_3926_u32.to_be_bytes());
    }
}
