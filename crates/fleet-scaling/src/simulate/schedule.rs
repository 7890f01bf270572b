//! When scheduled actions run, week after week.

use super::control::MINUTE;
use crate::config::ScheduledActionSpec;

const WEEK: u64 = 7 * 24 * 60;

/// The minutes of the week with what runs in them.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    /// Minute of the week and position of the action, in order.
    week: Vec<(u64, usize)>,
    weeks: u64,
    at: usize,
}

impl Schedule {
    pub(super) fn new(actions: &[ScheduledActionSpec]) -> Self {
        let mut week: Vec<(u64, usize)> = Vec::new();
        for (position, action) in actions.iter().enumerate() {
            // The configuration is checked: every recurrence is one.
            let minutes = action.minutes().unwrap_or_default();
            week.extend(minutes.into_iter().map(|minute| (u64::from(minute), position)));
        }
        week.sort_unstable();
        Self {
            week,
            weeks: 0,
            at: 0,
        }
    }

    /// The time of the next action in milliseconds, `u64::MAX` when there is none.
    #[inline]
    pub(super) fn next(&self) -> u64 {
        let minute = self.week.get(self.at);
        minute.map_or(u64::MAX, |(minute, _)| (self.weeks * WEEK + minute) * MINUTE)
    }

    /// The actions of that time, in the order in which they are written down, and on to the next ones.
    pub(super) fn due(&mut self) -> Vec<usize> {
        let now = self.next();
        let mut due = Vec::new();
        while self.next() == now
            && let Some((_, action)) = self.week.get(self.at)
        {
            due.push(*action);
            self.at += 1;
            if self.at == self.week.len() {
                self.at = 0;
                self.weeks += 1;
            }
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_come_in_order_and_every_week_anew() {
        let action = |name: &str, recurrence: &str| ScheduledActionSpec {
            name: name.to_owned(),
            recurrence: recurrence.to_owned(),
            min: Some(1),
            max: None,
            desired: None,
        };
        let mut schedule = Schedule::new(&[action("a", "0 1 * * MON"), action("b", "0 1 * * MON,TUE")]);
        let mut seen = Vec::new();
        for _ in 0..4 {
            seen.push((schedule.next() / MINUTE, schedule.due()));
        }
        let monday = (60, vec![0, 1]);
        assert_eq!(seen[0], monday);
        assert_eq!(seen[1], (1440 + 60, vec![1]));
        assert_eq!(seen[2], (WEEK + 60, vec![0, 1]));
        assert_eq!(seen[3].0, WEEK + 1500);
        assert_eq!(Schedule::new(&[]).next(), u64::MAX);
    }
}
