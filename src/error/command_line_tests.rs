//! How commands are quoted, placed and told apart.

use super::*;

fn place() -> Place {
    Place::of_flags([("context", "my prod")])
        .aws("--profile", Some("ops"))
        .aws("--region", Some("eu-west-1"))
        .aws("--endpoint-url", None)
}

#[test]
fn every_word_means_itself_to_a_shell() {
    let words = [
        "a",
        "it's",
        "",
        "$(id) `id` \"q\"",
        "~",
        "=x",
        "a;b",
        "imageTag=php-1",
        "!x",
        "events[:10].[a,b]",
    ];
    let command = CommandLine::other("printf", ["%s\\0"]).args(words);
    let run = std::process::Command::new("/bin/sh")
        .arg("-c")
        .arg(command.to_string())
        .output()
        .unwrap();
    let said = String::from_utf8(run.stdout).unwrap();
    assert_eq!(said.split_terminator('\0').collect::<Vec<_>>(), words);
    assert!(command.to_string().contains(" imageTag=php-1 "), "{command}");
}

#[test]
fn a_word_from_elsewhere_ends_no_line() {
    let command = CommandLine::bpctl(["fleet", "status"]).args(["a\nrm -rf /\u{1b}[2J\0"]);
    assert_eq!(command.to_string(), "bpctl fleet status 'arm -rf /[2J'");
}

#[test]
fn each_tool_gets_its_own_flags_once() {
    let command = CommandLine::bpctl(["triage"]).in_place(&place());
    assert_eq!(command.to_string(), "bpctl --context 'my prod' triage");
    assert_eq!(command.in_place(&place()), command);
    assert_eq!(command.effect(), Effect::Reads);
    let command = CommandLine::aws("ecs", "list-tasks").option("--region", "us-east-1");
    assert_eq!(
        command.in_place(&place()).to_string(),
        "aws ecs list-tasks --region us-east-1 --profile ops"
    );
    let command = CommandLine::other("npx", ["cdk", "diff", "bp-data"]);
    assert_eq!(command.in_place(&place()).to_string(), "npx cdk diff bp-data");
    let sandbox = CommandLine::bpctl(["--context", "sandbox", "triage"]).without_place();
    assert_eq!(
        sandbox.in_place(&place()).to_string(),
        "bpctl --context sandbox triage"
    );
}

#[test]
fn a_switch_is_repeated_without_a_value() {
    let place = Place::of_flags([("context", "a"), ("protected", "true")]);
    let command = CommandLine::bpctl(["migrate"]).in_place(&place);
    assert_eq!(command.to_string(), "bpctl --context a --protected migrate");
}

#[test]
fn what_another_command_prints_is_in_the_same_place() {
    let source = CommandLine::aws("ecr", "batch-get-image").picking("images[0].imageManifest");
    let command = CommandLine::aws("ecr", "put-image").option_from("--image-manifest", source);
    let line = command.in_place(&place()).to_string();
    assert_eq!(
        line,
        "aws ecr put-image --image-manifest \"$(aws ecr batch-get-image --query 'images[0].imageManifest' --output text --profile ops --region eu-west-1)\" --profile ops --region eu-west-1"
    );
    assert_eq!(command.in_place(&place()).words(), ["sh", "-c", &line]);
}

#[test]
fn what_is_not_known_to_read_counts_as_a_change() {
    for (command, effect) in [
        (CommandLine::aws("ecs", "describe-tasks"), Effect::Reads),
        (CommandLine::aws("rds", "wait"), Effect::Reads),
        (CommandLine::aws("ecs", "update-service"), Effect::Changes),
        (CommandLine::aws("ecs", "execute-command"), Effect::Changes),
        (CommandLine::bpctl(["migrate"]), Effect::Changes),
        (CommandLine::bpctl(["migrate", "--dry-run"]), Effect::Reads),
        (CommandLine::bpctl(["migrate", "--attach", "0af"]), Effect::Reads),
        (
            CommandLine::bpctl(["fleet", "scale-to-zero", "production/a"]),
            Effect::Changes,
        ),
        (
            CommandLine::bpctl(["fleet", "status", "production/a"]),
            Effect::Reads,
        ),
        (
            CommandLine::bpctl(["fleet", "scale", "production/a", "--max", "9"]),
            Effect::Changes,
        ),
        (CommandLine::bpctl(["deploy", "backend"]), Effect::Changes),
        (CommandLine::bpctl(["exec", "0af"]), Effect::Changes),
        (CommandLine::bpctl(["logs", "task", "0af"]), Effect::Reads),
        (CommandLine::bpctl(["task", "describe", "0af"]), Effect::Reads),
        (CommandLine::bpctl(["task", "stop", "0af"]), Effect::Changes),
        (
            CommandLine::bpctl(["rollout", "status", "backend"]),
            Effect::Reads,
        ),
        (
            CommandLine::bpctl(["rollout", "undo", "backend"]),
            Effect::Changes,
        ),
        (
            CommandLine::bpctl(["secrets", "history", "app-key"]),
            Effect::Reads,
        ),
        (CommandLine::bpctl(["secrets", "set", "app-key"]), Effect::Changes),
        (CommandLine::bpctl(["bundle", "history"]), Effect::Reads),
        (CommandLine::bpctl(["lock", "release", "x"]), Effect::Changes),
        (CommandLine::other("npx", ["cdk", "deploy"]), Effect::Changes),
        (
            CommandLine::other("npx", ["cdk", "diff"]).with_effect(Effect::Reads),
            Effect::Reads,
        ),
    ] {
        assert_eq!(command.effect(), effect, "{command}");
    }
}

#[test]
fn a_long_command_has_an_option_on_each_line() {
    let command = CommandLine::aws("ecs", "run-task")
        .option("--cluster", "bp")
        .args(["--tags", "key=a,value=b c", "key=d,value=e"]);
    assert_eq!(
        command.in_place(&place()).over_lines(),
        "aws ecs run-task \\\n  --cluster bp \\\n  --tags 'key=a,value=b c' key=d,value=e \\\n  --profile ops \\\n  --region eu-west-1"
    );
}

#[test]
fn commands_of_a_role_name_its_profile_and_signing_in_the_one_behind_it() {
    let before = Hint::from("make the profile");
    let place = Place::default()
        .aws("--profile", Some("bpctl-acme"))
        .aws("--region", Some("eu-west-1"))
        .by_role(Some("corp".to_owned()), Some(before.clone()));
    let told = |command: CommandLine| command.in_place(&place).to_string();
    assert_eq!(
        told(CommandLine::aws("ecs", "list-tasks")),
        "aws ecs list-tasks --profile bpctl-acme --region eu-west-1"
    );
    assert_eq!(
        told(CommandLine::aws("sso", "login")),
        "aws sso login --profile corp"
    );
    assert_eq!(place.before_aws(), Some(&before));
    let taken = CommandLine::other("tee", ["x"]).output_of(CommandLine::aws("s3", "ls"));
    assert!(taken.uses_aws() && !taken.is_aws());
}
