//! Servers of one ensemble and their clients, over real sockets and files.
//! What happens under loss, delay and crashes is the simulator's business.

mod elections;
mod histories;
#[cfg(target_os = "linux")]
mod masters;
mod modes;
mod observers;
mod serving;
mod sessions;
mod words;
