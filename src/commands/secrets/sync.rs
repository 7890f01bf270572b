//! `bpctl secrets sync`: the secrets of an environment file into the stores, all of them or none.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::WRITING;
use super::input::{p8_of_file, text_of_file};
use super::observe::{Observed, Seen, State};
use super::redeploy::{self, RedeployArgs};
use super::set::{breaks, is_undo};
use super::write::{Occasion, To, Wanted, Writing};
use crate::change::{ChangeArgs, carry_out};
use crate::commands::verb::{Needs, Verb};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, Result};
use crate::exit::ExitStatus;
use crate::iam::{CHANGE, On, Use, Uses};
use crate::layout::{Layout, LayoutKind, SecretEntry, SecretRole};
use crate::redact::Secret;
use crate::secrets::dotenv::{Assignments, parse};
use crate::secrets::{OAUTH_KEYS, OAuth, Shape};

/// Write the secrets of an environment file: all of them, or none
///
/// Compares the file with the stores and with what running tasks started with, shows lengths and fingerprints, and
/// writes what differs. When a write fails, what was written before is taken back. Required are APP_KEY,
/// GOOGLE_CLIENT_ID, GOOGLE_CLIENT_SECRET, TIKTOK_CLIENT_ID, TIKTOK_CLIENT_SECRET, APPLE_CLIENT_ID, APPLE_KEY_ID and
/// APPLE_TEAM_ID; optional APPLE_CLIENT_SECRET and COMFYUI_FLEET_SECRET_STAGING and _PRODUCTION (COMFYUI_FLEET_SECRET in
/// the staged layout). A fleet secret that neither the file nor the store has is drawn at random.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bpctl secrets sync --env-file .env --apple-p8 AuthKey.p8 --dry-run    what would change
  bpctl secrets sync --env-file .env                                    Apple's key stays as it is
  bpctl secrets sync --env-file .env --redeploy yes --yes               and the tasks that hold earlier values go")]
pub(crate) struct SyncArgs {
    /// The environment file
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    env_file: PathBuf,

    /// Apple's private key, a `.p8` file; without it the stored one stays
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    apple_p8: Option<PathBuf>,

    /// What becomes of an optional value that the file does not have: it stays, or is emptied (APPLE_CLIENT_SECRET)
    #[arg(
        long,
        value_name = "no|yes",
        default_value = "no",
        hide_possible_values = true
    )]
    prune: Prune,

    #[command(flatten)]
    redeploy: RedeployArgs,

    #[command(flatten)]
    change: ChangeArgs,
}

/// `--prune`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Prune {
    /// Stays.
    No,
    /// Is emptied.
    Yes,
}

impl Verb for SyncArgs {
    fn uses() -> Uses {
        redeploy::uses(Uses::of(&[
            CHANGE,
            WRITING,
            &[Use::of("secretsmanager:PutSecretValue", On::Secrets)],
        ]))
    }

    fn needs(&self) -> Needs {
        Needs::AWS
    }

    async fn run(self, ctx: &Ctx) -> Result<ExitStatus> {
        self.redeploy.check()?;
        let layout = ctx.layout()?;
        let given = if is_undo(ctx) {
            None
        } else {
            Some(self.given(ctx, &layout)?)
        };
        let entries = layout
            .secret_table(&[])
            .into_iter()
            .filter(|entry| {
                matches!(
                    entry.role,
                    SecretRole::AppKey | SecretRole::OAuth | SecretRole::FleetSecret(_)
                )
            })
            .collect();
        let sync = Sync {
            entries,
            given,
            prune: self.prune == Prune::Yes,
            redeploy: self.redeploy,
            resume: self.resume(),
        };
        let writing = Writing::new(ctx, layout, sync)?;
        let status = carry_out(ctx, &writing, &self.change).await?;
        if is_undo(ctx) {
            return Ok(status);
        }
        let apps = writing.apps_to_redeploy();
        self.redeploy.follow_up(ctx, apps, &self.change, status).await
    }
}

