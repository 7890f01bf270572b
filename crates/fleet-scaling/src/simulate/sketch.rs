//! Percentiles of millions of durations in a few kilobytes.

/// Buckets of each power of two: a value is known to one part in 128.
const PARTS: u64 = 128;
const PART_BITS: u32 = PARTS.trailing_zeros();

/// A histogram with buckets in proportion to the values. Its size depends on the largest value only
/// (58 × 128 buckets at most), not on how many values there are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sketch {
    buckets: Vec<u64>,
    zeros: u64,
    count: u64,
    sum: f64,
    largest: u64,
}

impl Sketch {
    /// Counts a duration in milliseconds.
    pub(crate) fn add(&mut self, value: u64) {
        self.count += 1;
        if value == 0 {
            self.zeros += 1;
            return;
        }
        self.sum += value as f64;
        self.largest = self.largest.max(value);
        let bucket = bucket(value);
        if bucket >= self.buckets.len() {
            self.buckets.resize(bucket + 1, 0);
        }
        self.buckets[bucket] += 1;
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// In milliseconds; 0 without values.
    pub(crate) fn mean(&self) -> f64 {
        if self.count == 0 {
            0.0
        } else {
            self.sum / self.count as f64
        }
    }

    /// In milliseconds.
    pub(crate) fn largest(&self) -> u64 {
        self.largest
    }

    /// The least duration, in milliseconds, that the fraction `share` of all does not exceed, within
    /// one part in 128; 0 without values.
    pub(crate) fn percentile(&self, share: f64) -> f64 {
        let rank = ((self.count as f64 * share).ceil() as u64).max(1);
        let mut so_far = self.zeros;
        if rank <= so_far {
            return 0.0;
        }
        for (bucket, count) in self.buckets.iter().enumerate() {
            so_far += count;
            if rank <= so_far {
                return middle(bucket).min(self.largest as f64);
            }
        }
        self.largest as f64
    }
}

/// Small values have a bucket each; above, the leading bits of a value are its bucket.
fn bucket(value: u64) -> usize {
    if value < PARTS {
        return value as usize;
    }
    let shift = value.ilog2() - PART_BITS;
    ((u64::from(shift) + 1) * PARTS + (value >> shift) - PARTS) as usize
}

/// The value in the middle of a bucket.
fn middle(bucket: usize) -> f64 {
    let bucket = bucket as u64;
    if bucket < PARTS {
        return bucket as f64;
    }
    let shift = bucket / PARTS - 1;
    let lowest = (bucket % PARTS + PARTS) << shift;
    lowest as f64 + ((1_u64 << shift) - 1) as f64 / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_near_the_middle_of_its_bucket() {
        let mut last = 0;
        for exponent in 0..45 {
            for offset in [0, 1, 77] {
                let value = (1_u64 << exponent) + offset;
                let back = middle(bucket(value));
                assert!(
                    (back - value as f64).abs() <= value as f64 / 128.0,
                    "{value} {back}"
                );
            }
            assert!(bucket(1 << exponent) >= last);
            last = bucket(1 << exponent);
        }
        assert_eq!(bucket(u64::MAX) + 1, 58 * 128);
    }

    #[test]
    fn percentiles_are_those_of_the_sorted_values() {
        let mut sketch = Sketch::default();
        assert_eq!((sketch.percentile(0.5), sketch.mean()), (0.0, 0.0));
        for value in 0..=100_000 {
            sketch.add(value);
        }
        assert_eq!(sketch.mean(), 50_000.0);
        for share in [0.01, 0.5, 0.95, 0.999] {
            let expected = 100_000.0 * share;
            let error = (sketch.percentile(share) - expected).abs() / expected;
            assert!(error < 1.0 / 128.0, "{share} {error}");
        }
        assert_eq!(sketch.largest(), 100_000);
        assert!(sketch.percentile(1.0) <= 100_000.0);
    }

    #[test]
    fn memory_does_not_grow_with_the_number_of_values() {
        let mut sketch = Sketch::default();
        for value in 0..1_000_000_u64 {
            sketch.add(value % 10_000);
        }
        assert!(sketch.buckets.len() < 1_100);
    }
}
