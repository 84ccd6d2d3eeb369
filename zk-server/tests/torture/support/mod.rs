//! What the parts share: clients that survive their server, servers that can
//! be killed, trees that can be compared.

pub(crate) mod apache;
pub(crate) mod client;
pub(crate) mod fixtures;
pub(crate) mod memory;
pub(crate) mod process;
pub(crate) mod rng;
pub(crate) mod tree;
pub(crate) mod writer;
