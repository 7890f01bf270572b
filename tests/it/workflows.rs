//! `bpctl workflow init`, `diff` and `check`: files of a repository, and what AWS has for them.

use std::fs;
use std::path::Path;

use bpctl_sandbox::{Fault, FaultRule, Options, Service};
use serde_json::{Value, json};

use crate::support::{Account, Run};

const DEPLOY: &str = ".github/workflows/deploy.yml";
const INSTALL: &str = ".github/actions/setup-bpctl/install";
const REPOSITORY: [&str; 4] = ["workflow", "check", "--repository", "acme/platform"];
const ISSUER: &str = "token.actions.githubusercontent.com";

fn call(account: &Account, operation: &str, input: &Value) -> Value {
    account
        .sandbox
        .with_world(|world| world.call(Service::Iam, operation, input))
        .unwrap_or_else(|error| panic!("{operation}: {error:?}"))
}

fn provider() -> String {
    format!("arn:aws:iam::123456789012:oidc-provider/{ISSUER}")
}

fn with_provider(account: &Account, audience: &str) {
    call(
        account,
        "CreateOpenIDConnectProvider",
        &json!({"Url": format!("https://{ISSUER}"), "ClientIDList": [audience]}),
    );
}

/// A role with a trust policy for these subjects, and what it may do.
fn with_role(account: &Account, name: &str, subjects: &[&str], actions: &[&str]) {
    let mut condition = json!({"StringEquals": {}, "StringLike": {}});
    condition["StringEquals"][format!("{ISSUER}:aud")] = json!("sts.amazonaws.com");
    condition["StringLike"][format!("{ISSUER}:sub")] = json!(subjects);
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": {"Federated": provider()},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": condition,
    }]});
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]});
    call(
        account,
        "CreateRole",
        &json!({"RoleName": name, "AssumeRolePolicyDocument": trust.to_string()}),
    );
    call(
        account,
        "PutRolePolicy",
        &json!({"RoleName": name, "PolicyName": "p", "PolicyDocument": policy.to_string()}),
    );
}

/// Everything that the workflows need, in one account for both stages.
fn ready() -> Account {
    let account = Account::with(&[]);
    with_provider(&account, "sts.amazonaws.com");
    with_role(
        &account,
        "main",
        &["repo:acme/platform:ref:refs/heads/main"],
        &["*"],
    );
    for stage in ["staging", "production"] {
        for gate in ["infra", "migrations", "gpu-provision"] {
            let subject = format!("repo:acme/platform:environment:{stage}-{gate}");
            with_role(&account, &format!("{stage}-{gate}"), &[&subject], &["*"]);
        }
    }
    account
}

async fn init(account: &Account, more: &[&str]) -> Run {
    account.run(&[&["workflow", "init"], more].concat()).await
}

fn checks(run: &Run) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    run.json()["checks"]
        .as_array()
        .expect("checks")
        .iter()
        .map(|check| {
            (
                text(&check["name"]),
                text(&check["state"]),
                text(&check["detail"]),
            )
        })
        .collect()
}

fn state(run: &Run, name: &str) -> (String, String) {
    let found = checks(run).into_iter().find(|(check, ..)| check == name);
    let (_, state, detail) = found.unwrap_or_else(|| panic!("no check of {name}: {}", run.text()));
    (state, detail)
}

