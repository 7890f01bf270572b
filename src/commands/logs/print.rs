//! Lines as they are shown: at once where they can be, as one document at the end where they cannot.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use jiff::Timestamp;

use super::observe::Place;
use super::view::{LogLine, LogLines, task_stream};
use crate::context::Ctx;
use crate::error::Result;
use crate::logs::{Level, Line, Listener, Source, readable};
use crate::output::OutputFormat;
use crate::redact::redact;
use crate::ui::{Role, mute, paint, strip_controls, tint};

/// Letters of a task's id that tell it from others.
const SHORT: usize = 8;

/// The longest origin that others are set in line with.
const WIDEST: usize = 40;

/// Where lines go.
pub(super) struct Output<'a> {
    ctx: &'a Ctx,
    sources: &'a [Source],
    style: Style,
    /// The newest lines of the past, while only so many are wanted.
    newest: Option<(usize, VecDeque<Line>)>,
    /// Lines that go into one document at the end.
    document: Option<LogLines>,
    any: bool,
}

/// How a line is shown to people.
struct Style {
    color: bool,
    github: bool,
    raw: bool,
    wide: bool,
    timestamps: bool,
    /// Several groups are shown as one.
    labels: bool,
    width: usize,
    /// The origin of the last line, which most often is that of the next one.
    last: Option<(usize, Arc<str>, String)>,
}

impl<'a> Output<'a> {
    pub(super) fn new(ctx: &'a Ctx, place: &'a Place, max: Option<usize>, timestamps: bool) -> Self {
        let format = ctx.output.format;
        let streamed = matches!(
            format,
            OutputFormat::Table | OutputFormat::Wide | OutputFormat::Raw | OutputFormat::Jsonl
        );
        let groups = |source: &Source| source.group != place.sources[0].group;
        Self {
            ctx,
            sources: &place.sources,
            style: Style {
                color: ctx.ui.colors_result(),
                github: ctx.ui.is_github(),
                raw: format == OutputFormat::Raw,
                wide: format == OutputFormat::Wide,
                timestamps: timestamps || format == OutputFormat::Wide,
                labels: place.sources.iter().any(groups),
                width: 0,
                last: None,
            },
            newest: max.map(|max| (max, VecDeque::new())),
            document: (!streamed || ctx.output.query.is_some()).then(LogLines::default),
            any: false,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.any
    }

    /// Lines of the past; whether more are wanted.
    pub(super) fn take(&mut self, lines: Vec<Line>) -> Result<bool> {
        self.any |= !lines.is_empty();
        if let Some((max, newest)) = &mut self.newest {
            newest.extend(lines);
            let surplus = newest.len().saturating_sub(*max);
            newest.drain(..surplus);
            return Ok(true);
        }
        self.show(&lines)
    }

    /// The past is over.
    fn newest(&mut self) -> Result<bool> {
        match self.newest.take() {
            Some((_, newest)) => self.show(&Vec::from(newest)),
            None => Ok(true),
        }
    }

    /// Nothing comes any more.
    pub(super) fn end(&mut self) -> Result<()> {
        self.newest()?;
        match self.document.take() {
            Some(document) => self.ctx.emit(&document),
            None => Ok(()),
        }
    }

    fn show(&mut self, lines: &[Line]) -> Result<bool> {
        let source = |line: &Line| &self.sources[line.source];
        if let Some(document) = &mut self.document {
            document
                .lines
                .extend(lines.iter().map(|line| LogLine::new(line, source(line))));
            return Ok(true);
        }
        let text = if self.ctx.output.format == OutputFormat::Jsonl {
            let lines = lines.iter().map(|line| LogLine::new(line, source(line)));
            self.ctx.render(&LogLines {
                lines: lines.collect(),
            })?
        } else {
            let mut text = String::with_capacity(lines.len() * 160);
            self.style.set_in_line(lines, self.sources);
            for line in lines {
                self.style.write(&mut text, line, source(line));
            }
            text
        };
        self.ctx.ui.stream(&text)
    }
}

impl Listener for Output<'_> {
    fn backlog(&mut self, lines: Vec<Line>) -> Result<bool> {
        self.take(lines)
    }

    fn backlog_is_over(&mut self) -> Result<bool> {
        self.newest()
    }

    fn lines(&mut self, lines: Vec<Line>) -> Result<bool> {
        self.any = true;
        self.show(&lines)
    }

    fn says(&mut self, text: &str) {
        self.ctx.ui.status(text);
    }
}

impl Style {
    fn write(&mut self, out: &mut String, line: &Line, source: &Source) {
        let message = redact(&line.event.message);
        let message = message.trim_end_matches(['\n', '\r']);
        if self.raw {
            out.push_str(&self.harmless(message));
            out.push('\n');
            return;
        }
        let time = if self.timestamps {
            let time = Timestamp::from_millisecond(line.event.at).unwrap_or(Timestamp::UNIX_EPOCH);
            let time = time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ ").to_string();
            paint(self.color, Role::Dim, &time)
        } else {
            String::new()
        };
        // Members have other neighbours when they are told as pairs: what they hold is looked at once more.
        let (level, text) = match readable(message) {
            Some((level, text)) => (level, Cow::Owned(redact(&text).into_owned())),
            None => (level_of(message), Cow::Borrowed(message)),
        };
        let text = self.harmless(&text);
        let color = self.color;
        let origin = self.origin(line, source);
        for text in text.split('\n') {
            out.push_str(&time);
            out.push_str(origin);
            match level {
                Level::Error => out.push_str(&paint(color, Role::Error, text)),
                Level::Warning => out.push_str(&paint(color, Role::Warning, text)),
                Level::Other => out.push_str(text),
            }
            out.push('\n');
        }
    }

