//! `name=value`, `name: value`, `"name":"value"`, `'name' => 'value'`, `name%3Dvalue`.

use super::Found;
use super::names::{Name, judge};
use super::values::{Quote, bare, may_be_secret};

pub(super) fn find(text: &str, found: &mut Found<'_>) {
    let mut from = 0;
    let signs = |byte: &u8| matches!(byte, b'=' | b':' | b'%');
    while let Some(at) = text.as_bytes()[from..].iter().position(signs).map(|at| from + at) {
        from = at + 1;
        let Some(sign) = sign(&text[at..]) else { continue };
        let Some(name) = name_before(text, at) else {
            continue;
        };
        let Some(kind) = judge(name) else { continue };
        let start = at + sign;
        let end = start + value(kind, name, &text[start..], start, found);
        from = from.max(end);
    }
}

/// The length of the sign between name and value.
fn sign(rest: &str) -> Option<usize> {
    if ["=>", ":="].iter().any(|sign| rest.starts_with(sign)) {
        return Some(2);
    }
    // `a == b` compares; `Class::member`, `://` and `/::` name things.
    if rest.starts_with("==") || rest.starts_with("::") || rest.starts_with("://") {
        return None;
    }
    if ["%3D", "%3d", "%3A", "%3a"]
        .iter()
        .any(|sign| rest.starts_with(sign))
    {
        return Some(3);
    }
    rest.starts_with(['=', ':']).then_some(1)
}

/// The name that stands before the sign at `at`, behind quotes, brackets and blanks.
fn name_before(text: &str, at: usize) -> Option<&str> {
    let before = &text[..at];
    let before = before.strip_suffix("%22").unwrap_or(before);
    let name = before.trim_end_matches(['"', '\'', '\\', ' ', '\t', ']', '`']);
    let length = name
        .bytes()
        .rev()
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
        .count();
    let start = name.len() - length;
    // `arn:aws:secretsmanager:us-east-1:123456789012:secret:name`, `/run/secrets:`.
    let path =
        name[..start].ends_with([':', '/']) && before.len() == name.len() && !is_word_before(&name[..start]);
    (length > 1 && !path).then(|| &name[start..])
}

/// `local.ERROR:password=x`: one word, then a colon, is no ARN.
fn is_word_before(before: &str) -> bool {
    let Some(before) = before.strip_suffix(':') else {
        return false;
    };
    let word = before
        .rsplit(|c: char| c.is_whitespace() || c == '"')
        .next()
        .unwrap_or_default();
    !word.contains([':', '/'])
}

/// Notes the value at the start of `rest`, which stands at `start` of the whole; how far it was read.
fn value(kind: Name, name: &str, rest: &str, start: usize, found: &mut Found<'_>) -> usize {
    let blank = |text: &str| text.len() - text.trim_start_matches([' ', '\t']).len();
    let mut at = blank(rest);
    // A list, an array of PHP, or a block of YAML on one line.
    let list = rest[at..].starts_with(['[', '(', '{']) && !rest[at..].starts_with(super::REDACTED);
    if list {
        at += 1;
        at += blank(&rest[at..]);
        return at + items(kind, &rest[at..], start + at, found);
    }
    if let Some(mark) = rest[at..].strip_prefix("%22") {
        let length = mark.find("%22").unwrap_or_else(|| bare(mark));
        found.add(start + at + 3..start + at + 3 + length);
        return at + 3 + length;
    }
    if let Some((quote, length)) = Quote::open(&rest[at..]) {
        at += length;
        let inside = quote.inside(&rest[at..]);
        if may_be_secret(kind, &rest[at..at + inside]) {
            found.add(start + at..start + at + inside);
        }
        return at + inside;
    }
    let value = &rest[at..];
    let length = match kind {
        Name::Cookie => line(value),
        Name::Phrase => value
            .find(['\n', ',', ';', '"', '\'', '\\'])
            .unwrap_or(value.len()),
        Name::Authorization => authorization(value),
        _ => bare(value),
    };
    let value = value[..length].trim_end();
    if may_be_secret(kind, value) && !is_prose(name, &rest[at + length..], &rest[..at], value) {
        found.add(start + at..start + at + value.len());
        return at + value.len();
    }
    at
}

/// The quoted or bare items of a list, up to its end.
fn items(kind: Name, text: &str, start: usize, found: &mut Found<'_>) -> usize {
    let mut at = 0;
    loop {
        let rest = &text[at..];
        let length = if let Some((quote, length)) = Quote::open(rest) {
            at += length;
            let inside = quote.inside(&text[at..]);
            let closing = text[at + inside..].len().min(length);
            if may_be_secret(kind, &text[at..at + inside]) {
                found.add(start + at..start + at + inside);
            }
            inside + closing
        } else {
            let length = bare(rest);
            if may_be_secret(kind, &rest[..length]) {
                found.add(start + at..start + at + length);
            }
            length
        };
        at += length;
        let gap = text[at..].len() - text[at..].trim_start_matches([',', ' ', '\t']).len();
        // What follows without a comma is not of this list.
        if gap == 0 || !text[at..at + gap].contains(',') {
            return at;
        }
        at += gap;
    }
}

/// To the end of the line, or to the quotation mark around the header.
fn line(text: &str) -> usize {
    text.find(['\n', '"', '\''])
        .map_or(text.len(), |at| text[..at].trim_end_matches('\\').len())
}

/// A scheme of HTTP authentication and what follows it are one value.
fn authorization(text: &str) -> usize {
    let word = bare(text);
    let scheme = &text[..word];
    let alphabetic = scheme
        .bytes()
        .all(|byte| byte.is_ascii_alphabetic() || byte == b'-');
    let many = ["digest", "aws4-hmac-sha256", "oauth", "hawk", "signature"];
    if many.iter().any(|many| scheme.eq_ignore_ascii_case(many)) {
        return text.find('\n').unwrap_or(text.len());
    }
    let gap = text[word..].len() - text[word..].trim_start_matches([' ', '\t']).len();
    if alphabetic && gap > 0 && word <= 12 {
        return word + gap + bare(&text[word + gap..]);
    }
    word
}

/// `token: expecting end of input`: a colon, a blank and lower-case words make a sentence.
fn is_prose(name: &str, after: &str, gap: &str, value: &str) -> bool {
    let lower = |word: &str| word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_lowercase());
    let mut next = after.split_whitespace();
    let all_upper = name.bytes().all(|byte| !byte.is_ascii_lowercase());
    !gap.is_empty()
        && !all_upper
        && lower(value.trim_end_matches([',', ';', '.']))
        && after.starts_with(' ')
        && next.next().is_some_and(lower)
        && next.next().is_none_or(lower)
}
