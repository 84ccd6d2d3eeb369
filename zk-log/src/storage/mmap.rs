//! A window of a file in memory. The only `unsafe` of the workspace.
//!
//! It maps and flushes; it neither allocates blocks nor decides how large the
//! file is. The caller guarantees what makes mapping sound and free of
//! SIGBUS: see [`Window::map`].
#![allow(unsafe_code)]

use memmap2::{Advice, MmapMut, MmapOptions, UncheckedAdvice};
use std::fs::File;
use std::io;

/// A writable, shared mapping of `start..end` of a file.
#[derive(Debug)]
pub(super) struct Window {
    map: MmapMut,
    start: u64,
}

impl Window {
    /// Maps `start..end`. The caller made the file at least `end` bytes long
    /// with blocks allocated for all of them, created it itself, and makes it
    /// no shorter while the window lives.
    pub(super) fn map(file: &File, start: u64, end: u64) -> io::Result<Self> {
        let length = usize::try_from(end - start).map_err(io::Error::other)?;
        let mut options = MmapOptions::new();
        options.offset(start).len(length);
        // SAFETY: A mapping is undefined behaviour when the file is changed
        // or cut by others while it is mapped. The file was created by this
        // process with O_EXCL in the server's own data directory, is cut only
        // after the window that is written through is dropped
        // (`FileSegment::close`), and Rust references into it exist only
        // while `&mut self` is held; the window of `ahead` makes none. Other
        // processes that write to a server's data directory are outside what
        // any storage can defend against.
        let map = unsafe { options.map_mut(file)? };
        // Without reading ahead, which makes ever larger folios: all of one is
        // written when a byte of it is.
        if let Err(error) = map.advise(Advice::Random) {
            tracing::debug!(%error, "the mapped log is read ahead");
        }
        Ok(Self { map, start })
    }

    /// The bytes at `offset..offset + length` of the file.
    pub(super) fn slice_mut(&mut self, offset: u64, length: usize) -> &mut [u8] {
        let from = self.index(offset);
        &mut self.map[from..from + length]
    }

    /// Waits until `start..end` of the file is on the disk: msync with
    /// `MS_SYNC`, which on Linux is fdatasync of the pages touched.
    pub(super) fn flush(&self, start: u64, end: u64) -> io::Result<()> {
        let (start, end) = (start.max(self.start), end.max(self.start));
        self.map
            .flush_range(self.index(start), self.index(end) - self.index(start))
    }

    /// Has the pages of `start..end` in memory, writable, in one call instead
    /// of a fault for each.
    pub(super) fn populate(&self, start: u64, end: u64) -> io::Result<()> {
        let (from, to) = (self.index(start), self.index(end));
        self.map
            .advise_range(Advice::PopulateWrite, from, to - from)
    }

    /// Lets go of the pages of `start..end`; the file keeps their content.
    pub(super) fn release(&self, start: u64, end: u64) -> io::Result<()> {
        let (from, to) = (self.index(start), self.index(end));
        // SAFETY: For a shared mapping of a file this drops page table
        // entries and no content: the next access reads the same bytes from
        // the page cache. (madvise(2), MADV_DONTNEED)
        unsafe {
            self.map
                .unchecked_advise_range(UncheckedAdvice::DontNeed, from, to - from)
        }
    }

    fn index(&self, offset: u64) -> usize {
        usize::try_from(offset - self.start).expect("a mapped offset fits into memory")
    }
}
