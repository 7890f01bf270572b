//! Text from outside bpctl, made harmless for every place where bpctl shows it: terminals, GitHub's runner,
//! JSON and YAML. What AWS returns may hold anything that a container, a tenant or a template put there.
//!
//! Text for people loses what cannot be seen; documents keep it as escapes.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether `c` moves the cursor, starts a command of the terminal, or changes the order or look of its neighbours
/// without being seen (Unicode Technical Report 36, "Unicode Security Considerations"). Tab and newline do not count.
fn is_hazard(c: char) -> bool {
    match c {
        '\t' | '\n' => false,
        // Soft hyphen, Mongolian vowel separator, zero-width space, byte order mark.
        '\u{ad}' | '\u{180e}' | '\u{200b}' | '\u{feff}' => true,
        // Marks, embeddings, overrides and isolates of the bidirectional algorithm.
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        // Line and paragraph separators; invisible operators.
        '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{2064}' => true,
        // Tags: a second, invisible ASCII.
        '\u{e0000}'..='\u{e007f}' => true,
        _ => c.is_control(),
    }
}

/// `text` without escape sequences and without [hazards](is_hazard); borrowed when there are none.
pub(crate) fn strip_controls(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hazard) {
        return Cow::Borrowed(text);
    }
    let text = anstream::adapter::strip_str(text).to_string();
    Cow::Owned(text.chars().filter(|c| !is_hazard(*c)).collect())
}

/// The same on one line.
pub(crate) fn one_line(text: &str) -> String {
    strip_controls(text).replace(['\n', '\t'], " ")
}

/// Text that bpctl has coloured itself: nothing but colours and weights is left of its escape sequences.
pub(crate) fn keep_colors(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hazard) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        out.push_str(&strip_controls(&rest[..at]));
        rest = &rest[at..];
        match color(rest) {
            Some(length) => {
                out.push_str(&rest[..length]);
                rest = &rest[length..];
            }
            // The sequence goes as a whole, up to the next one.
            None => {
                let next = rest[1..].find('\u{1b}').map_or(rest.len(), |at| at + 1);
                out.push_str(&strip_controls(&rest[..next]));
                rest = &rest[next..];
            }
        }
    }
    out.push_str(&strip_controls(rest));
    Cow::Owned(out)
}

/// The length of a sequence that sets a colour or a weight; blinking and concealed text are neither.
fn color(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\u{1b}[")?;
    let length = parameters
        .bytes()
        .take_while(|byte| byte.is_ascii_digit() || *byte == b';')
        .count();
    let (parameters, end) = parameters.split_at(length);
    let hidden = !parameters.starts_with(['3', '4'])
        && parameters
            .split(';')
            .any(|parameter| matches!(parameter, "5" | "6" | "8"));
    (end.starts_with('m') && !hidden).then_some(2 + length + 1)
}

/// Keeps lines from being read as commands by GitHub's runner: it takes a line that begins with `::`
/// (blanks before it do not count) for one, and `##[…]` anywhere in a line (actions/runner,
/// `ActionCommand.TryParseV2` and `TryParse`). The runner reads stdout as well as stderr.
pub(crate) fn mute(text: &str) -> String {
    let muted = |line: &str| {
        let line = line.replace("##[", "## [");
        if line.trim_start().starts_with("::") {
            format!("| {line}")
        } else {
            line
        }
    };
    text.split('\n').map(muted).collect::<Vec<_>>().join("\n")
}

/// A JSON text in which hazards are escapes; it holds the same document. For GitHub's runner also `##[`.
pub(crate) fn json(text: String, github: bool) -> String {
    let runner = github && text.contains("##[");
    if !runner && !text.contains(is_hazard) {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        // Outside of strings JSON has none of them.
        if is_hazard(c) {
            escape(&mut out, c)
        } else {
            out.push(c)
        }
    }
    if runner {
        out = out.replace("##[", "#\\u0023[");
    }
    out
}

fn escape(out: &mut String, c: char) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        // Writing to a String cannot fail.
        let _ = write!(out, "\\u{unit:04x}");
    }
}

/// Stands around the number of a character in a YAML string until [`yaml`] writes it. It makes the emitter
/// put the string between double quotes, where escapes have their meaning.
const MARK: char = '\u{1}';

/// The mark as the emitter writes it.
const WRITTEN: &str = "\\x01";

/// A string for the YAML emitter: hazards are marked.
pub(crate) fn for_yaml(text: &str, github: bool) -> Cow<'_, str> {
    let command =
        github && (text.contains("##[") || text.lines().any(|line| line.trim_start().starts_with("::")));
    // What looks like a written mark is marked itself.
    if !command && !text.contains(is_hazard) && !text.contains(WRITTEN) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mark = |out: &mut String, c: char| {
        let _ = write!(out, "{MARK}{:x}{MARK}", u32::from(c));
    };
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 {
            out.push('\n');
        }
        let blank = line.len() - line.trim_start().len();
        for (at, c) in line.char_indices() {
            let command =
                github && (line[at..].starts_with("##[") || at == blank && line[at..].starts_with("::"));
            if command || is_hazard(c) || line[at..].starts_with(WRITTEN) {
                mark(&mut out, c)
            } else {
                out.push(c)
            }
        }
    }
    Cow::Owned(out)
}

/// The emitter's text with escapes in place of the marks of [`for_yaml`].
pub(crate) fn yaml(text: String) -> String {
    if !text.contains(WRITTEN) {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find(WRITTEN) {
        let (before, tail) = rest.split_at(at);
        out.push_str(before);
        let number = tail[WRITTEN.len()..].split_once(WRITTEN);
        match number.and_then(|(number, after)| Some((u32::from_str_radix(number, 16).ok()?, after))) {
            Some((number, after)) => {
                let _ = write!(out, "\\U{number:08X}");
                rest = after;
            }
            None => {
                out.push_str(WRITTEN);
                rest = &tail[WRITTEN.len()..];
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_log_cannot_move_the_cursor() {
        let hostile = "\u{1b}[2J\u{1b}[31mred\u{1b}[0m\rover\u{7}\tx \u{1b}]52;c;cm0=\u{7}y\u{9b}2J \u{202e}z\u{2066}\u{e0041}";
        assert_eq!(strip_controls(hostile), "redover\tx y2J z");
        assert!(matches!(strip_controls("a\tb\n\u{e4} \u{5d0}"), Cow::Borrowed(_)));
    }

    #[test]
    fn colours_stay_and_nothing_else() {
        let text = "\u{1b}[1;31mred\u{1b}[0m \u{1b}[38;5;8mgrey\u{1b}[0m";
        assert_eq!(keep_colors(text), text);
        let hostile = "a\u{1b}[8mhidden\u{1b}[0m\u{1b}[2Jb\u{1b}]52;c;eA==\u{7}c\u{1b}[1Ad\u{1b}";
        assert_eq!(keep_colors(hostile), "ahidden\u{1b}[0mbcd");
    }

    #[test]
    fn a_json_text_holds_the_same_document() {
        let value = serde_json::json!({"a\u{202e}": "\u{9b}2J\u{7f}\u{e0041} ##[error]x"});
        let text = json(value.to_string(), true);
        assert!(text.is_ascii() && !text.contains("##["), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }
}
