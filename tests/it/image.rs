//! `bpctl image`: which images there are and run, what a deployment would change, and which ones go.

use std::time::Duration;

use bpctl_sandbox::{Service, World};
use serde_json::{Value, json};

use crate::support::{Account, Run};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const DELETE: &str = "Ecr:BatchDeleteImage";

fn push(account: &Account, repository: &str, tags: &[&str], ago: Duration) -> String {
    account
        .sandbox
        .with_world(|world: &mut World| world.push_image(repository, tags, true, ago))
        .expect("a repository")
}

/// Digests of a repository, also without tags.
fn digests(account: &Account, repository: &str) -> Vec<String> {
    let input = json!({"repositoryName": repository, "maxResults": 1000});
    let listed = account
        .sandbox
        .with_world(|world| world.call(Service::Ecr, "DescribeImages", &input))
        .expect("images");
    let images = listed["imageDetails"].as_array().expect("a list").clone();
    images
        .iter()
        .filter_map(|image| image["imageDigest"].as_str().map(str::to_owned))
        .collect()
}

fn rows<'a>(document: &'a Value, list: &str) -> &'a Vec<Value> {
    document[list].as_array().expect("a list")
}

fn changes(run: &Run) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    rows(&run.json(), "containers")
        .iter()
        .map(|row| (text(&row["container"]), text(&row["change"])))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn the_list_says_what_runs_where_in_few_calls() {
    for account in [Account::with(&[]), Account::staged(&[])] {
        let run = account.run(&["image", "list", "-o", "json"]).await;
        assert_eq!(run.status.code(), 0, "{}", run.text());
        let document = run.json();
        let running: Vec<&Value> = rows(&document, "images")
            .iter()
            .filter(|row| row["runs"].as_object().is_some_and(|runs| !runs.is_empty()))
            .collect();
        assert_eq!(running.len(), 3, "{}", run.stdout);
        for row in running {
            assert_eq!(row["platforms"], json!(["linux/arm64"]));
            assert!(row["size_bytes"].as_u64() > Some(1_000_000) && row["age_seconds"].as_i64() > Some(0));
            assert!(row["findings"].is_object(), "{row}");
            assert!(row["tags"].to_string().contains("latest"));
        }
        // Account, tasks and their details, images and manifests of each repository, one scan for each that runs.
        assert_eq!(run.calls, 1 + 2 + 2 + 2 + 3, "{}", run.stderr);
    }
}

#[tokio::test(start_paused = true)]
async fn the_list_shows_the_newest_and_all_with_a_flag() {
    let account = Account::with(&[]);
    for number in 0..30 {
        push(
            &account,
            "bp-backend",
            &[&format!("php-00000{number:02}")],
            DAY * 90,
        );
    }
    let shown = async |args: &[&str]| {
        let args = [&["image", "list", "backend", "-o", "json"], args].concat();
        let run = account.run(&args).await;
        (rows(&run.json(), "images").len(), run.calls)
    };
    // One more page of a hundred manifests is all that a long list costs.
    assert_eq!(shown(&[]).await, (10, 1 + 2 + 1 + 1 + 2));
    assert_eq!(shown(&["--all"]).await.0, 36);
    assert_eq!(shown(&["--all", "--findings"]).await, (36, 1 + 2 + 1 + 1 + 36));
}

#[tokio::test(start_paused = true)]
async fn a_push_over_a_tag_is_what_a_deployment_would_change() {
    let account = Account::with(&[]);
    let same = account.run(&["image", "diff", "--exit-code", "-o", "json"]).await;
    assert_eq!(same.status.code(), 0, "{}", same.text());
    assert!(changes(&same).iter().all(|(_, change)| change == "same"));
    push(
        &account,
        "bp-backend",
        &["php-latest", "php-abcdef0"],
        Duration::ZERO,
    );
    let new = account.run(&["image", "diff", "--exit-code", "-o", "json"]).await;
    assert_eq!(new.status.code(), 9, "{}", new.text());
    let expected = [
        ("nginx", "same"),
        ("php-fpm", "new"),
        ("scheduler", "new"),
        ("queue-worker", "new"),
        ("nextjs", "same"),
    ];
    let expected: Vec<(String, String)> = expected
        .iter()
        .map(|(container, change)| ((*container).to_owned(), (*change).to_owned()))
        .collect();
    assert_eq!(changes(&new), expected);
    let table = account.run(&["image", "diff", "backend"]).await;
    assert!(table.stdout.contains("php-abcdef0"), "{}", table.stdout);
    // What runs has lost the tag, and is still told by its own commit.
    assert!(table.stdout.contains("php-900cb88"), "{}", table.stdout);
    let missing = account
        .run(&["image", "diff", "frontend", "--tag", "abcdef0", "-o", "json"])
        .await;
    assert_eq!(changes(&missing), [("nextjs".to_owned(), "missing".to_owned())]);
    assert!(missing.changes.is_empty());
}

