//! Every command in an account whose texts are hostile: what a container, a tenant or a template wrote into AWS
//! comes back in stop reasons, descriptions, tags, log lines and values, and may reach no terminal, no runner of
//! GitHub and no page of a ticket as anything but text.

use std::sync::Arc;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use bpctl_sandbox::{Sandbox, Scenario};
use serde_json::Value;

use crate::support::{Account, Run, at_a_terminal};

/// Members of answers that hold text of people and programs. Names and states keep their meaning, so that the
/// commands go on.
const TEXTS: [&str; 22] = [
    "message",
    "Message",
    "reason",
    "Reason",
    "stoppedReason",
    "StateReason",
    "StatusMessage",
    "StatusReason",
    "StackStatusReason",
    "ResourceStatusReason",
    "Description",
    "AlarmDescription",
    "Cause",
    "Details",
    "InstanceType",
    "rolloutStateReason",
    "description",
    "Comment",
    "Value",
    "User",
    "HealthStatusReason",
    "DBInstanceStatusInfo",
];

const HOSTILE: [&str; 4] = [
    "\u{9b}2J\u{202e}x\u{2066}\n::stop-commands::x\n  ::error::forged ##[error]x",
    "``x`<img src=x>@all https://evil.example``` [a](https://evil.example)\n# h",
    "`\n```\n<b>@all</b>\n~~~\n|x|",
    "\u{200e}\u{feff}\u{85}\r\n::add-mask::a\u{2028}::set-output name=a::b",
];

