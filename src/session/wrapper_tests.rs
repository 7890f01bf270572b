//! The wrapper in real shells, and the decoder on whatever may come.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use proptest::prelude::*;

use super::wrapper::{
    Connection, Decoder, END_OF_INPUT, INPUT_LINE, Piece, command_line, input_line, quoted,
};

const NONCE: &str = "0123456789abcdef";

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Standard output, standard error and status of a wrapped program.
#[derive(Debug, Default, PartialEq)]
struct Told {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    status: Option<u8>,
    ended: bool,
    ready: bool,
    text: Vec<u8>,
    missing: Option<String>,
}

fn told(pieces: Vec<Piece>) -> Told {
    let mut told = Told::default();
    for piece in pieces {
        match piece {
            Piece::Text(text) => told.text.extend(text),
            Piece::Ready => told.ready = true,
            Piece::Missing(what) => told.missing = Some(what),
            Piece::Stdout(bytes) => told.stdout.extend(bytes),
            Piece::StdErr(bytes) => told.stderr.extend(bytes),
            Piece::Status(status) => told.status = Some(status),
            Piece::End => told.ended = true,
            Piece::Damaged => panic!("damaged: {told:?}"),
        }
    }
    told
}

/// The shells of this machine.
fn shells() -> Vec<&'static str> {
    let there = [
        "/bin/sh",
        "/bin/bash",
        "/bin/dash",
        "/usr/bin/busybox",
        "/bin/busybox",
    ];
    there
        .into_iter()
        .filter(|path| Path::new(path).exists())
        .collect()
}

