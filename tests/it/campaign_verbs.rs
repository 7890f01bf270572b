//! The mutating verbs that the campaigns break, one line each: in which account, by which command line, and
//! what of the account is compared afterwards.

use std::collections::BTreeSet;
use std::fs;

use bpctl_sandbox::{Sandbox, Service};

use crate::assemblies;
use crate::broken_network::{Break, Network, Request};
use crate::campaign_places::{Place, lay_files};
use crate::campaign_stores::{backed_up, commands, left_behind, objects, rotated, secrets, torn_down};
use crate::campaign_watch::{certificates, subscribers, watched};
use crate::campaign_worlds::{
    World, asleep, baked, cancelled, configurations, deployments, dev_instances, ended_instances, holds,
    holds_and_sizes, image_pointers, images, leases, machine_images, migrations, one_off, pointers,
    protections, refreshed, rolled_back, sizes, stacks, stopped_tasks,
};
use crate::support::{Account, Run};

/// A verb in a campaign.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Verb {
    /// As it is typed.
    pub(crate) name: &'static str,
    /// The command line; `{run}` stands for the run of `earlier`, other names for what the place has of them.
    pub(crate) argv: &'static [&'static str],
    /// The operation that changes what the verb is about.
    pub(crate) change: (Service, &'static str),
    /// The account before.
    pub(crate) place: Place,
    /// A run that went before.
    pub(crate) earlier: Option<Earlier>,
    /// What of the account is compared.
    pub(crate) world: fn(&Sandbox) -> World,
    /// Names of things that a second run may do once more, because the first had finished them.
    pub(crate) again: &'static [&'static str],
}

/// A run that goes before the one that is broken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Earlier {
    pub(crate) argv: &'static [&'static str],
    /// Killed with the answer to this one of its changes still to come, counted from 0.
    pub(crate) killed: Option<usize>,
}

const RUN_TASK: (Service, &str) = (Service::Ecs, "RunTask");
const UPDATE: (Service, &str) = (Service::Ecs, "UpdateService");
const SET: (Service, &str) = (Service::AutoScaling, "SetDesiredCapacity");
const POINTER: (Service, &str) = (Service::Ssm, "PutParameter");
const OBJECT: (Service, &str) = (Service::S3, "PutObject");
const SECRET: (Service, &str) = (Service::SecretsManager, "PutSecretValue");
const SET_SECRET: Earlier = Earlier {
    argv: &[
        "secrets",
        "set",
        "fleet-secret/production",
        "--file",
        "fleet-secret",
        "--yes",
    ],
    killed: None,
};
const HOLD: &[&str] = &["fleet", "hold", "production/gpu-default", "--launch", "--yes"];
const LAUNCH: &[&str] = &[
    "fleet",
    "dev",
    "launch",
    "production/gpu-default",
    "--cidr",
    "203.0.113.7/32",
    "--yes",
];
const SHUTDOWN: &[&str] = &["shutdown", "--yes"];
const SHUTDOWN_RDS: &[&str] = &["shutdown", "--rds", "stop", "--yes"];
const ZERO: &[&str] = &["fleet", "scale-to-zero", "--all", "--yes"];

