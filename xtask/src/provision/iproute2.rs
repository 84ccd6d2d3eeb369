//! `ip` of iproute2, for networks that tests and benches cut.

use std::path::PathBuf;

use super::{Policy, apt};
use crate::error::{Error, Result};
use crate::sh;

/// Finds `ip`, or installs Debian's.
pub(super) fn provide(policy: Policy) -> Result<PathBuf> {
    if let Some(ip) = sh::on_path("ip") {
        return Ok(ip);
    }
    if policy == Policy::Install {
        apt::install(&["iproute2"])?;
    }
    sh::on_path("ip").ok_or_else(|| Error::wrong("no ip of iproute2 on the search path"))
}
