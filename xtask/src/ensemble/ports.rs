//! Ports for servers that do not listen on all of theirs all the time.
//!
//! A follower of Apache's does not listen on its quorum port, and a killed server on none, so
//! that a port is free now says little. Ports are given out in blocks: whoever listens on the
//! first port of a block, which no server is given, has the others.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, Result};

/// The blocks are below the ports that the kernel gives to outgoing connections: one of those
/// could take the port of a server between two of its starts.
const LOWEST: u16 = 10_000;
const BLOCKS: u16 = 340;

/// Ports of a block, the first included.
const BLOCK: u16 = 64;

/// The first ports of the blocks that this program has, to its end.
static HELD: Mutex<Vec<TcpListener>> = Mutex::new(Vec::new());

/// Ports on loopback that no other caller is given, in this program or another.
pub(super) fn reserve(count: usize) -> Result<Vec<u16>> {
    let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    let mut ports = Vec::new();
    for first in (0..BLOCKS).map(|block| LOWEST + block * BLOCK) {
        if ports.len() >= count {
            break;
        }
        let Some(listener) = listen(first) else {
            continue;
        };
        held.push(listener);
        let others = first + 1..first + BLOCK;
        ports.extend(others.filter(|port| listen(*port).is_some()));
    }
    if ports.len() < count {
        return Err(Error::wrong("too few free ports"));
    }
    ports.truncate(count);
    Ok(ports)
}

fn listen(port: u16) -> Option<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_given_once() {
        let all = [reserve(9), reserve(70), reserve(9)].map(Result::unwrap);
        let mut all = all.concat();
        assert_eq!(all.len(), 88);
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 88);
    }
}
