//! Random numbers from a seed, in streams that do not disturb each other.
//!
//! Arrivals, service times, boots and Spot capacity draw from streams of their own. Two configurations
//! that are simulated with the same seed therefore see the same jobs at the same times.

use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::Rng as _;

/// One stream.
#[derive(Clone, Debug)]
pub(crate) struct Random {
    generator: Pcg64Mcg,
    /// The second of a pair of normal numbers, for the next call.
    spare: Option<f64>,
}

/// Which stream.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stream {
    Arrivals = 1,
    Service,
    Boot,
    Spot,
    Shortage,
}

impl Random {
    pub(crate) fn new(seed: u64, stream: Stream, index: u64) -> Self {
        let low = mix(seed ^ mix((stream as u64) << 32 ^ index));
        let high = mix(low ^ seed);
        Self {
            generator: Pcg64Mcg::new(u128::from(high) << 64 | u128::from(low)),
            spare: None,
        }
    }

    /// Uniform in (0, 1].
    pub(crate) fn uniform(&mut self) -> f64 {
        const STEP: f64 = 1.0 / (1_u64 << 53) as f64;
        ((self.generator.next_u64() >> 11) + 1) as f64 * STEP
    }

    /// A position in a list of `length`.
    pub(crate) fn below(&mut self, length: usize) -> usize {
        ((u128::from(self.generator.next_u64()) * length as u128) >> 64) as usize
    }

    /// Exponential with mean 1.
    pub(crate) fn exponential(&mut self) -> f64 {
        -self.uniform().ln()
    }

    /// Normal with mean 0 and variance 1, by the method of Box and Muller.
    pub(crate) fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let radius = (2.0 * self.exponential()).sqrt();
        let (sine, cosine) = (std::f64::consts::TAU * self.uniform()).sin_cos();
        self.spare = Some(radius * sine);
        radius * cosine
    }
}

/// The finalizer of SplitMix64: neighbouring seeds become unrelated states.
fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean and variance of 200,000 draws.
    fn moments(mut draw: impl FnMut(&mut Random) -> f64) -> (f64, f64) {
        let mut random = Random::new(7, Stream::Service, 0);
        let (mut sum, mut squares) = (0.0, 0.0);
        for _ in 0..200_000 {
            let value = draw(&mut random);
            sum += value;
            squares += value * value;
        }
        let mean = sum / 200_000.0;
        (mean, squares / 200_000.0 - mean * mean)
    }

    #[test]
    fn draws_have_the_moments_of_their_distributions() {
        let near = |(mean, variance): (f64, f64), expected: (f64, f64)| {
            assert!((mean - expected.0).abs() < 0.01, "{mean}");
            assert!((variance - expected.1).abs() < 0.03, "{variance}");
        };
        near(moments(Random::uniform), (0.5, 1.0 / 12.0));
        near(moments(Random::exponential), (1.0, 1.0));
        near(moments(Random::normal), (0.0, 1.0));
        near(moments(|random| random.below(4) as f64), (1.5, 1.25));
    }

    #[test]
    fn streams_and_seeds_differ_and_repeat() {
        let first = |seed, stream, index| Random::new(seed, stream, index).uniform();
        assert_eq!(first(1, Stream::Boot, 0), first(1, Stream::Boot, 0));
        assert_ne!(first(1, Stream::Boot, 0), first(2, Stream::Boot, 0));
        assert_ne!(first(1, Stream::Boot, 0), first(1, Stream::Spot, 0));
        assert_ne!(first(1, Stream::Boot, 0), first(1, Stream::Boot, 1));
    }
}
