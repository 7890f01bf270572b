use super::*;

const DAY: u64 = 24 * 60 * 60;

fn now() -> Timestamp {
    "2026-01-15T09:00:00Z".parse().unwrap()
}

fn ago(days: u64) -> Option<Timestamp> {
    now().checked_sub(Duration::from_secs(days * DAY)).ok()
}

fn image(id: &str, days: u64, snapshots: &[&str]) -> Image {
    Image {
        id: id.to_owned(),
        state: "available".to_owned(),
        created: ago(days),
        snapshots: snapshots.iter().map(|id| (*id).to_owned()).collect(),
        ..Image::default()
    }
}

fn snapshot(id: &str, days: u64) -> Snapshot {
    Snapshot {
        id: id.to_owned(),
        gib: 100,
        state: "completed".to_owned(),
        started: ago(days),
        name: None,
    }
}

const RULES: Rules = Rules {
    keep: 5,
    older_than: Duration::from_secs(7 * DAY),
};

/// The calls of each step, in order.
fn calls(seen: &Seen) -> Vec<(String, Vec<String>)> {
    sort(seen, RULES, now())
        .steps
        .iter()
        .map(|step| {
            let calls = step.calls.iter().map(|call| call.label());
            (step.id.clone(), calls.collect())
        })
        .collect()
}

fn ids(seen: &Seen) -> Vec<String> {
    calls(seen).into_iter().map(|(id, _)| id).collect()
}

#[test]
fn an_old_image_that_nothing_needs_goes_with_its_snapshot() {
    let seen = Seen {
        images: vec![image("ami-old", 30, &["snap-old"])],
        snapshots: vec![snapshot("snap-old", 30)],
        ..Seen::default()
    };
    assert_eq!(
        calls(&seen),
        [(
            "ami-old".to_owned(),
            vec!["ec2:DeregisterImage".to_owned(), "ec2:DeleteSnapshot".to_owned()]
        )]
    );
    let plan = plan(&seen, RULES, now());
    assert!(
        plan.title.contains("1 image ") && plan.title.contains("at most 100 GiB"),
        "{}",
        plan.title
    );
    assert!(plan.steps[0].calls.iter().all(|call| call.loses.is_some()));
}

#[test]
fn images_in_use_young_ones_and_those_under_way_stay() {
    let mut seen = Seen {
        images: vec![
            image("ami-used", 30, &["snap-1"]),
            image("ami-young", 6, &["snap-2"]),
            Image {
                state: "pending".to_owned(),
                ..image("ami-pending", 30, &[])
            },
            Image {
                created: None,
                ..image("ami-timeless", 30, &[])
            },
        ],
        snapshots: vec![snapshot("snap-1", 30), snapshot("snap-2", 30)],
        ..Seen::default()
    };
    seen.usage
        .keep("ami-used".to_owned(), "a fleet points to it".to_owned());
    assert!(ids(&seen).is_empty(), "{:?}", ids(&seen));
}

#[test]
fn a_snapshot_that_a_kept_image_stands_on_stays() {
    let mut seen = Seen {
        images: vec![
            image("ami-old", 30, &["snap-1"]),
            image("ami-used", 30, &["snap-1"]),
        ],
        snapshots: vec![snapshot("snap-1", 30)],
        ..Seen::default()
    };
    seen.usage
        .keep("ami-used".to_owned(), "a fleet points to it".to_owned());
    let only = vec![("ami-old".to_owned(), vec!["ec2:DeregisterImage".to_owned()])];
    assert_eq!(calls(&seen), only);
    // The same for an image that bpctl would never touch.
    seen.others = vec![seen.images.remove(1)];
    assert_eq!(calls(&seen), only);
}

#[test]
fn a_snapshot_of_two_images_goes_with_the_last_of_them() {
    let seen = Seen {
        images: vec![image("ami-1", 30, &["snap-1"]), image("ami-2", 30, &["snap-1"])],
        snapshots: vec![snapshot("snap-1", 30)],
        ..Seen::default()
    };
    let steps = sort(&seen, RULES, now()).steps;
    let counts: Vec<usize> = steps.iter().map(|step| step.action.snapshots.len()).collect();
    assert_eq!(counts, [0, 1]);
}

#[test]
fn a_snapshot_without_the_tag_stays_and_is_told_of() {
    let seen = Seen {
        images: vec![image("ami-old", 30, &["snap-unmarked"])],
        ..Seen::default()
    };
    let sorted = sort(&seen, RULES, now());
    assert!(sorted.steps[0].action.snapshots.is_empty());
    assert!(
        sorted.warnings[0].contains("snap-unmarked"),
        "{:?}",
        sorted.warnings
    );
}

#[test]
fn a_snapshot_that_an_image_has_left_behind_goes_alone() {
    let pending = Snapshot {
        state: "pending".to_owned(),
        ..snapshot("snap-pending", 30)
    };
    let seen = Seen {
        snapshots: vec![snapshot("snap-left", 30), snapshot("snap-young", 1), pending],
        ..Seen::default()
    };
    assert_eq!(ids(&seen), ["snap-left"]);
}
