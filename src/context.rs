//! [`Ctx`]: what every command is handed. Built once, never changed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::LocalBoxFuture;
use tokio_util::sync::CancellationToken;

use crate::aws::Aws;
use crate::aws::s3::LogsBucket;
use crate::change::{Ground, Mode, Shared, Target};
use crate::clock::Clock;
use crate::error::{CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;
use crate::iam::Uses;
use crate::layout::{Layout, LayoutKind, Stage};
use crate::output::{Envelope, OutputSpec, Render, document, document_line, emit, emit_value, render};
use crate::process::{Attached, Captured, ChosenContext, Process, Transport};
use crate::settings::{self, Choice, ConfigFile, Profiles, Settings, Source};
use crate::ui::Ui;

/// Everything a command may use.
pub(crate) struct Ctx {
    pub(crate) ui: Ui,
    pub(crate) output: OutputSpec,
    pub(crate) settings: Settings,
    /// The configuration file in force, if there is one.
    pub(crate) config: Option<ConfigFile>,
    /// Why the configuration file could not be read, for a verb that says so itself.
    pub(crate) file_error: Option<CtlError>,
    /// The context that this user chose for that file.
    pub(crate) choice: Option<Choice>,
    /// AWS' shared files; empty where no command needs them.
    pub(crate) profiles: Profiles,
    /// What the command that runs this one has chosen.
    pub(crate) parent: ChosenContext,
    /// Values of the flags that override settings, for `config explain`.
    pub(crate) flags: BTreeMap<&'static str, String>,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) aws: Aws,
    pub(crate) clock: Clock,
    /// Whether the process is bpctl's alone.
    pub(crate) owns_process: bool,
    /// The working folder: relative paths on the command line start here.
    pub(crate) cwd: PathBuf,
    /// Where journals, locks and the sandbox's state lie; `None` without a home folder.
    pub(crate) state_dir: Option<PathBuf>,
    /// Cancelled by the first Ctrl-C.
    pub(crate) cancel: CancellationToken,
    /// Whether the verb depends on a context: its documents say on which.
    pub(crate) about_a_place: bool,
    /// The command line as it can be typed again, without the program's name.
    pub(crate) command_line: Vec<String>,
    /// What this run has to do with an earlier one.
    pub(crate) mode: Mode,
    /// Standard input and the terminal.
    pub(crate) attached: Attached,
    /// All of bpctl's commands, for the verbs that describe them.
    pub(crate) command_tree: fn() -> clap::Command,
    /// Runs another command line of bpctl, for the verbs that are made of commands.
    pub(crate) run_beside: fn(Process) -> LocalBoxFuture<'static, ExitStatus>,
    /// Reaches a sandbox in this process instead of the network.
    pub(crate) transport: Option<Transport>,
    /// What each verb asks of AWS, for the verbs that speak of permissions.
    pub(crate) verb_uses: fn() -> Vec<(String, Uses)>,
}

impl Ctx {
    /// The names of the platform in this context.
    ///
    /// # Errors
    /// A staged layout without a stage.
    pub(crate) fn layout(&self) -> Result<Layout> {
        Layout::new(
            self.settings.layout.value,
            &self.settings.prefix.value,
            self.settings.stage.as_ref().map(|s| s.value),
        )
    }

    /// The platform's logs bucket in an account, where leases and the history are.
    ///
    /// # Errors
    /// A staged layout without a stage, an account id that is none.
    pub(crate) fn logs_bucket(&self, account: &str) -> Result<String> {
        let account = account
            .parse()
            .map_err(|error| CtlError::new(ErrorKind::Unexpected, "read the account id").source(&error))?;
        let buckets = self.layout()?.buckets(&account);
        let logs = buckets.into_iter().find(|(role, _)| *role == "logs");
        logs.map(|(_, name)| name)
            .ok_or_else(|| CtlError::config("find the logs bucket: this layout has none"))
    }

    /// From here on secrets are in memory: a crash leaves no core file behind. In a process of another program that is
    /// that program's business.
    pub(crate) fn holds_secrets(&self) {
        if self.owns_process {
            crate::process::hold_back_dumps();
        }
    }

    /// For a process beside this one.
    pub(crate) fn chosen_context(&self) -> ChosenContext {
        let context = &self.settings.context;
        match context.source {
            Source::Default => ChosenContext::NoneOfParent,
            _ => ChosenContext::Parent(context.value.clone()),
        }
    }

    /// A process for another command line: it writes into memory and asks nobody.
    pub(crate) fn process_beside(&self, words: &[&str]) -> (Process, Captured) {
        let (mut process, captured) = Process::captured(words);
        process.env.clone_from(&self.env);
        // What it finds is not the result of a step of a workflow.
        process.env.remove("GITHUB_ACTIONS");
        process.cwd.clone_from(&self.cwd);
        process.context = self.chosen_context();
        process.cancel = self.cancel.child_token();
        process.transport.clone_from(&self.transport);
        (process, captured)
    }

    /// Writes the result.
    pub(crate) fn emit<R: Render>(&self, result: &R) -> Result<()> {
        emit(&self.ui, &self.output, &self.envelope(), result)
    }

    /// Writes a value that is a document of another kind than bpctl's own.
    pub(crate) fn emit_value(&self, value: serde_json::Value) -> Result<()> {
        emit_value(&self.ui, &self.output, value)
    }

    /// The result as [`Self::emit`] writes it.
    pub(crate) fn render<R: Render>(&self, result: &R) -> Result<String> {
        render(&self.ui, &self.output, &self.envelope(), result)
    }

    /// The result as a JSON document.
    pub(crate) fn document<R: Render>(&self, result: &R) -> Result<serde_json::Value> {
        document(result, &self.envelope())
    }

    /// The same in one line, as `jsonl` wants it.
    pub(crate) fn document_line<R: Render>(&self, result: &R) -> Result<String> {
        document_line(&self.ui, &self.envelope(), result)
    }

    /// The place that a document is about, as far as it has been found out.
    fn envelope(&self) -> Envelope {
        if !self.about_a_place {
            return Envelope::default();
        }
        let set = || Some(self.settings.region.as_ref()?.value.clone());
        Envelope {
            context: Some(self.settings.context.value.clone()),
            account: self.aws.known_account(),
            region: self.aws.known_region().or_else(set),
        }
    }

    /// Does something that changes nothing, and lets go of it when the operator interrupts.
    ///
    /// # Errors
    /// [`ErrorKind::Interrupted`], or what `work` fails with.
    pub(crate) async fn unless_interrupted<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        // On the heap and without its type: futures of SDK calls are large and deeply nested.
        let work = work.boxed_local();
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(CtlError::new(
                ErrorKind::Interrupted,
                "finish: interrupted while looking, nothing was changed",
            )),
            done = work => done,
        }
    }

    /// Writes the result of something that has been done, and ends with how that went. A result that
    /// cannot be shown does not hide it.
    ///
    /// # Errors
    /// Those of `outcome`; without one, that the result cannot be shown.
    pub(crate) fn emit_outcome<R: Render>(
        &self,
        result: &R,
        outcome: Result<ExitStatus>,
    ) -> Result<ExitStatus> {
        match (self.emit(result), outcome) {
            (Ok(()), outcome) => outcome,
            (Err(error), Ok(_)) => Err(error
                .context("show the result")
                .exit_with(ExitStatus::Failed)
                .hint("only the output failed: what was asked for is done")),
            (Err(error), Err(outcome)) => {
                self.ui.warn(&format!("failed to show the result: {error}"));
                Err(outcome)
            }
        }
    }

    /// Where a change would happen: the account is read from AWS once every rule that can be checked without a
    /// call holds, and the account guard has answered.
    ///
    /// # Errors
    /// No context chosen, no account guard where there must be one, no credentials, or the wrong account.
    pub(crate) async fn target(&self) -> Result<Target> {
        self.settings.check_before_changes()?;
        self.aws.guard_account().await?;
        let identity = self.aws.identity().await?;
        let mut protected = self.settings.protected.value;
        if let Some(name) = self.settings.protected_context(&identity.account)
            && !protected
        {
            protected = true;
            self.ui.warn(&format!(
                "account {} is that of the protected context `{name}`: its rules hold here too",
                identity.account
            ));
        }
        let stage = self.settings.stage.as_ref().map(|stage| stage.value);
        Ok(Target {
            context: self.settings.context.value.clone(),
            account: identity.account.to_string(),
            region: self.aws.region().await?.unwrap_or_else(|| "no region".to_owned()),
            protected,
            production: protected || is_production(self.settings.layout.value, stage),
            principal: identity.arn.clone(),
            endpoint: self.settings.endpoint_url.as_ref().map(|url| url.value.clone()),
        })
    }

    /// What settings are made from, for commands that explain them.
    pub(crate) fn inputs(&self) -> settings::Inputs<'_> {
        let mut inputs = settings::Inputs::new(&self.env);
        inputs.flags = self.flags.clone();
        inputs.file = self.config.as_ref();
        inputs.choice = self.choice.as_ref();
        inputs.parent = self.parent.clone();
        inputs.profiles = Some(&self.profiles);
        inputs
    }
}

