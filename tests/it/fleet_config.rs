//! `bpctl fleet config get`, `set` and `edit`.

use std::fs;
use std::path::{Path, PathBuf};

use bpctl::Process;
use bpctl_sandbox::{Sandbox, Service};
use serde_json::{Value, json};

use crate::support::{Account, Run};

const FLEET: &str = "production/gpu-default";
const PARAMETER: &str = "/bp/fleets/production/gpu-default/desired_config";
const PUT: &str = "Ssm:PutParameter";

fn stored(sandbox: &Sandbox) -> (Value, i64) {
    sandbox.with_world(|world| {
        let read = world.call(Service::Ssm, "GetParameter", &json!({"Name": PARAMETER}));
        let parameter = read.unwrap()["Parameter"].clone();
        let value = serde_json::from_str(parameter["Value"].as_str().unwrap()).unwrap();
        (value, parameter["Version"].as_i64().unwrap())
    })
}

fn put(sandbox: &Sandbox, text: &str) {
    let input = json!({"Name": PARAMETER, "Value": text, "Overwrite": true});
    sandbox
        .with_world(|world| world.call(Service::Ssm, "PutParameter", &input))
        .unwrap();
}

async fn set(account: &Account, words: &[&str]) -> Run {
    account
        .run(&[&["fleet", "config", "set", FLEET], words].concat())
        .await
}