const COMMANDS: &[&[&str]] = &[
    &[
        "bundle",
        "create",
        "--name",
        "x",
        "--from",
        "c81d4e2e",
        "--without",
        "models/loras/camera_orbit.safetensors",
        "--dry-run",
    ],
    &[
        "bundle",
        "activate",
        "c81d4e2e",
        "--fleet",
        "staging/gpu-default",
        "--dry-run",
    ],
    &["ami", "list"],
    &["ami", "history", "--fleet", "production/gpu-default"],
    &[
        "ami",
        "promote",
        "--from",
        "staging/gpu-default",
        "--to",
        "production/gpu-default",
        "--dry-run",
    ],
    &[
        "ami",
        "rollback",
        "--fleet",
        "production/gpu-default",
        "--dry-run",
    ],
    &["workflow", "check", "--repository", "acme/platform"],
    &["workflow", "diff"],
    &["bundle", "history", "--fleet", "staging/gpu-default"],
    &["bundle", "list"],
    &["bundle", "show", "c81d4e2e"],
    &["bundle", "verify", "c81d4e2e", "--deep"],
    &["db", "tunnel", "--local-port", "0", "--dry-run"],
    &["port-forward", "backend", ":80", "--dry-run"],
    &["fleet", "list"],
    &["fleet", "status"],
    &["fleet", "status", "production/gpu-default"],
    &["fleet", "instances"],
    &["fleet", "dev", "list", "-o", "wide"],
    &[
        "fleet",
        "dev",
        "launch",
        "production/gpu-default",
        "--cidr",
        "203.0.113.7/32",
        "--dry-run",
    ],
    &["fleet", "config", "get", "production/gpu-default"],
    &["fleet", "protect", "production/gpu-default", "--all", "--dry-run"],
    &[
        "fleet",
        "drain",
        "production/gpu-default",
        "--instance",
        "i-0123456789abcdef0",
        "--dry-run",
    ],
    &[
        "fleet",
        "config",
        "set",
        "production/gpu-default",
        "--instance-type",
        "g5.xlarge",
        "--dry-run",
    ],
    &["fleet", "activity", "production/gpu-default"],
    &["fleet", "activity", "production/gpu-default", "-o", "wide"],
    &["fleet", "refresh", "production/gpu-default", "--dry-run"],
    &["fleet", "hold", "production/gpu-default", "--dry-run"],
    &["fleet", "release", "production/gpu-default", "--dry-run"],
    &["fleet", "refresh", "status", "production/gpu-default"],
    &["fleet", "explain", "production/gpu-default"],
    &["fleet", "lint"],
    &["fleet", "replay", "production/gpu-default"],
    &["fleet", "scale-to-zero", "production/gpu-default", "--dry-run"],
    &[
        "fleet",
        "scale-to-zero",
        "production/gpu-default",
        "--hold",
        "--dry-run",
    ],
    &["triage", "--fail-on", "never"],
    &["domain", "status"],
    &["domain", "check", "app.example.com"],
    &["domain", "request", "app.example.com", "--dry-run"],
    &["cost", "--forecast", "-o", "wide"],
    &["monitoring", "show"],
    &["monitoring", "check"],
    &["monitoring", "apply", "--dry-run"],
    &[
        "monitoring",
        "subscribe",
        "--email",
        "night@example.com",
        "--dry-run",
    ],
    &["deploy", "--dry-run"],
    &["deploy", "backend", "--supersede", "--timeout", "40s", "--yes"],
    &["image", "list", "-o", "wide"],
    &["image", "diff"],
    &["image", "gc", "--dry-run"],
    &[
        "ami",
        "bake",
        "--fleet",
        "production/gpu-default",
        "--bundle",
        "c81d4e2e",
        "--dry-run",
    ],
    &["ami", "gc", "--keep", "1", "--older-than", "1d", "--dry-run"],
    &["rollout", "status"],
    &["rollout", "history", "backend"],
    &["rollout", "watch", "backend", "--timeout", "20s"],
    &["rollout", "abort", "backend", "--dry-run"],
    &["migrate", "--dry-run"],
    &["migrate", "--yes", "--tenant"],
    &["logs", "backend", "frontend"],
    &["logs", "backend", "-o", "raw"],
    &["logs", "backend", "-o", "jsonl"],
    &["secrets", "list"],
    &["secrets", "get", "fleet-secret/production"],
    &["secrets", "history", "fleet-secret/production"],
    &["secrets", "set", "app-key", "--generate", "--dry-run"],
    &["run", "--", "php", "artisan", "about"],
    &[
        "get",
        "services,tasks,deployments,images,alarms,fleets",
        "-o",
        "wide",
    ],
    &[
        "get",
        "instances,stacks,parameters,secrets,runs,leases",
        "-o",
        "wide",
    ],
    &["stack", "list", "-o", "wide"],
    &["stack", "status"],
    &["stack", "events", "--since", "60d"],
    &["stack", "outputs"],
    &["stack", "drift"],
    &["stack", "diff", "monitoring", "--assembly", "cdk.out"],
    &[
        "stack",
        "import",
        "staging/gpu-kept",
        "--assembly",
        "kept.out",
        "--dry-run",
    ],
    &["stack", "delete", "production/gpu-default", "--dry-run"],
    &[
        "stack",
        "continue-rollback",
        "production/gpu-default",
        "--dry-run",
    ],
    &[
        "stack",
        "bootstrap",
        "--assembly",
        "cdk.out",
        "--upgrade",
        "--dry-run",
    ],
    &[
        "stack",
        "deploy",
        "monitoring",
        "--assembly",
        "cdk.out",
        "--dry-run",
    ],
    &[
        "fleet",
        "apply-config",
        "production/gpu-default",
        "--assembly",
        "cdk.out",
        "--dry-run",
    ],
    &[
        "backup",
        "--to",
        "saved",
        "--recipient",
        "age17ut3zjm6gv2ffqaar8hy986z28p8acgee5acp4dwu54ngxfy5g3qlnjwec",
        "--dry-run",
    ],
    &["smoke", "--upload-only", "--yes"],
    &["teardown", "--dry-run"],
    &["reset", "--list"],
    &["reset", "--everything", "--dry-run"],
    &["shutdown", "--dry-run"],
    &["shutdown", "--rds", "stop", "--dry-run"],
    &["resume", "--dry-run"],
    &["describe", "service", "backend"],
    &["describe", "fleet", "production/gpu-default"],
    &[
        "describe",
        "stack/bp-compute",
        "alarm/p1-rds-storage-low",
        "secret/app-key",
    ],
    &["task", "list", "-o", "wide"],
    &["task", "list", "--stopped"],
    &["timeline", "--since", "1d"],
    &["timeline", "--since", "1d", "-o", "markdown"],
    &["whoami"],
    &["auth", "can-i", "--list"],
    &["day1"],
    &["doctor"],
    &["iam", "policy", "--for", "migrate"],
];

/// The sandbox behind an attacker who writes into every text.
#[derive(Clone, Debug)]
struct Scribbler {
    sandbox: Sandbox,
    text: Arc<str>,
}

