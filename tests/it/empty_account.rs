//! From an empty account to the running platform, with bpctl's own templates and without the CDK.

use std::time::Duration;

use bpctl_sandbox::Options;

use crate::support::{Account, Run};

fn empty() -> Account {
    Account::prepared(
        Options {
            empty: true,
            ..Options::default()
        },
        |_| {},
    )
}

async fn run(account: &Account, args: &[&str]) -> Run {
    let run = Box::pin(account.run(args)).await;
    eprintln!("$ bpctl {}\n{}", args.join(" "), run.text());
    run
}

#[tokio::test(start_paused = true)]
async fn explore() {
    let account = empty();
    run(&account, &["stack", "deploy", "--all", "--dry-run"]).await;
    run(&account, &["stack", "deploy", "--all", "--yes"]).await;
    run(&account, &["stack", "list"]).await;
    run(&account, &["stack", "diff", "--exit-code"]).await;
    run(&account, &["triage"]).await;
    run(&account, &["day1"]).await;
    run(&account, &["secrets", "list"]).await;
    run(&account, &["secrets", "doctor"]).await;
    run(&account, &["fleet", "list"]).await;
    let pushed = account.sandbox.with_world(|world| {
        [("bp-backend", "nginx-latest"), ("bp-backend", "php-latest"), ("bp-frontend", "latest")]
            .map(|(repository, tag)| world.push_image(repository, &[tag], true, Duration::ZERO))
    });
    eprintln!("{pushed:?}");
    run(&account, &["day1"]).await;
    run(&account, &["secrets", "set", "app-key", "--generate", "--yes"]).await;
    run(&account, &["migrate", "--yes"]).await;
    run(&account, &["stack", "diff", "--exit-code"]).await;
    run(&account, &["stack", "deploy", "compute", "--yes"]).await;
    run(&account, &["day1"]).await;
    account.sandbox.advance(Duration::from_secs(600));
    run(&account, &["day1"]).await;
    run(&account, &["triage"]).await;
    run(&account, &["deploy", "all", "--yes"]).await;
    run(&account, &["stack", "diff", "--exit-code"]).await;
    panic!();
}