#[tokio::test(start_paused = true)]
async fn a_configuration_is_shown_set_and_taken_back() {
    let account = Account::with(&[]);
    let shown = account
        .run(&["fleet", "config", "get", FLEET, "-o", "json"])
        .await;
    let document = shown.json();
    assert_eq!(document["config"]["instance_type"], "g4dn.xlarge");
    assert_eq!(
        (&document["applied"], &document["problems"]),
        (&json!(true), &json!([]))
    );
    let (before, version) = stored(&account.sandbox);
    let run = set(&account, &["--instance-type", "g5.xlarge", "--yes", "-o", "json"]).await;
    assert_eq!(
        (run.status.code(), &run.changes[..]),
        (0, &[PUT.to_owned()][..]),
        "{}",
        run.text()
    );
    assert!(
        run.stderr
            .contains(r#"instance_type: "g4dn.xlarge" -> "g5.xlarge""#)
            && run.stderr.contains(
                "takes effect when it is applied to the stack `bp-gpu-fleet-production-gpu-default`"
            ),
        "{}",
        run.text()
    );
    let mut wanted = before.clone();
    wanted["instance_type"] = json!("g5.xlarge");
    assert_eq!(stored(&account.sandbox), (wanted, version + 1));
    assert_eq!(run.json()["version"], version + 1);
    let again = set(&account, &["--instance-type", "g5.xlarge", "--yes"]).await;
    assert_eq!(
        (again.status.code(), again.changes.len()),
        (0, 0),
        "{}",
        again.text()
    );
    let shown = account.run(&["fleet", "config", "get", FLEET]).await;
    assert!(
        shown.stdout.contains("The group starts g4dn.xlarge"),
        "{}",
        shown.text()
    );
    let id = run.json()["run"].as_str().unwrap().to_owned();
    let undone = account.run(&["runs", "undo", &id, "--yes"]).await;
    assert_eq!(
        (undone.status.code(), undone.changes.len()),
        (0, 1),
        "{}",
        undone.text()
    );
    assert_eq!(stored(&account.sandbox), (before, version + 2));
}

#[tokio::test(start_paused = true)]
async fn what_no_stack_can_be_made_of_is_not_written() {
    let account = Account::with(&[]);
    for (words, why) in [
        (
            &["--instance-type", "p5.48xlarge"][..],
            "template `gpu-default` does not allow `p5.48xlarge`, only g4dn.xlarge, g5.xlarge, g6e.2xlarge",
        ),
        (&["--template", "gpu-huge"][..], "there is no template `gpu-huge`"),
    ] {
        let run = set(&account, &[words, &["--yes"]].concat()).await;
        assert_eq!((run.status.code(), run.changes.len()), (2, 0), "{}", run.text());
        assert!(run.stderr.contains(why), "{}", run.text());
    }
    let both = set(
        &account,
        &[
            "--template",
            "gpu-p-series",
            "--instance-type",
            "p5.48xlarge",
            "--dry-run",
        ],
    )
    .await;
    assert_eq!(
        (both.status.code(), both.changes.len()),
        (0, 0),
        "{}",
        both.text()
    );
    let staged = Account::staged(&[]);
    let run = staged.run(&["fleet", "config", "get", "gpu-default"]).await;
    assert_eq!(run.status.code(), 2, "{}", run.text());
    assert!(run.stderr.contains("compiled into the stack"), "{}", run.text());
}

/// An editor that leaves `text`, and the process in which it is asked for.
fn edits(home: &Path, script: &str) -> impl FnOnce(&mut Process) + use<> {
    let editor = home.join("editor");
    fs::write(&editor, script).unwrap();
    move |process| {
        process.can_prompt = true;
        process.env.insert("PATH".to_owned(), "/usr/bin:/bin".to_owned());
        process
            .env
            .insert("EDITOR".to_owned(), format!("sh {}", editor.display()));
    }
}

fn kept(home: &Path) -> PathBuf {
    home.join(".local/state/bpctl/edits/sandbox-production-gpu-default.json")
}

const EDIT: [&str; 5] = ["fleet", "config", "edit", FLEET, "--yes"];

#[tokio::test(start_paused = true)]
async fn an_edited_text_is_written_and_one_that_is_refused_is_kept() {
    let account = Account::with(&[]);
    let home = account.home().to_owned();
    let wrong = edits(&home, "sed -i s/g4dn.xlarge/g9.huge/ \"$1\"");
    let run = account.run_with(&EDIT, wrong).await;
    assert_eq!((run.status.code(), run.changes.len()), (2, 0), "{}", run.text());
    let file = kept(&home).display().to_string();
    assert!(
        run.stderr.contains("does not allow `g9.huge`") && run.stderr.contains(&format!("kept in `{file}`")),
        "{}",
        run.text()
    );
    assert!(fs::read_to_string(kept(&home)).unwrap().contains("g9.huge"));
    let broken = edits(&home, "echo '{' > \"$1\"");
    let run = account.run_with(&EDIT, broken).await;
    assert_eq!((run.status.code(), run.changes.len()), (2, 0), "{}", run.text());
    assert!(
        run.stderr.contains("it is no JSON") && run.stderr.contains(&file),
        "{}",
        run.text()
    );
    // The next edit begins with the kept text.
    fs::write(kept(&home), r#"{"mine": 1}"#).unwrap();
    let (config, version) = stored(&account.sandbox);
    let right = format!(
        "grep -q mine \"$1\" || exit 9\ncat > \"$1\" <<'END'\n{}\nEND",
        json!({"version": 1, "template_slug": "gpu-default", "instance_type": "g5.xlarge",
               "ami_ssm_parameter": config["ami_ssm_parameter"], "enabled": false, "owner": "ml"})
    );
    let run = account.run_with(&EDIT, edits(&home, &right)).await;
    assert_eq!(
        (run.status.code(), &run.changes[..]),
        (0, &[PUT.to_owned()][..]),
        "{}",
        run.text()
    );
    assert!(run.stderr.contains("does not know owner"), "{}", run.text());
    let (now, written) = stored(&account.sandbox);
    assert_eq!(
        (&now["owner"], &now["enabled"], written),
        (&json!("ml"), &json!(false), version + 1)
    );
    assert!(!kept(&home).exists());
    let unchanged = account.run_with(&EDIT, edits(&home, "true")).await;
    assert_eq!(
        (unchanged.status.code(), unchanged.changes.len()),
        (0, 0),
        "{}",
        unchanged.text()
    );
    assert!(
        unchanged.stderr.contains("Nothing to change") && !kept(&home).exists(),
        "{}",
        unchanged.text()
    );
}

#[tokio::test(start_paused = true)]
async fn a_configuration_that_somebody_changes_while_it_is_edited_stays() {
    let account = Account::with(&[]);
    let home = account.home().to_owned();
    let (mut theirs, version) = stored(&account.sandbox);
    theirs["enabled"] = json!(false);
    let sandbox = account.sandbox.clone();
    // The editor waits until somebody else has written.
    let script = "sed -i s/g4dn/g5/ \"$1\"; touch \"$HOME/editing\"; while [ -e \"$HOME/editing\" ]; do sleep 0.05; done";
    let editing = home.join("editing");
    let text = theirs.to_string();
    let other = std::thread::spawn(move || {
        while !editing.exists() {
            std::thread::yield_now();
        }
        put(&sandbox, &text);
        fs::remove_file(&editing).unwrap();
    });
    let run = account.run_with(&EDIT, edits(&home, script)).await;
    other.join().unwrap();
    assert_eq!((run.status.code(), run.changes.len()), (5, 0), "{}", run.text());
    assert!(
        run.stderr.contains(&format!(
            "made from version {version}, and by now there is version {}",
            version + 1
        )),
        "{}",
        run.text()
    );
    assert_eq!(stored(&account.sandbox), (theirs, version + 1));
    assert!(kept(&home).exists());
}

#[tokio::test(start_paused = true)]
async fn an_edit_without_a_terminal_or_an_editor_says_what_to_do() {
    let account = Account::with(&[]);
    let run = account.run(&EDIT).await;
    assert_eq!(run.status.code(), 2, "{}", run.text());
    assert!(
        run.stderr.contains("no terminal for an editor") && run.stderr.contains("--file FILE"),
        "{}",
        run.text()
    );
    let run = account.run_with(&EDIT, |process| process.can_prompt = true).await;
    assert!(
        run.stderr.contains("neither VISUAL nor EDITOR is set"),
        "{}",
        run.text()
    );
    let failing = edits(account.home(), "exit 3");
    let run = account.run_with(&EDIT, failing).await;
    assert_eq!((run.status.code(), run.changes.len()), (1, 0), "{}", run.text());
}

/// A value that is no JSON can be replaced as a whole, and by nothing else.
#[tokio::test(start_paused = true)]
async fn a_broken_configuration_is_replaced_by_edit_alone() {
    let account = Account::with(&[]);
    let (sound, _) = stored(&account.sandbox);
    put(&account.sandbox, "gpu-default");
    let run = set(&account, &["--enabled", "true", "--yes"]).await;
    assert_eq!((run.status.code(), run.changes.len()), (1, 0), "{}", run.text());
    assert!(
        run.stderr.contains("it is no JSON") && run.stderr.contains("fleet config edit"),
        "{}",
        run.text()
    );
    let shown = account.run(&["fleet", "config", "get", FLEET]).await;
    assert!(shown.stdout.contains("Wrong: it is no JSON"), "{}", shown.text());
    fs::write(account.home().join("config.json"), sound.to_string()).unwrap();
    let args = ["fleet", "config", "edit", FLEET, "--file", "config.json", "--yes"];
    let run = account.run(&args).await;
    assert_eq!((run.status.code(), run.changes.len()), (0, 1), "{}", run.text());
    assert_eq!(stored(&account.sandbox).0, sound);
}
