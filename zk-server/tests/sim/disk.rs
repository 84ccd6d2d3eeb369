//! The disk of a simulated machine: `zk_log`'s in memory, with a price for
//! every flush, and failures on demand. It refuses to know what is written.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use zk_log::{MemStorage, ReadFile, Segment, Storage, WriteFile};

/// What happens at the operation that is armed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trip {
    /// The machine is gone: nothing after it happens.
    Crash,
    /// It fails, once.
    Error,
}

/// The disk of one machine. Clones share it.
#[derive(Clone)]
pub(crate) struct SimDisk {
    files: MemStorage,
    control: Arc<Control>,
}

/// How a disk behaves at the moment.
#[derive(Debug)]
pub(crate) struct Control {
    /// Operations so far.
    ops: AtomicU64,
    /// The operation that is armed; `u64::MAX` for none.
    trip_at: AtomicU64,
    trip: Mutex<Trip>,
    tripped: Mutex<Option<Tripped>>,
    is_dead: AtomicBool,
    is_full: AtomicBool,
    /// What the operations since the last time took, in µs.
    cost: AtomicU64,
    /// What a flush takes, in µs.
    flush_cost: AtomicU64,
}

/// What failed.
#[derive(Debug, Clone)]
pub(crate) struct Tripped {
    pub(crate) call: &'static str,
    pub(crate) path: PathBuf,
}

impl Default for Control {
    fn default() -> Self {
        Self {
            ops: AtomicU64::new(0),
            trip_at: AtomicU64::new(u64::MAX),
            trip: Mutex::new(Trip::Crash),
            tripped: Mutex::default(),
            is_dead: AtomicBool::new(false),
            is_full: AtomicBool::new(false),
            cost: AtomicU64::new(0),
            flush_cost: AtomicU64::new(100),
        }
    }
}

impl Control {
    /// Arms a failure, `after` operations from now.
    pub(crate) fn arm(&self, trip: Trip, after: u64) {
        *self.trip.lock().expect("nobody panics with it") = trip;
        self.trip_at.store(self.ops.load(Relaxed) + after, Relaxed);
    }

    pub(crate) fn disarm(&self) {
        self.trip_at.store(u64::MAX, Relaxed);
        self.tripped.lock().expect("nobody panics with it").take();
    }

    pub(crate) fn set_full(&self, is_full: bool) {
        self.is_full.store(is_full, Relaxed);
    }

    pub(crate) fn is_full(&self) -> bool {
        self.is_full.load(Relaxed)
    }

    pub(crate) fn set_flush_cost(&self, us: u64) {
        self.flush_cost.store(us, Relaxed);
    }

    /// The failure that happened since the last time.
    pub(crate) fn take_tripped(&self) -> Option<Tripped> {
        if self.trip_at.load(Relaxed) != u64::MAX {
            return None;
        }
        self.tripped.lock().expect("nobody panics with it").take()
    }

    /// Whether nothing happens any more.
    pub(crate) fn is_dead(&self) -> bool {
        self.is_dead.load(Relaxed)
    }

    /// What was spent since [`Control::take_cost`].
    pub(crate) fn cost(&self) -> u64 {
        self.cost.load(Relaxed)
    }

    pub(crate) fn take_cost(&self) -> u64 {
        self.cost.swap(0, Relaxed)
    }

    fn read(&self, call: &'static str, path: &Path) -> io::Result<()> {
        self.step(call, path, 1)
    }

    fn write(&self, call: &'static str, path: &Path) -> io::Result<()> {
        self.step(call, path, 2)
    }

    /// An operation that needs space.
    fn take_space(&self, call: &'static str, path: &Path) -> io::Result<()> {
        self.step(call, path, 5)?;
        if self.is_full.load(Relaxed) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn flush(&self, call: &'static str, path: &Path) -> io::Result<()> {
        self.step(call, path, self.flush_cost.load(Relaxed))
    }

    fn step(&self, call: &'static str, path: &Path, cost: u64) -> io::Result<()> {
        if self.is_dead() {
            return Err(io::ErrorKind::Other.into());
        }
        self.cost.fetch_add(cost, Relaxed);
        let number = self.ops.fetch_add(1, Relaxed);
        if number < self.trip_at.load(Relaxed) {
            return Ok(());
        }
        self.trip_at.store(u64::MAX, Relaxed);
        let trip = *self.trip.lock().expect("nobody panics with it");
        self.is_dead.store(trip == Trip::Crash, Relaxed);
        *self.tripped.lock().expect("nobody panics with it") = Some(Tripped {
            call,
            path: path.to_owned(),
        });
        Err(io::ErrorKind::Other.into())
    }
}

impl SimDisk {
    pub(crate) fn new() -> Self {
        Self {
            files: MemStorage::new(),
            control: Arc::default(),
        }
    }

