//! Secrets among the arguments of a call, as stack traces print them: `PDO->__construct('mysql:…', 'user', 'X')`.

use std::ops::Range;

use super::Found;
use super::names::{Name, judge};
use super::values::{Quote, may_be_secret};

pub(super) fn find(text: &str, found: &mut Found<'_>) {
    for (at, _) in text.match_indices('(') {
        let function = &text[..at];
        let length = function
            .bytes()
            .rev()
            .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
            .count();
        let (owner, function) = function.split_at(at - length);
        let kept = match kept(owner, function) {
            Some(kept) => kept,
            None => continue,
        };
        let strings = strings(&text[at + 1..], at + 1);
        let first = strings.first().map(|range| &text[range.clone()]);
        // A data source's name comes before the user's: `new PDO('mysql:host=…', 'user', 'password')`.
        let source = first.is_some_and(|first| first.contains([':', '=']) || strings.len() > 2);
        let kept = if kept == 1 && source { 2 } else { kept };
        for range in strings.into_iter().skip(kept) {
            if may_be_secret(Name::Secret, &text[range.clone()]) {
                found.add(range);
            }
        }
    }
}

/// How many string arguments of a function are no secret; `None` when it takes none that is.
fn kept(owner: &str, function: &str) -> Option<usize> {
    let lower = function.to_ascii_lowercase();
    let owner = owner.trim_end_matches(['-', '>', ':', ' ']);
    let is = |names: &[&str]| names.contains(&lower.as_str());
    if lower == "__construct" || lower == "pdo" || lower == "mysqli" {
        let class = owner
            .rsplit(['\\', ' '])
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let connection = ["pdo", "mysqli", "connect", "redis", "client", "credential"];
        let name = if lower == "__construct" { class } else { lower };
        return connection.iter().any(|word| name.contains(word)).then_some(1);
    }
    if is(&["make", "check", "needsrehash"]) {
        return owner
            .ends_with("Hash")
            .then_some(0)
            .or_else(|| owner.ends_with("Hasher").then_some(0));
    }
    if lower.contains("connect") || is(&["login", "authenticate", "attempt", "auth"]) {
        return Some(1);
    }
    if is(&[
        "bcrypt",
        "crypt",
        "encrypt",
        "decrypt",
        "encryptstring",
        "hash_hmac",
        "hash_equals",
        "putenv",
    ]) {
        return Some(0);
    }
    let setter = lower.strip_prefix("set").is_some_and(|rest| !rest.is_empty());
    let named = setter || lower.contains("password");
    (named && judge(function).is_some()).then_some(0)
}

/// The quoted arguments up to the bracket that closes.
fn strings(text: &str, start: usize) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(byte) = text.as_bytes().get(at) {
        match byte {
            b'(' => depth += 1,
            b')' if depth == 0 => break,
            b')' => depth -= 1,
            b'\n' => break,
            b'"' | b'\'' | b'\\' => {
                if let Some((quote, length)) = Quote::open(&text[at..]) {
                    at += length;
                    let inside = quote.inside(&text[at..]);
                    found.push(start + at..start + at + inside);
                    at += inside + length;
                    continue;
                }
            }
            _ => {}
        }
        at += 1;
    }
    found
}
