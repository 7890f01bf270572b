//! Writing a fleet's configuration on the condition that it is the one that the plan was made for.

use serde::{Deserialize, Serialize};

use super::view::ConfigResult;
use super::{Stored, missing, stored, takes_effect};
use crate::aws::ssm::pointer::MovePointer;
use crate::change::journal::Record;
use crate::change::{
    Basis, Blocker, Call as _, Change, Done, End, Outcome, Plan, Step, StepRun, Target, Verification, Words,
};
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};
use crate::fleet::desired_config::FleetConfig;
use crate::iam::{On, Use};
use crate::layout::{FleetId, Layout};

/// What writing a configuration asks for.
pub(super) const USES: &[Use] = &[
    Use::of("autoscaling:DescribeAutoScalingGroups", On::Anything),
    Use::of("ssm:GetParameters", On::FleetParameters),
    Use::of("ssm:PutParameter", On::FleetConfigurations),
];

/// What makes `set` and `edit` different.
pub(super) trait Wanted {
    const NAME: &'static str;

    /// The configuration that is wanted.
    fn after(&self, before: &FleetConfig) -> FleetConfig;

    /// The version that it was made from, where that is not the one that the plan sees.
    fn made_from(&self) -> Option<i64> {
        None
    }

    /// Whether nothing of the value before stays, so that it need not be JSON.
    fn replaces(&self) -> bool {
        false
    }

    /// The command that goes on.
    fn resume(&self, fleet: String) -> CommandLine;
}

/// A verb that writes a configuration, at work.
pub(super) struct ConfigChange<'a, W> {
    pub(super) ctx: &'a Ctx,
    pub(super) layout: Layout,
    pub(super) fleet: FleetId,
    pub(super) parameter: String,
    pub(super) wanted: W,
}

/// What is so before.
#[derive(Debug)]
pub(super) struct Seen {
    stored: Option<Stored>,
    /// Instance types of the group; `None` without a group.
    types: Option<Vec<String>>,
}

/// The value to write, and what the plan was made for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct WriteConfig {
    call: MovePointer,
    before: String,
    /// The version before; `None` for a step that takes another one back.
    version: Option<i64>,
}

impl<W: Wanted> ConfigChange<'_, W> {
    fn blocked(&self, kind: ErrorKind, why: &str, hint: Hint) -> Blocker {
        Blocker {
            kind,
            reason: format!("configure {}: {why}", self.fleet),
            hint,
        }
    }

    fn look_command(&self) -> CommandLine {
        CommandLine::bpctl(["fleet", "config", "get"]).args([self.fleet.to_string()])
    }

    fn step(
        &self,
        found: &Stored,
        before: &FleetConfig,
        after: &FleetConfig,
        seen: &Seen,
    ) -> Step<WriteConfig> {
        let call = MovePointer {
            name: self.parameter.clone(),
            value: after.text(),
        };
        let calls = vec![call.described()];
        let action = WriteConfig {
            call,
            before: found.text.clone(),
            version: Some(found.version),
        };
        let version = found.version;
        let mut step = Step::new(self.fleet.to_string(), "write the configuration", calls, action)
            .changing(format!("version {version}"), format!("version {}", version + 1));
        step.notes = before.differences(after);
        let kind = after.instance_type();
        let in_force = seen.types.as_ref().zip(kind);
        let in_force = in_force.is_some_and(|(types, kind)| types.len() == 1 && types[0] == kind);
        if !in_force || before.template() != after.template() {
            step.notes.push(takes_effect(&self.layout, &self.fleet));
        }
        step
    }
}

