//! The real disk.
//!
//! Segments are mapped into memory. Blocks are allocated before they are
//! mapped, so that a full disk is an error here and never a SIGBUS later.

use super::mmap::Window;
use super::{ReadFile, Segment, Storage, WriteFile};
use rustix::fs::FallocateFlags;
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
        }))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn WriteFile>> {
        Ok(Box::new(FileWriter(File::create(path)?)))
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

struct FileReader {
    file: File,
    size: u64,
}

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
        Ok(filled)
    }
}

struct FileSegment {
    file: File,
    /// The part of the file that is still written to.
    window: Window,
    capacity: u64,
}

impl Segment for FileSegment {
    fn capacity(&self) -> u64 {
        self.capacity
    }

    fn slice_mut(&mut self, offset: u64, length: usize) -> &mut [u8] {
        self.window.slice_mut(offset, length)
    }

    fn flush(&mut self, start: u64, end: u64) -> io::Result<()> {
        self.window.flush(start, end)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.window.flush(0, self.capacity)?;
        self.file.sync_all()
    }

    fn grow(&mut self, from: u64, bytes: u64) -> io::Result<()> {
        allocate(&self.file, self.capacity, bytes)?;
        self.window = Window::map(&self.file, from, bytes)?;
        self.capacity = bytes;
        Ok(())
    }

    fn close(self: Box<Self>, end: u64) -> io::Result<()> {
        let Self { file, window, .. } = *self;
        // A mapped page behind the end of a file must not be touched, so the
        // window goes first.
        drop(window);
        file.set_len(end)
    }
}

struct FileWriter(File);

impl WriteFile for FileWriter {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }
}
