//! Commands as steps of a GitHub workflow: annotations, the job summary, values for later steps.

use std::collections::BTreeMap;

use bpctl_sandbox::Scenario;

use crate::support::{Account, Run};

/// What a step leaves behind.
struct Step {
    run: Run,
    summary: String,
    outputs: BTreeMap<String, String>,
}

async fn step(account: &Account, args: &[&str]) -> Step {
    let summary = account.home().join("summary.md");
    let output = account.home().join("output");
    std::fs::write(&output, "").expect("a file");
    std::fs::write(&summary, "").expect("a file");
    let run = account
        .run_with(args, |process| {
            let mut set = |name: &str, value: String| {
                process.env.insert(name.to_owned(), value);
            };
            set("GITHUB_ACTIONS", "true".to_owned());
            set("GITHUB_STEP_SUMMARY", summary.display().to_string());
            set("GITHUB_OUTPUT", output.display().to_string());
        })
        .await;
    let outputs = std::fs::read_to_string(&output).expect("outputs");
    Step {
        run,
        summary: std::fs::read_to_string(&summary).expect("a summary"),
        outputs: outputs
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_migration_leaves_its_task_and_its_verdict() {
    let account = Account::with(&[]);
    let step = step(&account, &["migrate", "--tenant", "--yes"]).await;
    assert_eq!(step.run.status.code(), 0, "{}", step.run.text());
    assert_eq!(step.outputs["verdict"], "succeeded");
    assert_eq!(step.outputs["exit_code"], "0");
    assert_eq!(step.outputs["exit_status"], "0");
    assert!(step.outputs["task_arn"].starts_with("arn:aws:ecs:"));
    assert!(step.outputs["task_arn"].ends_with(&step.outputs["name"]));
    assert!(step.summary.contains(&step.outputs["name"]), "{}", step.summary);
}

#[tokio::test(start_paused = true)]
async fn a_failed_migration_is_one_annotation_with_its_hints() {
    let account = Account::with(&[Scenario::MigrationFails]);
    let step = step(&account, &["migrate", "--tenant", "--yes", "-o", "json"]).await;
    let status = step.run.status.code();
    assert_ne!(status, 0, "{}", step.run.text());
    assert_eq!(step.outputs["verdict"], "failed");
    assert_eq!(step.outputs["exit_code"], status.to_string());
    assert_eq!(step.outputs["exit_status"], status.to_string());
    assert_eq!(step.outputs["error_code"], "failed");
    let errors: Vec<&str> = step
        .run
        .stderr
        .lines()
        .filter(|line| line.starts_with("::error::"))
        .collect();
    assert_eq!(errors.len(), 1, "{}", step.run.text());
    assert!(
        errors[0].contains("%0Ahint: ") && errors[0].contains("bpctl migrate"),
        "{}",
        errors[0]
    );
}

#[tokio::test(start_paused = true)]
async fn a_command_that_fails_says_so_on_the_page_of_the_run() {
    let account = Account::with(&[]);
    for (args, told) in [
        (&["fleet", "status", "production/nosuch"][..], "production/nosuch"),
        (&["migrate", "--pools", "a b"], "`a b`"),
        (
            &["runs", "show", "20260101T000000Z-000000"],
            "20260101T000000Z-000000",
        ),
        (&["triage", "--account-id", "999988887777"], "999988887777"),
    ] {
        let step = step(&account, args).await;
        assert_ne!(step.run.status.code(), 0, "{args:?}: {}", step.run.text());
        assert_eq!(
            step.summary.matches("**error:** failed to ").count(),
            1,
            "{args:?}: {}",
            step.summary
        );
        assert!(
            step.summary.contains(told)
                && step.summary.contains("- hint: ") == step.run.stderr.contains("%0Ahint: "),
            "{args:?}: {}",
            step.summary
        );
    }
}

#[tokio::test(start_paused = true)]
async fn grave_findings_are_annotations_with_the_first_thing_to_do() {
    let account = Account::with(&[Scenario::RdsCpu]);
    let step = step(&account, &["triage", "--fail-on", "never"]).await;
    let errors: Vec<&str> = step
        .run
        .stderr
        .lines()
        .filter(|line| line.starts_with("::error::P1 BP-RDS-001 "))
        .collect();
    assert_eq!(errors.len(), 1, "{}", step.run.text());
    assert!(
        errors[0].contains("%0Ahint: `aws rds describe-db-instances"),
        "{}",
        errors[0]
    );
    assert_ne!(step.outputs["summary_P1"], "0");
    assert_eq!(step.outputs["exit_status"], "0");
    assert!(step.summary.contains("BP-RDS-001"), "{}", step.summary);
}

#[tokio::test(start_paused = true)]
async fn a_fleet_leaves_its_capacity() {
    let account = Account::with(&[]);
    let one = step(&account, &["fleet", "status", "production/gpu-default"]).await;
    assert_eq!(one.outputs["desired"], "2", "{}", one.run.text());
    assert_eq!(one.outputs["name"], "production/gpu-default");
    let all = step(&account, &["fleet", "list"]).await;
    assert!(all.outputs["names"].starts_with("[\""), "{:?}", all.outputs);
    assert!(all.summary.contains("production/gpu-default"), "{}", all.summary);
}

#[tokio::test(start_paused = true)]
async fn a_mistake_leaves_its_status() {
    let account = Account::with(&[]);
    let step = step(&account, &["fleet", "status", "production/nosuch"]).await;
    assert_eq!(step.outputs["exit_status"], "1", "{}", step.run.text());
    assert_eq!(step.outputs["error_code"], "not-found");
}

/// Also what the parser refuses before any verb is known.
#[tokio::test(start_paused = true)]
async fn a_command_line_that_makes_no_sense_is_an_annotation() {
    let account = Account::with(&[]);
    for args in [
        &["fleet", "lits"][..],
        &["migrate", "--nosuch"],
        &["runs", "show", "nosuch"],
        &["nosuch"],
        &["runs", "resume", "20260115T090000Z-000000000000"],
    ] {
        let step = step(&account, args).await;
        let status = step.run.status.code().to_string();
        assert_ne!(status, "0", "{}", step.run.text());
        assert_eq!(
            step.outputs.get("exit_status"),
            Some(&status),
            "{}",
            step.run.text()
        );
        assert!(step.outputs.contains_key("error_code"), "{:?}", step.outputs);
        let errors = step
            .run
            .stderr
            .lines()
            .filter(|line| line.starts_with("::error::"));
        assert_eq!(errors.count(), 1, "{}", step.run.text());
    }
}

/// The outputs come with the output, not with a verb: every verb that shows something leaves both.
#[tokio::test(start_paused = true)]
async fn every_verb_leaves_its_summary_and_its_outputs() {
    let account = Account::with(&[]);
    for args in [
        &["whoami"][..],
        &["fleet", "list"],
        &["fleet", "status"],
        &["fleet", "explain", "production/gpu-default"],
        &["fleet", "lint", "production/gpu-default"],
        &[
            "fleet",
            "scale-to-zero",
            "production/gpu-default",
            "--dry-run",
            "--force",
        ],
        &["migrate", "--dry-run"],
        &["runs", "list"],
        &["lock", "list"],
        &["history"],
        &["triage", "--fail-on", "never"],
        &["explain", "BP-ECS-003"],
        &["config", "view"],
        &["config", "get-contexts"],
        &["config", "names"],
        &["version"],
        &["exit-codes"],
    ] {
        let step = step(&account, args).await;
        assert_eq!(step.outputs["exit_status"], "0", "{args:?}: {}", step.run.text());
        assert!(
            step.outputs["schema"].starts_with("bpctl."),
            "{args:?}: {:?}",
            step.outputs
        );
        assert!(step.outputs.contains_key("names"), "{args:?}: {:?}", step.outputs);
        assert!(step.summary.len() > 10, "{args:?}: {:?}", step.summary);
    }
}

/// The example workflows, as GitHub reads them.
fn examples() -> Vec<(String, serde_json::Value)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/workflows");
    std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let text = std::fs::read_to_string(&path).expect("a text");
            let document = serde_norway::from_str(&text).expect("YAML");
            (path.display().to_string(), document)
        })
        .collect()
}

