//! Committed files that are made from the command tree: written with BPCTL_BLESS=1, compared otherwise.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::Account;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn blessing() -> bool {
    #[expect(clippy::disallowed_methods, reason = "a test may read its own environment")]
    std::env::var_os("BPCTL_BLESS").is_some()
}

/// Writes or compares one file.
fn hold(path: &Path, wanted: &str) {
    if blessing() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, wanted).unwrap();
        return;
    }
    let found = fs::read_to_string(path).unwrap_or_default();
    assert!(
        found == wanted,
        "`{}` is out of date: run `BPCTL_BLESS=1 cargo test --test it generated`",
        path.strip_prefix(root()).unwrap().display()
    );
}

#[tokio::test(start_paused = true)]
async fn completions_are_current() {
    let account = Account::with(&[]);
    for (shell, file) in [
        ("bash", "bpctl.bash"),
        ("zsh", "_bpctl"),
        ("fish", "bpctl.fish"),
        ("powershell", "_bpctl.ps1"),
        ("elvish", "bpctl.elv"),
    ] {
        let run = account.run(&["completion", shell]).await;
        assert!(run.stdout.contains("COMPLETE"), "{}", run.text());
        hold(&root().join("completions").join(file), &run.stdout);
    }
}

#[tokio::test(start_paused = true)]
async fn manual_pages_are_current_and_none_is_left_over() {
    let account = Account::with(&[]);
    let folder = account.home().join("man");
    fs::create_dir(&folder).unwrap();
    let run = account.run(&["man", "--dir", folder.to_str().unwrap()]).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    let names = |folder: &Path| {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    let committed = root().join("man");
    if blessing() && committed.exists() {
        fs::remove_dir_all(&committed).unwrap();
    }
    for name in names(&folder) {
        hold(
            &committed.join(&name),
            &fs::read_to_string(folder.join(&name)).unwrap(),
        );
    }
    assert_eq!(names(&committed), names(&folder));
}

#[test]
fn the_readme_lists_every_command_and_every_exit_status() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    for (code, meaning) in bpctl::EXIT_STATUSES {
        assert!(
            readme.contains(&format!("| {code} | {meaning} |")),
            "exit status {code} is not in README.md as it is in the code"
        );
    }
    for command in bpctl::command_tree()
        .get_subcommands()
        .filter(|command| command.get_name() != "help")
    {
        assert!(
            readme.contains(&format!("`bpctl {}", command.get_name())),
            "`bpctl {}` is not in README.md",
            command.get_name()
        );
    }
}
