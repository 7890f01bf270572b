//! The real binary as an operator meets it: stdout, stderr and status of a whole run in one picture.
//!
//! Ids differ from run to run (idempotency tokens are random); they are replaced by `<id>`.

use std::process::Command;

/// Runs `bpctl sandbox run <options> -- bpctl <args>` in an empty environment.
fn picture(options: &[&str], args: &[&str]) -> String {
    let home = tempfile::tempdir().expect("a temporary folder");
    let output = Command::new(env!("CARGO_BIN_EXE_bpctl"))
        .args(["sandbox", "run", "--speed", "600", "--at", "2026-01-15T09:00:00Z"])
        .args(options)
        .args(["--", "bpctl"])
        .args(args)
        .env_clear()
        .env("HOME", home.path())
        .env("PATH", "/usr/bin:/bin")
        .current_dir(home.path())
        .output()
        .expect("bpctl starts");
    let text = format!(
        "[exit {}]\n----- stdout\n{}----- stderr\n{}",
        output
            .status
            .code()
            .map_or("signal".to_owned(), |code| code.to_string()),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    without_ids(&text)
}

/// Every run of twelve or more hexadecimal digits that has a digit and is not the account's number becomes `<id>`.
fn without_ids(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut word = String::new();
    let flush = |word: &mut String, result: &mut String| {
        let is_id = word.len() >= 12 && word.bytes().any(|b| b.is_ascii_digit()) && *word != "123456789012";
        result.push_str(if is_id { "<id>" } else { word });
        word.clear();
    };
    for c in text.chars() {
        if c.is_ascii_digit() || ('a'..='f').contains(&c) {
            word.push(c);
        } else {
            flush(&mut word, &mut result);
            result.push(c);
        }
    }
    flush(&mut word, &mut result);
    result
}

#[test]
fn ids_and_nothing_else_are_replaced() {
    assert_eq!(
        without_ids("task e8814a10cbc69cca of run 819808478648 at 123456789012, decade"),
        "task <id> of run <id> at 123456789012, decade"
    );
}

#[test]
fn a_dry_run_of_a_migration() {
    insta::assert_snapshot!(picture(&[], &["migrate", "--central", "--dry-run"]), @r#"
    [exit 0]
    ----- stdout
    plan: migrate the central database
      in context sandbox (account 123456789012, us-east-1)
      - migrate: run `php artisan tenancy:pools-migrate --central` in a new task of bp-backend:42
          the subnets come from service bp-backend, the security groups from service bp-backend
          calls ecs:RunTask with
            cluster                  bp
            taskDefinition           arn:aws:ecs:us-east-1:123456789012:task-definition/bp-backend:42
            count                    1
            launchType               FARGATE
            platformVersion          LATEST
            enableExecuteCommand     true
            subnets                  ["subnet-<id>","subnet-<id>"]
            securityGroups           ["sg-<id>"]
            assignPublicIp           DISABLED
            containerOverrides.name  php-fpm
            command                  ["php artisan tenancy:pools-migrate --central"]
            startedBy                bpctl/migrate/<id>
            tags                     ManagedBy=bpctl bpctl:command=migrate bpctl:run=<id>
            clientToken              <id>
          may call ecs:StopTask with
            cluster  bp
            task     (known after migrate)
            reason   bpctl migrate: another migration was started first
    ----- stderr
    "#);
}

#[test]
fn a_declined_migration() {
    insta::assert_snapshot!(picture(&[], &["migrate", "--central"]), @r#"
    [exit 3]
    ----- stdout
    ----- stderr
    plan: migrate the central database
      in context sandbox (account 123456789012, us-east-1)
      - migrate: run `php artisan tenancy:pools-migrate --central` in a new task of bp-backend:42
          the subnets come from service bp-backend, the security groups from service bp-backend
          calls ecs:RunTask with
            cluster                  bp
            taskDefinition           arn:aws:ecs:us-east-1:123456789012:task-definition/bp-backend:42
            count                    1
            launchType               FARGATE
            platformVersion          LATEST
            enableExecuteCommand     true
            subnets                  ["subnet-<id>","subnet-<id>"]
            securityGroups           ["sg-<id>"]
            assignPublicIp           DISABLED
            containerOverrides.name  php-fpm
            command                  ["php artisan tenancy:pools-migrate --central"]
            startedBy                bpctl/migrate/<id>
            tags                     ManagedBy=bpctl bpctl:command=migrate bpctl:run=<id>
            clientToken              <id>
          may call ecs:StopTask with
            cluster  bp
            task     (known after migrate)
            reason   bpctl migrate: another migration was started first
    error: failed to confirm migrate: there is no terminal to ask on
    hint: to go on without a question, give `--yes`; to see the plan only, `--dry-run`
    "#);
}

#[test]
fn a_fleet_that_has_work_is_left_alone() {
    insta::assert_snapshot!(
        picture(&[], &["fleet", "scale-to-zero", "production/gpu-default", "--yes"]), @r"
    [exit 1]
    ----- stdout
    ----- stderr
    plan: take 1 fleet to zero
      in context sandbox (account 123456789012, us-east-1)
      - production/gpu-default: set the desired capacity to 0
          desired 2, 2 instances in us-east-1a, us-east-1b, 3 jobs in the queue, 2 workers at work -> desired 0
          calls autoscaling:SetDesiredCapacity with
            AutoScalingGroupName  asg-production-gpu-default
            DesiredCapacity       0
            HonorCooldown         false
          loses running jobs of production/gpu-default
      warning: production/gpu-default: 2 instances are protected from scale-in and keep running until the protection ends
      blocked: take production/gpu-default to zero: 3 jobs in the queue, 2 workers at work
    error: failed to take production/gpu-default to zero: 3 jobs in the queue, 2 workers at work
    hint: wait for the jobs with `--drain`, or lose them with `--force`
    "
    );
}

#[test]
fn a_bad_fleet_id() {
    insta::assert_snapshot!(picture(&[], &["fleet", "status", "prod/gpu-default"]), @r"
    [exit 2]
    ----- stdout
    ----- stderr
    error: invalid value 'prod/gpu-default' for '[FLEET]...': `prod` is not a valid stage: expected `staging` or `production`

    For more information, try '--help'.
    ");
}

#[test]
fn the_fleets() {
    insta::assert_snapshot!(picture(&["--scenario", "spot-drought"], &["fleet", "list"]), @r"
    [exit 0]
    ----- stdout
    NAME                    DESIRED  MIN  MAX  IN SERVICE  TYPES        STATE
    staging/gpu-default     0        0    10   0           g4dn.xlarge  at zero
    production/gpu-default  10       0    10   0           g4dn.xlarge  scaling out
    ----- stderr
    ");
}

#[test]
fn expired_credentials() {
    insta::assert_snapshot!(picture(&["--scenario", "expired-credentials"], &["fleet", "list"]), @r"
    [exit 4]
    ----- stdout
    ----- stderr
    error: failed to find out who the credentials belong to
      caused by: ExpiredToken: The security token included in the request is expired (request d8d88def-c447-44f0-a0a7-<id>)
    hint: the credentials have expired or are invalid: sign in again, with SSO by `aws sso login`, or refresh AWS_* in the environment
    ");
}

/// The largest futures of the program, with as little stack as the main thread of Windows has.
#[cfg(unix)]
#[test]
fn a_small_stack_is_enough_for_every_verb() {
    let bpctl = env!("CARGO_BIN_EXE_bpctl");
    for (speed, args, status) in [
        // Thirty times as fast, a minute is two seconds.
        ("30", "triage --timeout 30m", 0),
        ("30", "migrate --yes", 0),
        ("30", "fleet status", 0),
        ("30", "fleet explain production/gpu-default", 0),
        ("30", "fleet replay production/gpu-default", 0),
        ("30", "fleet lint", 1),
        // At the pace of the clock no alarm raises the capacity before the time is up.
        (
            "1",
            "fleet scale-to-zero --all --force --confirm sandbox --timeout 1s",
            6,
        ),
    ] {
        let home = tempfile::tempdir().expect("a temporary folder");
        let output = Command::new(bpctl)
            .args(["sandbox", "run", "--speed", speed, "--", "sh", "-c"])
            .arg(format!("ulimit -s 1024 && exec {bpctl} {args}"))
            .env_clear()
            .env("HOME", home.path())
            .env("PATH", "/usr/bin:/bin")
            .current_dir(home.path())
            .output()
            .expect("bpctl starts");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{args}: {stderr}");
    }
}