#[test]
fn the_example_workflows_are_safe_to_copy() {
    let all = examples();
    assert!(all.len() > 1, "{all:?}");
    for (name, workflow) in all {
        assert_eq!(workflow["permissions"], serde_json::json!({}), "{name}");
        assert!(workflow["concurrency"]["group"].is_string(), "{name}");
        for (_, job) in workflow["jobs"].as_object().expect("jobs") {
            assert!(job["timeout-minutes"].is_number(), "{name}");
            assert_eq!(job["permissions"]["contents"], "read", "{name}");
            pinned(&name, job);
            if !job.to_string().contains("bpctl ") {
                assert!(job["permissions"]["id-token"].is_null(), "{name}");
                continue;
            }
            assert_eq!(job["permissions"]["id-token"], "write", "{name}");
            assert!(job["env"]["BPCTL_ACCOUNT_ID"].is_string(), "{name}");
            let steps = job["steps"].as_array().expect("steps");
            let position = |what: &str| {
                steps
                    .iter()
                    .position(|step| step.to_string().contains(what))
                    .unwrap_or_else(|| panic!("{name}: nothing with {what}"))
            };
            let order = [
                "test -n",
                "actions/checkout@",
                "setup-bpctl",
                "configure-aws-credentials@",
                "bpctl ",
            ];
            assert!(order.map(position).is_sorted(), "{name}: the order of the steps");
        }
    }
}