    pub(crate) fn control(&self) -> &Arc<Control> {
        &self.control
    }

    /// The disk after a power failure.
    pub(crate) fn power_lost(&self, choose: &mut dyn FnMut(usize) -> usize) -> Self {
        self.with_files(self.files.crash(choose))
    }

    /// The disk after the end of the process alone: nothing is lost.
    pub(crate) fn process_ended(&self) -> Self {
        self.with_files(self.files.clone())
    }

    fn with_files(&self, files: MemStorage) -> Self {
        let control = Control::default();
        control.set_flush_cost(self.control.flush_cost.load(Relaxed));
        control.set_full(self.control.is_full.load(Relaxed));
        Self {
            files,
            control: Arc::new(control),
        }
    }

    /// The files of the one directory that there is.
    pub(crate) fn names(&self) -> Vec<String> {
        let names = self.files.list(Path::new("/data/version-2"));
        names.unwrap_or_default()
    }

    /// The files themselves, without a price.
    pub(crate) fn files(&self) -> &MemStorage {
        &self.files
    }

    fn file<T: ?Sized>(&self, file: Box<T>, path: &Path) -> Box<SimFile<T>> {
        Box::new(SimFile {
            file,
            path: path.to_owned(),
            control: self.control.clone(),
        })
    }
}

impl Storage for SimDisk {
    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.control.read("list", dir)?;
        self.files.list(dir)
    }

    fn create_dirs(&self, dir: &Path) -> io::Result<()> {
        self.control.write("create_dirs", dir)?;
        self.files.create_dirs(dir)
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn ReadFile>> {
        self.control.read("open", path)?;
        Ok(self.file(self.files.open(path)?, path))
    }

    fn create_segment(&self, path: &Path, bytes: u64) -> io::Result<Box<dyn Segment>> {
        self.control.take_space("create_segment", path)?;
        Ok(self.file(self.files.create_segment(path, bytes)?, path))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn WriteFile>> {
        self.control.take_space("create", path)?;
        Ok(self.file(self.files.create(path)?, path))
    }

    fn truncate(&self, path: &Path, bytes: u64) -> io::Result<()> {
        self.control.flush("truncate", path)?;
        self.files.truncate(path, bytes)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.control.write("rename", from)?;
        self.files.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.control.write("remove", path)?;
        self.files.remove(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.control.flush("sync_dir", dir)?;
        self.files.sync_dir(dir)
    }
}

struct SimFile<T: ?Sized> {
    control: Arc<Control>,
    path: PathBuf,
    file: Box<T>,
}

impl ReadFile for SimFile<dyn ReadFile> {
    fn size(&self) -> u64 {
        self.file.size()
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.control.read("read_at", &self.path)?;
        self.file.read_at(offset, buffer)
    }
}

impl WriteFile for SimFile<dyn WriteFile> {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.control.take_space("write_all", &self.path)?;
        self.file.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.control.flush("sync", &self.path)?;
        self.file.sync()
    }
}

impl Segment for SimFile<dyn Segment> {
    fn capacity(&self) -> u64 {
        self.file.capacity()
    }

    fn slice_mut(&mut self, offset: u64, length: usize) -> &mut [u8] {
        self.file.slice_mut(offset, length)
    }

    fn flush(&mut self, start: u64, end: u64) -> io::Result<()> {
        self.control.flush("flush", &self.path)?;
        self.file.flush(start, end)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.control.flush("sync", &self.path)?;
        self.file.sync()
    }

    fn grow(&mut self, from: u64, bytes: u64) -> io::Result<()> {
        self.control.take_space("grow", &self.path)?;
        self.file.grow(from, bytes)
    }

    fn close(self: Box<Self>, end: u64) -> io::Result<()> {
        self.control.write("close", &self.path)?;
        self.file.close(end)
    }
}
