//! Bytes from the terminal → keys (XTerm Control Sequences, "PC-Style Function Keys").

/// A key as far as the view knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Char(char),
    Enter,
    Tab,
    BackTab,
    Backspace,
    Escape,
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    Home,
    End,
    CtrlC,
    /// Ctrl-L: draw everything anew.
    Redraw,
}

const ESCAPE: u8 = 0x1b;

/// What is left of an unfinished sequence is kept until more comes.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    rest: Vec<u8>,
}

impl Decoder {
    /// The keys that `bytes` end.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<Key> {
        self.rest.extend(bytes);
        let mut keys = Vec::new();
        while let Some((length, key)) = first(&self.rest) {
            self.rest.drain(..length);
            keys.extend(key);
        }
        keys
    }

    /// Whether a sequence has begun: a lone Escape is one that nothing follows.
    pub(super) fn waits(&self) -> bool {
        !self.rest.is_empty()
    }

    /// Nothing followed: what is there is a key, or nothing that is known.
    pub(super) fn give_up(&mut self) -> Vec<Key> {
        let alone = self.rest == [ESCAPE];
        self.rest.clear();
        if alone { vec![Key::Escape] } else { Vec::new() }
    }
}

/// How many bytes the first key has, and which it is if it is known; `None` for one that is not whole.
fn first(bytes: &[u8]) -> Option<(usize, Option<Key>)> {
    let one = |key| Some((1, Some(key)));
    match *bytes {
        [] => None,
        [ESCAPE, ..] => sequence(bytes),
        [b'\r' | b'\n', ..] => one(Key::Enter),
        [b'\t', ..] => one(Key::Tab),
        [0x7f | 0x08, ..] => one(Key::Backspace),
        [0x03, ..] => one(Key::CtrlC),
        [0x0c, ..] => one(Key::Redraw),
        [byte, ..] if byte < 0x20 => Some((1, None)),
        [byte, ..] if byte < 0x80 => one(Key::Char(char::from(byte))),
        [byte, ..] => {
            let length = match byte {
                0xc2..=0xdf => 2,
                0xe0..=0xef => 3,
                0xf0..=0xf4 => 4,
                _ => return Some((1, None)),
            };
            let letter = bytes.get(..length)?;
            match std::str::from_utf8(letter)
                .ok()
                .and_then(|text| text.chars().next())
            {
                Some(letter) if !letter.is_control() => Some((length, Some(Key::Char(letter)))),
                Some(_) => Some((length, None)),
                None => Some((1, None)),
            }
        }
    }
}

fn sequence(bytes: &[u8]) -> Option<(usize, Option<Key>)> {
    match bytes {
        [_, b'[', rest @ ..] => {
            // Parameters and intermediates, then one final byte (ECMA-48, 5.4).
            let end = rest.iter().position(|byte| (0x40..=0x7e).contains(byte))?;
            let parameter = rest[..end].split(|byte| *byte == b';').next().unwrap_or_default();
            Some((2 + end + 1, named(parameter, rest[end])))
        }
        [_, b'O', letter, ..] => Some((3, named(&[], *letter))),
        [_] | [_, b'O'] => None,
        // Escape, then another key.
        [_, ..] => Some((1, Some(Key::Escape))),
        [] => None,
    }
}

fn named(parameter: &[u8], end: u8) -> Option<Key> {
    Some(match (parameter, end) {
        (_, b'A') => Key::Up,
        (_, b'B') => Key::Down,
        (_, b'C') => Key::Right,
        (_, b'D') => Key::Left,
        (_, b'H') | (b"1" | b"7", b'~') => Key::Home,
        (_, b'F') | (b"4" | b"8", b'~') => Key::End,
        (b"5", b'~') => Key::PageUp,
        (b"6", b'~') => Key::PageDown,
        (_, b'Z') => Key::BackTab,
        (_, b'M') => Key::Enter,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(parts: &[&[u8]]) -> Vec<Key> {
        let mut decoder = Decoder::default();
        let mut keys: Vec<Key> = parts.iter().flat_map(|part| decoder.push(part)).collect();
        keys.extend(decoder.give_up());
        keys
    }

    #[test]
    fn sequences_are_keys_also_in_pieces() {
        assert_eq!(
            all(&[b"j\x1b[A\x1bOB\x1b[5~\x1b[Z\r\t\x7f\x03"]),
            [
                Key::Char('j'),
                Key::Up,
                Key::Down,
                Key::PageUp,
                Key::BackTab,
                Key::Enter,
                Key::Tab,
                Key::Backspace,
                Key::CtrlC
            ]
        );
        assert_eq!(all(&[b"\x1b", b"[", b"B"]), [Key::Down]);
        assert_eq!(all(&["ü".as_bytes()]), [Key::Char('ü')]);
        assert_eq!(all(&[&[0xc3], &[0xbc]]), [Key::Char('ü')]);
    }

    #[test]
    fn a_lone_escape_is_one_when_nothing_follows() {
        let mut decoder = Decoder::default();
        assert_eq!(decoder.push(b"\x1b"), []);
        assert!(decoder.waits());
        assert_eq!(decoder.give_up(), [Key::Escape]);
        assert!(!decoder.waits());
        assert_eq!(all(&[b"\x1bq"]), [Key::Escape, Key::Char('q')]);
    }

    #[test]
    fn what_is_not_known_is_left_out_as_a_whole() {
        assert_eq!(all(&[b"\x1b[200~x\x1b[1;5C\x01"]), [Key::Char('x'), Key::Right]);
        assert_eq!(all(&[&[0xff, b'a', 0x80]]), [Key::Char('a')]);
    }
}
