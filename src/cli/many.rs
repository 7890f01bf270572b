//! `--context a,b` and `--all-contexts`: a command that only looks, in several contexts at once. What fails in one of
//! them hides nothing of the others.

use std::collections::BTreeSet;

use futures::StreamExt as _;

use super::Cli;
use super::dispatch::{Owner, dispatch, file, give_up, leave, named_file};
use super::global::GlobalArgs;
use super::parse::parse;
use crate::change::Mode;
use crate::commands::side_by_side::{Answer, SideBySide, overall};
use crate::commands::verb::Configuration;
use crate::error::{CommandLine, CtlError, Result};
use crate::exit::ExitStatus;
use crate::output::{Envelope, OutputFormat, OutputSpec, render};
use crate::process::{Captured, Process};
use crate::settings::ConfigFile;
use crate::ui::Ui;

/// How many contexts are asked at the same time: their accounts have limits of their own, this machine has one network.
const AT_ONCE: usize = 8;

/// Whether the command line names more than one context.
pub(super) fn is_meant(global: &GlobalArgs) -> bool {
    global.all_contexts || global.context.as_ref().is_some_and(|name| name.contains(','))
}

/// Runs the command in each of its contexts and shows what each of them answered.
pub(super) async fn run(cli: Cli, mut process: Process) -> ExitStatus {
    let spec = cli.global.output();
    let is_terminal = process.stdout_is_terminal;
    let ui = Ui::new(&mut process, cli.global.color(), cli.global.verbosity())
        .in_place(cli.global.place())
        .with_documents(spec.is_json());
    let names = match names(&cli, &process) {
        Ok(names) => names,
        Err(error) => return give_up(&ui, &error),
    };
    ui.status(&format!("asking {} contexts: {}", names.len(), names.join(", ")));
    let asked = names
        .iter()
        .map(|name| one(name, &process, is_terminal, spec.format));
    let ended: Vec<(ExitStatus, String, String)> =
        futures::stream::iter(asked).buffered(AT_ONCE).collect().await;
    let mut answers = Vec::new();
    for (name, (status, stdout, stderr)) in names.iter().zip(&ended) {
        repeat(&ui, name, stderr, spec.is_json());
        answers.push(answer(
            name,
            *status,
            stdout,
            stderr,
            is_one_document(spec.format),
        ));
    }
    let statuses: Vec<ExitStatus> = ended.iter().map(|(status, ..)| *status).collect();
    let status = match show(&ui, &spec, answers) {
        Ok(()) => overall(&statuses),
        Err(error) => return give_up(&ui, &error),
    };
    leave(&ui, status, None);
    status
}

/// Whether the answers of all contexts make one document.
fn is_one_document(format: OutputFormat) -> bool {
    matches!(format, OutputFormat::Json | OutputFormat::Yaml)
}

/// The contexts that are meant, each once.
///
/// # Errors
/// A command that is not for many contexts, a name that is missing, stands twice or is not defined.
fn names(cli: &Cli, process: &Process) -> Result<Vec<String>> {
    let refuse = |why: &str| {
        CtlError::usage(format!("run in several contexts: {why}"))
            .hint("name one context with `--context NAME`")
    };
    if !cli.kind.looks {
        return Err(refuse(
            "this command changes something, which is done in one context at a time",
        ));
    }
    let needs = cli.command.needs();
    if needs.configuration == Configuration::Unread {
        return Err(refuse("this command says the same in every context"));
    }
    if cli.kind.lasts || needs.own_interrupts {
        return Err(refuse("this command goes on until it is interrupted"));
    }
    let found = file(
        named_file(&cli.global, &process.env),
        needs,
        &process.cwd,
        &process.env,
    )
    .0?;
    let Some(wanted) = &cli.global.context else {
        let file = found.filter(|file| !file.contexts.is_empty()).ok_or_else(|| {
            CtlError::config("run in all contexts: no `bpctl.toml` here defines any")
                .hint(("make one with", CommandLine::bpctl(["config", "init"])))
        })?;
        return Ok(file.contexts.into_keys().collect());
    };
    let wanted: Vec<String> = wanted.split(',').map(|name| name.trim().to_owned()).collect();
    let mut seen = BTreeSet::new();
    for name in &wanted {
        if name.is_empty() {
            return Err(
                CtlError::usage("read `--context`: a name is missing between two commas")
                    .hint("write `--context NAME,NAME`"),
            );
        }
        if !seen.insert(name) {
            return Err(CtlError::usage(format!(
                "read `--context`: `{name}` stands there twice"
            )));
        }
        ConfigFile::known(found.as_ref(), name, "--context")?;
    }
    Ok(wanted)
}

/// Runs the command in one context: how it ended, and what it wrote to stdout and stderr.
async fn one(
    name: &str,
    process: &Process,
    is_terminal: bool,
    format: OutputFormat,
) -> (ExitStatus, String, String) {
    let (mut inner, captured) = inside(process, is_terminal);
    let status = match parse(&mut inner) {
        Ok(mut cli) => {
            cli.global.context = Some(name.to_owned());
            cli.global.all_contexts = false;
            if is_one_document(format) {
                cli.global.output = OutputFormat::Json;
            }
            Box::pin(dispatch(cli, Mode::Fresh, inner, Owner::Caller)).await
        }
        Err(status) => status,
    };
    (status, captured.stdout(), captured.stderr())
}

/// A process like this one that writes into memory and asks nobody.
fn inside(process: &Process, is_terminal: bool) -> (Process, Captured) {
    let (mut inner, captured) = Process::captured(&[]);
    inner.args.clone_from(&process.args);
    inner.env.clone_from(&process.env);
    inner.cwd.clone_from(&process.cwd);
    inner.is_ours = process.is_ours;
    inner.stdout_is_terminal = is_terminal;
    inner.transport.clone_from(&process.transport);
    inner.cancel = process.cancel.clone();
    (inner, captured)
}

/// What a context wrote to stderr, with its name before it. Documents and what GitHub's runner reads stay as they are.
fn repeat(ui: &Ui, name: &str, stderr: &str, documents: bool) {
    for line in stderr.lines() {
        if documents || line.starts_with("::") {
            ui.repeat(line);
        } else {
            ui.repeat(&format!("[{name}] {line}"));
        }
    }
}

fn answer(name: &str, status: ExitStatus, stdout: &str, stderr: &str, is_document: bool) -> Answer {
    let mut answer = Answer {
        context: name.to_owned(),
        exit_status: status.code(),
        document: None,
        error: None,
        text: stdout.to_owned(),
    };
    if is_document {
        answer.document = serde_json::from_str(stdout).ok();
        let mut lines = stderr.lines().rev();
        answer.error = lines.find_map(|line| serde_json::from_str(line).ok());
    }
    answer
}

fn show(ui: &Ui, spec: &OutputSpec, answers: Vec<Answer>) -> Result<()> {
    if spec.format == OutputFormat::Jsonl {
        // Every line says already which context it is about.
        return ui.result(
            &answers
                .iter()
                .map(|answer| answer.text.as_str())
                .collect::<String>(),
        );
    }
    // `--query` has been answered by each context.
    let shown = OutputSpec {
        format: spec.format,
        query: None,
    };
    let envelope = Envelope::default();
    let text = render(ui, &shown, &envelope, &SideBySide { contexts: answers })?;
    ui.result(&text)
}
