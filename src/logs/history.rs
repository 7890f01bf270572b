//! What lies in the past: many sources as one, in the order of their times.

use std::collections::VecDeque;

use futures::future::try_join_all;
use jiff::Timestamp;

use super::source::{Line, Source};
use crate::aws::logs::{Event, Found};
use crate::aws::{Aws, Tokens};
use crate::error::{CtlError, ErrorKind, Hint, Result};

/// A source that is being read.
struct Head<'a> {
    source: &'a Source,
    /// Read and not yet given out.
    events: VecDeque<Event>,
    token: Option<String>,
    tokens: Tokens,
    over: bool,
}

/// Reads everything between two times. `give` gets the lines in the order of their times, some at a time, and says
/// whether it wants more.
///
/// # Errors
/// A group that does not exist, what keeps it from being read, and what `give` fails with.
pub(crate) async fn history(
    aws: &Aws,
    sources: &[Source],
    pattern: Option<&str>,
    from: Timestamp,
    until: Option<Timestamp>,
    mut give: impl FnMut(Vec<Line>) -> Result<bool>,
) -> Result<()> {
    let mut heads: Vec<Head<'_>> = sources
        .iter()
        .map(|source| Head {
            source,
            events: VecDeque::new(),
            token: None,
            tokens: Tokens::default(),
            over: false,
        })
        .collect();
    loop {
        let dry = heads
            .iter_mut()
            .filter(|head| head.events.is_empty() && !head.over)
            .map(|head| head.fill(aws, pattern, from, until));
        try_join_all(dry).await?;
        let lines = merge(&mut heads);
        let over = heads.iter().all(|head| head.over && head.events.is_empty());
        if (!lines.is_empty() && !give(lines)?) || over {
            return Ok(());
        }
    }
}

/// The lines that nothing can come before any more: until a source has to be read on.
fn merge(heads: &mut [Head<'_>]) -> Vec<Line> {
    // One source is in order already.
    if let [head] = heads {
        let events = std::mem::take(&mut head.events).into_iter();
        return events.map(|event| Line { source: 0, event }).collect();
    }
    let mut lines = Vec::new();
    while heads.iter().all(|head| head.over || !head.events.is_empty()) {
        let next = heads
            .iter_mut()
            .enumerate()
            .filter_map(|(source, head)| Some((head.events.front()?.at, source)))
            .min();
        let Some((_, source)) = next else { break };
        let event = heads.get_mut(source).and_then(|head| head.events.pop_front());
        lines.extend(event.map(|event| Line { source, event }));
    }
    lines
}

impl Head<'_> {
    /// Reads until there is something, or the end.
    async fn fill(
        &mut self,
        aws: &Aws,
        pattern: Option<&str>,
        from: Timestamp,
        until: Option<Timestamp>,
    ) -> Result<()> {
        let search = self.source.search(pattern, from, until);
        while self.events.is_empty() && !self.over {
            let Found { events, next } = aws
                .log_events(&search, self.token.as_deref())
                .await?
                .ok_or_else(|| missing(self.source))?;
            self.events = events.into();
            match &next {
                Some(token) => self
                    .tokens
                    .note(&format!("read the log group {}", self.source.group), token)?,
                None => self.over = true,
            }
            self.token = next;
        }
        Ok(())
    }
}

/// A group that is not there.
pub(super) fn missing(source: &Source) -> CtlError {
    CtlError::new(
        ErrorKind::NotFound,
        format!("read the log group {}: there is none of that name", source.group),
    )
    .hint(Hint::not_deployed())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(label: &str) -> Source {
        Source {
            group: label.to_owned(),
            prefix: None,
            label: label.to_owned(),
        }
    }

    fn head<'a>(source: &'a Source, times: &[i64], over: bool) -> Head<'a> {
        let event = |at: &i64| Event {
            at: *at,
            ingested: *at,
            stream: "s".into(),
            message: at.to_string(),
        };
        Head {
            source,
            events: times.iter().map(event).collect(),
            token: None,
            tokens: Tokens::default(),
            over,
        }
    }

    fn merged(heads: &mut [Head<'_>]) -> Vec<(usize, i64)> {
        let lines = merge(heads).into_iter();
        lines.map(|line| (line.source, line.event.at)).collect()
    }

    #[test]
    fn lines_of_several_groups_come_in_the_order_of_their_times() {
        let (a, b) = (source("a"), source("b"));
        let mut heads = [head(&a, &[1, 3, 5], true), head(&b, &[2, 3, 9], true)];
        assert_eq!(
            merged(&mut heads),
            [(0, 1), (1, 2), (0, 3), (1, 3), (0, 5), (1, 9)]
        );
    }

    #[test]
    fn nothing_is_given_out_that_an_unread_page_may_come_before() {
        let (a, b) = (source("a"), source("b"));
        let mut heads = [head(&a, &[1, 3, 5], true), head(&b, &[2], false)];
        // After 2 the second source has to be read on: it may have a 2 or a 3.
        assert_eq!(merged(&mut heads), [(0, 1), (1, 2)]);
        assert_eq!(merged(&mut heads), []);
        heads[1].events.extend(head(&b, &[2, 4], true).events);
        heads[1].over = true;
        assert_eq!(merged(&mut heads), [(1, 2), (0, 3), (1, 4), (0, 5)]);
    }
}
