//! Which fleets there are: every Auto Scaling group, stack or parameter of the layout speaks for one.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::aws::Aws;
use crate::aws::autoscaling::{Group, Phase};
use crate::aws::cloudformation::Stack;
use crate::error::{CommandLine, CtlError, ErrorKind, Hint, Result};
use crate::layout::{FleetId, Layout, LayoutKind};
use crate::settings::nearest;

/// A fleet and what there is of it.
#[derive(Clone, Debug)]
pub(crate) struct Fleet {
    pub(crate) id: FleetId,
    pub(crate) group: Option<Group>,
    /// The stack that holds it, in the staged layout together with others. Without one of the layout's own, that
    /// of the legacy generation, whose groups have the same names.
    pub(crate) stack: Option<Stack>,
}

/// What a fleet is doing, as far as its group tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum FleetState {
    /// No Auto Scaling group: the fleet cannot run.
    NoGroup,
    /// The group is being deleted.
    Deleting,
    /// Nothing wanted, nothing there.
    AtZero,
    /// As many in service as wanted.
    Running,
    ScalingOut,
    ScalingIn,
}

impl FleetState {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::NoGroup => "no group",
            Self::Deleting => "deleting",
            Self::AtZero => "at zero",
            Self::Running => "running",
            Self::ScalingOut => "scaling out",
            Self::ScalingIn => "scaling in",
        }
    }
}

impl Fleet {
    pub(crate) fn state(&self) -> FleetState {
        let Some(group) = &self.group else {
            return FleetState::NoGroup;
        };
        if group.deleting {
            return FleetState::Deleting;
        }
        let in_service = group.count(Phase::InService);
        let leaving = group.count(Phase::Terminating);
        let wanted = group.desired as usize;
        match in_service.cmp(&wanted) {
            std::cmp::Ordering::Less => FleetState::ScalingOut,
            std::cmp::Ordering::Greater => FleetState::ScalingIn,
            std::cmp::Ordering::Equal if leaving > 0 => FleetState::ScalingIn,
            std::cmp::Ordering::Equal if wanted == 0 => FleetState::AtZero,
            std::cmp::Ordering::Equal => FleetState::Running,
        }
    }

    /// What a whole fleet has and this one has not.
    pub(crate) fn missing(&self) -> Vec<&'static str> {
        let mut missing = Vec::new();
        if self.group.is_none() {
            missing.push("Auto Scaling group");
        }
        if self.stack.is_none() {
            missing.push("stack");
        }
        missing
    }
}

/// Something that could not be looked at; the rest is told all the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Gap {
    /// E.g. `stacks`.
    pub(crate) what: &'static str,
    pub(crate) why: String,
    #[serde(skip)]
    pub(crate) hints: Vec<Hint>,
}

impl Gap {
    pub(crate) fn new(what: &'static str, error: &CtlError) -> Self {
        Self {
            what,
            why: error.to_string(),
            hints: error.hints().to_vec(),
        }
    }
}

/// The fleets of a context.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    pub(crate) fleets: BTreeMap<FleetId, Fleet>,
    /// Without a look at these some fleets may be missing.
    pub(crate) gaps: Vec<Gap>,
}

/// Looks at groups, stacks and parameter names side by side.
///
/// # Errors
/// Only when the groups cannot be read: without them nothing useful can be said.
pub(crate) async fn discover(aws: &Aws, layout: &Layout) -> Result<Known> {
    let paths: Vec<String> = layout
        .fleet_stages()
        .into_iter()
        .flat_map(|stage| layout.fleet_parameter_paths(stage))
        .map(|path| path.path)
        .collect();
    let (groups, stacks, parameters) =
        futures::join!(aws.groups(), aws.stacks(), aws.parameter_names_under(&paths));
    let mut gaps = Vec::new();
    let stacks = stacks.unwrap_or_else(|error| {
        gaps.push(Gap::new("stacks", &error));
        Vec::new()
    });
    let parameters = parameters.unwrap_or_else(|error| {
        gaps.push(Gap::new("parameters", &error));
        Vec::new()
    });
    let mut known = assemble(layout, groups?, &stacks, parameters.iter().map(String::as_str));
    known.gaps = gaps;
    Ok(known)
}

/// The groups alone: enough for a verb that only changes capacity.
///
/// # Errors
/// When the groups cannot be read.
pub(crate) async fn known_groups(aws: &Aws, layout: &Layout) -> Result<Known> {
    Ok(assemble(layout, aws.groups().await?, &[], std::iter::empty()))
}

