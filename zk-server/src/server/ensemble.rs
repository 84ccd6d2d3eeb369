//! A server of an ensemble: its peer on a thread of its own, its ports
//! for the other servers on tokio.

use super::{
    Files, Server, ServerError, prepare_config, random_seed, recover, share, snapshotter,
    tree_config, write_first,
};
use crate::clock::Clock;
use crate::config::{DynamicFiles, ServerConfig};
use crate::driver::{Emit, Options, TcpNetwork};
use crate::listener;
use crate::peer::{Disk, MemberFiles, Network, Peer, PeerConfig, PeerEvent};
use crate::pipeline::{Batch, Taken};
use crate::role::ServerRole;
use crate::shared::{Identity, Shared};
use crate::snapshotter::Snapshotter;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::yield_now;
use tokio::time::timeout;
use zk_log::{LogError, Storage};
use zk_proto::ServerId;
use zk_proto::ensemble::EnsembleConfig;

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
    let (shared, files) = (member.shared.clone(), member.files.clone());
    let (report, started) = oneshot::channel();
    let run = move || Driver::run(member, options, report);
    let mut server = Server::launch(shared, run)?;
    match started.await {
        Ok(Ok(())) => server.spawn_tasks(&config, files, listener),
        Ok(Err(error)) => return Err(error),
        // It ended before it could say how it started.
        Err(_) => return Err(server.failed().await),
    }
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
    pub(crate) fn into_peer(self, network: Box<dyn Network>, files: Box<dyn MemberFiles>) -> Peer {
        Peer::new(self.shared, self.config, network, files, self.disk)
    }
}

/// What happens on the network goes where clients' requests go, too.
fn emitter(shared: &Arc<Shared>) -> Emit {
    let shared = shared.clone();
    Arc::new(move |event| shared.inbox.event(event))
}

/// What the peer's thread does: it waits for whatever comes first, and lets
/// the peer act on it. The links to the other servers are served by the same
/// thread, so that what they bring needs no other thread to wake up.
struct Driver {
    shared: Arc<Shared>,
    peer: Peer,
    batch: Batch,
    events: Vec<PeerEvent>,
}

impl Driver {
    /// Opens the ports, says so, and drives the peer until it is asked to
    /// end. An error means that the log can promise nothing any more: the
    /// process must end.
    fn run(
        member: Member,
        options: Options,
        report: oneshot::Sender<Result<(), ServerError>>,
    ) -> Result<(), LogError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(error) => {
                // Nobody who asked is there any more, or hears it now.
                let _ = report.send(Err(ServerError::Thread(error)));
                return Ok(());
            }
        };
        runtime.block_on(async {
            let emit = emitter(&member.shared);
            match TcpNetwork::start(options, emit).await {
                Ok(network) => {
                    let _ = report.send(Ok(()));
                    Self::new(member, network).drive().await
                }
                Err(error) => {
                    let _ = report.send(Err(error.into()));
                    Ok(())
                }
            }
        })
    }

    fn new(member: Member, network: TcpNetwork) -> Self {
        let files = ConfigFiles::of(&member.shared.info.config);
        Self {
            shared: member.shared.clone(),
            peer: member.into_peer(Box::new(network), Box::new(files)),
            batch: Batch::default(),
            events: Vec::new(),
        }
    }

    async fn drive(mut self) -> Result<(), LogError> {
        while !self.peer.is_done() {
            if self.shared.inbox.has_input() {
                // The links get their turn under any load of clients.
                yield_now().await;
            }
            let due = self.peer.poll_timeout().map(|at| self.until(at));
            let idle = self.peer.wants_idle().then_some(IDLE);
            let patience = due.into_iter().chain(idle).min();
            match self.wait(patience).await {
                Taken::Items => {}
                Taken::Nothing if idle.is_some() && idle == patience => self.peer.idle()?,
                Taken::Nothing => {}
                Taken::Closed => break,
            }
            self.peer.step(&mut self.batch, &mut self.events)?;
        }
        self.peer.end()
    }

    fn until(&self, at: Duration) -> Duration {
        at.saturating_sub(self.shared.clock.now())
    }

    /// Waits for something to happen, not longer than `patience`.
    async fn wait(&mut self, patience: Option<Duration>) -> Taken {
        let Self {
            shared,
            batch,
            events,
            ..
        } = self;
        let taken = poll_fn(|cx| shared.inbox.poll_take(cx, batch, events));
        match patience {
            None => taken.await,
            Some(patience) => timeout(patience, taken).await.unwrap_or(Taken::Nothing),
        }
    }
}

/// The files beside `zoo.cfg`. What cannot be written is told, and the server
/// goes on: the members are also in the log.
struct ConfigFiles {
    files: Option<DynamicFiles>,
    me: Option<ServerId>,
}

impl ConfigFiles {
    fn of(config: &ServerConfig) -> Self {
        let files = config.file.as_deref().map(DynamicFiles::beside);
        Self {
            files,
            me: config.server_id,
        }
    }
}

impl MemberFiles for ConfigFiles {
    fn write_next(&mut self, members: &EnsembleConfig) {
        if let Some(files) = &self.files
            && let Err(error) = files.write_next(members)
        {
            tracing::error!("{error}");
        }
    }

    fn write_committed(&mut self, members: &EnsembleConfig) {
        let own = self.me.and_then(|me| members.members.get(&me));
        let erases_client = own.is_some_and(|own| own.client.is_some());
        if let Some(files) = &self.files
            && let Err(error) = files.write_committed(members, erases_client)
        {
            tracing::error!("{error}");
        }
    }
}
