//! Which operations every verb calls, recorded over its scenarios into one committed file: what policies of
//! least privilege are made from. `BPCTL_BLESS=1 cargo test --test it api_calls` writes it anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::Duration;

use bpctl_sandbox::{Access, Options, Scenario};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::support::{Account, kept_by_hand};

/// Verbs with command lines that between them go through all of their calls.
const COMMANDS: &[(&str, &[&str])] = &[
    (
        "bundle activate",
        &[
            "bundle",
            "activate",
            "c81d4e2e",
            "--fleet",
            "staging/gpu-default",
            "--yes",
        ],
    ),
    (
        "bundle apply",
        &[
            "bundle",
            "apply",
            "c81d4e2e",
            "--instance",
            "i-ec3493695c7560645",
            "--fleet",
            "production/gpu-default",
            "--yes",
        ],
    ),
    (
        "bundle create",
        &[
            "bundle",
            "create",
            "--name",
            "x",
            "--from",
            "c81d4e2e",
            "--without",
            "models/loras/camera_orbit.safetensors",
            "--yes",
        ],
    ),
    ("bundle diff", &["bundle", "diff", "2f6c1f0e", "c81d4e2e"]),
    (
        "bundle history",
        &["bundle", "history", "--fleet", "staging/gpu-default"],
    ),
    ("bundle list", &["bundle", "list"]),
    (
        "bundle rollback",
        &["bundle", "rollback", "--fleet", "staging/gpu-default", "--yes"],
    ),
    ("bundle show", &["bundle", "show", "c81d4e2e"]),
    (
        "bundle upload",
        &[
            "bundle",
            "upload",
            "upload.bin",
            "--kind",
            "other",
            "--part-size",
            "5",
            "--yes",
        ],
    ),
    ("bundle verify", &["bundle", "verify", "c81d4e2e"]),
    (
        "bundle verify --deep",
        &["bundle", "verify", "c81d4e2e", "--deep"],
    ),
    ("db tunnel", &["db", "tunnel", "--local-port", "0"]),
    ("exec", &["exec", "--", "true"]),
    ("fleet explain", &["fleet", "explain", "production/gpu-default"]),
    ("fleet lint", &["fleet", "lint"]),
    ("fleet list", &["fleet", "list"]),
    ("fleet replay", &["fleet", "replay", "production/gpu-default"]),
    (
        "fleet scale",
        &[
            "fleet",
            "scale",
            "production/gpu-default",
            "--desired",
            "3",
            "--yes",
        ],
    ),
    (
        "fleet scale-to-zero",
        &[
            "fleet",
            "scale-to-zero",
            "--all",
            "--drain",
            "--yes",
            "--timeout",
            "5m",
        ],
    ),
    (
        "fleet scale-to-zero",
        &[
            "fleet",
            "scale-to-zero",
            "--all",
            "--force",
            "--confirm",
            "sandbox",
        ],
    ),
    ("fleet status", &["fleet", "status"]),
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
        "task describe",
        &["task", "describe", "0123456789abcdef0123456789abcdef"],
    ),
    ("task list", &["task", "list"]),
    ("triage", &["triage", "--fail-on", "never"]),
    ("whoami", &["whoami"]),
];

const SCENARIOS: &[&[Scenario]] = &[
    &[],
    &[Scenario::MigrationFails],
    &[Scenario::PullError],
    &[Scenario::BreakerRollback],
    &[Scenario::SpotDrought],
    &[Scenario::MetricsSilent],
    &[Scenario::RdsRefused],
    &[Scenario::ScaleToZeroUnsubscribed],
];

#[derive(Default)]
struct Calls {
    reads: BTreeSet<String>,
    writes: BTreeSet<String>,
}

#[tokio::test(start_paused = true)]
async fn what_every_verb_calls_is_on_record() {
    let mut verbs: BTreeMap<&str, Calls> = BTreeMap::new();
    for scenarios in SCENARIOS {
        for (verb, args) in COMMANDS {
            let options = Options {
                scenarios: scenarios.iter().copied().collect(),
                ..Options::default()
            };
            let account = Account::prepared(options, |sandbox| {
                if scenarios.contains(&Scenario::ScaleToZeroUnsubscribed) {
                    kept_by_hand(sandbox, &["asg-production-gpu-default".to_owned()], 1);
                }
            });
            fs::write(account.home().join("upload.bin"), vec![1; 6 * 1024 * 1024]).expect("a file to upload");
            let before = account.sandbox.with_world(|world| world.calls().len());
            // Two of them go on until they are ended.
            let (clock, cancel) = (account.clock(), CancellationToken::new());
            let ends = cancel.clone();
            let endless = args.contains(&"tunnel") || args.contains(&"port-forward");
            if endless {
                tokio::spawn(async move {
                    clock.sleep(Duration::from_secs(60)).await;
                    cancel.cancel();
                });
            }
            account
                .run_with(args, |process| {
                    if endless {
                        process.cancel = ends;
                    }
                })
                .await;
            account.sandbox.with_world(|world| {
                for call in world.calls().iter().skip(before) {
                    let name = format!("{}:{}", call.service.iam_prefix(), call.operation);
                    let calls = verbs.entry(verb).or_default();
                    match call.access {
                        Some(Access::Write) => calls.writes.insert(name),
                        Some(Access::Read) => calls.reads.insert(name),
                        None => panic!("{verb}: the sandbox does not know {name}"),
                    };
                }
            });
        }
    }
    let record: BTreeMap<&str, serde_json::Value> = verbs
        .iter()
        .map(|(verb, calls)| (*verb, json!({"reads": calls.reads, "writes": calls.writes})))
        .collect();
    let text = serde_json::to_string_pretty(&record).expect("JSON") + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/api-calls.json");
    #[expect(clippy::disallowed_methods, reason = "a test may read its own environment")]
    let bless = std::env::var_os("BPCTL_BLESS").is_some();
    if bless {
        fs::write(&path, &text).expect("written");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        committed, text,
        "run `BPCTL_BLESS=1 cargo test --test it api_calls` and look at the difference"
    );
}
