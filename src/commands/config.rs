//! `bpctl config`: look at contexts and settings, and choose a context.

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::{Value, json};

use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CtlError, Result};
use crate::exit::ExitStatus;
use crate::layout::FleetId;
use crate::output::{Render, Table, View};
use crate::settings::{
    self, Candidate, DEFAULT_CONTEXT, Inputs, KEYS, SANDBOX_CONTEXT, candidates, set_current_context,
};

/// Look at contexts and settings, and choose a context
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl config get-contexts               the contexts, the current one marked
  bpctl config use-context staging        choose one
  bpctl config explain region             who decided the region
  bpctl config names                      every name that the layout gives")]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Show every setting in force
    View,
    /// List the contexts
    GetContexts,
    /// Make a context the current one
    UseContext {
        /// Context from bpctl.toml
        #[arg(add = crate::completion::contexts())]
        name: String,
    },
    /// Say which of flag, environment, file and default decided a setting
    Explain {
        /// Setting, e.g. region
        #[arg(value_parser = setting_name())]
        key: String,
    },
    /// List every name that the layout gives: stacks, services, parameters, alarms and so on
    Names {
        /// Also the names of these fleets, e.g. production/gpu-default
        #[arg(add = crate::completion::fleets())]
        fleets: Vec<FleetId>,
    },
}

/// The names of settings, also as their flags are written.
fn setting_name() -> clap::builder::PossibleValuesParser {
    clap::builder::PossibleValuesParser::new(
        KEYS.iter()
            .map(|key| clap::builder::PossibleValue::new(key.name).aliases(key.flag)),
    )
}

impl Verb for ConfigArgs {
    fn needs(&self) -> Needs {
        match self.command {
            // How one looks at a broken configuration, or mends it.
            ConfigCommand::View
            | ConfigCommand::GetContexts
            | ConfigCommand::UseContext { .. }
            | ConfigCommand::Explain { .. } => Needs::SETTINGS.even_broken(),
            ConfigCommand::Names { .. } => Needs::SETTINGS,
        }
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        run(ctx, &self)
    }
}

fn run(ctx: &Ctx, args: &ConfigArgs) -> Result<ExitStatus> {
    match &args.command {
        ConfigCommand::View => view(ctx)?,
        ConfigCommand::GetContexts => get_contexts(ctx)?,
        ConfigCommand::UseContext { name } => use_context(ctx, name)?,
        ConfigCommand::Explain { key } => explain(ctx, key)?,
        ConfigCommand::Names { fleets } => names(ctx, fleets)?,
    }
    Ok(ExitStatus::Done)
}

#[derive(Debug, Serialize)]
struct SettingView {
    key: &'static str,
    value: Option<String>,
    source: String,
}

#[derive(Debug, Serialize)]
struct ConfigView {
    context: String,
    file: Option<String>,
    settings: Vec<SettingView>,
}

impl Render for ConfigView {
    fn schema(&self) -> &'static str {
        "bpctl.config.view/1"
    }

    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["KEY", "VALUE", "FROM"]);
        for setting in &self.settings {
            let value = setting.value.clone().unwrap_or_else(|| "-".to_owned());
            table.row([setting.key.to_owned(), value, setting.source.clone()]);
        }
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        self.settings
            .iter()
            .map(|setting| setting.key.to_owned())
            .collect()
    }

    fn items(&self) -> Option<Vec<Value>> {
        Some(self.settings.iter().map(|setting| json!(setting)).collect())
    }
}

fn layers(ctx: &Ctx, key: &settings::Key) -> Vec<Candidate> {
    let inputs = Inputs {
        flags: ctx.flags.clone(),
        env: &ctx.env,
        file: ctx.config.as_ref(),
    };
    candidates(key, &ctx.settings.context.value, &inputs)
}

fn view(ctx: &Ctx) -> Result<()> {
    let context = &ctx.settings.context;
    let mut settings = vec![SettingView {
        key: "context",
        value: Some(context.value.clone()),
        source: context.source.to_string(),
    }];
    for key in KEYS {
        let first = layers(ctx, key).into_iter().next();
        settings.push(SettingView {
            key: key.name,
            source: first
                .as_ref()
                .map_or_else(|| "not set".to_owned(), |first| first.source.to_string()),
            value: first.map(|first| first.value),
        });
    }
    let file = ctx.config.as_ref().map(|file| file.path.display().to_string());
    ctx.emit(&ConfigView {
        context: context.value.clone(),
        file,
        settings,
    })
}

#[derive(Debug, Serialize)]
struct ContextView {
    name: String,
    current: bool,
    layout: String,
    stage: Option<String>,
    region: Option<String>,
    account_id: Option<String>,
    protected: bool,
}

#[derive(Debug, Serialize)]
struct Contexts {
    contexts: Vec<ContextView>,
}

impl Render for Contexts {
    fn schema(&self) -> &'static str {
        "bpctl.config.contexts/1"
    }

    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&[
            "CURRENT",
            "NAME",
            "LAYOUT",
            "STAGE",
            "REGION",
            "ACCOUNT",
            "PROTECTED",
        ]);
        let or_dash = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        for context in &self.contexts {
            table.row([
                if context.current { "*" } else { "" }.to_owned(),
                context.name.clone(),
                context.layout.clone(),
                or_dash(&context.stage),
                or_dash(&context.region),
                or_dash(&context.account_id),
                if context.protected { "yes" } else { "no" }.to_owned(),
            ]);
        }
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        self.contexts.iter().map(|context| context.name.clone()).collect()
    }

    fn items(&self) -> Option<Vec<Value>> {
        Some(self.contexts.iter().map(|context| json!(context)).collect())
    }
}

