//! `bpctl backup` and `bpctl restore`: what is copied, what is read back, and what a run that was cut off leaves.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use age::secrecy::ExposeSecret as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bpctl_sandbox::{Fault, FaultRule, Options, Sandbox, Service};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::broken_network::{Break, Network};
use crate::campaign_verbs::over;
use crate::secrets::stored;
use crate::support::{Account, Run};

/// A pair of age that the tests share, and another identity.
pub(crate) const IDENTITY: &str =
    "AGE-SECRET-KEY-1A7P58YXU2R3ALDRG5K56YZWQRCMQRPLMGVAF9TH9YMR4NQ8LRY9SEGK9XN";
pub(crate) const RECIPIENT: &str = "age17ut3zjm6gv2ffqaar8hy986z28p8acgee5acp4dwu54ngxfy5g3qlnjwec";
const OTHER: &str = "AGE-SECRET-KEY-1QKW4Z4GTLZT7GKQ5AJRMTEQVMY8032HDHLYG0QHUZWU7ZT6KA6WSLRGD6C";

/// A bucket that is none of the platform's.
pub(crate) const ELSEWHERE: &str = "cdk-hnb659fds-assets-123456789012-us-east-1";

const KEY: &str = "base64:Y2FuYXJ5LWNhbmFyeS1jYW5hcnktY2FuYXJ5LWNhbmE=";

const FOLDER: &[&str] = &[
    "backup",
    "--to",
    "saved",
    "--recipients-file",
    "recipients.txt",
    "--yes",
];
const BUCKET: &[&str] = &[
    "backup",
    "--to",
    "s3://cdk-hnb659fds-assets-123456789012-us-east-1/saved",
    "--recipients-file",
    "recipients.txt",
    "--yes",
];
const RESTORE: &[&str] = &[
    "restore",
    "--from",
    "saved",
    "--identity",
    "key.txt",
    "--redeploy",
    "no",
    "--yes",
];

/// Lays the keys into the operator's folder.
pub(crate) fn lay_keys(home: &Path) {
    let key = format!("# created: 2026-01-15\n# public key: {RECIPIENT}\n{IDENTITY}\n");
    fs::write(home.join("key.txt"), key).expect("written");
    fs::write(
        home.join("recipients.txt"),
        format!("# of the team\n{RECIPIENT}\n"),
    )
    .expect("written");
}

/// A complete backup in the operator's folder, with these values by their paths.
pub(crate) fn lay_backup(home: &Path, name: &str, values: &[(&str, &str)]) {
    lay_keys(home);
    let folder = home.join(name);
    fs::create_dir_all(&folder).expect("made");
    for (part, bytes) in parts(values) {
        fs::write(folder.join(part), bytes).expect("written");
    }
}

/// The same in a bucket, at `kept`.
pub(crate) fn put_backup(sandbox: &Sandbox, values: &[(&str, &str)]) {
    for (part, bytes) in parts(values) {
        put(sandbox, ELSEWHERE, &format!("kept/{part}"), &bytes);
    }
}

