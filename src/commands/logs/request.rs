//! What the operator asked for, checked before AWS is asked.

use std::time::Duration;

use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use jiff::Timestamp;

use crate::error::{CommandLine, CtlError, Result};
use crate::layout::{App, FleetName, Layout};
use crate::output::{OutputFormat, OutputSpec};
use crate::tasks::TaskName;

/// How far back without `--since`.
const USUAL: Duration = Duration::from_secs(10 * 60);

/// The longest filter pattern (API reference of FilterLogEvents).
const LONGEST_PATTERN: usize = 1_024;

/// Which lines to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    /// Without repetitions, in the order given.
    pub(super) targets: Vec<Target>,
    /// Empty: all.
    pub(super) containers: Vec<String>,
    /// A filter pattern of CloudWatch Logs.
    pub(super) pattern: Option<String>,
    /// The task that stopped last.
    pub(super) previous: bool,
    /// When `--since` says.
    pub(super) since: Option<Timestamp>,
    /// From when without `--since`.
    pub(super) usual: Timestamp,
    pub(super) until: Option<Timestamp>,
}

/// Whose lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    App(App),
    Fleet(FleetName),
    Task(TaskName),
    Group(String),
}

/// A point in time as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    Ago(Duration),
    At(Timestamp),
}

impl When {
    fn on(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ago(ago) => now.checked_sub(ago).unwrap_or(Timestamp::UNIX_EPOCH),
            Self::At(time) => time,
        }
    }
}

/// For `clap`.
pub(super) fn when(text: &str) -> Result<When, String> {
    if let Ok(ago) = humantime::parse_duration(text) {
        return Ok(When::Ago(ago));
    }
    text.parse().map(When::At).map_err(|_| {
        "write how long ago, e.g. `10m` or `2h`, or a time, e.g. `2026-01-15T09:00:00Z`".to_owned()
    })
}

/// Words that the shell offers.
pub(super) fn candidates() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        ["backend", "frontend", "fleet", "task", "group"]
            .into_iter()
            .map(CompletionCandidate::new)
            .collect()
    })
}

/// The flags that [`Request`] is made from.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flags<'a> {
    pub(super) what: &'a [String],
    pub(super) containers: &'a [String],
    pub(super) grep: Option<&'a str>,
    pub(super) filter_pattern: Option<&'a str>,
    pub(super) previous: bool,
    pub(super) follow: bool,
    pub(super) since: Option<When>,
    pub(super) until: Option<When>,
}

impl Request {
    /// # Errors
    /// Words that name nothing, flags that do not go together, times in the wrong order.
    pub(super) fn new(flags: &Flags<'_>, output: &OutputSpec, now: Timestamp) -> Result<Self> {
        let targets = targets(flags.what)?;
        let apps: Vec<App> = targets
            .iter()
            .filter_map(|target| match target {
                Target::App(app) => Some(*app),
                _ => None,
            })
            .collect();
        if flags.previous && apps.len() != targets.len() {
            return Err(CtlError::usage(
                "show the task that stopped last: `--previous` goes with `backend` and `frontend` alone",
            )
            .hint((
                "name the task instead:",
                CommandLine::bpctl(["logs", "task", "ID"]),
            )));
        }
        check_containers(flags.containers, &targets, &apps)?;
        if flags.follow {
            check_output(output)?;
        }
        let since = flags.since.map(|since| since.on(now));
        let until = flags.until.map(|until| until.on(now));
        if since.is_some_and(|since| since > now) {
            return Err(CtlError::usage("read the logs: `--since` lies in the future")
                .hint("times are in UTC: a clock that shows local time is ahead or behind"));
        }
        let usual = When::Ago(USUAL).on(until.unwrap_or(now).min(now));
        if let Some(until) = until
            && since.unwrap_or(usual) >= until
        {
            return Err(CtlError::usage("read the logs: `--until` is not after `--since`")
                .hint("`--since 2h --until 1h` shows the hour before the last one"));
        }
        Ok(Self {
            targets,
            containers: flags.containers.to_vec(),
            pattern: pattern(flags)?,
            previous: flags.previous,
            since,
            usual,
            until,
        })
    }
}