impl Ground for Ctx {
    type Store<'a> = LogsBucket<'a>;

    fn ui(&self) -> &Ui {
        &self.ui
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    fn cancel(&self) -> &CancellationToken {
        &self.cancel
    }

    fn state_dir(&self) -> Option<&Path> {
        self.state_dir.as_deref()
    }

    fn wait_timeout(&self) -> Duration {
        self.settings.wait_timeout.value
    }

    fn command_line(&self) -> &[String] {
        &self.command_line
    }

    fn mode(&self) -> &Mode {
        &self.mode
    }

    fn shared(&self) -> Shared<LogsBucket<'_>> {
        Shared {
            store: self
                .layout()
                .ok()
                .map(|layout| LogsBucket::new(&self.aws, layout)),
            required: self.settings.require_lease.value,
        }
    }

    fn emit<R: Render>(&self, result: &R) -> Result<()> {
        Self::emit(self, result)
    }

    fn emit_outcome<R: Render>(&self, result: &R, outcome: Result<ExitStatus>) -> Result<ExitStatus> {
        Self::emit_outcome(self, result, outcome)
    }

    async fn target(&self) -> Result<Target> {
        Self::target(self).await
    }
}

/// Whether the system in this place is the production system by its name. In the single layout a stage
/// only chooses fleets.
fn is_production(layout: LayoutKind, stage: Option<Stage>) -> bool {
    layout == LayoutKind::Staged && stage == Some(Stage::Production)
}

/// Where bpctl keeps its own notes.
pub(crate) fn state_dir(env: &BTreeMap<String, String>) -> Option<PathBuf> {
    settings::state_folder(env)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_staged_production_is_production_by_name() {
        assert!(is_production(LayoutKind::Staged, Some(Stage::Production)));
        assert!(!is_production(LayoutKind::Staged, Some(Stage::Staging)));
        assert!(!is_production(LayoutKind::Single, Some(Stage::Production)));
    }
}
