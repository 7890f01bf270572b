//! `bpctl triage --watch --notify URL`: a webhook is told what has changed, and only that.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::aws::is_loopback_url;
use crate::context::Ctx;
use crate::error::{CtlError, ErrorKind, Result};
use crate::triage::absence::{Doubt, Look};
use crate::triage::finding::Finding;
use crate::triage::report::Report;
use crate::triage::snapshot::Snapshot;

/// The shape of what is posted.
const SCHEMA: &str = "bpctl.triage.notify/1";

/// The pauses before further attempts. What is not delivered then goes with the next look.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];

/// Findings by code and subject.
type Found = BTreeMap<String, Value>;

/// A URL that may be posted to: over TLS, or to this machine.
///
/// # Errors
/// [`ErrorKind::Usage`] for any other. The URL is not repeated: its path may be a secret.
pub(super) fn webhook(url: &str) -> Result<http::Uri> {
    let wrong = |why: &str| Err(CtlError::usage(format!("notify a webhook: {why}")));
    if url.contains('@') {
        return wrong("user and password have no place in its URL");
    }
    let Ok(uri) = url.parse::<http::Uri>() else {
        return wrong("its URL is none");
    };
    match (uri.scheme_str(), uri.host()) {
        (_, None | Some("")) => wrong("its URL has no host"),
        (Some("https"), _) => Ok(uri),
        (Some("http"), _) if is_loopback_url(url) => Ok(uri),
        _ => wrong("its URL must begin with `https://`, or with `http://` on this machine"),
    }
}

/// What a look has found, and what it saw.
struct Looked {
    found: Found,
    findings: BTreeMap<String, Finding>,
    seen: Snapshot,
    at: Timestamp,
}

impl Looked {
    fn of(report: &Report, seen: Snapshot, at: Timestamp) -> Self {
        let findings = report.all().map(|finding| (finding.key(), finding.clone()));
        Self {
            found: report.in_short(),
            findings: findings.collect(),
            seen,
            at,
        }
    }

    /// All looks of a watch are of the same fleets.
    fn look(&self) -> Look<'_> {
        Look {
            seen: &self.seen,
            at: self.at,
            fleets: &[],
        }
    }
}

/// What a webhook knows of, and by which look.
#[derive(Default)]
struct Told {
    found: Found,
    by: BTreeMap<String, Rc<Looked>>,
}

impl Told {
    /// What it is to know after a look: what that has found, and what it could not see again. That does not end by not
    /// being seen, nor does it come anew when it is.
    fn after(&self, now: &Rc<Looked>) -> Self {
        let mut next = Self {
            found: now.found.clone(),
            by: now
                .found
                .keys()
                .map(|key| (key.clone(), Rc::clone(now)))
                .collect(),
        };
        // Few looks have found all that is missing now, mostly one.
        let mut doubts: Vec<(&Rc<Looked>, Doubt<'_>)> = Vec::new();
        for (key, by) in self.by.iter().filter(|(key, _)| !now.found.contains_key(*key)) {
            let known = doubts.iter().position(|(look, _)| Rc::ptr_eq(look, by));
            let known = known.unwrap_or_else(|| {
                doubts.push((by, Doubt::between(by.look(), now.look())));
                doubts.len() - 1
            });
            let doubt = doubts.get(known).map(|(_, doubt)| doubt);
            let finding = by.findings.get(key);
            let may_be_there = doubt
                .zip(finding)
                .is_some_and(|(doubt, finding)| doubt.about(finding).is_some());
            if let Some(one) = self.found.get(key).filter(|_| may_be_there) {
                next.found.insert(key.clone(), one.clone());
                next.by.insert(key.clone(), Rc::clone(by));
            }
        }
        next
    }
}

/// Where looks leave what they have found, and the delivery takes it from: the newest look alone, so that a webhook that
/// is slow holds nothing up and nothing piles up.
pub(super) struct Changes {
    sender: watch::Sender<Option<Rc<Looked>>>,
}

impl Changes {
    pub(super) fn new() -> Self {
        Self {
            sender: watch::Sender::new(None),
        }
    }

    /// Leaves what a look has found, and what it saw.
    pub(super) fn leave(&self, report: &Report, seen: Snapshot, at: Timestamp) {
        let looked = Looked::of(report, seen, at);
        self.sender.send_replace(Some(Rc::new(looked)));
    }

