//! One server: put together from the layers, started, stopped.

mod ensemble;
pub(crate) use ensemble::Member;

use crate::auth::AuthConfig;
use crate::clock::{Clock, whole_ms};
use crate::config::{ServerConfig, SnapshotCompression};
use crate::conn::{self, Conn, Sink};
use crate::driver::NetworkError;
use crate::four_letter::WhiteList;
use crate::housekeeping::{self, ContainerPolicy};
use crate::listener;
use crate::peer::PeerEvent;
use crate::pipeline::{Core, Pipeline, SnapshotPolicy};
use crate::reads::ReadConfig;
use crate::recovery::TreeSink;
use crate::role::ServerRole;
use crate::shared::{ConnLimits, Identity, Settings, Shared};
use crate::snapshotter::{SnapshotTarget, Snapshotter};
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use zk_log::{Compression, FileStorage, LogConfig, LogDirs, LogError, Recovered, Storage, TxnLog};
use zk_tree::{AclRules, PrepareConfig, Schemes, TreeConfig};

/// The id that a standalone server puts into its session ids.
const STANDALONE_SERVER_ID: i64 = 1;

/// Why a server did not start, or ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// Nothing says which server of the ensemble this one is.
    #[error("there is no myid file, which says which server of the ensemble this one is")]
    NoServerId,
    /// The ports for the other servers cannot be had.
    #[error("{0}")]
    Network(String),
    /// Nothing says where clients connect.
    #[error("clientPort is not set")]
    NoClientPort,
    /// The client port cannot be had.
    #[error("cannot listen for clients on {address}: {source}")]
    Listen {
        /// Where it was to listen.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The data cannot be read or written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A thread could not be started.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
    /// The pipeline panicked; nothing can be promised any more.
    #[error("the write pipeline ended unexpectedly")]
    PipelinePanicked,
}

impl From<NetworkError> for ServerError {
    fn from(error: NetworkError) -> Self {
        Self::Network(error.to_string())
    }
}

/// What the four-letter words tell of a server's configuration.
#[derive(Debug, Clone)]
pub(crate) struct ServerInfo {
    pub(crate) client_address: SocketAddr,
    pub(crate) dirs: LogDirs,
    pub(crate) config: ServerConfig,
    /// Keeps clients from choosing paths that collide in a table.
    pub(crate) hash_seed: u64,
}

/// A running server, alone or of an ensemble.
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    address: SocketAddr,
    tasks: JoinSet<()>,
    stop: watch::Sender<bool>,
    pipeline: Option<JoinHandle<Result<(), LogError>>>,
    pipeline_end: oneshot::Receiver<()>,
}

impl Server {
    /// Recovers the data, starts to serve, and writes a snapshot beside that.
    /// Must be called within a tokio runtime.
    pub async fn start(config: ServerConfig) -> Result<Self, ServerError> {
        Self::start_with_storage(config, Arc::new(FileStorage)).await
    }

    /// [`Server::start`] with its data on another disk than the file system:
    /// one in memory, or one that fails.
    pub async fn start_with_storage(
        config: ServerConfig,
        storage: Arc<dyn Storage>,
    ) -> Result<Self, ServerError> {
        if !config.is_standalone() {
            return ensemble::start(config, storage).await;
        }
        let address = config.clients.address.ok_or(ServerError::NoClientPort)?;
        let files = Files::new(&config, storage);
        let (sink, recovered, startup) = recover(&files, tree_config(&config, random_seed()))?;
        let listener = listener::bind(&config.clients, address)?;
        let address = listener.local_addr().unwrap_or(address);
        let identity = Identity {
            server_id: STANDALONE_SERVER_ID,
            role: ServerRole::Standalone,
            clock: Clock::new(),
            seed: random_seed(),
        };
        let shared = share(&config, &files.dirs, address, sink, identity);
        // Of a snapshot that a leader once sent, too, nothing more comes.
        shared.tree.write().end_fuzziness();
        startup.note(&shared, &recovered);
        let mut snapshotter = snapshotter(&files, &config, random_seed());
        write_first(&mut snapshotter, &shared, &recovered)?;
        if recovered.empty {
            zk_log::consume_initialize(&*files.storage, &files.dirs)?;
        }
        let log = TxnLog::open(
            files.storage.clone(),
            &files.dirs.log_dir,
            &files.config,
            shared.last_zxid(),
        );
        let core = Core::new(
            prepare_config(&config),
            shared.last_zxid(),
            shared.info.hash_seed,
        );
        let pipeline = Pipeline::new(shared.clone(), core, log, snapshotter);
        let mut server = Self::launch(shared, move || pipeline.run())?;
        server.spawn_tasks(&config, files, listener);
        Ok(server)
    }

