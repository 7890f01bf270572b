//! The values to try: around the present ones, or those of the command line.

use std::convert::Infallible;
use std::str::FromStr;

use clap::Args;
use fleet_scaling::config::FleetSpec;
use fleet_scaling::tune::{Choice, Space};

use crate::error::{CtlError, Result};

/// Values to try, each list separated by commas.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Values to try [default: around the present ones]")]
pub(super) struct SpaceArgs {
    /// Targets of the target tracking policy, e.g. 1,2,4
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        allow_negative_numbers = true
    )]
    backlog_target: Vec<f64>,

    /// Minutes without jobs until the fleet goes to zero, e.g. 5,15,30
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        allow_negative_numbers = true
    )]
    zero_minutes: Vec<i64>,

    /// Largest sizes, e.g. 4,10,20
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        allow_negative_numbers = true
    )]
    max: Vec<i64>,

    /// Warm-ups in seconds, e.g. 180,300
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        allow_negative_numbers = true
    )]
    warmup: Vec<f64>,

    /// Instance types of the fleet in order of preference, e.g. g4dn.xlarge,g5.xlarge+g4dn.xlarge
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    types: Vec<Mix>,
}

/// Instance types in order of preference, joined by +.
#[derive(Clone, Debug)]
struct Mix(Vec<String>);

impl FromStr for Mix {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.split('+').map(|name| name.trim().to_owned()).collect()))
    }
}

impl SpaceArgs {
    /// The space for a fleet.
    ///
    /// # Errors
    /// Values for something that the fleet does not have.
    pub(super) fn around(&self, spec: &FleetSpec) -> Result<Space> {
        let mut space = Space::around(spec);
        let present = Choice::of(spec);
        if !self.backlog_target.is_empty() {
            if present.backlog_target.is_none() {
                return Err(CtlError::usage(
                    "try values of `--backlog-target`: the fleet has no target tracking policy",
                ));
            }
            space.backlog_targets.clone_from(&self.backlog_target);
        }
        if !self.zero_minutes.is_empty() {
            if present.scale_to_zero_minutes.is_none() {
                return Err(CtlError::usage(
                    "try values of `--zero-minutes`: the fleet never goes to zero",
                ));
            }
            space.scale_to_zero_minutes.clone_from(&self.zero_minutes);
        }
        if !self.max.is_empty() {
            space.max_sizes.clone_from(&self.max);
        }
        if !self.warmup.is_empty() {
            space.warmup_seconds.clone_from(&self.warmup);
        }
        if !self.types.is_empty() {
            space.type_mixes = self
                .types
                .iter()
                .map(|mix| positions(mix, spec))
                .collect::<Result<_>>()?;
        }
        // Of combinations that come to the same the first counts: that which changes less.
        if let Some(target) = &present.backlog_target {
            first(&mut space.backlog_targets, target);
        }
        if let Some(minutes) = &present.scale_to_zero_minutes {
            first(&mut space.scale_to_zero_minutes, minutes);
        }
        first(&mut space.max_sizes, &present.max);
        first(&mut space.warmup_seconds, &present.warmup_seconds);
        first(&mut space.type_mixes, &present.types);
        Ok(space)
    }
}

/// Moves the present value to the front, if it is tried.
fn first<T: PartialEq>(values: &mut [T], present: &T) {
    if let Some(at) = values.iter().position(|value| value == present) {
        values[..=at].rotate_right(1);
    }
}

fn positions(mix: &Mix, spec: &FleetSpec) -> Result<Vec<usize>> {
    let position = |name: &String| {
        let mut types = spec.instance_types.iter();
        types.position(|kind| kind.name == *name).ok_or_else(|| {
            let names: Vec<&str> = spec
                .instance_types
                .iter()
                .map(|kind| kind.name.as_str())
                .collect();
            CtlError::usage(format!("try `{name}`: it is none of the fleet's instance types"))
                .hint(format!("the fleet has {}", names.join(", ")))
        })
    };
    mix.0.iter().map(position).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> FleetSpec {
        fleet_templates::FleetScaling::template("gpu-default")
            .unwrap()
            .spec()
    }

    #[test]
    fn what_is_not_given_is_tried_around_the_present() {
        let args = SpaceArgs {
            max: vec![3],
            ..SpaceArgs::default()
        };
        let space = args.around(&spec()).unwrap();
        assert_eq!(space.max_sizes, [3]);
        let around = Space::around(&spec());
        let sorted = |mut values: Vec<i64>| {
            values.sort_unstable();
            values
        };
        assert_eq!(
            sorted(space.scale_to_zero_minutes.clone()),
            sorted(around.scale_to_zero_minutes)
        );
        assert_eq!(space.type_mixes, around.type_mixes);
        let present = spec().scale_to_zero.unwrap().minutes;
        assert_eq!(space.scale_to_zero_minutes[0], present, "equals change nothing");
    }

    #[test]
    fn types_are_named() {
        let types = |text: &str| {
            let types = text.split(',').map(|mix| mix.parse().unwrap()).collect();
            let args = SpaceArgs {
                types,
                ..SpaceArgs::default()
            };
            args.around(&spec()).map(|space| space.type_mixes)
        };
        let names: Vec<String> = spec()
            .instance_types
            .iter()
            .map(|kind| kind.name.clone())
            .collect();
        let text = format!("{},{}+{}", names[1], names[1], names[0]);
        assert_eq!(types(&text).unwrap(), [vec![1], vec![1, 0]]);
        let error = types("p5.48xlarge").unwrap_err();
        assert_eq!(
            error.to_string(),
            "try `p5.48xlarge`: it is none of the fleet's instance types"
        );
    }

    #[test]
    fn values_without_effect_are_refused() {
        let mut spec = spec();
        spec.scale_to_zero = None;
        spec.policies.clear();
        let args = SpaceArgs {
            zero_minutes: vec![5],
            ..SpaceArgs::default()
        };
        assert!(args.around(&spec).is_err());
        let args = SpaceArgs {
            backlog_target: vec![5.0],
            ..SpaceArgs::default()
        };
        assert!(args.around(&spec).is_err());
    }
}
