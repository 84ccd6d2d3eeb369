//! Debian's package client: installing, and unpacking packages without installing them.

use std::path::Path;
use std::process::Command;

use crate::error::{Error, Result};
use crate::sh;

/// Installs packages, if this machine and user can.
pub(super) fn install(packages: &[&str]) -> Result<()> {
    require()?;
    if !sh::is_root() {
        let sentence = format!("installing {} needs root", packages.join(" "));
        return Err(Error::wrong(sentence));
    }
    sh::run(apt_get().arg("update"))?;
    let mut install = apt_get();
    install.args(["install", "--yes", "--no-install-recommends"]);
    sh::run(
        install
            .args(packages)
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )
}

/// Downloads packages and unpacks them into `root`, leaving the system as it is.
pub(super) fn unpack(packages: &[&str], downloads: &Path, root: &Path) -> Result<()> {
    require()?;
    for directory in [downloads, root] {
        std::fs::create_dir_all(directory)
            .map_err(|error| Error::io("create", directory, error))?;
    }
    download(packages, downloads)?;
    let files = downloads
        .read_dir()
        .map_err(|error| Error::io("list", downloads, error))?;
    for file in files {
        let file = file
            .map_err(|error| Error::io("list", downloads, error))?
            .path();
        sh::read(
            Command::new("dpkg-deb")
                .arg("--extract")
                .args([&file, root]),
        )?;
    }
    Ok(())
}

/// Package lists may never have been fetched on this machine, so a failure is tried twice.
fn download(packages: &[&str], directory: &Path) -> Result<()> {
    let once = || {
        sh::run(
            apt_get()
                .arg("download")
                .args(packages)
                .current_dir(directory),
        )
    };
    let Err(error) = once() else { return Ok(()) };
    if !sh::is_root() {
        return Err(error);
    }
    sh::run(apt_get().arg("update"))?;
    once()
}

/// Quiet, and without a change of user, which cannot write into our directories.
fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.args(["--quiet", "--option", "APT::Sandbox::User=root"]);
    command
}

fn require() -> Result<()> {
    match sh::on_path("apt-get") {
        Some(_) => Ok(()),
        None => Err(Error::wrong("this machine has no apt-get")),
    }
}
