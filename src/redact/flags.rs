//! Secrets among the words of a command line: `--password X`, `mysql -pX`, `curl -u user:X`, `Bearer X`.

use super::names::{Name, judge};
use super::values::{Quote, bare, looks_random, may_be_secret};
use super::{Found, REDACTED};

/// Short flags that carry a secret, and the commands that have them: the value follows at once, or as a word.
const SHORT: [(&str, &[&str], bool); 4] = [
    (
        "-p",
        &[
            "mysql",
            "mysqldump",
            "mysqladmin",
            "mysqlimport",
            "mysqlsh",
            "mariadb",
            "mariadb-dump",
            "sshpass",
            "7z",
        ],
        true,
    ),
    ("-a", &["redis-cli"], false),
    ("-p", &["login", "sshpass", "mongosh", "mongo"], false),
    ("-w", &["ldapsearch"], false),
];

/// Commands whose `-u`, `--user` and `--proxy-user` take `name:password`.
const WEB_CLIENTS: [&str; 4] = ["curl", "wget", "http", "https"];

pub(super) fn find(text: &str, found: &mut Found<'_>) {
    if text.contains("--") {
        long(text, found);
    }
    if has_short(text) {
        short(text, found);
    }
    schemes(text, found);
}

/// `--db-password X`; `--password=X` is an assignment.
fn long(text: &str, found: &mut Found<'_>) {
    for (at, _) in text.match_indices("--") {
        let name = at + 2;
        let length = text[name..]
            .bytes()
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
            .count();
        if !matches!(
            judge(&text[name..name + length]),
            Some(Name::Secret | Name::Likely | Name::Phrase)
        ) {
            continue;
        }
        // In JSON the words of a command are strings of their own: `"--password", "X"`.
        let after = &text[name + length..];
        let gap = after.len() - after.trim_start_matches([' ', '\t', '"', '\'', ',', '\\']).len();
        if gap > 0 {
            word(text, name + length + gap, found);
        }
    }
}

/// Notes the word at `start` unless it is a flag.
fn word(text: &str, start: usize, found: &mut Found<'_>) {
    let rest = &text[start..];
    if rest.starts_with('-') {
        return;
    }
    let length = match Quote::open(&text[start.saturating_sub(1)..]) {
        Some((quote, 1)) => quote.inside(rest),
        _ => bare(rest),
    };
    if may_be_secret(Name::Secret, &rest[..length]) {
        found.add(start..start + length);
    }
}

/// Whether any of the flags that [`short`] looks for begins a word. Most lines have none, and are not taken apart.
fn has_short(text: &str) -> bool {
    let begins = |at: usize| {
        let flag = &text[at..];
        let gap = at > 0 && text[..at].ends_with(is_gap);
        let short = matches!(flag.as_bytes().get(1), Some(b'p' | b'a' | b'w' | b'u' | b'U'));
        gap && (short || flag.starts_with("--user") || flag.starts_with("--proxy-user"))
    };
    text.contains(" -") && text.match_indices('-').any(|(at, _)| begins(at))
}

fn short(text: &str, found: &mut Found<'_>) {
    let mut command = Vec::new();
    let mut from = 0;
    while let Some(start) = text[from..].find(|c: char| !is_gap(c)).map(|at| from + at) {
        let length = text[start..].find(is_gap).unwrap_or(text.len() - start);
        let word = &text[start..start + length];
        from = start + length;
        if !word.starts_with('-') {
            command.push(word.rsplit('/').next().unwrap_or(word));
            continue;
        }
        let is = |commands: &[&str]| command.iter().any(|word| commands.contains(word));
        let after = &text[from..];
        // What was redacted before has brackets of its own.
        let next = match after.trim_start() {
            redacted if redacted.starts_with(REDACTED) => redacted,
            _ => after.trim_start_matches(is_gap),
        };
        let gap = after.len() - next.len();
        for (flag, commands, glued) in SHORT {
            if glued && word.len() > 2 && word.starts_with(flag) && !word.starts_with("--") && is(commands) {
                let value = start + 2;
                let quoted = Quote::open(&text[value..]).filter(|(_, length)| *length == 1);
                match quoted {
                    Some((quote, _)) => found.add(value + 1..value + 1 + quote.inside(&text[value + 1..])),
                    None => found.add(value..start + length),
                }
            } else if !glued && word == flag && is(commands) {
                self::word(text, from + gap, found);
            }
        }
        let user = ["-u", "--user", "--proxy-user", "-U"].contains(&word);
        let glued = word.strip_prefix("-u").filter(|rest| !rest.is_empty());
        if (user || glued.is_some()) && is(&WEB_CLIENTS) {
            let value = if user { from + gap } else { start + 2 };
            let length = bare(&text[value..]);
            if let Some((name, _)) = text[value..value + length].split_once(':') {
                found.add(value + name.len() + 1..value + length);
            }
        }
    }
}

/// What separates words of a command, in a shell's line and in a JSON list.
fn is_gap(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | ',' | '[' | ']')
}

/// A scheme of HTTP authentication without its header's name.
fn schemes(text: &str, found: &mut Found<'_>) {
    for scheme in ["bearer", "basic"] {
        let mut from = 0;
        while let Some(at) = find_ignoring_case(&text[from..], scheme).map(|at| from + at) {
            from = at + scheme.len();
            let joined = text[..at].ends_with(|c: char| c.is_ascii_alphanumeric());
            let rest = &text[from..];
            let gap = rest.len() - rest.trim_start_matches([' ', '\t']).len();
            let length = bare(&rest[gap..]);
            let value = &rest[gap..gap + length];
            if gap == 0 || joined {
                continue;
            }
            let has = |is: fn(&u8) -> bool| value.as_bytes().iter().any(is);
            let word = value.bytes().skip(1).all(|byte| byte.is_ascii_lowercase());
            if !word && value.len() >= 6 && (has(u8::is_ascii_digit) || has(u8::is_ascii_uppercase))
                || looks_random(value)
            {
                found.add(from + gap..from + gap + length);
            }
        }
    }
}

/// Where the ASCII word `word` (in lower case) begins.
fn find_ignoring_case(text: &str, word: &str) -> Option<usize> {
    let word = word.as_bytes();
    let bytes = text.as_bytes();
    let mut from = 0;
    // Letters of ASCII differ from their capitals in this bit alone.
    while let Some(at) = bytes[from..]
        .iter()
        .position(|byte| byte | 0x20 == word[0])
        .map(|at| from + at)
    {
        if bytes
            .get(at..at + word.len())
            .is_some_and(|found| found.eq_ignore_ascii_case(word))
        {
            return Some(at);
        }
        from = at + 1;
    }
    None
}
