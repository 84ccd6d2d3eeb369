//! The stage `dist`: what people are told to type works in an unpacked distribution.
//!
//! Needs the release programs, which `cargo xtask test` has built and names in the environment.

mod scripts;
mod seeds;
mod site;
mod terminal;