    /// Makes room for the widest origin of these lines.
    fn set_in_line(&mut self, lines: &[Line], sources: &[Source]) {
        if self.raw {
            return;
        }
        let mut last = None;
        for line in lines {
            let of = Some((line.source, &line.event.stream));
            if last != of {
                last = of;
                let width = self.name(line, &sources[line.source]).chars().count();
                self.width = self.width.max(width.min(WIDEST));
            }
        }
        self.last = None;
    }

    /// `php-fpm/0af1b2c3`, with the service in front where there are several.
    fn name(&self, line: &Line, source: &Source) -> String {
        let stream = &line.event.stream;
        let short = match task_stream(stream) {
            Some((container, task)) if !self.wide => {
                format!("{container}/{}", task.get(..SHORT).unwrap_or(task))
            }
            _ => stream.to_string(),
        };
        let name = if self.labels {
            format!("{} {short}", source.label)
        } else {
            short
        };
        self.harmless(&name).replace('\n', " ")
    }

    /// The name in the stream's colour, in line with others.
    fn origin(&mut self, line: &Line, source: &Source) -> &str {
        let stream = &line.event.stream;
        let known = self
            .last
            .as_ref()
            .is_some_and(|(of, last, _)| *of == line.source && last == stream);
        if !known {
            let name = self.name(line, source);
            self.width = self.width.max(name.chars().count().min(WIDEST));
            let mut hasher = DefaultHasher::new();
            stream.hash(&mut hasher);
            let padded = format!("{name:<width$} | ", width = self.width);
            let painted = tint(self.color, hasher.finish(), &padded);
            self.last = Some((line.source, Arc::clone(stream), painted));
        }
        self.last.as_ref().map_or("", |(_, _, origin)| origin.as_str())
    }

    fn harmless<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let text = strip_controls(text);
        if self.github {
            Cow::Owned(mute(&text))
        } else {
            text
        }
    }
}

/// What Laravel and nginx say of a line: `local.ERROR:`, `[error]`.
fn level_of(message: &str) -> Level {
    let head = message.get(..message.len().min(100)).unwrap_or_default();
    let words = [
        "ERROR:",
        "CRITICAL:",
        "ALERT:",
        "EMERGENCY:",
        "[error]",
        "[crit]",
        "[alert]",
        "[emerg]",
    ];
    if words.iter().any(|word| head.contains(word)) {
        Level::Error
    } else if ["WARNING:", "[warn]", "WARN "]
        .iter()
        .any(|word| head.contains(word))
    {
        Level::Warning
    } else {
        Level::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::logs::Event;

    const TASK: &str = "0123456789abcdef0123456789abcdef";

    fn style() -> Style {
        Style {
            color: false,
            github: false,
            raw: false,
            wide: false,
            timestamps: false,
            labels: false,
            width: 0,
            last: None,
        }
    }

    fn shown(style: &mut Style, stream: &str, message: &str) -> String {
        let line = Line {
            source: 0,
            event: Event {
                at: 1_768_467_600_123,
                ingested: 1_768_467_601_000,
                stream: stream.into(),
                message: message.to_owned(),
            },
        };
        let source = Source {
            group: "/ecs/bp-backend".to_owned(),
            prefix: None,
            label: "backend".to_owned(),
        };
        let mut out = String::new();
        style.write(&mut out, &line, &source);
        out
    }

    #[test]
    fn a_line_says_where_it_comes_from_and_keeps_its_parts_together() {
        let mut style = style();
        let php = format!("php/php-fpm/{TASK}");
        assert_eq!(
            shown(&mut style, &php, "a\n#0 b\n"),
            "php-fpm/01234567 | a\nphp-fpm/01234567 | #0 b\n"
        );
        assert_eq!(
            shown(&mut style, &format!("nginx/nginx/{TASK}"), "x"),
            "nginx/01234567   | x\n"
        );
        assert_eq!(shown(&mut style, "i-0123", "x"), "i-0123           | x\n");
        style.timestamps = true;
        style.labels = true;
        assert_eq!(
            shown(&mut style, "i-01234", "x"),
            "2026-01-15T09:00:00.123Z backend i-01234  | x\n"
        );
    }

    #[test]
    fn secrets_and_controls_go_whatever_the_form() {
        let json =
            r#"{"message":"login","context":{"password":"hunter22","user":"ann"},"level_name":"INFO"}"#;
        let mut style = style();
        let text = shown(&mut style, "s", json);
        assert_eq!(text, "s | INFO login password=[redacted] user=ann\n");
        style.raw = true;
        let text = shown(&mut style, "s", "DB_PASSWORD=hunter22 \u{1b}[2Jx\r");
        assert_eq!(text, "DB_PASSWORD=[redacted] x\n");
        style.github = true;
        assert_eq!(shown(&mut style, "s", "::error::x"), "| ::error::x\n");
    }

    #[test]
    fn grave_lines_have_their_colour() {
        assert_eq!(
            level_of("[2026-01-15 09:00:00] production.ERROR: x"),
            Level::Error
        );
        assert_eq!(level_of("2026/01/15 09:00:00 [warn] 1#1: x"), Level::Warning);
        assert_eq!(level_of("GET / 200"), Level::Other);
        let mut style = style();
        style.color = true;
        assert!(shown(&mut style, "s", "production.ERROR: x").contains("\u{1b}["));
    }
}
