//! Which stacks are meant, and which of an account's are the platform's.

use crate::aws::cloudformation::Stack;
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::layout::{FleetId, Generation, Layout};
use crate::settings::nearest;

/// The names of stacks that a command line means; all of them when it names none.
///
/// # Errors
/// A name that no stack of the layout can have.
pub(super) fn named(layout: &Layout, given: &[String]) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for text in given {
        let name = name(layout, text)?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

fn name(layout: &Layout, text: &str) -> Result<String> {
    if let Some(name) = layout.core_stack(text) {
        return Ok(name);
    }
    if layout.generation_of(text).is_some() {
        return Ok(text.to_owned());
    }
    if let Ok(fleet) = text.parse::<FleetId>() {
        return Ok(layout.fleet_stack(&fleet));
    }
    let error = CtlError::usage(format!(
        "find stack `{text}`: layout `{}` has no such stack",
        layout.kind().as_str()
    ));
    let roles = layout.stack_roles();
    Err(match nearest(text, roles.iter().copied()) {
        Some(close) => error.hint(format!("did you mean `{close}`?")),
        None => error.hint((
            format!(
                "it is one of {}, a stack's whole name, or a fleet as in `production/gpu-default`:",
                roles.join(", ")
            ),
            CommandLine::bpctl(["stack", "list"]),
            "shows them",
        )),
    })
}

/// What a stack of the platform is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// `network`, …; absent for stacks of fleets.
    pub(super) role: Option<&'static str>,
    pub(super) fleet: Option<FleetId>,
    /// Of the generation between the two layouts, which nothing deploys any more.
    pub(super) legacy: bool,
    /// Stacks are deployed in this order.
    place: usize,
}

/// What the stack is of the platform; `None` for a stack that is not the platform's here.
pub(super) fn part(layout: &Layout, stack: &str) -> Option<Part> {
    let stages = layout.fleet_stages();
    let roles = layout.stack_roles();
    let of_core = |role: &&str| layout.core_stack(role).as_deref() == Some(stack);
    if let Some(place) = roles.iter().position(of_core) {
        return Some(Part {
            role: roles.get(place).copied(),
            fleet: None,
            legacy: false,
            place,
        });
    }
    let legacy =
        matches!(layout.generation_of(stack), Some(Generation::Legacy(stage)) if stages.contains(&stage));
    let fleet = layout
        .fleet_of_stack(stack)
        .or_else(|| layout.legacy_fleet_of_stack(stack))
        .filter(|fleet| stages.contains(&fleet.stage));
    (legacy || fleet.is_some()).then_some(Part {
        role: None,
        fleet,
        legacy,
        place: roles.len() + usize::from(legacy),
    })
}

/// The stacks of the platform that there are, in the order in which they are deployed.
pub(super) async fn present(ctx: &Ctx, layout: &Layout) -> Result<Vec<(Part, Stack)>> {
    let stacks = ctx.aws.stacks().await?.into_iter();
    let mut found: Vec<(Part, Stack)> = stacks
        .filter_map(|stack| Some((part(layout, &stack.name)?, stack)))
        .collect();
    found.sort_by(|(one, first), (other, second)| (one.place, &first.name).cmp(&(other.place, &second.name)));
    Ok(found)
}

/// Those of the given names; all when there is none.
///
/// # Errors
/// A name without a stack.
pub(super) async fn chosen(ctx: &Ctx, layout: &Layout, names: &[String]) -> Result<Vec<(Part, Stack)>> {
    let mut found = present(ctx, layout).await?;
    if let Some(missing) = names
        .iter()
        .find(|name| !found.iter().any(|(_, stack)| stack.name == **name))
    {
        return Err(CtlError::new(
            ErrorKind::NotFound,
            format!("find stack `{missing}`: it is not there"),
        )
        .hint((
            "see which stacks there are with",
            CommandLine::bpctl(["stack", "list"]),
        )));
    }
    if !names.is_empty() {
        found.retain(|(_, stack)| names.contains(&stack.name));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{LayoutKind, Stage};

    fn single() -> Layout {
        Layout::new(LayoutKind::Single, "bp", None).unwrap()
    }

    fn staged() -> Layout {
        Layout::new(LayoutKind::Staged, "bp", Some(Stage::Staging)).unwrap()
    }

    #[test]
    fn a_stack_is_named_in_full_by_its_part_or_by_its_fleet() {
        for (layout, given, expected) in [
            (single(), "compute", "bp-compute"),
            (single(), "bp-compute", "bp-compute"),
            (
                single(),
                "production/gpu-default",
                "bp-gpu-fleet-production-gpu-default",
            ),
            (single(), "bp-staging-gpu-fleet-old", "bp-staging-gpu-fleet-old"),
            (staged(), "gpu", "bp-staging-gpu"),
            (staged(), "staging/gpu-default", "bp-staging-gpu"),
        ] {
            assert_eq!(name(&layout, given).unwrap(), expected);
        }
        let error = name(&single(), "compite").unwrap_err();
        assert!(error.hints()[0].to_string().contains("`compute`"), "{error}");
        assert!(name(&single(), "somebody-elses").is_err());
    }

    #[test]
    fn the_stacks_of_others_are_no_part_of_the_platform() {
        let layout = single();
        assert_eq!(part(&layout, "bp-data").unwrap().role, Some("data"));
        let fleet = part(&layout, "bp-gpu-fleet-production-gpu-default").unwrap();
        assert_eq!(fleet.fleet.unwrap().to_string(), "production/gpu-default");
        assert!(part(&layout, "bp-production-gpu-fleet-old").unwrap().legacy);
        assert_eq!(part(&layout, "CDKToolkit"), None);
        assert_eq!(part(&layout, "bp-datalake"), None);
        // The other stage's are not this context's.
        assert_eq!(part(&staged(), "bp-production-data"), None);
    }
}
