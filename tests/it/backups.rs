//! What the tests of backups share: keys, backups that are there, and what a backup holds.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use age::secrecy::ExposeSecret as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bpctl_sandbox::{Options, Sandbox, Service};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::Account;

/// A pair of age that the tests share, and another identity.
pub(crate) const IDENTITY: &str =
    "AGE-SECRET-KEY-1A7P58YXU2R3ALDRG5K56YZWQRCMQRPLMGVAF9TH9YMR4NQ8LRY9SEGK9XN";
pub(crate) const RECIPIENT: &str = "age17ut3zjm6gv2ffqaar8hy986z28p8acgee5acp4dwu54ngxfy5g3qlnjwec";

/// A bucket that is none of the platform's.
pub(crate) const ELSEWHERE: &str = "cdk-hnb659fds-assets-123456789012-us-east-1";

pub(crate) const KEY: &str = "base64:Y2FuYXJ5LWNhbmFyeS1jYW5hcnktY2FuYXJ5LWNhbmE=";

pub(crate) const FOLDER: &[&str] = &[
    "backup",
    "--to",
    "saved",
    "--recipients-file",
    "recipients.txt",
    "--yes",
];
pub(crate) const BUCKET: &[&str] = &[
    "backup",
    "--to",
    "s3://cdk-hnb659fds-assets-123456789012-us-east-1/saved",
    "--recipients-file",
    "recipients.txt",
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

pub(crate) fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

pub(crate) fn put(sandbox: &Sandbox, bucket: &str, key: &str, bytes: &[u8]) {
    let input = json!({"Bucket": bucket, "Key": key, "Body": STANDARD.encode(bytes)});
    sandbox.with_world(|world| world.call(Service::S3, "PutObject", &input).expect("written"));
}

pub(crate) const MEDIA: &str = "bp-media-123456789012";

/// Keys of the media bucket: plain ones, and such that no file system has under their names.
pub(crate) const KEYS: [&str; 7] = [
    "videos/a b.mp4",
    "videos/ü.mp4",
    "/odd",
    "odd//name",
    "../up",
    "films",
    "films/x.mp4",
];

pub(crate) fn prepared() -> Account {
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

pub(crate) fn snapshots(account: &Account) -> Vec<Value> {
    let answer = account.sandbox.with_world(|world| {
        let manual = json!({"SnapshotType": "manual"});
        world
            .call(Service::Rds, "DescribeDBSnapshots", &manual)
            .expect("listed")
    });
    answer["DBSnapshots"].as_array().cloned().unwrap_or_default()
}

pub(crate) fn objects(account: &Account, bucket: &str, prefix: &str) -> Vec<(String, u64)> {
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

pub(crate) fn object(account: &Account, bucket: &str, key: &str) -> Vec<u8> {
    let answer = account.sandbox.with_world(|world| {
        let input = json!({"Bucket": bucket, "Key": key});
        world.call(Service::S3, "GetObject", &input).expect("there")
    });
    STANDARD
        .decode(answer["Body"].as_str().unwrap_or_default())
        .expect("base64")
}

pub(crate) fn saved(account: &Account) -> PathBuf {
    account.home().join("saved")
}

pub(crate) fn manifest(account: &Account) -> Value {
    let text = fs::read_to_string(saved(account).join("manifest.json")).expect("a manifest");
    serde_json::from_str(&text).expect("JSON")
}

/// The document in `secrets.age`, as any program of age opens it.
pub(crate) fn opened(sealed: &[u8]) -> Value {
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

pub(crate) fn value_of<'v>(opened: &'v Value, path: &str) -> Option<&'v str> {
    let mut entries = opened["entries"].as_array().expect("a list").iter();
    entries.find(|entry| entry["path"] == path)?["value"].as_str()
}

pub(crate) fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

pub(crate) fn replace(account: &Account, path: &str, value: &str) {
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
