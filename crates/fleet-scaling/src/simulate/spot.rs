//! Where instances can be launched: one pool for each type and zone, with capacity that comes and goes.

use super::random::{Random, Stream};
use crate::config::FleetSpec;

/// The pools of every type in order of preference, and of every zone.
#[derive(Debug)]
pub(crate) struct Pools {
    zones: usize,
    /// By type, then by zone.
    pools: Vec<Vec<Shortage>>,
    /// Types that have no capacity at all.
    unavailable: Vec<bool>,
}

/// Shortages of one pool that alternate with capacity; advanced only when the simulation looks.
#[derive(Debug)]
struct Shortage {
    random: Random,
    between: f64,
    length: f64,
    short: bool,
    until: f64,
}

impl Pools {
    pub(crate) fn new(spec: &FleetSpec, seed: u64) -> Self {
        let mut pools = Vec::new();
        for kind in &spec.instance_types {
            for zone in &spec.zones {
                let shortages = kind.spot.iter().flat_map(|spot| &spot.shortages);
                let of_zone =
                    shortages.filter(|shortage| shortage.zone.as_ref().is_none_or(|name| name == zone));
                let pool = of_zone
                    .enumerate()
                    .map(|(at, shortage)| {
                        let index = (pools.len() as u64) << 16 | at as u64;
                        let mut random = Random::new(seed, Stream::Shortage, index);
                        let between = shortage.hours_between * 3.6e6;
                        Shortage {
                            between,
                            length: shortage.minutes * 6e4,
                            short: false,
                            until: between * random.exponential(),
                            random,
                        }
                    })
                    .collect();
                pools.push(pool);
            }
        }
        Self {
            zones: spec.zones.len(),
            pools,
            unavailable: spec
                .instance_types
                .iter()
                .map(|kind| kind.spot.as_ref().is_some_and(|spot| spot.unavailable))
                .collect(),
        }
    }

    /// Type and zone of the next instance; `per_zone` are the instances that each zone has.
    ///
    /// "Allocation strategies", `capacity-optimized-prioritized`: the order of preference on a
    /// best-effort basis, capacity first.
    pub(crate) fn choose(&mut self, now: u64, per_zone: &[u32]) -> Option<(usize, usize)> {
        for (kind, zones) in self.pools.chunks_mut(self.zones).enumerate() {
            if self.unavailable[kind] {
                continue;
            }
            let mut best: Option<usize> = None;
            for (zone, pool) in zones.iter_mut().enumerate() {
                let fewer = best.is_none_or(|best| per_zone[zone] < per_zone[best]);
                if pool.iter_mut().all(|shortage| !shortage.at(now)) && fewer {
                    best = Some(zone);
                }
            }
            if let Some(zone) = best {
                return Some((kind, zone));
            }
        }
        None
    }
}

impl Shortage {
    /// Whether there is a shortage at `now`; the moments asked for never go back.
    fn at(&mut self, now: u64) -> bool {
        while self.until <= now as f64 {
            self.short = !self.short;
            let mean = if self.short { self.length } else { self.between };
            self.until += mean * self.random.exponential();
        }
        self.short
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ShortageSpec, SpotSpec};

    fn pools(shortages: Vec<ShortageSpec>) -> Pools {
        let mut spec = FleetSpec::two_steps();
        spec.zones = vec!["a".to_owned(), "b".to_owned()];
        spec.instance_types[0].spot = Some(SpotSpec {
            shortages,
            ..SpotSpec::default()
        });
        Pools::new(&spec, 5)
    }

    fn shortage(zone: Option<&str>) -> ShortageSpec {
        ShortageSpec {
            zone: zone.map(str::to_owned),
            hours_between: 3.0,
            minutes: 60.0,
        }
    }

    #[test]
    fn zones_are_kept_in_balance() {
        let mut pools = pools(Vec::new());
        assert_eq!(pools.choose(0, &[0, 0]), Some((0, 0)));
        assert_eq!(pools.choose(0, &[1, 0]), Some((0, 1)));
    }

    #[test]
    fn a_type_without_capacity_is_passed_over() {
        let mut spec = FleetSpec::two_steps();
        spec.instance_types.truncate(1);
        let none = Some(SpotSpec {
            unavailable: true,
            ..SpotSpec::default()
        });
        spec.instance_types[0].spot.clone_from(&none);
        assert_eq!(Pools::new(&spec, 5).choose(0, &[0]), None);
        let mut spec = FleetSpec::two_steps();
        spec.instance_types[0].spot = none;
        assert_eq!(Pools::new(&spec, 5).choose(0, &[0]), Some((1, 0)));
    }

    #[test]
    fn a_shortage_sends_launches_elsewhere_for_its_share_of_the_time() {
        let count = |pools: &mut Pools, choice| {
            let hours = 40_000_u64;
            let hits = (0..hours).filter(|hour| pools.choose(hour * 3_600_000, &[0, 0]) == Some(choice));
            hits.count() as f64 / hours as f64
        };
        let one_zone = count(&mut pools(vec![shortage(Some("a"))]), (0, 1));
        assert!((one_zone - 0.25).abs() < 0.02, "{one_zone}");
        let both_zones = count(&mut pools(vec![shortage(None)]), (1, 0));
        assert!((both_zones - 0.0625).abs() < 0.01, "{both_zones}");
    }
}