    /// Starts the thread that owns the write path.
    fn launch(
        shared: Arc<Shared>,
        run: impl FnOnce() -> Result<(), LogError> + Send + 'static,
    ) -> Result<Self, ServerError> {
        let (ended, pipeline_end) = oneshot::channel();
        let pipeline = std::thread::Builder::new()
            .name("zk-pipeline".into())
            .spawn(move || {
                // Dropped when the thread ends, however it ends.
                let _ended = ended;
                run()
            })
            .map_err(ServerError::Thread)?;
        let (stop, _) = watch::channel(false);
        Ok(Self {
            address: shared.info.client_address,
            shared,
            tasks: JoinSet::new(),
            stop,
            pipeline: Some(pipeline),
            pipeline_end,
        })
    }

    fn spawn_tasks(&mut self, config: &ServerConfig, files: Files, listener: TcpListener) {
        let stopped = self.stop.subscribe();
        let shared = &self.shared;
        let sessionless = config.clients.sessionless_timeout;
        self.tasks.spawn(listener::accept(
            shared.clone(),
            listener,
            sessionless,
            stopped,
        ));
        let tick = config.sessions.tick_time;
        if config.is_standalone() {
            self.tasks
                .spawn(housekeeping::expire_sessions(shared.clone(), tick));
        }
        let containers = ContainerPolicy {
            interval: config.rules.containers.check_interval,
            per_minute: config.rules.containers.max_per_minute as usize,
            never_used_ms: config.rules.containers.max_never_used.map_or(0, |time| {
                i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
            }),
        };
        self.tasks
            .spawn(housekeeping::remove_containers(shared.clone(), containers));
        if let Some(every) = config.storage.autopurge.interval {
            let keep = config.storage.autopurge.snap_retain_count as usize;
            self.tasks
                .spawn(housekeeping::purge(files.storage, files.dirs, keep, every));
        }
    }

    /// Where clients connect.
    #[must_use]
    pub fn client_address(&self) -> SocketAddr {
        self.address
    }

    /// What the server is at the moment.
    #[must_use]
    pub fn role(&self) -> ServerRole {
        self.shared.role.get()
    }

    /// Resolves with the first role that is wanted: the present one or one
    /// that comes. Of roles in quick succession some may be left out.
    pub async fn until_role(&self, is_wanted: impl FnMut(ServerRole) -> bool) -> ServerRole {
        self.shared.role.until(is_wanted).await
    }

    /// Resolves when the write path ended by itself. After a failed write or
    /// flush nothing is acknowledged any more, and the process must end.
    pub async fn failed(&mut self) -> ServerError {
        // Either way the pipeline is gone.
        let _ = (&mut self.pipeline_end).await;
        match self.pipeline.take().map(JoinHandle::join) {
            Some(Ok(Err(error))) => error.into(),
            _ => ServerError::PipelinePanicked,
        }
    }