/// Joins what was found into fleets, within the layout's stage if it has one.
pub(crate) fn assemble<'a>(
    layout: &Layout,
    groups: Vec<Group>,
    stacks: &[Stack],
    parameters: impl Iterator<Item = &'a str>,
) -> Known {
    let mut fleets: BTreeMap<FleetId, Fleet> = BTreeMap::new();
    let stages = layout.fleet_stages();
    let mut found = |id: FleetId, group: Option<Group>| {
        if !stages.contains(&id.stage) {
            return;
        }
        let fleet = fleets.entry(id.clone()).or_insert(Fleet {
            id,
            group: None,
            stack: None,
        });
        fleet.group = fleet.group.take().or(group);
    };
    for group in groups {
        if let Some(id) = layout.fleet_of_group(&group.name) {
            found(id, Some(group));
        }
    }
    for stack in stacks {
        let own = layout.fleet_of_stack(&stack.name);
        if let Some(id) = own.or_else(|| layout.legacy_fleet_of_stack(&stack.name)) {
            found(id, None);
        }
    }
    for id in parameters.filter_map(|name| layout.fleet_of_parameter(name)) {
        found(id, None);
    }
    for fleet in fleets.values_mut() {
        let name = layout.fleet_stack(&fleet.id);
        let own = stacks.iter().find(|stack| stack.name == name);
        let legacy = |stack: &&Stack| layout.legacy_fleet_of_stack(&stack.name).as_ref() == Some(&fleet.id);
        fleet.stack = own.or_else(|| stacks.iter().find(legacy)).cloned();
    }
    Known {
        fleets,
        gaps: Vec::new(),
    }
}

/// The fleets of these names; all of them when there are none. Each once, in order.
///
/// # Errors
/// A name that no fleet has, with the one most like it.
pub(crate) fn select(known: &Known, names: &[FleetId]) -> Result<Vec<Fleet>> {
    if names.is_empty() {
        return Ok(known.fleets.values().cloned().collect());
    }
    let mut wanted = names.to_vec();
    wanted.sort();
    wanted.dedup();
    wanted
        .iter()
        .map(|name| {
            known
                .fleets
                .get(name)
                .cloned()
                .ok_or_else(|| unknown(known, name))
        })
        .collect()
}

fn unknown(known: &Known, name: &FleetId) -> CtlError {
    let names: Vec<String> = known.fleets.keys().map(ToString::to_string).collect();
    let given = name.to_string();
    let error = CtlError::new(
        ErrorKind::NotFound,
        format!("find fleet `{given}`: there is no such fleet"),
    );
    // The other stage of the same slug is likelier meant than a slug that merely looks alike.
    let twin = known
        .fleets
        .keys()
        .find(|id| id.slug == name.slug)
        .map(ToString::to_string);
    let like = twin.or_else(|| nearest(&given, names.iter().map(String::as_str)).map(str::to_owned));
    match like {
        Some(like) => error.hint((
            format!("did you mean `{like}`?"),
            CommandLine::bpctl(["fleet", "list"]),
            "shows all of them",
        )),
        None => error.hint((
            "see the fleets of this context with",
            CommandLine::bpctl(["fleet", "list"]),
        )),
    }
}

