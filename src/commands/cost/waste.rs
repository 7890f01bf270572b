//! What is paid for and needed by nothing that was seen. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::count::{is_marked, is_own_gateway};
use super::observe::Seen;
use crate::aws::ec2::Machine;
use crate::aws::logs::{Kept, LogGroup};
use crate::aws::rds::removal::ListedSnapshot;
use crate::commands::image::gc::OldImages;
use crate::error::CommandLine;
use crate::layout::{App, Layout};
use crate::leftovers::{Every, is_of_backup};
use crate::output::{age_at, counted};
use crate::prices::{Prices, Product, cents};

/// Snapshots of databases are old from here on: as long as backups are commonly kept.
const OLD: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// For how long a dev instance may run: its own timer ends it after hours, and one that was started again has none
/// (workflow create-dev-gpu-instance).
const LONG_RUN: Duration = Duration::from_secs(24 * 60 * 60);

/// Days that the events of a log group are kept that nothing else sets a number for (runbook, "Log Groups & Retention").
const LOG_DAYS: &str = "30";

/// What is wasted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    NatGateway,
    Address,
    Volume,
    DatabaseSnapshot,
    MachineImage,
    ImageSnapshot,
    LogGroup,
    DevInstance,
    ContainerImages,
}

impl Kind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::NatGateway => "NAT gateway",
            Self::Address => "address",
            Self::Volume => "volume",
            Self::DatabaseSnapshot => "database snapshot",
            Self::MachineImage => "machine image",
            Self::ImageSnapshot => "image snapshot",
            Self::LogGroup => "log group",
            Self::DevInstance => "dev instance",
            Self::ContainerImages => "container images",
        }
    }
}

/// One thing that costs for nothing.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Waste {
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) why: String,
    /// US dollars; `None` where the price is not known.
    pub(super) per_month: Option<f64>,
    /// What ends it.
    pub(super) command: CommandLine,
}

/// All of it, by kind, and what could not be looked at.
pub(super) fn waste(
    seen: &Seen,
    layout: &Layout,
    prices: &Prices,
    now: Timestamp,
) -> (Vec<Waste>, Vec<String>) {
    let every = Every::of(layout);
    let mut all = Vec::new();
    let mut gaps = Vec::new();
    match (&seen.gateways, &seen.outputs, idles(seen)) {
        (Ok(gateways), Ok(outputs), Some(true)) => {
            let own = gateways
                .iter()
                .filter(|one| one.state == "available" && is_own_gateway(one, outputs));
            all.extend(own.map(|gateway| Waste {
                kind: Kind::NatGateway,
                name: gateway.id.clone(),
                why: "no task and no instance of a fleet runs behind it; it goes with the network, and everything on that".to_owned(),
                per_month: prices.nat_gateway().map(cents),
                command: CommandLine::bpctl(["teardown", "--dry-run"]),
            }));
        }
        (_, _, Some(false)) => {}
        _ => gaps.push("whether anything runs behind the NAT gateways is not known".to_owned()),
    }
    match &seen.addresses {
        Ok(addresses) => all.extend(addresses.iter().filter(|one| !one.used).map(|address| Waste {
            kind: Kind::Address,
            name: address.ip.clone(),
            why: format!("nothing has it{}", whose(&address.tags, &every)),
            per_month: prices.running(&Product::PublicAddress),
            command:
                CommandLine::aws("ec2", "release-address").option("--allocation-id", &address.allocation),
        })),
        Err(why) => gaps.push(format!("addresses could not be read: {why}")),
    }
    match &seen.volumes {
        Ok(volumes) => all.extend(
            volumes
                .iter()
                .filter(|one| one.state == "available")
                .map(|volume| Waste {
                    kind: Kind::Volume,
                    name: volume.id.clone(),
                    why: format!(
                        "{} GiB of {}, {} old, and no instance has it{}",
                        volume.gib,
                        volume.kind,
                        age_at(now, volume.created),
                        whose(&volume.tags, &every)
                    ),
                    per_month: prices.stored(&Product::Volume(volume.kind.clone()), f64::from(volume.gib)),
                    command: CommandLine::aws("ec2", "delete-volume").option("--volume-id", &volume.id),
                }),
        ),
        Err(why) => gaps.push(format!("volumes could not be read: {why}")),
    }
    match &seen.data {
        Ok(data) => all.extend(snapshots(&data.facts.database_snapshots, prices, now)),
        Err(why) => gaps.push(format!("database snapshots could not be read: {why}")),
    }
    match &seen.unneeded {
        Ok(unneeded) => all.extend(unneeded.iter().map(|one| images(one, prices))),
        Err(why) => gaps.push(format!("what needs the machine images could not be read: {why}")),
    }
    match &seen.old_images {
        Ok(old) => all.extend(old.iter().map(|one| container_images(one, prices, now))),
        Err(why) => gaps.push(format!(
            "what needs the container images could not be read: {why}"
        )),
    }
    match &seen.logs {
        Ok(logs) => all.extend(log_groups(&logs.facts.log_groups, layout, seen, prices)),
        Err(why) => gaps.push(format!("log groups could not be read: {why}")),
    }
    match &seen.machines {
        Ok(machines) => all.extend(
            machines
                .facts
                .machines
                .iter()
                .filter_map(|machine| dev_instance(machine, prices, now)),
        ),
        Err(why) => gaps.push(format!("dev instances could not be read: {why}")),
    }
    all.sort_by(|one, other| (one.kind, &one.name).cmp(&(other.kind, &other.name)));
    (all, gaps)
}

