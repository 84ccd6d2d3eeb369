//! What a figure depends on besides the programs: the machine, its disk, the day.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::error::{Error, Result};
use crate::sh;
use crate::workspace::Workspace;

/// The file systems that are memory and not a disk, by the number that statfs gives.
const MEMORY: [(u64, &str); 2] = [(0x0102_1994, "tmpfs"), (0x8584_58f6, "ramfs")];

/// Processor, cores and kernel on one line.
pub(super) fn describe() -> String {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let model = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name"));
    let model = model.map_or("unknown processor", |rest| {
        rest.trim_start_matches([' ', '\t', ':'])
    });
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{model}, {cores} cores, Linux {}", kernel.trim())
}

/// Today, in UTC.
pub(super) fn date() -> Result<String> {
    let date = sh::read(Command::new("date").args(["-u", "+%F %H:%M UTC"]))?;
    Ok(date.trim().to_owned())
}

/// The commit of the workspace, marked if something is not committed.
pub(super) fn commit(root: &Path) -> String {
    let mut git = Command::new("git");
    git.current_dir(root)
        .args(["describe", "--always", "--dirty"]);
    sh::read(&mut git).map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned())
}

/// The directory for the servers' data, on a disk; `bench` in the target directory if none is
/// given.
pub(super) fn directory(given: Option<&Path>, workspace: &Workspace) -> Result<PathBuf> {
    let beside = workspace.target_directory.join("bench");
    let directory = given.unwrap_or(&beside);
    fs::create_dir_all(directory).map_err(|error| Error::io("make", directory, error))?;
    let resolved = directory.canonicalize();
    let resolved = resolved.map_err(|error| Error::io("find", directory, error))?;
    require_disk(&resolved)?;
    Ok(resolved)
}

/// Removes what an earlier run left.
pub(super) fn clear(directory: &Path) -> Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::io("remove", directory, error))
        }
        _ => Ok(()),
    }
}

/// Refuses a directory in memory, where a flush costs nothing.
fn require_disk(directory: &Path) -> Result<()> {
    let kind = rustix::fs::statfs(directory)
        .map_err(|error| Error::io("look at the file system of", directory, error.into()))?;
    let kind = kind.f_type as u64;
    match MEMORY.iter().find(|(number, _)| *number == kind) {
        None => Ok(()),
        Some((_, name)) => Err(Error::wrong(format!(
            "{} is on {name}, where a flush costs nothing: give another with --dir",
            directory.display()
        ))),
    }
}

/// Allows as many open files as the machine lets this process have; servers inherit it.
pub(super) fn raise_open_files() -> Result<()> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).map_err(|error| Error::Io {
        what: "cannot raise the limit of open files".to_owned(),
        source: error.into(),
    })
}
