//! Programs of other people that bpctl runs: found on the PATH, their lines as they come, ended when bpctl is.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus as ChildStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

/// How long a program may take to end after an interrupt, unless it is given more.
const GRACE: Duration = Duration::from_secs(10);

/// A program and what it is given in any case.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    path: PathBuf,
    env: BTreeMap<String, String>,
    cwd: PathBuf,
    /// How long it may take to end after an interrupt.
    grace: Duration,
}

/// How a program came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Its status; 128 and the signal's number when a signal ended it, as shells report it.
    Exited(i32),
    /// bpctl was interrupted, and ended it.
    Interrupted,
}

impl Program {
    /// The program of this name on the PATH of `env`.
    pub(crate) fn find(name: &str, env: &BTreeMap<String, String>, cwd: &Path) -> Option<Self> {
        let path = env.get("PATH")?;
        let file = std::env::split_paths(path)
            .map(|folder| cwd.join(folder).join(name))
            .find(|file| is_executable(file))?;
        Some(Self {
            path: file,
            env: env.clone(),
            cwd: cwd.to_owned(),
            grace: GRACE,
        })
    }

    /// The same with more time to end after an interrupt, for one that cleans up behind itself.
    #[must_use]
    pub(crate) fn patient(self, grace: Duration) -> Self {
        Self { grace, ..self }
    }

    /// Runs it. `stdin` is all that it can read; `hear` gets every line of both its streams.
    ///
    /// # Errors
    /// The operating system cannot start it, or its streams cannot be read.
    pub(crate) async fn run(
        &self,
        arguments: &[String],
        stdin: Option<&str>,
        cancel: &CancellationToken,
        hear: impl Fn(&str),
    ) -> io::Result<Ended> {
        let mut command = Command::new(&self.path);
        command
            .args(arguments)
            .env_clear()
            .envs(&self.env)
            .current_dir(&self.cwd)
            .stdin(if stdin.is_some() {
                Stdio::piped()
            } else {
                Stdio::null()
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // When bpctl is gone, no process waits for the push any more: it must end as well.
            .kill_on_drop(true);
        let mut child = command.spawn()?;
        let written = write(&mut child, stdin);
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let read = async {
            let (out, err) = futures::join!(lines(stdout, &hear), lines(stderr, &hear));
            out.and(err)
        };
        let all = async { futures::join!(written, read) };
        let mut all = std::pin::pin!(all);
        tokio::select! {
            // A program that does not read its input says itself what is wrong.
            (_, read) = &mut all => read?,
            () = cancel.cancelled() => {
                interrupt(&child);
                #[expect(clippy::disallowed_methods, reason = "another program's time is the machine's")]
                let late = tokio::time::sleep(self.grace);
                tokio::select! {
                    _ = &mut all => {}
                    () = late => {}
                }
                child.kill().await?;
                return Ok(Ended::Interrupted);
            }
        }
        let status = child.wait().await?;
        Ok(match cancel.is_cancelled() && !status.success() {
            // The terminal interrupts both at once.
            true => Ended::Interrupted,
            false => Ended::Exited(code(status)),
        })
    }
}

/// The write has to end before the program's input does.
fn write(child: &mut Child, text: Option<&str>) -> impl Future<Output = io::Result<()>> + use<> {
    let pipe = child.stdin.take();
    let text = text.map(str::to_owned);
    async move {
        if let (Some(mut pipe), Some(text)) = (pipe, text) {
            pipe.write_all(text.as_bytes()).await?;
            pipe.shutdown().await?;
        }
        Ok(())
    }
}

async fn lines<R: AsyncRead + Unpin>(stream: Option<R>, hear: &impl Fn(&str)) -> io::Result<()> {
    let Some(stream) = stream else { return Ok(()) };
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line).await? == 0 {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end();
        if !text.is_empty() {
            hear(text);
        }
    }
}

#[cfg(unix)]
fn interrupt(child: &Child) {
    use rustix::process::{Pid, Signal, kill_process};
    let pid = child
        .id()
        .and_then(|id| i32::try_from(id).ok())
        .and_then(Pid::from_raw);
    if let Some(pid) = pid {
        // It may have ended by itself.
        let _ = kill_process(pid, Signal::INT);
    }
}

#[cfg(not(unix))]
fn interrupt(_child: &Child) {}

fn code(status: ChildStatus) -> i32 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return 128 + signal;
    }
    status.code().unwrap_or(1)
}

#[cfg(unix)]
fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(file).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(file: &Path) -> bool {
    file.is_file()
}

#[cfg(all(test, unix))]
mod tests {
    use std::cell::RefCell;

    use super::*;

    fn shell() -> Program {
        let env = [("PATH".to_owned(), "/usr/bin:/bin".to_owned())].into();
        Program::find("sh", &env, Path::new("/")).expect("a shell")
    }

    async fn run(script: &str, stdin: Option<&str>) -> (Ended, Vec<String>) {
        let heard = RefCell::new(Vec::new());
        let arguments = ["-c".to_owned(), script.to_owned()];
        let ended = shell()
            .run(&arguments, stdin, &CancellationToken::new(), |line| {
                heard.borrow_mut().push(line.to_owned());
            })
            .await
            .expect("a run");
        (ended, heard.into_inner())
    }

    #[tokio::test]
    async fn lines_of_both_streams_are_heard_and_the_status_is_its_own() {
        let (ended, mut heard) = run(
            "echo out; echo err >&2; read x; echo got $x; exit 7",
            Some("word"),
        )
        .await;
        heard.sort();
        assert_eq!(heard, ["err", "got word", "out"]);
        assert_eq!(ended, Ended::Exited(7));
        assert_eq!(run("kill -TERM $$", None).await.0, Ended::Exited(143));
        assert_eq!(
            run("cat; exit 0", None).await,
            (Ended::Exited(0), Vec::<String>::new())
        );
    }

    #[tokio::test]
    async fn a_program_that_does_not_read_is_no_failure_of_ours() {
        let long = "x".repeat(1 << 20);
        assert_eq!(run("exit 3", Some(&long)).await.0, Ended::Exited(3));
    }

    #[tokio::test]
    async fn an_interrupt_ends_it() {
        let cancel = CancellationToken::new();
        let ends = cancel.clone();
        let arguments = ["-c".to_owned(), "echo up; sleep 60".to_owned()];
        let ended = shell()
            .run(&arguments, None, &cancel, |_| ends.cancel())
            .await
            .expect("a run");
        assert_eq!(ended, Ended::Interrupted);
    }

    #[test]
    fn only_programs_on_the_path_are_found() {
        let none = [("PATH".to_owned(), "/nonexistent".to_owned())].into();
        assert!(Program::find("sh", &none, Path::new("/")).is_none());
        assert!(Program::find("sh", &BTreeMap::new(), Path::new("/")).is_none());
    }
}
