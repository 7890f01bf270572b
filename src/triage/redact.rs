//! Takes secrets out of log excerpts before anything else sees them.
//!
//! It rather takes out too much: a log line is evidence, never the place to read a value from.

/// What stands in place of a secret.
const REDACTED: &str = "[redacted]";

/// A name that contains one of these holds a secret (Laravel's environment, HTTP headers, presigned URLs).
const SECRET_NAMES: [&str; 14] = [
    "password",
    "passwd",
    "secret",
    "token",
    "api_key",
    "api-key",
    "apikey",
    "app_key",
    "private_key",
    "access_key",
    "authorization",
    "credential",
    "signature",
    "cookie",
];

/// Fewer letters than this after `base64:` are no key.
const SHORTEST_KEY: usize = 16;

/// `text` without the values of secrets.
pub(crate) fn redact(text: &str) -> String {
    let text = assignments(text);
    let text = url_passwords(&text);
    words(&text)
}

/// `name=value`, `name: value`, `"name":"value"`, `'name' => 'value'`.
fn assignments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_name) {
        let (before, tail) = rest.split_at(start);
        let end = tail.find(|c| !is_name(c)).unwrap_or(tail.len());
        let (name, after) = tail.split_at(end);
        out.push_str(before);
        out.push_str(name);
        rest = after;
        let lower = name.to_ascii_lowercase();
        if !SECRET_NAMES.iter().any(|secret| lower.contains(secret)) {
            continue;
        }
        let Some(separator) = separator(after) else {
            continue;
        };
        let (between, value) = after.split_at(separator);
        let length = value_length(between, value);
        if length > 0 {
            out.push_str(between);
            out.push_str(REDACTED);
            rest = &value[length..];
        }
    }
    out.push_str(rest);
    out
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}

/// How many bytes lie between a name and its value, quotes included; `None` without `=` or `:`.
fn separator(after: &str) -> Option<usize> {
    let quotes = |c: char| matches!(c, '"' | '\'' | '\\' | ' ');
    let sign = after.trim_start_matches(quotes);
    let sign = sign
        .strip_prefix("=>")
        .or_else(|| sign.strip_prefix('='))
        .or_else(|| sign.strip_prefix(':'))?;
    Some(after.len() - sign.trim_start_matches(quotes).len())
}

/// The bytes of a value: up to the closing quote when there was an opening one, else one word; a scheme
/// of HTTP authentication and what follows it are one value.
fn value_length(between: &str, value: &str) -> usize {
    let quoted = between.ends_with(['"', '\'']);
    let ends = |c: char| {
        matches!(c, '"' | '\'' | '\\')
            || (!quoted && (c.is_whitespace() || matches!(c, ',' | '&' | ')' | '}' | ';')))
    };
    let word = value.find(ends).unwrap_or(value.len());
    let scheme = ["bearer", "basic"]
        .iter()
        .any(|scheme| value[..word].eq_ignore_ascii_case(scheme));
    if scheme && !quoted {
        let tail = value[word..].trim_start();
        let start = value.len() - tail.len();
        return start + tail.find(ends).unwrap_or(tail.len());
    }
    word
}

/// The password of `scheme://user:password@host`.
fn url_passwords(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(position) = rest.find("://") {
        let (before, authority) = rest.split_at(position + 3);
        out.push_str(before);
        let end = authority
            .find(|c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '"' | '\''))
            .unwrap_or(authority.len());
        let (host, tail) = authority.split_at(end);
        match host
            .rsplit_once('@')
            .and_then(|(user, host)| Some((user.split_once(':')?.0, host)))
        {
            Some((user, host)) => out.push_str(&format!("{user}:{REDACTED}@{host}")),
            None => out.push_str(host),
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// Words that give themselves away: `base64:` keys, access key ids, JSON web tokens, lines of a PEM block.
fn words(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_token) {
        let (before, tail) = rest.split_at(start);
        let end = tail.find(|c| !is_token(c)).unwrap_or(tail.len());
        let (word, after) = tail.split_at(end);
        out.push_str(before);
        let key = out.ends_with("base64:") && word.len() >= SHORTEST_KEY;
        out.push_str(if key || is_secret(word) { REDACTED } else { word });
        rest = after;
    }
    out.push_str(rest);
    out
}

fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '_' | '.')
}

