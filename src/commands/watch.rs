//! `--watch`: looks again and again and shows what has changed, until Ctrl-C.

use std::collections::BTreeSet;
use std::time::Duration;

use clap::Args;
use serde_json::Value;

use crate::context::Ctx;
use crate::error::{ErrorKind, Result};
use crate::exit::ExitStatus;
use crate::output::{OutputFormat, Render};

/// Looks that fail in a row before a watch gives up.
const PATIENCE: u32 = 5;

/// Flags of verbs that can go on looking.
#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    /// Look again and again, and show what changes, until Ctrl-C
    #[arg(short, long)]
    watch: bool,

    /// How long to wait between two looks
    #[arg(long, value_name = "DURATION", default_value = "5s", requires = "watch", value_parser = every)]
    every: Duration,
}

/// Shorter pauses would use up the rates of the APIs.
fn every(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(every) if every >= Duration::from_secs(1) => Ok(every),
        _ => Err("write e.g. `5s` or `1m`, at least one second".to_owned()),
    }
}

impl WatchArgs {
    pub(crate) fn is_on(&self) -> bool {
        self.watch
    }
}

/// Shows what `look` finds, and again whenever it finds something else.
///
/// On a terminal the screen is drawn anew, with a mark at each line that has changed. Elsewhere the result is
/// written again: in `jsonl` one whole document a line.
///
/// # Errors
/// The first look's; later one that cannot pass, or more than a few in a row; a stdout that cannot be written.
pub(crate) async fn watch<R: Render>(
    ctx: &Ctx,
    args: &WatchArgs,
    look: impl AsyncFn() -> Result<R>,
) -> Result<ExitStatus> {
    let mut screen = Screen::default();
    let mut failed = 0;
    loop {
        match look().await {
            Ok(result) => {
                failed = 0;
                screen.show(ctx, args.every, &result)?;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(ExitStatus::Interrupted),
            Err(error) if screen.is_blank() || failed == PATIENCE || !passes(error.kind()) => {
                return Err(error);
            }
            Err(error) => {
                failed += 1;
                ctx.ui.warn(&format!("failed to {error}; looking again"));
            }
        }
        tokio::select! {
            () = ctx.cancel.cancelled() => return Ok(ExitStatus::Interrupted),
            () = ctx.clock.sleep(args.every) => {}
        }
    }
}

/// Whether the next look may well succeed.
fn passes(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Throttled | ErrorKind::Unreachable)
}

/// What was shown last.
#[derive(Default)]
struct Screen {
    /// What decides whether something has changed: the text, or the document without its time.
    last: Option<String>,
}

impl Screen {
    fn is_blank(&self) -> bool {
        self.last.is_none()
    }

    fn show<R: Render>(&mut self, ctx: &Ctx, every: Duration, result: &R) -> Result<()> {
        let (text, what) = if ctx.output.format == OutputFormat::Jsonl && ctx.output.query.is_none() {
            let mut document = ctx.document(result)?;
            let text = ctx.document_line(result)?;
            // The time of the look is new each time and is no change.
            if let Some(members) = document.as_object_mut() {
                members.remove("at");
            }
            forget_ages(&mut document);
            (text, document.to_string())
        } else {
            let text = ctx.render(result)?;
            (text.clone(), without_time(&text))
        };
        let before = self.last.replace(what.clone());
        if before.as_ref() == Some(&what) {
            return Ok(());
        }
        if !self.redraws(ctx) {
            return ctx.ui.result(&text);
        }
        let now = ctx.clock.now().strftime("%H:%M:%SZ");
        let place = &ctx.settings.context.value;
        // Home, and everything below it gone: the lines above stay in the terminal's memory.
        ctx.ui.result(&format!(
            "\u{1b}[H\u{1b}[2Jcontext {place}, every {}, changed at {now}\n\n{}",
            humantime::format_duration(every),
            marked(before.as_deref(), &text)
        ))
    }

    fn redraws(&self, ctx: &Ctx) -> bool {
        let for_people = matches!(
            ctx.output.format,
            OutputFormat::Table | OutputFormat::Wide | OutputFormat::Name
        );
        for_people && ctx.ui.width().is_some()
    }
}

/// Takes out how old things were at the look: that everything has become older is no change.
fn forget_ages(value: &mut Value) {
    match value {
        Value::Object(members) => {
            // The time of a reading stands beside its age, and is new with every reading of the same value.
            if members.remove("age_seconds").is_some() {
                members.remove("at");
            }
            members.values_mut().for_each(forget_ages);
        }
        Value::Array(values) => values.iter_mut().for_each(forget_ages),
        _ => {}
    }
}

