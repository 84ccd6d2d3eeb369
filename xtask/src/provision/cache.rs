//! Directories that are made once: complete with a stamp, or not there.
//!
//! A directory is made beside its final name and renamed when it is whole, so that an
//! interrupted download leaves nothing that looks done. The stamp tells the recipe; another
//! recipe makes the directory again.

use std::fs;
use std::path::{Path, PathBuf};

use super::Policy;
use crate::error::{Error, Result};

const STAMP: &str = "stamp";

/// A cached directory and how it is made.
pub(super) struct Recipe<'a> {
    /// Name of the directory in the cache.
    pub(super) name: &'a str,
    /// What the directory holds, and which version of the recipe made it.
    pub(super) stamp: &'a str,
}

impl Recipe<'_> {
    /// The directory, made by `make` if it is not there in this version.
    pub(super) fn provide(
        &self,
        cache: &Path,
        policy: Policy,
        make: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<PathBuf> {
        let directory = cache.join(self.name);
        if self.is_made(&directory) {
            return Ok(directory);
        }
        if policy == Policy::Look {
            return Err(Error::wrong("not fetched yet: run `cargo xtask provision`"));
        }
        self.make(
            &directory,
            &cache.join(format!("{}.partial", self.name)),
            make,
        )?;
        Ok(directory)
    }

    fn is_made(&self, directory: &Path) -> bool {
        fs::read_to_string(directory.join(STAMP)).is_ok_and(|stamp| stamp == self.stamp)
    }

    fn make(
        &self,
        directory: &Path,
        partial: &Path,
        make: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<()> {
        clear(partial)?;
        fs::create_dir_all(partial).map_err(|error| Error::io("create", partial, error))?;
        make(partial)?;
        write(&partial.join(STAMP), self.stamp)?;
        clear(directory)?;
        fs::rename(partial, directory).map_err(|error| Error::io("create", directory, error))
    }
}

/// Removes a directory with all it holds, if it is there.
pub(super) fn clear(directory: &Path) -> Result<()> {
    if !directory.exists() {
        return Ok(());
    }
    fs::remove_dir_all(directory).map_err(|error| Error::io("remove", directory, error))
}

/// Writes a small text file.
pub(super) fn write(file: &Path, text: &str) -> Result<()> {
    fs::write(file, text).map_err(|error| Error::io("write", file, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe(stamp: &str) -> Recipe<'_> {
        Recipe {
            name: "thing",
            stamp,
        }
    }

    #[test]
    fn a_directory_is_made_once_per_recipe() {
        let cache = tempfile::tempdir().unwrap();
        let mut made = 0;
        for stamp in ["1", "1", "2"] {
            let provided = recipe(stamp).provide(cache.path(), Policy::Install, |_| {
                made += 1;
                Ok(())
            });
            assert!(provided.unwrap().is_dir());
        }
        assert_eq!(made, 2);
    }

    #[test]
    fn a_failed_recipe_leaves_nothing_that_looks_done() {
        let cache = tempfile::tempdir().unwrap();
        let fail = |_: &Path| Err(Error::wrong("no network"));
        recipe("1")
            .provide(cache.path(), Policy::Install, fail)
            .unwrap_err();
        let looked = recipe("1").provide(cache.path(), Policy::Look, |_| Ok(()));
        assert!(
            looked
                .unwrap_err()
                .to_string()
                .starts_with("not fetched yet")
        );
    }
}
