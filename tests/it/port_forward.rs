//! `bpctl port-forward` and `bpctl db tunnel`: connections of this machine through the agent of the sandbox.

use std::time::Duration;

use bpctl_sandbox::{Options, SessionTrouble};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::support::{Account, Run};

const START: &str = "Ssm:StartSession";

/// A port of this machine that was free a moment ago.
async fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

/// Runs a command that listens on `port` until `client` is done.
async fn with_client<T>(account: &Account, args: &[&str], client: impl Future<Output = T>) -> (Run, T) {
    let cancel = CancellationToken::new();
    let ends = cancel.clone();
    let command = account.run_with(args, |process| process.cancel = ends);
    let client = async {
        let answer = client.await;
        cancel.cancel();
        answer
    };
    tokio::join!(command, client)
}

/// Connects as soon as the port is listened on.
async fn connect(port: u16) -> TcpStream {
    for _ in 0..200 {
        if let Ok(stream) = TcpStream::connect(("127.0.0.1", port)).await {
            return stream;
        }
        tokio::task::yield_now().await;
    }
    panic!("nobody listens on {port}");
}

async fn get(port: u16, path: &str) -> String {
    let mut stream = connect(port).await;
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn many_connections_go_through_one_session() {
    let account = Account::with(&[]);
    let port = free_port().await;
    let ports = format!("{port}:80");
    let client = async {
        let paths: Vec<String> = (0..20).map(|number| format!("/up?{number}")).collect();
        let answers = futures::future::join_all(paths.iter().map(|path| get(port, path))).await;
        paths.into_iter().zip(answers).collect::<Vec<_>>()
    };
    let (run, answers) = with_client(
        &account,
        &["port-forward", "backend", &ports, "-o", "json"],
        client,
    )
    .await;
    for (path, answer) in answers {
        assert!(
            answer.starts_with("HTTP/1.1 200 OK") && answer.contains(&format!("GET {path} ")),
            "{answer}"
        );
    }
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(run.changes, [START]);
    assert_eq!(run.json()["listen"], format!("127.0.0.1:{port}"));
    let over = async {
        while account.sandbox.with_world(|world| world.open_sessions()) > 0 {
            account.clock().sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), over)
        .await
        .expect("the session is over");
}

#[tokio::test]
async fn an_old_agent_carries_one_connection_after_another() {
    let account = Account::prepared(Options::default(), |sandbox| {
        sandbox.with_world(|world| world.trouble_sessions(Some(SessionTrouble::OldAgent)));
    });
    let port = free_port().await;
    let ports = format!("{port}:9000");
    let client = async {
        let mut echoed = Vec::new();
        for word in ["one", "two"] {
            let mut stream = connect(port).await;
            stream.write_all(word.as_bytes()).await.unwrap();
            let mut back = vec![0; word.len()];
            stream.read_exact(&mut back).await.unwrap();
            echoed.push(String::from_utf8(back).unwrap());
        }
        echoed
    };
    let (run, echoed) = with_client(&account, &["port-forward", "backend", &ports], client).await;
    assert_eq!(echoed, ["one", "two"], "{}", run.text());
    assert!(run.stderr.contains("one connection at a time"), "{}", run.text());
}

#[tokio::test]
async fn nothing_at_the_other_end_closes_the_connection_and_is_said() {
    let account = Account::with(&[]);
    let port = free_port().await;
    let ports = format!("{port}:81");
    let (run, answer) = with_client(&account, &["port-forward", "backend", &ports], get(port, "/")).await;
    assert_eq!((run.status.code(), answer.as_str()), (0, ""), "{}", run.text());
    assert!(
        run.stderr.contains("nothing answers at port 81 of task"),
        "{}",
        run.text()
    );
}

#[tokio::test]
async fn the_database_is_reached_and_no_password_is_printed() {
    let account = Account::with(&[]);
    let port = free_port().await;
    let local = port.to_string();
    let client = async {
        let mut stream = connect(port).await;
        let mut greeting = [0; 27];
        let read = tokio::time::timeout(Duration::from_secs(20), stream.read_exact(&mut greeting)).await;
        read.expect("a greeting").unwrap();
        String::from_utf8_lossy(&greeting).into_owned()
    };
    let (run, greeting) = with_client(&account, &["db", "tunnel", "--local-port", &local], client).await;
    assert!(greeting.contains("MariaDB"), "{greeting:?}: {}", run.text());
    assert_eq!(
        (run.status.code(), run.changes.as_slice()),
        (0, &[START.to_owned()][..]),
        "{}",
        run.text()
    );
    let expected = format!("mysql --host 127.0.0.1 --port {port} --user bp_admin --password bp");
    assert!(run.stdout.contains(&expected), "{}", run.text());
    assert!(
        run.stderr
            .contains("get-secret-value --secret-id /bp/rds/master-credentials"),
        "{}",
        run.text()
    );
}

#[tokio::test]
async fn a_port_that_is_taken_is_said_before_aws_is_asked() {
    let account = Account::with(&[]);
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let run = account
        .run(&["port-forward", "backend", &format!("{port}:80")])
        .await;
    assert_eq!((run.status.code(), run.calls), (1, 0), "{}", run.text());
    assert!(
        run.stderr.contains("another program listens there") && run.stderr.contains("`:80`"),
        "{}",
        run.text()
    );
    let run = account.run(&["port-forward", "backend", "0:80"]).await;
    assert_eq!((run.status.code(), run.calls), (2, 0), "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_opens_nothing() {
    let account = Account::with(&[]);
    let run = account
        .run(&["port-forward", "backend", ":80", "--dry-run"])
        .await;
    assert_eq!((run.status.code(), run.changes.len()), (0, 0), "{}", run.text());
    assert!(run.stdout.contains("ssm:StartSession"), "{}", run.text());
    let run = account
        .run(&["db", "tunnel", "--local-port", "0", "--print-aws"])
        .await;
    assert_eq!((run.status.code(), run.changes.len()), (0, 0), "{}", run.text());
    assert!(
        run.stdout.contains("AWS-StartPortForwardingSessionToRemoteHost"),
        "{}",
        run.text()
    );
}
