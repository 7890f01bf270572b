//! An hour in a few columns.

use super::theme::Theme;

/// Heights of `values`, the oldest at the left, in `width` columns. A column shows the highest of its minutes: a short peak
/// must not get lost. A column without any value is blank.
pub(super) fn spark(theme: Theme, values: &[Option<f64>], width: usize) -> String {
    let columns = columns(values, width);
    let top = columns
        .iter()
        .flatten()
        .fold(0.0_f64, |top, value| top.max(*value));
    let levels = theme.levels();
    columns
        .iter()
        .map(|value| match value {
            None => ' ',
            Some(value) if *value <= 0.0 || top <= 0.0 => levels[0],
            Some(value) => {
                // From 1 to 8: what is more than nothing is seen.
                let height = (value / top * 8.0).ceil().clamp(1.0, 8.0);
                levels[height as usize]
            }
        })
        .collect()
}

fn columns(values: &[Option<f64>], width: usize) -> Vec<Option<f64>> {
    if width == 0 {
        return Vec::new();
    }
    let count = values.len();
    if count <= width {
        let blank = std::iter::repeat_n(None, width - count);
        return blank.chain(values.iter().copied()).collect();
    }
    (0..width)
        .map(|column| {
            let part = &values[column * count / width..(column + 1) * count / width];
            part.iter().flatten().copied().reduce(f64::max)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const THEME: Theme = Theme {
        color: false,
        unicode: true,
    };

    #[test]
    fn heights_are_of_the_highest_and_gaps_are_blank() {
        let values = [Some(0.0), Some(1.0), None, Some(4.0), Some(8.0)];
        assert_eq!(spark(THEME, &values, 5), "▁▁ ▄█");
        assert_eq!(spark(THEME, &values, 7), "  ▁▁ ▄█");
        assert_eq!(spark(THEME, &[None, None], 2), "  ");
        assert_eq!(spark(THEME, &[Some(0.0), Some(0.0)], 2), "▁▁");
        assert_eq!(spark(THEME, &values, 0), "");
    }

    #[test]
    fn a_peak_outlives_narrow_columns() {
        let mut values = vec![Some(1.0); 60];
        values[31] = Some(8.0);
        assert_eq!(spark(THEME, &values, 6), "▁▁▁█▁▁");
        let ascii = Theme {
            color: false,
            unicode: false,
        };
        assert_eq!(spark(ascii, &values, 6), "...#..");
    }
}
