//! The machines through their public face.

mod paper;
mod random;
mod scenarios;
mod support;
mod wire;
mod world;
