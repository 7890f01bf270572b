//! The accounts that the command lines of `api_cases.rs` run in.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use bpctl_sandbox::{Fault, FaultRule, Layout, Options, Sandbox, Scenario, Service};
use serde_json::{Value, json};

use crate::assemblies;
use crate::backups;
use crate::campaign_places::{CONFIG, detune, half_rolled_back};
use crate::support::{Account, kept_by_hand};
use crate::torn_down::{leave_behind, tear_down};

/// SHA-256 of `upload.bin`.
const UPLOAD: &str = "856a7d62e6bf8b1e8cd815bd086af8cd63158e81eeaacf2228e7179fe5f9dc7c";

/// The account that a command line of `verb` runs in. `race`: another run takes each lease in the same moment.
pub(crate) fn account(verb: &str, args: &[&str], options: Options, race: bool) -> Account {
    let mut options = options;
    // bpctl's own templates do not take over what other ones have made.
    options.empty = needs_empty(args);
    if is_staged(args) {
        options.layout = Layout::Staged;
    }
    if verb == "auth can-i" {
        let everything = r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;
        let role = "AWSReservedSSO_Operator_0123456789abcdef";
        options.role = role.to_owned();
        let path = format!("aws-reserved/sso.amazonaws.com/{role}");
        options.roles.insert(path, everything.to_owned());
    }
    let unsubscribed = options.scenarios.contains(&Scenario::ScaleToZeroUnsubscribed);
    let account = Account::prepared(options, |sandbox| {
        if unsubscribed && !needs_empty(args) && !is_staged(args) {
            kept_by_hand(sandbox, &["asg-production-gpu-default".to_owned()], 1);
        }
        // One image was pushed alone: its manifest does not say what it is for.
        for repository in ["bp-backend", "bp-backend-staging"] {
            sandbox.with_world(|world| world.push_without_provenance(repository, "nginx-latest"));
        }
        if verb == "stack deploy" || verb == "domain request" {
            sandbox.with_world(|world| world.validate_domain("example.com"));
        }
        if needs_empty(args) || ["domain check", "domain status", "lock list"].contains(&verb) {
            certificate(sandbox);
        }
        if verb.starts_with("domain ") || verb == "lock list" {
            zone(sandbox);
        }
        if verb.starts_with("workflow ") || verb == "lock list" {
            github(sandbox);
        }
        if verb == "teardown" {
            in_the_way(sandbox, args.contains(&"--all-layouts"));
        }
        if args.starts_with(&["reset"]) {
            tear_down(sandbox, true);
            leave_behind(sandbox);
        }
        if verb.starts_with("backup") {
            to_back_up(sandbox, verb == "backup --to");
        }
        if verb == "restore --from" {
            backups::put_backup(sandbox, &restored());
        }
        if is_staged(args) {
            uploaded(sandbox);
        }
        if verb == "bundle upload" {
            cut_off(sandbox);
        }
        if ["lock list", "lock release"].contains(&verb) {
            dead_lease(sandbox);
        }
        if ["fleet list", "fleet release", "top", "triage"].contains(&verb) {
            held(sandbox);
        }
        if verb == "monitoring apply" {
            detune(sandbox);
        }
        if verb == "fleet provision" {
            assemblies::configure_new_fleet(sandbox);
        }
        if verb == "stack continue-rollback" {
            half_rolled_back(sandbox);
        }
        if verb == "stack import" {
            assemblies::keep_log_group(sandbox);
        }
        if verb == "resume" {
            asleep(sandbox);
        }
        if verb == "fleet refresh cancel" || verb == "fleet refresh status" {
            let group = json!({"AutoScalingGroupName": "asg-production-gpu-default"});
            let started =
                sandbox.with_world(|world| world.call(Service::AutoScaling, "StartInstanceRefresh", &group));
            started.expect("a refresh under way");
        }
        if verb == "secrets undo" {
            let newer = json!({"SecretId": "/bp/laravel/app-key", "SecretString": "base64:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="});
            let put =
                sandbox.with_world(|world| world.call(Service::SecretsManager, "PutSecretValue", &newer));
            put.expect("a newer version");
        }
        if race {
            let conflict = FaultRule::on(Service::S3, "PutObject", Fault::Conflict);
            sandbox.with_world(|world| world.inject(conflict.times(1)));
        }
    });
    files(account.home());
    if ["diff contexts", "lock list"].contains(&verb) {
        another_context(account.home());
    }
    backups::lay_backup(account.home(), "kept", &restored());
    assemblies::lay_files(&account.sandbox, account.home());
    account
}

