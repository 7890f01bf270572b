//! GitHub's runner, as far as the platform's workflows use it: expressions, environment, files of a step, and bash.
//!
//! GitHub's documentation: "Evaluate expressions in workflows and actions", "Workflow syntax", "Workflow commands".

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::site::Site;

/// What a run of a workflow left.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Name or first line of every `run` that was executed, its status, and what it wrote to both streams.
    pub(crate) steps: Vec<(String, i32, String)>,
    pub(crate) summary: String,
    /// Outputs of the jobs, by `job.name`.
    pub(crate) outputs: BTreeMap<String, String>,
    /// The scripts that were executed.
    pub(crate) scripts: BTreeSet<String>,
    pub(crate) failed: bool,
}

impl Outcome {
    pub(crate) fn text(&self) -> String {
        let lines = self.steps.iter();
        lines
            .map(|(name, status, text)| format!("== {name}: {status}\n{text}"))
            .collect()
    }

    /// The status of the step with this name.
    pub(crate) fn status(&self, name: &str) -> Option<i32> {
        let found = self.steps.iter().find(|(step, ..)| step == name);
        found.map(|(_, status, _)| *status)
    }
}

/// A checkout, programs for it, and an account behind it.
pub(crate) struct Runner<'a> {
    pub(crate) site: &'a Site,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) secrets: Value,
}

/// Programs that are not bpctl: they only record how they were called.
const OTHERS: [&str; 5] = ["composer", "corepack", "npm", "php", "pnpm"];

const RECORDS: &str = "#!/bin/sh\nprintf '%s %s\\n' \"${0##*/}\" \"$*\" >>\"$STAND_IN/others\"\n";

impl<'a> Runner<'a> {
    pub(crate) fn new(site: &'a Site) -> Self {
        let runner = Self {
            site,
            folder: tempfile::tempdir().expect("a folder"),
            secrets: json!({
                "AWS_DEPLOY_ROLE_ARN_STAGING": "arn:aws:iam::123456789012:role/staging",
                "AWS_DEPLOY_ROLE_ARN_PRODUCTION": "arn:aws:iam::123456789012:role/production",
            }),
        };
        for folder in [
            "bin",
            "record",
            "home",
            "temp",
            "app/backend",
            "app/frontend",
            "app/infrastructure",
        ] {
            fs::create_dir_all(runner.at(folder)).expect("a folder");
        }
        fs::write(runner.at("app/backend/.env.example"), "APP_KEY=\n").expect("a file");
        for name in OTHERS {
            runner.program(name, RECORDS);
        }
        link(Path::new(env!("CARGO_BIN_EXE_bpctl")), &runner.at("bin/bpctl"));
        let stand_ins = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
        link(&stand_ins.join("stand-in-docker"), &runner.at("bin/docker"));
        link(&stand_ins.join("stand-in-packer"), &runner.at("bin/packer"));
        runner
    }

    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(crate) fn program(&self, name: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.at("bin").join(name);
        fs::write(&path, text).expect("a file");
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a program");
    }

    /// What the programs beside bpctl were called with.
    pub(crate) fn others(&self) -> String {
        fs::read_to_string(self.at("record/others")).unwrap_or_default()
    }

    /// Runs a workflow with these inputs, job after job in the order of the file.
    pub(crate) fn run(&self, workflow: &str, inputs: &[(&str, Value)]) -> Outcome {
        let text = template(workflow);
        let document: Value = serde_norway::from_str(&text).expect("YAML");
        let declared = document["on"]["workflow_dispatch"]["inputs"]
            .as_object()
            .expect("inputs");
        let mut values = json!({});
        for (name, input) in declared {
            values[name] = input["default"].clone();
        }
        for (name, value) in inputs {
            let input = declared
                .get(*name)
                .unwrap_or_else(|| panic!("{workflow} has no input {name}"));
            if let Some(options) = input["options"].as_array() {
                assert!(options.contains(value), "{name} cannot be {value}");
            }
            values[*name] = value.clone();
        }
        let missing = declared
            .iter()
            .find(|(name, input)| input["required"] == true && values[*name].is_null());
        assert!(missing.is_none(), "{workflow}: {missing:?}");
        let mut context = json!({
            "inputs": values,
            "secrets": self.secrets,
            "vars": { "AWS_ACCOUNT_ID_STAGING": "123456789012", "AWS_ACCOUNT_ID_PRODUCTION": "123456789012", "BPCTL_VERSION": "0.1.0", "BPCTL_RELEASES": "https://github.com/acme/bpctl/releases" },
            "github": { "server_url": "https://github.com", "repository": "acme/platform", "run_id": "1234567890" },
            "failed": false,
        });
        let mut outcome = Outcome::default();
        for (name, job) in document["jobs"].as_object().expect("jobs") {
            let condition = job["if"].as_str().unwrap_or("success()");
            if truth(&evaluate(bare(condition), &context)) {
                self.job(name, job, &mut context, &mut outcome);
            }
        }
        outcome.failed = context["failed"] == true;
        outcome
    }

