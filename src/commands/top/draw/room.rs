//! How the lines are shared out between the panes.

/// The lines of each pane, its title among them, when each has `wanted` rows and there are `height` lines. Each gets its title
/// and one row; what is left goes to each in turn, until it has what it wants. A pane that wants nothing gets none.
pub(super) fn share(wanted: &[usize], height: usize) -> Vec<usize> {
    let mut rows = vec![0; wanted.len()];
    let mut left = height.saturating_sub(wanted.len());
    loop {
        let mut given = false;
        for (rows, wanted) in rows.iter_mut().zip(wanted) {
            if left > 0 && *rows < (*wanted).max(1) {
                *rows += 1;
                left -= 1;
                given = true;
            }
        }
        if !given {
            break;
        }
    }
    rows.iter().map(|rows| rows + 1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pane_has_a_row_and_the_rest_is_shared() {
        assert_eq!(share(&[2, 20, 0, 30, 30], 21), [3, 6, 2, 5, 5]);
    }

    #[test]
    fn nobody_gets_more_than_it_wants() {
        assert_eq!(share(&[2, 1, 0, 0, 3], 40), [3, 2, 2, 2, 4]);
    }

    #[test]
    fn lines_are_never_more_than_there_are() {
        for height in 5..60 {
            let all: usize = share(&[2, 9, 9, 9, 9], height).iter().sum();
            assert!(all <= height, "{height}");
        }
    }
}
