//! `bpctl sandbox` with the real binary: life cycle, environment, status pass-through, stale state.

use std::path::Path;
use std::process::{Command, Output};

/// The real binary in an environment of its own.
fn bpctl(home: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bpctl"))
        .args(args)
        .env_clear()
        .env("HOME", home)
        .env("PATH", "/usr/bin:/bin")
        .current_dir(home)
        .output()
        .expect("bpctl starts")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn run_points_the_command_at_the_sandbox_and_passes_its_status_through() {
    let home = tempfile::tempdir().unwrap();
    let output = bpctl(
        home.path(),
        &[
            "sandbox",
            "run",
            "--",
            "sh",
            "-c",
            "bpctl whoami -o name && exit 7",
        ],
    );
    assert_eq!(output.status.code(), Some(7), "{}", stderr(&output));
    assert_eq!(
        stdout(&output),
        "arn:aws:sts::123456789012:assumed-role/bp-operator/operator\n"
    );
}

#[test]
fn a_background_sandbox_lives_until_it_is_stopped() {
    let home = tempfile::tempdir().unwrap();
    let started = bpctl(home.path(), &["sandbox", "start", "--scenario", "rds-cpu"]);
    assert_eq!(started.status.code(), Some(0), "{}", stderr(&started));
    let again = bpctl(home.path(), &["sandbox", "start"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(
        stderr(&again).contains("bpctl sandbox reset"),
        "{}",
        stderr(&again)
    );
    let whoami = bpctl(
        home.path(),
        &["--context", "sandbox", "whoami", "--query", "account"],
    );
    assert_eq!(stdout(&whoami), "123456789012\n", "{}", stderr(&whoami));
    let scenarios = bpctl(
        home.path(),
        &["sandbox", "scenario", "set", "rds-storage-low", "-o", "json"],
    );
    assert!(
        stdout(&scenarios).contains("\"rds-storage-low\""),
        "{}",
        stderr(&scenarios)
    );
    let stopped = bpctl(home.path(), &["sandbox", "stop"]);
    assert_eq!(stopped.status.code(), Some(0), "{}", stderr(&stopped));
    assert_eq!(bpctl(home.path(), &["sandbox", "status"]).status.code(), Some(1));
    assert_eq!(
        bpctl(home.path(), &["sandbox", "stop"]).status.code(),
        Some(0),
        "stopping twice is not an error"
    );
}

#[test]
fn the_context_sandbox_starts_one_when_none_runs_and_says_so() {
    let home = tempfile::tempdir().unwrap();
    let whoami = bpctl(home.path(), &["--context", "sandbox", "whoami", "-o", "name"]);
    assert_eq!(whoami.status.code(), Some(0), "{}", stderr(&whoami));
    assert!(
        stderr(&whoami).contains("`bpctl sandbox stop` stops it"),
        "{}",
        stderr(&whoami)
    );
    assert_eq!(bpctl(home.path(), &["sandbox", "stop"]).status.code(), Some(0));
}

#[test]
fn a_drill_hides_what_is_broken_until_it_is_revealed() {
    let home = tempfile::tempdir().unwrap();
    let script = "bpctl sandbox status -o json --query scenarios; bpctl sandbox reveal -o name";
    let output = bpctl(
        home.path(),
        &["sandbox", "run", "--scenario", "?", "--", "sh", "-c", script],
    );
    let text = stdout(&output);
    let (hidden, revealed) = text.split_once('\n').unwrap_or_default();
    assert_eq!(hidden, "null", "{text}{}", stderr(&output));
    assert!(
        !revealed.trim().is_empty() && revealed.trim() != "healthy",
        "{text}"
    );
}

#[test]
fn the_sandbox_context_refuses_an_endpoint_elsewhere() {
    let home = tempfile::tempdir().unwrap();
    let args = [
        "--context",
        "sandbox",
        "--endpoint-url",
        "https://ecs.us-east-1.amazonaws.com",
        "whoami",
    ];
    let output = bpctl(home.path(), &args);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("it is not on this machine"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_broken_pipe_is_not_an_error() {
    let home = tempfile::tempdir().unwrap();
    let script = format!(
        "{} completion bash | head -c 10 >/dev/null; echo ${{PIPESTATUS[0]}}",
        env!("CARGO_BIN_EXE_bpctl")
    );
    let output = Command::new("bash")
        .args(["-c", &script])
        .env("HOME", home.path())
        .output()
        .unwrap();
    assert_eq!(stdout(&output), "0\n", "{}", stderr(&output));
}

#[test]
fn a_command_needs_no_dashes_before_it_and_keeps_its_own_flags() {
    let home = tempfile::tempdir().unwrap();
    let args = ["sandbox", "run", "--speed", "60", "bpctl", "whoami", "-o", "name"];
    let output = bpctl(home.path(), &args);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(
        stdout(&output),
        "arn:aws:sts::123456789012:assumed-role/bp-operator/operator\n"
    );
}

#[test]
fn a_command_that_cannot_be_run_ends_as_in_a_shell() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("text"), "no program").unwrap();
    for (command, status) in [("nosuch", 127), ("./text", 126)] {
        let output = bpctl(home.path(), &["sandbox", "run", "--", command]);
        assert_eq!(output.status.code(), Some(status), "{}", stderr(&output));
        let said = format!("error: failed to run `{command}` in the sandbox");
        assert!(stderr(&output).contains(&said), "{}", stderr(&output));
    }
}

#[test]
fn the_environment_comes_in_the_dialect_of_the_shell() {
    let home = tempfile::tempdir().unwrap();
    let script = "SHELL=/usr/bin/fish bpctl sandbox env; bpctl sandbox env --shell bash";
    let output = bpctl(home.path(), &["sandbox", "run", "--", "sh", "-c", script]);
    let text = stdout(&output);
    assert!(
        text.contains("\nset -gx AWS_ENDPOINT_URL http://127.0.0.1:"),
        "{text}"
    );
    assert!(
        text.contains("\nexport AWS_ENDPOINT_URL=http://127.0.0.1:"),
        "{text}"
    );
    assert!(text.contains("\nset -e AWS_PROFILE\n"), "{text}");
}

#[test]
fn nothing_is_broken_and_something_is_cannot_both_be_asked_for() {
    let home = tempfile::tempdir().unwrap();
    let script = "bpctl sandbox scenario set crash-loop healthy; echo $?; bpctl sandbox status -o json --query scenarios";
    let output = bpctl(home.path(), &["sandbox", "run", "--", "sh", "-c", script]);
    assert_eq!(stdout(&output), "2\n[]\n", "{}", stderr(&output));
    assert!(
        stderr(&output).contains("`healthy` and `crash-loop`"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_sandbox_whose_starter_was_killed_does_not_stay() {
    let home = tempfile::tempdir().unwrap();
    let state = home.path().join("sandbox.json");
    // Its stdin is empty: what started it is gone before it took over.
    let output = Command::new(env!("CARGO_BIN_EXE_bpctl"))
        .args(["sandbox", "serve", "--until-released", "--state-file"])
        .arg(&state)
        .env_clear()
        .env("HOME", home.path())
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(!state.exists());
}