    fn job(&self, name: &str, job: &Value, context: &mut Value, outcome: &mut Outcome) {
        context["env"] = json!({});
        context["steps"] = json!({});
        let env = environment(&job["env"], context);
        for (name, value) in &env {
            context["env"][name] = json!(value);
        }
        for step in job["steps"].as_array().expect("steps") {
            let condition = step["if"].as_str().unwrap_or("success()");
            // Without a function that asks for the state, a condition is only looked at while all is well.
            let asks = ["failure()", "always()", "success()", "cancelled()"]
                .iter()
                .any(|asks| condition.contains(asks));
            let goes_on = asks || context["failed"] == false;
            if !goes_on || !truth(&evaluate(bare(condition), context)) {
                continue;
            }
            if let Some(uses) = step["uses"].as_str() {
                signs_in(uses, &step["with"], context);
            }
            if let Some(script) = step["run"].as_str() {
                let mut variables = env.clone();
                variables.extend(environment(&step["env"], context));
                let defaults = &job["defaults"]["run"];
                assert_eq!(defaults["shell"], "bash", "{name}");
                let folder = step["working-directory"]
                    .as_str()
                    .or(defaults["working-directory"].as_str());
                self.step(step, script, folder.unwrap_or("."), &variables, context, outcome);
            }
        }
        for (output, value) in job["outputs"].as_object().into_iter().flatten() {
            let value = interpolate(value.as_str().expect("a text"), context);
            outcome.outputs.insert(format!("{name}.{output}"), value);
        }
    }

    fn step(
        &self,
        step: &Value,
        script: &str,
        folder: &str,
        variables: &BTreeMap<String, String>,
        context: &mut Value,
        outcome: &mut Outcome,
    ) {
        assert!(!script.contains("${{"), "an expression in a script: {script}");
        let (file, output, summary) = (
            self.at("temp/script.sh"),
            self.at("temp/output"),
            self.at("temp/summary"),
        );
        fs::write(&file, script).expect("a file");
        fs::write(&output, "").expect("a file");
        fs::write(&summary, "").expect("a file");
        let host = self.site.url.trim_start_matches("http://").trim_end_matches('/');
        let (host, port) = host.split_once(':').expect("an address");
        let ended = Command::new("bash")
            .args(["--noprofile", "--norc", "-eo", "pipefail"])
            .arg(&file)
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", self.at("bin").display()))
            .env("HOME", self.at("home"))
            .env("CI", "true")
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_REPOSITORY", "acme/platform")
            .env("GITHUB_OUTPUT", &output)
            .env("GITHUB_STEP_SUMMARY", &summary)
            .env("STAND_IN", self.at("record"))
            .env("STAND_IN_HOST", host)
            .env("STAND_IN_PORT", port)
            .env("STAND_IN_TOKEN", &self.site.token)
            .envs(variables)
            .env("BPCTL_CONTEXT", "sandbox")
            .env("AWS_ENDPOINT_URL", &self.site.url)
            .current_dir(self.at("app").join(folder))
            .stdin(std::process::Stdio::null())
            .output()
            .expect("bash");
        let status = ended.status.code().unwrap_or(-1);
        let text = String::from_utf8_lossy(&[ended.stdout, ended.stderr].concat()).into_owned();
        let first = script.lines().next().unwrap_or_default();
        let name = step["name"].as_str().unwrap_or(first);
        outcome.steps.push((name.to_owned(), status, text));
        outcome.scripts.insert(script.to_owned());
        outcome.summary += &fs::read_to_string(summary).expect("a file");
        if status != 0 {
            context["failed"] = json!(true);
        }
        if let Some(id) = step["id"].as_str() {
            let text = fs::read_to_string(output).expect("a file");
            for (name, value) in text.lines().filter_map(|line| line.split_once('=')) {
                context["steps"][id]["outputs"][name] = json!(value);
            }
        }
    }
}

/// The role that the action of AWS would take is that of the stage, and only in the account of the guard.
fn signs_in(uses: &str, with: &Value, context: &Value) {
    if uses.starts_with("aws-actions/configure-aws-credentials@") {
        let of = |name: &str| interpolate(with[name].as_str().expect("a text"), context);
        let stage = context["env"]["BPCTL_STAGE"].as_str().expect("a stage");
        assert!(of("role-to-assume").ends_with(&format!("role/{stage}")), "{with}");
        assert_eq!(of("allowed-account-ids"), "123456789012");
        assert_eq!(of("aws-region"), "us-east-1");
    }
}

/// The text of a workflow of the platform.
pub(crate) fn template(workflow: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/workflows");
    fs::read_to_string(folder.join(format!("{workflow}.yml"))).expect("a workflow")
}

fn link(from: &Path, to: &Path) {
    std::os::unix::fs::symlink(from, to).expect("a link");
}

