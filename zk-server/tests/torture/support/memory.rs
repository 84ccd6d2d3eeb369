//! The server within the test, on a disk in memory.

use crate::support::tree;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use zk_log::{LogConfig, LogDirs, LogError, MemStorage, Recovered, Storage};
use zk_server::config::{JvmFlags, ServerConfig};
use zk_server::{Server, ServerError};
use zk_tree::DataTree;

const DATA_DIR: &str = "/data";

/// Where it keeps its files.
pub(crate) fn dirs() -> LogDirs {
    LogDirs::new(Path::new(DATA_DIR), Path::new(DATA_DIR))
}

/// A running server.
pub(crate) struct Memory {
    runtime: Runtime,
    server: Server,
}

impl Memory {
    /// Starts on a disk, with `extra` lines in its zoo.cfg.
    pub(crate) fn start(storage: Arc<dyn Storage>, extra: &str) -> Result<Self, ServerError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let text = format!(
            "dataDir={DATA_DIR}\nclientPort=0\nclientPortAddress=127.0.0.1\npreAllocSize=4\n\
             maxSessionTimeout=600000\nmaxClientCnxns=0\n{extra}\n"
        );
        let config =
            ServerConfig::parse(Path::new("zoo.cfg"), text.as_bytes(), &JvmFlags::default())
                .expect("the configuration is good");
        match runtime.block_on(Server::start_with_storage(config, storage)) {
            Ok(server) => Ok(Self { runtime, server }),
            Err(error) => {
                runtime.shutdown_background();
                Err(error)
            }
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.client_address()
    }

    /// Why it ended by itself, if it does so in time.
    pub(crate) fn failed(&mut self, patience: Duration) -> Option<ServerError> {
        let server = &mut self.server;
        self.runtime
            .block_on(async { tokio::time::timeout(patience, server.failed()).await.ok() })
    }

    /// Stops it cleanly.
    pub(crate) fn stop(self) -> Result<(), ServerError> {
        let stopped = self.runtime.block_on(self.server.stop());
        self.runtime.shutdown_background();
        stopped
    }

    /// Ends it as the end of its process would, as far as clients see.
    pub(crate) fn abandon(self) {
        drop(self.server);
        self.runtime.shutdown_background();
    }
}

/// What a start would make of the disk.
pub(crate) fn recover(disk: &MemStorage) -> Result<(Recovered, DataTree), LogError> {
    tree::recover(disk, &dirs(), &LogConfig::default())
}
