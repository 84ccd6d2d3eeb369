//! A server of ours within the test, in a directory of its own.

use std::net::SocketAddr;
use std::path::Path;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use zk_server::Server;
use zk_server::config::{JvmFlags, ServerConfig};

/// A running server, stopped when it is dropped.
pub(crate) struct Local {
    runtime: Runtime,
    server: Option<Server>,
    dir: TempDir,
    extra: String,
}

impl Local {
    /// Starts a server with `extra` lines in its zoo.cfg.
    pub(crate) fn start(extra: &str) -> Self {
        let dir = TempDir::new().expect("a temporary directory");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let mut local = Self {
            runtime,
            server: None,
            dir,
            extra: extra.into(),
        };
        local.launch();
        local
    }

    fn launch(&mut self) {
        let config = self.config();
        let server = self.runtime.block_on(Server::start(config));
        self.server = Some(server.expect("the server starts"));
    }

    fn config(&self) -> ServerConfig {
        let text = format!(
            "dataDir={}\nclientPort=0\nclientPortAddress=127.0.0.1\ntickTime=200\npreAllocSize=64\n{}\n",
            self.data_dir().display(),
            self.extra
        );
        ServerConfig::parse(Path::new("zoo.cfg"), text.as_bytes(), &JvmFlags::default())
            .expect("the configuration is good")
    }

    pub(crate) fn data_dir(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.as_ref().expect("it runs").client_address()
    }

    /// Stops it cleanly.
    pub(crate) fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            self.runtime.block_on(server.stop()).expect("a clean stop");
        }
    }

    /// Stops it and starts it again on its files.
    pub(crate) fn restart(&mut self) {
        self.stop();
        self.launch();
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            // A test that failed already need not hear of this.
            let _ = self.runtime.block_on(server.stop());
        }
    }
}
