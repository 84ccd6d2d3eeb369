//! What survives: processes killed, disks that fail, files that are damaged,
//! and directories that change hands between this server and Apache's.
//!
//! Every part that decides by chance prints its seed. What the environment
//! lacks is said by the part that is skipped for it.
#![allow(
    clippy::print_stdout,
    reason = "seeds, and what was skipped, are for who reads the test's output"
)]

mod damage;
mod faults;
mod fixtures;
mod fuzzy;
mod kill;
mod pingpong;
mod power;
mod support;
