//! Regular expressions in filter patterns.

use super::super::invalid;
use crate::error::ApiError;

/// The small dialect that CloudWatch Logs supports: literals, `.`, `\d \w \s`, `[…]`, `( )` are not
/// nested; `?`, `*`, `+`, `^`, `$`, `|`.
#[derive(Debug)]
pub(super) struct Regex {
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
    pub(super) fn parse(text: &str) -> Result<Self, ApiError> {
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

    pub(super) fn is_match(&self, message: &str) -> bool {
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
