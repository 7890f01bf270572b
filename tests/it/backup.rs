//! `bpctl backup`: what is copied, what is refused, and what a run that was cut off leaves.

use std::fs;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bpctl_sandbox::{Fault, FaultRule, Options, Service};
use serde_json::{Value, json};

use crate::backups::{
    BUCKET, ELSEWHERE, FOLDER, IDENTITY, KEY, KEYS, MEDIA, RECIPIENT, digest, files, lay_keys, manifest,
    object, objects, opened, prepared, replace, saved, snapshots, value_of,
};
use crate::broken_network::{Break, Network};
use crate::campaign_verbs::over;
use crate::restore::RESTORE;
use crate::secrets::stored;
use crate::support::Account;

/// The folder of a complete backup holds all objects, and opens.
fn assert_whole(account: &Account, label: &str) {
    let manifest = manifest(account);
    let folder = saved(account);
    let sealed = fs::read(folder.join("secrets.age")).expect("secrets");
    assert_eq!(manifest["secrets"]["sha256"], digest(&sealed).as_str(), "{label}");
    let key = stored(account, "/bp/laravel/app-key");
    assert_eq!(
        value_of(&opened(&sealed), "/bp/laravel/app-key"),
        Some(key.as_str()),
        "{label}"
    );
    for bucket in manifest["buckets"].as_array().expect("a list") {
        let (role, name) = (
            bucket["role"].as_str().unwrap(),
            bucket["bucket"].as_str().unwrap(),
        );
        let list = folder.join(bucket["list"][0].as_str().unwrap());
        let lines = fs::read(&list).expect("a list");
        assert_eq!(bucket["list"][1], digest(&lines).as_str(), "{label}");
        let lines = String::from_utf8(lines).expect("text");
        let mut there = objects(account, name, "");
        there.retain(|(key, _)| role != "logs" || !key.starts_with("bpctl/"));
        assert_eq!(bucket["objects"], there.len(), "{label}");
        for (key, size) in there {
            let line = lines
                .lines()
                .rev()
                .filter_map(|line| serde_json::from_str::<Value>(line).ok())
                .find(|line| line["key"] == key.as_str())
                .unwrap_or_else(|| panic!("{key} is not in the list: {label}"));
            let file = folder
                .join("buckets")
                .join(role)
                .join(line["file"].as_str().unwrap());
            let bytes = fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            assert_eq!(bytes, object(account, name, &key), "{key}: {label}");
            assert_eq!(line["size"], size, "{label}");
            assert_eq!(line["sha256"], digest(&bytes).as_str(), "{label}");
        }
    }
    let snapshot = manifest["database"]["snapshot"].as_str().expect("a snapshot");
    let mut all = snapshots(account).into_iter();
    let found = all
        .find(|one| one["DBSnapshotIdentifier"] == snapshot)
        .expect("it is there");
    assert_eq!(found["Status"], "available", "{label}");
    assert_eq!(found["DBSnapshotArn"], manifest["database"]["arn"], "{label}");
}

