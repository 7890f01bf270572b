//! Command lines that between them go through all calls of every verb.

use std::sync::LazyLock;

use bpctl_sandbox::Scenario;

pub(crate) use crate::api_accounts::{account, further_words, is_staged, needs_empty};
use crate::api_cases_fleets::OF_FLEETS;

/// A verb, and a command line of it.
pub(crate) type Command = (&'static str, &'static [&'static str]);

/// Verbs with command lines that between them go through all of their calls.
pub(crate) static COMMANDS: LazyLock<Vec<Command>> = LazyLock::new(|| [OF_FLEETS, OF_THE_PLATFORM].concat());

const OF_THE_PLATFORM: &[Command] = &[
    ("auth can-i", &["auth", "can-i", "migrate"]),
    ("cost", &["cost"]),
    ("cost --forecast", &["cost", "--forecast"]),
    ("db tunnel", &["db", "tunnel", "--local-port", "0"]),
    ("day1", &["day1"]),
    ("diff contexts", &["diff", "contexts", "sandbox", "here"]),
    ("doctor", &["doctor"]),
    ("smoke", &["smoke", "--fleet", "production/gpu-default", "--yes"]),
    (
        "domain request",
        &["domain", "request", "app.example.com", "--yes"],
    ),
    ("domain status", &["domain", "status"]),
    ("domain check", &["domain", "check", "app.example.com"]),
    ("exec", &["exec", "--", "true"]),
    ("history", &["history"]),
    ("image diff", &["image", "diff"]),
    (
        "image gc",
        &[
            "image",
            "gc",
            "--keep",
            "1",
            "--older-than",
            "1d",
            "--confirm",
            "sandbox",
        ],
    ),
    ("image list", &["image", "list"]),
    ("lock list", &["lock", "list"]),
    ("logs", &["logs", "backend", "--max", "1"]),
    ("logs", &["logs", "task", "0123456789abcdef0123456789abcdef"]),
    ("logs --previous", &["logs", "backend", "--previous"]),
    ("deploy", &["deploy", "--supersede", "--timeout", "2m", "--yes"]),
    (
        "deploy --abort-on-first-failure",
        &[
            "deploy",
            "backend",
            "--abort-on-first-failure",
            "--supersede",
            "--yes",
        ],
    ),
    (
        "deploy --migrate",
        &[
            "deploy",
            "backend",
            "--migrate",
            "before",
            "--supersede",
            "--timeout",
            "2m",
            "--yes",
        ],
    ),
    (
        "deploy --image",
        &[
            "deploy",
            "frontend",
            "--image",
            "nextjs=123456789012.dkr.ecr.us-east-1.amazonaws.com/bp-frontend",
            "--timeout",
            "1m",
            "--yes",
        ],
    ),
    (
        "rollout abort",
        &["rollout", "abort", "backend", "--timeout", "1m", "--yes"],
    ),
    ("rollout history", &["rollout", "history", "backend"]),
    ("rollout status", &["rollout", "status"]),
    (
        "rollout undo",
        &[
            "rollout",
            "undo",
            "backend",
            "--to",
            "42",
            "--supersede",
            "--timeout",
            "1m",
            "--yes",
        ],
    ),
    (
        "rollout watch",
        &["rollout", "watch", "backend", "--timeout", "60s"],
    ),
    ("migrate", &["migrate", "--yes"]),
    ("monitoring apply", &["monitoring", "apply", "--yes"]),
    ("monitoring check", &["monitoring", "check"]),
    ("monitoring show", &["monitoring", "show"]),
    (
        "monitoring subscribe",
        &["monitoring", "subscribe", "--email", "night@example.com", "--yes"],
    ),
    ("migrate --snapshot", &["migrate", "--snapshot", "--yes"]),
    ("port-forward", &["port-forward", "backend", ":80"]),
    ("secrets get", &["secrets", "get", "app-key"]),
    ("secrets history", &["secrets", "history", "app-key"]),
    (
        "secrets history",
        &["secrets", "history", "fleet-secret/production"],
    ),
    ("secrets diff", &["secrets", "diff", "--against", "sandbox"]),
    ("secrets list", &["secrets", "list"]),
    (
        "secrets rotate",
        &["secrets", "rotate", "fleet-secret/production", "--yes"],
    ),
    (
        "secrets rotate",
        &["secrets", "rotate", "app-key", "--confirm", "sandbox"],
    ),
    (
        "secrets rotate --redeploy",
        &[
            "secrets",
            "rotate",
            "app-key",
            "--redeploy",
            "yes",
            "--confirm",
            "sandbox",
        ],
    ),
    ("secrets undo", &["secrets", "undo", "app-key", "--yes"]),
    (
        "rollout undo",
        &["rollout", "undo", "backend", "--to", "42", "--supersede", "--yes"],
    ),
    (
        "secrets set",
        &["secrets", "set", "app-key", "--generate", "--yes"],
    ),
    (
        "secrets set",
        &["secrets", "set", "fleet-secret/production", "--generate", "--yes"],
    ),
    (
        "secrets undo",
        &["secrets", "undo", "fleet-secret/production", "--yes"],
    ),
    ("tinker", &["tinker"]),
    ("run", &["run", "--", "php", "artisan", "about"]),
    ("seed", &["seed", "--yes"]),
    (
        "shutdown",
        &[
            "shutdown",
            "--confirm",
            "sandbox",
            "--rds",
            "stop",
            "--timeout",
            "15m",
        ],
    ),
    ("resume", &["resume", "--yes", "--timeout", "30m"]),
    (
        "backup",
        &[
            "backup",
            "--to",
            "saved",
            "--recipients-file",
            "recipients.txt",
            "--yes",
        ],
    ),
    (
        "backup --to",
        &[
            "backup",
            "--to",
            "s3://cdk-hnb659fds-assets-123456789012-us-east-1/saved",
            "--recipients-file",
            "recipients.txt",
            "--part-size",
            "5",
            "--yes",
        ],
    ),
    (
        "restore",
        &["restore", "--from", "kept", "--identity", "key.txt", "--yes"],
    ),
    (
        "restore",
        &[
            "restore",
            "--from",
            "kept",
            "--identity",
            "key.txt",
            "--only",
            "models-bucket",
            "--only",
            "kept/old",
            "--yes",
        ],
    ),
    (
        "restore --from",
        &[
            "restore",
            "--from",
            "s3://cdk-hnb659fds-assets-123456789012-us-east-1/kept",
            "--identity",
            "key.txt",
            "--yes",
        ],
    ),
    (
        "restore --from",
        &[
            "restore",
            "--from",
            "s3://cdk-hnb659fds-assets-123456789012-us-east-1/kept",
            "--identity",
            "key.txt",
            "--only",
            "kept/old",
            "--yes",
        ],
    ),
    ("teardown", &["teardown", "--confirm", "sandbox"]),
    ("teardown", &["teardown", "--all-layouts", "--confirm", "sandbox"]),
    (
        "teardown --database",
        &["teardown", "--database", "delete", "--confirm", "123456789012"],
    ),
    ("reset", &["reset", "--list"]),
    (
        "reset --everything",
        &["reset", "--everything", "--confirm", "123456789012"],
    ),
    (
        "reset --everything",
        &[
            "reset",
            "--everything",
            "--keep",
            "buckets",
            "--confirm",
            "123456789012",
        ],
    ),
    (
        "stack continue-rollback",
        &["stack", "continue-rollback", "production/gpu-default", "--yes"],
    ),
    (
        "stack import",
        &[
            "stack",
            "import",
            "staging/gpu-kept",
            "--assembly",
            "kept.out",
            "--yes",
        ],
    ),
    // A stack that is there: its template is read.
    (
        "stack import",
        &[
            "stack",
            "import",
            "production/gpu-default",
            "--assembly",
            "cdk.out",
            "--yes",
        ],
    ),
    (
        "stack delete",
        &[
            "stack",
            "delete",
            "production/gpu-default",
            "--confirm",
            "sandbox",
        ],
    ),
    (
        "stack deploy",
        &["stack", "deploy", "monitoring", "--assembly", "cdk.out", "--yes"],
    ),
    (
        "stack diff",
        &["stack", "diff", "monitoring", "--assembly", "cdk.out"],
    ),
    // With bpctl's own templates, whose services are looked up in the registry.
    ("stack deploy", &["stack", "deploy", "--all", "--yes"]),
    ("stack diff", &["stack", "diff", "compute"]),
    ("stack drift", &["stack", "drift"]),
    ("stack events", &["stack", "events", "--since", "60d"]),
    ("stack list", &["stack", "list"]),
    ("stack outputs", &["stack", "outputs"]),
    ("stack status", &["stack", "status"]),
    (
        "task describe",
        &["task", "describe", "0123456789abcdef0123456789abcdef"],
    ),
    (
        "get",
        &[
            "get",
            "services,tasks,deployments,images,alarms,fleets,instances,stacks,parameters,secrets,runs,leases",
        ],
    ),
    (
        "describe",
        &[
            "describe",
            "service/backend",
            "fleet/production/gpu-default",
            "alarm/p1-rds-storage-low",
            "stack/bp-compute",
            "parameter/models-bucket",
            "secret/app-key",
            "image/php-latest",
        ],
    ),
    // Names that nothing has are looked for in whole lists.
    (
        "describe",
        &["describe", "parameter/none-such", "lease/none-such"],
    ),
    ("task list", &["task", "list"]),
    ("triage", &["triage", "--fail-on", "never"]),
    ("lock release", &["lock", "release", "ecs/bp-backend", "--yes"]),
    ("logs --follow", &["logs", "backend", "--follow"]),
    (
        "secrets sync",
        &[
            "secrets",
            "sync",
            "--env-file",
            ".env",
            "--apple-p8",
            "key.p8",
            "--yes",
        ],
    ),
    (
        "secrets sync --redeploy",
        &[
            "secrets",
            "sync",
            "--env-file",
            ".env",
            "--apple-p8",
            "key.p8",
            "--redeploy",
            "yes",
            "--timeout",
            "20m",
            "--yes",
        ],
    ),
    ("task stop", &["task", "stop", "--yes"]),
    ("timeline", &["timeline"]),
    ("top", &["top"]),
    ("whoami", &["whoami"]),
    (
        "workflow check",
        &["workflow", "check", "--repository", "acme/platform"],
    ),
    (
        "workflow check --role",
        &[
            "workflow",
            "check",
            "--repository",
            "acme/platform",
            "--role",
            "migrations",
        ],
    ),
];

/// The scenarios under which verbs that change something call operations that they do not call otherwise, and whether
/// another run takes each lease in the same moment.
pub(crate) const SCENARIOS: &[(&[Scenario], bool)] = &[
    (&[], false),
    (&[Scenario::MigrationFails], false),
    (&[Scenario::PullError], false),
    (&[Scenario::CrashLoop], false),
    (&[Scenario::BreakerRollback], false),
    (&[Scenario::SpotDrought], false),
    (&[Scenario::MetricsSilent], false),
    (&[Scenario::RdsRefused], false),
    (&[Scenario::ScaleToZeroUnsubscribed], false),
    (&[Scenario::PullError], true),
    (&[Scenario::BreakerRollback], true),
];

/// Whether a command goes on until it is ended.
pub(crate) fn is_endless(args: &[&str]) -> bool {
    ["tunnel", "port-forward", "--follow", "top"]
        .iter()
        .any(|word| args.contains(word))
}
