//! `bpctl mcp` as an assistant speaks to it: the real binary, over pipes.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::{Value, json};

/// An assistant that has said hello.
struct Assistant {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: mpsc::Receiver<String>,
    asked: u64,
    home: tempfile::TempDir,
}

fn bpctl(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bpctl"));
    command.env_clear().env("HOME", home).env("PATH", "/usr/bin:/bin");
    command.current_dir(home);
    command
}

impl Assistant {
    fn start(place: &[&str], args: &[&str]) -> Self {
        let home = tempfile::tempdir().expect("a temporary folder");
        let sandbox = ["sandbox", "run", "--", "bpctl"];
        Self::of(home, &[&sandbox, place, &["mcp"], args].concat())
    }

    /// Speaks to the command with these words, at home in that folder.
    fn of(home: tempfile::TempDir, words: &[&str]) -> Self {
        let mut child = bpctl(home.path())
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("bpctl starts");
        let stdout = BufReader::new(child.stdout.take().expect("its output"));
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let mut assistant = Self {
            stdin: child.stdin.take(),
            child,
            lines,
            asked: 0,
            home,
        };
        let hello = json!({
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "tester", "version": "1"},
        });
        let server = assistant.ask("initialize", &hello);
        assert_eq!(server["serverInfo"]["name"], "bpctl", "{server}");
        assistant.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        assistant
    }

    fn send(&mut self, message: &Value) {
        let stdin = self.stdin.as_mut().expect("the input is open");
        writeln!(stdin, "{message}").expect("the server reads");
    }

    fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.asked += 1;
        let id = self.asked;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        loop {
            let line = self
                .lines
                .recv_timeout(Duration::from_secs(120))
                .expect("an answer");
            let answer: Value = serde_json::from_str(&line).expect("every line is JSON");
            if answer["id"] == id {
                return answer["result"].clone();
            }
        }
    }

    fn tools(&mut self) -> Vec<Value> {
        self.ask("tools/list", &json!({}))["tools"]
            .as_array()
            .expect("tools")
            .clone()
    }

    fn call(&mut self, tool: &str, arguments: &Value) -> Value {
        self.ask("tools/call", &json!({"name": tool, "arguments": arguments}))
    }

    fn plan(&mut self, words: &[&str]) -> Value {
        self.call("plan", &json!({"command": words}))
    }

    /// The assistant goes away; how the server ended.
    fn leave(mut self) -> Option<i32> {
        drop(self.stdin.take());
        self.child.wait().expect("bpctl ends").code()
    }
}

fn text(result: &Value) -> String {
    let parts = result["content"].as_array().expect("content").iter();
    parts.filter_map(|part| part["text"].as_str()).collect()
}

const SCALE: [&str; 5] = ["fleet", "scale", "production/gpu-default", "--max", "8"];

