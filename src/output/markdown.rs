//! Text from elsewhere in Markdown, as GitHub shows it: it stays text.

use crate::error::{CtlError, Place};
use crate::ui::one_line;

/// How often `c` stands in `text` in a row, at most.
fn longest_run(text: &str, c: char) -> usize {
    text.split(|other| other != c).map(str::len).max().unwrap_or(0)
}

/// A block that `text` cannot close; `kind` is its language.
pub(crate) fn block(kind: &str, text: &str) -> String {
    let fence = "`".repeat(3.max(1 + longest_run(text, '`')));
    let end = if text.is_empty() || text.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    format!("{fence}{kind}\n{text}{end}{fence}\n")
}

/// A code span that `text` cannot end (CommonMark, "Code spans").
pub(crate) fn code(text: &str) -> String {
    let text = one_line(text);
    if text.trim().is_empty() {
        return String::new();
    }
    let fence = "`".repeat(1 + longest_run(&text, '`'));
    let blank = if text.starts_with('`') || text.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{fence}{blank}{text}{blank}{fence}")
}

/// A cell of a table: a bar would end it, even within a code span (GitHub Flavored Markdown, "Tables").
pub(crate) fn cell(markdown: &str) -> String {
    markdown.replace('|', "\\|")
}

/// A sentence that may quote words between single backticks: everything else in it has no meaning. No tags, no
/// mentions of people, no links, no emphasis.
pub(crate) fn sentence(text: &str) -> String {
    let text = one_line(text);
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find('`') {
        plain(&mut out, &rest[..at]);
        rest = &rest[at..];
        let run = rest.bytes().take_while(|byte| *byte == b'`').count();
        let quoted = (run == 1).then(|| closing(&rest[1..])).flatten();
        match quoted {
            Some(length) if !rest[1..=length].trim().is_empty() => {
                out.push_str(&code(&rest[1..=length]));
                rest = &rest[length + 2..];
            }
            _ => {
                out.push_str(&"\\`".repeat(run));
                rest = &rest[run..];
            }
        }
    }
    plain(&mut out, rest);
    out
}

/// Where a single backtick ends what another one began.
fn closing(text: &str) -> Option<usize> {
    let mut at = 0;
    while let Some(next) = text[at..].find('`').map(|next| at + next) {
        let run = text[next..].bytes().take_while(|byte| *byte == b'`').count();
        if run == 1 {
            return Some(next);
        }
        at = next + run;
    }
    None
}

/// Why a command failed, and what to do next, for a job summary.
pub(crate) fn failure(error: &CtlError, place: &Place) -> String {
    let place = place.clone().without(error.wrong_flags());
    let mut text = format!("**error:** failed to {}\n\n", sentence(error.message()));
    for cause in error.causes() {
        text.push_str(&format!("- caused by: {}\n", sentence(cause)));
    }
    for hint in error.hints() {
        let hint = hint.in_place(&place).to_string();
        text.push_str(&format!("- hint: {}\n", sentence(&hint)));
    }
    text
}

fn plain(out: &mut String, text: &str) {
    for (at, c) in text.char_indices() {
        match c {
            '*' | '_' | '[' | ']' | '\\' | '~' | '!' => {
                out.push('\\');
                out.push(c);
            }
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            // GitHub looks for `@name` and `#12` after it has read the Markdown: something must stand between.
            '@' => out.push_str("@&zwnj;"),
            '#' => out.push_str("#&zwnj;"),
            ':' if text[at..].starts_with("://") => out.push_str("&#58;"),
            '.' if text[..at].to_ascii_lowercase().ends_with("www") => out.push_str("&#46;"),
            _ => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_elsewhere_stays_text() {
        assert_eq!(
            sentence("<b> @all [x](y)\n# z https://x www.y &lt;"),
            "&lt;b> @&zwnj;all \\[x\\](y) #&zwnj; z https&#58;//x www&#46;y &amp;lt;"
        );
        assert_eq!(sentence("from `a_b` to a_b"), "from `a_b` to a\\_b");
        assert_eq!(sentence("one ` tick"), "one \\` tick");
    }

    #[test]
    fn a_failure_is_told_with_its_causes_and_hints() {
        let error = CtlError::config("read `a.toml`")
            .cause("line 3: <b>")
            .hint(("look with", crate::error::CommandLine::bpctl(["config", "view"])));
        let place = Place::of_flags([("context", "acme")]);
        assert_eq!(
            failure(&error, &place),
            "**error:** failed to read `a.toml`\n\n- caused by: line 3: &lt;b>\n- hint: look with \
             `bpctl --context acme config view`\n"
        );
    }

    #[test]
    fn a_run_of_backticks_ends_no_code_span() {
        assert_eq!(sentence("``x`<b>`` y"), "\\`\\`x\\`&lt;b>\\`\\` y");
        assert_eq!(sentence("`a``<b>` c"), "```a``<b>``` c");
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(block("text", "```\n"), "````text\n```\n````\n");
    }
}
