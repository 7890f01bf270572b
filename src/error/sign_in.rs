//! How to come to credentials that AWS takes: what to type depends on where they come from.

use super::{CommandLine, Effect, Hint};

/// Where the credentials of a run come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum SignIn {
    /// The code that reports the error does not know.
    #[default]
    Unknown,
    /// No profile, no keys.
    Nothing,
    /// AWS_ACCESS_KEY_ID and the like.
    Environment,
    /// A profile with IAM Identity Center.
    Sso(String),
    /// A profile with keys of its own.
    Keys(String),
    /// A profile whose keys another program gives.
    Process(String),
    /// Any other profile.
    Profile(String),
}

impl SignIn {
    /// What to do when the credentials are missing, wrong or at their end.
    pub(crate) fn hint(&self) -> Hint {
        // Signing in changes nothing in an account.
        let login = || CommandLine::aws("sso", "login").with_effect(Effect::Reads);
        let sso = |profile: &str| login().option("--profile", profile);
        match self {
            Self::Unknown => Hint::from((
                "the credentials have expired or are invalid: sign in again, with SSO by",
                login(),
                ", or refresh AWS_* in the environment",
            )),
            Self::Nothing => Hint::from(
                "name a profile with `--profile`, AWS_PROFILE or `profile` in the context, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            ),
            Self::Environment => Hint::from(
                "the keys come from the environment: set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN anew, or name a profile with `--profile`",
            ),
            Self::Sso(profile) => Hint::from((format!("sign in with profile `{profile}`:"), sso(profile))),
            Self::Keys(profile) => Hint::from((
                format!("the keys of profile `{profile}` are not valid any more: write new ones with"),
                CommandLine::aws("configure", "--profile").args([profile]),
            )),
            Self::Process(profile) => Hint::from((
                format!("profile `{profile}` gets its keys from another program: see what it says with"),
                CommandLine::aws("sts", "get-caller-identity").option("--profile", profile),
            )),
            Self::Profile(profile) => Hint::from((
                format!("see what the aws tool says of profile `{profile}`:"),
                CommandLine::aws("sts", "get-caller-identity").option("--profile", profile),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{CtlError, ErrorKind};

    #[test]
    fn the_exact_command_takes_the_place_of_the_guess() {
        let error = CtlError::new(ErrorKind::Credentials, "x")
            .needs_sign_in(SignIn::Unknown)
            .hint("follow it again");
        let told = error.clone().signed_in_by(&SignIn::Sso("my ops".to_owned()));
        assert_eq!(
            told.hints(),
            [
                "sign in with profile `my ops`: `aws sso login --profile 'my ops'`",
                "follow it again"
            ]
        );
        let again = told.clone().signed_in_by(&SignIn::Environment);
        assert_eq!(again, told);
        let other = CtlError::usage("x").hint("y");
        assert_eq!(other.clone().signed_in_by(&SignIn::Environment), other);
    }
}
