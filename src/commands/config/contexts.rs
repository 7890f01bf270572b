//! The contexts: which there are, which one is in force, and choosing another one.

use schemars::JsonSchema;
use serde::Serialize;

use crate::context::Ctx;
use crate::error::{CtlError, ErrorKind, Result};
use crate::output::{Render, Table, View};
use crate::settings::{Choice, ConfigFile, DEFAULT_CONTEXT, SANDBOX_CONTEXT};

#[derive(Debug, Serialize, JsonSchema)]
struct ContextView {
    name: String,
    current: bool,
    layout: String,
    stage: Option<String>,
    region: Option<String>,
    account_id: Option<String>,
    protected: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Contexts {
    contexts: Vec<ContextView>,
}

impl Render for Contexts {
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
}

pub(super) fn list(ctx: &Ctx) -> Result<()> {
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

/// Writes down this user's choice; the file that the team shares stays as it is.
pub(super) fn choose(ctx: &Ctx, name: &str) -> Result<()> {
    ConfigFile::known(ctx.config.as_ref(), name, "command line")?;
    let note = write(ctx, Some(name))?;
    ctx.ui.status(&format!(
        "Switched to context `{name}`, for you alone (noted in `{note}`)"
    ));
    warn_of_variable(ctx, name);
    Ok(())
}

/// Takes the choice back.
pub(super) fn forget(ctx: &Ctx) -> Result<()> {
    write(ctx, None)?;
    let file = ctx.config.as_ref();
    match file.and_then(|file| file.current_context.as_ref()) {
        Some(entry) => {
            ctx.ui
                .status(&format!("Back to context `{}`, as bpctl.toml says", entry.value));
            warn_of_variable(ctx, &entry.value);
        }
        None => ctx.ui.status("No context is chosen any more"),
    }
    Ok(())
}

fn write(ctx: &Ctx, name: Option<&str>) -> Result<String> {
    let state = ctx.state_dir.as_deref().ok_or_else(|| {
        CtlError::new(
            ErrorKind::Config,
            "write down the choice: there is no home folder",
        )
        .hint("set HOME or XDG_STATE_HOME, or name the context with `--context` or BPCTL_CONTEXT")
    })?;
    let file = ctx.config.as_ref().map(|file| file.path.as_path());
    Ok(Choice::write(state, file, name)?.display().to_string())
}

fn warn_of_variable(ctx: &Ctx, name: &str) {
    let variable = ctx.env.get("BPCTL_CONTEXT");
    if let Some(forced) = variable.filter(|forced| !forced.is_empty() && *forced != name) {
        ctx.ui
            .warn(&format!("BPCTL_CONTEXT={forced} is set and wins over the choice"));
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Current {
    context: String,
    source: String,
}

impl Render for Current {
    fn human(&self, _view: &View) -> String {
        format!("{}\n", self.context)
    }

    fn names(&self) -> Vec<String> {
        vec![self.context.clone()]
    }
}

/// The name of the context in force, and nothing else: for prompts and scripts.
pub(super) fn current(ctx: &Ctx) -> Result<()> {
    let context = &ctx.settings.context;
    ctx.emit(&Current {
        context: context.value.clone(),
        source: context.source.to_string(),
    })
}
