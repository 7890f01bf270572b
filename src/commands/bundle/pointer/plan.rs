//! From what was seen to the pointers that are moved. Pure.

use super::super::text::size;
use super::observe::{Boot, FleetSeen, Seen};
use super::{BundleAction, MoveAction};
use crate::aws::ssm::pointer::MovePointer;
use crate::change::{Blocker, Call as _, Plan, Step};
use crate::commands::fleet::refresh::RefreshOptions;
use crate::commands::fleet::refresh::within::{MoveOrRefresh, plan_within};
use crate::error::{CommandLine, ErrorKind, Hint};
use crate::layout::Layout;
use crate::output::one_line;

/// Problems that are named in a refusal.
const NAMED: usize = 3;

/// How to go about it.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) layout: &'a Layout,
    pub(super) refresh: Option<&'a RefreshOptions>,
    pub(super) force: bool,
    pub(super) back: bool,
}

pub(super) fn plan(seen: &Seen, asked: &Asked<'_>) -> Plan<BundleAction> {
    let what = match seen.fleets.first().and_then(|fleet| fleet.to.bundle.as_ref()) {
        _ if asked.back => "roll back the bundle".to_owned(),
        Some(bundle) => format!("activate bundle {bundle}"),
        None => "activate no bundle".to_owned(),
    };
    let fleets: Vec<String> = seen.fleets.iter().map(|fleet| fleet.fleet.to_string()).collect();
    let mut plan = Plan::new(format!("{what} on {}", fleets.join(", ")), Vec::new());
    for fleet in &seen.fleets {
        let Some((before, version)) = &fleet.pointer else {
            plan.blockers.push(Blocker {
                kind: ErrorKind::NotFound,
                reason: format!(
                    "move the pointer of {}: there is no parameter `{}`",
                    fleet.fleet, fleet.parameter
                ),
                hint: Hint::new("deploy the fleet's stack: it creates the parameter"),
            });
            continue;
        };
        let mut needs = Vec::new();
        if let Some(why) = &fleet.stays {
            plan.warnings.push(why.clone());
        } else if *before != fleet.to.value {
            check(fleet, asked.force, &mut plan);
            plan.steps.push(move_step(fleet, before, *version, asked.back));
            needs.push(fleet.fleet.to_string());
        }
        if let (Some(options), Some(refresh)) = (asked.refresh, &fleet.refresh) {
            let inner = plan_within(asked.layout, &fleet.fleet, options, refresh, &needs);
            plan.blockers.extend(inner.blockers);
            plan.warnings.extend(inner.warnings);
            plan.steps.extend(inner.steps);
        }
    }
    plan
}

/// What speaks against the bundle, and what is not known of it.
fn check(fleet: &FleetSeen, force: bool, plan: &mut Plan<BundleAction>) {
    let Some(label) = fleet.to.bundle.as_deref() else {
        plan.warnings.push(format!(
            "{}: no bundle is active then: new nodes have what their image has",
            fleet.fleet
        ));
        return;
    };
    let problems = fleet.to.problems.as_slice();
    if !problems.is_empty() {
        let told: Vec<String> = problems
            .iter()
            .take(NAMED)
            .map(|problem| one_line(&format!("{}: {}", problem.about, problem.what)))
            .collect();
        let more = match problems.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        let reason = format!("bundle {label} fails its verification: {}{more}", told.join("; "));
        if force {
            plan.warnings
                .push(format!("{reason}; activated all the same (`--force`)"));
        } else if plan
            .blockers
            .iter()
            .all(|blocker| !blocker.reason.contains(label))
        {
            plan.blockers.push(Blocker {
                kind: ErrorKind::Failed,
                reason: format!("activate it: {reason}"),
                hint: Hint::new("see everything that is wrong with")
                    .command(CommandLine::bpctl(["bundle", "verify", label, "--deep"]))
                    .and("; `--force` activates it all the same"),
            });
        }
    }
    if !fleet.to.hashed {
        let warning = format!(
            "the content of bundle {label} was not read ({}): `--deep` hashes it",
            size(fleet.to.bytes)
        );
        if !plan.warnings.contains(&warning) {
            plan.warnings.push(warning);
        }
    }
}

fn move_step(fleet: &FleetSeen, before: &str, version: i64, back: bool) -> Step<BundleAction> {
    let call = MovePointer {
        name: fleet.parameter.clone(),
        value: fleet.to.value.clone(),
    };
    let calls = vec![call.described()];
    let action = MoveAction {
        fleet: fleet.fleet.clone(),
        call,
        before: before.to_owned(),
        version: Some(version),
    };
    let summary = if back {
        "move the pointer back"
    } else {
        "move the pointer"
    };
    let mut step = Step::new(
        fleet.fleet.to_string(),
        summary,
        calls,
        MoveOrRefresh::Move(action),
    )
    .changing(before, &fleet.to.value);
    step.notes = notes(fleet);
    step
}

