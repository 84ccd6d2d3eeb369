//! Ensembles of real server processes on this machine, whatever the kinds of the servers.
//!
//! Configuration, processes, signals and four-letter words are here; what clients do and what
//! is concluded is the business of the commands that use it. It knows no client protocol.

mod children;
mod group;
mod member;
mod network;
mod ports;
mod program;
mod server;
mod words;

pub(crate) use children::end_with_this_program;
pub(crate) use group::{Ensemble, Roles};
pub(crate) use member::{Form, ServerId, Settings};
pub(crate) use network::{Cut, Networks, require as require_networks};
pub(crate) use program::{Kind, LogLevel, Program, Programs};
pub(crate) use server::Output;
#[cfg(test)]
pub(crate) use words::{Mode, Status};
pub(crate) use words::{digests, monitor};
