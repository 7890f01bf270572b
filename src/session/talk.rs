//! One session and its driver in one value: what happens comes out of it, what is to be sent goes in.

use std::collections::VecDeque;
use std::time::Duration;

use futures::future::LocalBoxFuture;
use tokio::sync::mpsc;

use super::channel::Event;
use super::content::Flag;
use super::driver::{Command, Link, Session};
use crate::clock::Clock;
use crate::error::Result;

/// How long the driver may take over the last words.
const LEAVING: Duration = Duration::from_secs(3);

/// What happened.
#[derive(Debug)]
pub(crate) enum Turn {
    Event(Event),
    /// Everything that was handed over is on its way.
    Sent,
    /// The connection is over, and nothing more comes.
    Over(Result<()>),
}

/// A session that is going on.
pub(crate) struct Talk<'a> {
    input: mpsc::Sender<Command>,
    events: mpsc::Receiver<Event>,
    driver: LocalBoxFuture<'a, Result<()>>,
    clock: Clock,
    ended: Option<Result<()>>,
    pending: VecDeque<Command>,
}

impl<'a> Talk<'a> {
    /// Begins it.
    ///
    /// # Errors
    /// The operating system gives no random bytes.
    pub(crate) fn begin<L: Link + 'a>(link: L, token: String, clock: &Clock) -> Result<Self> {
        let (Session { input, events }, driver) = Session::start(link, token, clock.clone())?;
        Ok(Self {
            input,
            events,
            driver: Box::pin(driver),
            clock: clock.clone(),
            ended: None,
            pending: VecDeque::new(),
        })
    }

    /// Whether what was handed over is on its way: a producer waits otherwise.
    pub(crate) fn has_room(&self) -> bool {
        self.pending.is_empty()
    }

    /// Sends something after everything else.
    pub(crate) fn send(&mut self, command: Command) {
        self.pending.push_back(command);
    }

    /// Forgets what has not been sent yet.
    pub(crate) fn forget_pending(&mut self) {
        self.pending.clear();
    }

    /// What happens next. Nothing is lost when the future is dropped.
    pub(crate) async fn turn(&mut self) -> Turn {
        loop {
            tokio::select! {
                biased;
                event = self.events.recv() => match event {
                    Some(event) => return Turn::Event(event),
                    None => return Turn::Over(match self.ended.take() {
                        Some(ended) => ended,
                        None => (&mut self.driver).await,
                    }),
                },
                ended = &mut self.driver, if self.ended.is_none() => self.ended = Some(ended),
                permit = self.input.reserve(), if !self.pending.is_empty() => {
                    if let (Ok(permit), Some(command)) = (permit, self.pending.pop_front()) {
                        permit.send(command);
                    } else {
                        self.pending.clear();
                    }
                    if self.pending.is_empty() {
                        return Turn::Sent;
                    }
                }
            }
        }
    }

    /// Ends the session from this side, and lets what was sent arrive.
    pub(crate) async fn terminate(mut self) {
        self.pending.clear();
        self.send(Command::Flag(Flag::TerminateSession));
        self.leave().await;
    }

    /// Lets what was sent arrive, and closes the connection.
    pub(crate) async fn leave(self) {
        let Self {
            input,
            mut events,
            mut driver,
            clock,
            ended,
            pending,
        } = self;
        if ended.is_some() {
            return;
        }
        let send = async {
            for command in pending {
                if input.send(command).await.is_err() {
                    break;
                }
            }
            drop(input);
            // Events that come in the meantime have no reader.
            while events.recv().await.is_some() {}
            std::future::pending::<()>().await;
        };
        let patience = clock.from_real(LEAVING);
        tokio::select! {
            _ = &mut driver => {}
            () = send => {}
            () = clock.sleep(patience) => {}
        }
    }
}
