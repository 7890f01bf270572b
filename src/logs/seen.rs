//! Which lines were given out already, whatever way they came.
//!
//! Live Tail gives events no ids, and programs write the same line twice within a millisecond. So lines are counted:
//! each way of looking (a session, a search from its first to its last page) tells each event once, and of lines that
//! are the same in everything as many are given out as the way that knows of most of them has told.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::source::Line;

/// Source, stream, time and text of a line; 128 bits of it, so that no two lines are taken for the same.
type Key = (u64, u64);

/// How often each line was given out.
#[derive(Debug, Default)]
pub(super) struct Seen(HashMap<Key, Given>);

#[derive(Debug)]
struct Given {
    at: i64,
    times: u32,
}

/// How often one way of looking has told of each line.
#[derive(Debug, Default)]
pub(super) struct Told(HashMap<Key, Given>);

impl Seen {
    /// Whether a line that `told` tells is new, and has to be given out.
    pub(super) fn is_new(&mut self, told: &mut Told, line: &Line) -> bool {
        let key = key(line);
        let at = line.event.at;
        let told = told.0.entry(key).or_insert(Given { at, times: 0 });
        told.times += 1;
        let given = self.0.entry(key).or_insert(Given { at, times: 0 });
        let new = told.times > given.times;
        given.times = given.times.max(told.times);
        new
    }

    /// Forgets lines from before `time`, which no search will tell of again.
    pub(super) fn forget_before(&mut self, time: i64) {
        self.0.retain(|_, given| given.at >= time);
    }
}

impl Told {
    pub(super) fn forget_before(&mut self, time: i64) {
        self.0.retain(|_, given| given.at >= time);
    }
}

fn key(line: &Line) -> Key {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        (
            salt,
            line.source,
            &line.event.stream,
            line.event.at,
            &line.event.message,
        )
            .hash(&mut hasher);
        hasher.finish()
    };
    (half(0), half(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::logs::Event;

    fn line(at: i64, message: &str) -> Line {
        Line {
            source: 0,
            event: Event {
                at,
                ingested: at,
                stream: "s".into(),
                message: message.to_owned(),
            },
        }
    }

    #[test]
    fn what_one_way_told_is_not_given_out_again_for_another() {
        let mut seen = Seen::default();
        let (mut session, mut search) = (Told::default(), Told::default());
        assert!(seen.is_new(&mut session, &line(1, "a")));
        assert!(!seen.is_new(&mut search, &line(1, "a")));
        assert!(seen.is_new(&mut search, &line(2, "a")));
        assert!(seen.is_new(&mut search, &line(1, "b")));
        // What arrived by the session later on, the search has told already.
        assert!(!seen.is_new(&mut session, &line(2, "a")));
    }

    #[test]
    fn lines_that_are_the_same_are_counted() {
        let mut seen = Seen::default();
        let mut session = Told::default();
        assert!(seen.is_new(&mut session, &line(1, "a")) && seen.is_new(&mut session, &line(1, "a")));
        let mut search = Told::default();
        let new: Vec<bool> = (0..3).map(|_| seen.is_new(&mut search, &line(1, "a"))).collect();
        assert_eq!(new, [false, false, true]);
        // A search that broke off and began again tells the same ones.
        let mut again = Told::default();
        assert!((0..3).all(|_| !seen.is_new(&mut again, &line(1, "a"))));
    }

    #[test]
    fn what_no_search_reaches_is_forgotten() {
        let mut seen = Seen::default();
        let mut told = Told::default();
        seen.is_new(&mut told, &line(1, "a"));
        seen.is_new(&mut told, &line(5, "b"));
        seen.forget_before(3);
        told.forget_before(3);
        assert_eq!((seen.0.len(), told.0.len()), (1, 1));
    }
}
