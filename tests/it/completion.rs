//! Completion of names by the real binary: from the cache, refreshed in the background.

use std::io::Read as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use bpctl_sandbox::Options;

use crate::site::{Site, eventually};

/// What the shell is offered for `bpctl fleet status <TAB>`, and how long it waited.
fn tab(mut command: Command) -> (String, Duration) {
    let began = Instant::now();
    let output = command.env("COMPLETE", "fish").output().expect("bpctl starts");
    (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        began.elapsed(),
    )
}

const WORDS: [&str; 5] = ["--", "bpctl", "fleet", "status", "production/"];

fn cache(home: &Path) -> std::path::PathBuf {
    home.join(".local/state/bpctl/completion/fleets.sandbox")
}

#[test]
fn a_tab_fills_the_cache_for_itself_or_for_the_next_one() {
    let site = Site::start(Options::default(), 1.0, Duration::ZERO);
    let home = tempfile::tempdir().unwrap();
    tab(site.bpctl(home.path(), &WORDS));
    assert!(eventually(Duration::from_secs(20), || cache(home.path()).exists()));
    let calls = site.sandbox.with_world(|world| world.call_count());
    let (offered, _) = tab(site.bpctl(home.path(), &WORDS));
    assert_eq!(offered.trim(), "production/gpu-default");
    // A fresh cache asks no service.
    assert_eq!(site.sandbox.with_world(|world| world.call_count()), calls);
}

#[test]
fn a_tab_does_not_wait_for_a_network_that_does_not_answer() {
    // Accepts and never answers.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut stream = stream;
                let _ = stream.read_to_end(&mut Vec::new());
            });
        }
    });
    let home = tempfile::tempdir().unwrap();
    let path = cache(home.path());
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, "production/old\n").unwrap();
    let long_ago = std::fs::File::options().write(true).open(&path).unwrap();
    long_ago.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    let command = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bpctl"));
        command
            .args(WORDS)
            .env_clear()
            .env("HOME", home.path())
            .env("BPCTL_CONTEXT", "sandbox");
        command.env("AWS_ENDPOINT_URL", &url).current_dir(home.path());
        command
    };
    // The old names are better than none. A shell that waited for an answer would wait for a minute and longer:
    // the SDK tries again.
    for _ in 0..2 {
        let (offered, waited) = tab(command());
        assert_eq!(offered.trim(), "production/old");
        assert!(waited < Duration::from_secs(10), "{waited:?}");
    }
}