#[tokio::test(start_paused = true)]
async fn old_images_go_with_the_images_in_them_and_what_is_needed_stays() {
    let account = Account::with(&[]);
    // What runs is a day old by now; then its tags are taken by newer images.
    account.sandbox.advance(DAY / 4);
    for tags in [
        ["php-latest", "php-900cb88", "php-abcdef0"],
        ["nginx-latest", "nginx-900cb88", "nginx-abcdef0"],
    ] {
        push(&account, "bp-backend", &tags, Duration::ZERO);
    }
    push(&account, "bp-backend", &["v1.2"], DAY * 900);
    let before = digests(&account, "bp-backend");
    let argv = [
        "image",
        "gc",
        "backend",
        "--keep",
        "1",
        "--older-than",
        "1d",
        "-o",
        "json",
    ];
    let dry = account.run(&[&argv[..], &["--dry-run"]].concat()).await;
    assert_eq!((dry.status.code(), dry.changes.len()), (0, 0), "{}", dry.text());
    let refused = account.run(&[&argv[..], &["--yes"]].concat()).await;
    assert!(refused.changes.is_empty() && refused.status.code() != 0);
    assert!(refused.stderr.contains("--confirm"), "{}", refused.stderr);
    let run = account
        .run(&[&argv[..], &["--confirm", "sandbox"]].concat())
        .await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(run.changes, [DELETE, DELETE]);
    let after = digests(&account, "bp-backend");
    // Two older releases of each of the two kinds, each an index with an image and an attestation.
    assert_eq!(before.len() - after.len(), 12, "{}", run.stdout);
    let document = run.json();
    assert_eq!(rows(&document, "images").len(), 12);
    assert!(document["freed_bytes"].as_u64() > Some(400_000_000));
    // The platform still starts tasks, and nothing is left to delete.
    let list = account.run(&["image", "list", "backend", "-o", "json"]).await;
    let tags: Vec<String> = rows(&list.json(), "images")
        .iter()
        .map(|row| row["tags"].to_string())
        .collect();
    for kept in ["php-latest", "nginx-latest", "v1.2"] {
        assert!(tags.iter().any(|tags| tags.contains(kept)), "{tags:?}");
    }
    let again = account.run(&[&argv[..], &["--yes"]].concat()).await;
    assert!(
        again.changes.is_empty() && again.status.code() == 0,
        "{}",
        again.text()
    );
}

#[tokio::test(start_paused = true)]
async fn hundreds_of_images_go_a_hundred_at_a_time() {
    let account = Account::with(&[]);
    for number in 0..130 {
        push(&account, "bp-frontend", &[&format!("{number:07}")], DAY * 90);
    }
    let run = account
        .run(&[
            "image",
            "gc",
            "frontend",
            "--keep",
            "0",
            "--confirm",
            "sandbox",
            "-o",
            "json",
        ])
        .await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    // 130 indexes, then the 260 images in them.
    assert_eq!(run.changes.len(), 2 + 3, "{:?}", run.changes);
    assert_eq!(rows(&run.json(), "images").len(), 390);
}

#[tokio::test(start_paused = true)]
async fn a_repository_that_is_not_there_is_said() {
    let account = Account::with(&[]);
    for verb in [
        &["image", "list"][..],
        &["image", "gc", "--dry-run"],
        &["image", "list", "-o", "json"],
    ] {
        let run = account
            .run_with(verb, |process| {
                process.env.insert("BPCTL_PREFIX".to_owned(), "other".to_owned());
            })
            .await;
        assert_eq!(run.status.code(), 1, "{}", run.text());
        assert!(run.stderr.contains("other-backend"), "{}", run.stderr);
    }
}
