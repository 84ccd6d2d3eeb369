//! The server from the outside: over sockets, files and signals.

mod config;
mod standalone;
mod support;