fn parts(values: &[(&str, &str)]) -> [(&'static str, Vec<u8>); 2] {
    let entries: Vec<Value> = values
        .iter()
        .map(|(path, value)| {
            let in_secrets = ["app-key", "secrets", "secret", "master-credentials", "auth-token"];
            let is_secret = in_secrets.iter().any(|end| path.ends_with(&format!("/{end}")));
            let store = if is_secret {
                "secrets-manager"
            } else {
                "parameter-store"
            };
            json!({"path": path, "store": store, "value": value})
        })
        .collect();
    let plain = json!({"form": "bpctl.backup-secrets/1", "entries": entries});
    let recipient: age::x25519::Recipient = RECIPIENT.parse().expect("a recipient");
    let sealed = age::encrypt(&recipient, plain.to_string().as_bytes()).expect("encrypted");
    let manifest = json!({
        "form": "bpctl.backup-manifest/1", "run": "20260114T090000Z-0123456789ab", "made": "2026-01-14T09:05:00Z",
        "context": "sandbox", "account": "123456789012", "region": "us-east-1",
        "secrets": {"file": "secrets.age", "bytes": sealed.len(), "sha256": digest(&sealed),
            "recipients": [RECIPIENT], "entries": []},
        "buckets": [], "database": null, "skipped": ["database", "buckets"],
    });
    [
        ("secrets.age", sealed),
        ("manifest.json", manifest.to_string().into_bytes()),
    ]
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

pub(crate) fn put(sandbox: &Sandbox, bucket: &str, key: &str, bytes: &[u8]) {
    let input = json!({"Bucket": bucket, "Key": key, "Body": STANDARD.encode(bytes)});
    sandbox.with_world(|world| world.call(Service::S3, "PutObject", &input).expect("written"));
}

const MEDIA: &str = "bp-media-123456789012";

/// Keys of the media bucket: plain ones, and such that no file system has under their names.
const KEYS: [&str; 7] = [
    "videos/a b.mp4",
    "videos/ü.mp4",
    "/odd",
    "odd//name",
    "../up",
    "films",
    "films/x.mp4",
];

fn prepared() -> Account {
    let account = Account::prepared(Options::default(), |sandbox| {
        for key in KEYS {
            put(sandbox, MEDIA, key, key.repeat(3).as_bytes());
        }
        put(sandbox, "bp-logs-123456789012", "asset-sync/x.json", b"{}");
        put(sandbox, "bp-logs-123456789012", "bpctl/history/mine.json", b"{}");
        // The backup is later than what it holds.
        sandbox.advance(std::time::Duration::from_secs(60));
    });
    lay_keys(account.home());
    account
}

fn snapshots(account: &Account) -> Vec<Value> {
    let answer = account.sandbox.with_world(|world| {
        let manual = json!({"SnapshotType": "manual"});
        world
            .call(Service::Rds, "DescribeDBSnapshots", &manual)
            .expect("listed")
    });
    answer["DBSnapshots"].as_array().cloned().unwrap_or_default()
}

fn objects(account: &Account, bucket: &str, prefix: &str) -> Vec<(String, u64)> {
    let answer = account.sandbox.with_world(|world| {
        let input = json!({"Bucket": bucket, "Prefix": prefix});
        world.call(Service::S3, "ListObjectsV2", &input).expect("listed")
    });
    let all = answer["Contents"].as_array().cloned().unwrap_or_default();
    let one = |object: &Value| {
        (
            object["Key"].as_str().unwrap_or_default().to_owned(),
            object["Size"].as_u64().unwrap_or_default(),
        )
    };
    all.iter().map(one).collect()
}

fn object(account: &Account, bucket: &str, key: &str) -> Vec<u8> {
    let answer = account.sandbox.with_world(|world| {
        let input = json!({"Bucket": bucket, "Key": key});
        world.call(Service::S3, "GetObject", &input).expect("there")
    });
    STANDARD
        .decode(answer["Body"].as_str().unwrap_or_default())
        .expect("base64")
}

fn saved(account: &Account) -> PathBuf {
    account.home().join("saved")
}

fn manifest(account: &Account) -> Value {
    let text = fs::read_to_string(saved(account).join("manifest.json")).expect("a manifest");
    serde_json::from_str(&text).expect("JSON")
}

/// The document in `secrets.age`, as any program of age opens it.
fn opened(sealed: &[u8]) -> Value {
    let identity: age::x25519::Identity = IDENTITY.parse().expect("an identity");
    assert_eq!(identity.to_public().to_string(), RECIPIENT);
    assert_eq!(identity.to_string().expose_secret(), IDENTITY);
    let decryptor = age::Decryptor::new(sealed).expect("a file of age");
    let mut reader = decryptor
        .decrypt(std::iter::once(&identity as &dyn age::Identity))
        .expect("it opens");
    let mut plain = String::new();
    reader.read_to_string(&mut plain).expect("text");
    serde_json::from_str(&plain).expect("JSON")
}

fn value_of<'v>(opened: &'v Value, path: &str) -> Option<&'v str> {
    let mut entries = opened["entries"].as_array().expect("a list").iter();
    entries.find(|entry| entry["path"] == path)?["value"].as_str()
}

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
    // One place holds one backup.
    let again = account.run(FOLDER).await;
    assert_eq!(
        (again.status.code(), again.changes.len()),
        (1, 0),
        "{}",
        again.text()
    );
    assert!(
        again.stderr.contains("it holds the backup that was complete at"),
        "{}",
        again.text()
    );
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
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
    put(&account.sandbox, MEDIA, "large.bin", &bytes);
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
    assert!(object(&account, ELSEWHERE, "saved/buckets/media/large.bin") == bytes);
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

