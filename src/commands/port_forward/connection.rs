//! One connection of a program on this machine: its bytes to the session, the session's bytes to it.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use crate::clock::Clock;

/// Bytes of one read.
const READ: usize = 16 * 1024;
/// Pieces that wait for a program that reads slowly.
const WAITING: usize = 1024;
/// How long a program may read nothing before its connection is given up: all connections share the session, and the
/// multiplexer's first version cannot hold back one alone.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a connection says.
#[derive(Debug)]
pub(super) enum Said {
    Data(u32, Vec<u8>),
    /// The program sends no more.
    Finished(u32),
}

/// The session's end of a connection.
pub(super) struct Connection {
    /// `None` is the end of what comes.
    towards: mpsc::Sender<Option<Vec<u8>>>,
}

impl Connection {
    /// Carries `stream` under the number `id`.
    pub(super) fn carry(stream: TcpStream, id: u32, said: mpsc::Sender<Said>) -> Self {
        let (towards, mut incoming) = mpsc::channel::<Option<Vec<u8>>>(WAITING);
        let (mut read, mut write) = stream.into_split();
        tokio::spawn(async move {
            let mut buffer = vec![0; READ];
            // A connection that breaks has nothing more to send either.
            while let Ok(length) = read.read(&mut buffer).await
                && length > 0
            {
                if said
                    .send(Said::Data(id, buffer[..length].to_vec()))
                    .await
                    .is_err()
                {
                    return;
                }
            }
            // The session's other end is gone when the session is over.
            let _ = said.send(Said::Finished(id)).await;
        });
        tokio::spawn(async move {
            while let Some(Some(bytes)) = incoming.recv().await {
                if write.write_all(&bytes).await.is_err() {
                    return;
                }
            }
            // The program may have gone.
            let _ = write.shutdown().await;
        });
        Self { towards }
    }

    /// Hands bytes to the program; `false` when it does not take them any more.
    pub(super) async fn send(&self, bytes: Vec<u8>, clock: &Clock) -> bool {
        let patience = clock.from_real(PATIENCE);
        tokio::select! {
            sent = self.towards.send(Some(bytes)) => sent.is_ok(),
            () = clock.sleep(patience) => false,
        }
    }

    /// Nothing more comes for the program.
    pub(super) fn finish(&self) {
        // A queue that is full ends when this value is dropped.
        let _ = self.towards.try_send(None);
    }
}
