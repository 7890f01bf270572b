//! What is shown is what is sent, for every command line that changes something.
//!
//! Each one runs in one account with `--dry-run -o json`, twice, with `--print-aws`, and for real. Compared are
//!
//! - the digests of the two dry runs;
//! - the plan of the dry run with the plan that the real run wrote down before its first request: ids, summaries and
//!   needs of the steps, and of every call (also of those that may become necessary or are announced) the operation and
//!   all parameters;
//! - that written plan with the write requests that the sandbox received: each call of the plan is sent exactly once
//!   with exactly these parameters, in the plan's order. Where steps run side by side ([`SIDE_BY_SIDE`]) the order holds
//!   within a step and between a step and those that it needs. One line of a plan may stand for several requests only
//!   in [`REPEATED`]. Whatever else is sent is among the calls that the plan says may become necessary or announces;
//! - the lines of `--print-aws` with the same requests, option by option, names without their hyphens.
//!
//! What only a run can know is shown as such and compared by its place: a result of an earlier step (`$from`) is any
//! value, a secret is its length and fingerprint, and the names that a run draws for itself ([`Names`]: its id, its
//! token, the times in them) stand where the other run's stand. A printed line leaves the token out and reads secrets
//! from a file. A plan with results of earlier steps in its calls has no printed lines, nor have the verbs in
//! [`BODIES`], and both say so.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::num::NonZero;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use bpctl_sandbox::{Access, Options, World};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::api_cases::{COMMANDS, account, further_words, is_endless};
use crate::campaign_verbs::{VERBS, each_verb, verb};
use crate::campaign_worlds::array;
use crate::campaigns::mutating_verbs;
use crate::shown_names::Names;
use crate::support::{Account, Run, fingerprint_keys, is_bookkeeping, same};

/// Verbs whose steps run side by side.
const SIDE_BY_SIDE: &str = "deploy, reset, resume, shutdown, stack deploy, teardown";

/// Operations of which one line of a plan stands for several requests: the parts of an upload or of a copy, the objects
/// and the pages of a bucket.
const REPEATED: &[&str] = &["CopyObject", "DeleteObjects", "UploadPart", "UploadPartCopy"];

/// Verbs whose calls carry a file or a document that is made on the way: a command line cannot, and they say so.
const BODIES: &[&str] = &["backup", "backup --to", "bundle create", "bundle upload"];

/// A write request that the sandbox received.
#[derive(Debug)]
struct Sent {
    service: &'static str,
    operation: String,
    input: Value,
}

impl Sent {
    fn is(&self, call: &Value) -> bool {
        call["service"] == self.service && call["operation"] == self.operation.as_str()
    }
}

/// What a command line showed and did.
pub(crate) struct Told {
    /// The steps of the dry run.
    dry: Vec<Value>,
    /// The command lines of `--print-aws`, each as words; why there are none.
    printed: Result<Vec<Vec<String>>, String>,
    /// The steps of the real run as it wrote them down.
    written: Vec<Value>,
    sent: Vec<Sent>,
    /// Whether the real run had the time to send everything.
    ended: bool,
    keys: Vec<Vec<u8>>,
    /// The real run, for messages.
    text: String,
}

/// The command line with further words behind the words of its verb.
fn with<'a>(name: &str, argv: &[&'a str], further: &[&'a str]) -> Vec<&'a str> {
    let words = name.split(' ').take_while(|word| !word.starts_with("--")).count();
    let mut line = argv.to_vec();
    line.splice(words..words, further.iter().copied());
    line
}

/// The command line without the flags that `--print-aws` cannot be used with: they are about what follows the calls.
fn without<'a>(argv: &[&'a str]) -> Vec<&'a str> {
    let mut words = argv.iter();
    let mut line = Vec::new();
    while let Some(word) = words.next() {
        match *word {
            "--timeout" => drop(words.next()),
            "--stop-on-interrupt" | "--no-wait" => {}
            other => line.push(other),
        }
    }
    line
}

