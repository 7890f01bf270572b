//! Filter patterns: terms, phrases, alternatives, exclusions and regular expressions for unstructured events, `{…}` for
//! JSON, `[…]` for fields between blanks (Amazon CloudWatch Logs User Guide, "Filter pattern syntax for metric filters,
//! subscription filters, filter log events, and Live Tail").

mod condition;
mod fields;
mod json;
mod regex;

use super::invalid;
use crate::error::ApiError;

use fields::Fields;
use json::Members;
use regex::Regex;

/// What an event's message must satisfy.
#[derive(Debug, Default)]
pub(super) struct Pattern {
    all: Vec<String>,
    any: Vec<String>,
    none: Vec<String>,
    regexes: Vec<Regex>,
    members: Option<Members>,
    fields: Option<Fields>,
}

impl Pattern {
    /// Reads a pattern; an empty one matches everything.
    pub(super) fn parse(text: &str) -> Result<Self, ApiError> {
        let text = text.trim();
        let mut pattern = Self::default();
        if let Some(inside) = text.strip_prefix('{') {
            let inside = inside
                .strip_suffix('}')
                .ok_or_else(|| invalid("Invalid filter pattern"))?;
            pattern.members = Some(Members::parse(inside)?);
            return Ok(pattern);
        }
        if let Some(inside) = text.strip_prefix('[') {
            let inside = inside
                .strip_suffix(']')
                .ok_or_else(|| invalid("Invalid filter pattern"))?;
            pattern.fields = Some(Fields::parse(inside)?);
            return Ok(pattern);
        }
        let mut rest = text;
        while !rest.is_empty() {
            let (sign, body) = match rest.as_bytes()[0] {
                b'?' => ('?', &rest[1..]),
                b'-' => ('-', &rest[1..]),
                _ => ('+', rest),
            };
            let (term, remainder) = Self::term(body)?;
            rest = remainder.trim_start();
            match (sign, term) {
                ('+', Term::Regex(regex)) => pattern.regexes.push(Regex::parse(&regex)?),
                (_, Term::Regex(_)) => return Err(invalid("Invalid filter pattern")),
                ('?', Term::Text(term)) => pattern.any.push(term),
                ('-', Term::Text(term)) => pattern.none.push(term),
                (_, Term::Text(term)) => pattern.all.push(term),
            }
        }
        Ok(pattern)
    }

    fn term(body: &str) -> Result<(Term, &str), ApiError> {
        let unclosed = || invalid("Invalid filter pattern");
        if let Some(quoted) = body.strip_prefix('"') {
            let mut term = String::new();
            let mut characters = quoted.char_indices();
            while let Some((index, character)) = characters.next() {
                match character {
                    '"' => return Ok((Term::Text(term), &quoted[index + 1..])),
                    '\\' => term.extend(characters.next().map(|(_, next)| next)),
                    other => term.push(other),
                }
            }
            return Err(unclosed());
        }
        if let Some(regex) = body.strip_prefix('%') {
            let end = regex.find('%').ok_or_else(unclosed)?;
            return Ok((Term::Regex(regex[..end].to_owned()), &regex[end + 1..]));
        }
        let end = body.find(char::is_whitespace).unwrap_or(body.len());
        let term = &body[..end];
        // Anything but letters, digits and underscores must stand in quotes.
        if term.is_empty() || !term.chars().all(|c| c.is_alphanumeric() || c == '_') {
            return Err(invalid(format!(
                "Invalid character(s) in term '{}'",
                term.replace('\'', "")
            )));
        }
        Ok((Term::Text(term.to_owned()), &body[end..]))
    }

    /// Whether the message satisfies the pattern; upper and lower case differ.
    pub(super) fn matches(&self, message: &str) -> bool {
        self.all.iter().all(|term| message.contains(term.as_str()))
            && !self.none.iter().any(|term| message.contains(term.as_str()))
            && (self.any.is_empty() || self.any.iter().any(|term| message.contains(term.as_str())))
            && self.regexes.iter().all(|regex| regex.is_match(message))
            && self
                .members
                .as_ref()
                .is_none_or(|members| members.match_text(message))
            && self
                .fields
                .as_ref()
                .is_none_or(|fields| fields.match_text(message))
    }
}

