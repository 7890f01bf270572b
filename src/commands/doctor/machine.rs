//! What this machine has: configuration, folders, completion, tools.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use super::view::{Check, State};
use crate::commands::completion;
use crate::context::Ctx;
use crate::settings;

/// Tools with the arguments that make them tell their version, and what they are for.
const TOOLS: &[(&str, &[&str], &str)] = &[
    ("node", &["--version"], "runs cdk"),
    ("cdk", &["--version"], "deploys stacks"),
    ("docker", &["buildx", "version"], "builds images"),
    ("packer", &["--version"], "builds machine images of fleets"),
];

/// How long a tool may take to tell its version.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest version that is read, in bytes.
const LONGEST: u64 = 4096;

pub(super) fn configuration(ctx: &Ctx) -> Check {
    const CHECK: &str = "configuration";
    if let Some(error) = &ctx.file_error {
        return Check::failed(CHECK, State::Problem, error);
    }
    match settings::resolve(&ctx.inputs()) {
        Err(error) => Check::failed(CHECK, State::Problem, &error),
        Ok(_) => match &ctx.config {
            Some(file) => Check::ok(CHECK, format!("{} is sound", file.path.display())),
            None => Check::ok(CHECK, "no file; the defaults hold"),
        },
    }
}

/// The folder of journals and locks: without it no change can be made.
pub(super) fn folders(ctx: &Ctx, fix: bool) -> Vec<Check> {
    const CHECK: &str = "state folder";
    let Some(folder) = &ctx.state_dir else {
        return vec![
            Check::problem(CHECK, "there is no home folder")
                .fix("set HOME, or XDG_STATE_HOME to an absolute path"),
        ];
    };
    let shown = folder.display();
    let made = if fix { fs::create_dir_all(folder) } else { Ok(()) };
    vec![match (made, folder.is_dir()) {
        (Err(error), _) => Check::problem(CHECK, format!("`{shown}` cannot be made: {error}")),
        (Ok(()), false) => Check::warning(
            CHECK,
            format!("`{shown}` is not there yet; the first change makes it"),
        )
        .run(["doctor", "--fix"]),
        (Ok(()), true) => match tempfile_in(folder) {
            Ok(()) => Check::ok(CHECK, format!("`{shown}` can be written")),
            Err(error) => Check::problem(CHECK, format!("`{shown}` cannot be written: {error}"))
                .fix("give this user the folder, or name another one in XDG_STATE_HOME"),
        },
    }]
}

/// Writes a file in the folder and takes it away again.
fn tempfile_in(folder: &Path) -> std::io::Result<()> {
    let file = folder.join(format!(".doctor.{}", std::process::id()));
    fs::OpenOptions::new().create_new(true).write(true).open(&file)?;
    fs::remove_file(&file)
}

pub(super) fn completion(ctx: &Ctx, fix: bool) -> Check {
    const CHECK: &str = "completion";
    let Some((shell, file)) = completion::place_of(ctx) else {
        return Check::unknown(CHECK, "the variable SHELL names no shell that bpctl knows");
    };
    if file.is_file() {
        return Check::ok(CHECK, format!("that of {shell} is installed"));
    }
    if fix {
        return match completion::install_for(ctx, shell) {
            Ok(()) => Check::ok(CHECK, format!("that of {shell} was installed")),
            Err(error) => Check::failed(CHECK, State::Warning, &error),
        };
    }
    Check::warning(CHECK, format!("that of {shell} is not installed")).run(["completion", "--install"])
}

/// Tools that some verbs run.
pub(super) async fn tools(ctx: &Ctx) -> Vec<Check> {
    let mut checks = Vec::new();
    for (tool, arguments, purpose) in TOOLS {
        let env = ctx.env.clone();
        // A thread of its own: a tool that hangs holds up neither the runtime nor the other checks for long.
        let asked = tokio::task::spawn_blocking(move || answer_of(tool, arguments, &env));
        let name = if *tool == "docker" { "docker buildx" } else { tool };
        checks.push(match asked.await {
            Ok(Answer::Version(version)) => Check::ok(name, version),
            Ok(Answer::Absent) => Check::warning(name, format!("not found in PATH; {purpose}"))
                .fix(format!("install {tool} before a verb needs it")),
            Ok(Answer::NoPlugin) => Check::warning(name, format!("{tool} has no such plugin; {purpose}"))
                .fix("install the plugin before a verb needs it"),
            Ok(Answer::Failed(why)) => Check::unknown(name, why),
            Err(_) => Check::unknown(name, "it could not be run"),
        });
    }
    checks
}

