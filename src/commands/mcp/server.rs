//! The server: which tools there are, and what each of them does.

use std::sync::{Arc, Mutex, PoisonError};

use clap::Command;
use clap::parser::ValueSource;
use rmcp::handler::server::ServerHandler;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation, ListToolsResult,
    PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer};
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use super::calls::{Calls, Ended};
use super::plans::{LASTS, Plans, Shown, token};
use super::tools::{self, APPLY, HELP, PLAN, Read};
use super::words::words;
use crate::clock::Clock;
use crate::context::Ctx;
use crate::exit::ExitStatus;

/// What an assistant is told once.
const INSTRUCTIONS: &str = "Operates one AWS platform (ECS services, GPU fleets, RDS, Redis, stacks) through bpctl. Ask \
    `triage` first when something is wrong, and `explain` for what a finding means. Every tool but `apply` changes \
    nothing. For a change, call `plan`, show its plan to the operator, and only then `apply` with its token.";

/// Global options that a planned command may not have: the place, the format and the confirmation are the server's.
const NOT_THEIRS: [&str; 20] = [
    "context",
    "all_contexts",
    "config_file",
    "layout",
    "profile",
    "region",
    "role_arn",
    "account_id",
    "no_account_guard",
    "protected",
    "endpoint_url",
    "infra_dir",
    "output",
    "query",
    "dry_run",
    "exit_code",
    "print_aws",
    "yes",
    "confirm",
    "expect_plan",
];

/// Commands that `apply` carries out: another of them, or `runs undo`, brings the state of before back, and none of them
/// reads a file of the operator's, writes a secret anywhere or runs what nobody but a person knows.
const APPLIES: [&str; 17] = [
    "ami promote",
    "ami rollback",
    "bundle activate",
    "bundle rollback",
    "deploy",
    "fleet config set",
    "fleet hold",
    "fleet protect",
    "fleet refresh",
    "fleet refresh cancel",
    "fleet release",
    "fleet scale",
    "fleet scale-to-zero",
    "monitoring apply",
    "resume",
    "rollout abort",
    "rollout undo",
];

/// The longest reason that the engine takes, in bytes, with room for what stands around the assistant's name.
const NAME: usize = 80;

pub(super) struct Server {
    pub(super) calls: Arc<Calls>,
    tree: Command,
    reads: Vec<Read>,
    plans: Mutex<Plans>,
    allows_apply: bool,
    clock: Clock,
}

/// Why a tool has no answer, in words for the assistant.
type Told<T> = Result<T, String>;

impl Server {
    pub(super) fn new(ctx: &Ctx, allows_apply: bool) -> Self {
        let mut tree = (ctx.command_tree)();
        tree.build();
        Self {
            calls: Arc::new(Calls::of(ctx)),
            reads: tools::reads(&tree),
            tree,
            plans: Mutex::default(),
            allows_apply,
            clock: ctx.clock.clone(),
        }
    }

    fn tools(&self) -> Vec<Tool> {
        let reads = self.reads.iter().map(|read| read.tool.clone());
        let others = [tools::help(), tools::plan(&self.tree)];
        let apply = self.allows_apply.then(tools::apply);
        reads.chain(others).chain(apply).collect()
    }

    /// Answers a call; `assistant` is the name that it goes by.
    async fn answer(
        &self,
        name: &str,
        arguments: &Map<String, Value>,
        assistant: &str,
        cancel: CancellationToken,
    ) -> Told<CallToolResult> {
        match name {
            HELP => self.help(arguments),
            PLAN => self.plan(arguments, cancel).await,
            APPLY if self.allows_apply => self.apply(arguments, assistant, cancel).await,
            name => {
                let read = self.reads.iter().find(|read| read.tool.name == name);
                let read = read.ok_or_else(|| format!("there is no tool `{name}`"))?;
                self.read(read, arguments, cancel).await
            }
        }
    }

