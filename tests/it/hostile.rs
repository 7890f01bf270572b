//! The real binary in a bad environment: broken settings, full disks, text that is not Unicode.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::{Command, Output, Stdio};

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

fn run(home: &Path, args: &[&str], env: &[(&str, &OsStr)]) -> Output {
    command(home, args)
        .envs(env.iter().copied())
        .output()
        .expect("bpctl starts")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn what_is_about_bpctl_itself_works_with_any_settings() {
    let home = tempfile::tempdir().unwrap();
    for env in [
        ("BPCTL_CONTEXT", "undefined"),
        ("BPCTL_WAIT_TIMEOUT", "30"),
        ("BPCTL_CONFIG", ""),
        ("BPCTL_CONFIG", "/nonexistent/bpctl.toml"),
    ] {
        for args in [&["completion", "bash"][..], &["exit-codes"], &["man"]] {
            let output = run(home.path(), args, &[(env.0, OsStr::new(env.1))]);
            assert_eq!(
                output.status.code(),
                Some(0),
                "{env:?} {args:?} {}",
                stderr(&output)
            );
            assert_eq!(stderr(&output), "");
        }
    }
}

#[test]
fn the_hints_about_broken_settings_can_be_followed() {
    let home = tempfile::tempdir().unwrap();
    let undefined = [("BPCTL_CONTEXT", OsStr::new("undefined"))];
    let refused = run(home.path(), &["whoami"], &undefined);
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("`bpctl config get-contexts`"));
    let listed = run(home.path(), &["config", "get-contexts", "-o", "name"], &undefined);
    assert_eq!(
        (listed.status.code(), stdout(&listed).as_str()),
        (Some(0), "sandbox\n")
    );
    let wrong = [("BPCTL_WAIT_TIMEOUT", OsStr::new("30"))];
    let refused = run(home.path(), &["whoami"], &wrong);
    assert!(stderr(&refused).contains("`bpctl config explain wait_timeout`"));
    let explained = run(home.path(), &["config", "explain", "wait_timeout"], &wrong);
    assert_eq!(explained.status.code(), Some(0), "{}", stderr(&explained));
    assert!(stdout(&explained).contains("environment BPCTL_WAIT_TIMEOUT"));
    let dashes = run(home.path(), &["config", "explain", "endpoint-url"], &[]);
    assert_eq!(dashes.status.code(), Some(0), "{}", stderr(&dashes));
    std::fs::write(
        home.path().join("bpctl.toml"),
        "current_context = \"gone\"\n[contexts.eu]\n",
    )
    .unwrap();
    assert_eq!(run(home.path(), &["whoami"], &[]).status.code(), Some(2));
    let mended = run(home.path(), &["config", "use-context", "eu"], &[]);
    assert_eq!(mended.status.code(), Some(0), "{}", stderr(&mended));
}

