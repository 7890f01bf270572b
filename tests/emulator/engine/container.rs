//! One container: created, started, stopped, and what `docker inspect` says about it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::program::Program;

/// What a container was created with, and what has become of it.
#[derive(Clone, Debug)]
pub(crate) struct Container {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) image: String,
    /// As in the request: empty when the image's own counts.
    pub(crate) command: Vec<String>,
    pub(crate) labels: Value,
    pub(super) program: Program,
    pub(super) started: Option<Instant>,
    /// When a signal ended it, and the exit status it left with.
    pub(super) ended: Option<(Instant, i32)>,
    /// Docker knows it no more; we do, to tell the test about it.
    pub(super) removed: bool,
}

/// What `docker ps` would call its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Created,
    Running,
    Exited(i32),
}

impl Container {
    pub(super) fn state(&self) -> State {
        match (self.started, self.ended, self.program.lasts) {
            (None, ..) => State::Created,
            (_, Some((_, status)), _) => State::Exited(status),
            (Some(started), None, Some(lasts)) if started.elapsed() >= lasts => {
                State::Exited(self.program.exit)
            }
            _ => State::Running,
        }
    }

    /// Ends it by a signal if it runs: 143 is SIGTERM, 137 is SIGKILL.
    pub(super) fn end(&mut self, status: i32) {
        if self.state() == State::Running {
            self.ended = Some((Instant::now(), status));
        }
    }

    /// How many of its lines it has written.
    pub(super) fn written(&self) -> usize {
        let Some(started) = self.started else { return 0 };
        let ran = match self.ended {
            Some((ended, _)) => ended.duration_since(started),
            None => started.elapsed(),
        };
        (0..self.program.lines.len())
            .take_while(|&line| self.program.line_at(line) <= ran)
            .count()
    }

    /// Until it has something new to say, or a moment later.
    pub(super) fn next_line(&self) -> Instant {
        let soon = Instant::now() + Duration::from_millis(100);
        self.started
            .map(|started| started + self.program.line_at(self.written()))
            .map_or(soon, |line| line.min(soon))
    }

    pub(super) fn inspect(&self) -> Value {
        let (status, code) = self.status();
        json!({
            "Id": self.id,
            "Name": format!("/{}", self.name),
            "Image": self.image,
            "State": {"Status": status, "Running": status == "running", "ExitCode": code},
            "Config": {"Image": self.image, "Labels": self.labels, "Tty": false},
            "HostConfig": {"LogConfig": {"Type": "json-file", "Config": {}}},
            "NetworkSettings": {"Networks": {}, "Ports": {}},
            "Mounts": [],
        })
    }

    pub(super) fn summary(&self) -> Value {
        let (status, _) = self.status();
        json!({
            "Id": self.id,
            "Names": [format!("/{}", self.name)],
            "Image": self.image,
            "Labels": self.labels,
            "State": status,
        })
    }

    fn status(&self) -> (&'static str, i32) {
        match self.state() {
            State::Created => ("created", 0),
            State::Running => ("running", 0),
            State::Exited(code) => ("exited", code),
        }
    }

    pub(super) fn label(&self, name: &str) -> Option<&str> {
        self.labels.get(name)?.as_str()
    }
}
