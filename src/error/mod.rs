//! The one error type that reaches the operator: what failed, why, and what to do next.

mod aws;
mod command_line;
mod document;
mod hint;
mod sign_in;

use std::error::Error as StdError;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::exit::ExitStatus;

pub(crate) use aws::{CutOff, Reply, from_sdk, unreadable_json};
pub(crate) use command_line::{CommandLine, Effect, Place};
pub(crate) use document::{ERROR_SCHEMA, ErrorDocument};
pub(crate) use hint::Hint;
pub(crate) use sign_in::SignIn;

/// What went wrong, as far as scripts and exit statuses care.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ErrorKind {
    /// A bad command line, name or combination of flags.
    Usage,
    /// A bad configuration file, context or environment variable.
    Config,
    /// The operator said no, or there was no terminal to ask on.
    Declined,
    /// No, expired or invalid credentials.
    Credentials,
    /// Credentials are fine, the permission is missing.
    AccessDenied,
    /// The credentials belong to another account than the context demands.
    WrongAccount,
    /// The named thing does not exist.
    NotFound,
    /// The world is not (or no longer) as the plan assumed.
    Changed,
    /// Something else is running already.
    Conflict,
    /// AWS asked us to slow down and retries did not help.
    Throttled,
    /// A quota of the account is used up: waiting does not help.
    Quota,
    /// The endpoint could not be reached, did not answer in time, or failed itself (HTTP 5xx): it is
    /// not known whether the request was carried out.
    Unreachable,
    /// AWS rejected the request.
    Rejected,
    /// The operation itself failed.
    Failed,
    /// The deadline passed while AWS was still working.
    TimedOut,
    /// Some of it is done.
    Partial,
    /// Ctrl-C.
    Interrupted,
    /// A response without a field that must be there, or another surprise.
    Unexpected,
}

impl ErrorKind {
    /// The kind as scripts see it, unless the error has a code of its own.
    #[must_use]
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Config => "config",
            Self::Declined => "declined",
            Self::Credentials => "credentials",
            Self::AccessDenied => "access-denied",
            Self::WrongAccount => "wrong-account",
            Self::NotFound => "not-found",
            Self::Changed => "changed",
            Self::Conflict => "conflict",
            Self::Throttled => "throttled",
            Self::Quota => "quota",
            Self::Unreachable => "unreachable",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
            Self::TimedOut => "timed-out",
            Self::Partial => "partial",
            Self::Interrupted => "interrupted",
            Self::Unexpected => "unexpected",
        }
    }

    /// The exit status of a command that ends with this kind of error.
    #[must_use]
    pub(crate) fn exit_status(self) -> ExitStatus {
        match self {
            Self::Usage | Self::Config => ExitStatus::Usage,
            Self::Declined => ExitStatus::Declined,
            Self::Credentials | Self::AccessDenied | Self::WrongAccount => ExitStatus::Denied,
            Self::Changed => ExitStatus::Changed,
            Self::TimedOut => ExitStatus::TimedOut,
            Self::Partial => ExitStatus::Partial,
            Self::Interrupted => ExitStatus::Interrupted,
            Self::NotFound
            | Self::Conflict
            | Self::Throttled
            | Self::Quota
            | Self::Unreachable
            | Self::Rejected
            | Self::Failed
            | Self::Unexpected => ExitStatus::Failed,
        }
    }
}

/// An error on its way to the operator.
///
/// `message` is a lowercase fragment that fits "failed to …"; `causes` go from near to far; each
/// hint names the exact next command where there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CtlError {
    kind: ErrorKind,
    message: String,
    causes: Vec<String>,
    hints: Vec<Hint>,
    exit: Option<ExitStatus>,
    details: Box<Details>,
}

/// What few errors have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Details {
    code: Option<&'static str>,
    reply: Option<Reply>,
    wrong_flags: Vec<&'static str>,
    /// Which of the hints says how to sign in, until the command line knows better.
    guessed_sign_in: Option<usize>,
}

pub(crate) type Result<T, E = CtlError> = std::result::Result<T, E>;

