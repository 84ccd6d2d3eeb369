//! The server from the outside: over sockets, files and signals.

mod config;
mod ensemble;
mod four_letter;
mod limits;
mod oddities;
mod standalone;
mod support;
