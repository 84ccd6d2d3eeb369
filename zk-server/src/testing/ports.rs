//! Ports that nobody else takes. On Linux every ensemble has a loopback address
//! of its own: the system gives its ports to nobody else between the moment
//! when they are chosen and the moment when a server listens, nor while a
//! server is down.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

/// `count` addresses of free ports, all different.
pub(super) fn free(count: usize) -> io::Result<Vec<SocketAddr>> {
    let host = own_loopback();
    let held: Vec<TcpListener> = (0..count)
        .map(|_| TcpListener::bind((host, 0)))
        .collect::<io::Result<_>>()?;
    held.iter().map(TcpListener::local_addr).collect()
}

/// From the upper half of 127.0.0.0/8, which nobody uses by chance.
fn own_loopback() -> Ipv4Addr {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    if !cfg!(target_os = "linux") {
        return Ipv4Addr::LOCALHOST;
    }
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let [_, a, b, c] = (std::process::id().wrapping_mul(64).wrapping_add(count)).to_be_bytes();
    Ipv4Addr::new(127, a | 0x80, b, c)
}