fn targets(words: &[String]) -> Result<Vec<Target>> {
    let mut targets = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut named = |what: &str| {
            words.next().ok_or_else(|| {
                CtlError::usage(format!("read the logs of a {word}: {what} is missing")).hint((
                    "write it behind the word:",
                    CommandLine::bpctl(["logs", word, "NAME"]),
                ))
            })
        };
        let target = match word.as_str() {
            "backend" => Target::App(App::Backend),
            "frontend" => Target::App(App::Frontend),
            "fleet" => {
                let name = named("its name")?;
                Target::Fleet(name.parse().map_err(|error| {
                    CtlError::usage(format!("read the logs of fleet `{name}`"))
                        .source(&error)
                        .hint((
                            "see the fleets of this context with",
                            CommandLine::bpctl(["fleet", "list"]),
                        ))
                })?)
            }
            "task" => {
                let name = named("its id")?;
                Target::Task(name.parse().map_err(|error: String| {
                    CtlError::usage(format!("read the logs of a task: {error}"))
                        .hint(("see the tasks with", CommandLine::bpctl(["task", "list"])))
                })?)
            }
            "group" => {
                let name = named("its name")?;
                if !is_group(name) {
                    return Err(CtlError::usage(format!(
                        "read the log group `{name}`: a name has 1 to 512 letters, digits and any of `_-/.#`"
                    ))
                    .hint("it is the name, e.g. `/ecs/bp-backend`, not the ARN"));
                }
                Target::Group(name.clone())
            }
            other => return Err(unknown(other)),
        };
        if !targets.contains(&target) {
            targets.push(target);
        }
    }
    if targets.is_empty() {
        targets.push(Target::App(App::Backend));
    }
    Ok(targets)
}

/// A word that is none of ours, with what it may be.
fn unknown(word: &str) -> CtlError {
    let error = CtlError::usage(format!("read the logs of `{word}`: that is no word for logs"));
    let known = [App::Backend, App::Frontend]
        .into_iter()
        .any(|app| Layout::containers(app).contains(&word));
    if known {
        return error.hint(format!("containers are chosen with `--container {word}`"));
    }
    if word.parse::<TaskName>().is_ok() {
        return error.hint(("for a task write", CommandLine::bpctl(["logs", "task", word])));
    }
    if word.starts_with('/') {
        return error.hint((
            "for a log group write",
            CommandLine::bpctl(["logs", "group", word]),
        ));
    }
    error.hint("write backend, frontend, fleet FLEET, task ID or group NAME")
}

/// API reference of CreateLogGroup.
fn is_group(name: &str) -> bool {
    (1..=512).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-/.#".contains(&byte))
}

fn check_containers(containers: &[String], targets: &[Target], apps: &[App]) -> Result<()> {
    let Some(first) = containers.first() else {
        return Ok(());
    };
    if targets
        .iter()
        .any(|target| matches!(target, Target::Fleet(_) | Target::Group(_)))
    {
        return Err(CtlError::usage(format!(
            "choose container `{first}`: fleets and log groups have no containers"
        ))
        .hint("leave out `--container`, or the fleets and groups"));
    }
    // What a task has is only known when its definition has been read.
    if apps.len() < targets.len() {
        return Ok(());
    }
    let known: Vec<&str> = apps
        .iter()
        .flat_map(|app| Layout::containers(*app))
        .copied()
        .collect();
    match containers.iter().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => Err(
            CtlError::usage(format!("choose container `{name}`: there is none of that name"))
                .hint(format!("there are {}", known.join(", "))),
        ),
    }
}

/// What comes bit by bit cannot be one document.
fn check_output(output: &OutputSpec) -> Result<()> {
    let bit_by_bit = matches!(
        output.format,
        OutputFormat::Table | OutputFormat::Wide | OutputFormat::Raw | OutputFormat::Jsonl
    );
    if bit_by_bit && output.query.is_none() {
        return Ok(());
    }
    Err(
        CtlError::usage("follow the logs: what comes bit by bit is no single document")
            .hint("use `-o jsonl`, which writes a document for each line, and filter that"),
    )
}