/// Credentials that a teardown has kept; for a bucket also an object that is copied in parts, and one with tags.
fn to_back_up(sandbox: &Sandbox, to_bucket: bool) {
    let kept = json!({"Name": "/bp/kept/old/master-credentials", "SecretString": "{}"});
    called(sandbox, Service::SecretsManager, "CreateSecret", &kept);
    if to_bucket {
        let bucket = "bp-models-123456789012";
        backups::put(sandbox, bucket, "large.bin", &[7; 6 * 1024 * 1024]);
        let tagged = json!({"Bucket": bucket, "Key": "tagged.bin", "Tagging": "keep=yes"});
        called(sandbox, Service::S3, "PutObject", &tagged);
    }
}

/// A second context for the same account.
fn another_context(home: &Path) {
    let other = "[contexts.here]\nregion = \"us-east-1\"\n";
    fs::write(home.join("bpctl.toml"), other).expect("a file of contexts");
}

/// What the command line of a verb needs beside its own words: a task that runs.
pub(crate) fn further_words(verb: &str, account: &Account) -> Vec<String> {
    if verb == "fleet drain" {
        return vec!["--instance".to_owned(), member(account)];
    }
    if verb.starts_with("fleet dev stop") || verb.starts_with("fleet dev terminate") {
        return vec![dev_instance(&account.sandbox)];
    }
    if verb == "stack deploy" {
        return certificates(&account.sandbox)
            .into_iter()
            .next()
            .map_or_else(Vec::new, |arn| {
                let words = [format!("certificateArn={arn}"), format!("domainName={HOST}")];
                words
                    .into_iter()
                    .flat_map(|word| ["-c".to_owned(), word])
                    .collect()
            });
    }
    if verb != "task stop" {
        return Vec::new();
    }
    let started = account.sandbox.with_world(|world| {
        let services = json!({"cluster": "bp", "services": ["bp-backend"]});
        let services = world
            .call(Service::Ecs, "DescribeServices", &services)
            .expect("the service");
        let input = json!({
            "cluster": "bp", "taskDefinition": "bp-backend", "launchType": "FARGATE", "startedBy": "somebody",
            "overrides": {"containerOverrides": [{"name": "php-fpm", "command": ["sleep 3600"]}]},
            "networkConfiguration": services["services"][0]["networkConfiguration"],
        });
        world.call(Service::Ecs, "RunTask", &input).expect("a task")
    });
    account.sandbox.advance(std::time::Duration::from_secs(120));
    let arn = started["tasks"][0]["taskArn"].as_str().unwrap_or_default();
    vec![arn.rsplit('/').next().unwrap_or_default().to_owned()]
}

/// The name of the certificates here.
const HOST: &str = "app.example.com";

/// Whether a command line makes stacks from bpctl's own templates.
pub(crate) fn needs_empty(args: &[&str]) -> bool {
    args.starts_with(&["stack", "deploy", "--all"]) || args.starts_with(&["stack", "diff", "compute"])
}

/// Whether a command line is one of the staged layout.
pub(crate) fn is_staged(args: &[&str]) -> bool {
    args.contains(&"--workflow")
}

fn called(sandbox: &Sandbox, service: Service, operation: &str, input: &Value) -> Value {
    let called = sandbox.with_world(|world| world.call(service, operation, input));
    called.unwrap_or_else(|error| panic!("{operation}: {error:?}"))
}

/// A certificate that was requested before.
fn certificate(sandbox: &Sandbox) {
    let input = json!({"DomainName": HOST, "ValidationMethod": "DNS"});
    called(sandbox, Service::Acm, "RequestCertificate", &input);
    sandbox.advance(std::time::Duration::from_secs(600));
}

