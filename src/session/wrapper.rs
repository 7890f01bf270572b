//! The command that a session runs in a container, wrapped so that its exit status and its two streams come back whole.
//!
//! A session has one terminal: the agent splits the command line into words without a shell, connects the program to a
//! pseudo terminal, merges both streams, cuts what is not UTF-8 and tells no exit status
//! (`agent/session/shell/shell_unix.go` and `shell.go`). Therefore a small script for the container's `sh` runs the
//! program: it encodes what the program writes and tells the status in frames that begin with a number drawn for
//! this session.

use std::collections::VecDeque;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Runs a program without a terminal. `$1` the session's number, `$2` whether standard input follows (1) or not (0), and
/// then the program with its arguments.
///
/// Interrupts are ignored but by the program. `dd` hands on what a pipe has, without waiting for more. A frame is shorter
/// than the 4096 bytes that a pipe takes at once, so that the two streams never mix within one.
const RUN: &str = r#"n=$1 i=$2; shift 2
for t in dd base64 tr cat; do command -v $t >/dev/null 2>&1 || { printf "~%s:m:%s;" "$n" $t; exit 127; }; done
stty -echo -icanon -opost -ixon -icrnl min 1 time 0 2>/dev/null || [ "$i" = 0 ] || { printf "~%s:m:stty;" "$n"; exit 127; }
trap "" INT QUIT
e() { k=0; while c=$(dd bs=3000 count=1 2>/dev/null | base64 | tr -d "\r\n"); [ -n "$c" ]; do printf "~%s:%s:%s:%s:%s" "$n" "$1" $k ${#c} "$c"; k=$((k+1)); done; }
d() { while IFS= read -r l && [ "$l" != . ]; do printf "%s\n" "$l" | base64 -d || break; done 2>/dev/null; }
r() { (trap - INT QUIT; exec "$@" 4>&-); printf "~%s:x:%s;" "$n" $? >&4; }
printf "~%s:r;" "$n"
{ { if [ "$i" = 1 ]; then d | r "$@"; else r "$@" </dev/null; fi 2>&1 >&5 5>&- | e 2 >&4 5>&-; } 5>&1 | e 1 >&4; } 4>&1 | cat
printf "~%s:z;" "$n"
"#;

/// Runs a program at the terminal. `$1` the session's number, and then the program; without one, a shell.
const ATTEND: &str = r#"n=$1; shift
[ $# -gt 0 ] || if command -v bash >/dev/null 2>&1; then set -- bash; else set -- sh; fi
trap "" INT QUIT
(trap - INT QUIT; exec "$@")
printf "~%s:x:%s;" "$n" $?
"#;

/// How a program is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Connection {
    /// To the operator's terminal.
    Terminal,
    /// To two streams, and to standard input when it is given one.
    Streams { input: bool },
}

/// A command line for `ExecuteCommand` whose output a [`Decoder`] understands.
pub(crate) fn command_line(nonce: &str, connection: Connection, program: &[String]) -> String {
    let mut words: Vec<&str> = match connection {
        Connection::Terminal => vec!["sh", "-c", ATTEND, "bpctl-attend", nonce],
        Connection::Streams { input } => {
            vec!["sh", "-c", RUN, "bpctl-run", nonce, if input { "1" } else { "0" }]
        }
    };
    words.extend(program.iter().map(String::as_str));
    words.into_iter().map(quoted).collect::<Vec<_>>().join(" ")
}

/// A word as the agent's splitter (`google/shlex`) and any POSIX shell read it.
///
/// Systems Manager replaces `{{…}}` in what a document is given ("Document parameters"): such a pair is taken apart.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=@%+,".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    let inner = word.replace('\'', r"'\''").replace("{{", "{''{");
    // Three in a row leave a pair behind.
    let inner = inner.replace("{{", "{''{");
    format!("'{inner}'")
}

/// A line of standard input as the script reads it; [`END_OF_INPUT`] follows the last one.
pub(crate) fn input_line(bytes: &[u8]) -> Vec<u8> {
    let mut line = STANDARD.encode(bytes).into_bytes();
    line.push(b'\n');
    line
}

/// The most bytes of one [`input_line`]: a line fits into one message of the channel.
pub(crate) const INPUT_LINE: usize = 750;

/// Ends standard input.
pub(crate) const END_OF_INPUT: &[u8] = b".\n";

/// What the session's output consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Outside of any frame: what a terminal shows, or what went wrong before the script began.
    Text(Vec<u8>),
    /// The script runs; standard input may be sent.
    Ready,
    /// The container lacks this program, which the script needs.
    Missing(String),
    Stdout(Vec<u8>),
    StdErr(Vec<u8>),
    /// The program has ended.
    Status(u8),
    /// Everything that it wrote has come.
    End,
    /// A part of the output is missing or garbled.
    Damaged,
}