/// Whether nothing of the platform runs; `None` when that could not be looked at.
fn idles(seen: &Seen) -> Option<bool> {
    let tasks = seen.tasks.as_ref().ok().map(Vec::len);
    let fleets = seen.fleets.as_ref().ok();
    let instances = fleets.map(|groups| groups.values().map(|group| group.instances.len()).sum::<usize>());
    match (tasks, instances) {
        (Some(tasks), Some(instances)) => Some(tasks + instances == 0),
        // One that runs is enough.
        (Some(some), None) | (None, Some(some)) if some > 0 => Some(false),
        _ => None,
    }
}

/// Whether it is known to be the platform's.
fn whose(tags: &BTreeMap<String, String>, every: &Every) -> &'static str {
    if is_marked(tags, every) {
        ""
    } else {
        "; it has no mark of the platform, so that it may be somebody else's"
    }
}

/// Manual snapshots that are old, but for the newest of each database, and those that backups stand on.
fn snapshots<'a>(
    all: &'a [ListedSnapshot],
    prices: &'a Prices,
    now: Timestamp,
) -> impl Iterator<Item = Waste> + 'a {
    let is_old = move |taken: Option<Timestamp>| {
        taken.is_some_and(|at| now.duration_since(at).unsigned_abs() >= OLD && at < now)
    };
    let is_newest = |one: &ListedSnapshot| {
        let same = all.iter().filter(|other| other.instance == one.instance);
        same.map(|other| other.taken).max() == Some(one.taken)
    };
    let is_waste = move |one: &&ListedSnapshot| is_old(one.taken) && !is_newest(one) && !is_of_backup(one);
    let old = all.iter().filter(is_waste);
    old.map(move |one| Waste {
        kind: Kind::DatabaseSnapshot,
        name: one.id.clone(),
        why: format!(
            "{} old, and there is a newer one of {}",
            age_at(now, one.taken),
            one.instance
        ),
        per_month: prices.database_snapshot(one.allocated),
        command: CommandLine::aws("rds", "delete-db-snapshot").option("--db-snapshot-identifier", &one.id),
    })
}

