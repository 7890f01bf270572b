//! The action that puts bpctl on a runner's PATH, run as a runner runs it.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A runner of its own for one step.
struct Runner {
    home: tempfile::TempDir,
    said: String,
    passed: bool,
}

impl Runner {
    /// Runs the step with these inputs; `prepare` may put programs into the folder `bin` in front of PATH.
    fn run(inputs: &[(&str, &str)], prepare: impl FnOnce(&Path)) -> Self {
        Self::run_with_programs(":/usr/bin:/bin", inputs, prepare)
    }

    fn run_with_programs(more: &str, inputs: &[(&str, &str)], prepare: impl FnOnce(&Path)) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        for folder in ["bin", "temp"] {
            fs::create_dir(home.path().join(folder)).expect("a folder");
        }
        for file in ["path", "output"] {
            fs::write(home.path().join(file), "").expect("a file");
        }
        prepare(home.path());
        let step = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/examples/actions/setup-bpctl/install"
        );
        let at = |name: &str| home.path().join(name);
        let output = Command::new("bash")
            .arg(step)
            .env_clear()
            .env("PATH", format!("{}{more}", at("bin").display()))
            .env("RUNNER_TEMP", at("temp"))
            .env("RUNNER_OS", "Linux")
            .env("RUNNER_ARCH", "X64")
            .env("GITHUB_PATH", at("path"))
            .env("GITHUB_OUTPUT", at("output"))
            .env("BPCTL_SETUP_REPOSITORY", "example/bpctl")
            .envs(inputs.iter().copied())
            .output()
            .expect("bash");
        Self {
            said: String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
            passed: output.status.success(),
            home,
        }
    }

    fn file(&self, name: &str) -> String {
        fs::read_to_string(self.home.path().join(name)).expect("a file")
    }

    /// The one annotation of a step that put nothing on the PATH.
    fn refusal(&self) -> &str {
        assert!(!self.passed, "{}", self.said);
        assert_eq!(self.file("path") + &self.file("output"), "", "{}", self.said);
        let errors: Vec<&str> = self
            .said
            .lines()
            .filter_map(|line| line.strip_prefix("::error::setup-bpctl: "))
            .collect();
        assert_eq!(errors.len(), 1, "{}", self.said);
        errors[0]
    }
}

fn program(path: &Path, text: &str) -> PathBuf {
    fs::write(path, text).expect("a file");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a program");
    path.to_owned()
}

/// A cargo that leaves a program where the real one does, and what it was called with.
const CARGO: &str = r#"#!/bin/bash
echo "$*" >"$RUNNER_TEMP/cargo-was-called-with"
while [ $# -gt 0 ]; do case $1 in --target-dir) folder=$2 ;; esac; shift; done
mkdir -p "$folder/release"
printf '#!/bin/sh\necho bpctl 7.8.9\n' >"$folder/release/bpctl"
chmod +x "$folder/release/bpctl"
"#;

#[test]
fn without_a_version_the_checkout_is_built() {
    let built = Runner::run(&[("BPCTL_SETUP_PATH", "a checkout")], |home| {
        program(&home.join("bin/cargo"), CARGO);
    });
    assert!(built.passed, "{}", built.said);
    let called = built.file("temp/cargo-was-called-with");
    for words in [
        "build --manifest-path a checkout/Cargo.toml",
        "--locked --release --bin bpctl",
    ] {
        assert!(called.contains(words), "{called}");
    }
    assert_eq!(built.file("output"), "version=7.8.9\n");
    let folder = built.file("path");
    let said = Command::new(Path::new(folder.trim_end()).join("bpctl"))
        .output()
        .expect("it is there");
    assert_eq!(said.stdout, b"bpctl 7.8.9\n");
}

#[test]
fn a_checkout_that_cannot_be_built_is_an_annotation() {
    let failing = Runner::run(&[], |home| {
        program(&home.join("bin/cargo"), "#!/bin/sh\necho broken >&2\nexit 101\n");
    });
    assert!(
        failing.refusal().contains("cargo cannot build ."),
        "{}",
        failing.said
    );
    let without = Runner::run_with_programs("", &[], |home| {
        // What the step needs beside cargo, and no more.
        for tool in ["mkdir", "bash"] {
            let mut folders = ["/usr/bin", "/bin"]
                .map(|folder| Path::new(folder).join(tool))
                .into_iter();
            let found = folders.find(|path| path.exists()).expect("a tool");
            symlink(found, home.join("bin").join(tool)).expect("a link");
        }
    });
    assert!(
        without.refusal().starts_with("there is no cargo to build ."),
        "{}",
        without.said
    );
}

#[test]
fn an_archive_is_installed_only_with_its_checksum_and_version() {
    let releases = tempfile::tempdir().expect("a folder");
    let built = releases.path().join("built");
    fs::create_dir(&built).expect("a folder");
    let built = program(&built.join("bpctl"), "#!/bin/sh\necho bpctl 1.2.3\n");
    let target = "x86_64-unknown-linux-gnu";
    let pack = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/actions/setup-bpctl/pack");
    let packed = Command::new("bash")
        .arg(pack)
        .arg(&built)
        .arg(target)
        .arg(releases.path())
        .output()
        .expect("bash");
    assert!(packed.status.success(), "{packed:?}");
    let archive = releases.path().join(format!("bpctl-1.2.3-{target}.tar.gz"));
    let sum = |version: &str| {
        releases
            .path()
            .join(format!("bpctl-{version}-{target}.tar.gz.sha256"))
    };
    let good = fs::read_to_string(sum("1.2.3")).expect("a checksum");
    let good = good.split_whitespace().next().expect("a checksum");
    // The same archive under the name of another version, and one that is none.
    for version in ["1.2.4", "1.2.5"] {
        let other = releases.path().join(format!("bpctl-{version}-{target}.tar.gz"));
        fs::copy(&archive, &other).expect("a copy");
        fs::write(sum(version), format!("{good}  x\n")).expect("a checksum");
    }
    let broken = releases.path().join(format!("bpctl-1.2.5-{target}.tar.gz"));
    fs::write(&broken, "no archive").expect("a file");
    let from = format!("file://{}", releases.path().display());
    let install = |version: &str, sha256: &str, os: &str| {
        let inputs = [
            ("BPCTL_SETUP_VERSION", version),
            ("BPCTL_SETUP_RELEASES", &from),
            ("BPCTL_SETUP_SHA256", sha256),
            ("RUNNER_OS", os),
        ];
        Runner::run(&inputs, |_| {})
    };
    for sha256 in ["", good, &good.to_uppercase()] {
        let installed = install("1.2.3", sha256, "Linux");
        assert!(installed.passed, "{}", installed.said);
        assert_eq!(installed.file("output"), "version=1.2.3\n");
    }
    let not_an_archive = "1f2d3c0000000000000000000000000000000000000000000000000000000000";
    for (version, sha256, os, why) in [
        ("1.2.3", &*"a".repeat(64), "Linux", "has the checksum"),
        ("1.2.3", "latest", "Linux", "`latest` is not a SHA-256 checksum"),
        ("9.9.9", "", "Linux", "cannot get"),
        ("1.2.4", "", "Linux", "the archive of 1.2.4 holds bpctl 1.2.3"),
        ("1.2.5", not_an_archive, "Linux", "has the checksum"),
        ("1.2.3; id", "", "Linux", "is not a version"),
        ("1.2.3", "", "Windows", "there is no archive for Windows on X64"),
    ] {
        let refused = install(version, sha256, os);
        assert!(
            refused.refusal().contains(why),
            "{version} {os}: {}",
            refused.said
        );
    }
}
