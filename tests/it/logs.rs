//! `bpctl logs`: what was written and what comes, each line once.

use std::collections::BTreeMap;
use std::time::Duration;

use bpctl_sandbox::{Fault, FaultRule, Scenario, Service};
use serde_json::{Value, json};

use crate::support::{Account, Run};

/// A group of its own, in which every line that is written is counted.
const GROUP: &str = "/count";

fn call(account: &Account, operation: &str, input: &Value) -> Value {
    account
        .sandbox
        .with_world(|world| world.call(Service::Logs, operation, input))
        .unwrap_or_else(|error| panic!("{operation}: {error:?}"))
}

fn group(account: &Account, name: &str, streams: &[&str]) {
    call(account, "CreateLogGroup", &json!({"logGroupName": name}));
    for stream in streams {
        let input = json!({"logGroupName": name, "logStreamName": stream});
        call(account, "CreateLogStream", &input);
    }
}

/// Writes lines that a program wrote `late` before they arrive.
fn put_late(account: &Account, group: &str, stream: &str, late: Duration, lines: &[String]) {
    let at = account.sandbox.now().0 - i64::try_from(late.as_millis()).expect("no age");
    let events: Vec<Value> = lines
        .iter()
        .map(|line| json!({"timestamp": at, "message": line}))
        .collect();
    let input = json!({"logGroupName": group, "logStreamName": stream, "logEvents": events});
    call(account, "PutLogEvents", &input);
}

fn put(account: &Account, group: &str, stream: &str, lines: &[String]) {
    put_late(account, group, stream, Duration::ZERO, lines);
}

/// The lines of a source that counts what it writes.
#[derive(Default)]
struct Counter {
    written: BTreeMap<String, usize>,
    next: usize,
}

impl Counter {
    fn lines(&mut self, count: usize) -> Vec<String> {
        (0..count)
            .map(|_| {
                self.next += 1;
                // Every fifth line has nothing that tells it from the one before.
                let number = if self.next.is_multiple_of(5) {
                    self.next - 1
                } else {
                    self.next
                };
                let line = format!("line {number}");
                *self.written.entry(line.clone()).or_default() += 1;
                line
            })
            .collect()
    }
}

fn counted(stdout: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for line in stdout.lines() {
        *counts.entry(line.to_owned()).or_default() += 1;
    }
    counts
}

#[expect(clippy::disallowed_methods, reason = "the source's time, not bpctl's")]
async fn pause(seconds: f64) {
    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
}

/// What happens to the source and to what lies between while it is followed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Event {
    Write(usize),
    /// Written so many seconds before it arrives.
    Late(usize, u64),
    Wait(f64),
    /// Every stream that is open loses its connection.
    Cut,
    Fault(&'static str, Fault, u32),
    Mend,
    /// Others take all of the account's sessions.
    TakeSessions,
}

/// Follows the counting source through `events`, and gives back what was shown and what was said.
async fn followed(events: &[Event]) -> (BTreeMap<String, usize>, BTreeMap<String, usize>, String) {
    let account = Account::with(&[]);
    group(&account, GROUP, &["a", "b"]);
    let mut counter = Counter::default();
    put(&account, GROUP, "a", &counter.lines(7));
    pause(3.0).await;
    let (process, captured) = account.process(&["logs", "-f", "-o", "raw", "group", GROUP]);
    let cancel = process.cancel.clone();
    let write = async {
        pause(2.5).await;
        for event in events {
            match *event {
                Event::Write(count) => put(&account, GROUP, "a", &counter.lines(count)),
                Event::Late(count, seconds) => {
                    let late = Duration::from_secs(seconds);
                    put_late(&account, GROUP, "b", late, &counter.lines(count));
                }
                Event::Wait(seconds) => pause(seconds).await,
                Event::Cut => account.sandbox.with_world(bpctl_sandbox::World::cut_streams),
                Event::Fault(operation, fault, times) => account.sandbox.with_world(|world| {
                    world.inject(FaultRule::on(Service::Logs, operation, fault).times(times));
                }),
                Event::Mend => account.sandbox.with_world(bpctl_sandbox::World::clear_faults),
                Event::TakeSessions => {
                    let arn = format!("arn:aws:logs:us-east-1:123456789012:log-group:{GROUP}");
                    let input = json!({"logGroupIdentifiers": [arn]});
                    account.sandbox.with_world(|world| {
                        while world.call(Service::Logs, "StartLiveTail", &input).is_ok() {}
                    });
                }
            }
        }
        pause(30.0).await;
        cancel.cancel();
    };
    let (status, ()) = tokio::join!(bpctl::run_async(process), write);
    assert_eq!(status.code(), 130, "{}", captured.stderr());
    (counter.written, counted(&captured.stdout()), captured.stderr())
}