fn replace(account: &Account, path: &str, value: &str) {
    account.sandbox.with_world(|world| {
        let secret = json!({"SecretId": path, "SecretString": value});
        if world
            .call(Service::SecretsManager, "PutSecretValue", &secret)
            .is_err()
        {
            let parameter = json!({"Name": path, "Value": value, "Overwrite": true});
            world
                .call(Service::Ssm, "PutParameter", &parameter)
                .expect("written");
        }
    });
}

const PATHS: [&str; 4] = [
    "/bp/laravel/app-key",
    "/bp/oauth/secrets",
    "/bp/fleets/staging/fleet-secret",
    "/bp/fleets/production/fleet-secret",
];

fn all(account: &Account) -> Vec<String> {
    PATHS.iter().map(|path| stored(account, path)).collect()
}

/// What new stacks leave behind: placeholders, and a database with credentials of its own.
fn lose(account: &Account) {
    replace(account, PATHS[0], "a-random-text-of-the-deployment");
    replace(account, PATHS[1], "another-random-text-of-the-deployment");
    replace(account, PATHS[2], "CHANGE_ME_AFTER_DEPLOY");
    replace(account, PATHS[3], "CHANGE_ME_AFTER_DEPLOY");
    replace(
        account,
        "/bp/rds/master-credentials",
        r#"{"username": "bp_admin", "password": "new", "host": "new"}"#,
    );
}

fn shows_nothing(run: &Run, secrets: &[String]) {
    for secret in secrets {
        assert!(!run.text().contains(secret.as_str()), "{}", run.text());
    }
}

