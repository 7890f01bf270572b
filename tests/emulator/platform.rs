//! An account with the platform in it, and an operator who types commands.

use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_ecs::types::DesiredStatus;
use aws_types::SdkConfig;
use aws_types::region::Region;
use serde_json::Value;

use crate::engine::{Container, Image, Program};
use crate::ministack::{Ministack, ministack};
use crate::seed;

pub(crate) const REGION: &str = "us-east-1";

/// Which naming layout the platform follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    Single,
    Staged,
}

/// One account. To ministack an access key of twelve digits is an account of its own: tests never meet.
pub(crate) struct Platform {
    pub(crate) account: String,
    pub(crate) layout: Layout,
    pub(crate) config: SdkConfig,
    home: tempfile::TempDir,
    ministack: &'static Ministack,
}

/// What a command left behind.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A client of the AWS SDK for this account.
macro_rules! client {
    ($sdk:ident, $platform:expr) => {
        $sdk::Client::from_conf((&$platform.config).into())
    };
}
pub(crate) use client;

impl Platform {
    /// An account with nothing in it.
    pub(crate) fn empty(layout: Layout) -> Self {
        static ACCOUNTS: AtomicU64 = AtomicU64::new(111_100_000_001);
        let account = ACCOUNTS.fetch_add(1, Ordering::Relaxed).to_string();
        let ministack = ministack();
        let credentials = Credentials::new(&account, "secret", None, None, "test");
        let config = SdkConfig::builder()
            .behavior_version(aws_config::BehaviorVersion::latest())
            .region(Region::new(REGION))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .endpoint_url(&ministack.url)
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build();
        Self {
            account,
            layout,
            config,
            home: tempfile::tempdir().expect("a temporary folder"),
            ministack,
        }
    }

    /// The application as it runs in this layout.
    pub(crate) async fn with_application(layout: Layout) -> Self {
        let platform = Self::empty(layout);
        seed::application(&platform).await;
        platform
    }

    /// Puts an image into the registry that the emulator's containers come from.
    pub(crate) fn push(&self, image: Image) {
        self.ministack.engine.push(image);
    }

    /// Puts the backend's PHP image into the registry again, with another program in it.
    pub(crate) fn push_php(&self, program: Program) {
        self.push(seed::php_image(self, Some(program)));
    }

    /// The containers of a task.
    pub(crate) fn containers_of(&self, task_arn: &str) -> Vec<Container> {
        self.ministack.engine.containers_of(task_arn)
    }

    /// ARNs of the one-off tasks of the backend, running or not: the service's own tasks have no part in this.
    pub(crate) async fn one_off_tasks(&self) -> Vec<String> {
        let names = seed::Names::of(self);
        let ecs = client!(aws_sdk_ecs, self);
        let mut tasks = Vec::new();
        for status in [DesiredStatus::Running, DesiredStatus::Stopped] {
            let list = |service: Option<&str>| {
                ecs.list_tasks()
                    .cluster(names.cluster)
                    .family(names.backend)
                    .desired_status(status.clone())
                    .set_service_name(service.map(str::to_owned))
                    .send()
            };
            let all = list(None).await.expect("tasks");
            let of_service = list(Some(names.backend)).await.expect("tasks");
            let one_off = all
                .task_arns()
                .iter()
                .filter(|arn| !of_service.task_arns().contains(arn));
            tasks.extend(one_off.cloned());
        }
        tasks
    }

    /// Runs a command line (without `bpctl`) to its end, with nothing but the account in its environment.
    pub(crate) async fn bpctl(&self, args: &[&str]) -> Run {
        self.bpctl_at(self.home.path(), args).await
    }

    /// Another machine that works on this account, with a home folder of its own.
    pub(crate) fn machine(&self) -> Machine<'_> {
        Machine {
            platform: self,
            home: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    async fn bpctl_at(&self, home: &Path, args: &[&str]) -> Run {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_bpctl"));
        command
            .args(args)
            .env_clear()
            .env("HOME", home)
            .env("AWS_ENDPOINT_URL", &self.ministack.url)
            .env("AWS_ACCESS_KEY_ID", &self.account)
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .env("AWS_REGION", REGION)
            .current_dir(home)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        if self.layout == Layout::Staged {
            command.envs([("BPCTL_LAYOUT", "staged"), ("BPCTL_STAGE", "staging")]);
        }
        let done = command.output().await.expect("bpctl starts");
        Run {
            status: done.status.code().expect("an exit status, not a signal"),
            stdout: String::from_utf8_lossy(&done.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&done.stderr).into_owned(),
        }
    }
}

/// One of several machines that work on an account.
pub(crate) struct Machine<'a> {
    platform: &'a Platform,
    home: tempfile::TempDir,
}

impl Machine<'_> {
    /// Runs a command line on this machine.
    pub(crate) async fn bpctl(&self, args: &[&str]) -> Run {
        self.platform.bpctl_at(self.home.path(), args).await
    }
}

impl Run {
    /// stdout as one JSON document.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| {
            panic!("stdout is not one JSON document: {error}\n{}", self.text());
        })
    }

    /// Status, stdout and stderr in one text, for messages.
    pub(crate) fn text(&self) -> String {
        format!(
            "[exit {}]\n----- stdout\n{}----- stderr\n{}",
            self.status, self.stdout, self.stderr
        )
    }
}
