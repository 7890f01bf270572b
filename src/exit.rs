//! Exit statuses: one table that the README, the man page and `bpctl help exit-codes` are made from.

use std::process::ExitCode;

macro_rules! exit_statuses {
    ($($variant:ident = $code:literal, $meaning:literal;)+) => {
        /// How a command ended, as scripts see it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum ExitStatus {
            $(#[doc = $meaning] $variant,)+
            /// The status of a container or child command, passed through.
            External(u8),
        }

        /// Code and meaning of every status, in ascending order.
        pub const TABLE: &[(u8, &str)] = &[$(($code, $meaning),)+];

        impl ExitStatus {
            /// The number the shell sees.
            #[must_use]
            pub fn code(self) -> u8 {
                match self {
                    $(Self::$variant => $code,)+
                    Self::External(code) => code,
                }
            }
        }
    };
}

exit_statuses! {
    Done = 0, "done, also when there was nothing to change";
    Failed = 1, "the operation failed";
    Usage = 2, "usage or configuration error; nothing was sent";
    Declined = 3, "declined at the confirmation";
    Denied = 4, "credentials, permissions or wrong account";
    Changed = 5, "the world changed since the plan was made";
    TimedOut = 6, "timed out and still running; how to re-attach is printed";
    Partial = 7, "partly done; how to resume is printed";
    RolledBack = 8, "rolled back by AWS";
    Differences = 9, "dry run or diff found changes (only with --exit-code)";
    Interrupted = 130, "interrupted";
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}

/// The table as text, two columns.
#[must_use]
pub(crate) fn table_text() -> String {
    TABLE
        .iter()
        .map(|(code, meaning)| format!("{code:>4}  {meaning}\n"))
        .collect()
}