fn is_secret(word: &str) -> bool {
    is_access_key(word) || is_web_token(word) || is_base64(word)
}

/// AKIA…, ASIA… (IAM, "Understanding unique ID prefixes").
fn is_access_key(word: &str) -> bool {
    ["AKIA", "ASIA"].iter().any(|prefix| word.starts_with(prefix))
        && word.len() == 20
        && word.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

/// The header of a JSON web token is `{"` in base64.
fn is_web_token(word: &str) -> bool {
    word.starts_with("eyJ") && word.len() > 40
}

/// A long run of base64 that is neither a path nor a hexadecimal digest.
fn is_base64(word: &str) -> bool {
    let mixed = |part: &str| {
        part.bytes().any(|b| b.is_ascii_uppercase())
            && part.bytes().any(|b| b.is_ascii_lowercase())
            && part.bytes().filter(u8::is_ascii_digit).count() >= 2
    };
    word.len() >= 40 && !word.contains('.') && word.split('/').any(|part| part.len() >= 20 && mixed(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_go_names_stay() {
        for (line, expected) in [
            ("DB_PASSWORD=hunter2 next", "DB_PASSWORD=[redacted] next"),
            (
                r#"{"password":"a, b","user":"x"}"#,
                r#"{"password":"[redacted]","user":"x"}"#,
            ),
            (
                r#"{\"client_secret\":\"abc\",\"n\":1}"#,
                r#"{\"client_secret\":\"[redacted]\",\"n\":1}"#,
            ),
            ("'api_key' => 'k1'", "'api_key' => '[redacted]'"),
            (
                "Authorization: Bearer abc.def, Host: x",
                "Authorization: [redacted], Host: x",
            ),
            ("X-Fleet-Secret: f00d", "X-Fleet-Secret: [redacted]"),
            (
                "APP_KEY=base64:q1w2e3r4t5y6u7i8o9p0a1s2d3f4g5h6j7k8l9z0x1c=",
                "APP_KEY=[redacted]",
            ),
            (
                "key base64:q1w2e3r4t5y6u7i8o9p0a1s2d3f4g5h6j7k8l9z0x1c= is wrong",
                "key base64:[redacted] is wrong",
            ),
            ("caller AKIAIOSFODNN7EXAMPLE denied", "caller [redacted] denied"),
            (
                "GET /v.mp4?X-Amz-Signature=0af3&x=1",
                "GET /v.mp4?X-Amz-Signature=[redacted]&x=1",
            ),
            (
                "mysql://bp:s3cr:et@db.example.com:3306/bp",
                "mysql://bp:[redacted]@db.example.com:3306/bp",
            ),
            (
                "got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4",
                "got [redacted]",
            ),
            (
                "MIGTAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBHkwdwIBAQQgLY7x",
                "[redacted]",
            ),
        ] {
            assert_eq!(redact(line), expected);
        }
    }

    #[test]
    fn evidence_survives() {
        for line in [
            "SQLSTATE[HY000] [2002] Connection refused (Connection: central, SQL: select * from `tenants`)",
            "Undefined property: stdClass::$credits at /var/www/html/app/Http/Controllers/VideoController.php:142",
            "123456789012.dkr.ecr.us-east-1.amazonaws.com/bp-backend:php-1a2b3c4: not found",
            "sha256:0d17b565c37bcbd895e9d92315a05c1c3c9a29f762b011a10c54a66cd53f9b31",
            "arn:aws:iam::123456789012:role/bp-compute-BackendExecutionRole8BD97F6B-1OQ9ZZTOPXYZ",
            "#0 /var/www/html/vendor/laravel/framework/src/Illuminate/Foundation/Bootstrap/HandleExceptions.php(256)",
            "https://oauth2.googleapis.com/ timed out",
            "CSRF token mismatch.",
            "",
        ] {
            assert_eq!(redact(line), line);
        }
    }

    #[test]
    fn any_text_goes_in_and_redacted_text_stays_as_it_is() {
        for line in [
            "password=",
            "secret:",
            "token: ü",
            "://",
            "a://@",
            "password=\"",
            "base64:",
        ] {
            let once = redact(line);
            assert_eq!(redact(&once), once);
        }
    }
}