#[tokio::test(start_paused = true)]
async fn a_folder_gets_everything_and_no_value_stands_anywhere_in_plain() {
    let account = prepared();
    let plan = account
        .run(&[&FOLDER[..FOLDER.len() - 1], &["--dry-run"]].concat())
        .await;
    assert_eq!(
        (plan.status.code(), plan.changes.len()),
        (0, 0),
        "{}",
        plan.text()
    );
    assert!(!saved(&account).exists());
    for words in [
        "rds:CreateDBSnapshot",
        "copy 7 objects of bp-media-123456789012",
        RECIPIENT,
        "fingerprint ",
    ] {
        assert!(plan.stdout.contains(words), "{words}\n{}", plan.text());
    }
    let run = account.run(FOLDER).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(run.changes, ["Rds:CreateDBSnapshot"]);
    assert_whole(&account, &run.text());
    let media = saved(&account).join("buckets/media");
    assert!(media.join("videos/a b.mp4").is_file());
    assert_eq!(fs::read_dir(media.join(".other")).expect("a folder").count(), 4);
    assert!(!account.home().join("up").exists());
    // Every secret and every parameter under the platform's path.
    let sealed = opened(&fs::read(saved(&account).join("secrets.age")).expect("secrets"));
    for path in [
        "/bp/oauth/secrets",
        "/bp/fleets/staging/fleet-secret",
        "/bp/ami/fleets/production/gpu-default",
    ] {
        assert_eq!(
            value_of(&sealed, path),
            Some(stored(&account, path).as_str()),
            "{path}"
        );
    }
    let mut written = Vec::new();
    files(account.home(), &mut written);
    for path in written {
        let bytes = fs::read(&path).expect("readable");
        for secret in [
            "/bp/laravel/app-key",
            "/bp/rds/master-credentials",
            "/bp/fleets/staging/fleet-secret",
        ] {
            let secret = stored(&account, secret);
            let found = bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!found, "{}", path.display());
            assert!(!run.text().contains(&secret) && !plan.text().contains(&secret));
        }
    }
    // One place holds one backup: right behind its end nothing is left to do, and later it is not written over.
    let again = account.run(FOLDER).await;
    assert_eq!(
        (again.status.code(), again.changes.len()),
        (0, 0),
        "{}",
        again.text()
    );
    assert!(
        again.stderr.contains("nothing is copied again"),
        "{}",
        again.text()
    );
    account.clock().sleep(Duration::from_secs(24 * 3600)).await;
    let later = account.run(FOLDER).await;
    assert_eq!(
        (later.status.code(), later.changes.len()),
        (1, 0),
        "{}",
        later.text()
    );
    let said = "it holds the backup that was complete at";
    assert!(later.stderr.contains(said), "{}", later.text());
}

#[tokio::test(start_paused = true)]
async fn a_bucket_gets_copies_that_s3_makes_itself() {
    let account = prepared();
    let run = account.run(BUCKET).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    let copies = run
        .changes
        .iter()
        .filter(|change| *change == "S3:CopyObject")
        .count();
    let all: usize = ["media", "models", "access-logs"]
        .iter()
        .map(|role| objects(&account, &format!("bp-{role}-123456789012"), "").len())
        .sum();
    assert_eq!(copies, all + 1, "{:?}", run.changes);
    for key in KEYS {
        let copy = object(&account, ELSEWHERE, &format!("saved/buckets/media/{key}"));
        assert_eq!(copy, object(&account, MEDIA, key), "{key}");
    }
    assert!(objects(&account, ELSEWHERE, "saved/buckets/logs/bpctl/").is_empty());
    let sealed = object(&account, ELSEWHERE, "saved/secrets.age");
    assert!(value_of(&opened(&sealed), "/bp/redis/auth-token").is_some());
    assert_eq!(run.changes.last().map(String::as_str), Some("S3:PutObject"));
    let written: Value =
        serde_json::from_slice(&object(&account, ELSEWHERE, "saved/manifest.json")).expect("JSON");
    assert_eq!(written["buckets"][0]["objects"], KEYS.len());
    assert_eq!(written["secrets"]["sha256"], digest(&sealed).as_str());
    // And it is restored from there.
    let before = stored(&account, "/bp/laravel/app-key");
    replace(&account, "/bp/laravel/app-key", KEY);
    let from = BUCKET[2];
    let restore = [
        "restore",
        "--from",
        from,
        "--identity",
        "key.txt",
        "--redeploy",
        "no",
        "--yes",
    ];
    let run = account.run(&restore).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(stored(&account, "/bp/laravel/app-key"), before);
}

