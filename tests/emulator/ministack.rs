//! One ministack for all tests of this binary, with a fake Docker Engine below it.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::engine::Engine;

/// Where the path of the emulator's command is.
const VARIABLE: &str = "BPCTL_MINISTACK";

/// It answers within a second or two; a busy machine may need many more.
const PATIENCE: Duration = Duration::from_secs(60);

/// Ends the emulator and removes its folder when stdin closes. The kernel closes it when this test binary ends,
/// however it ends: nothing is left behind even by a test run that was killed. SIGKILL, because there is nothing
/// to save and no container engine to say goodbye to any more.
const KEEPER: &str =
    r#"cd "$2" || exit; "$1" & child=$!; cat >/dev/null; kill -KILL "$child"; wait "$child"; rm -rf "$2""#;

/// The running emulator.
pub(crate) struct Ministack {
    pub(crate) url: String,
    pub(crate) engine: Engine,
    _keeper: Child,
}

/// Starts the emulator for the first test that asks for it.
pub(crate) fn ministack() -> &'static Ministack {
    static RUNNING: OnceLock<Ministack> = OnceLock::new();
    RUNNING.get_or_init(start)
}

fn start() -> Ministack {
    #[expect(clippy::disallowed_methods, reason = "a test reads its environment itself")]
    let command = std::env::var_os(VARIABLE).map(PathBuf::from).unwrap_or_else(|| {
        panic!("{VARIABLE} is not set: it holds the path of `ministack`; `bash .ci/independent` installs it and runs these tests")
    });
    let engine = Engine::start();
    let folder = tempfile::tempdir().expect("a temporary folder").keep();
    let address = free_address();
    let keeper = spawn(&command, &folder, address, engine.address);
    let url = format!("http://{address}");
    let deadline = Instant::now() + PATIENCE;
    while !answers(address) {
        assert!(
            Instant::now() < deadline,
            "{} does not answer at {url}:\n{}",
            command.display(),
            std::fs::read_to_string(folder.join("log")).unwrap_or_default()
        );
        std::thread::park_timeout(Duration::from_millis(50));
    }
    Ministack {
        url,
        engine,
        _keeper: keeper,
    }
}

fn spawn(command: &Path, folder: &Path, address: SocketAddr, docker: SocketAddr) -> Child {
    let log = File::create(folder.join("log")).expect("a log file");
    #[expect(clippy::disallowed_methods, reason = "a test reads its environment itself")]
    let path = std::env::var_os("PATH").unwrap_or_default();
    Command::new("sh")
        .arg("-c")
        .arg(KEEPER)
        .args([Path::new("sh"), command, folder])
        .env_clear()
        .env("PATH", path)
        .envs(["HOME", "TMPDIR"].map(|name| (name, folder)))
        .env("BIND_HOST", Ipv4Addr::LOCALHOST.to_string())
        .env("GATEWAY_PORT", address.port().to_string())
        .env("DOCKER_HOST", format!("tcp://{docker}"))
        .env("LOG_LEVEL", "WARNING")
        .stdin(Stdio::piped())
        .stdout(log.try_clone().expect("a log file"))
        .stderr(log)
        .spawn()
        .expect("a shell")
}

/// Free a moment ago: ministack cannot be told to choose a port itself.
fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("a bound address")
}

fn answers(address: SocketAddr) -> bool {
    let ask = || {
        let mut connection = TcpStream::connect(address)?;
        connection.set_read_timeout(Some(Duration::from_secs(5)))?;
        connection.write_all(b"GET /_ministack/ready HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
        let mut answer = [0; 12];
        connection.read_exact(&mut answer)?;
        Ok::<_, std::io::Error>(answer.ends_with(b"200"))
    };
    ask().unwrap_or(false)
}