/// A public hosted zone that holds the name.
/// GitHub's identity provider, and a role for one of the platform's workflows.
fn github(sandbox: &Sandbox) {
    let issuer = "token.actions.githubusercontent.com";
    let input = json!({"Url": format!("https://{issuer}"), "ClientIDList": ["sts.amazonaws.com"]});
    let provider = called(sandbox, Service::Iam, "CreateOpenIDConnectProvider", &input);
    let mut claims = json!({});
    claims[format!("{issuer}:aud")] = json!("sts.amazonaws.com");
    claims[format!("{issuer}:sub")] = json!("repo:acme/platform:environment:staging-migrations");
    let trust = json!({"Version": "2012-10-17", "Statement": {
        "Effect": "Allow",
        "Principal": {"Federated": provider["OpenIDConnectProviderArn"]},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": claims},
    }});
    let input = json!({"RoleName": "migrations", "AssumeRolePolicyDocument": trust.to_string()});
    called(sandbox, Service::Iam, "CreateRole", &input);
}

fn zone(sandbox: &Sandbox) {
    let input = json!({"Name": "example.com", "CallerReference": "accounts"});
    called(sandbox, Service::Route53, "CreateHostedZone", &input);
}

/// The ARNs of all certificates.
fn certificates(sandbox: &Sandbox) -> Vec<String> {
    let listed = called(sandbox, Service::Acm, "ListCertificates", &json!({}));
    let listed = listed["CertificateSummaryList"]
        .as_array()
        .expect("a list")
        .iter();
    let arns = listed.filter_map(|one| one["CertificateArn"].as_str());
    arns.map(str::to_owned).collect()
}

/// A service and a task in the cluster that no stack of the platform has made; with `kept`, a copy of other credentials as well.
fn in_the_way(sandbox: &Sandbox, kept: bool) {
    let services = json!({"cluster": "bp", "services": ["bp-backend"]});
    let backend = called(sandbox, Service::Ecs, "DescribeServices", &services)["services"][0].clone();
    let network = &backend["networkConfiguration"]["awsvpcConfiguration"];
    let behind = &backend["loadBalancers"][0];
    let task = json!({
        "cluster": "bp", "taskDefinition": "bp-backend", "launchType": "FARGATE",
        "networkConfiguration": backend["networkConfiguration"],
    });
    let service = json!({ "Resources": { "Service": { "Type": "AWS::ECS::Service", "Properties": {
        "Cluster": "bp", "ServiceName": "by-hand", "TaskDefinition": backend["taskDefinition"], "DesiredCount": 1,
        "CapacityProviderStrategy": [{ "CapacityProvider": "FARGATE", "Weight": 1 }],
        "LoadBalancers": [{
            "TargetGroupArn": behind["targetGroupArn"], "ContainerName": behind["containerName"],
            "ContainerPort": behind["containerPort"],
        }],
        "NetworkConfiguration": { "AwsvpcConfiguration": {
            "Subnets": network["subnets"], "SecurityGroups": network["securityGroups"],
        } },
    } } } });
    let stack = json!({
        "StackName": "elsewhere", "ChangeSetName": "first", "ChangeSetType": "CREATE",
        "TemplateBody": service.to_string(),
    });
    let named = json!({ "StackName": "elsewhere", "ChangeSetName": "first" });
    called(sandbox, Service::Ecs, "RunTask", &task);
    called(sandbox, Service::CloudFormation, "CreateChangeSet", &stack);
    sandbox.advance(std::time::Duration::from_secs(30));
    called(sandbox, Service::CloudFormation, "ExecuteChangeSet", &named);
    if kept {
        let found = called(sandbox, Service::Rds, "DescribeDBInstances", &json!({}));
        let database = found["DBInstances"][0]["DBInstanceIdentifier"]
            .as_str()
            .expect("a name");
        let name = format!("/bp/kept/{database}/master-credentials");
        let secret = json!({"Name": name, "SecretString": "{\"password\": \"of-an-older-one\"}"});
        called(sandbox, Service::SecretsManager, "CreateSecret", &secret);
    }
    sandbox.advance(std::time::Duration::from_secs(300));
}

/// `upload.bin` is an asset of the staged layout.
fn uploaded(sandbox: &Sandbox) {
    let body = base64::engine::general_purpose::STANDARD.encode(vec![1; 6 * 1024 * 1024]);
    let object = json!({
        "Bucket": "bp-models-123456789012-staging", "Key": format!("assets/other/{UPLOAD}"), "Body": body,
    });
    called(sandbox, Service::S3, "PutObject", &object);
}

