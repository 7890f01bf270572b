//! Many connections in one stream of bytes: version 1 of the protocol of the Go library `smux`, which both public ends use
//! (`frame.go`, `session.go` and `mux.go` of github.com/xtaci/smux). No input, no output.
//!
//! A frame is version, command, length (2 bytes) and stream (4 bytes), numbers little-endian, and then data.

use std::collections::{BTreeMap, VecDeque};

const VERSION: u8 = 1;
const HEADER: usize = 8;
/// `MaxFrameSize` of the library's default configuration.
const LARGEST_DATA: usize = 32_768;

/// What a frame says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Frame {
    /// A stream begins.
    Open = 0,
    /// The sender will send no more on a stream.
    Finish = 1,
    Data = 2,
    /// Still there.
    Nothing = 3,
}

/// The number of a stream: those of the client are odd.
pub(crate) type StreamId = u32;

/// What came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Incoming {
    Data(StreamId, Vec<u8>),
    /// The other end sends no more on this stream.
    Finished(StreamId),
}

/// The bytes are not of this protocol.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the agent's multiplexer says something that is not of its protocol: {0}")]
pub(crate) struct Confused(String);

/// Which ways of a stream are still open.
#[derive(Clone, Copy, Debug)]
struct Open {
    ours: bool,
    theirs: bool,
}

/// The client's end.
#[derive(Debug)]
pub(crate) struct Mux {
    last: StreamId,
    open: BTreeMap<StreamId, Open>,
    partial: Vec<u8>,
    outgoing: VecDeque<u8>,
}

impl Mux {
    pub(crate) fn new() -> Self {
        // The library leaves number 1 out.
        Self {
            last: 1,
            open: BTreeMap::new(),
            partial: Vec::new(),
            outgoing: VecDeque::new(),
        }
    }

    /// Bytes to send to the agent.
    pub(crate) fn take_outgoing(&mut self) -> Vec<u8> {
        self.outgoing.drain(..).collect()
    }

    /// Begins a stream; `None` when all numbers are used up.
    pub(crate) fn open(&mut self) -> Option<StreamId> {
        self.last = self.last.checked_add(2)?;
        self.open.insert(
            self.last,
            Open {
                ours: true,
                theirs: true,
            },
        );
        self.write(Frame::Open, self.last, &[]);
        Some(self.last)
    }

    /// Sends data on a stream. On one that is finished it goes nowhere.
    pub(crate) fn send(&mut self, stream: StreamId, data: &[u8]) {
        if self.open.get(&stream).is_some_and(|open| open.ours) {
            for chunk in data.chunks(LARGEST_DATA) {
                self.write(Frame::Data, stream, chunk);
            }
        }
    }

    /// Ends our way of a stream. The other end takes it for the end of both, and sends what it has left.
    pub(crate) fn finish(&mut self, stream: StreamId) {
        if let Some(open) = self.open.get_mut(&stream)
            && std::mem::take(&mut open.ours)
        {
            self.write(Frame::Finish, stream, &[]);
        }
        self.forget_if_done(stream);
    }

    /// Says that this end is still there.
    pub(crate) fn keep_alive(&mut self) {
        self.write(Frame::Nothing, 0, &[]);
    }

    fn forget_if_done(&mut self, stream: StreamId) {
        if self
            .open
            .get(&stream)
            .is_some_and(|open| !open.ours && !open.theirs)
        {
            self.open.remove(&stream);
        }
    }

    fn write(&mut self, frame: Frame, stream: StreamId, data: &[u8]) {
        self.outgoing.extend([VERSION, frame as u8]);
        self.outgoing.extend((data.len() as u16).to_le_bytes());
        self.outgoing.extend(stream.to_le_bytes());
        self.outgoing.extend(data);
    }

