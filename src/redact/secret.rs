//! [`Secret`]: a value that leaves the program only where the code says so.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};

use super::REDACTED;

/// A value that may be a secret: of a parameter, of Secrets Manager, of a fleet.
///
/// It has neither `Display` nor `Serialize` nor `PartialEq`, and `Debug` shows that there is something and not what: a
/// result, an error, a trace or a failed assertion cannot hold it by accident. Its memory is cleared when it goes.
#[derive(Clone)]
pub(crate) struct Secret(SecretString);

impl Secret {
    /// The value, for a place that needs it: a request, or a parameter that is known to be public.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Whether the value, blanks around it aside, is this one, which is none: a placeholder.
    pub(crate) fn is(&self, known: &str) -> bool {
        self.expose().trim() == known
    }
}

impl From<&str> for Secret {
    fn from(value: &str) -> Self {
        Self(SecretString::from(value))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::ssm::Parameter;

    /// Does not compile when the type has the trait: two implementations fit then, and the compiler must not choose.
    macro_rules! assert_is_not {
        ($type:ty: $($bound:path),+) => {
            $({
                trait Ambiguous<Which> {
                    fn choose() {}
                }
                struct HasIt;
                impl<T: ?Sized> Ambiguous<()> for T {}
                impl<T: ?Sized + $bound> Ambiguous<HasIt> for T {}
                <$type as Ambiguous<_>>::choose();
            })+
        };
    }

    #[test]
    fn a_secret_is_neither_printed_nor_compared_nor_serialised() {
        assert_is_not!(Secret: fmt::Display, serde::Serialize, PartialEq, PartialOrd, std::hash::Hash, AsRef<str>);
        assert_is_not!(Secret: std::ops::Deref, std::borrow::Borrow<str>, Into<String>);
        assert_is_not!(Parameter: serde::Serialize, PartialEq);
        let secret = Secret::from(" hunter2\n");
        assert_eq!(
            format!("{secret:?} {:?}", Some(&secret)),
            "[redacted] Some([redacted])"
        );
        assert!(secret.is("hunter2") && !secret.is("hunter"));
    }
}