fn writes(account: &Account) -> Vec<bpctl_sandbox::Call> {
    account.sandbox.with_world(|world| {
        let calls = world.calls().iter();
        calls
            .filter(|call| call.access == Some(Access::Write))
            .cloned()
            .collect()
    })
}

fn journals(home: &Path) -> BTreeSet<String> {
    let folder = fs::read_dir(home.join(".local/state/bpctl/journal"));
    let names = folder.into_iter().flatten();
    names
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect()
}

/// The plan in the journal of the run that began since `before`, if one did.
fn written_since(home: &Path, before: &BTreeSet<String>) -> Vec<Value> {
    let now = journals(home);
    let new: Vec<&String> = now.difference(before).collect();
    assert!(new.len() <= 1, "{new:?}");
    let Some(name) = new.first() else {
        return Vec::new();
    };
    let path = home.join(".local/state/bpctl/journal").join(name);
    let text = fs::read_to_string(path).expect("a journal");
    let plan = text.lines().next().expect("a plan");
    let plan: Value = serde_json::from_str(plan).expect("JSON");
    array(&plan["steps"])
}

/// Runs a command line three times. Those that go on until they are ended are ended after a minute.
pub(crate) async fn told(
    account: &Account,
    name: &str,
    argv: &[&str],
    run: impl AsyncFn(&[&str], Option<CancellationToken>) -> Run,
) -> Told {
    account.sandbox.with_world(World::forget_calls);
    let dry = run(&with(name, argv, &["--dry-run", "-o", "json"]), None).await;
    assert_eq!(dry.status.code(), 0, "{name}: the dry run\n{}", dry.text());
    let plan = dry.json();
    // `--expect-plan` is of use only if a plan has one digest as long as nothing changes. What is drawn
    // is another secret each time, and so are the marks of a session, which no digest is asked for.
    let again = run(&with(name, argv, &["--dry-run", "-o", "json"]), None).await;
    let is_same = plan["digest"] == again.json()["digest"];
    let is_session = ["db tunnel", "exec", "port-forward", "tinker"].contains(&name);
    assert!(
        is_session || is_same != draws(argv),
        "{name}: the digests of two dry runs\n{}",
        again.text()
    );
    let printed = run(&with(name, &without(argv), &["--print-aws", "-o", "json"]), None).await;
    assert!(writes(account).is_empty(), "{name}: {:?}", writes(account));
    let printed = match printed.status.code() {
        0 => {
            let lines = array(&printed.json()["commands"]);
            // A shell takes the end of a line that goes on out before it reads the words.
            let words = |line: &Value| {
                let line = line.as_str().expect("a line").replace("\\\n", "");
                shlex::split(&line).expect("a shell reads it")
            };
            Ok(lines.iter().map(words).collect())
        }
        2 => Err(printed.stderr),
        other => panic!("{name} --print-aws: {other}\n{}", printed.text()),
    };

    let before = journals(account.home());
    account.sandbox.with_world(World::forget_calls);
    let ends = is_endless(argv).then(CancellationToken::new);
    if let Some(ends) = ends.clone() {
        let clock = account.clock();
        tokio::spawn(async move {
            clock.sleep(Duration::from_secs(60)).await;
            ends.cancel();
        });
    }
    let real = run(argv, ends).await;
    let written = written_since(account.home(), &before);
    let planned: Vec<Value> = calls_of(&written, "calls")
        .into_iter()
        .map(|(_, call)| call)
        .collect();
    let keys = fingerprint_keys(account.home());
    let sent = writes(account)
        .into_iter()
        .filter_map(|call| {
            let own = !is_bookkeeping(&call);
            let sent = Sent {
                service: call.service.iam_prefix(),
                operation: call.operation,
                input: call.input.unwrap_or_default(),
            };
            // Of its own objects, only `lock release` shows what it does to one.
            let shown =
                |planned: &&Value| sent.is(planned) && same(&planned["parameters"], &sent.input, &keys);
            (own || planned.iter().any(|call| shown(&call))).then_some(sent)
        })
        .collect();
    let code = real.status.code();
    // Somebody else may take back what was done (1, 8), and the end may take longer than is waited for (6).
    assert!([0, 1, 6, 8].contains(&code), "{name}: {}", real.text());
    Told {
        dry: array(&plan["steps"]),
        printed,
        written,
        sent,
        ended: code != 6,
        keys,
        text: format!("bpctl {}\n{}", argv.join(" "), real.text()),
    }
}

