//! Where workers are told to find the backend, against where it is.

use jiff::Timestamp;

use super::fleets;
use crate::triage::catalog::Code;
use crate::triage::commands;
use crate::triage::finding::{Finding, Node};
use crate::triage::snapshot::Snapshot;

/// Fleets whose launch template has another address than the platform.
pub(super) fn rule(snapshot: &Snapshot, now: Timestamp) -> Vec<Finding> {
    let Ok(addresses) = &snapshot.addresses else {
        return Vec::new();
    };
    let Some(platform) = &addresses.platform else {
        return Vec::new();
    };
    let layout = &snapshot.layout;
    fleets::joined(snapshot)
        .iter()
        .filter_map(|fleet| {
            let told = addresses.fleets.get(fleet.id)?;
            if same(told, platform) {
                return None;
            }
            let stack = layout.fleet_stack(fleet.id);
            let mut finding = Finding::new(
                Code::WorkerAddress,
                Node::Address(fleet.id.clone()),
                fleet.id.to_string(),
            )
            .evidence(format!(
                "`{}` of stack `{stack}` tells workers API_BASE_URL=`{told}`",
                layout.launch_template(fleet.id)
            ))
            .evidence(format!("the platform's ApiBaseUrl is `{platform}`"))
            .evidence(format!("{}; {}", fleet.capacity(), fleet.load(now)))
            .cause(cause(told, platform))
            .explains([Node::Workers(fleet.id.clone()), Node::Queue(fleet.id.clone())]);
            if let Some(compute) = layout.core_stack("compute") {
                finding = finding.next(commands::stack_outputs(&compute));
            }
            Some(
                finding
                    .next(commands::user_data(layout, fleet.id))
                    .next(commands::fleet_stack_diff(layout, fleet.id))
                    .next((
                        "with the domain and the certificate in force, and without the stacks it depends on:",
                        commands::fleet_stack_deploy(layout, fleet.id),
                    ))
                    .next("replace the fleet's instances afterwards: they read the address when they boot"),
            )
        })
        .collect()
}

/// Whether two addresses are one, however they end and whatever their case.
fn same(one: &str, other: &str) -> bool {
    let bare = |address: &str| address.trim_end_matches('/').to_ascii_lowercase();
    bare(one) == bare(other)
}

fn cause(told: &str, platform: &str) -> &'static str {
    if told.starts_with("http://") && platform.starts_with("https://") {
        "the fleet was deployed without the domain and the certificate: the load balancer redirects http to https, and a registration (POST) does not survive the redirect"
    } else {
        "the platform's address has changed since the fleet's stack was deployed: its workers call one that is not the platform's"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::rules::sample;
    use crate::triage::snapshot::Addresses;

    fn seen(platform: Option<&str>, told: &str) -> Vec<Finding> {
        let mut snapshot = sample::healthy();
        snapshot.addresses = Ok(Addresses {
            platform: platform.map(str::to_owned),
            fleets: [("production/gpu-default".parse().unwrap(), told.to_owned())].into(),
        });
        rule(&snapshot, sample::now())
    }

    #[test]
    fn the_platforms_own_address_is_right() {
        assert_eq!(seen(Some("https://bp.example.com"), "https://bp.example.com"), []);
        assert_eq!(
            seen(Some("https://bp.example.com"), "https://BP.example.com/"),
            []
        );
        assert_eq!(seen(None, "http://elsewhere"), []);
    }

    #[test]
    fn http_where_the_platform_has_a_certificate_is_a_redirect() {
        let found = seen(
            Some("https://bp.example.com"),
            "http://bp-1.us-east-1.elb.amazonaws.com",
        );
        assert_eq!(found[0].code, Code::WorkerAddress);
        assert!(found[0].cause.contains("redirect"), "{}", found[0].cause);
        assert!(
            found[0]
                .explains
                .contains(&Node::Workers("production/gpu-default".parse().unwrap()))
        );
    }

    #[test]
    fn another_host_is_another_place() {
        let found = seen(Some("http://bp-2.example.com"), "http://bp-1.example.com");
        assert!(found[0].cause.contains("has changed"), "{}", found[0].cause);
    }

    #[test]
    fn what_was_not_read_is_no_finding() {
        let mut snapshot = sample::healthy();
        snapshot.addresses = Err(sample::blind());
        assert_eq!(rule(&snapshot, sample::now()), []);
    }
}
