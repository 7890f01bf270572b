//! Drives a channel over a WebSocket: connects, connects again, writes, reads, keeps time.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::{Sink as _, SinkExt as _, Stream as _};
use serde::Serialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message as Frame};

use super::channel::{Channel, Event, Moment, json};
use super::content::{CLIENT_VERSION, Flag, OpenDataChannel, Payload};
use super::message::Uuid;
use crate::clock::Clock;
use crate::error::{CtlError, ErrorKind, Result};

/// Attempts to connect, and the pauses between them (`DataChannelNumMaxRetries` and its neighbours of the public client).
const ATTEMPTS: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How often the connection is kept alive (`PingTimeInterval` of the public client).
const PING: Duration = Duration::from_secs(5 * 60);
/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(15);
/// How long the last words may take to arrive.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// Events that wait for their reader before the connection is no longer read.
const BACKLOG: usize = 64;
/// The largest frame that is accepted.
const LARGEST_FRAME: usize = 1 << 20;

/// How the service that carries a session is reached.
pub(crate) trait Link {
    /// A connection.
    type Stream: AsyncRead + AsyncWrite + Unpin;

    /// The address of the session.
    fn url(&self) -> &str;

    /// Connects to the host of [`Self::url`].
    ///
    /// # Errors
    /// It cannot be reached.
    async fn connect(&self) -> Result<Self::Stream>;

    /// A token for another connection of the same session; `None` when the session is over.
    ///
    /// # Errors
    /// What AWS refuses.
    async fn resume(&self) -> Result<Option<String>>;
}

/// What is sent to the agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// For the program's terminal, or for the port.
    Data(Vec<u8>),
    /// The terminal has that size.
    Size {
        cols: u16,
        rows: u16,
    },
    Flag(Flag),
}

/// The reader's and writer's end of a session.
pub(crate) struct Session {
    pub(crate) input: mpsc::Sender<Command>,
    pub(crate) events: mpsc::Receiver<Event>,
}

#[derive(Serialize)]
struct Size {
    cols: u16,
    rows: u16,
}

impl Session {
    /// A session, and the future that carries it. The future ends when the session is over, or when the last writer
    /// is gone and everything has arrived.
    pub(crate) fn start<L: Link>(
        link: L,
        token: String,
        clock: Clock,
    ) -> Result<(Self, impl Future<Output = Result<()>>)> {
        let random = |error: getrandom::Error| {
            CtlError::new(ErrorKind::Unexpected, "draw the id of the session").source(&error)
        };
        let client_id = Uuid::random().map_err(random)?;
        let channel = Channel::new(Uuid::random().map_err(random)?);
        let (input, commands) = mpsc::channel(1);
        let (told, events) = mpsc::channel(1);
        let driver = Driver {
            link,
            clock,
            client_id: client_id.to_string(),
            channel,
            began: Instant::now(),
            commands: Some(commands),
            told,
        };
        Ok((Self { input, events }, driver.run(token)))
    }
}

type Socket<S> = WebSocketStream<S>;

struct Driver<L: Link> {
    link: L,
    clock: Clock,
    client_id: String,
    channel: Channel,
    began: Instant,
    /// `None` once the last writer is gone.
    commands: Option<mpsc::Receiver<Command>>,
    told: mpsc::Sender<Event>,
}

impl<L: Link> Driver<L> {
    fn now(&self) -> Moment {
        Moment {
            elapsed: self.began.elapsed(),
            date: u64::try_from(self.clock.now().as_millisecond()).unwrap_or(1),
        }
    }

    async fn run(mut self, token: String) -> Result<()> {
        let mut socket = self.connect(Some(token)).await?;
        let mut next_ping = PING;
        let mut leave_by = None;
        let told = self.told.clone();
        loop {
            let elapsed = self.began.elapsed();
            if self.commands.is_none() {
                let by = *leave_by.get_or_insert(elapsed + LAST_WORDS);
                if (self.channel.is_drained() && self.channel.outbox.is_empty()) || elapsed >= by {
                    let _ = socket.close(None).await;
                    return Ok(());
                }
            }
            let due = [self.channel.due(), Some(next_ping), leave_by];
            let due = due.into_iter().flatten().min().unwrap_or(next_ping);
            let pause = self.clock.from_real(due.saturating_sub(elapsed));
            let reads = self.channel.events.len() < BACKLOG;
            let talks = !self.channel.is_over();
            let has_room = self.channel.has_room();
            let (outbox, events) = (&mut self.channel.outbox, &mut self.channel.events);
            tokio::select! {
                permit = told.reserve(), if !events.is_empty() => match (permit, events.pop_front()) {
                    (Ok(permit), Some(event)) => {
                        let over = matches!(event, Event::Closed { .. } | Event::Lost);
                        permit.send(event);
                        if over {
                            return Ok(());
                        }
                    }
                    // The reader is gone.
                    _ => events.clear(),
                },
                turn = turn(&mut socket, outbox, reads), if talks => match turn {
                    Ok(Turn::Read(bytes)) => {
                        let now = self.now();
                        self.channel.receive(&bytes, now);
                    }
                    Ok(Turn::Written) => {}
                    Err(error) => {
                        tracing::info!(%error, "the connection broke");
                        socket = self.connect(None).await?;
                        let now = self.now();
                        self.channel.reconnected(now);
                    }
                },
                command = next(&mut self.commands), if has_room => match command {
                    Some(command) => self.send(command),
                    None => self.commands = None,
                },
                () = self.clock.sleep(pause) => {
                    let now = self.now();
                    self.channel.tick(now);
                    if now.elapsed >= next_ping {
                        next_ping = now.elapsed + PING;
                        // A broken connection shows itself when it is read.
                        let _ = socket.feed(Frame::Ping("keepalive".into())).await;
                    }
                }
            }
        }
    }

