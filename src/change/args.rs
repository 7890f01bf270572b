//! The flags that every mutating verb has, because the engine does what they say.

use std::time::Duration;

/// Flags of every mutating verb.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Safety")]
pub(crate) struct ChangeArgs {
    /// Show the plan and change nothing (`client` and `server` mean the same)
    #[arg(
        long,
        value_name = "client|server",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "client"
    )]
    pub(crate) dry_run: Option<DryRun>,

    /// With --dry-run: exit with status 9 when there is something to change
    #[arg(long, requires = "dry_run")]
    pub(crate) exit_code: bool,

    /// Print the equivalent aws command lines and change nothing
    #[arg(long, conflicts_with_all = ["dry_run", "no_wait", "timeout"])]
    pub(crate) print_aws: bool,

    /// Do not ask before reversible changes
    #[arg(short = 'y', long)]
    pub(crate) yes: bool,

    /// Confirm a destructive change (or any change in a protected context) by its name
    #[arg(long, value_name = "NAME")]
    pub(crate) confirm: Option<String>,

    /// Go on only with the plan of this digest, as `--dry-run -o json` shows it
    #[arg(long, value_name = "DIGEST", value_parser = digest)]
    pub(crate) expect_plan: Option<String>,

    /// Why: kept in the journal and in the shared history
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    pub(crate) reason: Option<String>,

    /// How long to wait for the end, e.g. 90s or 1h [default: wait_timeout of the context, 30m]
    #[arg(long, value_name = "DURATION", value_parser = duration, conflicts_with = "no_wait")]
    pub(crate) timeout: Option<Duration>,

    /// Wait for the end (the default)
    #[arg(long, overrides_with = "no_wait", hide = true)]
    pub(crate) wait: bool,

    /// Return as soon as everything is on its way
    #[arg(long, visible_alias = "detach")]
    pub(crate) no_wait: bool,

    /// Wait this long for another run that works on the same things
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) lock_wait: Option<Duration>,
}

/// `--dry-run=…`: bpctl's dry run always asks AWS and never changes anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum DryRun {
    /// As `kubectl` writes it.
    Client,
    /// The same.
    Server,
}

impl ChangeArgs {
    /// Whether this run may change anything at all.
    pub(crate) fn may_change(&self) -> bool {
        self.dry_run.is_none() && !self.print_aws
    }
}

/// A span of time on the command line.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| "write e.g. `90s` or `30m`".to_owned())
}

/// The digest of a plan: 32 hexadecimal digits.
fn digest(text: &str) -> Result<String, String> {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if text.len() == 32 && text.bytes().all(is_digit) {
        Ok(text.to_owned())
    } else {
        Err("expected the 32 hexadecimal digits that `--dry-run -o json` shows as `digest`".to_owned())
    }
}

/// Bytes of a reason: it is repeated in leases, tables and tags.
const REASON: usize = 200;

pub(super) fn reason(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.len() > REASON || text.chars().any(char::is_control) {
        return Err(format!("write one line of at most {REASON} bytes"));
    }
    Ok(text.to_owned())
}
