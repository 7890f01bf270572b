//! The body of an answer that goes on: a message at once, and one each second of the account's time.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame};

use super::clock::pause;
use crate::sandbox::Sandbox;
use crate::wire::{Live, LiveFrame};

/// How often a session hears of what has arrived (API Reference, StartLiveTail).
const EVERY: Duration = Duration::from_secs(1);

/// However fast the account's time passes, the machine gets no more messages than this.
const AT_MOST_EVERY: Duration = Duration::from_millis(20);

/// The messages of one session. It ends when this goes.
pub(crate) struct LiveBody {
    sandbox: Sandbox,
    session: String,
    /// What was answered at once.
    first: Option<Bytes>,
    pause: Pin<Box<dyn Future<Output = ()> + Send + Sync>>,
    over: bool,
}

impl LiveBody {
    pub(crate) fn new(sandbox: &Sandbox, live: Live, first: Bytes) -> Self {
        Self {
            pause: Box::pin(pause(every(sandbox))),
            sandbox: sandbox.clone(),
            session: live.session,
            first: Some(first),
            over: false,
        }
    }
}

fn every(sandbox: &Sandbox) -> Duration {
    let speed = sandbox.pace().speed();
    if speed > 0.0 {
        EVERY.div_f64(speed).max(AT_MOST_EVERY)
    } else {
        EVERY
    }
}

impl Body for LiveBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        if self.over {
            return Poll::Ready(None);
        }
        ready!(self.pause.as_mut().poll(context));
        self.pause = Box::pin(pause(every(&self.sandbox)));
        let frame = self.sandbox.with_world(|world| world.live_frame(&self.session));
        self.over = !matches!(frame, LiveFrame::Message(_));
        Poll::Ready(match frame {
            LiveFrame::Message(message) | LiveFrame::Last(message) => Some(Ok(Frame::data(message))),
            LiveFrame::End => None,
            LiveFrame::Cut => Some(Err(io::Error::new(
                io::ErrorKind::ConnectionReset,
                "connection reset by peer",
            ))),
        })
    }
}

impl Drop for LiveBody {
    fn drop(&mut self) {
        let session = std::mem::take(&mut self.session);
        self.sandbox.with_world(|world| world.end_live(&session));
    }
}