#[tokio::test(start_paused = true)]
async fn the_files_are_written_once_and_then_current() {
    let account = Account::with(&[]);
    let home = account.home();
    let dry = init(&account, &["--dry-run", "-o", "json"]).await;
    assert_eq!(dry.status.code(), 0, "{}", dry.text());
    assert!(!home.join(".github").exists());
    assert_eq!(dry.json()["dry_run"], true);
    let run = init(&account, &["-o", "json"]).await;
    assert_eq!((run.status.code(), run.calls), (0, 0), "{}", run.text());
    let files = run.json()["files"].as_array().expect("files").clone();
    assert_eq!(files.len(), 12);
    for file in &files {
        assert_eq!(
            (&file["was"], &file["written"]),
            (&json!("new"), &json!(true)),
            "{file}"
        );
        let path = home.join(file["path"].as_str().expect("a path"));
        let text = fs::read_to_string(&path).expect("a file");
        assert!(text.contains("bpctl (`workflow init`)"), "{text}");
        // What is written is not what lies in `examples` only for the line that says where it comes from.
        let name = path.file_name().expect("a name").to_string_lossy();
        let example = match name.strip_suffix(".yml").filter(|name| *name != "action") {
            Some(_) => format!("examples/workflows/{name}"),
            None => format!("examples/actions/setup-bpctl/{name}"),
        };
        let example =
            fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(example)).expect("a file");
        let others: Vec<&str> = text.lines().filter(|line| !line.contains("Digest: ")).collect();
        assert_eq!(others, example.lines().collect::<Vec<_>>(), "{name}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(home.join(INSTALL))
            .expect("a file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o111, 0o111);
        fs::set_permissions(home.join(INSTALL), fs::Permissions::from_mode(0o644)).expect("a file");
        let diff = account.run(&["workflow", "diff"]).await;
        assert!(diff.stdout.contains("it has to be executable"), "{}", diff.text());
        assert_eq!(
            init(&account, &["-o", "name"]).await.stdout,
            format!("{INSTALL}\n")
        );
    }
    let again = init(&account, &["-o", "name"]).await;
    assert_eq!(
        (again.status.code(), again.stdout.as_str()),
        (0, ""),
        "{}",
        again.text()
    );
    let diff = account.run(&["workflow", "diff", "--exit-code"]).await;
    assert_eq!(
        (diff.status.code(), diff.stdout.as_str()),
        (0, ""),
        "{}",
        diff.text()
    );
}

#[tokio::test(start_paused = true)]
async fn an_edited_file_is_left_alone_and_with_it_all_others() {
    let account = Account::with(&[]);
    init(&account, &[]).await;
    let deploy = account.home().join(DEPLOY);
    let written = fs::read_to_string(&deploy).expect("a file");
    let edited = written.replace("timeout-minutes: 60", "timeout-minutes: 61");
    assert_ne!(edited, written);
    fs::write(&deploy, &edited).expect("a file");
    let diff = account.run(&["workflow", "diff", "--exit-code"]).await;
    assert_eq!(diff.status.code(), 9, "{}", diff.text());
    assert!(
        diff.stdout
            .contains("-    timeout-minutes: 61\n+    timeout-minutes: 60\n"),
        "{}",
        diff.text()
    );
    assert_eq!(diff.stdout.matches("--- a/").count(), 1);
    // Another region changes every workflow: none of them is written.
    let seed = account.home().join(".github/workflows/db-seed.yml");
    let before = fs::read_to_string(&seed).expect("a file");
    for more in [
        &["--region", "eu-west-1"][..],
        &["--region", "eu-west-1", "--dry-run"],
    ] {
        let refused = init(&account, more).await;
        assert_eq!(refused.status.code(), 2, "{}", refused.text());
        assert!(
            refused.stderr.contains("`.github/workflows/deploy.yml`"),
            "{}",
            refused.text()
        );
        assert!(!refused.stderr.contains("db-seed.yml"), "{}", refused.text());
    }
    assert_eq!(fs::read_to_string(&seed).expect("a file"), before);
    assert_eq!(fs::read_to_string(&deploy).expect("a file"), edited);
    let forced = init(&account, &["--region", "eu-west-1", "--force", "-o", "json"]).await;
    assert_eq!(forced.status.code(), 0, "{}", forced.text());
    assert!(
        fs::read_to_string(&seed)
            .expect("a file")
            .contains("default: eu-west-1\n")
    );
    assert!(!fs::read_to_string(&deploy).expect("a file").contains("61"));
    let left: Vec<_> = fs::read_dir(account.home().join(".github/workflows"))
        .expect("a folder")
        .collect();
    assert_eq!(left.len(), 10, "{left:?}");
}

#[tokio::test(start_paused = true)]
async fn layout_and_prefix_are_those_of_the_context() {
    let account = Account::staged(&[]);
    let run = init(&account, &[]).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    let text = fs::read_to_string(account.home().join(".github/workflows/deploy-infrastructure.yml"))
        .expect("a file");
    assert!(
        text.contains("BPCTL_LAYOUT: staged\n") && text.contains("'gpu '"),
        "{text}"
    );
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn what_is_no_file_is_named_and_nothing_is_written_through_a_link() {
    let account = Account::with(&[]);
    let folder = account.home().join(".github/workflows");
    fs::create_dir_all(&folder).expect("a folder");
    let elsewhere = account.home().join("elsewhere");
    fs::write(&elsewhere, "precious").expect("a file");
    std::os::unix::fs::symlink(&elsewhere, folder.join("deploy.yml")).expect("a link");
    for args in [
        &["workflow", "init", "--force"][..],
        &["workflow", "init"],
        &["workflow", "diff"],
    ] {
        let run = account.run(args).await;
        assert_eq!(run.status.code(), 1, "{}", run.text());
        assert!(run.stderr.contains("a symbolic link"), "{}", run.text());
    }
    assert_eq!(fs::read_to_string(&elsewhere).expect("a file"), "precious");
    assert_eq!(fs::read_dir(&folder).expect("a folder").count(), 1);
    // To the check it is unknown, and not fine.
    let run = account.run(&[&REPOSITORY[..], &["-o", "json"]].concat()).await;
    assert_eq!(state(&run, DEPLOY).0, "unknown", "{}", run.text());
    fs::remove_file(folder.join("deploy.yml")).expect("a link");
    fs::create_dir(folder.join("deploy.yml")).expect("a folder");
    let run = account.run(&["workflow", "init"]).await;
    assert_eq!(run.status.code(), 1, "{}", run.text());
    assert!(run.stderr.contains("a directory"), "{}", run.text());
}

#[tokio::test(start_paused = true)]
async fn all_is_well_where_files_provider_and_roles_are_there() {
    let account = ready();
    init(&account, &[]).await;
    let run = account.run(&[&REPOSITORY[..], &["-o", "json"]].concat()).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(run.changes, [""; 0]);
    assert_eq!(checks(&run).len(), 12 + 1 + 20);
    let migrate = run.json()["checks"]
        .as_array()
        .expect("checks")
        .iter()
        .find(|check| check["name"] == "db-migrate (production)")
        .expect("a check")
        .clone();
    assert_eq!(
        migrate["role"],
        "arn:aws:iam::123456789012:role/production-migrations"
    );
    let detail = migrate["detail"].as_str().expect("a text");
    assert!(detail.contains("AWS_DEPLOY_ROLE_ARN_PRODUCTION"), "{detail}");
    let names = |what: &str| -> Vec<String> {
        let all = run.json()["needs"][what].as_array().expect("a list").clone();
        let required = all.iter().filter(|one| one["required"] == true);
        required
            .map(|one| one["name"].as_str().expect("a name").to_owned())
            .collect()
    };
    assert_eq!(
        names("secrets"),
        ["AWS_DEPLOY_ROLE_ARN_PRODUCTION", "AWS_DEPLOY_ROLE_ARN_STAGING"]
    );
    assert_eq!(
        names("variables"),
        [
            "AWS_ACCOUNT_ID_PRODUCTION",
            "AWS_ACCOUNT_ID_STAGING",
            "BPCTL_RELEASES",
            "BPCTL_VERSION"
        ]
    );
    let optional = run.json()["needs"]["variables"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|one| one["required"] == false)
        .map(|one| {
            (
                one["name"].clone(),
                one["workflows"].as_array().map_or(0, Vec::len),
            )
        })
        .collect::<Vec<_>>();
    assert_eq!(
        optional,
        [
            (json!("AWS_ROLE_SECONDS"), 5),
            (json!("BPCTL_SHA256"), 10),
            (json!("BPCTL_SHA256_ARM64"), 1)
        ]
    );
    // A secret that somebody's own step reads is needed too.
    let seed = account.home().join(".github/workflows/db-seed.yml");
    let text = fs::read_to_string(&seed).expect("a file") + "# ${{ secrets.MINE }}\n";
    fs::write(&seed, text).expect("a file");
    let run = account.run(&[&REPOSITORY[..], &["-o", "json"]].concat()).await;
    assert_eq!(run.status.code(), 9, "{}", run.text());
    assert_eq!(state(&run, ".github/workflows/db-seed.yml").0, "wrong");
    assert!(run.json()["needs"]["secrets"].to_string().contains("\"MINE\""));
}

#[tokio::test(start_paused = true)]
async fn everything_that_is_missing_is_named() {
    let account = Account::with(&[]);
    let run = account.run(&[&REPOSITORY[..], &["-o", "json"]].concat()).await;
    assert_eq!(run.status.code(), 9, "{}", run.text());
    assert!(
        checks(&run).iter().all(|(_, state, _)| state == "wrong"),
        "{}",
        run.text()
    );
    for words in [
        "bpctl workflow init",
        "aws iam create-open-id-connect-provider",
        "bpctl iam policy --for 'stack diff,stack deploy' --trust github --repo acme/platform --environment staging-infra",
    ] {
        assert!(run.stderr.contains(words), "{words}: {}", run.stderr);
    }
    // Each stage in its account.
    let one = account
        .run(&[&REPOSITORY[..], &["--stage", "staging", "-o", "json"]].concat())
        .await;
    assert!(
        checks(&one).iter().all(|(name, ..)| !name.contains("production")),
        "{}",
        one.text()
    );
}

#[tokio::test(start_paused = true)]
async fn roles_that_let_the_wrong_ones_in_are_wrong() {
    for (role, subjects, name, words) in [
        (
            "staging-migrations",
            &["repo:acme/other:*"][..],
            "db-seed (staging)",
            "no role lets",
        ),
        (
            "staging-migrations",
            &["repo:acme/platform:environment:staging-infra"],
            "db-seed (staging)",
            "no role lets repo:acme/platform:environment:staging-migrations in",
        ),
        (
            "staging-migrations",
            &["repo:acme/platform:*"],
            "db-seed (staging)",
            "every branch",
        ),
        (
            "staging-migrations",
            &["*"],
            "db-seed (staging)",
            "every repository",
        ),
        ("main", &["*"], "deploy (production)", "every repository"),
        (
            "production-infra",
            &["repo:acme/platform:environment:*"],
            "deploy-infrastructure (production)",
            "e.g. repo:acme/platform:environment:any-environment",
        ),
        (
            "production-infra",
            &["repo:*:environment:production-infra"],
            "deploy-infrastructure (production)",
            "e.g. repo:any-owner/any-name:environment:production-infra",
        ),
        (
            "both",
            &[
                "repo:acme/platform:environment:staging-infra",
                "repo:acme/platform:environment:production-infra",
            ],
            "deploy-infrastructure (production)",
            "whoever approves for staging",
        ),
        (
            "main",
            &["repo:acme/platform:*"],
            "deploy (production)",
            "every branch",
        ),
    ] {
        let account = Account::with(&[]);
        with_provider(&account, "sts.amazonaws.com");
        with_role(&account, role, subjects, &["*"]);
        let run = account.run(&[&REPOSITORY[..], &["-o", "json"]].concat()).await;
        assert_eq!(run.status.code(), 9, "{}", run.text());
        let (found, detail) = state(&run, name);
        assert_eq!(found, "wrong", "{subjects:?}: {detail}");
        assert!(detail.contains(words), "{subjects:?}: {detail}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_role_that_may_too_little_is_wrong_and_says_what() {
    let account = Account::with(&[]);
    with_provider(&account, "https://github.com/acme");
    let subject = "repo:acme/platform:environment:staging-migrations";
    with_role(
        &account,
        "small",
        &[subject],
        &["ecs:Describe*", "logs:*", "s3:*"],
    );
    init(&account, &[]).await;
    let run = account
        .run(&[&REPOSITORY[..], &["-o", "json", "--stage", "staging"]].concat())
        .await;
    assert_eq!(run.status.code(), 9, "{}", run.text());
    let (found, detail) = state(&run, "db-seed (staging)");
    assert_eq!(found, "wrong");
    assert!(
        detail.contains("may not ") && detail.contains("ecs:RunTask"),
        "{detail}"
    );
    let (found, detail) = state(&run, &provider());
    assert_eq!(found, "wrong");
    assert!(detail.contains("https://github.com/acme"), "{detail}");
    // A role by its name, and one that is not there.
    let named = account
        .run(
            &[
                &REPOSITORY[..],
                &["-o", "json", "--role", "bp-operator", "--role", "none"],
            ]
            .concat(),
        )
        .await;
    assert_eq!(
        state(&named, "none"),
        ("wrong".to_owned(), "there is none of this name".to_owned())
    );
    assert_eq!(state(&named, "bp-operator").0, "wrong", "{}", named.text());
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_read_is_never_fine() {
    for (operation, names) in [
        ("ListRoles", &["db-seed (staging)", "deploy (production)"][..]),
        (
            "SimulatePrincipalPolicy",
            &["db-seed (staging)", "deploy (production)"],
        ),
        (
            "GetOpenIDConnectProvider",
            &["arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"],
        ),
    ] {
        let account = ready();
        init(&account, &[]).await;
        let deny = FaultRule::on(Service::Iam, operation, Fault::Deny);
        account.sandbox.with_world(|world| world.inject(deny));
        let run = account.run(&[&REPOSITORY[..], &["-o", "json"]].concat()).await;
        assert_eq!(run.status.code(), 7, "{operation}: {}", run.text());
        for name in names {
            assert_eq!(state(&run, name).0, "unknown", "{operation}: {}", run.text());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_repository_is_said_or_found_or_asked_for_before_any_call() {
    let account = ready();
    init(&account, &[]).await;
    let none = account.run(&["workflow", "check"]).await;
    assert_eq!((none.status.code(), none.calls), (2, 0), "{}", none.text());
    for hostile in [
        "acme",
        "acme/*",
        "a b/c",
        "",
        "acme/platform:environment",
        "../x/y",
    ] {
        let run = account.run(&["workflow", "check", "--repository", hostile]).await;
        assert_eq!(
            (run.status.code(), run.calls),
            (2, 0),
            "{hostile}: {}",
            run.text()
        );
    }
    for args in [["--branch", "*"], ["--branch", "a:b"], ["--role", "a/b c"]] {
        let run = account.run(&[&REPOSITORY[..], &args].concat()).await;
        assert_eq!((run.status.code(), run.calls), (2, 0), "{args:?}: {}", run.text());
    }
    let git = account.home().join(".git");
    fs::create_dir(&git).expect("a folder");
    fs::write(
        git.join("config"),
        "[remote \"origin\"]\n\turl = git@github.com:acme/platform.git\n",
    )
    .expect("a file");
    let run = account.run(&["workflow", "check", "-o", "json"]).await;
    assert_eq!(
        (run.status.code(), &run.json()["repository"]),
        (0, &json!("acme/platform")),
        "{}",
        run.text()
    );
    let of_runner = account
        .run_with(&["workflow", "check", "-o", "json"], |process| {
            process
                .env
                .insert("GITHUB_REPOSITORY".to_owned(), "acme/other".to_owned());
        })
        .await;
    assert_eq!(
        of_runner.json()["repository"],
        "acme/other",
        "{}",
        of_runner.text()
    );
    assert_eq!(of_runner.status.code(), 9);
}

/// The policy that bpctl writes for a workflow's role is enough for it, and no role need have more.
#[tokio::test(start_paused = true)]
async fn the_policy_that_the_hint_names_suffices() {
    let account = Account::from_options(Options::default());
    init(&account, &[]).await;
    with_provider(&account, "sts.amazonaws.com");
    let policy = account.run(&["iam", "policy", "--for", "seed"]).await;
    let subject = "repo:acme/platform:environment:staging-migrations";
    with_role(&account, "seed", &[subject], &["sts:GetCallerIdentity"]);
    call(
        &account,
        "PutRolePolicy",
        &json!({"RoleName": "seed", "PolicyName": "p", "PolicyDocument": policy.stdout}),
    );
    let run = account.run(&[&REPOSITORY[..], &["-o", "json"]].concat()).await;
    assert_eq!(state(&run, "db-seed (staging)").0, "ok", "{}", run.text());
    // Claims with numbers are other claims.
    let numbered = [
        "workflow",
        "check",
        "--repository",
        "acme@12/platform@34",
        "-o",
        "json",
    ];
    let run_numbered = account.run(&numbered).await;
    let (found, detail) = state(&run_numbered, "db-seed (staging)");
    assert!(
        found == "wrong" && detail.contains("repo:acme@12/platform@34:environment:"),
        "{detail}"
    );
    // What is for another workflow of the environment it may not do.
    let (found, detail) = state(&run, "db-migrate (staging)");
    assert!(found == "wrong" && detail.contains("may not "), "{detail}");
}