    async fn read(
        &self,
        read: &Read,
        arguments: &Map<String, Value>,
        cancel: CancellationToken,
    ) -> Told<CallToolResult> {
        let mut arguments = arguments.clone();
        let query = match arguments.remove("query") {
            None | Some(Value::Null) => None,
            Some(Value::String(query)) => Some(format!("--query={query}")),
            Some(_) => return Err("`query` must be a text".to_owned()),
        };
        let given = words(&read.words, &read.command, &arguments)?;
        let shown = ["--output=json".to_owned()].into_iter().chain(query);
        let words = read.words.iter().cloned().chain(shown).chain(given).collect();
        Ok(result(&self.calls.run(words, cancel).await?))
    }

    fn help(&self, arguments: &Map<String, Value>) -> Told<CallToolResult> {
        let mut command = &self.tree;
        for word in texts(arguments, "command")? {
            let found = command.find_subcommand(&word);
            command = found.ok_or_else(|| format!("bpctl has no command `{word}` there"))?;
        }
        let text = command.clone().render_long_help().to_string();
        Ok(CallToolResult::success(vec![ContentBlock::text(text)]))
    }

    async fn plan(&self, arguments: &Map<String, Value>, cancel: CancellationToken) -> Told<CallToolResult> {
        let words = texts(arguments, "command")?;
        let at = self.checked(&words)?;
        let shown = with(&words, at, &["--dry-run", "--output=json"]);
        let ended = self.calls.run(shown, cancel).await?;
        let Some(plan) = document(&ended).filter(|_| ended.status == ExitStatus::Done) else {
            return Ok(result(&ended));
        };
        let mut answer = json!({"plan": plan, "token": null, "until": null, "apply": null});
        match self.why_not(&plan) {
            Some(why) => answer["apply"] = json!(why),
            None => {
                let token = token()?;
                let until = self.clock.now() + LASTS;
                let digest = plan["digest"].as_str().unwrap_or_default().to_owned();
                answer["token"] = json!(token);
                answer["until"] = json!(until.to_string());
                answer["apply"] = json!("show the plan to the operator; then call `apply` with the token");
                self.plans().keep(
                    token,
                    Shown {
                        words,
                        at,
                        digest,
                        until,
                    },
                );
            }
        }
        Ok(shown_document(&answer))
    }

    /// Why a plan cannot be carried out here.
    fn why_not(&self, plan: &Value) -> Option<String> {
        let is_empty = plan["steps"].as_array().is_none_or(Vec::is_empty);
        let why = if is_empty {
            "there is nothing to change"
        } else if plan["target"]["protected"] != false {
            "this context is protected: a person has to run the command"
        } else if plan["risk"] != "reversible" {
            "this cannot be undone: a person has to run the command"
        } else if !APPLIES.iter().any(|verb| plan["verb"] == *verb) {
            // No call of a plan says what a migration loses, or for whom a backup is encrypted.
            "no command of bpctl takes this back: a person has to run the command"
        } else if !self.allows_apply {
            "this server only shows plans: it was started without --allow-apply"
        } else {
            return None;
        };
        Some(why.to_owned())
    }

    async fn apply(
        &self,
        arguments: &Map<String, Value>,
        assistant: &str,
        cancel: CancellationToken,
    ) -> Told<CallToolResult> {
        let token = arguments.get("token").and_then(Value::as_str);
        let token = token.ok_or("`token` must be the token that `plan` gave")?;
        let shown = self.plans().take(token, self.clock.now())?;
        let expected = format!("--expect-plan={}", shown.digest);
        let mut options = vec!["--yes", expected.as_str(), "--output=json"];
        let reason = format!("--reason=asked for by {assistant} over MCP");
        if !shown.words.iter().any(|word| word.starts_with("--reason")) {
            options.push(&reason);
        }
        let ended = self
            .calls
            .run(with(&shown.words, shown.at, &options), cancel)
            .await?;
        let mut result = result(&ended);
        // What was asked for is done, or it is not.
        result.is_error = Some(ended.status != ExitStatus::Done);
        Ok(result)
    }

