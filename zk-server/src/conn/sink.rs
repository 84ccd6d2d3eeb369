//! Where a connection's bytes go: a socket, or memory when nobody is behind
//! it but a simulator.

use parking_lot::Mutex;
use std::io;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;

/// Takes bytes without waiting.
pub(crate) trait TryWrite {
    /// How many bytes it took; `WouldBlock` when it takes none now.
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize>;
}

impl TryWrite for TcpStream {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        Self::try_write(self, bytes)
    }
}

/// The writing half of a client's connection.
#[derive(Debug)]
pub(crate) enum Sink {
    Socket(OwnedWriteHalf),
    Memory(Mutex<Vec<u8>>),
}

impl Sink {
    /// The socket; none in memory.
    pub(crate) fn stream(&self) -> Option<&TcpStream> {
        match self {
            Self::Socket(half) => Some(half.as_ref()),
            Self::Memory(_) => None,
        }
    }

    /// What was written into memory since the last time.
    pub(crate) fn take(&self) -> Vec<u8> {
        match self {
            Self::Socket(_) => Vec::new(),
            Self::Memory(bytes) => std::mem::take(&mut *bytes.lock()),
        }
    }
}

impl TryWrite for Sink {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Socket(half) => half.as_ref().try_write(bytes),
            Self::Memory(written) => {
                written.lock().extend_from_slice(bytes);
                Ok(bytes.len())
            }
        }
    }
}
