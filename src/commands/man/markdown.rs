//! The reference as Markdown: commands, settings and files, exit statuses, findings, documents.

use clap::Command;

use super::page::usage;
use super::reference::{examples, files, variables};
use super::subcommands;
use crate::commands::documents::shapes;
use crate::commands::explain::catalogue;
use crate::exit::TABLE;
use crate::settings::KEYS;

/// First line of every page, below its title.
const MADE: &str = "<!-- Made by `bpctl man --markdown`; a test compares it. -->\n\n";

/// File name and text of every page.
pub(super) fn pages(tree: &Command) -> Vec<(String, String)> {
    vec![
        ("commands.md".to_owned(), commands(tree)),
        ("settings.md".to_owned(), settings()),
        ("exit-statuses.md".to_owned(), exit_statuses()),
        ("findings.md".to_owned(), findings()),
        ("documents.md".to_owned(), documents()),
    ]
}

fn title(title: &str) -> String {
    format!("# {title}\n\n{MADE}")
}

/// A cell of a table: no line ends, no bars.
fn cell(text: &str) -> String {
    text.replace('\n', " ").replace('|', "\\|")
}

fn commands(tree: &Command) -> String {
    let mut text = title("Commands");
    text.push_str("Flags that every command has are [below](#flags-of-every-command).\n");
    for command in subcommands(tree).filter(|command| command.get_name() != "options") {
        one_command(command, "bpctl", 2, &mut text);
    }
    text.push_str("\n## Flags of every command\n\n");
    text.push_str(&flags(tree, |argument| argument.is_global_set()));
    text
}

fn one_command(command: &Command, above: &str, level: usize, text: &mut String) {
    let name = format!("{above} {}", command.get_name());
    text.push_str(&format!("\n{} {name}\n\n", "#".repeat(level)));
    let about = command.get_long_about().or(command.get_about());
    if let Some(about) = about {
        text.push_str(&format!("{}\n\n", indented(&about.to_string())));
    }
    text.push_str(&format!("```text\n{}\n```\n", usage(command)));
    let own = flags(command, |argument| !argument.is_global_set());
    if !own.is_empty() {
        text.push_str(&format!("\n{own}"));
    }
    let (examples, notes) = examples(command);
    if !examples.is_empty() {
        let width = examples
            .iter()
            .map(|example| example.command.len())
            .max()
            .unwrap_or(0);
        text.push_str("\nExamples:\n\n```console\n");
        for example in examples {
            let line = format!("{:width$}  # {}", example.command, example.says);
            text.push_str(line.trim_end().trim_end_matches('#').trim_end());
            text.push('\n');
        }
        text.push_str("```\n");
    }
    if !notes.is_empty() {
        text.push_str(&format!("\n```text\n{notes}\n```\n"));
    }
    for sub in subcommands(command) {
        one_command(sub, &name, level + 1, text);
    }
}

