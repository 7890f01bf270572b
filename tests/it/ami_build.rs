//! `bpctl ami build`, with a stand-in for packer that records its calls.
#![cfg(unix)]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bpctl_sandbox::{Sandbox, Service};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::bundle::NEXT;
use crate::support::{Account, Run};

const FLEET: &str = "staging/gpu-default";
const BUILD: [&str; 6] = ["ami", "build", "--fleet", FLEET, "--infra-dir", "infrastructure"];

/// An account, the folder of the infrastructure, and packer.
struct Bench {
    account: Account,
    folder: tempfile::TempDir,
    image: String,
}

fn call(sandbox: &Sandbox, service: Service, operation: &str, input: &Value) -> Value {
    sandbox
        .with_world(|world| world.call(service, operation, input))
        .unwrap_or_else(|error| panic!("{operation}: {error:?}"))
}

impl Bench {
    fn new() -> Self {
        let account = Account::with(&[]);
        let folder = tempfile::tempdir().expect("a folder");
        let bench = Self {
            image: made(&account.sandbox),
            account,
            folder,
        };
        for folder in [
            bench.bin(),
            bench.record(),
            bench.path("app/infrastructure/packer"),
        ] {
            fs::create_dir_all(folder).expect("a folder");
        }
        let stand_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/stand-in-packer");
        std::os::unix::fs::symlink(stand_in, bench.bin().join("packer")).expect("a link");
        fs::write(bench.record().join("image"), &bench.image).expect("a file");
        bench
    }

    fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    fn bin(&self) -> PathBuf {
        self.path("bin")
    }

    fn record(&self) -> PathBuf {
        self.path("record")
    }

    /// Makes the stand-in behave so.
    fn let_it(&self, behave: &str) {
        fs::write(self.record().join(behave), "").expect("a file");
    }

