//! The real disk.
//!
//! Segments are mapped into memory. Blocks are allocated before they are
//! mapped, so that a full disk is an error here and never a SIGBUS later.

use super::ahead::{self, Ahead};
use super::mmap::Window;
use super::{ReadFile, Segment, Storage, WriteFile};
use rustix::fs::{Advice, FallocateFlags};
use rustix::io::Errno;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Files of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct FileStorage;

impl Storage for FileStorage {
    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(dir)? {
            // A name that is no UTF-8 is none of ours.
            if let Ok(name) = entry?.file_name().into_string() {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn create_dirs(&self, dir: &Path) -> io::Result<()> {
        if dir.is_dir() {
            return Ok(());
        }
        let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty());
        if let Some(parent) = parent {
            self.create_dirs(parent)?;
        }
        match fs::create_dir(dir) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        self.sync_dir(parent.unwrap_or(Path::new(".")))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn ReadFile>> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        Ok(Box::new(FileReader {
            file,
            size: metadata.len(),
            forgotten: 0,
        }))
    }

    fn create_segment(&self, path: &Path, bytes: u64) -> io::Result<Box<dyn Segment>> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(path)?;
        allocate(&file, 0, bytes)?;
        let window = Window::map(&file, 0, bytes)?;
        Ok(Box::new(FileSegment {
            file,
            window,
            capacity: bytes,
            populated: 0,
            released: 0,
            ahead: Ahead::new(path),
        }))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn WriteFile>> {
        Ok(Box::new(FileWriter {
            file: File::create(path)?,
            written: 0,
            synced: 0,
        }))
    }

    fn truncate(&self, path: &Path, bytes: u64) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(path)?;
        file.set_len(bytes)?;
        file.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }
}

/// Allocates blocks for `start..end`, so that writing there cannot fail for
/// want of space, and makes the file that long.
fn allocate(file: &File, start: u64, end: u64) -> io::Result<()> {
    loop {
        match rustix::fs::fallocate(file, FallocateFlags::empty(), start, end - start) {
            Ok(()) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => return write_zeros(file, start, end),
            Err(error) => return Err(error.into()),
        }
    }
}

/// For file systems that cannot allocate ahead.
fn write_zeros(file: &File, start: u64, end: u64) -> io::Result<()> {
    let zeros = [0; 64 << 10];
    let mut offset = start;
    while offset < end {
        let length = zeros
            .len()
            .min(usize::try_from(end - offset).unwrap_or(zeros.len()));
        file.write_all_at(&zeros[..length], offset)?;
        offset += length as u64;
    }
    file.sync_data()
}

/// What was read is kept by who read it, so its pages are not: the next ones
/// take their place.
struct FileReader {
    file: File,
    size: u64,
    forgotten: u64,
}

/// How much is read before its pages are given back.
const FORGET_STEP: u64 = 1 << 20;

impl ReadFile for FileReader {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self
                .file
                .read_at(&mut buffer[filled..], offset + filled as u64)
            {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let end = offset + filled as u64;
        if end >= self.forgotten + FORGET_STEP {
            forget(&self.file, self.forgotten, end);
            self.forgotten = end;
        }
        Ok(filled)
    }
}

struct FileSegment {
    file: File,
    /// The part of the file that is still written to.
    window: Window,
    capacity: u64,
    /// Up to where the pages were asked for.
    populated: u64,
    /// Up to where the pages were let go.
    released: u64,
    ahead: Ahead,
}

/// Pages are asked for in steps of this.
const POPULATE_STEP: u64 = 64 << 10;
/// Pages are let go in steps of this.
const RELEASE_STEP: u64 = ahead::CHUNK;

impl FileSegment {
    /// Has the pages before `end`. What fails here fails as a fault does:
    /// not at all, as the blocks are allocated.
    fn populate(&mut self, end: u64) {
        if end <= self.populated {
            return;
        }
        let until = (end + POPULATE_STEP)
            .next_multiple_of(POPULATE_STEP)
            .min(self.capacity);
        if let Err(error) = self.window.populate(self.populated, until) {
            tracing::trace!(%error, "pages come one by one");
        }
        self.populated = until;
    }

    /// Lets go of the pages of what is on the disk, at every step.
    fn release(&mut self, flushed: u64) {
        let until = flushed / RELEASE_STEP * RELEASE_STEP;
        if until <= self.released {
            return;
        }
        if let Err(error) = self.window.release(self.released, until) {
            tracing::trace!(%error, "pages stay mapped");
        }
        self.released = until;
        self.ahead.advance(flushed, self.capacity);
    }
}

impl Segment for FileSegment {
    fn capacity(&self) -> u64 {
        self.capacity
    }

    fn slice_mut(&mut self, offset: u64, length: usize) -> &mut [u8] {
        self.populate(offset + length as u64);
        self.window.slice_mut(offset, length)
    }

    fn flush(&mut self, start: u64, end: u64) -> io::Result<()> {
        self.window.flush(start, end)?;
        self.release(end);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.window.flush(0, self.capacity)?;
        self.file.sync_all()
    }

    fn grow(&mut self, from: u64, bytes: u64) -> io::Result<()> {
        allocate(&self.file, self.capacity, bytes)?;
        self.window = Window::map(&self.file, from, bytes)?;
        self.capacity = bytes;
        // The window and the pages begin anew, at its first page.
        (self.populated, self.released) = (from, from.next_multiple_of(RELEASE_STEP));
        Ok(())
    }

    fn close(self: Box<Self>, end: u64) -> io::Result<()> {
        let Self {
            file,
            window,
            ahead,
            ..
        } = *self;
        drop(ahead);
        // A mapped page behind the end of a file must not be touched, so the
        // window goes first.
        drop(window);
        file.set_len(end)
    }
}

/// A file that goes to the disk while it is written: whoever else waits for
/// the disk never waits for much of it, and the page cache stays as it is.
struct FileWriter {
    file: File,
    written: u64,
    synced: u64,
}

/// How much is written before it is flushed.
const SYNC_STEP: u64 = 128 << 10;

impl WriteFile for FileWriter {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.written += bytes.len() as u64;
        if self.written - self.synced >= SYNC_STEP {
            self.sync()?;
        }
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()?;
        forget(&self.file, self.synced, self.written);
        self.synced = self.written;
        Ok(())
    }
}

/// Gives the pages of `start..end` back, which are on the disk and nobody
/// will ask for: so what a server writes takes new pages from its own old
/// ones, and those of others stay.
pub(super) fn forget(file: &File, start: u64, end: u64) {
    // Whole pages only, the one before included: it was a part before.
    let start = start & !(PAGE - 1);
    let length = std::num::NonZeroU64::new(end - start);
    if let Err(error) = rustix::fs::fadvise(file, start, length, Advice::DontNeed) {
        tracing::trace!(%error, "pages stay in the cache");
    }
}

/// The usual size; of larger pages some stay in the cache.
const PAGE: u64 = 4096;