/// Lines that are set in by hand, e.g. a table, as they are.
fn indented(about: &str) -> String {
    let lines = about.lines().map(|line| match line.strip_prefix("  ") {
        Some(_) => format!("    {}", line.trim_end()),
        None => line.trim_end().replace('<', "\\<"),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn flags(command: &Command, wanted: impl Fn(&clap::Arg) -> bool) -> String {
    let rows: String = command
        .get_arguments()
        .filter(|argument| {
            !argument.is_hide_set() && !["help", "version"].contains(&argument.get_id().as_str())
        })
        .filter(|argument| wanted(argument))
        .map(|argument| {
            let help = argument.get_long_help().or(argument.get_help());
            let help = help.map(ToString::to_string).unwrap_or_default();
            let values: Vec<String> = argument
                .get_possible_values()
                .iter()
                .filter(|value| !value.is_hide_set() && argument.get_action().takes_values())
                .map(|value| format!("`{}`", value.get_name()))
                .collect();
            let values = match values.is_empty() {
                true => String::new(),
                false => format!(" ({})", values.join(", ")),
            };
            format!(
                "| `{}` | {}{} |\n",
                cell(&written(argument)),
                cell(&help),
                cell(&values)
            )
        })
        .collect();
    if rows.is_empty() {
        return rows;
    }
    format!("| Flag | What it does |\n|---|---|\n{rows}")
}

/// `-o, --output <FORMAT>`, or the name of a positional argument.
fn written(argument: &clap::Arg) -> String {
    let mut parts = Vec::new();
    parts.extend(argument.get_short().map(|short| format!("-{short}")));
    parts.extend(argument.get_long().map(|long| format!("--{long}")));
    let mut text = parts.join(", ");
    if argument.get_action().takes_values() {
        let names = argument.get_value_names().unwrap_or_default();
        let names: Vec<String> = names.iter().map(|name| format!("<{name}>")).collect();
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&names.join(" "));
    }
    text
}

fn documents() -> String {
    let rows = shapes().into_iter().map(|shape| {
        let file = shape.short_name();
        format!(
            "| [`{}`](../schemas/{file}.json) | {} |\n",
            shape.name, shape.about
        )
    });
    format!(
        "{}{DOCUMENTS}\n| Schema | What it tells |\n|---|---|\n{}",
        title("Documents"),
        rows.collect::<String>()
    )
}

/// What programs can rely on in every document.
const DOCUMENTS: &str = "\
What `-o json`, `-o yaml`, `-o jsonl` and `--query` give to programs. `bpctl schema NAME` prints the JSON Schema of a document (draft
2020-12), `bpctl schema` lists them; the same files are in [docs/schemas](../schemas).

## What all of them have

- `schema`: name and number of the shape, e.g. `bpctl.fleet.list/1`.
- `context`, `account`, `region`: where the facts come from. `account` is null when AWS was not asked, or did not say which account it
  is; all three are null for what does not depend on a context, e.g. `bpctl version`. A member of the result of the same name wins: a run
  of `bpctl runs list` names the place in which it was.
- Times are RFC 3339 in UTC with whole seconds: `2026-01-15T08:55:00Z`. Durations are numbers whose name ends in `_seconds`.
- What may be absent is null; members that are left out instead are not `required` in the schema.
- States and kinds are words in kebab-case; words of AWS (`InService`, `INSUFFICIENT_DATA`) stay as AWS spells them.

## One document, or one a line

`-o json` and `-o yaml` write one document. `-o jsonl` writes each item of a list as a document of its own, in one line: the lines of
`bpctl fleet list -o jsonl` are `bpctl.fleet.list.item/1`, with the same `context`, `account` and `region`. An empty list is no line.
Documents without a list are written whole, in one line; so is every document under `--watch`, where a line is a change.

`--query` (JMESPath) is applied to the document as `-o json` writes it, and its result has no envelope.

## Errors

With `-o json` and `-o jsonl` an error is one line on stderr, `bpctl.error/1`; stdout is empty, or holds the result as far as there is one.
It names no place: a command line may be wrong before there is one.

## When the number changes

The number grows when a member goes away, gets another name or place, or changes its type or meaning. It does not grow when a member is
added, or when a list of words (states, codes, kinds) gets another one: programs pass over what they do not know. An item has the number of
its list. `bpctl schema NAME/NUMBER` ends with status 1 when this bpctl writes another number.

## All of them
";

fn settings() -> String {
    let mut text = title("Settings");
    text.push_str(
        "A flag beats the environment, that beats the context in `bpctl.toml`, that beats the default.\n\
         `bpctl config explain KEY` says which of them decided.\n\n\
         A context, and the file as a whole, may have a table `blueprint` beside these keys: what the templates are made from \
         that bpctl makes itself (`stack deploy` without `infra_dir`). That of the context lies on that of the file, key by \
         key: `preset` (`staging` or `production`), `sizes`, `domain`, `alert_email`, `monthly_budget_usd`, `owner`, `github`, \
         `fleets`.\n\n\
         ## Keys of a context\n\n| Key | Flag | Variables | Default | What it does |\n|---|---|---|---|---|\n",
    );
    for key in KEYS {
        let variables: Vec<String> = key.env.iter().map(|name| format!("`{name}`")).collect();
        text.push_str(&format!(
            "| `{}` | {} | {} | {} | {} |\n",
            key.name,
            key.flag.map_or("-".to_owned(), |flag| format!("`--{flag}`")),
            variables.join(", "),
            key.default.map_or("-".to_owned(), |value| format!("`{value}`")),
            cell(key.help)
        ));
    }
    text.push_str("\n## Variables\n\n| Variable | What it does |\n|---|---|\n");
    for (name, help) in variables() {
        let names: Vec<String> = name.split(", ").map(|name| format!("`{name}`")).collect();
        text.push_str(&format!("| {} | {} |\n", names.join(", "), cell(&help)));
    }
    text.push_str("\n## Files\n\n| File | What is in it |\n|---|---|\n");
    for (name, help) in files() {
        text.push_str(&format!("| `{name}` | {} |\n", cell(help)));
    }
    text
}

fn findings() -> String {
    let mut text = title("Findings of triage");
    text.push_str("`bpctl explain CODE` prints one of them. Codes never change their meaning.\n\n");
    text.push_str(&catalogue());
    text
}

fn exit_statuses() -> String {
    let mut text = title("Exit statuses");
    text.push_str("| Status | Meaning |\n|---|---|\n");
    for (code, meaning) in TABLE {
        text.push_str(&format!("| {code} | {meaning} |\n"));
    }
    text
}
