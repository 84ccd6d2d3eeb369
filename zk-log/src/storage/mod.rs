//! The few things the history asks of a disk, behind a trait, so that crashes
//! and failures can be played through without one.
//!
//! Three kinds of file, because they are used in three ways: a [`Segment`] is
//! appended to in place and flushed by range, a [`WriteFile`] is written once
//! from start to end, a [`ReadFile`] is read at offsets. This module knows no
//! format.

mod ahead;
mod fault;
mod file;
mod mem;
mod mmap;

pub use fault::{Fault, FaultStorage};
pub use file::FileStorage;
pub use mem::{MemStorage, SECTOR};

use std::io;
use std::path::Path;
use zk_proto::mutation::is_back;

/// A file system, as far as a log needs one.
///
/// What a call changed is durable only when the call says so; a crash may
/// keep any part of the rest.
pub trait Storage: Send + Sync {
    /// The names of the files in `dir`, in no order.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;
    /// Makes `dir` and what is missing above it, durably.
    fn create_dirs(&self, dir: &Path) -> io::Result<()>;
    /// Opens a file to read. A directory is an error.
    fn open(&self, path: &Path) -> io::Result<Box<dyn ReadFile>>;
    /// Makes a new file of `bytes` zeros with real blocks behind them, for
    /// appending. An existing file is an error, a full disk too.
    fn create_segment(&self, path: &Path, bytes: u64) -> io::Result<Box<dyn Segment>>;
    /// Makes a file, or empties it, for writing from start to end.
    fn create(&self, path: &Path) -> io::Result<Box<dyn WriteFile>>;
    /// Cuts a file to `bytes`, durably.
    fn truncate(&self, path: &Path, bytes: u64) -> io::Result<()>;
    /// Renames within a directory, over what has that name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes creations, renames and removals in `dir` durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
}

/// A file to read.
pub trait ReadFile: Send {
    /// Its length in bytes when it was opened.
    fn size(&self) -> u64;
    /// Fills `buffer` from `offset` on; fewer bytes only at the end.
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;
}

/// A file that is appended to in place.
pub trait Segment: Send {
    /// Bytes that may be written without growing.
    fn capacity(&self) -> u64;
    /// The bytes to write, `length` of them from `offset`; the caller fills
    /// them at once. Nothing before a flushed offset may be asked for again.
    ///
    /// # Panics
    /// If the range passes the capacity.
    fn slice_mut(&mut self, offset: u64, length: usize) -> &mut [u8];
    /// Makes what was written from `start` to `end` durable.
    fn flush(&mut self, start: u64, end: u64) -> io::Result<()>;
    /// Makes the file itself durable: its size and its blocks.
    fn sync(&mut self) -> io::Result<()>;
    /// Grows to `bytes`, with real blocks. `from` is where writing goes on;
    /// nothing before it is asked for again.
    fn grow(&mut self, from: u64, bytes: u64) -> io::Result<()>;
    /// Ends writing and gives the space behind `end` back.
    fn close(self: Box<Self>, end: u64) -> io::Result<()>;
}

/// A file that is written from start to end.
pub trait WriteFile: Send {
    /// Appends all of `bytes`.
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Makes everything written so far durable.
    fn sync(&mut self) -> io::Result<()>;
}

/// Reads a whole small file; a larger one than `limit` is an error.
pub(crate) fn read_small(storage: &dyn Storage, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut file = storage.open(path)?;
    let size = file.size();
    if size > limit {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("{size} bytes are too many"),
        ));
    }
    let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
    let read = file.read_at(0, &mut bytes)?;
    bytes.truncate(read);
    Ok(bytes)
}

/// Writes a small file so that after a crash it is the old or the new one.
pub(crate) fn replace(storage: &dyn Storage, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut temp = path.as_os_str().to_owned();
    temp.push(crate::names::TEMP);
    let temp = Path::new(&temp);
    let mut file = storage.create(temp)?;
    file.write_all(bytes)?;
    if !is_back("epoch_not_flushed") {
        file.sync()?;
    }
    drop(file);
    storage.rename(temp, path)?;
    if is_back("epoch_name_not_flushed") {
        return Ok(());
    }
    storage.sync_dir(path.parent().unwrap_or(Path::new(".")))
}