impl HttpClient for Scribbler {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Scribbler {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (sandbox, text) = (self.sandbox.clone(), Arc::clone(&self.text));
        HttpConnectorFuture::new(async move {
            let mut response: HttpResponse = sandbox.call(request).await?;
            let changed = response.body().bytes().and_then(|body| scribbled(body, &text));
            if let Some(changed) = changed {
                response.headers_mut().remove("content-length");
                *response.body_mut() = SdkBody::from(changed);
            }
            Ok(response)
        })
    }
}

fn scribbled(body: &[u8], text: &str) -> Option<Vec<u8>> {
    if let Ok(mut document) = serde_json::from_slice::<Value>(body) {
        // JSON can carry what XML cannot.
        scribble(&mut document, &format!("{text}\u{1b}[2J\u{1b}]52;c;eA==\u{7}"));
        return serde_json::to_vec(&document).ok();
    }
    let mut xml = std::str::from_utf8(body)
        .ok()
        .filter(|body| body.starts_with('<'))?
        .to_owned();
    let text = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('\r', "&#13;");
    for name in TEXTS {
        xml = xml.replace(&format!("</{name}>"), &format!("{text}</{name}>"));
    }
    Some(xml.into_bytes())
}

fn scribble(value: &mut Value, text: &str) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(old) if TEXTS.contains(&name.as_str()) => old.push_str(text),
                    other => scribble(other, text),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| scribble(item, text)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn account() -> Account {
    let wanted = [
        "crash-loop",
        "gpu-no-capacity",
        "stack-rollback",
        "migration-failed",
        "ami-missing",
    ];
    let scenarios: Vec<Scenario> = Scenario::ALL
        .iter()
        .copied()
        .filter(|scenario| wanted.contains(&scenario.name()))
        .collect();
    Account::with(&scenarios)
}

async fn run(account: &Account, text: &str, args: &[&str], github: bool) -> Run {
    let summary = account.home().join("summary.md");
    account
        .run_with(args, |process| {
            let transport = process.transport.as_mut().expect("a sandbox");
            transport.client = SharedHttpClient::new(Scribbler {
                sandbox: account.sandbox.clone(),
                text: Arc::from(text),
            });
            if github {
                process.env.insert("GITHUB_ACTIONS".to_owned(), "true".to_owned());
                process
                    .env
                    .insert("GITHUB_STEP_SUMMARY".to_owned(), summary.display().to_string());
            }
        })
        .await
}

/// Nothing that is not seen, besides ends of lines, tabs, and colours where they are wanted.
fn assert_seen(text: &str, colors: bool, what: &str) {
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| {
        (c.is_control() && !matches!(c, '\n' | '\t'))
            || matches!(c, '\u{200e}' | '\u{feff}' | '\u{2028}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    }) {
        rest = &rest[at..];
        let color = rest.strip_prefix("\u{1b}[").and_then(|rest| {
            let length = rest.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b';').count();
            rest[length..].strip_prefix('m')
        });
        match color.filter(|_| colors) {
            Some(after) => rest = after,
            None => panic!("{what}: {:?}", rest.chars().take(20).collect::<String>()),
        }
    }
}

/// No line that GitHub's runner obeys, besides bpctl's own annotations on stderr.
fn assert_mute(run: &Run, what: &str) {
    for line in run.stdout.lines() {
        assert!(!line.trim_start().starts_with("::"), "{what}: {line}");
    }
    for line in run
        .stderr
        .lines()
        .filter(|line| line.trim_start().starts_with("::"))
    {
        let ours = ["::error::", "::warning::", "::group::", "::endgroup::"];
        assert!(ours.iter().any(|ours| line.starts_with(ours)), "{what}: {line}");
        assert!(!line.starts_with("::error::forged"), "{what}: {line}");
    }
    assert!(
        !run.stdout.contains("##[") && !run.stderr.contains("##["),
        "{what}"
    );
}

/// Markdown without its blocks and spans of code (CommonMark: a run of backticks ends at the next one of its length).
fn without_code(markdown: &str) -> String {
    let mut out = String::new();
    let mut fence: Option<usize> = None;
    for line in markdown.lines() {
        let run = line.bytes().take_while(|byte| *byte == b'`').count();
        match fence {
            Some(length) => {
                if run >= length && line.trim_end().len() == run {
                    fence = None;
                }
            }
            None if run >= 3 && !line[run..].contains('`') => fence = Some(run),
            None => {
                spans(&mut out, line);
                out.push('\n');
            }
        }
    }
    assert_eq!(fence, None, "a block is open: {markdown}");
    out
}