/// The table: every mutating verb has one line, and with it the campaigns of `campaigns.rs` and the signals of
/// `signals.rs`. A line names the tests, the verb, its command line, the operation that
/// changes what it is about, and whatever differs from the kind of verb behind `..`.
macro_rules! each_verb {
    ($then:ident) => {
        $then! {
            migrate: "migrate", &["migrate", "--yes"], (Service::Ecs, "RunTask"), Verb { ..MIGRATE };
            migrate_with_snapshot: "migrate --snapshot", &["migrate", "--snapshot", "--yes"], (Service::Rds, "CreateDBSnapshot"), Verb { ..MIGRATE };
            fleet_scale: "fleet scale", &["fleet", "scale", "production/fleet-000", "--desired", "2", "--max", "3", "--yes"], (Service::AutoScaling, "UpdateAutoScalingGroup"), Verb { ..fleets(1) };
            fleet_scale_to_zero: "fleet scale-to-zero", ZERO, SET, Verb { ..fleets(2) };
            fleet_scale_to_zero_held: "fleet scale-to-zero --hold", &["fleet", "scale-to-zero", "production/fleet-000", "--hold=launch", "--yes"], SET, Verb { world: holds_and_sizes, ..fleets(1) };
            fleet_config_set: "fleet config set", &["fleet", "config", "set", "production/gpu-default", "--instance-type", "g5.xlarge", "--yes"], POINTER, Verb { world: configurations, ..POINTERS };
            fleet_config_edit: "fleet config edit", &["fleet", "config", "edit", "production/gpu-default", "--file", "config.json", "--yes"], POINTER, Verb { world: configurations, ..POINTERS };
            fleet_protect: "fleet protect", &["fleet", "protect", "production/fleet-000", "--all", "--yes"], (Service::AutoScaling, "SetInstanceProtection"), Verb { world: protections, ..fleets(1) };
            fleet_dev_launch: "fleet dev launch", LAUNCH, (Service::Ec2, "RunInstances"), Verb { world: dev_instances, again: &["instances"], ..POINTERS };
            fleet_dev_stop: "fleet dev stop", &["fleet", "dev", "stop", "{dev}", "--yes"], (Service::Ec2, "StopInstances"), Verb { world: dev_instances, earlier: Some(Earlier { argv: LAUNCH, killed: None }), ..POINTERS };
            fleet_dev_terminate: "fleet dev terminate", &["fleet", "dev", "terminate", "{dev}", "--cleanup", "--confirm", "sandbox"], (Service::Ec2, "TerminateInstances"), Verb { world: ended_instances, earlier: Some(Earlier { argv: LAUNCH, killed: None }), ..POINTERS };
            fleet_drain: "fleet drain", &["fleet", "drain", "production/fleet-000", "--instance", "{node}", "--yes"], (Service::AutoScaling, "TerminateInstanceInAutoScalingGroup"), Verb { ..fleets(1) };
            fleet_refresh: "fleet refresh", &["fleet", "refresh", "production/gpu-default", "--yes"], (Service::AutoScaling, "StartInstanceRefresh"), Verb { place: Place::Promoted, world: refreshed, ..fleets(1) };
            fleet_refresh_cancel: "fleet refresh cancel", &["fleet", "refresh", "cancel", "production/gpu-default", "--yes"], (Service::AutoScaling, "CancelInstanceRefresh"), Verb { place: Place::Refreshing, world: cancelled, ..fleets(1) };
            fleet_hold: "fleet hold", HOLD, (Service::AutoScaling, "SuspendProcesses"), Verb { place: Place::Platform, world: holds, ..fleets(1) };
            fleet_release: "fleet release", &["fleet", "release", "production/gpu-default", "--yes"], (Service::AutoScaling, "ResumeProcesses"), Verb { place: Place::Platform, world: holds, earlier: Some(Earlier { argv: HOLD, killed: None }), ..fleets(1) };
            bundle_activate: "bundle activate", &["bundle", "activate", "c81d4e2e", "--fleet", "staging/gpu-default", "--yes"], POINTER, Verb { ..POINTERS };
            bundle_rollback: "bundle rollback", &["bundle", "rollback", "--fleet", "staging/gpu-default", "--yes"], POINTER, Verb { ..POINTERS };
            ami_promote: "ami promote", &["ami", "promote", "--from", "staging/gpu-default", "--to", "production/gpu-default", "--yes"], POINTER, Verb { world: image_pointers, ..POINTERS };
            ami_rollback: "ami rollback", &["ami", "rollback", "--fleet", "staging/gpu-default", "--yes"], POINTER, Verb { world: image_pointers, ..POINTERS };
            ami_bake: "ami bake", &["ami", "bake", "--fleet", "staging/gpu-default", "--bundle", "c81d4e2e", "--yes"], (Service::Ec2, "CreateImage"), Verb { world: baked, ..POINTERS };
            ami_gc: "ami gc", &["ami", "gc", "--keep", "1", "--older-than", "1d", "--confirm", "sandbox"], (Service::Ec2, "DeregisterImage"), Verb { place: Place::Platform, world: machine_images, ..fleets(1) };
            shutdown: "shutdown", SHUTDOWN, (Service::AutoScaling, "UpdateAutoScalingGroup"), Verb { world: asleep, ..fleets(1) };
            resume: "resume", &["resume", "--yes"], UPDATE, Verb { world: asleep, earlier: Some(Earlier { argv: SHUTDOWN, killed: None }), ..fleets(1) };
            shutdown_with_the_database: "shutdown --rds", SHUTDOWN_RDS, (Service::Rds, "StopDBInstance"), Verb { world: asleep, ..fleets(1) };
            resume_with_the_database: "resume --no-up", &["resume", "--no-up", "--yes"], (Service::Rds, "StartDBInstance"), Verb { world: asleep, earlier: Some(Earlier { argv: SHUTDOWN_RDS, killed: None }), ..fleets(1) };
            image_gc: "image gc", &["image", "gc", "--keep", "1", "--older-than", "1d", "--confirm", "sandbox"], (Service::Ecr, "BatchDeleteImage"), Verb { place: Place::Platform, world: images, ..fleets(1) };
            lock_release: "lock release", &["lock", "release", "ecs/bp-backend", "--yes"], (Service::S3, "DeleteObject"), Verb { place: Place::DeadLease, world: leases, ..fleets(1) };
            runs_resume: "runs resume", &["runs", "resume", "{run}", "--yes"], SET, Verb { earlier: Some(Earlier { argv: ZERO, killed: Some(0) }), ..fleets(2) };
            run: "run", &["run", "--stop-on-interrupt", "--", "php", "artisan", "about"], RUN_TASK, Verb { world: one_off, again: &["tasks"], ..MIGRATE };
            seed: "seed", &["seed", "--class", "PlansSeeder", "--yes"], RUN_TASK, Verb { world: one_off, again: &["tasks"], ..MIGRATE };
            task_stop: "task stop", &["task", "stop", "{backend-task}", "{frontend-task}", "--yes"], (Service::Ecs, "StopTask"), Verb { world: stopped_tasks, again: &[], ..MIGRATE };
            deploy: "deploy", &["deploy", "backend", "--yes"], UPDATE, Verb { ..DEPLOY };
            deploy_of_a_commit: "deploy --tag", &["deploy", "backend", "--tag", "{commit}", "--yes"], UPDATE, Verb { again: &[], ..DEPLOY };
            rollout_undo: "rollout undo", &["rollout", "undo", "backend", "--yes"], UPDATE, Verb { place: Place::NewBuild, ..DEPLOY };
            rollout_abort: "rollout abort", &["rollout", "abort", "backend", "--yes"], (Service::Ecs, "StopServiceDeployment"), Verb { place: Place::EndlessDeployment, world: rolled_back, again: &[], ..DEPLOY };
            bundle_apply: "bundle apply", &["bundle", "apply", "c81d4e2e", "--instance", "{node}", "--fleet", "production/gpu-default", "--yes"], (Service::Ssm, "SendCommand"), Verb { world: commands, again: &["commands", "succeeded"], ..MIGRATE };
            bundle_upload: "bundle upload", &["bundle", "upload", "new.safetensors", "--kind", "lora", "--yes"], OBJECT, Verb { world: objects, ..POINTERS };
            bundle_create: "bundle create", &["bundle", "create", "--name", "Less", "--from", "c81d4e2e", "--without", "models/loras/camera_orbit.safetensors", "--yes"], OBJECT, Verb { world: objects, ..POINTERS };
            secrets_set: "secrets set", &["secrets", "set", "app-key", "--file", "app-key", "--confirm", "sandbox"], SECRET, Verb { world: secrets, ..POINTERS };
            secrets_sync: "secrets sync", &["secrets", "sync", "--env-file", ".env", "--apple-p8", "key.p8", "--yes"], SECRET, Verb { world: secrets, ..POINTERS };
            secrets_rotate: "secrets rotate", &["secrets", "rotate", "fleet-secret/production", "--yes"], POINTER, Verb { world: rotated, again: &["values"], ..POINTERS };
            secrets_undo: "secrets undo", &["secrets", "undo", "fleet-secret/production", "--yes"], POINTER, Verb { world: secrets, earlier: Some(SET_SECRET), again: &["undone"], ..POINTERS };
            stack_deploy: "stack deploy", &["stack", "deploy", "monitoring", "--assembly", "cdk.out", "--yes"], EXECUTE, Verb { ..STACKS };
            fleet_provision: "fleet provision", &["fleet", "provision", "staging/gpu-new", "--assembly", "cdk.out", "--yes"], EXECUTE, Verb { ..STACKS };
            fleet_apply_config: "fleet apply-config", &["fleet", "apply-config", "production/gpu-default", "--assembly", "cdk.out", "--yes"], EXECUTE, Verb { ..STACKS };
            stack_delete: "stack delete", &["stack", "delete", "production/gpu-default", "--confirm", "sandbox"], (Service::CloudFormation, "DeleteStack"), Verb { ..STACKS };
            stack_import: "stack import", &["stack", "import", "staging/gpu-kept", "--assembly", "kept.out", "--yes"], EXECUTE, Verb { place: Place::KeptLogGroup, ..STACKS };
            stack_continue_rollback: "stack continue-rollback", &["stack", "continue-rollback", "production/gpu-default", "--skip", "{group}", "--yes"], (Service::CloudFormation, "ContinueUpdateRollback"), Verb { place: Place::HalfRolledBack, ..STACKS };
            domain_request: "domain request", &["domain", "request", "app.example.com", "--no-wait", "--yes"], (Service::Acm, "RequestCertificate"), Verb { place: Place::Zone, world: certificates, ..POINTERS };
            monitoring_apply: "monitoring apply", &["monitoring", "apply", "--yes"], (Service::CloudWatch, "PutMetricAlarm"), Verb { place: Place::Detuned, world: watched, ..fleets(1) };
            monitoring_subscribe: "monitoring subscribe", &["monitoring", "subscribe", "--email", "night@example.com", "--yes"], (Service::Sns, "Subscribe"), Verb { world: subscribers, ..POINTERS };
            backup: "backup", &["backup", "--to", "saved", "--recipients-file", "recipients.txt", "--yes"], (Service::Rds, "CreateDBSnapshot"), Verb { world: backed_up, again: &["snapshots"], ..POINTERS };
            backup_to_a_bucket: "backup --to", &["backup", "--to", "s3://cdk-hnb659fds-assets-123456789012-us-east-1/saved", "--recipients-file", "recipients.txt", "--skip", "models", "--yes"], (Service::S3, "PutObject"), Verb { world: backed_up, again: &["snapshots"], ..POINTERS };
            restore: "restore", &["restore", "--from", "kept", "--identity", "key.txt", "--yes"], SECRET, Verb { world: secrets, ..POINTERS };
            teardown: "teardown", &["teardown", "--confirm", "sandbox"], (Service::CloudFormation, "DeleteStack"), Verb { world: torn_down, place: Place::Platform, ..MIGRATE };
            reset: "reset", &["reset", "--everything", "--confirm", "123456789012"], (Service::Ec2, "DeregisterImage"), Verb { world: left_behind, place: Place::TornDown, again: &[], ..MIGRATE };
            runs_undo: "runs undo", &["runs", "undo", "{run}", "--yes"], SET, Verb { earlier: Some(Earlier { argv: ZERO, killed: None }), ..fleets(2) };
        }
    };
}
pub(crate) use each_verb;

