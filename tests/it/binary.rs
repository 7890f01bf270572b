//! The real binary as an operator meets it: stdout, stderr and status of a whole run in one picture.
//!
//! Ids differ from run to run (idempotency tokens are random); they are replaced by `<id>`.

use std::process::Command;

/// Runs `bpctl sandbox run <options> -- bpctl <args>` in an empty environment.
fn picture(options: &[&str], args: &[&str]) -> String {
    let home = tempfile::tempdir().expect("a temporary folder");
    let output = Command::new(env!("CARGO_BIN_EXE_bpctl"))
        .args(["sandbox", "run", "--speed", "600", "--at", "2026-01-15T09:00:00Z"])
        .args(options)
        .args(["--", "bpctl"])
        .args(args)
        .env_clear()
        .env("HOME", home.path())
        .env("PATH", "/usr/bin:/bin")
        .current_dir(home.path())
        .output()
        .expect("bpctl starts");
    let text = format!(
        "[exit {}]\n----- stdout\n{}----- stderr\n{}",
        output.status.code().map_or("signal".to_owned(), |code| code.to_string()),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    without_ids(&text)
}

/// Every run of twelve or more hexadecimal digits that has a digit and a letter becomes `<id>`.
fn without_ids(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut word = String::new();
    let flush = |word: &mut String, result: &mut String| {
        let is_id = word.len() >= 12
            && word.bytes().any(|b| b.is_ascii_digit())
            && word.bytes().any(|b| b.is_ascii_lowercase());
        result.push_str(if is_id { "<id>" } else { word });
        word.clear();
    };
    for c in text.chars() {
        if c.is_ascii_digit() || ('a'..='f').contains(&c) {
            word.push(c);
        } else {
            flush(&mut word, &mut result);
            result.push(c);
        }
    }
    flush(&mut word, &mut result);
    result
}

#[test]
fn ids_and_nothing_else_are_replaced() {
    assert_eq!(without_ids("task e8814a10cbc69cca at 123456789012, decade"), "task <id> at 123456789012, decade");
}

#[test]
fn a_dry_run_of_a_migration() {
    insta::assert_snapshot!(picture(&[], &["migrate", "--central", "--dry-run"]), @"");
}

#[test]
fn a_declined_migration() {
    insta::assert_snapshot!(picture(&[], &["migrate", "--central"]), @"");
}

#[test]
fn a_fleet_that_has_work_is_left_alone() {
    insta::assert_snapshot!(
        picture(&[], &["fleet", "scale-to-zero", "production/gpu-default", "--yes"]), @""
    );
}

#[test]
fn a_bad_fleet_id() {
    insta::assert_snapshot!(picture(&[], &["fleet", "status", "prod/gpu-default"]), @"");
}

#[test]
fn the_fleets() {
    insta::assert_snapshot!(picture(&["--scenario", "spot-drought"], &["fleet", "list"]), @"");
}

#[test]
fn expired_credentials() {
    insta::assert_snapshot!(picture(&["--scenario", "expired-credentials"], &["fleet", "list"]), @"");
}
