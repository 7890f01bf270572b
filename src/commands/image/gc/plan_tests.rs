use super::*;
use crate::aws::ecr::Manifest;

const DAY: u64 = 24 * 60 * 60;

fn now() -> Timestamp {
    "2026-01-15T09:00:00Z".parse().unwrap()
}

fn image(digest: &str, tags: &[&str], days: u64) -> Image {
    Image {
        digest: digest.to_owned(),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        pushed: now().checked_sub(Duration::from_secs(days * DAY)).ok(),
        bytes: Some(1_000_000),
        is_index: false,
    }
}

fn repository(images: Vec<Image>, indexes: &[(&str, &[&str])]) -> RepositorySeen {
    RepositorySeen {
        name: "bp-backend".to_owned(),
        images,
        manifests: indexes
            .iter()
            .map(|(digest, parts)| {
                let manifest = Manifest {
                    digest: (*digest).to_owned(),
                    parts: parts.iter().map(|part| (*part).to_owned()).collect(),
                    ..Manifest::default()
                };
                ((*digest).to_owned(), manifest)
            })
            .collect(),
    }
}

fn rules(keep: usize) -> Rules {
    Rules {
        keep,
        older_than: Duration::from_secs(30 * DAY),
    }
}

fn goes(repository: &RepositorySeen, keep: usize) -> (Vec<String>, Vec<String>) {
    let sorted = sort(repository, &Usage::default(), rules(keep), now());
    let digests = |victims: &[Victim]| victims.iter().map(|victim| victim.digest.clone()).collect();
    (digests(&sorted.first), digests(&sorted.parts))
}

#[test]
fn old_images_with_a_commits_tag_go_beyond_the_newest_of_their_kind() {
    let seen = repository(
        vec![
            image("p1", &["php-1111111"], 40),
            image("p2", &["php-2222222"], 50),
            image("p3", &["php-3333333"], 60),
            image("n1", &["nginx-1111111"], 90),
        ],
        &[],
    );
    assert_eq!(goes(&seen, 1).0, ["p2", "p3"]);
    assert_eq!(goes(&seen, 0).0, ["p1", "p2", "p3", "n1"]);
    assert!(goes(&seen, 3).0.is_empty());
}

#[test]
fn young_images_and_other_tags_stay() {
    let seen = repository(
        vec![
            image("young", &["php-1111111"], 29),
            image("moving", &["php-latest", "php-2222222"], 90),
            image("release", &["v1.2"], 900),
            image("pushed now", &[], 0),
            image("untagged", &[], 2),
        ],
        &[],
    );
    assert_eq!(goes(&seen, 0).0, ["untagged"]);
}

#[test]
fn an_image_without_a_time_stays() {
    let unknown = Image {
        pushed: None,
        ..image("x", &["php-1111111"], 90)
    };
    assert!(goes(&repository(vec![unknown], &[]), 0).0.is_empty());
}

#[test]
fn the_images_of_an_index_stay_and_go_with_it() {
    let seen = repository(
        vec![
            image("kept", &["php-latest"], 90),
            image("kept part", &[], 90),
            image("old", &["php-1111111"], 90),
            image("old part", &[], 90),
            image("orphan", &[], 90),
        ],
        &[("kept", &["kept part"]), ("old", &["old part"])],
    );
    let (first, parts) = goes(&seen, 0);
    assert_eq!(first, ["old", "orphan"]);
    assert_eq!(parts, ["old part"]);
}

#[test]
fn a_part_that_two_indexes_share_stays_with_either() {
    let seen = repository(
        vec![
            image("kept", &["php-latest"], 90),
            image("old", &["php-1111111"], 90),
            image("shared", &[], 90),
        ],
        &[("kept", &["shared"]), ("old", &["shared"])],
    );
    let (first, parts) = goes(&seen, 0);
    assert_eq!((first, parts), (vec!["old".to_owned()], Vec::new()));
}

#[test]
fn requests_take_a_hundred_and_parts_come_after_all_indexes() {
    let victims = |count: usize, of: &str| -> Vec<Victim> {
        (0..count)
            .map(|number| Victim {
                digest: format!("{of}{number}"),
                tags: Vec::new(),
                bytes: None,
            })
            .collect()
    };
    let sorted = Sorted {
        first: victims(101, "i"),
        parts: victims(100, "p"),
        stay: 0,
    };
    let steps = steps("bp-backend", &sorted);
    let sizes: Vec<usize> = steps.iter().map(|step| step.action.digests.len()).collect();
    assert_eq!(sizes, [100, 1, 100]);
    assert!(steps[1].needs.is_empty());
    assert_eq!(steps[2].needs, ["bp-backend 1", "bp-backend 2"]);
    assert!(steps.iter().all(|step| step.calls[0].loses.is_some()));
    assert_eq!(requests(201), 4);
}
