//! The result of the verbs that write secrets, and what to do next.

use schemars::JsonSchema;
use serde::Serialize;

use super::observe::Seen;
use super::view::or_dash;
use super::write::{Occasion, Writing};
use crate::change::{Outcome, RunId, State};
use crate::context::Ctx;
use crate::error::CommandLine;
use crate::layout::App;
use crate::output::{Render, Table, View};

/// The result of a verb that writes secrets.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::commands) struct WriteResult {
    run: RunId,
    secrets: Vec<WrittenView>,
    /// Services whose running tasks still hold the values before.
    redeploy: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct WrittenView {
    name: String,
    path: String,
    /// `written`, `unchanged`, `undone`, `failed`, `not-begun`, or `in-doubt` when it could not be looked at.
    outcome: &'static str,
    /// The version that counts now, where this run knows it.
    version: Option<String>,
    /// Containers' services that read it.
    services: Vec<String>,
}

impl WriteResult {
    pub(super) fn of<O: Occasion>(
        writing: &Writing<'_, O>,
        seen: &Seen,
        outcome: &Outcome<Writing<'_, O>>,
    ) -> Self {
        let mut redeploy: Vec<App> = Vec::new();
        let secrets = seen.secrets.iter().map(|observed| {
            let step = outcome.step(&observed.entry.name);
            let (word, version) = match step.map(|step| (&step.state, &step.output)) {
                None => ("unchanged", observed.version.clone()),
                Some((State::Done { .. } | State::StillDone(_), output)) => {
                    redeploy.extend(observed.services.iter().map(|reader| reader.app));
                    ("written", output.as_ref().map(|written| written.version.clone()))
                }
                Some((State::Undone, _)) => ("undone", observed.version.clone()),
                Some((State::InDoubt(..), _)) => ("in-doubt", None),
                Some((State::Failed(_), _)) => ("failed", None),
                Some((State::NotBegun | State::NotReady(_), _)) => ("not-begun", observed.version.clone()),
            };
            WrittenView {
                name: observed.entry.name.clone(),
                path: observed.entry.path.clone(),
                outcome: word,
                version,
                services: observed
                    .services
                    .iter()
                    .map(|reader| reader.service.clone())
                    .collect(),
            }
        });
        let secrets = secrets.collect();
        redeploy.sort();
        redeploy.dedup();
        writing.remember_redeploy(&redeploy);
        Self {
            run: outcome.run.clone(),
            secrets,
            redeploy: redeploy
                .into_iter()
                .map(|app| writing.layout.service(app))
                .collect(),
        }
    }
}

impl Render for WriteResult {
    fn human(&self, view: &View) -> String {
        let mut table = Table::new(&["NAME", "OUTCOME", "VERSION", "USED BY"]);
        for secret in &self.secrets {
            table.row([
                secret.name.clone(),
                secret.outcome.to_owned(),
                or_dash(secret.version.clone().unwrap_or_default()),
                or_dash(secret.services.join(", ")),
            ]);
        }
        table.render(view)
    }

    fn names(&self) -> Vec<String> {
        self.secrets.iter().map(|secret| secret.name.clone()).collect()
    }
}

/// Says how running tasks come to the new values.
pub(super) fn hint_at_redeployment(ctx: &Ctx, apps: &[App]) {
    for app in apps {
        ctx.ui.hint((
            "running tasks keep the values that they started with; replace them with",
            CommandLine::bpctl(["deploy", app.word()]),
        ));
    }
}
