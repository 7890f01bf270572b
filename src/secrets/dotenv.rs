//! Environment files as Laravel reads them (vlucas/phpdotenv), but strict: what readers of such files understand
//! differently is an error with its line, and so is a name that stands there twice.
//!
//! `NAME=value` a line, `export` before it or not; comments; values bare, in single quotes (as they stand) or in
//! double quotes (with `\n \r \t \f \v \" \\ \$` and `${NAME}` of an earlier line); quoted values may go over
//! lines; LF, CRLF or CR; a byte order mark. No error quotes the file.

use std::collections::BTreeMap;
use std::fmt;

use secrecy::zeroize::Zeroizing;

use crate::redact::Secret;

/// A variable of the file.
#[derive(Clone, Debug)]
pub(crate) struct Assignment {
    pub(crate) value: Secret,
    /// Counted from 1.
    pub(crate) line: usize,
}

/// Variables by name.
pub(crate) type Assignments = BTreeMap<String, Assignment>;

/// Why a file cannot be read. Holds nothing of the file but line numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// Counted from 1.
    pub(crate) line: usize,
    why: Why,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Why {
    Is(&'static str),
    /// The line on which the name stands first.
    Again(usize),
    /// The line on which the quote begins is that of the mistake.
    NotClosed,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.why {
            Why::Is(why) => write!(f, "line {}: {why}", self.line),
            Why::Again(first) => write!(f, "line {}: the name stands on line {first} already", self.line),
            Why::NotClosed => write!(f, "line {}: the quote that begins here is not closed", self.line),
        }
    }
}

/// Reads a file.
///
/// # Errors
/// The first mistake.
pub(crate) fn parse(text: &str) -> Result<Assignments, Mistake> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut parser = Parser {
        rest: text,
        line: 1,
        found: Assignments::new(),
    };
    while !parser.rest.is_empty() {
        parser.line()?;
    }
    Ok(parser.found)
}

