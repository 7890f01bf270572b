//! Workers that the backend refuses, told apart by the status of their registration.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::fleets::{self, COLD_START, Fleet};
use super::logs::quoted;
use crate::aws::logs::FoundLine;
use crate::layout::{App, Layout};
use crate::triage::catalog::Code;
use crate::triage::commands;
use crate::triage::finding::{Finding, Node};
use crate::triage::snapshot::Snapshot;
use crate::triage::wording::{ago, at, count};

/// How far back refusals count.
const MINUTES: i64 = 15;
/// A worker that is refused tries again within a minute: after so many without a refusal it is over.
const OVER_AFTER: i64 = 5;
/// One refusal may be an instance that was about to end.
const ENOUGH: usize = 2;

const REQUEST: &str = "POST /api/worker/register";

/// The statuses of a refusal and what each means (worker API of the platform).
const REFUSALS: [(u16, Code, &str); 7] = [
    (
        401,
        Code::RegisterSecret,
        "workers come with another fleet secret than the backend's: it was changed after one of the two had read it",
    ),
    (
        403,
        Code::RegisterLimit,
        "the backend has as many workers as it allows (50), also those that are gone and were never signed off",
    ),
    (
        404,
        Code::RegisterFleetUnknown,
        "the backend has no fleet of the slug and stage that the workers come with (FLEET_SLUG and FLEET_STAGE in the user data)",
    ),
    (
        409,
        Code::RegisterTwice,
        "a worker of that instance is registered: it was started again without being signed off, or two run side by side",
    ),
    (
        422,
        Code::RegisterNoWorkflow,
        "the backend knows the fleet, and no workflow is assigned to it",
    ),
    (
        429,
        Code::RegisterTooOften,
        "more than 10 registrations a minute come from one address, and all workers have that of the NAT gateway",
    ),
    (
        503,
        Code::RegisterUnset,
        "the backend has no fleet secret to compare with (or is in maintenance mode, when all of its answers are 503)",
    ),
];

/// The status of a registration in a line of nginx' access log.
fn status(line: &str) -> Option<u16> {
    let (_, rest) = line.split_once(REQUEST)?;
    let (_, rest) = rest.split_once("\" ")?;
    rest.split_whitespace().next()?.parse().ok()
}

/// One finding for each status with which registrations are refused.
pub(super) fn rule(snapshot: &Snapshot, now: Timestamp) -> Vec<Finding> {
    let from = now.as_second() - MINUTES * 60;
    let mut answers: BTreeMap<u16, Vec<&FoundLine>> = BTreeMap::new();
    for line in snapshot.backend_logs.iter().flatten() {
        if line.at.as_second() >= from
            && let Some(status) = status(&line.message)
        {
            answers.entry(status).or_default().push(line);
        }
    }
    let accepted = answers
        .range(200..300)
        .flat_map(|(_, lines)| lines)
        .map(|line| line.at)
        .max();
    REFUSALS
        .iter()
        .filter_map(|(status, code, cause)| {
            let lines = answers.get(status)?;
            let last = lines.last().filter(|_| lines.len() >= ENOUGH)?;
            let over = now.as_second() - last.at.as_second() > OVER_AFTER * 60;
            // Who comes too often is let in a minute later; the other refusals last.
            let passing = *status == 429 && accepted.is_some_and(|at| at > last.at);
            (!over && !passing).then(|| refused(snapshot, now, (*status, *code, cause), lines, last))
        })
        .collect()
}

fn refused(
    snapshot: &Snapshot,
    now: Timestamp,
    (status, code, cause): (u16, Code, &str),
    lines: &[&FoundLine],
    last: &FoundLine,
) -> Finding {
    let layout = &snapshot.layout;
    let fleets = fleets::joined(snapshot);
    let waiting: Vec<&Fleet<'_>> = fleets
        .iter()
        .filter(|fleet| fleet.group.in_service() > 0 && fleet.unmanned(now, COLD_START))
        .collect();
    let mut finding = Finding::new(code, Node::Registration(status), format!("status {status}"))
        .evidence(format!(
            "{} refused with {status} in {MINUTES} min, the last {}",
            count(lines.len(), "registration"),
            ago(now, last.at)
        ))
        .evidence(quoted(last))
        .cause(cause);
    for fleet in &waiting {
        finding = finding
            .evidence(format!("{}: {}", fleet.id, fleet.load(now)))
            .explains([Node::Workers(fleet.id.clone()), Node::Queue(fleet.id.clone())]);
    }
    if matches!(status, 401 | 503) {
        finding = secrets(snapshot, now, &waiting, finding);
    }
    finding = advise(layout, status, &waiting, finding);
    for fleet in waiting {
        finding = finding.next(commands::worker_log(fleet.id));
    }
    finding
}