/// The filter pattern, made from a text where none was given.
fn pattern(flags: &Flags<'_>) -> Result<Option<String>> {
    let pattern = match (flags.filter_pattern, flags.grep) {
        (Some(pattern), _) => Some(pattern.to_owned()),
        // A phrase between quotation marks ("Filter pattern syntax").
        (None, Some(text)) => Some(format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))),
        (None, None) => None,
    };
    let pattern = pattern.filter(|pattern| !pattern.trim_matches(['"', ' ']).is_empty());
    match &pattern {
        Some(long) if long.chars().count() > LONGEST_PATTERN => Err(CtlError::usage(format!(
            "filter the lines: a pattern has at most {LONGEST_PATTERN} letters"
        ))
        .hint("use a shorter text")),
        _ => Ok(pattern),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TASK: &str = "0123456789abcdef0123456789abcdef";

    fn now() -> Timestamp {
        "2026-01-15T09:00:00Z".parse().unwrap()
    }

    fn request(words: &str, flags: &Flags<'_>) -> Result<Request> {
        let what: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        let flags = Flags {
            what: &what,
            ..*flags
        };
        Request::new(&flags, &OutputSpec::default(), now())
    }

    fn refused(words: &str, flags: &Flags<'_>) -> String {
        let error = request(words, flags).unwrap_err();
        assert_eq!(error.exit_status().code(), 2, "{error}");
        let hints: Vec<String> = error
            .hints()
            .iter()
            .map(|hint| hint.in_place(&crate::error::Place::default()).to_string())
            .collect();
        format!("{error} {}", hints.join(" "))
    }

    #[test]
    fn words_name_services_fleets_tasks_and_groups_once() {
        let named = |words: &str| request(words, &Flags::default()).unwrap().targets;
        assert_eq!(named(""), [Target::App(App::Backend)]);
        assert_eq!(
            named(&format!(
                "frontend fleet production/gpu-default task {TASK} group /x frontend"
            )),
            [
                Target::App(App::Frontend),
                Target::Fleet("production/gpu-default".parse().unwrap()),
                Target::Task(TASK.parse().unwrap()),
                Target::Group("/x".to_owned()),
            ]
        );
        for (words, said) in [
            ("php-fpm", "`--container php-fpm`"),
            ("/ecs/bp-backend", "`bpctl logs group /ecs/bp-backend`"),
            (TASK, "`bpctl logs task 0123456789abcdef0123456789abcdef`"),
            ("backned", "write backend"),
            ("fleet", "its name is missing"),
            ("task latest", "is not a task"),
            ("group arn:aws:logs:x", "not the ARN"),
        ] {
            let refused = refused(words, &Flags::default());
            assert!(refused.contains(said), "{words}: {refused}");
        }
    }

    #[test]
    fn containers_are_those_of_the_services_that_were_named() {
        let flags = |containers| Flags {
            containers,
            ..Flags::default()
        };
        let php = ["php-fpm".to_owned()];
        assert_eq!(request("backend", &flags(&php)).unwrap().containers, php);
        let other = ["x".to_owned()];
        assert!(request(&format!("task {TASK}"), &flags(&other)).is_ok());
        assert!(refused("frontend", &flags(&php)).contains("there are nextjs"));
        assert!(refused("fleet gpu-default", &flags(&php)).contains("no containers"));
    }

    #[test]
    fn a_text_becomes_a_phrase_and_a_pattern_stays() {
        let of = |grep, filter_pattern| {
            let flags = Flags {
                grep,
                filter_pattern,
                ..Flags::default()
            };
            request("", &flags).map(|request| request.pattern)
        };
        assert_eq!(
            of(Some("a \"b\" \\c"), None).unwrap().as_deref(),
            Some(r#""a \"b\" \\c""#)
        );
        assert_eq!(
            of(None, Some("?ERROR ?WARN")).unwrap().as_deref(),
            Some("?ERROR ?WARN")
        );
        assert_eq!(of(Some(""), None).unwrap(), None);
        assert!(of(Some(&"x".repeat(1_030)), None).is_err());
    }

    #[test]
    fn times_are_ago_or_absolute_and_in_order() {
        assert_eq!(when("2h"), Ok(When::Ago(Duration::from_secs(7_200))));
        assert_eq!(
            when("2026-01-15T08:00:00Z").map(|when| when.on(now())),
            when("1h").map(|when| when.on(now()))
        );
        assert!(when("yesterday").is_err() && when("10").is_err());
        let between = |since: Option<&str>, until: Option<&str>| {
            let flags = Flags {
                since: since.map(|text| when(text).unwrap()),
                until: until.map(|text| when(text).unwrap()),
                ..Flags::default()
            };
            request("", &flags)
        };
        let hour = between(Some("2h"), Some("1h")).unwrap();
        assert_eq!(hour.since.unwrap().to_string(), "2026-01-15T07:00:00Z");
        // Without a beginning: the ten minutes before the end.
        assert_eq!(
            between(None, Some("1h")).unwrap().usual.to_string(),
            "2026-01-15T07:50:00Z"
        );
        assert!(between(Some("1h"), Some("2h")).is_err());
        assert!(between(Some("2026-01-15T10:00:00Z"), None).is_err());
    }

    #[test]
    fn what_comes_bit_by_bit_is_no_document() {
        let follow = |format, query: Option<&str>| {
            let output = OutputSpec {
                format,
                query: query.map(str::to_owned),
            };
            let flags = Flags {
                follow: true,
                ..Flags::default()
            };
            Request::new(&flags, &output, now()).is_ok()
        };
        assert!(follow(OutputFormat::Table, None) && follow(OutputFormat::Jsonl, None));
        assert!(!follow(OutputFormat::Json, None) && !follow(OutputFormat::Jsonl, Some("message")));
    }

    #[test]
    fn the_previous_task_is_a_services() {
        let flags = Flags {
            previous: true,
            ..Flags::default()
        };
        assert!(request("backend frontend", &flags).is_ok());
        assert!(refused("group /x", &flags).contains("--previous"));
    }
}
