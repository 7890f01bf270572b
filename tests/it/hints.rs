//! Every command that bpctl prints can be pasted: what all verbs say in all scenarios, word by word.

use std::collections::BTreeSet;

use bpctl_sandbox::Scenario;
use serde_json::Value;

use crate::assemblies;
use crate::layers::sources;
use crate::support::{Account, Run};

/// The flags of every command line here; what is printed has to repeat them.
const PLACE: [&str; 4] = ["--context", "sandbox", "--region", "us-east-1"];

async fn run(account: &Account, args: &[&str]) -> Run {
    let line: Vec<&str> = PLACE.iter().chain(args).copied().collect();
    account.run(&line).await
}

/// Commands in backticks: those of errors, warnings and hints.
pub(crate) fn quoted(text: &str) -> Vec<Vec<String>> {
    text.lines()
        .flat_map(|line| line.split('`').skip(1).step_by(2))
        .filter(|span| span.starts_with("bpctl ") || span.starts_with("aws "))
        .map(|span| shlex::split(span).unwrap_or_else(|| panic!("no shell reads `{span}`")))
        .collect()
}

/// What a finding and its symptoms say is to be done, each list for itself.
fn steps(findings: &Value) -> Vec<Vec<Value>> {
    let mut all = Vec::new();
    for finding in findings.as_array().into_iter().flatten() {
        all.push(finding["next"].as_array().cloned().unwrap_or_default());
        all.extend(steps(&finding["symptoms"]));
    }
    all
}

fn words(step: &Value) -> Option<Vec<String>> {
    let words = step["command"].as_array()?;
    Some(
        words
            .iter()
            .filter_map(|word| word.as_str().map(str::to_owned))
            .collect(),
    )
}