/// A text without the lines that say when it was made and how old something is, and without ages in sentences.
fn without_time(text: &str) -> String {
    let is_time = |line: &&str| {
        let line = line.trim_start();
        ["\"at\": ", "at: ", "\"age_seconds\": ", "age_seconds: "]
            .iter()
            .any(|start| line.starts_with(start))
    };
    text.lines()
        .filter(|line| !is_time(line))
        .map(|line| without_ages(line) + "\n")
        .collect()
}

/// `queue 3 (31s ago)` and `since 5 min ago` without the numbers.
fn without_ages(line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let is_ago = |word: &&str| word.trim_end_matches([',', ')', ';', '.']) == "ago";
    let is_number = |word: &str| {
        word.trim_start_matches('(')
            .starts_with(|c: char| c.is_ascii_digit())
    };
    let is_unit = |word: &&str| ["s", "min", "h", "d"].contains(word);
    let kept = words.iter().enumerate().filter(|(at, word)| {
        let next = words.get(at + 1);
        let whole = is_number(word) && next.is_some_and(is_ago);
        let number = is_number(word) && next.is_some_and(is_unit) && words.get(at + 2).is_some_and(is_ago);
        let unit = is_unit(word) && next.is_some_and(is_ago);
        !(whole || number || unit || is_age_cell(&words, *at))
    });
    // Columns grow with the ages in them: blanks between words say nothing.
    let kept = kept.map(|(_, word)| *word).filter(|word| !word.is_empty());
    kept.collect::<Vec<_>>().join(" ")
}

/// Whether a word is a cell of a table that says how old something is: `38s`, `5m`, `3h`, `12d`.
fn is_age_cell(words: &[&str], at: usize) -> bool {
    let alone = at > 0 && words[at - 1].is_empty() && words.get(at + 1).is_none_or(|next| next.is_empty());
    let number = words[at].strip_suffix(['s', 'm', 'h', 'd']);
    alone
        && number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The lines, with a mark before each that was not there before.
fn marked(before: Option<&str>, text: &str) -> String {
    let known: Option<BTreeSet<&str>> = before.map(|before| before.lines().collect());
    text.lines()
        .map(|line| {
            let plain = without_ages(line);
            let is_new = known
                .as_ref()
                .is_some_and(|known| !known.contains(plain.as_str()));
            let mark = if is_new && !line.is_empty() { "* " } else { "  " };
            format!("{mark}{line}\n")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_is_marked_and_nothing_is_at_first() {
        assert_eq!(marked(None, "A\nb 1\n"), "  A\n  b 1\n");
        assert_eq!(marked(Some("A\nb 1\n"), "A\n\nb 2\n"), "  A\n  \n* b 2\n");
    }

    #[test]
    fn the_time_of_a_look_is_no_change() {
        let document = |at: u8| format!("{{\n  \"at\": \"{at}\",\n  \"x\": 1\n}}\n");
        assert_eq!(without_time(&document(1)), without_time(&document(2)));
    }

    #[test]
    fn that_things_become_older_is_no_change() {
        let text = |age: &str| format!("queue 3 ({age} ago), since {age} ago\n  \"age_seconds\": {age},\n");
        assert_eq!(without_time(&text("31s")), without_time(&text("2m")));
        assert_eq!(without_time(&text("5 min")), without_time(&text("9 min")));
        assert_ne!(
            without_time("queue 3 (1s ago)\n"),
            without_time("queue 4 (1s ago)\n")
        );
        let mut reading =
            serde_json::json!({"queue": [{"value": 3, "age_seconds": 31, "at": "x"}], "since": "y"});
        forget_ages(&mut reading);
        assert_eq!(
            reading,
            serde_json::json!({"queue": [{"value": 3}], "since": "y"})
        );
        assert_eq!(
            marked(Some("queue 3 ago)\n"), "queue 3 (7s ago)\n"),
            "  queue 3 (7s ago)\n"
        );
    }

    #[test]
    fn ages_in_columns_are_no_change_and_other_cells_are() {
        let row = |name: &str, age: &str| format!("NAME  AGE   STATE\n{name:<6}{age:<6}running\n");
        assert_eq!(without_time(&row("a", "38s")), without_time(&row("a", "119s")));
        assert_eq!(without_time("a  5m\n"), without_time("a  12d\n"));
        assert_ne!(without_time(&row("a", "38s")), without_time(&row("b", "38s")));
        assert_ne!(without_time("in 5m for x\n"), without_time("in 6m for x\n"));
    }

    #[test]
    fn a_pause_is_a_second_at_least() {
        assert!(every("1s").is_ok() && every("2m").is_ok());
        assert!(every("0s").is_err() && every("10ms").is_err() && every("x").is_err());
    }
}
