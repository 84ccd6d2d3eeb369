//! Writing a snapshot: chunk by chunk under a temporary name, sealed, flushed
//! and renamed. Its caller paces it; its failure harms nobody.

use super::compress::{Compressor, Sink};
use crate::error::Context;
use crate::{LogConfig, LogDirs, LogError, Storage, names};
use simd_adler32::Adler32;
use std::path::PathBuf;
use std::sync::Arc;
use zk_proto::snapshot::{SEAL_LEN, SnapshotDigest, SnapshotFileHeader, append_seal};
use zk_proto::{Zxid, jute};

/// A snapshot that is being written.
///
/// Dropped unfinished, or after an error, it removes what it wrote. What
/// stands under the final name is always complete and durable.
pub struct SnapshotWriter {
    storage: Arc<dyn Storage>,
    dir: PathBuf,
    zxid: Zxid,
    /// The final name.
    path: PathBuf,
    temp: PathBuf,
    /// `None` once it was finished.
    out: Option<Compressor>,
    checksum: Adler32,
    content: u64,
}

/// A finished snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotFile {
    /// Where it is.
    pub path: PathBuf,
    /// The zxid in its name.
    pub zxid: Zxid,
    /// Bytes of the file.
    pub bytes: u64,
    /// Bytes of its content before compression.
    pub content: u64,
}

impl SnapshotWriter {
    /// Begins the snapshot of `zxid` and writes the file header. An older
    /// snapshot of that name is replaced only when this one is finished.
    pub fn create(
        storage: Arc<dyn Storage>,
        dirs: &LogDirs,
        config: &LogConfig,
        zxid: Zxid,
    ) -> Result<Self, LogError> {
        let dir = dirs.snap_dir.clone();
        let name = names::snapshot(zxid, config.compression);
        let temp = dir.join(format!("{name}{}", names::TEMP));
        let file = storage.create(&temp).at("create", &temp)?;
        let mut writer = Self {
            path: dir.join(&name),
            storage,
            dir,
            zxid,
            temp,
            out: None,
            checksum: Adler32::new(),
            content: 0,
        };
        let sink = Sink::new(file, config.snapshot_sync_bytes);
        let out = Compressor::new(sink, config.compression);
        writer.out = Some(out.at("write", &writer.temp)?);
        writer.write(&jute::to_vec(&SnapshotFileHeader::current()).expect(FIXED))?;
        Ok(writer)
    }

    /// The zxid in its name.
    #[must_use]
    pub const fn zxid(&self) -> Zxid {
        self.zxid
    }

    /// Bytes of content so far.
    #[must_use]
    pub const fn content(&self) -> u64 {
        self.content
    }

    /// Appends encoded content: sessions, ACL table, znodes, and at last the
    /// end mark, cut anywhere.
    ///
    /// Every few MiB (`snapshot_sync_bytes`) it waits for the disk.
    pub fn write(&mut self, chunk: &[u8]) -> Result<(), LogError> {
        let Some(out) = &mut self.out else {
            return Ok(());
        };
        out.write_all(chunk).at("write", &self.temp)?;
        self.checksum.write(chunk);
        self.content += chunk.len() as u64;
        Ok(())
    }

    /// Seals it, behind the end mark, and gives it its name, durably.
    ///
    /// `digest` and `last_zxid` are those of the tree after its last znode
    /// was written (`digest.enabled`, `serializeLastProcessedZxid.enabled`).
    pub fn finish(
        mut self,
        digest: Option<SnapshotDigest>,
        last_zxid: Option<Zxid>,
    ) -> Result<SnapshotFile, LogError> {
        self.seal()?;
        if let Some(digest) = digest {
            self.write(&jute::to_vec(&digest).expect(FIXED))?;
            self.seal()?;
        }
        if let Some(zxid) = last_zxid {
            self.write(&jute::to_vec(&zxid).expect(FIXED))?;
            self.seal()?;
        }
        self.publish()
    }

    fn seal(&mut self) -> Result<(), LogError> {
        let mut seal = Vec::with_capacity(SEAL_LEN);
        append_seal(&mut seal, self.checksum.finish()).expect(FIXED);
        self.write(&seal)
    }

    fn publish(mut self) -> Result<SnapshotFile, LogError> {
        let bytes = match self.out.take() {
            Some(out) => out.finish(),
            None => Ok(0),
        };
        let renamed = bytes
            .at("flush", &self.temp)
            .and_then(|bytes| self.rename().map(|()| bytes));
        match renamed {
            Ok(bytes) => Ok(SnapshotFile {
                path: std::mem::take(&mut self.path),
                zxid: self.zxid,
                bytes,
                content: self.content,
            }),
            Err(error) => {
                self.remove_temp();
                Err(error)
            }
        }
    }

    fn rename(&self) -> Result<(), LogError> {
        self.storage
            .rename(&self.temp, &self.path)
            .at("rename", &self.temp)?;
        self.storage.sync_dir(&self.dir).at("flush", &self.dir)
    }

    /// A leftover is removed at the next start too.
    fn remove_temp(&self) {
        let _ = self.storage.remove(&self.temp);
    }
}

/// Why the records around the content always encode.
const FIXED: &str = "a record of numbers is always encodable";

impl Drop for SnapshotWriter {
    fn drop(&mut self) {
        if self.out.take().is_some() {
            self.remove_temp();
        }
    }
}