macro_rules! table {
    ($($test:ident: $name:literal, $argv:expr, $change:expr, Verb { $($rest:tt)* };)+) => {
        /// Every mutating verb.
        pub(crate) const VERBS: &[Verb] = &[$(Verb { name: $name, argv: $argv, change: $change, $($rest)* },)+];
    };
}
each_verb!(table);

const MIGRATE: Verb = Verb {
    name: "",
    argv: &[],
    change: SET,
    place: Place::Platform,
    earlier: None,
    world: migrations,
    // A migration that had ended when the process died is carried out again: it finds nothing to do.
    again: &["tasks", "snapshots"],
};

const DEPLOY: Verb = Verb {
    world: deployments,
    // A deployment that had ended when the process died is started again: the tasks are replaced once more.
    again: &["deployments", "succeeded"],
    ..MIGRATE
};

const EXECUTE: (Service, &str) = (Service::CloudFormation, "ExecuteChangeSet");

const STACKS: Verb = Verb {
    place: Place::NewFleet,
    world: stacks,
    ..MIGRATE
};

const POINTERS: Verb = Verb {
    place: Place::Platform,
    world: pointers,
    ..fleets(1)
};

const fn fleets(count: usize) -> Verb {
    Verb {
        name: "",
        argv: &[],
        change: SET,
        place: Place::IdleFleets(count),
        earlier: None,
        world: sizes,
        again: &[],
    }
}

