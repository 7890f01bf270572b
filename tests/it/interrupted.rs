//! The real binary and Ctrl-C, whatever it is waiting for.
#![cfg(target_os = "linux")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The real binary in `home`, without the environment of this test.
fn command(home: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bpctl"));
    command
        .args(args)
        .env_clear()
        .env("HOME", home)
        .env("PATH", "/usr/bin:/bin")
        .current_dir(home);
    command
}

#[expect(
    clippy::disallowed_methods,
    reason = "no runtime here whose threads this could block"
)]
fn pause() {
    std::thread::sleep(Duration::from_millis(20));
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill")
        .args([name, &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
}

/// Whether a process has a handler for SIGINT: before that a signal is not an interrupt but the end.
fn listens(child: &Child) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let caught = status
        .lines()
        .find_map(|line| line.strip_prefix("SigCgt:"))
        .unwrap_or("0");
    u64::from_str_radix(caught.trim(), 16).unwrap() & (1 << 1) != 0
}

#[test]
fn the_second_signal_ends_a_run_whose_reader_does_not_read() {
    let home = tempfile::tempdir().unwrap();
    let (reader, mut full) = std::io::pipe().unwrap();
    // What a pipe of Linux holds (pipe(7), "Pipe capacity").
    full.write_all(&[b'x'; 65_536]).unwrap();
    let mut child = command(home.path(), &["config", "view"])
        .stdout(full)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let patience = Instant::now() + Duration::from_secs(30);
    while !listens(&child) {
        assert!(Instant::now() < patience && child.try_wait().unwrap().is_none());
        pause();
    }
    for _ in 0..2 {
        signal(&child, "-INT");
        // Two signals of the same kind that the process has not seen yet are one.
        for _ in 0..10 {
            pause();
        }
    }
    while child.try_wait().unwrap().is_none() {
        assert!(Instant::now() < patience, "it does not end");
        pause();
    }
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.contains("interrupted twice"), "{said}");
    drop(reader);
}

/// A terminal of its own, from util-linux; what is shown there until the command ends.
fn on_a_terminal(home: &Path, line: &str, env: &[(&str, &str)], until: &str, input: &[u8]) -> String {
    let mut child = Command::new("script")
        .args(["-qec", line, "/dev/null"])
        .env_clear()
        .env("HOME", home)
        .env("PATH", "/usr/bin:/bin")
        .env("TERM", "xterm")
        .envs(env.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut shown = BufReader::new(child.stdout.take().unwrap());
    let mut text = Vec::new();
    while !String::from_utf8_lossy(&text).contains(until) {
        let next = shown.fill_buf().unwrap();
        assert!(!next.is_empty(), "{}", String::from_utf8_lossy(&text));
        let length = next.len();
        text.extend_from_slice(next);
        shown.consume(length);
    }
    let mut keyboard = child.stdin.take().unwrap();
    keyboard.write_all(input).unwrap();
    shown.read_to_end(&mut text).unwrap();
    drop(keyboard);
    child.wait().unwrap();
    String::from_utf8_lossy(&text).into_owned()
}

#[test]
fn an_interrupted_question_has_no_step_to_finish() {
    let home = tempfile::tempdir().unwrap();
    // The terminal interrupts the shell as well: without a trap it may end before it has told the status.
    let line = format!(
        "trap : INT; {} sandbox run -- bpctl migrate; echo status=$?",
        env!("CARGO_BIN_EXE_bpctl")
    );
    let text = on_a_terminal(home.path(), &line, &[], "[y/N]", b"\x03");
    assert!(text.contains("status=130"), "{text}");
    assert!(!text.contains("finishing"), "{text}");
    // The answer to Ctrl-C has a line of its own.
    let after = text.rsplit("[y/N]").next().unwrap();
    let between = after.split("error:").next().unwrap();
    assert!(between.contains("\r\n"), "{text:?}");
}
