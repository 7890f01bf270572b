//! `bpctl fleet config edit`: a fleet's configuration in the operator's editor.
//!
//! The text lies in a file of bpctl's own folder until it is written: whatever keeps it from that, it is not lost.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;

use super::change::{ConfigChange, USES, Wanted};
use super::{missing, parameter, stored};
use crate::change::{ChangeArgs, Direction, Mode, carry_out};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};
use crate::exit::ExitStatus;
use crate::files::{CONFIG_LIMIT, Links, open_regular, read_text};
use crate::fleet::desired_config::FleetConfig;
use crate::fleet::named_one;
use crate::iam::{CHANGE, Uses};
use crate::layout::{FleetId, FleetName};

/// Edit a fleet's configuration in $VISUAL or $EDITOR, or take it from a file
///
/// The text is checked as `set` checks its values, and written only when the configuration is still the one that the
/// editor began with. A text that is not written is kept in a file, and edited on the next time.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl fleet config edit production/gpu-default
  bpctl fleet config edit production/gpu-default    with $EDITOR, e.g. `code --wait`
  bpctl fleet config edit production/gpu-default --file config.json --yes")]
pub(crate) struct EditArgs {
    /// The fleet, e.g. production/gpu-default
    #[arg(value_name = "FLEET", add = crate::completion::fleets())]
    fleet: FleetName,

    /// Take the text from this file instead of an editor
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    file: Option<PathBuf>,

    #[command(flatten)]
    change: ChangeArgs,
}

impl Verb for EditArgs {
    fn uses() -> Uses {
        Uses::of(&[CHANGE, USES])
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        let layout = ctx.layout()?;
        let fleet = ctx
            .unless_interrupted(named_one(&ctx.aws, &layout, &self.fleet))
            .await?;
        let parameter = parameter(&layout, &fleet)?;
        let draft = match &self.file {
            Some(file) => Draft {
                path: ctx.cwd.join(file),
                made_from: None,
                ours: false,
            },
            None => self.draft(ctx, &fleet, &parameter).await?,
        };
        let kept = draft.kept(&fleet);
        let ours = draft.ours.then(|| draft.path.clone());
        let text = match draft.read(ctx, &fleet) {
            Ok(text) => text,
            Err(error) if draft.ours => return Err(error.hint(kept)),
            Err(error) => return Err(error),
        };
        let change = ConfigChange {
            ctx,
            parameter,
            layout,
            fleet,
            wanted: Text { text, draft },
        };
        let ended = carry_out(ctx, &change, &self.change).await;
        let Some(path) = ours else { return ended };
        match ended {
            Ok(ExitStatus::Done) if self.change.may_change() => {
                // A file that is there the next time is edited on.
                if let Err(error) = fs::remove_file(&path)
                    && error.kind() != std::io::ErrorKind::NotFound
                {
                    ctx.ui
                        .warn(&format!("failed to remove `{}`: {error}", path.display()));
                }
                Ok(ExitStatus::Done)
            }
            Ok(status) => {
                ctx.ui.hint(kept);
                Ok(status)
            }
            Err(error) => Err(error.hint(kept)),
        }
    }
}

/// A text and where it lies.
struct Draft {
    path: PathBuf,
    /// The version that the editor began with.
    made_from: Option<i64>,
    /// The file is bpctl's own.
    ours: bool,
}

impl Draft {
    fn kept(&self, fleet: &FleetId) -> Hint {
        let command = CommandLine::bpctl(["fleet", "config", "edit"]).args([fleet.to_string()]);
        let command = command.option("--file", self.path.display().to_string());
        let file = self.path.display();
        Hint::new(format!("your text is kept in `{file}`; go on with it by")).command(command)
    }

    fn read(&self, ctx: &Ctx, fleet: &FleetId) -> Result<FleetConfig> {
        let doing = || format!("configure {fleet} from `{}`", self.path.display());
        // A run that is taken back needs no text.
        if matches!(&ctx.mode, Mode::Of(Direction::Undo, _)) {
            return Ok(FleetConfig(serde_json::Map::new()));
        }
        let text =
            read_text(&self.path, CONFIG_LIMIT).map_err(|error| CtlError::usage(doing()).source(&error))?;
        FleetConfig::parse(&text).map_err(|why| CtlError::usage(format!("{}: {why}", doing())))
    }
}