/// An upload of `upload.bin` that was cut off before its first part.
fn cut_off(sandbox: &Sandbox) {
    let upload = json!({
        "Bucket": "bp-models-123456789012", "Key": format!("assets/other/{UPLOAD}"),
        "ChecksumAlgorithm": "SHA256",
    });
    called(sandbox, Service::S3, "CreateMultipartUpload", &upload);
}

/// A development instance that runs, in a security group of its own.
pub(crate) fn dev_instance(sandbox: &Sandbox) -> String {
    let call = |operation: &str, input: &serde_json::Value| {
        let called = sandbox.with_world(|world| world.call(Service::Ec2, operation, input));
        called.unwrap_or_else(|error| panic!("{operation}: {error:?}"))
    };
    let tags = json!([
        {"Key": "ManagedBy", "Value": "dev-gpu-action"},
        {"Key": "Stage", "Value": "production"},
        {"Key": "FleetSlug", "Value": "gpu-default"},
    ]);
    let of = |kind: &str| json!([{"ResourceType": kind, "Tags": tags}]);
    let made = json!({"GroupName": "dev", "Description": "d", "TagSpecifications": of("security-group")});
    let group = call("CreateSecurityGroup", &made)["GroupId"].clone();
    let images = call("DescribeImages", &json!({"Owners": ["self"]}));
    let started = call(
        "RunInstances",
        &json!({
            "MinCount": 1, "MaxCount": 1, "ImageId": images["Images"][0]["ImageId"], "InstanceType": "g4dn.xlarge",
            "SecurityGroupIds": [group], "TagSpecifications": of("instance"),
        }),
    );
    sandbox.advance(std::time::Duration::from_secs(60));
    let id = started["Instances"][0]["InstanceId"].as_str();
    id.expect("an instance").to_owned()
}

/// An instance of the production fleet.
fn member(account: &Account) -> String {
    let named = json!({"AutoScalingGroupNames": ["asg-production-gpu-default"]});
    let groups = account
        .sandbox
        .with_world(|world| world.call(Service::AutoScaling, "DescribeAutoScalingGroups", &named))
        .expect("the group");
    let id = &groups["AutoScalingGroups"][0]["Instances"][0]["InstanceId"];
    id.as_str().unwrap_or("i-0123456789abcdef0").to_owned()
}

/// Files that command lines name.
fn files(home: &Path) {
    let env = format!(
        "APP_KEY=base64:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\nGOOGLE_CLIENT_ID=g\nGOOGLE_CLIENT_SECRET=g\n\
         TIKTOK_CLIENT_ID=t\nTIKTOK_CLIENT_SECRET=t\nAPPLE_CLIENT_ID=a.b\nAPPLE_KEY_ID=KEYKEYKEY1\n\
         APPLE_TEAM_ID=TEAMTEAM01\nCOMFYUI_FLEET_SECRET_STAGING={0}\nCOMFYUI_FLEET_SECRET_PRODUCTION={0}\n",
        "ca".repeat(32)
    );
    let key = "-----BEGIN PRIVATE KEY-----\nY2FuYXJ5cDg=\n-----END PRIVATE KEY-----\n";
    for (name, content) in [
        ("upload.bin", vec![1; 6 * 1024 * 1024]),
        (".env", env.into_bytes()),
        ("key.p8", key.as_bytes().to_vec()),
        ("config.json", CONFIG.into()),
    ] {
        fs::write(home.join(name), content).expect("written");
    }
}

/// What a backup holds: a secret, a fleet's secret, the pointer of a fleet, and a name of a stack.
fn restored() -> [(&'static str, &'static str); 5] {
    [
        ("/bp/models/bucket", "bp-models-of-before"),
        (
            "/bp/laravel/app-key",
            "base64:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
        ),
        (
            "/bp/fleets/staging/fleet-secret",
            "cafe0123cafe4567cafe89abcafecdefcafe0123cafe4567",
        ),
        (
            "/bp/fleets/staging/gpu-default/active_bundle",
            "bundles/none-such",
        ),
        (
            "/bp/kept/old/master-credentials",
            "{\"username\": \"old\", \"password\": \"of-an-older-one\", \"host\": \"old\"}",
        ),
    ]
}

