//! Answers that are not whole, from a server that is not the sandbox; and who is asked without encryption.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const XML: &str = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
    <GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/jo</Arn><UserId>A</UserId>\
    <Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";
const JSON: &str = r#"{"services":[],"failures":[],"taskArns":[],"tasks":[]}"#;

/// What a server makes of its answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    Nothing,
    /// Content-Length ends before the document does.
    ShortLength,
    /// The connection ends before Content-Length.
    ShortBody,
    /// Another document with its right length.
    Foreign,
}

/// A server whose XML and JSON answers come as told; it ends with the test's process.
struct Server {
    port: u16,
    requests: Arc<AtomicUsize>,
}

impl Server {
    fn start(xml: Cut, json: Cut) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                count.fetch_add(1, Ordering::SeqCst);
                // A client that went away is no failure of the test.
                let _ = stream.and_then(|stream| answer(stream, xml, json));
            }
        });
        Self { port, requests }
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

fn answer(mut stream: TcpStream, xml: Cut, json: Cut) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut length, mut is_json) = (0, false);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        is_json |= line.starts_with("x-amz-target:");
        if line.is_empty() {
            break;
        }
    }
    reader.read_exact(&mut vec![0; length])?;
    let (body, kind, cut) = if is_json {
        (JSON, "application/x-amz-json-1.1", json)
    } else {
        (XML, "text/xml", xml)
    };
    let (promised, sent) = match cut {
        Cut::Nothing => (body.len(), body),
        Cut::ShortLength => (body.len() - 20, &body[..body.len() - 20]),
        Cut::ShortBody => (body.len(), &body[..body.len() - 20]),
        Cut::Foreign => (13, "<html></html>"),
    };
    write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {promised}\r\nconnection: close\r\n\r\n{sent}"
    )
}

fn bpctl(home: &Path, url: &str, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bpctl"))
        .args(args)
        .env_clear()
        .env("HOME", home)
        .env("AWS_ENDPOINT_URL", url)
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "AKIAENV")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .current_dir(home)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn an_answer_that_is_not_whole_is_no_answer() {
    let home = tempfile::tempdir().unwrap();
    for cut in [Cut::ShortLength, Cut::ShortBody] {
        for (xml, json, args) in [
            (cut, Cut::Nothing, &["whoami"][..]),
            (Cut::Nothing, cut, &["migrate", "--dry-run"]),
        ] {
            let server = Server::start(xml, json);
            let output = bpctl(home.path(), &format!("http://127.0.0.1:{}", server.port), args);
            let said = said(&output);
            assert_eq!(output.status.code(), Some(1), "{cut:?} {args:?}: {said}");
            assert!(
                said.contains("caused by: the answer is not whole: it ends before it is complete"),
                "{cut:?} {args:?}: {said}"
            );
            for words_of_the_sdk in ["interceptor", "response error", "invalid input", "end of file"] {
                assert!(!said.contains(words_of_the_sdk), "{said}");
            }
            assert!(output.stdout.is_empty(), "{output:?}");
        }
    }
}

#[test]
fn an_answer_that_is_none_of_aws_is_said_to_be_so() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(Cut::Nothing, Cut::Foreign);
    let url = format!("http://127.0.0.1:{}", server.port);
    let said = said(&bpctl(home.path(), &url, &["migrate", "--dry-run"]));
    assert!(
        said.contains("caused by: the answer (HTTP status 200) is not one of AWS"),
        "{said}"
    );
}

/// 0.0.0.0 is no loopback address, and on Linux it leads here all the same.
#[cfg(target_os = "linux")]
#[test]
fn another_machine_is_asked_in_plain_text_only_on_demand() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(Cut::Nothing, Cut::Nothing);
    let url = format!("http://0.0.0.0:{}", server.port);
    for args in [&["whoami"][..], &["migrate", "--dry-run"], &["triage"]] {
        let refused = bpctl(home.path(), &url, args);
        let said = said(&refused);
        assert_eq!(refused.status.code(), Some(2), "{args:?}: {said}");
        assert!(
            said.contains("another machine and not encrypted") && said.contains("allow_plain_http = true"),
            "{args:?}: {said}"
        );
    }
    assert_eq!(server.requests(), 0);
    let file = "[contexts.lab]\nallow_plain_http = true\n";
    fs::write(home.path().join("bpctl.toml"), file).unwrap();
    let allowed = bpctl(home.path(), &url, &["--context", "lab", "whoami", "-o", "json"]);
    assert_eq!(allowed.status.code(), Some(0), "{}", said(&allowed));
    assert!(server.requests() > 0);
}

#[test]
fn a_password_in_an_endpoint_reaches_neither_the_screen_nor_the_network() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(Cut::Nothing, Cut::Nothing);
    let url = format!("http://jo:hunter2@127.0.0.1:{}", server.port);
    for args in [
        &["whoami"][..],
        &["triage", "-o", "json"],
        &["--endpoint-url", &url, "config", "view"],
    ] {
        let refused = bpctl(home.path(), &url, args);
        assert_eq!(refused.status.code(), Some(2), "{refused:?}");
        let all = [refused.stdout.as_slice(), &refused.stderr].concat();
        let all = String::from_utf8_lossy(&all);
        assert!(!all.contains("hunter2"), "{all}");
        assert!(all.contains("have no place in an endpoint"), "{all}");
    }
    assert_eq!(server.requests(), 0);
}
