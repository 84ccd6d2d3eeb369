//! The files `acceptedEpoch` and `currentEpoch`: what this server promised,
//! and whose history it holds. Decimal text, replaced as a whole.
//!
//! It keeps the two in order. Who may promise what is decided elsewhere.

use crate::error::Context;
use crate::storage::{read_small, replace};
use crate::{LogError, Storage, names};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zk_proto::mutation::is_back;
use zk_proto::{Epoch, Zxid};

const ACCEPTED: &str = "acceptedEpoch";
const CURRENT: &str = "currentEpoch";
/// A number has 20 digits at most.
const FILE_MAX: u64 = 32;

/// The two epochs, on the disk before a setter returns.
/// (`QuorumPeer.loadDataBase`, `writeLongToFile`)
pub struct Epochs {
    storage: Arc<dyn Storage>,
    dir: PathBuf,
    accepted: Epoch,
    current: Epoch,
    /// Set by the first failure: which epoch the disk holds is then unknown.
    failed: Option<String>,
}

impl Epochs {
    /// Reads the files in `snap_dir` beside a history that ends at `last`,
    /// and repairs what a crash between two writes leaves: a missing file, an
    /// unfinished one, a history of the accepted epoch under an older
    /// `currentEpoch`.
    ///
    /// # Errors
    /// A file that holds no number, an accepted epoch below the current one,
    /// or a history of an epoch that was never accepted.
    pub fn open(storage: Arc<dyn Storage>, snap_dir: &Path, last: Zxid) -> Result<Self, LogError> {
        let history = if last.0 < 0 { Epoch(0) } else { last.epoch() };
        let mut epochs = Self {
            dir: snap_dir.to_owned(),
            accepted: history,
            current: history,
            storage,
            failed: None,
        };
        let accepted = epochs.read(ACCEPTED)?;
        let current = epochs.read(CURRENT)?;
        epochs.settle_current(history, accepted, current)?;
        epochs.settle_accepted(accepted)?;
        epochs.remove_temps()?;
        Ok(epochs)
    }

    /// The highest epoch whose leader this server promised to follow.
    #[must_use]
    pub const fn accepted(&self) -> Epoch {
        self.accepted
    }

    /// The epoch of the leader whose history this server took over.
    #[must_use]
    pub const fn current(&self) -> Epoch {
        self.current
    }

    /// Promises `epoch`, durably.
    ///
    /// # Errors
    /// If it is below the accepted one, or the disk fails; the latter is
    /// final.
    pub fn set_accepted(&mut self, epoch: Epoch) -> Result<(), LogError> {
        self.not_below(ACCEPTED, epoch, self.accepted)?;
        self.write(ACCEPTED, epoch)?;
        self.accepted = epoch;
        Ok(())
    }

    /// Takes over the history of `epoch`, durably.
    ///
    /// # Errors
    /// If it is below the current one or above the accepted one, or the disk
    /// fails; the latter is final.
    pub fn set_current(&mut self, epoch: Epoch) -> Result<(), LogError> {
        self.not_below(CURRENT, epoch, self.current)?;
        self.not_below(ACCEPTED, self.accepted, epoch)?;
        self.write(CURRENT, epoch)?;
        self.current = epoch;
        Ok(())
    }

    /// The history may be of a later epoch than `currentEpoch` says: it came
    /// from that epoch's leader, and the server stopped before it wrote the
    /// file. Such a history starts with all of what the leader began with, so
    /// the epoch is that of the history.
    fn settle_current(
        &mut self,
        history: Epoch,
        accepted: Option<Epoch>,
        current: Option<Epoch>,
    ) -> Result<(), LogError> {
        let Some(current) = current else {
            return self.write(CURRENT, history);
        };
        self.current = current;
        if history <= current {
            return Ok(());
        }
        let unfinished = self.read_unfinished(CURRENT);
        let settled = match (unfinished, accepted) {
            _ if is_back("epoch_order_refused") => {
                return self.disorder(CURRENT, "the history is ahead", current, history);
            }
            (Some(epoch), _) if epoch >= history => epoch,
            (_, Some(accepted)) if accepted >= history => history,
            _ => {
                return self.disorder(
                    CURRENT,
                    "the history is of an epoch that was never accepted",
                    current,
                    history,
                );
            }
        };
        self.write(CURRENT, settled)?;
        self.current = settled;
        Ok(())
    }

    fn settle_accepted(&mut self, accepted: Option<Epoch>) -> Result<(), LogError> {
        match accepted {
            Some(accepted) => self.accepted = accepted,
            None => self.write(ACCEPTED, self.accepted)?,
        }
        if self.accepted < self.current {
            return self.disorder(
                ACCEPTED,
                "the accepted epoch is below the current one",
                self.accepted,
                self.current,
            );
        }
        Ok(())
    }

    fn not_below(&self, name: &str, epoch: Epoch, least: Epoch) -> Result<(), LogError> {
        if epoch < least {
            return self.disorder(name, "epochs never go back", epoch, least);
        }
        Ok(())
    }

    fn disorder<T>(
        &self,
        name: &str,
        what: &'static str,
        epoch: Epoch,
        least: Epoch,
    ) -> Result<T, LogError> {
        Err(LogError::EpochOrder {
            path: self.dir.join(name),
            what,
            epoch,
            least,
        })
    }

    fn read(&self, name: &str) -> Result<Option<Epoch>, LogError> {
        let path = self.dir.join(name);
        match read_small(&*self.storage, &path, FILE_MAX) {
            Ok(bytes) => parse(&path, &bytes).map(Some),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() == ErrorKind::InvalidData => Err(LogError::EpochFile {
                path,
                reason: error.to_string(),
            }),
            Err(error) => Err(error).at("read", &path),
        }
    }

    /// The number that a crash kept from being renamed, if it is one.
    fn read_unfinished(&self, name: &str) -> Option<Epoch> {
        self.read(&format!("{name}{}", names::TEMP)).ok().flatten()
    }

    fn write(&mut self, name: &str, epoch: Epoch) -> Result<(), LogError> {
        if let Some(cause) = &self.failed {
            return Err(LogError::Failed(cause.clone()));
        }
        let path = self.dir.join(name);
        let written = replace(&*self.storage, &path, epoch.0.to_string().as_bytes());
        written.at("write", &path).inspect_err(|error| {
            self.failed = Some(error.to_string());
        })
    }

    fn remove_temps(&self) -> Result<(), LogError> {
        for name in [ACCEPTED, CURRENT] {
            let path = self.dir.join(format!("{name}{}", names::TEMP));
            match self.storage.remove(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(error).at("remove", &path);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Digits, and perhaps the newline of an editor.
fn parse(path: &Path, bytes: &[u8]) -> Result<Epoch, LogError> {
    let bad = |reason: &str| LogError::EpochFile {
        path: path.to_owned(),
        reason: reason.to_owned(),
    };
    let text = std::str::from_utf8(bytes).map_err(|_| bad("it holds no text"))?;
    let digits = text.trim_end_matches(['\n', '\r']);
    if digits.is_empty() {
        return Err(bad("it is empty"));
    }
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(bad("it holds no number"));
    }
    let epoch = digits
        .parse()
        .map_err(|_| bad("the number is beyond any epoch"))?;
    Ok(Epoch(epoch))
}

impl std::fmt::Debug for Epochs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Epochs")
            .field("accepted", &self.accepted)
            .field("current", &self.current)
            .finish_non_exhaustive()
    }
}