#[tokio::test(start_paused = true)]
async fn what_new_stacks_left_as_placeholders_is_restored_and_what_is_the_stacks_stays() {
    let account = prepared();
    let (before, credentials) = (all(&account), stored(&account, "/bp/rds/master-credentials"));
    let backup = account.run(FOLDER).await;
    assert_eq!(backup.status.code(), 0, "{}", backup.text());
    lose(&account);
    let lost = all(&account);
    let mut dry = RESTORE.to_vec();
    dry.pop();
    let plan = account.run(&[&dry[..], &["--dry-run"]].concat()).await;
    assert_eq!(
        (plan.status.code(), plan.changes.len()),
        (0, 0),
        "{}",
        plan.text()
    );
    shows_nothing(&plan, &before);
    for words in [
        "app-key: write a new version",
        "fingerprint ",
        "rds stays as the stack made it",
    ] {
        assert!(plan.stdout.contains(words), "{words}\n{}", plan.text());
    }
    assert_eq!(all(&account), lost);
    let run = account.run(RESTORE).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(
        (all(&account), run.changes.len()),
        (before.clone(), 4),
        "{}",
        run.text()
    );
    shows_nothing(&run, &before);
    assert!(stored(&account, "/bp/rds/master-credentials").contains("\"new\""));
    // What to do about the rest is said.
    for words in [
        "aws s3 sync saved/buckets/media s3://bp-media-123456789012",
        "rds describe-db-snapshots",
    ] {
        assert!(run.stderr.contains(words), "{words}\n{}", run.text());
    }
    let again = account.run(RESTORE).await;
    assert_eq!(
        (again.status.code(), again.changes.len()),
        (0, 0),
        "{}",
        again.text()
    );
    // It can be taken back as a whole.
    let id = account.run(&["runs", "list", "-o", "json"]).await.json();
    let runs = id["runs"].as_array().expect("a list").clone();
    let id = runs
        .iter()
        .find(|run| run["verb"] == "restore" && run["verdict"] == "done");
    if let Some(id) = id.and_then(|run| run["run"].as_str()) {
        let undone = account.run(&["runs", "undo", id, "--yes"]).await;
        assert_eq!(undone.status.code(), 0, "{}", undone.text());
        assert_eq!(all(&account), lost);
        shows_nothing(&undone, &before);
    } else {
        panic!("no run of restore: {runs:?}");
    }
    // By name also what is the stack's.
    let only = [RESTORE, &["--only", "rds"]].concat();
    let run = account.run(&only).await;
    assert_eq!((run.status.code(), run.changes.len()), (0, 1), "{}", run.text());
    assert_eq!(stored(&account, "/bp/rds/master-credentials"), credentials);
}

#[tokio::test(start_paused = true)]
async fn another_identity_a_damaged_file_and_a_name_that_is_not_there_write_nothing() {
    let account = prepared();
    lay_backup(
        account.home(),
        "saved",
        &[(PATHS[0], KEY), (PATHS[2], &"ca".repeat(32))],
    );
    let before = all(&account);
    fs::write(account.home().join("other.txt"), format!("{OTHER}\n")).expect("written");
    fs::write(account.home().join("no.txt"), format!("{IDENTITY}x\n")).expect("written");
    for (args, status, why) in [
        (
            vec!["--identity", "other.txt"],
            2,
            "they are encrypted to another recipient",
        ),
        (vec!["--identity", "no.txt"], 2, "read the identity in `no.txt`"),
        (vec!["--identity", "none.txt"], 2, "read `none.txt`"),
        (
            vec!["--identity", "key.txt", "--only", "app-kez"],
            2,
            "did you mean `app-key`?",
        ),
    ] {
        let run = account
            .run(&[vec!["restore", "--from", "saved", "--yes"], args].concat())
            .await;
        assert_eq!(
            (run.status.code(), run.calls),
            (status, 0),
            "{why}\n{}",
            run.text()
        );
        assert!(run.stderr.contains(why), "{why}\n{}", run.text());
        assert!(!run.text().contains(&IDENTITY[16..]), "{}", run.text());
    }
    let sealed = saved(&account).join("secrets.age");
    let mut bytes = fs::read(&sealed).expect("secrets");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&sealed, &bytes).expect("written");
    let run = account.run(RESTORE).await;
    assert_eq!((run.status.code(), run.calls), (1, 0), "{}", run.text());
    assert!(
        run.stderr.contains("is not the one of the manifest"),
        "{}",
        run.text()
    );
    assert_eq!(all(&account), before);
}

#[tokio::test(start_paused = true)]
async fn a_backup_with_a_malformed_value_is_not_restored_but_the_others_are_by_name() {
    let account = prepared();
    let secret = "ca".repeat(32);
    lay_backup(
        account.home(),
        "saved",
        &[
            (PATHS[0], "base64:canary!"),
            (PATHS[2], &secret),
            (PATHS[3], "CHANGE_ME_AFTER_DEPLOY"),
            ("/bp/shutdown", "{}"),
        ],
    );
    let before = all(&account);
    let run = account.run(RESTORE).await;
    assert_eq!((run.status.code(), run.calls), (1, 0), "{}", run.text());
    assert!(
        run.stderr
            .contains("app-key (what follows `base64:` is no base64)"),
        "{}",
        run.text()
    );
    assert!(!run.text().contains("canary!"), "{}", run.text());
    assert_eq!(all(&account), before);
    let only = [RESTORE, &["--only", "fleet-secret/staging", "--only", PATHS[3]]].concat();
    let run = account.run(&only).await;
    assert_eq!((run.status.code(), run.changes.len()), (0, 1), "{}", run.text());
    assert_eq!(stored(&account, PATHS[2]), secret);
    // A placeholder is not worth writing.
    assert_eq!(stored(&account, PATHS[3]), before[3]);
}