#[tokio::test(start_paused = true)]
async fn a_large_object_is_copied_in_parts() {
    let account = prepared();
    let bytes: Vec<u8> = (0..12_000_000_u32).map(|at| (at / 7 % 251) as u8).collect();
    let object_of = |bucket: &str, key: &str| {
        let input = json!({"Bucket": bucket, "Key": key});
        account.sandbox.with_world(|world| {
            let head = world.call(Service::S3, "HeadObject", &input).expect("there");
            let tags = world
                .call(Service::S3, "GetObjectTagging", &input)
                .expect("there");
            (head, tags["TagSet"].clone())
        })
    };
    let large = json!({
        "Bucket": MEDIA, "Key": "large.bin", "Body": STANDARD.encode(&bytes), "ContentType": "video/mp4",
        "ContentEncoding": "gzip", "ContentDisposition": "attachment", "ContentLanguage": "de", "CacheControl": "no-store",
        "Metadata": {"owner": "a b"}, "Tagging": "keep=yes&who=a%26b",
    });
    account
        .sandbox
        .with_world(|world| world.call(Service::S3, "PutObject", &large).expect("written"));
    account.sandbox.advance(std::time::Duration::from_secs(5));
    let args = [
        BUCKET,
        &["--part-size", "5", "--skip", "secrets", "--skip", "models"],
    ]
    .concat();
    let args: Vec<&str> = args
        .into_iter()
        .filter(|word| !word.starts_with("--recipients") && !word.starts_with("recipients"))
        .collect();
    let run = account.run(&args).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    let parts = run
        .changes
        .iter()
        .filter(|change| *change == "S3:UploadPartCopy")
        .count();
    assert_eq!(parts, 3, "{:?}", run.changes);
    let to = "saved/buckets/media/large.bin";
    assert!(object(&account, ELSEWHERE, to) == bytes);
    let ((was, tags), (is, copied)) = (object_of(MEDIA, "large.bin"), object_of(ELSEWHERE, to));
    for member in [
        "ContentType",
        "ContentEncoding",
        "ContentDisposition",
        "ContentLanguage",
        "CacheControl",
        "Metadata",
    ] {
        assert!(!was[member].is_null(), "{member}");
        assert_eq!(is[member], was[member], "{member}");
    }
    assert_eq!((copied.as_array().map(Vec::len), &copied), (Some(2), &tags));
    let answer = account.sandbox.with_world(|world| {
        world
            .call(Service::S3, "ListMultipartUploads", &json!({"Bucket": ELSEWHERE}))
            .expect("listed")
    });
    assert!(answer["Uploads"].as_array().is_none_or(Vec::is_empty), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_right_is_refused_before_any_call() {
    let account = prepared();
    fs::create_dir(account.home().join("mine")).expect("made");
    fs::write(account.home().join("mine/notes.txt"), "x").expect("written");
    for (args, why) in [
        (vec!["--to", "saved"], "there is no recipient"),
        (
            vec!["--to", "saved", "--recipient", "age1wrong"],
            "`age1wrong` is no recipient of age",
        ),
        (
            vec!["--to", "saved", "--recipient", IDENTITY],
            "an identity was given",
        ),
        (
            vec!["--to", "saved", "--recipients-file", "none.txt"],
            "read `none.txt`",
        ),
        (
            vec!["--to", "s3://X", "--recipient", RECIPIENT],
            "`X` is no name of a bucket",
        ),
        (
            vec!["--to", "mine", "--recipient", RECIPIENT],
            "it holds `notes.txt`",
        ),
        (
            vec!["--to", "saved", "--recipient", RECIPIENT, "--skip", "secrets"],
            "recipients are given",
        ),
        (
            vec![
                "--to", "saved", "--skip", "secrets", "--skip", "buckets", "--skip", "database",
            ],
            "`--skip` leaves nothing over",
        ),
        (
            vec!["--to", "saved", "--recipient", RECIPIENT, "--no-wait"],
            "without waiting",
        ),
        (
            vec!["--to", "saved", "--recipient", RECIPIENT, "--print-aws"],
            "print the aws commands",
        ),
    ] {
        let run = account.run(&[vec!["backup"], args, vec!["--yes"]].concat()).await;
        assert_eq!((run.status.code(), run.calls), (2, 0), "{why}\n{}", run.text());
        assert!(run.stderr.contains(why), "{why}\n{}", run.text());
        assert!(!run.text().contains(&IDENTITY[16..]), "{}", run.text());
    }
    let own = [
        "backup",
        "--to",
        "s3://bp-media-123456789012/x",
        "--recipient",
        RECIPIENT,
        "--yes",
    ];
    let run = account.run(&own).await;
    assert_eq!((run.status.code(), run.changes.len()), (2, 0), "{}", run.text());
    let none = [
        "backup",
        "--to",
        "s3://none-such/x",
        "--recipient",
        RECIPIENT,
        "--yes",
    ];
    let run = account.run(&none).await;
    assert_eq!((run.status.code(), run.changes.len()), (1, 0), "{}", run.text());
    assert!(
        run.stderr.contains("there is no bucket none-such"),
        "{}",
        run.text()
    );
    assert!(!saved(&account).exists());
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_or_copied_is_no_backup() {
    let secret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:/bp/oauth/*";
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "secretsmanager:GetSecretValue", "Resource": secret},
    ]});
    let account = Account::from_options(Options {
        role: "operator".to_owned(),
        roles: [("operator".to_owned(), policy.to_string())].into(),
        ..Options::default()
    });
    lay_keys(account.home());
    let run = account.run(FOLDER).await;
    assert_eq!((run.status.code(), run.changes.len()), (4, 0), "{}", run.text());
    assert!(run.stderr.contains("`/bp/oauth/secrets`"), "{}", run.text());
    assert!(!saved(&account).exists());

    // An object that cannot be read fails its bucket; the others are copied, and there is no manifest.
    let account = prepared();
    account.sandbox.with_world(|world| {
        world.inject(
            FaultRule::on(Service::S3, "GetObject", Fault::Deny)
                .after(3)
                .times(1),
        );
    });
    let run = account.run(FOLDER).await;
    assert_eq!(run.status.code(), 7, "{}", run.text());
    assert!(!saved(&account).join("manifest.json").exists(), "{}", run.text());
    account.sandbox.with_world(|world| world.clear_faults());
    let restore = account.run(RESTORE).await;
    assert_eq!(
        (restore.status.code(), restore.changes.len()),
        (1, 0),
        "{}",
        restore.text()
    );
    assert!(
        restore.stderr.contains("it holds no complete backup"),
        "{}",
        restore.text()
    );
    let again = account.run(FOLDER).await;
    assert_eq!(again.status.code(), 0, "{}", again.text());
    assert_whole(&account, &again.text());
}

#[tokio::test(start_paused = true)]
async fn a_backup_that_is_killed_at_any_request_goes_on() {
    for (args, what) in [
        (FOLDER, Break::KilledAfter),
        (BUCKET, Break::KilledBefore),
        (BUCKET, Break::KilledAfter),
    ] {
        let known = prepared();
        let network = Network::sound(known.sandbox.clone(), known.clock());
        over(&known, args, &network).await.expect("it is not killed");
        let count = network.seen.lock().expect("no panic").len();
        assert!(count > 20, "{count}");
        // The first requests only look.
        for at in (6..count).step_by(if args == FOLDER { 1 } else { 3 }) {
            let account = prepared();
            let network = Network::new(account.sandbox.clone(), account.clock(), at, what);
            let run = over(&account, args, &network).await;
            let label = format!("{what:?} at {at}: {:?}", network.hit.lock().expect("no panic"));
            if run.is_some() {
                continue;
            }
            account.sandbox.advance(std::time::Duration::from_secs(300));
            let again = account.run(args).await;
            assert_eq!(again.status.code(), 0, "{label}\n{}", again.text());
            assert_eq!(snapshots(&account).len(), 1, "{label}\n{}", again.text());
            if args == FOLDER {
                assert_whole(&account, &label);
                let mut left = Vec::new();
                files(&saved(&account), &mut left);
                left.retain(|path| path.to_string_lossy().contains(".bpctl-part-"));
                assert!(left.is_empty(), "{label}: {left:?}");
            } else {
                for key in KEYS {
                    let copy = object(&account, ELSEWHERE, &format!("saved/buckets/media/{key}"));
                    assert_eq!(copy, object(&account, MEDIA, key), "{label}");
                }
                assert!(
                    !object(&account, ELSEWHERE, "saved/manifest.json").is_empty(),
                    "{label}"
                );
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_staged_layout_backs_up_and_restores_its_own_stage() {
    let account = Account::staged(&[]);
    lay_keys(account.home());
    let run = account.run(FOLDER).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    let manifest = manifest(&account);
    assert_eq!(manifest["buckets"][0]["bucket"], "bp-media-123456789012-staging");
    let sealed = opened(&fs::read(saved(&account).join("secrets.age")).expect("secrets"));
    let path = "/bp/staging/laravel/app-key";
    let before = stored(&account, path);
    assert_eq!(value_of(&sealed, path), Some(before.as_str()));
    replace(&account, path, KEY);
    let run = account.run(RESTORE).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(stored(&account, path), before);
}
