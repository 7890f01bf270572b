//! `bpctl config set`, `unset` and `init`: writing `bpctl.toml`.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, Hint, Result};
use crate::settings::{
    self, ConfigFile, FILE_NAME, KEYS, Key, SANDBOX_CONTEXT, Source, check_value, starter, user_file,
};

fn key(name: &str) -> Result<&'static Key> {
    settings::key(name).ok_or_else(|| CtlError::usage(format!("change `{name}`: there is no such setting")))
}

fn checked(key: &Key, value: &str) -> Result<()> {
    check_value(key, value).map_err(|reason| CtlError::usage(format!("set `{}`: {reason}", key.name)))
}

/// The file and the context in it that a change is for.
fn place<'a>(ctx: &'a Ctx, doing: &str) -> Result<(&'a ConfigFile, &'a str)> {
    let context = &ctx.settings.context;
    let Some(file) = &ctx.config else {
        return Err(
            CtlError::config(format!("{doing}: there is no {FILE_NAME}")).hint(
                Hint::new("make one with a first context, e.g.")
                    .command(CommandLine::bpctl(["config", "init", "staging"])),
            ),
        );
    };
    let list = || CommandLine::bpctl(["config", "get-contexts"]);
    if context.value == SANDBOX_CONTEXT {
        return Err(
            CtlError::config(format!("{doing}: the context `sandbox` is built in"))
                .wrong_flag("context")
                .hint(("name another context with `--context`; look at them with", list())),
        );
    }
    if context.source == Source::Default || !file.contexts.contains_key(&context.value) {
        return Err(CtlError::config(format!("{doing}: no context is chosen"))
            .hint(("name one with `--context`; look at them with", list())));
    }
    Ok((file, &context.value))
}

pub(super) fn set(ctx: &Ctx, name: &str, value: &str) -> Result<()> {
    let key = key(name)?;
    checked(key, value)?;
    let (file, context) = place(ctx, &format!("set `{}`", key.name))?;
    settings::set(file, context, key, value)?;
    ctx.ui.status(&format!(
        "Set `{}` of context `{context}` to `{value}` in `{}`",
        key.name,
        file.path.display()
    ));
    Ok(())
}

pub(super) fn unset(ctx: &Ctx, name: &str) -> Result<()> {
    let key = key(name)?;
    let (file, context) = place(ctx, &format!("unset `{}`", key.name))?;
    let is_set = file
        .contexts
        .get(context)
        .is_some_and(|entries| entries.contains_key(key.name));
    if !is_set {
        ctx.ui.status(&format!(
            "`{}` is not set in context `{context}`: nothing to do",
            key.name
        ));
        return Ok(());
    }
    settings::unset(file, context, key)?;
    ctx.ui.status(&format!(
        "Removed `{}` from context `{context}` in `{}`",
        key.name,
        file.path.display()
    ));
    Ok(())
}

/// Makes a file with a first context, or adds the context to the file that there is.
pub(super) fn init(ctx: &Ctx, context: &str, for_user: bool) -> Result<()> {
    if context == SANDBOX_CONTEXT || context.trim().is_empty() {
        return Err(
            CtlError::usage(format!("make the context `{context}`: the name cannot be used"))
                .hint("give it another name, e.g. `staging`"),
        );
    }
    let given: Vec<(&Key, String)> = KEYS
        .iter()
        .filter_map(|key| Some((key, ctx.flags.get(key.flag?)?.clone())))
        .collect();
    for (key, value) in &given {
        checked(key, value)?;
    }
    let path = if for_user {
        user_file(&ctx.env).ok_or_else(|| {
            CtlError::config("find the place of your own configuration: there is no home folder")
                .hint("set HOME or XDG_CONFIG_HOME")
        })?
    } else {
        let found = ctx.config.as_ref().map(|file| file.path.clone());
        found.unwrap_or_else(|| ctx.cwd.join(FILE_NAME))
    };
    if path.exists() {
        add(&path, context, &given)?;
        ctx.ui
            .status(&format!("Added the context `{context}` to `{}`", path.display()));
    } else {
        create(&path, &starter(context, &given))
            .map_err(|error| CtlError::config(format!("write `{}`", path.display())).source(&error))?;
        ctx.ui.status(&format!(
            "Wrote `{}` with the context `{context}`",
            path.display()
        ));
    }
    if !given.iter().any(|(key, _)| key.name == "account_id") {
        ctx.ui.hint(Hint::from((
            "set the account guard once you know the account:",
            CommandLine::bpctl(["whoami"]),
        )));
    }
    Ok(())
}

fn add(path: &Path, context: &str, given: &[(&Key, String)]) -> Result<()> {
    let file = ConfigFile::read(path)?;
    if file.contexts.contains_key(context) {
        return Err(CtlError::usage(format!(
            "add the context `{context}` to `{}`: it is there already",
            path.display()
        ))
        .hint((
            "give the new context another name, or see what there is with",
            CommandLine::bpctl(["config", "get-contexts"]),
        )));
    }
    if given.is_empty() {
        return Err(CtlError::usage(format!(
            "add the context `{context}` to `{}`: nothing is said of it",
            path.display()
        ))
        .hint("give its values as flags, e.g. `--profile`, `--region`, `--account-id`, `--layout`, `--stage`, `--protected`"));
    }
    for (key, value) in given {
        settings::set(&file, context, key, value)?;
    }
    Ok(())
}

fn create(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    // Another process may have written one in this moment: it is not replaced.
    let mut file = OpenOptions::new().create_new(true).write(true).open(path)?;
    file.write_all(text.as_bytes())
}