/// A fleet that an operator holds.
fn held(sandbox: &Sandbox) {
    let record = json!({
        "form": "bpctl.hold/1", "processes": ["Launch"], "since": "2026-01-15T08:00:00Z", "until": null,
        "by": "arn:aws:iam::123456789012:user/night-shift", "reason": "database upgrade",
        "run": "20260115T080000Z-ffffffffffff", "released": null, "released_by": null,
    });
    let record = json!({
        "Name": "/bp/fleets/production/gpu-default/hold", "Type": "String", "Value": record.to_string(),
    });
    let process =
        json!({"AutoScalingGroupName": "asg-production-gpu-default", "ScalingProcesses": ["Launch"]});
    for (service, operation, input) in [
        (Service::Ssm, "PutParameter", record),
        (Service::AutoScaling, "SuspendProcesses", process),
    ] {
        sandbox
            .with_world(|world| world.call(service, operation, &input))
            .unwrap_or_else(|error| panic!("{operation}: {error:?}"));
    }
}

/// A lease whose holder renews it no more.
fn dead_lease(sandbox: &Sandbox) {
    let now = jiff::Timestamp::from_millisecond(sandbox.now().0).expect("a time");
    let body = json!({
        "resource": "ecs/bp-backend", "run": "20260115T085900Z-ffffffffffff", "verb": "migrate",
        "principal": "arn:aws:iam::123456789012:user/night-shift", "host": "elsewhere", "process": 4242,
        "reason": null, "started": now, "heartbeat": now, "lasts_seconds": 120,
    });
    let object = json!({
        "Bucket": "bp-logs-123456789012",
        "Key": "bpctl/leases/ecs%2fbp-backend.json",
        "Body": base64::engine::general_purpose::STANDARD.encode(body.to_string()),
    });
    sandbox
        .with_world(|world| world.call(Service::S3, "PutObject", &object))
        .expect("a lease");
    sandbox.advance(std::time::Duration::from_secs(600));
}

/// A shutdown is on record and done, as far as the backend, a fleet and the database go.
fn asleep(sandbox: &Sandbox) {
    let call = |of, operation: &str, input: &serde_json::Value| {
        sandbox
            .with_world(|world| world.call(of, operation, input))
            .expect("a part of a shutdown")
    };
    let found = call(Service::Rds, "DescribeDBInstances", &json!({}));
    let database = &found["DBInstances"][0]["DBInstanceIdentifier"];
    let record = json!({
        "form": "bpctl.shutdown/2",
        "run": "20260115T090000Z-0123456789ab",
        "by": "arn:aws:iam::123456789012:user/operator",
        "since": "2026-01-15T09:00:00Z",
        "reason": null,
        "services": {"bp-backend": {"desired": 1, "bounds": {"min": 1, "max": 4}}},
        "fleets": [{"min": 0, "max": 10, "desired": 1, "of": {"production": ["gpu-default"]}}],
        "database": database,
        "resumed": null,
        "resumed_by": null,
    });
    let bounds = json!({
        "ServiceNamespace": "ecs",
        "ResourceId": "service/bp/bp-backend",
        "ScalableDimension": "ecs:service:DesiredCount",
        "MinCapacity": 0,
    });
    let size = json!({
        "AutoScalingGroupName": "asg-production-gpu-default",
        "MinSize": 0,
        "MaxSize": 0,
        "DesiredCapacity": 0,
    });
    let parameter = json!({"Name": "/bp/shutdown", "Type": "String", "Value": record.to_string()});
    let service = json!({"cluster": "bp", "service": "bp-backend", "desiredCount": 0});
    let instance = json!({"DBInstanceIdentifier": database});
    for (of, operation, input) in [
        (Service::Ssm, "PutParameter", &parameter),
        (Service::AutoScaling, "UpdateAutoScalingGroup", &size),
        (Service::ApplicationAutoScaling, "RegisterScalableTarget", &bounds),
        (Service::Ecs, "UpdateService", &service),
        (Service::Rds, "StopDBInstance", &instance),
    ] {
        call(of, operation, input);
    }
    sandbox.advance(std::time::Duration::from_secs(300));
}