impl SyncArgs {
    /// Reads and checks both files, before any call.
    fn given(&self, ctx: &Ctx, layout: &Layout) -> Result<Given> {
        let shown = self.env_file.display();
        let text = text_of_file(ctx, &self.env_file)?;
        let file = parse(&text).map_err(|mistake| CtlError::usage(format!("read `{shown}`: {mistake}")))?;
        let p8 = match &self.apple_p8 {
            Some(path) => Some(p8_of_file(ctx, path)?),
            None => None,
        };
        Given::of(&file, p8, layout).map_err(|why| {
            CtlError::usage(format!("use `{shown}`: {why}")).hint((
                "see which names must be there with",
                CommandLine::bpctl(["secrets", "sync", "--help"]),
            ))
        })
    }

    fn resume(&self) -> CommandLine {
        let mut command =
            CommandLine::bpctl(["secrets", "sync"]).option("--env-file", self.env_file.display().to_string());
        if let Some(path) = &self.apple_p8 {
            command = command.option("--apple-p8", path.display().to_string());
        }
        if self.prune == Prune::Yes {
            command = command.option("--prune", "yes");
        }
        command
    }
}

/// What the files say, checked.
struct Given {
    app_key: Secret,
    /// The file's OAuth keys; those that it may leave out are absent then.
    oauth: Vec<(&'static str, Secret)>,
    /// By the names of the table.
    fleets: Vec<(String, Secret)>,
    /// A new value for each fleet secret, for those that neither file nor store has.
    drawn: Vec<(String, Secret)>,
}

impl Given {
    /// # Errors
    /// Which names are missing, or whose value cannot be right.
    fn of(file: &Assignments, p8: Option<Secret>, layout: &Layout) -> std::result::Result<Self, String> {
        let present = |name: &str| {
            let assignment = file.get(name).filter(|found| !found.value.expose().is_empty());
            assignment.map(|found| (found.value.clone(), found.line))
        };
        let optional = |key: &str| key == "apple_client_secret" || key == "apple_private_key_p8_b64";
        let required = std::iter::once("APP_KEY".to_owned()).chain(
            OAUTH_KEYS
                .iter()
                .filter(|key| !optional(key))
                .map(|key| key.to_ascii_uppercase()),
        );
        let missing: Vec<String> = required.filter(|name| present(name).is_none()).collect();
        if !missing.is_empty() {
            return Err(format!("it lacks {}", missing.join(", ")));
        }
        let at = |line: usize, name: &str, why: String| format!("line {line}, {name}: {why}");
        let Some((app_key, line)) = present("APP_KEY") else {
            return Err("it lacks APP_KEY".to_owned());
        };
        Shape::AppKey
            .check(app_key.expose())
            .map_err(|why| at(line, "APP_KEY", why))?;
        let mut oauth = Vec::new();
        for key in OAUTH_KEYS {
            // Its variable names a file of the container, and is no key.
            if key == "apple_private_key_p8_b64" {
                oauth.extend(p8.clone().map(|value| (key, value)));
                continue;
            }
            let name = key.to_ascii_uppercase();
            if let Some((value, line)) = present(&name) {
                OAuth::check(key, &value).map_err(|why| at(line, &name, why))?;
                oauth.push((key, value));
            }
        }
        let (mut fleets, mut drawn) = (Vec::new(), Vec::new());
        for stage in layout.fleet_stages() {
            let name = format!("fleet-secret/{stage}");
            let long = format!("COMFYUI_FLEET_SECRET_{}", stage.as_str().to_ascii_uppercase());
            let short = "COMFYUI_FLEET_SECRET";
            let of_stage = present(&long).map(|found| (found, long.as_str()));
            let alone = || {
                let only = layout.kind() == LayoutKind::Staged;
                only.then(|| present(short)).flatten().map(|found| (found, short))
            };
            match of_stage.or_else(alone) {
                Some(((value, line), variable)) => {
                    Shape::FleetSecret
                        .check(value.expose())
                        .map_err(|why| at(line, variable, why))?;
                    fleets.push((name, value));
                }
                None => {
                    if let Some(Ok(value)) = Shape::FleetSecret.generate() {
                        drawn.push((name, value));
                    }
                }
            }
        }
        Ok(Self {
            app_key,
            oauth,
            fleets,
            drawn,
        })
    }
}

struct Sync {
    entries: Vec<SecretEntry>,
    /// `None` when an earlier run is taken back.
    given: Option<Given>,
    prune: bool,
    redeploy: RedeployArgs,
    resume: CommandLine,
}

impl Sync {
    fn oauth(&self, given: &Given, observed: &Observed) -> Result<Secret> {
        let stored = observed
            .value()
            .and_then(|value| OAuth::parse(value.expose()).ok());
        let mut lacks = false;
        let made = OAuth::of(|key| {
            let given = given.oauth.iter().find(|(known, _)| *known == key);
            if let Some((_, value)) = given {
                return value.clone();
            }
            let keeps = key != "apple_client_secret" || !self.prune;
            let kept = stored
                .as_ref()
                .and_then(|stored| stored.get(key))
                .filter(|_| keeps);
            lacks |= kept.is_none() && key == "apple_private_key_p8_b64";
            kept.cloned().unwrap_or_else(|| Secret::from(""))
        });
        if lacks {
            return Err(CtlError::usage(
                "make the OAuth secret: Apple's private key is neither given nor in the store",
            )
            .hint("give it with `--apple-p8 FILE`"));
        }
        made.map(|oauth| oauth.to_secret())
            .map_err(|why| CtlError::usage(format!("make the OAuth secret: {why}")))
    }

