//! Files that only the holder of an identity can read, in the format of age (C2SP, "age-encryption.org/v1").
//!
//! The crate's own implementation, so that the `age` and `rage` command lines read what is written here.

use std::io::{self, Read as _, Write};

use ::age::x25519;
use ::age::{DecryptError, Decryptor, Encryptor, IdentityFile};
use secrecy::zeroize::Zeroizing;

/// Who can read what is encrypted.
#[derive(Clone)]
pub(crate) struct Recipients(Vec<x25519::Recipient>);

impl Recipients {
    /// # Errors
    /// Which text is no recipient, or that there is none.
    pub(crate) fn parse<'t>(texts: impl IntoIterator<Item = &'t str>) -> Result<Self, String> {
        let mut all: Vec<x25519::Recipient> = Vec::new();
        for text in texts {
            // An identity that is given by mistake must not get into a message.
            if text.to_ascii_uppercase().starts_with("AGE-SECRET-KEY-") {
                return Err("an identity was given, which is secret, in the place of a recipient".to_owned());
            }
            let recipient: x25519::Recipient = text
                .parse()
                .map_err(|why| format!("`{text}` is no recipient of age ({why})"))?;
            if !all.contains(&recipient) {
                all.push(recipient);
            }
        }
        if all.is_empty() {
            return Err("there is no recipient".to_owned());
        }
        Ok(Self(all))
    }

    /// As age writes them, `age1…`.
    pub(crate) fn shown(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }

    /// What `write` writes, encrypted as it comes: no plain copy of it is kept.
    ///
    /// # Errors
    /// What `write` fails with.
    pub(crate) fn encrypt(
        &self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<Vec<u8>> {
        let recipients = self.0.iter().map(|recipient| recipient as &dyn ::age::Recipient);
        let encryptor = Encryptor::with_recipients(recipients).map_err(io::Error::other)?;
        let mut writer = encryptor.wrap_output(Vec::new())?;
        write(&mut writer)?;
        writer.finish()
    }
}

/// What opens encrypted files.
pub(crate) struct Identities(Vec<Box<dyn ::age::Identity>>);

/// Why a file does not open.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Locked {
    /// It was encrypted to other recipients.
    OtherRecipients,
    /// It is damaged, cut off, or no file of age; with the reason.
    Broken(String),
}

impl Identities {
    /// From a file as `age-keygen` writes it: lines `AGE-SECRET-KEY-1…`, and comments.
    ///
    /// # Errors
    /// The line that is no identity, which is never quoted; that there is none.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let file = IdentityFile::from_buffer(text.as_bytes()).map_err(|error| error.to_string())?;
        let all = file.into_identities().map_err(|error| error.to_string())?;
        if all.is_empty() {
            return Err("it has no identity".to_owned());
        }
        Ok(Self(all))
    }

    /// The content, cleared from memory when it goes.
    ///
    /// # Errors
    /// Why it does not open.
    pub(crate) fn decrypt(&self, bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, Locked> {
        let broken = |error: &dyn std::fmt::Display| Locked::Broken(error.to_string());
        let decryptor = Decryptor::new_buffered(bytes).map_err(|error| broken(&error))?;
        let identities = self.0.iter().map(|identity| &**identity as &dyn ::age::Identity);
        let mut reader = decryptor.decrypt(identities).map_err(|error| match error {
            DecryptError::NoMatchingKeys => Locked::OtherRecipients,
            error => broken(&error),
        })?;
        // The content is shorter than the file: one allocation, and no copy is left behind by a growing one.
        let mut plain = Zeroizing::new(Vec::with_capacity(bytes.len()));
        reader.read_to_end(&mut plain).map_err(|error| broken(&error))?;
        Ok(plain)
    }
}

#[cfg(test)]
mod tests {
    use ::age::secrecy::ExposeSecret as _;

    use super::*;

    fn pair() -> (String, String) {
        let identity = x25519::Identity::generate();
        let public = identity.to_public().to_string();
        (identity.to_string().expose_secret().to_owned(), public)
    }

    #[test]
    fn every_recipient_reads_what_was_encrypted_and_nobody_else_does() {
        let ((one, to_one), (other, to_other), (stranger, _)) = (pair(), pair(), pair());
        let recipients = Recipients::parse([to_one.as_str(), &to_other, &to_one]).unwrap();
        assert_eq!(recipients.shown(), [to_one, to_other]);
        let sealed = recipients.encrypt(|out| out.write_all(b"hunter2")).unwrap();
        assert!(sealed.starts_with(b"age-encryption.org/v1\n"));
        assert!(!sealed.windows(7).any(|window| window == b"hunter2"));
        for identity in [one, other] {
            let text = format!("# a comment\n{identity}\n");
            let plain = Identities::parse(&text).unwrap().decrypt(&sealed).unwrap();
            assert_eq!(plain.as_slice(), b"hunter2");
        }
        let stranger = Identities::parse(&stranger).unwrap();
        assert_eq!(stranger.decrypt(&sealed).unwrap_err(), Locked::OtherRecipients);
        // The API that other programs use reads it as well.
        let (key, to_key) = pair();
        let sealed = Recipients::parse([to_key.as_str()]).unwrap();
        let sealed = sealed.encrypt(|out| out.write_all(b"hunter3")).unwrap();
        let key: x25519::Identity = key.parse().unwrap();
        assert_eq!(::age::decrypt(&key, &sealed).unwrap(), b"hunter3");
    }

    #[test]
    fn a_file_that_was_cut_or_changed_does_not_open() {
        let (identity, recipient) = pair();
        let recipients = Recipients::parse([recipient.as_str()]).unwrap();
        let mut sealed = recipients.encrypt(|out| out.write_all(&[7; 100])).unwrap();
        let identity = Identities::parse(&identity).unwrap();
        for length in [0, 10, sealed.len() - 1] {
            let cut = identity.decrypt(&sealed[..length]);
            assert!(matches!(cut, Err(Locked::Broken(_))), "{length}");
        }
        let last = sealed.len() - 1;
        sealed[last] ^= 1;
        assert!(matches!(identity.decrypt(&sealed), Err(Locked::Broken(_))));
    }

    #[test]
    fn what_is_no_key_is_refused_and_a_secret_one_is_never_quoted() {
        let (identity, recipient) = pair();
        let why = |text: &str| Recipients::parse([text]).err().unwrap_or_default();
        assert!(why("age1wrong").starts_with("`age1wrong` is no recipient of age"));
        assert!(!why(&identity).contains(&identity[16..]));
        assert_eq!(
            Recipients::parse([]).err().unwrap_or_default(),
            "there is no recipient"
        );
        let why = |text: &str| Identities::parse(text).err().unwrap_or_default();
        assert_eq!(why("# nothing\n"), "it has no identity");
        let wrong = format!("{identity}\n{recipient}\n");
        assert_eq!(why(&wrong), "identity file contains non-identity data on line 2");
    }
}
