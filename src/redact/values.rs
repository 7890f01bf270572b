//! How far a value reaches, and whether it can be a secret at all.

use super::REDACTED;
use super::names::Name;

/// A quotation mark with the backslashes before it: JSON inside JSON has one more level each time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quote {
    mark: u8,
    backslashes: usize,
}

impl Quote {
    /// The mark that opens at the start of `text`, and its length.
    pub(super) fn open(text: &str) -> Option<(Self, usize)> {
        let backslashes = text.bytes().take_while(|byte| *byte == b'\\').count();
        let mark = *text.as_bytes().get(backslashes)?;
        matches!(mark, b'"' | b'\'').then_some((Self { mark, backslashes }, backslashes + 1))
    }

    /// How many bytes stand before the mark that closes; up to the end of the line without one.
    pub(super) fn inside(self, text: &str) -> usize {
        let mut backslashes = 0;
        for (at, byte) in text.bytes().enumerate() {
            match byte {
                b'\\' => backslashes += 1,
                // A mark that belongs to the value has more backslashes: `"a\"b"`, `\"a\\\"b\"`.
                _ if byte == self.mark && backslashes % (2 * (self.backslashes + 1)) == self.backslashes => {
                    return at - self.backslashes;
                }
                b'\n' => return at,
                _ => backslashes = 0,
            }
        }
        text.len()
    }
}

/// How many bytes of `text` are a value without quotes.
///
/// A comma or an ampersand may be part of a password: it ends the value only before a blank, the end, a quotation
/// mark or the next `name=`.
pub(super) fn bare(text: &str) -> usize {
    let mut skip_to = 0;
    for (at, c) in text.char_indices() {
        if at < skip_to {
            continue;
        }
        if c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '`') {
            return at;
        }
        let rest = &text[at..];
        // What was redacted before is one word.
        if rest.starts_with(REDACTED) {
            skip_to = at + REDACTED.len();
            continue;
        }
        let sign = match c {
            ',' | ';' | '&' | ')' | ']' | '}' | '|' => 1,
            '\\' if rest[1..].starts_with(['"', '\'']) => return at,
            '\\' if rest[1..].starts_with(['n', 'r', 't']) => 2,
            '%' if rest.starts_with("%26") || rest.starts_with("%22") || rest.starts_with("%20") => {
                return at;
            }
            _ => continue,
        };
        if ends(&rest[sign..]) {
            return at;
        }
        skip_to = at + sign;
    }
    text.len()
}

/// Whether a separator before `rest` ends a value.
fn ends(rest: &str) -> bool {
    let Some(next) = rest.chars().next() else {
        return true;
    };
    if next.is_whitespace()
        || matches!(
            next,
            '"' | '\'' | ',' | ';' | '&' | ')' | ']' | '}' | '\\' | '<' | '.' | ':'
        )
    {
        return true;
    }
    let name = rest
        .bytes()
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
        .count();
    name > 0 && rest[name..].starts_with(['=', ':'])
}

/// Words of sentences, and values that hold nothing.
const NO_SECRETS: [&str; 62] = [
    "true",
    "false",
    "null",
    "nil",
    "none",
    "undefined",
    "yes",
    "no",
    "on",
    "off",
    "unset",
    "empty",
    "n/a",
    "the",
    "a",
    "an",
    "and",
    "or",
    "is",
    "was",
    "are",
    "has",
    "have",
    "not",
    "must",
    "may",
    "can",
    "cannot",
    "could",
    "will",
    "should",
    "expired",
    "invalid",
    "missing",
    "mismatch",
    "required",
    "failed",
    "denied",
    "error",
    "errors",
    "unknown",
    "unauthorized",
    "forbidden",
    "rejected",
    "refused",
    "revoked",
    "rotated",
    "ok",
    "success",
    "succeeded",
    "for",
    "from",
    "in",
    "of",
    "to",
    "with",
    "wrong",
    "too",
    "does",
    "bearer",
    "array",
    "object",
];

/// Whether a value behind a name of this kind can be a secret.
pub(super) fn may_be_secret(name: Name, value: &str) -> bool {
    if value.is_empty()
        || value == REDACTED
        || value.bytes().all(|byte| !byte.is_ascii_alphanumeric()) && value.is_ascii() && value.len() < 4
    {
        return false;
    }
    // `token=null,` and `(password: missing).`
    let word = value.trim_matches(|c: char| c.is_ascii_punctuation());
    if NO_SECRETS.iter().any(|no| word.eq_ignore_ascii_case(no)) || is_reference(value) || is_path(value) {
        return false;
    }
    match name {
        Name::Secret | Name::Authorization | Name::Cookie | Name::Phrase => true,
        Name::Likely => !(word.len() <= 3 && word.bytes().all(|byte| byte.is_ascii_digit())),
        Name::Several => !word
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'/')),
        Name::Perhaps => looks_random(value),
    }
}

/// A letter and a digit or both cases, and not short.
pub(super) fn looks_random(value: &str) -> bool {
    let has = |is: fn(&u8) -> bool| value.as_bytes().iter().any(is);
    let digit = has(u8::is_ascii_digit);
    let (lower, upper) = (has(u8::is_ascii_lowercase), has(u8::is_ascii_uppercase));
    value.len() >= 12 && ((digit && (lower || upper)) || (lower && upper))
}

/// A variable of a shell or a template, a placeholder, or the name of a thing in AWS.
fn is_reference(value: &str) -> bool {
    [
        "$",
        "{{",
        "%s",
        "%v",
        "***",
        "arn:aws",
        "process.env",
        "env(",
        "config(",
        "Object(",
        "{resolve:",
    ]
    .iter()
    .any(|start| value.starts_with(start))
}

/// `/etc/ssl/private/key.pem`, `s3://bucket/key`; base64 looks different.
fn is_path(value: &str) -> bool {
    let value = value.strip_prefix('~').unwrap_or(value);
    let value = value.trim_start_matches('.');
    let is_name = |part: &str| {
        part.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
    };
    value.strip_prefix('/').is_some_and(|path| {
        path.split('/').count() > 1 && path.split('/').all(is_name) && !path.split('/').any(looks_random)
    })
}
