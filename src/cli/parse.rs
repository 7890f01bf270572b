//! Words → [`Cli`]: help and version texts and complaints are written here.

use std::ffi::OsString;
use std::io::Write as _;

use clap::FromArgMatches as _;
use clap::error::{ContextKind, ContextValue, ErrorKind as Complaint};

use super::dispatch::give_up;
use super::{Cli, Kind, command_tree, foreign, help};
use crate::error::{CommandLine, CtlError, Effect, Hint, Result};
use crate::exit::ExitStatus;
use crate::process::Process;
use crate::ui::{ColorChoice, Ui, Verbosity};

/// Whether a command line that cannot be parsed asks for JSON.
fn wants_json(args: &[OsString]) -> bool {
    let words: Vec<&str> = args
        .iter()
        .map_while(|arg| arg.to_str().filter(|word| *word != "--"))
        .collect();
    let is_json = |word: &str| matches!(word, "json" | "jsonl");
    let joined = words.iter().any(|word| {
        ["--output=", "-o=", "-o"]
            .iter()
            .any(|flag| word.strip_prefix(flag).is_some_and(is_json))
    });
    joined
        || words
            .windows(2)
            .any(|pair| matches!(pair, ["-o" | "--output", word] if is_json(word)))
}

/// The verb that is not there, and the path of the command that was to have it.
fn unknown_verb(error: &clap::Error, args: &[OsString]) -> Option<(String, String)> {
    if error.kind() != Complaint::InvalidSubcommand {
        return None;
    }
    let Some(ContextValue::String(verb)) = error.get(ContextKind::InvalidSubcommand) else {
        return None;
    };
    let tree = command_tree();
    let mut command = &tree;
    let mut path = Vec::new();
    for word in args.iter().skip(1).filter_map(|word| word.to_str()) {
        if word == verb {
            break;
        }
        if let Some(sub) = command.find_subcommand(word) {
            path.push(sub.get_name().to_owned());
            command = sub;
        }
    }
    Some((path.join(" "), verb.clone()))
}

/// What bpctl has for the verb that was typed, if it is one of another tool's.
fn ours(error: &clap::Error, args: &[OsString]) -> Option<Hint> {
    let (below, verb) = unknown_verb(error, args)?;
    foreign::ours(&below, &verb)
}

/// What clap has to say about a command line, as an error of bpctl's own.
fn complaint(error: &clap::Error, ours: Option<Hint>) -> CtlError {
    let text = error.render().to_string();
    let mut paragraphs = text.split("\n\n").map(str::trim);
    let what = paragraphs.next().unwrap_or_default();
    let what = what.strip_prefix("error: ").unwrap_or(what);
    let what = what.split_whitespace().collect::<Vec<_>>().join(" ");
    let complaint = CtlError::usage(format!("read the command line: {what}"));
    if let Some(ours) = ours {
        return complaint.hint(ours);
    }
    let tips = paragraphs
        .filter_map(|paragraph| paragraph.strip_prefix("tip: "))
        .map(str::to_owned);
    tips.fold(complaint, |error, tip| error.hint(tip))
}

fn shows_help(error: &clap::Error) -> bool {
    matches!(
        error.kind(),
        Complaint::DisplayHelp | Complaint::DisplayHelpOnMissingArgumentOrSubcommand
    )
}

/// What the verb does: those with a plan, and no others, have a dry run.
fn kind(matches: &clap::ArgMatches) -> Kind {
    let tree = command_tree();
    let (mut command, mut matches) = (&tree, matches);
    let mut words = Vec::new();
    while let Some((verb, below)) = matches.subcommand() {
        let Some(found) = command.find_subcommand(verb) else {
            return Kind::default();
        };
        (command, matches) = (found, below);
        words.push(verb);
    }
    let is_given = |id: &str| matches!(matches.try_get_one::<bool>(id), Ok(Some(true)));
    let flags = command
        .get_arguments()
        .filter(|arg| is_given(arg.get_id().as_str()));
    let words = words.into_iter().map(str::to_owned);
    let words = words.chain(flags.filter_map(|arg| Some(format!("--{}", arg.get_long()?))));
    Kind {
        changes: command.get_arguments().any(|arg| arg.get_id() == "dry_run"),
        looks: CommandLine::bpctl(words).effect() == Effect::Reads,
        lasts: LASTING.iter().any(|id| is_given(id)),
    }
}

/// The flags with which a verb goes on until it is interrupted.
const LASTING: [&str; 2] = ["watch", "follow"];

/// Command line → [`Cli`]; help and version texts and complaints are written here.
pub(super) fn parse(process: &mut Process) -> Result<Cli, ExitStatus> {
    let args = process.args.clone();
    let wants_json = wants_json(&args);
    let parsed = command_tree().try_get_matches_from(&args).and_then(|matches| {
        let kind = kind(&matches);
        Cli::from_arg_matches(&matches).map(|cli| Cli { kind, ..cli })
    });
    parsed.map_err(|error| {
        let error = if shows_help(&error) {
            // The same once more, for the page as it is shown.
            let shown = help::short(command_tree()).try_get_matches_from(&args);
            shown.err().unwrap_or(error)
        } else {
            error
        };
        let is_answer = !error.use_stderr();
        let ours = ours(&error, &args);
        let in_workflow = process.env.get("GITHUB_ACTIONS").map(String::as_str) == Some("true");
        if !is_answer && (wants_json || ours.is_some() || in_workflow) {
            let ui = Ui::new(process, ColorChoice::Auto, Verbosity::Normal).with_documents(wants_json);
            return give_up(&ui, &complaint(&error, ours));
        }
        let (stream, terminal) = if is_answer {
            (&mut process.stdout, process.stdout_is_terminal)
        } else {
            (&mut process.stderr, process.stderr_is_terminal)
        };
        let no_color = process.env.get("NO_COLOR").is_some_and(|value| !value.is_empty());
        let colored = terminal && !no_color;
        let text = error.render();
        let text = if colored {
            text.ansi().to_string()
        } else {
            text.to_string()
        };
        // A reader that went away is not an error.
        let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
        if is_answer {
            ExitStatus::Done
        } else {
            ExitStatus::Usage
        }
    })
}