    /// Whether a fleet secret must be drawn: the store has none that counts.
    fn is_unset(observed: &Observed) -> bool {
        !matches!(
            observed.state().0,
            State::Set | State::StaleInTasks | State::Unknown
        )
    }
}

impl Occasion for Sync {
    const NAME: &'static str = "secrets sync";

    fn goal(&self) -> String {
        "write the secrets of the environment file".to_owned()
    }

    fn entries(&self) -> Vec<SecretEntry> {
        self.entries.clone()
    }

    fn wanted(&self, seen: &Seen) -> Result<Vec<Wanted>> {
        let Some(given) = &self.given else {
            return Ok(Vec::new());
        };
        let mut all = Vec::new();
        for observed in &seen.secrets {
            let name = &observed.entry.name;
            let of = |values: &[(String, Secret)]| {
                let found = values.iter().find(|(known, _)| known == name);
                found.map(|(_, value)| value.clone())
            };
            let mut notes = tasks_note(observed);
            let value = match observed.entry.role {
                SecretRole::AppKey => Some(given.app_key.clone()),
                SecretRole::OAuth => Some(self.oauth(given, observed)?),
                _ => of(&given.fleets).or_else(|| {
                    let drawn = of(&given.drawn).filter(|_| Self::is_unset(observed));
                    if drawn.is_some() {
                        notes.push("the file has none: drawn at random".to_owned());
                    }
                    drawn
                }),
            };
            all.extend(value.map(|value| Wanted {
                name: name.clone(),
                to: To::Value(value),
                loses: None,
                may_be_made: false,
                notes,
            }));
        }
        Ok(all)
    }