fn images(one: &crate::commands::ami::gc::Unneeded, prices: &Prices) -> Waste {
    let gib: u64 = one.snapshots.iter().map(|(_, gib)| gib).sum();
    let (kind, name, why) = match &one.image {
        Some(image) => (
            Kind::MachineImage,
            image.clone(),
            format!("no pointer, launch template or instance needs it; its snapshots have at most {gib} GiB"),
        ),
        None => {
            let names: Vec<&str> = one.snapshots.iter().map(|(id, _)| id.as_str()).collect();
            let why = format!("no image stands on it; at most {gib} GiB");
            (Kind::ImageSnapshot, names.join(", "), why)
        }
    };
    Waste {
        kind,
        name,
        why,
        per_month: prices.volume_snapshot(gib),
        command: CommandLine::bpctl(["ami", "gc"]),
    }
}

/// Images of a repository that nothing runs, names or could go back to, and that are old.
fn container_images(one: &OldImages, prices: &Prices, now: Timestamp) -> Waste {
    Waste {
        kind: Kind::ContainerImages,
        name: one.repository.clone(),
        why: format!(
            "{} that no task, task definition or deployment on record needs, at most {:.2} GB; the oldest is {} old",
            counted(one.count as u64, "image"),
            one.bytes as f64 / 1e9,
            age_at(now, one.oldest)
        ),
        per_month: prices.bytes(&Product::Images, one.bytes),
        command: CommandLine::bpctl(["image", "gc"]),
    }
}

/// Groups whose events stay for ever.
fn log_groups<'a>(
    all: &'a [LogGroup],
    layout: &'a Layout,
    seen: &'a Seen,
    prices: &'a Prices,
) -> impl Iterator<Item = Waste> + 'a {
    let fleets = seen.fleets.iter().flatten();
    let mut mended: Vec<String> = fleets.map(|(fleet, _)| layout.fleet_log_group(fleet)).collect();
    mended.extend([App::Backend, App::Frontend].map(|app| layout.log_group(app)));
    let for_ever = all.iter().filter(|group| group.kept == Kept::Always);
    for_ever.map(move |group| Waste {
        kind: Kind::LogGroup,
        name: group.name.clone(),
        why: "it has no retention: its events stay, and cost, for ever".to_owned(),
        per_month: prices.bytes(&Product::Logs, group.bytes),
        command: match mended.contains(&group.name) {
            true => CommandLine::bpctl(["monitoring", "apply"]),
            false => CommandLine::aws("logs", "put-retention-policy")
                .option("--log-group-name", &group.name)
                .option("--retention-in-days", LOG_DAYS),
        },
    })
}

