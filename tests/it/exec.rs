//! `bpctl exec` and `bpctl tinker`: whole commands against the agent of the sandbox.

use std::fs;
use std::io::Cursor;
use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bpctl_sandbox::{Options, SessionTrouble};
use serde_json::json;

use crate::support::{Account, Run};

const EXECUTE: &str = "Ecs:ExecuteCommand";

/// A program in the backend.
async fn exec(account: &Account, program: &[&str]) -> Run {
    let args: Vec<&str> = ["exec", "backend", "--"].iter().chain(program).copied().collect();
    account.run(&args).await
}

async fn piped(account: &Account, args: &[&str], input: &[u8]) -> Run {
    let input = input.to_vec();
    account
        .run_with(args, |process| process.stdin = Box::new(Cursor::new(input)))
        .await
}

fn troubled(trouble: SessionTrouble) -> Account {
    Account::prepared(Options::default(), |sandbox| {
        sandbox.with_world(|world| world.trouble_sessions(Some(trouble)));
    })
}

#[tokio::test(start_paused = true)]
async fn a_program_runs_in_php_fpm_and_four_calls_suffice() {
    let account = Account::with(&[]);
    let run = exec(&account, &["php", "artisan", "about"]).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert!(run.stdout.contains("Laravel Version"), "{}", run.text());
    assert_eq!(run.stderr, "");
    assert_eq!(run.changes, [EXECUTE]);
    // Who I am, the service's tasks by name and in detail, and the one that opens the session.
    assert_eq!(run.calls, 4, "{}", run.text());
    account.clock().sleep(Duration::from_secs(10)).await;
    assert_eq!(account.sandbox.with_world(|world| world.open_sessions()), 0);
}

#[tokio::test(start_paused = true)]
async fn the_programs_status_is_bpctls() {
    let account = Account::with(&[]);
    for (script, status) in [("exit 7", 7), ("true", 0), ("false", 1), ("exit 255", 255)] {
        let run = exec(&account, &["sh", "-c", script]).await;
        assert_eq!(run.status.code(), status, "{script}: {}", run.text());
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""), "{script}");
    }
    let run = exec(&account, &["no-such-program"]).await;
    assert_eq!(run.status.code(), 127, "{}", run.text());
    assert!(
        run.stderr.contains("no-such-program: not found"),
        "{}",
        run.text()
    );
}

#[tokio::test(start_paused = true)]
async fn both_streams_stay_apart_and_come_back_whole() {
    let account = Account::with(&[]);
    let run = exec(&account, &["sh", "-c", "echo out; echo err >&2; exit 3"]).await;
    assert_eq!(
        (run.status.code(), run.stdout.as_str(), run.stderr.as_str()),
        (3, "out\n", "err\n")
    );
    let args = ["exec", "-o", "json", "--", "head", "-c", "100000", "/dev/urandom"];
    let document = account.run(&args).await.json();
    assert_eq!(
        (&document["schema"], &document["exit_status"]),
        (&json!("bpctl.exec/1"), &json!(0))
    );
    let bytes = STANDARD
        .decode(document["stdout"]["base64"].as_str().expect("bytes"))
        .unwrap();
    assert_eq!(bytes.len(), 100_000);
    assert!(
        bytes
            .iter()
            .enumerate()
            .all(|(place, byte)| *byte == (place * 7 + place / 256) as u8)
    );
    assert_eq!(document["stderr"], json!({"text": ""}));
}

