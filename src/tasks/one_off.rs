//! A one-off task before it is started: the call, what stops it, and the step of a plan that it makes.

use serde::{Deserialize, Serialize};

use super::description::LogPlace;
use super::for_entry_point;
use super::network::Choices;
use super::place::Place;
use super::tail::Tail;
use crate::aws::ecs::{RunTask, StopTask, short};
use crate::change::{Basis, Blocker, Call as _, Later, OnFailure, Step};
use crate::error::Result;

/// The task to start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Start {
    pub(crate) call: RunTask,
    pub(crate) logs: Option<LogPlace>,
    /// Containers with which the task ends.
    #[serde(default)]
    pub(crate) essential: Vec<String>,
    /// Where subnets and security groups come from, in a sentence.
    pub(crate) network_from: String,
    /// ARN of the task of a run that was cut off, which is gone on with instead of starting another one.
    #[serde(default)]
    pub(crate) going_on: Option<String>,
}

impl Start {
    /// The task in which `verb` runs `words`.
    ///
    /// # Errors
    /// A command line that the container's entry point cannot be given.
    pub(crate) fn of(
        verb: &str,
        words: &[String],
        choices: &Choices,
        place: &Place,
        basis: &Basis<'_>,
    ) -> Result<Self> {
        let (network, network_from) = choices.network(&place.service);
        let entry_point = place.container.as_ref().map(|one| one.entry_point.as_slice());
        Ok(Self {
            call: RunTask {
                cluster: place.cluster.clone(),
                definition: place.definition.clone(),
                brought: None,
                aside: false,
                container: place.name.clone(),
                command: for_entry_point(entry_point.unwrap_or_default(), words)?,
                network,
                platform_version: place.service.platform_version.clone(),
                execute_command: place.service.execute_command,
                started_by: format!("bpctl/{verb}/{}", basis.names.run.short()),
                client_token: basis.names.token.clone(),
                tags: basis.names.tags(verb),
                loses: None,
            },
            logs: place.logs(),
            essential: place.essential.clone(),
            network_from,
            going_on: None,
        })
    }

    /// The same with the task definition that another step brings.
    #[must_use]
    pub(crate) fn bringing(&self, definition: Later) -> Self {
        let mut start = self.clone();
        start.call.brought = Some(definition);
        start
    }

    /// The call that stops the task.
    pub(crate) fn stop(&self, task: Later, reason: &str) -> StopTask {
        StopTask {
            cluster: self.call.cluster.clone(),
            task,
            reason: reason.to_owned(),
            resource: self.call.resource(),
            loses: None,
        }
    }

    /// The log of the task, once its id is known.
    pub(crate) fn tail(&self, task: &str) -> Option<Tail> {
        let place = self.logs.as_ref()?;
        Some(Tail::new(place, &self.call.container, task))
    }

    /// Why the task cannot be started there.
    pub(crate) fn blockers(&self, verb: &str, place: &Place) -> Vec<Blocker> {
        let network = &self.call.network;
        place.blockers(
            verb,
            !network.subnets.is_empty() && !network.security_groups.is_empty(),
        )
    }

    /// The step `id` that starts the task for the command `line`. It may become necessary to stop it for `reasons`.
    pub(crate) fn step<A>(
        self,
        id: &str,
        line: &str,
        reasons: &[&str],
        action: impl FnOnce(Self) -> A,
    ) -> Step<A> {
        let summary = format!("run `{line}` in a new task of {}", short(&self.call.definition));
        let (calls, notes) = (vec![self.call.described()], vec![self.network_from.clone()]);
        let mut step = self.bare_step(id, summary, reasons, action);
        (step.calls, step.notes) = (calls, notes);
        step
    }

    /// A step that starts nothing. It may become necessary to stop what it follows for `reasons`.
    pub(crate) fn bare_step<A>(
        self,
        id: &str,
        summary: String,
        reasons: &[&str],
        action: impl FnOnce(Self) -> A,
    ) -> Step<A> {
        let stop = |reason: &&str| self.stop(Later::FromStep(id.to_owned()), reason).described();
        let if_needed = reasons.iter().map(stop).collect();
        let mut step = Step::new(id, summary, Vec::new(), action(self));
        step.on_failure = OnFailure::Stop;
        step.if_needed = if_needed;
        step
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::{RunNames, Target};
    use crate::error::ErrorKind;
    use crate::tasks::network::Chosen;

    fn started(choices: &Choices, place: &Place) -> Start {
        let basis = Basis {
            target: &Target::sample(),
            names: &RunNames::fixed(),
            now: "2026-01-15T09:00:00Z".parse().unwrap(),
        };
        let words = ["php", "artisan", "tenancy:pools-migrate"].map(str::to_owned);
        Start::of("migrate", &words, choices, place, &basis).unwrap()
    }

    fn started_at(place: &Place) -> Start {
        started(&Choices::default(), place)
    }

    #[test]
    fn a_platform_version_that_the_service_does_not_name_is_neither_shown_nor_sent() {
        let mut place = Place::sample();
        place.service.platform_version = None;
        let shown = started_at(&place).call.described().parameters;
        assert!(!shown.contains_key("platformVersion"));
    }

    #[test]
    fn without_a_shell_the_words_are_shown_and_sent_one_by_one() {
        let mut place = Place::sample();
        place.container.as_mut().unwrap().entry_point.clear();
        let start = started_at(&place);
        assert_eq!(start.call.command, ["php", "artisan", "tenancy:pools-migrate"]);
        assert_eq!(
            start.call.described().parameters["overrides"]["containerOverrides"][0]["command"],
            serde_json::json!(["php", "artisan", "tenancy:pools-migrate"])
        );
    }

    #[test]
    fn chosen_networks_win_one_by_one() {
        let choices = Choices {
            subnets: Some(Chosen {
                ids: vec!["subnet-00000001".to_owned()],
                source: "flag --subnets".to_owned(),
            }),
            ..Choices::default()
        };
        let start = started(&choices, &Place::sample());
        assert_eq!(start.call.network.subnets, ["subnet-00000001"]);
        assert_eq!(
            start.network_from,
            "the subnets come from flag --subnets, the security groups from service bp-backend"
        );
    }

    #[test]
    fn what_is_missing_blocks() {
        let blockers = |place: &Place| started_at(place).blockers("migrate", place);
        let mut place = Place::sample();
        assert_eq!(blockers(&place).len(), 0);
        place.service.status = "DRAINING".to_owned();
        assert_eq!(blockers(&place).len(), 1);
        let mut place = Place::sample();
        place.container = None;
        assert!(blockers(&place)[0].reason.contains("no container php-fpm"));
        let mut place = Place::sample();
        place.service.network.as_mut().unwrap().security_groups.clear();
        assert_eq!(blockers(&place)[0].kind, ErrorKind::Config);
    }
}
