//! Filter patterns for unstructured log events: terms, phrases, alternatives, exclusions, regular
//! expressions ("Filter pattern syntax for metric filters, subscription filters, filter log events").

use crate::error::ApiError;

use super::invalid;

/// What an event's message must satisfy.
#[derive(Debug, Default)]
pub(super) struct Pattern {
    all: Vec<String>,
    any: Vec<String>,
    none: Vec<String>,
    regexes: Vec<Regex>,
}

impl Pattern {
    /// Reads a pattern; an empty one matches everything.
    pub(super) fn parse(text: &str) -> Result<Self, ApiError> {
        let text = text.trim();
        if text.starts_with('{') || text.starts_with('[') {
            return Err(invalid(
                "Invalid filter pattern: structured patterns are not supported in this account.",
            ));
        }
        let mut pattern = Self::default();
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
    }
}

enum Term {
    Text(String),
    Regex(String),
}

/// The small dialect that CloudWatch Logs supports: literals, `.`, `\d \w \s`, `[…]`, `( )` are not
/// nested; `?`, `*`, `+`, `^`, `$`, `|`.
#[derive(Debug)]
struct Regex {
    alternatives: Vec<Branch>,
}

#[derive(Debug, Default)]
struct Branch {
    from_start: bool,
    to_end: bool,
    pieces: Vec<(Class, Times)>,
}

#[derive(Debug)]
enum Class {
    Any,
    One(char),
    Set { items: Vec<(char, char)>, negated: bool },
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Times {
    Once,
    Optional,
    Many,
    AtLeastOnce,
}

impl Regex {
    fn parse(text: &str) -> Result<Self, ApiError> {
        let wrong = || invalid("Invalid regular expression in filter pattern");
        let mut alternatives = vec![Branch::default()];
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            let Some(branch) = alternatives.last_mut() else {
                return Err(wrong());
            };
            let class = match character {
                '|' => {
                    alternatives.push(Branch::default());
                    continue;
                }
                '^' if branch.pieces.is_empty() => {
                    branch.from_start = true;
                    continue;
                }
                '$' if matches!(characters.peek(), None | Some('|')) => {
                    branch.to_end = true;
                    continue;
                }
                '?' | '*' | '+' => {
                    let times = match character {
                        '?' => Times::Optional,
                        '*' => Times::Many,
                        _ => Times::AtLeastOnce,
                    };
                    match branch.pieces.last_mut() {
                        Some((_, existing)) if *existing == Times::Once => *existing = times,
                        _ => return Err(wrong()),
                    }
                    continue;
                }
                '(' | ')' | '{' | '}' => return Err(wrong()),
                '.' => Class::Any,
                '\\' => escape(characters.next().ok_or_else(wrong)?),
                '[' => set(&mut characters).ok_or_else(wrong)?,
                other => Class::One(other),
            };
            branch.pieces.push((class, Times::Once));
        }
        Ok(Self { alternatives })
    }

    fn is_match(&self, message: &str) -> bool {
        let characters: Vec<char> = message.chars().collect();
        self.alternatives.iter().any(|branch| {
            let last_start = if branch.from_start { 0 } else { characters.len() };
            (0..=last_start).any(|start| branch.matches(&branch.pieces, &characters[start..]))
        })
    }
}

impl Branch {
    fn matches(&self, pieces: &[(Class, Times)], text: &[char]) -> bool {
        let Some(((class, times), rest)) = pieces.split_first() else {
            return !self.to_end || text.is_empty();
        };
        let run = text.iter().take_while(|c| class.holds(**c)).count();
        let (least, most) = match times {
            Times::Once => (1, 1),
            Times::Optional => (0, 1),
            Times::Many => (0, usize::MAX),
            Times::AtLeastOnce => (1, usize::MAX),
        };
        (least..=most.min(run))
            .rev()
            .any(|taken| self.matches(rest, &text[taken..]))
    }
}

impl Class {
    fn holds(&self, character: char) -> bool {
        match self {
            Self::Any => true,
            Self::One(one) => *one == character,
            Self::Set { items, negated } => {
                items
                    .iter()
                    .any(|(low, high)| (*low..=*high).contains(&character))
                    != *negated
            }
        }
    }
}

fn escape(character: char) -> Class {
    let (items, negated) = match character {
        'd' | 'D' => (vec![('0', '9')], character == 'D'),
        'w' | 'W' => (
            vec![('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')],
            character == 'W',
        ),
        's' | 'S' => (vec![(' ', ' '), ('\t', '\r')], character == 'S'),
        other => return Class::One(other),
    };
    Class::Set { items, negated }
}

fn set(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<Class> {
    let negated = characters.next_if_eq(&'^').is_some();
    let mut items = Vec::new();
    loop {
        match characters.next()? {
            ']' => return Some(Class::Set { items, negated }),
            low => {
                if characters.next_if_eq(&'-').is_some() {
                    items.push((low, characters.next()?));
                } else {
                    items.push((low, low));
                }
            }
        }
    }
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
    fn structured_patterns_and_bare_punctuation_are_refused() {
        for pattern in ["{ $.level = \"error\" }", "a-b", "\"open", "%open"] {
            let error = Pattern::parse(pattern).unwrap_err();
            assert_eq!(error.code, "InvalidParameterException", "{pattern}");
        }
    }
}
