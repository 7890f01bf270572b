//! Many connections through one session.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::mpsc;

use super::connection::{Connection, Said};
use super::listen::Listener;
use super::session::{Ended, Forward};
use crate::error::{CtlError, ErrorKind};
use crate::process::Signals;
use crate::session::mux::{Incoming, Mux};
use crate::session::{Command, Event, Talk, Turn};

/// How often an old agent's multiplexer wants to hear something (`KeepAliveInterval` of its library).
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// How often the operating system is asked again for a connection it could not give.
const AGAIN: Duration = Duration::from_millis(250);

pub(super) async fn serve(
    forward: &Forward<'_>,
    listener: &Listener,
    talk: &mut Talk<'_>,
    signals: &mut Signals,
    keep_alive: bool,
) -> Ended {
    let clock = &forward.ctx.clock;
    let mut mux = Mux::new();
    let mut connections: BTreeMap<u32, Connection> = BTreeMap::new();
    let (said, mut sayings) = mpsc::channel(16);
    loop {
        let outgoing = mux.take_outgoing();
        if !outgoing.is_empty() {
            talk.send(Command::Data(outgoing));
        }
        let room = talk.has_room();
        tokio::select! {
            biased;
            () = signals.or_cancelled(&forward.ctx.cancel) => return Ended::Interrupted,
            turn = talk.turn() => match turn {
                Turn::Event(Event::Output(bytes)) => match mux.receive(&bytes) {
                    Ok(incoming) => {
                        for incoming in incoming {
                            take(forward, incoming, &mut mux, &mut connections).await;
                        }
                    }
                    Err(error) => {
                        let failed = forward.failed("the two ends do not understand each other");
                        return Ended::Over(CtlError::new(ErrorKind::Unexpected, failed).source(&error));
                    }
                },
                Turn::Event(event) => {
                    if let Some(error) = forward.ends(&event) {
                        return Ended::Over(error);
                    }
                }
                Turn::Sent => {}
                Turn::Over(over) => return Ended::Over(forward.over(over)),
            },
            said = sayings.recv(), if room => match said {
                Some(Said::Data(id, bytes)) => mux.send(id, &bytes),
                Some(Said::Finished(id)) => mux.finish(id),
                None => {}
            },
            accepted = listener.accept(), if room => match accepted {
                Ok(stream) => match mux.open() {
                    Some(id) => {
                        connections.insert(id, Connection::carry(stream, id, said.clone()));
                    }
                    None => {
                        let failed = forward.failed("this session has carried all the connections that it can");
                        return Ended::Over(CtlError::new(ErrorKind::Failed, failed).hint("run the command again"));
                    }
                },
                Err(error) => {
                    forward.ctx.ui.warn(&format!("failed to take a connection: {error}"));
                    clock.sleep(clock.from_real(AGAIN)).await;
                }
            },
            () = clock.sleep(clock.from_real(KEEP_ALIVE)), if keep_alive => mux.keep_alive(),
        }
    }
}

async fn take(
    forward: &Forward<'_>,
    incoming: Incoming,
    mux: &mut Mux,
    connections: &mut BTreeMap<u32, Connection>,
) {
    match incoming {
        Incoming::Data(id, bytes) => {
            let taken = match connections.get(&id) {
                Some(connection) => connection.send(bytes, &forward.ctx.clock).await,
                None => false,
            };
            if !taken {
                connections.remove(&id);
                mux.finish(id);
            }
        }
        Incoming::Finished(id) => {
            if let Some(connection) = connections.remove(&id) {
                connection.finish();
            }
            mux.finish(id);
        }
    }
}