#[tokio::test(start_paused = true)]
async fn a_write_that_is_refused_takes_the_others_back() {
    let account = prepared();
    let (staging, production) = ("ca".repeat(32), "fe".repeat(32));
    lay_backup(
        account.home(),
        "saved",
        &[(PATHS[0], KEY), (PATHS[2], &staging), (PATHS[3], &production)],
    );
    let before = all(&account);
    account.sandbox.with_world(|world| {
        world.inject(
            FaultRule::on(Service::Ssm, "PutParameter", Fault::Deny)
                .after(1)
                .times(1),
        );
    });
    let run = account.run(RESTORE).await;
    assert_eq!(run.status.code(), 4, "{}", run.text());
    assert_eq!(all(&account), before);
    assert!(run.stderr.contains("undone"), "{}", run.text());
    let again = account.run(RESTORE).await;
    assert_eq!(again.status.code(), 0, "{}", again.text());
    let now = all(&account);
    assert_eq!(
        (&now[0], &now[2], &now[3]),
        (&KEY.to_owned(), &staging, &production)
    );
}

#[tokio::test(start_paused = true)]
async fn what_a_fleet_runs_is_made_where_it_is_missing_and_taken_away_again() {
    const POINTERS: [&str; 2] = [
        "/bp/ami/fleets/production/gpu-default",
        "/bp/fleets/production/gpu-default/desired_config",
    ];
    let account = prepared();
    let before: Vec<String> = POINTERS.iter().map(|path| stored(&account, path)).collect();
    let backup = account.run(FOLDER).await;
    assert_eq!(backup.status.code(), 0, "{}", backup.text());
    let find = |path: &str| {
        let found = account
            .sandbox
            .with_world(|world| world.call(Service::Ssm, "GetParameter", &json!({"Name": path})));
        found.ok().map(|answer| answer["Parameter"].clone())
    };
    account.sandbox.with_world(|world| {
        let names = json!({"Names": POINTERS});
        world
            .call(Service::Ssm, "DeleteParameters", &names)
            .expect("deleted");
    });
    account.sandbox.advance(std::time::Duration::from_secs(60));
    // The second write fails: the first goes again.
    account.sandbox.with_world(|world| {
        world.inject(
            FaultRule::on(Service::Ssm, "PutParameter", Fault::Deny)
                .after(1)
                .times(1),
        );
    });
    let run = account.run(RESTORE).await;
    assert_eq!(run.status.code(), 4, "{}", run.text());
    assert!(POINTERS.iter().all(|path| find(path).is_none()), "{}", run.text());
    assert!(
        run.changes.iter().any(|change| change == "Ssm:DeleteParameter"),
        "{:?}",
        run.changes
    );
    account.sandbox.advance(std::time::Duration::from_secs(60));
    let run = account.run(RESTORE).await;
    assert_eq!((run.status.code(), run.changes.len()), (0, 2), "{}", run.text());
    for (path, value) in POINTERS.iter().zip(&before) {
        assert_eq!(stored(&account, path), *value);
    }
    assert_eq!(
        find(POINTERS[0]).expect("it is there")["DataType"],
        "aws:ec2:image"
    );
    assert_eq!(find(POINTERS[1]).expect("it is there")["DataType"], "text");
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
