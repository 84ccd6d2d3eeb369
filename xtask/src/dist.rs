//! `cargo xtask dist`: a directory and a tarball that unpack as Apache's do.
//!
//! Scripts and the sample configuration are those of `dist/` in the repository, the two programs
//! are the optimised build. Nothing is changed on the way, so a script can be tried from here.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Error, Result};
use crate::sh;
use crate::workspace::Workspace;

/// What is copied: from the repository's root, to the distribution's.
const FILES: [(&str, &str); 5] = [
    ("dist/bin", "bin"),
    ("dist/conf", "conf"),
    ("docs", "docs"),
    ("README.md", "README.md"),
    ("LICENSE", "LICENSE"),
];

const PROGRAMS: [&str; 2] = ["zk-server", "zk"];

/// Flags of `cargo xtask dist`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where the directory and the tarball go; `dist` in the target directory if left out.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// A directory with `zk-server` and `zk` in it, instead of a build.
    #[arg(long, value_name = "DIR")]
    programs: Option<PathBuf>,
}

/// Makes both anew.
pub(crate) fn run(args: &Args) -> Result<()> {
    let workspace = Workspace::load()?;
    let programs = match &args.programs {
        Some(programs) => programs.clone(),
        None => built(&workspace)?,
    };
    let beside = workspace.target_directory.join("dist");
    let out = args.out.as_ref().unwrap_or(&beside);
    let name = format!("zookeeper-rust-{}-bin", env!("CARGO_PKG_VERSION"));
    let directory = out.join(&name);
    if directory.exists() {
        fs::remove_dir_all(&directory).map_err(|error| on(&directory, error))?;
    }
    fs::create_dir_all(&directory).map_err(|error| on(&directory, error))?;
    for (from, to) in FILES {
        copy(&workspace.root.join(from), &directory.join(to))?;
    }
    for program in PROGRAMS {
        copy(
            &programs.join(program),
            &directory.join("bin").join(program),
        )?;
    }
    let tarball = out.join(format!("{name}.tar.gz"));
    pack(out, &name, &tarball)?;
    println!("{}\n{}", directory.display(), tarball.display());
    Ok(())
}

fn built(workspace: &Workspace) -> Result<PathBuf> {
    let mut cargo = sh::cargo(&workspace.root);
    cargo.args(["build", "--release", "--package", "zk-server"]);
    sh::run(cargo.args(["--package", "zk-cli", "--bins"]))?;
    Ok(workspace.target_directory.join("release"))
}

/// Copies a file with its permissions, or a directory with all that is in it.
fn copy(from: &Path, to: &Path) -> Result<()> {
    if from.is_file() {
        return fs::copy(from, to)
            .map(drop)
            .map_err(|error| on(from, error));
    }
    fs::create_dir_all(to).map_err(|error| on(to, error))?;
    let entries = fs::read_dir(from).map_err(|error| on(from, error))?;
    for entry in entries {
        let entry = entry.map_err(|error| on(from, error))?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

/// Owners and order are the same whoever packs.
fn pack(beside: &Path, name: &str, tarball: &Path) -> Result<()> {
    let mut tar = Command::new("tar");
    tar.arg("--create").arg("--gzip").arg("--file").arg(tarball);
    tar.args(["--owner=0", "--group=0", "--numeric-owner", "--sort=name"]);
    sh::run(tar.arg("--directory").arg(beside).arg(name))
}

fn on(path: &Path, source: std::io::Error) -> Error {
    Error::Io {
        what: path.display().to_string(),
        source,
    }
}