/// Actions are named by their commits, and inputs come to a script by its environment only.
fn pinned(name: &str, job: &serde_json::Value) {
    for step in job["steps"].as_array().expect("steps") {
        let script = step["run"].as_str().unwrap_or_default();
        assert!(
            !script.contains("${{"),
            "{name}: an expression in a script: {script}"
        );
        let Some(uses) = step["uses"].as_str().filter(|uses| !uses.starts_with("./")) else {
            continue;
        };
        let (_, digest) = uses.split_once('@').expect("a version");
        assert!(
            digest.len() == 40 && digest.bytes().all(|b| b.is_ascii_hexdigit()),
            "{name}: {uses} is no commit"
        );
    }
}

/// A checksum is that of one archive, and a runner gets the archive for its processor.
#[test]
fn every_job_pins_the_archive_for_its_processor_and_says_where_it_is() {
    let mut on_arm = 0;
    for (name, workflow) in examples() {
        for (job, of) in workflow["jobs"].as_object().expect("jobs") {
            let is_arm = of["runs-on"].as_str().expect("a runner").ends_with("-arm");
            let steps = of["steps"].as_array().expect("steps").iter();
            for step in steps.filter(|step| step["uses"] == "./.github/actions/setup-bpctl") {
                on_arm += usize::from(is_arm);
                let pin = if is_arm {
                    "BPCTL_SHA256_ARM64"
                } else {
                    "BPCTL_SHA256"
                };
                let expected = serde_json::json!({
                    "version": "${{ vars.BPCTL_VERSION }}",
                    "sha256": format!("${{{{ vars.{pin} }}}}"),
                    "releases": "${{ vars.BPCTL_RELEASES }}",
                });
                assert_eq!(step["with"], expected, "{name}: {job}");
            }
        }
    }
    assert_eq!(on_arm, 1);
}

/// A copy in the platform's repository does not know where it comes from, and the platform has no releases of bpctl.
#[test]
fn a_copied_action_that_is_not_told_where_the_archives_are_says_which_variable_to_set() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/actions/setup-bpctl");
    let text = std::fs::read_to_string(folder.join("action.yml")).expect("a text");
    let action: serde_json::Value = serde_norway::from_str(&text).expect("YAML");
    // A step of the action sees this value no more: GitHub's runner has it while it evaluates the inputs.
    assert_eq!(
        action["inputs"]["repository"]["default"],
        "${{ github.action_repository }}"
    );
    assert_eq!(
        action["runs"]["steps"][0]["env"]["BPCTL_SETUP_REPOSITORY"],
        "${{ inputs.repository }}"
    );
    let home = tempfile::tempdir().expect("a folder");
    let at = |name: &str| home.path().join(name);
    for file in ["path", "output"] {
        std::fs::write(at(file), "").expect("a file");
    }
    // Nothing listens there: a step that asked for an archive would say so.
    let step = std::process::Command::new("bash")
        .arg(folder.join("install"))
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("RUNNER_TEMP", home.path())
        .env("RUNNER_OS", "Linux")
        .env("RUNNER_ARCH", "X64")
        .env("GITHUB_PATH", at("path"))
        .env("GITHUB_OUTPUT", at("output"))
        .env("GITHUB_SERVER_URL", "https://127.0.0.1:9")
        .env("GITHUB_REPOSITORY", "acme/platform")
        .env("BPCTL_SETUP_VERSION", "1.2.3")
        .env("BPCTL_SETUP_RELEASES", "")
        .env("BPCTL_SETUP_REPOSITORY", "")
        .output()
        .expect("bash");
    let said = String::from_utf8_lossy(&step.stdout);
    assert!(!step.status.success(), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    for words in [
        "::error::setup-bpctl: nothing says where bpctl's archives are",
        "set the variable BPCTL_RELEASES",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(
        step.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&step.stderr)
    );
    assert_eq!(std::fs::read_to_string(at("path")).expect("a file"), "");
}

#[test]
fn every_workflow_waits_for_its_turn_but_the_one_that_only_looks() {
    for (name, workflow) in examples() {
        let cuts_off = workflow["concurrency"]["cancel-in-progress"] == true;
        assert_eq!(cuts_off, name.ends_with("triage.yml"), "{name}");
    }
}

/// Those of the platform's workflows are run in `workflow_runs.rs`.
#[test]
fn the_commands_of_the_example_workflows_exist() {
    let mut seen = 0;
    let all = examples();
    for (name, workflow) in all.iter().filter(|(name, _)| name.ends_with("triage.yml")) {
        for (_, job) in workflow["jobs"].as_object().expect("jobs") {
            let scripts = job["steps"].as_array().expect("steps").iter();
            for line in scripts
                .filter_map(|step| step["run"].as_str())
                .flat_map(str::lines)
            {
                let Some(start) = line.find("bpctl ") else {
                    continue;
                };
                let command = line[start..].trim_end_matches(";;");
                let words = shlex::split(command).expect("words");
                let parsed = bpctl::command_tree().try_get_matches_from(words);
                assert!(parsed.is_ok(), "{name}: {command}: {}", parsed.unwrap_err());
                seen += 1;
            }
        }
    }
    assert!(seen >= 1, "{seen}");
}
