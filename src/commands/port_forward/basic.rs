//! One connection at a time, as old agents forward them.

use tokio::sync::mpsc;

use super::connection::{Connection, Said};
use super::listen::Listener;
use super::session::{Ended, Forward};
use crate::process::Signals;
use crate::session::{Command, Event, Flag, Talk, Turn};

pub(super) async fn serve(
    forward: &Forward<'_>,
    listener: &Listener,
    talk: &mut Talk<'_>,
    signals: &mut Signals,
) -> Ended {
    let mut connection: Option<Connection> = None;
    let mut number = 0;
    // A server that speaks first does so before there is a client to hear it.
    let mut early = Vec::new();
    let (said, mut sayings) = mpsc::channel(16);
    loop {
        let room = talk.has_room();
        tokio::select! {
            biased;
            () = signals.or_cancelled(&forward.ctx.cancel) => return Ended::Interrupted,
            turn = talk.turn() => match turn {
                Turn::Event(Event::Output(bytes)) => match &connection {
                    Some(open) => {
                        let taken = open.send(bytes, &forward.ctx.clock).await;
                        if !taken {
                            connection = None;
                            talk.send(Command::Flag(Flag::DisconnectToPort));
                        }
                    }
                    None if number == 0 => early.extend(bytes),
                    // The rest of what the last connection was sent.
                    None => {}
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
                Some(Said::Data(id, bytes)) if id == number => talk.send(Command::Data(bytes)),
                Some(Said::Finished(id)) if id == number && connection.is_some() => {
                    connection = None;
                    talk.send(Command::Flag(Flag::DisconnectToPort));
                }
                _ => {}
            },
            accepted = listener.accept(), if room && connection.is_none() => match accepted {
                Ok(stream) => {
                    number += 1;
                    let open = Connection::carry(stream, number, said.clone());
                    if !early.is_empty() {
                        // Nothing has been queued for it yet.
                        open.send(std::mem::take(&mut early), &forward.ctx.clock).await;
                    }
                    connection = Some(open);
                }
                Err(error) => forward.ctx.ui.warn(&format!("failed to take a connection: {error}")),
            },
        }
    }
}