struct Parser<'a> {
    rest: &'a str,
    line: usize,
    found: Assignments,
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    /// Takes a character; every kind of line end is one `\n`.
    fn take(&mut self) -> Option<char> {
        let c = self.peek()?;
        let length = if self.rest.starts_with("\r\n") {
            2
        } else {
            c.len_utf8()
        };
        self.rest = self.rest.get(length..).unwrap_or_default();
        if c == '\n' || c == '\r' {
            self.line += 1;
            return Some('\n');
        }
        Some(c)
    }

    fn skip_blanks(&mut self) -> bool {
        let before = self.rest.len();
        while self.peek().is_some_and(is_blank) {
            self.take();
        }
        self.rest.len() < before
    }

    fn mistake<T>(&self, why: &'static str) -> Result<T, Mistake> {
        Err(Mistake {
            line: self.line,
            why: Why::Is(why),
        })
    }

    fn line(&mut self) -> Result<(), Mistake> {
        self.skip_blanks();
        if self.at_end_of_line() || self.peek() == Some('#') {
            self.skip_comment();
            return Ok(());
        }
        let line = self.line;
        let mut name = self.name()?;
        let spaced = self.skip_blanks();
        if name == "export" && spaced && self.peek() != Some('=') {
            name = self.name()?;
            self.skip_blanks();
        }
        if self.peek() != Some('=') {
            return self.mistake("expected `NAME=value`");
        }
        self.take();
        let spaced = self.skip_blanks();
        let value = match self.peek() {
            Some('\'') => self.single_quoted()?,
            Some('"') => self.double_quoted()?,
            Some('#') if spaced => Zeroizing::new(String::new()),
            _ => self.bare()?,
        };
        let spaced = self.skip_blanks();
        match self.peek() {
            Some('#') if spaced || value.is_empty() => self.skip_comment(),
            _ if self.at_end_of_line() => self.skip_comment(),
            _ => return self.mistake("something follows the value: quote all of it"),
        }
        if let Some(first) = self.found.get(&name) {
            return Err(Mistake {
                line,
                why: Why::Again(first.line),
            });
        }
        let value = Secret::from(value.as_str());
        self.found.insert(name, Assignment { value, line });
        Ok(())
    }

    fn at_end_of_line(&self) -> bool {
        matches!(self.peek(), None | Some('\n' | '\r'))
    }

    /// Everything up to the next line.
    fn skip_comment(&mut self) {
        while self.take().is_some_and(|c| c != '\n') {}
    }

    fn name(&mut self) -> Result<String, Mistake> {
        let mut name = String::new();
        while let Some(c) = self.peek().filter(|c| is_of_name(*c)) {
            if name.is_empty() && (c.is_ascii_digit() || c == '.') {
                break;
            }
            name.push(c);
            self.take();
        }
        if name.is_empty() {
            return self.mistake("expected a name of letters, digits, `_` and `.`");
        }
        Ok(name)
    }

    /// Room for whatever is left: the value never moves and leaves no copy behind.
    fn room(&self) -> Zeroizing<String> {
        Zeroizing::new(String::with_capacity(self.rest.len().min(64 * 1024)))
    }

    fn bare(&mut self) -> Result<Zeroizing<String>, Mistake> {
        let mut value = self.room();
        while let Some(c) = self.peek() {
            match c {
                '\n' | '\r' => break,
                c if is_blank(c) => break,
                '#' => return self.mistake("`#` in a value that is not quoted: readers disagree on it"),
                '\'' | '"' | '\\' | '`' => {
                    return self.mistake("a quote or backslash in a value that is not quoted");
                }
                '$' => self.dollar(&mut value)?,
                c if c.is_control() => return self.mistake("a control character in a value"),
                c => {
                    value.push(c);
                    self.take();
                }
            }
        }
        Ok(value)
    }

    fn single_quoted(&mut self) -> Result<Zeroizing<String>, Mistake> {
        let begun = self.line;
        self.take();
        let mut value = self.room();
        loop {
            match self.take() {
                Some('\'') => return Ok(value),
                Some('\0') => return self.mistake("a control character in a value"),
                Some(c) => value.push(c),
                None => return Err(not_closed(begun)),
            }
        }
    }

    fn double_quoted(&mut self) -> Result<Zeroizing<String>, Mistake> {
        let begun = self.line;
        self.take();
        let mut value = self.room();
        loop {
            match self.peek() {
                Some('"') => {
                    self.take();
                    return Ok(value);
                }
                Some('\\') => {
                    self.take();
                    let c = match self.take() {
                        Some('n') => '\n',
                        Some('r') => '\r',
                        Some('t') => '\t',
                        Some('f') => '\u{c}',
                        Some('v') => '\u{b}',
                        Some(c @ ('"' | '\\' | '$')) => c,
                        Some(_) => {
                            return self
                                .mistake("an escape that is none of `\\n \\r \\t \\f \\v \\\" \\\\ \\$`");
                        }
                        None => return Err(not_closed(begun)),
                    };
                    value.push(c);
                }
                Some('$') => self.dollar(&mut value)?,
                Some('\0') => return self.mistake("a control character in a value"),
                Some(_) => value.extend(self.take()),
                None => return Err(not_closed(begun)),
            }
        }
    }

    /// `${NAME}` of an earlier line; any other `$` stands for itself.
    fn dollar(&mut self, value: &mut Zeroizing<String>) -> Result<(), Mistake> {
        self.take();
        if self.peek() != Some('{') {
            value.push('$');
            return Ok(());
        }
        self.take();
        let name = self.name()?;
        if self.take() != Some('}') {
            return self.mistake("expected `${NAME}`");
        }
        let Some(earlier) = self.found.get(&name) else {
            return self.mistake("`${NAME}` of a name that no earlier line sets");
        };
        value.push_str(earlier.value.expose());
        Ok(())
    }
}

