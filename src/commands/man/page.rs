//! One manual page, its sections in the order of man-pages(7).

use clap::Command;
use clap_mangen::Man;

use super::reference::{Example, examples, files, variables};
use super::subcommands;
use crate::error::{CtlError, ErrorKind, Result};
use crate::exit::TABLE;

/// The page `name` (`bpctl-fleet-status`) of a command of the built tree.
///
/// NAME, SYNOPSIS, DESCRIPTION, COMMANDS, OPTIONS, EXAMPLES, NOTES, EXIT STATUS, ENVIRONMENT, FILES, SEE ALSO; one
/// without contents is left out. What holds for all commands is told on bpctl(1) and bpctl-options(1).
pub(super) fn of(command: &Command, name: &str) -> Result<String> {
    let is_root = name == "bpctl";
    let has_all_flags = name == "bpctl-options";
    let usage = usage(command);
    let (examples, notes) = examples(command);
    let own = command
        .clone()
        .name(name.to_owned())
        .display_name(name.to_owned())
        .after_help("")
        .mut_args(|argument| {
            let elsewhere = argument.is_global_set() && !has_all_flags;
            if elsewhere { argument.hide(true) } else { argument }
        });
    let has_flags = own.get_arguments().any(|argument| !argument.is_hide_set());
    let man = Man::new(own)
        .title(name.to_uppercase())
        .date("")
        .source(format!("bpctl {}", env!("CARGO_PKG_VERSION")))
        .manual("bpctl manual");
    let mut page = Vec::new();
    let failed =
        |error: std::io::Error| CtlError::new(ErrorKind::Unexpected, "write a manual page").source(&error);
    man.render_title(&mut page).map_err(failed)?;
    man.render_name_section(&mut page).map_err(failed)?;
    page.extend(section("SYNOPSIS", &paragraph(&usage)).into_bytes());
    man.render_description_section(&mut page).map_err(failed)?;
    page.extend(section("COMMANDS", &commands(command, name)).into_bytes());
    if has_flags {
        man.render_options_section(&mut page).map_err(failed)?;
    }
    if !has_all_flags {
        page.extend(
            paragraphs(
                "Flags that every command has are told in bpctl\\-options(1).",
                ".PP\n",
            )
            .into_bytes(),
        );
    }
    page.extend(section("EXAMPLES", &listed_examples(&examples)).into_bytes());
    page.extend(section("NOTES", &escaped_lines(&notes)).into_bytes());
    page.extend(section("EXIT STATUS", &exit_status(is_root || name == "bpctl-exit-codes")).into_bytes());
    page.extend(section("ENVIRONMENT", &environment(is_root)).into_bytes());
    page.extend(section("FILES", &listed_files(is_root)).into_bytes());
    page.extend(section("SEE ALSO", &see_also(command, name)).into_bytes());
    // Every renderer begins with the same two lines about apostrophes: once is enough.
    const PREAMBLE: &str = ".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n";
    let page = String::from_utf8_lossy(&page).replace(PREAMBLE, "");
    Ok(format!("{PREAMBLE}{page}"))
}

/// `bpctl fleet status [OPTIONS] [FLEET]...`
pub(super) fn usage(command: &Command) -> String {
    let usage = command.clone().render_usage().to_string();
    usage.trim_start_matches("Usage: ").trim().to_owned()
}

/// Text that troff prints as it is: escapes, hyphens, and no control line.
fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    if text.starts_with(['.', '\'']) {
        format!("\\&{text}")
    } else {
        text
    }
}

fn escaped_lines(text: &str) -> String {
    text.lines()
        .map(|line| match line {
            "" => ".PP\n".to_owned(),
            // What is set in by hand keeps its lines.
            line if line.starts_with("  ") => format!(".br\n{}\n", escaped(line)),
            line => format!("{}\n", escaped(line)),
        })
        .collect()
}

fn paragraph(text: &str) -> String {
    format!("{}\n", escaped(text))
}

fn paragraphs(text: &str, before: &str) -> String {
    format!("{before}{text}\n")
}

/// A heading and its body; nothing without a body.
fn section(heading: &str, body: &str) -> String {
    if body.is_empty() {
        return String::new();
    }
    format!(".SH \"{heading}\"\n{body}")
}

fn entry(term: &str, text: &str) -> String {
    format!(".TP\n\\fB{}\\fR\n{}\n", escaped(term), escaped(text))
}

fn commands(command: &Command, name: &str) -> String {
    subcommands(command)
        .map(|sub| {
            let about = sub.get_about().map(ToString::to_string).unwrap_or_default();
            entry(&format!("{name}-{}(1)", sub.get_name()), &about)
        })
        .collect()
}

fn listed_examples(examples: &[Example]) -> String {
    examples
        .iter()
        .map(|example| entry(&example.command, &example.says))
        .collect()
}

fn exit_status(whole: bool) -> String {
    if whole {
        let rows = TABLE.iter();
        return rows
            .map(|(code, meaning)| entry(&code.to_string(), meaning))
            .collect();
    }
    "0 when it is done; bpctl\\-exit\\-codes(1) has the others.\n".to_owned()
}

fn environment(whole: bool) -> String {
    if whole {
        let variables = variables();
        return variables.iter().map(|(name, help)| entry(name, help)).collect();
    }
    "BPCTL_CONTEXT chooses the context; bpctl(1) has the other variables.\n".to_owned()
}

fn listed_files(whole: bool) -> String {
    if whole {
        return files().iter().map(|(name, help)| entry(name, help)).collect();
    }
    "The contexts are in bpctl.toml; bpctl(1) has the other files.\n".to_owned()
}

/// The command above, and those beside it or below it.
fn see_also(command: &Command, name: &str) -> String {
    let mut pages: Vec<String> = subcommands(command)
        .map(|sub| format!("{name}-{}", sub.get_name()))
        .collect();
    if let Some((above, _)) = name.rsplit_once('-').filter(|_| name != "bpctl") {
        // `bpctl-fleet-scale-to-zero` lies below `bpctl-fleet`.
        let above = if command.get_name().contains('-') && name.ends_with(command.get_name()) {
            name.trim_end_matches(command.get_name()).trim_end_matches('-')
        } else {
            above
        };
        pages.insert(0, above.to_owned());
    }
    if name != "bpctl" {
        pages.extend(["bpctl-options", "bpctl-exit-codes"].map(str::to_owned));
    }
    pages.retain(|page| page != name);
    let mut seen = Vec::new();
    pages.retain(|page| {
        let is_new = !seen.contains(page);
        seen.push(page.clone());
        is_new
    });
    let references: Vec<String> = pages
        .iter()
        .map(|page| format!("\\fB{}\\fR(1)", escaped(page)))
        .collect();
    format!("{}\n", references.join(",\n"))
}