/// What came of asking a tool for its version.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Version(String),
    Absent,
    /// The tool answers, and what it is extended by does not.
    NoPlugin,
    Failed(String),
}

/// A tool that fails with a command of a plugin, and answers without it, has no such plugin.
fn answer_of(tool: &str, arguments: &[&str], env: &BTreeMap<String, String>) -> Answer {
    let answer = version_of(tool, arguments, env);
    let is_plugin = arguments.len() > 1;
    match answer {
        Answer::Failed(_) if is_plugin => match version_of(tool, &["--version"], env) {
            Answer::Version(_) => Answer::NoPlugin,
            _ => answer,
        },
        answer => answer,
    }
}

fn version_of(tool: &str, arguments: &[&str], env: &BTreeMap<String, String>) -> Answer {
    let Some(program) = find(tool, env) else {
        return Answer::Absent;
    };
    let mut command = Command::new(program);
    // Nothing of the environment but what a program needs to run: credentials are none of its business.
    command.env_clear().args(arguments);
    for name in ["PATH", "HOME", "SYSTEMROOT", "DOCKER_HOST", "DOCKER_CONFIG"] {
        if let Some(value) = env.get(name) {
            command.env(name, value);
        }
    }
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let Ok(mut child) = command.spawn() else {
        return Answer::Failed("it cannot be started".to_owned());
    };
    let Some(stdout) = child.stdout.take() else {
        return Answer::Failed("it says nothing".to_owned());
    };
    let (told, tell) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut said = Vec::new();
        // What cannot be read is the same as nothing.
        let _ = stdout.take(LONGEST).read_to_end(&mut said);
        let _ = told.send(said);
    });
    let Ok(said) = tell.recv_timeout(PATIENCE) else {
        let _ = child.kill();
        let _ = child.wait();
        return Answer::Failed("it did not answer in time".to_owned());
    };
    let _ = reader.join();
    let ended = child.wait();
    let said = String::from_utf8_lossy(&said);
    let first = said.lines().map(str::trim).find(|line| !line.is_empty());
    match (ended, first) {
        (Ok(status), Some(version)) if status.success() => Answer::Version(version.to_owned()),
        (Ok(status), _) if !status.success() => Answer::Failed(format!("it ended with {status}")),
        _ => Answer::Failed("it says no version".to_owned()),
    }
}

/// The program of this name in PATH.
fn find(tool: &str, env: &BTreeMap<String, String>) -> Option<PathBuf> {
    let names = [tool.to_owned(), format!("{tool}.exe"), format!("{tool}.cmd")];
    let folders: Vec<PathBuf> = std::env::split_paths(env.get("PATH")?).collect();
    folders
        .iter()
        .filter(|folder| folder.is_absolute())
        .flat_map(|folder| names.iter().map(move |name| folder.join(name)))
        .find(|file| file.is_file())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn asked(script: Option<&str>) -> Answer {
        asked_for(script, &["--version"])
    }

    fn asked_for(script: Option<&str>, arguments: &[&str]) -> Answer {
        let folder = tempfile::tempdir().unwrap();
        if let Some(script) = script {
            let file = folder.path().join("tool");
            fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let env = BTreeMap::from([
            ("PATH".to_owned(), folder.path().display().to_string()),
            ("AWS_SECRET_ACCESS_KEY".to_owned(), "canary".to_owned()),
        ]);
        answer_of("tool", arguments, &env)
    }

    #[test]
    fn a_plugin_that_is_missing_is_told_from_a_tool_that_does_not_work() {
        let plugin = |script| asked_for(Some(script), &["buildx", "version"]);
        assert_eq!(
            plugin("test \"$1\" = buildx && exit 1; echo 27.0"),
            Answer::NoPlugin
        );
        assert_eq!(plugin("echo v0.17"), Answer::Version("v0.17".to_owned()));
        assert!(matches!(plugin("exit 1"), Answer::Failed(_)));
    }

    #[test]
    fn a_tool_tells_its_version_in_its_first_line_and_sees_no_credentials() {
        assert_eq!(
            asked(Some("echo; echo \" 1.2 $1\"; echo x")),
            Answer::Version("1.2 --version".to_owned())
        );
        assert_eq!(
            asked(Some("echo \"[$AWS_SECRET_ACCESS_KEY]\"")),
            Answer::Version("[]".to_owned())
        );
        assert_eq!(asked(None), Answer::Absent);
        assert!(matches!(asked(Some("exit 3")), Answer::Failed(_)));
        assert!(matches!(asked(Some("true")), Answer::Failed(_)));
    }
}