/// Calls of a kind with the number of their step.
fn calls_of(steps: &[Value], kind: &str) -> Vec<(usize, Value)> {
    let calls = |step: &Value| match kind {
        "then" => array(&step["then"]["calls"]),
        kind => array(&step[kind]),
    };
    let each = steps.iter().enumerate();
    each.flat_map(|(at, step)| calls(step).into_iter().map(move |call| (at, call)))
        .collect()
}

/// The whole comparison. `drawn`: the command makes a secret up, another one each time.
pub(crate) fn judge(name: &str, told: &Told, drawn: bool) {
    same_plan(name, told, drawn);
    let places = planned_is_sent(name, told);
    printed_is_sent(name, told, &places);
}

/// The dry run and the real run plan the same.
fn same_plan(name: &str, told: &Told, drawn: bool) {
    let mut names = Names::default();
    assert_eq!(told.dry.len(), told.written.len(), "{name}\n{}", told.text);
    for (dry, written) in told.dry.iter().zip(&told.written) {
        for member in ["id", "summary", "needs", "calls", "if_needed", "then"] {
            // A journal leaves out what is empty.
            let empty = |value: &Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
            let (shown, meant) = (&dry[member], &written[member]);
            assert!(
                empty(shown) && empty(meant) || names.alike(shown, meant, drawn),
                "{name}: `{member}` is {shown:#} in the dry run, and {meant:#} in the plan of the run ({names:?})\n{}",
                told.text
            );
        }
    }
}

/// For each call of the plan the request that it became.
fn planned_is_sent<'a>(name: &str, told: &'a Told) -> Vec<Option<&'a Sent>> {
    let planned = calls_of(&told.written, "calls");
    let further: Vec<Value> = ["if_needed", "then"]
        .iter()
        .flat_map(|kind| calls_of(&told.written, kind))
        .map(|(_, call)| call)
        .collect();
    let is_it =
        |call: &Value, sent: &Sent| sent.is(call) && same(&call["parameters"], &sent.input, &told.keys);
    let mut requests: Vec<Option<usize>> = vec![None; planned.len()];
    for (at, sent) in told.sent.iter().enumerate() {
        let mut free = planned.iter().enumerate().zip(&requests);
        let next = free.find(|((_, (_, call)), taken)| taken.is_none() && is_it(call, sent));
        if let Some(((place, _), _)) = next {
            requests[place] = Some(at);
            continue;
        }
        let again = |(_, call): &&(usize, Value)| is_it(call, sent);
        let repeated = REPEATED.contains(&sent.operation.as_str()) && planned.iter().find(again).is_some();
        assert!(
            repeated || further.iter().any(|call| is_it(call, sent)),
            "{name}: {sent:#?} is no call of the plan, and none that it announces: {:#?}\n{}",
            told.written,
            told.text
        );
    }
    for ((step, call), request) in planned.iter().zip(&requests) {
        assert!(
            request.is_some() || !told.ended,
            "{name}: {} of `{}` was not sent\n{}",
            call["operation"],
            told.written[*step]["id"],
            told.text
        );
    }
    in_order(name, told, &planned, &requests);
    requests.iter().map(|at| at.map(|at| &told.sent[at])).collect()
}

fn in_order(name: &str, told: &Told, planned: &[(usize, Value)], requests: &[Option<usize>]) {
    let verb = name.split(" --").next().unwrap_or_default();
    let side_by_side = SIDE_BY_SIDE.split(", ").any(|one| one == verb);
    for (later, (step, call)) in planned.iter().enumerate() {
        let needs = array(&told.written[*step]["needs"]);
        for (earlier, (other, _)) in planned.iter().enumerate().take(later) {
            let ordered = !side_by_side || step == other || needs.contains(&told.written[*other]["id"]);
            let (Some(first), Some(second)) = (requests[earlier], requests[later]) else {
                continue;
            };
            assert!(
                !ordered || first < second,
                "{name}: {} of `{}` was sent before what the plan has before it: {:#?}\n{}",
                call["operation"],
                told.written[*step]["id"],
                told.sent,
                told.text
            );
        }
    }
}

