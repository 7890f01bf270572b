//! Identifiers that look like those AWS hands out, drawn from the world's one seeded generator.

use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::Rng as _;

/// The only source of randomness in a world: same seed, same calls, same answers.
#[derive(Clone, Debug)]
pub(crate) struct Ids(Pcg64Mcg);

impl Ids {
    /// A generator for `seed`.
    #[must_use]
    pub(crate) fn new(seed: u64) -> Self {
        Self(Pcg64Mcg::new(u128::from(seed) << 1 | 1))
    }

    /// `digits` lowercase hexadecimal digits, e.g. 32 for an ECS task id, 17 for an EC2 id.
    pub(crate) fn hex(&mut self, digits: usize) -> String {
        let mut text = String::with_capacity(digits + 16);
        while text.len() < digits {
            text.push_str(&format!("{:016x}", self.0.next_u64()));
        }
        text.truncate(digits);
        text
    }

    /// A random UUID in its usual form.
    pub(crate) fn uuid(&mut self) -> String {
        let hex = self.hex(32);
        format!(
            "{}-{}-4{}-a{}-{}",
            &hex[..8],
            &hex[8..12],
            &hex[13..16],
            &hex[17..20],
            &hex[20..32]
        )
    }

    /// `prefix` and 17 hexadecimal digits: `i-0123456789abcdef0`.
    pub(crate) fn ec2(&mut self, prefix: &str) -> String {
        format!("{prefix}{}", self.hex(17))
    }

    /// Evenly distributed in `0.0..1.0`.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// An integer in `low..=high`.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.0.next_u64() % (high - low + 1)
    }
}