fn dev_instance(machine: &Machine, prices: &Prices, now: Timestamp) -> Option<Waste> {
    let kind = machine.instance_type.as_deref().unwrap_or("?");
    let (runs, why) = match machine.state.as_deref() {
        Some("stopped") => (false, "it is stopped, and its volume costs on".to_owned()),
        Some("running") => {
            let launched = machine.launched?;
            let since = now.duration_since(launched);
            if since.is_negative() || since.unsigned_abs() < LONG_RUN {
                return None;
            }
            let why = format!(
                "it has run for {}: one that was started again has no timer",
                age_at(now, Some(launched))
            );
            (true, why)
        }
        _ => return None,
    };
    Some(Waste {
        kind: Kind::DevInstance,
        name: machine.id.clone(),
        why,
        per_month: prices.dev_instance(kind, runs),
        command: CommandLine::bpctl(["fleet", "dev", "terminate"]).args([&machine.id]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::ec2::{Address, NatGateway, Volume};
    use crate::layout::LayoutKind;

    const DAY: i64 = 24 * 60 * 60;

    fn ago(days: i64) -> Option<Timestamp> {
        Timestamp::from_second((1_000 - days) * DAY).ok()
    }

    fn found(seen: &Seen) -> (Vec<Waste>, Vec<String>) {
        let layout = Layout::new(LayoutKind::Single, "bp", None).unwrap();
        waste(seen, &layout, &Prices::table(), ago(0).unwrap())
    }

    fn names(found: &[Waste]) -> Vec<(&str, Option<f64>)> {
        let all = found.iter();
        all.map(|one| (one.name.as_str(), one.per_month.map(cents)))
            .collect()
    }

    #[test]
    fn what_nothing_has_is_waste_and_says_whether_it_is_the_platforms() {
        let volume = |id: &str, state: &str, tags: &[(&str, &str)]| Volume {
            id: id.to_owned(),
            kind: "gp3".to_owned(),
            gib: 100,
            state: state.to_owned(),
            created: ago(3),
            tags: tags
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
            ..Volume::default()
        };
        let address = |ip: &str, used: bool| Address {
            allocation: format!("eipalloc-{ip}"),
            ip: ip.to_owned(),
            used,
            ..Address::default()
        };
        let seen = Seen {
            volumes: Ok(vec![
                volume("vol-ours", "available", &[("FleetSlug", "a")]),
                volume("vol-theirs", "available", &[]),
                volume("vol-used", "in-use", &[]),
            ]),
            addresses: Ok(vec![address("203.0.113.1", true), address("203.0.113.2", false)]),
            ..Seen::nothing()
        };
        let (all, gaps) = found(&seen);
        assert_eq!(
            names(&all),
            [
                ("203.0.113.2", Some(3.65)),
                ("vol-ours", Some(8.0)),
                ("vol-theirs", Some(8.0))
            ]
        );
        assert!(!all[1].why.contains("somebody else"), "{}", all[1].why);
        assert!(all[2].why.contains("somebody else"), "{}", all[2].why);
        assert_eq!(
            all[1].command.to_string(),
            "aws ec2 delete-volume --volume-id vol-ours"
        );
        assert_eq!(gaps, [""; 0]);
    }

    #[test]
    fn a_gateway_is_waste_only_when_it_is_known_that_nothing_runs() {
        let gateway = NatGateway {
            id: "nat-1".to_owned(),
            state: "available".to_owned(),
            vpc: Some("vpc-1".to_owned()),
            addresses: 1,
            created: None,
        };
        let idle = || Seen {
            outputs: Ok([("VpcId".to_owned(), "vpc-1".to_owned())].into()),
            gateways: Ok(vec![gateway.clone()]),
            ..Seen::nothing()
        };
        assert_eq!(names(&found(&idle()).0), [("nat-1", Some(36.5))]);
        let busy = Seen {
            tasks: Ok(vec![crate::aws::ecs::BilledTask::default()]),
            ..idle()
        };
        assert_eq!(found(&busy), (Vec::new(), Vec::new()));
        let unknown = Seen {
            tasks: Err("refused".to_owned()),
            ..idle()
        };
        let (all, gaps) = found(&unknown);
        assert_eq!((all.len(), gaps.len()), (0, 1));
    }

    #[test]
    fn the_newest_snapshot_of_a_database_is_no_waste_however_old() {
        let snapshot = |id: &str, instance: &str, days: i64| ListedSnapshot {
            id: id.to_owned(),
            instance: instance.to_owned(),
            allocated: 20,
            taken: ago(days),
            ..ListedSnapshot::default()
        };
        let all = [
            snapshot("old", "a", 90),
            snapshot("older", "a", 120),
            snapshot("newest", "a", 60),
            snapshot("young", "b", 3),
            snapshot("only", "c", 400),
        ];
        let prices = Prices::table();
        let wasted: Vec<Waste> = snapshots(&all, &prices, ago(0).unwrap()).collect();
        assert_eq!(names(&wasted), [("old", Some(1.9)), ("older", Some(1.9))]);
    }

    #[test]
    fn a_dev_instance_is_waste_when_it_is_stopped_or_forgotten() {
        let machine = |state: &str, days: i64| Machine {
            id: "i-1".to_owned(),
            state: Some(state.to_owned()),
            instance_type: Some("g4dn.xlarge".to_owned()),
            launched: ago(days),
            ..Machine::default()
        };
        let wasted = |state: &str, days: i64| {
            dev_instance(&machine(state, days), &Prices::table(), ago(0).unwrap()).map(|one| one.per_month)
        };
        assert_eq!(wasted("stopped", 9), Some(Some(8.0)));
        assert_eq!(wasted("running", 2), Some(Some(391.98)));
        assert_eq!((wasted("running", 0), wasted("terminated", 9)), (None, None));
    }
}
