//! Every verb of `bpctl secrets`, by the real binary at trace level: nothing that it writes anywhere, and nothing that
//! other processes see of it, holds a secret.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::backups::IDENTITY;

const KEY: &str = "base64:Y2FuYXJ5LWNhbmFyeS1jYW5hcnktY2FuYXJ5LWNhbmE=";

/// Lines of the environment file and the values in it.
const FILE: [(&str, &str); 9] = [
    ("APP_KEY", "base64:Y2FuYXJ5IG9mIHRoZSBmaWxlIGNhbmFyeSBvZiB0aGU="),
    ("GOOGLE_CLIENT_ID", "canary1.apps.example"),
    ("GOOGLE_CLIENT_SECRET", "canary2 with \\\"quotes\\\""),
    ("TIKTOK_CLIENT_ID", "canary3"),
    ("TIKTOK_CLIENT_SECRET", "canary4=="),
    ("APPLE_CLIENT_ID", "canary5"),
    ("APPLE_KEY_ID", "canary6"),
    ("APPLE_TEAM_ID", "canary7"),
    (
        "COMFYUI_FLEET_SECRET_STAGING",
        "cafe0123cafe4567cafe89abcafecdefcafe0123cafe4567",
    ),
];

const SCRIPT: &str = r#"
set -u
cd "$HOME"
mkdir out
n=0
run() { n=$((n + 1)); BPCTL_LOG=trace bpctl "$@" > "out/$n.out" 2> "out/$n.err" < "${input:-/dev/null}"; echo "$n $? $*" >> out/statuses; }
for name in app-key oauth asset-ops fleet-secret/production fleet-secret/staging rds redis; do
    bpctl secrets get "$name" --reveal --yes > "in/seeded-$(echo "$name" | tr / -)"
done
for format in table wide json yaml jsonl name markdown; do
    run secrets list -o $format
    run secrets get oauth -o $format
    run secrets history oauth -o $format
    run secrets diff --against sandbox -o $format
    run secrets sync --env-file in/env --apple-p8 in/key.p8 --dry-run -o $format
