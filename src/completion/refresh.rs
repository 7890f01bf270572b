//! `bpctl fleet list` in the background, so that the next TAB (or this one) knows the fleets.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use super::cache;
use super::words::Words;
use crate::process::Process;
use crate::settings::SANDBOX_CONTEXT;

/// How long this TAB waits; with starting up, the shell gets its answer within 300 ms.
const PATIENCE: Duration = Duration::from_millis(250);

/// No second refresh within this time: an operator without network presses TAB more than once.
const PAUSE: Duration = Duration::from_secs(30);

/// Starts a list that outlives this process, and waits for it for a moment.
pub(super) fn fleets(process: &Process, state: &Path, context: &str) {
    if !may_refresh(process, context) {
        return;
    }
    let marker = cache::file(state, "refreshing", context);
    if cache::is_younger(&marker, PAUSE) || cache::write(&marker, std::iter::empty()).is_err() {
        return;
    }
    let Ok(program) = std::env::current_exe() else {
        return;
    };
    let mut command = Command::new(program);
    command
        .args(arguments(&Words::of(process)))
        .env_remove("COMPLETE")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // Its own process group: Ctrl-C at the prompt is not meant for it.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let Ok(mut child) = command.spawn() else { return };
    let (done, is_done) = mpsc::channel();
    std::thread::spawn(move || {
        let _ = child.wait();
        let _ = done.send(());
    });
    let _ = is_done.recv_timeout(PATIENCE);
}

/// The command line in the background: environment and working folder choose the rest, as they do here.
/// The context's name is only given when it was typed, for `default` need not be defined anywhere.
fn arguments(words: &Words) -> Vec<&str> {
    let mut arguments = vec!["fleet", "list", "-q", "-o", "name"];
    for (flag, value) in [
        ("--context", words.typed_context()),
        ("--config-file", words.config()),
    ] {
        if let Some(value) = value {
            arguments.extend([flag, value]);
        }
    }
    arguments
}

/// A TAB must not start a sandbox; one that the environment points at is running already.
fn may_refresh(process: &Process, context: &str) -> bool {
    let endpoint = ["BPCTL_ENDPOINT_URL", "AWS_ENDPOINT_URL"]
        .into_iter()
        .any(|name| process.env.get(name).is_some_and(|url| !url.is_empty()));
    context != SANDBOX_CONTEXT || endpoint
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_typed_is_repeated() {
        let list = "fleet list -q -o name";
        for (typed, expected) in [
            (&["fleet", "status"][..], list.to_owned()),
            (&["--context", "prod", "fleet"], format!("{list} --context prod")),
            (
                &["--config-file=x.toml", "fleet"],
                format!("{list} --config-file x.toml"),
            ),
        ] {
            let (process, _) = Process::captured(&[&["--", "bpctl"], typed].concat());
            assert_eq!(arguments(&Words::of(&process)).join(" "), expected);
        }
    }

    #[test]
    fn a_tab_never_starts_a_sandbox() {
        let (mut process, _) = Process::captured(&[]);
        assert!(may_refresh(&process, "prod"));
        assert!(!may_refresh(&process, "sandbox"));
        process
            .env
            .insert("AWS_ENDPOINT_URL".to_owned(), "http://127.0.0.1:1".to_owned());
        assert!(may_refresh(&process, "sandbox"));
    }
}
