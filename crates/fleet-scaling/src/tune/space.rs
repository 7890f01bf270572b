//! The combinations that a search tries.

use serde::{Deserialize, Serialize};

use super::TuneError;
use crate::config::{FleetSpec, PolicySpec};

/// The values to try of each dimension. All combinations are tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Space {
    /// Targets of every target tracking policy.
    pub backlog_targets: Vec<f64>,
    /// Minutes until the fleet goes to zero; without effect on a fleet that never does.
    pub scale_to_zero_minutes: Vec<i64>,
    /// Largest capacities.
    pub max_sizes: Vec<i64>,
    /// Warm-ups.
    pub warmup_seconds: Vec<f64>,
    /// Instance types in order of preference, each list a mix to try. The types are those of the
    /// configuration, by position.
    pub type_mixes: Vec<Vec<usize>>,
}

/// One combination.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Choice {
    /// Target of every target tracking policy.
    pub backlog_target: Option<f64>,
    /// Minutes until the fleet goes to zero.
    pub scale_to_zero_minutes: Option<i64>,
    /// Largest capacity.
    pub max: i64,
    /// Warm-up.
    pub warmup_seconds: f64,
    /// Instance types in order of preference, by position in the configuration.
    pub types: Vec<usize>,
}

impl Space {
    /// A few values around those of `spec`: the target halved to quadrupled, zero after 5 to 60
    /// minutes, half to twice the size, and each type alone as well as all of them.
    #[must_use]
    pub fn around(spec: &FleetSpec) -> Self {
        let current = Choice::of(spec);
        let mut max_sizes: Vec<i64> = [spec.max / 2, spec.max, spec.max * 2]
            .into_iter()
            .map(|max| max.max(spec.min).max(1))
            .collect();
        max_sizes.dedup();
        let mut type_mixes = vec![current.types.clone()];
        if current.types.len() > 1 {
            type_mixes.extend(current.types.iter().map(|kind| vec![*kind]));
        }
        let targets = current.backlog_target.map_or(vec![1.0], |target| {
            [0.5, 1.0, 2.0, 4.0].map(|times| times * target).to_vec()
        });
        let minutes = current
            .scale_to_zero_minutes
            .map_or(vec![15], |_| vec![5, 10, 15, 30, 60]);
        let cold = &spec.cold_start;
        let ready = cold.request_seconds + cold.boot_seconds + cold.register_seconds;
        let mut warmup_seconds = vec![spec.warmup_seconds];
        if (ready - spec.warmup_seconds).abs() > 1.0 {
            warmup_seconds.push(ready);
        }
        Self {
            backlog_targets: targets,
            scale_to_zero_minutes: minutes,
            max_sizes,
            warmup_seconds,
            type_mixes,
        }
    }

    /// How many combinations there are, none when a dimension has no value.
    #[must_use]
    pub fn combinations(&self) -> usize {
        let dimensions = [
            self.backlog_targets.len(),
            self.scale_to_zero_minutes.len(),
            self.max_sizes.len(),
            self.warmup_seconds.len(),
            self.type_mixes.len(),
        ];
        dimensions.into_iter().fold(1, usize::saturating_mul)
    }

    /// How many combinations there are.
    pub(super) fn check(&self) -> Result<usize, TuneError> {
        let dimensions = [
            ("backlog_targets", self.backlog_targets.len()),
            ("scale_to_zero_minutes", self.scale_to_zero_minutes.len()),
            ("max_sizes", self.max_sizes.len()),
            ("warmup_seconds", self.warmup_seconds.len()),
            ("type_mixes", self.type_mixes.len()),
        ];
        if let Some((name, _)) = dimensions.iter().find(|(_, values)| *values == 0) {
            return Err(TuneError::NoValues(name));
        }
        Ok(self.combinations())
    }

    /// The combination at a position under the count.
    pub(super) fn at(&self, mut position: usize) -> Choice {
        let mut next = |length: usize| {
            let at = position % length;
            position /= length;
            at
        };
        Choice {
            backlog_target: Some(self.backlog_targets[next(self.backlog_targets.len())]),
            scale_to_zero_minutes: Some(self.scale_to_zero_minutes[next(self.scale_to_zero_minutes.len())]),
            max: self.max_sizes[next(self.max_sizes.len())],
            warmup_seconds: self.warmup_seconds[next(self.warmup_seconds.len())],
            types: self.type_mixes[next(self.type_mixes.len())].clone(),
        }
    }
}

impl Choice {
    /// What `spec` has chosen.
    #[must_use]
    pub fn of(spec: &FleetSpec) -> Self {
        Self {
            backlog_target: spec.policies.iter().find_map(|policy| match policy {
                PolicySpec::TargetTracking { target, .. } => Some(*target),
                PolicySpec::Step { .. } | PolicySpec::Simple { .. } => None,
            }),
            scale_to_zero_minutes: spec.scale_to_zero.map(|zero| zero.minutes),
            max: spec.max,
            warmup_seconds: spec.warmup_seconds,
            types: (0..spec.instance_types.len()).collect(),
        }
    }

    /// `spec` with this choice. Positions of types that `spec` does not have are left out.
    #[must_use]
    pub fn apply(&self, spec: &FleetSpec) -> FleetSpec {
        let mut chosen = spec.clone();
        for policy in &mut chosen.policies {
            if let (PolicySpec::TargetTracking { target, .. }, Some(wanted)) = (policy, self.backlog_target) {
                *target = wanted;
            }
        }
        if let (Some(zero), Some(minutes)) = (&mut chosen.scale_to_zero, self.scale_to_zero_minutes) {
            zero.minutes = minutes;
        }
        chosen.max = self.max;
        chosen.warmup_seconds = self.warmup_seconds;
        let types = self
            .types
            .iter()
            .filter_map(|kind| spec.instance_types.get(*kind));
        chosen.instance_types = types.cloned().collect();
        chosen
    }
}