enum Term {
    Text(String),
    Regex(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, message: &str) -> bool {
        Pattern::parse(pattern).unwrap().matches(message)
    }

    #[test]
    fn terms_must_all_occur_and_case_counts() {
        assert!(matches("ERROR timeout", "a timeout, ERROR 5"));
        assert!(!matches("ERROR timeout", "ERROR only"));
        assert!(!matches("error", "ERROR"));
        assert!(matches("", "anything"));
    }

    #[test]
    fn phrases_alternatives_and_exclusions() {
        assert!(matches("\"connect() failed\"", "x connect() failed y"));
        assert!(matches("?ERROR ?WARN", "a WARN"));
        assert!(!matches("?ERROR ?WARN", "an INFO"));
        assert!(!matches("ERROR -Exiting", "ERROR Exiting now"));
        assert!(matches("ERROR -\"not me\"", "ERROR at all"));
    }

    #[test]
    fn regular_expressions_between_percent_signs() {
        assert!(matches("%HTTP/1.1\" 5\\d\\d%", "GET / HTTP/1.1\" 502 157"));
        assert!(!matches("%HTTP/1.1\" 5\\d\\d%", "GET / HTTP/1.1\" 200 157"));
        assert!(matches("%^SQLSTATE|refused$%", "connection refused"));
        assert!(!matches("%^SQLSTATE%", "in SQLSTATE"));
        assert!(matches("%[A-C]x+%", "zBxxz"));
    }

    #[test]
    fn bare_punctuation_and_what_is_not_closed_are_refused() {
        for pattern in [
            "a-b",
            "\"open",
            "%open",
            "{ $.level = \"error\"",
            "[a, b",
            "{ level = 1 }",
            "{ $.a = }",
        ] {
            let error = Pattern::parse(pattern).unwrap_err();
            assert_eq!(error.code, "InvalidParameterException", "{pattern}");
        }
    }

    #[test]
    fn members_of_json_are_compared() {
        let event = r#"{"level":"ERROR","code":502,"user":{"id":7},"tags":["a","b"],"none":null,"ok":true,"ip":"10.0.1.5"}"#;
        for (pattern, expected) in [
            ("{ $.level = \"ERROR\" }", true),
            ("{ $.level = ERROR }", true),
            ("{ $.level = \"error\" }", false),
            ("{ $.level = \"ERR*\" }", true),
            ("{ $.level != \"INFO\" }", true),
            ("{ $.level = %^ERR% }", true),
            ("{ $.code >= 500 && $.code < 600 }", true),
            ("{ $.code = 502 }", true),
            ("{ $.code = 5* }", true),
            ("{ ($.code = 1) || ($.user.id = 7) }", true),
            ("{ $.tags[1] = \"b\" }", true),
            ("{ $.tags[*] = \"b\" }", true),
            ("{ $.none IS NULL }", true),
            ("{ $.other NOT EXISTS }", true),
            ("{ $.ok IS TRUE }", true),
            ("{ $.ok IS FALSE }", false),
            ("{ $.ip = 10.0.* }", true),
        ] {
            assert_eq!(matches(pattern, event), expected, "{pattern}");
        }
        assert!(!matches("{ $.level = \"ERROR\" }", "level=ERROR"));
    }

    #[test]
    fn fields_between_blanks_are_compared() {
        let event = r#"127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534"#;
        for (pattern, expected) in [
            (
                "[ip, user, username, timestamp, request, status_code = 4*, bytes > 1000]",
                true,
            ),
            (
                "[ip, user, username, timestamp, request, status_code = 4*, bytes > 2000]",
                false,
            ),
            ("[..., status_code = 404 || status_code = 410, bytes]", true),
            ("[ip, user, username = frank, ...]", true),
            ("[ip, user, username, timestamp, request = *html*, ...]", true),
            ("[ip, user]", false),
        ] {
            assert_eq!(matches(pattern, event), expected, "{pattern}");
        }
    }
}