    /// Takes bytes of the agent in, wherever they were cut.
    ///
    /// # Errors
    /// Bytes that are not of this protocol: nothing that follows can be understood.
    pub(crate) fn receive(&mut self, bytes: &[u8]) -> Result<Vec<Incoming>, Confused> {
        self.partial.extend(bytes);
        let mut found = Vec::new();
        let mut rest = self.partial.as_slice();
        while let Some((header, behind)) = rest.split_first_chunk::<HEADER>() {
            let [version, command, low, high, stream @ ..] = *header;
            let stream = StreamId::from_le_bytes(stream);
            if version != VERSION {
                return Err(Confused(format!("version {version}")));
            }
            // Only data has a length that counts: the library reads none behind the other frames.
            let length = usize::from(u16::from_le_bytes([low, high]));
            match command {
                open if open == Frame::Open as u8 => {
                    return Err(Confused("it opens a stream to the client".to_owned()));
                }
                nothing if nothing == Frame::Nothing as u8 => rest = behind,
                finish if finish == Frame::Finish as u8 => {
                    if let Some(open) = self.open.get_mut(&stream)
                        && std::mem::take(&mut open.theirs)
                    {
                        found.push(Incoming::Finished(stream));
                    }
                    rest = behind;
                }
                data if data == Frame::Data as u8 => {
                    let Some((data, behind)) = behind.split_at_checked(length) else {
                        break;
                    };
                    // Data of a stream that is forgotten was under way when it ended.
                    if length > 0 && self.open.get(&stream).is_some_and(|open| open.theirs) {
                        found.push(Incoming::Data(stream, data.to_vec()));
                    }
                    rest = behind;
                }
                other => return Err(Confused(format!("command {other}"))),
            }
        }
        self.partial = rest.to_vec();
        for incoming in &found {
            if let Incoming::Finished(stream) = incoming {
                self.forget_if_done(*stream);
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn streams_are_written_as_the_library_writes_them() {
        let mut mux = Mux::new();
        let stream = mux.open().unwrap();
        assert_eq!(stream, 3);
        mux.send(stream, b"GET");
        mux.finish(stream);
        mux.finish(stream);
        mux.send(stream, b"late");
        mux.keep_alive();
        let expected = [
            [1, 0, 0, 0, 3, 0, 0, 0].as_slice(),
            &[1, 2, 3, 0, 3, 0, 0, 0, b'G', b'E', b'T'],
            &[1, 1, 0, 0, 3, 0, 0, 0],
            &[1, 3, 0, 0, 0, 0, 0, 0],
        ]
        .concat();
        assert_eq!(mux.take_outgoing(), expected);
        assert_eq!(mux.open(), Some(5));
    }

    #[test]
    fn data_is_told_apart_by_stream_and_ends_once() {
        let mut mux = Mux::new();
        let (one, two) = (mux.open().unwrap(), mux.open().unwrap());
        let bytes = [
            [1, 2, 1, 0, 5, 0, 0, 0, b'b'].as_slice(),
            &[1, 3, 0, 0, 0, 0, 0, 0],
            &[1, 2, 1, 0, 3, 0, 0, 0, b'a'],
            &[1, 1, 0, 0, 3, 0, 0, 0],
            &[1, 1, 0, 0, 3, 0, 0, 0],
            &[1, 2, 1, 0, 3, 0, 0, 0, b'x'],
            &[1, 2, 1, 0, 99, 0, 0, 0, b'y'],
        ]
        .concat();
        assert_eq!(
            mux.receive(&bytes).unwrap(),
            [
                Incoming::Data(two, b"b".to_vec()),
                Incoming::Data(one, b"a".to_vec()),
                Incoming::Finished(one)
            ]
        );
        mux.finish(one);
        assert_eq!(mux.open.len(), 1);
    }

    #[test]
    fn another_protocol_is_an_error_and_not_data() {
        assert!(Mux::new().receive(b"HTTP/1.1 200 OK").is_err());
        assert!(Mux::new().receive(&[1, 4, 0, 0, 3, 0, 0, 0]).is_err());
        assert!(Mux::new().receive(&[1, 0, 0, 0, 2, 0, 0, 0]).is_err());
    }

    proptest! {
        #[test]
        fn it_does_not_matter_where_the_bytes_are_cut(data in proptest::collection::vec(any::<u8>(), 1..300), cut in 1_usize..9) {
            let mut mux = Mux::new();
            let stream = mux.open().unwrap();
            let mut bytes = vec![1, 2];
            bytes.extend((data.len() as u16).to_le_bytes());
            bytes.extend(stream.to_le_bytes());
            bytes.extend(&data);
            bytes.extend([1, 1, 0, 0, 3, 0, 0, 0]);
            let mut found = Vec::new();
            for piece in bytes.chunks(cut) {
                found.extend(mux.receive(piece).unwrap());
            }
            prop_assert_eq!(found, [Incoming::Data(stream, data), Incoming::Finished(stream)]);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let mut mux = Mux::new();
            mux.open();
            let _ = mux.receive(&bytes);
        }
    }
}