impl EditArgs {
    /// The text as the editor leaves it.
    async fn draft(&self, ctx: &Ctx, fleet: &FleetId, parameter: &str) -> Result<Draft> {
        let path = file_of(ctx, fleet)?;
        let mut draft = Draft {
            path,
            made_from: None,
            ours: true,
        };
        // What goes on with an earlier run has its text already; what takes it back needs none.
        if matches!(&ctx.mode, Mode::Of(..)) {
            return Ok(draft);
        }
        let now = ctx.unless_interrupted(stored(&ctx.aws, parameter)).await?;
        let now = now.ok_or_else(|| missing(fleet, parameter))?;
        draft.made_from = Some(now.version);
        let editor = editor(ctx, fleet)?;
        if draft.path.exists() {
            let path = draft.path.display();
            ctx.ui
                .status(&format!("Editing on with the text that is kept in `{path}`"));
        } else {
            let text = FleetConfig::parse(&now.text).map_or(now.text, |config| config.pretty());
            write(&draft.path, &text)?;
        }
        let doing = format!("edit the configuration of {fleet} with `{editor}`");
        let status = start(ctx, &editor, &draft.path)
            .await
            .map_err(|error| CtlError::new(ErrorKind::Failed, &doing).source(&error))?;
        let kept = draft.kept(fleet);
        if ctx.cancel.is_cancelled() {
            return Err(CtlError::new(ErrorKind::Interrupted, format!("{doing}: interrupted")).hint(kept));
        }
        if !status.success() {
            return Err(
                CtlError::new(ErrorKind::Failed, format!("{doing}: it ended with {status}")).hint(kept),
            );
        }
        Ok(draft)
    }
}

/// Where the text of a fleet lies.
fn file_of(ctx: &Ctx, fleet: &FleetId) -> Result<PathBuf> {
    let folder = ctx.state_dir.as_deref().ok_or_else(|| {
        CtlError::config(format!(
            "edit the configuration of {fleet}: there is no home folder"
        ))
        .hint("give the text with `--file FILE`")
    })?;
    let name = format!(
        "{}-{}-{}.json",
        ctx.settings.context.value, fleet.stage, fleet.slug
    );
    Ok(folder.join("edits").join(name))
}

/// # Errors
/// No editor, or no terminal for it.
fn editor(ctx: &Ctx, fleet: &FleetId) -> Result<String> {
    let doing = format!("edit the configuration of {fleet}");
    if !ctx.ui.can_prompt() {
        return Err(
            CtlError::usage(format!("{doing}: there is no terminal for an editor"))
                .hint("give the text with `--file FILE`"),
        );
    }
    let set = |name: &&str| ctx.env.get(*name).filter(|value| !value.trim().is_empty());
    let editor = ["VISUAL", "EDITOR"].iter().find_map(set);
    editor.cloned().ok_or_else(|| {
        CtlError::config(format!("{doing}: neither VISUAL nor EDITOR is set"))
            .hint("set one, e.g. `export EDITOR=vi`, or give the text with `--file FILE`")
    })
}

/// The value may have arguments, as in git: a shell takes it apart.
async fn start(ctx: &Ctx, editor: &str, file: &Path) -> std::io::Result<std::process::ExitStatus> {
    let mut command = tokio::process::Command::new("sh");
    command
        .args(["-c", &format!("{editor} \"$@\""), "sh"])
        .arg(file)
        .env_clear()
        .envs(&ctx.env)
        .current_dir(&ctx.cwd);
    command.spawn()?.wait().await
}

fn write(path: &Path, text: &str) -> Result<()> {
    let failed = |error: &std::io::Error| {
        CtlError::new(ErrorKind::Failed, format!("write `{}`", path.display())).source(error)
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| failed(&error))?;
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = open_regular(path, &mut options, Links::Refuse).map_err(|error| failed(&error))?;
    file.set_len(0)
        .and_then(|()| file.write_all(text.as_bytes()))
        .map_err(|error| failed(&error))
}

/// The whole configuration.
struct Text {
    text: FleetConfig,
    draft: Draft,
}

impl Wanted for Text {
    const NAME: &'static str = "fleet config edit";

    fn after(&self, _before: &FleetConfig) -> FleetConfig {
        self.text.clone()
    }

    fn made_from(&self) -> Option<i64> {
        self.draft.made_from
    }

    fn replaces(&self) -> bool {
        true
    }

    fn resume(&self, fleet: String) -> CommandLine {
        let command = CommandLine::bpctl(["fleet", "config", "edit"]).args([fleet]);
        command.option("--file", self.draft.path.display().to_string())
    }
}
