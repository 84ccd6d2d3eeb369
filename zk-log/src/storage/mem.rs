//! A disk in memory that can crash.
//!
//! Every file has a live and a durable content, every directory a live and a
//! durable list of names. [`MemStorage::crash`] makes the disk that a power
//! failure might leave: of what was not flushed, any sectors, any prefix of
//! the name changes of a directory, and the old or the new length.

use super::{ReadFile, Segment, Storage, WriteFile};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

/// The unit that a disk writes wholly or not at all.
pub const SECTOR: usize = 512;

/// A disk in memory; clones share it.
#[derive(Clone, Default, Debug)]
pub struct MemStorage {
    disk: Arc<Mutex<Disk>>,
}

#[derive(Default, Debug)]
struct Disk {
    files: Vec<Content>,
    dirs: BTreeMap<PathBuf, Dir>,
}

/// What a file holds.
#[derive(Default, Debug, Clone)]
struct Content {
    live: Arc<Vec<u8>>,
    durable: Arc<Vec<u8>>,
    /// Sectors in which the two may differ.
    dirty: BTreeSet<usize>,
}

/// Names of a directory, to indices into the disk's files.
#[derive(Default, Debug, Clone)]
struct Dir {
    live: BTreeMap<String, usize>,
    durable: BTreeMap<String, usize>,
    pending: Vec<NameChange>,
}

#[derive(Debug, Clone)]
enum NameChange {
    Link(String, usize),
    Unlink(String),
    Rename(String, String),
}

impl MemStorage {
    /// An empty disk.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The disk after a power failure. `choose(n)` picks one of `0..n` for
    /// each thing that was not durable: 0 keeps the old state.
    #[must_use]
    pub fn crash(&self, choose: &mut dyn FnMut(usize) -> usize) -> Self {
        let disk = self.lock();
        let files = disk.files.iter().map(|file| file.crash(choose)).collect();
        let dirs = disk
            .dirs
            .iter()
            .map(|(path, dir)| (path.clone(), dir.crash(choose)))
            .collect();
        Self {
            disk: Arc::new(Mutex::new(Disk { files, dirs })),
        }
    }

    /// Sectors, lengths and name changes that a crash may or may not keep.
    #[must_use]
    pub fn undecided(&self) -> usize {
        let mut count = 0;
        let _ = self.crash(&mut |_| {
            count += 1;
            0
        });
        count
    }

    /// Puts a file there, durably.
    pub fn put(&self, path: &Path, bytes: &[u8]) {
        let mut disk = self.lock();
        let content = Arc::new(bytes.to_vec());
        disk.files.push(Content {
            live: content.clone(),
            durable: content,
            dirty: BTreeSet::new(),
        });
        let index = disk.files.len() - 1;
        let (dir, name) = split(path);
        let dir = disk.dirs.entry(dir).or_default();
        dir.live.insert(name.clone(), index);
        dir.durable.insert(name, index);
    }

