//! The listener as a plain HTTP client meets it: control endpoints, raw protocols, broken connections, the same
//! bytes for the same calls.

use std::time::Duration;

use bpctl_sandbox::transport::{ServeOptions, TOKEN_HEADER, serve};
use bpctl_sandbox::{Fault, FaultRule, Layout, Options, Sandbox, Scenario, Service};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A listener and what reaches it.
struct Site {
    sandbox: Sandbox,
    address: std::net::SocketAddr,
    token: String,
    running: tokio::task::JoinHandle<()>,
}

async fn site(sandbox: Sandbox, options: ServeOptions) -> Site {
    let server = serve(sandbox.clone(), options).await.unwrap();
    Site {
        sandbox,
        address: server.address,
        token: server.token.clone(),
        running: tokio::spawn(server.run()),
    }
}

async fn quiet() -> Site {
    site(Sandbox::stepped(Options::default()), ServeOptions::default()).await
}

impl Site {
    /// Sends bytes and reads until the connection closes.
    async fn raw(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer).await;
        answer
    }

    async fn send(&self, line: &str, headers: &str, body: &str) -> String {
        let (host, length) = (self.address, body.len());
        self.raw(&format!(
            "{line} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
        ))
        .await
    }

    async fn control(&self, line: &str, body: &str) -> String {
        let token = format!("{TOKEN_HEADER}: {}\r\n", self.token);
        self.send(line, &token, body).await
    }

    async fn identity(&self) -> String {
        self.send("POST /", "", "Action=GetCallerIdentity&Version=2011-06-15")
            .await
    }
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("none")
}

#[tokio::test]
async fn clock_and_status_need_no_token_and_everything_else_does() {
    let site = quiet().await;
    for open in ["GET /_sandbox/clock", "GET /_sandbox/status"] {
        assert_eq!(status(&site.send(open, "", "").await), "200", "{open}");
    }
    let guarded = [
        "GET /_sandbox/calls",
        "GET /_sandbox/reveal",
        "POST /_sandbox/advance",
        "POST /_sandbox/reset",
        "POST /_sandbox/scenarios",
        "POST /_sandbox/stop",
    ];
    for guarded in guarded {
        assert_eq!(status(&site.send(guarded, "", "{}").await), "401", "{guarded}");
        let guess = format!("{TOKEN_HEADER}: 0000\r\n");
        assert_eq!(
            status(&site.send(guarded, &guess, "{}").await),
            "401",
            "{guarded}"
        );
    }
    assert!(!site.running.is_finished());
}

#[tokio::test]
async fn web_pages_are_kept_out() {
    let site = quiet().await;
    let origin = "origin: https://evil.example\r\n";
    assert_eq!(
        status(&site.send("GET /_sandbox/status", origin, "").await),
        "403"
    );
    let rebound = "GET /_sandbox/status HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n";
    assert_eq!(status(&site.raw(rebound).await), "403");
}

