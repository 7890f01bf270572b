//! Completion in the shells themselves, as far as they are installed here.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

/// A home folder with `bpctl` in its `bin` and the completion of `shell` installed; `None` without that shell.
fn home_of(shell: &str) -> Option<tempfile::TempDir> {
    if Command::new(shell).arg("--version").output().is_err() {
        #[expect(clippy::print_stdout, reason = "a reader of the test's output is to know")]
        {
            println!("skipped: there is no {shell} here");
        }
        return None;
    }
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join("bin")).unwrap();
    symlink(env!("CARGO_BIN_EXE_bpctl"), home.path().join("bin/bpctl")).unwrap();
    // Once by its name, once by the variable that every shell's login sets.
    for args in [
        &["completion", "--install", shell][..],
        &["completion", "--install"],
    ] {
        let mut command = in_home(home.path(), "bpctl");
        let output = command.args(args).env("SHELL", format!("/bin/{shell}")).output();
        let output = output.unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Some(home)
}

fn in_home(home: &Path, program: &str) -> Command {
    let mut command = Command::new(match program {
        "bpctl" => env!("CARGO_BIN_EXE_bpctl"),
        other => other,
    });
    command
        .env_clear()
        .env("HOME", home)
        .env("TERM", "dumb")
        .env("PATH", format!("{}:/usr/bin:/bin", home.join("bin").display()))
        .current_dir(home);
    command
}

fn stdout(mut command: Command) -> String {
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What bash offers when these are the words of the line, as it breaks them, and the cursor is in the last.
fn bash(home: &Path, words: &[&str]) -> Vec<String> {
    let script = "source \"$HOME/.local/share/bash-completion/completions/bpctl\"
        COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); COMP_TYPE=9
        _clap_complete_bpctl bpctl \"${!#}\" \"${@: -2:1}\" 2>/dev/null
        printf '%s\\n' \"${COMPREPLY[@]}\"";
    let mut command = in_home(home, "bash");
    command
        .args(["--norc", "--noprofile", "-c", script, "bash", "bpctl"])
        .args(words);
    stdout(command).split_whitespace().map(str::to_owned).collect()
}

#[test]
fn bash_completes_behind_a_context() {
    let Some(home) = home_of("bash") else { return };
    let home = home.path();
    assert_eq!(bash(home, &["--context", "sandbox", "fle"]), ["fleet"]);
    assert_eq!(bash(home, &["--context", "=", "sandbox", "fle"]), ["fleet"]);
    assert_eq!(bash(home, &["--context", "=", "san"]), ["sandbox"]);
    assert_eq!(
        bash(home, &["--context", "sandbox", "-o", "json", "whoa"]),
        ["whoami"]
    );
    assert_eq!(bash(home, &["sandbox", "st"]), ["start", "stop", "status"]);
    // Without a letter typed verbs are offered, and no flags; with a dash flags.
    let all = bash(home, &[""]);
    assert!(
        all.contains(&"migrate".to_owned()) && !all.iter().any(|word| word.starts_with('-')),
        "{all:?}"
    );
    assert_eq!(bash(home, &["--conte"]), ["--context"]);
}

#[test]
fn fish_completes_behind_a_context() {
    let Some(home) = home_of("fish") else { return };
    let complete = |line: &str| {
        let mut command = in_home(home.path(), "fish");
        command.args(["-c", &format!("complete -C '{line}'")]);
        stdout(command)
    };
    let offered = complete("bpctl --context sandbox fle");
    assert!(offered.starts_with("fleet\tLook at GPU fleets"), "{offered}");
    assert_eq!(complete("bpctl --context=sandbox fle"), offered);
    assert_eq!(complete("bpctl --context san").trim(), "sandbox");
}

/// In a terminal, with the script in a folder of `fpath`: the first TAB counts.
#[test]
fn zsh_completes_behind_a_context() {
    let Some(home) = home_of("zsh") else { return };
    let script = r#"
        zmodload zsh/zpty
        zpty z zsh -f -i
        zpty -w z "fpath=($HOME/.local/share/zsh/site-functions \$fpath); autoload -Uz compinit; compinit -u -D; print REA''DY"
        zpty -r z line '*READY*'
        zpty -w -n z $'bpctl --context sandbox fle\t'
        zpty -r z line '*et *'
        zpty -d z
        print completed"#;
    let mut command = in_home(home.path(), "timeout");
    command.args(["30", "zsh", "-f", "-c", script]);
    assert!(stdout(command).contains("completed"));
}
