//! What the suites share: servers as child processes, connections, chance.

pub(crate) mod environment;
pub(crate) mod link;
pub(crate) mod process;
pub(crate) mod rng;
pub(crate) mod session;
pub(crate) mod site;
pub(crate) mod twins;
