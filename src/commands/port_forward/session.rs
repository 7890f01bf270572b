//! A session that forwards a port: opened, served, ended.

use std::time::Duration;

use super::listen::Listener;
use super::{basic, multiplexed};
use crate::aws::sessions::StartSession;
use crate::change::{Attendance, Attended, Call as _, Proposed, SessionArgs, attend};
use crate::commands::exec::open::{SessionLink, demanded, give_up, open, while_it_goes_on};
use crate::commands::exec::place::Place;
use crate::context::Ctx;
use crate::error::{CommandLine, CtlError, ErrorKind, Result};
use crate::exit::ExitStatus;
use crate::process::Signals;
use crate::session::{Event, Flag, PortForwarding, Talk, Turn};

/// How long the agent may take to begin.
const BEGINS: Duration = Duration::from_secs(60);

/// A port to forward.
pub(crate) struct Forward<'a> {
    pub(crate) ctx: &'a Ctx,
    pub(crate) verb: &'static str,
    pub(crate) title: String,
    /// For messages: "port 80 of task 0af…".
    pub(crate) remote: String,
    pub(crate) place: Place,
    pub(crate) call: StartSession,
}

/// How serving came to its end.
pub(super) enum Ended {
    /// The operator ended it.
    Interrupted,
    /// The other side did.
    Over(CtlError),
}

impl<'a> Forward<'a> {
    /// Gets the session approved; a status when nothing is to be opened.
    ///
    /// # Errors
    /// Those of [`attend`].
    pub(crate) async fn approved(
        self,
        args: &SessionArgs,
    ) -> Result<Result<(Self, Box<Attended<'a, Ctx>>), ExitStatus>> {
        let proposed = Proposed {
            verb: self.verb,
            title: self.title.clone(),
            place: self.place.told(),
            opens: self.call.described(),
            if_needed: while_it_goes_on(&self.place),
        };
        Ok(match attend(self.ctx, proposed, args).await? {
            Attendance::Finished(status) => Err(status),
            Attendance::Approved(attended) => Ok((self, attended)),
        })
    }

    /// Opens the session and carries connections until Ctrl-C or the end of the session. `ready` is called once
    /// connections are taken.
    ///
    /// # Errors
    /// What AWS refuses, or why the session ended.
    pub(crate) async fn serve(
        &self,
        attended: Box<Attended<'a, Ctx>>,
        listener: Listener,
        ready: &dyn Fn() -> Result<()>,
    ) -> Result<ExitStatus> {
        let result = self.served(&attended, listener, ready).await;
        let (told, status) = match &result {
            Ok(()) => (Ok("ended by the operator".to_owned()), ExitStatus::Done),
            Err(error) => (Err(error.clone()), error.exit_status()),
        };
        attended.end(&told, status).await;
        result.map(|()| ExitStatus::Done)
    }

    async fn served(
        &self,
        attended: &Attended<'a, Ctx>,
        listener: Listener,
        ready: &dyn Fn() -> Result<()>,
    ) -> Result<()> {
        let ctx = self.ctx;
        let mut signals = Signals::new();
        let opened = tokio::select! {
            biased;
            opened = open(ctx, attended, &self.place, &self.call) => opened?,
            () = signals.or_cancelled(&ctx.cancel) => return Err(super::interrupted()),
        };
        let (session, task) = (opened.id.clone(), self.place.task.id());
        let link = SessionLink {
            ctx,
            attended,
            session: opened.id,
            url: opened.url,
            task: task.to_owned(),
        };
        let mut talk = Talk::begin(link, opened.token.expose().to_owned(), &ctx.clock)?;
        let begun = tokio::select! {
            biased;
            begun = self.begins(&mut talk) => begun,
            () = signals.or_cancelled(&ctx.cancel) => Err(super::interrupted()),
            () = ctx.clock.sleep(ctx.clock.from_real(BEGINS)) => Err(CtlError::new(
                ErrorKind::Failed,
                self.failed(&format!("the agent did not begin within {} s", BEGINS.as_secs())),
            )),
        };
        let kind = match begun {
            Ok(kind) => kind,
            Err(error) => {
                // The agent hears of a refusal before the connection closes.
                talk.leave().await;
                give_up(ctx, attended, &session, task).await;
                return Err(error);
            }
        };
        ready()?;
        ctx.ui.status(&format!(
            "Carrying connections to {}; press Ctrl-C to end",
            self.remote
        ));
        let ended = match kind {
            PortForwarding::Multiplexed { keep_alive } => {
                multiplexed::serve(self, &listener, &mut talk, &mut signals, keep_alive).await
            }
            PortForwarding::Basic => {
                ctx.ui
                    .status("The agent in the task is an old one: one connection at a time");
                basic::serve(self, &listener, &mut talk, &mut signals).await
            }
        };
        match ended {
            Ended::Interrupted => {
                talk.terminate().await;
                Ok(())
            }
            Ended::Over(error) => {
                give_up(ctx, attended, &session, task).await;
                Err(error)
            }
        }
    }

    /// Waits for the end of the handshake; how the agent forwards follows from its version.
    async fn begins(&self, talk: &mut Talk<'_>) -> Result<PortForwarding> {
        let mut kind = PortForwarding::Basic;
        loop {
            match talk.turn().await {
                Turn::Event(Event::Handshake { agent_version, .. }) => {
                    kind = PortForwarding::of_agent(&agent_version);
                }
                Turn::Event(Event::Ready { .. }) => return Ok(kind),
                Turn::Event(Event::Refused(refusal)) => return Err(demanded(&refusal, &self.place)),
                Turn::Event(event) => {
                    if let Some(error) = self.ends(&event) {
                        return Err(error);
                    }
                }
                Turn::Sent => {}
                Turn::Over(over) => return Err(self.over(over)),
            }
        }
    }

    pub(super) fn failed(&self, what: &str) -> String {
        format!("forward {}: {what}", self.remote)
    }

    /// The error of an event that ends the session; a refused connection is only said.
    pub(super) fn ends(&self, event: &Event) -> Option<CtlError> {
        match event {
            Event::Closed { output } => {
                let error = CtlError::new(ErrorKind::Failed, self.failed("the session ended"));
                let error = if output.trim().is_empty() {
                    error
                } else {
                    error.cause(output.trim())
                };
                Some(error.hint((
                    "Systems Manager ends a session in which nothing happens for 20 minutes, and the task may have stopped:",
                    CommandLine::bpctl(["triage"]),
                )))
            }
            Event::Lost => Some(CtlError::new(
                ErrorKind::Unreachable,
                self.failed("the agent has not answered for five minutes"),
            )),
            Event::Flag(Flag::ConnectToPortError) => {
                self.ctx.ui.warn(&format!(
                    "a connection was refused at the other end: nothing answers at {}",
                    self.remote
                ));
                None
            }
            _ => None,
        }
    }

    pub(super) fn over(&self, over: Result<()>) -> CtlError {
        match over {
            Ok(()) => CtlError::new(ErrorKind::Failed, self.failed("the session ended")),
            Err(error) => error,
        }
    }
}