    fn send(&mut self, command: Command) {
        let now = self.now();
        match command {
            Command::Data(bytes) => self.channel.send(Payload::Output, &bytes, now),
            Command::Size { cols, rows } => {
                self.channel.send(Payload::Size, &json(&Size { cols, rows }), now);
            }
            Command::Flag(flag) => self.channel.send(Payload::Flag, &flag.encode(), now),
        }
    }

    /// Connects and opens the channel, with a token that is there or with a new one.
    async fn connect(&mut self, mut token: Option<String>) -> Result<Socket<L::Stream>> {
        let mut pause = FIRST_PAUSE;
        let mut attempt = 1;
        loop {
            let known = match token.take() {
                Some(token) => token,
                None => match self.link.resume().await {
                    Ok(Some(token)) => token,
                    Ok(None) => {
                        return Err(CtlError::new(
                            ErrorKind::Failed,
                            "go on with the session: it is over by now",
                        ));
                    }
                    Err(error) => return Err(error.context("go on after the connection broke")),
                },
            };
            let within = self.clock.from_real(CONNECT);
            let connected = tokio::select! {
                connected = open(&self.link, &known, &self.client_id) => connected,
                () = self.clock.sleep(within) => Err(CtlError::new(
                    ErrorKind::Unreachable,
                    format!("connect to {}: no answer within {} s", host(self.link.url()), CONNECT.as_secs()),
                )),
            };
            match connected {
                Ok(socket) => return Ok(socket),
                Err(error) if attempt >= ATTEMPTS => return Err(error),
                Err(error) => tracing::info!(%error, attempt, "connecting again"),
            }
            self.clock.sleep(self.clock.from_real(pause)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            attempt += 1;
        }
    }
}

/// The next command; waits for ever once there is no writer, which is asked only once.
async fn next(commands: &mut Option<mpsc::Receiver<Command>>) -> Option<Command> {
    match commands {
        Some(commands) => commands.recv().await,
        None => std::future::pending().await,
    }
}

/// The host of an address, for messages: the rest of it is as good as a secret.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or(rest)
}

async fn open<L: Link>(link: &L, token: &str, client_id: &str) -> Result<Socket<L::Stream>> {
    let failed = |error: &SocketError| {
        CtlError::new(
            ErrorKind::Unreachable,
            format!("open the session at {}", host(link.url())),
        )
        .source(error)
    };
    let stream = link.connect().await?;
    let mut config = WebSocketConfig::default();
    config.max_message_size = Some(LARGEST_FRAME);
    config.max_frame_size = Some(LARGEST_FRAME);
    let connected = tokio_tungstenite::client_async_with_config(link.url(), stream, Some(config)).await;
    let (mut socket, _) = connected.map_err(|error| failed(&error))?;
    let request_id = Uuid::random()
        .map_err(|error| CtlError::new(ErrorKind::Unexpected, "draw the id of a request").source(&error))?;
    let request = OpenDataChannel {
        message_schema_version: "1.0",
        request_id: request_id.to_string(),
        token_value: token,
        client_id,
        client_version: CLIENT_VERSION,
    };
    let text = serde_json::to_string(&request)
        .map_err(|error| CtlError::new(ErrorKind::Unexpected, "open the session").source(&error))?;
    socket
        .send(Frame::text(text))
        .await
        .map_err(|error| failed(&error))?;
    Ok(socket)
}

/// What one look at the connection came to.
enum Turn {
    Read(Vec<u8>),
    /// Everything is written and nothing is to be read.
    Written,
}

/// Writes what there is to write and reads one message. Nothing is lost when the future is dropped.
async fn turn<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut Socket<S>,
    outbox: &mut VecDeque<Vec<u8>>,
    reads: bool,
) -> Result<Turn, SocketError> {
    std::future::poll_fn(|context| {
        let written = poll_write(socket, outbox, context)?;
        if reads && let Some(bytes) = ready_frame(socket, context)? {
            return Poll::Ready(Ok(Turn::Read(bytes)));
        }
        match written {
            Poll::Ready(true) => Poll::Ready(Ok(Turn::Written)),
            Poll::Ready(false) | Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Whether something was written, once all is.
fn poll_write<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut Socket<S>,
    outbox: &mut VecDeque<Vec<u8>>,
    context: &mut Context<'_>,
) -> Result<Poll<bool>, SocketError> {
    let mut socket = Pin::new(socket);
    let some = !outbox.is_empty();
    while !outbox.is_empty() {
        match socket.as_mut().poll_ready(context)? {
            Poll::Ready(()) => {
                if let Some(bytes) = outbox.pop_front() {
                    socket.as_mut().start_send(Frame::binary(bytes))?;
                }
            }
            Poll::Pending => return Ok(Poll::Pending),
        }
    }
    Ok(socket.as_mut().poll_flush(context)?.map(|()| some))
}

/// The next binary message, if it is there. Pings are answered by the library.
fn ready_frame<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut Socket<S>,
    context: &mut Context<'_>,
) -> Result<Option<Vec<u8>>, SocketError> {
    loop {
        match Pin::new(&mut *socket).poll_next(context) {
            Poll::Pending => return Ok(None),
            Poll::Ready(Some(Ok(Frame::Binary(bytes)))) => return Ok(Some(bytes.into())),
            Poll::Ready(Some(Ok(Frame::Close(_))) | None) => return Err(SocketError::ConnectionClosed),
            Poll::Ready(Some(Ok(_))) => {}
            Poll::Ready(Some(Err(error))) => return Err(error),
        }
    }
}