fn not_closed(line: usize) -> Mistake {
    Mistake {
        line,
        why: Why::NotClosed,
    }
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Vec<(String, String)> {
        let found = parse(text).unwrap_or_else(|mistake| panic!("{mistake}"));
        found
            .into_iter()
            .map(|(name, assignment)| (name, assignment.value.expose().to_owned()))
            .collect()
    }

    fn one(text: &str) -> String {
        read(text).remove(0).1
    }

    fn mistake(text: &str) -> String {
        match parse(text) {
            Ok(_) => panic!("it was taken: {text:?}"),
            Err(mistake) => mistake.to_string(),
        }
    }

    #[test]
    fn values_bare_and_quoted() {
        for (text, value) in [
            ("A=", ""),
            ("A= ", ""),
            ("A= # comment", ""),
            ("A=\"\"", ""),
            ("A=''", ""),
            ("A=base64:AbC/+==", "base64:AbC/+=="),
            ("A=x   # comment", "x"),
            ("  export   A = x", "x"),
            ("export\tA='x y'", "x y"),
            (
                "A='it is # $HOME \\n \"as it stands\"'",
                "it is # $HOME \\n \"as it stands\"",
            ),
            (
                "A=\"a\\nb\\t\\\"c\\\" \\\\ \\$x # no comment\" # comment",
                "a\nb\t\"c\" \\ $x # no comment",
            ),
            ("A=\"one\ntwo\"", "one\ntwo"),
            ("A='one\r\ntwo'\r\n", "one\ntwo"),
            ("\u{feff}A=x", "x"),
            ("A=a$b", "a$b"),
            ("A=ü", "ü"),
            ("# comment\r\n\r\nA=x", "x"),
            ("A=x\rB=y", "x"),
        ] {
            assert_eq!(one(text), value, "{text:?}");
        }
        assert_eq!(one("export=x"), "x");
        assert_eq!(
            read("A=x\nB=\"${A}-y\"\nC=${A}")[1..],
            [
                ("B".to_owned(), "x-y".to_owned()),
                ("C".to_owned(), "x".to_owned())
            ]
        );
    }

    #[test]
    fn every_name_knows_its_line() {
        let found = parse("# a\nA=\"1\n2\n3\"\nB=x").unwrap();
        assert_eq!((found["A"].line, found["B"].line), (2, 5));
    }

    #[test]
    fn what_readers_understand_differently_is_refused() {
        for (text, why) in [
            ("A=1\nB=2\r\nA=3", "line 3: the name stands on line 1 already"),
            ("A=a b", "line 1: something follows the value: quote all of it"),
            ("A=\"a\"b", "line 1: something follows the value: quote all of it"),
            ("A='a'#b", "line 1: something follows the value: quote all of it"),
            (
                "A=a#b",
                "line 1: `#` in a value that is not quoted: readers disagree on it",
            ),
            (
                "A=#b",
                "line 1: `#` in a value that is not quoted: readers disagree on it",
            ),
            (
                "A=it's",
                "line 1: a quote or backslash in a value that is not quoted",
            ),
            ("x\nA=1", "line 1: expected `NAME=value`"),
            ("export A", "line 1: expected `NAME=value`"),
            ("1A=x", "line 1: expected a name of letters, digits, `_` and `.`"),
            ("=x", "line 1: expected a name of letters, digits, `_` and `.`"),
            (
                "\n\nA=\"x\nB=1",
                "line 3: the quote that begins here is not closed",
            ),
            ("A='x", "line 1: the quote that begins here is not closed"),
            (
                "A=\"\\q\"",
                "line 1: an escape that is none of `\\n \\r \\t \\f \\v \\\" \\\\ \\$`",
            ),
            ("A=${B}", "line 1: `${NAME}` of a name that no earlier line sets"),
            ("A=\"${A\"", "line 1: expected `${NAME}`"),
            ("A=a\u{7}b", "line 1: a control character in a value"),
        ] {
            assert_eq!(mistake(text), why, "{text:?}");
        }
    }

    /// A value in double quotes as this parser reads it.
    fn quoted(value: &str) -> String {
        let mut text = String::from("\"");
        for c in value.chars() {
            match c {
                '"' | '\\' | '$' => text.extend(['\\', c]),
                '\n' => text.push_str("\\n"),
                '\r' => text.push_str("\\r"),
                c => text.push(c),
            }
        }
        text + "\""
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn no_file_makes_it_panic_and_no_mistake_quotes_it(
            text in "([A-C]|zqx|=|export| |\t|#|'|\"|\\\\|\\$|\\{|\\}|n|\r|\n|\u{feff}|\u{0}|ü|[0-9.]){0,60}"
        ) {
            if let Err(mistake) = parse(&text) {
                let said = mistake.to_string();
                prop_assert!(!said.contains("zqx") && !said.contains('ü'), "{}", said);
                let lines = text.replace("\r\n", "\n").chars().filter(|c| matches!(c, '\n' | '\r')).count();
                prop_assert!(mistake.line >= 1 && mistake.line <= lines + 1, "{}", said);
            }
        }

        #[test]
        fn any_text_survives_in_double_quotes(value in "[^\u{0}]{0,40}") {
            let text = format!("BEFORE=1\nA={}\nAFTER='2'\n", quoted(&value));
            let found = parse(&text);
            prop_assert!(found.is_ok(), "{:?}", found.err());
            let found = found.unwrap_or_default();
            prop_assert_eq!(found.get("A").map(|a| a.value.expose()), Some(value.as_str()));
            prop_assert_eq!(found.len(), 3);
        }

        #[test]
        fn any_text_without_its_quote_survives_in_single_quotes(value in "[^\u{0}'\r]{0,40}") {
            let found = parse(&format!("A='{value}'")).unwrap_or_default();
            prop_assert_eq!(found.get("A").map(|a| a.value.expose()), Some(value.as_str()));
        }
    }
}
