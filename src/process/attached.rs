//! Standard input and the terminal, for verbs that hand them to a program elsewhere.

use std::io::{self, Read, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
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

/// What is typed, as it comes. Unlike a thread that reads, it takes nothing while nobody waits for it: what is typed then is for
/// whoever reads the terminal next.
pub(crate) enum Typed {
    /// The terminal behind standard input.
    #[cfg(unix)]
    Terminal(tokio::io::unix::AsyncFd<io::Stdin>),
    /// Another reader, by a thread.
    Reader(mpsc::Receiver<Vec<u8>>),
}

impl Typed {
    /// The terminal of this process. It must be raw: a line that is being typed would hold up everything.
    ///
    /// # Errors
    /// Standard input cannot be waited for.
    #[cfg(unix)]
    pub(crate) fn terminal() -> io::Result<Self> {
        let readable = tokio::io::Interest::READABLE;
        #[expect(
            deprecated,
            reason = "unsound for a descriptor that may close while it is registered, which standard input does not; the other way is unsafe"
        )]
        let terminal = tokio::io::unix::AsyncFd::with_interest(io::stdin(), readable);
        terminal.map(Self::Terminal)
    }

    /// The terminal of this process.
    ///
    /// # Errors
    /// Always: it is not done here.
    #[cfg(not(unix))]
    pub(crate) fn terminal() -> io::Result<Self> {
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }

    /// What `reader` gives.
    ///
    /// # Errors
    /// The operating system gives no thread.
    pub(crate) fn reader(reader: Box<dyn Read + Send>) -> io::Result<Self> {
        read_in_thread(reader).map(Self::Reader)
    }

    /// The next bytes; `None` when the terminal is gone. May be dropped at any time without a loss.
    pub(crate) async fn next(&mut self) -> Option<Vec<u8>> {
        match self {
            #[cfg(unix)]
            Self::Terminal(terminal) => loop {
                let mut ready = terminal.readable().await.ok()?;
                let mut bytes = vec![0; READ];
                match rustix::io::read(terminal.get_ref(), &mut bytes) {
                    Ok(0) => return None,
                    Ok(length) => {
                        // Less than there was room for: that was all.
                        if length < READ {
                            ready.clear_ready();
                        }
                        bytes.truncate(length);
                        return Some(bytes);
                    }
                    Err(rustix::io::Errno::AGAIN) => ready.clear_ready(),
                    Err(rustix::io::Errno::INTR) => {}
                    Err(_) => return None,
                }
            },
            Self::Reader(reader) => reader.recv().await,
        }
    }
}

/// The terminal's modes before it was made raw, for the panic hook: a release build does not unwind.
#[cfg(unix)]
static BEFORE: Mutex<Option<rustix::termios::Termios>> = Mutex::new(None);

/// Takes the terminal's other screen and hides the cursor: what was on the terminal comes back with [`LEAVE_SCREEN`]
/// (XTerm Control Sequences, DECSET 1049 and 25).
pub(crate) const ENTER_SCREEN: &str = "\u{1b}[?1049h\u{1b}[?25l\u{1b}[2J";

/// No colours, the cursor, and the terminal's own screen again.
pub(crate) const LEAVE_SCREEN: &str = "\u{1b}[0m\u{1b}[?25h\u{1b}[?1049l";

/// Whether the other screen is shown, for the panic hook.
static ON_OTHER_SCREEN: AtomicBool = AtomicBool::new(false);

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

    /// Says whether the other screen is shown: a panic has to leave it.
    pub(crate) fn on_other_screen(is_shown: bool) {
        ON_OTHER_SCREEN.store(is_shown, Ordering::SeqCst);
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
    if ON_OTHER_SCREEN.swap(false, Ordering::SeqCst) {
        let mut stdout = io::stdout();
        let _ = stdout
            .write_all(LEAVE_SCREEN.as_bytes())
            .and_then(|()| stdout.flush());
    }
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

/// Hears that this process is to end, whoever else hears other signals meanwhile.
pub(crate) struct Termination {
    #[cfg(unix)]
    asked: Option<tokio::signal::unix::Signal>,
}

impl Termination {
    pub(crate) fn new() -> Self {
        Self {
            #[cfg(unix)]
            asked: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).ok(),
        }
    }

    /// The next time.
    pub(crate) async fn next(&mut self) {
        #[cfg(unix)]
        heard(&mut self.asked).await;
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