#[tokio::test(start_paused = true)]
async fn what_is_piped_in_reaches_the_program_byte_for_byte() {
    let account = Account::with(&[]);
    let input: Vec<u8> = (0..70_000_u32).map(|number| (number * 13) as u8).collect();
    let run = piped(&account, &["exec", "-o", "json", "--", "cat"], &input).await;
    let document = run.json();
    let back = STANDARD
        .decode(document["stdout"]["base64"].as_str().expect("bytes"))
        .unwrap();
    assert!(back == input, "{} bytes", back.len());
    let run = piped(&account, &["exec", "--no-stdin", "--", "wc", "-c"], &input).await;
    assert_eq!(run.stdout, "0\n", "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn a_shell_and_tinker_read_what_is_piped_into_them() {
    let account = Account::with(&[]);
    let run = piped(&account, &["exec"], b"echo one && php -v\nexit 5\n").await;
    assert_eq!(run.status.code(), 5, "{}", run.text());
    assert!(run.stdout.starts_with("one\nPHP 8.3.15"), "{}", run.text());
    let run = piped(&account, &["tinker"], b"1 + 2\nexit\n").await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert!(run.stdout.contains("= 3\n"), "{}", run.text());
    let run = account.run(&["exec", "--no-stdin"]).await;
    assert_eq!((run.status.code(), run.changes.len()), (2, 0), "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn the_staged_layout_and_the_frontend_are_entered_as_well() {
    let account = Account::staged(&[]);
    let run = exec(&account, &["php", "artisan", "about"]).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    let account = Account::with(&[]);
    let run = account.run(&["exec", "frontend", "--", "whoami"]).await;
    assert_eq!(
        (run.status.code(), run.stdout.as_str()),
        (0, "root\n"),
        "{}",
        run.text()
    );
}

#[tokio::test(start_paused = true)]
async fn mistakes_are_told_before_a_session_is_opened() {
    let account = Account::with(&[]);
    let run = account.run(&["exec", "bakend", "--", "true"]).await;
    assert_eq!((run.status.code(), run.calls), (2, 0), "{}", run.text());
    assert!(run.stderr.contains("did you mean `backend`?"), "{}", run.text());
    let run = account.run(&["exec", "-c", "php", "--", "true"]).await;
    assert_eq!((run.status.code(), run.changes.len()), (2, 0), "{}", run.text());
    assert!(
        run.stderr.contains("did you mean `-c php-fpm`?"),
        "{}",
        run.text()
    );
    let run = account.run(&["exec", "--tty", "--", "vi"]).await;
    assert_eq!((run.status.code(), run.calls), (2, 0), "{}", run.text());
    let run = account.run(&["exec", &"0".repeat(32), "--", "true"]).await;
    assert_eq!((run.status.code(), run.changes.len()), (1, 0), "{}", run.text());
    assert!(run.stderr.contains("ECS does not know it"), "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn every_refusal_is_explained() {
    for (trouble, code, words) in [
        (
            SessionTrouble::NotEnabled,
            "exec-refused",
            ["without ECS Exec", "--force-new-deployment"],
        ),
        (
            SessionTrouble::AgentStopped,
            "exec-refused",
            ["agent of ECS Exec in it is STOPPED", "stop the task"],
        ),
        (
            SessionTrouble::NotConnected,
            "exec-not-connected",
            ["simulate-principal-policy", "ssmmessages.us-east-1.amazonaws.com"],
        ),
        (
            SessionTrouble::Encrypted,
            "exec-encrypted",
            ["KMS key arn:aws:kms", "aws ecs execute-command"],
        ),
    ] {
        let account = troubled(trouble);
        let run = exec(&account, &["true"]).await;
        assert_eq!(run.status.code(), 1, "{trouble:?}: {}", run.text());
        for words in words {
            assert!(run.stderr.contains(words), "{trouble:?}: {words}: {}", run.text());
        }
        let run = account.run(&["exec", "-o", "json", "--", "true"]).await;
        assert!(
            run.stderr.contains(&format!("\"code\":\"{code}\"")),
            "{trouble:?}: {}",
            run.text()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_network_that_loses_doubles_and_reorders_changes_nothing() {
    let account = troubled(SessionTrouble::LossyNetwork);
    let input: Vec<u8> = (0..9_000_u32).map(|number| (number * 31) as u8).collect();
    let run = piped(&account, &["exec", "-o", "json", "--", "cat"], &input).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    let back = STANDARD
        .decode(run.json()["stdout"]["base64"].as_str().expect("bytes"))
        .unwrap();
    assert!(back == input, "{} bytes", back.len());
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_is_made_anew_and_the_program_goes_on() {
    let account = Account::with(&[]);
    let cut = async {
        for _ in 0..2 {
            account.clock().sleep(Duration::from_secs(10)).await;
            account.sandbox.with_world(|world| world.cut_sessions());
        }
    };
    let (run, ()) = tokio::join!(exec(&account, &["sh", "-c", "sleep 30; echo done; exit 4"]), cut);
    assert_eq!(
        (run.status.code(), run.stdout.as_str()),
        (4, "done\n"),
        "{}",
        run.text()
    );
    assert_eq!(run.changes, [EXECUTE, "Ssm:ResumeSession", "Ssm:ResumeSession"]);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_cannot_be_resumed_is_no_success() {
    let account = troubled(SessionTrouble::NoResume);
    let cut = async {
        account.clock().sleep(Duration::from_secs(10)).await;
        account.sandbox.with_world(|world| world.cut_sessions());
    };
    let (run, ()) = tokio::join!(exec(&account, &["sleep", "30"]), cut);
    assert_eq!(run.status.code(), 1, "{}", run.text());
    assert!(run.stderr.contains("it is over by now"), "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_and_the_aws_command_open_nothing() {
    let account = Account::with(&[]);
    let run = account
        .run(&["exec", "--dry-run", "--", "php", "artisan", "about"])
        .await;
    assert_eq!((run.status.code(), run.changes.len()), (0, 0), "{}", run.text());
    assert!(run.stdout.contains("ecs:ExecuteCommand"), "{}", run.text());
    let run = account
        .run(&["exec", "--print-aws", "--", "php", "artisan", "about"])
        .await;
    assert_eq!((run.status.code(), run.changes.len()), (0, 0), "{}", run.text());
    assert!(run.stdout.contains("aws ecs execute-command"), "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn a_protected_context_wants_its_name() {
    let account = Account::with(&[]);
    let file = account.home().join("bpctl.toml");
    fs::write(
        &file,
        "[contexts.prod]\naccount_id = \"123456789012\"\nregion = \"us-east-1\"\nprotected = true\n",
    )
    .unwrap();
    let args = ["--context", "prod", "exec", "--", "whoami"];
    let run = account.run(&args).await;
    assert_eq!((run.status.code(), run.changes.len()), (3, 0), "{}", run.text());
    assert!(run.stderr.contains("--confirm prod"), "{}", run.text());
    let args = ["--context", "prod", "exec", "--confirm", "prod", "--", "whoami"];
    let run = account.run(&args).await;
    assert_eq!(
        (run.status.code(), run.stdout.as_str()),
        (0, "root\n"),
        "{}",
        run.text()
    );
}

#[tokio::test(start_paused = true)]
async fn the_journal_and_the_history_have_no_secret_of_a_command() {
    let account = Account::with(&[]);
    let secret = "hunter2hunter2";
    let assignment = format!("DB_PASSWORD={secret}");
    let run = account
        .run(&["exec", "--reason", "ticket 7", "--", "echo", &assignment])
        .await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    let folder = account.home().join(".local/state/bpctl/journal");
    let journals: Vec<String> = fs::read_dir(folder)
        .expect("a journal")
        .map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    assert_eq!(journals.len(), 1);
    assert!(!journals[0].contains(secret), "{}", journals[0]);
    assert!(
        journals[0].contains("ticket 7") && journals[0].contains("\"event\":\"end\""),
        "{}",
        journals[0]
    );
    let history = account.run(&["history", "-o", "json"]).await;
    assert!(
        history.stdout.contains("\"verb\": \"exec\""),
        "{}",
        history.text()
    );
    assert!(!history.stdout.contains(secret), "{}", history.text());
}

#[test]
fn the_real_binary_enters_a_container_over_a_websocket() {
    let home = tempfile::tempdir().unwrap();
    let bpctl = |args: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_bpctl"))
            .args(["sandbox", "run", "--", "bpctl"])
            .args(args)
            .env_clear()
            .env("HOME", home.path())
            .env("PATH", "/usr/bin:/bin")
            .current_dir(home.path())
            .stdin(std::process::Stdio::null())
            .output()
            .expect("bpctl starts")
    };
    let output = bpctl(&["exec", "backend", "--", "php", "artisan", "about"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(text.contains("Laravel Version"), "{text}");
    let output = bpctl(&["exec", "backend", "-c", "php-fpm", "--", "sh", "-c", "exit 7"]);
    assert_eq!(
        output.status.code(),
        Some(7),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
