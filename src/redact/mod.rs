//! Takes secrets out of text from outside bpctl: log lines, stop reasons, task commands, journals, traces.
//!
//! It goes by the shape of the text: a name that promises a secret before a value, a place where commands, calls
//! and URLs carry one, or a value that gives itself away. It rather takes out too much than too little, but leaves
//! what an operator searches a log for: names, paths, ARNs, digests, ids, counts and sentences.
//!
//! Hand-written scanners and no rule engine: the published rule tables know tokens of vendors (those are in
//! `words`), not what PHP, Laravel and shells print; and their hundreds of expressions take longer to compile than a
//! command takes to run.

mod assignments;
mod calls;
mod flags;
mod names;
mod sealed;
mod secret;
mod urls;
mod values;
mod words;

use std::borrow::Cow;
use std::ops::Range;

use serde_json::Value;

pub(crate) use sealed::Sealed;
pub(crate) use secret::Secret;

/// What stands in place of a secret.
pub(crate) const REDACTED: &str = "[redacted]";

/// `text` without the values of secrets; borrowed when there are none.
pub(crate) fn redact(text: &str) -> Cow<'_, str> {
    let mut found = Found {
        text,
        ranges: Vec::new(),
    };
    words::find(text, &mut found);
    assignments::find(text, &mut found);
    urls::find(text, &mut found);
    flags::find(text, &mut found);
    calls::find(text, &mut found);
    if found.ranges.is_empty() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(found.cut())
}

/// Takes the values of secrets out of a journal record: out of reasons, words of command lines, sentences and
/// messages. What calls are sent with stays, because a run that is resumed sends the same.
pub(crate) fn redact_record(record: &mut Value) {
    match record {
        Value::String(text) => {
            if let Cow::Owned(clean) = redact(text) {
                *text = clean;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(redact_record),
        Value::Object(members) => members
            .iter_mut()
            .filter(|(name, _)| {
                !matches!(
                    name.as_str(),
                    "calls" | "if_needed" | "then" | "action" | "output"
                )
            })
            .for_each(|(_, member)| redact_record(member)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Where secrets stand.
struct Found<'a> {
    text: &'a str,
    ranges: Vec<Range<usize>>,
}

impl Found<'_> {
    /// Notes a secret; text that was redacted before is none.
    fn add(&mut self, range: Range<usize>) {
        let value = &self.text[range.clone()];
        if !value.is_empty() && value != REDACTED {
            self.ranges.push(range);
        }
    }

    /// The text with one word in place of each secret; secrets that overlap or touch are one.
    fn cut(mut self) -> String {
        self.ranges.sort_by_key(|range| range.start);
        let mut out = String::with_capacity(self.text.len());
        let mut ranges = self.ranges.into_iter().peekable();
        let mut from = 0;
        while let Some(mut range) = ranges.next() {
            while let Some(next) = ranges.next_if(|next| next.start <= range.end) {
                range.end = range.end.max(next.end);
            }
            out.push_str(&self.text[from..range.start]);
            out.push_str(REDACTED);
            from = range.end;
        }
        out.push_str(&self.text[from..]);
        out
    }
}

#[cfg(test)]
mod tests;
