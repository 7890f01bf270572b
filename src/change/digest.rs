//! What identifies a plan: two plans with one digest do the same to the same things.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::call::ApiCall;
use super::plan::Plan;
use super::run_id::RunNames;
use super::target::Target;

/// The digest of a plan, 32 hexadecimal digits: of the place, the steps and their calls. What is drawn anew for every run
/// is left out, and so is what only people read.
pub(super) fn digest<A>(verb: &str, target: &Target, plan: &Plan<A>, names: &RunNames) -> String {
    let calls = |calls: &[ApiCall]| calls.iter().map(lasting).collect::<Vec<_>>();
    let steps = plan.steps.iter().map(|step| {
        let then = step.then.as_ref().map(|then| calls(&then.calls));
        json!([
            step.id,
            calls(&step.calls),
            calls(&step.if_needed),
            then,
            step.before,
            step.after,
            step.needs
        ])
    });
    let mut whole = json!([
        verb,
        target.context,
        target.account,
        target.region,
        steps.collect::<Vec<_>>()
    ]);
    forget(&mut whole, names);
    let bytes = Sha256::digest(whole.to_string().as_bytes());
    bytes.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// A call without the parameters in which two requests that mean the same may differ.
fn lasting(call: &ApiCall) -> Value {
    let lasting = |(name, value): (&String, &Value)| {
        let is_volatile = call.volatile.contains(name);
        (!is_volatile).then(|| (name.clone(), value.clone()))
    };
    let parameters: Map<String, Value> = call.parameters.iter().filter_map(lasting).collect();
    json!([call.service, call.operation, call.resource, parameters])
}

/// Takes what the run has drawn for itself out of every text: its names, and the time at which the plan was made.
fn forget(value: &mut Value, names: &RunNames) {
    match value {
        Value::String(text) => {
            for name in [names.run.as_str(), names.token.as_str(), names.run.short()] {
                if text.contains(name) {
                    *text = text.replace(name, "");
                }
            }
            if let Some(began) = names.run.began() {
                *text = timeless(text, began);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| forget(item, names)),
        Value::Object(members) => members.values_mut().for_each(|member| forget(member, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// How long a plan may take to be made: times after its beginning are its own.
const MADE_WITHIN: SignedDuration = SignedDuration::from_mins(10);

/// A text without the times, in whatever form they stand, at which the plan was made.
fn timeless(text: &str, began: Timestamp) -> String {
    let is_part =
        |letter: char| letter.is_ascii_digit() || matches!(letter, 'T' | 'Z' | 't' | 'z' | ':' | '-');
    let mut kept = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(|letter: char| letter.is_ascii_digit()) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|letter| !is_part(letter)).unwrap_or(from.len());
        let (word, after) = from.split_at(end);
        kept.push_str(before);
        let is_own = time(word).is_some_and(|at| at >= began && at <= began + MADE_WITHIN);
        kept.push_str(if is_own { "" } else { word });
        rest = after;
    }
    kept.push_str(rest);
    kept
}

/// The time that fourteen digits say, whatever stands between them: `20260115-090000`, `2026-01-15T09:00:00Z`.
fn time(word: &str) -> Option<Timestamp> {
    let digits: String = word.chars().filter(char::is_ascii_digit).take(14).collect();
    let time = DateTime::strptime("%Y%m%d%H%M%S", digits).ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forgotten(text: &str) -> String {
        let mut value = Value::String(text.to_owned());
        forget(&mut value, &RunNames::fixed());
        value.as_str().unwrap_or_default().to_owned()
    }

    #[test]
    fn what_a_run_draws_for_itself_is_forgotten() {
        assert_eq!(forgotten("bpctl-0123456789ab"), "bpctl-");
        assert_eq!(forgotten("db-final-20260115-090003-x"), "db-final-x");
        assert_eq!(forgotten("made 2026-01-15T09:00:03Z"), "made ");
        assert_eq!(forgotten("ami 20260115090000"), "ami ");
    }

    #[test]
    fn what_was_there_before_is_not() {
        for text in [
            "snapshot-20260114-090003",
            "10.0.4.0/22",
            "i-0fedcba9876543210",
            "3",
            "2026-01-15",
        ] {
            assert_eq!(forgotten(text), text, "{text}");
        }
    }
}
