//! The whole process against a Lambda Runtime API and a simulated account, both on this machine.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use bpctl_sandbox::transport::{Pace, ServeOptions, serve};
use bpctl_sandbox::{Options, Sandbox, Scenario};
use serde_json::{Value, json};

use super::tests::{FLEET, desired, event, keep_up, notification};
use super::{OPTIONS, main};

/// Runs [`main`] when [`Process::start`] starts this test binary once more with the environment that Lambda
/// sets; an example has no binary of its own while it is tested.
#[test]
#[ignore = "the other process of the tests below"]
fn the_function_as_a_process() {
    main().unwrap();
}

/// The function as a process of its own; ends with the test.
struct Process(Child);

impl Process {
    fn start(runtime_api: SocketAddr, endpoint: &str, options: &str) -> Self {
        let child = Command::new(std::env::current_exe().expect("this binary"))
            .args([
                "--exact",
                "process_tests::the_function_as_a_process",
                "--ignored",
                "--nocapture",
            ])
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", runtime_api.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "bp-scale-to-zero")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .env("AWS_ENDPOINT_URL", endpoint)
            .env(OPTIONS, options)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the process starts");
        Self(child)
    }

    fn stop(mut self) -> String {
        self.0.kill().expect("it still runs");
        let mut text = String::new();
        let mut stdout = self.0.stdout.take().expect("a pipe");
        stdout.read_to_string(&mut text).expect("text");
        text
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It has ended already, or is to end now.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Reads one request: method and path, and body.
fn request(stream: &TcpStream) -> Option<(String, String)> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    reader.read_line(&mut head).ok().filter(|length| *length > 0)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().expect("a length");
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let path = head
        .rsplit_once(" HTTP")
        .map_or(head.as_str(), |(path, _)| path)
        .to_owned();
    Some((path, String::from_utf8(body).expect("text")))
}

/// A Lambda Runtime API (Lambda Developer Guide, "Using the Lambda runtime API") that hands out `events`, one
/// after the other, and tells what it is answered.
fn runtime_api(events: Vec<Value>) -> (SocketAddr, mpsc::Receiver<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (sender, answers) = mpsc::channel();
    std::thread::spawn(move || {
        let mut events = events.into_iter().enumerate();
        for stream in listener.incoming() {
            let stream = stream.expect("a connection");
            while let Some((path, body)) = request(&stream) {
                let mut writer = &stream;
                if path == "GET /2018-06-01/runtime/invocation/next" {
                    let Some((number, event)) = events.next() else {
                        return;
                    };
                    let event = event.to_string();
                    let head = format!(
                        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
                         Lambda-Runtime-Aws-Request-Id: request-{number}\r\nLambda-Runtime-Deadline-Ms: 4102444800000\r\n\
                         Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:123456789012:function:bp-scale-to-zero\r\n\
                         Lambda-Runtime-Trace-Id: Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0\r\n\r\n",
                        event.len()
                    );
                    writer
                        .write_all((head + &event).as_bytes())
                        .expect("the function listens");
                } else {
                    let answer = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n";
                    writer.write_all(answer).expect("the function listens");
                    let body = serde_json::from_str(&body).expect("JSON");
                    sender.send((path, body)).expect("the test listens");
                }
            }
        }
    });
    (address, answers)
}

#[test]
fn the_process_speaks_the_protocol_of_lambda() {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let scenarios = [Scenario::ScaleToZeroUnsubscribed].into();
            let options = Options {
                scenarios,
                ..Options::default()
            };
            let sandbox = Sandbox::new(options, Pace::Live { speed: 1.0 });
            let server = serve(sandbox.clone(), ServeOptions::default())
                .await
                .expect("a free port");
            sender.send((sandbox, server.url())).expect("the test waits");
            server.run().await;
        });
    });
    let (sandbox, endpoint) = receiver.recv().expect("the account is there");
    keep_up(&sandbox);
    let ringing = event(&[notification(FLEET, "OK", "ALARM")]);
    let broken = event(&["hello".to_owned()]);
    let (address, answers) = runtime_api(vec![ringing.clone(), broken, ringing]);
    let process = Process::start(address, &endpoint, "platform");
    let next = || {
        answers
            .recv_timeout(Duration::from_secs(60))
            .expect("the function answers")
    };

    let (path, body) = next();
    assert_eq!(path, "POST /2018-06-01/runtime/invocation/request-0/response");
    assert_eq!(
        (&body["records"][0]["outcome"], desired(&sandbox)),
        (&json!("set-to-zero"), json!(0)),
        "{body}"
    );
    let (path, body) = next();
    assert_eq!(path, "POST /2018-06-01/runtime/invocation/request-1/error");
    assert_eq!(body["errorType"], "ScaleToZeroFailed");
    let (path, body) = next();
    assert_eq!(path, "POST /2018-06-01/runtime/invocation/request-2/response");
    assert_eq!(body["records"][0]["outcome"], "already-zero");

    let log = process.stop();
    let lines: Vec<Value> = log
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let seen: Vec<_> = lines
        .iter()
        .map(|line| (&line["request_id"], &line["report"]["outcome"]))
        .collect();
    assert_eq!(
        seen,
        [
            (&json!("request-0"), &json!("set-to-zero")),
            (&json!("request-1"), &json!("failed")),
            (&json!("request-2"), &json!("already-zero")),
        ],
        "{log}"
    );
}

#[test]
fn the_process_refuses_options_that_do_not_exist() {
    let (address, answers) = runtime_api(vec![event(&[notification(FLEET, "OK", "ALARM")])]);
    let mut process = Process::start(address, "http://127.0.0.1:9", "careful");
    assert!(!process.0.wait().expect("it ends").success());
    let mut stderr = String::new();
    let mut pipe = process.0.stderr.take().expect("a pipe");
    pipe.read_to_string(&mut stderr).expect("text");
    assert!(stderr.contains("SCALE_TO_ZERO_OPTIONS is `careful`"), "{stderr}");
    assert!(answers.try_recv().is_err());
}
