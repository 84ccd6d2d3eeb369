//! A disk that fails when it is told to: the N-th call, once or from then on.

use super::{ReadFile, Segment, Storage, WriteFile};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

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
}

impl Counter {
    fn check(&self) -> io::Result<()> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        match self.fault {
            Some(fault) if call == fault.at || (fault.forever && call > fault.at) => {
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
        };
        Self { inner, counter }
    }

    /// How many calls there were.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.counter.calls.load(Ordering::SeqCst)
    }

    fn file<T: ?Sized>(&self, file: Box<T>) -> Box<FaultFile<T>> {
        Box::new(FaultFile {
            file,
            counter: self.counter.clone(),
        })
    }
}

impl Storage for FaultStorage {
    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.counter.check()?;
        self.inner.list(dir)
    }

    fn create_dirs(&self, dir: &Path) -> io::Result<()> {
        self.counter.check()?;
        self.inner.create_dirs(dir)
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn ReadFile>> {
        self.counter.check()?;
        Ok(self.file(self.inner.open(path)?))
    }

    fn create_segment(&self, path: &Path, bytes: u64) -> io::Result<Box<dyn Segment>> {
        self.counter.check()?;
        Ok(self.file(self.inner.create_segment(path, bytes)?))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn WriteFile>> {
        self.counter.check()?;
        Ok(self.file(self.inner.create(path)?))
    }

    fn truncate(&self, path: &Path, bytes: u64) -> io::Result<()> {
        self.counter.check()?;
        self.inner.truncate(path, bytes)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.counter.check()?;
        self.inner.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.counter.check()?;
        self.inner.remove(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.counter.check()?;
        self.inner.sync_dir(dir)
    }
}

/// A file whose calls are counted with its storage's.
struct FaultFile<T: ?Sized> {
    counter: Counter,
    file: Box<T>,
}

impl ReadFile for FaultFile<dyn ReadFile> {
    fn size(&self) -> u64 {
        self.file.size()
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.counter.check()?;
        self.file.read_at(offset, buffer)
    }
}

impl WriteFile for FaultFile<dyn WriteFile> {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.counter.check()?;
        self.file.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.counter.check()?;
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
        self.counter.check()?;
        self.file.flush(start, end)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.counter.check()?;
        self.file.sync()
    }

    fn grow(&mut self, from: u64, bytes: u64) -> io::Result<()> {
        self.counter.check()?;
        self.file.grow(from, bytes)
    }

    fn close(self: Box<Self>, end: u64) -> io::Result<()> {
        self.counter.check()?;
        self.file.close(end)
    }
}