/// Follows through `events` and demands each line exactly as often as it was written.
async fn each_once(name: &str, events: &[Event]) -> String {
    let (written, shown, said) = followed(events).await;
    let missing: Vec<_> = written
        .iter()
        .filter(|(line, _)| !shown.contains_key(*line))
        .collect();
    assert!(missing.is_empty(), "{name}: missing {missing:?}\n{said}");
    assert_eq!(shown, written, "{name}\n{said}");
    said
}

#[tokio::test(start_paused = true)]
async fn following_shows_each_line_once_through_live_tail() {
    use Event::{Late, Wait, Write};
    let mut events = Vec::new();
    for number in 0..60 {
        events.extend([Write(number % 9), Wait(0.7)]);
        if number % 7 == 0 {
            events.push(Late(3, 4));
        }
    }
    let said = each_once("live", &events).await;
    assert_eq!(said, "", "nothing went wrong");
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_leaves_no_gap_and_no_line_twice() {
    use Event::{Cut, Fault as Broken, Late, Mend, Wait, Write};
    for (name, times, wait) in [("short", 1, 0.1), ("long", 3, 9.0), ("very long", 6, 200.0)] {
        let events = [
            Write(40),
            Wait(0.5),
            Cut,
            Write(5),
            Wait(0.3),
            Write(5),
            Broken("StartLiveTail", Fault::Disconnect, times),
            Cut,
            Wait(wait),
            Write(11),
            Late(6, 100),
            Mend,
            Wait(20.0),
            Write(3),
            Wait(1.0),
            Cut,
            Write(4),
            Late(4, 5),
            Cut,
            Write(4),
        ];
        each_once(name, &events).await;
    }
}

#[tokio::test(start_paused = true)]
async fn where_live_tail_is_refused_lines_are_searched_for_and_it_is_said_why() {
    use Event::{Cut, Fault as Refuse, Late, TakeSessions, Wait, Write};
    for (refusal, reason) in [
        (Refuse("StartLiveTail", Fault::Deny, 100), "may not use Live Tail"),
        (Refuse("StartLiveTail", Fault::Fail, 100), "Live Tail"),
        (TakeSessions, "all Live Tail sessions"),
    ] {
        let mut events = vec![Write(3), Cut, refusal, Wait(0.2)];
        for number in 0..40 {
            events.extend([Write(number % 6), Wait(0.8), Late(1, 4)]);
        }
        let said = each_once(reason, &events).await;
        assert!(said.contains("following by searching every second: "), "{said}");
        assert!(said.contains(reason), "{said}");
        assert_eq!(said.matches("by searching").count(), 1, "said once: {said}");
    }
}

#[tokio::test(start_paused = true)]
async fn live_tail_is_used_again_when_sessions_are_free() {
    use Event::{Cut, TakeSessions, Wait, Write};
    let events = [
        Write(3),
        Cut,
        TakeSessions,
        Wait(20.0),
        Write(7),
        Cut,
        Wait(90.0),
        Write(7),
        Wait(3.0),
    ];
    let said = each_once("free again", &events).await;
    assert!(said.contains("all Live Tail sessions"), "{said}");
    assert!(said.contains("following through Live Tail again"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn a_flood_that_live_tail_samples_is_shown_whole() {
    use Event::{Late, Wait, Write};
    let said = each_once(
        "flood",
        &[
            Write(30),
            Wait(1.0),
            Write(2_600),
            Wait(0.4),
            Write(900),
            Late(50, 5),
            Wait(3.0),
            Write(700),
            Wait(70.0),
            Write(10),
            Wait(2.0),
            Write(800),
        ],
    )
    .await;
    assert!(said.contains("more than 500 lines a second"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn throttling_and_broken_answers_delay_lines_and_lose_none() {
    use Event::{Cut, Fault as Broken, Late, Wait, Write};
    for fault in [Fault::Throttle, Fault::LoseAnswer, Fault::Disconnect] {
        let events = [
            Write(4),
            Broken("StartLiveTail", Fault::Deny, 1_000),
            Cut,
            Wait(3.0),
            Write(9),
            // More than the retries of one call.
            Broken("FilterLogEvents", fault, 20),
            Wait(1.0),
            Write(9),
            Late(3, 5),
            Wait(100.0),
            Write(9),
            Wait(20.0),
        ];
        let said = each_once(&format!("{fault:?}"), &events).await;
        assert!(said.contains("lines come late"), "{fault:?}: {said}");
    }
}

/// Live Tail tells once a second: from then on a line is shown at once.
#[tokio::test(start_paused = true)]
async fn a_line_is_shown_within_three_tenths_of_the_update_that_brings_it() {
    let account = Account::with(&[]);
    group(&account, GROUP, &["a"]);
    let (process, captured) = account.process(&["logs", "-f", "-o", "raw", "group", GROUP]);
    let cancel = process.cancel.clone();
    let write = async {
        pause(5.0).await;
        let mut worst = Duration::ZERO;
        for number in 0..30 {
            let line = format!("line {number}");
            put(&account, GROUP, "a", std::slice::from_ref(&line));
            let begun = tokio::time::Instant::now();
            while !captured.stdout().contains(&line) {
                pause(0.01).await;
                assert!(begun.elapsed() < Duration::from_secs(5), "{line}");
            }
            worst = worst.max(begun.elapsed());
            pause(0.37).await;
        }
        cancel.cancel();
        worst
    };
    let (_, worst) = tokio::join!(bpctl::run_async(process), write);
    assert!(worst <= Duration::from_millis(1_300), "{worst:?}");
}

fn shown(run: &Run) -> Vec<&str> {
    assert_eq!(run.status.code(), 0, "{}", run.text());
    run.stdout.lines().collect()
}

#[tokio::test(start_paused = true)]
async fn lines_of_several_groups_come_in_the_order_of_their_times() {
    let account = Account::with(&[]);
    for name in ["/one", "/two"] {
        group(&account, name, &["s"]);
    }
    let lines = |name: &str| vec![name.to_owned()];
    for (group, line) in [
        ("/one", "a"),
        ("/two", "b"),
        ("/one", "c"),
        ("/two", "d"),
        ("/two", "e"),
    ] {
        put(&account, group, "s", &lines(line));
        pause(1.0).await;
    }
    let run = account.run(&["logs", "group", "/one", "group", "/two"]).await;
    assert_eq!(
        shown(&run),
        [
            "/one s | a",
            "/two s | b",
            "/one s | c",
            "/two s | d",
            "/two s | e"
        ]
    );
    // One call for each group, and the account guard's.
    assert_eq!(run.calls, 3, "{}", run.text());
    let run = account
        .run(&[
            "logs", "group", "/one", "group", "/two", "--max", "2", "-o", "raw",
        ])
        .await;
    assert_eq!(shown(&run), ["d", "e"]);
}

#[tokio::test(start_paused = true)]
async fn a_dump_reads_all_pages_and_only_what_is_asked_for() {
    let account = Account::with(&[]);
    group(&account, GROUP, &["a", "b"]);
    let mut counter = Counter::default();
    for _ in 0..4 {
        put(&account, GROUP, "a", &counter.lines(9_000));
        pause(0.2).await;
    }
    let run = account.run(&["logs", "-o", "raw", "group", GROUP]).await;
    assert_eq!(counted(&run.stdout), counter.written);
    assert_eq!(run.calls, 4 + 1, "10,000 events a page");
    // A pattern: the service looks at so many events and answers with what it has, which may be nothing.
    put(&account, GROUP, "b", &["a needle".to_owned()]);
    let run = account
        .run(&["logs", "-o", "raw", "group", GROUP, "--grep", "needle"])
        .await;
    assert_eq!((shown(&run), run.calls), (vec!["a needle"], 2 + 1));
}

#[tokio::test(start_paused = true)]
async fn services_containers_tasks_and_fleets_have_their_lines_in_both_layouts() {
    for account in [Account::with(&[]), Account::staged(&[])] {
        let run = account
            .run(&["logs", "backend", "-c", "php-fpm", "-o", "jsonl"])
            .await;
        let lines: Vec<Value> = shown(&run)
            .into_iter()
            .map(|line| serde_json::from_str(line).expect("a document a line"))
            .collect();
        assert!(lines.len() > 10, "{}", run.text());
        assert!(lines.iter().all(|line| line["container"] == "php-fpm"));
        assert!(lines.iter().all(|line| line["schema"] == "bpctl.logs.item/1"));
        let task = lines[0]["task"].as_str().expect("a task");
        let run = account.run(&["logs", "task", task, "-o", "json"]).await;
        let document = run.json();
        let of_task = document["lines"].as_array().expect("lines");
        assert!(of_task.len() > lines.len());
        assert!(of_task.iter().all(|line| line["task"] == task));
        let run = account.run(&["logs", "frontend", "-o", "name"]).await;
        assert!(shown(&run).iter().all(|name| name.starts_with("nextjs/nextjs/")));
    }
    let account = Account::with_fleets(1);
    let run = account
        .run(&["logs", "fleet", "fleet-000", "--since", "1h"])
        .await;
    assert!(
        shown(&run).iter().any(|line| line.starts_with("i-")),
        "{}",
        run.text()
    );
}

#[tokio::test(start_paused = true)]
async fn the_dead_task_still_speaks_also_when_ecs_has_forgotten_it() {
    let account = Account::with(&[Scenario::CrashLoop]);
    let run = account
        .run(&["logs", "backend", "--previous", "-o", "jsonl"])
        .await;
    let last: Value = serde_json::from_str(shown(&run).last().expect("lines")).expect("a document");
    let task = last["task"].as_str().expect("a task").to_owned();
    assert!(
        run.stderr.contains(&format!("task {task} stopped last")),
        "{}",
        run.text()
    );
    let account = Account::with(&[]);
    let run = account.run(&["logs", "backend", "--previous"]).await;
    assert_eq!(run.status.code(), 1, "{}", run.text());
    let forgotten = "0123456789abcdef0123456789abcdef";
    let stream = format!("php/php-fpm/{forgotten}");
    let input = json!({"logGroupName": "/ecs/bp-backend", "logStreamName": stream});
    call(&account, "CreateLogStream", &input);
    put(
        &account,
        "/ecs/bp-backend",
        &stream,
        &["its last words".to_owned()],
    );
    for args in [
        &["logs", "task", forgotten, "-o", "raw"][..],
        &["logs", "--previous", "-o", "raw"],
    ] {
        let run = account.run(args).await;
        assert_eq!(shown(&run), ["its last words"], "{args:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn lines_of_json_are_readable_and_secrets_are_not() {
    let account = Account::with(&[]);
    group(&account, GROUP, &["s"]);
    let lines = [
        r#"{"message":"login failed","context":{"password":"hunter2222","user_id":7},"level":400,"level_name":"ERROR","channel":"production"}"#,
        r#"{"time_iso8601":"2026-01-15T09:00:00+00:00","remote_addr":"10.0.1.5","request":"GET /api/x?token=abcdefgh12345678 HTTP/1.1","status":"502","request_time":"0.120"}"#,
        "DB_PASSWORD=hunter2222",
    ];
    put(&account, GROUP, "s", &lines.map(str::to_owned));
    let run = account.run(&["logs", "group", GROUP]).await;
    assert_eq!(
        shown(&run),
        [
            "s | ERROR login failed password=[redacted] user_id=7",
            "s | 502 GET /api/x?token=[redacted] 0.120s 10.0.1.5",
            "s | DB_PASSWORD=[redacted]",
        ]
    );
    for format in ["raw", "json", "jsonl", "yaml", "wide"] {
        let run = account.run(&["logs", "group", GROUP, "-o", format]).await;
        assert!(run.stdout.contains("login failed"), "{}", run.text());
        assert!(
            !run.stdout.contains("hunter2222") && !run.stdout.contains("abcdefgh12345678"),
            "{}",
            run.text()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_makes_no_sense_is_refused_before_aws_is_asked() {
    let account = Account::with(&[]);
    for args in [
        &["logs", "php-fpm"][..],
        &["logs", "fleet"],
        &["logs", "task", "latest"],
        &["logs", "group", "arn:aws:logs:us-east-1:1:log-group:x"],
        &["logs", "-f", "-o", "json"],
        &["logs", "-f", "-o", "jsonl", "--query", "message"],
        &["logs", "-f", "--until", "1m"],
        &["logs", "--since", "1h", "--until", "2h"],
        &["logs", "frontend", "--container", "php-fpm"],
        &["logs", "group", "/x", "--previous"],
        &["logs", "--max", "0"],
        &["logs", "--grep", "a", "--filter-pattern", "b"],
        &["whoami", "-o", "raw"],
    ] {
        let run = account.run(args).await;
        assert_eq!((run.status.code(), run.calls), (2, 0), "{args:?}: {}", run.text());
    }
    let run = account.run(&["logs", "group", "/none"]).await;
    assert_eq!(run.status.code(), 1, "{}", run.text());
    assert!(
        run.stderr.contains("there is none of that name"),
        "{}",
        run.text()
    );
    let run = account.run(&["logs", "--filter-pattern", "{ $.a = }"]).await;
    assert!(run.stderr.contains("Invalid filter pattern"), "{}", run.text());
}