/// Whether a command line is what an operator may paste without reading it twice.
fn judge(words: &[String]) {
    let line = words.join(" ");
    for word in words {
        // A query may compare; everything else in angle brackets is something to fill in, or a redirection.
        assert!(
            !(word.starts_with('<') || word.contains('>') && word.contains('<')),
            "something is to be filled in: {line}"
        );
        assert!(!word.contains('…'), "something is left out: {line}");
    }
    for pair in words.windows(2) {
        if ["--secret-string", "--value", "--password"].contains(&pair[0].as_str()) {
            assert!(
                pair[1].starts_with("file://"),
                "a value that may be secret stands in the arguments: {line}"
            );
        }
    }
    match words[0].as_str() {
        "bpctl" => {
            let parsed = bpctl::command_tree().try_get_matches_from(words);
            assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
            if !line.contains(" sandbox ") {
                assert_eq!(&words[1..=4], PLACE, "{line}");
            }
        }
        "aws" => assert!(
            line.contains(" --region us-east-1") || line.contains("aws sso login"),
            "no place in {line}"
        ),
        "npx" => {}
        "sh" => assert!(line.contains(" --region us-east-1"), "no place in {line}"),
        other => panic!("{other} is no program that hints name: {line}"),
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_triage_says_to_do_can_be_pasted_and_reads_first() {
    let mut seen = BTreeSet::new();
    for scenario in Scenario::ALL {
        for account in [Account::with(&[*scenario]), Account::staged(&[*scenario])] {
            let run = run(&account, &["triage", "--fail-on", "never", "-o", "json"]).await;
            if run.stdout.is_empty() {
                continue;
            }
            for steps in steps(&run.json()["findings"]) {
                let effects: Vec<bool> = steps
                    .iter()
                    .filter(|step| step.get("command").is_some())
                    .map(|step| step["changes"] == true)
                    .collect();
                assert!(
                    effects.is_sorted(),
                    "{scenario}: a change before a read: {steps:#?}"
                );
                assert_ne!(
                    effects.first(),
                    Some(&true),
                    "{scenario}: a change comes first: {steps:#?}"
                );
                for step in &steps {
                    let Some(words) = words(step) else { continue };
                    judge(&words);
                    if words[0] == "bpctl" {
                        follow(&account, scenario, &words, step["changes"] == true).await;
                    }
                    seen.insert(words);
                }
            }
        }
    }
    let of = |program: &str| seen.iter().filter(|words| words[0] == program).count();
    assert!(of("aws") > 40 && of("bpctl") > 40 && of("sh") > 1, "{seen:#?}");
}

/// What reads has an answer; what changes has a plan, or a refusal that is no mistake in the command.
async fn follow(account: &Account, scenario: &Scenario, words: &[String], changes: bool) {
    // It asks for a value that only the operator has.
    if words.contains(&"set".to_owned()) && !words.contains(&"--generate".to_owned()) {
        return;
    }
    // packer and its templates are not here (`ami_build.rs` has stand-ins).
    if words.contains(&"ami".to_owned()) && words.contains(&"build".to_owned()) {
        return;
    }
    let mut line: Vec<&str> = words[1..].iter().map(String::as_str).collect();
    // The templates of the stacks come from the infrastructure code, which is not here.
    if ["stack diff", "stack deploy", "fleet apply-config"]
        .iter()
        .any(|verb| line.join(" ").contains(verb))
    {
        assemblies::lay_deployed(&account.sandbox, account.home());
        line.extend(["--assembly", "cdk.out"]);
    }
    if changes {
        line.push("--dry-run");
    }
    // A shell needs a terminal, which is not here: a program takes its place.
    if words.contains(&"exec".to_owned()) {
        line.extend(["--", "true"]);
    }
    let run = account.run(&line).await;
    assert!(run.changes.is_empty(), "{scenario}: {}", run.text());
    let code = run.status.code();
    let fine = if changes { code != 2 } else { code == 0 };
    // A migration that is followed ends with the container's status, and a throttled account answers nothing.
    let own = words.contains(&"--attach".to_owned()) || *scenario == Scenario::Throttled;
    assert!(fine || own, "{scenario}: {}: {}", words.join(" "), run.text());
}

#[tokio::test(start_paused = true)]
async fn whatever_verbs_say_in_trouble_can_be_pasted() {
    let lines: [&[&str]; 3] = [
        &["migrate", "--yes"],
        &["fleet", "status", "production/gpu-default"],
        &["fleet", "scale-to-zero", "production/gpu-default", "--yes"],
    ];
    let mut seen = BTreeSet::new();
    for scenario in Scenario::ALL {
        for line in lines {
            let account = Account::with(&[*scenario]);
            seen.extend(quoted(&run(&account, line).await.stderr));
        }
    }
    let account = Account::with(&[Scenario::MigrationSlow]);
    let plan = run(&account, &["migrate", "--dry-run", "-o", "json"]).await;
    let follow = words(&plan.json()["blockers"][0]["hint"]).expect("a command");
    assert!(follow.contains(&"--attach".to_owned()), "{follow:?}");
    judge(&follow);
    let account = Account::with(&[]);
    let mistakes: [&[&str]; 9] = [
        &[
            "fleet",
            "scale-to-zero",
            "production/gpu-default",
            "--force",
            "--confirm",
            "no",
        ],
        &["fleet", "status", "production/nosuch"],
        &["fleet", "explain", "nosuch/gpu-default"],
        &["fleet", "simulate"],
        &["fleet", "replay", "production/nosuch"],
        &["triage", "--fleet", "production/nosuch"],
        &["migrate", "--attach", "0123456789abcdef0123456789abcdef"],
        &["migrate", "--yes", "--subnets", "subnet-00000000"],
        &["config", "use-context", "nosuch"],
    ];
    for line in mistakes {
        let run = run(&account, line).await;
        assert_ne!(run.status.code(), 0, "{}", run.text());
        seen.extend(quoted(&run.stderr));
    }
    for words in &seen {
        judge(words);
    }
    assert!(seen.len() > 9, "{seen:#?}");
}

/// Pages to read, which name no place; that their commands can be typed is tested with the generated files.
const PAGES: [&str; 3] = [
    "src/triage/explanations.rs",
    "src/commands/man/markdown.rs",
    "src/commands/man/reference.rs",
];

/// In a text a command gets no place and no quotes: it belongs into a `CommandLine`.
#[test]
fn no_command_stands_in_a_text() {
    let mut found = Vec::new();
    for source in sources("src").iter().filter(|source| {
        !source.path.ends_with("tests.rs")
            && !source.path.contains("/tests/")
            && !PAGES.contains(&source.path.as_str())
    }) {
        for line in source.program().lines() {
            // The help of `migrate --print-aws`, and what a file is not.
            let known = ["an `aws ecs run-task` command", "no answer of `aws cloudwatch"];
            let command = ["`bpctl ", "`aws ", "`npx "]
                .iter()
                .any(|start| line.contains(start));
            if command && !known.iter().any(|known| line.contains(known)) {
                found.push(format!("{}: {}", source.path, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

/// A shell takes `<user>` for a redirection. What is not known is asked for in words.
#[test]
fn no_placeholder_in_angle_brackets_stands_in_a_text() {
    // Forms that are explained, and the title of a chart for tests, which no command has.
    const FORMS: [&str; 3] = ["`<stage>/<slug>`", "`[contexts.<name>]`", "a <fleet> & "];
    let mut found = Vec::new();
    for source in sources("src").iter().filter(|source| {
        !source.path.ends_with("tests.rs")
            && !source.path.contains("/tests/")
            && !PAGES.contains(&source.path.as_str())
    }) {
        for line in source.program().lines() {
            let said = FORMS
                .iter()
                .fold(line.to_owned(), |said, form| said.replace(form, ""));
            if has_placeholder(&said) {
                found.push(format!("{}: {}", source.path, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
    assert!(has_placeholder("\"mysql --user <user> --password\""));
    assert!(has_placeholder("unwrap_or(\"<region>\")"));
    assert!(!has_placeholder("let all: Vec<String> = text.parse::<u16>()"));
}

/// A word of small letters in angle brackets that no type or path stands before.
fn has_placeholder(line: &str) -> bool {
    line.match_indices('<').any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let within = line[at + 1..].split_once('>').map_or("", |(within, _)| within);
        before.is_some_and(|before| " \"'`/=.[".contains(before))
            && within.len() > 1
            && within
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b"-_".contains(&b))
    })
}

/// The sandbox asks bpctl for no credentials; the aws tool wants some.
#[test]
fn in_the_sandbox_triage_says_how_the_aws_tool_gets_credentials() {
    let options = bpctl_sandbox::Options {
        scenarios: [Scenario::RdsCpu].into_iter().collect(),
        ..bpctl_sandbox::Options::default()
    };
    let site = crate::site::Site::start(options, 1.0, std::time::Duration::ZERO);
    let home = tempfile::tempdir().expect("a temporary folder");
    let said = |keys: &[(&str, &str)]| {
        let output = site
            .bpctl(home.path(), &["triage", "--fail-on", "never"])
            .envs(keys.iter().copied())
            .output()
            .expect("the binary");
        let line = format!("--region us-east-1 --endpoint-url {}\n", site.url);
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(stdout.contains(&line), "{stdout}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let without = said(&[]);
    assert!(
        without.contains("with `eval \"$(bpctl sandbox env)\"`"),
        "{without}"
    );
    let with = said(&[
        ("AWS_ACCESS_KEY_ID", "sandbox"),
        ("AWS_SECRET_ACCESS_KEY", "sandbox"),
    ]);
    assert!(!with.contains("eval"), "{with}");
}

/// The aws tool has no flag for a role: a profile names it. One that does not exist yet is an error of the aws tool,
/// and no command is signed as another identity.
#[tokio::test(start_paused = true)]
async fn commands_of_a_context_with_a_role_sign_as_the_role() {
    let account = Account::with(&[Scenario::RdsCpu]);
    let role = "arn:aws:iam::123456789012:role/operator";
    let file = format!(
        "[contexts.acme]\nprofile = \"corp\"\nregion = \"us-east-1\"\nrole_arn = \"{role}\"\naccount_id = \"123456789012\"\n"
    );
    std::fs::write(account.home().join("bpctl.toml"), file).expect("a file");
    std::fs::create_dir(account.home().join(".aws")).expect("a folder");
    let run = async |profiles: &str, args: &[&str]| {
        std::fs::write(account.home().join(".aws/config"), profiles).expect("a file");
        let line = [&["--context", "acme"], args].concat();
        account.run(&line).await
    };
    let corp = "[profile corp]\nregion = us-east-1\n";
    let made = format!("{corp}[profile ops]\nrole_arn = {role}\nsource_profile = corp\n");
    let triage = ["triage", "--fail-on", "never"];
    let unmade = run(corp, &triage).await;
    assert!(
        unmade
            .stdout
            .contains(" --profile bpctl-acme --region us-east-1\n"),
        "{}",
        unmade.text()
    );
    let how = format!(
        "make it once with `aws configure set role_arn {role} --profile bpctl-acme` and \
         `aws configure set source_profile corp --profile bpctl-acme`"
    );
    assert_eq!(unmade.stderr.matches(&how).count(), 1, "{}", unmade.text());
    let there = run(&made, &triage).await;
    assert!(there.stdout.contains(" --profile ops "), "{}", there.text());
    assert!(!there.stderr.contains("make it once"), "{}", there.text());
    let printed = run(corp, &["migrate", "--print-aws"]).await;
    assert!(printed.stdout.contains("bpctl-acme"), "{}", printed.text());
    assert!(printed.stderr.contains(&how), "{}", printed.text());
}