    /// What a file holds now.
    #[must_use]
    pub fn bytes(&self, path: &Path) -> Option<Arc<Vec<u8>>> {
        let disk = self.lock();
        let index = disk.find(path).ok()?;
        Some(disk.files[index].live.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Disk> {
        // A test that panicked elsewhere leaves the disk as it was.
        self.disk
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn change<T>(&self, file: usize, change: impl FnOnce(&mut Content) -> T) -> T {
        change(&mut self.lock().files[file])
    }

    fn link(&self, path: &Path, exclusive: bool) -> io::Result<usize> {
        let mut disk = self.lock();
        let index = disk.files.len();
        let (parent, name) = split(path);
        let dir = disk.dir(&parent)?;
        if exclusive && dir.live.contains_key(&name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        dir.live.insert(name.clone(), index);
        dir.pending.push(NameChange::Link(name, index));
        disk.files.push(Content::default());
        Ok(index)
    }
}

impl Disk {
    fn dir(&mut self, path: &Path) -> io::Result<&mut Dir> {
        self.dirs
            .get_mut(path)
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn find(&self, path: &Path) -> io::Result<usize> {
        let (dir, name) = split(path);
        self.dirs
            .get(&dir)
            .and_then(|dir| dir.live.get(&name))
            .copied()
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

fn split(path: &Path) -> (PathBuf, String) {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let parent = path.parent().unwrap_or(Path::new(""));
    (parent.to_owned(), name.into_owned())
}

impl Content {
    fn write(&mut self, offset: usize, bytes: &[u8]) {
        let live = Arc::make_mut(&mut self.live);
        let end = offset + bytes.len();
        if live.len() < end {
            live.resize(end, 0);
        }
        live[offset..end].copy_from_slice(bytes);
        if !bytes.is_empty() {
            self.dirty.extend(offset / SECTOR..=(end - 1) / SECTOR);
        }
    }

    fn set_len(&mut self, length: usize) {
        Arc::make_mut(&mut self.live).resize(length, 0);
    }

    fn flush(&mut self, sectors: std::ops::Range<usize>) {
        // Flushing data makes the length durable that is needed to read it.
        if self.live.len() > self.durable.len() {
            Arc::make_mut(&mut self.durable).resize(self.live.len(), 0);
        }
        let flushed: Vec<usize> = self.dirty.range(sectors).copied().collect();
        for sector in flushed {
            self.dirty.remove(&sector);
            keep_sector(&self.live, Arc::make_mut(&mut self.durable), sector);
        }
    }

    fn sync(&mut self) {
        self.durable = self.live.clone();
        self.dirty.clear();
    }

    fn crash(&self, choose: &mut dyn FnMut(usize) -> usize) -> Self {
        let mut left = self.durable.clone();
        for &sector in &self.dirty {
            if choose(2) == 1 {
                keep_sector(&self.live, Arc::make_mut(&mut left), sector);
            }
        }
        if left.len() != self.live.len() && choose(2) == 1 {
            Arc::make_mut(&mut left).resize(self.live.len(), 0);
        }
        Self {
            live: left.clone(),
            durable: left,
            dirty: BTreeSet::new(),
        }
    }
}

fn keep_sector(live: &[u8], kept: &mut Vec<u8>, sector: usize) {
    let start = sector * SECTOR;
    let end = (start + SECTOR).min(live.len());
    if start >= end {
        return;
    }
    if kept.len() < end {
        kept.resize(end, 0);
    }
    kept[start..end].copy_from_slice(&live[start..end]);
}

impl Dir {
    fn sync(&mut self) {
        self.durable = self.live.clone();
        self.pending.clear();
    }

    fn crash(&self, choose: &mut dyn FnMut(usize) -> usize) -> Self {
        let mut names = self.durable.clone();
        let kept = match self.pending.len() {
            0 => 0,
            pending => choose(pending + 1),
        };
        for change in &self.pending[..kept] {
            change.apply(&mut names);
        }
        Self {
            live: names.clone(),
            durable: names,
            pending: Vec::new(),
        }
    }
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<String, usize>) {
        match self {
            Self::Link(name, file) => {
                names.insert(name.clone(), *file);
            }
            Self::Unlink(name) => {
                names.remove(name);
            }
            Self::Rename(from, to) => {
                if let Some(file) = names.remove(from) {
                    names.insert(to.clone(), file);
                }
            }
        }
    }
}

impl Storage for MemStorage {
    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        Ok(self.lock().dir(dir)?.live.keys().cloned().collect())
    }

    fn create_dirs(&self, dir: &Path) -> io::Result<()> {
        self.lock().dirs.entry(dir.to_owned()).or_default();
        Ok(())
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn ReadFile>> {
        let disk = self.lock();
        if disk.dirs.contains_key(path) {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let file = disk.find(path)?;
        Ok(Box::new(MemReader(disk.files[file].live.clone())))
    }

    fn create_segment(&self, path: &Path, bytes: u64) -> io::Result<Box<dyn Segment>> {
        let file = self.link(path, true)?;
        let length = in_memory(bytes)?;
        self.change(file, |content| content.set_len(length));
        Ok(Box::new(MemSegment {
            storage: self.clone(),
            file,
            capacity: bytes,
            staged: (0, Vec::new()),
        }))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn WriteFile>> {
        let file = self.link(path, false)?;
        Ok(Box::new(MemWriter {
            storage: self.clone(),
            file,
        }))
    }

    fn truncate(&self, path: &Path, bytes: u64) -> io::Result<()> {
        let file = self.lock().find(path)?;
        let length = in_memory(bytes)?;
        self.change(file, |content| {
            content.set_len(length);
            content.sync();
        });
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut disk = self.lock();
        let ((parent, from), (_, to)) = (split(from), split(to));
        let dir = disk.dir(&parent)?;
        if !dir.live.contains_key(&from) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let change = NameChange::Rename(from, to);
        change.apply(&mut dir.live);
        dir.pending.push(change);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.lock();
        disk.find(path)?;
        let (parent, name) = split(path);
        let dir = disk.dir(&parent)?;
        let change = NameChange::Unlink(name);
        change.apply(&mut dir.live);
        dir.pending.push(change);
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.lock().dir(dir)?.sync();
        Ok(())
    }
}

fn in_memory(bytes: u64) -> io::Result<usize> {
    usize::try_from(bytes).map_err(io::Error::other)
}

struct MemReader(Arc<Vec<u8>>);

impl ReadFile for MemReader {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = self.0.get(in_memory(offset)?..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }
}

/// The bytes handed out last are put on the disk with the next call.
struct MemSegment {
    storage: MemStorage,
    file: usize,
    capacity: u64,
    staged: (usize, Vec<u8>),
}

impl MemSegment {
    fn put_staged(&mut self) {
        let (offset, bytes) = std::mem::take(&mut self.staged);
        self.storage
            .change(self.file, |content| content.write(offset, &bytes));
    }
}

impl Segment for MemSegment {
    fn capacity(&self) -> u64 {
        self.capacity
    }

    fn slice_mut(&mut self, offset: u64, length: usize) -> &mut [u8] {
        assert!(
            offset + length as u64 <= self.capacity,
            "beyond the capacity"
        );
        self.put_staged();
        let offset = usize::try_from(offset).expect("a segment in memory is small");
        self.staged = (offset, vec![0; length]);
        &mut self.staged.1
    }

    fn flush(&mut self, start: u64, end: u64) -> io::Result<()> {
        self.put_staged();
        let sectors = in_memory(start)? / SECTOR..in_memory(end)?.div_ceil(SECTOR);
        self.storage
            .change(self.file, |content| content.flush(sectors));
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.put_staged();
        self.storage.change(self.file, Content::sync);
        Ok(())
    }

    fn grow(&mut self, _from: u64, bytes: u64) -> io::Result<()> {
        self.put_staged();
        let length = in_memory(bytes)?;
        self.storage
            .change(self.file, |content| content.set_len(length));
        self.capacity = bytes;
        Ok(())
    }

    fn close(mut self: Box<Self>, end: u64) -> io::Result<()> {
        self.put_staged();
        let length = in_memory(end)?;
        self.storage
            .change(self.file, |content| content.set_len(length));
        Ok(())
    }
}

impl Drop for MemSegment {
    fn drop(&mut self) {
        self.put_staged();
    }
}

struct MemWriter {
    storage: MemStorage,
    file: usize,
}

impl WriteFile for MemWriter {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.storage.change(self.file, |content| {
            let end = content.live.len();
            content.write(end, bytes);
        });
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.storage.change(self.file, Content::sync);
        Ok(())
    }
}
