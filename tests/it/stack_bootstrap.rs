//! `bpctl stack bootstrap`, with a stand-in for npx that records its calls, and CloudFormation behind it.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use bpctl_sandbox::{Options, Sandbox, Service};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::support::{Account, Run};

const VERSION: &str = "/cdk-bootstrap/hnb659fds/version";
const BUCKET: &str = "cdk-hnb659fds-assets-123456789012-us-east-1";
const REPOSITORY: &str = "cdk-hnb659fds-container-assets-123456789012-us-east-1";

/// Records its words, then waits until the test says how it ends: `go` holds its status.
const NPX: &str = "#!/bin/bash
printf '%s\\n' \"$*\" \"$CDK_DEFAULT_ACCOUNT $CDK_DEFAULT_REGION\" >>calls
echo ' ⏳  Bootstrapping environment aws://123456789012/us-east-1...'
trap 'exit 130' INT
while [[ ! -e go ]]; do sleep 0.02; done
echo 'what the CDK says last' >&2
exit \"$(cat go)\"
";

/// An account, and the folder of an app with npx.
struct Bench {
    account: Account,
}

impl Bench {
    fn new(account: Account) -> Self {
        let bench = Self { account };
        for folder in [bench.app(), bench.bin()] {
            fs::create_dir_all(folder).expect("a folder");
        }
        fs::write(bench.app().join("cdk.json"), r#"{"app": "node app.js"}"#).expect("a file");
        let npx = bench.bin().join("npx");
        fs::write(&npx, NPX).expect("a file");
        fs::set_permissions(npx, fs::Permissions::from_mode(0o755)).expect("a program");
        bench
    }

    fn empty() -> Self {
        let options = Options {
            empty: true,
            ..Options::default()
        };
        Self::new(Account::prepared(options, |_| {}))
    }

    fn app(&self) -> PathBuf {
        self.account.home().join("app")
    }

    fn bin(&self) -> PathBuf {
        self.account.home().join("bin")
    }

    /// What the app's stacks ask for.
    fn wants(&self, version: u32) {
        let folder = self.app().join("cdk.out");
        fs::create_dir_all(&folder).expect("a folder");
        let manifest = json!({ "artifacts": { "bp-cicd": {
            "type": "aws:cloudformation:stack",
            "properties": { "requiresBootstrapStackVersion": version, "bootstrapStackVersionSsmParameter": VERSION },
        } } });
        fs::write(folder.join("manifest.json"), manifest.to_string()).expect("a file");
    }

    fn calls(&self) -> String {
        fs::read_to_string(self.app().join("calls")).unwrap_or_default()
    }

    /// Waits until npx runs.
    async fn is_called(&self) {
        while self.calls().is_empty() {
            #[expect(clippy::disallowed_methods, reason = "npx runs on the machine's time")]
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn run(&self, args: &[&str]) -> Run {
        self.run_until(args, CancellationToken::new()).await
    }

    async fn run_until(&self, args: &[&str], cancel: CancellationToken) -> Run {
        let path = format!("{}:/usr/bin:/bin", self.bin().display());
        let app = self.app().display().to_string();
        let words = [&["stack", "bootstrap"], args].concat();
        let set = move |process: &mut bpctl::Process| {
            process.cancel = cancel;
            process.env.insert("PATH".to_owned(), path);
            process.env.insert("BPCTL_INFRA_DIR".to_owned(), app);
        };
        self.account.run_with(&words, set).await
    }

    /// Once npx runs, CloudFormation does what the CDK would have it do; then npx ends with `status`.
    async fn run_while(&self, args: &[&str], deploys: Option<&Value>, status: u8) -> Run {
        let work = async {
            self.is_called().await;
            if let Some(template) = deploys {
                deploy(&self.account.sandbox, template);
            }
            fs::write(self.app().join("go"), status.to_string()).expect("a file");
        };
        futures::join!(self.run(args), work).0
    }
}

/// The part of the CDK's bootstrap template that bpctl looks at.
fn template(version: &str) -> Value {
    json!({
        "Resources": {
            "StagingBucket": { "Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain",
                "Properties": { "BucketName": BUCKET } },
            "ContainerAssetsRepository": { "Type": "AWS::ECR::Repository",
                "Properties": { "RepositoryName": REPOSITORY } },
            "CdkBootstrapVersion": { "Type": "AWS::SSM::Parameter",
                "Properties": { "Name": VERSION, "Type": "String", "Value": version } },
        },
        "Outputs": {
            "BucketName": { "Value": { "Ref": "StagingBucket" } },
            "ImageRepositoryName": { "Value": { "Ref": "ContainerAssetsRepository" } },
        },
    })
}

fn deploy(sandbox: &Sandbox, template: &Value) {
    let call = |operation: &str, input: &Value| {
        sandbox
            .with_world(|world| world.call(Service::CloudFormation, operation, input))
            .unwrap_or_else(|error| panic!("{operation}: {error:?}"))
    };
    call(
        "CreateChangeSet",
        &json!({
            "StackName": "CDKToolkit", "ChangeSetName": "cdk", "ChangeSetType": "CREATE",
            "TemplateBody": template.to_string(), "Capabilities": ["CAPABILITY_NAMED_IAM"],
        }),
    );
    sandbox.advance(Duration::from_secs(60));
    call(
        "ExecuteChangeSet",
        &json!({ "StackName": "CDKToolkit", "ChangeSetName": "cdk" }),
    );
    sandbox.advance(Duration::from_secs(600));
}

#[tokio::test]
async fn an_empty_account_is_bootstrapped_by_the_cdk_and_looked_at_afterwards() {
    let bench = Bench::empty();
    bench.wants(6);
    let plan = bench.run(&["--dry-run"]).await;
    assert_eq!(
        (plan.status.code(), bench.calls().as_str()),
        (0, ""),
        "{}",
        plan.text()
    );
    for words in [
        "[\"cdk\",\"bootstrap\",\"aws://123456789012/us-east-1\"]",
        "version 6 or a later one",
        "AdministratorAccess",
    ] {
        assert!(plan.stdout.contains(words), "{words}: {}", plan.text());
    }
    let run = bench
        .run_while(&["--yes", "-o", "json"], Some(&template("30")), 0)
        .await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(
        bench.calls(),
        "cdk bootstrap aws://123456789012/us-east-1\n123456789012 us-east-1\n"
    );
    assert!(run.stderr.contains("Bootstrapping environment"), "{}", run.text());
    let document = run.json();
    assert_eq!(document["wanted_version"], 6, "{document:#}");
    assert_eq!(
        document["prepared"],
        json!({
            "status": "CREATE_COMPLETE", "version": 30,
            "bucket": BUCKET, "has_bucket": true,
            "repository": REPOSITORY, "has_repository": true,
        })
    );
    // The second finds nothing to do, and needs no npx for it.
    fs::remove_file(bench.bin().join("npx")).expect("removed");
    let again = bench.run(&["--yes"]).await;
    assert_eq!(again.status.code(), 0, "{}", again.text());
    assert!(again.stderr.contains("Nothing to change"), "{}", again.text());
}

/// npx says that all is well, and CloudFormation shows nothing: that is no success.
#[tokio::test]
async fn what_the_cdk_says_is_checked() {
    let bench = Bench::empty();
    let run = bench.run_while(&["--yes"], None, 0).await;
    assert_eq!(run.status.code(), 1, "{}", run.text());
    assert!(
        run.stderr
            .contains("the CDK has ended well, and there is no stack CDKToolkit"),
        "{}",
        run.text()
    );
    // The version is less than what the stacks need.
    let bench = Bench::empty();
    bench.wants(31);
    let run = bench.run_while(&["--yes"], Some(&template("30")), 0).await;
    assert_eq!(run.status.code(), 1, "{}", run.text());
    assert!(
        run.stderr
            .contains("its version is 30, and the app's stacks need 31"),
        "{}",
        run.text()
    );
}

#[tokio::test]
async fn a_cdk_that_fails_is_told_with_its_last_lines_and_how_the_stack_is() {
    let bench = Bench::empty();
    let run = bench.run_while(&["--yes"], None, 1).await;
    assert_eq!(run.status.code(), 1, "{}", run.text());
    for words in [
        "npx ended with 1",
        "what the CDK says last",
        "there is no stack CDKToolkit",
    ] {
        assert!(run.stderr.contains(words), "{words}: {}", run.text());
    }
}

#[tokio::test]
async fn an_interrupt_goes_to_the_cdk_and_what_goes_on_is_said() {
    let bench = Bench::empty();
    let cancel = CancellationToken::new();
    let interrupt = async {
        bench.is_called().await;
        bench.account.sandbox.with_world(|world| {
            let set = json!({
                "StackName": "CDKToolkit", "ChangeSetName": "cdk", "ChangeSetType": "CREATE",
                "TemplateBody": template("30").to_string(),
            });
            world
                .call(Service::CloudFormation, "CreateChangeSet", &set)
                .expect("a change set");
        });
        bench.account.sandbox.advance(Duration::from_secs(60));
        bench.account.sandbox.with_world(|world| {
            let run = json!({ "StackName": "CDKToolkit", "ChangeSetName": "cdk" });
            world
                .call(Service::CloudFormation, "ExecuteChangeSet", &run)
                .expect("an operation");
        });
        cancel.cancel();
    };
    let run = futures::join!(bench.run_until(&["--yes"], cancel.clone()), interrupt).0;
    assert_eq!(run.status.code(), 130, "{}", run.text());
    for words in [
        "npx was ended",
        "CREATE_IN_PROGRESS: CloudFormation goes on with it",
    ] {
        assert!(run.stderr.contains(words), "{words}: {}", run.text());
    }
}

#[tokio::test(start_paused = true)]
async fn templates_of_bpctl_need_no_bootstrap() {
    let account = Account::with(&[]);
    for args in [
        &["stack", "bootstrap"][..],
        &["stack", "bootstrap", "--blueprint", "platform.toml"],
    ] {
        let run = account.run(args).await;
        assert_eq!((run.status.code(), run.changes.len()), (0, 0), "{}", run.text());
        assert_eq!(run.stdout, "not needed\n");
        assert!(run.stderr.contains("need no bootstrap"), "{}", run.text());
    }
}

/// The account of the sandbox is bootstrapped with version 30.
#[tokio::test(start_paused = true)]
async fn a_bucket_that_is_gone_is_no_case_for_the_cdk() {
    let bench = Bench::new(Account::with(&[]));
    let same = bench.run(&["--yes"]).await;
    assert_eq!(same.status.code(), 0, "{}", same.text());
    bench.wants(99);
    let old = bench.run(&["--dry-run", "--exit-code"]).await;
    assert_eq!(old.status.code(), 9, "{}", old.text());
    assert!(old.stdout.contains("the app's stacks need 99"), "{}", old.text());
    let bench = Bench::empty();
    let mut without = template("30");
    for (part, name) in [("Resources", "StagingBucket"), ("Outputs", "BucketName")] {
        without[part].as_object_mut().expect("an object").remove(name);
    }
    deploy(&bench.account.sandbox, &without);
    let run = bench.run(&["--yes"]).await;
    assert_eq!((run.status.code(), run.changes.len()), (1, 0), "{}", run.text());
    assert!(
        run.stderr
            .contains("aws cloudformation delete-stack --stack-name CDKToolkit"),
        "{}",
        run.text()
    );
}
