//! One TCP connection, frame by frame. Unlike a client it does not mind what
//! the server does: a close is a result.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

/// Longer than any answer takes.
const TIMEOUT: Duration = Duration::from_secs(20);

/// What came next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Incoming {
    /// A frame's payload.
    Frame(Vec<u8>),
    /// The server closed.
    Closed,
    /// Nothing, for too long.
    Silence,
}

/// A connection.
#[derive(Debug)]
pub(crate) struct Link {
    stream: TcpStream,
    buffer: Vec<u8>,
    at: usize,
}

impl Link {
    pub(crate) fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the server accepts");
        stream.set_read_timeout(Some(TIMEOUT)).expect("a timeout");
        stream.set_write_timeout(Some(TIMEOUT)).expect("a timeout");
        stream.set_nodelay(true).expect("no delay");
        Self {
            stream,
            buffer: Vec::new(),
            at: 0,
        }
    }

    /// Sends bytes; a server that has closed need not take them.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Sends a payload as a frame.
    pub(crate) fn send_frame(&mut self, payload: &[u8]) {
        self.send(&framed(payload));
    }

    /// Says that nothing more will come.
    pub(crate) fn end(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    pub(crate) fn next(&mut self) -> Incoming {
        loop {
            if let Some(frame) = self.buffered() {
                return Incoming::Frame(frame);
            }
            if let Err(ending) = self.fill() {
                return ending;
            }
        }
    }

    /// Everything until the server closes.
    pub(crate) fn rest(&mut self) -> Result<Vec<u8>, Incoming> {
        loop {
            match self.fill() {
                Ok(()) => {}
                Err(Incoming::Closed) => return Ok(self.buffer.split_off(self.at)),
                Err(other) => return Err(other),
            }
        }
    }

    fn buffered(&mut self) -> Option<Vec<u8>> {
        let ahead = &self.buffer[self.at..];
        let length = i32::from_be_bytes(*ahead.first_chunk::<4>()?);
        let length = usize::try_from(length).expect("servers send lengths");
        let frame = ahead.get(4..4 + length)?.to_vec();
        self.at += 4 + length;
        if self.at == self.buffer.len() {
            self.buffer.clear();
            self.at = 0;
        }
        Some(frame)
    }

    fn fill(&mut self) -> Result<(), Incoming> {
        let mut chunk = [0; 16 * 1024];
        match self.stream.read(&mut chunk) {
            Ok(0) => Err(Incoming::Closed),
            Ok(count) => {
                self.buffer.extend_from_slice(&chunk[..count]);
                Ok(())
            }
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut => Err(Incoming::Silence),
                _ => Err(Incoming::Closed),
            },
        }
    }
}

/// A payload behind its length.
pub(crate) fn framed(payload: &[u8]) -> Vec<u8> {
    let length = i32::try_from(payload.len()).expect("a frame's length");
    let mut bytes = length.to_be_bytes().to_vec();
    bytes.extend_from_slice(payload);
    bytes
}

/// The whole answer to a four-letter word.
pub(crate) fn four_letter_word(address: SocketAddr, word: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(TIMEOUT)).ok()?;
    stream.write_all(word.as_bytes()).ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    Some(text)
}
