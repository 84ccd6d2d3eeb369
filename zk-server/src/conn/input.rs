//! Bytes from a client until they make whole frames.
//!
//! The socket is read into a buffer of the thread. Whole frames are handled
//! right there; only the piece of a frame that is left is kept with the
//! connection, so that an idle one holds no buffer.

use std::cell::RefCell;
use std::io;
use tokio::net::TcpStream;

/// Bytes asked for in one read.
const CHUNK: usize = 64 * 1024;

thread_local! {
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; CHUNK]);
}

/// What one read brought.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// Bytes were handled; whether the socket may hold more right now.
    Handled { more: bool },
    /// Nothing to read.
    Blocked,
    /// The client is gone.
    End,
}

/// Reads once and hands all unhandled bytes to `handle`, which says how many
/// of them it consumed. What it leaves is kept in `rest` for the next time.
pub(super) fn read<E>(
    stream: &TcpStream,
    rest: &mut Vec<u8>,
    handle: impl FnOnce(&[u8]) -> Result<usize, E>,
) -> Result<Input, E> {
    SCRATCH.with_borrow_mut(|scratch| {
        let count = match stream.try_read(scratch) {
            Ok(0) => return Ok(Input::End),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Input::Blocked),
            Err(_) => return Ok(Input::End),
        };
        consume(rest, &scratch[..count], handle)?;
        Ok(Input::Handled {
            more: count == CHUNK,
        })
    })
}

fn consume<E>(
    rest: &mut Vec<u8>,
    fresh: &[u8],
    handle: impl FnOnce(&[u8]) -> Result<usize, E>,
) -> Result<(), E> {
    if rest.is_empty() {
        let consumed = handle(fresh)?;
        rest.extend_from_slice(&fresh[consumed..]);
        return Ok(());
    }
    rest.extend_from_slice(fresh);
    let consumed = handle(rest)?;
    rest.drain(..consumed);
    if rest.is_empty() {
        *rest = Vec::new();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole_pairs(bytes: &[u8]) -> Result<usize, ()> {
        Ok(bytes.len() / 2 * 2)
    }

    #[test]
    fn a_piece_is_kept_until_the_rest_comes() {
        let mut rest = Vec::new();
        consume(&mut rest, b"abc", whole_pairs).unwrap();
        assert_eq!(rest, b"c");
        consume(&mut rest, b"", whole_pairs).unwrap();
        assert_eq!(rest, b"c");
        consume(&mut rest, b"d", whole_pairs).unwrap();
        assert_eq!((rest.len(), rest.capacity()), (0, 0));
    }
}
