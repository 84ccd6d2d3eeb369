//! What the tests share: a client that shows every frame, and servers.

pub(crate) mod ensemble;
pub(crate) mod local;
pub(crate) mod requests;
pub(crate) mod wire;