/// Refuses names outside the stage that the context is limited to, before anything is asked of AWS.
///
/// # Errors
/// A usage error that names the stage.
pub(crate) fn within_stage(layout: &Layout, names: &[FleetId]) -> Result<()> {
    let Some(stage) = layout.stage() else {
        return Ok(());
    };
    match names.iter().find(|name| name.stage != stage) {
        None => Ok(()),
        Some(name) => Err(CtlError::usage(format!(
            "use fleet `{name}`: this run is limited to stage `{stage}`"
        ))
        .wrong_flag("stage")
        .hint(match layout.kind() {
            LayoutKind::Single => Hint::from((
                "leave out `--stage` (see",
                CommandLine::bpctl(["config", "explain", "stage"]),
                ")",
            )),
            LayoutKind::Staged => Hint::new(format!("give `--stage {}`", name.stage)),
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::autoscaling::sample::group;
    use crate::layout::Stage;

    fn layout(stage: Option<Stage>) -> Layout {
        Layout::new(LayoutKind::Single, "bp", stage).unwrap()
    }

    fn id(text: &str) -> FleetId {
        text.parse().unwrap()
    }

    fn stack(name: &str) -> Stack {
        Stack {
            id: String::new(),
            name: name.to_owned(),
            status: "CREATE_COMPLETE".to_owned(),
            status_reason: None,
            parameters: BTreeMap::new(),
            outputs: BTreeMap::new(),
            exports: BTreeMap::new(),
            exported_as: BTreeMap::new(),
            tags: BTreeMap::new(),
            created: None,
            updated: None,
            drift: None,
            drift_checked: None,
            termination_protection: None,
        }
    }

    fn sample(stage: Option<Stage>) -> Known {
        assemble(
            &layout(stage),
            vec![
                group("asg-production-gpu-default", 2, &[]),
                group("someone-elses", 1, &[]),
            ],
            &[
                stack("bp-gpu-fleet-production-gpu-default"),
                stack("bp-gpu-fleet-staging-half"),
                stack("bp-data"),
            ],
            [
                "/bp/fleets/staging/early/desired_config",
                "/bp/fleets/staging/fleet-secret",
            ]
            .into_iter(),
        )
    }

    #[test]
    fn a_stack_or_a_parameter_alone_is_a_fleet_without_a_group() {
        let known = sample(None);
        let names: Vec<String> = known.fleets.keys().map(ToString::to_string).collect();
        assert_eq!(names, ["staging/early", "staging/half", "production/gpu-default"]);
        let early = &known.fleets[&id("staging/early")];
        assert_eq!(early.state(), FleetState::NoGroup);
        assert_eq!(early.missing(), ["Auto Scaling group", "stack"]);
        assert_eq!(
            known.fleets[&id("staging/half")].missing(),
            ["Auto Scaling group"]
        );
        assert!(known.fleets[&id("production/gpu-default")].missing().is_empty());
    }

    #[test]
    fn stacks_of_the_legacy_generation_hold_fleets_too() {
        let known = assemble(
            &layout(None),
            vec![
                group("asg-staging-upscale", 1, &[]),
                group("asg-staging-half", 1, &[]),
            ],
            &[
                stack("bp-staging-gpu-fleet-upscale"),
                stack("bp-staging-gpu-fleet-half"),
                stack("bp-gpu-fleet-staging-half"),
                stack("bp-production-gpu-fleet-gone"),
                stack("bp-staging-gpu-shared"),
            ],
            std::iter::empty(),
        );
        let stacks: Vec<(String, String)> = known
            .fleets
            .iter()
            .map(|(id, fleet)| (id.to_string(), fleet.stack.as_ref().unwrap().name.clone()))
            .collect();
        assert_eq!(
            stacks,
            [
                ("staging/half", "bp-gpu-fleet-staging-half"),
                ("staging/upscale", "bp-staging-gpu-fleet-upscale"),
                ("production/gone", "bp-production-gpu-fleet-gone"),
            ]
            .map(|(id, stack)| (id.to_owned(), stack.to_owned()))
        );
    }

    #[test]
    fn a_stage_filters() {
        let known = sample(Some(Stage::Production));
        assert_eq!(known.fleets.len(), 1);
        let error = within_stage(&layout(Some(Stage::Production)), &[id("staging/half")]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
    }

    #[test]
    fn an_unknown_name_gets_the_nearest_one() {
        let known = sample(None);
        let hint = |name: &str| select(&known, &[id(name)]).unwrap_err().hints()[0].to_string();
        assert!(hint("production/gpu-defualt").contains("`production/gpu-default`"));
        assert!(hint("staging/gpu-default").contains("`production/gpu-default`"));
        assert!(hint("production/zzzzzz").contains("bpctl fleet list"));
    }

    #[test]
    fn names_given_twice_are_taken_once() {
        let known = sample(None);
        let twice = [id("staging/half"), id("staging/half")];
        assert_eq!(select(&known, &twice).unwrap().len(), 1);
        assert_eq!(select(&known, &[]).unwrap().len(), 3);
    }

    #[test]
    fn the_state_follows_wanted_and_present() {
        use Phase::{InService, Pending, Terminating};
        let state = |desired, phases: &[Phase]| {
            Fleet {
                id: id("production/x"),
                group: Some(group("asg-production-x", desired, phases)),
                stack: None,
            }
            .state()
        };
        assert_eq!(state(0, &[]), FleetState::AtZero);
        assert_eq!(state(2, &[InService, InService]), FleetState::Running);
        assert_eq!(state(2, &[InService, Pending]), FleetState::ScalingOut);
        assert_eq!(state(1, &[]), FleetState::ScalingOut);
        assert_eq!(state(0, &[InService]), FleetState::ScalingIn);
        assert_eq!(state(0, &[Terminating]), FleetState::ScalingIn);
        assert_eq!(state(1, &[InService, Terminating]), FleetState::ScalingIn);
    }
}
