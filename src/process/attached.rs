//! Standard input and the terminal, for verbs that hand them to a program elsewhere.

use std::io::{self, Read};
use std::sync::{Mutex, PoisonError};

use tokio::sync::mpsc;

use super::Process;

/// Bytes of one read.
const READ: usize = 4096;

/// What the standard streams are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attached {
    pub(crate) stdin_is_terminal: bool,
    pub(crate) stdout_is_terminal: bool,
}

impl Attached {
    pub(crate) fn of(process: &Process) -> Self {
        Self {
            stdin_is_terminal: process.stdin_is_terminal,
            stdout_is_terminal: process.stdout_is_terminal,
        }
    }
}

/// What comes on standard input; the channel ends with it. The thread that reads waits for the operating system and is not
/// waited for.
///
/// # Errors
/// The operating system gives no thread.
pub(crate) fn read_in_thread(mut stdin: Box<dyn Read + Send>) -> io::Result<mpsc::Receiver<Vec<u8>>> {
    let (sender, receiver) = mpsc::channel(1);
    std::thread::Builder::new()
        .name("stdin".to_owned())
        .spawn(move || {
            let mut buffer = [0; READ];
            loop {
                match stdin.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(length) => {
                        if sender.blocking_send(buffer[..length].to_vec()).is_err() {
                            break;
                        }
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => break,
                }
            }
        })?;
    Ok(receiver)
}

/// The terminal's modes before it was made raw, for the panic hook: a release build does not unwind.
#[cfg(unix)]
static BEFORE: Mutex<Option<rustix::termios::Termios>> = Mutex::new(None);

/// A terminal that hands on every key as it is pressed. It is what it was before as soon as this value is gone, and also
/// when bpctl panics.
pub(crate) struct RawTerminal(());

impl RawTerminal {
    /// Makes the terminal raw.
    ///
    /// # Errors
    /// Standard input is no terminal.
    #[cfg(unix)]
    pub(crate) fn enter() -> io::Result<Self> {
        use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
        static HOOK: std::sync::Once = std::sync::Once::new();
        let stdin = io::stdin();
        let before = tcgetattr(&stdin)?;
        let mut raw = before.clone();
        raw.make_raw();
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
        HOOK.call_once(|| {
            let usual = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                restore();
                usual(panic);
            }));
        });
        tcsetattr(&stdin, OptionalActions::Now, &raw)?;
        Ok(Self(()))
    }

    /// Makes the terminal raw.
    ///
    /// # Errors
    /// Always: it is not done here.
    #[cfg(not(unix))]
    pub(crate) fn enter() -> io::Result<Self> {
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        restore();
    }
}

/// Brings back what was before; nothing can be done about a terminal that went away.
fn restore() {
    #[cfg(unix)]
    if let Some(before) = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take() {
        let now = rustix::termios::OptionalActions::Now;
        let _ = rustix::termios::tcsetattr(io::stdin(), now, &before);
    }
}

/// Columns and rows of the terminal.
pub(crate) fn terminal_size() -> Option<(u16, u16)> {
    #[cfg(unix)]
    {
        let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
        (size.ws_col > 0 && size.ws_row > 0).then_some((size.ws_col, size.ws_row))
    }
    #[cfg(not(unix))]
    None
}

/// Tells when the terminal gets another size, or goes away.
pub(crate) struct Resizes {
    #[cfg(unix)]
    resized: Option<tokio::signal::unix::Signal>,
    #[cfg(unix)]
    hung_up: Option<tokio::signal::unix::Signal>,
}

/// What happened to a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TerminalChange {
    Resized,
    Gone,
}

impl Resizes {
    pub(crate) fn new() -> Self {
        Self {
            #[cfg(unix)]
            resized: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::window_change()).ok(),
            #[cfg(unix)]
            hung_up: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()).ok(),
        }
    }

    /// The next change.
    pub(crate) async fn next(&mut self) -> TerminalChange {
        #[cfg(unix)]
        {
            tokio::select! {
                _ = heard(&mut self.resized) => TerminalChange::Resized,
                _ = heard(&mut self.hung_up) => TerminalChange::Gone,
            }
        }
        #[cfg(not(unix))]
        std::future::pending().await
    }
}

#[cfg(unix)]
async fn heard(signal: &mut Option<tokio::signal::unix::Signal>) -> Option<()> {
    match signal {
        Some(signal) => signal.recv().await,
        None => std::future::pending().await,
    }
}