fn bare(word: &str) -> String {
    word.replace('-', "").to_lowercase()
}

/// Words that say where, as every printed line does.
const PLACE: &[&str] = &["region", "profile", "endpointurl"];

fn printed_is_sent(name: &str, told: &Told, requests: &[Option<&Sent>]) {
    let planned = calls_of(&told.dry, "calls");
    let is_later = |(_, call): &(usize, Value)| call["parameters"].to_string().contains("\"$from\"");
    let lines = match &told.printed {
        Err(why) => {
            let later =
                planned.iter().any(is_later) && why.contains("is only known once the first ones have run");
            let bytes = BODIES.contains(&name) && why.contains("in them");
            assert!(later || bytes, "{name}: {why}");
            return;
        }
        Ok(lines) => lines,
    };
    // A waiter only looks.
    let mut lines = lines
        .iter()
        .filter(|line| line.get(2).is_none_or(|word| word != "wait"));
    let mut names = Names::default();
    for ((_, call), request) in planned.iter().zip(requests) {
        let line = lines.next();
        let line = line.unwrap_or_else(|| panic!("{name}: no line for {call:#}\n{}", told.text));
        if call["service"] == "docker" {
            let words: Vec<Value> = line.iter().skip(1).map(|word| word.as_str().into()).collect();
            assert_eq!(Value::from(words), call["parameters"]["arguments"], "{name}");
            continue;
        }
        let Some(sent) = request else { continue };
        let label = format!("{name}: {line:?}, and {sent:#?}");
        line_is_request(line, call, sent, &mut names, &label);
    }
    assert_eq!(lines.next(), None, "{name}: a line without a call\n{}", told.text);
}

/// One printed line and the request that it stands for.
fn line_is_request(line: &[String], call: &Value, sent: &Sent, names: &mut Names, label: &str) {
    let service = match sent.service {
        "elasticloadbalancing" => "elbv2",
        "s3" => "s3api",
        other => other,
    };
    assert_eq!(line[..2], ["aws", service], "{label}");
    assert_eq!(bare(&line[2]), sent.operation.to_lowercase(), "{label}");
    let mut options: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let mut current = String::new();
    for word in &line[3..] {
        match word.strip_prefix("--") {
            Some(option) => {
                current = bare(option);
                let other = options.insert(current.clone(), Vec::new());
                assert!(other.is_none(), "{label}: {word} twice");
            }
            None => options
                .get_mut(&current)
                .unwrap_or_else(|| panic!("{label}: {word} belongs to nothing"))
                .push(word),
        }
    }
    options.retain(|option, _| !PLACE.contains(&option.as_str()));
    for (member, value) in sent.input.as_object().expect("parameters") {
        let option = member.to_lowercase();
        if ["clienttoken", "clientrequesttoken"].contains(&option.as_str()) {
            assert!(
                !options.contains_key(&option),
                "{label}: a second paste would be taken for the first"
            );
            continue;
        }
        let (option, is_no) = match value {
            Value::Bool(false) => (format!("no{option}"), true),
            _ => (option, false),
        };
        let words = options
            .remove(&option)
            .unwrap_or_else(|| panic!("{label}: no option for {member}"));
        let is_so = match value {
            Value::Bool(_) => words.is_empty() || is_no,
            _ if call["parameters"][member].get("$secret").is_some() => words == ["file:///dev/stdin"],
            Value::String(text) => {
                words.len() == 1 && names.alike(&words[0].into(), &text.as_str().into(), false)
            }
            Value::Array(items) if items.iter().all(|item| item.is_string() || item.is_number()) => {
                let plain = |item: &Value| item.as_str().map_or_else(|| item.to_string(), str::to_owned);
                words == items.iter().map(plain).collect::<Vec<_>>()
            }
            other => {
                let said = serde_json::from_str(&words.join(" "));
                said.is_ok_and(|said| names.alike(&said, other, false))
            }
        };
        assert!(is_so, "{label}: {member} is {words:?}");
    }
    assert!(options.is_empty(), "{label}: {options:?} was not sent");
}

