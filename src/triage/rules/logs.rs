//! What lines of the backend's log are about.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::aws::logs::FoundLine;
use crate::redact::redact;
use crate::triage::snapshot::Snapshot;
use crate::triage::wording::at;

/// What an error line complains about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Topic {
    /// nginx cannot connect to php-fpm.
    Upstream,
    /// The database cannot be reached, or has gone away.
    DatabaseRefused,
    /// The name of the database's host cannot be resolved.
    DatabaseName,
    /// The database does not know the backend's user.
    DatabaseLogin,
    /// "Too many connections".
    DatabaseConnections,
    /// Redis cannot be reached or rejects the token.
    Redis,
    /// Something outside does not answer in time.
    Network,
    /// The application's own code.
    Application,
}

/// What a line complains about, if it complains at all.
pub(super) fn topic(line: &str) -> Option<Topic> {
    let has = |text: &str| line.contains(text);
    if let Some(topic) = database(line) {
        return Some(topic);
    }
    if has("while connecting to upstream") && has("connect() failed") {
        return Some(Topic::Upstream);
    }
    if has("RedisException") || has("Predis\\") || has("NOAUTH") || has("WRONGPASS") {
        return Some(Topic::Redis);
    }
    if has("cURL error 28") || has("cURL error 7") || has("cURL error 6:") {
        return Some(Topic::Network);
    }
    let complains = [
        ".ERROR:",
        ".CRITICAL:",
        ".EMERGENCY:",
        "PHP Fatal error",
        "Uncaught ",
    ]
    .iter()
    .any(|sign| has(sign));
    complains.then_some(Topic::Application)
}

/// What a line of PDO or mysqli says of the connection to the database.
fn database(line: &str) -> Option<Topic> {
    let start = line.find("SQLSTATE[").or_else(|| line.find("mysqli"))?;
    // Behind the message Laravel quotes the statement, whose numbers are no error codes.
    let text = &line[start..];
    let end = [" (Connection:", " (SQL:", " {\"exception\""]
        .iter()
        .filter_map(|sign| text.find(sign))
        .min()
        .unwrap_or(text.len());
    let text = &text[..end];
    let has = |sign: &str| text.contains(sign);
    // PHP resolves the name before it connects, and reports both as 2002.
    if has("getaddrinfo") || has("Name or service not known") || has("name resolution") {
        return Some(Topic::DatabaseName);
    }
    // MariaDB client errors 2002, 2003, 2006, 2013: no connection. 1045: access denied. 1040: too many connections.
    let is = |code: u32| has(&format!("[{code}]")) || has(&format!(": {code} "));
    if is(2002) || is(2003) || is(2006) || is(2013) {
        return Some(Topic::DatabaseRefused);
    }
    if is(1045) || has("Access denied for user") {
        return Some(Topic::DatabaseLogin);
    }
    (is(1040) || has("Too many connections")).then_some(Topic::DatabaseConnections)
}

/// Lines about a topic that are not older than `minutes`, oldest first.
pub(super) fn about(snapshot: &Snapshot, now: Timestamp, minutes: i64, wanted: Topic) -> Vec<&FoundLine> {
    recent(snapshot, now, minutes)
        .filter(|line| topic(&line.message) == Some(wanted))
        .collect()
}

fn recent(snapshot: &Snapshot, now: Timestamp, minutes: i64) -> impl Iterator<Item = &FoundLine> {
    let from = now.as_second() - minutes * 60;
    snapshot
        .backend_logs
        .iter()
        .flatten()
        .filter(move |line| line.at.as_second() >= from)
}

/// What most error lines of the last 15 minutes are about, and the newest line of the most frequent
/// kind with how often it came.
///
/// nginx's own complaints count only when there is nothing else: behind a refused connection there is
/// always another reason.
pub(super) fn dominant(snapshot: &Snapshot, now: Timestamp) -> Option<(Topic, usize, &FoundLine)> {
    let mut kinds: BTreeMap<(Topic, String), (usize, &FoundLine)> = BTreeMap::new();
    for line in recent(snapshot, now, 15) {
        if let Some(topic) = topic(&line.message) {
            let kind = kinds.entry((topic, shape(&line.message))).or_insert((0, line));
            *kind = (kind.0 + 1, line);
        }
    }
    kinds
        .into_iter()
        .max_by_key(|((topic, _), (count, line))| (*topic != Topic::Upstream, *count, line.at))
        .map(|((topic, _), (count, line))| (topic, count, line))
}