/// When the secrets of the stages that wait were written; of all stages where none is known to wait.
fn secrets(snapshot: &Snapshot, now: Timestamp, waiting: &[&Fleet<'_>], mut finding: Finding) -> Finding {
    let concerned =
        snapshot.fleet_secrets.iter().flatten().filter(|secret| {
            waiting.is_empty() || waiting.iter().any(|fleet| fleet.id.stage == secret.stage)
        });
    for secret in concerned {
        if let Some(modified) = secret.modified {
            finding = finding.evidence(format!(
                "`{}` was written {} ({})",
                secret.name,
                at(modified),
                ago(now, modified)
            ));
        }
        finding = finding.next(commands::secret(&secret.name));
    }
    finding
}

fn advise(layout: &Layout, status: u16, waiting: &[&Fleet<'_>], mut finding: Finding) -> Finding {
    match status {
        401 | 503 => {
            finding = finding.next(commands::redeploy(App::Backend));
            for fleet in waiting.iter().filter(|_| status == 401) {
                finding = finding.next(commands::fleet_to_zero(fleet.id));
            }
            finding
        }
        403 => finding
            .next(commands::fleets())
            .next("remove the workers whose instances are gone in the application"),
        404 => {
            for fleet in waiting {
                finding = finding.next(commands::user_data(layout, fleet.id));
            }
            finding
                .next(commands::queue_metrics(crate::layout::FLEET_NAMESPACE))
                .next("give the fleet in the application the slug and stage of its stack, or deploy the stack that it means")
        }
        422 => {
            for fleet in waiting {
                finding = finding
                    .next(commands::fleet_status(fleet.id))
                    .next(commands::fleet_to_zero(fleet.id));
            }
            finding.next("assign a workflow to the fleet in the application")
        }
        _ => {
            for fleet in waiting {
                finding = finding
                    .next(commands::fleet_status(fleet.id))
                    .next(commands::activities(layout, fleet.id));
            }
            finding.next(commands::fleets())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::rules::sample;

    const FLEET: &str = "production/gpu-default";

    fn access(minutes: i64, status: u16) -> FoundLine {
        sample::line(
            minutes,
            "nginx",
            &format!(
                "10.0.1.69 - - [15/Jan/2026:08:58:00 +0000] \"POST /api/worker/register HTTP/1.1\" {status} 38 \"-\" \"python-requests/2.32\""
            ),
        )
    }

    fn with(lines: Vec<FoundLine>) -> Snapshot {
        let mut snapshot = sample::healthy();
        let metrics = snapshot.fleet_metrics.as_mut().unwrap();
        metrics.get_mut(&FLEET.parse().unwrap()).unwrap().workers = sample::series(0..60, 0.0);
        snapshot.backend_logs = Ok(lines);
        snapshot
    }

    #[test]
    fn every_refusal_has_its_own_finding() {
        for (status, code) in [
            (401, Code::RegisterSecret),
            (403, Code::RegisterLimit),
            (404, Code::RegisterFleetUnknown),
            (409, Code::RegisterTwice),
            (422, Code::RegisterNoWorkflow),
            (429, Code::RegisterTooOften),
            (503, Code::RegisterUnset),
        ] {
            let found = rule(&with(vec![access(2, status), access(1, status)]), sample::now());
            assert_eq!(found.len(), 1, "{status}");
            assert_eq!(found[0].code, code);
            assert!(
                found[0].explains.contains(&Node::Workers(FLEET.parse().unwrap())),
                "{status}"
            );
            assert!(found[0].evidence[0].contains(&format!("refused with {status}")));
            assert!(!found[0].next.is_empty());
        }
    }

    #[test]
    fn accepted_and_other_requests_are_none_of_them() {
        assert_eq!(
            rule(&with(vec![access(2, 201), access(1, 201)]), sample::now()),
            []
        );
        let other = "10.0.1.69 - - [15/Jan/2026:08:58:00 +0000] \"POST /api/videos HTTP/1.1\" 401 38";
        let lines = vec![sample::line(2, "nginx", other), sample::line(1, "nginx", other)];
        assert_eq!(rule(&with(lines), sample::now()), []);
    }

    #[test]
    fn what_is_over_is_no_finding() {
        assert_eq!(
            rule(&with(vec![access(9, 401), access(8, 401)]), sample::now()),
            []
        );
        assert_eq!(rule(&with(vec![access(1, 401)]), sample::now()), []);
        let lines = vec![access(4, 429), access(3, 429), access(1, 201)];
        assert_eq!(rule(&with(lines), sample::now()), []);
    }

    #[test]
    fn two_kinds_of_refusals_are_two_findings() {
        let lines = vec![access(4, 401), access(3, 422), access(2, 401), access(1, 422)];
        let found = rule(&with(lines), sample::now());
        let codes: Vec<Code> = found.iter().map(|finding| finding.code).collect();
        assert_eq!(codes, [Code::RegisterSecret, Code::RegisterNoWorkflow]);
    }

    #[test]
    fn an_unread_log_says_nothing() {
        let mut snapshot = with(Vec::new());
        snapshot.backend_logs = Err(sample::blind());
        assert_eq!(rule(&snapshot, sample::now()), []);
    }
}