fn get_contexts(ctx: &Ctx) -> Result<()> {
    let current = &ctx.settings.context.value;
    let mut contexts = Vec::new();
    for (name, entries) in ctx.config.iter().flat_map(|file| &file.contexts) {
        let value = |key: &str| entries.get(key).map(|entry| entry.value.clone());
        contexts.push(ContextView {
            name: name.clone(),
            current: name == current,
            layout: value("layout").unwrap_or_else(|| "single".to_owned()),
            stage: value("stage"),
            region: value("region"),
            account_id: value("account_id"),
            protected: value("protected").as_deref() == Some("true"),
        });
    }
    if current == DEFAULT_CONTEXT && !contexts.iter().any(|context| context.current) {
        contexts.insert(0, implicit(DEFAULT_CONTEXT, true));
    }
    contexts.push(ContextView {
        region: Some("us-east-1".to_owned()),
        account_id: Some("123456789012".to_owned()),
        ..implicit(SANDBOX_CONTEXT, current == SANDBOX_CONTEXT)
    });
    ctx.emit(&Contexts { contexts })
}

fn implicit(name: &str, current: bool) -> ContextView {
    ContextView {
        name: name.to_owned(),
        current,
        layout: "single".to_owned(),
        stage: None,
        region: None,
        account_id: None,
        protected: false,
    }
}

fn use_context(ctx: &Ctx, name: &str) -> Result<()> {
    let Some(file) = &ctx.config else {
        return Err(
            CtlError::config(format!("use context `{name}`: there is no bpctl.toml")).hint(
                "write one (see examples/bpctl.toml), or name the context with `--context` or BPCTL_CONTEXT",
            ),
        );
    };
    if name != SANDBOX_CONTEXT && !file.contexts.contains_key(name) {
        return Err(file.no_such_context(name, "command line"));
    }
    set_current_context(file, name)?;
    ctx.ui.status(&format!(
        "Switched to context `{name}` in `{}`",
        file.path.display()
    ));
    if let Some(forced) = ctx
        .env
        .get("BPCTL_CONTEXT")
        .filter(|forced| !forced.is_empty() && *forced != name)
    {
        ctx.ui
            .warn(&format!("BPCTL_CONTEXT={forced} is set and wins over the file"));
    }
    Ok(())
}

#[derive(Debug, Serialize)]
struct Explanation {
    key: &'static str,
    help: &'static str,
    value: Option<String>,
    decided_by: Option<String>,
    candidates: Vec<Candidate>,
}

impl Render for Explanation {
    fn schema(&self) -> &'static str {
        "bpctl.config.explain/1"
    }

    fn human(&self, view: &View) -> String {
        let mut text = format!("{}: {}\n\n", self.key, self.help);
        if self.candidates.is_empty() {
            return text + "not set anywhere\n";
        }
        let mut table = Table::new(&["DECIDES", "VALUE", "FROM"]);
        for (index, candidate) in self.candidates.iter().enumerate() {
            let mark = if index == 0 { "*" } else { "" };
            table.row([
                mark.to_owned(),
                candidate.value.clone(),
                candidate.source.to_string(),
            ]);
        }
        text.push_str(&table.render(view));
        text
    }

    fn names(&self) -> Vec<String> {
        self.value.iter().cloned().collect()
    }
}

fn explain(ctx: &Ctx, name: &str) -> Result<()> {
    let key = settings::key(name)
        .ok_or_else(|| CtlError::usage(format!("explain `{name}`: there is no such setting")))?;
    let candidates = layers(ctx, key);
    let first = candidates.first().cloned();
    ctx.emit(&Explanation {
        key: key.name,
        help: key.help,
        decided_by: first.as_ref().map(|first| first.source.to_string()),
        value: first.map(|first| first.value),
        candidates,
    })
}

#[derive(Debug, Serialize)]
struct NameView {
    kind: &'static str,
    name: String,
}

#[derive(Debug, Serialize)]
struct Names {
    layout: String,
    names: Vec<NameView>,
}

impl Render for Names {
    fn schema(&self) -> &'static str {
        "bpctl.config.names/1"
    }

    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["KIND", "NAME"]);
        for name in &self.names {
            table.row([name.kind.to_owned(), name.name.clone()]);
        }
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        self.names.iter().map(|name| name.name.clone()).collect()
    }

    fn items(&self) -> Option<Vec<Value>> {
        Some(self.names.iter().map(|name| json!(name)).collect())
    }
}

fn names(ctx: &Ctx, fleets: &[FleetId]) -> Result<()> {
    let account = ctx.settings.account_id.as_ref().map(|account| &account.value);
    let layout = ctx.layout()?;
    let names = layout
        .inventory(account, fleets)
        .into_iter()
        .map(|(kind, name)| NameView { kind, name })
        .collect();
    ctx.emit(&Names {
        layout: layout.kind().to_string(),
        names,
    })
}
