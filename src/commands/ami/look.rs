//! Which fleets point to which image.

use std::collections::BTreeMap;

use crate::context::Ctx;
use crate::error::Result;
use crate::layout::{FleetId, Layout};

/// The image pointers of the context, each with its fleet: names in pages of fifty.
pub(super) async fn image_pointers(ctx: &Ctx, layout: &Layout) -> Result<Vec<(String, FleetId)>> {
    let stages = layout.fleet_stages().into_iter();
    let paths: Vec<String> = stages
        .flat_map(|stage| layout.fleet_parameter_paths(stage))
        .map(|path| path.path)
        .collect();
    let names = ctx.aws.parameter_names_under(&paths).await?;
    let pointers = names.into_iter().filter_map(|name| {
        let fleet = layout.fleet_of_image_pointer(&name)?;
        Some((name, fleet))
    });
    Ok(pointers.collect())
}

/// The fleets of the context by the value of their image pointers: the names in pages of fifty, the values ten a call.
pub(super) async fn pointed(ctx: &Ctx, layout: &Layout) -> Result<BTreeMap<String, Vec<FleetId>>> {
    let pointers = image_pointers(ctx, layout).await?;
    let names: Vec<String> = pointers.iter().map(|(name, _)| name.clone()).collect();
    let parameters = ctx.aws.parameters(&names).await?;
    let mut fleets: BTreeMap<String, Vec<FleetId>> = BTreeMap::new();
    for (name, fleet) in pointers {
        if let Some(parameter) = parameters.found.get(&name) {
            let image = parameter.value.expose().to_owned();
            fleets.entry(image).or_default().push(fleet);
        }
    }
    for fleets in fleets.values_mut() {
        fleets.sort();
    }
    Ok(fleets)
}

/// Fleets in a cell of a table.
pub(super) fn names(fleets: &[FleetId]) -> String {
    if fleets.is_empty() {
        return "-".to_owned();
    }
    let names: Vec<String> = fleets.iter().map(ToString::to_string).collect();
    names.join(", ")
}