done
run secrets sync --env-file in/env --apple-p8 in/key.p8 --print-aws
run secrets sync --env-file in/env --apple-p8 in/key.p8 --yes -o json
run secrets sync --env-file in/broken-env --yes
run secrets undo oauth --yes -o yaml
input=in/key run secrets set app-key --yes -o json
input=in/key run secrets set app-key --print-aws
input=in/value run secrets set oauth --key google_client_secret --yes -o jsonl
input=in/value run secrets set app-key --yes -o json
input=in/value run secrets set oauth --yes
input=in/value run secrets set fleet-secret/staging --yes -o json
run secrets set asset-ops --file in/value --yes -o markdown
run secrets set fleet-secret/production --generate --yes -o name
run secrets rotate fleet-secret/staging --yes -o table
run secrets rotate app-key --confirm sandbox -o json
run secrets undo app-key --yes -o wide
run secrets undo fleet-secret/staging --yes
run secrets history fleet-secret/staging -o wide
run backup --to saved --recipient age17ut3zjm6gv2ffqaar8hy986z28p8acgee5acp4dwu54ngxfy5g3qlnjwec --skip buckets --dry-run -o json
run backup --to saved --recipient age17ut3zjm6gv2ffqaar8hy986z28p8acgee5acp4dwu54ngxfy5g3qlnjwec --yes -o json
run restore --from saved --identity in/identity --dry-run -o json
bpctl secrets rotate fleet-secret/staging --yes > /dev/null 2>&1
run restore --from saved --identity in/identity --redeploy no --yes -o wide
run runs list -o json
run history -o json
(sleep 1; cat in/key) | bpctl secrets set app-key --dry-run > out/last.out 2> out/last.err &
pid=$!
sleep 0.6
cat "/proc/$pid/cmdline" > out/cmdline 2> /dev/null
cat "/proc/$pid/environ" > out/environ 2> /dev/null
cat "/proc/$pid/limits" > out/limits 2> /dev/null
wait
bpctl secrets get asset-ops --reveal --yes > in/seeded-last
"#;

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn nothing_that_any_verb_writes_holds_a_secret() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let given = home.path().join("in");
    fs::create_dir(&given).expect("a folder");
    let env: String = FILE.map(|(name, value)| format!("{name}=\"{value}\"\n")).concat();
    let write = |name: &str, text: &str| fs::write(given.join(name), text).expect("written");
    write("env", &env);
    write("broken-env", &format!("{env}APPLE_TEAM_ID=canary8 canary9\n"));
    write("key", KEY);
    write("value", "canary10-is-no-key-but-a-long-enough-text");
    let p8 = "-----BEGIN PRIVATE KEY-----\nY2FuYXJ5MTE=\n-----END PRIVATE KEY-----\n";
    write("key.p8", p8);
    write("identity", IDENTITY);
    let output = Command::new(env!("CARGO_BIN_EXE_bpctl"))
        .args(["sandbox", "run", "--", "sh", "-c", SCRIPT])
        .env_clear()
        .env("HOME", home.path())
        .env("PATH", "/usr/bin:/bin")
        .current_dir(home.path())
        .output()
        .expect("bpctl starts");
    assert!(output.status.success(), "{output:?}");

    // What must be found nowhere: what was given, and what the account held before.
    let mut canaries: Vec<String> = FILE.iter().map(|(_, value)| value.replace('\\', "")).collect();
    canaries.extend(FILE.iter().map(|(_, value)| (*value).to_owned()));
    canaries.extend([KEY.to_owned(), "canary8".to_owned(), "canary9".to_owned()]);
    canaries.extend([IDENTITY[16..].to_owned()]);
    canaries.extend(["canary10-is-no-key".to_owned(), "Y2FuYXJ5MTE".to_owned()]);
    let mut seeded = Vec::new();
    files(&given, &mut seeded);
    for path in seeded {
        if !path.display().to_string().contains("seeded-") {
            continue;
        }
        let text = fs::read_to_string(&path).expect("text");
        let text = text.trim_end();
        assert!(text.len() > 16, "{}: {text}", path.display());
        if let Ok(serde_json::Value::Object(members)) = serde_json::from_str(text) {
            let secret = |name: &str| name.contains("secret") || name.contains("p8") || name == "password";
            let values = members.iter().filter(|(name, _)| secret(name));
            canaries.extend(values.filter_map(|(_, value)| value.as_str().map(str::to_owned)));
        }
        canaries.push(text.to_owned());
    }
    let mut written = Vec::new();
    files(home.path(), &mut written);
    written.retain(|path| !path.starts_with(&given));
    let mut traced = false;
    let mut found = Vec::new();
    for path in &written {
        let bytes = fs::read(path).expect("readable");
        let text = String::from_utf8_lossy(&bytes);
        traced |= text.contains("TRACE");
        found.extend(
            canaries
                .iter()
                .filter(|canary| text.contains(canary.as_str()))
                .map(|canary| {
                    let at = text.find(canary.as_str()).unwrap_or_default();
                    let from = text
                        .get(..at)
                        .map_or(0, |before| before.rfind('\n').map_or(0, |line| line + 1));
                    format!(
                        "{canary} in {}: {}",
                        path.display(),
                        text.get(from..at).unwrap_or_default()
                    )
                }),
        );
    }
    assert!(found.is_empty(), "{found:#?}");
    assert!(
        traced
            && written
                .iter()
                .any(|path| path.to_string_lossy().contains("/journal/"))
    );
    let statuses = fs::read_to_string(home.path().join("out/statuses")).expect("statuses");
    // Refused are the broken file and the values that have no right shape; everything else went well.
    let refused: Vec<&str> = statuses
        .lines()
        .filter(|line| line.split(' ').nth(1) != Some("0"))
        .collect();
    assert_eq!(refused.len(), 4, "{statuses}");
    assert!(
        refused.iter().all(|line| line.split(' ').nth(1) == Some("2")),
        "{statuses}"
    );
    let limits = fs::read_to_string(home.path().join("out/limits")).expect("limits");
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .expect("a limit");
    assert_eq!(
        core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(),
        ["0", "0"],
        "{core}"
    );
}