    /// Posts what differs from what was delivered last, whenever a look has ended. Does not end by itself.
    pub(super) async fn deliver(&self, ctx: &Ctx, webhook: &http::Uri) {
        let mut looks = self.sender.subscribe();
        let mut delivered = Told::default();
        let mut complains = true;
        while looks.changed().await.is_ok() {
            let Some(now) = looks.borrow_and_update().clone() else {
                continue;
            };
            let next = delivered.after(&now);
            let Some(body) = difference(&delivered.found, &next.found) else {
                delivered = next;
                continue;
            };
            match post(ctx, webhook, body).await {
                Ok(()) => {
                    delivered = next;
                    complains = true;
                }
                Err(error) => {
                    if complains {
                        ctx.ui
                            .warn(&format!("failed to {error}; it goes with the next look"));
                    }
                    complains = false;
                }
            }
        }
    }
}

/// What is new, gone and changed; `None` when nothing is.
fn difference(before: &Found, now: &Found) -> Option<Value> {
    let new: Vec<&Value> = now
        .iter()
        .filter(|(key, _)| !before.contains_key(*key))
        .map(|(_, one)| one)
        .collect();
    let gone: Vec<&Value> = before
        .iter()
        .filter(|(key, _)| !now.contains_key(*key))
        .map(|(_, one)| one)
        .collect();
    let changed: Vec<&Value> = now
        .iter()
        .filter(|(key, one)| before.get(*key).is_some_and(|other| other != *one))
        .map(|(_, one)| one)
        .collect();
    let nothing = new.is_empty() && gone.is_empty() && changed.is_empty();
    (!nothing).then(|| json!({ "new": new, "gone": gone, "changed": changed }))
}

/// One policy for all failures: what may pass is tried three times, what the webhook refuses is not.
async fn post(ctx: &Ctx, webhook: &http::Uri, mut body: Value) -> Result<()> {
    body["schema"] = json!(SCHEMA);
    body["context"] = json!(ctx.settings.context.value);
    body["account"] = json!(ctx.aws.known_account());
    body["region"] = json!(ctx.aws.known_region());
    body["at"] = json!(ctx.clock.now().to_string());
    let host = webhook.host().unwrap_or_default();
    let refused =
        |status: u16| CtlError::new(ErrorKind::Failed, format!("notify {host}: it answers {status}"));
    let mut pauses = PAUSES.iter();
    loop {
        let error = match ctx.aws.notify(webhook, &body).await {
            Ok(200..=299) => return Ok(()),
            Ok(status @ (429 | 500..=599)) => refused(status),
            Ok(status) => return Err(refused(status)),
            Err(error) => error,
        };
        let Some(pause) = pauses.next() else {
            return Err(error);
        };
        ctx.clock.sleep(*pause).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::rules::sample;

    fn looked(seen: Snapshot) -> Rc<Looked> {
        let report = Report::new(&seen, sample::now());
        Rc::new(Looked::of(&report, seen, sample::now()))
    }

    #[test]
    fn what_is_not_seen_is_told_neither_to_have_gone_nor_to_be_new() {
        let mut deaf = sample::healthy();
        deaf.topics.as_mut().unwrap()[0].subscriptions = Some(Vec::new());
        let told = |before: &Told, now: &Told, list: &str| -> Vec<String> {
            let body = difference(&before.found, &now.found).unwrap_or_default();
            let findings = body[list].as_array().into_iter().flatten();
            findings
                .map(|one| one["code"].as_str().unwrap_or_default().to_owned())
                .collect()
        };
        let first = Told::default().after(&looked(deaf.clone()));
        let mut blind = deaf.clone();
        blind.topics = Err(sample::blind());
        let unseen = first.after(&looked(blind.clone())).after(&looked(blind));
        assert_eq!(told(&first, &unseen, "gone"), [""; 0]);
        assert_eq!(told(&first, &unseen, "new"), ["BP-TRI-001"]);
        let again = unseen.after(&looked(deaf));
        assert_eq!(told(&unseen, &again, "new"), [""; 0]);
        assert_eq!(told(&unseen, &again, "gone"), ["BP-TRI-001"]);
        let mended = unseen.after(&looked(sample::healthy()));
        assert_eq!(told(&unseen, &mended, "gone"), ["BP-FLT-019", "BP-TRI-001"]);
    }

    #[test]
    fn only_tls_or_this_machine_is_posted_to() {
        for good in [
            "https://hooks.example.com/a?b=c",
            "http://127.0.0.1:8080/x",
            "http://localhost/x",
        ] {
            assert!(webhook(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "hooks.example.com",
            "http://hooks.example.com/",
            "ftp://hooks.example.com/",
            "https://",
            "https://user:password@hooks.example.com/",
            "https://a b/",
        ] {
            let error = webhook(bad).expect_err(bad);
            assert!(bad.is_empty() || !error.to_string().contains(bad), "{error}");
        }
    }

    #[test]
    fn a_difference_is_what_came_went_or_became_another() {
        let found = |items: &[(&str, u8)]| {
            items
                .iter()
                .map(|(key, value)| ((*key).to_owned(), json!(value)))
                .collect::<Found>()
        };
        let before = found(&[("a", 1), ("b", 1), ("c", 1)]);
        assert_eq!(difference(&before, &before), None);
        let now = found(&[("b", 1), ("c", 2), ("d", 4)]);
        assert_eq!(
            difference(&before, &now),
            Some(json!({ "new": [4], "gone": [1], "changed": [2] }))
        );
    }
}