#[test]
fn every_command_that_looks_is_a_tool() {
    let mut assistant = Assistant::start(&[], &[]);
    let tools = assistant.tools();
    let names: Vec<&str> = tools.iter().filter_map(|tool| tool["name"].as_str()).collect();
    assert_eq!(names[..2], ["triage", "explain"]);
    for name in [
        "get",
        "describe",
        "fleet_status",
        "stack_list",
        "logs",
        "secrets_list",
        "plan",
        "bpctl_help",
    ] {
        assert!(names.contains(&name), "{name} of {names:?}");
    }
    for name in [
        "deploy",
        "fleet_scale",
        "apply",
        "exec",
        "sandbox_run",
        "mcp",
        "teardown",
        "top",
    ] {
        assert!(!names.contains(&name), "{name}");
    }
    for tool in &tools {
        let name = tool["name"].as_str().unwrap();
        let is_plain = name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        assert!(is_plain && name.len() <= 64, "{name}");
        assert_eq!(tool["inputSchema"]["type"], "object", "{name}");
        assert_eq!(tool["inputSchema"]["additionalProperties"], false, "{name}");
        assert_eq!(tool["annotations"]["readOnlyHint"], true, "{name}");
        assert!(!tool["description"].as_str().unwrap().is_empty(), "{name}");
    }
    let fleets = assistant.call("fleet_list", &json!({}));
    assert_eq!(
        fleets["structuredContent"]["schema"], "bpctl.fleet.list/1",
        "{fleets}"
    );
    let one = assistant.call("get", &json!({"kinds": "services", "names": ["backend"]}));
    assert_eq!(
        one["structuredContent"]["items"][0]["name"], "bp-backend",
        "{one}"
    );
    // Bad news is an answer, and its status is said.
    let triage = assistant.call("triage", &json!({"query": "schema"}));
    assert!(text(&triage).starts_with("\"bpctl.triage/2\""), "{triage}");
    let unknown = assistant.call("get", &json!({"kinds": "sheep"}));
    assert_eq!(unknown["isError"], true, "{unknown}");
    assert!(text(&unknown).contains("exit status 2"), "{unknown}");
    for (tool, arguments) in [
        ("fleet_list", json!({"context": "other"})),
        ("deploy", json!({})),
        ("apply", json!({"token": "0"})),
        ("triage", json!({"notify": "https://example.com"})),
        ("secrets_get", json!({"name": "app-key", "reveal": true})),
        (
            "secrets_get",
            json!({"name": "app-key", "reveal": true, "yes": true}),
        ),
        ("day1", json!({"run": true})),
        ("day1", json!({"run": true, "yes": true})),
        ("doctor", json!({"fix": true})),
        ("fleet_simulate", json!({"plot": "queue.svg"})),
    ] {
        let refused = assistant.call(tool, &arguments);
        assert_eq!(refused["isError"], true, "{tool}: {refused}");
    }
    let help = assistant.call("bpctl_help", &json!({"command": ["fleet", "scale"]}));
    assert!(text(&help).contains("--desired"), "{help}");
    assert_eq!(assistant.leave(), Some(0));
}

/// Whatever is set that can be set: nothing is changed, in the account or on the machine.
#[test]
fn no_argument_makes_a_tool_change_anything() {
    let mut assistant = Assistant::start(&[], &["--allow-apply"]);
    let mut asked = 0;
    for tool in assistant.tools() {
        let name = tool["name"].as_str().expect("a name").to_owned();
        if ["plan", "apply"].contains(&name.as_str()) {
            continue;
        }
        let mut arguments = serde_json::Map::new();
        let properties = tool["inputSchema"]["properties"].as_object().expect("arguments");
        for (argument, schema) in properties {
            let is_required = tool["inputSchema"]["required"].as_array();
            let is_required = is_required.is_some_and(|all| all.iter().any(|one| one == argument.as_str()));
            match schema["type"].as_str() {
                Some("boolean") => arguments.insert(argument.clone(), json!(true)),
                Some("array") if is_required => arguments.insert(argument.clone(), json!(["backend"])),
                Some(_) if is_required => arguments.insert(argument.clone(), json!("backend")),
                _ => None,
            };
        }
        assistant.call(&name, &Value::Object(arguments));
        // A switch that contradicts another ends a command before it begins.
        for (argument, _) in properties
            .iter()
            .filter(|(_, schema)| schema["type"] == "boolean")
        {
            assistant.call(&name, &json!({ argument: true }));
            asked += 1;
        }
    }
    assert!(asked > 10, "{asked}");
    let history = assistant.call("history", &json!({}));
    assert_eq!(history["structuredContent"]["runs"], json!([]), "{history}");
    let files = std::fs::read_dir(assistant.home.path()).expect("a folder");
    let files: Vec<String> = files
        .flatten()
        .map(|file| file.file_name().to_string_lossy().into_owned())
        .filter(|name| ![".local", ".cache"].contains(&name.as_str()))
        .collect();
    assert_eq!(files, [""; 0]);
    assert!(
        !assistant
            .home
            .path()
            .join(".local/share/bash-completion")
            .exists()
    );
    assert_eq!(assistant.leave(), Some(0));
}

#[test]
fn the_context_is_that_of_the_start_whatever_is_chosen_since() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let contexts =
        "[contexts.staging]\nregion = \"eu-west-1\"\n\n[contexts.production]\nregion = \"eu-west-1\"\n";
    std::fs::write(home.path().join("bpctl.toml"), contexts).expect("a file");
    let choose = |home: &Path, context: &str| {
        let chosen = bpctl(home).args(["config", "use-context", context]).output();
        assert!(chosen.expect("bpctl runs").status.success(), "{context}");
    };
    choose(home.path(), "staging");
    let mut assistant = Assistant::of(home, &["mcp"]);
    let before = text(&assistant.call("config_current_context", &json!({})));
    assert!(before.contains("staging"), "{before}");
    choose(assistant.home.path(), "production");
    let after = text(&assistant.call("config_current_context", &json!({})));
    assert_eq!(after, before);
    assert_eq!(assistant.leave(), Some(0));
}