    fn warnings(&self, seen: &Seen) -> Vec<String> {
        let mut warnings: Vec<String> = self.redeploy.note().into_iter().collect();
        for observed in &seen.secrets {
            let (state, why) = observed.state();
            if state == State::StaleInTasks {
                warnings.push(format!("{}: {}", observed.entry.name, why.unwrap_or_default()));
            }
        }
        let Some(given) = &self.given else {
            return warnings;
        };
        for (name, _) in &given.drawn {
            if seen.of(name).is_some_and(Self::is_unset) {
                warnings.push(format!("{name}: the file has none, a random value is written"));
            }
        }
        let now = seen.of("app-key").and_then(Observed::value).map(Secret::expose);
        let replaced = now.is_some_and(|now| now != given.app_key.expose());
        for observed in &seen.secrets {
            let is_key = observed.entry.role == SecretRole::AppKey;
            if is_key && replaced && !Self::is_unset(observed) {
                warnings.extend(breaks(&observed.entry));
            }
        }
        warnings
    }

    fn resume(&self) -> CommandLine {
        self.resume.clone()
    }
}

/// What running tasks hold, for the plan.
fn tasks_note(observed: &Observed) -> Vec<String> {
    let readers = observed.services.iter().map(|reader| {
        let holds = match reader.stale.len() {
            0 => "its running tasks hold the stored value".to_owned(),
            count => format!("{count} of its running tasks hold an earlier value than the stored one"),
        };
        format!(
            "read by {} ({}): {holds}",
            reader.service,
            reader.containers.join(", ")
        )
    });
    readers.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Stage;

    const FILE: &str = "APP_KEY=base64:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=
GOOGLE_CLIENT_ID=a
GOOGLE_CLIENT_SECRET='hunter2'
TIKTOK_CLIENT_ID=c
TIKTOK_CLIENT_SECRET=d
APPLE_CLIENT_ID=e
APPLE_KEY_ID=f
APPLE_TEAM_ID=g
";

    fn given(text: &str, kind: LayoutKind) -> std::result::Result<Given, String> {
        let stage = (kind == LayoutKind::Staged).then_some(Stage::Staging);
        let layout = Layout::new(kind, "bp", stage).unwrap();
        Given::of(
            &parse(text).unwrap_or_else(|mistake| panic!("{mistake}")),
            None,
            &layout,
        )
    }

    fn why(text: &str) -> String {
        given(text, LayoutKind::Single).err().unwrap_or_default()
    }

    #[test]
    fn what_is_missing_or_wrong_is_named_by_line_and_never_shown() {
        assert_eq!(
            why("APP_KEY=\nGOOGLE_CLIENT_ID=a\nAPPLE_KEY_ID=f"),
            "it lacks APP_KEY, GOOGLE_CLIENT_SECRET, TIKTOK_CLIENT_ID, TIKTOK_CLIENT_SECRET, APPLE_CLIENT_ID, APPLE_TEAM_ID"
        );
        let wrong = FILE.replace("base64:MDEyMzQ1", "hunter2");
        assert_eq!(why(&wrong), "line 1, APP_KEY: it does not begin with `base64:`");
        let wrong = format!("{FILE}COMFYUI_FLEET_SECRET_STAGING=hunter2");
        assert_eq!(
            why(&wrong),
            "line 9, COMFYUI_FLEET_SECRET_STAGING: it has other characters than hexadecimal digits"
        );
    }

    #[test]
    fn fleet_secrets_are_of_the_stage_and_drawn_where_the_file_has_none() {
        let secret = "00".repeat(32);
        let text = format!("{FILE}COMFYUI_FLEET_SECRET_PRODUCTION={secret}\nCOMFYUI_FLEET_SECRET={secret}");
        let names =
            |values: &[(String, Secret)]| values.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        let single = given(&text, LayoutKind::Single).unwrap_or_else(|why| panic!("{why}"));
        assert_eq!(names(&single.fleets), ["fleet-secret/production"]);
        assert_eq!(names(&single.drawn), ["fleet-secret/staging"]);
        let staged = given(&text, LayoutKind::Staged).unwrap_or_else(|why| panic!("{why}"));
        assert_eq!(names(&staged.fleets), ["fleet-secret/staging"]);
        assert!(staged.drawn.is_empty());
    }
}
