//! Answers that go on after they have begun: what keeps them going, and the messages that follow.

use bytes::Bytes;

use super::event_stream;
use crate::service::logs;
use crate::world::World;

/// Tells, as an extension of a response, that its body goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    pub(crate) session: String,
}

/// What follows in a body.
#[derive(Debug)]
pub(crate) enum LiveFrame {
    Message(Bytes),
    /// The last one.
    Last(Bytes),
    End,
    /// The connection breaks.
    Cut,
}

impl World {
    /// The next message of a session, in whichever region it was begun.
    pub(crate) fn live_frame(&mut self, session: &str) -> LiveFrame {
        let now = self.now;
        let mut next = logs::next_update(self, session);
        if next.is_none() {
            next = self.gateway.elsewhere.values_mut().find_map(|world| {
                world.advance(now);
                logs::next_update(world, session)
            });
        }
        match next {
            Some(logs::Next::Update(update)) => {
                LiveFrame::Message(event_stream::event("sessionUpdate", &update).into())
            }
            Some(logs::Next::Over(name, members)) => {
                LiveFrame::Last(event_stream::exception(name, &members).into())
            }
            Some(logs::Next::Cut) => LiveFrame::Cut,
            None => LiveFrame::End,
        }
    }

    /// The client has closed the stream of a session.
    pub(crate) fn end_live(&mut self, session: &str) {
        logs::end_session(self, session);
        for world in self.gateway.elsewhere.values_mut() {
            logs::end_session(world, session);
        }
    }

    /// Every stream that is open loses its connection, as when a network goes away.
    pub fn cut_streams(&mut self) {
        logs::cut_sessions(self);
    }
}