/// The line without what differs from one occurrence to the next: stamps, numbers, ids.
fn shape(line: &str) -> String {
    let tail = line.split_once(".ERROR: ").map_or(line, |(_, tail)| tail);
    tail.chars().filter(|c| !c.is_ascii_digit()).take(80).collect()
}

/// The first line of a message as evidence, without secrets. Reports for people cut it, documents do not.
pub(super) fn excerpt(message: &str) -> String {
    // Secrets first: half of one would not be recognised.
    let first = redact(message.lines().next().unwrap_or_default());
    exception(&first).unwrap_or_else(|| first.trim().to_owned())
}

/// Laravel repeats the message inside the JSON of the exception, before the one thing that is worth
/// more than the message: where it was thrown.
fn exception(line: &str) -> Option<String> {
    let (message, json) = line.split_once(" {\"")?;
    let (_, thrown) = json.split_once("exception\":\"[object] (")?;
    let class = thrown.split('(').next()?.replace("\\\\", "\\");
    let place = thrown.rsplit_once(" at ").map(|(_, place)| {
        let end = place
            .find(|c: char| c.is_whitespace() || matches!(c, ')' | '"'))
            .unwrap_or(place.len());
        format!(" at {}", &place[..end])
    });
    let place = place.unwrap_or_default();
    Some(format!("{} ({class}{place})", message.trim()))
}

/// `2026-01-15T08:55:00Z php/php-fpm/0a1b: message`.
pub(super) fn quoted(line: &FoundLine) -> String {
    format!("{} {}: {}", at(line.at), line.stream, excerpt(&line.message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_topics() {
        for (line, expected) in [
            (
                "[…] production.ERROR: SQLSTATE[HY000] [2002] Connection refused (Connection: central)",
                Some(Topic::DatabaseRefused),
            ),
            (
                "SQLSTATE[HY000]: General error: 2006 MySQL server has gone away",
                Some(Topic::DatabaseRefused),
            ),
            (
                "[…] production.ERROR: SQLSTATE[HY000] [2002] php_network_getaddresses: getaddrinfo failed: Try again (Connection: central, SQL: select 1)",
                Some(Topic::DatabaseName),
            ),
            (
                "production.ERROR: SQLSTATE[42S22]: Column not found: 1054 Unknown column x (Connection: central, SQL: select * from films where year = 2006 and x = 1)",
                Some(Topic::Application),
            ),
            (
                "SQLSTATE[HY000] [1045] Access denied for user 'bp'@'10.0.1.2' (using password: YES)",
                Some(Topic::DatabaseLogin),
            ),
            (
                "SQLSTATE[08004] [1040] Too many connections",
                Some(Topic::DatabaseConnections),
            ),
            (
                "2026/01/15 08:59:00 [error] 29#29: *1 connect() failed (111: Connection refused) while connecting to upstream",
                Some(Topic::Upstream),
            ),
            (
                "production.ERROR: Connection refused [tcp://r:6379] {\"exception\":\"[object] (Predis\\\\Connection",
                Some(Topic::Redis),
            ),
            (
                "production.ERROR: cURL error 28: Connection timed out after 10001 milliseconds",
                Some(Topic::Network),
            ),
            (
                "production.ERROR: Undefined property: stdClass::$credits",
                Some(Topic::Application),
            ),
            (
                "production.ERROR: SQLSTATE[42S22]: Column not found: 1054 Unknown column",
                Some(Topic::Application),
            ),
            ("127.0.0.1 - \"GET /index.php\" 200", None),
            ("#0 /var/www/html/app/X.php(1): y()", None),
        ] {
            assert_eq!(topic(line), expected, "{line}");
        }
    }

    #[test]
    fn an_excerpt_leaves_the_repetition_out_and_keeps_the_place() {
        for (line, expected) in [
            (
                r#"[9:00] x.ERROR: SQLSTATE[HY000] [2002] Connection refused {"exception":"[object] (Illuminate\\Database\\QueryException(code: 2002): SQLSTATE[HY000] [2002] Connection refused at /app/Connection.php:829)"}"#,
                r"[9:00] x.ERROR: SQLSTATE[HY000] [2002] Connection refused (Illuminate\Database\QueryException at /app/Connection.php:829)",
            ),
            (
                r#"x.ERROR: Undefined property: $credits {"userId":7,"exception":"[object] (ErrorException(code: 0): Undefined property: $credits at /app/Video.php:142)"#,
                "x.ERROR: Undefined property: $credits (ErrorException at /app/Video.php:142)",
            ),
            ("x.ERROR: token=abc\nmore", "x.ERROR: token=[redacted]"),
        ] {
            assert_eq!(excerpt(line), expected);
        }
    }
}
