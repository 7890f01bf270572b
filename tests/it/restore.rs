//! `bpctl restore`: all values or none, and only those that are by hand.

use std::fs;

use bpctl_sandbox::{Fault, FaultRule, Service};
use serde_json::json;

use crate::backups::{
    FOLDER, IDENTITY, KEY, lay_backup, manifest, opened, prepared, replace, saved, value_of,
};
use crate::secrets::stored;
use crate::support::{Account, Run};

const OTHER: &str = "AGE-SECRET-KEY-1QKW4Z4GTLZT7GKQ5AJRMTEQVMY8032HDHLYG0QHUZWU7ZT6KA6WSLRGD6C";

pub(crate) const RESTORE: &[&str] = &[
    "restore",
    "--from",
    "saved",
    "--identity",
    "key.txt",
    "--redeploy",
    "no",
    "--yes",
];

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
        "aws s3 sync saved/buckets/media s3://bp-media-123456789012 --exclude '.other/*' --exclude '.bpctl-part-*'",
        "7 objects of bp-media-123456789012 are not restored here: 4 lie in `.other`, and their keys are in \
         `saved/buckets/media.jsonl`",
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

/// After a teardown nothing else has the credentials of the database: a reset takes them away.
#[tokio::test(start_paused = true)]
async fn credentials_that_a_teardown_has_kept_are_backed_up_and_written_back_by_name() {
    const SURE: [&str; 2] = ["--confirm", "123456789012"];
    let account = prepared();
    let before = stored(&account, "/bp/rds/master-credentials");
    let torn = account
        .run(&[&["teardown", "--database", "delete"][..], &SURE].concat())
        .await;
    assert_eq!(torn.status.code(), 0, "{}", torn.text());
    let backup = account.run(&[FOLDER, &["--skip", "database"]].concat()).await;
    assert_eq!(backup.status.code(), 0, "{}", backup.text());
    let manifest = manifest(&account);
    let entries = manifest["secrets"]["entries"].as_array().expect("a list");
    let mut paths = entries.iter().filter_map(|entry| entry["path"].as_str());
    let path = paths
        .find(|path| path.starts_with("/bp/kept/"))
        .expect("it is saved");
    let sealed = opened(&fs::read(saved(&account).join("secrets.age")).expect("secrets"));
    assert_eq!(value_of(&sealed, path), Some(before.as_str()));
    let reset = account
        .run(&[&["reset", "--everything"][..], &SURE].concat())
        .await;
    assert_eq!(reset.status.code(), 0, "{}", reset.text());

    let name = path
        .trim_start_matches("/bp/")
        .trim_end_matches("/master-credentials");
    let only = [RESTORE, &["--only", name]].concat();
    let run = account.run(&only).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(run.changes, ["SecretsManager:CreateSecret"], "{}", run.text());
    assert_eq!(stored(&account, path), before);
    shows_nothing(&run, std::slice::from_ref(&before));
    let again = account.run(&[RESTORE, &["--only", path]].concat()).await;
    assert_eq!(
        (again.status.code(), again.changes.len()),
        (0, 0),
        "{}",
        again.text()
    );
    replace(
        &account,
        path,
        r#"{"username": "x", "password": "y", "host": "z"}"#,
    );
    let run = account.run(&only).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(run.changes, ["SecretsManager:PutSecretValue"], "{}", run.text());
    assert_eq!(stored(&account, path), before);
}

/// They describe a database of before: by themselves they stay in the backup.
#[tokio::test(start_paused = true)]
async fn credentials_that_a_teardown_has_kept_are_not_written_unless_they_are_named() {
    const OLD: &str = r#"{"username": "old", "password": "of-before", "host": "old"}"#;
    let account = prepared();
    let secret = "ca".repeat(32);
    lay_backup(
        account.home(),
        "saved",
        &[("/bp/kept/old/master-credentials", OLD), (PATHS[2], &secret)],
    );
    let run = account.run(RESTORE).await;
    assert_eq!((run.status.code(), run.changes.len()), (0, 1), "{}", run.text());
    let said = "kept/old stays in the backup, unless `--only` names it";
    assert!(run.stderr.contains(said), "{}", run.text());
    assert_eq!(stored(&account, PATHS[2]), secret);
}
