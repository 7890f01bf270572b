//! Lines that are JSON, as a person reads them: those of Laravel, of nginx, and of other programs.

use serde_json::{Map, Value};

/// How grave a line is, where it says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Error,
    Warning,
    Other,
}

/// Names of levels that programs use (RFC 5424; Monolog; pino and nginx write them in small letters).
const ERRORS: [&str; 6] = ["ERROR", "CRITICAL", "ALERT", "EMERGENCY", "FATAL", "CRIT"];

impl Level {
    /// The level that a word names.
    pub(crate) fn of(word: &str) -> Self {
        let upper = word.to_ascii_uppercase();
        if ERRORS.contains(&upper.as_str()) {
            Self::Error
        } else if matches!(upper.as_str(), "WARNING" | "WARN") {
            Self::Warning
        } else {
            Self::Other
        }
    }
}

/// What a line of JSON says, and how grave it is; `None` for every other line.
pub(crate) fn readable(line: &str) -> Option<(Level, String)> {
    let text = line.trim();
    if !text.starts_with('{') || !text.ends_with('}') {
        return None;
    }
    let mut members: Map<String, Value> = serde_json::from_str(text).ok()?;
    access(&mut members)
        .or_else(|| message(&mut members))
        .or_else(|| Some((Level::Other, pairs(members))))
        .filter(|(_, text)| !text.is_empty())
}

/// A line of an access log of nginx: `502 POST /api/videos 0.123s 10.0.1.5 …`.
fn access(members: &mut Map<String, Value>) -> Option<(Level, String)> {
    let status = word(members.get("status")?)?;
    let request = members.get("request").and_then(Value::as_str).map(str::to_owned);
    let request = request.or_else(|| {
        let method = members
            .get("request_method")
            .or(members.get("method"))?
            .as_str()?;
        let path = members.get("request_uri").or(members.get("uri"))?.as_str()?;
        Some(format!("{method} {path}"))
    })?;
    let level = match status.as_bytes().first() {
        Some(b'5') => Level::Error,
        Some(b'4') => Level::Warning,
        _ => Level::Other,
    };
    let time = members.get("request_time").and_then(word);
    let address = members.get("remote_addr").and_then(word);
    for name in [
        "status",
        "request",
        "request_method",
        "method",
        "request_uri",
        "uri",
        "request_time",
        "remote_addr",
        "time",
        "time_iso8601",
        "time_local",
        "msec",
        "server_protocol",
    ] {
        members.shift_remove(name);
    }
    let request = request
        .trim_end_matches(" HTTP/1.1")
        .trim_end_matches(" HTTP/2.0");
    let parts = [
        Some(status),
        Some(request.to_owned()),
        time.filter(|time| !time.is_empty()).map(|time| time + "s"),
        address,
    ];
    Some((level, with_pairs(parts.into_iter().flatten().collect(), members)))
}

/// A line with a message: Laravel's (Monolog's JsonFormatter), or one of another program.
fn message(members: &mut Map<String, Value>) -> Option<(Level, String)> {
    let text = ["message", "msg"]
        .into_iter()
        .find_map(|name| members.get(name)?.as_str().map(str::to_owned))?;
    let name = ["level_name", "level", "severity"]
        .into_iter()
        .find_map(|name| members.get(name)?.as_str().map(str::to_ascii_uppercase));
    for name in [
        "message",
        "msg",
        "level_name",
        "level",
        "severity",
        "datetime",
        "time",
        "timestamp",
        "channel",
    ] {
        members.shift_remove(name);
    }
    // What Monolog puts beside the message belongs to it.
    for name in ["context", "extra"] {
        match members.shift_remove(name) {
            Some(Value::Object(inner)) => members.extend(inner),
            Some(Value::Array(items)) if items.is_empty() => {}
            Some(other) => {
                members.insert(name.to_owned(), other);
            }
            None => {}
        }
    }
    let level = name.as_deref().map_or(Level::Other, Level::of);
    let parts = name.into_iter().chain([text]).collect();
    Some((level, with_pairs(parts, members)))
}

fn with_pairs(mut parts: Vec<String>, members: &mut Map<String, Value>) -> String {
    parts.push(pairs(std::mem::take(members)));
    parts.retain(|part| !part.is_empty());
    parts.join(" ")
}

fn pairs(members: Map<String, Value>) -> String {
    let pairs = members.into_iter().filter_map(|(name, value)| {
        let value = match &value {
            Value::Null => return None,
            Value::String(text) if text.is_empty() => return None,
            // Kept apart by quotation marks; a stack trace keeps its lines.
            Value::String(text) if text.contains([' ', '=', '"']) && !text.contains('\n') => {
                Value::String(text.clone()).to_string()
            }
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        Some(format!("{name}={value}"))
    });
    pairs.collect::<Vec<_>>().join(" ")
}

fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> (Level, String) {
        readable(line).unwrap_or_else(|| panic!("{line}"))
    }

    #[test]
    fn a_line_of_laravel_says_level_message_and_context() {
        let line = r#"{"message":"SQLSTATE[HY000] [2002] Connection refused","context":{"user_id":7,"exception":"PDOException"},"level":400,"level_name":"ERROR","channel":"production","datetime":"2026-01-15T09:00:00.000000+00:00","extra":[]}"#;
        assert_eq!(
            read(line),
            (
                Level::Error,
                "ERROR SQLSTATE[HY000] [2002] Connection refused user_id=7 exception=PDOException".to_owned()
            )
        );
    }

    #[test]
    fn a_line_of_nginx_says_status_request_and_time() {
        let line = r#"{"time_iso8601":"2026-01-15T09:00:00+00:00","remote_addr":"10.0.1.5","request":"POST /api/videos HTTP/1.1","status":"502","body_bytes_sent":"157","request_time":"0.123","http_user_agent":"Mozilla/5.0 (X11)","upstream_addr":""}"#;
        assert_eq!(
            read(line),
            (
                Level::Error,
                "502 POST /api/videos 0.123s 10.0.1.5 body_bytes_sent=157 http_user_agent=\"Mozilla/5.0 (X11)\""
                    .to_owned()
            )
        );
        let line = r#"{"status":404,"request_method":"GET","request_uri":"/x"}"#;
        assert_eq!(read(line), (Level::Warning, "404 GET /x".to_owned()));
    }

    #[test]
    fn other_json_is_told_in_pairs_and_other_lines_stay() {
        assert_eq!(
            read(r#"{"level":"warn","msg":"slow","took":3}"#),
            (Level::Warning, "WARN slow took=3".to_owned())
        );
        assert_eq!(
            read(r#"{"a":1,"b":{"c":[2]},"d":null}"#),
            (Level::Other, r#"a=1 b={"c":[2]}"#.to_owned())
        );
        for line in ["GET / 200", "{not json}", "[1]", "", "{}", "{\"a\":1} trailing"] {
            assert_eq!(readable(line), None, "{line}");
        }
    }
}