#[test]
fn a_configuration_file_named_by_nothing_is_no_file() {
    let home = tempfile::tempdir().unwrap();
    let output = run(
        home.path(),
        &["config", "view"],
        &[("BPCTL_CONFIG", OsStr::new(""))],
    );
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[cfg(unix)]
#[test]
fn a_setting_that_is_not_unicode_is_refused_and_not_ignored() {
    use std::os::unix::ffi::OsStringExt as _;
    let home = tempfile::tempdir().unwrap();
    let bad = OsString::from_vec(b"12345678901\xff".to_vec());
    for name in ["BPCTL_ACCOUNT_ID", "BPCTL_CONTEXT", "AWS_ENDPOINT_URL"] {
        let output = run(home.path(), &["whoami"], &[(name, &bad)]);
        assert_eq!(output.status.code(), Some(2), "{name} {}", stderr(&output));
        assert!(stderr(&output).contains(name), "{}", stderr(&output));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_result_that_cannot_be_written_is_an_error() {
    let home = tempfile::tempdir().unwrap();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = command(home.path(), &["config", "view", "-o", "json"])
        .stdout(Stdio::from(full))
        .stderr(Stdio::piped())
        .spawn()
        .and_then(std::process::Child::wait_with_output)
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("write the result to stdout"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_complete_that_is_not_meant_for_bpctl_is_explained() {
    let home = tempfile::tempdir().unwrap();
    let output = run(home.path(), &["exit-codes"], &[("COMPLETE", OsStr::new("1"))]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("unset COMPLETE"), "{}", stderr(&output));
}

#[test]
fn the_manual_pages_make_their_folder() {
    let home = tempfile::tempdir().unwrap();
    let output = run(home.path(), &["man", "--dir", "share/man/man1"], &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(home.path().join("share/man/man1/bpctl.1").is_file());
}

#[test]
fn the_sandbox_answers_in_time_at_any_speed() {
    let home = tempfile::tempdir().unwrap();
    for world in [
        &["--speed", "3000"][..],
        &["--speed", "200", "--latency", "300ms"],
    ] {
        let args = [
            &["sandbox", "run"],
            world,
            &["--", "bpctl", "whoami", "-o", "name"],
        ]
        .concat();
        let output = run(home.path(), &args, &[]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    }
}

#[test]
fn a_sandbox_in_the_background_has_the_layout_that_was_asked_for() {
    let home = tempfile::tempdir().unwrap();
    let staged = [
        "--context",
        "sandbox",
        "--layout",
        "staged",
        "--stage",
        "production",
    ];
    let output = run(
        home.path(),
        &[&staged[..], &["migrate", "--dry-run"]].concat(),
        &[],
    );
    let stopped = run(home.path(), &["sandbox", "stop"], &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(
        stdout(&output).contains("bp-production-backend"),
        "{}",
        stdout(&output)
    );
    assert_eq!(stopped.status.code(), Some(0));
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "no runtime here whose threads this could block"
)]
fn two_that_need_a_sandbox_at_once_get_the_same_one() {
    let home = tempfile::tempdir().unwrap();
    let started: Vec<_> = (0..4)
        .map(|_| {
            command(home.path(), &["--context", "sandbox", "whoami", "-o", "name"])
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let outputs: Vec<Output> = started
        .into_iter()
        .map(|child| child.wait_with_output().unwrap())
        .collect();
    run(home.path(), &["sandbox", "stop"], &[]);
    for output in outputs {
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    }
    // None is left over that the test does not know of. The one that was told to stop has closed its port and may
    // be on its last lines; one that was not told would stay.
    #[cfg(target_os = "linux")]
    for attempt in 1.. {
        let left = left_over(home.path());
        if left.is_empty() {
            break;
        }
        assert!(attempt < 500, "{left:?}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

/// The command lines of the processes that were started for this home folder.
#[cfg(target_os = "linux")]
fn left_over(home: &Path) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.map(|process| std::fs::read(process.path().join("cmdline")).unwrap_or_default());
    lines
        .map(|line| String::from_utf8_lossy(&line).into_owned())
        .filter(|line| line.contains(&home.display().to_string()))
        .collect()
}

#[test]
fn a_sandbox_is_not_disturbed_by_the_operators_own_settings() {
    let home = tempfile::tempdir().unwrap();
    let env = [
        ("BPCTL_ACCOUNT_ID", OsStr::new("999988887777")),
        ("BPCTL_REGION", OsStr::new("eu-west-1")),
        ("BPCTL_PREFIX", OsStr::new("acme")),
    ];
    let args = ["sandbox", "run", "--", "bpctl", "migrate", "--dry-run"];
    let output = run(home.path(), &args, &env);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[cfg(unix)]
#[test]
fn a_terminated_migration_says_how_to_go_on() {
    use std::io::{BufRead as _, BufReader, Read as _};
    let home = tempfile::tempdir().unwrap();
    let start = run(home.path(), &["sandbox", "start", "--speed", "1"], &[]);
    assert_eq!(start.status.code(), Some(0), "{}", stderr(&start));
    let mut child = command(home.path(), &["--context", "sandbox", "migrate", "--yes"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let mut text = String::new();
    while !text.contains("started task") {
        assert_ne!(said.read_line(&mut text).unwrap(), 0, "{text}");
    }
    let killed = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status();
    assert!(killed.unwrap().success());
    said.read_to_string(&mut text).unwrap();
    let status = child.wait().unwrap();
    run(home.path(), &["sandbox", "stop"], &[]);
    assert_eq!(status.code(), Some(130), "{text}");
    assert!(
        text.contains("`bpctl --context sandbox migrate --attach "),
        "{text}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_question_leaves_the_terminal_as_it_is() {
    use std::io::Write as _;
    let home = tempfile::tempdir().unwrap();
    let line = format!(
        "{} sandbox run -- bpctl migrate -q; echo status=$?; stty -a",
        env!("CARGO_BIN_EXE_bpctl")
    );
    // A terminal of its own, from util-linux.
    let asked = |answer: &str| {
        let mut child = Command::new("script")
            .args(["-qec", &line, "/dev/null"])
            .env_clear()
            .env("HOME", home.path())
            .env("PATH", "/usr/bin:/bin")
            .env("TERM", "xterm")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(answer.as_bytes()).unwrap();
        stdout(&child.wait_with_output().unwrap())
    };
    for (answer, status) in [("n\n", 3), ("\n", 3), ("maybe\n", 3), ("Yes\n", 0)] {
        let text = asked(answer);
        assert!(text.contains("Go on? [y/N]"), "{text}");
        assert!(text.contains(&format!("status={status}")), "{answer:?} {text}");
        assert!(!text.contains("\u{1b}[?25l"), "the cursor is hidden: {text:?}");
        assert!(text.contains(" echo ") && text.contains(" icanon "), "{text}");
    }
}