/// The line of a verb.
pub(crate) fn verb(name: &str) -> Verb {
    *VERBS
        .iter()
        .find(|verb| verb.name == name)
        .unwrap_or_else(|| panic!("`{name}` has no line in VERBS"))
}

/// An account in which a verb is about to run, and the command line.
pub(crate) struct Stage {
    pub(crate) account: Account,
    pub(crate) argv: Vec<String>,
    pub(crate) before: World,
}

/// What an undisturbed run does.
#[derive(Debug)]
pub(crate) struct Undisturbed {
    pub(crate) before: World,
    pub(crate) after: World,
    pub(crate) requests: Vec<Request>,
}

impl Verb {
    /// Whether what is done and taken back once more is there again: no way to the same end.
    pub(crate) fn takes_back(&self) -> bool {
        ["rollout undo", "secrets undo"].contains(&self.name)
    }

    /// The account, with everything that goes before.
    pub(crate) async fn stage(&self) -> Stage {
        let account = Account::prepared(self.place.options(), |sandbox| self.place.prepare(sandbox));
        lay_files(account.home());
        assemblies::lay_files(&account.sandbox, account.home());
        let mut run = String::new();
        if let Some(earlier) = &self.earlier {
            match earlier.killed {
                None => {
                    let ran = account.run(earlier.argv).await;
                    assert_eq!(ran.status.code(), 0, "{}", ran.text());
                }
                Some(nth) => {
                    let requests = requests(earlier.argv, self.place).await;
                    let at = position(&requests, self.change.1, nth);
                    let (network, ran) = broken(&account, earlier.argv, at, Break::KilledAfter).await;
                    assert!(ran.is_none() && network.was_hit());
                }
            }
            run = newest_run(account.home());
        }
        Stage {
            argv: self.command_line(&account.sandbox, &run),
            before: (self.world)(&account.sandbox),
            account,
        }
    }

