//! Which fleet an operator means by a name: `production/gpu-default`, or `gpu-default` where that is enough.

use super::discover::{Known, discover, within_stage};
use crate::aws::Aws;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::layout::{FleetId, FleetName, Layout};
use crate::settings::nearest;

/// The fleets of these names. AWS is only asked for a slug that comes without a stage, in a context of several.
///
/// # Errors
/// A name outside the stage of this run, a slug that fleets of several stages have, or none.
pub(crate) async fn named(aws: &Aws, layout: &Layout, names: &[FleetName]) -> Result<Vec<FleetId>> {
    let full: Vec<FleetId> = names.iter().filter_map(|name| in_full(layout, name)).collect();
    within_stage(layout, &full)?;
    if full.len() == names.len() {
        return Ok(full);
    }
    let known = discover(aws, layout).await?;
    names
        .iter()
        .map(|name| in_full(layout, name).map_or_else(|| only_one(&known, name), Ok))
        .collect()
}

/// The same for one name.
///
/// # Errors
/// As [`named`].
pub(crate) async fn named_one(aws: &Aws, layout: &Layout, name: &FleetName) -> Result<FleetId> {
    let found = named(aws, layout, std::slice::from_ref(name)).await?;
    // One name, one fleet.
    found
        .into_iter()
        .next()
        .ok_or_else(|| CtlError::usage(format!("find fleet `{name}`")))
}

/// The fleet, when the name or the context says the stage.
fn in_full(layout: &Layout, name: &FleetName) -> Option<FleetId> {
    Some(FleetId {
        stage: name.stage.or(layout.stage())?,
        slug: name.slug.clone(),
    })
}

/// The only fleet with this slug.
fn only_one(known: &Known, name: &FleetName) -> Result<FleetId> {
    let mut found = known.fleets.keys().filter(|id| id.slug == name.slug);
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(only.clone()),
        (Some(first), Some(second)) => Err(CtlError::usage(format!(
            "choose a fleet: `{first}` and `{second}` are both called `{name}`"
        ))
        .hint(format!("write `{second}`, or give `--stage {}`", second.stage))),
        (None, _) => {
            let slugs: Vec<String> = known.fleets.keys().map(|id| id.slug.to_string()).collect();
            let error = CtlError::new(
                ErrorKind::NotFound,
                format!("find fleet `{name}`: there is no such fleet in any stage"),
            );
            let list = CommandLine::bpctl(["fleet", "list"]);
            Err(
                match nearest(&name.to_string(), slugs.iter().map(String::as_str)) {
                    Some(like) => error.hint((format!("did you mean `{like}`?"), list, "shows all of them")),
                    None => error.hint(("see the fleets of this context with", list)),
                },
            )
        }
    }
}
