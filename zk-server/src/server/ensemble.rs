//! A server of an ensemble: its peer on a thread of its own, its two ports
//! for the other servers on tokio.

use super::{
    Files, Server, ServerError, prepare_config, random_seed, recover, share, snapshotter,
    tree_config, write_first,
};
use crate::clock::Clock;
use crate::config::ServerConfig;
use crate::driver::{Emit, Options, TcpNetwork};
use crate::listener;
use crate::peer::{Disk, Network, Peer, PeerConfig};
use crate::pipeline::{Batch, Taken};
use crate::role::ServerRole;
use crate::shared::{Identity, Shared};
use crate::snapshotter::Snapshotter;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use zk_log::{LogError, Storage};
use zk_proto::ServerId;

/// Without anything to do for so long, the server is idle enough for a
/// snapshot that is due.
const IDLE: Duration = Duration::from_millis(200);

/// Starts a server of an ensemble. It serves clients as soon as there is a
/// leader.
pub(super) async fn start(
    config: ServerConfig,
    storage: Arc<dyn Storage>,
) -> Result<Server, ServerError> {
    let address = config.clients.address.ok_or(ServerError::NoClientPort)?;
    let listener = listener::bind(&config.clients, address)?;
    let address = listener.local_addr().unwrap_or(address);
    let seed = random_seed();
    let member = Member::recover(
        &config,
        storage,
        address,
        Clock::new(),
        seed,
        std::convert::identity,
    )?;
    let options = Options::new(member.id, &config.ensemble);
    let network = TcpNetwork::start(options, emitter(&member.shared)).await?;
    let (shared, files) = (member.shared.clone(), member.files.clone());
    let peer = member.into_peer(Box::new(network));
    let run = {
        let shared = shared.clone();
        move || run(&shared, peer)
    };
    let mut server = Server::launch(shared, run)?;
    server.spawn_tasks(&config, files, listener);
    Ok(server)
}

/// A member of an ensemble whose data are recovered.
pub(crate) struct Member {
    id: ServerId,
    pub(crate) shared: Arc<Shared>,
    config: PeerConfig,
    disk: Disk,
    files: Files,
}

impl Member {
    /// Recovers the data of a member.
    pub(crate) fn recover(
        config: &ServerConfig,
        storage: Arc<dyn Storage>,
        address: SocketAddr,
        clock: Clock,
        seed: u64,
        adapt: impl FnOnce(Snapshotter) -> Snapshotter,
    ) -> Result<Self, ServerError> {
        let id = config.server_id.ok_or(ServerError::NoServerId)?;
        let files = Files::new(config, storage);
        let tree_config = tree_config(config, seed);
        let (sink, recovered, startup) = recover(&files, tree_config)?;
        let identity = Identity {
            server_id: id.0,
            role: ServerRole::Looking,
            clock,
            seed,
        };
        let shared = share(config, &files.dirs, address, sink, identity);
        startup.note(&shared, &recovered);
        let snapshotter = snapshotter(&files, config, seed);
        let mut snapshotter = adapt(snapshotter);
        write_first(&mut snapshotter, &shared, &recovered)?;
        if recovered.empty {
            zk_log::consume_initialize(&*files.storage, &files.dirs)?;
        }
        let disk = Disk::open(
            files.storage.clone(),
            files.dirs.clone(),
            files.config.clone(),
            tree_config,
            snapshotter,
            recovered.last_zxid,
            config.ensemble.commit_log_count as usize,
        )?;
        let config = PeerConfig::new(config, id, prepare_config(config)).with_hash_seed(seed);
        Ok(Self {
            id,
            shared,
            config,
            disk,
            files,
        })
    }

    /// Puts it into the network.
    pub(crate) fn into_peer(self, network: Box<dyn Network>) -> Peer {
        Peer::new(self.shared, self.config, network, self.disk)
    }
}

/// What happens on the network goes where clients' requests go, too.
fn emitter(shared: &Arc<Shared>) -> Emit {
    let shared = shared.clone();
    Arc::new(move |event| shared.inbox.event(event))
}

/// Drives a peer until it is asked to end. An error means that the log can
/// promise nothing any more: the process must end.
fn run(shared: &Shared, mut peer: Peer) -> Result<(), LogError> {
    let (mut batch, mut events) = (Batch::default(), Vec::new());
    while !peer.is_done() {
        let now = shared.clock.now();
        let due = peer.poll_timeout().map(|at| at.saturating_sub(now));
        let idle = peer.wants_idle().then_some(IDLE);
        let patience = due.into_iter().chain(idle).min();
        match shared.inbox.take_all(&mut batch, &mut events, patience) {
            Taken::Items => {}
            Taken::Nothing if idle.is_some_and(|idle| due.is_none_or(|due| idle <= due)) => {
                peer.idle()?;
            }
            Taken::Nothing => {}
            Taken::Closed => break,
        }
        peer.step(&mut batch, &mut events)?;
    }
    peer.end()
}