/// Runs the words of a command line as the agent does: split, without a shell of its own. Standard input is a pipe; a
/// `stty` that does nothing stands in for a terminal's.
fn run(shell: &str, line: &str, input: &[u8], has_stty: bool) -> Told {
    let mut words = shlex::split(line).expect("a command line").into_iter();
    assert_eq!(words.next().as_deref(), Some("sh"));
    let folder = tempfile::tempdir().expect("a folder");
    let stty = folder.path().join("stty");
    let body = if has_stty {
        "#!/bin/sh\nexit 0\n"
    } else {
        "#!/bin/sh\nexit 1\n"
    };
    std::fs::write(&stty, body).expect("written");
    std::fs::set_permissions(&stty, std::fs::Permissions::from_mode(0o755)).expect("executable");
    let mut command = Command::new(shell);
    if shell.ends_with("busybox") {
        command.arg("sh");
    }
    let mut child = command
        .args(words)
        .env("PATH", format!("{}:/usr/bin:/bin", folder.path().display()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("a shell");
    // A pipe breaks when nothing reads it any more; a terminal does not.
    if let Err(error) = child.stdin.take().expect("a pipe").write_all(input) {
        assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
    }
    let output = child.wait_with_output().expect("an end");
    let mut decoder = Decoder::new(NONCE);
    let mut pieces = Vec::new();
    for piece in output.stdout.chunks(7) {
        pieces.extend(decoder.push(piece));
    }
    assert_eq!(decoder.finish(), b"", "{pieces:?}");
    told(pieces)
}

fn streams(shell: &str, input: Option<&[u8]>, program: &[&str]) -> Told {
    let connection = Connection::Streams {
        input: input.is_some(),
    };
    let line = command_line(NONCE, connection, &words(program));
    let mut lines = Vec::new();
    for chunk in input.unwrap_or_default().chunks(INPUT_LINE) {
        lines.extend(input_line(chunk));
    }
    lines.extend(END_OF_INPUT);
    run(shell, &line, &lines, true)
}

#[test]
fn every_shell_tells_the_status_and_both_streams() {
    assert!(!shells().is_empty());
    for shell in shells() {
        let script = "printf 'a\\000\\377b'; echo oops >&2; exit 7";
        let told = streams(shell, None, &["sh", "-c", script]);
        assert_eq!(told.stdout, b"a\0\xffb", "{shell}");
        assert_eq!(told.stderr, b"oops\n", "{shell}");
        assert_eq!(
            (told.status, told.ready, told.ended),
            (Some(7), true, true),
            "{shell}"
        );
        assert_eq!(told.text, b"", "{shell}");
    }
}

#[test]
fn a_large_binary_output_comes_back_byte_for_byte() {
    // More than any pipe or frame holds, and every byte in it.
    let script = "i=0; while [ $i -lt 40 ]; do cat /proc/self/exe | head -c 5000; i=$((i+1)); done";
    for shell in shells() {
        let told = streams(shell, None, &["sh", "-c", script]);
        assert_eq!((told.stdout.len(), told.status), (200_000, Some(0)), "{shell}");
        assert_eq!(told.stdout[..5000], told.stdout[195_000..], "{shell}");
        assert_eq!(told.stdout[..4], *b"\x7fELF", "{shell}");
    }
}

#[test]
fn standard_input_arrives_byte_for_byte_and_ends() {
    let input: Vec<u8> = (0..30_000_u32).map(|number| (number * 7) as u8).collect();
    for shell in shells() {
        let told = streams(shell, Some(&input), &["cat"]);
        assert!(told.stdout == input, "{shell}: {} bytes", told.stdout.len());
        assert_eq!((told.status, told.ended), (Some(0), true), "{shell}");
    }
}

#[test]
fn a_program_that_stops_reading_ends_all_the_same() {
    let input = vec![b'x'; 50_000];
    for shell in shells() {
        let told = streams(shell, Some(&input), &["sh", "-c", "head -c 3; exit 4"]);
        assert_eq!(
            (told.stdout.as_slice(), told.status, told.ended),
            (&b"xxx"[..], Some(4), true),
            "{shell}"
        );
    }
}

#[test]
fn arguments_reach_the_program_as_they_were_typed() {
    let hostile = [
        "",
        " ",
        "a b",
        "it's",
        "$HOME",
        "`id`",
        "\"",
        "\\",
        "*",
        "#x",
        ";exit 9",
        "a\nb",
        "{{ssm:secret}}",
        "{{{",
        "-n",
        "ü",
        "~0123456789abcdef:x:0;",
    ];
    for shell in shells() {
        let mut program = vec!["printf", "[%s]"];
        program.extend(hostile);
        let told = streams(shell, None, &program);
        let expected: String = hostile.iter().map(|word| format!("[{word}]")).collect();
        assert_eq!(String::from_utf8_lossy(&told.stdout), expected, "{shell}");
    }
}

#[test]
fn a_program_that_is_not_there_is_127() {
    for shell in shells() {
        let told = streams(shell, None, &["no-such-program"]);
        assert_eq!(told.status, Some(127), "{shell}");
        assert!(
            String::from_utf8_lossy(&told.stderr).contains("no-such-program"),
            "{shell}: {told:?}"
        );
    }
}

#[test]
fn a_container_without_stty_cannot_be_given_input_and_says_so() {
    for shell in shells() {
        let program = words(&["true"]);
        let line = |input| command_line(NONCE, Connection::Streams { input }, &program);
        let told = run(shell, &line(true), b"", false);
        assert_eq!(
            (told.missing.as_deref(), told.status),
            (Some("stty"), None),
            "{shell}"
        );
        assert_eq!(run(shell, &line(false), b"", false).status, Some(0), "{shell}");
    }
}

#[test]
fn at_the_terminal_the_status_follows_what_the_program_wrote() {
    for shell in shells() {
        let line = command_line(
            NONCE,
            Connection::Terminal,
            &words(&["sh", "-c", "printf hello; exit 3"]),
        );
        let told = run(shell, &line, b"", true);
        assert_eq!(
            (told.text.as_slice(), told.status),
            (&b"hello"[..], Some(3)),
            "{shell}"
        );
        // Without a program, a shell that reads what is typed.
        let line = command_line(NONCE, Connection::Terminal, &[]);
        let told = run(shell, &line, b"echo typed\nexit 5\n", true);
        assert_eq!(
            (told.text.as_slice(), told.status),
            (&b"typed\n"[..], Some(5)),
            "{shell}"
        );
    }
}

#[test]
fn no_pair_of_braces_reaches_systems_manager() {
    for word in ["{{", "{{{", "{{{{", "a{{b}}c", "{{ssm:/bp/x}}", "{{'{{"] {
        let quoted = quoted(word);
        assert!(!quoted.contains("{{"), "{quoted}");
        assert_eq!(shlex::split(&quoted).unwrap(), [word]);
    }
    assert_eq!(quoted("php"), "php");
    assert_eq!(quoted(""), "''");
}

#[test]
fn what_looks_like_a_frame_of_another_session_is_text() {
    let mut decoder = Decoder::new(NONCE);
    let text = b"~fedcba9876543210:x:0; ~01234";
    assert_eq!(decoder.push(text), [Piece::Text(text[..23].to_vec())]);
    assert_eq!(decoder.push(b"56789abcdef:x:9;"), [Piece::Status(9)]);
}

#[test]
fn a_missing_frame_is_damage_and_not_silence() {
    let mut decoder = Decoder::new(NONCE);
    let frame = |number: u32| format!("~{NONCE}:1:{number}:4:QUJD");
    assert_eq!(
        decoder.push(frame(0).as_bytes()),
        [Piece::Stdout(b"ABC".to_vec())]
    );
    assert_eq!(decoder.push(frame(2).as_bytes()), [Piece::Damaged]);
    for nonsense in [":1:x:4:QUJD", ":q;", ":x:999;", ":1:3:99999999:", ":1:3:4:Q*JD"] {
        let pieces = decoder.push(format!("~{NONCE}{nonsense}").as_bytes());
        assert_eq!(pieces.first(), Some(&Piece::Damaged), "{nonsense}");
        decoder.finish();
    }
}

proptest! {
    #[test]
    fn any_word_is_split_back_into_itself(word in "\\PC*|[ -~\n\t]*") {
        prop_assert_eq!(shlex::split(&quoted(&word)), Some(vec![word]));
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(bytes: Vec<u8>, tail in "[~0-9a-f:;xrz12A-Z=]{0,60}") {
        let mut decoder = Decoder::new(NONCE);
        let _ = decoder.push(&bytes);
        let _ = decoder.push(format!("~{NONCE}:{tail}").as_bytes());
    }
}
