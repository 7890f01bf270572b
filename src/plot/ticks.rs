//! Where an axis is labelled: round numbers, few enough to be read.

/// Rising marks from 0 to at least `highest`, at most `most` steps apart by a round number; whole
/// numbers only where `whole`. `steps` are preferred over powers of ten and their halves and fifths:
/// hours are read in sixes and twelves.
pub(super) fn ticks(highest: f64, most: usize, whole: bool, steps: &[f64]) -> Vec<f64> {
    let highest = if highest.is_finite() && highest > 0.0 {
        highest
    } else {
        1.0
    };
    let most = most.max(1) as f64;
    let step = steps
        .iter()
        .copied()
        .find(|step| highest / step <= most)
        .unwrap_or_else(|| round(highest / most));
    let step = if whole { step.max(1.0) } else { step };
    // A hair less, so that a value which is a mark already needs no further one.
    let count = (highest / step - 1e-9).ceil().max(1.0) as u32;
    (0..=count).map(|mark| f64::from(mark) * step).collect()
}

/// The next of 1, 2, 2.5, 5 and 10 times a power of ten.
fn round(value: f64) -> f64 {
    let power = 10_f64.powf(value.log10().floor());
    [1.0, 2.0, 2.5, 5.0]
        .into_iter()
        .map(|times| times * power)
        .find(|step| *step >= value * (1.0 - 1e-9))
        .unwrap_or(10.0 * power)
}

/// A mark without needless digits.
pub(super) fn label(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_and_cover_the_highest_value() {
        assert_eq!(
            ticks(30.0, 6, true, &[]),
            [0.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0]
        );
        assert_eq!(
            ticks(24.0, 8, false, &[1.0, 3.0, 6.0]),
            [0.0, 3.0, 6.0, 9.0, 12.0, 15.0, 18.0, 21.0, 24.0]
        );
        assert_eq!(ticks(1.0, 5, true, &[]), [0.0, 1.0]);
        assert_eq!(
            ticks(0.0, 5, false, &[]),
            [0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0]
        );
        assert_eq!(ticks(f64::NAN, 2, true, &[]), [0.0, 1.0]);
        for highest in [0.003, 0.7, 13.0, 999.0, 1.5e7] {
            let marks = ticks(highest, 5, false, &[]);
            assert!(
                marks.len() <= 6 && *marks.last().unwrap() >= highest,
                "{highest}: {marks:?}"
            );
        }
    }

    #[test]
    fn labels_have_no_needless_digits() {
        assert_eq!(
            [0.0, 0.6000000000000001, 2.5, 1e6].map(label),
            ["0", "0.6", "2.5", "1000000"]
        );
    }
}