impl<W: Wanted> Change for ConfigChange<'_, W> {
    const NAME: &'static str = W::NAME;
    type Seen = Seen;
    type Action = WriteConfig;
    /// The number of the version.
    type Output = i64;
    type Ending = (i64, FleetConfig);
    type Document = ConfigResult;

    fn words(&self) -> Words {
        Words {
            goal: format!("configure {}", self.fleet),
            thing: "fleet",
            settle: format!("see the configuration of {}", self.fleet),
            following: String::new(),
        }
    }

    async fn observe(&self, _target: &Target, _recent: &[Record]) -> Result<Seen> {
        let groups = [self.layout.auto_scaling_group(&self.fleet)];
        let (stored, groups) = futures::try_join!(
            stored(&self.ctx.aws, &self.parameter),
            self.ctx.aws.groups_named(&groups)
        )?;
        Ok(Seen {
            stored,
            types: groups.into_iter().next().map(|group| group.instance_types),
        })
    }

    fn plan(&self, seen: &Seen, _basis: &Basis<'_>) -> Result<Plan<WriteConfig>> {
        let mut plan = Plan::new(format!("configure {}", self.fleet), Vec::new());
        let Some(found) = &seen.stored else {
            return Err(missing(&self.fleet, &self.parameter));
        };
        let before = match FleetConfig::parse(&found.text) {
            Ok(before) => before,
            Err(why) => {
                let edit = CommandLine::bpctl(["fleet", "config", "edit"]).args([self.fleet.to_string()]);
                let hint = Hint::from(("write all of it anew with", edit));
                if !self.wanted.replaces() {
                    plan.blockers.push(self.blocked(ErrorKind::Rejected, &why, hint));
                    return Ok(plan);
                }
                FleetConfig(serde_json::Map::new())
            }
        };
        let after = self.wanted.after(&before);
        if after.text() == found.text {
            return Ok(plan);
        }
        if let Some(version) = self
            .wanted
            .made_from()
            .filter(|version| *version != found.version)
        {
            let why = format!(
                "the text was made from version {version}, and by now there is version {}",
                found.version
            );
            let hint = Hint::from(("see what it is with", self.look_command()));
            plan.blockers.push(self.blocked(ErrorKind::Changed, &why, hint));
        }
        let problems = after.problems(&self.layout.ami_parameter(&self.fleet));
        for problem in problems {
            let hint = Hint::from(("see what is allowed with", self.look_command()));
            plan.blockers.push(self.blocked(ErrorKind::Usage, &problem, hint));
        }
        let unknown = after.unknown();
        if !unknown.is_empty() {
            plan.warnings.push(format!(
                "{}: bpctl does not know {} and checks nothing of it",
                self.fleet,
                unknown.join(", ")
            ));
        }
        plan.steps.push(self.step(found, &before, &after, seen));
        Ok(plan)
    }

    fn covers(&self, _seen: &Seen, _plan: &Plan<WriteConfig>) -> Vec<String> {
        vec![self.fleet.to_string()]
    }

    async fn act(&self, step: &StepRun<'_, Self>) -> Result<Done<Self>> {
        let WriteConfig {
            call,
            before,
            version,
        } = step.action();
        let now = stored(&self.ctx.aws, &call.name).await?;
        let now = now.ok_or_else(|| missing(&self.fleet, &call.name))?;
        // On the way back: the step that is taken back never got through.
        if version.is_none() && now.text == call.value {
            return Ok(Done::new("found so already: nothing was written").with(now.version));
        }
        if now.text != *before || version.is_some_and(|version| version != now.version) {
            return Err(CtlError::changed(format!(
                "configure {}: by now there is version {} of another value than the plan was made for",
                self.fleet, now.version
            )));
        }
        let written = step.send(&self.ctx.aws, call).await?;
        if written != now.version + 1 {
            return Err(CtlError::new(
                ErrorKind::Changed,
                format!(
                    "configure {}: somebody else wrote a version between the look and the write, and it is overwritten by version {written}",
                    self.fleet
                ),
            )
            .hint((
                "see what it was with",
                CommandLine::aws("ssm", "get-parameter-history").option("--name", &call.name),
            )));
        }
        let read = stored(&self.ctx.aws, &call.name).await?;
        match read {
            Some(read) if read.text == call.value => {
                Ok(Done::new(format!("wrote version {written}")).with(written))
            }
            Some(read) if read.version > written => Err(CtlError::changed(format!(
                "configure {}: right after version {written} somebody wrote version {}",
                self.fleet, read.version
            ))),
            Some(_) | None => Err(CtlError::new(
                ErrorKind::Failed,
                format!("configure {}: version {written} cannot be read back", self.fleet),
            )
            .hint(("see what it is with", self.look_command()))),
        }
    }

    fn undo(&self, step: &Step<WriteConfig>) -> Option<Step<WriteConfig>> {
        let WriteConfig { call, before, .. } = &step.action;
        let back = MovePointer {
            name: call.name.clone(),
            value: before.clone(),
        };
        let calls = vec![back.described()];
        let action = WriteConfig {
            call: back,
            before: call.value.clone(),
            version: None,
        };
        Some(Step::new(
            &step.id,
            "write the configuration of before",
            calls,
            action,
        ))
    }

    async fn verify(&self, _seen: &Seen, run: &mut Verification<'_, Self>) -> Result<()> {
        let name = self.fleet.to_string();
        let done = run.done();
        let written = done.first().and_then(|(_, written)| *written);
        let value = done.first().map(|(step, _)| step.action.call.value.clone());
        let Some(now) = stored(&self.ctx.aws, &self.parameter).await? else {
            return Err(missing(&self.fleet, &self.parameter));
        };
        if let (Some(written), Some(value)) = (written, value) {
            let end = if now.version == written && now.text == value {
                let apply = CommandLine::bpctl(["fleet", "apply-config", &name]);
                self.ctx.ui.hint(("apply it to the fleet's stack with", apply));
                End::Settled
            } else {
                End::Overturned(format!(
                    "{name} has version {} of its configuration by now, and not version {written}",
                    now.version
                ))
            };
            run.end(&name, end);
        }
        if let Ok(config) = FleetConfig::parse(&now.text) {
            run.ending(&name, (now.version, config));
        }
        Ok(())
    }

    fn document(&self, seen: &Seen, outcome: &Outcome<Self>) -> Option<ConfigResult> {
        let (version, config) = outcome.endings.get(&self.fleet.to_string())?;
        let before = seen.stored.as_ref();
        let before = before.and_then(|stored| FleetConfig::parse(&stored.text).ok());
        Some(ConfigResult {
            run: outcome.run.clone(),
            fleet: self.fleet.clone(),
            parameter: self.parameter.clone(),
            version: *version,
            differences: before
                .map(|before| before.differences(config))
                .unwrap_or_default(),
            config: config.0.clone(),
        })
    }

    fn resume(&self, _left: &[&str]) -> CommandLine {
        self.wanted.resume(self.fleet.to_string())
    }
}