    /// Lets the write path end, soon.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn close_inbox(&self) {
        self.stop.send_replace(true);
        self.end_pipeline();
    }

    fn end_pipeline(&self) {
        if self.shared.role.get() == ServerRole::Standalone {
            self.shared.inbox.close();
        } else {
            self.shared.inbox.event(PeerEvent::Stop);
        }
    }

    /// Stops to serve: connections are closed, what is in the pipeline is
    /// finished, the log is closed.
    pub async fn stop(mut self) -> Result<(), ServerError> {
        self.stop.send_replace(true);
        self.tasks.shutdown().await;
        self.end_pipeline();
        let ended = self.pipeline.take();
        let joined = tokio::task::spawn_blocking(move || ended.map(JoinHandle::join)).await;
        for conn in self.shared.conns.all() {
            conn.close();
        }
        match joined {
            Ok(Some(Ok(result))) => Ok(result?),
            Ok(None) => Ok(()),
            Ok(Some(Err(_))) | Err(_) => Err(ServerError::PipelinePanicked),
        }
    }
}

/// Where a server's data lie, and how they are written.
#[derive(Clone)]
struct Files {
    storage: Arc<dyn Storage>,
    dirs: LogDirs,
    config: LogConfig,
}

impl Files {
    fn new(config: &ServerConfig, storage: Arc<dyn Storage>) -> Self {
        Self {
            storage,
            dirs: LogDirs::new(&config.storage.data_dir, &config.storage.data_log_dir),
            config: log_config(config),
        }
    }
}

/// How long recovery took.
struct Startup {
    total: Duration,
    /// Of it, the time for the snapshot.
    snapshot: Duration,
}

impl Startup {
    /// Tells the statistics. As in Apache, replaying nothing is no replay.
    fn note(&self, shared: &Shared, recovered: &Recovered) {
        let metrics = &shared.stats.metrics;
        metrics.dbinittime.add(whole_ms(self.total));
        metrics.startup_snap_load_time.add(whole_ms(self.snapshot));
        if recovered.txns > 0 {
            let replay = self.total.saturating_sub(self.snapshot);
            metrics.startup_txns_load_time.add(whole_ms(replay));
            metrics.startup_txns_loaded.add(recovered.txns);
        }
        let mismatches = shared.tree.read().digest_mismatches();
        metrics.digest_mismatches.add(mismatches);
    }
}

fn recover(
    files: &Files,
    config: TreeConfig,
) -> Result<(TreeSink, Recovered, Startup), ServerError> {
    let started = Instant::now();
    let mut sink = TreeSink::new(config);
    let recovered = zk_log::recover(&*files.storage, &files.dirs, &files.config, &mut sink)?;
    let startup = Startup {
        total: started.elapsed(),
        snapshot: sink.loaded().unwrap_or(started) - started,
    };
    tracing::info!(
        "recovered to zxid {} in {} ms: {}, {} transactions replayed",
        recovered.last_zxid,
        startup.total.as_millis(),
        match &recovered.snapshot {
            Some(snapshot) => snapshot.path.display().to_string(),
            None => "no snapshot".into(),
        },
        recovered.txns,
    );
    Ok((sink, recovered, startup))
}

fn snapshotter(files: &Files, config: &ServerConfig, seed: u64) -> Snapshotter {
    let policy = SnapshotPolicy {
        txn_count: u64::from(config.storage.snap_count),
        log_bytes: config.storage.snap_size_limit.unwrap_or(0),
    };
    let target = SnapshotTarget {
        storage: files.storage.clone(),
        dirs: files.dirs.clone(),
        config: files.config.clone(),
        last_zxid_part: config.storage.serialize_last_processed_zxid,
    };
    Snapshotter::new(target, policy, seed)
}

/// The snapshot that a server writes when it starts, as Apache does, unless
/// there is one of this very state. It is written beside serving, and may
/// fail; but the first one of all must be there before anything is logged,
/// because without it the log is not believed at the next start.
fn write_first(
    snapshotter: &mut Snapshotter,
    shared: &Arc<Shared>,
    recovered: &Recovered,
) -> Result<(), LogError> {
    match &recovered.snapshot {
        None => snapshotter.write_now(shared)?,
        Some(newest) if newest.zxid == shared.last_zxid() => {}
        Some(_) => {
            snapshotter.start(shared, true);
        }
    }
    Ok(())
}

