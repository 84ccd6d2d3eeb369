//! A Python environment of our own, for kazoo and as the client of the Python package index.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Policy, apt};
use crate::error::{Error, Result};
use crate::sh;

/// kazoo is the client under test; the others let pip look into a source package.
const PACKAGES: [&str; 3] = ["kazoo==2.11.0", "setuptools", "wheel"];

/// A Python that imports kazoo, out of a virtual environment in the cache.
pub(super) fn provide(cache: &Path, policy: Policy) -> Result<PathBuf> {
    // A virtual environment holds absolute paths, so it is made in place and not renamed; that
    // it is whole shows in what it can import.
    let environment = cache.join("venv");
    let python = environment.join("bin").join("python");
    if is_complete(&python) {
        return Ok(python);
    }
    if policy == Policy::Look {
        return Err(Error::wrong("not fetched yet: run `cargo xtask provision`"));
    }
    create(&environment)?;
    let mut pip = Command::new(&python);
    sh::run(pip.args(["-m", "pip", "install", "--quiet"]).args(PACKAGES))?;
    Ok(python)
}

fn is_complete(python: &Path) -> bool {
    let imports = "import kazoo.client, setuptools, wheel";
    sh::read(Command::new(python).args(["-c", imports])).is_ok()
}

fn create(environment: &Path) -> Result<()> {
    if sh::on_path("python3").is_none() {
        apt::install(&["python3", "python3-venv"])?;
    }
    let create = || {
        sh::run(
            Command::new("python3")
                .args(["-m", "venv", "--clear"])
                .arg(environment),
        )
    };
    // Debian ships Python without the part that makes environments.
    create().or_else(|_| {
        apt::install(&["python3-venv"])?;
        create()
    })
}
