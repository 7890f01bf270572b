//! Secrets in URLs: the password or token before `@`, and addresses that are a secret as a whole.

use super::Found;
use super::values::{bare, looks_random};

/// Any client that knows such an address may post to it: everything behind this part is the secret.
const WEBHOOKS: [&str; 9] = [
    "hooks.slack.com/services/",
    "hooks.slack.com/workflows/",
    "hooks.slack-gov.com/services/",
    "discord.com/api/webhooks/",
    "discordapp.com/api/webhooks/",
    "outlook.office.com/webhook/",
    ".webhook.office.com/webhookb2/",
    "chat.googleapis.com/v1/spaces/",
    "api.telegram.org/bot",
];

pub(super) fn find(text: &str, found: &mut Found<'_>) {
    let mut from = 0;
    while let Some(at) = text[from..].find("://").map(|at| from + at) {
        let scheme = text[..at]
            .bytes()
            .rev()
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'.' | b'-'))
            .count();
        let start = at + 3;
        let length = text[start..]
            .find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '`'))
            .unwrap_or(text.len() - start);
        let url = &text[start..start + length];
        user_part(&text[at - scheme..at], url, start, found);
        webhook(url, start, found);
        // A second address may follow without a blank.
        from = start;
    }
}

fn webhook(url: &str, start: usize, found: &mut Found<'_>) {
    for part in WEBHOOKS {
        let Some(at) = url.find(part) else { continue };
        let tail = at + part.len();
        let length = bare(&url[tail..]);
        found.add(start + tail..start + tail + length);
        return;
    }
}

/// `scheme://user:password@host`, `https://token@host`.
fn user_part(scheme: &str, url: &str, start: usize, found: &mut Found<'_>) {
    let Some(end) = end_of_user_part(url) else { return };
    let user_part = &url[..end];
    if let Some((user, _)) = user_part.split_once(':') {
        found.add(start + user.len() + 1..start + end);
        return;
    }
    let web = scheme.ends_with("http") || scheme.ends_with("https");
    if looks_random(user_part) || (web && user_part != "git") {
        found.add(start..start + end);
    }
}

/// The position of the `@` that ends the user part; a password may hold `/`, `?`, `#` and `@` although it should not.
fn end_of_user_part(url: &str) -> Option<usize> {
    let authority = url.find(['/', '?', '#']).unwrap_or(url.len());
    if let Some((host, port)) = url[..authority].split_once(':') {
        // `host:8080/path`: a port, and no user part before it.
        let port_only = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        if port_only && !host.contains('@') {
            return None;
        }
    } else {
        return url[..authority].rfind('@');
    }
    url.match_indices('@').map(|(at, _)| at).find(|at| {
        let host = &url[at + 1..];
        let length = host
            .bytes()
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
            .count();
        let next = host[length..].chars().next();
        length > 0 && next.is_none_or(|c| matches!(c, ':' | '/' | '?' | '#' | ',' | ';' | ')' | ']' | '\\'))
    })
}