/// Tells the frames of one session from the rest.
#[derive(Debug)]
pub(crate) struct Decoder {
    mark: Vec<u8>,
    buffer: VecDeque<u8>,
    /// The next frame of standard output and of standard error.
    expected: [u64; 2],
}

/// The longest frame: one that is longer is none.
const LONGEST: usize = 8192;

impl Decoder {
    pub(crate) fn new(nonce: &str) -> Self {
        Self {
            mark: format!("~{nonce}:").into_bytes(),
            buffer: VecDeque::new(),
            expected: [0, 0],
        }
    }

    /// Takes output in, wherever it was cut.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Vec<Piece> {
        self.buffer.extend(bytes);
        let mut pieces = Vec::new();
        loop {
            let text = self.text_length();
            if text > 0 {
                let text: Vec<u8> = self.buffer.drain(..text).collect();
                match pieces.last_mut() {
                    Some(Piece::Text(before)) => before.extend(text),
                    _ => pieces.push(Piece::Text(text)),
                }
            }
            let buffer: &[u8] = self.buffer.make_contiguous();
            let Some(frame) = buffer.strip_prefix(self.mark.as_slice()) else {
                return pieces;
            };
            match parse(frame) {
                Parsed::Partial if frame.len() > LONGEST => pieces.push(Piece::Damaged),
                Parsed::Partial => return pieces,
                Parsed::Nonsense => {
                    self.buffer.drain(..self.mark.len());
                    pieces.push(Piece::Damaged);
                    continue;
                }
                Parsed::Whole(length, piece, number) => {
                    self.buffer.drain(..self.mark.len() + length);
                    pieces.push(self.in_order(piece, number));
                    continue;
                }
            }
            self.buffer.clear();
        }
    }

    /// What is left when nothing more comes.
    pub(crate) fn finish(&mut self) -> Vec<u8> {
        self.buffer.drain(..).collect()
    }

    fn in_order(&mut self, piece: Piece, number: u64) -> Piece {
        let stream = match piece {
            Piece::Stdout(_) => 0,
            Piece::StdErr(_) => 1,
            _ => return piece,
        };
        let expected = self.expected[stream];
        self.expected[stream] = number + 1;
        if number == expected { piece } else { Piece::Damaged }
    }

    /// How much at the beginning of the buffer is certainly no frame.
    fn text_length(&mut self) -> usize {
        let buffer: &[u8] = self.buffer.make_contiguous();
        let mark = self.mark.as_slice();
        let starts = |at: usize| {
            let rest = &buffer[at..];
            rest.starts_with(mark) || mark.starts_with(rest)
        };
        (0..buffer.len()).find(|at| starts(*at)).unwrap_or(buffer.len())
    }
}

enum Parsed {
    Partial,
    Nonsense,
    /// Bytes behind the mark, what they are, and the number of the frame.
    Whole(usize, Piece, u64),
}

fn parse(frame: &[u8]) -> Parsed {
    let Some((kind, rest)) = frame.split_first() else {
        return Parsed::Partial;
    };
    match kind {
        b'1' | b'2' => data(*kind, rest),
        b'r' | b'z' | b'x' | b'm' => {
            let Some(end) = rest.iter().position(|byte| *byte == b';') else {
                return Parsed::Partial;
            };
            let word = String::from_utf8_lossy(&rest[..end]);
            let word = word.trim_start_matches(':').to_owned();
            let piece = match kind {
                b'r' => Piece::Ready,
                b'z' => Piece::End,
                b'm' => Piece::Missing(word),
                _ => match word.parse() {
                    Ok(status) => Piece::Status(status),
                    Err(_) => return Parsed::Nonsense,
                },
            };
            Parsed::Whole(end + 2, piece, 0)
        }
        _ => Parsed::Nonsense,
    }
}

/// `:<number>:<length>:<base64>`.
fn data(kind: u8, rest: &[u8]) -> Parsed {
    let mut colons = rest.iter().enumerate().filter(|(_, byte)| **byte == b':');
    let (Some((0, _)), Some((one, _)), Some((two, _))) = (colons.next(), colons.next(), colons.next()) else {
        return if rest.len() > 64 {
            Parsed::Nonsense
        } else {
            Parsed::Partial
        };
    };
    let number = |digits: &[u8]| std::str::from_utf8(digits).ok()?.parse::<u64>().ok();
    let (Some(count), Some(length)) = (number(&rest[1..one]), number(&rest[one + 1..two])) else {
        return Parsed::Nonsense;
    };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > LONGEST {
        return Parsed::Nonsense;
    }
    let Some(encoded) = rest.get(two + 1..two + 1 + length) else {
        return Parsed::Partial;
    };
    match STANDARD.decode(encoded) {
        Ok(bytes) if kind == b'1' => Parsed::Whole(two + 2 + length, Piece::Stdout(bytes), count),
        Ok(bytes) => Parsed::Whole(two + 2 + length, Piece::StdErr(bytes), count),
        Err(_) => Parsed::Nonsense,
    }
}
