//! What `BPCTL_LOG` and `--verbose` show of the SDK: requests, answers and their bodies, without secrets.

use std::io::{self, Write};

use super::defuse::{mute, strip_controls};
use crate::redact::redact;

/// Writes trace events to `to`: redacted, and without anything that could move the cursor or speak to
/// GitHub's runner.
pub(crate) struct TraceWriter<W> {
    to: W,
    github: bool,
}

/// The writer for the process' own stderr.
pub(super) fn stderr(github: bool) -> TraceWriter<io::Stderr> {
    TraceWriter {
        to: io::stderr(),
        github,
    }
}

impl<W: Write> Write for TraceWriter<W> {
    /// `tracing-subscriber` hands over one whole event at a time.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let text = strip_controls(&text);
        let text = redact(&text);
        let text = if self.github {
            mute(&text)
        } else {
            text.into_owned()
        };
        self.to.write_all(text.as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_written_without_its_secrets_and_controls() {
        let mut written = Vec::new();
        let mut writer = TraceWriter {
            to: &mut written,
            github: true,
        };
        let event = br#"TRACE response body="{\"message\":\"DB_PASSWORD=hunter2\"}" ##[error]x"#;
        writer.write_all(event).unwrap();
        writer
            .write_all(b"\n  ::stop-commands::x \x1b]52;c;eA==\x07\n")
            .unwrap();
        assert_eq!(
            String::from_utf8(written).unwrap(),
            "TRACE response body=\"{\\\"message\\\":\\\"DB_PASSWORD=[redacted]\\\"}\" ## [error]x\n|   ::stop-commands::x \n"
        );
    }
}
