//! The checksums of objects: their algorithms, their headers, and those of objects made of parts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use serde_json::{Map, Value};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::error::ApiError;
use crate::service::member::text;

/// An algorithm that S3 computes a checksum with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
}

/// Each with its name, its member and its header.
const ALGORITHMS: &[(Algorithm, &str, &str, &str)] = &[
    (Algorithm::Crc32, "CRC32", "ChecksumCRC32", "x-amz-checksum-crc32"),
    (
        Algorithm::Crc32c,
        "CRC32C",
        "ChecksumCRC32C",
        "x-amz-checksum-crc32c",
    ),
    (
        Algorithm::Crc64Nvme,
        "CRC64NVME",
        "ChecksumCRC64NVME",
        "x-amz-checksum-crc64nvme",
    ),
    (Algorithm::Sha1, "SHA1", "ChecksumSHA1", "x-amz-checksum-sha1"),
    (
        Algorithm::Sha256,
        "SHA256",
        "ChecksumSHA256",
        "x-amz-checksum-sha256",
    ),
];

/// What an object's checksum is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// All of its bytes.
    FullObject,
    /// The checksums of its parts.
    Composite,
}

/// An object's checksum as S3 keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Checksum {
    pub(super) algorithm: Algorithm,
    pub(super) extent: Extent,
    /// In base64; that of an object in parts ends in `-` and their number.
    pub(super) value: String,
}

impl Algorithm {
    pub(super) fn named(name: &str) -> Option<Self> {
        ALGORITHMS
            .iter()
            .find(|(_, named, _, _)| *named == name)
            .map(|(algorithm, ..)| *algorithm)
    }

    /// The algorithm of the checksum that the input carries, with its value.
    pub(super) fn given(input: &Value) -> Option<(Self, &str)> {
        ALGORITHMS
            .iter()
            .find_map(|(algorithm, _, member, _)| Some((*algorithm, text(input, member)?)))
    }

    pub(super) fn name(self) -> &'static str {
        self.row().1
    }

    pub(super) fn member(self) -> &'static str {
        self.row().2
    }

    fn row(self) -> &'static (Self, &'static str, &'static str, &'static str) {
        ALGORITHMS
            .iter()
            .find(|(algorithm, ..)| *algorithm == self)
            .unwrap_or_else(|| unreachable!("every algorithm has its row"))
    }

    pub(super) fn of(self, bytes: &[u8]) -> Vec<u8> {
        use crc_fast::CrcAlgorithm::{Crc32Iscsi, Crc32IsoHdlc, Crc64Nvme};
        let crc32 = |value: u64| (value as u32).to_be_bytes().to_vec();
        match self {
            Self::Crc32 => crc32(crc_fast::checksum(Crc32IsoHdlc, bytes)),
            Self::Crc32c => crc32(crc_fast::checksum(Crc32Iscsi, bytes)),
            Self::Crc64Nvme => crc_fast::checksum(Crc64Nvme, bytes).to_be_bytes().to_vec(),
            Self::Sha1 => Sha1::digest(bytes).to_vec(),
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
        }
    }

    pub(super) fn base64(self, bytes: &[u8]) -> String {
        STANDARD.encode(self.of(bytes))
    }
}

impl Checksum {
    pub(super) fn of(algorithm: Algorithm, bytes: &[u8]) -> Self {
        Self {
            algorithm,
            extent: Extent::FullObject,
            value: algorithm.base64(bytes),
        }
    }

    /// The checksum that S3 keeps of `bytes`: by the algorithm of the request, else CRC64NVME (user guide, "Checking
    /// object integrity").
    pub(super) fn asked(input: &Value, bytes: &[u8]) -> Self {
        let named = text(input, "ChecksumAlgorithm").and_then(Algorithm::named);
        let given = Algorithm::given(input).map(|(algorithm, _)| algorithm);
        Self::of(given.or(named).unwrap_or(Algorithm::Crc64Nvme), bytes)
    }

    /// The checksum of an object made of parts, from their checksums in base64.
    pub(super) fn composite(algorithm: Algorithm, parts: &[String]) -> Self {
        let each: Vec<u8> = parts
            .iter()
            .flat_map(|part| STANDARD.decode(part).unwrap_or_default())
            .collect();
        Self {
            algorithm,
            extent: Extent::Composite,
            value: format!("{}-{}", algorithm.base64(&each), parts.len()),
        }
    }

    /// Its members in an answer.
    pub(super) fn shown(&self) -> Map<String, Value> {
        let extent = match self.extent {
            Extent::FullObject => "FULL_OBJECT",
            Extent::Composite => "COMPOSITE",
        };
        Map::from_iter([
            (self.algorithm.member().to_owned(), self.value.clone().into()),
            ("ChecksumType".to_owned(), extent.into()),
        ])
    }
}

/// Checks every checksum among the headers against the body.
pub(super) fn verify<'a>(header: &impl Fn(&str) -> Option<&'a str>, body: &[u8]) -> Result<(), ApiError> {
    for (algorithm, name, _, sent) in ALGORITHMS {
        let Some(given) = header(sent) else { continue };
        let computed = algorithm.of(body);
        match STANDARD.decode(given) {
            Ok(bytes) if bytes == computed => {}
            Ok(bytes) if bytes.len() == computed.len() => return Err(bad_digest(name)),
            _ => {
                return Err(ApiError::client(
                    "InvalidRequest",
                    format!("Value for {sent} header is invalid."),
                ));
            }
        }
    }
    Ok(())
}

pub(super) fn bad_digest(algorithm: &str) -> ApiError {
    ApiError::client(
        "BadDigest",
        format!("The {algorithm} you specified did not match the calculated checksum."),
    )
}

pub(super) fn md5(bytes: &[u8]) -> Vec<u8> {
    Md5::digest(bytes).to_vec()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_values_of_the_algorithms_hold() {
        // The catalogue of parametrised CRC algorithms, and RFC 3174 and FIPS 180-4 for the digests of `abc`.
        let hex_of = |algorithm: Algorithm, bytes: &[u8]| hex(&algorithm.of(bytes));
        assert_eq!(hex_of(Algorithm::Crc32, b"123456789"), "cbf43926");
        assert_eq!(hex_of(Algorithm::Crc32c, b"123456789"), "e3069283");
        assert_eq!(hex_of(Algorithm::Crc64Nvme, b"123456789"), "ae8b14860a799888");
        assert_eq!(
            hex_of(Algorithm::Sha1, b"abc"),
            "a9993e364706816aba3e25717850c26c9cd0d89d"
        );
        assert!(hex_of(Algorithm::Sha256, b"abc").starts_with("ba7816bf8f01cfea"));
        assert_eq!(hex(&md5(b"")), "d41d8cd98f00b204e9800998ecf8427e");
    }
}
