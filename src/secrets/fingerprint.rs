//! Fingerprints: two values are the same when theirs are, and no value can be learnt from its fingerprint.
//!
//! A plain digest of a short or guessable value could be tried out by a reader of a log or a ticket. The
//! fingerprint is therefore an HMAC under a random key that never leaves this machine: it compares values of
//! all contexts and of all times here, and says nothing elsewhere.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::zeroize::Zeroizing;
use sha2::Sha256;

use crate::error::{CtlError, ErrorKind, Result};
use crate::files::{Links, open_regular, read_own};
use crate::redact::{Sealed, Secret};

/// The key's file in the state folder.
const FILE: &str = "fingerprint.key";

const KEY_BYTES: usize = 32;

/// Bytes of a fingerprint that are shown: enough that two different values do not look alike by chance.
const SHOWN: usize = 6;

/// Makes fingerprints under one key.
#[derive(Clone)]
pub(crate) struct Fingerprints {
    key: Zeroizing<[u8; KEY_BYTES]>,
}

impl Fingerprints {
    /// With this machine's key, which is drawn the first time; without a state folder, with one of this run alone.
    ///
    /// # Errors
    /// No random numbers; a folder that cannot be written; a key file that is none.
    pub(crate) fn open(state_dir: Option<&Path>) -> Result<Self> {
        let Some(folder) = state_dir else {
            return Self::draw();
        };
        let path = folder.join(FILE);
        let failed = |what: &str, error: &io::Error| {
            CtlError::new(ErrorKind::Failed, format!("{what} `{}`", path.display())).source(error)
        };
        match read_own(&path, KEY_BYTES as u64) {
            Ok(bytes) => Self::of(Zeroizing::new(bytes), &path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let drawn = Self::draw()?;
                drawn
                    .keep(folder, &path)
                    .map_err(|error| failed("write", &error))?;
                // Another process may have been faster: what lies there counts.
                let bytes = read_own(&path, KEY_BYTES as u64).map_err(|error| failed("read", &error))?;
                Self::of(Zeroizing::new(bytes), &path)
            }
            Err(error) => Err(failed("read", &error)),
        }
    }

    fn draw() -> Result<Self> {
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        getrandom::fill(key.as_mut())
            .map_err(|error| CtlError::new(ErrorKind::Unexpected, "draw random numbers").source(&error))?;
        Ok(Self { key })
    }

    fn of(bytes: Zeroizing<Vec<u8>>, path: &Path) -> Result<Self> {
        let key: [u8; KEY_BYTES] = bytes.as_slice().try_into().map_err(|_| {
            CtlError::new(
                ErrorKind::Failed,
                format!("read `{}`: it is no key of {KEY_BYTES} bytes", path.display()),
            )
            .hint("remove the file: a new key is drawn, and fingerprints differ from earlier ones")
        })?;
        Ok(Self {
            key: Zeroizing::new(key),
        })
    }

    /// Puts the key where none is yet, whole or not at all.
    fn keep(&self, folder: &Path, path: &Path) -> io::Result<()> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
        let beside = beside(path);
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = open_regular(&beside, &mut options, Links::Refuse)
            .and_then(|mut file| file.write_all(self.key.as_ref()).and_then(|()| file.sync_all()));
        let linked = written.and_then(|()| fs::hard_link(&beside, path));
        // Whatever happened, the file beside it is of no use any more.
        let _ = fs::remove_file(&beside);
        match linked {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        }
    }

    /// The fingerprint of a value, in hexadecimal digits.
    pub(crate) fn of_text(&self, value: &str) -> String {
        self.mac(value)
            .iter()
            .take(SHOWN)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// The fingerprint of a secret.
    pub(crate) fn of_secret(&self, secret: &Secret) -> String {
        self.of_text(secret.expose())
    }

    /// The secret as a parameter of a call that shows its length and fingerprint alone.
    pub(crate) fn seal(&self, secret: Secret) -> Sealed {
        let length = secret.expose().chars().count();
        let fingerprint = self.of_secret(&secret);
        Sealed::new(length, fingerprint, secret)
    }

    fn mac(&self, value: &str) -> Vec<u8> {
        // A key of any length fits HMAC.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.key.as_ref()) else {
            return Vec::new();
        };
        mac.update(value.as_bytes());
        mac.finalize().into_bytes().to_vec()
    }
}

fn beside(path: &Path) -> PathBuf {
    path.with_extension(format!("{}.new", std::process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_machine_compares_and_another_learns_nothing() {
        let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let print = |folder: &Path, value: &str| {
            Fingerprints::open(Some(folder))
                .unwrap()
                .of_secret(&Secret::from(value))
        };
        let first = print(here.path(), "hunter2");
        assert_eq!(first, print(here.path(), "hunter2"));
        assert_ne!(first, print(here.path(), "hunter3"));
        assert_ne!(first, print(there.path(), "hunter2"));
        assert_eq!(first.len(), 2 * SHOWN);
        let alone = Fingerprints::open(None).unwrap();
        assert_ne!(alone.of_text("x"), Fingerprints::open(None).unwrap().of_text("x"));
    }

    #[cfg(unix)]
    #[test]
    fn the_key_is_the_owners_alone_and_a_broken_one_is_no_key() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        Fingerprints::open(Some(&state)).unwrap();
        let path = state.join(FILE);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(&state).unwrap().count(), 1);
        fs::write(&path, b"short").unwrap();
        let Err(error) = Fingerprints::open(Some(&state)) else {
            panic!("a short key was taken")
        };
        assert!(error.message().contains("no key of 32 bytes"));
    }
}