fn share(
    config: &ServerConfig,
    dirs: &LogDirs,
    client_address: SocketAddr,
    sink: TreeSink,
    identity: Identity,
) -> Arc<Shared> {
    let tree = sink.finish();
    let info = ServerInfo {
        client_address,
        dirs: dirs.clone(),
        config: config.clone(),
        hash_seed: identity.seed,
    };
    let limits = ConnLimits {
        per_address: usize::try_from(config.clients.max_client_cnxns).unwrap_or(0),
        total: usize::try_from(config.clients.max_cnxns).unwrap_or(0),
    };
    let tick_ms = u64::try_from(config.sessions.tick_time.as_millis()).unwrap_or(u64::MAX);
    let shared = Shared::new(settings(config), info, tree, limits, tick_ms, identity);
    Arc::new(shared)
}

fn settings(config: &ServerConfig) -> Settings {
    Settings {
        max_frame: config.limits.max_buffer,
        min_session_timeout_ms: config.sessions.min_timeout_ms,
        max_session_timeout_ms: config.sessions.max_timeout_ms,
        outstanding_max: config.limits.global_outstanding as usize,
        auth: AuthConfig {
            super_digest: config
                .auth
                .super_digest
                .as_ref()
                .map(|secret| secret.expose().to_owned()),
            digest_enabled: config.auth.digest_enabled,
            ensemble: config.auth.ensemble.clone(),
            enforced_schemes: config.auth.enforced_schemes.clone(),
        },
        reads: ReadConfig {
            acl: acl_rules(config),
        },
        four_letter_words: WhiteList::new(&config.monitoring.four_letter_words),
    }
}

fn acl_rules(config: &ServerConfig) -> AclRules {
    AclRules {
        skip: config.rules.skip_acl,
        schemes: Schemes {
            digest: config.auth.digest_enabled,
            ..Schemes::default()
        },
    }
}

/// A number that nobody can guess.
fn random_seed() -> u64 {
    RandomState::new().hash_one(std::process::id())
}

fn tree_config(config: &ServerConfig, hash_seed: u64) -> TreeConfig {
    TreeConfig {
        hash_seed,
        extended_types: config.rules.extended_types,
        digest: config.rules.digest,
    }
}

fn prepare_config(config: &ServerConfig) -> PrepareConfig {
    PrepareConfig {
        acl: acl_rules(config),
        enforce_quota: config.rules.enforce_quota,
        close_session_txn: config.rules.close_session_txn,
        reconfig: config.rules.reconfig_enabled,
        local_sessions: config.ensemble.local_sessions_enabled && !config.is_standalone(),
    }
}

fn log_config(config: &ServerConfig) -> LogConfig {
    let storage = &config.storage;
    LogConfig {
        prealloc_bytes: storage.pre_alloc_size,
        force_sync: storage.force_sync,
        size_limit: storage.txn_log_size_limit,
        fsync_warning: storage.fsync_warning_threshold,
        compression: match storage.snapshot_compression {
            SnapshotCompression::None => Compression::Plain,
            SnapshotCompression::Gz => Compression::Gz,
            SnapshotCompression::Snappy => Compression::Snappy,
        },
        trust_empty_snapshot: storage.trust_empty_snapshot,
        db_autocreate: storage.db_autocreate,
        datadir_autocreate: storage.datadir_autocreate,
        ..LogConfig::default()
    }
}

/// Takes one accepted connection, if the limits allow it.
pub(crate) fn admit(shared: &Arc<Shared>, stream: tokio::net::TcpStream, remote: SocketAddr) {
    let (reader, writer) = stream.into_split();
    let admitted = shared.conns.admit(remote.ip(), |id| {
        Conn::new(id, Sink::Socket(writer), remote)
    });
    match admitted {
        Ok(conn) => {
            tokio::spawn(conn::serve(shared.clone(), conn, reader));
        }
        Err(refused) => {
            shared.stats.metrics.connection_rejected.add(1);
            tracing::warn!(client = %remote, "refusing the connection: {refused}");
        }
    }
}
