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

/// Files that `args` plus a folder write are those of the committed `folder`, none more and none less.
async fn folder_is_current(args: &[&str], folder: &str) {
    let account = Account::with(&[]);
    let made = account.home().join("made");
    let run = account
        .run(&[args, &["--dir", made.to_str().unwrap()]].concat())
        .await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    let names = |folder: &Path| {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.path().is_file())
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    let committed = root().join(folder);
    if blessing() && committed.exists() {
        for name in names(&committed) {
            fs::remove_file(committed.join(name)).unwrap();
        }
    }
    for name in names(&made) {
        hold(
            &committed.join(&name),
            &fs::read_to_string(made.join(&name)).unwrap(),
        );
    }
    assert_eq!(names(&committed), names(&made));
}

#[tokio::test(start_paused = true)]
async fn manual_pages_are_current_and_none_is_left_over() {
    folder_is_current(&["man"], "man").await;
}

#[tokio::test(start_paused = true)]
async fn the_reference_is_current_and_no_page_is_left_over() {
    folder_is_current(&["man", "--markdown"], "docs/reference").await;
}

/// The JSON Schemas are those that the types give, and each name can be asked for as documents spell it.
#[tokio::test(start_paused = true)]
async fn the_schemas_are_current_and_none_is_left_over() {
    let account = Account::with(&[]);
    let listed = account.run(&["schema", "-o", "json"]).await.json();
    let folder = root().join("docs/schemas");
    let mut files = Vec::new();
    for schema in listed["schemas"].as_array().unwrap() {
        let name = schema["name"].as_str().unwrap();
        let run = account.run(&["schema", name]).await;
        let (short, _) = name.strip_prefix("bpctl.").unwrap().split_once('/').unwrap();
        let file = format!("{short}.json");
        hold(&folder.join(&file), &run.stdout);
        assert_eq!(account.run(&["schema", short]).await.stdout, run.stdout);
        files.push(file);
    }
    files.sort();
    let mut found: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    assert_eq!(found, files);
}

/// The sections of every manual page, in the order of man-pages(7).
#[test]
fn manual_pages_have_their_sections_in_order() {
    const LAST: [&str; 5] = ["EXAMPLES", "EXIT STATUS", "ENVIRONMENT", "FILES", "SEE ALSO"];
    for entry in fs::read_dir(root().join("man")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let sections: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix(".SH "))
            .map(|heading| heading.trim_matches('"'))
            .collect();
        assert_eq!(
            sections[..3],
            ["NAME", "SYNOPSIS", "DESCRIPTION"],
            "{}",
            path.display()
        );
        let mut known = LAST.iter().filter(|heading| sections.contains(*heading));
        let found = sections.iter().filter(|heading| LAST.contains(*heading));
        assert!(found.eq(known.by_ref()), "{}: {sections:?}", path.display());
        assert!(sections.ends_with(&LAST[1..]), "{}: {sections:?}", path.display());
    }
    let scale = fs::read_to_string(root().join("man/bpctl-fleet-scale-to-zero.1")).unwrap();
    assert!(scale.contains(".SH \"EXAMPLES\"") && !scale.contains("GLOBAL OPTIONS"));
}

/// Every verb has examples, and each of them can be typed as far as it is bpctl's.
#[test]
fn examples_can_be_typed() {
    fn examples(command: &clap::Command, found: &mut Vec<String>) {
        let help = command
            .get_after_help()
            .map(ToString::to_string)
            .unwrap_or_default();
        let (_, list) = help.split_once("Examples:\n").unwrap_or_default();
        for line in list.lines().map_while(|line| line.strip_prefix("  ")) {
            let line = line.split("  ").next().unwrap_or_default();
            // The shell's part of it begins behind these.
            let line = line.split(" | ").next().unwrap_or_default();
            found.push(line.split(" > ").next().unwrap_or_default().to_owned());
        }
        let has_verbs = command.get_subcommands().next().is_some();
        assert!(
            has_verbs || !list.is_empty(),
            "{} has no examples",
            command.get_name()
        );
        for sub in command.get_subcommands() {
            examples(sub, found);
        }
    }
    let tree = bpctl::command_tree();
    let mut found = Vec::new();
    examples(&tree, &mut found);
    assert!(found.len() > 30, "{found:?}");
    for example in found {
        let words = shlex::split(&example).unwrap();
        assert_eq!(words[0], "bpctl", "{example}");
        match tree.clone().try_get_matches_from(words) {
            Err(error) if error.kind() != clap::error::ErrorKind::DisplayHelp => {
                panic!("`{example}`: {error}");
            }
            _ => {}
        }
    }
}

/// The flags of every command are told once, not on every page.
#[tokio::test(start_paused = true)]
async fn the_flags_of_every_command_are_on_one_page() {
    let account = Account::with(&[]);
    for args in [
        &["--help"][..],
        &["fleet", "list", "--help"],
        &["fleet", "-h"],
        &["help", "triage"],
    ] {
        let run = account.run(args).await;
        assert!(
            !run.stdout.contains("--endpoint-url") && run.stdout.contains("bpctl help options"),
            "{}",
            run.text()
        );
    }
    for args in [&["help", "options"][..], &["options"], &["options", "--help"]] {
        let run = account.run(args).await;
        assert!(run.stdout.contains("--endpoint-url <URL>"), "{}", run.text());
    }
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

/// Every command line of bpctl that the hand-written documents quote can be typed.
#[test]
fn commands_in_documents_can_be_typed() {
    let tree = bpctl::command_tree();
    let mut typed = 0;
    for file in [
        "README.md",
        "docs/README.md",
        "docs/runbook.md",
        "docs/phrase-book.md",
        "docs/confirmation.md",
        "docs/state.md",
        "docs/reference/documents.md",
        "docs/reference/findings.md",
        "docs/reference/settings.md",
    ] {
        let text = fs::read_to_string(root().join(file)).unwrap();
        for quoted in text.split('`').skip(1).step_by(2) {
            // A family of commands, or the grammar of one, is no command.
            if !quoted.starts_with("bpctl ") || quoted.contains(['|', '…', '\n']) {
                continue;
            }
            let words = shlex::split(quoted).unwrap();
            let grammar = |word: &String| word.bytes().all(|byte| byte.is_ascii_uppercase()) || word == "--";
            if words.iter().any(grammar) {
                continue;
            }
            typed += 1;
            if let Err(error) = tree.clone().try_get_matches_from(words) {
                use clap::error::ErrorKind as Complaint;
                let group = [
                    Complaint::DisplayHelp,
                    Complaint::DisplayVersion,
                    Complaint::DisplayHelpOnMissingArgumentOrSubcommand,
                    Complaint::MissingRequiredArgument,
                    Complaint::InvalidSubcommand,
                ];
                let is_ours = match error.kind() {
                    Complaint::InvalidSubcommand => file == "docs/phrase-book.md",
                    // What stands for a step of the runbooks is typed as it stands there.
                    Complaint::MissingRequiredArgument => file != "docs/runbook.md",
                    _ => true,
                };
                assert!(
                    group.contains(&error.kind()) && is_ours,
                    "`{quoted}` in {file}: {error}"
                );
            }
        }
    }
    assert!(typed > 40, "{typed} commands");
}