#[tokio::test]
async fn a_web_page_cannot_change_the_account() {
    let site = quiet().await;
    let group = "AutoScalingGroupName=asg-production-gpu-default&DesiredCapacity=0";
    let change = format!("/?Action=SetDesiredCapacity&Version=2011-01-01&{group}");
    for (hosts, headers, expected) in [
        ("host: evil.example\r\n", "", "403"),
        ("host: 127.0.0.1\r\n", "sec-fetch-site: cross-site\r\n", "403"),
        ("host: 127.0.0.1\r\n", "origin: null\r\n", "403"),
        ("host: 127.0.0.1\r\nhost: evil.example\r\n", "", "400"),
        ("", "", "400"),
    ] {
        for method in ["GET", "POST"] {
            let request = format!("{method} {change} HTTP/1.1\r\n{hosts}{headers}connection: close\r\n\r\n");
            assert_eq!(status(&site.raw(&request).await), expected, "{request}");
        }
    }
    assert_eq!(site.sandbox.with_world(|world| world.call_count()), 0);
    let own = format!("GET {change} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    assert_eq!(status(&site.raw(&own).await), "200");
}

#[tokio::test]
async fn a_form_of_absurd_depth_is_answered() {
    let site = quiet().await;
    let body = format!(
        "{}b=1&Action=GetCallerIdentity&Version=2011-06-15",
        "a.".repeat(150_000)
    );
    assert_eq!(status(&site.send("POST /", "", &body).await), "200");
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let target = "x-amz-target: AmazonSSM.GetParameter\r\n";
    assert_eq!(status(&site.send("POST /", target, &deep).await), "400");
}

#[tokio::test]
async fn half_a_request_is_not_waited_for() {
    let impatient = ServeOptions {
        patience: Some(Duration::from_millis(200)),
        ..ServeOptions::default()
    };
    let site = site(Sandbox::stepped(Options::default()), impatient).await;
    // `raw` returns when the listener closes the connection.
    assert_eq!(site.raw("POST / HTTP/1.1\r\nhost: local").await, "");
    let half = "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\nhalf";
    assert_eq!(status(&site.raw(half).await), "408");
    let long = format!("GET /{} HTTP/1.1\r\nhost: localhost\r\n\r\n", "x".repeat(200_000));
    assert_ne!(status(&site.raw(&long).await), "200");
    assert_eq!(status(&site.identity().await), "200");
}

#[tokio::test]
async fn connections_and_bodies_have_bounds() {
    let site = quiet().await;
    let mut open = Vec::new();
    for _ in 0..256 {
        open.push(TcpStream::connect(site.address).await.unwrap());
    }
    // They are accepted in order: when this one has an end, the others have been counted.
    assert_eq!(site.raw("GET / HTTP/1.1\r\n").await, "");
    open.clear();
    tokio::time::timeout(Duration::from_secs(5), async {
        while status(&site.identity().await) != "200" {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    let large = "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 20000000\r\n\r\n";
    assert_eq!(status(&site.raw(large).await), "413");
}

#[tokio::test]
async fn the_clock_moves_and_goes_back() {
    let site = quiet().await;
    let start = site.sandbox.now();
    assert_eq!(
        status(
            &site
                .control("POST /_sandbox/advance", r#"{"seconds": 90.5}"#)
                .await
        ),
        "200"
    );
    assert_eq!(site.sandbox.now(), start + Duration::from_millis(90_500));
    for refused in [r#"{"seconds": -1}"#, r#"{"seconds": 1e9}"#, "{}", "soon"] {
        assert_eq!(
            status(&site.control("POST /_sandbox/advance", refused).await),
            "400",
            "{refused}"
        );
    }
    site.identity().await;
    assert_eq!(status(&site.control("POST /_sandbox/reset", "").await), "200");
    assert_eq!(site.sandbox.now(), start);
    assert_eq!(site.sandbox.with_world(|world| world.call_count()), 0);
}

#[tokio::test]
async fn a_drill_hides_its_scenarios_until_they_are_revealed() {
    let options = Options {
        scenarios: [Scenario::RdsCpu].into(),
        ..Options::default()
    };
    let drill = ServeOptions {
        drill: true,
        ..ServeOptions::default()
    };
    let site = site(Sandbox::stepped(options), drill).await;
    let hidden = site.send("GET /_sandbox/status", "", "").await;
    assert!(hidden.contains(r#""scenarios":null"#), "{hidden}");
    assert!(!hidden.contains("rds-cpu"), "{hidden}");
    assert!(
        site.control("GET /_sandbox/reveal", "")
            .await
            .contains(r#""name":"rds-cpu""#)
    );
}

#[tokio::test]
async fn scenarios_are_changed_by_name() {
    let site = quiet().await;
    let answer = site
        .control(
            "POST /_sandbox/scenarios",
            r#"{"names": ["expired-credentials"]}"#,
        )
        .await;
    assert!(
        answer.contains(r#""scenarios":["expired-credentials"]"#),
        "{answer}"
    );
    assert_eq!(status(&site.identity().await), "403");
    let unknown = site
        .control("POST /_sandbox/scenarios", r#"{"names": ["sunshine"]}"#)
        .await;
    assert!(unknown.contains("unknown scenario `sunshine`"), "{unknown}");
}

#[tokio::test]
async fn calls_are_listed_with_time_and_outcome() {
    let site = quiet().await;
    site.identity().await;
    let target = "x-amz-target: AmazonEC2ContainerServiceV20141113.CreateCluster\r\ncontent-type: application/x-amz-json-1.1\r\n";
    site.send("POST /", target, "{}").await;
    let calls = site.control("GET /_sandbox/calls", "").await;
    assert!(
        calls.contains(r#"{"at":"2026-01-15T09:00:00.000Z","service":"sts","operation":"GetCallerIdentity","write":false}"#),
        "{calls}"
    );
    assert!(
        calls.contains(r#""operation":"CreateCluster","write":false,"error":"UnknownOperationException""#),
        "{calls}"
    );
}

#[tokio::test]
async fn answers_carry_simulated_time_and_a_request_id() {
    let site = quiet().await;
    let answer = site.identity().await;
    assert!(
        answer.contains("date: Thu, 15 Jan 2026 09:00:00 GMT\r\n"),
        "{answer}"
    );
    assert!(answer.contains("x-amzn-requestid: "), "{answer}");
}

#[tokio::test]
async fn a_broken_connection_is_not_an_answer() {
    let site = quiet().await;
    for (fault, carried_out) in [(Fault::Disconnect, false), (Fault::LoseAnswer, true)] {
        site.sandbox.with_world(|world| {
            world.forget_calls();
            world.inject(FaultRule::on(Service::Sts, "GetCallerIdentity", fault).times(1));
        });
        assert_eq!(site.identity().await, "");
        assert_eq!(
            site.sandbox.with_world(|world| world.calls()[0].error.is_none()),
            carried_out
        );
    }
}

#[tokio::test]
async fn latency_is_added_to_every_call_of_the_api() {
    let latency = Duration::from_millis(80);
    let slow = ServeOptions {
        latency,
        ..ServeOptions::default()
    };
    let site = site(Sandbox::stepped(Options::default()), slow).await;
    let before = tokio::time::Instant::now();
    site.identity().await;
    assert!(before.elapsed() >= latency);
}

#[tokio::test]
async fn stop_ends_the_server_and_frees_its_port() {
    let site = quiet().await;
    // An idle connection must not hold the server up.
    let _idle = TcpStream::connect(site.address).await.unwrap();
    assert_eq!(status(&site.control("POST /_sandbox/stop", "").await), "200");
    let Site { address, running, .. } = site;
    tokio::time::timeout(Duration::from_secs(5), running)
        .await
        .unwrap()
        .unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[test]
fn the_same_calls_at_the_same_times_get_the_same_bytes() {
    let story = |layout| {
        let sandbox = Sandbox::stepped(Options {
            layout,
            ..Options::default()
        });
        let mut told = Vec::new();
        for body in [
            "Action=GetCallerIdentity&Version=2011-06-15",
            "Action=DescribeAutoScalingGroups&Version=2011-01-01",
            "Action=DescribeScalingActivities&Version=2011-01-01",
            "Action=DescribeAlarmHistory&Version=2010-08-01",
            "Action=DescribeStacks&Version=2010-05-15",
            "Action=Nonsense&Version=2010-05-15",
        ] {
            let request = http::Request::post("/").body(body.into()).unwrap();
            let response = sandbox.handle(&request);
            told.push(format!(
                "{:?} {:?} {:?}",
                response.status(),
                response.headers(),
                response.body()
            ));
            sandbox.advance(Duration::from_secs(37));
        }
        told
    };
    for layout in [Layout::Single, Layout::Staged] {
        assert_eq!(story(layout), story(layout));
    }
}