    fn calls(&self) -> Vec<String> {
        let text = fs::read_to_string(self.record().join("calls")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    async fn run(&self, args: &[&str]) -> Run {
        self.run_until(args, CancellationToken::new()).await
    }

    async fn run_until(&self, args: &[&str], cancel: CancellationToken) -> Run {
        let path = format!("{}:/usr/bin:/bin", self.bin().display());
        self.account
            .run_with(args, |process| {
                process.cwd = self.path("app");
                process.cancel = cancel;
                for (name, value) in [
                    ("PATH", path.as_str()),
                    ("STAND_IN", &self.record().display().to_string()),
                ] {
                    process.env.insert(name.to_owned(), value.to_owned());
                }
            })
            .await
    }

    fn pointer(&self) -> String {
        let input = json!({"Name": "/bp/ami/fleets/staging/gpu-default"});
        let answer = call(&self.account.sandbox, Service::Ssm, "GetParameter", &input);
        answer["Parameter"]["Value"]
            .as_str()
            .expect("an image")
            .to_owned()
    }
}

/// An image as packer makes them.
pub(crate) fn made(sandbox: &Sandbox) -> String {
    let input = json!({"Filters": [{"Name": "instance-state-name", "Values": ["running"]}]});
    let found = call(sandbox, Service::Ec2, "DescribeInstances", &input);
    let tags = json!([
        {"Key": "FleetSlug", "Value": "gpu-default"},
        {"Key": "ManagedBy", "Value": "packer"},
    ]);
    let input = json!({
        "InstanceId": found["Reservations"][0]["Instances"][0]["InstanceId"],
        "Name": "bp-comfyui-gpu-default-1700000000",
        "TagSpecifications": [{"ResourceType": "image", "Tags": tags}],
    });
    let image = call(sandbox, Service::Ec2, "CreateImage", &input);
    sandbox.advance(Duration::from_secs(600));
    image["ImageId"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn packer_gets_the_variables_and_its_image_is_promoted() {
    let bench = Bench::new();
    let args = [
        &BUILD[..],
        &["--bundle", NEXT, "--var", "comfyui_ref=v1", "--promote"],
    ]
    .concat();
    let dry = bench.run(&[&args[..], &["--dry-run"]].concat()).await;
    assert_eq!((dry.status.code(), dry.changes.len()), (0, 0), "{}", dry.text());
    assert!(bench.calls().is_empty());
    let run = bench.run(&[&args[..], &["--yes"]].concat()).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert_eq!(run.changes, ["Ssm:PutParameter"]);
    let profile = {
        let input = json!({"Name": "/bp/packer/instance_profile"});
        let answer = call(&bench.account.sandbox, Service::Ssm, "GetParameter", &input);
        answer["Parameter"]["Value"]
            .as_str()
            .expect("a profile")
            .to_owned()
    };
    let build = format!(
        "build -machine-readable -var fleet_slug=gpu-default -var instance_type=g4dn.xlarge -var aws_region=us-east-1 \
         -var models_s3_bucket=bp-models-123456789012 -var models_s3_prefix=bundles/{NEXT} -var bundle_id={NEXT} \
         -var packer_instance_profile={profile} -var comfyui_ref=v1 ."
    );
    assert_eq!(bench.calls(), ["init .".to_owned(), build]);
    let signed_in = fs::read_to_string(bench.record().join("signed-in")).expect("a file");
    assert!(signed_in.starts_with("us-east-1 "), "{signed_in}");
    assert!(
        run.stderr.contains("Waiting for AMI to become ready"),
        "{}",
        run.text()
    );
    assert_eq!(bench.pointer(), bench.image);
}

#[tokio::test]
async fn the_command_line_is_printed_as_packer_takes_it() {
    let bench = Bench::new();
    let run = bench.run(&[&BUILD[..], &["--print-aws"]].concat()).await;
    assert_eq!(run.status.code(), 0, "{}", run.text());
    assert!(
        run.stdout.starts_with("packer build -machine-readable"),
        "{}",
        run.text()
    );
    assert!(bench.calls().is_empty());
}

#[tokio::test]
async fn what_packer_fails_with_and_what_it_leaves_is_said() {
    let bench = Bench::new();
    bench.let_it("fail");
    let args = [&BUILD[..], &["--yes"]].concat();
    let run = bench.run(&args).await;
    assert_eq!((run.status.code(), run.changes.len()), (1, 0), "{}", run.text());
    assert!(run.stderr.contains("Timeout waiting for SSH"), "{}", run.text());
    assert!(
        run.stderr.contains("no instance of packer is left"),
        "{}",
        run.text()
    );
    let input = json!({
        "ImageId": bench.image, "InstanceType": "g4dn.xlarge", "MinCount": 1, "MaxCount": 1,
        "TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "Packer Builder"}]}],
    });
    let started = call(&bench.account.sandbox, Service::Ec2, "RunInstances", &input);
    let id = started["Instances"][0]["InstanceId"].as_str().expect("an id");
    let run = bench.run(&args).await;
    assert_eq!(run.status.code(), 1, "{}", run.text());
    assert!(
        run.stderr
            .contains(&format!("aws ec2 terminate-instances --instance-ids {id}")),
        "{}",
        run.text()
    );
}

#[tokio::test]
async fn an_image_of_another_account_is_no_success() {
    let bench = Bench::new();
    fs::write(bench.record().join("image"), "ami-0123456789abcdef0").expect("a file");
    let run = bench.run(&[&BUILD[..], &["--promote", "--yes"]].concat()).await;
    assert_eq!((run.status.code(), run.changes.len()), (1, 0), "{}", run.text());
    assert!(run.stderr.contains("EC2 does not show it here"), "{}", run.text());
}

#[tokio::test]
async fn an_interrupt_goes_to_packer_which_cleans_up() {
    let bench = Bench::new();
    bench.let_it("hang");
    let cancel = CancellationToken::new();
    let (ends, hanging) = (cancel.clone(), bench.record().join("hanging"));
    tokio::spawn(async move {
        while !hanging.exists() {
            #[expect(clippy::disallowed_methods, reason = "the stand-in's time is the machine's")]
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        ends.cancel();
    });
    let run = bench.run_until(&[&BUILD[..], &["--yes"]].concat(), cancel).await;
    assert_eq!(run.status.code(), 130, "{}", run.text());
    assert!(bench.record().join("cleaned").exists(), "{}", run.text());
    assert!(
        run.stderr.contains("Terminating the source AWS instance"),
        "{}",
        run.text()
    );
    assert!(
        run.stderr.contains("no instance of packer is left"),
        "{}",
        run.text()
    );
}

#[tokio::test]
async fn what_is_missing_is_said_before_anything_is_built() {
    let bench = Bench::new();
    let elsewhere = bench
        .run(&[
            "ami",
            "build",
            "--fleet",
            FLEET,
            "--infra-dir",
            "elsewhere",
            "--yes",
        ])
        .await;
    assert_eq!(elsewhere.status.code(), 2, "{}", elsewhere.text());
    let nowhere = bench.run(&["ami", "build", "--fleet", FLEET, "--yes"]).await;
    assert_eq!(nowhere.status.code(), 2, "{}", nowhere.text());
    assert!(nowhere.stderr.contains("--infra-dir"), "{}", nowhere.text());
    fs::remove_file(bench.bin().join("packer")).expect("it is there");
    let without = bench.run(&[&BUILD[..], &["--yes"]].concat()).await;
    assert_eq!(without.status.code(), 2, "{}", without.text());
    assert!(
        without.stderr.contains("packer is not on the PATH"),
        "{}",
        without.text()
    );
    assert!(bench.calls().is_empty());
    let bench = Bench::new();
    let value = json!({"version": 1, "template_slug": "gpu-default", "instance_type": "p5.48xlarge"});
    let input = json!({"Name": "/bp/fleets/staging/gpu-default/desired_config", "Value": value.to_string(), "Overwrite": true});
    call(&bench.account.sandbox, Service::Ssm, "PutParameter", &input);
    let refused = bench.run(&[&BUILD[..], &["--yes"]].concat()).await;
    assert_eq!(refused.status.code(), 1, "{}", refused.text());
    assert!(bench.calls().is_empty());
}
