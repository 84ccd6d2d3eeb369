//! A disk that fails when it is told to: the N-th call, once or from then on.

use super::{ReadFile, Segment, Storage, WriteFile};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// Which calls fail, and how. Calls are counted from 0, over everything a
/// storage and its files do that can fail.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// The first call that fails.
    pub at: u64,
    /// Whether all later calls fail too, as after a crash.
    pub forever: bool,
    /// The error.
    pub kind: io::ErrorKind,
}

/// A storage with a [`Fault`].
#[derive(Clone)]
pub struct FaultStorage {
    inner: Arc<dyn Storage>,
    counter: Counter,
}

#[derive(Clone)]
struct Counter {
    calls: Arc<AtomicU64>,
    fault: Option<Fault>,
    /// Set when nothing may succeed any more.
    dead: Arc<AtomicBool>,
    failed: Arc<OnceLock<(&'static str, PathBuf)>>,
}

impl Counter {
    fn check(&self, call: &'static str, path: &Path) -> io::Result<()> {
        let number = self.calls.fetch_add(1, Ordering::SeqCst);
        match self.fault {
            _ if self.dead.load(Ordering::SeqCst) => {
                self.failed.get_or_init(|| (call, path.to_owned()));
                Err(io::ErrorKind::Other.into())
            }
            Some(fault) if number == fault.at || (fault.forever && number > fault.at) => {
                self.failed.get_or_init(|| (call, path.to_owned()));
                Err(fault.kind.into())
            }
            _ => Ok(()),
        }
    }
}

impl FaultStorage {
    /// `inner`, failing as `fault` says; `None` only counts.
    pub fn new(inner: Arc<dyn Storage>, fault: Option<Fault>) -> Self {
        let counter = Counter {
            calls: Arc::default(),
            fault,
            dead: Arc::default(),
            failed: Arc::default(),
        };
        Self { inner, counter }
    }

    /// From now on every call fails: what is on the disk stays as it is, as
    /// if the process that wrote there were gone.
    pub fn kill(&self) {
        self.counter.dead.store(true, Ordering::SeqCst);
    }

    /// How many calls there were.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.counter.calls.load(Ordering::SeqCst)
    }

    /// The call that failed first, and on what.
    #[must_use]
    pub fn failed(&self) -> Option<(&'static str, &Path)> {
        let failed = self.counter.failed.get();
        failed.map(|(call, path)| (*call, path.as_path()))
    }

    fn file<T: ?Sized>(&self, file: Box<T>, path: &Path) -> Box<FaultFile<T>> {
        Box::new(FaultFile {
            file,
            path: path.to_owned(),
            counter: self.counter.clone(),
        })
    }
}

impl Storage for FaultStorage {
    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.counter.check("list", dir)?;
        self.inner.list(dir)
    }

    fn create_dirs(&self, dir: &Path) -> io::Result<()> {
        self.counter.check("create_dirs", dir)?;
        self.inner.create_dirs(dir)
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn ReadFile>> {
        self.counter.check("open", path)?;
        Ok(self.file(self.inner.open(path)?, path))
    }

    fn create_segment(&self, path: &Path, bytes: u64) -> io::Result<Box<dyn Segment>> {
        self.counter.check("create_segment", path)?;
        Ok(self.file(self.inner.create_segment(path, bytes)?, path))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn WriteFile>> {
        self.counter.check("create", path)?;
        Ok(self.file(self.inner.create(path)?, path))
    }

    fn truncate(&self, path: &Path, bytes: u64) -> io::Result<()> {
        self.counter.check("truncate", path)?;
        self.inner.truncate(path, bytes)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.counter.check("rename", from)?;
        self.inner.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.counter.check("remove", path)?;
        self.inner.remove(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.counter.check("sync_dir", dir)?;
        self.inner.sync_dir(dir)
    }
}

/// A file whose calls are counted with its storage's.
struct FaultFile<T: ?Sized> {
    counter: Counter,
    path: PathBuf,
    file: Box<T>,
}

impl ReadFile for FaultFile<dyn ReadFile> {
    fn size(&self) -> u64 {
        self.file.size()
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.counter.check("read_at", &self.path)?;
        self.file.read_at(offset, buffer)
    }
}

impl WriteFile for FaultFile<dyn WriteFile> {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.counter.check("write_all", &self.path)?;
        self.file.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.counter.check("sync", &self.path)?;
        self.file.sync()
    }
}

impl Segment for FaultFile<dyn Segment> {
    fn capacity(&self) -> u64 {
        self.file.capacity()
    }

    fn slice_mut(&mut self, offset: u64, length: usize) -> &mut [u8] {
        self.file.slice_mut(offset, length)
    }

    fn flush(&mut self, start: u64, end: u64) -> io::Result<()> {
        self.counter.check("flush", &self.path)?;
        self.file.flush(start, end)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.counter.check("sync", &self.path)?;
        self.file.sync()
    }

    fn grow(&mut self, from: u64, bytes: u64) -> io::Result<()> {
        self.counter.check("grow", &self.path)?;
        self.file.grow(from, bytes)
    }

    fn close(self: Box<Self>, end: u64) -> io::Result<()> {
        self.counter.check("close", &self.path)?;
        self.file.close(end)
    }
}
