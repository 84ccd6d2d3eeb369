//! How many files the process has open, and may have.

use rustix::process::{Resource, getrlimit};
use std::fs;

const OPEN_FILES: &str = "/proc/self/fd";

/// Files that are open; 0 where the system does not tell.
pub(super) fn open() -> u64 {
    // Since Linux 6.2 the directory's length is the number of its entries,
    // which saves reading all of them.
    match fs::metadata(OPEN_FILES) {
        Ok(directory) if directory.len() > 0 => directory.len(),
        _ => listed(),
    }
}

fn listed() -> u64 {
    fs::read_dir(OPEN_FILES).map_or(0, |entries| entries.count() as u64)
}

/// Files that may be open.
pub(super) fn max() -> u64 {
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_files_are_counted() {
        let files: Vec<_> = (0..5)
            .map(|_| fs::File::open("/dev/null").unwrap())
            .collect();
        let (open, listed) = (open(), listed());
        assert!(open >= files.len() as u64, "{open} are open");
        // Other tests open and close files meanwhile, and reading the
        // directory opens one.
        assert!(open.abs_diff(listed) < 50, "{open} and {listed}");
        assert!(max() > open);
    }
}