    /// Whether `words` are a command with a plan, and nothing that is the server's; where its options go.
    fn checked(&self, words: &[String]) -> Told<usize> {
        let line = std::iter::once("bpctl".to_owned()).chain(words.iter().cloned());
        let matches = self.tree.clone().try_get_matches_from(line);
        let matches = matches.map_err(|error| error.render().to_string())?;
        let (mut command, mut below, mut at) = (&self.tree, &matches, 0);
        while let Some((verb, deeper)) = below.subcommand() {
            let Some(found) = command.find_subcommand(verb) else {
                break;
            };
            (command, below) = (found, deeper);
            // The verb may be typed by another of its names.
            let is_verb = |word: &String| {
                found.get_name() == word || found.get_all_aliases().any(|alias| alias == word)
            };
            at += words
                .iter()
                .skip(at)
                .position(is_verb)
                .map_or(0, |before| before + 1);
        }
        if !command.get_arguments().any(|arg| arg.get_id() == "expect_plan") {
            return Err(format!(
                "`{}` has no plan: it changes nothing, or is for a person",
                words.join(" ")
            ));
        }
        let is_given = |id: &&&str| {
            let known = below.try_contains_id(id).is_ok();
            known && below.value_source(id) == Some(ValueSource::CommandLine)
        };
        match NOT_THEIRS.iter().find(is_given) {
            Some(id) => Err(format!(
                "leave out `--{}`: the place, the format and the confirmation are the server's",
                id.replace('_', "-")
            )),
            None => Ok(at),
        }
    }

    fn plans(&self) -> std::sync::MutexGuard<'_, Plans> {
        self.plans.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("bpctl", env!("CARGO_PKG_VERSION")))
            .with_instructions(INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(self.tools()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let arguments = request.arguments.unwrap_or_default();
        let assistant = context
            .peer
            .peer_info()
            .map(|peer| one_word(&peer.client_info.name));
        let assistant = assistant.unwrap_or_else(|| "an assistant".to_owned());
        let answered = self
            .answer(&request.name, &arguments, &assistant, context.ct.clone())
            .await;
        let result = answered.unwrap_or_else(|told| CallToolResult::error(vec![ContentBlock::text(told)]));
        Ok(result.into())
    }
}

/// The name of an assistant as a reason may have it.
fn one_word(name: &str) -> String {
    let plain = name.chars().filter(|letter| !letter.is_control());
    let mut word: String = plain.collect();
    while word.len() > NAME {
        word.pop();
    }
    word
}

/// `words` with options at a place.
fn with(words: &[String], at: usize, options: &[&str]) -> Vec<String> {
    let (verb, rest) = words.split_at(at.min(words.len()));
    let options = options.iter().map(|option| (*option).to_owned());
    verb.iter()
        .cloned()
        .chain(options)
        .chain(rest.iter().cloned())
        .collect()
}

fn texts(arguments: &Map<String, Value>, name: &str) -> Told<Vec<String>> {
    let Some(given) = arguments.get(name) else {
        return Ok(Vec::new());
    };
    let items = given.as_array().map(|items| items.iter().map(Value::as_str));
    let texts: Option<Vec<String>> =
        items.and_then(|items| items.map(|item| item.map(str::to_owned)).collect());
    texts.ok_or_else(|| format!("`{name}` must be a list of texts"))
}

fn document(ended: &Ended) -> Option<Value> {
    serde_json::from_str(&ended.stdout).ok()
}

fn shown_document(document: &Value) -> CallToolResult {
    let mut result = CallToolResult::success(vec![ContentBlock::text(document.to_string())]);
    if document.is_object() {
        result.structured_content = Some(document.clone());
    }
    result
}

/// What a command wrote, and how it ended where that was not well. A result is one although it is bad news.
fn result(ended: &Ended) -> CallToolResult {
    let mut result = match document(ended) {
        Some(document) => shown_document(&document),
        None if ended.stdout.trim().is_empty() => CallToolResult::error(Vec::new()),
        None => CallToolResult::success(vec![ContentBlock::text(ended.stdout.clone())]),
    };
    if ended.status != ExitStatus::Done {
        let code = ended.status.code();
        let meanings = crate::exit::TABLE.iter();
        let meaning = meanings
            .clone()
            .find(|(of, _)| *of == code)
            .map_or("", |(_, meaning)| *meaning);
        let told = format!("exit status {code}: {meaning}\n{}", ended.stderr);
        result.content.push(ContentBlock::text(told));
    }
    result
}