    /// The command line with names in their places.
    pub(crate) fn command_line(&self, sandbox: &Sandbox, run: &str) -> Vec<String> {
        let words = self.argv.iter();
        words
            .map(|word| self.place.filled(sandbox, &word.replace("{run}", run)))
            .collect()
    }

    pub(crate) async fn undisturbed(&self) -> Undisturbed {
        let stage = self.stage().await;
        let network = Network::sound(stage.account.sandbox.clone(), stage.account.clock());
        let run = over(&stage.account, &stage.argv(), &network)
            .await
            .expect("it is not killed");
        assert_eq!(run.status.code(), 0, "{}", run.text());
        let after = (self.world)(&stage.account.sandbox);
        assert_ne!(
            after.things, stage.before.things,
            "{}: nothing changes",
            self.name
        );
        let requests = network.seen.lock().expect("no panic").clone();
        Undisturbed {
            before: stage.before,
            after,
            requests,
        }
    }
}

impl Stage {
    pub(crate) fn argv(&self) -> Vec<&str> {
        self.argv.iter().map(String::as_str).collect()
    }
}

/// The place of the `nth` request (from 0) of an operation.
pub(crate) fn position(requests: &[Request], operation: &str, nth: usize) -> usize {
    let mut places = requests
        .iter()
        .enumerate()
        .filter(|(_, request)| request.operation == operation);
    places.nth(nth).map(|(at, _)| at).expect("so many requests")
}

/// The requests of a command line in an account of its own.
async fn requests(argv: &[&str], place: Place) -> Vec<Request> {
    let account = Account::prepared(place.options(), |sandbox| place.prepare(sandbox));
    let network = Network::sound(account.sandbox.clone(), account.clock());
    over(&account, argv, &network).await.expect("it is not killed");
    network.seen.lock().expect("no panic").clone()
}

/// The requests of a command line in the platform as it is deployed.
pub(crate) async fn requests_of(argv: &[&str]) -> Vec<Request> {
    requests(argv, Place::Platform).await
}

/// The id of the newest run with a journal in a home folder.
pub(crate) fn newest_run(home: &std::path::Path) -> String {
    let names: BTreeSet<String> = fs::read_dir(home.join(".local/state/bpctl/journal"))
        .expect("a folder")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    let newest = names.last().and_then(|name| name.strip_suffix(".jsonl"));
    newest.expect("a journal").to_owned()
}

/// Runs a command over a network. `None`: the process was killed.
pub(crate) async fn over(account: &Account, args: &[&str], network: &Network) -> Option<Run> {
    let given = network.clone();
    let run = account.run_with(args, move |process| {
        process.cancel = given.interrupted.clone();
        if let Some(transport) = &mut process.transport {
            transport.client = given.client();
        }
    });
    let killed = network.killed.clone();
    tokio::select! {
        run = run => Some(run),
        () = killed.notified() => None,
    }
}

/// Runs a command over a network that breaks at one request.
pub(crate) async fn broken(
    account: &Account,
    args: &[&str],
    at: usize,
    what: Break,
) -> (Network, Option<Run>) {
    broken_from(account, args, at, what, false).await
}

/// The same; with `lasting` every later request breaks as well.
pub(crate) async fn broken_from(
    account: &Account,
    args: &[&str],
    at: usize,
    what: Break,
    lasting: bool,
) -> (Network, Option<Run>) {
    let network = Network::new(account.sandbox.clone(), account.clock(), at, what).lasting(lasting);
    let run = over(account, args, &network).await;
    (network, run)
}