/// What the nodes will do.
pub(super) fn notes(fleet: &FleetSeen) -> Vec<String> {
    let mut notes = Vec::new();
    let image = fleet.image.as_deref().unwrap_or("no known image");
    notes.push(match (&fleet.boot, &fleet.baked) {
        (Boot::Skip, _) => {
            format!("new nodes start from {image}, which has this bundle: they skip the synchronisation")
        }
        (Boot::Nothing, _) => format!("new nodes start from {image} and fetch nothing"),
        (Boot::Sync(bytes), Some(baked)) => format!(
            "new nodes start from {image} with bundle {baked}: they synchronise {} while they boot",
            size(*bytes)
        ),
        (Boot::Sync(bytes), None) => format!(
            "new nodes start from {image} without a bundle: they synchronise {} while they boot",
            size(*bytes)
        ),
    });
    if let Some(bytes) = fleet.differing {
        notes.push(format!(
            "{} differ from the bundle that is active now",
            size(bytes)
        ));
    }
    notes.push(match fleet.running {
        Some(running) if running > 0 && fleet.refresh.is_some() => {
            "the nodes that run now are replaced afterwards".to_owned()
        }
        None => "there is no Auto Scaling group".to_owned(),
        Some(0) => "no node runs now".to_owned(),
        Some(1) => "1 node runs now and keeps its bundle until it is replaced".to_owned(),
        Some(running) => format!("{running} nodes run now and keep their bundle until they are replaced"),
    });
    notes
}

#[cfg(test)]
mod tests {
    use super::super::observe::To;
    use super::*;
    use crate::bundle::Problem;
    use crate::layout::LayoutKind;

    fn fleet(before: &str) -> FleetSeen {
        FleetSeen {
            fleet: "staging/a".parse().unwrap(),
            parameter: "/bp/fleets/staging/a/active_bundle".to_owned(),
            pointer: Some((before.to_owned(), 3)),
            to: To {
                value: "bundles/b-2".to_owned(),
                bundle: Some("b-2".to_owned()),
                bundle_id: Some("b-2".to_owned()),
                bytes: 5_000,
                problems: Vec::new(),
                hashed: true,
            },
            stays: None,
            image: Some("ami-1".to_owned()),
            baked: Some("b-1".to_owned()),
            boot: Boot::Sync(5_000),
            differing: Some(1_000),
            running: Some(2),
            refresh: None,
        }
    }

    fn planned(fleet: FleetSeen, force: bool) -> Plan<BundleAction> {
        let asked = Asked {
            layout: &Layout::new(LayoutKind::Single, "bp", None).unwrap(),
            refresh: None,
            force,
            back: false,
        };
        plan(&Seen { fleets: vec![fleet] }, &asked)
    }

    #[test]
    fn a_pointer_moves_and_the_nodes_are_told_of() {
        let plan = planned(fleet("bundles/b-1"), false);
        assert_eq!(plan.steps.len(), 1);
        assert_eq!(
            plan.steps[0].notes,
            [
                "new nodes start from ami-1 with bundle b-1: they synchronise 5.0 kB while they boot",
                "1.0 kB differ from the bundle that is active now",
                "2 nodes run now and keep their bundle until they are replaced",
            ]
        );
        assert!(plan.warnings.is_empty() && plan.blockers.is_empty());
    }

    #[test]
    fn a_pointer_that_is_right_stays() {
        let plan = planned(fleet("bundles/b-2"), false);
        assert!(plan.steps.is_empty() && plan.blockers.is_empty());
    }

    #[test]
    fn a_bundle_that_fails_is_refused_unless_forced() {
        let mut bad = fleet("bundles/b-1");
        bad.to.problems = vec![Problem {
            code: "object-missing",
            about: "models/vae/x".to_owned(),
            what: "there is no object `x`".to_owned(),
        }];
        let refused = planned(bad.clone(), false);
        assert_eq!(refused.blockers.len(), 1);
        assert_eq!(refused.blockers[0].kind, ErrorKind::Failed);
        let forced = planned(bad, true);
        assert!(forced.blockers.is_empty() && forced.warnings[0].contains("`--force`"));
    }

    #[test]
    fn a_missing_parameter_is_no_reason_to_make_one() {
        let mut missing = fleet("x");
        missing.pointer = None;
        let plan = planned(missing, true);
        assert!(plan.steps.is_empty());
        assert_eq!(plan.blockers[0].kind, ErrorKind::NotFound);
    }

    #[test]
    fn content_that_was_not_read_is_said() {
        let mut large = fleet("bundles/b-1");
        large.to.hashed = false;
        assert!(planned(large, false).warnings[0].contains("was not read"));
    }
}