#[test]
fn a_plan_is_carried_out_once_and_is_in_the_history() {
    let mut assistant = Assistant::start(&[], &["--allow-apply"]);
    let planned = assistant.plan(&SCALE);
    let shown = &planned["structuredContent"];
    assert_eq!(shown["plan"]["schema"], "bpctl.plan/2", "{planned}");
    let token = json!({"token": shown["token"].as_str().expect("a token")});
    let done = assistant.call("apply", &token);
    assert_eq!(done["isError"], false, "{done}");
    assert_eq!(done["structuredContent"]["max"], 8, "{done}");
    let again = assistant.call("apply", &token);
    assert_eq!(again["isError"], true, "{again}");
    assert!(text(&again).contains("it was used"), "{again}");
    let history = assistant.call("history", &json!({}));
    assert!(
        text(&history).contains("asked for by tester over MCP"),
        "{history}"
    );
    let nothing = assistant.plan(&SCALE);
    assert_eq!(nothing["structuredContent"]["token"], Value::Null, "{nothing}");
    assert_eq!(
        nothing["structuredContent"]["apply"],
        "there is nothing to change"
    );
    assert_eq!(assistant.leave(), Some(0));
}

#[test]
fn a_plan_that_is_not_true_any_more_is_refused() {
    let mut assistant = Assistant::start(&[], &["--allow-apply"]);
    let mut token = |most: &str| {
        let planned = assistant.plan(&["fleet", "scale", "production/gpu-default", "--max", most]);
        json!({"token": planned["structuredContent"]["token"].as_str().expect("a token")})
    };
    let (seven, eight) = (token("7"), token("8"));
    assert_eq!(assistant.call("apply", &seven)["isError"], false);
    let refused = assistant.call("apply", &eight);
    assert_eq!(refused["isError"], true, "{refused}");
    assert!(text(&refused).contains("exit status 5"), "{refused}");
    assert_eq!(assistant.leave(), Some(0));
}

#[test]
fn what_a_person_has_to_do_gets_no_token() {
    let why = |result: &Value| {
        result["structuredContent"]["apply"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let mut assistant = Assistant::start(&[], &[]);
    assert!(why(&assistant.plan(&SCALE)).contains("--allow-apply"));
    assert_eq!(assistant.leave(), Some(0));
    let mut assistant = Assistant::start(&["--protected"], &["--allow-apply"]);
    assert!(why(&assistant.plan(&SCALE)).contains("protected"));
    assert_eq!(assistant.leave(), Some(0));
    let mut assistant = Assistant::start(&[], &["--allow-apply"]);
    let lost = assistant.plan(&["fleet", "scale", "production/gpu-default", "--desired", "0"]);
    assert!(why(&lost).contains("cannot be undone"), "{lost}");
    for words in [&["run", "--", "php", "artisan", "db:wipe"][..], &["migrate"]] {
        let told = why(&assistant.plan(words));
        assert!(
            told.contains("no command of bpctl takes this back"),
            "{words:?}: {told}"
        );
    }
    for words in [
        &["whoami"][..],
        &["exec"],
        &["mcp"],
        &[
            "fleet",
            "scale",
            "production/gpu-default",
            "--desired",
            "3",
            "--yes",
        ],
        &[
            "fleet",
            "scale",
            "production/gpu-default",
            "--desired",
            "3",
            "--context",
            "sandbox",
        ],
        &[
            "--region",
            "eu-west-1",
            "fleet",
            "scale",
            "production/gpu-default",
            "--desired",
            "3",
        ],
        &["fleet", "scale"],
    ] {
        let refused = assistant.plan(words);
        assert_eq!(refused["isError"], true, "{words:?}: {refused}");
        assert!(
            !text(&refused).contains("exit status"),
            "nothing is run: {words:?}: {refused}"
        );
    }
    assert_eq!(assistant.leave(), Some(0));
}
