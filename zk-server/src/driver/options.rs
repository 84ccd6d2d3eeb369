//! What the network of a member is told at its start. It refuses to know the
//! keys of `zoo.cfg`.

use crate::config::Ensemble;
use std::time::Duration;
use zk_proto::ServerId;
use zk_proto::ensemble::EnsembleConfig;

/// What the network of a member is told at its start.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// This server.
    pub(crate) own: ServerId,
    /// All servers, this one too.
    pub(crate) members: EnsembleConfig,
    /// Whether the ports are open on every address of the machine.
    pub(crate) listen_on_all_ips: bool,
    /// Whether a server may have several addresses.
    pub(crate) many_addresses: bool,
    /// How long a name may take to resolve, a connection to open, and the
    /// opener to say who it is.
    pub(crate) connect_timeout: Duration,
    /// How often a port is tried, a second apart; 0: until it can be had.
    pub(crate) bind_tries: u32,
    /// Whether the system probes idle connections.
    pub(crate) keep_alive: bool,
    /// Where followers host observers, if they do.
    pub(crate) master_port: Option<u16>,
}

/// What a senseless `electionPortBindRetry` stands for.
const BIND_TRIES: u32 = 3;

/// What a `cnxTimeout` of 0 stands for: the system gives up by then.
const NO_TIMEOUT: Duration = Duration::from_secs(300);

impl Options {
    /// The options of a server as its configuration says.
    pub(crate) fn new(own: ServerId, ensemble: &Ensemble) -> Self {
        Self {
            own,
            members: ensemble.members.clone(),
            listen_on_all_ips: ensemble.listen_on_all_ips,
            many_addresses: ensemble.multi_address.enabled,
            connect_timeout: match ensemble.connect_timeout {
                Duration::ZERO => NO_TIMEOUT,
                timeout => timeout,
            },
            bind_tries: ensemble
                .election_port_bind_retry
                .try_into()
                .unwrap_or(BIND_TRIES),
            keep_alive: ensemble.tcp_keep_alive,
            master_port: ensemble.observer_master_port,
        }
    }
}