impl CtlError {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            causes: Vec::new(),
            hints: Vec::new(),
            exit: None,
            details: Box::default(),
        }
    }

    /// A mistake on the command line.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, message)
    }

    /// The world is not what a plan was made for.
    pub(crate) fn changed(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Changed, message).hint("run the command again to see the new plan")
    }

    /// A mistake in the configuration.
    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, message)
    }

    /// AWS left out a member that the API reference promises.
    pub(crate) fn missing_in_response(request: &str, member: &str) -> Self {
        Self::new(
            ErrorKind::Unexpected,
            format!("read `{member}` from the answer to {request}: it is missing"),
        )
        .hint((
            "a proxy, a captive portal or another service may have answered: check the endpoint with",
            CommandLine::bpctl(["whoami"]),
        ))
    }

    /// Names the error for scripts more exactly than its kind does; a word in kebab case.
    #[must_use]
    pub(crate) fn coded(mut self, code: &'static str) -> Self {
        self.details.code = Some(code);
        self
    }

    /// Keeps what AWS answered.
    #[must_use]
    pub(crate) fn replied(mut self, reply: Reply) -> Self {
        self.details.reply = Some(reply);
        self
    }

    /// Names a global flag (without dashes) that was wrong: no hint repeats it.
    #[must_use]
    pub(crate) fn wrong_flag(mut self, flag: &'static str) -> Self {
        self.details.wrong_flags.push(flag);
        self
    }

    /// Says how to come to credentials.
    #[must_use]
    pub(crate) fn needs_sign_in(mut self, how: SignIn) -> Self {
        if how == SignIn::Unknown {
            self.details.guessed_sign_in = Some(self.hints.len());
        }
        self.hint(how.hint())
    }

    /// Puts the way to sign in that is known in the place of a guess, if there is one.
    #[must_use]
    pub(crate) fn signed_in_by(mut self, how: &SignIn) -> Self {
        if *how == SignIn::Unknown {
            return self;
        }
        let guess = self.details.guessed_sign_in.take();
        if let Some(guess) = guess.and_then(|index| self.hints.get_mut(index)) {
            *guess = how.hint();
        }
        self
    }

    /// Adds what to do next.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<Hint>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds an underlying reason.
    #[must_use]
    pub(crate) fn cause(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// Adds an error and everything below it as causes.
    #[must_use]
    pub(crate) fn source(mut self, error: &(dyn StdError + 'static)) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            let text = error.to_string();
            if self.causes.last() != Some(&text) {
                self.causes.push(text);
            }
            next = error.source();
        }
        self
    }

    /// Says what was being done: the old message becomes the nearest cause.
    #[must_use]
    pub(crate) fn context(mut self, doing: impl Into<String>) -> Self {
        let message = std::mem::replace(&mut self.message, doing.into());
        self.causes.insert(0, message);
        self
    }

    /// Ends the command with this status instead of the kind's own.
    #[must_use]
    pub(crate) fn exit_with(mut self, exit: ExitStatus) -> Self {
        self.exit = Some(exit);
        self
    }

    pub(crate) fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What scripts tell this error by.
    pub(crate) fn code(&self) -> &'static str {
        self.details.code.unwrap_or_else(|| self.kind.code())
    }

    /// What AWS answered, when it was AWS that refused.
    pub(crate) fn reply(&self) -> Option<&Reply> {
        self.details.reply.as_ref()
    }

    /// Global flags that hints must not repeat.
    pub(crate) fn wrong_flags(&self) -> &[&'static str] {
        &self.details.wrong_flags
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn causes(&self) -> &[String] {
        &self.causes
    }

    pub(crate) fn hints(&self) -> &[Hint] {
        &self.hints
    }

    /// The error as a document, its commands in `place`.
    pub(crate) fn document(&self, place: &Place) -> ErrorDocument {
        let mut hints: Vec<Hint> = self.hints.iter().map(|hint| hint.in_place(place)).collect();
        if self
            .hints
            .iter()
            .flat_map(Hint::commands)
            .any(CommandLine::uses_aws)
        {
            hints.extend(place.before_aws().cloned());
        }
        ErrorDocument {
            schema: ERROR_SCHEMA,
            code: self.code(),
            exit_status: self.exit_status().code(),
            message: format!("failed to {}", self.message),
            causes: self.causes.clone(),
            hints,
            aws: self.reply().cloned(),
        }
    }

    pub(crate) fn exit_status(&self) -> ExitStatus {
        self.exit.unwrap_or_else(|| self.kind.exit_status())
    }
}

impl fmt::Display for CtlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for cause in &self.causes {
            write!(f, ": {cause}")?;
        }
        Ok(())
    }
}

impl StdError for CtlError {}

/// Unwraps the `Option`s that the SDK wraps around members which the API reference promises.
pub(crate) trait Required<T> {
    /// The value, or an error that names request and member.
    fn required(self, request: &str, member: &str) -> Result<T>;
}

impl<T> Required<T> for Option<T> {
    fn required(self, request: &str, member: &str) -> Result<T> {
        self.ok_or_else(|| CtlError::missing_in_response(request, member))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn context_keeps_the_story_in_order() {
        let error = CtlError::new(ErrorKind::Rejected, "bad subnet")
            .cause("no such id")
            .context("start the task");
        assert_eq!(error.to_string(), "start the task: bad subnet: no such id");
    }

    #[test]
    fn an_explicit_status_wins_over_the_kind() {
        let error = CtlError::new(ErrorKind::Failed, "x").exit_with(ExitStatus::External(3));
        assert_eq!(error.exit_status().code(), 3);
    }
}