fn spans(out: &mut String, line: &str) {
    let mut rest = line;
    while let Some(at) = rest.find('`') {
        let run = rest[at..].bytes().take_while(|byte| *byte == b'`').count();
        out.push_str(&rest[..at]);
        if rest[..at].ends_with('\\') {
            out.push('`');
            rest = &rest[at + 1..];
            continue;
        }
        let after = &rest[at + run..];
        let end = after
            .match_indices(&"`".repeat(run))
            .map(|(end, _)| end)
            .find(|end| !after[..*end].ends_with('`') && !after[end + run..].starts_with('`'));
        rest = match end {
            Some(end) => &after[end + run..],
            None => after,
        };
    }
    out.push_str(rest);
}

fn assert_text(markdown: &str, what: &str) {
    let text = without_code(markdown);
    for live in ["<img", "<b>", "@all", "https://evil", "[a](", "\n# h"] {
        assert!(!text.contains(live), "{what}: {live} in {text}");
    }
}

/// What stands behind `--` is not for bpctl.
fn with_options<'a>(command: &[&'a str], options: &[&'a str]) -> Vec<&'a str> {
    let end = command.iter().position(|word| *word == "--");
    let (own, passed_on) = command.split_at(end.unwrap_or(command.len()));
    [own, options, passed_on].concat()
}

#[tokio::test(start_paused = true)]
async fn no_text_from_aws_is_more_than_text() {
    let mut hostile_results = 0;
    for text in HOSTILE {
        let account = account();
        for command in COMMANDS {
            for format in ["table", "wide", "json", "yaml", "jsonl", "name", "markdown"] {
                let args = with_options(command, &["-o", format]);
                let what = args.join(" ");
                let run = self::run(&account, text, &args, true).await;
                assert_seen(&run.stdout, false, &what);
                assert_seen(&run.stderr, false, &what);
                assert_mute(&run, &what);
                match format {
                    "json" if !run.stdout.is_empty() => drop(run.json()),
                    "markdown" => assert_text(&run.stdout, &what),
                    _ => {}
                }
                hostile_results += usize::from(run.stdout.contains("forged") || run.stdout.contains("evil"));
            }
        }
        let summary = std::fs::read_to_string(account.home().join("summary.md")).unwrap();
        assert_seen(&summary, false, "the job summary");
        assert_text(&summary, "the job summary");
    }
    // The texts did come through.
    assert!(hostile_results > 20, "{hostile_results}");
}

#[tokio::test(start_paused = true)]
async fn colours_are_the_only_sequences() {
    let account = account();
    for command in COMMANDS {
        let args = with_options(command, &["--color", "always", "-o", "wide"]);
        let run = self::run(&account, HOSTILE[0], &args, false).await;
        assert_seen(&run.stdout, true, &args.join(" "));
        assert_seen(&run.stderr, true, &args.join(" "));
    }
}

/// It writes sequences of its own, and none that comes with the text.
#[tokio::test(start_paused = true)]
async fn the_live_view_shows_text_as_text() {
    for text in HOSTILE {
        let account = account();
        let (clock, cancel) = (account.clock(), tokio_util::sync::CancellationToken::new());
        let ends = cancel.clone();
        tokio::spawn(async move {
            clock.sleep(std::time::Duration::from_secs(90)).await;
            cancel.cancel();
        });
        let run = account
            .run_with(&["top"], |process| {
                let transport = process.transport.as_mut().expect("a sandbox");
                transport.client = SharedHttpClient::new(Scribbler {
                    sandbox: account.sandbox.clone(),
                    text: Arc::from(text),
                });
                at_a_terminal(process);
                process.env.insert("COLUMNS".to_owned(), "400".to_owned());
                process.env.insert("LINES".to_owned(), "90".to_owned());
                process.cancel = ends;
            })
            .await;
        let written = &run.stdout;
        // On its way in and before its first picture.
        assert_eq!(written.matches("\u{1b}[2J").count(), 2, "{text:?}");
        for sequence in [
            "\u{1b}]", "\u{1b}P", "\u{7}", "\u{9b}", "\u{202e}", "\u{2066}", "\u{feff}",
        ] {
            assert!(!written.contains(sequence), "{text:?}: {sequence:?}");
        }
        assert!(written.contains("FINDINGS"), "{text:?}");
    }
}
