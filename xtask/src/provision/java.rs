//! A Java runtime, for Apache's servers and shell.

use std::path::PathBuf;
use std::process::Command;

use super::{Policy, apt};
use crate::error::{Error, Result};
use crate::sh;

/// Finds a `java` that runs, or installs Debian's default runtime.
pub(super) fn provide(policy: Policy) -> Result<PathBuf> {
    if let Some(java) = find() {
        return Ok(java);
    }
    if policy == Policy::Install {
        apt::install(&["default-jre-headless"])?;
    }
    find().ok_or_else(|| Error::wrong("no Java runtime in JAVA_HOME or on the search path"))
}

fn find() -> Option<PathBuf> {
    let home = std::env::var_os("JAVA_HOME").map(|home| PathBuf::from(home).join("bin/java"));
    home.into_iter()
        .chain(sh::on_path("java"))
        .find(|java| sh::read(Command::new(java).arg("-version")).is_ok())
}
