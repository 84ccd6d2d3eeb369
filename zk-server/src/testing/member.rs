//! One server of a test, running or not.

use super::TestingError;
use crate::config::{JvmFlags, ServerConfig};
use crate::{Server, ServerError};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zk_log::{FaultStorage, FileStorage};

#[derive(Debug)]
pub(super) struct Member {
    pub(super) dir: PathBuf,
    pub(super) address: SocketAddr,
    flags: JvmFlags,
    pub(super) running: Option<Running>,
}

/// A server that runs, and the disk that can be taken from it.
pub(super) struct Running {
    pub(super) server: Server,
    disk: FaultStorage,
}

impl Member {
    pub(super) fn new(
        dir: &Path,
        zoo_cfg: &str,
        jvm_flags: &str,
        address: SocketAddr,
    ) -> io::Result<Self> {
        let mut flags = JvmFlags::default();
        flags.add("JVMFLAGS", jvm_flags);
        std::fs::write(dir.join("zoo.cfg"), zoo_cfg)?;
        Ok(Self {
            dir: dir.to_owned(),
            address,
            flags,
            running: None,
        })
    }

    /// Read anew at each start: reconfigurations change the file.
    pub(super) fn config(&self) -> Result<ServerConfig, TestingError> {
        let path = self.dir.join("zoo.cfg");
        let text = std::fs::read(&path)?;
        Ok(ServerConfig::parse(&path, &text, &self.flags)?)
    }
}

impl Running {
    pub(super) async fn start(config: ServerConfig) -> Result<Self, ServerError> {
        let disk = FaultStorage::new(Arc::new(FileStorage), None);
        let server = Server::start_with_storage(config, Arc::new(disk.clone())).await?;
        Ok(Self { server, disk })
    }

    /// Ends it without a last word to its files: what was not flushed when
    /// this is called never will be, and is never acknowledged. Its
    /// connections break.
    pub(super) async fn kill(self) {
        self.disk.kill();
        // It ends with the error of its disk, if it had anything to write.
        let _ = self.server.stop().await;
    }

    /// The same for who cannot wait: it ends soon.
    pub(super) fn abandon(self) {
        self.disk.kill();
        self.server.close_inbox();
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.server.fmt(f)
    }
}
