//! Bytes from a client until they make whole frames.
//!
//! The socket is read into a buffer of the thread. Whole frames are handled
//! right there; only the piece of a frame that is left is kept with the
//! connection, so that an idle one holds no buffer.

use std::cell::RefCell;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead as _, ReadBuf};
use tokio::net::tcp::OwnedReadHalf;

/// Bytes asked for in one read.
const CHUNK: usize = 64 * 1024;

thread_local! {
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; CHUNK]);
}

/// What one read brought.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// Bytes were handled.
    Handled,
    /// The client is gone.
    End,
}

/// Reads once and hands all unhandled bytes to `handle`, which says how many
/// of them it consumed. What it leaves is kept in `rest` for the next time.
///
/// A read that does not fill the buffer tells that the socket is empty, so
/// the next call waits without asking the system.
pub(super) fn poll_read<E>(
    reader: &mut OwnedReadHalf,
    cx: &mut Context<'_>,
    rest: &mut Vec<u8>,
    handle: impl FnOnce(&[u8]) -> Result<usize, E>,
) -> Poll<Result<Input, E>> {
    SCRATCH.with_borrow_mut(|scratch| {
        let mut buffer = ReadBuf::new(scratch);
        match Pin::new(reader).poll_read(cx, &mut buffer) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Err(_)) => return Poll::Ready(Ok(Input::End)),
            Poll::Ready(Ok(())) => {}
        }
        Poll::Ready(match buffer.filled() {
            [] => Ok(Input::End),
            fresh => consume(rest, fresh, handle).map(|()| Input::Handled),
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