fn environment(declared: &Value, context: &Value) -> BTreeMap<String, String> {
    let entries = declared.as_object().into_iter().flatten();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    entries
        .map(|(name, value)| (name.clone(), interpolate(&text(value), context)))
        .collect()
}

/// A condition may stand with or without its braces.
fn bare(condition: &str) -> &str {
    let inner = condition
        .strip_prefix("${{")
        .and_then(|rest| rest.strip_suffix("}}"));
    inner.unwrap_or(condition)
}

/// A text with the values of its expressions.
fn interpolate(text: &str, context: &Value) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${{") {
        let (expression, after) = after.split_once("}}").expect("a closed expression");
        out += before;
        out += &match evaluate(expression, context) {
            Value::String(text) => text,
            Value::Null => String::new(),
            other => other.to_string(),
        };
        rest = after;
    }
    out + rest
}

fn truth(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::String(text) => !text.is_empty(),
        other => other.as_f64() != Some(0.0),
    }
}

/// The value of an expression: `||` and `&&` give one of their sides, as in JavaScript.
fn evaluate(expression: &str, context: &Value) -> Value {
    let mut words = Words {
        words: words(expression),
        at: 0,
        context,
    };
    let value = words.either();
    assert_eq!(words.at, words.words.len(), "not understood: {expression}");
    value
}

struct Words<'a> {
    words: Vec<String>,
    at: usize,
    context: &'a Value,
}

impl Words<'_> {
    fn take(&mut self, word: &str) -> bool {
        let there = self.words.get(self.at).is_some_and(|found| found == word);
        self.at += usize::from(there);
        there
    }

    fn either(&mut self) -> Value {
        let mut value = self.both();
        while self.take("||") {
            let other = self.both();
            value = if truth(&value) { value } else { other };
        }
        value
    }

    fn both(&mut self) -> Value {
        let mut value = self.compared();
        while self.take("&&") {
            let other = self.compared();
            value = if truth(&value) { other } else { value };
        }
        value
    }

    fn compared(&mut self) -> Value {
        let value = self.single();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        if self.take("==") {
            return json!(text(&value) == text(&self.single()));
        }
        if self.take("!=") {
            return json!(text(&value) != text(&self.single()));
        }
        value
    }

    fn single(&mut self) -> Value {
        if self.take("!") {
            return json!(!truth(&self.single()));
        }
        if self.take("(") {
            let value = self.either();
            assert!(self.take(")"), "a parenthesis stays open");
            return value;
        }
        let word = self.words[self.at].clone();
        self.at += 1;
        if self.take("(") {
            assert!(self.take(")"), "{word} takes nothing here");
            let failed = self.context["failed"] == true;
            return match word.as_str() {
                "failure" => json!(failed),
                "success" => json!(!failed),
                "cancelled" => json!(false),
                other => panic!("the function {other}"),
            };
        }
        if let Some(text) = word.strip_prefix('\'') {
            return json!(text);
        }
        if let Ok(number) = word.parse::<i64>() {
            return json!(number);
        }
        let mut value = self.context;
        for part in word.split('.') {
            value = &value[part];
        }
        value.clone()
    }
}

/// Texts keep the quote at their beginning.
fn words(expression: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = expression.trim_start();
    while !rest.is_empty() {
        let end = if let Some(text) = rest.strip_prefix('\'') {
            text.find('\'').expect("a closed text") + 1
        } else if let Some(sign) = ["||", "&&", "==", "!="]
            .iter()
            .find(|sign| rest.starts_with(**sign))
        {
            sign.len()
        } else if rest.starts_with(['(', ')', '!']) {
            1
        } else {
            let ends = |letter: char| !(letter.is_ascii_alphanumeric() || "._-".contains(letter));
            rest.find(ends).unwrap_or(rest.len())
        };
        assert!(end > 0, "not understood: {rest}");
        words.push(rest[..end].to_owned());
        rest = rest[end..].trim_start_matches('\'').trim_start();
    }
    words
}

#[test]
fn expressions_have_the_values_that_github_gives_them() {
    let context = json!({ "failed": false, "inputs": { "stage": "production", "yes": true, "empty": "" }, "vars": { "P": "1" } });
    for (text, expected) in [
        ("${{ inputs.stage }}-x", "production-x"),
        ("${{ inputs.stage == 'production' && vars.P || 'none' }}", "1"),
        ("${{ inputs.stage == 'staging' && vars.P || '' }}", ""),
        (
            "${{ inputs.stage == 'production' && (vars.Q || vars.P) || 'none' }}",
            "1",
        ),
        (
            "${{ inputs.yes && 'a ' || '' }}${{ inputs.empty && 'b' || '' }}c",
            "a c",
        ),
        ("${{ vars.Q || 3600 }}", "3600"),
        (
            "${{ !cancelled() && !failure() && inputs.empty != 'none' }}",
            "true",
        ),
        ("${{ inputs.yes }}", "true"),
    ] {
        assert_eq!(interpolate(text, &context), expected, "{text}");
    }
}
