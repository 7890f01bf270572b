//! Pictures and marks for terminals whose locale has no letters beyond ASCII (POSIX, "C" and "POSIX" locale).

use std::borrow::Cow;

/// `text` with the marks that bpctl draws in ASCII. Letters stay: names come from AWS, and a name that was changed
/// is another name.
pub(super) fn ascii(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{2500}' | '\u{2501}' | '\u{2504}' | '\u{2505}' | '\u{2508}' | '\u{2509}' | '\u{254c}'
            | '\u{254d}' | '\u{2550}' => out.push('-'),
            '\u{2502}' | '\u{2503}' | '\u{2506}' | '\u{2507}' | '\u{250a}' | '\u{250b}' | '\u{254e}'
            | '\u{254f}' | '\u{2551}' => out.push('|'),
            // The other box drawing characters are corners and crossings.
            '\u{2500}'..='\u{257f}' => out.push('+'),
            // Blocks.
            '\u{2580}'..='\u{259f}' => out.push('#'),
            // Braille: without a dot, and with dots.
            '\u{2800}' => out.push(' '),
            '\u{2801}'..='\u{28ff}' => out.push('*'),
            // Markers of points in legends.
            '\u{25a0}'..='\u{25ff}' => out.push('o'),
            '\u{d7}' => out.push('x'),
            '\u{2026}' => out.push_str("..."),
            '\u{2192}' => out.push_str("->"),
            other => out.push(other),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_become_ascii_and_letters_stay() {
        assert_eq!(ascii("│ ⠀⣿ ┤ a…"), "|  * + a...");
        assert_eq!(ascii("└──┬"), "+--+");
        assert_eq!(ascii("fleet-ä"), "fleet-ä");
        assert!(matches!(ascii("plain"), Cow::Borrowed("plain")));
    }
}