/// A command that makes a secret up.
fn draws(argv: &[&str]) -> bool {
    argv.contains(&"--generate") || argv.starts_with(&["secrets", "rotate"])
}

async fn compared(account: &Account, name: &str, argv: &[&str]) {
    let told = told(account, name, argv, async |args, ends| {
        let adjust = |process: &mut bpctl::Process| {
            if let Some(ends) = ends {
                process.cancel = ends;
            }
        };
        account.run_with(args, adjust).await
    })
    .await;
    judge(name, &told, draws(argv));
}

macro_rules! shown {
    ($($test:ident: $name:literal, $argv:expr, $change:expr, Verb { $($rest:tt)* };)+) => {
        $(#[tokio::test(start_paused = true)]
        async fn $test() {
            let stage = verb($name).stage().await;
            compared(&stage.account, $name, &stage.argv()).await;
        })+
    };
}
each_verb!(shown);

/// Command lines of `api_cases.rs` that change something or open a session.
fn further() -> Vec<&'static (&'static str, &'static [&'static str])> {
    let mutating = mutating_verbs();
    let is_mutating = |name: &str| {
        let verb = name.split(" --").next().unwrap_or_default();
        mutating.contains(verb)
    };
    // `--redeploy` and what follows a baked image are a plan after a plan: each is compared where it is the only one.
    // The sandbox records no request to the application as a call: what `smoke` shows and what it sends are not compared.
    let one_plan =
        |name: &str| !name.ends_with("--redeploy") && !name.starts_with("ami bake --") && name != "smoke";
    let lines = COMMANDS.iter();
    lines
        .filter(|(name, argv)| is_mutating(name) && one_plan(name) && !argv.contains(&"--list"))
        .collect()
}

/// The command lines of `api_cases.rs` go through what those of the campaigns do not: other flags, sessions, uploads in
/// parts. On as many threads as there are cores, each in an account of its own.
#[test]
fn what_other_command_lines_show_is_sent() {
    let lines = further();
    let next = AtomicUsize::new(0);
    let wrong: Mutex<Vec<&str>> = Mutex::default();
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let work = || {
        while let Some((name, argv)) = lines.get(next.fetch_add(1, Ordering::Relaxed)) {
            // The others are compared all the same.
            if std::panic::catch_unwind(|| one_of_the_others(name, argv)).is_err() {
                wrong.lock().expect("no panic").push(name);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(work);
        }
    });
    let wrong = wrong.into_inner().expect("no panic");
    assert!(wrong.is_empty(), "{wrong:?}");
}

fn one_of_the_others(name: &str, argv: &[&str]) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        // Whether standard input is empty shows in real time only.
        .start_paused(!["exec", "tinker"].contains(&name))
        .build();
    runtime.expect("a runtime").block_on(async {
        let account = account(name, argv, Options::default(), false);
        let words = further_words(name, &account);
        let all = argv.iter().copied().chain(words.iter().map(String::as_str));
        let argv: Vec<&str> = all.collect();
        compared(&account, name, &argv).await;
    });
}

/// They run packer, docker and npx: `ami_build.rs`, `image_push.rs` and `stack_bootstrap.rs` compare them. `smoke` talks to the
/// application: `smoke.rs` looks at its steps and its digest, and compares no request.
const ELSEWHERE: &[&str] = &["ami build", "image push", "smoke", "stack bootstrap"];

#[test]
fn every_mutating_verb_is_compared() {
    let compared: BTreeSet<&str> = further()
        .iter()
        .map(|(name, _)| *name)
        .chain(VERBS.iter().map(|verb| verb.name))
        .chain(ELSEWHERE.iter().copied())
        .collect();
    let missing: Vec<String> = mutating_verbs()
        .into_iter()
        .filter(|name| !compared.contains(name.as_str()))
        .collect();
    assert!(missing.is_empty(), "lines are missing: {missing:?}");
}
