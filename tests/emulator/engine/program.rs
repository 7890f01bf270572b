//! What a container runs: a command line as Docker and a shell put it together, and a deterministic model of
//! the programs an image holds.

use std::time::Duration;

/// An image and what is in it.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    /// `repository:tag`.
    pub(crate) name: String,
    pub(crate) entry_point: Vec<String>,
    pub(crate) command: Vec<String>,
    pub(crate) programs: Vec<Program>,
}

/// What a program does when it is started.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// The words that its command line begins with; the longest match counts.
    pub(crate) words: String,
    /// Written to stdout, evenly spread over the time that it runs.
    pub(crate) lines: Vec<String>,
    /// Absent: until it is stopped.
    pub(crate) lasts: Option<Duration>,
    pub(crate) exit: i32,
}

impl Program {
    /// Runs until it is stopped.
    pub(crate) fn daemon(words: &str, lines: &[&str]) -> Self {
        Self {
            words: words.to_owned(),
            lines: lines.iter().map(|&line| line.to_owned()).collect(),
            lasts: None,
            exit: 0,
        }
    }

    /// Writes its lines and exits.
    pub(crate) fn job(words: &str, lasts: Duration, exit: i32, lines: &[&str]) -> Self {
        Self {
            lasts: Some(lasts),
            exit,
            ..Self::daemon(words, lines)
        }
    }

    /// When line `index` is written, after the start.
    pub(crate) fn line_at(&self, index: usize) -> Duration {
        match self.lasts {
            Some(lasts) => lasts.mul_f64((index + 1) as f64 / (self.lines.len() + 1) as f64),
            None => Duration::ZERO,
        }
    }
}

impl Image {
    /// What runs for a command line: entry point first, then command, each the container's or else the image's.
    pub(crate) fn program(&self, entry_point: &[String], command: &[String]) -> Program {
        let mut line = if entry_point.is_empty() {
            self.entry_point.clone()
        } else {
            entry_point.to_vec()
        };
        line.extend_from_slice(if command.is_empty() {
            &self.command
        } else {
            command
        });
        let words = words(&line);
        self.programs
            .iter()
            .filter(|program| begins_with(&words, &program.words))
            .max_by_key(|program| program.words.len())
            .cloned()
            .unwrap_or_else(|| {
                let message = format!("exec: {:?}: not found", words.first().unwrap_or(&String::new()));
                Program::job("", Duration::from_millis(100), 127, &[&message])
            })
    }
}

/// The words of what is run in the end. `sh -c` takes exactly one argument as its script: what follows it
/// are the script's own `$0`, `$1`, … ("sh", POSIX.1).
fn words(line: &[String]) -> Vec<String> {
    match line {
        [shell, flags, script, ..]
            if shell.ends_with("sh") && flags.starts_with('-') && flags.contains('c') =>
        {
            shlex::split(script).unwrap_or_default()
        }
        _ => line.to_vec(),
    }
}

fn begins_with(words: &[String], start: &str) -> bool {
    let mut words = words.iter().map(String::as_str);
    start.split(' ').all(|word| words.next() == Some(word))
}
